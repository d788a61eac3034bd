"""A search, checked: what it varies, what it is after, and how long it looks."""

import hashlib
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.optimisation.objectives import Limit, Objective, limits_of, objectives_of, texts_of
from simulator.optimisation.space import TABLE, SearchAxis, read_axes
from simulator.plans.axes import Axis, as_list, unread_axes
from simulator.plans.conditions import stepped
from simulator.plans.constraints import Constraint, holds, read_constraint
from simulator.plans.designs import Points
from simulator.plans.digest import Fingerprint, fingerprint_of
from simulator.plans.settings import read_settings
from simulator.scenario.draft import Draft
from simulator.scenario.model import Scenario

RESERVED: Final = ("objectives", "constraints", "where", "trials", "seeds", "sampler", "batch")
"""Keys of the table `[optimize]` that are no axes."""

SAMPLERS: Final = ("tpe", "nsga2", "random")
"""Who proposes the next points."""

TRIALS: Final = 100
BATCH: Final = 8
"""Points that are proposed before the first of them is known; part of the search, so that its
result does not depend on how many run at a time."""
MOST: Final = 100_000
"""Trials of a search: far more than a sampler that looks back on all of them can take."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A search for good points, checked; a deterministic function of scenario and table.

    Attributes
    ----------
    base : Scenario
        What every point starts from.
    axes : tuple of Choice or Range
    objectives : tuple of Objective
        The first decides nothing over the others.
    limits : tuple of Limit
        What results must keep.
    where : tuple of Constraint
        Conditions between axes; points that break one are not run.
    trials : int
        Points that are run, each a different one.
    seeds : tuple of int
        Every point meets all of them; its results are means over them.
    sampler : str
        ``tpe``, ``nsga2`` or ``random``.
    batch : int
        Points that are proposed together.
    table : dict
        The table that the search was made of, as written.
    """

    base: Scenario
    axes: tuple[SearchAxis, ...]
    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()
    where: tuple[Constraint, ...] = ()
    trials: int = TRIALS
    seeds: tuple[int, ...] = (0,)
    sampler: str = "tpe"
    batch: int = BATCH
    table: dict[str, Any] = field(default_factory=dict)

    @property
    def quantities(self) -> tuple[str, ...]:
        """Results that decide: of the objectives, then of the limits."""
        objectives = [objective.quantity for objective in self.objectives]
        limits = [limit.quantity for limit in self.limits]
        return tuple(dict.fromkeys([*objectives, *limits]))

    def allows(self, changes: Mapping[str, Any]) -> bool:
        """Return whether a point fulfils the conditions between axes."""
        point = Points.listed([changes])
        try:
            return all(bool(holds(condition, point).all()) for condition in self.where)
        except ValueError:  # a quotient by 0, which is no answer
            return False

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what the search finds, files of the base by content."""
        return self.fingerprint.digest

    @property
    def fingerprint(self) -> Fingerprint:
        """The digest, and the files that went into it as they are now."""
        base = fingerprint_of(self.base, (), Points.listed([]), self.seeds)
        settings = {"trials": self.trials, "sampler": self.sampler, "batch": self.batch}
        document = {"base": base.digest, "table": self.table | settings}
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
        return Fingerprint(hashlib.sha256(text.encode()).hexdigest(), base.files)


def search_of(base: Scenario | Draft, table: Mapping[str, Any]) -> Search:
    """Return the search that a table `[optimize]` says.

    Parameters
    ----------
    base : Scenario or Draft
        What every point starts from; a draft is refused.
    table : mapping
        The objectives, the axes by dotted path, and the keys of `RESERVED`.

    Raises
    ------
    InputError
        With every problem of the table, and of the base if it is a draft.
    """
    said: list[Issue] = []
    objectives = objectives_of(table.get("objectives"), said)
    limits = limits_of(table.get("constraints"), said)
    trials = _whole(table, "trials", TRIALS, said)
    batch = _whole(table, "batch", BATCH, said)
    sampler = _sampler(table.get("sampler", SAMPLERS[0]), said)
    seeds = _seeds(base, table, said)
    if all(key in RESERVED for key in table):
        text = 'no axis; write e.g. "clusters.train.count" = { low = 64, high = 160, step = 8 }'
        said.append(Issue("", text))
    found: list[Issue] = []
    axes, own_axes = read_axes(base, table, RESERVED, found)
    unread = unread_axes(table, axes, RESERVED)
    sound = {place for place, axis in enumerate(axes) if not axis.is_faulty(found)}
    where = _where(table.get("where"), axes, unread, sound, said)
    issues = [Issue(f"{TABLE}.{issue.path}".rstrip("."), issue.message) for issue in said] + found
    if isinstance(base, Draft):
        raise InputError(base.source, dict.fromkeys((*base.issues, *issues)))
    if issues:
        raise InputError(base.source, issues)
    return Search(
        base=base,
        axes=own_axes,
        objectives=objectives,
        limits=limits,
        where=where,
        trials=trials,
        seeds=seeds,
        sampler=sampler,
        batch=batch,
        table=_plain(table),
    )


def _where(
    said: object,
    axes: Sequence[Axis],
    unread: Sequence[Axis],
    sound: Container[int],
    issues: list[Issue],
) -> tuple[Constraint, ...]:
    """Return the conditions between axes, each tried on some points; note the problems.

    One that names an axis with problems of its own, or one that could not be read, is not tried.
    """
    found = []
    example = "clusters.a.count + clusters.b.count <= 256"
    for path, text in texts_of(said, "where", example, issues):
        try:
            condition = read_constraint(text, (*axes, *unread))
            if all(axis in sound for axis in condition.axes.values()):
                holds(condition, stepped(axes))
            found.append(condition)
        except ValueError as error:
            issues.append(Issue(path, str(error)))
    return tuple(found)


def _whole(table: Mapping[str, Any], key: str, default: int, issues: list[Issue]) -> int:
    """Return a count that a table says."""
    value = table.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
        return value
    text = f"{shown(value)} is out of range; write a whole number from 1 to {MOST}"
    issues.append(Issue(key, text))
    return default


def _sampler(said: object, issues: list[Issue]) -> str:
    if isinstance(said, str) and said in SAMPLERS:
        return said
    near = nearest(said, SAMPLERS) if isinstance(said, str) else None
    meant = f"did you mean {shown(near)}?" if near else f"known are {listing(SAMPLERS)}"
    issues.append(Issue("sampler", f"{shown(said)} is no sampler; {meant}"))
    return "tpe"


def _seeds(
    base: Scenario | Draft, table: Mapping[str, Any], issues: list[Issue]
) -> tuple[int, ...]:
    """Return the seeds that every point meets, as a sweep reads them."""
    found: list[Issue] = []
    settings = read_settings({"seeds": table.get("seeds", 1)}, base.seed, found)
    if len(settings.seeds) > MOST:
        text = f"{len(settings.seeds)} seeds are too many; write at most {MOST}"
        found.append(Issue("seeds", text))
    issues += [Issue(issue.path.removeprefix("sweep."), issue.message) for issue in found]
    return () if found else tuple(settings.seeds)


def _plain(value: Any) -> Any:
    """Return a table as TOML has it: lists for tuples, ranges and arrays; nothing that is None."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items() if entry is not None}
    listed = None if isinstance(value, str) else as_list(value)
    return value if listed is None else [_plain(entry) for entry in listed]
