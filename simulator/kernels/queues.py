"""Queues of waiting jobs: linked through the job table, one for each route and priority.

A route is a list of clusters in order of preference; jobs that may use the same clusters wait in
the same line. Which priorities of a route have somebody waiting is kept as a tree of bits, as the
candidate index of nodes is, so that a thousand priorities cost no more than one.
"""

from simulator.kernels import node_index
from simulator.kernels.compile import kernel
from simulator.kernels.tables import (
    EVEN,
    NODES_WAITED,
    NONE,
    QUEUE_BASE,
    QUEUE_SHAPE,
    WAITING,
)


@kernel(inline="always")
def enter(jobs, tables, job):
    """Put a job at the end of the queue of its route and priority."""
    route = jobs.route[job]
    level = jobs.level[job]
    tail = tables.tails[route, level]
    if tail < 0:
        tables.heads[route, level] = job
        base = tables.routes[route, QUEUE_BASE]
        node_index.insert(tables.queues, base, tables.routes, route, QUEUE_SHAPE, level)
    else:
        jobs.next_waiting[tail] = job
    tables.tails[route, level] = job
    tables.routes[route, WAITING] += 1
    if tables.routes[route, EVEN] > 0:
        tables.routes[route, NODES_WAITED] += jobs.gpus[job] // tables.routes[route, EVEN]


@kernel(inline="always")
def head(tables, route):
    """Return the first job of the first queue of a route in which somebody waits."""
    base = tables.routes[route, QUEUE_BASE]
    level = node_index.lowest(tables.queues, base, tables.routes, route, QUEUE_SHAPE)
    return tables.heads[route, level]


@kernel(inline="always")
def leave(jobs, tables, job):
    """Take a job, the head of its queue, out of it."""
    route = jobs.route[job]
    level = jobs.level[job]
    following = jobs.next_waiting[job]
    tables.heads[route, level] = following
    if following < 0:
        tables.tails[route, level] = NONE
        base = tables.routes[route, QUEUE_BASE]
        node_index.remove(tables.queues, base, tables.routes, route, QUEUE_SHAPE, level)
    tables.routes[route, WAITING] -= 1
    if tables.routes[route, EVEN] > 0:
        tables.routes[route, NODES_WAITED] -= jobs.gpus[job] // tables.routes[route, EVEN]
