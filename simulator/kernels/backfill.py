"""The pass of queues that have rules: backfill, depths and quotas.

Waiting jobs are looked at once, in the order of the whole queue. Whoever fits starts. The first
that does not is the head of its cluster: where the cluster backfills it gets the one reservation,
and those behind it start only if they do not delay it; where not, nobody behind it starts.
"""

from simulator.kernels.compile import kernel
from simulator.kernels.gangs import start
from simulator.kernels.placement import fits
from simulator.kernels.power import level_within_budget
from simulator.kernels.queues import begin, first_of_cursors, follow, leave, no_line_behind
from simulator.kernels.shadow import (
    ends_in_time,
    forget,
    hold_until_then,
    leaves_room,
    reserve,
    take_later,
)
from simulator.kernels.tables import (
    BACKFILL,
    BUDGETED,
    CHANGED,
    CONSERVATIVE,
    CURSOR_JOB,
    DEPTH,
    FIRST_FRESH,
    FOREVER_MS,
    FREE,
    HEAD,
    HEADED,
    KNOWN,
    LEFT_TO_LOOK,
    NEXT_JOB,
    NONE,
    NOW_MS,
    OPEN,
    PLAIN,
    ROUTE_FIRST,
    ROUTE_LAST,
    SHADOW_MS,
    SHUT,
    SOLE,
    SUBMISSIONS,
    TURN_OF,
    WAITING,
)

# What became of a job that was offered a cluster.
STARTS, TOO_LARGE, WITHOUT_POWER, WOULD_DELAY = range(4)


@kernel
def backfill_pass(jobs, tables, sleepers, queueing, power):
    """Offer the clusters to the waiting jobs, once, in the order of the queue."""
    if tables.clock[CHANGED] == SUBMISSIONS and fresh_alone(jobs, tables, queueing, power):
        return
    rules = queueing.rules
    for cluster in range(len(rules)):
        rules[cluster, TURN_OF] = OPEN
        rules[cluster, HEAD] = NONE
        rules[cluster, KNOWN] = 0
        rules[cluster, LEFT_TO_LOOK] = rules[cluster, DEPTH]
    for route in range(len(tables.routes)):
        tables.routes[route, CURSOR_JOB] = NONE
        first = tables.route_cluster[tables.routes[route, ROUTE_FIRST]]
        mine = queueing.rules[first, BACKFILL] < CONSERVATIVE
        if mine and tables.routes[route, WAITING] > 0 and anything_left(tables, queueing, route):
            begin(tables, route)
    while True:
        route = first_of_cursors(jobs, tables)
        if route < 0:
            break
        job = tables.routes[route, CURSOR_JOB]
        if within_quota(jobs, queueing, job):
            offer(jobs, tables, sleepers, queueing, power, route, job)
        if not (follow(jobs, tables, route) and anything_left(tables, queueing, route)):
            tables.routes[route, CURSOR_JOB] = NONE
    for cluster in range(len(rules)):
        if rules[cluster, TURN_OF] == HEADED:
            rules[cluster, KNOWN] = 1
    for route in range(len(tables.routes)):
        tables.routes[route, CURSOR_JOB] = NONE


@kernel(inline="llvm")
def within_quota(jobs, queueing, job):
    """Return whether a job's workload may hold as much more."""
    workload = jobs.workload[job]
    return queueing.held[workload] + jobs.gpus[job] <= queueing.quota[workload]


@kernel(inline="llvm")
def anything_left(tables, queueing, route):
    """Return whether a cluster of a route may still take a job in this pass."""
    left = False
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if queueing.rules[cluster, TURN_OF] != SHUT and tables.clusters[cluster, FREE] > 0:
            left = True
    return left


@kernel(inline="llvm")
def offer(jobs, tables, sleepers, queueing, power, route, job):
    """Start a job on the first cluster of its route that has room, or see to its reservation."""
    rules = queueing.rules
    powerless = NONE
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if rules[cluster, TURN_OF] == SHUT:
            continue
        headed = rules[cluster, TURN_OF] == HEADED
        told = try_cluster(jobs, tables, queueing, power, cluster, job)
        if headed:
            rules[cluster, LEFT_TO_LOOK] -= 1
            if rules[cluster, LEFT_TO_LOOK] <= 0:
                rules[cluster, TURN_OF] = SHUT
        if told == STARTS:
            return
        if told == WITHOUT_POWER:
            powerless = cluster
            jobs.held_back[job] = 1
    take_lead(jobs, tables, sleepers, queueing, route, job, powerless)


@kernel(inline="llvm")
def try_cluster(jobs, tables, queueing, power, cluster, job):
    """Start a job on a cluster if it may; return what became of it."""
    if not fits(tables.clusters, cluster, jobs.gpus[job]):
        return TOO_LARGE
    level = 0
    if tables.clusters[cluster, BUDGETED] == 1:
        level = level_within_budget(jobs, tables, power, cluster, job)
        if level < 0:
            return WITHOUT_POWER
    headed = queueing.rules[cluster, TURN_OF] == HEADED
    in_time = not headed or ends_in_time(jobs, tables, queueing, power, cluster, job, level)
    if not in_time and not leaves_room(jobs, tables, queueing, cluster, job):
        return WOULD_DELAY
    leave(jobs, tables, job)
    slot = start(jobs, tables, queueing, power, cluster, job, level, False)
    if headed and in_time and slot >= 0:
        hold_until_then(tables, queueing, cluster, slot)
    elif slot < 0 and not in_time:
        take_later(jobs, tables, queueing, cluster, job, -1)  # it ended at once
    return STARTS


@kernel(inline="llvm")
def take_lead(jobs, tables, sleepers, queueing, route, job, powerless):
    """Let a job that found no room be the head of the clusters that have none yet.

    It gets a reservation on the one of them where it would start first, and is the head of that
    alone; where nothing is backfilled it keeps those behind it from all of them. Whoever waits for
    power keeps the others from that cluster too, since nobody knows when there will be more.
    """
    rules = queueing.rules
    best = NONE
    for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
        cluster = tables.route_cluster[at]
        if rules[cluster, TURN_OF] != OPEN:
            continue
        if rules[cluster, BACKFILL] == PLAIN or cluster == powerless:
            rules[cluster, TURN_OF] = SHUT
            continue
        reserve(jobs, tables, sleepers, queueing, cluster, job)
        if best < 0:
            best = cluster
        elif rules[cluster, SHADOW_MS] < rules[best, SHADOW_MS]:
            give_up(tables, queueing, best)
            best = cluster
        else:
            give_up(tables, queueing, cluster)


@kernel(inline="llvm")
def give_up(tables, queueing, cluster):
    """Take a reservation back: the cluster has no head again."""
    forget(tables, queueing, cluster)
    queueing.rules[cluster, TURN_OF] = OPEN
    queueing.rules[cluster, HEAD] = NONE


@kernel(inline="llvm")
def fresh_alone(jobs, tables, queueing, power):
    """Offer clusters to the jobs just submitted alone, where that is all that can have changed.

    Whoever could not start before cannot now while nothing was freed or taken: the heads wait for
    what they waited for. Once somebody starts, others may find room on other nodes than before, so
    the next pass looks at all again. Returns False, and does nothing, where that is not certain.
    """
    clock = tables.clock
    for job in range(clock[FIRST_FRESH], clock[NEXT_JOB]):
        route = jobs.route[job]
        if route >= 0 and not is_last(jobs, tables, queueing, route, job):
            return False
    for job in range(clock[FIRST_FRESH], clock[NEXT_JOB]):
        route = jobs.route[job]
        if route < 0:
            continue
        cluster = tables.route_cluster[tables.routes[route, ROUTE_FIRST]]
        if tables.clusters[cluster, FREE] > 0:
            told = try_cluster(jobs, tables, queueing, power, cluster, job)
            if told == STARTS:
                queueing.rules[cluster, KNOWN] = 0
            if told == WITHOUT_POWER:
                jobs.held_back[job] = 1
    return True


@kernel(inline="llvm")
def is_last(jobs, tables, queueing, route, job):
    """Return whether a fresh job waits at the end of its only cluster's queue, within its depth.

    A job under a quota might, by its start, put the head beyond that quota.
    """
    rules = queueing.rules
    cluster = tables.route_cluster[tables.routes[route, ROUTE_FIRST]]
    return (
        queueing.quota[jobs.workload[job]] == FOREVER_MS
        and tables.routes[route, SOLE] == 1
        and rules[cluster, KNOWN] == 1
        and rules[cluster, SHADOW_MS] > tables.clock[NOW_MS]
        and tables.routes[route, WAITING] <= rules[cluster, DEPTH] + 1
        and rules[cluster, HEAD] < tables.clock[FIRST_FRESH]
        and no_line_behind(tables, route, jobs.line[job])
    )
