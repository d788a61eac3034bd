"""Which shared accelerators have room, and the tables of those and of their tenants.

Accelerators with room are members of a tree of bits, as nodes with so many free are, the fullest
first and among those the ones of the lowest node: whom a job joins is found without a scan.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import node_index
from simulator.kernels.compile import kernel
from simulator.kernels.placement import fits
from simulator.kernels.tables import FIRST_NODE, LISTED, NODES, NONE

PERCENT = 100
"""Steps of what a job takes of an accelerator, for the limit and for who is fullest."""

SLACK = 1e-9
"""What a product of a utilisation and 100 may lie above a whole number by rounding."""

# Columns of the table of rules, one row for each cluster: tenants that an accelerator may have at
# most, the most that their utilisations may sum up to in per cent, whether an accelerator that has
# room is preferred to a free one. Then the accelerator that the count of what the queue needs
# imagines, its tenants and their sum. Then the tree of those with room.
(
    MOST_TENANTS,
    LIMIT,
    SHARED_FIRST,
    COUNTED,
    COUNTED_LOAD,
    ROOM_BASE,
) = range(6)
ROOM_SHAPE = 6
RULE_SIZE = ROOM_SHAPE + node_index.LEVELS + 1

# Columns of the table of shared accelerators: NEXT is the one that was opened after it on its node,
# or the next row that is free.
AT_NODE, AT_CLUSTER, TENANTS, LOAD, FIRST_TENANT, LAST_TENANT, NEXT, TOUCHED = range(8)
ACCELERATOR_SIZE = 8

# Columns of the table of tenants: its accelerator, who joined after it; how many they were when it
# was last paced (0 before), since when it runs beside so many, and since when at its speed.
ON, AFTER, BESIDE, STAY_MS, PACED_MS = range(5)
TENANT_SIZE = 5

# Columns of the pace of tenants: work left when it was last paced, in ms of running alone; time
# that a ms of it takes; what all on its accelerator would keep busy alone.
LEFT_MS, SLOWDOWN, BESIDE_LOAD = range(3)
PACE_SIZE = 3

# Counts: running tenants, stays noted, accelerators touched at this instant, first free row.
TENANTS_RUNNING, STAYS, MARKED, FREE_ROW = range(4)
COUNTS = 4


class Stays(NamedTuple):
    """Times in which the same tenants were on a job's accelerator, itself included, [rows]."""

    job: NDArray[np.int32]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    tenants: NDArray[np.int32]
    slowdown: NDArray[np.float64]
    load: NDArray[np.float64]  # summed utilisation of the tenants


class Tenants(NamedTuple):
    """Shared accelerators and their tenants; None where no cluster shares any."""

    rules: NDArray[np.int64]  # [clusters, RULE_SIZE]
    shareable: NDArray[np.int8]  # [workloads] whether their jobs may share
    percent: NDArray[np.int64]  # [jobs] what they ask for, or else keep busy, of an accelerator
    knots: NDArray[np.int64]  # [clusters] points of the law of interference
    load: NDArray[np.float64]  # [clusters, most knots] summed utilisation of each point
    slowdown: NDArray[np.float64]  # [clusters, most knots] slowdown there
    rooms: NDArray[np.int64]  # trees of the accelerators with room, the fullest lowest
    opened: NDArray[np.int64]  # [nodes] the shared accelerator of a node that was opened first
    accelerators: NDArray[np.int64]  # [rows, ACCELERATOR_SIZE]
    busy: NDArray[np.float64]  # [rows] what their tenants keep busy of each
    marked: NDArray[np.int64]  # [rows] those touched at this instant
    tenants: NDArray[np.int64]  # [slots, TENANT_SIZE]
    pace: NDArray[np.float64]  # [slots, PACE_SIZE]
    due_ms: NDArray[np.int64]  # [slots] when a tenant ends
    heap: NDArray[np.int32]  # [slots] running tenants, the first to end on top
    place: NDArray[np.int32]  # [slots] where a tenant stands in it
    counts: NDArray[np.int64]
    stays: Stays


@kernel(inline="llvm")
def may_share(jobs, tenants, cluster, job):
    """Return whether a job would share an accelerator of a cluster."""
    return (
        jobs.gpus[job] == 1
        and tenants.rules[cluster, MOST_TENANTS] > 1
        and tenants.shareable[jobs.workload[job]] == 1
    )


@kernel(inline="llvm")
def has_room(tables, tenants, cluster, load):
    """Return whether a job that loads an accelerator so far could join one or take a free one."""
    return fits(tables.clusters, cluster, 1) or find_room(tables, tenants, cluster, load) >= 0


@kernel
def find_room(tables, tenants, cluster, load):
    """Return the accelerator that a job of so much utilisation would join, NONE if none has room.

    It is the fullest, of those on the lowest node, of those the one opened first. Those of closed
    nodes take nobody.
    """
    rules = tenants.rules
    nodes = tables.clusters[cluster, NODES]
    base = rules[cluster, ROOM_BASE]
    place = load * nodes if load <= rules[cluster, LIMIT] else NONE
    while place >= 0:
        place = node_index.lowest_above(tenants.rooms, base, rules, cluster, ROOM_SHAPE, place)
        if place < 0:
            break
        node = tables.clusters[cluster, FIRST_NODE] + (place - 1) % nodes
        if tables.nodes[node, LISTED] == 1:
            return first_with(tenants, node, rules[cluster, LIMIT] - (place - 1) // nodes)
    return NONE


@kernel(inline="llvm")
def first_with(tenants, node, load):
    """Return the accelerator with room of a node opened first whose tenants load it so far."""
    at = tenants.opened[node]
    while at >= 0:
        if tenants.accelerators[at, LOAD] == load and takes_more(tenants, at):
            break
        at = tenants.accelerators[at, NEXT]
    return at


@kernel(inline="llvm")
def takes_more(tenants, at):
    """Return whether an accelerator may have one more tenant, if one of no load."""
    accelerators = tenants.accelerators
    cluster = accelerators[at, AT_CLUSTER]
    few = accelerators[at, TENANTS] < tenants.rules[cluster, MOST_TENANTS]
    return few and accelerators[at, LOAD] <= tenants.rules[cluster, LIMIT]


@kernel(inline="llvm")
def room_place(tables, tenants, at):
    """Return an accelerator's place among those with room; those alike on a node have one."""
    cluster = tenants.accelerators[at, AT_CLUSTER]
    left = tenants.rules[cluster, LIMIT] - tenants.accelerators[at, LOAD]
    member = tenants.accelerators[at, AT_NODE] - tables.clusters[cluster, FIRST_NODE]
    return 1 + left * tables.clusters[cluster, NODES] + member


@kernel
def offer(tables, tenants, at):
    """Count an accelerator among those with room, if it has any."""
    if takes_more(tenants, at):
        cluster = tenants.accelerators[at, AT_CLUSTER]
        base = tenants.rules[cluster, ROOM_BASE]
        place = room_place(tables, tenants, at)
        node_index.insert(tenants.rooms, base, tenants.rules, cluster, ROOM_SHAPE, place)


@kernel
def withdraw(tables, tenants, at):
    """Count an accelerator no longer among those with room, before its tenants change."""
    if not takes_more(tenants, at):
        return
    accelerators = tenants.accelerators
    other = tenants.opened[accelerators[at, AT_NODE]]
    while other >= 0:
        same = accelerators[other, LOAD] == accelerators[at, LOAD]
        if other != at and same and takes_more(tenants, other):
            return
        other = accelerators[other, NEXT]
    cluster = accelerators[at, AT_CLUSTER]
    base = tenants.rules[cluster, ROOM_BASE]
    place = room_place(tables, tenants, at)
    node_index.remove(tenants.rooms, base, tenants.rules, cluster, ROOM_SHAPE, place)


@kernel(inline="llvm")
def forget_counted(tenants):
    """Begin to count what the waiting jobs need: nobody is imagined on an accelerator yet."""
    for cluster in range(len(tenants.rules)):
        tenants.rules[cluster, COUNTED] = 0


@kernel(inline="llvm")
def has_counted_room(jobs, tenants, cluster, job):
    """Return whether a waiting job would fit beside those counted on the imagined accelerator."""
    rules = tenants.rules
    if rules[cluster, COUNTED] == 0 or not may_share(jobs, tenants, cluster, job):
        return False
    load = rules[cluster, COUNTED_LOAD] + tenants.percent[job]
    return rules[cluster, COUNTED] < rules[cluster, MOST_TENANTS] and load <= rules[cluster, LIMIT]


@kernel(inline="llvm")
def needs_nothing(jobs, tenants, cluster, job):
    """Count a waiting job; return whether it needs no accelerator beyond those counted before.

    One that may share needs none where it fits beside those before it; else it is the first on
    another accelerator.
    """
    rules = tenants.rules
    if has_counted_room(jobs, tenants, cluster, job):
        rules[cluster, COUNTED] += 1
        rules[cluster, COUNTED_LOAD] += tenants.percent[job]
        return True
    if may_share(jobs, tenants, cluster, job):
        rules[cluster, COUNTED] = 1
        rules[cluster, COUNTED_LOAD] = tenants.percent[job]
    return False


@kernel(inline="always")
def stays_full(tenants):
    """Return whether an instant, which may note one of each slot, could find no room for stays."""
    return tenants.counts[STAYS] > len(tenants.stays.job) - len(tenants.due_ms)
