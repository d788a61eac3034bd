"""What controllers command of single nodes: closing and opening, into service and out of it."""

from simulator.kernels.compile import kernel
from simulator.kernels.failures import forget_repair
from simulator.kernels.placement import enlist, reopen, shut, touch
from simulator.kernels.sleep import fall_back, stop_waking, take_out
from simulator.kernels.sleeper_stack import insert_above, lies_above, take_sleeper
from simulator.kernels.tables import (
    ABSENT,
    ANYTHING,
    ASLEEP,
    AWAKE,
    BELOW,
    CHANGED,
    CLOSED,
    CLOSED_ASLEEP,
    CLOSED_EMPTY,
    DESCENT_MS,
    FAILED,
    FIRST_NODE,
    LAST_ASLEEP,
    LEAVING,
    LISTED,
    NODE_DIRTY,
    NODE_FREE,
    NODE_IDLE,
    NODE_STATE,
    NODE_WHOLE,
    NODES,
    NOW_MS,
    OWNED,
    RENEWED,
    WAKING,
)
from simulator.kernels.timers import set_timer, take_timer


@kernel
def close(tables, sleepers, cluster, node):
    """Give a node no new job; one that is idle may go to sleep whatever is kept.

    A sleeper is not woken until it is opened, and one that wakes falls back. A failed node is
    closed when it is repaired.
    """
    state = tables.nodes[node, NODE_STATE]
    if state == AWAKE and tables.nodes[node, LISTED] == 1:
        timed = tables.nodes[node, NODE_IDLE] == 1 and sleepers.heap_place[node] >= 0
        close_awake(tables, sleepers, cluster, node)
        if timed:
            begin_ms = max(sleepers.moments_ms[node, DESCENT_MS], tables.clock[NOW_MS])
            sleepers.moments_ms[node, DESCENT_MS] = begin_ms
            set_timer(tables, sleepers, cluster, node)
        tables.clock[CHANGED] = ANYTHING
    elif state == WAKING or (state == ASLEEP and sleepers.rests[node, CLOSED] == 0):
        if state == WAKING:
            fall_back(tables, sleepers, cluster, node)
        else:
            take_sleeper(tables, sleepers, cluster, node)
        sleepers.rests[node, CLOSED] = 1
        tables.clusters[cluster, CLOSED_EMPTY] += 1
        tables.clusters[cluster, CLOSED_ASLEEP] += 1
        tables.clock[CHANGED] = ANYTHING
    elif state == FAILED and sleepers.rests[node, CLOSED] == 0:
        sleepers.rests[node, CLOSED] = 1
        tables.clock[CHANGED] = ANYTHING


@kernel(inline="llvm")
def close_awake(tables, sleepers, cluster, node):
    """Close an awake node, and take its timer, which is one of an open node."""
    if sleepers.heap_place[node] >= 0:
        take_timer(tables, sleepers, cluster, node)
    shut(tables, cluster, node)


@kernel
def open_awake(tables, sleepers, cluster, node):
    """Give a closed node that is awake, or failed, jobs again, unless it is to leave."""
    awake = tables.nodes[node, NODE_STATE] == AWAKE and tables.nodes[node, LISTED] == 0
    if awake and sleepers.rests[node, LEAVING] == 0:
        timed = sleepers.heap_place[node] >= 0
        if timed:
            take_timer(tables, sleepers, cluster, node)
        reopen(tables, cluster, node)
        if timed:
            set_timer(tables, sleepers, cluster, node)
        tables.clock[CHANGED] = ANYTHING
    elif tables.nodes[node, NODE_STATE] == FAILED and sleepers.rests[node, CLOSED] == 1:
        sleepers.rests[node, CLOSED] = 0
        tables.clock[CHANGED] = ANYTHING


@kernel
def open_sleepers(tables, sleepers, cluster, nodes):
    """Give closed sleepers back to those that may be woken, each where it lay or would lie.

    Parameters
    ----------
    tables : Tables
    sleepers : Sleepers
    cluster : int
    nodes : int64[nodes]
        The one to lie topmost first, so that the stack is gone through once.
    """
    at = tables.clusters[cluster, LAST_ASLEEP]
    for k in range(len(nodes)):
        node = nodes[k]
        while at >= 0 and lies_above(sleepers, at, node):
            at = sleepers.rests[at, BELOW]
        sleepers.rests[node, CLOSED] = 0
        tables.clusters[cluster, CLOSED_EMPTY] -= 1
        tables.clusters[cluster, CLOSED_ASLEEP] -= 1
        insert_above(tables, sleepers, cluster, node, at)
        tables.clock[CHANGED] = ANYTHING
        at = node


@kernel
def add(tables, sleepers, cluster, count):
    """Bring nodes into service, those with the lowest numbers; return how many there were."""
    first = tables.clusters[cluster, FIRST_NODE]
    added = 0
    for node in range(first, first + tables.clusters[cluster, NODES]):
        if added < count and tables.nodes[node, NODE_STATE] == ABSENT:
            tables.nodes[node, NODE_STATE] = AWAKE
            sleepers.rests[node, RENEWED] = tables.nodes[node, NODE_DIRTY]
            enlist(tables, cluster, node)
            touch(tables, node)
            tables.clusters[cluster, OWNED] += 1
            added += 1
    if added > 0:
        tables.clock[CHANGED] = ANYTHING
    return added


@kernel
def retire(tables, sleepers, cluster, node):
    """Take a node out of service: now if it does nothing, else as soon as it is empty."""
    state = tables.nodes[node, NODE_STATE]
    if state == ABSENT:
        return
    touch(tables, node)
    tables.clock[CHANGED] = ANYTHING
    if state == AWAKE:
        if tables.nodes[node, LISTED] == 1:
            close_awake(tables, sleepers, cluster, node)
        elif sleepers.heap_place[node] >= 0:
            take_timer(tables, sleepers, cluster, node)
        if tables.nodes[node, NODE_FREE] == tables.nodes[node, NODE_WHOLE]:
            take_out(tables, sleepers, cluster, node)
        else:
            sleepers.rests[node, LEAVING] = 1
        return
    if state == ASLEEP and sleepers.rests[node, CLOSED] == 1:
        sleepers.rests[node, CLOSED] = 0
        tables.clusters[cluster, CLOSED_EMPTY] -= 1
        tables.clusters[cluster, CLOSED_ASLEEP] -= 1
    elif state == ASLEEP:
        take_sleeper(tables, sleepers, cluster, node)
    elif state == WAKING:
        stop_waking(tables, sleepers, cluster, node)
    elif state == FAILED:
        forget_repair(tables, sleepers, cluster, node)
        sleepers.rests[node, CLOSED] = 0
    tables.nodes[node, NODE_STATE] = ABSENT
    tables.clusters[cluster, OWNED] -= 1
