"""Formats of grid traces, each one function under the one decorator `grid_format`.

A reader turns a file into the steps of one signal, and its format says what is known of every such
file: whether it is an average, by which emission factors, of whose generation. What all series must
keep to is checked in one place, `simulator.traces.series_file`. What ships is imported when a name
is first looked up; packages of others name their modules in the entry points group
``fleetsim.grid_formats``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from simulator.formats import Formats, Glimpse

PLAIN: Final = "csv"
"""The format of files whose columns the scenario names."""

Reader = TypeVar("Reader", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class GridFormat:
    """One format of grid files.

    Attributes
    ----------
    name : str
        What scenario files and commands call it.
    read : callable
        Takes a `GridFile`, ``"average"`` or ``"marginal"``, and the findings; returns `GridCells`.
    recognises : callable
        Tells from a `Glimpse` whether a file is of this format.
    takes : frozenset of str
        Keys of a scenario's table that it takes beside the file, its factor, mix and label.
    needs : tuple of str
        Keys without which such a file can't be read.
    basis : str or None
        ``"average"`` or ``"marginal"``; None where the scenario says it.
    factor, mix : str or None
        Of every such file; None where the scenario says it.
    """

    name: str
    read: Callable[..., Any]
    recognises: Callable[[Glimpse], bool]
    takes: frozenset[str]
    needs: tuple[str, ...]
    basis: Literal["average", "marginal"] | None
    factor: str | None
    mix: str | None


_FORMATS: Final = Formats[GridFormat](
    "grid format", "simulator.traces.grid_formats", "fleetsim.grid_formats"
)


def grid_format(
    name: str,
    *,
    recognises: Callable[[Glimpse], bool],
    takes: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    basis: Literal["average", "marginal"] | None = None,
    factor: str | None = None,
    mix: str | None = None,
) -> Callable[[Reader], Reader]:
    """Return the decorator that registers a reader of grid files under a name.

    Parameters
    ----------
    name : str
    recognises, takes, needs, basis, factor, mix
        As in `GridFormat`.

    Raises
    ------
    ValueError
        If another function has the name.
    """

    def register(read: Reader) -> Reader:
        keys = frozenset(takes) | frozenset(needs)
        _FORMATS.add(GridFormat(name, read, recognises, keys, needs, basis, factor, mix))
        return read

    return register


def grid_formats() -> dict[str, GridFormat]:
    """Return every format by name, in the order of the alphabet."""
    return _FORMATS.all()


def grid_format_names() -> tuple[str, ...]:
    """Return the names of all formats, without importing any: modules are called as they are."""
    return _FORMATS.names()
