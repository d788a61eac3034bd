"""Formats of grid traces, each one function under the one decorator `grid_format`.

A reader turns a file into the steps of one signal, and its format says what is known of every such
file: whether it is an average, by which emission factors, of whose generation. What all series must
keep to is checked in one place, `simulator.traces.series_file`. What ships is imported when a name
is first looked up; packages of others name their modules in the entry points group
``fleetsim.grid_formats``.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import Any, Final, Literal, TypeVar

from simulator.job_formats import Glimpse

PACKAGE: Final = "simulator.traces.grid_formats"
ENTRY_POINTS: Final = "fleetsim.grid_formats"
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


_FORMATS: Final[dict[str, GridFormat]] = {}


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
        taken = _FORMATS.get(name)
        if taken is not None and taken.read.__module__ != read.__module__:
            raise ValueError(f'the grid format "{name}" is registered already; use another name')
        keys = frozenset(takes) | frozenset(needs)
        _FORMATS[name] = GridFormat(name, read, recognises, keys, needs, basis, factor, mix)
        return read

    return register


def grid_formats() -> dict[str, GridFormat]:
    """Return every format by name, in the order of the alphabet."""
    _find()
    return dict(sorted(_FORMATS.items()))


def grid_format_names() -> tuple[str, ...]:
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
            raise ValueError(f"the grid format {entry.value} can't be loaded: {said}") from error
