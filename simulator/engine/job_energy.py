"""What a job takes of energy on a cluster, if it has its nodes to itself."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import Fleet
from simulator.kernels.checkpoints import Plan, stretch
from simulator.kernels.power import draw_alone
from simulator.power.tables import PowerTables
from simulator.units import MS_PER_S
from simulator.workload.checkpoints import plan_of
from simulator.workload.speeds import speed_table
from simulator.workload.table import JobTable


class Sized(NamedTuple):
    """What decides how long jobs take with their checkpoints, [jobs] unless said."""

    plan: Plan
    workload: NDArray[np.int16]
    gpus: NDArray[np.int32]
    restarts: NDArray[np.int32]
    resume_ms: NDArray[np.float64]


def energy_j(
    fleet: Fleet,
    power: PowerTables,
    jobs: JobTable,
    pue: NDArray[np.float64],
    cluster: int,
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the energy that jobs are billed on a cluster, with its PUE, float64[rows]. [J]

    Dynamic energy at the job's utilisation and the idle power of the accelerators that it holds,
    for its time there at the cluster's own power level, checkpoints included, restarts not.

    Parameters
    ----------
    fleet : Fleet
    power : PowerTables
    jobs : JobTable
    pue : float64[sites]
    cluster : int
    rows : int64[rows]
        Jobs, by their rows.
    """
    gpus = np.ascontiguousarray(jobs.gpus[rows], np.int32)
    utilisation = np.ascontiguousarray(jobs.utilisation[rows], np.float64)
    drawn = np.empty(len(rows))
    draw_alone(power.curves, cluster, gpus, utilisation, drawn)
    whole = fleet.accelerators[cluster]
    dynamic_w = (fleet.busy_w[cluster] - fleet.idle_w[cluster]) / whole * drawn
    idle_w = fleet.idle_w[cluster] / whole * gpus
    energy: NDArray[np.float64] = (dynamic_w + idle_w) * pue[fleet.site[cluster]]
    energy *= lengths_ms(fleet, power, jobs, cluster, rows) / MS_PER_S
    return energy


def lengths_ms(
    fleet: Fleet, power: PowerTables, jobs: JobTable, cluster: int, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how long jobs take on a cluster if nothing fails, float64[rows]. [whole ms]"""
    workload = jobs.workload[rows]
    length_ms = jobs.duration_ms[rows] / speed_table(fleet, jobs)[workload, cluster]
    if jobs.savings:
        mtbf_ms = None if power.failures is None else power.failures.mtbf_ms
        sized = Sized(
            plan_of(jobs.savings, fleet, mtbf_ms),
            np.ascontiguousarray(workload, np.int16),
            np.ascontiguousarray(jobs.gpus[rows], np.int32),
            np.zeros(len(rows), np.int32),
            np.zeros(0),
        )
        stretch(sized, cluster, length_ms)
    whole_ms: NDArray[np.float64] = np.rint(length_ms)
    return whole_ms
