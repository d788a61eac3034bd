"""Conditions: the constraints of a sweep in its table, read, and the points that fulfil them."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.errors import Issue, shown
from simulator.plans.axes import Axis, as_list
from simulator.plans.constraints import Constraint, holds, read_constraint
from simulator.plans.designs import Points


@dataclass(frozen=True, slots=True)
class Condition:
    """One constraint of a table, parsed.

    Attributes
    ----------
    where : str
        Path of it in messages.
    constraint : Constraint
    """

    where: str
    constraint: Constraint

    def names(self, axes: Container[int]) -> bool:
        """Return whether it names one of some axes, given by their places."""
        return any(axis in axes for axis in self.constraint.axes.values())


def read_conditions(said: Any, axes: Sequence[Axis], issues: list[Issue]) -> list[Condition]:
    """Return the constraints of a table `[sweep]`; note those that are no expression of the axes.

    Parameters
    ----------
    said : list of str or str
        As the table has them.
    axes : sequence of Axis
        All that it names, also those that could not be read.
    issues : list of Issue
        Takes the problems.
    """
    listed = [said] if isinstance(said, str) else as_list(said)
    if listed is None:
        text = f'{shown(said)} is not a list; write ["a.count <= b.count"]'
        issues.append(Issue("sweep.constraints", text))
        return []
    found = []
    for index, entry in enumerate(listed):
        where = "sweep.constraints" if isinstance(said, str) else f"sweep.constraints[{index}]"
        try:
            found.append(Condition(where, read_constraint(entry, axes)))
        except ValueError as error:
            issues.append(Issue(where, str(error)))
    return found


def constrained(points: Points, conditions: Iterable[Condition], issues: list[Issue]) -> Points:
    """Return the points that fulfil all constraints; note the problems.

    Parameters
    ----------
    points : Points
    conditions : iterable of Condition
        Of the axes of the points, in their order.
    issues : list of Issue
        Takes what is wrong, also that no point is left.
    """
    problems, both = len(issues), np.ones(len(points), np.bool_)
    for condition in conditions:
        try:
            fulfilled = holds(condition.constraint, points)
        except ValueError as error:
            issues.append(Issue(condition.where, str(error)))
            continue
        both &= fulfilled
        if not fulfilled.any():
            text = f"no point fulfils {shown(condition.constraint.text)}; loosen it, or try other"
            issues.append(Issue(condition.where, f"{text} values"))
    if len(issues) > problems or both.all():
        return points
    if not both.any():
        text = "no point fulfils all of them together; loosen one"
        issues.append(Issue("sweep.constraints", text))
        return points
    return points.keeping(np.flatnonzero(both))


def check_conditions(
    conditions: Iterable[Condition], axes: Sequence[Axis], issues: list[Issue]
) -> None:
    """Note conditions that can't be worked out, where the points of a design can't be made.

    Those that name an axis beyond the given ones, which could not be read, are passed over.
    """
    for condition in conditions:
        if all(axis < len(axes) for axis in condition.constraint.axes.values()):
            try:
                holds(condition.constraint, stepped(axes))
            except ValueError as error:
                issues.append(Issue(condition.where, str(error)))


def stepped(axes: Sequence[Axis]) -> Points:
    """Return points among which is every value of every list, and both ends of every range."""
    ends = [axis.values or axis.ends for axis in axes]
    count = max(len(values) for values in ends)
    columns = [[values[row % len(values)] for row in range(count)] for values in ends]
    return Points.zipped([axis.path for axis in axes], columns)


def founded(
    doubts: Iterable[Issue], conditions: Iterable[Condition], faulty: Container[int]
) -> Iterator[Issue]:
    """Yield the problems of conditions that don't come of a faulty axis which they name.

    Parameters
    ----------
    doubts : iterable of Issue
        What was noted of the conditions.
    conditions : iterable of Condition
    faulty : container of int
        Places of axes that have problems themselves.
    """
    listed = list(conditions)
    for doubt in doubts:
        named = [each for each in listed if each.where == doubt.path] or listed
        if not any(condition.names(faulty) for condition in named):
            yield doubt
