"""The engine's inner loop: settle, decide, record, instant after instant.

Placement never scans nodes (see `node_index`), and a completion touches only its slot and its
nodes: a job's own row is written once, when it starts, because a gang runs to its end.
"""

from simulator.kernels.compile import kernel
from simulator.kernels.gangs import complete, dispatch, start
from simulator.kernels.placement import fits
from simulator.kernels.queues import enter, head, leave
from simulator.kernels.tables import (
    AWAKE,
    DIRTY,
    FOREVER_MS,
    IDLE,
    LOG_FULL,
    LOG_ROWS,
    NEXT_JOB,
    NODE_DIRTY,
    NODE_FREE,
    NODE_WHOLE,
    NOW_MS,
    PENDING,
    RUNNING,
    SENT_GPUS,
    SENT_JOBS,
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
            for cluster in range(len(tables.clusters)):
                fifo_pass(jobs, tables, cluster)
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
            arrive(jobs, tables)
        if now == until_ms:
            return UNTIL


@kernel(inline="always")
def arrive(jobs, tables):
    """Dispatch the next job of the table, and put it at the end of its cluster's queue."""
    job = tables.clock[NEXT_JOB]
    tables.clock[NEXT_JOB] += 1
    cluster = dispatch(jobs, tables.clusters, job)
    jobs.cluster[job] = cluster
    if cluster >= 0:
        enter(jobs, tables, cluster, job)
        tables.clusters[cluster, SENT_GPUS] += jobs.gpus[job]
        tables.clusters[cluster, SENT_JOBS] += 1


@kernel(inline="always")
def fifo_pass(jobs, tables, cluster):
    """Start jobs of a cluster in the order of its queues until one does not fit."""
    while tables.clusters[cluster, WAITING] > 0:
        job = head(tables, cluster)
        if not fits(tables.clusters, cluster, jobs.gpus[job]):
            break
        leave(jobs, tables, cluster, job)
        start(jobs, tables, cluster, job)


@kernel(inline="always")
def record(tables, log):
    """Append one row for each node that changed, and forget what this instant sent."""
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
    for cluster in range(len(tables.clusters)):
        tables.clusters[cluster, SENT_GPUS] = 0
        tables.clusters[cluster, SENT_JOBS] = 0
