"""Axes: the values of one key that a sweep tries, or what it draws them from."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Issue, nearest, shown
from simulator.plans.spreads import MARKS, Spread, read_spread, written
from simulator.scenario.paths import parts_of, quoted
from simulator.scenario.reading import Reading
from simulator.units import DIMENSIONS, number_and_unit

SETTINGS: Final = ("seeds", "design", "samples", "sample_seed", "constraints", "keep")
"""Keys of a table `[sweep]` that are no axes."""

_SIGNIFICANT: Final = 12
"""Digits in which two values must agree to count as the same."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One key that a sweep varies: the values to try, or what they are drawn from.

    Attributes
    ----------
    path : str
        Dotted path of the key, as written: ``"clusters.train.count"``.
    values : tuple or None
        The values to try, each as a file would say it.
    spread : Spread or None
        In place of values.
    table : str
        Table that it stands in, for messages.
    """

    path: str
    values: tuple[Any, ...] | None = None
    spread: Spread | None = None
    table: str = "sweep"

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys of the path."""
        return parts_of(self.path)

    @property
    def where(self) -> str:
        """Path of the axis in messages."""
        return f"{self.table}.{self.path}"

    def is_faulty(self, issues: Iterable[Issue]) -> bool:
        """Return whether one of some problems is of this axis or of one of its values."""
        inside = (f"{self.where}.", f"{self.where}[")
        return any(issue.path == self.where or issue.path.startswith(inside) for issue in issues)

    @property
    def ends(self) -> tuple[Any, Any]:
        """The low and the high value: ends of a range, p5 and p95 of a law, first and last."""
        if self.spread is None:
            assert self.values is not None
            return self.values[0], self.values[-1]
        low, high = (self.spread.written(number) for number in self.spread.ends)
        return low, high

    def column(self, uniforms: NDArray[np.float64]) -> Sequence[Any]:
        """Return a value for each of some uniform numbers; those of a list have equal shares."""
        if self.spread is not None:
            return Drawn(self.spread.numbers(uniforms), self.spread.unit)
        assert self.values is not None
        indices = np.minimum((uniforms * len(self.values)).astype(np.int64), len(self.values) - 1)
        return Chosen(self.values, indices)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen(Sequence[Any]):
    """Values of a list, point by point.

    Attributes
    ----------
    values : tuple
        The list.
    indices : int64[points]
        Which of them each point has.
    """

    values: tuple[Any, ...]
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        return self.values[self.indices[index]]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn(Sequence[Any]):
    """Numbers drawn, point by point, each written as exactly as it was drawn.

    Attributes
    ----------
    numbers : float64[points] or int64[points]
    unit : str or None
        Unit of the numbers; None for plain ones.
    """

    numbers: NDArray[Any]
    unit: str | None

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: Any) -> Any:
        return written(self.numbers[index].item(), self.unit)


def axes_of(
    table: Mapping[str, Any],
    reading: Reading,
    issues: list[Issue],
    *,
    settings: Sequence[str] = SETTINGS,
    name: str = "sweep",
) -> tuple[Axis, ...]:
    """Return the axes of a table; note what is wrong with the others.

    Parameters
    ----------
    table : mapping
        The whole table; its settings are passed over.
    reading : Reading
        How files are found: `Scenario.reading`.
    issues : list of Issue
        Takes the problems.
    settings : sequence of str
        Keys that are no axes.
    name : str
        Name of the table, for messages.
    """
    axes: list[Axis] = []
    for path, said in _leaves({key: table[key] for key in table if key not in settings}):
        problems = list(_path_problems(name, path, axes))
        if not problems:
            read = _axis(name, path, said, reading, settings)
            if isinstance(read, Axis):
                axes.append(read)
                continue
            problems = read
        issues += problems
    return tuple(axes)


def unread_axes(
    table: Mapping[str, Any], read: Iterable[Axis], settings: Sequence[str] = SETTINGS
) -> tuple[Axis, ...]:
    """Return the axes of a table that could not be read, with their lists as they are said.

    Others may name them; what they say of them is no mistake of theirs.
    """
    known = {axis.path for axis in read}
    found = []
    for path, said in _leaves({key: table[key] for key in table if key not in settings}):
        with suppress(ValueError):
            parts_of(path)
            values = as_list(said)
            if path not in known:
                found.append(Axis(path, tuple(values) if values else None))
    return tuple(found)


def spelled(value: Any) -> Any:
    """Return a value such that two ways of saying the same are equal: ``"60 s"``, ``"1 min"``."""
    match value:
        case bool():
            return ("truth", value)
        case int():
            return ("number", str(value))
        case float():
            whole = value.is_integer()
            return ("number", str(int(value)) if whole else f"{value:.{_SIGNIFICANT}g}")
        case str():
            read = number_and_unit(value)
            if read is None:
                return ("text", value)
            number, unit, dimension = read
            return (dimension, f"{number * DIMENSIONS[dimension][unit]:.{_SIGNIFICANT}g}")
        case list() | tuple():
            return ("list", tuple(spelled(entry) for entry in value))
        case dict():
            return ("table", tuple(sorted((key, spelled(value[key])) for key in value)))
        case dt.datetime():
            return ("time", value.astimezone(dt.UTC).isoformat() if value.tzinfo else str(value))
    return ("other", str(value))


def as_list(value: Any) -> list[Any] | None:
    """Return a list, tuple, range or array as a list of plain values, or None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | tuple | range):
        return None
    return [entry.tolist() if hasattr(entry, "tolist") else entry for entry in value]


def _leaves(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the path and what is said of each axis; tables of longer paths are opened."""
    for key, value in table.items():
        yield from _below(key, value)


def _below(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping) or not value or _is_spread(value):
        yield path, value
        return
    for key, entry in value.items():
        yield from _below(f"{path}.{quoted(str(key))}", entry)


def _is_spread(table: Mapping[str, Any]) -> bool:
    """Return whether a table is a spread: one of its keys is said, not varied."""
    for key in MARKS:
        value = table.get(key)
        if key == "mixture" and isinstance(value, list | tuple):
            if any(isinstance(entry, Mapping) for entry in value):
                return True
        elif value is not None and as_list(value) is None and not isinstance(value, Mapping):
            return True
    return False


def _path_problems(table: str, path: str, others: list[Axis]) -> Iterator[Issue]:
    where = f"{table}.{path}"
    try:
        parts = parts_of(path)
    except ValueError as error:
        yield Issue(f"{table}.{quoted(path)}", str(error))
        return
    if parts == ("seed",):
        yield Issue(where, "seeds are no axis; every point meets the same ones: write seeds = N")
        return
    for other in others:
        shared = min(len(parts), len(other.parts))
        if parts == other.parts:
            yield Issue(where, f"an axis already, as {other.path}; take one of the two out")
        elif parts[:shared] == other.parts[:shared]:
            outer, inner = sorted((path, other.path), key=lambda each: len(parts_of(each)))
            text = f"{inner} lies within {outer}, and both are axes; vary one of the two"
            yield Issue(where, text)


def _axis(
    table: str, path: str, said: Any, reading: Reading, settings: Sequence[str]
) -> Axis | list[Issue]:
    where = f"{table}.{path}"
    if isinstance(said, Mapping) and said:
        spread = read_spread(said, where, reading)
        return Axis(path, None, spread, table) if isinstance(spread, Spread) else spread
    values = as_list(said)
    if values is None:
        near = nearest(path, settings)
        if near is not None and "." not in path:
            return [Issue(where, f"unknown key; did you mean '{near}'?")]
        text = f"{shown(said)} is neither values nor a spread; write {_example(said)}"
        return [Issue(where, text)]
    if not values:
        return [Issue(where, "no values; write those to try, e.g. [96, 128], or take it out")]
    issues = [
        Issue(f"{where}[{index}]", "None is nothing that a file can say; write a value")
        for index, value in enumerate(values)
        if value is None
    ]
    issues += _repeated(where, values)
    return issues or Axis(path, tuple(values), None, table)


def _example(said: Any) -> str:
    if isinstance(said, Mapping):
        return "[96, 128] or { low = 96, high = 128 }"
    if isinstance(said, str) and (read := number_and_unit(said)) is not None:
        number, unit, _ = read
        return f'[{shown(said)}, ...] or {{ low = {shown(said)}, high = "{2 * number:g} {unit}" }}'
    return f"a list: [{shown(said)}, ...]"


def _repeated(where: str, values: list[Any]) -> Iterator[Issue]:
    first: dict[Any, int] = {}
    for index, value in enumerate(values):
        earlier = first.setdefault(spelled(value), index)
        if earlier != index:
            text = f"{shown(value)} is entry {earlier} again"
            if value != values[earlier] or type(value) is not type(values[earlier]):
                text = f"{shown(value)} is the same as {shown(values[earlier])}, entry {earlier}"
            yield Issue(f"{where}[{index}]", f"{text}; take one of the two out")


def value_at(document: Mapping[str, Any], parts: Sequence[str], default: Any = None) -> Any:
    """Return the value at a path of a document, or the default where nothing stands there."""
    found: Any = document
    for part in parts:
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return default
    return found
