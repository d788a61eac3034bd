"""The meter: turns the change log into energy by bin and by node, exactly.

Between two changes of a cluster every flow (power by kind, accelerators held) is constant, so
what has flowed is flow times duration, split where the interval crosses the edge of a bin.
Nothing is sampled, so the width of the bins changes no total.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel

# What flows in a cluster: power by kind [W], then accelerators held, at work and awake.
DYNAMIC_W, IDLE_W, SLEEP_W, TRANSITION_W, HELD, BUSY, AWAKE_GPUS = range(7)
FLOWS = 7

# Columns of a cluster's cursor: poured up to, the bin that is being filled, and its end.
POURED_MS, BIN, EDGE_MS = range(3)

# Columns of a node's row.
SINCE_MS, NODE_STATE, NODE_HELD, NODE_BUSY, BUSY_MS, OCCUPIED_MS, STATE_SINCE_MS = range(7)
NODE_SIZE = 7


class Meter(NamedTuple):
    """What the meter reads and fills."""

    node_cluster: NDArray[np.int16]  # [nodes]
    span_w: NDArray[np.float64]  # [clusters] power of one accelerator at work, beside idle
    accelerators: NDArray[np.int64]  # [clusters] of one node
    state_w: NDArray[np.float64]  # [clusters, states] power of a node with nothing at work
    state_flow: NDArray[np.int64]  # [states] the flow that power belongs to
    cursor: NDArray[np.int64]  # [clusters, 3]
    flow: NDArray[np.float64]  # [clusters, FLOWS]
    bins: NDArray[np.float64]  # [bins, clusters, FLOWS] flow x ms
    nodes: NDArray[np.float64]  # [nodes, NODE_SIZE]
    state_ms: NDArray[np.float64]  # [nodes, states] time spent in each state
    bin_ms: int


@kernel
def integrate(meter, time_ms, node, state, held, busy, rows):
    """Pour the first `rows` rows of a change log into the meter.

    Parameters
    ----------
    meter : Meter
    time_ms : int64[:]
        Times of change, non-decreasing. [ms]
    node : int32[:]
        The node that changed.
    state : int8[:]
        Its state from then on.
    held : int32[:]
        Its accelerators held from then on.
    busy : float64[:]
        Its accelerators held times their utilisation from then on.
    rows : int
    """
    for row in range(rows):
        cluster = meter.node_cluster[node[row]]
        pour(meter, cluster, time_ms[row])
        change(meter, cluster, node[row], time_ms[row], state[row], held[row], busy[row])


@kernel
def close(meter, end_ms):
    """Pour everything up to `end_ms`, with no change at that instant."""
    for cluster in range(len(meter.flow)):
        pour(meter, cluster, end_ms)
    for node in range(len(meter.nodes)):
        settle(meter, node, end_ms)
        state = np.int64(meter.nodes[node, NODE_STATE])
        elapsed = end_ms - meter.nodes[node, STATE_SINCE_MS]
        if elapsed > 0.0:
            meter.state_ms[node, state] += elapsed


@kernel(inline="always")
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


@kernel(inline="always")
def settle(meter, node, to_ms):
    """Add a node's own time at work and occupied since its last change."""
    elapsed = to_ms - meter.nodes[node, SINCE_MS]
    if elapsed > 0.0:
        meter.nodes[node, BUSY_MS] += meter.nodes[node, NODE_BUSY] * elapsed
        if meter.nodes[node, NODE_HELD] > 0.0:
            meter.nodes[node, OCCUPIED_MS] += elapsed
        meter.nodes[node, SINCE_MS] = to_ms


@kernel(inline="always")
def change(meter, cluster, node, time_ms, state, held, busy):
    """Give a node its new state and load, and its cluster the new flows."""
    settle(meter, node, time_ms)
    nodes = meter.nodes
    flow = meter.flow
    flow[cluster, HELD] += held - nodes[node, NODE_HELD]
    if flow[cluster, HELD] == 0.0:
        flow[cluster, BUSY] = 0.0  # exactly: no rounding is carried past an empty cluster
    else:
        flow[cluster, BUSY] += busy - nodes[node, NODE_BUSY]
    flow[cluster, DYNAMIC_W] = meter.span_w[cluster] * flow[cluster, BUSY]
    nodes[node, NODE_HELD] = held
    nodes[node, NODE_BUSY] = busy
    before = np.int64(nodes[node, NODE_STATE])
    if before != state:
        flow[cluster, meter.state_flow[before]] -= meter.state_w[cluster, before]
        flow[cluster, meter.state_flow[state]] += meter.state_w[cluster, state]
        if meter.state_flow[before] == IDLE_W:
            flow[cluster, AWAKE_GPUS] -= meter.accelerators[cluster]
        if meter.state_flow[state] == IDLE_W:
            flow[cluster, AWAKE_GPUS] += meter.accelerators[cluster]
        elapsed = time_ms - nodes[node, STATE_SINCE_MS]
        if elapsed > 0.0:
            meter.state_ms[node, before] += elapsed
            nodes[node, STATE_SINCE_MS] = time_ms
        nodes[node, NODE_STATE] = state
