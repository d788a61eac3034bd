"""What a run reads: the scenario with its fleet, jobs and grids, opened and checked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from simulator.errors import InputError, Issue
from simulator.fleet import Fleet, fleet_of
from simulator.origin import Origin
from simulator.policies import provisioning_of
from simulator.power.budgets import powerless_jobs
from simulator.power.curves import curves_of
from simulator.power.failures import failures_of
from simulator.power.ladder import ladders_of
from simulator.power.tables import PowerTables
from simulator.registry import dispatch, placement, provisioning, scheduling
from simulator.scenario.laws import Empirical
from simulator.scenario.model import Scenario
from simulator.supply.traces import SupplyTraces, open_supplies
from simulator.traces.grid import GridTrace
from simulator.traces.opened import Opened, opened_by
from simulator.traces.sites import all_traces, edges_of, open_grids, open_weathers
from simulator.traces.trace import Trace
from simulator.workload.empirical import Sample, read
from simulator.workload.generate import job_table
from simulator.workload.queues import (
    fair_share_warnings,
    order_warnings,
    preemption_warnings,
    unlike_queues_of_jobs,
)
from simulator.workload.quotas import quota_warnings, quotas_of
from simulator.workload.table import JobTable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
    weather : tuple of Trace or None
        Outside temperature of each site; None where nothing depends on it. [degC]
    supply : tuple of SupplyTraces or None
        What the supply of each site reads; None where it has none.
    opened : Opened or None
        Keeps what is read of files.
    """

    scenario: Scenario
    fleet: Fleet
    jobs: JobTable
    average: tuple[GridTrace, ...]
    marginal: tuple[GridTrace | None, ...]
    weather: tuple[Trace | None, ...]
    supply: tuple[SupplyTraces | None, ...]
    opened: Opened | None = None

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Every trace: grids, those of one site after another, then weather and then supply."""
        rest = [trace for known in self.supply if known is not None for trace in known]
        return (*all_traces(self.average, self.marginal, self.weather), *rest)

    @property
    def supplied_grids(self) -> tuple[GridTrace, ...]:
        """The grids of sites with supply, average and marginal."""
        rows = zip(self.supply, self.average, self.marginal, strict=True)
        found = [grid for supply, *grids in rows if supply is not None for grid in grids]
        return tuple(grid for grid in found if grid is not None)

    @property
    def idle_laws(self) -> tuple[Sample, ...]:
        """Laws that are columns of files beside those of jobs: wake times, failures, parameters."""
        return tuple(opened_by(self.opened, read, law) for law in _idle_laws(self.scenario))

    @property
    def edges(self) -> tuple[tuple[str, int], ...]:
        """Where bins must begin: the length of which edges are multiples, by path. [ms]

        The fixed losses of a building are shared out over the IT energy of the hour, and contracts
        are matched by the hour.
        """
        return edges_of(self.scenario, self.traces)

    def intensity(self, site: int, now_ms: int) -> tuple[float, float | None]:
        """Return the average and the marginal intensity at a site, the latter None without one.

        Parameters
        ----------
        site : int
            Its number in the scenario.
        now_ms : int
            Since the start. [ms]
        """
        start_ms = (self.scenario.start - _EPOCH) // timedelta(milliseconds=1)
        at = np.array([start_ms + now_ms])
        marginal = self.marginal[site]
        return (
            float(self.average[site].course.at(at)[0]),
            None if marginal is None else float(marginal.course.at(at)[0]),
        )

    def power(self) -> PowerTables:
        """Return what nodes draw, with fresh draws of random times."""
        clusters = provisioning_of(self.scenario).values()
        ladders = ladders_of(
            [cluster.descent for cluster in clusters],
            self.fleet.idle_w,
            self.fleet.cluster_names,
            max_waking=[cluster.max_waking for cluster in clusters],
            nodes=int(self.fleet.first_node[-1]),
            seed=self.scenario.seed,
            opened=self.opened,
        )
        may_leave = np.array([cluster.may_leave for cluster in clusters])
        failures = failures_of(self.scenario, self.fleet, opened=self.opened)
        return PowerTables(curves_of(self.scenario), ladders, may_leave, failures)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was accepted with a warning, each once."""
        said = [*self.scenario.warnings, *self.jobs.warnings]
        said += quota_warnings(self.jobs, quotas_of(self.scenario))
        said += fair_share_warnings(self.scenario, self.jobs)
        said += order_warnings(self.scenario, self.jobs)
        said += preemption_warnings(self.scenario, self.jobs)
        for trace in self.traces:
            said += trace.warnings
        return tuple(dict.fromkeys(said))

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Name and SHA-256 of every file that was read."""
        files = [(name, digest) for name, digest, _ in self.jobs.inputs]
        files += [(law.text, law.sha256) for law in self.idle_laws]
        files += [
            (trace.file, trace.file_sha256)
            for trace in self.traces
            if trace.file and trace.file_sha256
        ]
        return tuple(dict.fromkeys(files))

    @property
    def key(self) -> str:
        """Address of the run: SHA-256 of scenario, seed, contents of inputs and versions."""
        return self.origin.key(self.scenario, (trace.sha256 for trace in self.traces))

    @property
    def origin(self) -> Origin:
        """What the address of the run is made of beside its scenario and its traces."""
        # What few runs have is added only where it is, so that the others keep their keys.
        code = provisioning.sources(each.idle.policy for each in self.scenario.clusters.values())
        rare: list[Any] = [[law.sha256 for law in self.idle_laws], sorted(code.items())]
        queues = scheduling.sources(each.queue.policy for each in self.scenario.clusters.values())
        rare += [sorted(queues.items())] if queues else []
        ways = dispatch.sources(each.clusters.policy for each in self.scenario.workloads.values())
        rare += [{"dispatch": sorted(ways.items())}] if ways else []
        places = placement.sources(_placing(self.scenario))
        rare += [["placement", sorted(places.items())]] if places else []
        jobs = tuple(content for _, _, content in self.jobs.inputs)
        return Origin(jobs, json.dumps(rare, separators=(",", ":")) if any(rare) else "")


def _placing(scenario: Scenario) -> list[str]:
    """Return the names of placement policies in plain Python."""
    chosen = [cluster.placement for cluster in scenario.clusters.values()]
    return [each.policy for each in chosen if not isinstance(each, str)]


def open_inputs(scenario: Scenario, opened: Opened | None = None) -> Inputs:
    """Open every trace and make the job table.

    Parameters
    ----------
    scenario : Scenario
    opened : Opened, optional
        Keeps what is read of files for the next scenario that names them.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    fleet = fleet_of(scenario)
    issues: list[Issue] = []
    average, marginal = open_grids(scenario, issues, opened)
    weather = open_weathers(scenario, issues, opened)
    supply = open_supplies(scenario, issues, opened)
    try:
        jobs = job_table(scenario, fleet, seed=scenario.seed, opened=opened)
    except InputError as error:
        issues += error.issues
    else:
        issues += powerless_jobs(scenario, fleet, jobs)
        issues += unlike_queues_of_jobs(scenario, jobs)
    if issues:
        raise InputError(scenario.source, issues)
    return Inputs(scenario, fleet, jobs, tuple(average), tuple(marginal), weather, supply, opened)


def _idle_laws(scenario: Scenario) -> Iterator[Empirical]:
    """Yield the laws of files that nodes and policies follow, in the scenario's order."""
    for _, node in sorted(scenario.nodes.items()):
        for state in node.idle_states:
            if isinstance(state.wake_time, Empirical):
                yield state.wake_time
        for law in (node.failures.mtbf, node.failures.repair) if node.failures else ():
            if isinstance(law, Empirical):
                yield law
    for cluster in scenario.clusters.values():
        for value in (*cluster.idle.parameters.values(), *cluster.queue.parameters.values()):
            if isinstance(value, Empirical):
                yield value
    for workload in scenario.workloads.values():
        for value in workload.clusters.parameters.values():
            if isinstance(value, Empirical):
                yield value
