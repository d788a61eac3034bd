"""When running jobs are expected to end: by their requested times, cluster by cluster.

Each cluster has a sorted list in its own part of one array, the first to end last, so that jobs
which end as expected leave it at its end. An entry is one integer, ``end_ms << bits | slot``.
"""

import numpy as np

from simulator.kernels.compile import kernel
from simulator.kernels.shadow import free_now
from simulator.kernels.tables import (
    BACKFILL,
    EASY,
    ENDS,
    ENDS_BASE,
    KNOWN,
    NOW_MS,
    PLAIN,
    SHADOW_MS,
)


@kernel(inline="llvm")
def place_of(queueing, base, count, entry):
    """Return where an entry stands, or would stand, in a list."""
    low = base
    high = base + count
    while low < high:
        middle = (low + high) >> 1
        if queueing.ends[middle] > entry:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def note_start(tables, queueing, cluster, slot, workload, gpus, end_ms):
    """Note that a job began, when it is expected to end, and what its workload holds."""
    queueing.held[workload] += gpus
    if queueing.rules[cluster, BACKFILL] == PLAIN:
        return
    latest = (np.int64(1) << (62 - tables.bits)) - 1
    entry = (min(end_ms, latest) << tables.bits) | slot
    queueing.slot_end[slot] = entry
    base = queueing.rules[cluster, ENDS_BASE]
    count = queueing.rules[cluster, ENDS]
    at = place_of(queueing, base, count, entry)
    for place in range(base + count, at, -1):
        queueing.ends[place] = queueing.ends[place - 1]
    queueing.ends[at] = entry
    queueing.rules[cluster, ENDS] = count + 1


@kernel
def note_end(tables, queueing, cluster, slot, workload, gpus):
    """Forget a job that ended, before it is taken off its nodes.

    Where it ends when it was expected to, a reservation holds: what was counted as free then is
    free now. Where it ends early, its time may come sooner.
    """
    rules = queueing.rules
    queueing.held[workload] -= gpus
    if rules[cluster, BACKFILL] == PLAIN:
        return
    base = rules[cluster, ENDS_BASE]
    count = rules[cluster, ENDS] - 1
    entry = queueing.slot_end[slot]
    at = place_of(queueing, base, count + 1, entry)
    for place in range(at, base + count):
        queueing.ends[place] = queueing.ends[place + 1]
    rules[cluster, ENDS] = count
    if rules[cluster, BACKFILL] == EASY and rules[cluster, KNOWN] == 1:
        end_ms = entry >> tables.bits
        if end_ms == tables.clock[NOW_MS] and end_ms <= rules[cluster, SHADOW_MS]:
            free_now(tables, queueing, slot)
        else:
            rules[cluster, KNOWN] = 0
