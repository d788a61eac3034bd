"""How many sleeping nodes the queue needs, and waking or cancelling accordingly.

Woken nodes belong to no job: every pass counts afresh what the waiting jobs, taken in order, need
beyond what is free, and wakes or cancels the difference to those already waking.
"""

import numpy as np

from simulator.kernels.compile import kernel
from simulator.kernels.queues import begin, first_of_cursors, follow
from simulator.kernels.rooms import forget_counted, has_counted_room, needs_nothing
from simulator.kernels.shares import shares_of
from simulator.kernels.sleep import cancel_one, wake_one
from simulator.kernels.tables import (
    AWAKENING,
    AWAKING,
    CLAIMED,
    CLOSED_EMPTY,
    CURSOR_JOB,
    DOWN,
    EVEN,
    KEEP_AWAKE,
    KEEP_FREE,
    LADDER,
    MOST_WAKING,
    NEEDED,
    NODES_WAITED,
    NONE,
    OWNED,
    ROUTE_FIRST,
    ROUTE_LAST,
    SLEEPING,
    SOLE,
    SPARE,
    WAITING,
    WHOLE,
    WITH_FREE,
)


@kernel(inline="always")
def anyone_wanted(tables):
    """Return whether sleepers may be wanted, or wake-ups no longer be."""
    wanted = tables.clock[AWAKENING] > 0
    for route in range(len(tables.routes)):
        if tables.routes[route, WAITING] > 0:
            wanted = True
    for cluster in range(len(tables.clusters)):
        if tables.clusters[cluster, KEEP_FREE] > 0 or tables.clusters[cluster, KEEP_AWAKE] > 0:
            wanted = True
    return wanted


@kernel
def wake_as_needed(jobs, tables, sleepers, queueing, tenants):
    """Wake as many nodes as are needed, or cancel surplus wake-ups.

    Returns
    -------
    bool
        Whether a node without latency is awake at once, so that the schedulers must look again.
    """
    clusters = tables.clusters
    count_needs(jobs, tables, sleepers, shares_of(queueing), tenants)
    at_once = False
    for cluster in range(len(clusters)):
        for _ in range(wanted(clusters, cluster) - clusters[cluster, AWAKING]):
            if wake_one(tables, sleepers, cluster):
                at_once = True
    if not at_once:  # else the queue is counted again, and may need whoever is cancelled now
        for cluster in range(len(clusters)):
            surplus = clusters[cluster, AWAKING] - wanted(clusters, cluster)
            for _ in range(surplus):
                cancel_one(tables, sleepers, cluster)
    return at_once


@kernel(inline="llvm")
def wanted(clusters, cluster):
    """Return how many nodes of a cluster should be waking, by its queue and by what is kept."""
    away = clusters[cluster, SLEEPING] + clusters[cluster, AWAKING]
    missing = max(0, clusters[cluster, KEEP_FREE] - clusters[cluster, SPARE])
    gone = clusters[cluster, CLOSED_EMPTY] + clusters[cluster, DOWN]
    awake = clusters[cluster, OWNED] - away - gone
    needed = max(clusters[cluster, NEEDED] + missing, clusters[cluster, KEEP_AWAKE] - awake)
    return max(0, min(needed, most(clusters, cluster)))


@kernel(inline="llvm")
def count_needs(jobs, tables, sleepers, shares, tenants):
    """Note for each cluster the nodes its queue needs, and the idle ones that it leaves spare."""
    clusters = tables.clusters
    routes = tables.routes
    shared = np.int64(0)
    if tenants is not None:
        forget_counted(tenants)
    for cluster in range(len(clusters)):
        clusters[cluster, NEEDED] = 0
        clusters[cluster, SPARE] = clusters[cluster, WITH_FREE + clusters[cluster, WHOLE]]
    for route in range(len(routes)):
        routes[route, CURSOR_JOB] = NONE
        if routes[route, WAITING] == 0:
            continue
        cluster = tables.route_cluster[routes[route, ROUTE_FIRST]]
        if routes[route, EVEN] > 0:
            spare = clusters[cluster, SPARE] - routes[route, NODES_WAITED]
            clusters[cluster, SPARE] = max(spare, 0)
            clusters[cluster, NEEDED] = max(-spare, 0)
        elif routes[route, SOLE] == 0:
            begin(jobs, tables, shares, route)
            shared += 1
        elif not saturated(clusters, cluster):
            begin(jobs, tables, shares, route)
            count_line(jobs, tables, sleepers, shares, tenants, route, cluster)
            routes[route, CURSOR_JOB] = NONE
    if shared > 0:
        count_lines(jobs, tables, sleepers, shares, tenants, shared)
    for cluster in range(len(clusters)):
        idle = clusters[cluster, WITH_FREE + clusters[cluster, WHOLE]]
        clusters[cluster, CLAIMED] = idle - clusters[cluster, SPARE]


@kernel(inline="llvm")
def saturated(clusters, cluster):
    """Return whether the queue can ask no more of a cluster: no node to wake, none to keep."""
    enough = clusters[cluster, NEEDED] >= most(clusters, cluster)
    return clusters[cluster, LADDER] == 0 or (enough and clusters[cluster, SPARE] == 0)


@kernel(inline="llvm")
def most(clusters, cluster):
    """Return how many nodes of a cluster may be waking at most; no need beyond is counted."""
    away = clusters[cluster, SLEEPING] + clusters[cluster, AWAKING]
    return min(away, clusters[cluster, MOST_WAKING])


@kernel(inline="llvm")
def count_line(jobs, tables, sleepers, shares, tenants, route, cluster):
    """Count what the jobs of a route need that shares its only cluster with no other."""
    clusters = tables.clusters
    needs = sleepers.needs
    whole = clusters[cluster, WHOLE]
    limit = most(clusters, cluster)
    for free in range(whole):
        needs[cluster, free] = clusters[cluster, WITH_FREE + free]
    spare = clusters[cluster, SPARE]
    needed = 0
    while True:
        job = tables.routes[route, CURSOR_JOB]
        rest = jobs.gpus[job]
        if tenants is not None and needs_nothing(jobs, tenants, cluster, job):
            rest = np.int32(0)
        if rest >= whole:
            count = rest // whole
            rest -= count * whole
            needed += max(0, count - spare)
            spare = max(0, spare - count)
        if rest > 0:
            best = whole
            for free in range(rest, whole):
                if needs[cluster, free] > 0:
                    best = free
                    break
            if best < whole:
                needs[cluster, best] -= 1
            elif spare > 0:
                spare -= 1
            else:
                needed += 1
            needs[cluster, best - rest] += 1
        if (needed >= limit and spare == 0) or not follow(jobs, tables, shares, route):
            break
    clusters[cluster, NEEDED] = needed
    clusters[cluster, SPARE] = spare


@kernel(inline="llvm")
def count_lines(jobs, tables, sleepers, shares, tenants, shared):
    """Count what the jobs of routes need that share clusters, in the order of the whole queue."""
    clusters = tables.clusters
    for cluster in range(len(clusters)):
        for free in range(clusters[cluster, WHOLE] + 1):
            sleepers.needs[cluster, free] = clusters[cluster, WITH_FREE + free]
    while shared > 0:
        route = first_of_cursors(jobs, tables, shares)
        count_job(jobs, tables, sleepers, tenants, route)
        if not follow(jobs, tables, shares, route):
            tables.routes[route, CURSOR_JOB] = NONE
            shared -= 1
        all_saturated = True
        for other in range(len(tables.routes)):
            if tables.routes[other, CURSOR_JOB] >= 0:
                for at in range(
                    tables.routes[other, ROUTE_FIRST], tables.routes[other, ROUTE_LAST]
                ):
                    if not saturated(clusters, tables.route_cluster[at]):
                        all_saturated = False
        if all_saturated:
            break


@kernel(inline="always")
def count_job(jobs, tables, sleepers, tenants, route):
    """Count the nodes that the job at a route's cursor needs.

    It counts at the first cluster that could meet its need, else at the one it prefers.
    """
    clusters = tables.clusters
    routes = tables.routes
    job = routes[route, CURSOR_JOB]
    gpus = jobs.gpus[job]
    chosen = tables.route_cluster[routes[route, ROUTE_FIRST]]
    for at in range(routes[route, ROUTE_FIRST], routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if tenants is not None and has_counted_room(jobs, tenants, cluster, job):
            chosen = cluster
            break
        missing = nodes_missing(clusters, sleepers.needs, cluster, gpus)
        away = clusters[cluster, SLEEPING] + clusters[cluster, AWAKING]
        if missing == 0 or clusters[cluster, NEEDED] + missing <= away:
            chosen = cluster
            break
    if tenants is not None and needs_nothing(jobs, tenants, chosen, job):
        return
    take(clusters, sleepers.needs, chosen, gpus)


@kernel(inline="always")
def nodes_missing(clusters, needs, cluster, gpus):
    """Return how many more nodes a job needs than what is left free or counted already."""
    whole = clusters[cluster, WHOLE]
    count = gpus // whole
    rest = gpus - count * whole
    spare = needs[cluster, whole]
    missing = max(0, count - spare)
    if rest > 0 and spare <= count:
        partly = False
        for free in range(rest, whole):
            if needs[cluster, free] > 0:
                partly = True
                break
        if not partly:
            missing += 1
    return missing


@kernel(inline="always")
def take(clusters, needs, cluster, gpus):
    """Give a job what is left free in a cluster, and count the nodes it needs beyond."""
    whole = clusters[cluster, WHOLE]
    count = gpus // whole
    rest = gpus - count * whole
    taken = min(count, needs[cluster, whole])
    needs[cluster, whole] -= taken
    clusters[cluster, NEEDED] += count - taken
    if rest > 0:
        best = 0
        for free in range(rest, whole + 1):
            if needs[cluster, free] > 0:
                best = free
                break
        if best > 0:
            needs[cluster, best] -= 1
        else:
            best = whole
            clusters[cluster, NEEDED] += 1
        needs[cluster, best - rest] += 1
    clusters[cluster, SPARE] = needs[cluster, whole]
