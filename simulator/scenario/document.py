"""Documents: plain tables as TOML gives them, merged, changed and written back."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from simulator.errors import Issue, listing, nearest, shown
from simulator.scenario.files import absolute, rebased
from simulator.scenario.paths import Part, below, dotted, leaves, parts_of
from simulator.scenario.policy_choice import PolicyChoice
from simulator.scenario.spec import Spec

Document = dict[str, Any]

SECTIONS: Final = ("nodes", "sites", "clusters", "workloads")
"""Tables whose keys are names that the user gives."""

DEFAULT: Final = "default"
CATALOG: Final = "catalog"
REPLACED: Final = "replace"

_UNSAID: Final[tuple[object, ...]] = (None, {}, [])
"""Defaults that mean that nothing is there, and need not be written."""

_VERBATIM: Final = ("where", "columns")
"""Tables whose keys are columns of a file, whatever they are called."""

_INSTEAD: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "workloads": {
        "gpu_days": ("duration",),
        "duration": ("gpu_days",),
        "jobs": ("arrivals", "gpu_days", "duration", "gpus"),
        "arrivals": ("jobs",),
    },
    "nodes": {"components": ("idle_power", "busy_power", "load_curve")},
}
"""By section: keys of an entry that a more specific document's key stands in place of."""


@dataclass
class Layered:
    """A document made of layers, each over the one before, and where each value came from."""

    document: Document = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def lay(self, document: Document, origin: str) -> None:
        """Merge a document over what is there: tables deeply, all else replaced."""
        document = _said(document)
        _displace(self.document, document)
        _merge(self.document, document)
        self.note(document, origin)

    def put(self, parts: tuple[str, ...], value: Any, origin: str) -> None:
        """Replace one value; None takes it out.

        Raises
        ------
        ValueError
            If the path does not lead anywhere, saying where it ends.

        Notes
        -----
        Tables on the way are copied: others may hold what stood there before.
        """
        value = _said(value) if isinstance(value, dict) else copy.deepcopy(value)
        table = self._parent(parts, value)
        if isinstance(table, list):
            table[_index(parts, table)] = value
        elif value is None:
            table.pop(parts[-1], None)
        else:
            table[parts[-1]] = value
        if len(parts) == 3:
            for other in _INSTEAD.get(parts[0], {}).get(parts[2], ()):
                table.pop(other, None)
        path = dotted(self._typed(parts))
        self._displaced([path])
        self.forget()
        if isinstance(value, dict) and value:
            self.origins.update((where, origin) for where, _ in leaves(value, path))
        elif value is not None:
            self.origins[path] = origin

    def note(self, document: Document, origin: str, path: str = "") -> None:
        """Note the origin of every value of a document, and forget what it displaced."""
        found = [where for where, _ in leaves(document, path)]
        self._displaced(found)
        self.origins.update((where, origin) for where in found)
        self.forget()

    def forget(self) -> None:
        """Keep only the origins of what is there."""
        here = {path for path, _ in leaves(self.document)}
        if any(path not in here for path in self.origins):  # within lists, or no longer there
            here |= set(_within_lists(self.document))
            self.origins = {path: label for path, label in self.origins.items() if path in here}

    def origin_of(self, path: str) -> str | None:
        """Return where the value at a path came from, or the list or table that it is in."""
        return origin_in(self.origins, path)

    def _displaced(self, paths: list[str]) -> None:
        """Forget the origins of what lay within values that others took the place of."""
        for inner in [path for path in self.origins if "[" in path]:
            if any(inner == path or inner.startswith((f"{path}.", f"{path}[")) for path in paths):
                del self.origins[inner]

    def _typed(self, parts: tuple[str, ...]) -> list[Part]:
        """Return the parts of a path with numbers where they lead into lists."""
        typed: list[Part] = []
        table: Any = self.document
        for part in parts:
            if isinstance(table, list):
                typed.append(int(part))
                table = table[int(part)]
            else:
                typed.append(part)
                table = table.get(part) if isinstance(table, dict) else None
        return typed

    def _parent(self, parts: tuple[str, ...], value: Any) -> Any:
        table: Any = self.document
        for depth, part in enumerate(parts[:-1]):
            known_names = depth == 1 and parts[0] in SECTIONS and isinstance(table, dict)
            if known_names and part not in table:
                raise ValueError(_no_such(parts[0], part, table))
            key: Any = _index(parts[: depth + 1], table) if isinstance(table, list) else part
            inner = table[key] if isinstance(table, list) else table.get(key, {})
            inner = table[key] = copy.copy(inner)
            table = inner
            if not isinstance(table, dict | list):
                here = dotted(parts[: depth + 1])
                raise ValueError(f"{here} is {shown(table)}, not a table; replace it as a whole")
        if len(parts) == 2 and parts[0] in SECTIONS and not isinstance(value, dict | None):
            raise ValueError(f"{shown(value)} is not a table; name a key below it")
        return table


def origin_in(origins: Mapping[str, str], path: str) -> str | None:
    """Return the origin of a path, or of the nearest list or table around it that has one."""
    while path:
        if path in origins:
            return origins[path]
        path = path.rpartition("[" if path.endswith("]") else ".")[0]
    return None


def _within_lists(value: Any, path: str = "", inside: bool = False) -> Iterator[str]:
    """Yield the path of everything that lies within a list."""
    if inside:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _within_lists(inner, below(path, key), inside)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _within_lists(inner, below(path, index), True)


def _index(parts: tuple[str, ...], entries: list[Any]) -> int:
    if not parts[-1].isdigit() or int(parts[-1]) >= len(entries):
        here = dotted(parts[:-1])
        last = len(entries) - 1
        raise ValueError(f"{here} is a list; name an entry by its number, 0 to {last}")
    return int(parts[-1])


def _no_such(section: str, name: str, table: Mapping[str, Any]) -> str:
    near = nearest(name, table)
    meant = f"did you mean '{near}'? " if near else ""
    return f"no such entry of [{section}]; {meant}known are {listing(table)}"


def _said(document: Document) -> Document:
    """Return a copy of a document without its Nones: JSON's null says nothing here."""
    return {
        key: _said(value) if isinstance(value, dict) else copy.deepcopy(value)
        for key, value in document.items()
        if value is not None
    }


def _merge(under: Document, over: Document) -> None:
    for key, value in over.items():
        below = under.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and _like(below, value):
            _merge(below, value)
        else:
            under[key] = value


def _like(under: Document, over: Document) -> bool:
    """Return whether two tables say the same kind of thing, so that they can be merged.

    A constant intensity over a file, or one distribution over another, replaces it as a whole.
    """
    forms = (_form(under), _form(over))
    return None in forms or forms[0] == forms[1]


def _form(table: Document) -> tuple[str, object] | None:
    for key in ("process", "dist", "policy", "model", "way", "rule"):
        if isinstance(table.get(key), str):
            return key, table[key]
    for key in ("mixture", "file", "constant", "exponent", "points"):
        if key in table and not isinstance(table[key], dict):
            return key, None
    if "low" in table or "high" in table:
        return "dist", "uniform"  # said or, of a sweep's range, meant
    return ("dist", "p50") if "p50" in table or "p99" in table else None


def _displace(under: Document, over: Document) -> None:
    for section, instead in _INSTEAD.items():
        entries = over.get(section)
        if not isinstance(entries, dict) or not isinstance(under.get(section), dict):
            continue
        for name, entry in entries.items():
            below = under[section].get(name)
            if isinstance(entry, dict) and isinstance(below, dict):
                for key in entry:
                    for other in instead.get(key, ()):
                        if other not in entry:
                            below.pop(other, None)


def put_all(
    layered: Layered, changes: Mapping[str, Any], origin: str, catalog_nodes: bool = True
) -> list[Issue]:
    """Replace values by dotted path; return the problems of the paths."""
    issues = []
    for path, value in changes.items():
        try:
            parts = parts_of(path)
            if catalog_nodes and len(parts) > 2 and parts[0] == "nodes":
                expand_node(layered, parts[1])
            layered.put(parts, value, origin)
        except ValueError as error:
            issues.append(Issue(path, str(error)))
    return issues


def expand_node(layered: Layered, name: str) -> None:
    """Fill in a node type of the catalog, where the document has none of that name."""
    from simulator import catalog

    nodes = layered.document.setdefault("nodes", {})
    if isinstance(nodes, dict) and name not in nodes and name in catalog.names("nodes"):
        layered.document["nodes"] = nodes | {name: catalog.node(name)}
        layered.note({name: layered.document["nodes"][name]}, CATALOG, "nodes")


def expand_catalog(layered: Layered) -> None:
    """Fill in the node types of the catalog that clusters name; drop those none names."""
    clusters = layered.document.get("clusters")
    tables = clusters.values() if isinstance(clusters, dict) else ()
    named = [table.get("node") for table in tables if isinstance(table, dict)]
    used = dict.fromkeys(name for name in named if isinstance(name, str))
    nodes = layered.document.get("nodes")
    if isinstance(nodes, dict):
        unused = {name for name in nodes if name not in used and _only_catalog(layered, name)}
        layered.document["nodes"] = {k: node for k, node in nodes.items() if k not in unused}
    for name in used:
        expand_node(layered, name)


def _only_catalog(layered: Layered, name: str) -> bool:
    """Return whether every value of a node type comes from the catalog."""
    inside = f"{dotted(('nodes', name))}."
    labels = {label for path, label in layered.origins.items() if path.startswith(inside)}
    return labels == {CATALOG}


def in_full(said: Layered, spec: Spec) -> Layered:
    """Return a document with every default that it leaves out, in the order of its kind.

    Parameters
    ----------
    said : Layered
        What was said; it stays as it is.
    spec : Spec
        What it was read as.
    """
    document = copy.deepcopy(said.document)
    _fill_defaults(spec, document)
    ordered = {key: document[key] for key in type(spec).attributes() if key in document}
    origins = {path: said.origins.get(path, DEFAULT) for path, _ in leaves(ordered)}
    origins |= {path: label for path, label in said.origins.items() if "[" in path}
    return Layered(ordered, origins)


def _fill_defaults(spec: Spec, table: Document) -> None:
    """Write every default that a table leaves out into it."""
    for key, name in type(spec).attributes().items():
        field_info = type(spec).model_fields[name]
        default = None if field_info.is_required() else field_info.default
        value = getattr(spec, name)
        said = key in table or key in type(spec).implied(table)
        if not said and (isinstance(value, Spec) or default not in _UNSAID):
            table[key] = copy.deepcopy(default)
        if isinstance(value, Spec) and isinstance(table.get(key), dict):
            _fill_defaults(value, table[key])
        elif isinstance(value, PolicyChoice) and isinstance(table.get(key), dict):
            table[key] = value.in_full(table[key])
        elif isinstance(value, dict) and isinstance(table.get(key), dict):
            for entry, inner in value.items():
                if isinstance(inner, Spec):
                    _fill_defaults(inner, table[key][entry])


def names_file(table: Any) -> bool:
    """Return whether a table, or one within it, names a file."""
    if isinstance(table, list):
        return any(map(names_file, table))
    if not isinstance(table, dict):
        return False
    return "file" in table or any(map(names_file, table.values()))


def rebase_files(document: Document, old: Path, new: Path) -> Document:
    """Return a document whose relative file paths are relative to another folder."""
    return _with_files(document, lambda text: rebased(text, old, new))


def portable(document: Document, folder: Path) -> Document:
    """Return a document whose files are found from any folder."""
    return _with_files(document, lambda text: absolute(text, folder))


def _names_files(key: str) -> bool:
    """Return whether a key, or the path of an axis that is one, is that of files."""
    return key == "file" or key.endswith((".file", '."file"'))


def _with_files(table: Document, change: Callable[[str], str]) -> Document:
    changed: Document = {}
    for key, value in table.items():
        if _names_files(key) and isinstance(value, str | list):
            texts = [value] if isinstance(value, str) else value
            files = [change(text) if isinstance(text, str) else text for text in texts]
            changed[key] = files[0] if isinstance(value, str) else files
        elif isinstance(value, dict) and key not in _VERBATIM:
            changed[key] = _with_files(value, change)
        elif isinstance(value, list):
            changed[key] = [
                _with_files(entry, change) if isinstance(entry, dict) else entry for entry in value
            ]
        else:
            changed[key] = copy.deepcopy(value)
    return changed
