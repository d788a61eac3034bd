"""The engine's inner loop: settle, decide, record, instant after instant.

Placement never scans nodes (see `node_index`), and a completion touches only its slot and its
nodes: a job's own row is written once, when it starts, because a gang runs to its end.
"""

from simulator.kernels.compile import kernel
from simulator.kernels.gangs import complete, start
from simulator.kernels.placement import fits
from simulator.kernels.queues import enter, head, leave
from simulator.kernels.tables import (
    AWAKE,
    BLOCKED,
    DIRTY,
    FOREVER_MS,
    IDLE,
    LOG_FULL,
    LOG_ROWS,
    NEXT_JOB,
    NODE_DIRTY,
    NODE_FREE,
    NODE_WHOLE,
    NONE,
    NOW_MS,
    PENDING,
    ROUTE_BLOCKED,
    ROUTE_FIRST,
    ROUTE_LAST,
    RUNNING,
    UNTIL,
    WAITING,
)


@kernel
def advance(jobs, tables, log, until_ms):
    """Run every instant before `until_ms`, and settle the one at `until_ms` without deciding.

    The next call decides and records that instant first, so that whoever acts at `until_ms`
    (a controller) sees settled state and is heard before the schedulers make their pass.

    Parameters
    ----------
    jobs : Jobs
    tables : Tables
    log : Log
        Rows are appended; ``clock[LOG_ROWS]`` says how many there are.
    until_ms : int
        FOREVER_MS runs until no event is left. [ms]

    Returns
    -------
    int
        UNTIL; LOG_FULL when the log must be handed over and the call repeated; IDLE when no
        event is left and `until_ms` is FOREVER_MS.
    """
    clock = tables.clock
    keys = tables.agenda
    log_limit = len(log.time_ms) - len(tables.nodes)
    job_count = len(jobs.submit_ms)
    while True:
        if clock[PENDING] == 1:
            if clock[LOG_ROWS] > log_limit:
                return LOG_FULL
            fifo_pass(jobs, tables)
            record(tables, log)
            clock[PENDING] = 0
        now = FOREVER_MS
        if clock[NEXT_JOB] < job_count:
            now = jobs.submit_ms[clock[NEXT_JOB]]
        if clock[RUNNING] > 0:
            now = min(now, keys[0] >> tables.bits)
        if now > until_ms or now == FOREVER_MS:
            if until_ms == FOREVER_MS:
                return IDLE
            now = until_ms
        clock[NOW_MS] = now
        clock[PENDING] = 1
        while clock[RUNNING] > 0 and keys[0] >> tables.bits == now:
            complete(tables)
        while clock[NEXT_JOB] < job_count and jobs.submit_ms[clock[NEXT_JOB]] == now:
            job = clock[NEXT_JOB]
            clock[NEXT_JOB] += 1
            if jobs.route[job] >= 0:
                enter(jobs, tables, job)
        if now == until_ms:
            return UNTIL


@kernel(inline="always")
def fifo_pass(jobs, tables):
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
        for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
            cluster = tables.route_cluster[at]
            if tables.clusters[cluster, BLOCKED] == 1:
                continue
            if fits(tables.clusters, cluster, jobs.gpus[job]):
                chosen = cluster
                break
        if chosen >= 0:
            leave(jobs, tables, job)
            start(jobs, tables, chosen, job)
        else:
            tables.routes[route, ROUTE_BLOCKED] = 1
            for at in range(tables.routes[route, ROUTE_FIRST], tables.routes[route, ROUTE_LAST]):
                tables.clusters[tables.route_cluster[at], BLOCKED] = 1


@kernel(inline="always")
def next_in_line(jobs, tables):
    """Return the first waiting job, by priority and then row, of the routes not blocked."""
    first = NONE
    for route in range(len(tables.routes)):
        if tables.routes[route, WAITING] > 0 and tables.routes[route, ROUTE_BLOCKED] == 0:
            job = head(tables, route)
            if (
                first < 0
                or jobs.level[job] < jobs.level[first]
                or (jobs.level[job] == jobs.level[first] and job < first)
            ):
                first = job
    return first


@kernel(inline="always")
def record(tables, log):
    """Append one row for each node that changed at this instant."""
    clock = tables.clock
    row = clock[LOG_ROWS]
    for at in range(clock[DIRTY]):
        node = tables.dirty_nodes[at]
        tables.nodes[node, NODE_DIRTY] = 0
        log.time_ms[row] = clock[NOW_MS]
        log.node[row] = node
        log.state[row] = AWAKE
        log.held[row] = tables.nodes[node, NODE_WHOLE] - tables.nodes[node, NODE_FREE]
        log.busy[row] = tables.busy[node]
        row += 1
    clock[LOG_ROWS] = row
    clock[DIRTY] = 0
