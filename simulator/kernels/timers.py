"""Idle timers: when an idle node's descent is due, cluster by cluster.

A cluster's timers are a heap, the first to be due on top.
"""

from simulator.kernels import due_heap
from simulator.kernels.compile import kernel
from simulator.kernels.ladder import draw_ms
from simulator.kernels.tables import (
    CLOSED_IDLE,
    DESCENT_MS,
    FIRST_NODE,
    IDLE_SINCE_MS,
    LISTED,
    NODE_IDLE,
    NONE,
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


@kernel(inline="always")
def set_timer(tables, sleepers, cluster, node):
    """Put an idle node among those whose descent is due."""
    sleepers.due_ms[node] = sleepers.moments_ms[node, DESCENT_MS]
    base = tables.clusters[cluster, FIRST_NODE]
    size = tables.clusters[cluster, TIMED]
    due_heap.push(sleepers.timers, sleepers.heap_place, sleepers.due_ms, base, size, node)
    tables.clusters[cluster, TIMED] = size + 1


@kernel(inline="always")
def take_timer(tables, sleepers, cluster, node):
    """Take a node out of those whose descent is due."""
    base = tables.clusters[cluster, FIRST_NODE]
    size = tables.clusters[cluster, TIMED]
    due_heap.remove(sleepers.timers, sleepers.heap_place, sleepers.due_ms, base, size, node)
    tables.clusters[cluster, TIMED] = size - 1


@kernel
def closed_sleeper(tables, sleepers, cluster, now_ms):
    """Return the closed node whose descent began first before `now_ms`, NONE if there is none.

    Closed nodes stand behind the open ones that are kept awake, so they have to be looked for.
    """
    best = NONE
    if tables.clusters[cluster, CLOSED_IDLE] == 0:
        return best
    base = tables.clusters[cluster, FIRST_NODE]
    best_ms = now_ms
    for at in range(base, base + tables.clusters[cluster, TIMED]):
        node = sleepers.timers[at]
        if tables.nodes[node, NODE_IDLE] == 1 and tables.nodes[node, LISTED] == 0:
            begin_ms = sleepers.moments_ms[node, DESCENT_MS]
            if begin_ms < best_ms or (begin_ms == best_ms and node > best >= 0):
                best = node
                best_ms = begin_ms
    return best
