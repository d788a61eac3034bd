"""Where nodes spend their time: how long each rests, enters and wakes, by bin and by node.

The change log says when a node fell idle, began its descent, was woken; what lies between is
worked out here from the ladder, in whole milliseconds, so that sums are exact in any order.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel
from simulator.kernels.ladder import (
    ENTERING,
    PER_LEVEL,
    RESTING,
    WAKING_FROM,
    Ladder,
    begins_ms,
)
from simulator.kernels.tables import ASLEEP, AWAKE, FAILED, WAKING

# Columns of what is known of a node.
STATE, SINCE_MS, IDLE_SINCE_MS, LEVEL, ENTERED_MS, OCCUPIED, WAKE_UPS, CANCELLED = range(8)
COUNTED = 8  # 1 where the wake-up under way is one that counts
FAILURES = 9
NODE_SIZE = 10


class Residency(NamedTuple):
    """What is filled: times in each code of `simulator.kernels.ladder`.

    After those of the levels come being absent and, where nodes fail, being failed.
    """

    ladder: Ladder
    nodes: NDArray[np.int64]  # [nodes, NODE_SIZE]
    node_ms: NDArray[np.int64]  # [nodes, codes]
    part_ms: NDArray[np.int64]  # [bins + 2, clusters, codes] in bins where a stay begins or ends
    step: NDArray[np.int64]  # [bins + 2, clusters, codes] stays more or less from this bin on
    begin_ms: int  # nothing before counts
    bin_ms: int
    offset_ms: int  # the run's start lies so far into the first bin


@kernel(inline="llvm")
def spend(residency, cluster, node, code, from_ms, to_ms):
    """Add a stay of a node to its own time and to the bins that it crosses.

    A stay through many bins costs no more than a short one: its beginning and its end are noted,
    and the bins between are summed up when the run is over.
    """
    first_ms = max(from_ms, residency.begin_ms)
    if to_ms <= first_ms:
        return
    residency.node_ms[node, code] += to_ms - first_ms
    for sign in (1, -1):
        time_ms = first_ms if sign == 1 else to_ms
        at = (time_ms + residency.offset_ms) // residency.bin_ms
        left_ms = (at + 1) * residency.bin_ms - residency.offset_ms - time_ms
        residency.part_ms[at, cluster, code] += sign * left_ms
        residency.step[at + 1, cluster, code] += sign


@kernel(inline="always")
def spend_asleep(residency, cluster, node, to_ms):
    """Add what a sleeper did since it was last looked at: entering and resting, level by level."""
    ladder = residency.ladder
    row = residency.nodes
    level = row[node, LEVEL]
    entered_ms = row[node, ENTERED_MS]
    at_ms = row[node, SINCE_MS]
    while True:
        code = PER_LEVEL * level
        stop_ms = min(entered_ms, to_ms)
        if stop_ms > at_ms:
            spend(residency, cluster, node, code + ENTERING, at_ms, stop_ms)
            at_ms = stop_ms
        next_ms = to_ms
        if level + 1 < ladder.levels[cluster]:
            begin_ms = begins_ms(ladder, cluster, level + 1, row[node, IDLE_SINCE_MS], entered_ms)
            next_ms = min(begin_ms, to_ms)
        if next_ms > at_ms:
            spend(residency, cluster, node, code + RESTING, at_ms, next_ms)
            at_ms = next_ms
        if at_ms >= to_ms:
            break
        level += 1
        entered_ms = at_ms + ladder.enter_ms[cluster, level]
    row[node, LEVEL] = level
    row[node, ENTERED_MS] = entered_ms
    row[node, SINCE_MS] = to_ms


@kernel(inline="always")
def spend_idle(residency, cluster, node, to_ms):
    """Add the states without latency that an idle node went through; return how deep it got."""
    ladder = residency.ladder
    since_ms = residency.nodes[node, IDLE_SINCE_MS]
    last = min(ladder.first[cluster], ladder.levels[cluster])
    depth = -1
    for level in range(last):
        from_ms = since_ms + ladder.after_ms[cluster, level]
        if from_ms >= to_ms:
            break
        depth = level
        until_ms = to_ms
        if level + 1 < last:
            until_ms = min(to_ms, since_ms + ladder.after_ms[cluster, level + 1])
        spend(residency, cluster, node, PER_LEVEL * level + RESTING, from_ms, until_ms)
    return depth


@kernel(inline="always")
def spend_waking(residency, cluster, node, to_ms):
    """Add what a waking node did: it first ends entering, then wakes."""
    row = residency.nodes
    code = PER_LEVEL * row[node, LEVEL]
    since_ms = row[node, SINCE_MS]
    waking_ms = max(since_ms, min(row[node, ENTERED_MS], to_ms))
    spend(residency, cluster, node, code + ENTERING, since_ms, waking_ms)
    spend(residency, cluster, node, code + WAKING_FROM, waking_ms, to_ms)
    row[node, SINCE_MS] = to_ms


@kernel(inline="llvm")
def settle_stay(residency, cluster, node, to_ms):
    """Add all that a node did up to `to_ms`; return whether it slept in a state without latency."""
    row = residency.nodes
    state = row[node, STATE]
    if state == AWAKE:
        return row[node, OCCUPIED] == 0 and spend_idle(residency, cluster, node, to_ms) >= 0
    if state == ASLEEP:
        spend_asleep(residency, cluster, node, to_ms)
    elif state == WAKING:
        spend_waking(residency, cluster, node, to_ms)
    else:
        code = PER_LEVEL * residency.ladder.after_ms.shape[1]
        if state == FAILED:
            code += 1
        spend(residency, cluster, node, code, row[node, SINCE_MS], to_ms)
        row[node, SINCE_MS] = to_ms
    return False


@kernel(inline="llvm")
def turn(residency, cluster, node, time_ms, state, held):
    """Let a node change to a state, after what it did until then."""
    ladder = residency.ladder
    row = residency.nodes
    before = row[node, STATE]
    napped = settle_stay(residency, cluster, node, time_ms)
    counted = 1 if time_ms >= residency.begin_ms else 0
    if before == WAKING and state in (ASLEEP, WAKING):  # WAKING: cancelled and woken anew at once
        row[node, CANCELLED] += row[node, COUNTED]
        row[node, ENTERED_MS] = max(row[node, ENTERED_MS], time_ms)
    if state == WAKING or (before == ASLEEP and state == AWAKE) or (napped and held > 0):
        row[node, WAKE_UPS] += counted
        row[node, COUNTED] = counted
    if state == FAILED:
        row[node, FAILURES] += counted
    if state == ASLEEP and before == AWAKE:
        level = ladder.first[cluster]
        row[node, LEVEL] = level
        row[node, ENTERED_MS] = time_ms + ladder.enter_ms[cluster, level]
    elif state == AWAKE and held == 0 and (before != AWAKE or row[node, OCCUPIED] == 1):
        row[node, IDLE_SINCE_MS] = time_ms
    row[node, STATE] = state
    row[node, SINCE_MS] = time_ms
    row[node, OCCUPIED] = 1 if held > 0 else 0
