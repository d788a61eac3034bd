"""Sleep: idle nodes that descend, nodes that are woken, wake-ups that finish or are cancelled.

A cluster's open sleepers are a stack, the last to go to sleep on top, and so are its waking nodes.
Closed nodes that sleep are in neither: nothing wakes them until they are opened.
"""

import numpy as np

from simulator.kernels import due_heap
from simulator.kernels.compile import kernel
from simulator.kernels.failures import stop_clock
from simulator.kernels.ladder import begins_ms, draw_ms
from simulator.kernels.placement import enlist, touch, unlist
from simulator.kernels.sleeper_stack import (
    insert_above,
    lies_above,
    next_to_wake,
    take_sleeper,
)
from simulator.kernels.tables import (
    ABOVE,
    ABSENT,
    ASLEEP,
    AWAKE,
    AWAKENING,
    AWAKING,
    BELOW,
    CLAIMED,
    CLOSED,
    CLOSED_ASLEEP,
    CLOSED_EMPTY,
    CLOSED_TIMED,
    DOWN,
    ENTERED_MS,
    FIRST,
    FIRST_ASLEEP,
    FIRST_NODE,
    FOREVER_MS,
    IDLE_SINCE_MS,
    KEEP_AWAKE,
    KEEP_FREE,
    LADDER,
    LAST_ASLEEP,
    LAST_RESTING,
    LAST_WOKEN,
    LEAVING,
    LEVEL,
    LISTED,
    LOG_ROWS,
    NAPS,
    NODE_CLUSTER,
    NODE_IDLE,
    NODE_STATE,
    NONE,
    NOW_MS,
    OWNED,
    RENEWED,
    RESTS_MS,
    SLEEPING,
    SURPLUS_MS,
    TIMED,
    TURN,
    TURNS,
    WAKING,
    WHOLE,
    WITH_FREE,
)
from simulator.kernels.timers import is_stale, renew_timer, take_timer


@kernel(inline="llvm")
def kept(clusters, cluster):
    """Return how many idle nodes of a cluster stay awake.

    They are those that waiting jobs count on, and those that a policy keeps; closed ones are not
    among them. Without the first a gang whose nodes are not all free at once could wait for ever:
    some would fall asleep again before the others are awake.
    """
    idle = clusters[cluster, WITH_FREE + clusters[cluster, WHOLE]]
    away = clusters[cluster, SLEEPING] + clusters[cluster, AWAKING]
    gone = clusters[cluster, CLOSED_EMPTY] + clusters[cluster, DOWN]
    occupied = clusters[cluster, OWNED] - idle - away - gone
    ready = clusters[cluster, CLAIMED] + clusters[cluster, KEEP_FREE]
    return max(ready, clusters[cluster, KEEP_AWAKE] - occupied)


@kernel(inline="always")
def any_descent(tables, sleepers, now_ms):
    """Return whether some descent may have begun before `now_ms`."""
    due = False
    for cluster in range(len(tables.clusters)):
        base = tables.clusters[cluster, FIRST_NODE]
        if tables.clusters[cluster, TIMED] > 0:
            due |= sleepers.due_ms[sleepers.timers[base]] < now_ms
        if tables.clusters[cluster, CLOSED_TIMED] > 0:
            due |= sleepers.due_ms[sleepers.timers[base + len(tables.nodes)]] < now_ms
    return due


@kernel
def descend(tables, sleepers, faults, log, now_ms):
    """Put every node to sleep whose descent began before `now_ms`, and log when it began.

    A node in a state that is left at once stays what it is to placement: only the log tells.
    """
    clusters = tables.clusters
    for cluster in range(len(clusters)):
        if clusters[cluster, LADDER] == 0:
            continue
        whole = clusters[cluster, WHOLE]
        base = clusters[cluster, FIRST_NODE]
        while clusters[cluster, TIMED] > 0:
            node = np.int64(sleepers.timers[base])
            begin_ms = sleepers.due_ms[node]
            if begin_ms >= now_ms:
                break
            if is_stale(tables, sleepers, node):
                renew_timer(tables, sleepers, cluster, node)
                continue
            if clusters[cluster, NAPS] == 1:
                take_timer(tables, sleepers, cluster, node)
                log_descent(tables, log, node, begin_ms)
                continue
            if clusters[cluster, WITH_FREE + whole] <= kept(clusters, cluster):
                clusters[cluster, SURPLUS_MS] = FOREVER_MS
                break
            begin_ms = max(begin_ms, clusters[cluster, SURPLUS_MS])
            if begin_ms >= now_ms:
                break
            fall_asleep(tables, sleepers, faults, cluster, node, begin_ms)
            log_descent(tables, log, node, begin_ms)
        while clusters[cluster, CLOSED_TIMED] > 0:
            node = np.int64(sleepers.timers[base + len(tables.nodes)])
            begin_ms = sleepers.due_ms[node]
            if begin_ms >= now_ms:
                break
            if clusters[cluster, NAPS] == 1:
                take_timer(tables, sleepers, cluster, node)
            else:
                fall_asleep(tables, sleepers, faults, cluster, node, begin_ms)
            log_descent(tables, log, node, begin_ms)


@kernel(inline="llvm")
def log_descent(tables, log, node, begin_ms):
    """Log that an idle node began its descent."""
    row = tables.clock[LOG_ROWS]
    log.time_ms[row] = begin_ms
    log.node[row] = node
    log.state[row] = ASLEEP
    log.held[row] = 0
    log.busy[row] = 0.0
    log.drawn[row] = 0.0
    tables.clock[LOG_ROWS] = row + 1


@kernel(inline="llvm")
def take_out(tables, sleepers, cluster, node):
    """Take an awake and closed node that holds nothing, and has no timer, out of service."""
    tables.clusters[cluster, CLOSED_EMPTY] -= 1
    tables.clusters[cluster, OWNED] -= 1
    tables.nodes[node, NODE_IDLE] = 0
    tables.nodes[node, NODE_STATE] = ABSENT
    sleepers.rests[node, LEAVING] = 0
    sleepers.rests[node, RENEWED] = 0


@kernel(inline="llvm")
def fall_asleep(tables, sleepers, faults, cluster, node, begin_ms):
    """Let an idle node begin its descent at `begin_ms`."""
    ladder = sleepers.ladder
    level = ladder.first[cluster]
    enter_ms = ladder.enter_ms[cluster, level]
    if faults is not None and faults.place[node] >= 0:
        stop_clock(tables, faults, node, begin_ms)
    take_timer(tables, sleepers, cluster, node)
    tables.nodes[node, NODE_IDLE] = 0
    tables.nodes[node, NODE_STATE] = ASLEEP
    sleepers.rests[node, LEVEL] = level
    sleepers.moments_ms[node, RESTS_MS] = begin_ms + enter_ms
    sleepers.moments_ms[node, ENTERED_MS] = begin_ms + enter_ms
    sleepers.moments_ms[node, TURN] = 0 if enter_ms > 0 else FOREVER_MS
    if tables.nodes[node, LISTED] == 1:
        unlist(tables, cluster, node)
        insert_above(tables, sleepers, cluster, node, tables.clusters[cluster, LAST_ASLEEP])
    else:
        sleepers.rests[node, CLOSED] = 1
        tables.clusters[cluster, CLOSED_ASLEEP] += 1


@kernel(inline="always")
def watch_surplus(clusters, cluster, now_ms):
    """Note since when a cluster has more idle nodes than are kept, once an instant is decided."""
    if clusters[cluster, WITH_FREE + clusters[cluster, WHOLE]] <= kept(clusters, cluster):
        clusters[cluster, SURPLUS_MS] = FOREVER_MS
    elif clusters[cluster, SURPLUS_MS] == FOREVER_MS:
        clusters[cluster, SURPLUS_MS] = now_ms


@kernel(inline="always")
def deepen(tables, sleepers, cluster, node):
    """Bring what is known of a sleeper's descent up to now."""
    ladder = sleepers.ladder
    now = tables.clock[NOW_MS]
    level = sleepers.rests[node, LEVEL]
    entered_ms = sleepers.moments_ms[node, ENTERED_MS]
    idle_since_ms = sleepers.moments_ms[node, IDLE_SINCE_MS]
    while level + 1 < ladder.levels[cluster]:
        begin_ms = begins_ms(ladder, cluster, level + 1, idle_since_ms, entered_ms)
        if begin_ms >= now:
            break
        level += 1
        entered_ms = begin_ms + ladder.enter_ms[cluster, level]
    sleepers.rests[node, LEVEL] = level
    sleepers.moments_ms[node, ENTERED_MS] = entered_ms


@kernel(inline="llvm")
def wake_one(tables, sleepers, cluster):
    """Wake the next sleeper of a cluster; return whether it is awake at once.

    It first ends entering, then wakes for the time of the state it is in.
    """
    ladder = sleepers.ladder
    clusters = tables.clusters
    clock = tables.clock
    node = next_to_wake(tables, sleepers, cluster)
    take_sleeper(tables, sleepers, cluster, node)
    deepen(tables, sleepers, cluster, node)
    level = sleepers.rests[node, LEVEL]
    row = ladder.wake_row[cluster, level]
    wait_ms = ladder.wake_ms[cluster, level] if row < 0 else draw_ms(ladder, row)
    due_ms = max(clock[NOW_MS], sleepers.moments_ms[node, ENTERED_MS]) + wait_ms
    touch(tables, node)
    if due_ms == clock[NOW_MS]:
        tables.nodes[node, NODE_STATE] = AWAKE
        enlist(tables, cluster, node)
        return True
    tables.nodes[node, NODE_STATE] = WAKING
    sleepers.due_ms[node] = due_ms
    count = clock[AWAKENING]
    due_heap.push(sleepers.wakers, sleepers.heap_place, sleepers.due_ms, FIRST, count, node)
    clock[AWAKENING] += 1
    top = clusters[cluster, LAST_WOKEN]
    sleepers.rests[node, BELOW] = top
    sleepers.rests[node, ABOVE] = NONE
    if top >= 0:
        sleepers.rests[top, ABOVE] = node
    clusters[cluster, LAST_WOKEN] = node
    clusters[cluster, AWAKING] += 1
    return False


@kernel(inline="llvm")
def stop_waking(tables, sleepers, cluster, node):
    """Take a node out of the waking ones."""
    clock = tables.clock
    rests = sleepers.rests
    below = rests[node, BELOW]
    above = rests[node, ABOVE]
    if below >= 0:
        rests[below, ABOVE] = above
    if above >= 0:
        rests[above, BELOW] = below
    else:
        tables.clusters[cluster, LAST_WOKEN] = below
    tables.clusters[cluster, AWAKING] -= 1
    due_heap.remove(
        sleepers.wakers, sleepers.heap_place, sleepers.due_ms, FIRST, clock[AWAKENING], node
    )
    clock[AWAKENING] -= 1
    touch(tables, node)


@kernel
def finish_waking(tables, sleepers):
    """Settle the first finished wake-up: the node is awake and idle from now on."""
    node = np.int64(sleepers.wakers[0])
    cluster = np.int64(tables.nodes[node, NODE_CLUSTER])
    stop_waking(tables, sleepers, cluster, node)
    tables.nodes[node, NODE_STATE] = AWAKE
    enlist(tables, cluster, node)


@kernel(inline="llvm")
def cancel_one(tables, sleepers, cluster):
    """Cancel the wake-up begun last: the node is a sleeper again.

    It lies above those at rest then; one that still enters its first state where it was.
    """
    node = tables.clusters[cluster, LAST_WOKEN]
    fall_back(tables, sleepers, cluster, node)
    next_to_wake(tables, sleepers, cluster)
    below = tables.clusters[cluster, LAST_RESTING]
    first = tables.clusters[cluster, FIRST_ASLEEP]
    above = sleepers.rests[below, ABOVE] if below >= 0 else first
    while above >= 0 and lies_above(sleepers, node, above):
        below = above
        above = sleepers.rests[above, ABOVE]
    insert_above(tables, sleepers, cluster, node, below)


@kernel(inline="llvm")
def fall_back(tables, sleepers, cluster, node):
    """Let a waking node fall back to the state it came from, or go on entering it."""
    clock = tables.clock
    moments_ms = sleepers.moments_ms
    now = clock[NOW_MS]
    stop_waking(tables, sleepers, cluster, node)
    tables.nodes[node, NODE_STATE] = ASLEEP
    moments_ms[node, ENTERED_MS] = max(moments_ms[node, ENTERED_MS], now)
    if moments_ms[node, RESTS_MS] <= now:
        clock[TURNS] += 1
        moments_ms[node, RESTS_MS] = now
        moments_ms[node, TURN] = clock[TURNS]
