"""Power as the engine needs it: what nodes draw now, and whether a job fits a power budget.

A budget is kept at every instant: nodes that do no work count at the most that they may draw
without work, asleep or not, since any of them may be woken.
"""

from simulator.kernels.compile import kernel
from simulator.kernels.curves import draw
from simulator.kernels.placement import choose
from simulator.kernels.tables import BUDGETED, BUSY, DRAWN, LEVELS, NONE, OWNED, SITE, WHOLE

ROUNDING = 1e-9
"""Relative excess over a budget that is a rounding of sums."""


@kernel(inline="always")
def node_draw(power, cluster, busy, drawn):
    """Return a node's dynamic power in accelerators at work.

    Parameters
    ----------
    power : Power
    cluster : int
    busy : float
        Accelerators held x utilisation, summed over its jobs.
    drawn : float
        The same, each job's part times what its power level draws.
    """
    return bent_draw(power.curves, cluster, busy, drawn) if power.curves.bent[cluster] else drawn


@kernel
def bent_draw(curves, cluster, busy, drawn):
    """Return `node_draw` where the load curve bends; no part of the hot loop's own code."""
    result = draw(curves, cluster, busy)
    if drawn != busy:
        result *= drawn / busy
    return result


@kernel(inline="always")
def load(tables, power, cluster, node, busy, drawn):
    """Set what is at work on a node, and follow the power of a cluster under a budget."""
    if tables.clusters[cluster, BUDGETED] == 1:
        follow(power, cluster, tables.busy[node, BUSY], tables.busy[node, DRAWN], busy, drawn)
    tables.busy[node, BUSY] = busy
    tables.busy[node, DRAWN] = drawn


@kernel
def follow(power, cluster, busy_before, drawn_before, busy, drawn):
    """Add what a change of load changes to the power of a cluster."""
    before = node_draw(power, cluster, busy_before, drawn_before)
    after = node_draw(power, cluster, busy, drawn)
    power.dynamic_w[cluster] += power.span_w[cluster] * (after - before)


@kernel(inline="always")
def room_w(tables, power, cluster):
    """Return what jobs may draw in a cluster beyond what they do, by its and its site's budget."""
    clusters = tables.clusters
    used_w = power.floor_w[cluster] * clusters[cluster, OWNED] + power.dynamic_w[cluster]
    room = power.budget_w[cluster] * (1.0 + ROUNDING) - used_w
    site = clusters[cluster, SITE]
    left_w = power.site_budget_w[site] * (1.0 + ROUNDING)
    for other in range(len(clusters)):
        if clusters[other, SITE] == site:
            left_w -= power.floor_w[other] * clusters[other, OWNED] + power.dynamic_w[other]
    return min(room, left_w)


@kernel
def level_within_budget(jobs, tables, power, cluster, job):
    """Return the first power level at which a job that fits also fits the budgets, NONE if none.

    Levels draw less from one to the next. The job's power is that on the nodes where it would be
    placed; where it takes whole nodes and a part of one, the part's node is not among the whole.
    """
    whole = tables.clusters[cluster, WHOLE]
    count = jobs.gpus[job] // whole
    rest = jobs.gpus[job] - count * whole
    utilisation = jobs.utilisation[job]
    limit_w = room_w(tables, power, cluster)
    node = choose(tables, cluster, rest) if rest > 0 else NONE
    for level in range(tables.clusters[cluster, LEVELS]):
        share = power.level_draw[cluster, level]
        busy = whole * utilisation
        added = count * node_draw(power, cluster, busy, busy * share)
        if rest > 0:
            busy = tables.busy[node, BUSY]
            drawn = tables.busy[node, DRAWN]
            added -= node_draw(power, cluster, busy, drawn)
            busy += rest * utilisation
            drawn += rest * utilisation * share
            added += node_draw(power, cluster, busy, drawn)
        if power.span_w[cluster] * added <= limit_w:
            return level
    return NONE


@kernel
def draw_alone(curves, cluster, gpus, utilisation, result):
    """Fill in what each job would draw on nodes of its own, in accelerators at work, [jobs]."""
    whole = curves.accelerators[cluster]
    for job in range(len(gpus)):
        count = gpus[job] // whole
        rest = gpus[job] - count * whole
        result[job] = count * draw(curves, cluster, whole * utilisation[job])
        result[job] += draw(curves, cluster, rest * utilisation[job])
