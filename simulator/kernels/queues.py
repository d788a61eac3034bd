"""Queues of waiting jobs: linked through the job table, one line for each route and rank.

A route is a list of clusters in order of preference; jobs that may use the same clusters wait in
the same queue. Jobs of one rank, all of them where the queue is first come, first served, are a
line. In which lines of a route somebody waits is kept as a tree of bits, as the candidate index of
nodes is, so that a million ranks cost no more than one. Where a queue shares fairly each user has
lines of their own, which take turns (see `shares`).
"""

import numpy as np

from simulator.kernels import node_index
from simulator.kernels.compile import kernel
from simulator.kernels.loads import note_waiting
from simulator.kernels.shares import begin_turns, follow_turns
from simulator.kernels.tables import (
    BOOK,
    CURSOR_JOB,
    CURSOR_LEVEL,
    CURSOR_USE,
    EVEN,
    GPUS_WAITED,
    LINE_BASE,
    NODES_WAITED,
    NONE,
    QUEUE_BASE,
    QUEUE_SHAPE,
    ROUTE_BLOCKED,
    RULED,
    WAITING,
)


@kernel(inline="always")
def enter(jobs, tables, job):
    """Put a job at the end of the line of its route and rank."""
    route = np.int64(jobs.route[job])
    line = tables.routes[route, LINE_BASE] + jobs.line[job]
    tail = tables.tails[line]
    if tail < 0:
        tables.heads[line] = job
        base = tables.routes[route, QUEUE_BASE]
        at = np.int64(jobs.line[job])
        node_index.insert(tables.queues, base, tables.routes, route, QUEUE_SHAPE, at)
    else:
        jobs.next_waiting[tail] = job
    tables.tails[line] = job
    if tables.clock[RULED] == 1:
        jobs.previous_waiting[job] = tail
    count(jobs, tables, job, 1)


@kernel
def reenter(jobs, tables, job):
    """Put a job that waited before back where it belongs in its line, in order of submission."""
    line = tables.routes[jobs.route[job], LINE_BASE] + jobs.line[job]
    jobs.next_waiting[job] = NONE
    previous = NONE
    following = tables.heads[line]
    if following < 0 or tables.tails[line] < job:
        enter(jobs, tables, job)
        return
    while following < job:
        previous = following
        following = jobs.next_waiting[following]
    jobs.next_waiting[job] = following
    if previous < 0:
        tables.heads[line] = job
    else:
        jobs.next_waiting[previous] = job
    if tables.clock[RULED] == 1:
        jobs.previous_waiting[job] = previous
        jobs.previous_waiting[following] = job
    count(jobs, tables, job, 1)


@kernel(inline="always")
def count(jobs, tables, job, sign):
    """Count a job among those that wait on its route, or no longer."""
    route = np.int64(jobs.route[job])
    tables.routes[route, WAITING] += sign
    tables.routes[route, GPUS_WAITED] += sign * jobs.gpus[job]
    if tables.routes[route, EVEN] > 0:
        tables.routes[route, NODES_WAITED] += sign * (jobs.gpus[job] // tables.routes[route, EVEN])
    note_waiting(tables.loads, jobs, tables, job, np.int64(sign))


@kernel(inline="always")
def head(tables, route):
    """Return the first job of the first line of a route in which somebody waits."""
    base = tables.routes[route, QUEUE_BASE]
    line = node_index.lowest(tables.queues, base, tables.routes, route, QUEUE_SHAPE)
    return tables.heads[tables.routes[route, LINE_BASE] + line]


@kernel(inline="llvm")
def leave(jobs, tables, job):
    """Take a job out of its line: the first of it, or any where queues have rules."""
    route = np.int64(jobs.route[job])
    line = tables.routes[route, LINE_BASE] + jobs.line[job]
    following = jobs.next_waiting[job]
    previous = NONE
    if tables.clock[RULED] == 1:
        previous = jobs.previous_waiting[job]
        if following >= 0:
            jobs.previous_waiting[following] = previous
    if previous >= 0:
        jobs.next_waiting[previous] = following
    else:
        tables.heads[line] = following
    if following < 0:
        tables.tails[line] = previous
        if previous < 0:
            base = tables.routes[route, QUEUE_BASE]
            at = np.int64(jobs.line[job])
            node_index.remove(tables.queues, base, tables.routes, route, QUEUE_SHAPE, at)
    count(jobs, tables, job, -1)


@kernel(inline="llvm")
def begin(jobs, tables, shares, route):
    """Set a route's cursor on its first waiting job."""
    routes = tables.routes
    line = node_index.lowest(tables.queues, routes[route, QUEUE_BASE], routes, route, QUEUE_SHAPE)
    if shares is not None and shares.routes[route, BOOK] >= 0:
        begin_turns(jobs, tables, shares, route, line)
    else:
        routes[route, CURSOR_LEVEL] = line
        routes[route, CURSOR_JOB] = tables.heads[routes[route, LINE_BASE] + line]


@kernel(inline="llvm")
def follow(jobs, tables, shares, route):
    """Move a route's cursor to the next waiting job; return whether there is one.

    The job that it stands on may have left its line meanwhile.
    """
    routes = tables.routes
    if shares is not None and shares.routes[route, BOOK] >= 0:
        return follow_turns(jobs, tables, shares, route)
    job = jobs.next_waiting[routes[route, CURSOR_JOB]]
    if job < 0:
        base = routes[route, QUEUE_BASE]
        line = routes[route, CURSOR_LEVEL]
        line = node_index.lowest_above(tables.queues, base, routes, route, QUEUE_SHAPE, line)
        if line < 0:
            return False
        routes[route, CURSOR_LEVEL] = line
        job = tables.heads[routes[route, LINE_BASE] + line]
    routes[route, CURSOR_JOB] = job
    return True


@kernel(inline="llvm")
def no_line_behind(tables, shares, route, line):
    """Return whether it is certain that nobody waits in lines of a route served after one."""
    if shares is not None and shares.routes[route, BOOK] >= 0:
        return False
    base = tables.routes[route, QUEUE_BASE]
    at = np.int64(line)
    return node_index.lowest_above(tables.queues, base, tables.routes, route, QUEUE_SHAPE, at) < 0


@kernel(inline="llvm")
def first_of_cursors(jobs, tables, shares):
    """Return the route whose cursor stands on the job that comes first in the queue."""
    routes = tables.routes
    best = NONE
    for route in range(len(routes)):
        if routes[route, CURSOR_JOB] < 0:
            continue
        if best < 0 or comes_before(jobs, tables, shares, route, best):
            best = route
    return best


@kernel(inline="llvm")
def comes_before(jobs, tables, shares, route, other):
    """Return whether the job at a route's cursor is served before that at another's."""
    one = tables.routes[route, CURSOR_JOB]
    two = tables.routes[other, CURSOR_JOB]
    if jobs.level[one] != jobs.level[two]:
        return jobs.level[one] < jobs.level[two]
    if shares is not None:
        used = shares.routes[route, CURSOR_USE]
        used_there = shares.routes[other, CURSOR_USE]
        if used != used_there:
            return used < used_there
    return one < two


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
