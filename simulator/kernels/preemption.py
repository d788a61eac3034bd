"""Preemption: jobs of lower priority are ended, or suspended, for one that waits first.

Whether the first one would fit is told by counting nodes by what would be free of them, as for the
shadow time of EASY backfill. Jobs that are being suspended hold their accelerators until their
state is saved; these count as free to come, so that nobody else is preempted for the same need.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import agenda, loads
from simulator.kernels.compile import kernel
from simulator.kernels.expected import note_end, note_start
from simulator.kernels.gangs import complete, cut_short
from simulator.kernels.shadow import fits_later
from simulator.kernels.tables import (
    ANYTHING,
    AWAKING,
    CLUSTER,
    COMPLETIONS,
    FIRST,
    FIRST_NODE,
    FOREVER_MS,
    JOB,
    KNOWN,
    LESS,
    LISTED,
    MORE,
    NEXT_WHOLE,
    NOBODY,
    NODE_FREE,
    NODE_WHOLE,
    NODES,
    NONE,
    NOW_MS,
    OPEN,
    PART_GPUS,
    PART_NODE,
    RESTART,
    ROUTE_FIRST,
    ROUTE_LAST,
    RUNNING,
    SLEEPING,
    SUSPEND,
    TURN_OF,
    WHOLE,
    WHOLE_COUNT,
    WHOLE_HEAD,
    WITH_FREE,
)

NOBODY_BELOW = np.iinfo(np.int32).max  # lowest priority where no job is preemptible


class Preemption(NamedTuple):
    """Who may be preempted for whom, and what it takes; None in plain runs."""

    way: NDArray[np.int64]  # [clusters] NOBODY, RESTART or SUSPEND
    after_ms: NDArray[np.int64]  # [clusters] begin of a run in which its job is not preempted
    suspend_ms: NDArray[np.int64]  # [clusters] time that saving the state of a job takes
    resume_ms: NDArray[np.float64]  # [clusters] time that taking it up again takes
    priority: NDArray[np.int32]  # [jobs]
    preemptible: NDArray[np.int8]  # [jobs]
    least: int  # lowest priority of a preemptible job, NOBODY_BELOW without any
    look_ms: NDArray[np.int64]  # [1] when somebody may be preempted for whom a job waits
    stopped_ms: NDArray[np.int64]  # [slots] since when a job is being suspended, NONE where not
    with_free: NDArray[np.int64]  # [clusters, most accelerators + 1] nodes by what would be free
    more: NDArray[np.int32]  # [nodes] accelerators that would be free besides
    candidates: NDArray[np.int32]  # [slots]
    victims: NDArray[np.int32]  # [slots]


@kernel(inline="llvm")
def end_one(jobs, tables, queueing, power, preemption, pieces):
    """Settle the first end of the agenda: a job completes, or its state is saved by now.

    Returns what a scheduler should hear of it.
    """
    slot = tables.agenda[0] & ((1 << tables.bits) - 1)
    if preemption.stopped_ms[slot] < 0:
        complete(jobs, tables, queueing, power)
        return COMPLETIONS
    cut_short(jobs, tables, queueing, power, preemption, pieces, slot, SUSPEND)
    return ANYTHING


@kernel(inline="llvm")
def may_preempt(tables, queueing, preemption, route):
    """Return whether a job whose turn it is may preempt others on a cluster of its route."""
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if preemption.way[cluster] != NOBODY and queueing.rules[cluster, TURN_OF] == OPEN:
            return True
    return False


@kernel
def make_room(jobs, tables, queueing, power, preemption, pieces, route, job):
    """Preempt for a job whose turn it is and that fits nowhere.

    Returns the cluster where it fits now, NONE where it must wait: for what others are to leave, or
    because nobody, or too few, can be preempted for it.
    """
    if preemption.priority[job] <= preemption.least or awaits(
        jobs, tables, queueing, preemption, route, job
    ):
        return NONE
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if queueing.rules[cluster, TURN_OF] != OPEN or preemption.way[cluster] == NOBODY:
            continue
        count = find_candidates(jobs, tables, preemption, cluster, job)
        if count > 0:
            victims = choose_victims(jobs, tables, preemption, cluster, job, count)
            queueing.rules[cluster, KNOWN] = 0
            if preemption.way[cluster] == SUSPEND and preemption.suspend_ms[cluster] > 0:
                for victim in range(victims):
                    slot = np.int64(preemption.victims[victim])
                    suspend(jobs, tables, queueing, preemption, cluster, slot)
                return NONE
            cause = SUSPEND if preemption.way[cluster] == SUSPEND else RESTART
            for victim in range(victims):
                slot = np.int64(preemption.victims[victim])
                cut_short(jobs, tables, queueing, power, preemption, pieces, slot, cause)
            return cluster
    return NONE


@kernel
def awaits(jobs, tables, queueing, preemption, route, job):
    """Return whether a job will fit once jobs are suspended, and nodes awake, that are to be."""
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if queueing.rules[cluster, TURN_OF] == OPEN:
            count_to_come(tables, preemption, cluster)
            if would_fit(jobs, tables, preemption, cluster, job):
                return True
    return False


@kernel
def find_candidates(jobs, tables, preemption, cluster, job):
    """Find who could be preempted for a job; return how many they are, 0 if they are too few.

    Where they are enough but for those that have only begun to run, a pass is made when the first
    of these may be preempted.
    """
    now = tables.clock[NOW_MS]
    after_ms = preemption.after_ms[cluster]
    count_to_come(tables, preemption, cluster)
    count = np.int64(0)
    protected = np.int64(0)
    look_ms = FOREVER_MS
    for at in range(tables.clock[RUNNING]):
        slot = tables.agenda[at] & ((1 << tables.bits) - 1)
        if not may_be_victim(jobs, tables, preemption, cluster, slot, job):
            continue
        until_ms = jobs.start_ms[tables.slots[slot, JOB]] + after_ms
        if until_ms <= now:
            leave_free(tables, preemption, cluster, slot, MORE)
            preemption.candidates[count] = slot
            count += 1
        else:
            preemption.victims[protected] = slot
            protected += 1
            look_ms = min(look_ms, until_ms)
    if would_fit(jobs, tables, preemption, cluster, job):
        return count
    for at in range(protected):
        leave_free(tables, preemption, cluster, np.int64(preemption.victims[at]), MORE)
    if protected > 0 and would_fit(jobs, tables, preemption, cluster, job):
        preemption.look_ms[0] = min(preemption.look_ms[0], look_ms)
    return np.int64(0)


@kernel(inline="llvm")
def may_be_victim(jobs, tables, preemption, cluster, slot, job):
    """Return whether a running job may be preempted for another, but for how long it has run.

    It stands behind the other in the queue too: where waiting counts as priority it might else be
    served first again.
    """
    other = np.int64(tables.slots[slot, JOB])
    return (
        tables.slots[slot, CLUSTER] == cluster
        and preemption.preemptible[other] == 1
        and preemption.priority[other] < preemption.priority[job]
        and preemption.stopped_ms[slot] < 0
        and (jobs.level[job], job) < (jobs.level[other], other)
    )


@kernel
def choose_victims(jobs, tables, preemption, cluster, job, count):
    """Choose victims among the candidates, who suffice; return how many they are.

    They are taken in order until the job fits. Those who turn out not to be needed are spared, the
    last one taken first.
    """
    candidates = preemption.candidates
    victims = preemption.victims
    count_to_come(tables, preemption, cluster)
    for at in range(count // 2 - 1, -1, -1):
        sink(jobs, tables, preemption, at, count)
    taken = np.int64(0)
    while not would_fit(jobs, tables, preemption, cluster, job):
        slot = np.int64(candidates[0])
        count -= 1
        candidates[0] = candidates[count]
        sink(jobs, tables, preemption, FIRST, count)
        leave_free(tables, preemption, cluster, slot, MORE)
        victims[taken] = slot
        taken += 1
    kept = taken
    for at in range(taken - 1, -1, -1):
        slot = np.int64(victims[at])
        leave_free(tables, preemption, cluster, slot, LESS)
        if would_fit(jobs, tables, preemption, cluster, job):
            kept -= 1
            for place in range(at, kept):
                victims[place] = victims[place + 1]
        else:
            leave_free(tables, preemption, cluster, slot, MORE)
    return kept


@kernel
def sink(jobs, tables, preemption, at, count):
    """Let a candidate sink in the heap of those that are preempted first, which stands below it."""
    candidates = preemption.candidates
    while True:
        child = 2 * at + 1
        if child >= count:
            return
        if child + 1 < count and is_first(jobs, tables, preemption, child + 1, child):
            child += 1
        if not is_first(jobs, tables, preemption, child, at):
            return
        candidates[at], candidates[child] = candidates[child], candidates[at]
        at = child


@kernel(inline="llvm")
def is_first(jobs, tables, preemption, one, other):
    """Return whether a candidate is preempted before another.

    The lower priority is, then what started later, then the higher row.
    """
    first = np.int64(tables.slots[preemption.candidates[one], JOB])
    second = np.int64(tables.slots[preemption.candidates[other], JOB])
    if preemption.priority[first] != preemption.priority[second]:
        return preemption.priority[first] < preemption.priority[second]
    if jobs.start_ms[first] != jobs.start_ms[second]:
        return jobs.start_ms[first] > jobs.start_ms[second]
    return first > second


@kernel(inline="llvm")
def would_fit(jobs, tables, preemption, cluster, job):
    """Return whether a job would fit what is counted as free."""
    whole = tables.clusters[cluster, WHOLE]
    return fits_later(preemption.with_free, cluster, whole, jobs.gpus[job])


@kernel
def count_to_come(tables, preemption, cluster):
    """Count a cluster's nodes by what is free, or will be without anybody being preempted.

    Sleeping nodes are, once they are awake, and accelerators of jobs that are being suspended.
    """
    clusters = tables.clusters
    whole = clusters[cluster, WHOLE]
    first = clusters[cluster, FIRST_NODE]
    for node in range(first, first + clusters[cluster, NODES]):
        preemption.more[node] = 0
    for free in range(whole + 1):
        preemption.with_free[cluster, free] = clusters[cluster, WITH_FREE + free]
    preemption.with_free[cluster, whole] += clusters[cluster, SLEEPING] + clusters[cluster, AWAKING]
    for at in range(tables.clock[RUNNING]):
        slot = tables.agenda[at] & ((1 << tables.bits) - 1)
        if preemption.stopped_ms[slot] >= 0 and tables.slots[slot, CLUSTER] == cluster:
            leave_free(tables, preemption, cluster, slot, MORE)


@kernel
def leave_free(tables, preemption, cluster, slot, sign):
    """Count a running job's accelerators as free, or no longer."""
    slots = tables.slots
    node = np.int64(slots[slot, WHOLE_HEAD])
    for _ in range(slots[slot, WHOLE_COUNT]):
        shift(tables, preemption, cluster, node, sign * np.int64(tables.nodes[node, NODE_WHOLE]))
        node = np.int64(tables.nodes[node, NEXT_WHOLE])
    part = np.int64(slots[slot, PART_GPUS])
    if part > 0:
        shift(tables, preemption, cluster, np.int64(slots[slot, PART_NODE]), sign * part)


@kernel(inline="llvm")
def shift(tables, preemption, cluster, node, gpus):
    """Count so many accelerators more of a node as free, unless it is closed."""
    if tables.nodes[node, LISTED] == 1:
        before = np.int64(tables.nodes[node, NODE_FREE]) + np.int64(preemption.more[node])
        preemption.with_free[cluster, before] -= 1
        preemption.with_free[cluster, before + gpus] += 1
        preemption.more[node] += gpus


@kernel
def suspend(jobs, tables, queueing, preemption, cluster, slot):
    """Let a running job stop its work, and save its state before it leaves its nodes."""
    clock = tables.clock
    keys = tables.agenda
    job = np.int64(tables.slots[slot, JOB])
    end_ms = clock[NOW_MS] + preemption.suspend_ms[cluster]
    preemption.stopped_ms[slot] = clock[NOW_MS]
    jobs.end_ms[job] = end_ms
    for at in range(clock[RUNNING]):
        if keys[at] & ((1 << tables.bits) - 1) == slot:
            agenda.remove(keys, clock[RUNNING], at)
            break
    latest = (np.int64(1) << (62 - tables.bits)) - 1
    key = (min(end_ms, latest) << tables.bits) | slot
    agenda.push(keys, clock[RUNNING] - 1, key)
    note_end(tables, queueing, cluster, slot, jobs.workload[job], jobs.gpus[job])
    note_start(tables, queueing, cluster, slot, jobs.workload[job], jobs.gpus[job], end_ms)
    loads.note_stop(tables.loads, cluster, slot, jobs.gpus[job], end_ms)
