"""EASY backfill: the one reservation of a cluster, and who may start beside it.

The shadow time is the first instant at which the job that waits first would fit if running jobs
ended as their users said. What will be free then is kept as it is for placement now: nodes counted
by their free accelerators. Waking nodes count from when the last of them is awake, failed ones from
the last repair, and sleepers from the longest that one may take to wake.
"""

import numpy as np

from simulator.kernels.checkpoints import stretched
from simulator.kernels.compile import kernel
from simulator.kernels.locality import node_for_rest, speed_if_placed
from simulator.kernels.tables import (
    AWAKING,
    BELOW,
    CLOSED,
    DOWN,
    ENDS,
    ENDS_BASE,
    FIRST_NODE,
    FOREVER_MS,
    HEAD,
    KNOWN,
    LAST_WOKEN,
    LATER_NODES,
    LESS,
    LISTED,
    LONGEST_WAKE_MS,
    MENDING,
    MORE,
    NEXT_WHOLE,
    NODE_CLUSTER,
    NODE_FREE,
    NODE_WHOLE,
    NOW_MS,
    PART_GPUS,
    PART_NODE,
    SHADOW_MS,
    SLEEPING,
    WHOLE,
    WHOLE_COUNT,
    WHOLE_HEAD,
    WITH_FREE,
)


@kernel
def forget(tables, queueing, cluster):
    """Forget what was found about a cluster's shadow time."""
    first = tables.clusters[cluster, FIRST_NODE]
    for at in range(queueing.rules[cluster, LATER_NODES]):
        node = queueing.later_nodes[first + at]
        queueing.later[node] = 0
        queueing.noted[node] = 0
    queueing.rules[cluster, LATER_NODES] = 0


@kernel
def reserve(jobs, tables, sleepers, queueing, cluster, job):
    """Find a job's shadow time in a cluster, and what will be free in it then.

    The time is FOREVER_MS where it would not fit even if everybody had ended.
    """
    clusters = tables.clusters
    now = tables.clock[NOW_MS]
    whole = clusters[cluster, WHOLE]
    with_free = queueing.later_with
    forget(tables, queueing, cluster)
    for free in range(whole + 1):
        with_free[cluster, free] = clusters[cluster, WITH_FREE + free]
    waking_ms = last_waking_ms(tables, sleepers, cluster)
    resting_ms = FOREVER_MS
    if clusters[cluster, SLEEPING] > 0:
        resting_ms = now + queueing.rules[cluster, LONGEST_WAKE_MS]
    mended, mended_ms = to_be_repaired(tables, sleepers, cluster)
    base = queueing.rules[cluster, ENDS_BASE]
    at = base + queueing.rules[cluster, ENDS] - 1
    while True:
        ends_ms = FOREVER_MS
        if at >= base:
            ends_ms = max(queueing.ends[at] >> tables.bits, now + 1)
        shadow_ms = min(ends_ms, waking_ms, resting_ms, mended_ms)
        if shadow_ms == FOREVER_MS:
            break
        while at >= base and max(queueing.ends[at] >> tables.bits, now + 1) == shadow_ms:
            slot = queueing.ends[at] & ((1 << tables.bits) - 1)
            release(tables, queueing, cluster, slot)
            at -= 1
        if waking_ms == shadow_ms:
            with_free[cluster, whole] += clusters[cluster, AWAKING]
            waking_ms = FOREVER_MS
        if resting_ms == shadow_ms:
            with_free[cluster, whole] += clusters[cluster, SLEEPING]
            resting_ms = FOREVER_MS
        if mended_ms == shadow_ms:
            with_free[cluster, whole] += mended
            mended_ms = FOREVER_MS
        if fits_later(with_free, cluster, whole, jobs.gpus[job]):
            break
    queueing.rules[cluster, HEAD] = job
    queueing.rules[cluster, SHADOW_MS] = shadow_ms
    queueing.rules[cluster, KNOWN] = 1


@kernel(inline="llvm")
def requested(jobs, power, cluster, job, level, across):
    """Return for how long a job asks at the speed of a cluster's nodes and power level. [ms]

    `across` is its relative speed, below 1 where it spans racks.
    """
    length = jobs.requested_ms[job] / jobs.speed[jobs.workload[job], cluster]
    if level > 0:
        length /= power.level_speed[cluster, level]
    length /= across
    if len(jobs.plan.way) > 0:
        length = stretched(jobs, cluster, job, length)
    return np.int64(np.rint(length))


@kernel
def free_now(tables, queueing, slot):
    """Count a job's accelerators as free now where they were counted as free later."""
    slots = tables.slots
    node = slots[slot, WHOLE_HEAD]
    for _ in range(slots[slot, WHOLE_COUNT]):
        if tables.nodes[node, LISTED] == 1:
            queueing.later[node] -= tables.nodes[node, NODE_WHOLE]
        node = tables.nodes[node, NEXT_WHOLE]
    node = slots[slot, PART_NODE]
    if slots[slot, PART_GPUS] > 0 and tables.nodes[node, LISTED] == 1:
        queueing.later[node] -= slots[slot, PART_GPUS]


@kernel(inline="always")
def last_waking_ms(tables, sleepers, cluster):
    """Return when the last of a cluster's waking nodes is awake, FOREVER_MS if none wakes."""
    node = tables.clusters[cluster, LAST_WOKEN]
    last_ms = 0 if node >= 0 else FOREVER_MS
    while node >= 0:
        last_ms = max(last_ms, sleepers.due_ms[node])
        node = sleepers.rests[node, BELOW]
    return last_ms


@kernel(inline="llvm")
def to_be_repaired(tables, sleepers, cluster):
    """Return how many open nodes of a cluster are failed, and when the last is repaired. [1], [ms]

    FOREVER_MS where there is none.
    """
    count = 0
    last_ms = FOREVER_MS
    if tables.clusters[cluster, DOWN] > 0:
        for at in range(tables.clock[MENDING]):
            node = sleepers.menders[at]
            if tables.nodes[node, NODE_CLUSTER] == cluster and sleepers.rests[node, CLOSED] == 0:
                due_ms = sleepers.due_ms[node]
                last_ms = due_ms if count == 0 else max(last_ms, due_ms)
                count += 1
    return count, last_ms


@kernel(inline="llvm")
def release(tables, queueing, cluster, slot):
    """Count a running job's accelerators as free at the shadow time."""
    slots = tables.slots
    node = slots[slot, WHOLE_HEAD]
    for _ in range(slots[slot, WHOLE_COUNT]):
        free_later(tables, queueing, cluster, node, tables.nodes[node, NODE_WHOLE])
        node = tables.nodes[node, NEXT_WHOLE]
    if slots[slot, PART_GPUS] > 0:
        free_later(tables, queueing, cluster, slots[slot, PART_NODE], slots[slot, PART_GPUS])


@kernel(inline="llvm")
def free_later(tables, queueing, cluster, node, gpus):
    """Count so many accelerators more of a node as free later, unless it is closed."""
    if tables.nodes[node, LISTED] == 0:
        return
    before = tables.nodes[node, NODE_FREE] + queueing.later[node]
    queueing.later_with[cluster, before] -= 1
    queueing.later_with[cluster, before + gpus] += 1
    add_later(tables, queueing, cluster, node, gpus)


@kernel(inline="llvm")
def add_later(tables, queueing, cluster, node, gpus):
    """Note that a node will have so many accelerators more free than now."""
    if queueing.noted[node] == 0:
        count = queueing.rules[cluster, LATER_NODES]
        queueing.later_nodes[tables.clusters[cluster, FIRST_NODE] + count] = node
        queueing.rules[cluster, LATER_NODES] = count + 1
        queueing.noted[node] = 1
    queueing.later[node] += gpus


@kernel(inline="llvm")
def fits_later(with_free, cluster, whole, gpus):
    """Return whether a gang could be placed on nodes counted by their free accelerators."""
    count = gpus // whole
    rest = gpus - count * whole
    full = with_free[cluster, whole]
    possible = full >= count
    if possible and rest > 0 and full == count:
        possible = False
        for free in range(rest, whole):
            if with_free[cluster, free] > 0:
                possible = True
                break
    return possible


@kernel
def ends_in_time(jobs, tables, queueing, power, cluster, job, level):
    """Return whether a job that fits and starts now would end by the shadow time."""
    left_ms = queueing.rules[cluster, SHADOW_MS] - tables.clock[NOW_MS]
    if requested(jobs, power, cluster, job, level, 1.0) > left_ms:
        return False
    racks = queueing.racks
    size = np.int64(jobs.gpus[job])
    across = speed_if_placed(tables, queueing.chosen, racks, cluster, size)
    return across == 1.0 or requested(jobs, power, cluster, job, level, across) <= left_ms


@kernel
def leaves_room(jobs, tables, queueing, cluster, job):
    """Return whether the first job still fits at its time beside one that is placed now.

    If so what that one takes is taken from what is free then.
    """
    take_later(jobs, tables, queueing, cluster, job, MORE)
    head_gpus = jobs.gpus[queueing.rules[cluster, HEAD]]
    whole = tables.clusters[cluster, WHOLE]
    room = fits_later(queueing.later_with, cluster, whole, head_gpus)
    if not room:
        take_later(jobs, tables, queueing, cluster, job, LESS)
    return room


@kernel
def take_later(jobs, tables, queueing, cluster, job, sign):
    """Take what a job would hold if it were placed now from what is free later, or give it back."""
    whole = tables.clusters[cluster, WHOLE]
    with_free = queueing.later_with
    count = jobs.gpus[job] // whole
    rest = jobs.gpus[job] - count * whole
    with_free[cluster, whole] -= sign * count
    with_free[cluster, 0] += sign * count
    if rest > 0:
        node = node_for_rest(tables, queueing.chosen, queueing.racks, cluster, count, rest)
        before = tables.nodes[node, NODE_FREE] + queueing.later[node]
        with_free[cluster, before] -= sign
        with_free[cluster, before - rest] += sign


@kernel
def hold_until_then(tables, queueing, cluster, slot):
    """Note that what a job took just now will be free again at the shadow time."""
    slots = tables.slots
    node = slots[slot, WHOLE_HEAD]
    for _ in range(slots[slot, WHOLE_COUNT]):
        add_later(tables, queueing, cluster, node, tables.nodes[node, NODE_WHOLE])
        node = tables.nodes[node, NEXT_WHOLE]
    if slots[slot, PART_GPUS] > 0:
        add_later(tables, queueing, cluster, slots[slot, PART_NODE], slots[slot, PART_GPUS])
