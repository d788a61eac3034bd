"""Queues of waiting jobs: linked through the job table, one for each cluster and priority.

Which priorities of a cluster have somebody waiting is kept as a tree of bits, as the candidate
index of nodes is, so that a thousand priorities cost no more than one.
"""

from simulator.kernels import node_index
from simulator.kernels.compile import kernel
from simulator.kernels.tables import NONE, QUEUE_BASE, QUEUE_SHAPE, WAITING


@kernel(inline="always")
def enter(jobs, tables, cluster, job):
    """Put a job at the end of the queue of its priority."""
    level = jobs.level[job]
    tail = tables.tails[cluster, level]
    if tail < 0:
        tables.heads[cluster, level] = job
        base = tables.clusters[cluster, QUEUE_BASE]
        node_index.insert(tables.queues, base, tables.clusters, cluster, QUEUE_SHAPE, level)
    else:
        jobs.next_waiting[tail] = job
    tables.tails[cluster, level] = job
    tables.clusters[cluster, WAITING] += 1


@kernel(inline="always")
def head(tables, cluster):
    """Return the first job of the first queue in which somebody waits; somebody must."""
    base = tables.clusters[cluster, QUEUE_BASE]
    level = node_index.lowest(tables.queues, base, tables.clusters, cluster, QUEUE_SHAPE)
    return tables.heads[cluster, level]


@kernel(inline="always")
def leave(jobs, tables, cluster, job):
    """Take a job, the head of its queue, out of it."""
    level = jobs.level[job]
    following = jobs.next_waiting[job]
    tables.heads[cluster, level] = following
    if following < 0:
        tables.tails[cluster, level] = NONE
        base = tables.clusters[cluster, QUEUE_BASE]
        node_index.remove(tables.queues, base, tables.clusters, cluster, QUEUE_SHAPE, level)
    tables.clusters[cluster, WAITING] -= 1
