"""Power as the engine needs it: what nodes draw now, and whether a job fits a power budget.

A budget is kept at every instant: nodes that do no work count at the most that they may draw
without work, asleep or not, since any of them may be woken; nodes at work count at the most that
they may come to draw while their jobs end, in whatever order (see `reserve`).
"""

from simulator.kernels.compile import kernel
from simulator.kernels.curves import draw
from simulator.kernels.locality import node_for_rest
from simulator.kernels.placement import choose_beside
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
    if drawn != busy and busy > 0.0:  # sums of nothing at work may differ by a rounding
        result *= drawn / busy
    return result


@kernel(inline="llvm")
def load(tables, power, cluster, node, busy, drawn, level, jobs):
    """Set what is at work on a node, and follow the power of a cluster under a budget.

    `jobs` jobs of a level more are on the node; those that end are counted negative.
    """
    if tables.clusters[cluster, BUDGETED] == 1:
        follow(tables.busy, power, cluster, node, busy, drawn, level, jobs)
        tables.busy[DRAWN, node] = drawn  # only a budget makes it differ from what is busy
    tables.busy[BUSY, node] = busy


@kernel
def follow(loads, power, cluster, node, busy, drawn, level, jobs):
    """Add what a change of load changes to the power that a cluster reserves."""
    most = most_draw(power, cluster, node, NONE)
    before = reserve(power, cluster, loads[BUSY, node], loads[DRAWN, node], most)
    power.at_level[node, level] += jobs
    most = most_draw(power, cluster, node, NONE)
    after = reserve(power, cluster, busy, drawn, most)
    power.dynamic_w[cluster] += power.span_w[cluster] * (after - before)


@kernel(inline="llvm")
def most_draw(power, cluster, node, level):
    """Return the largest draw among the levels of a node's jobs, and of one more at `level`."""
    most = 0.0
    for at in range(power.at_level.shape[1]):
        if power.at_level[node, at] > 0 or at == level:
            most = power.level_draw[cluster, at]
            break
    return most


@kernel(inline="llvm")
def reserve(power, cluster, busy, drawn, most):
    """Return the most that a node may draw until its jobs have ended, in accelerators at work.

    Where the curve bends, a node whose jobs run at several levels may draw more when one of them
    ends: the capped one goes, and the others draw along the steep begin of the curve. With D the
    sum of load x draw of its jobs, and d the largest draw, no part of them draws more than
    ``d f(D / d)`` on a concave curve, nor than ``d f(busy)`` on any. Neither ever rises as jobs
    end; where all run at one level both are what the node draws.
    """
    if not power.curves.bent[cluster]:
        return drawn
    if most <= 0.0:
        return 0.0
    upto = drawn / most if power.concave[cluster] else busy
    return most * draw(power.curves, cluster, upto)


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
def level_within_budget(jobs, tables, queueing, power, cluster, job):
    """Return the first power level at which a job that fits also fits the budgets, NONE if none.

    Levels draw less from one to the next. The job's power is that on the nodes where it would be
    placed; where it takes whole nodes and a part of one, the part's node is not among the whole.
    """
    whole = tables.clusters[cluster, WHOLE]
    count = jobs.gpus[job] // whole
    rest = jobs.gpus[job] - count * whole
    utilisation = jobs.utilisation[job]
    limit_w = room_w(tables, power, cluster)
    node = NONE
    if rest > 0:
        # On a straight line it does not matter beside what a job runs.
        beside = count if power.curves.bent[cluster] else 0
        if queueing is not None:
            racks = queueing.racks
            node = node_for_rest(tables, queueing.chosen, racks, cluster, beside, rest)
        else:
            node = choose_beside(tables, cluster, beside, rest)
    for level in range(tables.clusters[cluster, LEVELS]):
        share = power.level_draw[cluster, level]
        busy = whole * utilisation
        added = count * reserve(power, cluster, busy, busy * share, share)
        if rest > 0:
            busy = tables.busy[BUSY, node]
            drawn = tables.busy[DRAWN, node]
            added -= reserve(power, cluster, busy, drawn, most_draw(power, cluster, node, NONE))
            busy += rest * utilisation
            drawn += rest * utilisation * share
            most = most_draw(power, cluster, node, level)
            added += reserve(power, cluster, busy, drawn, most)
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
