"""The change log: one row for each node that changed at an instant, and what follows from that."""

import numpy as np

from simulator.kernels.compile import kernel
from simulator.kernels.failures import follow_service
from simulator.kernels.power import node_draw
from simulator.kernels.sleep import take_out, watch_surplus
from simulator.kernels.sorting import sort
from simulator.kernels.tables import (
    ABSENT,
    AWAKE,
    BUDGETED,
    BUSY,
    CHANGED,
    DIRTY,
    DRAWN,
    FAILED,
    LADDER,
    LADDERS,
    LEAVING,
    LOG_ROWS,
    NODE_CLUSTER,
    NODE_DIRTY,
    NODE_FREE,
    NODE_IDLE,
    NODE_STATE,
    NODE_WHOLE,
    NOW_MS,
    RENEWED,
)
from simulator.kernels.timers import start_timer


@kernel(inline="llvm")
def record(tables, sleepers, power, faults, log):
    """Append one row for each node that changed at this instant."""
    clock = tables.clock
    nodes = tables.nodes
    row = clock[LOG_ROWS]
    if len(sleepers.ladder.drawn) > 0:
        sort(tables.dirty_nodes, clock[DIRTY])  # idle timers are drawn in the order of nodes
    for at in range(clock[DIRTY]):
        node = np.int64(tables.dirty_nodes[at])
        nodes[node, NODE_DIRTY] = 0
        if faults is not None:
            row += note_failure(tables, faults, log, node, row)
        if clock[LADDERS] == 1:
            row += note_renewal(tables, sleepers, log, node, row)
            note_idleness(tables, sleepers, node)
        if faults is not None:
            follow_service(tables, faults, node)
        log.time_ms[row] = clock[NOW_MS]
        log.node[row] = node
        log.state[row] = nodes[node, NODE_STATE]
        log.held[row] = nodes[node, NODE_WHOLE] - nodes[node, NODE_FREE]
        cluster = np.int64(nodes[node, NODE_CLUSTER])
        busy = tables.busy[BUSY, node]
        drawn = busy
        if tables.clusters[cluster, BUDGETED] == 1:
            drawn = tables.busy[DRAWN, node]
        log.busy[row] = busy
        log.drawn[row] = node_draw(power, cluster, busy, drawn)
        row += 1
    clock[LOG_ROWS] = row
    clock[DIRTY] = 0
    if clock[LADDERS] == 1 and clock[CHANGED] > 0:
        for cluster in range(len(tables.clusters)):
            if tables.clusters[cluster, LADDER] == 1:
                watch_surplus(tables.clusters, cluster, clock[NOW_MS])


@kernel(inline="always")
def note_renewal(tables, sleepers, log, node, row):
    """Log the leaving of a node whose place another took at once; return how many rows."""
    if sleepers.rests[node, RENEWED] == 0:
        return 0
    sleepers.rests[node, RENEWED] = 0
    note_empty(tables, log, node, row, ABSENT)
    return 1


@kernel(inline="always")
def note_failure(tables, faults, log, node, row):
    """Log the failure of a node that is something else again; return how many rows."""
    if faults.failed_ms[node] != tables.clock[NOW_MS] or tables.nodes[node, NODE_STATE] == FAILED:
        return 0
    note_empty(tables, log, node, row, FAILED)
    return 1


@kernel(inline="llvm")
def note_empty(tables, log, node, row, state):
    """Log that a node is in a state in which it holds nothing."""
    log.time_ms[row] = tables.clock[NOW_MS]
    log.node[row] = node
    log.state[row] = state
    log.held[row] = 0
    log.busy[row] = 0.0
    log.drawn[row] = 0.0


@kernel(inline="always")
def note_idleness(tables, sleepers, node):
    """Start or stop the idle timer of a node that changed; one that is to leave goes when empty."""
    nodes = tables.nodes
    cluster = np.int64(nodes[node, NODE_CLUSTER])
    idle = nodes[node, NODE_STATE] == AWAKE and nodes[node, NODE_FREE] == nodes[node, NODE_WHOLE]
    if idle and sleepers.rests[node, LEAVING] == 1:
        take_out(tables, sleepers, cluster, node)
    elif tables.clusters[cluster, LADDER] == 1:
        if idle and nodes[node, NODE_IDLE] == 0:
            start_timer(tables, sleepers, cluster, node)
        elif not idle:
            nodes[node, NODE_IDLE] = 0
