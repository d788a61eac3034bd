"""The space of a search: for each axis a list to choose from, or a range with or without steps."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from simulator.errors import Issue, shown
from simulator.plans.axes import Axis, axes_of
from simulator.plans.spreads import Range, written
from simulator.plans.trials import settled, tried_alone
from simulator.scenario.draft import Draft
from simulator.scenario.model import Scenario
from simulator.scenario.paths import quoted
from simulator.units import DIMENSIONS, number_and_unit

TABLE: Final = "optimize"
"""Name of the table that says a search."""
DIGITS: Final = 6
"""Significant digits of what is drawn from a range without steps."""
RANGE: Final = 'e.g. { low = 64, high = 160, step = 8 } or { low = "5 min", high = "2 h" }'


@dataclass(frozen=True, slots=True)
class Choice:
    """An axis with a list of values, in no order.

    Attributes
    ----------
    path : str
        Dotted path of the key.
    values : tuple
        Each as a file would say it.
    """

    path: str
    values: tuple[Any, ...]

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    def value(self, place: Any) -> Any:
        """Return the value at a place of the list."""
        return self.values[place]

    def places(self) -> range:
        """Return all places."""
        return range(len(self.values))


@dataclass(frozen=True, slots=True)
class Span:
    """An axis with every value, or every step, from a low to a high one.

    Attributes
    ----------
    path : str
        Dotted path of the key.
    low, high : float
        Both belong to it; in the unit.
    step : float or None
        From one value to the next; None where there are no steps. In the unit.
    log : bool
        Whether ratios count rather than differences.
    unit : str or None
        What follows the number in a file; None for plain numbers.
    is_whole : bool
        Whether its values are whole numbers; it has a step then.
    """

    path: str
    low: float
    high: float
    step: float | None = None
    log: bool = False
    unit: str | None = None
    is_whole: bool = False

    @property
    def size(self) -> int | None:
        """How many values there are; None where there are no steps."""
        return None if self.step is None else 1 + _steps(self.low, self.high, self.step)

    def value(self, place: Any) -> Any:
        """Return the value for a number that was drawn, as a file would say it."""
        number: float = int(place) if self.is_whole else self._rounded(place)
        return written(number, self.unit)

    def places(self) -> Iterator[float]:
        """Yield all numbers, where there are steps."""
        step = self.step or math.inf
        return (self.low + at * step for at in range(self.size or 0))

    def _rounded(self, drawn: float) -> float:
        """Return a number as one would write it, still within the span and on a step."""
        if self.step is None:
            return min(max(float(f"{drawn:.{DIGITS}g}"), self.low), self.high)
        steps = round((drawn - self.low) / self.step)
        return float(Decimal(str(self.low)) + steps * Decimal(str(self.step)))


SearchAxis = Choice | Span


def size_of(axes: Sequence[SearchAxis]) -> int | None:
    """Return how many points there are; None for a space without end."""
    sizes = [axis.size for axis in axes]
    return None if None in sizes else math.prod(size or 0 for size in sizes)


def every_point(axes: Sequence[SearchAxis]) -> Iterator[dict[str, Any]]:
    """Yield all points of a space that has an end, the last axis changing fastest."""
    for places in itertools.product(*(axis.places() for axis in axes)):
        yield {axis.path: axis.value(place) for axis, place in zip(axes, places, strict=True)}


def address_of(changes: Mapping[str, Any]) -> str:
    """Return a text that two points share if they are the same."""
    return json.dumps(changes, sort_keys=True, default=str)


def read_axes(
    base: Scenario | Draft, table: Mapping[str, Any], reserved: Sequence[str], issues: list[Issue]
) -> tuple[tuple[Axis, ...], tuple[SearchAxis, ...]]:
    """Return the axes that a table says, as a sweep has them and as a search does.

    Those with problems are not among the latter.

    Parameters
    ----------
    base : Scenario or Draft
        What the axes change; each value must be one that it can have.
    table : mapping
        Lists and ranges by dotted path, as one key or as nested tables.
    reserved : sequence of str
        Keys of the table that are no axes.
    issues : list of Issue
        Problems are added.
    """
    steps: dict[str, Any] = {}
    plain = {
        key: said if key in reserved else _without_steps(key, said, steps)
        for key, said in table.items()
    }
    axes = axes_of(plain, base.reading, issues, settings=reserved, name=TABLE)
    axes = tuple(settled(base, axes, issues))
    issues += tried_alone(base, axes)
    read = [_search_axis(axis, steps.get(axis.path), issues) for axis in axes]
    return axes, tuple(own for own in read if own is not None)


def _without_steps(path: str, said: Any, steps: dict[str, Any]) -> Any:
    """Return what is said without the steps of ranges, which sweeps do not know; note those."""
    if not isinstance(said, Mapping):
        return said
    rest = dict(said)
    if "step" in rest and {"low", "high"} & rest.keys():
        steps[path] = rest.pop("step")
        return rest
    return {
        key: _without_steps(f"{path}.{quoted(str(key))}", value, steps)
        for key, value in rest.items()
    }


def _search_axis(axis: Axis, step: Any, issues: list[Issue]) -> SearchAxis | None:
    if axis.values is not None:
        return Choice(axis.path, axis.values)
    spread = axis.spread
    if not isinstance(spread, Range):
        text = f"a law is for sweeps, which draw; write a list, or a range, {RANGE}"
        issues.append(Issue(axis.where, text))
        return None
    low, high = spread.ends
    number = _step_of(axis.where, step, spread, issues) if step is not None else None
    if number is not None and (problem := _problem_of_step(low, high, number, log=spread.log)):
        issues.append(Issue(axis.where, problem))
        return None
    if spread.is_whole:
        number = number or 1
    return Span(axis.path, low, high, number, spread.log, spread.unit, spread.is_whole)


def _step_of(where: str, step: Any, spread: Range, issues: list[Issue]) -> float | None:
    """Return a step in the unit of its range; None and a problem if it has none."""
    read = number_and_unit(step) if isinstance(step, str) else None
    if spread.unit is not None:
        dimension = next(name for name, units in DIMENSIONS.items() if spread.unit in units)
        if read is not None and read[2] == dimension:
            units = DIMENSIONS[dimension]
            return float(f"{read[0] * units[read[1]] / units[spread.unit]:.12g}")
        example = f'"{spread.low:g} {spread.unit}"'
        text = f"step = {shown(step)} goes with no range in {spread.unit}; write e.g. {example}"
    elif spread.is_whole:
        if isinstance(step, int) and not isinstance(step, bool):
            return step
        text = f"step = {shown(step)} is no whole number, as this key needs; write e.g. step = 8"
    else:
        finite = isinstance(step, int | float) and not isinstance(step, bool)
        if finite and math.isfinite(step):
            return float(step)
        text = f"step = {shown(step)} is no number; write how far the next value is"
    issues.append(Issue(where, text))
    return None


def _problem_of_step(low: float, high: float, step: float, *, log: bool) -> str:
    if log:
        return "has step and log, which exclude each other; leave one out"
    if step <= 0:
        return f"step = {step:g} must be above 0; write how far the next value is"
    last = float(Decimal(str(low)) + _steps(low, high, step) * Decimal(str(step)))
    if last != high:
        return f"step = {step:g} leads from {low:g} to {last:g}, not to {high:g}; change one"
    return ""


def _steps(low: float, high: float, step: float) -> int:
    """Return how many whole steps there are, counted as the numbers are written."""
    return int((Decimal(str(high)) - Decimal(str(low))) // Decimal(str(step)))
