"""The plan of a sweep: its base, its points and its seeds, checked before anything runs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.scenario.model import Scenario
from simulator.sweeps.axes import Axis
from simulator.sweeps.designs import Points
from simulator.version import MODEL_VERSION, SCHEMA_VERSION

RESERVED = ("seeds", "design", "samples", "sample_seed", "constraints", "keep")


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
        Which runs keep their full results.
    table : dict
        The table that the plan was made of, as written.
    """

    base: Scenario
    axes: tuple[Axis, ...]
    points: Points
    seeds: tuple[int, ...]
    design: str = "grid"
    keep: tuple[str, ...] = ()
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
        return self.base.replace(self.changes(row))

    def rows_of(self, points: slice) -> range:
        """Return the rows of some neighbouring points."""
        start, stop, step = points.indices(len(self.points))
        assert step == 1
        return range(start * len(self.seeds), max(start, stop) * len(self.seeds))

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides which runs these are."""
        document = {
            "base": json.loads(self.base.canonical()),
            "points": [self.points.is_product, self.points.paths, self.points.columns],
            "seeds": self.seeds,
            "schema_version": SCHEMA_VERSION,
            "model_version": MODEL_VERSION,
        }
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def plan_of(base: Scenario, table: Mapping[str, Any], *, yes: bool = False) -> Plan:  # noqa: ARG001
    """Return the plan of a sweep.

    Parameters
    ----------
    base : Scenario
        What every point starts from.
    table : mapping
        The table `[sweep]`: values to try by dotted path, and `seeds`, `design` and so on.
    yes : bool
        Whether more than a million rows are meant.

    Raises
    ------
    InputError
        With every problem of the table.
    """
    axes = tuple(
        Axis(path, tuple(values)) for path, values in table.items() if path not in RESERVED
    )
    seeds = table.get("seeds", 1)
    if isinstance(seeds, int):
        seeds = range(base.seed, base.seed + seeds)
    design = table.get("design", "grid")
    make = Points.grid if design == "grid" else Points.zipped
    points = make([axis.path for axis in axes], [axis.values or () for axis in axes])
    return Plan(base, axes, points, tuple(seeds), design, tuple(table.get("keep", ())), dict(table))
