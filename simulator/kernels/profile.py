"""What is free on each node from instant to instant, as far as anybody knows, for reservations.

A cluster's profile is rows in order of time; a row holds from its begin to the begin of the next,
the last one for ever. Rows are inserted where a reservation begins or ends; what they hold lies
where it was first written, so that an insertion moves two numbers for each row and not a fleet.
"""

from simulator.kernels.compile import kernel
from simulator.kernels.shadow import last_waking_ms, to_be_repaired
from simulator.kernels.tables import (
    ASLEEP,
    CLOSED,
    ENDS,
    ENDS_BASE,
    FAILED,
    FIRST_FIT,
    FIRST_NODE,
    FOREVER_MS,
    LISTED,
    LONGEST_WAKE_MS,
    NEXT_WHOLE,
    NODE_FREE,
    NODE_STATE,
    NODE_WHOLE,
    NODES,
    NONE,
    NOW_MS,
    PART_GPUS,
    PART_NODE,
    RULE,
    SLEEPING,
    SPREAD,
    WAKING,
    WHOLE,
    WHOLE_COUNT,
    WHOLE_HEAD,
)


@kernel(inline="llvm")
def row_base(tables, profile, cluster, row):
    """Return where in `free` what a row holds begins."""
    place = profile.place[profile.first_row[cluster] + row]
    return profile.first_free[cluster] + place * tables.clusters[cluster, NODES]


@kernel(inline="llvm")
def append(tables, profile, cluster, time_ms):
    """Add a row to the end of a profile, which holds what the row before it holds."""
    row = profile.rows[cluster]
    profile.begin_ms[profile.first_row[cluster] + row] = time_ms
    profile.place[profile.first_row[cluster] + row] = row
    profile.rows[cluster] = row + 1
    if row > 0:
        copy(tables, profile, cluster, row - 1, row)
    return row


@kernel(inline="llvm")
def copy(tables, profile, cluster, source, target):
    """Let a row hold what another holds."""
    one = row_base(tables, profile, cluster, source)
    other = row_base(tables, profile, cluster, target)
    for at in range(tables.clusters[cluster, NODES]):
        profile.free[other + at] = profile.free[one + at]


@kernel
def build(tables, sleepers, queueing, cluster):
    """Make a cluster's profile of what runs: everybody ends as expected, sleepers wake."""
    profile = queueing.profile
    first = tables.clusters[cluster, FIRST_NODE]
    now = tables.clock[NOW_MS]
    profile.rows[cluster] = 0
    row = append(tables, profile, cluster, now)
    base = row_base(tables, profile, cluster, row)
    for at in range(tables.clusters[cluster, NODES]):
        listed = tables.nodes[first + at, LISTED]
        profile.free[base + at] = tables.nodes[first + at, NODE_FREE] if listed == 1 else 0
    waking_ms = last_waking_ms(tables, sleepers, cluster)
    resting_ms = FOREVER_MS
    if tables.clusters[cluster, SLEEPING] > 0:
        resting_ms = now + queueing.rules[cluster, LONGEST_WAKE_MS]
    _, mended_ms = to_be_repaired(tables, sleepers, cluster)
    begin = queueing.rules[cluster, ENDS_BASE]
    end = begin + queueing.rules[cluster, ENDS] - 1
    while True:
        ends_ms = FOREVER_MS
        if end >= begin:
            ends_ms = max(queueing.ends[end] >> tables.bits, now + 1)
        time_ms = min(ends_ms, waking_ms, resting_ms, mended_ms)
        if time_ms == FOREVER_MS:
            break
        row = append(tables, profile, cluster, time_ms)
        while end >= begin and max(queueing.ends[end] >> tables.bits, now + 1) == time_ms:
            slot = queueing.ends[end] & ((1 << tables.bits) - 1)
            release(tables, profile, cluster, row, slot)
            end -= 1
        if waking_ms == time_ms:
            raise_all(tables, sleepers, profile, cluster, row, WAKING)
            waking_ms = FOREVER_MS
        if resting_ms == time_ms:
            raise_all(tables, sleepers, profile, cluster, row, ASLEEP)
            resting_ms = FOREVER_MS
        if mended_ms == time_ms:
            raise_all(tables, sleepers, profile, cluster, row, FAILED)
            mended_ms = FOREVER_MS


@kernel(inline="llvm")
def release(tables, profile, cluster, row, slot):
    """Add a running job's accelerators to what a row holds as free."""
    slots = tables.slots
    base = row_base(tables, profile, cluster, row) - tables.clusters[cluster, FIRST_NODE]
    node = slots[slot, WHOLE_HEAD]
    for _ in range(slots[slot, WHOLE_COUNT]):
        if tables.nodes[node, LISTED] == 1:
            profile.free[base + node] += tables.nodes[node, NODE_WHOLE]
        node = tables.nodes[node, NEXT_WHOLE]
    node = slots[slot, PART_NODE]
    if slots[slot, PART_GPUS] > 0 and tables.nodes[node, LISTED] == 1:
        profile.free[base + node] += slots[slot, PART_GPUS]


@kernel(inline="llvm")
def raise_all(tables, sleepers, profile, cluster, row, state):
    """Count all open nodes of a state as empty in a row."""
    first = tables.clusters[cluster, FIRST_NODE]
    base = row_base(tables, profile, cluster, row)
    for at in range(tables.clusters[cluster, NODES]):
        node = first + at
        if tables.nodes[node, NODE_STATE] == state and sleepers.rests[node, CLOSED] == 0:
            profile.free[base + at] = tables.nodes[node, NODE_WHOLE]


@kernel
def earliest(tables, profile, cluster, gpus, length_ms):
    """Return the first row from whose begin a gang fits for so long, NONE if there is none.

    What is least free on each node meanwhile is left in `least`.
    """
    begin = profile.first_row[cluster]
    rows = profile.rows[cluster]
    nodes = tables.clusters[cluster, NODES]
    first = tables.clusters[cluster, FIRST_NODE]
    for row in range(rows):
        base = row_base(tables, profile, cluster, row)
        for at in range(nodes):
            profile.least[first + at] = profile.free[base + at]
        possible = fits_least(tables, profile, cluster, gpus)
        until_ms = profile.begin_ms[begin + row] + length_ms
        other = row + 1
        while possible and other < rows and profile.begin_ms[begin + other] < until_ms:
            base = row_base(tables, profile, cluster, other)
            for at in range(nodes):
                profile.least[first + at] = min(profile.least[first + at], profile.free[base + at])
            possible = fits_least(tables, profile, cluster, gpus)
            other += 1
        if possible:
            return row
    return NONE


@kernel(inline="llvm")
def fits_least(tables, profile, cluster, gpus):
    """Return whether a gang could be placed on what is least free."""
    whole = tables.clusters[cluster, WHOLE]
    first = tables.clusters[cluster, FIRST_NODE]
    count = gpus // whole
    rest = gpus - count * whole
    full = 0
    partly = False
    for node in range(first, first + tables.clusters[cluster, NODES]):
        if profile.least[node] == whole:
            full += 1
        elif profile.least[node] >= rest:
            partly = True
    return full >= count and (rest == 0 or partly or full > count)


@kernel
def choose_least(tables, profile, chosen, cluster, gpus):
    """Choose nodes for a gang by the cluster's rule and what is least free on them.

    The whole ones are the first of `chosen`, the one for the rest, if any, follows them.
    """
    whole = tables.clusters[cluster, WHOLE]
    rule = tables.clusters[cluster, RULE]
    first = tables.clusters[cluster, FIRST_NODE]
    count = gpus // whole
    rest = gpus - count * whole
    found = 0
    best = NONE
    for node in range(first, first + tables.clusters[cluster, NODES]):
        free = profile.least[node]
        if free == whole and found < count:
            chosen[found] = node
            found += 1
        elif rest > 0 and free >= rest and is_better(profile, rule, node, best):
            best = node
    if rest > 0:
        chosen[count] = best


@kernel(inline="llvm")
def is_better(profile, rule, node, best):
    """Return whether a rule prefers a node to a lower one."""
    if best < 0:
        return True
    if rule == FIRST_FIT:
        return False
    if rule == SPREAD:
        return profile.least[node] > profile.least[best]
    return profile.least[node] < profile.least[best]


@kernel
def take(tables, profile, chosen, cluster, row, gpus, length_ms):
    """Take the chosen nodes' accelerators out of a profile for so long from the begin of a row."""
    whole = tables.clusters[cluster, WHOLE]
    first = tables.clusters[cluster, FIRST_NODE]
    count = gpus // whole
    rest = gpus - count * whole
    begin = profile.first_row[cluster]
    end_ms = profile.begin_ms[begin + row] + length_ms
    last = row
    while last < profile.rows[cluster] and profile.begin_ms[begin + last] < end_ms:
        last += 1
    if last == profile.rows[cluster] or profile.begin_ms[begin + last] > end_ms:
        insert(tables, profile, cluster, last, end_ms)
    for at in range(row, last):
        base = row_base(tables, profile, cluster, at) - first
        for k in range(count):
            profile.free[base + chosen[k]] -= whole
        if rest > 0:
            profile.free[base + chosen[count]] -= rest


@kernel(inline="llvm")
def insert(tables, profile, cluster, row, time_ms):
    """Insert a row, which holds what the one before it holds."""
    begin = profile.first_row[cluster]
    count = profile.rows[cluster]
    for at in range(begin + count, begin + row, -1):
        profile.begin_ms[at] = profile.begin_ms[at - 1]
        profile.place[at] = profile.place[at - 1]
    profile.begin_ms[begin + row] = time_ms
    profile.place[begin + row] = count
    profile.rows[cluster] = count + 1
    copy(tables, profile, cluster, row - 1, row)
