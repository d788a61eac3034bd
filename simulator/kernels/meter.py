"""The meter: turns the change log into work and states by bin and by node, exactly.

Between two changes of a cluster what it holds and does is constant, so what has flowed is flow
times duration, split where the interval crosses the edge of a bin. Nothing is sampled, so the
width of the bins changes no total. Power comes later: it is these times watts.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel
from simulator.kernels.residency import Residency, settle_stay, turn

# What flows in a cluster, in accelerators: held, at work, and at work as dynamic power counts it.
HELD, BUSY, DRAWN = range(3)
FLOWS = 3

# Columns of a cluster's cursor: poured up to, the bin that is being filled, and its end.
POURED_MS, BIN, EDGE_MS = range(3)

# Columns of a node's row: now as the flows, then what has flowed since.
SINCE_MS, NODE_HELD, NODE_BUSY, NODE_DRAWN, BUSY_MS, DRAWN_MS, OCCUPIED_MS = range(7)
NODE_SIZE = 7


class Meter(NamedTuple):
    """What the meter reads and fills."""

    node_cluster: NDArray[np.int16]  # [nodes]
    resting: NDArray[np.int8]  # [clusters] 1 where nodes may be in any state but awake
    cursor: NDArray[np.int64]  # [clusters, 3]
    flow: NDArray[np.float64]  # [clusters, FLOWS]
    bins: NDArray[np.float64]  # [bins, clusters, FLOWS] flow x ms
    nodes: NDArray[np.float64]  # [nodes, NODE_SIZE]
    residency: Residency
    bin_ms: int


@kernel
def integrate(meter, time_ms, node, state, held, busy, drawn, rows):
    """Pour the first `rows` rows of a change log into the meter.

    Parameters
    ----------
    meter : Meter
    time_ms : int64[:]
        Times of change, non-decreasing but for the beginnings of descents. [ms]
    node : int32[:]
        The node that changed.
    state : int8[:]
        Its state from then on.
    held : int32[:]
        Its accelerators held from then on.
    busy, drawn : float64[:]
        Its accelerators held times their utilisation from then on, and its dynamic power in
        accelerators at work.
    rows : int
    """
    for row in range(rows):
        at = np.int64(node[row])
        cluster = np.int64(meter.node_cluster[at])
        if meter.resting[cluster] == 1:
            turn(meter.residency, cluster, at, time_ms[row], state[row], held[row])
            if held[row] == 0 and meter.nodes[at, NODE_HELD] == 0.0:
                continue
        pour(meter, cluster, time_ms[row])
        change(meter, cluster, at, time_ms[row], held[row], busy[row], drawn[row])


@kernel
def close(meter, end_ms):
    """Pour everything up to `end_ms`, with no change at that instant."""
    for cluster in range(len(meter.flow)):
        pour(meter, cluster, end_ms)
    for node in range(len(meter.nodes)):
        settle(meter, node, end_ms)
        cluster = np.int64(meter.node_cluster[node])
        if meter.resting[cluster] == 1:
            settle_stay(meter.residency, cluster, node, end_ms)


@kernel(inline="llvm")
def pour(meter, cluster, to_ms):
    """Add what has flowed in a cluster since it was last poured, bin by bin."""
    at_ms = meter.cursor[cluster, POURED_MS]
    while at_ms < to_ms:
        if at_ms >= meter.cursor[cluster, EDGE_MS]:
            meter.cursor[cluster, BIN] += 1
            meter.cursor[cluster, EDGE_MS] += meter.bin_ms
        else:
            until_ms = min(to_ms, meter.cursor[cluster, EDGE_MS])
            for flow in range(FLOWS):
                poured = meter.flow[cluster, flow] * (until_ms - at_ms)
                meter.bins[meter.cursor[cluster, BIN], cluster, flow] += poured
            at_ms = until_ms
    meter.cursor[cluster, POURED_MS] = at_ms


@kernel(inline="llvm")
def settle(meter, node, to_ms):
    """Add a node's own time at work and occupied since its last change."""
    nodes = meter.nodes
    elapsed = to_ms - nodes[node, SINCE_MS]
    if elapsed > 0.0:
        nodes[node, BUSY_MS] += nodes[node, NODE_BUSY] * elapsed
        nodes[node, DRAWN_MS] += nodes[node, NODE_DRAWN] * elapsed
        if nodes[node, NODE_HELD] > 0.0:
            nodes[node, OCCUPIED_MS] += elapsed
        nodes[node, SINCE_MS] = to_ms


@kernel(inline="always")
def change(meter, cluster, node, time_ms, held, busy, drawn):
    """Give a node its new load, and its cluster the new flows."""
    settle(meter, node, time_ms)
    nodes = meter.nodes
    flow = meter.flow
    flow[cluster, HELD] += held - nodes[node, NODE_HELD]
    if flow[cluster, HELD] == 0.0:
        flow[cluster, BUSY] = 0.0  # exactly: no rounding is carried past an empty cluster
        flow[cluster, DRAWN] = 0.0
    else:
        flow[cluster, BUSY] += busy - nodes[node, NODE_BUSY]
        flow[cluster, DRAWN] += drawn - nodes[node, NODE_DRAWN]
    nodes[node, NODE_HELD] = held
    nodes[node, NODE_BUSY] = busy
    nodes[node, NODE_DRAWN] = drawn
