"""Loading scenarios: files and documents in, one checked scenario or all problems out."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simulator.errors import InputError, Issue, shown
from simulator.scenario.checks import problems_between, warnings_of
from simulator.scenario.clusters import Cluster
from simulator.scenario.document import (
    DEFAULT,
    SECTIONS,
    Document,
    Layered,
    expand_catalog,
    fill_defaults,
    in_order,
    put_all,
    rebase_files,
    without_defaults,
)
from simulator.scenario.fields import plain_text
from simulator.scenario.grid import Site
from simulator.scenario.model import SCHEMA, Provenance, Scenario, other_schema
from simulator.scenario.nodes import NodeType
from simulator.scenario.paths import dotted
from simulator.scenario.reading import Reading
from simulator.scenario.spec import Spec, issues_of, read_as
from simulator.scenario.study_tables import STUDIES, StudyFile, not_one, taken
from simulator.scenario.toml_reader import is_shallow, read_toml
from simulator.scenario.workloads import Workload

LONGEST_CHAIN: Final = 32
"""Files that may extend one another."""

_KINDS: Final[dict[str, type[Spec]]] = {
    "nodes": NodeType,
    "sites": Site,
    "clusters": Cluster,
    "workloads": Workload,
}


@dataclass(frozen=True, slots=True)
class _From:
    """Where a document comes from, for messages and relative paths."""

    source: str
    folder: Path
    path: Path | None = None
    check_files: bool = True
    asked: str = ""
    """The file that the user named, which extends this one."""


def load(
    path: str | Path,
    sets: Iterable[str] = (),
    seed: int | None = None,
    *,
    check_files: bool = True,
) -> Scenario:
    """Load a scenario file.

    Parameters
    ----------
    path : path
        A TOML file.
    sets : iterable of str
        Replacements such as ``"clusters.train.count=256"``: a dotted path and a value in TOML,
        or else a plain text.
    seed : int, optional
        Replaces the file's seed.
    check_files : bool
        Whether the files that the scenario names must be there; not so when it is only looked at.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    place = _From(str(path), Path(path).parent, Path(path), check_files)
    layered, issues = _laid(place, sets, seed)
    return _scenario(layered, place, issues)


def load_file(
    path: str | Path,
    sets: Iterable[str] = (),
    seed: int | None = None,
    *,
    check_files: bool = True,
) -> StudyFile:
    """Load a scenario file with or without tables about many runs; parameters as for `load`.

    Raises
    ------
    InputError
        With every problem of the scenario, or if such a table is no table.
    """
    place = _From(str(path), Path(path).parent, Path(path), check_files)
    layered, issues = _laid(place, sets, seed)
    tables, origins = taken(layered, issues)
    return StudyFile(_scenario(layered, place, issues), tables, origins)


def load_study(
    path: str | Path,
    table: str = "sweep",
    sets: Iterable[str] = (),
    seed: int | None = None,
    *,
    check_files: bool = True,
) -> tuple[Scenario, dict[str, Any]]:
    """Load a scenario file that carries one table about many runs of it.

    Parameters
    ----------
    path : path
        A TOML file.
    table : str
        ``"sweep"`` or ``"optimize"``.
    sets : iterable of str
        Replacements, in the table too: ``"sweep.seeds=5"``.
    seed, check_files
        As for `load`.

    Returns
    -------
    base : Scenario
        What the file says beside such tables, valid by itself.
    table : dict
        As written, merged over that of the file that this one extends.

    Raises
    ------
    InputError
        With every problem of the scenario, or if the file has no such table.
    """
    found = load_file(path, sets, seed, check_files=check_files)
    if table not in found.tables:
        text = f"missing; write a table [{table}], or run the file with fleetsim run"
        raise InputError(str(path), [Issue(table, text)])
    return found.base, found.tables[table]


def _laid(place: _From, sets: Iterable[str], seed: int | None) -> tuple[Layered, list[Issue]]:
    """Return a file, with all it extends and replacements over it, and their problems."""
    assert place.path is not None
    layered = Layered()
    _lay(layered, place.path, place, ())
    issues = put_each(layered, sets)
    if seed is not None:
        layered.put(("seed",), seed, "--seed")
    return layered, issues


def from_document(
    document: Mapping[str, Any],
    folder: str | Path = ".",
    source: str = "scenario",
    *,
    check_files: bool = True,
) -> Scenario:
    """Return the scenario that a document describes, a dict as TOML or JSON gives it.

    Parameters
    ----------
    document : mapping
        Keys and values as in a file: quantities are texts with their units. None says nothing.
    folder : path
        What relative file paths are relative to.
    source : str
        Name of the document in messages.
    check_files : bool
        Whether the files that it names must be there.

    Raises
    ------
    InputError
        With every problem of the document.
    """
    place = _From(source, Path(folder), None, check_files)
    tables = dict(document)
    if not is_shallow(tables):
        raise InputError(source, [Issue("", "nested too deeply for a scenario")])
    layered = Layered()
    _lay_parent(layered, tables, place, ())
    layered.lay(tables, source)
    return _scenario(layered, place, [])


def replaced(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """Return a scenario with values replaced by dotted path; see `Scenario.replace`."""
    place = _From(scenario.source, scenario.folder, scenario.path)
    said = without_defaults(Layered(scenario.document, scenario.origins))
    issues = put_all(said, changes, "replace")
    return _scenario(said, place, issues)


def put_each(layered: Layered, sets: Iterable[str]) -> list[Issue]:
    """Lay ``PATH=VALUE`` replacements over a document; return the problems of the paths."""
    issues = []
    for text in sets:
        path, equals, value = text.partition("=")
        if not equals:
            message = "write it as PATH=VALUE, e.g. --set clusters.train.count=256"
            issues.append(Issue(f"--set {text}", message))
        else:
            issues += put_all(layered, {path.strip(): _value(value.strip())}, "--set")
    return issues


def _value(text: str) -> Any:
    """Return a value written in TOML, or the text itself where it is not TOML."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if table.keys() == {"value"} and is_shallow(table) else text


def _lay(layered: Layered, path: Path, place: _From, seen: tuple[Path, ...]) -> None:
    """Lay a file and all it extends, the farthest first."""
    source = place.source if not seen else str(path)
    if len(seen) > LONGEST_CHAIN:
        text = f"more than {LONGEST_CHAIN} files extend one another; write fewer, larger ones"
        raise InputError(place.asked or place.source, [Issue("extends", text)])
    document = read_toml(path, source)
    found = path.resolve()
    here = _From(source, path.parent, path, place.check_files, place.asked or place.source)
    _lay_parent(layered, document, here, (*seen, found))
    document.pop("extends", None)
    if seen:
        document = rebase_files(document, path.parent, place.folder)
    layered.lay(document, f"{path.name} (extends)" if seen else path.name)


def _lay_parent(layered: Layered, document: Document, place: _From, seen: tuple[Path, ...]) -> None:
    """Lay what a document extends, and take the key out of it."""
    parent = document.pop("extends", None)
    if parent is None:
        return
    if not isinstance(parent, str):
        text = f'{shown(parent)} is not a file; write one parent, e.g. extends = "base.toml"'
        raise InputError(place.source, [Issue("extends", text)])
    path = place.folder / parent
    if not _exists(path):
        text = f"{shown(parent)} does not exist beside {place.source}; correct the name"
        raise InputError(place.source, [Issue("extends", text)])
    if path.resolve() in seen:
        ring = [*seen[seen.index(path.resolve()) :], path.resolve()]
        text = f"goes in a circle: {' -> '.join(entry.name for entry in ring)}; cut it"
        raise InputError(place.asked or place.source, [Issue("extends", text)])
    _lay(layered, path, place, seen or (Path(),))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _scenario(layered: Layered, place: _From, issues: list[Issue]) -> Scenario:
    """Return the scenario of a merged document, or raise every problem of it."""
    _refuse_other_kinds(layered.document, place)
    expand_catalog(layered)
    document = layered.document
    reading = Reading(folder=place.folder, check_files=place.check_files)
    parts = {section: _entries(document, section, reading, issues) for section in SECTIONS}
    head = {key: value for key, value in document.items() if key not in SECTIONS}
    scenario = None
    try:
        scenario = read_as(Scenario, head | parts, reading)
    except ValidationError as error:
        issues += issues_of(error)
    issues += problems_between(document, parts, scenario)
    if issues or scenario is None:
        raise InputError(place.source, _told(issues, layered, place))
    return _finished(scenario, layered, place)


def _finished(scenario: Scenario, layered: Layered, place: _From) -> Scenario:
    used = {cluster.node for cluster in scenario.clusters.values()}
    unused = [name for name in scenario.nodes if name not in used]
    fill_defaults(scenario, layered.document, layered)
    in_order(layered, Scenario)
    scenario = scenario.model_copy(
        update={"nodes": {name: node for name, node in scenario.nodes.items() if name in used}}
    )
    provenance = Provenance(
        document=layered.document,
        origins=layered.origins,
        warnings=warnings_of(scenario, unused),
        path=place.path,
        folder=place.folder,
        source=place.source,
    )
    return scenario.with_provenance(provenance)


def _entries(
    document: Document, section: str, reading: Reading, issues: list[Issue]
) -> dict[str, Any]:
    """Return the entries of a section that can be read; note the problems of the others."""
    table = document.get(section, {})
    if not isinstance(table, dict):
        text = f"{shown(table)} is not a table; write [{section}.NAME] and its keys below it"
        issues.append(Issue(section, text))
        return {}
    found = {}
    for name, entry in table.items():
        try:
            plain_text(name, "a name")
        except ValueError as error:
            issues.append(Issue(dotted((section, name)), str(error)))
        if not isinstance(entry, dict):
            where = dotted((section, name))
            text = f"{shown(entry)} is not a table; write [{where}] and its keys below it"
            issues.append(Issue(where, text))
            continue
        try:
            found[name] = read_as(_KINDS[section], entry, reading)
        except ValidationError as error:
            issues += issues_of(error, section, name)
    return found


def _refuse_other_kinds(document: Document, place: _From) -> None:
    """Refuse what is no scenario of this version, before its keys are looked at."""
    issues = []
    schema = document.get("schema", SCHEMA)
    if isinstance(schema, bool) or not isinstance(schema, int) or schema != SCHEMA:
        issues.append(Issue("schema", other_schema(schema)))
    issues += [Issue(name, not_one(name)) for name in STUDIES if name in document]
    if issues:
        raise InputError(place.source, issues)


def _told(issues: list[Issue], layered: Layered, place: _From) -> list[Issue]:
    """Return the problems in the order of their paths, saying where foreign values stand."""
    main = place.path.name if place.path is not None else place.source
    told = []
    for issue in sorted(set(issues)):
        origin = layered.origins.get(issue.path, main)
        foreign = origin not in (main, DEFAULT)
        told.append(Issue(issue.path, f"{issue.message} [{origin}]") if foreign else issue)
    return told
