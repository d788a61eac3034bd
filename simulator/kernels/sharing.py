"""What jobs draw on nodes that they share, where the load curve bends.

There a node's dynamic power is no sum over its jobs. It is split by accelerators held times
utilisation, so what a job is billed is its part of that times the integral of power over the
node's whole load, between its start and its end. The integral runs once through the changes of
all nodes; a job reads it twice.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.billing import between
from simulator.kernels.compile import kernel
from simulator.kernels.curves import draw

# Columns of a node's row: since when, power over load now, and its integrals.
SINCE_MS, PER_LOAD, OVER_TIME, OVER_AVERAGE, OVER_MARGINAL = range(5)
NODE_SIZE = 5


class Changes(NamedTuple):
    """Changes of the load of nodes whose curve bends, in order of time, [rows]."""

    time_ms: NDArray[np.int64]
    node: NDArray[np.int32]
    per_load: NDArray[np.float64]  # dynamic power, in accelerators at work, over busy ones


class Shares(NamedTuple):
    """Jobs that hold a part of a node, in two orders, and what they hold, [jobs]."""

    by_start: NDArray[np.int64]
    by_end: NDArray[np.int64]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    node: NDArray[np.int32]
    cluster: NDArray[np.int16]
    load: NDArray[np.float64]  # accelerators at work on the node, as dynamic power counts them


@kernel
def per_load(curves, node_cluster, node, busy, result):
    """Fill in dynamic power over load for each row of a change log; 0 where there is none."""
    for row in range(len(node)):
        result[row] = 0.0
        if busy[row] > 0.0:
            result[row] = draw(curves, node_cluster[node[row]], busy[row]) / busy[row]


@kernel
def bill_shares(changes, shares, window, rates, node_site, average, marginal, nodes, bill):
    """Add to each job's bill its part of the dynamic energy of the node that it shares.

    Parameters
    ----------
    changes : Changes
    shares : Shares
    window : int64[2]
        Only what lies between these instants counts. [ms]
    rates : Rates
    node_site : int64[nodes]
    average, marginal : Signal
    nodes : float64[nodes, NODE_SIZE]
        Zeros, to work on.
    bill : Bill
        Added to.
    """
    row = 0
    started = 0
    ended = 0
    count = len(shares.by_start)
    while ended < count:
        begins = started < count
        at = shares.by_end[ended]
        time_ms = shares.end_ms[at]
        if begins:
            first = shares.by_start[started]
            begins = shares.start_ms[first] <= time_ms
            if begins:
                at = first
                time_ms = shares.start_ms[first]
        site = rates.site[shares.cluster[at]]
        while row < len(changes.time_ms) and changes.time_ms[row] <= time_ms:
            node = changes.node[row]
            follow(nodes, node, changes.time_ms[row], window, node_site, average, marginal)
            nodes[node, PER_LOAD] = changes.per_load[row]
            row += 1
        node = shares.node[at]
        follow(nodes, node, time_ms, window, node_site, average, marginal)
        sign = -1.0 if begins else 1.0
        part = sign * shares.load[at] * rates.dynamic_kwh_per_ms[shares.cluster[at]]
        pue = rates.pue[site]
        bill.dynamic_kwh[at] += part * nodes[node, OVER_TIME]
        bill.operational_kg[at] += part * pue * nodes[node, OVER_AVERAGE]
        bill.marginal_kg[at] += part * pue * nodes[node, OVER_MARGINAL]
        if begins:
            started += 1
        else:
            ended += 1


@kernel(inline="always")
def follow(nodes, node, time_ms, window, node_site, average, marginal):
    """Bring the integrals of a node up to an instant."""
    first = max(np.int64(nodes[node, SINCE_MS]), window[0])
    last = min(time_ms, window[1])
    if last > first and nodes[node, PER_LOAD] > 0.0:
        site = node_site[node]
        nodes[node, OVER_TIME] += nodes[node, PER_LOAD] * (last - first)
        nodes[node, OVER_AVERAGE] += nodes[node, PER_LOAD] * between(average, site, first, last)
        nodes[node, OVER_MARGINAL] += nodes[node, PER_LOAD] * between(marginal, site, first, last)
    nodes[node, SINCE_MS] = time_ms
