"""Files that a scenario names: where they are looked for, and that they can be read."""

import os
import stat
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import nearest, shown
from simulator.scenario.fields import Marker, plain_text
from simulator.scenario.reading import Reading, reading_of
from simulator.scenario.spec import Spec

DATA: Final = "data:"
"""Prefix of paths under the folder that ``FLEETSIM_DATA`` names."""

WHERE_DATA: Final = "where anyone gets the file: docs/data.md"

UNREAD: Final = (".pkl", ".pickle", ".npy", ".joblib")
"""Endings of files that could run code when opened; they are never read."""


class FilePath(Marker):
    """The path of a file, as written; in a document the file must be there."""

    def read(self, value: Any, info: ValidationInfo) -> str:
        """Return the path as written."""
        text = plain_text(value, "a file's path")
        reading = reading_of(info)
        if reading is not None and reading.untrusted and not text.startswith(DATA):
            refusal = outside(reading.folder / text, text, reading)
            if refusal is not None:
                raise ValueError(refusal)
        if reading is not None and reading.check_files:
            check_readable(text, reading)
        return text

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a path."""
        return {"type": "string", "minLength": 1}


class FileSpec(Spec):
    """A table that names a file."""

    unwritten: ClassVar[frozenset[str]] = frozenset({"path"})

    text: Annotated[str, FilePath()] = Field(alias="file", examples=['"trace.csv"'])
    """The file: relative to the scenario's folder, absolute, or `data:` and a path under the
    folder that the environment variable FLEETSIM_DATA names."""

    path: Path = Field(default=Path(), alias="(path)", exclude=True)
    """Where the file lies."""

    @field_validator("path", mode="plain")
    @classmethod
    def _resolved(cls, value: Any, info: ValidationInfo) -> Path:
        text = info.data.get("text")
        reading = reading_of(info) or Reading()
        if value != Path() or text is None:
            return Path(value)
        return resolve(text, reading) if reading.check_files else located(text, reading)


def resolve(text: str, reading: Reading) -> Path:
    """Return where a file lies that a scenario names.

    Raises
    ------
    ValueError
        If it is a ``data:`` path and the data folder is not known, or it leaves that folder.
    """
    if not text.startswith(DATA):
        return reading.folder / text
    below = PurePosixPath(text.removeprefix(DATA))
    if below.is_absolute() or ".." in below.parts:
        raise ValueError(f"{shown(text)} leaves the data folder; write a path below it")
    if reading.data_folder is None:
        raise ValueError(
            f"{shown(text)} lies in the folder that FLEETSIM_DATA names, which is not set; "
            f"{WHERE_DATA}"
        )
    return reading.data_folder / below


def outside(path: Path, text: str, reading: Reading) -> str | None:
    """Return the message about a path that leads out of the scenario's folder, or None.

    Parameters
    ----------
    path : Path
        Where the file lies; ``..`` and links in it are followed.
    text : str
        The path as written.
    reading : Reading
    """
    try:
        is_inside = path.resolve().is_relative_to(reading.folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a ring of links, a name that no file can have
        is_inside = False
    if is_inside:
        return None
    return (
        f"{shown(text)} lies outside the scenario's folder, which --untrusted refuses; "
        "put the file into the folder"
    )


def located(text: str, reading: Reading) -> Path:
    """Return where a file would lie, also where the data folder is not known."""
    try:
        return resolve(text, reading)
    except ValueError:
        return Path(text)


def check_readable(text: str, reading: Reading) -> None:
    """Refuse a file that is missing, no regular file, or not readable.

    Raises
    ------
    ValueError
        With the path as given and as resolved, and names near it.
    """
    if text.casefold().endswith(UNREAD):
        raise ValueError(f"{shown(text)} could run code when opened; use CSV or Parquet")
    path = resolve(text, reading)
    looked = _as_resolved(path, text, reading)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        hint = _near(path, text)
        raise ValueError(f"{shown(text)} does not exist{looked}{hint}") from None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise ValueError(f"{shown(text)} is {kind}{looked}; name a file")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{shown(text)} may not be read{looked}; give yourself permission")


def rebased(text: str, old: Path, new: Path) -> str:
    """Return a file's path, relative to `old` as written, for a scenario in the folder `new`."""
    if text.startswith(DATA) or Path(text).is_absolute() or old.absolute() == new.absolute():
        return text
    return os.path.relpath(old.absolute() / text, new.absolute())


def absolute(text: str, folder: Path) -> str:
    """Return a file's path as it reads from any folder; ``data:`` paths stay as they are."""
    if text.startswith(DATA):
        return text
    return str(Path(os.path.normpath(folder.absolute() / text)))


def _as_resolved(path: Path, text: str, reading: Reading) -> str:
    found = Path(os.path.normpath(path.absolute()))
    folder = Path(os.path.normpath(reading.folder.absolute()))
    if found.is_relative_to(folder) and not text.startswith(DATA):
        return f" (looked for {found.relative_to(folder)} in the scenario's folder)"
    return f" (looked for {found})"


def _near(path: Path, text: str) -> str:
    if text.startswith(DATA):
        return f"; {WHERE_DATA}"
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return "; its folder is not there either"
    near = nearest(path.name, names)
    return f"; did you mean {shown(near)}?" if near else "; correct the name, or put the file there"
