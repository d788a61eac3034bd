"""What a figure needs is run, through the store of sweeps, so that nothing is run twice."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, Issue
from simulator.papers.material import HourlyGrid, Material
from simulator.papers.shelf import Paper
from simulator.plans.plan import plan_of
from simulator.scenario.files import WHERE_DATA
from simulator.scenario.load import load, read_study
from simulator.scenario.model import Scenario
from simulator.sweeps.carrying import sweep
from simulator.sweeps.session import Options
from simulator.sweeps.study import Study
from simulator.traces.sites import open_grids
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_S
from simulator.workload.sampled import sampled

if TYPE_CHECKING:
    import pandas as pd

    from simulator.progress import SweepProgress

SEEDS: Final = 20
"""How often jobs are drawn where sizes alone are asked for."""

Floats = NDArray[np.float64]
Show = Callable[[str], "AbstractContextManager[SweepProgress | None]"]


class MissingError(Exception):
    """What a figure needs is not there; says what, and where anyone gets it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the material of a paper's figures comes from.

    Attributes
    ----------
    paper : Paper
    folder : Path
        Where the sweeps are kept.
    jobs : int or None
        Processes; as many as there are cores unless given.
    show : callable, optional
        Returns what shows the progress of the sweep of a name.
    tell : callable
        Told one line of anything that is not as expected.
    """

    paper: Paper
    folder: Path
    jobs: int | None = None
    show: Show | None = None
    tell: Callable[[str], None] = lambda _: None
    _known: "dict[str, Study]" = field(default_factory=dict)

    def material(self, module: ModuleType) -> Material:
        """Return what a figure needs, running what was not run before.

        The module says it: ``SWEEPS`` and ``DRAWN``, names of scenario files; ``JOBS``, those of
        the sweeps whose jobs it needs; and ``GRIDS``, names with the file that takes its place
        where optional data is not there.

        Raises
        ------
        MissingError
            If optional data is not there, or runs failed.
        InputError
            If a scenario of the paper or the folder is refused for any other reason.
        """
        bases: dict[str, Scenario] = {}
        runs: dict[str, pd.DataFrame] = {}
        jobs: dict[str, pd.DataFrame] = {}
        try:
            for name in getattr(module, "SWEEPS", ()):
                study = self._swept(name)
                bases[name], runs[name] = study.plan.base, study.runs
                if name in getattr(module, "JOBS", ()):
                    jobs[name] = study.jobs
            grids, instead = self._grids(getattr(module, "GRIDS", {}))
            gpu_days, utilisation = {}, {}
            for name in getattr(module, "DRAWN", ()):
                bases[name] = load(self.paper.scenario(name))
                gpu_days[name], utilisation[name] = _drawn(bases[name])
        except InputError as error:
            if not _lacks_data(error):
                raise
            raise MissingError("; ".join(issue.message for issue in error.issues)) from error
        return Material(bases, runs, jobs, gpu_days, utilisation, grids, instead)

    def _grids(
        self, wanted: Mapping[str, str]
    ) -> tuple[dict[str, dict[str, HourlyGrid]], tuple[str, ...]]:
        """Return hourly grids by name, and the names of those that profiles stand for."""
        found, instead = {}, []
        for name, profiles in wanted.items():
            try:
                found[name] = _hourly(load(self.paper.scenario(name)))
            except InputError as error:
                if not _lacks_data(error):
                    raise
                found[name] = _hourly(load(self.paper.scenario(profiles)))
                instead.append(name)
        return found, tuple(instead)

    def _swept(self, name: str) -> Study:
        if name not in self._known:
            base, table = read_study(self.paper.scenario(name), "sweep")
            plan = plan_of(base, table)
            folder = self.folder / name
            options = Options(jobs=self.jobs, jobs_said=self.jobs is not None)
            with nullcontext() if self.show is None else self.show(name) as show:
                carried = sweep(plan, folder, options, show=show, tell=self.tell)
            if carried.table is None or carried.standing.failed:
                failed = carried.standing.failed
                raise MissingError(
                    f"{failed} runs of {name} failed; fleetsim sweep status {folder}"
                )
            self._known[name] = Study(plan, carried.table, folder, carried.standing.cached)
        return self._known[name]


def _lacks_data(error: InputError) -> bool:
    return all(WHERE_DATA in issue.message for issue in error.issues)


def _hourly(scenario: Scenario) -> dict[str, HourlyGrid]:
    """Return the intensities of every site of a scenario.

    Raises
    ------
    InputError
        If a trace is refused.
    """
    issues: list[Issue] = []
    average, marginal = open_grids(scenario, issues)
    if issues:
        raise InputError(scenario.name, issues)
    first_ms = round(scenario.start.timestamp()) * MS_PER_S
    bins = (first_ms, MS_PER_H, scenario.horizon_ms // MS_PER_H)
    return {
        name: HourlyGrid(
            other.label if known.file is None and other is not None else known.label,
            known.on_bins(*bins),
            None if other is None else other.on_bins(*bins),
        )
        for name, known, other in zip(scenario.sites, average, marginal, strict=True)
    }


def _drawn(scenario: Scenario) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Return GPU-days and utilisation of all jobs of a scenario, for each of twenty seeds."""
    gpu_days, utilisation = [], []
    for seed in range(scenario.seed, scenario.seed + SEEDS):
        batches = [
            sampled(
                name,
                workload,
                (0,),
                start=scenario.start,
                horizon_ms=scenario.horizon_ms,
                seed=seed,
            )
            for name, workload in scenario.workloads.items()
        ]
        each = [batch.gpus * batch.duration_ms / MS_PER_D for batch in batches]
        gpu_days.append(np.concatenate(each))
        utilisation.append(np.concatenate([batch.utilisation for batch in batches]))
    return tuple(gpu_days), tuple(utilisation)
