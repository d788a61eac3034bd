"""The whole path of a run: scenario, jobs, fleet, engine, meter, bill, results."""

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from simulator.accounting.billing import account
from simulator.accounting.bins import Grid
from simulator.accounting.embodied import making_of
from simulator.accounting.facility import site_means
from simulator.accounting.ledger import costs, peaks
from simulator.accounting.metering import Meter, Metered
from simulator.accounting.preemption import preempted_of
from simulator.accounting.reliability import reliability_of
from simulator.accounting.sharing import shared_of
from simulator.accounting.signals import means_of, signals_of
from simulator.accounting.summary import audit, stranded, summarise
from simulator.accounting.supply import grid_draw_kwh, over_contracted, supply_tables
from simulator.accounting.tables import interval_table, job_states, job_table, node_table
from simulator.assumptions import Assumption, assumptions_of, basis_of
from simulator.engine import (
    Controller,
    Dispatches,
    Queues,
    View,
    commanders,
    preempting_of,
    simulate,
)
from simulator.errors import InputError, Issue
from simulator.fleet import fleet_of
from simulator.inputs import Inputs, open_inputs
from simulator.joblog import JobLog
from simulator.policies import QueueRule, dispatch_of, placement_of, scheduling_of
from simulator.policies.foresight import foreseeing
from simulator.power.facility import Facility, facility_of
from simulator.power.pue import full_load_pue
from simulator.power.tables import PowerTables
from simulator.results import Results
from simulator.scenario.limits import INTERVALS
from simulator.scenario.model import Scenario
from simulator.scenario.prices import currency_of
from simulator.scenario.spreading import spreading_of
from simulator.supply.assumptions import supply_assumptions
from simulator.supply.sources import Periods, Sources, market_basis, period_ms, sources_of
from simulator.supply.traces import open_supplies
from simulator.tables import Tables, summary_of
from simulator.terms import Source, Terms
from simulator.traces.opened import Opened
from simulator.traces.sites import open_grids, open_weathers
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_S
from simulator.workload.quotas import quotas_of

Progress = Callable[[float, float, int], None]
"""Told the simulated days that are done, those in all, and the jobs started so far."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated run: its results, and what is needed to bill it under other assumptions.

    Attributes
    ----------
    inputs : Inputs
    power : PowerTables
    log : JobLog
    metered : Metered
    results : Results
    controllers : tuple of Controller
        SimPy processes that took part.
    decided_by : Inputs
        Whose grids policies saw; it may be billed under others.
    """

    inputs: Inputs
    power: PowerTables
    log: JobLog
    metered: Metered
    results: Results
    controllers: tuple[Controller, ...] = ()
    decided_by: Inputs | None = None

    def bill(
        self,
        average: Source | None = None,
        marginal: Source | None = None,
        pue: float | dict[str, Any] | None = None,
        supply: dict[str, Any] | None = None,
    ) -> "Simulated":
        """Bill the same events under another grid, PUE or supply, at every site; as `billed`."""
        return self.billed(Terms(average, marginal, pue, supply))

    def billed(self, terms: Terms) -> "Simulated":
        """Bill the same events under other terms.

        Raises
        ------
        InputError
            If a scenario under these terms would be refused.
        """
        scenario = terms.of(self.inputs.scenario)
        issues: list[Issue] = []
        average_traces, marginal_traces = open_grids(scenario, issues)
        weather = open_weathers(scenario, issues)
        supplies = open_supplies(scenario, issues)
        if issues:
            raise InputError("bill", issues)
        again = Inputs(
            scenario,
            fleet_of(scenario),
            self.inputs.jobs,
            tuple(average_traces),
            tuple(marginal_traces),
            weather,
            supplies,
        )
        if any(grain_ms % self.metered.grid.bin_ms for _, grain_ms in again.edges):
            # Edges between the bins of this run: meter the same events again, more finely.
            done = simulated(again, controllers=self.controllers, decided_by=self.decided_by)
        else:
            results = _results(again, self.power, self.log, self.metered)
            done = replace(self, inputs=again, results=results)
        billed_from = self.results.billed_from or self.results.key
        return replace(done, results=replace(done.results, billed_from=billed_from))


def run(
    scenario: Scenario,
    *,
    seed: int | None = None,
    progress: Progress | None = None,
    controllers: Sequence[Controller] = (),
    command: str | None = None,
    opened: Opened | None = None,
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
    opened : Opened, optional
        Keeps what is read of files for runs to come.

    Raises
    ------
    InputError
        If a trace or job file is refused.
    """
    begun_s = time.perf_counter()
    if seed is not None:
        scenario = scenario.with_seed(seed)
    inputs = open_inputs(scenario, opened)
    done = simulated(inputs, progress=progress, controllers=controllers)
    wall_s = time.perf_counter() - begun_s
    return replace(done, results=replace(done.results, wall_s=wall_s, command=command))


def simulated(
    opened: Inputs,
    *,
    progress: Progress | None = None,
    controllers: Sequence[Controller] = (),
    decided_by: Inputs | None = None,
) -> Simulated:
    """Run the engine on opened inputs, meter the change log and bill it."""
    scenario = opened.scenario
    queues = queues_of(scenario)
    grid = bins_of(opened)
    power = opened.power()
    meter = Meter(
        opened.fleet, power, grid, scenario.horizon_ms, confirmed=scenario.reading.confirmed
    )
    reporters = () if progress is None else (_reporter(progress, scenario.horizon_ms),)
    deciding: tuple[Controller, ...] = (*commanders(scenario), *controllers)
    if deciding:
        deciding = (foreseeing(decided_by or opened, grid.start_epoch_ms), *deciding)
    log = simulate(
        opened.fleet,
        opened.jobs,
        power,
        end_ms=scenario.horizon_ms,
        drain=scenario.drain,
        on_log=meter.read,
        controllers=(*deciding, *reporters),
        start_epoch_ms=grid.start_epoch_ms,
        queues=queues,
        dispatches=Dispatches(
            tuple(dispatch_of(scenario).values()),
            full_load_pue(scenario, opened.fleet),
            opened.intensity,
        ),
    )
    metered = meter.close(log.finished_ms)
    results = _results(opened, power, log, metered)
    return Simulated(opened, power, log, metered, results, tuple(controllers), decided_by or opened)


def queues_of(scenario: Scenario) -> Queues:
    """Return how the queues of a scenario are ordered and backfilled, and the quotas."""
    found = scheduling_of(scenario)
    rules = tuple(each.rule or QueueRule() for each in found.values())
    asked = {at: each for at, each in enumerate(found.values()) if each.rule is None}
    placed = placement_of(scenario)
    return Queues(rules, quotas_of(scenario), asked, placed, preempting_of(scenario))


def bins_of(opened: Inputs) -> Grid:
    """Return the bins of a run: the widest that straddle no edge of a trace or interval.

    Raises
    ------
    InputError
        If the traces' edges lie so oddly that there would be too many bins.
    """
    scenario = opened.scenario
    grains_ms = [grain_ms for _, grain_ms in opened.edges]
    bin_ms = math.gcd(scenario.accounting.interval_ms, *grains_ms)
    start_epoch_ms = (scenario.start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )
    grid = Grid(start_epoch_ms, scenario.warm_up_ms, bin_ms)
    cells = grid.count(scenario.horizon_ms) * len(scenario.clusters)
    if (exceeded := INTERVALS.exceeded(cells, scenario.reading.confirmed)) is not None:
        raise InputError(scenario.source, [_too_many_bins(opened, bin_ms, cells, exceeded)])
    return grid


def _too_many_bins(opened: Inputs, bin_ms: int, cells: int, exceeded: str) -> Issue:
    nowhere = (opened.traces[0].path, 0)
    path, _ = min(opened.edges, key=lambda edge: edge[1], default=nowhere)
    by_hour = path.endswith(".pue")
    remedy = "give" if by_hour else "give a trace whose steps begin on whole minutes, or"
    return Issue(
        path,
        f"its edges lie on multiples of {bin_ms / MS_PER_S:g} s, which makes "
        f"{cells:,} accounting bins, {exceeded}; {remedy} a shorter horizon",
    )


def _results(opened: Inputs, power: PowerTables, log: JobLog, metered: Metered) -> Results:
    """Bill a metered run and put its tables and summary together."""
    scenario, fleet, jobs = opened.scenario, opened.fleet, opened.jobs
    interval_ms = scenario.accounting.interval_ms
    signals = signals_of(opened.average, opened.marginal, metered)
    facility = _facility(opened, metered)
    sources = _sources(opened, metered)
    making = making_of(scenario, fleet)
    billed = account(fleet, power, jobs, log, metered, signals, facility, sources, making)
    audit(billed)
    balances = () if billed.supplied is None else billed.supplied.balances
    states = job_states(log)
    reliability = reliability_of(fleet, power, jobs, log, metered)
    preempted = preempted_of(jobs, log, metered)
    shared = shared_of(jobs, log, metered)
    key = opened.key
    summary = {
        "name": scenario.name,
        "seed": scenario.seed,
        "key": key,
        "horizon_h": scenario.horizon_ms / MS_PER_H,
        **summarise(fleet, jobs, log, billed, states, reliability, preempted, shared),
        **peaks(metered, interval_ms, billed.facility_kwh, billed.energy.it_kwh),
        **costs(
            scenario,
            fleet,
            grid_draw_kwh(billed.supplied, fleet, billed.facility_kwh).sum(axis=0),
            billed.energy.owned_ms.sum(axis=0),
        ),
    }
    return Results(
        scenario=scenario,
        seed=scenario.seed,
        key=key,
        summary=summary_of(summary),
        tables=Tables(
            {
                "jobs": partial(
                    job_table, fleet, jobs, log, billed, states, reliability, preempted, shared
                ),
                "hourly": partial(interval_table, fleet, jobs, log, billed, interval_ms),
                "nodes": partial(node_table, fleet, power.ladders, billed),
                **supply_tables(fleet, billed.supplied, interval_ms),
            }
        ),
        basis=basis_of(
            opened.average, opened.marginal, currency_of(scenario), spreading_of(scenario)
        )
        | market_basis(opened.supply, sources),
        assumptions=_told(log, scenario)
        + assumptions_of(
            scenario,
            jobs,
            means_of(opened.average, opened.marginal, metered, signals),
            zip(
                opened.weather,
                site_means(fleet, metered, billed.energy.it_kwh, billed.facility_kwh, facility),
                strict=True,
            ),
        )
        + supply_assumptions(scenario, opened.supply, balances),
        warnings=(
            *opened.warnings,
            *stranded(scenario.drain, states),
            *over_contracted(billed.supplied, fleet),
        ),
        inputs=opened.files,
        origin=opened.origin,
    )


def _facility(opened: Inputs, metered: Metered) -> Facility:
    grid = metered.grid
    return facility_of(
        list(opened.scenario.sites.values()),
        opened.weather,
        first_ms=grid.first_epoch_ms,
        bin_ms=grid.bin_ms,
        count=len(metered.bins),
    )


def _sources(opened: Inputs, metered: Metered) -> Sources | None:
    if not any(opened.supply):
        return None
    step_ms = period_ms(opened.supply, opened.supplied_grids)
    grid = replace(metered.grid, bin_ms=step_ms)
    periods = Periods(
        grid.first_epoch_ms,
        step_ms,
        grid.start_epoch_ms,
        grid.start_epoch_ms + grid.begin_ms,
        grid.widths_ms(metered.end_ms),
    )
    return sources_of(opened.scenario, opened.supply, opened.average, opened.marginal, periods)


def _told(log: JobLog, scenario: Scenario) -> tuple[Assumption, ...]:
    """Return what policies told, as it stands beside the assumptions."""
    return tuple(
        (
            cluster,
            quantity,
            f"{value:.4g}",
            unit,
            f"policy {scenario.clusters[cluster].idle.policy}",
        )
        for cluster, quantity, value, unit in log.notes
    )


def _reporter(progress: Progress, horizon_ms: int) -> Controller:
    """Return a process that reports each simulated day."""

    def report(env: Any, view: View) -> Generator[Any, object, None]:
        while True:
            yield env.timeout(MS_PER_D)
            progress(env.now / MS_PER_D, horizon_ms / MS_PER_D, view.started)

    return report
