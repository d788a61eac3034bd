"""Which jobs the power budgets of a cluster and its site leave room for when nothing else runs."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from simulator.errors import Issue
from simulator.fleet import Fleet
from simulator.kernels.curves import Curves
from simulator.kernels.power import ROUNDING, draw_alone
from simulator.power.curves import curves_of
from simulator.scenario.laws import Constant
from simulator.scenario.model import Scenario
from simulator.scenario.paths import dotted
from simulator.traces.findings import counted
from simulator.workload.replay import jobs_listed
from simulator.workload.table import JobTable


def able_jobs(
    fleet: Fleet, curves: Curves, jobs: JobTable, rows: NDArray[np.int64], cluster: int
) -> NDArray[np.bool_]:
    """Return which jobs a cluster could hold if it and its site were empty, bool[rows]."""
    gpus = np.ascontiguousarray(jobs.gpus[rows], np.int32)
    found: NDArray[np.bool_] = -(-gpus // fleet.accelerators[cluster]) <= fleet.node_count[cluster]
    if fleet.budgeted[cluster]:
        least = np.empty(len(rows))
        utilisation = np.ascontiguousarray(jobs.utilisation[rows], np.float64)
        draw_alone(curves, cluster, gpus, utilisation, least)
        lowest = fleet.level_draw[cluster, fleet.level_count[cluster] - 1]
        span_w = (fleet.busy_w[cluster] - fleet.idle_w[cluster]) / fleet.accelerators[cluster]
        found &= span_w * lowest * least <= fleet.room_w[cluster] * (1.0 + ROUNDING)
    return found


def powerless_jobs(scenario: Scenario, fleet: Fleet, jobs: JobTable) -> Iterator[Issue]:
    """Yield a problem for each job file with jobs that no budget of their clusters allows.

    Jobs that are drawn, or whose utilisation is, are no mistake of the file: they are counted as
    unschedulable.
    """
    if not fleet.budgeted.any():
        return
    curves = curves_of(scenario)
    for at, (name, workload) in enumerate(scenario.workloads.items()):
        if workload.jobs is None or not isinstance(workload.utilisation, Constant):
            continue
        never = _never(fleet, curves, jobs, jobs.workload == at)
        if never.any():
            said = (
                f"{workload.jobs.text}: {counted(int(never.sum()), 'job')} of more power than the "
                "budgets of their clusters and sites leave at the lowest power level when nothing "
                f"else runs: {jobs_listed(jobs.job_ids(), never, jobs.gpus)}; raise the "
                "power_budget or take them out"
            )
            yield Issue(dotted(("workloads", name, "jobs")), said)


def _never(
    fleet: Fleet, curves: Curves, jobs: JobTable, chosen: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which of the chosen jobs none of their clusters could hold, bool[jobs]."""
    never = chosen.copy()
    for route, clusters in enumerate(jobs.routes):
        rows = np.flatnonzero(chosen & (jobs.route == route))
        for cluster in clusters:
            if len(rows):
                never[rows[able_jobs(fleet, curves, jobs, rows, cluster)]] = False
    return never
