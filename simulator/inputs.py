"""What a run reads: the scenario with its fleet, jobs and grids, opened and checked."""

import hashlib
import json
from dataclasses import dataclass

from simulator.errors import InputError, Issue
from simulator.fleet import Fleet, fleet_of
from simulator.power.ladder import Descent, Ladders, ladders_of
from simulator.scenario.model import Cluster, NodeType, Scenario
from simulator.traces.grid import GridTrace, open_grid
from simulator.version import MODEL_VERSION, SCHEMA_VERSION
from simulator.workload.generate import job_table
from simulator.workload.table import JobTable


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

    def ladders(self) -> Ladders:
        """Return the ladders of idle states, with fresh draws."""
        clusters = self.scenario.clusters.values()
        descents = [descent_of(self.scenario.nodes[at.node], at) for at in clusters]
        return ladders_of(
            descents,
            self.fleet.idle_w,
            self.fleet.cluster_names,
            nodes=int(self.fleet.first_node[-1]),
            seed=self.scenario.seed,
        )

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


def descent_of(node: NodeType, cluster: Cluster) -> Descent:
    """Return what idle nodes of a cluster do."""
    return Descent(node.idle_states) if cluster.idle == "ladder" else Descent()


def open_inputs(scenario: Scenario) -> Inputs:
    """Open every trace and make the job table.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    fleet = fleet_of(scenario)
    issues: list[Issue] = []
    average, marginal = open_grids(scenario, issues)
    try:
        jobs = job_table(scenario, fleet, seed=scenario.seed)
    except InputError as error:
        issues += error.issues
    if issues:
        raise InputError(scenario.source, issues)
    return Inputs(scenario, fleet, jobs, tuple(average), tuple(marginal))


def open_grids(
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
