"""What clusters have before them: the work that waits and the work that runs, as running sums.

They make the expected wait of a job a matter of a few look-ups. All of them go by requested times
at the speed of the cluster; sums of whole numbers, exact up to 2^53 accelerator-milliseconds.
"""

import numpy as np

from simulator.kernels.checkpoints import stretched
from simulator.kernels.compile import kernel
from simulator.kernels.placement import fits
from simulator.kernels.shadow import requested
from simulator.kernels.tables import (
    AWAKING,
    DOWN,
    JOB,
    NOW_MS,
    OWNED,
    ROUTE_FIRST,
    ROUTE_LAST,
    SLEEPING,
    WHOLE,
    WITH_FREE,
)


@kernel
def note_waiting(loads, jobs, tables, job, sign):
    """Count a job among those that wait for each cluster of its route, or no longer."""
    if loads is not None and len(loads.jobs) > 0:
        route = np.int64(jobs.route[job])
        for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
            cluster = tables.route_cluster[at]
            loads.jobs[cluster] += sign
            loads.asked_ms[cluster] += sign * float(jobs.gpus[job]) * asked(jobs, cluster, job)


@kernel
def asked(jobs, cluster, job):
    """Return for how long a job asks at a cluster's own power level, in whole ms. [ms]"""
    length = jobs.requested_ms[job] / jobs.speed[jobs.workload[job], cluster]
    if len(jobs.plan.way) > 0:
        length = stretched(jobs, cluster, job, length)
    return np.rint(length)


@kernel
def note_begin(loads, jobs, tables, power, cluster, job, slot, level, across):
    """Count a job that starts among those that run."""
    if loads is not None and len(loads.jobs) > 0:
        end_ms = tables.clock[NOW_MS] + requested(jobs, power, cluster, job, level, across)
        loads.slot_end_ms[slot] = end_ms
        loads.ends_ms[cluster] += float(jobs.gpus[job]) * end_ms
        loads.held[cluster] += jobs.gpus[job]


@kernel
def note_end(loads, jobs, tables, cluster, slot):
    """Count a job that ends, or is cut short, no longer among those that run."""
    if loads is not None and len(loads.jobs) > 0:
        gpus = jobs.gpus[np.int64(tables.slots[slot, JOB])]
        loads.ends_ms[cluster] -= float(gpus) * loads.slot_end_ms[slot]
        loads.held[cluster] -= gpus


@kernel
def note_stop(loads, cluster, slot, gpus, end_ms):
    """Count a running job as one that ends at another time."""
    if loads is not None and len(loads.jobs) > 0:
        loads.ends_ms[cluster] += float(gpus) * (end_ms - loads.slot_end_ms[slot])
        loads.slot_end_ms[slot] = end_ms


@kernel
def expected_wait(loads, jobs, tables, cluster, job):
    """Return how long a job that is submitted now is expected to wait for a cluster. [ms]

    Where nobody waits for the cluster: 0 if it fits now, and the longest that a node takes to wake
    if it would fit with the sleepers awake. Else the accelerator-time that those who wait for it
    ask for, and what is left of those that run, over the accelerators in service; at least 1 ms.
    Who runs longer than requested counts negative; inf without a node in service.
    """
    clusters = tables.clusters
    gpus = np.int64(jobs.gpus[job])
    if loads.jobs[cluster] == 0:
        if fits(clusters, cluster, gpus):
            return 0.0
        if fits_awakened(clusters, cluster, gpus):
            return float(loads.wake_ms[cluster])
    count = clusters[cluster, WHOLE] * (clusters[cluster, OWNED] - clusters[cluster, DOWN])
    if count <= 0:
        return np.inf
    left_ms = loads.ends_ms[cluster] - float(tables.clock[NOW_MS]) * loads.held[cluster]
    return max(1.0, (loads.asked_ms[cluster] + left_ms) / count)


@kernel
def fits_awakened(clusters, cluster, gpus):
    """Return whether a gang would fit if all open sleepers were awake."""
    whole = clusters[cluster, WHOLE]
    away = clusters[cluster, SLEEPING] + clusters[cluster, AWAKING]
    if away == 0:
        return False
    count = gpus // whole
    rest = gpus - count * whole
    left = clusters[cluster, WITH_FREE + whole] + away - count
    if left > 0 or rest == 0:
        return left >= 0
    partly = False
    for free in range(rest, whole):
        if clusters[cluster, WITH_FREE + free] > 0:
            partly = True
    return left == 0 and partly
