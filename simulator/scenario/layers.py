"""Layers of a document: a file, all that it extends, and replacements laid over them."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from simulator.errors import InputError, Issue, shown
from simulator.scenario.document import Document, Layered, put_all, rebase_files
from simulator.scenario.files import outside
from simulator.scenario.reading import Reading
from simulator.scenario.toml_reader import is_shallow, read_toml

LONGEST_CHAIN: Final = 32
"""Files that may extend one another."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document comes from, for messages and relative paths."""

    source: str
    folder: Path
    path: Path | None = None
    check_files: bool = True
    asked: str = ""
    """The file that the user named, which extends this one."""
    confirmed: bool = False
    untrusted: bool = False
    root: Path | None = None
    """Folder of the file that the user named."""

    @property
    def reading(self) -> Reading:
        """How a document from here is read."""
        return Reading(
            folder=self.root or self.folder,
            check_files=self.check_files,
            confirmed=self.confirmed,
            untrusted=self.untrusted,
        )


def laid(place: Place, sets: Iterable[str], seed: int | None) -> tuple[Layered, list[Issue]]:
    """Return a file, with all it extends and replacements over it, and their problems."""
    assert place.path is not None
    layered = Layered()
    _lay(layered, place.path, place, ())
    issues = put_each(layered, sets)
    if seed is not None:
        layered.put(("seed",), seed, "--seed")
    return layered, issues


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


def _lay(layered: Layered, path: Path, place: Place, seen: tuple[Path, ...]) -> None:
    """Lay a file and all it extends, the farthest first."""
    source = place.source if not seen else str(path)
    if len(seen) > LONGEST_CHAIN:
        text = f"more than {LONGEST_CHAIN} files extend one another; write fewer, larger ones"
        raise InputError(place.asked or place.source, [Issue("extends", text)])
    document = read_toml(path, source)
    found = path.resolve()
    here = replace(
        place,
        source=source,
        folder=path.parent,
        path=path,
        asked=place.asked or place.source,
        root=place.root or place.folder,
    )
    lay_parent(layered, document, here, (*seen, found))
    document.pop("extends", None)
    if seen:
        document = rebase_files(document, path.parent, place.folder)
    layered.lay(document, f"{path.name} (extends)" if seen else path.name)


def lay_parent(layered: Layered, document: Document, place: Place, seen: tuple[Path, ...]) -> None:
    """Lay what a document extends, and take the key out of it."""
    parent = document.pop("extends", None)
    if parent is None:
        return
    if not isinstance(parent, str):
        text = f'{shown(parent)} is not a file; write one parent, e.g. extends = "base.toml"'
        raise InputError(place.source, [Issue("extends", text)])
    path = place.folder / parent
    refused = outside(path, parent, place.reading) if place.untrusted else None
    if refused is not None:
        raise InputError(place.source, [Issue("extends", refused)])
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
