"""The pass of queues that have rules: backfill, depths and quotas.

Waiting jobs are looked at once, in the order of the whole queue. Whoever fits starts. The first
that does not is the head of its cluster: where the cluster backfills it gets the one reservation,
and those behind it start only if they do not delay it; where not, nobody behind it starts.
"""

from simulator.kernels.compile import kernel
from simulator.kernels.gangs import start
from simulator.kernels.placement import fits
from simulator.kernels.power import level_within_budget
from simulator.kernels.preemption import NOBODY_BELOW, make_room, may_preempt
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
    BOOK,
    BUDGETED,
    CHANGED,
    COMPLETIONS,
    CONSERVATIVE,
    CURSOR_JOB,
    DEPTH,
    EASY,
    FIRST,
    FIRST_FRESH,
    FOREVER_MS,
    FREE,
    HEAD,
    HEADED,
    KNOWN,
    LADDER,
    LEFT_TO_LOOK,
    LESS,
    NEXT_JOB,
    NONE,
    NOW_MS,
    OPEN,
    PLAIN,
    ROUTE_FIRST,
    ROUTE_LAST,
    SETTLED,
    SHADOW_MS,
    SHUT,
    SOLE,
    SUBMISSIONS,
    TURN_OF,
    WAITING,
)

# What became of a job that was offered a cluster.
STARTS, TOO_LARGE, WITHOUT_POWER, WOULD_DELAY = range(4)
# What may become of a gang of some size, beside TOO_LARGE.
ROOM, NO_ROOM = 4, 5


@kernel
def backfill_pass(jobs, tables, sleepers, queueing, power, preemption, pieces):
    """Offer the clusters to the waiting jobs, once, in the order of the queue.

    Returns whether jobs were preempted at once: they wait again, and the pass is to begin anew.
    """
    may_be_fresh = tables.clock[CHANGED] == SUBMISSIONS
    if preemption is not None:
        preemption.look_ms[0] = FOREVER_MS
        may_be_fresh = may_be_fresh and preemption.least == NOBODY_BELOW
    if may_be_fresh and fresh_alone(jobs, tables, queueing, power):
        return False
    rules = queueing.rules
    for cluster in range(len(rules)):
        rules[cluster, TURN_OF] = OPEN
        rules[cluster, LEFT_TO_LOOK] = rules[cluster, DEPTH]
        rules[cluster, SETTLED] = 1
        if not still_known(tables, queueing, cluster):
            rules[cluster, KNOWN] = 0
    for route in range(len(tables.routes)):
        tables.routes[route, CURSOR_JOB] = NONE
        first = tables.route_cluster[tables.routes[route, ROUTE_FIRST]]
        mine = queueing.rules[first, BACKFILL] < CONSERVATIVE
        if mine and tables.routes[route, WAITING] > 0:
            left = anything_left(tables, queueing, route)
            if preemption is not None:
                left |= may_preempt(tables, queueing, preemption, route)
            if left:
                begin(jobs, tables, queueing.shares, route)
    anew = False
    while not anew:
        route = first_of_cursors(jobs, tables, queueing.shares)
        if route < 0:
            break
        job = tables.routes[route, CURSOR_JOB]
        if within_quota(jobs, queueing, job):
            anew = offer(jobs, tables, sleepers, queueing, power, preemption, pieces, route, job)
        left = not anew and follow(jobs, tables, queueing.shares, route)
        if preemption is not None:
            left = left and (
                may_preempt(tables, queueing, preemption, route)
                or anything_left(tables, queueing, route)
            )
        else:
            left = left and anything_left(tables, queueing, route)
        if not left:
            tables.routes[route, CURSOR_JOB] = NONE
        elif tables.routes[route, SOLE] == 1:
            look_behind(jobs, tables, queueing, power, route)
    for cluster in range(len(rules)):
        if anew or rules[cluster, TURN_OF] == OPEN:
            rules[cluster, SETTLED] = 0
    for route in range(len(tables.routes)):
        tables.routes[route, CURSOR_JOB] = NONE
    return anew


@kernel(inline="llvm")
def still_known(tables, queueing, cluster):
    """Return whether a cluster's reservation is what it would be if it were made anew.

    It is while jobs end when they are expected to (see `expected.note_end`) and nothing else but
    this happens; where nodes sleep, what is expected of them changes too.
    """
    return (
        queueing.rules[cluster, KNOWN] == 1
        and queueing.rules[cluster, SHADOW_MS] > tables.clock[NOW_MS]
        and tables.clock[CHANGED] <= COMPLETIONS
        and tables.clusters[cluster, LADDER] == 0
    )


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
def offer(jobs, tables, sleepers, queueing, power, preemption, pieces, route, job):
    """Start a job on the first cluster of its route that has room, or see to its reservation.

    Returns whether jobs were preempted for it at once.
    """
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
            return False
        if told == WITHOUT_POWER:
            powerless = cluster
            jobs.held_back[job] = 1
    if preemption is not None and powerless < 0:
        cluster = make_room(jobs, tables, queueing, power, preemption, pieces, route, job)
        if cluster >= 0:
            if try_cluster(jobs, tables, queueing, power, cluster, job) == WITHOUT_POWER:
                jobs.held_back[job] = 1
            return True
    take_lead(jobs, tables, sleepers, queueing, route, job, powerless)
    return False


@kernel(inline="llvm")
def try_cluster(jobs, tables, queueing, power, cluster, job):
    """Start a job on a cluster if it may; return what became of it."""
    if not fits(tables.clusters, cluster, jobs.gpus[job]):
        return TOO_LARGE
    level = 0
    if tables.clusters[cluster, BUDGETED] == 1:
        level = level_within_budget(jobs, tables, queueing, power, cluster, job)
        if level < 0:
            return WITHOUT_POWER
    headed = queueing.rules[cluster, TURN_OF] == HEADED
    in_time = not headed or ends_in_time(jobs, tables, queueing, power, cluster, job, level)
    if not in_time and not leaves_room(jobs, tables, queueing, cluster, job):
        return WOULD_DELAY
    if headed:
        queueing.rules[cluster, SETTLED] = 0  # others may find room on other nodes than before
    else:
        queueing.rules[cluster, KNOWN] = 0
    leave(jobs, tables, job)
    slot = start(jobs, tables, queueing, power, cluster, job, level, False)
    if headed and in_time and slot >= 0:
        hold_until_then(tables, queueing, cluster, slot)
    elif slot < 0 and not in_time:
        take_later(jobs, tables, queueing, cluster, job, LESS)  # it ended at once
    return STARTS


@kernel
def look_behind(jobs, tables, queueing, power, route):
    """Look at all jobs behind the head of a cluster that is the only one of their route."""
    cluster = tables.route_cluster[tables.routes[route, ROUTE_FIRST]]
    if queueing.rules[cluster, TURN_OF] != HEADED:
        return
    if queueing.shares.routes[route, BOOK] >= 0:
        look_along(jobs, tables, queueing, queueing.shares, power, route)
    else:
        look_along(jobs, tables, queueing, None, power, route)


@kernel
def look_along(jobs, tables, queueing, shares, power, route):
    """Look at all jobs behind the head; `shares` is None where they do not take turns.

    Whether a gang fits, and whether it leaves room for the head, depends on its size alone while
    nobody starts, so most jobs are told by a look at their size.
    """
    rules = queueing.rules
    cluster = tables.route_cluster[tables.routes[route, ROUTE_FIRST]]
    queueing.verdict[:] = 0
    more = True
    while more and tables.clusters[cluster, FREE] > 0 and rules[cluster, LEFT_TO_LOOK] > 0:
        job = tables.routes[route, CURSOR_JOB]
        if within_quota(jobs, queueing, job):
            rules[cluster, LEFT_TO_LOOK] -= 1
            if may_start(jobs, tables, queueing, power, cluster, job):
                told = try_cluster(jobs, tables, queueing, power, cluster, job)
                if told == STARTS:
                    queueing.verdict[:] = 0
                elif told == WITHOUT_POWER:
                    jobs.held_back[job] = 1
        more = follow(jobs, tables, shares, route)
    tables.routes[route, CURSOR_JOB] = NONE


@kernel(inline="llvm")
def may_start(jobs, tables, queueing, power, cluster, job):
    """Return whether a job behind the head may start, as far as accelerators are concerned."""
    gpus = jobs.gpus[job]
    if gpus > tables.clusters[cluster, FREE]:
        return False
    told = queueing.verdict[gpus] if gpus < len(queueing.verdict) else 0
    if told == 0:
        told = NO_ROOM
        if not fits(tables.clusters, cluster, gpus):
            told = TOO_LARGE
        elif leaves_room(jobs, tables, queueing, cluster, job):
            take_later(jobs, tables, queueing, cluster, job, LESS)
            told = ROOM
        if gpus < len(queueing.verdict):
            queueing.verdict[gpus] = told
    if told == TOO_LARGE:
        return False
    return told == ROOM or ends_in_time(jobs, tables, queueing, power, cluster, job, FIRST)


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
        if rules[cluster, KNOWN] == 0 or rules[cluster, HEAD] != job:
            reserve(jobs, tables, sleepers, queueing, cluster, job)
        rules[cluster, TURN_OF] = HEADED
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
    queueing.rules[cluster, KNOWN] = 0


@kernel(inline="llvm")
def fresh_alone(jobs, tables, queueing, power):
    """Offer clusters to the jobs just submitted alone, where that is all that can have changed.

    Whoever could not start before cannot now while nothing was freed or taken: the heads wait for
    what they waited for. Returns False, and does nothing, where that is not certain.
    """
    clock = tables.clock
    if not all_settled(tables, queueing):
        return False
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
            if told == WITHOUT_POWER:
                jobs.held_back[job] = 1
    return True


@kernel(inline="llvm")
def all_settled(tables, queueing):
    """Return whether on no cluster a pass could do more than the last one did.

    It can where somebody started beside a head, so that others come within the depth or find room
    on other nodes, and where a reservation would be another one.
    """
    rules = queueing.rules
    settled = True
    for cluster in range(len(rules)):
        headed = rules[cluster, BACKFILL] == EASY and rules[cluster, TURN_OF] != OPEN
        known = rules[cluster, SETTLED] == 1 and still_known(tables, queueing, cluster)
        if headed and not known:
            settled = False
    return settled


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
        and rules[cluster, TURN_OF] == HEADED
        and rules[cluster, SETTLED] == 1
        and still_known(tables, queueing, cluster)
        and tables.routes[route, WAITING] <= rules[cluster, DEPTH] + 1
        and rules[cluster, HEAD] < tables.clock[FIRST_FRESH]
        and no_line_behind(tables, queueing.shares, route, jobs.line[job])
    )
