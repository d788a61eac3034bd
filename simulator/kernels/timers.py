"""Idle timers: when an idle node's descent is due, cluster by cluster.

A cluster's timers are two heaps, the first to be due on top: those of its open nodes, and those of
the closed ones, which go down whatever is kept awake.
"""

from simulator.kernels import due_heap
from simulator.kernels.compile import kernel
from simulator.kernels.ladder import draw_ms
from simulator.kernels.tables import (
    CLOSED_TIMED,
    DESCENT_MS,
    FIRST_NODE,
    IDLE_SINCE_MS,
    LISTED,
    NODE_IDLE,
    NOW_MS,
    TIMED,
)


@kernel(inline="always")
def start_timer(tables, sleepers, cluster, node):
    """Note that an awake node became idle now.

    A node that was at work meanwhile keeps the place of its last timer: only when that is due is
    it put where it belongs by now, so that a busy fleet moves hardly any timers.
    """
    ladder = sleepers.ladder
    now = tables.clock[NOW_MS]
    row = ladder.timer_row[cluster]
    wait_ms = ladder.after_ms[cluster, ladder.first[cluster]] if row < 0 else draw_ms(ladder, row)
    tables.nodes[node, NODE_IDLE] = 1
    sleepers.moments_ms[node, IDLE_SINCE_MS] = now
    sleepers.moments_ms[node, DESCENT_MS] = now + wait_ms
    if sleepers.heap_place[node] >= 0 and now + wait_ms < sleepers.due_ms[node]:
        take_timer(tables, sleepers, cluster, node)
    if sleepers.heap_place[node] < 0:
        set_timer(tables, sleepers, cluster, node)


@kernel(inline="always")
def is_stale(tables, sleepers, node):
    """Return whether a node was at work since its timer was set."""
    return (
        tables.nodes[node, NODE_IDLE] == 0
        or sleepers.moments_ms[node, DESCENT_MS] > sleepers.due_ms[node]
    )


@kernel(inline="always")
def renew_timer(tables, sleepers, cluster, node):
    """Put a stale timer where it belongs by now; drop that of a node at work."""
    take_timer(tables, sleepers, cluster, node)
    if tables.nodes[node, NODE_IDLE] == 1:
        set_timer(tables, sleepers, cluster, node)


@kernel(inline="llvm")
def heap_of(tables, cluster, node):
    """Return where the heap of a node's timer begins, and the column with its size."""
    base = tables.clusters[cluster, FIRST_NODE]
    if tables.nodes[node, LISTED] == 1:
        return base, TIMED
    return base + len(tables.nodes), CLOSED_TIMED


@kernel(inline="llvm")
def set_timer(tables, sleepers, cluster, node):
    """Put an idle node among those whose descent is due."""
    sleepers.due_ms[node] = sleepers.moments_ms[node, DESCENT_MS]
    base, column = heap_of(tables, cluster, node)
    size = tables.clusters[cluster, column]
    due_heap.push(sleepers.timers, sleepers.heap_place, sleepers.due_ms, base, size, node)
    tables.clusters[cluster, column] = size + 1


@kernel(inline="llvm")
def take_timer(tables, sleepers, cluster, node):
    """Take a node out of those whose descent is due."""
    base, column = heap_of(tables, cluster, node)
    size = tables.clusters[cluster, column]
    due_heap.remove(sleepers.timers, sleepers.heap_place, sleepers.due_ms, base, size, node)
    tables.clusters[cluster, column] = size - 1
