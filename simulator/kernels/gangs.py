"""The life of a gang: started on its nodes, completed."""

import numpy as np

from simulator.kernels import agenda
from simulator.kernels.compile import kernel
from simulator.kernels.placement import choose, move
from simulator.kernels.tables import (
    BUSY,
    CLUSTER,
    COMPLETED,
    DRAWN,
    FREE_SLOT,
    NEXT_SLOT,
    NEXT_WHOLE,
    NODE_FREE,
    NODE_WHOLE,
    NONE,
    NOW_MS,
    OVERRUN,
    PART_GPUS,
    PART_NODE,
    RUNNING,
    STARTED,
    WHOLE,
    WHOLE_COUNT,
    WHOLE_HEAD,
)


@kernel(inline="always")
def start(jobs, tables, cluster, job):
    """Write the row of a job that fits, place it, and put its completion on the agenda.

    A job that ends at the instant it starts holds nothing and costs nothing.
    """
    clock = tables.clock
    now = clock[NOW_MS]
    length = jobs.duration_ms[job] / jobs.speed[jobs.workload[job], cluster]
    end = now + np.int64(np.rint(length))
    jobs.cluster[job] = cluster
    jobs.start_ms[job] = now
    jobs.end_ms[job] = end
    clock[STARTED] += 1
    if end == now:
        clock[COMPLETED] += 1
    else:
        slot = clock[FREE_SLOT]
        clock[FREE_SLOT] = tables.slots[slot, NEXT_SLOT]
        jobs.first_node[job] = place(tables, cluster, slot, jobs.gpus[job], jobs.utilisation[job])
        jobs.part_node[job] = tables.slots[slot, PART_NODE]
        latest = (np.int64(1) << (62 - tables.bits)) - 1
        if end > latest:
            clock[OVERRUN] = 1  # never reached before the horizon; a draining run is refused
        agenda.push(tables.agenda, clock[RUNNING], (min(end, latest) << tables.bits) | slot)
        clock[RUNNING] += 1


@kernel(inline="always")
def place(tables, cluster, slot, gpus, utilisation):
    """Put a gang on its nodes and note them in its slot; return the lowest of them."""
    nodes = tables.nodes
    slots = tables.slots
    whole = tables.clusters[cluster, WHOLE]
    count = gpus // whole
    rest = gpus - count * whole
    first = NONE
    previous = NONE
    for _ in range(count):
        node = choose(tables, cluster, whole)
        move(tables, cluster, node, -whole)
        tables.busy[node, BUSY] = whole * utilisation
        tables.busy[node, DRAWN] = whole * utilisation
        if previous < 0:
            first = node
        else:
            nodes[previous, NEXT_WHOLE] = node
        previous = node
    slots[slot, WHOLE_HEAD] = first
    slots[slot, WHOLE_COUNT] = count
    slots[slot, PART_GPUS] = rest
    slots[slot, CLUSTER] = cluster
    slots[slot, PART_NODE] = NONE
    tables.slot_busy[slot, BUSY] = utilisation
    tables.slot_busy[slot, DRAWN] = utilisation
    if rest > 0:
        node = choose(tables, cluster, rest)
        move(tables, cluster, node, -rest)
        tables.busy[node, BUSY] += rest * utilisation
        tables.busy[node, DRAWN] += rest * utilisation
        slots[slot, PART_NODE] = node
        if first < 0 or node < first:
            first = node
    return first


@kernel(inline="always")
def complete(tables):
    """Settle the first completion of the agenda: free its accelerators and its slot."""
    clock = tables.clock
    slots = tables.slots
    nodes = tables.nodes
    slot = tables.agenda[0] & ((1 << tables.bits) - 1)
    agenda.pop(tables.agenda, clock[RUNNING])
    clock[RUNNING] -= 1
    clock[COMPLETED] += 1
    cluster = slots[slot, CLUSTER]
    node = slots[slot, WHOLE_HEAD]
    for _ in range(slots[slot, WHOLE_COUNT]):
        following = nodes[node, NEXT_WHOLE]
        move(tables, cluster, node, nodes[node, NODE_WHOLE])
        tables.busy[node, BUSY] = 0.0
        tables.busy[node, DRAWN] = 0.0
        node = following
    part = slots[slot, PART_GPUS]
    if part > 0:
        node = slots[slot, PART_NODE]
        move(tables, cluster, node, part)
        if nodes[node, NODE_FREE] == nodes[node, NODE_WHOLE]:
            tables.busy[node, BUSY] = 0.0  # exactly: no rounding is carried past an empty node
            tables.busy[node, DRAWN] = 0.0
        else:
            tables.busy[node, BUSY] -= part * tables.slot_busy[slot, BUSY]
            tables.busy[node, DRAWN] -= part * tables.slot_busy[slot, DRAWN]
    slots[slot, NEXT_SLOT] = clock[FREE_SLOT]
    clock[FREE_SLOT] = slot
