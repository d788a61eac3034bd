"""Trials: the values of a sweep put into the base, so that what is refused is refused at once."""

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from simulator.errors import MOST_LISTED, InputError, Issue, shown
from simulator.plans.axes import Axis, Chosen, Drawn, spelled, value_at
from simulator.plans.designs import Points
from simulator.plans.spreads import Range, Spread
from simulator.scenario.draft import Draft
from simulator.scenario.model import Scenario
from simulator.scenario.paths import parts_of
from simulator.units import number_and_unit

MOST_TRIED: Final = 500
"""Points up to which each is tried; of more, only some that have every value between them."""

NOT_WHOLE: Final = "is not a whole number"
"""What keys of whole numbers say of a fraction."""

_FROM_HERE: Final = " [replace]"
"""Ends a message about a value that a trial has put in."""

_ABSENT: Final = object()


def settled(base: Scenario | Draft, axes: Iterable[Axis], issues: list[Issue]) -> list[Axis]:
    """Return the axes, their spreads whole where the key takes only whole numbers.

    Parameters
    ----------
    base : Scenario or Draft
    axes : iterable of Axis
    issues : list of Issue
        Takes the spreads over keys that are no numbers.
    """
    document = base.document
    found = []
    for axis in axes:
        if axis.spread is None:
            found.append(axis)
            continue
        is_doubtful = isinstance(base, Draft) and base.is_doubtful(axis.path)
        now = _ABSENT if is_doubtful else value_at(document, axis.parts, _ABSENT)
        is_text = isinstance(now, str) and number_and_unit(now) is None
        if is_text or isinstance(now, bool | list | dt.datetime):
            text = f"a spread draws numbers, and this key is {shown(now)}; write a list of values"
            issues.append(Issue(axis.where, text))
        else:
            is_whole = _takes_whole(base, axis, axis.spread)
            found.append(replace(axis, spread=replace(axis.spread, is_whole=is_whole)))
    return found


def _takes_whole(base: Scenario | Draft, axis: Axis, spread: Spread) -> bool:
    """Return whether a key refuses a fraction because it is one."""
    ends_are_whole = not isinstance(spread, Range) or isinstance(spread.low + spread.high, int)
    if spread.unit is not None or not ends_are_whole:
        return False
    between = math.floor(spread.middle) + 0.5
    refused = _refused(base, {axis.path: between})
    return any(NOT_WHOLE in issue.message for issue in refused)


def _refused(base: Scenario | Draft, changes: Mapping[str, Any]) -> tuple[Issue, ...]:
    if isinstance(base, Draft):
        return _from_here(base.refused(changes))
    return _tried_one(base, changes)[0]


def _from_here(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(Issue(issue.path, issue.message.removesuffix(_FROM_HERE)) for issue in issues)


def _tried_one(
    base: Scenario, changes: Mapping[str, Any]
) -> tuple[tuple[Issue, ...], tuple[str, ...]]:
    """Return what is refused of a changed base; of one that is right, what is odd about it."""
    try:
        return (), base.replace(changes).warnings
    except InputError as error:
        return _from_here(error.issues), ()


def _below(issue: Issue, axis: Axis) -> str:
    """Return a message with its path, unless that is the axis's own."""
    if not issue.path or issue.path == axis.path or _parts(issue.path) == axis.parts:
        return issue.message
    return f"{issue.path}: {issue.message}"


def _parts(path: str) -> tuple[str, ...]:
    try:
        return parts_of(path)
    except ValueError:
        return (path,)


@dataclass(slots=True)
class Trials:
    """What was tried, and what is known to be refused.

    Attributes
    ----------
    axes : dict of str to Axis
        By path.
    refused : dict
        By path and value of an axis that is refused by itself: its messages.
    combinations : list of Issue
        Points whose values are refused only together.
    odd : dict of str to str
        By key what is odd about points but not about the base; the first of each key.
    """

    axes: dict[str, Axis]
    refused: dict[tuple[str, Any], list[str]] = field(default_factory=dict)
    combinations: list[Issue] = field(default_factory=list)
    odd: dict[str, str] = field(default_factory=dict)

    def try_point(self, base: Scenario, number: int, changes: Mapping[str, Any]) -> None:
        """Put a point into the base; find out what of it is refused."""
        known = [path for path in changes if (path, spelled(changes[path])) in self.refused]
        rest = {path: value for path, value in changes.items() if path not in known}
        problems, warnings = _tried_one(base, rest)
        for warning in warnings:
            if warning not in base.warnings:
                self.odd.setdefault(warning.partition(": ")[0], f"{warning} (point {number})")
        if not problems:
            return
        found_alone = False
        for path, value in rest.items():
            # A value may be refused beside the base and yet be right beside the rest of its point.
            alone = [issue for issue in _refused(base, {path: value}) if issue in problems]
            if alone:
                texts = [_below(issue, self.axes[path]) for issue in alone]
                self.refused[path, spelled(value)] = texts
                found_alone = True
        if not found_alone and not known:
            said = ", ".join(f"{path} = {shown(value)}" for path, value in changes.items())
            for issue in problems:
                text = f"point {number} ({said}): {issue.path}: {issue.message}"
                self.combinations.append(Issue("sweep", text))

    def issues(self) -> Iterator[Issue]:
        """Yield the problems: each value's at its place in its axis, then those of points."""
        for axis in self.axes.values():
            yield from self._of_axis(axis)
        yield from self.combinations

    def _of_axis(self, axis: Axis) -> Iterator[Issue]:
        found = {value: texts for (path, value), texts in self.refused.items() if path == axis.path}
        if axis.values is None:
            first = next(iter(found.values()), [])
            count = len(found)
            many = "a value that it draws is" if count == 1 else f"{count} values that it draws are"
            for text in first:
                unknown = text.startswith("unknown key")  # whatever its value
                words = text if unknown else f"{many} refused, the first: {text}"
                yield Issue(axis.where, words)
            return
        listed = [found.get(spelled(value), []) for value in axis.values]
        if listed[0] and all(texts == listed[0] for texts in listed):
            # The key itself is refused, whatever its value.
            yield from (Issue(axis.where, text) for text in listed[0])
            return
        for index, texts in enumerate(listed):
            yield from (Issue(f"{axis.where}[{index}]", text) for text in texts)


def tried_alone(base: Scenario | Draft, axes: Iterable[Axis]) -> Iterator[Issue]:
    """Yield what is wrong with single values, where no points can be made of them.

    Only problems of the key itself count: others may vanish beside the rest of a point.
    """
    trials = Trials({axis.path: axis for axis in axes})
    most = MOST_TRIED // max(len(trials.axes), 1)
    for axis in trials.axes.values():
        for value in (axis.values or axis.ends)[:most]:
            alone = _refused(base, {axis.path: value})
            texts = [_below(issue, axis) for issue in alone if _is_within(issue.path, axis)]
            if texts:
                trials.refused[axis.path, spelled(value)] = texts
    yield from trials.issues()


def _is_within(path: str, axis: Axis) -> bool:
    return path == axis.path or _parts(path)[: len(axis.parts)] == axis.parts


def tried(
    base: Scenario, axes: Iterable[Axis], points: Points
) -> tuple[list[Issue], tuple[str, ...]]:
    """Return what is refused of the points, and what is odd about them but allowed.

    All are tried where there are few, else one for every value.

    Parameters
    ----------
    base : Scenario
    axes : iterable of Axis
    points : Points
    """
    trials = Trials({axis.path: axis for axis in axes})
    numbers = range(len(points)) if len(points) <= MOST_TRIED else _firsts(points)
    for number in numbers:
        trials.try_point(base, number, points.at(number))
        if len(trials.combinations) > MOST_LISTED:
            break
    issues = list(trials.issues())
    if not issues and len(points):
        issues += _displaced(base, points)
    return issues, tuple(trials.odd.values())


def _displaced(base: Scenario, points: Points) -> Iterator[Issue]:
    """Yield axes that another axis stands in the place of, such as duration and gpu_days."""
    changes = points.at(0)
    document = base.replace(changes).document
    for path in changes:
        if value_at(document, parts_of(path), _ABSENT) is _ABSENT:
            text = "has no effect beside the other axes: one of them says the same; vary one"
            yield Issue(f"sweep.{path}", text)


def _firsts(points: Points) -> list[int]:
    """Return, ascending, the first point that has each value; of drawn numbers, the extremes."""
    found: set[int] = {0}
    entries = points.entries(0, len(points))
    for column, index in zip(points.columns, entries, strict=True):
        if isinstance(column, Drawn):
            numbers = column.numbers[index]
            found |= {int(np.argmin(numbers)), int(np.argmax(numbers))}
            continue
        which = column.indices[index] if isinstance(column, Chosen) else index
        found |= set(np.unique(which, return_index=True)[1].tolist())
    return sorted(found)
