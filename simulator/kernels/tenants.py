"""The tenants of shared accelerators: how they join and leave, how fast they run, when they end.

A shared accelerator is taken out of what its node has free by its first tenant, as a gang of one
would, and given back by its last; those between join and leave it without touching the candidate
index. All that happens to one at an instant is settled together: its tenants are paced once, when
the schedulers have made their pass.
"""

import numpy as np

from simulator.kernels import due_heap
from simulator.kernels.checkpoints import stretched
from simulator.kernels.compile import kernel
from simulator.kernels.placement import choose, fits, move, touch
from simulator.kernels.rooms import (
    AFTER,
    AT_CLUSTER,
    AT_NODE,
    BESIDE,
    BESIDE_LOAD,
    FIRST_TENANT,
    FREE_ROW,
    LAST_TENANT,
    LEFT_MS,
    LOAD,
    MARKED,
    NEXT,
    ON,
    PACED_MS,
    SHARED_FIRST,
    SLOWDOWN,
    STAY_MS,
    STAYS,
    TENANTS,
    TENANTS_RUNNING,
    TOUCHED,
    find_room,
    offer,
    withdraw,
)
from simulator.kernels.tables import (
    BUSY,
    CHANGED,
    COMPLETED,
    COMPLETIONS,
    FREE_SLOT,
    JOB,
    NEXT_SLOT,
    NODE_FREE,
    NODE_WHOLE,
    NONE,
    NOW_MS,
    STARTED,
)


@kernel
def admit(jobs, tables, tenants, cluster, job):
    """Start a job that has room on a shared accelerator, or on a free one that is shared then.

    How fast it runs is not known before all of this instant is decided; see `pace`. A job that
    ends at the instant it starts holds nothing and is nobody's neighbour.
    """
    clock = tables.clock
    now = clock[NOW_MS]
    length = jobs.duration_ms[job] / jobs.speed[jobs.workload[job], cluster]
    if len(jobs.plan.way) > 0:
        length = stretched(jobs, cluster, job, length)
    jobs.cluster[job] = cluster
    jobs.start_ms[job] = now
    jobs.end_ms[job] = now + np.int64(np.rint(length))
    clock[STARTED] += 1
    if jobs.end_ms[job] == now:
        clock[COMPLETED] += 1
        return
    load = tenants.percent[job]
    at = NONE
    if tenants.rules[cluster, SHARED_FIRST] == 1 or not fits(tables.clusters, cluster, 1):
        at = find_room(tables, tenants, cluster, load)
    if at < 0:
        at = open_one(tables, tenants, cluster)
    else:
        withdraw(tables, tenants, at)
    slot = clock[FREE_SLOT]
    clock[FREE_SLOT] = tables.slots[slot, NEXT_SLOT]
    tables.slots[slot, JOB] = job
    node = tenants.accelerators[at, AT_NODE]
    jobs.first_node[job] = node
    if tables.nodes[node, NODE_WHOLE] > 1:
        jobs.part_node[job] = node
    tenants.tenants[slot, ON] = at
    tenants.tenants[slot, AFTER] = NONE
    tenants.tenants[slot, BESIDE] = 0
    tenants.pace[slot, LEFT_MS] = length
    last = tenants.accelerators[at, LAST_TENANT]
    if last >= 0:
        tenants.tenants[last, AFTER] = slot
    else:
        tenants.accelerators[at, FIRST_TENANT] = slot
    tenants.accelerators[at, LAST_TENANT] = slot
    tenants.accelerators[at, TENANTS] += 1
    tenants.accelerators[at, LOAD] += load
    offer(tables, tenants, at)
    mark(tenants, at)


@kernel(inline="llvm")
def open_one(tables, tenants, cluster):
    """Take a free accelerator, where the cluster's rule places one, to be shared."""
    accelerators = tenants.accelerators
    node = choose(tables, cluster, 1)
    move(tables, cluster, node, np.int64(-1))
    at = tenants.counts[FREE_ROW]
    tenants.counts[FREE_ROW] = accelerators[at, NEXT]
    accelerators[at, AT_NODE] = node
    accelerators[at, AT_CLUSTER] = cluster
    accelerators[at, TENANTS] = 0
    accelerators[at, LOAD] = 0
    accelerators[at, FIRST_TENANT] = NONE
    accelerators[at, LAST_TENANT] = NONE
    accelerators[at, NEXT] = NONE
    tenants.busy[at] = 0.0
    other = tenants.opened[node]
    if other < 0:
        tenants.opened[node] = at
    else:
        while accelerators[other, NEXT] >= 0:
            other = accelerators[other, NEXT]
        accelerators[other, NEXT] = at
    return at


@kernel(inline="llvm")
def mark(tenants, at):
    """Note that the tenants of an accelerator changed at this instant."""
    if tenants.accelerators[at, TOUCHED] == 0:
        tenants.accelerators[at, TOUCHED] = 1
        tenants.marked[tenants.counts[MARKED]] = at
        tenants.counts[MARKED] += 1


@kernel
def settle_tenants(tables, tenants):
    """Settle the tenants that end now."""
    clock = tables.clock
    counts = tenants.counts
    while counts[TENANTS_RUNNING] > 0 and tenants.due_ms[tenants.heap[0]] == clock[NOW_MS]:
        slot = np.int64(tenants.heap[0])
        unschedule(tenants, slot)
        note_stay(tables, tenants, slot)
        depart(tables, tenants, slot)
        tables.slots[slot, NEXT_SLOT] = clock[FREE_SLOT]
        clock[FREE_SLOT] = slot
        clock[COMPLETED] += 1
        clock[CHANGED] = max(clock[CHANGED], COMPLETIONS)


@kernel(inline="llvm")
def depart(tables, tenants, slot):
    """Take a tenant off its accelerator, which is given back if it was the last."""
    accelerators = tenants.accelerators
    at = tenants.tenants[slot, ON]
    withdraw(tables, tenants, at)
    after = tenants.tenants[slot, AFTER]
    before = NONE
    other = accelerators[at, FIRST_TENANT]
    while other != slot:
        before = other
        other = tenants.tenants[other, AFTER]
    if before < 0:
        accelerators[at, FIRST_TENANT] = after
    else:
        tenants.tenants[before, AFTER] = after
    if after < 0:
        accelerators[at, LAST_TENANT] = before
    accelerators[at, TENANTS] -= 1
    accelerators[at, LOAD] -= tenants.percent[tables.slots[slot, JOB]]
    if accelerators[at, TENANTS] == 0:
        give_back(tables, tenants, at)
    else:
        offer(tables, tenants, at)
        mark(tenants, at)


@kernel(inline="llvm")
def give_back(tables, tenants, at):
    """Give an accelerator without tenants back to its node."""
    accelerators = tenants.accelerators
    node = accelerators[at, AT_NODE]
    move(tables, accelerators[at, AT_CLUSTER], node, np.int64(1))
    set_busy(tables, tenants, at, 0.0)
    if tenants.opened[node] == at:
        tenants.opened[node] = accelerators[at, NEXT]
    else:
        other = tenants.opened[node]
        while accelerators[other, NEXT] != at:
            other = accelerators[other, NEXT]
        accelerators[other, NEXT] = accelerators[at, NEXT]
    accelerators[at, NEXT] = tenants.counts[FREE_ROW]
    tenants.counts[FREE_ROW] = at


@kernel(inline="llvm")
def set_busy(tables, tenants, at, busy):
    """Set what is busy of an accelerator, and of its node with it."""
    node = tenants.accelerators[at, AT_NODE]
    before = tables.busy[BUSY, node]
    tables.busy[BUSY, node] = before + (busy - tenants.busy[at])
    if tables.nodes[node, NODE_FREE] == tables.nodes[node, NODE_WHOLE]:
        tables.busy[BUSY, node] = 0.0  # exactly: an empty node carries no rounding
    tenants.busy[at] = busy
    touch(tables, node)


@kernel
def pace(jobs, tables, tenants):
    """Tell the tenants of accelerators that changed at this instant how fast they run now."""
    counts = tenants.counts
    for row in range(counts[MARKED]):
        at = tenants.marked[row]
        tenants.accelerators[at, TOUCHED] = 0
        if tenants.accelerators[at, TENANTS] > 0:
            pace_one(jobs, tables, tenants, at)
    counts[MARKED] = 0


@kernel(inline="llvm")
def pace_one(jobs, tables, tenants, at):
    """Pace the tenants of one accelerator: their speed follows from what they load it together."""
    count = tenants.accelerators[at, TENANTS]
    first = tenants.accelerators[at, FIRST_TENANT]
    load = 0.0
    slot = first
    while slot >= 0:
        load += jobs.utilisation[tables.slots[slot, JOB]]
        slot = tenants.tenants[slot, AFTER]
    slowdown = 1.0
    if count > 1:
        slowdown = interference(tenants, tenants.accelerators[at, AT_CLUSTER], load)
    set_busy(tables, tenants, at, load / slowdown)
    slot = first
    while slot >= 0:
        pace_tenant(jobs, tables, tenants, slot, count, load, slowdown)
        slot = tenants.tenants[slot, AFTER]


@kernel(inline="llvm")
def interference(tenants, cluster, load):
    """Return the slowdown of tenants whose utilisations sum up to `load`: by straight lines."""
    at = np.int64(1)
    while at < tenants.knots[cluster] - 1 and tenants.load[cluster, at] < load:
        at += 1
    left = tenants.load[cluster, at - 1]
    along = (load - left) / (tenants.load[cluster, at] - left)
    base = tenants.slowdown[cluster, at - 1]
    result = base + (tenants.slowdown[cluster, at] - base) * along
    return max(1.0, load, result)  # the lines keep this but for a rounding


@kernel(inline="llvm")
def pace_tenant(jobs, tables, tenants, slot, count, load, slowdown):
    """Let a tenant run on at its new speed: what is left takes so much longer or shorter.

    Where its speed stays what it was its end stays too.
    """
    now = tables.clock[NOW_MS]
    rows = tenants.tenants
    pace = tenants.pace
    fresh = rows[slot, BESIDE] == 0
    same = slowdown == pace[slot, SLOWDOWN]
    alike = rows[slot, BESIDE] == count and load == pace[slot, BESIDE_LOAD]
    if not fresh and same and alike:
        return
    if not fresh:
        note_stay(tables, tenants, slot)
        if not same:
            pace[slot, LEFT_MS] -= (now - rows[slot, PACED_MS]) / pace[slot, SLOWDOWN]
            unschedule(tenants, slot)
    rows[slot, BESIDE] = count
    pace[slot, BESIDE_LOAD] = load
    rows[slot, STAY_MS] = now
    if fresh or not same:
        rows[slot, PACED_MS] = now
        pace[slot, SLOWDOWN] = slowdown
        left = max(np.int64(1), np.int64(np.rint(pace[slot, LEFT_MS] * slowdown)))
        tenants.due_ms[slot] = now + left
        jobs.end_ms[tables.slots[slot, JOB]] = now + left
        schedule(tenants, slot)


@kernel(inline="llvm")
def schedule(tenants, slot):
    """Put a tenant among those that run, by when it ends."""
    size = tenants.counts[TENANTS_RUNNING]
    due_heap.push(tenants.heap, tenants.place, tenants.due_ms, 0, size, slot)
    tenants.counts[TENANTS_RUNNING] = size + 1


@kernel(inline="llvm")
def unschedule(tenants, slot):
    """Take a tenant from among those that run."""
    size = tenants.counts[TENANTS_RUNNING]
    due_heap.remove(tenants.heap, tenants.place, tenants.due_ms, 0, size, slot)
    tenants.counts[TENANTS_RUNNING] = size - 1


@kernel(inline="llvm")
def note_stay(tables, tenants, slot):
    """Note how a tenant ran since it was last told who is beside it."""
    stays = tenants.stays
    row = tenants.counts[STAYS]
    stays.job[row] = tables.slots[slot, JOB]
    stays.start_ms[row] = tenants.tenants[slot, STAY_MS]
    stays.end_ms[row] = tables.clock[NOW_MS]
    stays.tenants[row] = tenants.tenants[slot, BESIDE]
    stays.slowdown[row] = tenants.pace[slot, SLOWDOWN]
    stays.load[row] = tenants.pace[slot, BESIDE_LOAD]
    tenants.counts[STAYS] = row + 1
