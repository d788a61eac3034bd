"""Checkpoints: how often work is saved, how long that makes a run, and what a failure leaves of it.

A run is ``[restart] work checkpoint work checkpoint ... work``. What is saved at the end of a
checkpoint is done for good; what follows the last one is lost when the run is cut short.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel

# Ways to say the interval between checkpoints.
NEVER, FIXED, YOUNG, DALY = range(4)


class Plan(NamedTuple):
    """How jobs save their work, [workloads] unless said; empty where none does."""

    way: NDArray[np.int8]
    interval_ms: NDArray[np.float64]  # work between two checkpoints, where it is fixed
    cost_ms: NDArray[np.float64]
    restart_ms: NDArray[np.float64]
    at_end: NDArray[np.int8]  # 1 where the last segment ends with a checkpoint too
    mtbf_ms: NDArray[np.float64]  # [clusters] of one node, inf where none fails
    accelerators: NDArray[np.int64]  # [clusters] of one node


@kernel
def interval(plan, workload, cluster, gpus):
    """Return the work between the checkpoints of a gang, inf where it makes none. [ms]

    With C the cost and M the mean time between failures of the gang, that of a node over the
    number of its nodes: Young (1974) sqrt(2 C M); Daly (2006), of higher order,
    ``sqrt(2 C M) (1 + sqrt(C / 2M) / 3 + C / 2M / 9) - C``, and M where C is not below 2 M.
    """
    way = plan.way[workload]
    if way == NEVER:
        return np.inf
    if way == FIXED:
        return plan.interval_ms[workload]
    whole = plan.accelerators[cluster]
    mtbf_ms = plan.mtbf_ms[cluster] / ((gpus + whole - 1) // whole)
    cost_ms = plan.cost_ms[workload]
    if mtbf_ms == np.inf:
        return np.inf
    young_ms = np.sqrt(2.0 * cost_ms * mtbf_ms)
    if way == YOUNG:
        return young_ms
    if cost_ms >= 2.0 * mtbf_ms:
        return mtbf_ms
    ratio = cost_ms / (2.0 * mtbf_ms)
    return young_ms * (1.0 + np.sqrt(ratio) / 3.0 + ratio / 9.0) - cost_ms


@kernel(inline="llvm")
def checkpoints(plan, workload, work_ms, interval_ms):
    """Return how many checkpoints a run makes; the last segment may be a shorter one."""
    segments = max(1.0, np.ceil(work_ms / interval_ms))
    return segments if plan.at_end[workload] == 1 else segments - 1.0


@kernel
def stretched(jobs, cluster, job, work_ms):
    """Return how long a run takes with its checkpoints, and what it takes to go on at all. [ms]"""
    plan = jobs.plan
    workload = jobs.workload[job]
    if work_ms <= 0.0:
        return work_ms
    length = work_ms
    if plan.way[workload] != NEVER:
        interval_ms = interval(plan, workload, cluster, jobs.gpus[job])
        length += checkpoints(plan, workload, work_ms, interval_ms) * plan.cost_ms[workload]
    return length + before_work(jobs, job)


@kernel(inline="llvm")
def before_work(jobs, job):
    """Return how long the next run takes before it works. [ms]

    To resume, where it goes on from what a suspension kept; to restart, where it was cut short.
    """
    if len(jobs.resume_ms) > 0 and jobs.resume_ms[job] >= 0.0:
        return jobs.resume_ms[job]
    if jobs.restarts[job] > 0:
        return jobs.plan.restart_ms[jobs.workload[job]]
    return 0.0


@kernel
def kept_and_lost(jobs, cluster, job, work_ms, ran_ms):
    """Return the work that a run which is cut short has saved, and its time since. [ms], [ms]

    A run without a finished checkpoint has lost all of its time, that of its restart included.
    """
    plan = jobs.plan
    workload = jobs.workload[job]
    if len(plan.way) == 0 or plan.way[workload] == NEVER:
        return 0.0, float(ran_ms)
    restart_ms = before_work(jobs, job)
    interval_ms = interval(plan, workload, cluster, jobs.gpus[job])
    cycle_ms = interval_ms + plan.cost_ms[workload]
    made = np.floor(max(0.0, ran_ms - restart_ms) / cycle_ms)
    made = min(made, checkpoints(plan, workload, work_ms, interval_ms))
    if made <= 0.0:
        return 0.0, float(ran_ms)
    kept_ms = min(made * interval_ms, work_ms)
    return kept_ms, max(0.0, ran_ms - restart_ms - made * cycle_ms)


@kernel
def worked(jobs, cluster, job, work_ms, ran_ms):
    """Return the work that a run has done after so long, saved or not. [ms]"""
    plan = jobs.plan
    workload = jobs.workload[job]
    done_ms = max(0.0, ran_ms - before_work(jobs, job))
    if plan.way[workload] != NEVER:
        interval_ms = interval(plan, workload, cluster, jobs.gpus[job])
        if interval_ms < np.inf:
            cycle_ms = interval_ms + plan.cost_ms[workload]
            made = np.floor(done_ms / cycle_ms)
            done_ms = made * interval_ms + min(done_ms - made * cycle_ms, interval_ms)
    return min(done_ms, work_ms)


@kernel
def stretch(jobs, cluster, length_ms):
    """Make some runs, one for each job, as long as they take with their checkpoints."""
    for job in range(len(length_ms)):
        length_ms[job] = stretched(jobs, cluster, job, length_ms[job])


@kernel
def intervals(plan, workload, cluster, gpus, result):
    """Fill in the interval of each of some runs. [ms]"""
    for at in range(len(workload)):
        result[at] = interval(plan, workload[at], cluster[at], gpus[at])
