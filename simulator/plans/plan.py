"""The plan of a sweep: its base, its points and its seeds, checked before anything runs."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.errors import InputError, Issue
from simulator.plans.axes import Axis, as_list, axes_of, unread_axes
from simulator.plans.conditions import (
    Condition,
    check_conditions,
    constrained,
    founded,
    read_conditions,
)
from simulator.plans.designs import Points
from simulator.plans.digest import Fingerprint, fingerprint_of
from simulator.plans.keep import KeepRule, read_keep, rule_of
from simulator.plans.plan_file import plan_text
from simulator.plans.samples import SAMPLERS
from simulator.plans.settings import (
    Settings,
    check_rows,
    check_spreads,
    check_tries,
    check_zip,
    read_settings,
)
from simulator.plans.trials import settled, tried, tried_alone
from simulator.scenario.draft import Draft
from simulator.scenario.model import Scenario

EXAMPLE: Final = '"clusters.train.count" = [96, 128]'


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A sweep, checked: every run it consists of.

    Row ``r`` is point ``r // len(seeds)`` with seed ``seeds[r % len(seeds)]``.

    Attributes
    ----------
    base : Scenario
        What every point starts from.
    axes : tuple of Axis
    points : Points
    seeds : tuple of int
        Every point meets all of them: replications with common random numbers.
    design : str
    keep : tuple of str
        Which runs keep their full results; `rules` has them read.
    warnings : tuple of str
        What is odd but allowed, each on one line.
    table : dict
        The table `[sweep]` that the plan was made of; empty for points from elsewhere.
    """

    base: Scenario
    axes: tuple[Axis, ...]
    points: Points
    seeds: tuple[int, ...]
    design: str = "grid"
    keep: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    table: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.points) * len(self.seeds)

    def point_of(self, row: int) -> int:
        """Return the number of a row's point."""
        return row // len(self.seeds)

    def seed_of(self, row: int) -> int:
        """Return the seed of a row."""
        return self.seeds[row % len(self.seeds)]

    def changes(self, row: int) -> dict[str, Any]:
        """Return what a row changes of the base, by dotted path, its seed included."""
        return {**self.points.at(self.point_of(row)), "seed": self.seed_of(row)}

    def scenario(self, row: int) -> Scenario:
        """Return the scenario of a row."""
        changed = self.base.replace(self.points.at(self.point_of(row)))
        return changed.with_seed(self.seed_of(row))

    def rows_of(self, points: slice) -> range:
        """Return the rows of neighbouring points, e.g. ``plan.rows_of(slice(10, 20))``."""
        start, stop, step = points.indices(len(self.points))
        if step != 1:
            raise ValueError("rows of neighbouring points only: write a slice without a step")
        return range(start * len(self.seeds), max(start, stop) * len(self.seeds))

    @property
    def rules(self) -> tuple[KeepRule, ...]:
        """The keep rules, read."""
        return tuple(rule_of(text) for text in self.keep)

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides which runs these are.

        The canonical base, axes, points and seeds, the raw contents of every file that base and
        axes name, and the versions of models and results; in 64 hexadecimal digits.
        """
        return self.fingerprint.digest

    @property
    def fingerprint(self) -> Fingerprint:
        """The digest, and the files that went into it as they are now."""
        return fingerprint_of(self.base, self.axes, self.points, self.seeds)

    def to_toml(self) -> str:
        """Return a sweep file that gives the same plan from any folder."""
        return plan_text(self.base, self.points, self.table or self._as_table())

    def _as_table(self) -> dict[str, Any]:
        """Return the settings of a plan that was made of no table."""
        return {"seeds": list(self.seeds)} | ({"keep": list(self.keep)} if self.keep else {})


def plan_of(base: Scenario | Draft, table: Mapping[str, Any], *, yes: bool = False) -> Plan:
    """Return the plan of a sweep.

    Parameters
    ----------
    base : Scenario or Draft
        What every point starts from; a draft is refused.
    table : mapping
        The table `[sweep]`: values to try by dotted path, and `seeds`, `design` and so on, as
        `load_study` returns it or as written in Python.
    yes : bool
        Whether more than a million runs are meant.

    Raises
    ------
    InputError
        With every problem of the table, and of the base if it is a draft.
    """
    issues: list[Issue] = []
    axes = axes_of(table, base.reading, issues)
    if not axes and not issues:
        issues.append(Issue("sweep", f"varies nothing; write an axis, e.g. {EXAMPLE}"))
    axes = tuple(settled(base, axes, issues))
    is_whole = not issues
    settings = read_settings(table, base.seed, issues)
    keep = read_keep(table.get("keep", []), issues)
    unread = unread_axes(table, axes)
    conditions = read_conditions(table.get("constraints", []), (*axes, *unread), issues)
    if settings.design == "zip":
        check_zip((*axes, *unread), issues)
    points = _points(base, axes, settings, conditions, is_whole, yes, issues)
    doubts: list[Issue] = []
    if points is None:
        check_conditions(conditions, axes, doubts)
    elif conditions:
        points = constrained(points, conditions, doubts)
        if not doubts:
            check_rows(len(points), len(settings.seeds), yes, issues)
    odd: tuple[str, ...] = ()
    if points is None or isinstance(base, Draft):
        issues += tried_alone(base, axes)
    else:
        refused, odd = tried(base, axes, points)
        issues += refused
    faulty = {place for place, axis in enumerate(axes) if axis.is_faulty(issues)}
    issues += founded(doubts, conditions, faulty)
    if isinstance(base, Draft):
        raise InputError(base.source, (*base.issues, *_in_order(issues, table)))
    if issues or points is None:
        raise InputError(base.source, _in_order(issues, table))
    assert settings.design is not None
    seeds = tuple(settings.seeds)
    said = _plain(table)
    return Plan(
        base, axes, points, seeds, settings.design, keep, (*_warnings(settings), *odd), said
    )


def _points(
    base: Scenario | Draft,
    axes: Sequence[Axis],
    settings: Settings,
    conditions: Sequence[Condition],
    is_whole: bool,
    yes: bool,
    issues: list[Issue],
) -> Points | None:
    """Return the points of a design, or None where problems leave none to try.

    Where not every axis could be read, only what holds of the others is checked.
    """
    design = settings.design
    if design is None or not axes:
        return None
    problems = len(issues)
    check_spreads(axes, design, issues)
    if design in SAMPLERS and settings.samples is None:
        return None
    if len(issues) > problems or any(
        issue.path in ("sweep.samples", "sweep.design") for issue in issues
    ):
        return None
    count = _count(axes, settings)
    if conditions:
        check_tries(count, issues)
    else:
        check_rows(count, len(settings.seeds), yes, issues)
    if len(issues) > problems or not is_whole:
        return None
    try:
        return _made(base, axes, settings)
    except InputError as error:  # a package that draws is not installed
        issues += error.issues
        return None


def _count(axes: Sequence[Axis], settings: Settings) -> int:
    """Return the number of points of a design before any is made."""
    match settings.design:
        case "grid":
            return math.prod(len(axis.values or ()) for axis in axes)
        case "zip":
            return len(axes[0].values or ())
        case "one-at-a-time":
            return 1 + 2 * len(axes)
        case "saltelli":
            return (settings.samples or 0) * (len(axes) + 2)
    return settings.samples or 0


def _made(base: Scenario | Draft, axes: Sequence[Axis], settings: Settings) -> Points:
    design, samples = settings.design, settings.samples
    if samples is not None and design is not None:
        unit = SAMPLERS[design](samples, len(axes), settings.sample_seed)
        return Points.sampled(axes, unit, samples if design == "saltelli" else None)
    if design == "one-at-a-time":
        return Points.one_at_a_time(axes, base.document)
    make = Points.grid if design == "grid" else Points.zipped
    return make([axis.path for axis in axes], [axis.values or () for axis in axes])


def _warnings(settings: Settings) -> tuple[str, ...]:
    samples = settings.samples
    if settings.design == "sobol" and samples is not None and samples & (samples - 1):
        low = 1 << (samples.bit_length() - 1)
        text = f"{samples} is not a power of two; {low} or {2 * low} points lie more evenly"
        return (f"sweep.samples: {text}",)
    return ()


def _in_order(issues: list[Issue], table: Mapping[str, Any]) -> list[Issue]:
    """Return the problems in the order of the table, each once; those of no key come last."""
    keys = [f"sweep.{key}" for key in table]

    def place(issue: Issue) -> int:
        return next((n for n, key in enumerate(keys) if issue.path.startswith(key)), len(keys))

    return sorted(dict.fromkeys(issues), key=place)


def _plain(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table as TOML has it: lists for tuples, ranges and arrays."""
    plain: dict[str, Any] = {}
    for key, value in table.items():
        listed = None if isinstance(value, str) else as_list(value)
        if isinstance(value, Mapping):
            plain[key] = _plain(value)
        else:
            plain[key] = copy.deepcopy(value if listed is None else listed)
    return plain
