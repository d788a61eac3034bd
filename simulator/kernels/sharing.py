"""What jobs draw on nodes that they share, where the load curve bends.

There a node's dynamic power is no sum over its jobs. It is split by accelerators held times
utilisation, so what a job is billed is its part of that times the integral of power over the
node's whole load, between its start and its end. The integral runs once through the changes of
all nodes; a job reads it twice. What rounding takes from it is kept beside: a job of a second late
in a year is a difference of two long sums.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.billing import between
from simulator.kernels.compile import kernel
from simulator.kernels.curves import draw

# Columns of a node's row: since when, power over load now, then its integrals over time, over the
# average, the marginal and the facility signal, and what rounding took from each.
SINCE_MS, PER_LOAD, OVER_TIME, OVER_AVERAGE, OVER_MARGINAL, OVER_FACILITY = range(6)
INTEGRALS = 4
NODE_SIZE = OVER_TIME + 2 * INTEGRALS


class Changes(NamedTuple):
    """Changes of the load of nodes whose curve bends, in order of time, [rows]."""

    time_ms: NDArray[np.int64]
    node: NDArray[np.int32]
    per_load: NDArray[np.float64]  # dynamic power, in accelerators at work, over busy ones


class Shares(NamedTuple):
    """Jobs that hold a part of a node, in two orders, and what they hold, [shares]."""

    by_start: NDArray[np.int64]
    by_end: NDArray[np.int64]
    job: NDArray[np.int64]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    node: NDArray[np.int32]
    cluster: NDArray[np.int16]
    load: NDArray[np.float64]  # accelerators at work on the node, as dynamic power counts them
    begun: NDArray[np.float64]  # [shares, 2 INTEGRALS] filled: the integrals at its start


@kernel
def per_load(curves, node_cluster, node, busy, result):
    """Fill in dynamic power over load for each row of a change log; 0 where there is none."""
    for row in range(len(node)):
        result[row] = 0.0
        if busy[row] > 0.0:
            result[row] = draw(curves, node_cluster[node[row]], busy[row]) / busy[row]


@kernel
def bill_shares(changes, shares, window, rates, node_site, signals, nodes, bill):
    """Add to each job's bill its part of the dynamic energy of the node that it shares.

    Parameters
    ----------
    changes : Changes
    shares : Shares
    window : int64[2]
        Only what lies between these instants counts. [ms]
    rates : Rates
    node_site : int64[nodes]
    signals : Signals
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
        while row < len(changes.time_ms) and changes.time_ms[row] <= time_ms:
            node = changes.node[row]
            follow(nodes, node, changes.time_ms[row], window, rates, node_site, signals)
            nodes[node, PER_LOAD] = changes.per_load[row]
            row += 1
        node = shares.node[at]
        follow(nodes, node, time_ms, window, rates, node_site, signals)
        if begins:
            started += 1
            for column in range(2 * INTEGRALS):
                shares.begun[at, column] = nodes[node, OVER_TIME + column]
        else:
            ended += 1
            job = shares.job[at]
            part = shares.load[at] * rates.dynamic_kwh_per_ms[shares.cluster[at]]
            site = rates.site[shares.cluster[at]]
            pue = rates.pue[site]
            over = since(nodes, node, shares.begun, at, OVER_TIME)
            bill.dynamic_kwh[job] += part * over
            if rates.modelled[site]:
                over = since(nodes, node, shares.begun, at, OVER_FACILITY)
            bill.facility_kwh[job] += part * pue * over
            over = since(nodes, node, shares.begun, at, OVER_AVERAGE)
            bill.operational_kg[job] += part * pue * over
            over = since(nodes, node, shares.begun, at, OVER_MARGINAL)
            bill.marginal_kg[job] += part * pue * over


@kernel(inline="llvm")
def follow(nodes, node, time_ms, window, rates, node_site, signals):
    """Bring the integrals of a node up to an instant."""
    first = max(np.int64(nodes[node, SINCE_MS]), window[0])
    last = min(time_ms, window[1])
    if last > first and nodes[node, PER_LOAD] > 0.0:
        site = node_site[node]
        per_load = nodes[node, PER_LOAD]
        add(nodes, node, OVER_TIME, per_load * (last - first))
        add(nodes, node, OVER_AVERAGE, per_load * between(signals.average, site, first, last))
        add(nodes, node, OVER_MARGINAL, per_load * between(signals.marginal, site, first, last))
        if rates.modelled[site]:
            add(nodes, node, OVER_FACILITY, per_load * between(signals.facility, site, first, last))
    nodes[node, SINCE_MS] = time_ms


@kernel(inline="llvm")
def add(nodes, node, column, value):
    """Add to an integral of a node, and note what rounding takes from the sum."""
    before = nodes[node, column]
    after = before + value
    added = after - before
    nodes[node, column] = after
    nodes[node, column + INTEGRALS] += before - (after - added) + (value - added)


@kernel(inline="llvm")
def since(nodes, node, begun, at, column):
    """Return what was added to an integral of a node since the start of a share of it."""
    first = column - OVER_TIME
    whole = nodes[node, column] - begun[at, first]
    return whole + (nodes[node, column + INTEGRALS] - begun[at, first + INTEGRALS])
