"""Conservative backfill: a reservation for every job that waits, as far as the depth goes.

Reservations are made anew at each pass, in the order of the queue. A job gets the first instant
from which there is room for as long as it asks, and is placed there as it would be now; whoever is
placed now starts. Jobs behind the last one that would fit now are left out, since nobody starts
by their reservations.
"""

from simulator.kernels import profile as profiles
from simulator.kernels.backfill import within_quota
from simulator.kernels.compile import kernel
from simulator.kernels.gangs import start
from simulator.kernels.placement import fits
from simulator.kernels.power import level_within_budget
from simulator.kernels.queues import begin, first_of_cursors, follow, leave
from simulator.kernels.shadow import requested
from simulator.kernels.tables import (
    BACKFILL,
    BUDGETED,
    CONSERVATIVE,
    CURSOR_JOB,
    DEPTH,
    FIRST,
    FOREVER_MS,
    LEFT_TO_LOOK,
    NONE,
    ROUTE_FIRST,
    ROUTE_LAST,
    WAITING,
)


@kernel
def conservative_pass(jobs, tables, sleepers, queueing, power):
    """Make reservations in the order of the queue, and start the jobs whose time is now."""
    last = last_that_fits(jobs, tables, queueing)
    if last == 0:
        return
    for cluster in range(len(tables.clusters)):
        if queueing.rules[cluster, BACKFILL] == CONSERVATIVE:
            profiles.build(tables, sleepers, queueing, cluster)
    open_cursors(jobs, tables, queueing)
    for _ in range(last):
        route = first_of_cursors(jobs, tables, queueing.shares)
        if route < 0:
            break
        left = any_depth(tables, queueing, route)
        job = tables.routes[route, CURSOR_JOB]
        if within_quota(jobs, queueing, job) and not give_reservation(
            jobs, tables, queueing, power, route, job
        ):
            look(tables, queueing, route)
        if not left or not follow(jobs, tables, queueing.shares, route):
            tables.routes[route, CURSOR_JOB] = NONE
    for route in range(len(tables.routes)):
        tables.routes[route, CURSOR_JOB] = NONE


@kernel(inline="llvm")
def open_cursors(jobs, tables, queueing):
    """Begin to look at the queue."""
    for cluster in range(len(tables.clusters)):
        queueing.rules[cluster, LEFT_TO_LOOK] = queueing.rules[cluster, DEPTH]
    for route in range(len(tables.routes)):
        tables.routes[route, CURSOR_JOB] = NONE
        first = tables.route_cluster[tables.routes[route, ROUTE_FIRST]]
        if tables.routes[route, WAITING] > 0 and queueing.rules[first, BACKFILL] == CONSERVATIVE:
            begin(jobs, tables, queueing.shares, route)


@kernel(inline="llvm")
def any_depth(tables, queueing, route):
    """Return whether any cluster of a route reserves for another job in this pass."""
    left = False
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        if queueing.rules[tables.route_cluster[at], LEFT_TO_LOOK] > 0:
            left = True
    return left


@kernel(inline="llvm")
def look(tables, queueing, route):
    """Note that one job more of a route waits with a reservation."""
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        queueing.rules[tables.route_cluster[at], LEFT_TO_LOOK] -= 1


@kernel(inline="llvm")
def last_that_fits(jobs, tables, queueing):
    """Return how many jobs of the queue it takes to reach the last that would fit now."""
    open_cursors(jobs, tables, queueing)
    seen = 0
    last = 0
    while True:
        route = first_of_cursors(jobs, tables, queueing.shares)
        if route < 0:
            break
        job = tables.routes[route, CURSOR_JOB]
        seen += 1
        left = any_depth(tables, queueing, route)
        waits = True
        for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
            cluster = tables.route_cluster[at]
            looks = queueing.rules[cluster, LEFT_TO_LOOK] > 0
            if looks and fits(tables.clusters, cluster, jobs.gpus[job]):
                last = seen
                waits = False
        # Whoever is within a quota now may be passed over by its turn, and then counts for nothing.
        if waits and queueing.quota[jobs.workload[job]] == FOREVER_MS:
            look(tables, queueing, route)
        if not left or not follow(jobs, tables, queueing.shares, route):
            tables.routes[route, CURSOR_JOB] = NONE
    return last


@kernel(inline="llvm")
def give_reservation(jobs, tables, queueing, power, route, job):
    """Reserve nodes for a job where and when it can begin first; return whether that was now."""
    profile = queueing.profile
    gpus = jobs.gpus[job]
    best = NONE
    best_row = NONE
    best_ms = FOREVER_MS
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if queueing.rules[cluster, LEFT_TO_LOOK] <= 0:
            continue
        length_ms = requested(jobs, power, cluster, job, FIRST, 1.0)
        row = profiles.earliest(tables, profile, cluster, gpus, length_ms)
        if row >= 0 and profile.begin_ms[profile.first_row[cluster] + row] < best_ms:
            best = cluster
            best_row = row
            best_ms = profile.begin_ms[profile.first_row[cluster] + row]
            profiles.choose_least(tables, profile, queueing.chosen, cluster, gpus)
    if best < 0:
        return False
    level = 0
    if best_row == 0 and tables.clusters[best, BUDGETED] == 1:
        level = level_within_budget(jobs, tables, queueing, power, best, job)
        if level < 0:
            jobs.held_back[job] = 1
    length_ms = requested(jobs, power, best, job, max(level, 0), 1.0)
    holds = True
    starts = best_row == 0 and level >= 0
    if starts:
        leave(jobs, tables, job)
        holds = start(jobs, tables, queueing, power, best, job, level, True) >= 0
    if holds and length_ms > 0:
        profiles.take(tables, profile, queueing.chosen, best, best_row, gpus, length_ms)
    return starts
