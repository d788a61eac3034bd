"""What a sweep returns: its table, its points, and the scenario of each run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulator.display import text_html
from simulator.errors import InputError, Issue
from simulator.plans.plan import Plan
from simulator.sweeps.rows import DONE, FAILED, VALUES
from simulator.sweeps.table import text_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from simulator.analysis.sensitivity import SobolIndices
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
    known : int
        How many of its runs the folder knew already.
    """

    __slots__ = ("_table", "folder", "known", "plan")

    def __init__(
        self, plan: Plan, table: pa.Table, folder: Path | None = None, known: int = 0
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.known = known
        self._table = table

    def __repr__(self) -> str:
        name, points, seeds = self.plan.base.name, len(self.plan.points), len(self.plan.seeds)
        return f"<Study {name!r}, points: {points:,}, seeds: {seeds:,}>"

    def __str__(self) -> str:
        from simulator.sweeps.outcome import outcome_lines

        if self.counts["failed"] == self.counts["runs"]:
            return f"all of {self.counts['runs']:,} runs failed; .failed says why"
        return "\n".join(outcome_lines(self))

    def _repr_html_(self) -> str:
        return text_html(str(self))

    @property
    def counts(self) -> dict[str, int]:
        """How many runs there are, were made now, were known already, and failed."""
        runs, failed = self._table.num_rows, len(self.failed)
        return {"runs": runs, "made": runs - self.known, "known": self.known, "failed": failed}

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
        """One row per point: axes, finished runs, and means over them of what all of them have."""
        runs = self.runs
        heads = runs.groupby("point")[list(self.axes)].first() if self.axes else None
        done = runs[runs["status"] == DONE].groupby("point")
        values = done[[column.name for column in VALUES]]
        # What any run of a point lacks has no mean there: the others alone would be another figure.
        means = values.mean().where(values.count().eq(done.size(), axis=0))
        means.insert(0, "runs", done.size())
        every = means.reindex(range(len(self.plan.points)))
        every["runs"] = every["runs"].fillna(0).astype("int64")
        return every if heads is None else heads.join(every).reset_index()

    def means(self, quantity: str = "total_kgco2e") -> "pd.DataFrame":
        """Return one row per point: axes, mean of a quantity over the seeds, its 95 % interval.

        Columns ``mean``, ``low``, ``high`` and ``n``, the number of finished runs; NaN where a
        run lacks the quantity, and ``low`` and ``high`` also where there is one run only. All
        points meet the same seeds, so whether two differ is not for their intervals to say: see
        `compare`.

        Raises
        ------
        InputError
            If the quantity is unknown.
        """
        from simulator.analysis.statistics import by_point

        return by_point(self.runs, self.axes, quantity)

    @property
    def failed(self) -> "pd.DataFrame":
        """The runs that failed: axes, seed and why."""
        runs = self.runs
        chosen = runs.loc[runs["status"] == FAILED, ["row", "point", *self.axes, "seed", "error"]]
        return chosen.reset_index(drop=True)

    @property
    def jobs(self) -> "pd.DataFrame":
        """Jobs of the runs that keep their full results (``keep``): row, point, seed, and theirs.

        Raises
        ------
        InputError
            If no run keeps them, or one of them is damaged.
        """
        from simulator.sweeps.kept import kept_jobs

        return kept_jobs(self.folder, self.runs)

    def percentiles(self, quantities: Sequence[str] | None = None) -> "pd.DataFrame":
        """Return p5, p25, p50, p75 and p95 of quantities over all runs, by quantity.

        Parameters
        ----------
        quantities : sequence of str, optional
            Keys of the summary; all of them unless given.
        """
        from simulator.analysis.statistics import percentiles

        return percentiles(self.runs, quantities)

    def compare(self, base: Mapping[str, Any]) -> "pd.DataFrame":
        """Return how every point differs from one of them, paired by seed, with 95 % intervals.

        Parameters
        ----------
        base : mapping
            Values by path, as many as tell the base point apart:
            ``{"clusters.train.idle": "always-on"}``.

        Raises
        ------
        InputError
            If an axis is unknown, or no point or several are meant.
        """
        from simulator.analysis.differences import compare_points

        schema = self._table.schema
        texts = {path for path in self.axes if pa.types.is_string(schema.field(path).type)}
        said = {path: text_of(value) if path in texts else value for path, value in base.items()}
        return compare_points(self.runs, self.axes, said)

    def indices(self, quantities: Sequence[str] | None = None) -> "SobolIndices":
        """Return first-order and total Sobol indices, of a design ``saltelli``.

        Raises
        ------
        InputError
            If the design is another one, points failed, or SALib is not installed.
        """
        from simulator.analysis.sensitivity import sobol_indices

        self._needs("saltelli", "Sobol indices")
        return sobol_indices(self.runs, self.axes, quantities=quantities, seed=self.plan.base.seed)

    def tornado(self, quantity: str = "total_kgco2e") -> "pd.DataFrame":
        """Return what each axis does at its low and its high value, of a design one-at-a-time.

        Raises
        ------
        InputError
            If the design is another one, or the quantity is unknown.
        """
        from simulator.analysis.sensitivity import tornado

        self._needs("one-at-a-time", "tornado")
        return tornado(self.runs, self.axes, quantity)

    def plot(self, quantity: str = "total_kgco2e", *, title: str | None = None) -> "Figure":
        """Draw a quantity as the design asks for: over its axes, as a tornado, as indices.

        Raises
        ------
        InputError
            If the quantity is unknown, or there is too much to draw.
        """
        from simulator.sweeps.pictures import draw_study

        return draw_study(self, quantity, title=title)

    def scenario(self, row: int) -> "Scenario":
        """Return the scenario of a run, to be run alone: ``fs.run(study.scenario(17))``."""
        return self.plan.scenario(row)

    def _needs(self, design: str, what: str) -> None:
        if self.plan.design != design:
            rule = f'is "{self.plan.design}", which gives no {what}; write design = "{design}"'
            raise InputError(self.plan.base.source, [Issue("sweep.design", rule)])
