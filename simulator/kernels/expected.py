"""When running jobs are expected to end: by their requested times, cluster by cluster.

Each cluster has a sorted list in its own part of one array, the first to end last, so that jobs
which end as expected leave it at its end.
"""

import numpy as np

from simulator.kernels.checkpoints import stretched
from simulator.kernels.compile import kernel
from simulator.kernels.tables import BACKFILL, ENDS, ENDS_BASE, PLAIN


@kernel(inline="llvm")
def requested(jobs, power, cluster, job, level):
    """Return for how long a job asks at the speed of a cluster's nodes and power level. [ms]"""
    length = jobs.requested_ms[job] / jobs.speed[jobs.workload[job], cluster]
    if level > 0:
        length /= power.level_speed[cluster, level]
    if len(jobs.plan.way) > 0:
        length = stretched(jobs, cluster, job, length)
    return np.int64(np.rint(length))


@kernel(inline="always")
def place_of(queueing, base, count, end_ms, slot):
    """Return where an end stands, or would stand, in a list."""
    low = 0
    high = count
    while low < high:
        middle = (low + high) >> 1
        other_ms = queueing.ends_ms[base + middle]
        if other_ms > end_ms or (
            other_ms == end_ms and queueing.ends_slot[base + middle] > slot
        ):
            low = middle + 1
        else:
            high = middle
    return base + low


@kernel
def note_start(queueing, cluster, slot, job, workload, gpus, end_ms):
    """Note that a job began, when it is expected to end, and what its workload holds."""
    queueing.held[workload] += gpus
    queueing.slot_job[slot] = job
    queueing.slot_end_ms[slot] = end_ms
    if queueing.rules[cluster, BACKFILL] == PLAIN:
        return
    base = queueing.rules[cluster, ENDS_BASE]
    count = queueing.rules[cluster, ENDS]
    at = place_of(queueing, base, count, end_ms, slot)
    for place in range(base + count, at, -1):
        queueing.ends_ms[place] = queueing.ends_ms[place - 1]
        queueing.ends_slot[place] = queueing.ends_slot[place - 1]
    queueing.ends_ms[at] = end_ms
    queueing.ends_slot[at] = slot
    queueing.rules[cluster, ENDS] = count + 1


@kernel
def note_end(queueing, cluster, slot, workload, gpus):
    """Forget a job that ended."""
    queueing.held[workload] -= gpus
    if queueing.rules[cluster, BACKFILL] == PLAIN:
        return
    base = queueing.rules[cluster, ENDS_BASE]
    count = queueing.rules[cluster, ENDS] - 1
    at = place_of(queueing, base, count + 1, queueing.slot_end_ms[slot], slot)
    for place in range(at, base + count):
        queueing.ends_ms[place] = queueing.ends_ms[place + 1]
        queueing.ends_slot[place] = queueing.ends_slot[place + 1]
    queueing.rules[cluster, ENDS] = count
