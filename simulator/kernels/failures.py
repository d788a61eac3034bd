"""Nodes that fail and are repaired.

A node's clock of failures runs while it is awake and stands still while it sleeps, wakes, is out of
service or is failed. All nodes that fail at one instant are settled together, so that no order
among them matters: their jobs are cut short in the order of the job table.
"""

import numpy as np

from simulator.kernels import due_heap
from simulator.kernels.compile import kernel
from simulator.kernels.gangs import cut_short
from simulator.kernels.placement import enlist, touch, unlist
from simulator.kernels.tables import (
    ABSENT,
    ANYTHING,
    AWAKE,
    CHANGED,
    CLOSED,
    CLOSED_EMPTY,
    DOWN,
    FAILED,
    FAILURE,
    FIRST,
    FOREVER_MS,
    IN_SERVICE,
    JOB,
    LEAVING,
    LISTED,
    MENDING,
    MOST_FAILURES,
    NEXT_WHOLE,
    NODE_CLUSTER,
    NODE_IDLE,
    NODE_STATE,
    NOW_MS,
    OWNED,
    PART_GPUS,
    PART_NODE,
    RUNNING,
    WHOLE_COUNT,
    WHOLE_HEAD,
)
from simulator.kernels.timers import take_timer


@kernel
def settle_failures(jobs, tables, sleepers, queueing, power, faults, preemption, pieces):
    """Settle the failures that are due now: jobs are cut short, then nodes are down."""
    clock = tables.clock
    now = clock[NOW_MS]
    struck = 0
    while clock[IN_SERVICE] > 0 and faults.due_ms[faults.heap[0]] == now:
        node = np.int64(faults.heap[0])
        stop_clock(tables, faults, node, now)
        faults.failed_ms[node] = now
        faults.struck[struck] = node
        struck += 1
    if struck > 0:
        count = find_jobs(tables, faults)
        for at in range(count):
            slot = faults.cut[at] & ((1 << tables.bits) - 1)
            cut_short(jobs, tables, queueing, power, preemption, pieces, slot, FAILURE)
        for at in range(struck):
            fail(tables, sleepers, faults, np.int64(faults.struck[at]))
        clock[CHANGED] = ANYTHING


@kernel(inline="llvm")
def find_jobs(tables, faults):
    """Find the jobs that hold a node which fails now, in the order of the job table."""
    mask = (1 << tables.bits) - 1
    count = 0
    for at in range(tables.clock[RUNNING]):
        slot = tables.agenda[at] & mask
        if is_struck(tables, faults, slot):
            key = (np.int64(tables.slots[slot, JOB]) << tables.bits) | slot
            place = count
            while place > 0 and faults.cut[place - 1] > key:
                faults.cut[place] = faults.cut[place - 1]
                place -= 1
            faults.cut[place] = key
            count += 1
    return count


@kernel(inline="llvm")
def is_struck(tables, faults, slot):
    """Return whether a node of a running job fails now."""
    now = tables.clock[NOW_MS]
    slots = tables.slots
    struck = slots[slot, PART_GPUS] > 0 and faults.failed_ms[slots[slot, PART_NODE]] == now
    node = slots[slot, WHOLE_HEAD]
    for _ in range(slots[slot, WHOLE_COUNT]):
        struck |= faults.failed_ms[node] == now
        node = tables.nodes[node, NEXT_WHOLE]
    return struck


@kernel(inline="llvm")
def fail(tables, sleepers, faults, node):
    """Take a node that fails, and by now holds nothing, away from placement until its repair.

    One that was to leave the service leaves it.
    """
    clock = tables.clock
    nodes = tables.nodes
    rests = sleepers.rests
    cluster = np.int64(nodes[node, NODE_CLUSTER])
    if sleepers.heap_place[node] >= 0:
        take_timer(tables, sleepers, cluster, node)
    nodes[node, NODE_IDLE] = 0
    if nodes[node, LISTED] == 1:
        unlist(tables, cluster, node)
    else:
        tables.clusters[cluster, CLOSED_EMPTY] -= 1
        rests[node, CLOSED] = 1
    touch(tables, node)
    repair_ms = faults.repairs_ms[faults.failures[node], node]
    faults.failures[node] += 1
    faults.left_ms[node] = faults.lives_ms[faults.failures[node], node]
    clock[MOST_FAILURES] = max(clock[MOST_FAILURES], faults.failures[node])
    if rests[node, LEAVING] == 1:
        rests[node, LEAVING] = 0
        rests[node, CLOSED] = 0
        nodes[node, NODE_STATE] = ABSENT
        tables.clusters[cluster, OWNED] -= 1
        return
    nodes[node, NODE_STATE] = FAILED
    tables.clusters[cluster, DOWN] += 1
    sleepers.due_ms[node] = clock[NOW_MS] + repair_ms
    due_heap.push(
        sleepers.menders, sleepers.heap_place, sleepers.due_ms, FIRST, clock[MENDING], node
    )
    clock[MENDING] += 1


@kernel
def repair(tables, sleepers):
    """Settle the first repair: the node is awake and idle from now on, closed if it was."""
    node = np.int64(sleepers.menders[0])
    cluster = np.int64(tables.nodes[node, NODE_CLUSTER])
    forget_repair(tables, sleepers, cluster, node)
    tables.nodes[node, NODE_STATE] = AWAKE
    if sleepers.rests[node, CLOSED] == 1:
        sleepers.rests[node, CLOSED] = 0
        tables.clusters[cluster, CLOSED_EMPTY] += 1
    else:
        enlist(tables, cluster, node)
    touch(tables, node)


@kernel(inline="llvm")
def forget_repair(tables, sleepers, cluster, node):
    """Take a node out of those that are to be repaired."""
    clock = tables.clock
    due_heap.remove(
        sleepers.menders, sleepers.heap_place, sleepers.due_ms, FIRST, clock[MENDING], node
    )
    clock[MENDING] -= 1
    tables.clusters[cluster, DOWN] -= 1


@kernel(inline="llvm")
def follow_service(tables, faults, node):
    """Let a node's clock of failures run from now on if it is awake, else stand still."""
    clock = tables.clock
    running = faults.place[node] >= 0
    if tables.nodes[node, NODE_STATE] != AWAKE:
        if running:
            stop_clock(tables, faults, node, clock[NOW_MS])
    elif not running and faults.left_ms[node] < FOREVER_MS:
        faults.due_ms[node] = clock[NOW_MS] + faults.left_ms[node]
        due_heap.push(faults.heap, faults.place, faults.due_ms, FIRST, clock[IN_SERVICE], node)
        clock[IN_SERVICE] += 1


@kernel(inline="llvm")
def stop_clock(tables, faults, node, time_ms):
    """Let a node's clock of failures, which runs, stand still from an instant on."""
    clock = tables.clock
    faults.left_ms[node] = faults.due_ms[node] - time_ms
    due_heap.remove(faults.heap, faults.place, faults.due_ms, FIRST, clock[IN_SERVICE], node)
    clock[IN_SERVICE] -= 1
