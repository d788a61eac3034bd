"""Passes of queues without backfill in which a policy in plain Python may place the jobs.

A pass is the walk of `backfill`, where nothing is backfilled, but it stops at each job that a
policy must place, and goes on once its nodes are chosen.
"""

import numpy as np

from simulator.kernels import node_index
from simulator.kernels.backfill import anything_left, within_quota
from simulator.kernels.compile import kernel
from simulator.kernels.gangs import start
from simulator.kernels.placement import fits
from simulator.kernels.power import level_within_budget
from simulator.kernels.queues import begin, first_of_cursors, follow, leave
from simulator.kernels.tables import (
    ASKS,
    BACKFILL,
    BUDGETED,
    CURSOR_JOB,
    NONE,
    OPEN,
    PLACED,
    ROUTE_FIRST,
    ROUTE_LAST,
    SHUT,
    TREE_BASE,
    TREE_SHAPE,
    TREE_WORDS,
    TURN_OF,
    WAITING,
    WITH_FREE,
)

# Where a pass stopped: the route of the job to be placed, and the cluster where it has room.
AT_ROUTE, AT_CLUSTER, AT_LEVEL = range(3)
STOP_SIZE = 3

# Why a job that a policy chose does not start.
TOO_LARGE, KEPT_WAITING = NONE - 1, NONE - 2


@kernel
def next_to_place(jobs, tables, queueing, power, stop, begins):
    """Go on with a pass up to the next job that a policy must place.

    The job at which the pass stopped last is started first, on the nodes in ``queueing.chosen``.

    Parameters
    ----------
    stop : int64[STOP_SIZE]
        Where the pass stops.
    begins : bool
        Whether a pass begins.

    Returns
    -------
    int
        The job to be placed, NONE where the pass has ended.
    """
    if begins:
        open_pass(jobs, tables, queueing)
    else:
        route = stop[AT_ROUTE]
        job = np.int64(tables.routes[route, CURSOR_JOB])
        leave(jobs, tables, job)
        start(jobs, tables, queueing, power, stop[AT_CLUSTER], job, stop[AT_LEVEL], True)
        step(jobs, tables, queueing, route)
    while True:
        route = first_of_cursors(jobs, tables, queueing.shares)
        if route < 0:
            break
        job = np.int64(tables.routes[route, CURSOR_JOB])
        if within_quota(jobs, queueing, job):
            find_room(jobs, tables, queueing, power, stop, route, job)
            cluster = stop[AT_CLUSTER]
            if cluster >= 0 and queueing.rules[cluster, ASKS] == 1:
                stop[AT_ROUTE] = route
                return job
            if cluster >= 0:
                leave(jobs, tables, job)
                start(jobs, tables, queueing, power, cluster, job, stop[AT_LEVEL], False)
        step(jobs, tables, queueing, route)
    for route in range(len(tables.routes)):
        tables.routes[route, CURSOR_JOB] = NONE
    return NONE


@kernel
def open_pass(jobs, tables, queueing):
    """Set the cursors of the routes that are served here on their first jobs."""
    for cluster in range(len(queueing.rules)):
        queueing.rules[cluster, TURN_OF] = OPEN
    for route in range(len(tables.routes)):
        tables.routes[route, CURSOR_JOB] = NONE
        first = tables.route_cluster[tables.routes[route, ROUTE_FIRST]]
        mine = queueing.rules[first, BACKFILL] == PLACED
        if mine and tables.routes[route, WAITING] > 0 and anything_left(tables, queueing, route):
            begin(jobs, tables, queueing.shares, route)


@kernel(inline="llvm")
def step(jobs, tables, queueing, route):
    """Move a route's cursor to the next job, if any may start."""
    more = follow(jobs, tables, queueing.shares, route)
    if not (more and anything_left(tables, queueing, route)):
        tables.routes[route, CURSOR_JOB] = NONE


@kernel(inline="llvm")
def find_room(jobs, tables, queueing, power, stop, route, job):
    """Find the first cluster of a job's route that has room for it; without one shut them all."""
    powerless = False
    stop[AT_CLUSTER] = NONE
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if queueing.rules[cluster, TURN_OF] == OPEN and fits(
            tables.clusters, cluster, jobs.gpus[job]
        ):
            level = 0
            if tables.clusters[cluster, BUDGETED] == 1:
                level = level_within_budget(jobs, tables, queueing, power, cluster, job)
            if level >= 0:
                stop[AT_CLUSTER] = cluster
                stop[AT_LEVEL] = level
                return
            powerless = True
    if powerless:
        jobs.held_back[job] = 1
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        queueing.rules[tables.route_cluster[at], TURN_OF] = SHUT


@kernel
def level_of_chosen(jobs, tables, queueing, power, cluster, job):
    """Return the power level at which a job that a policy chose can start, or why it can't."""
    if not within_quota(jobs, queueing, job):
        return KEPT_WAITING
    if not fits(tables.clusters, cluster, jobs.gpus[job]):
        return TOO_LARGE
    level = np.int64(0)
    if tables.clusters[cluster, BUDGETED] == 1:
        level = np.int64(level_within_budget(jobs, tables, queueing, power, cluster, job))
        if level < 0:
            jobs.held_back[job] = 1
            level = KEPT_WAITING
    return level


@kernel
def start_placed(jobs, tables, queueing, power, cluster, job, level):
    """Start a job that waits on the nodes in ``queueing.chosen``."""
    leave(jobs, tables, job)
    start(jobs, tables, queueing, power, cluster, job, level, True)


@kernel
def lowest_with(words, clusters, cluster, least, most, above):
    """Return the lowest node above one of which `least` to `most` accelerators are free, or NONE.

    Nodes count from the first of the cluster; NONE is below all.
    """
    best = NONE
    for free in range(least, most + 1):
        if clusters[cluster, WITH_FREE + free] == 0:
            continue
        base = clusters[cluster, TREE_BASE] + free * clusters[cluster, TREE_WORDS]
        if above < 0:
            node = np.int64(node_index.lowest(words, base, clusters, cluster, TREE_SHAPE))
        else:
            node = np.int64(
                node_index.lowest_above(words, base, clusters, cluster, TREE_SHAPE, above)
            )
        if node >= 0 and (best < 0 or node < best):
            best = node
    return best
