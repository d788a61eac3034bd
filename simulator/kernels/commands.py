"""What controllers command of single nodes: closing and opening, into service and out of it."""

from simulator.kernels.compile import kernel
from simulator.kernels.placement import enlist, touch, unlist
from simulator.kernels.sleep import set_timer, stop_waking, take_sleeper, take_timer
from simulator.kernels.tables import (
    ABSENT,
    ASLEEP,
    AWAKE,
    CHANGED,
    DESCENT_MS,
    FIRST_NODE,
    LADDER,
    LEAVING,
    LISTED,
    NODE_IDLE,
    NODE_STATE,
    NODES,
    NOW_MS,
    OWNED,
    WAKING,
)


@kernel
def close(tables, sleepers, cluster, node):
    """Give an awake node no new job; one that is idle may go to sleep whatever is kept."""
    if tables.nodes[node, NODE_STATE] == AWAKE and tables.nodes[node, LISTED] == 1:
        unlist(tables, cluster, node)
        tables.clock[CHANGED] = 1
        idle = tables.nodes[node, NODE_IDLE] == 1 and tables.clusters[cluster, LADDER] == 1
        now = tables.clock[NOW_MS]
        if idle and sleepers.moments_ms[node, DESCENT_MS] < now:
            sleepers.moments_ms[node, DESCENT_MS] = now
            take_timer(tables, sleepers, cluster, node)
            set_timer(tables, sleepers, cluster, node)


@kernel
def open_again(tables, sleepers, cluster, node):
    """Give a closed node jobs again, unless it is to leave."""
    awake = tables.nodes[node, NODE_STATE] == AWAKE and tables.nodes[node, LISTED] == 0
    if awake and sleepers.rests[node, LEAVING] == 0:
        enlist(tables, cluster, node)
        tables.clock[CHANGED] = 1


@kernel
def add(tables, cluster, count):
    """Bring nodes into service, those with the lowest numbers; return how many there were."""
    first = tables.clusters[cluster, FIRST_NODE]
    added = 0
    for node in range(first, first + tables.clusters[cluster, NODES]):
        if added < count and tables.nodes[node, NODE_STATE] == ABSENT:
            tables.nodes[node, NODE_STATE] = AWAKE
            enlist(tables, cluster, node)
            touch(tables, node)
            tables.clusters[cluster, OWNED] += 1
            added += 1
    if added > 0:
        tables.clock[CHANGED] = 1
    return added


@kernel
def retire(tables, sleepers, cluster, node):
    """Take a node out of service: now if it does nothing, else as soon as it is empty."""
    state = tables.nodes[node, NODE_STATE]
    if state == ABSENT:
        return
    touch(tables, node)
    tables.clock[CHANGED] = 1
    if state == AWAKE:
        # It leaves when the instant is recorded, if it is empty then.
        sleepers.rests[node, LEAVING] = 1
        if tables.nodes[node, LISTED] == 1:
            unlist(tables, cluster, node)
        return
    if state == ASLEEP:
        take_sleeper(tables, sleepers, cluster, node)
    elif state == WAKING:
        stop_waking(tables, sleepers, cluster, node)
    tables.nodes[node, NODE_STATE] = ABSENT
    tables.clusters[cluster, OWNED] -= 1
