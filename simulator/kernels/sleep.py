"""Sleep: idle nodes that descend, nodes that are woken, wake-ups that finish or are cancelled.

A cluster's sleepers are a stack, the last to go to sleep on top, and so are its waking nodes.
Whoever still enters its first state lies above those at rest, because all take the same time for
it.
"""

from simulator.kernels import due_heap
from simulator.kernels.compile import kernel
from simulator.kernels.ladder import begins_ms, draw_ms
from simulator.kernels.placement import enlist, touch, unlist
from simulator.kernels.tables import (
    ABOVE,
    ASLEEP,
    AWAKE,
    AWAKENING,
    AWAKING,
    BELOW,
    CLAIMED,
    DESCENT_MS,
    ENTERED_MS,
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
    LEVEL,
    LISTED,
    LOG_ROWS,
    NODE_CLUSTER,
    NODE_IDLE,
    NODE_STATE,
    NONE,
    NOW_MS,
    OWNED,
    RESTS_MS,
    SLEEPING,
    SURPLUS_MS,
    TIMED,
    WAKING,
    WHOLE,
    WITH_FREE,
)


@kernel(inline="always")
def kept(clusters, cluster):
    """Return how many idle nodes of a cluster stay awake.

    They are those that waiting jobs count on, and those that a policy keeps. Without the first a
    gang whose nodes are not all free at once could wait for ever: some would fall asleep again
    before the others are awake.
    """
    idle = clusters[cluster, WITH_FREE + clusters[cluster, WHOLE]]
    away = clusters[cluster, SLEEPING] + clusters[cluster, AWAKING]
    occupied = clusters[cluster, OWNED] - idle - away
    ready = clusters[cluster, CLAIMED] + clusters[cluster, KEEP_FREE]
    return max(ready, clusters[cluster, KEEP_AWAKE] - occupied)


@kernel(inline="always")
def any_descent(tables, sleepers, now_ms):
    """Return whether some descent may have begun before `now_ms`."""
    due = False
    for cluster in range(len(tables.clusters)):
        if tables.clusters[cluster, TIMED] > 0:
            first = sleepers.timers[tables.clusters[cluster, FIRST_NODE]]
            if sleepers.due_ms[first] < now_ms:
                due = True
    return due


@kernel
def descend(tables, sleepers, log, now_ms):
    """Put every node to sleep whose descent began before `now_ms`, and log when it began."""
    clusters = tables.clusters
    for cluster in range(len(clusters)):
        if clusters[cluster, LADDER] == 0:
            continue
        whole = clusters[cluster, WHOLE]
        base = clusters[cluster, FIRST_NODE]
        while clusters[cluster, TIMED] > 0:
            node = sleepers.timers[base]
            begin_ms = sleepers.due_ms[node]
            if begin_ms >= now_ms:
                break
            if is_stale(tables, sleepers, node):
                renew_timer(tables, sleepers, cluster, node)
                continue
            if tables.nodes[node, LISTED] == 1:
                if clusters[cluster, WITH_FREE + whole] <= kept(clusters, cluster):
                    clusters[cluster, SURPLUS_MS] = FOREVER_MS
                    break
                begin_ms = max(begin_ms, clusters[cluster, SURPLUS_MS])
                if begin_ms >= now_ms:
                    break
            take_timer(tables, sleepers, cluster, node)
            tables.nodes[node, NODE_IDLE] = 0
            fall_asleep(tables, sleepers, cluster, node, begin_ms)
            row = tables.clock[LOG_ROWS]
            log.time_ms[row] = begin_ms
            log.node[row] = node
            log.state[row] = ASLEEP
            log.held[row] = 0
            log.busy[row] = 0.0
            log.drawn[row] = 0.0
            tables.clock[LOG_ROWS] = row + 1


@kernel(inline="always")
def fall_asleep(tables, sleepers, cluster, node, begin_ms):
    """Let an idle node begin its descent at `begin_ms`."""
    ladder = sleepers.ladder
    level = ladder.first[cluster]
    if tables.nodes[node, LISTED] == 1:
        unlist(tables, cluster, node)
    tables.nodes[node, NODE_STATE] = ASLEEP
    sleepers.rests[node, LEVEL] = level
    rests_ms = begin_ms + ladder.enter_ms[cluster, level]
    sleepers.moments_ms[node, RESTS_MS] = rests_ms
    sleepers.moments_ms[node, ENTERED_MS] = rests_ms
    insert_above(tables, sleepers, cluster, node, tables.clusters[cluster, LAST_ASLEEP])


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


@kernel(inline="always")
def watch_surplus(clusters, cluster, now_ms):
    """Note since when a cluster has more idle nodes than are kept, once an instant is decided."""
    if clusters[cluster, WITH_FREE + clusters[cluster, WHOLE]] <= kept(clusters, cluster):
        clusters[cluster, SURPLUS_MS] = FOREVER_MS
    elif clusters[cluster, SURPLUS_MS] == FOREVER_MS:
        clusters[cluster, SURPLUS_MS] = now_ms


@kernel(inline="always")
def insert_above(tables, sleepers, cluster, node, below):
    """Put a node into its cluster's stack of sleepers, right above `below`, NONE for the bottom."""
    rests = sleepers.rests
    clusters = tables.clusters
    if below >= 0:
        above = rests[below, ABOVE]
        rests[below, ABOVE] = node
    else:
        above = clusters[cluster, FIRST_ASLEEP]
        clusters[cluster, FIRST_ASLEEP] = node
    rests[node, BELOW] = below
    rests[node, ABOVE] = above
    if above >= 0:
        rests[above, BELOW] = node
    else:
        clusters[cluster, LAST_ASLEEP] = node
    clusters[cluster, SLEEPING] += 1


@kernel(inline="always")
def take_sleeper(tables, sleepers, cluster, node):
    """Take a node out of the stack of sleepers."""
    rests = sleepers.rests
    clusters = tables.clusters
    below = rests[node, BELOW]
    above = rests[node, ABOVE]
    if below >= 0:
        rests[below, ABOVE] = above
    else:
        clusters[cluster, FIRST_ASLEEP] = above
    if above >= 0:
        rests[above, BELOW] = below
    else:
        clusters[cluster, LAST_ASLEEP] = below
    if clusters[cluster, LAST_RESTING] == node:
        clusters[cluster, LAST_RESTING] = below
    clusters[cluster, SLEEPING] -= 1


@kernel(inline="always")
def next_to_wake(tables, sleepers, cluster):
    """Return the sleeper to wake: the topmost that enters its first state no longer, else the top.

    Sleepers come to rest from the bottom of the stack upwards, so the search goes on where it
    ended last.
    """
    clusters = tables.clusters
    rests = sleepers.rests
    now = tables.clock[NOW_MS]
    resting = clusters[cluster, LAST_RESTING]
    above = rests[resting, ABOVE] if resting >= 0 else clusters[cluster, FIRST_ASLEEP]
    while above >= 0 and sleepers.moments_ms[above, RESTS_MS] <= now:
        resting = above
        above = rests[above, ABOVE]
    clusters[cluster, LAST_RESTING] = resting
    return resting if resting >= 0 else clusters[cluster, LAST_ASLEEP]


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


@kernel(inline="always")
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
    due_heap.push(sleepers.wakers, sleepers.heap_place, sleepers.due_ms, 0, clock[AWAKENING], node)
    clock[AWAKENING] += 1
    top = clusters[cluster, LAST_WOKEN]
    sleepers.rests[node, BELOW] = top
    sleepers.rests[node, ABOVE] = NONE
    if top >= 0:
        sleepers.rests[top, ABOVE] = node
    clusters[cluster, LAST_WOKEN] = node
    clusters[cluster, AWAKING] += 1
    return False


@kernel(inline="always")
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
        sleepers.wakers, sleepers.heap_place, sleepers.due_ms, 0, clock[AWAKENING], node
    )
    clock[AWAKENING] -= 1
    touch(tables, node)


@kernel
def finish_waking(tables, sleepers):
    """Settle the first finished wake-up: the node is awake and idle from now on."""
    node = sleepers.wakers[0]
    cluster = tables.nodes[node, NODE_CLUSTER]
    stop_waking(tables, sleepers, cluster, node)
    tables.nodes[node, NODE_STATE] = AWAKE
    enlist(tables, cluster, node)


@kernel(inline="always")
def cancel_one(tables, sleepers, cluster):
    """Cancel the wake-up begun last: the node falls back to the state it came from.

    It lies above those at rest then; one that still enters its first state where it was.
    """
    node = tables.clusters[cluster, LAST_WOKEN]
    stop_waking(tables, sleepers, cluster, node)
    tables.nodes[node, NODE_STATE] = ASLEEP
    now = tables.clock[NOW_MS]
    next_to_wake(tables, sleepers, cluster)
    below = tables.clusters[cluster, LAST_RESTING]
    sleepers.moments_ms[node, ENTERED_MS] = max(sleepers.moments_ms[node, ENTERED_MS], now)
    rests_ms = sleepers.moments_ms[node, RESTS_MS]
    if rests_ms > now:
        first = tables.clusters[cluster, FIRST_ASLEEP]
        above = sleepers.rests[below, ABOVE] if below >= 0 else first
        while above >= 0 and (
            sleepers.moments_ms[above, RESTS_MS] < rests_ms
            or (sleepers.moments_ms[above, RESTS_MS] == rests_ms and above > node)
        ):
            below = above
            above = sleepers.rests[above, ABOVE]
    insert_above(tables, sleepers, cluster, node, below)
