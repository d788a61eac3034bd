"""The life of a gang: started on its nodes, completed, or cut short."""

import numpy as np

from simulator.kernels import agenda, loads
from simulator.kernels.checkpoints import kept_and_lost, stretched, worked
from simulator.kernels.compile import kernel
from simulator.kernels.expected import note_end, note_start
from simulator.kernels.locality import (
    are_chosen,
    follow_move,
    note_racks,
    settle_nodes,
    speed_across,
)
from simulator.kernels.placement import choose, move
from simulator.kernels.power import load
from simulator.kernels.queues import reenter
from simulator.kernels.shadow import requested
from simulator.kernels.shares import note_use
from simulator.kernels.tables import (
    AT_LEVEL,
    BUDGETED,
    BUSY,
    CLUSTER,
    COMPLETED,
    DRAWN,
    FREE_SLOT,
    JOB,
    LESS,
    MORE,
    NEXT_SLOT,
    NEXT_WHOLE,
    NODE_FREE,
    NODE_WHOLE,
    NONE,
    NOW_MS,
    OVERRUN,
    PART_GPUS,
    PART_NODE,
    PIECE_ROWS,
    RUNNING,
    STARTED,
    SUSPEND,
    WHOLE,
    WHOLE_COUNT,
    WHOLE_HEAD,
)


@kernel(inline="llvm")
def start(jobs, tables, queueing, power, cluster, job, level, chosen):
    """Write the row of a job that fits, place it, and put its completion on the agenda.

    It runs at one power level of the cluster from its start to its end, and slower where its nodes
    lie in several racks that say so.

    Where its nodes are `chosen` they stand in the table of that name, else the cluster's rule
    places it. A job that ends at the instant it starts holds nothing and costs nothing. Returns
    the job's slot, NONE where it needed none.
    """
    clock = tables.clock
    now = clock[NOW_MS]
    length = jobs.duration_ms[job] / jobs.speed[jobs.workload[job], cluster]
    share = 1.0
    if level > 0:
        length /= power.level_speed[cluster, level]
        share = power.level_draw[cluster, level]
    across = 1.0
    spanned = np.int64(0)
    if queueing is not None:
        racks = queueing.racks
        size = np.int64(jobs.gpus[job])
        spanned = settle_nodes(tables, queueing.chosen, racks, cluster, size, chosen)
        across = speed_across(racks, cluster, spanned)
        length /= across
        chosen = chosen or are_chosen(tables, racks, cluster, size)
    if len(jobs.plan.way) > 0:
        length = stretched(jobs, cluster, job, length)
    end = now + np.int64(np.rint(length))
    jobs.cluster[job] = cluster
    if level > 0:
        jobs.power_level[job] = level
    jobs.start_ms[job] = now
    jobs.end_ms[job] = end
    clock[STARTED] += 1
    slot = NONE
    if end == now:
        clock[COMPLETED] += 1
    else:
        slot = clock[FREE_SLOT]
        clock[FREE_SLOT] = tables.slots[slot, NEXT_SLOT]
        busy = jobs.utilisation[job]
        gpus = jobs.gpus[job]
        jobs.first_node[job] = place(
            tables, queueing, power, cluster, slot, gpus, busy, busy * share, level, chosen
        )
        if tables.slots[slot, PART_NODE] >= 0:
            jobs.part_node[job] = tables.slots[slot, PART_NODE]
        latest = (np.int64(1) << (62 - tables.bits)) - 1
        if end > latest:
            clock[OVERRUN] = 1  # never reached before the horizon; a draining run is refused
        agenda.push(tables.agenda, clock[RUNNING], (min(end, latest) << tables.bits) | slot)
        clock[RUNNING] += 1
        tables.slots[slot, JOB] = job
        if queueing is not None:
            note_racks(queueing.racks, job, spanned)
            end_ms = now + requested(jobs, power, cluster, job, level, across)
            note_start(tables, queueing, cluster, slot, jobs.workload[job], jobs.gpus[job], end_ms)
            note_use(tables, queueing.shares, np.int64(job), np.int64(jobs.gpus[job]))
        loads.note_begin(tables.loads, jobs, tables, power, cluster, job, slot, level, across)
    return slot


@kernel(inline="llvm")
def place(tables, queueing, power, cluster, slot, gpus, busy, drawn, level, chosen):
    """Put a gang on its nodes and note them in its slot; return the lowest of them.

    Each accelerator is `busy`, and draws as much as if it were `drawn`.
    """
    nodes = tables.nodes
    slots = tables.slots
    whole = tables.clusters[cluster, WHOLE]
    count = gpus // whole
    rest = gpus - count * whole
    first = NONE
    head = NONE
    previous = NONE
    for at in range(count):
        node = next_node(tables, queueing, cluster, whole, at, chosen)
        move(tables, cluster, node, -whole)
        if queueing is not None:
            follow_move(tables, queueing.racks, cluster, node, -whole)
        load(tables, power, cluster, node, whole * busy, whole * drawn, level, MORE)
        if previous < 0:
            head = node
        else:
            nodes[previous, NEXT_WHOLE] = node
        if first < 0 or node < first:
            first = node
        previous = node
    slots[slot, WHOLE_HEAD] = head
    slots[slot, WHOLE_COUNT] = count
    slots[slot, PART_GPUS] = rest
    slots[slot, CLUSTER] = cluster
    slots[slot, AT_LEVEL] = level
    slots[slot, PART_NODE] = NONE
    tables.slot_busy[BUSY, slot] = busy
    if tables.clusters[cluster, BUDGETED] == 1:
        tables.slot_busy[DRAWN, slot] = drawn
    if rest > 0:
        node = next_node(tables, queueing, cluster, rest, count, chosen)
        move(tables, cluster, node, -rest)
        if queueing is not None:
            follow_move(tables, queueing.racks, cluster, node, -rest)
        busy = tables.busy[BUSY, node] + rest * busy
        if tables.clusters[cluster, BUDGETED] == 1:
            drawn = tables.busy[DRAWN, node] + rest * drawn
        load(tables, power, cluster, node, busy, drawn, level, MORE)
        slots[slot, PART_NODE] = node
        if first < 0 or node < first:
            first = node
    return first


@kernel(inline="always")
def next_node(tables, queueing, cluster, gpus, at, chosen):
    """Return the node for the next part of a gang: the one chosen, or that of the rule."""
    if queueing is not None:
        node = queueing.chosen[at] if chosen else choose(tables, cluster, gpus)
    else:
        node = choose(tables, cluster, gpus)
    return node


@kernel(inline="llvm")
def complete(jobs, tables, queueing, power):
    """Settle the first completion of the agenda: free its accelerators and its slot."""
    clock = tables.clock
    slot = tables.agenda[0] & ((1 << tables.bits) - 1)
    agenda.pop(tables.agenda, clock[RUNNING])
    clock[COMPLETED] += 1
    release(jobs, tables, queueing, power, slot)


@kernel(inline="llvm")
def release(jobs, tables, queueing, power, slot):
    """Free the accelerators of a running job and its slot."""
    clock = tables.clock
    slots = tables.slots
    nodes = tables.nodes
    clock[RUNNING] -= 1
    cluster = np.int64(slots[slot, CLUSTER])
    level = np.int64(slots[slot, AT_LEVEL])
    if queueing is not None:
        job = slots[slot, JOB]
        note_end(tables, queueing, cluster, slot, jobs.workload[job], jobs.gpus[job])
        note_use(tables, queueing.shares, np.int64(job), -np.int64(jobs.gpus[job]))
    loads.note_end(tables.loads, jobs, tables, cluster, slot)
    node = np.int64(slots[slot, WHOLE_HEAD])
    for _ in range(slots[slot, WHOLE_COUNT]):
        following = np.int64(nodes[node, NEXT_WHOLE])
        whole = np.int64(nodes[node, NODE_WHOLE])
        move(tables, cluster, node, whole)
        if queueing is not None:
            follow_move(tables, queueing.racks, cluster, node, whole)
        load(tables, power, cluster, node, 0.0, 0.0, level, LESS)
        node = following
    part = np.int64(slots[slot, PART_GPUS])
    if part > 0:
        node = np.int64(slots[slot, PART_NODE])
        move(tables, cluster, node, part)
        if queueing is not None:
            follow_move(tables, queueing.racks, cluster, node, part)
        busy = 0.0
        drawn = 0.0  # exactly: an empty node carries no rounding
        if nodes[node, NODE_FREE] < nodes[node, NODE_WHOLE]:
            busy = tables.busy[BUSY, node] - part * tables.slot_busy[BUSY, slot]
            if tables.clusters[cluster, BUDGETED] == 1:
                drawn = tables.busy[DRAWN, node] - part * tables.slot_busy[DRAWN, slot]
        load(tables, power, cluster, node, busy, drawn, level, LESS)
    slots[slot, NEXT_SLOT] = clock[FREE_SLOT]
    clock[FREE_SLOT] = slot


@kernel
def cut_short(jobs, tables, queueing, power, preemption, pieces, slot, cause):
    """End a running job before its time: note what it did, and let it wait again in its old place.

    What it has saved is done, all that it did if it was suspended; the rest of its work is left to
    do. One that was being suspended has not worked since then.
    """
    clock = tables.clock
    job = np.int64(tables.slots[slot, JOB])
    cluster = np.int64(jobs.cluster[job])
    level = np.int64(jobs.power_level[job])
    speed = jobs.speed[jobs.workload[job], cluster]
    if level > 0:
        speed *= power.level_speed[cluster, level]
    row = clock[PIECE_ROWS]
    if queueing is not None:
        speed *= note_piece(queueing.racks, pieces, row, cluster, job)
    work_ms = jobs.duration_ms[job] / speed
    if preemption is not None:
        stopped_ms = preemption.stopped_ms[slot]
        preemption.stopped_ms[slot] = NONE
        if stopped_ms < 0:
            stopped_ms = clock[NOW_MS]
        ran_ms = stopped_ms - jobs.start_ms[job]
        kept_ms, lost_ms = kept_and_lost(jobs, cluster, job, work_ms, ran_ms)
        resume_ms = jobs.resume_ms[job]
        if cause == SUSPEND:
            kept_ms = worked(jobs, cluster, job, work_ms, ran_ms)
            lost_ms = 0.0
            jobs.resume_ms[job] = preemption.resume_ms[cluster]
        elif kept_ms > 0.0:
            jobs.resume_ms[job] = NONE
        lost_ms += clock[NOW_MS] - stopped_ms
        pieces.resume_ms[row] = resume_ms
    else:
        ran_ms = clock[NOW_MS] - jobs.start_ms[job]
        kept_ms, lost_ms = kept_and_lost(jobs, cluster, job, work_ms, ran_ms)
        pieces.resume_ms[row] = NONE
    pieces.cause[row] = cause
    pieces.job[row] = job
    pieces.cluster[row] = cluster
    pieces.first_node[row] = jobs.first_node[job]
    pieces.part_node[row] = jobs.part_node[job]
    pieces.power_level[row] = level
    pieces.start_ms[row] = jobs.start_ms[job]
    pieces.end_ms[row] = clock[NOW_MS]
    pieces.kept_ms[row] = kept_ms
    pieces.lost_ms[row] = lost_ms
    clock[PIECE_ROWS] = row + 1
    clock[STARTED] -= 1
    jobs.duration_ms[job] = max(0.0, jobs.duration_ms[job] - kept_ms * speed)
    jobs.requested_ms[job] = max(0.0, jobs.requested_ms[job] - kept_ms * speed)
    jobs.restarts[job] += 1
    jobs.start_ms[job] = NONE
    jobs.end_ms[job] = NONE
    jobs.first_node[job] = NONE
    jobs.part_node[job] = NONE
    jobs.power_level[job] = 0
    mask = (1 << tables.bits) - 1
    for at in range(clock[RUNNING]):
        if tables.agenda[at] & mask == slot:
            agenda.remove(tables.agenda, clock[RUNNING], at)
            break
    release(jobs, tables, queueing, power, slot)
    reenter(jobs, tables, job)


@kernel(inline="llvm")
def note_piece(racks, pieces, row, cluster, job):
    """Note the racks that a piece of a job spanned, and forget them; return its relative speed."""
    speed = 1.0
    if racks is not None and len(racks.spanned) > 0:
        spanned = np.int64(racks.spanned[job])
        pieces.racks[row] = spanned
        racks.spanned[job] = 0
        speed = speed_across(racks, cluster, spanned)
    return speed
