"""Formats of job traces, each one function under the one decorator `job_format`.

A reader turns a file into cells under the names of our own job columns; what they must keep to is
checked for all formats in one place, `simulator.traces.jobs`. What ships is imported when a name
is first looked up; packages of others name their modules in the entry points group
``fleetsim.job_formats``.
"""

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import Any, Final, TypeVar

PACKAGE: Final = "simulator.traces.formats"
ENTRY_POINTS: Final = "fleetsim.job_formats"

Reader = TypeVar("Reader", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The beginning of a file, by which a format is told.

    Attributes
    ----------
    head : bytes
        Its first bytes, unpacked.
    columns : tuple of str
        Names in the first line of a CSV file, or of a Parquet file.
    """

    head: bytes
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobFormat:
    """One format of job files.

    Attributes
    ----------
    name : str
        What scenario files and commands call it.
    read : callable
        Takes a `JobFile`, the findings, and options by keyword; returns `JobCells`.
    recognises : callable
        Tells from a `Glimpse` whether a file is of this format.
    endings : tuple of str
        Ends of file names that say it.
    beside : tuple of str
        Files of the same folder that are read too. A scenario names one file, so such traces are
        converted first.
    options : frozenset of str
        Keys of a scenario's `jobs` table that the reader takes.
    """

    name: str
    read: Callable[..., Any]
    recognises: Callable[[Glimpse], bool]
    endings: tuple[str, ...]
    beside: tuple[str, ...]
    options: frozenset[str]


_FORMATS: Final[dict[str, JobFormat]] = {}


def job_format(
    name: str,
    *,
    recognises: Callable[[Glimpse], bool],
    endings: tuple[str, ...] = (),
    beside: tuple[str, ...] = (),
) -> Callable[[Reader], Reader]:
    """Return the decorator that registers a reader of job files under a name.

    Parameters
    ----------
    name : str
    recognises, endings, beside
        As in `JobFormat`. The reader's keyword-only arguments are its options.

    Raises
    ------
    ValueError
        If another function has the name.
    """

    def register(read: Reader) -> Reader:
        taken = _FORMATS.get(name)
        if taken is not None and taken.read.__module__ != read.__module__:
            raise ValueError(f'the job format "{name}" is registered already; use another name')
        options = frozenset(
            argument.name
            for argument in inspect.signature(read).parameters.values()
            if argument.kind is argument.KEYWORD_ONLY
        )
        _FORMATS[name] = JobFormat(name, read, recognises, endings, beside, options)
        return read

    return register


def job_formats() -> dict[str, JobFormat]:
    """Return every format by name, in the order of the alphabet."""
    _find()
    return dict(sorted(_FORMATS.items()))


def format_names() -> tuple[str, ...]:
    """Return the names of all formats, without importing any: modules are called as they are."""
    package = import_module(PACKAGE)
    own = {each.name.replace("_", "-") for each in pkgutil.iter_modules(package.__path__)}
    return tuple(sorted(own | {each.name for each in metadata.entry_points(group=ENTRY_POINTS)}))


@cache
def _find() -> None:
    """Import every module that registers a format, once."""
    package = import_module(PACKAGE)
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{PACKAGE}.{module.name}")
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        try:
            entry.load()
        except Exception as error:  # whatever goes wrong in the code of others
            said = f"{type(error).__name__}: {error}"
            raise ValueError(f"the job format {entry.value} can't be loaded: {said}") from error
