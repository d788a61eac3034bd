"""The engine's inner loop: settle, decide, record, instant after instant.

Placement never scans nodes (see `node_index`), and a completion touches only its slot and its
nodes: a job's own row is written once, when it starts. Where nodes fail it is written at each
start, and what it did before is handed over in pieces.
"""

from simulator.kernels.backfill import backfill_pass
from simulator.kernels.compile import kernel
from simulator.kernels.demand import anyone_wanted, wake_as_needed
from simulator.kernels.dispatch import settle_arrivals
from simulator.kernels.failures import repair, settle_failures
from simulator.kernels.gangs import complete, start
from simulator.kernels.placement import fits
from simulator.kernels.power import level_within_budget
from simulator.kernels.preemption import end_one
from simulator.kernels.queues import leave, next_in_line
from simulator.kernels.recording import record
from simulator.kernels.rooms import TENANTS_RUNNING, has_room, may_share, stays_full
from simulator.kernels.sleep import (
    any_descent,
    descend,
    finish_waking,
)
from simulator.kernels.tables import (
    ANYTHING,
    ASKED,
    ASKING,
    ASSIGN,
    ASSIGNED,
    AWAKENING,
    BACKFILL,
    BLOCKED,
    BUDGETED,
    CHANGED,
    CLAIMED,
    COMPLETIONS,
    CONSERVATIVE,
    DECIDE,
    DRAWS,
    FIRST_FRESH,
    FOREVER_MS,
    FREE,
    IDLE,
    IN_SERVICE,
    LADDERS,
    LOG_FULL,
    LOG_ROWS,
    MENDING,
    MOST_FAILURES,
    NEXT_JOB,
    NONE,
    NOW_MS,
    PENDING,
    PIECE_ROWS,
    ROUTE_BLOCKED,
    ROUTE_FIRST,
    ROUTE_LAST,
    RULED,
    RUNNING,
    UNTIL,
    WAITING,
)
from simulator.kernels.tenants import admit, pace, settle_tenants


@kernel
def advance(
    jobs,
    tables,
    sleepers,
    queueing,
    power,
    faults,
    preemption,
    pieces,
    tenants,
    dispatch,
    log,
    until_ms,
):
    """Run every instant before `until_ms`, and settle the one at `until_ms` without deciding.

    The next call decides and records that instant first, so that whoever acts at `until_ms`
    (a controller) sees settled state and is heard before the schedulers make their pass.

    Parameters
    ----------
    jobs : Jobs
    tables : Tables
    sleepers : Sleepers
    queueing : Queueing or None
    power : Power
    faults : Faults or None
    preemption : Preemption or None
    pieces : Pieces or None
        Rows are appended; ``clock[PIECE_ROWS]`` says how many there are.
    tenants : Tenants or None
        Their stays are appended to, as pieces are.
    dispatch : Dispatch or None
    log : Log
        Rows are appended; ``clock[LOG_ROWS]`` says how many there are.
    until_ms : int
        FOREVER_MS runs until no event is left. [ms]

    Returns
    -------
    int
        UNTIL; LOG_FULL when log, pieces and stays must be handed over and the call repeated;
        DRAWS when more times must be drawn and the call repeated; DECIDE when the passes of
        queues that are not served in here must be made and the call repeated; ASSIGN when the next
        job of the table must be given its cluster and the call repeated; IDLE when no event is left
        and `until_ms` is FOREVER_MS.
    """
    clock = tables.clock
    keys = tables.agenda
    # An instant logs a node at most four times: its descent, its failure, its leaving, and what
    # came of it. Before a pass, and in one, it cuts short no more jobs than there are slots.
    log_limit = len(log.time_ms) - 4 * len(tables.nodes)
    job_count = len(jobs.submit_ms)
    while True:
        if dispatch is not None and clock[ASSIGNED] == 1:
            if not settle_arrivals(jobs, tables, dispatch, clock[NOW_MS]):
                return ASSIGN
            clock[ASSIGNED] = 0
            if clock[NOW_MS] == until_ms:
                return UNTIL
        if clock[LOG_ROWS] > log_limit:
            return LOG_FULL
        if pieces is not None and clock[PIECE_ROWS] > len(pieces.job) - 2 * len(tables.slots):
            return LOG_FULL
        if tenants is not None and stays_full(tenants):
            return LOG_FULL
        if not enough_drawn(tables, sleepers, faults):
            return DRAWS
        if clock[PENDING] == 1:
            if clock[CHANGED] > 0:
                if queueing is not None:
                    if clock[ASKING] == 1 and clock[ASKED] == 0 and must_ask(tables, queueing):
                        clock[ASKED] = 1
                        return DECIDE
                    clock[ASKED] = 0
                if decide(jobs, tables, sleepers, queueing, power, preemption, pieces, tenants):
                    continue
                if tenants is not None:
                    pace(jobs, tables, tenants)
            record(tables, sleepers, power, faults, log)
            clock[PENDING] = 0
            clock[CHANGED] = 0
            if until_ms == FOREVER_MS and all_done(jobs, tables, tenants):
                return IDLE
        now = FOREVER_MS
        if clock[NEXT_JOB] < job_count:
            now = jobs.submit_ms[clock[NEXT_JOB]]
        if clock[RUNNING] > 0:
            now = min(now, keys[0] >> tables.bits)
        if tenants is not None and tenants.counts[TENANTS_RUNNING] > 0:
            now = min(now, tenants.due_ms[tenants.heap[0]])
        if clock[AWAKENING] > 0:
            now = min(now, sleepers.due_ms[sleepers.wakers[0]])
        if faults is not None:
            if clock[MENDING] > 0:
                now = min(now, sleepers.due_ms[sleepers.menders[0]])
            # Failures alone, of idle nodes, keep no run going.
            if clock[IN_SERVICE] > 0 and min(now, until_ms) < FOREVER_MS:
                now = min(now, faults.due_ms[faults.heap[0]])
        if preemption is not None:
            now = min(now, preemption.look_ms[0])
        if now > until_ms or now == FOREVER_MS:
            if until_ms == FOREVER_MS:
                return IDLE
            now = until_ms
        clock[NOW_MS] = now
        clock[PENDING] = 1
        if clock[LADDERS] == 1 and any_descent(tables, sleepers, now):
            descend(tables, sleepers, faults, log, now)
        while clock[RUNNING] > 0 and keys[0] >> tables.bits == now:
            if preemption is not None:
                clock[CHANGED] = max(
                    clock[CHANGED], end_one(jobs, tables, queueing, power, preemption, pieces)
                )
            else:
                complete(jobs, tables, queueing, power)
                clock[CHANGED] = max(clock[CHANGED], COMPLETIONS)
        if tenants is not None:
            settle_tenants(tables, tenants)
        if faults is not None:
            settle_failures(jobs, tables, sleepers, queueing, power, faults, preemption, pieces)
            while clock[MENDING] > 0 and sleepers.due_ms[sleepers.menders[0]] == now:
                repair(tables, sleepers)
                clock[CHANGED] = ANYTHING
        while clock[AWAKENING] > 0 and sleepers.due_ms[sleepers.wakers[0]] == now:
            finish_waking(tables, sleepers)
            clock[CHANGED] = ANYTHING
        if preemption is not None and preemption.look_ms[0] == now:
            clock[CHANGED] = ANYTHING
        clock[FIRST_FRESH] = clock[NEXT_JOB]
        if not settle_arrivals(jobs, tables, dispatch, now):
            clock[ASSIGNED] = 1
            return ASSIGN
        if now == until_ms:
            return UNTIL


@kernel(inline="always")
def all_done(jobs, tables, tenants):
    """Return whether every job that was submitted has ended, and none is still to come."""
    clock = tables.clock
    done = clock[RUNNING] == 0 and clock[NEXT_JOB] == len(jobs.submit_ms)
    for route in range(len(tables.routes)):
        if tables.routes[route, WAITING] > 0:
            done = False
    if tenants is not None and tenants.counts[TENANTS_RUNNING] > 0:
        done = False
    return done


@kernel(inline="always")
def enough_drawn(tables, sleepers, faults):
    """Return whether an instant can find all times it may draw: two for each node, one life."""
    ladder = sleepers.ladder
    enough = True
    for row in range(len(ladder.drawn)):
        if ladder.drawn[row] + 2 * len(tables.nodes) > ladder.draws_ms.shape[1]:
            enough = False
    if faults is not None and tables.clock[MOST_FAILURES] + 2 > len(faults.lives_ms):
        enough = False
    return enough


@kernel(inline="always")
def must_ask(tables, queueing):
    """Return whether a queue that is not served in here may start a job."""
    ask = False
    for route in range(len(tables.routes)):
        if tables.routes[route, WAITING] > 0:
            for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
                cluster = tables.route_cluster[at]
                outside = queueing.rules[cluster, BACKFILL] >= CONSERVATIVE
                if outside and tables.clusters[cluster, FREE] > 0:
                    ask = True
    return ask


@kernel(inline="always")
def decide(jobs, tables, sleepers, queueing, power, preemption, pieces, tenants):
    """Let the schedulers make their pass, and wake what the queue needs.

    Returns whether nodes are awake, or jobs preempted, at once, so that all must look again.
    """
    again = False
    ruled = False
    if queueing is not None:
        ruled = tables.clock[RULED] == 1
        if ruled:
            again = backfill_pass(jobs, tables, sleepers, queueing, power, preemption, pieces)
            tables.clock[CHANGED] = ANYTHING  # should there be another pass at this instant
    if not ruled:
        fifo_pass(jobs, tables, queueing, power, tenants)
    if tables.clock[LADDERS] == 1 and not again:
        if anyone_wanted(tables):
            again = wake_as_needed(jobs, tables, sleepers, queueing, tenants)
        else:
            for cluster in range(len(tables.clusters)):
                tables.clusters[cluster, CLAIMED] = 0
    return again


@kernel(inline="llvm")
def fifo_pass(jobs, tables, queueing, power, tenants):
    """Offer the clusters to the waiting jobs in the order of the queue.

    A job starts on the first cluster of its route that has room for it. One that finds none
    blocks all of its route: nobody who came later starts there at this instant.
    """
    for cluster in range(len(tables.clusters)):
        tables.clusters[cluster, BLOCKED] = 0
    for route in range(len(tables.routes)):
        tables.routes[route, ROUTE_BLOCKED] = 0
    while True:
        job = next_in_line(jobs, tables)
        if job < 0:
            break
        route = jobs.route[job]
        chosen = NONE
        level = 0
        powerless = 0
        for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
            cluster = tables.route_cluster[at]
            if tables.clusters[cluster, BLOCKED] == 1:
                continue
            if tenants is not None and may_share(jobs, tenants, cluster, job):
                if has_room(tables, tenants, cluster, tenants.percent[job]):
                    chosen = cluster
                    break
                continue
            if fits(tables.clusters, cluster, jobs.gpus[job]):
                level = 0
                if tables.clusters[cluster, BUDGETED] == 1:
                    level = level_within_budget(jobs, tables, queueing, power, cluster, job)
                if level >= 0:
                    chosen = cluster
                    break
                powerless = 1
        if chosen >= 0:
            leave(jobs, tables, job)
            if tenants is not None and may_share(jobs, tenants, chosen, job):
                admit(jobs, tables, tenants, chosen, job)
                continue
            start(jobs, tables, queueing, power, chosen, job, level, False)
        else:
            if powerless == 1:
                jobs.held_back[job] = 1
            tables.routes[route, ROUTE_BLOCKED] = 1
            for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
                tables.clusters[tables.route_cluster[at], BLOCKED] = 1
