"""What a sweep returns: its table, its points, and the scenario of each run."""

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from simulator.sweeps.plan import Plan
from simulator.sweeps.rows import DONE, FAILED, VALUES

if TYPE_CHECKING:
    import pandas as pd

    from simulator.scenario import Scenario


class Study:
    """The runs of a sweep, as pandas.

    Parameters
    ----------
    plan : Plan
        What was tried.
    table : pyarrow.Table
        One row per run, as `simulator.sweeps.table.results_table` makes it.
    folder : Path, optional
        Where it is kept.
    """

    __slots__ = ("_table", "folder", "plan")

    def __init__(self, plan: Plan, table: pa.Table, folder: Path | None = None) -> None:
        self.plan = plan
        self.folder = folder
        self._table = table

    def __repr__(self) -> str:
        name, points, seeds = self.plan.base.name, len(self.plan.points), len(self.plan.seeds)
        return f"<Study {name!r} {points} points, {seeds} seeds>"

    @property
    def axes(self) -> tuple[str, ...]:
        """Dotted paths of what was varied; columns of `runs` and `points`."""
        return tuple(axis.path for axis in self.plan.axes)

    @property
    def runs(self) -> "pd.DataFrame":
        """One row per run, as a copy of your own: axes, seed, status and every quantity."""
        frame: pd.DataFrame = self._table.to_pandas()
        return frame

    @property
    def points(self) -> "pd.DataFrame":
        """One row per point: axes, finished runs, and means over them of every quantity."""
        runs = self.runs
        heads = runs.groupby("point")[list(self.axes)].first() if self.axes else None
        done = runs[runs["status"] == DONE].groupby("point")
        means = done[[column.name for column in VALUES]].mean()
        means.insert(0, "runs", done.size())
        every = means.reindex(range(len(self.plan.points)))
        every["runs"] = every["runs"].fillna(0).astype("int64")
        return every if heads is None else heads.join(every).reset_index()

    @property
    def failed(self) -> "pd.DataFrame":
        """The runs that failed: axes, seed and why."""
        runs = self.runs
        chosen = runs.loc[runs["status"] == FAILED, ["row", "point", *self.axes, "seed", "error"]]
        return chosen.reset_index(drop=True)

    def scenario(self, row: int) -> "Scenario":
        """Return the scenario of a run, to be run alone: ``fs.run(study.scenario(17))``."""
        return self.plan.scenario(row)
