"""The whole path of a run: scenario, jobs, fleet, engine, meter, bill, results."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from simulator.accounting.billing import Signals, account
from simulator.accounting.metering import Grid, Meter, Metered
from simulator.accounting.summary import audit, summarise
from simulator.accounting.tables import interval_table, job_states, job_table, node_table
from simulator.assumptions import assumptions_of, basis_of
from simulator.engine import Controller, View, simulate
from simulator.errors import InputError, Issue
from simulator.fleet import Fleet, fleet_of
from simulator.joblog import JobLog
from simulator.results import Results
from simulator.scenario.model import Scenario
from simulator.tables import summary_of
from simulator.traces.grid import GridTrace, open_grid
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_S
from simulator.version import MODEL_VERSION, SCHEMA_VERSION
from simulator.workload.generate import job_table as draw_jobs
from simulator.workload.table import JobTable

Progress = Callable[[float, float, int], None]
"""Told the simulated days that are done, those in all, and the jobs started so far."""

MOST_CELLS = 10_000_000
"""Accounting bins times clusters that a run may keep, some 60 bytes each."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run needs, opened and checked.

    Attributes
    ----------
    scenario : Scenario
    fleet : Fleet
    jobs : JobTable
    average : tuple of GridTrace
        One for each site.
    marginal : tuple of GridTrace or None
        One for each site.
    """

    scenario: Scenario
    fleet: Fleet
    jobs: JobTable
    average: tuple[GridTrace, ...]
    marginal: tuple[GridTrace | None, ...]

    @property
    def traces(self) -> tuple[GridTrace, ...]:
        """Every grid trace, those of one site after another."""
        pairs = zip(self.average, self.marginal, strict=True)
        return tuple(trace for pair in pairs for trace in pair if trace is not None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was accepted with a warning, each once."""
        said = [*self.scenario.warnings, *self.jobs.warnings]
        for trace in self.traces:
            said += trace.warnings
        return tuple(dict.fromkeys(said))

    @property
    def key(self) -> str:
        """Address of the run: SHA-256 of scenario, seed, contents of inputs and versions."""
        document = {
            "scenario": json.loads(self.scenario.canonical()),
            "traces": [trace.sha256 for trace in self.traces],
            "jobs": [content for _, _, content in self.jobs.inputs],
            "schema_version": SCHEMA_VERSION,
            "model_version": MODEL_VERSION,
        }
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def inputs(scenario: Scenario) -> Inputs:
    """Open every trace and make the job table.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    fleet = fleet_of(scenario)
    issues: list[Issue] = []
    average, marginal = _open_grids(scenario, issues)
    try:
        jobs = draw_jobs(scenario, fleet, seed=scenario.seed)
    except InputError as error:
        issues += error.issues
    if issues:
        source = scenario.path.name if scenario.path else "scenario"
        raise InputError(source, issues)
    return Inputs(scenario, fleet, jobs, tuple(average), tuple(marginal))


def _open_grids(
    scenario: Scenario, issues: list[Issue]
) -> tuple[list[GridTrace], list[GridTrace | None]]:
    """Open the grids of every site; a trace that is refused adds to `issues` instead."""
    average: list[GridTrace] = []
    marginal: list[GridTrace | None] = []
    for name, site in scenario.sites.items():
        for basis, source in (("average", site.grid.average), ("marginal", site.grid.marginal)):
            trace = None
            try:
                if source is not None:
                    trace = open_grid(
                        source,
                        start=scenario.start,
                        end_ms=scenario.horizon_ms,
                        after_end=site.grid.after_end,
                        gaps=site.grid.gaps,
                        path=f"sites.{name}.grid.{basis}",
                    )
            except InputError as error:
                issues += error.issues
            if basis == "marginal":
                marginal.append(trace)
            elif trace is not None:
                average.append(trace)
    return average, marginal


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated run: its results, and what is needed to bill it under other assumptions.

    Attributes
    ----------
    inputs : Inputs
    log : JobLog
    metered : Metered
    results : Results
    controllers : tuple of Controller
        SimPy processes that took part.
    """

    inputs: Inputs
    log: JobLog
    metered: Metered
    results: Results
    controllers: tuple[Controller, ...] = ()

    def bill(
        self,
        average: str | dict[str, Any] | None = None,
        marginal: str | dict[str, Any] | None = None,
        pue: float | None = None,
    ) -> Results:
        """Bill the same events under another grid or PUE, at every site.

        Parameters
        ----------
        average, marginal : str or dict
            As in a scenario: a name of the catalog, ``{"constant": "380 g/kWh"}`` or a file.
        pue : float

        Raises
        ------
        InputError
            If a scenario with these values would be refused.
        """
        changes: dict[str, Any] = {}
        for site in self.inputs.scenario.sites:
            for key, value in (("grid.average", average), ("grid.marginal", marginal)):
                if value is not None:
                    changes[f"sites.{site}.{key}"] = value
            if pue is not None:
                changes[f"sites.{site}.pue"] = pue
        scenario = self.inputs.scenario.replace(changes)
        issues: list[Issue] = []
        grids = _open_grids(scenario, issues)
        if issues:
            raise InputError("bill", issues)
        again = Inputs(
            scenario, fleet_of(scenario), self.inputs.jobs, tuple(grids[0]), tuple(grids[1])
        )
        if any(trace.grain_ms % self.metered.grid.bin_ms for trace in again.traces):
            # Edges between the bins of this run: meter the same events again, more finely.
            return simulated(again, controllers=self.controllers).results
        return _results(again, self.log, self.metered)


def run(
    scenario: Scenario,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
    controllers: Sequence[Controller] = (),
    command: str | None = None,
) -> Simulated:
    """Simulate a scenario.

    Parameters
    ----------
    scenario : Scenario
    seed : int, optional
        In place of the scenario's own.
    progress : callable, optional
        Called once each simulated day; see `Progress`.
    controllers : sequence of Controller
        SimPy processes of your own.
    command : str, optional
        The command line, for the manifest.

    Raises
    ------
    InputError
        If a trace or job file is refused.
    """
    begun_s = time.perf_counter()
    if seed is not None:
        scenario = scenario.replace({"seed": seed})
    done = simulated(inputs(scenario), progress=progress, controllers=controllers)
    wall_s = time.perf_counter() - begun_s
    return replace(done, results=replace(done.results, wall_s=wall_s, command=command))


def simulated(
    opened: Inputs,
    *,
    progress: Progress | None = None,
    controllers: Sequence[Controller] = (),
) -> Simulated:
    """Run the engine on opened inputs, meter the change log and bill it."""
    scenario = opened.scenario
    grid = bins_of(opened)
    meter = Meter(opened.fleet, grid, scenario.horizon_ms)
    reporters = () if progress is None else (_reporter(progress, scenario.horizon_ms),)
    log = simulate(
        opened.fleet,
        opened.jobs,
        end_ms=scenario.horizon_ms,
        drain=scenario.drain,
        on_log=meter.read,
        controllers=(*controllers, *reporters),
    )
    metered = meter.close(log.finished_ms)
    results = _results(opened, log, metered)
    return Simulated(opened, log, metered, results, tuple(controllers))


def bins_of(opened: Inputs) -> Grid:
    """Return the bins of a run: the widest that straddle no edge of a trace or interval.

    Raises
    ------
    InputError
        If the traces' edges lie so oddly that there would be too many bins.
    """
    scenario = opened.scenario
    grains = [trace.grain_ms for trace in opened.traces]
    bin_ms = math.gcd(scenario.accounting.interval_ms, *grains)
    start_epoch_ms = (scenario.start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )
    grid = Grid(start_epoch_ms, scenario.warm_up_ms, bin_ms)
    cells = grid.count(scenario.horizon_ms) * len(scenario.clusters)
    if cells > MOST_CELLS:
        finest = min(opened.traces, key=lambda trace: trace.grain_ms or math.inf)
        raise InputError(
            "scenario",
            [
                Issue(
                    finest.path,
                    f"its edges lie on multiples of {bin_ms / MS_PER_S:g} s, which makes "
                    f"{cells:,} accounting bins, more than {MOST_CELLS:,}; "
                    "give a trace whose steps begin on whole minutes, or a shorter horizon",
                )
            ],
        )
    return grid


def _results(opened: Inputs, log: JobLog, metered: Metered) -> Results:
    """Bill a metered run and put its tables and summary together."""
    scenario, fleet, jobs = opened.scenario, opened.fleet, opened.jobs
    billed = account(fleet, jobs, log, metered, _signals(opened, metered), fleet.pue)
    audit(fleet, billed)
    states = job_states(log)
    summary = {
        "name": scenario.name,
        "seed": scenario.seed,
        "key": opened.key,
        "horizon_h": scenario.horizon_ms / MS_PER_H,
        **summarise(fleet, jobs, log, billed, states),
    }
    return Results(
        scenario=scenario,
        seed=scenario.seed,
        key=opened.key,
        summary=summary_of(summary),
        tables={
            "jobs": job_table(fleet, jobs, log, billed, states),
            "hourly": interval_table(fleet, jobs, log, billed, scenario.accounting.interval_ms),
            "nodes": node_table(fleet, billed),
        },
        basis=basis_of(opened.average, opened.marginal),
        assumptions=assumptions_of(scenario, jobs, opened.traces),
        warnings=opened.warnings,
        inputs=_files(opened),
    )


def _signals(opened: Inputs, metered: Metered) -> Signals:
    grid = metered.grid
    count = len(metered.bins)

    def values(trace: GridTrace | None) -> np.ndarray[Any, np.dtype[np.float64]]:
        if trace is None:
            return np.full(count, np.nan)
        return trace.on_bins(grid.first_epoch_ms, grid.bin_ms, count)

    return Signals(
        average=np.stack([values(trace) for trace in opened.average]),
        marginal=np.stack([values(trace) for trace in opened.marginal]),
    )


def _files(opened: Inputs) -> tuple[tuple[str, str], ...]:
    """Return name and SHA-256 of every file that was read."""
    files = [(name, digest) for name, digest, _ in opened.jobs.inputs]
    files += [
        (trace.file, trace.file_sha256)
        for trace in opened.traces
        if trace.file and trace.file_sha256
    ]
    return tuple(dict.fromkeys(files))


def _reporter(progress: Progress, horizon_ms: int) -> Controller:
    """Return a process that reports each simulated day."""

    def report(env: Any, view: View) -> Generator[Any, object, None]:
        while True:
            yield env.timeout(MS_PER_D)
            progress(env.now / MS_PER_D, horizon_ms / MS_PER_D, view.started)

    return report
