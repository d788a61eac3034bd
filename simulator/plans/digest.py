"""The digest of a plan: one hash of all that decides which runs it consists of."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator import catalog
from simulator.plans.axes import Axis, Chosen, Drawn
from simulator.plans.designs import Points
from simulator.registry import dispatch, placement, provisioning, scheduling
from simulator.scenario.files import FileSpec, resolve
from simulator.scenario.model import Scenario
from simulator.scenario.paths import parts_of, quoted
from simulator.scenario.policy_choice import PolicyChoice
from simulator.scenario.spec import Spec
from simulator.version import MODEL_VERSION, SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a plan is known by.

    Attributes
    ----------
    digest : str
        SHA-256 of all that decides which runs it consists of, in hexadecimal.
    files : mapping of Path to str
        SHA-256 of every file that base and axes name, as it went into the digest.
    """

    digest: str
    files: Mapping[Path, str]


def files_of(base: Scenario) -> dict[Path, str]:
    """Return the SHA-256 of every file that a scenario names."""
    files = _Files(base)
    return {path: files.sha256(path) for path in files_named(base)}


def fingerprint_of(
    base: Scenario, axes: Sequence[Axis], points: Points, seeds: Sequence[int]
) -> Fingerprint:
    """Return the digest of a plan, and the files that went into it.

    Of files the content counts, not where they lie. Which keys are said and which are left to
    their defaults counts too: a default may follow what an axis changes.
    """
    files = _Files(base)
    document = {
        "base": json.loads(base.canonical()),
        "said": sorted(_paths(base.said().document)),
        "unused_nodes": files.hashed(_unused_nodes(base)),
        "files": [files.sha256(path) for path in files_named(base)],  # each where it is named
        "catalog": catalog.sha256(),
        "axes": [
            {
                "path": axis.path,
                "values": files.of_key(axis.path, list(axis.values or ())),
                "spread": files.hashed(axis.spread.table) if axis.spread is not None else None,
            }
            for axis in axes
        ],
        "product": points.is_product,
        "paths": points.paths,
        "seeds": list(seeds),
        "schema_version": SCHEMA_VERSION,
        "model_version": MODEL_VERSION,
    }
    text = _text(document)
    code = provisioning.sources()
    document["policies"] = {name: code[name] for name in code if json.dumps(name) in text}
    # What few plans have is added only where it is, so that the others keep their digest.
    for key, kind in (("queues", scheduling), ("dispatch", dispatch), ("placements", placement)):
        own = kind.sources()
        if named := {name: own[name] for name in own if json.dumps(name) in text}:
            document[key] = named
    if ".supply." in text or '.supply"' in text:
        document["supply_catalog"] = catalog.supply_sha256()
    digest = hashlib.sha256(_text(document).encode())
    for path, column in zip(points.paths, points.columns, strict=True):
        _feed(digest, path, column, files)
    if points.kept is not None:
        digest.update(np.ascontiguousarray(points.kept, "<i8").tobytes())
    return Fingerprint(digest.hexdigest(), files.known)


def _feed(digest: Any, path: str, column: Sequence[Any], files: "_Files") -> None:
    """Add the values of one axis to a hash; long columns of numbers by their bytes."""
    if isinstance(column, Drawn):
        digest.update(f"{column.unit} {column.numbers.dtype.kind}".encode())
        digest.update(np.ascontiguousarray(column.numbers).astype("<f8").tobytes())
    elif isinstance(column, Chosen):
        digest.update(np.ascontiguousarray(column.indices, "<i8").tobytes())
    else:
        digest.update(_text(files.of_key(path, list(column))).encode())


def _text(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)


def _paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of everything that a document says."""
    entries: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        entries = value.items()
    elif isinstance(value, list | tuple):
        entries = enumerate(value)
    else:
        yield path
    for key, entry in entries:
        yield from _paths(entry, f"{path}.{quoted(str(key))}")


def _unused_nodes(base: Scenario) -> dict[str, Any]:
    """Return node types that the base does not use; points may."""
    nodes = base.document.get("nodes", {})
    return {name: node for name, node in nodes.items() if name not in base.nodes}


def files_named(spec: Any) -> Iterator[Path]:
    """Yield where every file lies that a scenario names."""
    match spec:
        case FileSpec():
            yield spec.path
        case Spec():
            for name in type(spec).model_fields:
                yield from files_named(getattr(spec, name))
        case PolicyChoice():
            yield from files_named(dict(spec.parameters))
        case Mapping():
            for entry in spec.values():
                yield from files_named(entry)
        case tuple() | list():
            for entry in spec:
                yield from files_named(entry)


class _Files:
    """Files by content, each read once."""

    def __init__(self, base: Scenario) -> None:
        self._reading = base.reading
        self.known: dict[Path, str] = {}

    def of_key(self, path: str, value: Any) -> Any:
        """Return what is said of a key, with hashes in place of files."""
        if parts_of(path)[-1] == "file":
            listed = value if isinstance(value, list) else [value]
            return [self._of_text(entry) for entry in listed]
        return self.hashed(value)

    def hashed(self, value: Any) -> Any:
        """Return a table or list with hashes in place of the files that it names."""
        if isinstance(value, Mapping):
            return {
                key: self._of_text(entry) if key == "file" else self.hashed(entry)
                for key, entry in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.hashed(entry) for entry in value]
        return value

    def _of_text(self, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        return self.sha256(resolve(text, self._reading))

    def sha256(self, path: Path) -> str:
        """Return the hash of a file's bytes."""
        if path not in self.known:
            self.known[path] = content_of(path)
        return self.known[path]


def content_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
