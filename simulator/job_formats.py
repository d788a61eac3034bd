"""Formats of job traces, each one function under the one decorator `job_format`.

A reader turns a file into cells under the names of our own job columns; what they must keep to is
checked for all formats in one place, `simulator.traces.jobs`. What ships is imported when a name
is first looked up; packages of others name their modules in the entry points group
``fleetsim.job_formats``.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from simulator.formats import Formats, Glimpse

Reader = TypeVar("Reader", bound=Callable[..., Any])


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


_FORMATS: Final = Formats[JobFormat](
    "job format", "simulator.traces.formats", "fleetsim.job_formats"
)


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
        options = frozenset(
            argument.name
            for argument in inspect.signature(read).parameters.values()
            if argument.kind is argument.KEYWORD_ONLY
        )
        _FORMATS.add(JobFormat(name, read, recognises, endings, beside, options))
        return read

    return register


def job_formats() -> dict[str, JobFormat]:
    """Return every format by name, in the order of the alphabet."""
    return _FORMATS.all()


def format_names() -> tuple[str, ...]:
    """Return the names of all formats, without importing any: modules are called as they are."""
    return _FORMATS.names()
