"""Fair share: who used how much of late, and whose turn it is.

What a user or a workload used, seen from t with a half-life of h, is the sum over its jobs of

    gpus x h / ln 2 x (2^((end - t) / h) - 2^((begin - t) / h))

where a job that runs ends at t. Two uses are only ever compared at one instant, so the factor
common to all, h / ln 2 x 2^(-t / h), is left out: what is kept of each account is the sum of
gpus x weight, less at the start of a job and more at its end, where the weight of an instant is
2^(instant / h). It changes when jobs start and end, and at no other time. Weights count from the
last whole half-life, and are whole numbers: whoever held as much at every instant used exactly as
much, in whatever jobs.

Within a route each account has a line for each priority. The lines of one priority take turns at
the route's cursor: they are a heap by use, then row, made when their priority is reached.
"""

import numpy as np
from numba import types
from numba.extending import overload

from simulator.kernels import node_index
from simulator.kernels.compile import kernel
from simulator.kernels.tables import (
    AT_MS,
    BOOK,
    CURSOR_JOB,
    CURSOR_LEVEL,
    CURSOR_USE,
    EPOCH,
    HALF_LIFE_MS,
    HOLDS,
    LINE_BASE,
    NOW_MS,
    ONE,
    QUEUE_BASE,
    QUEUE_SHAPE,
    TURN_JOB,
    TURN_USE,
    TURNS_LEFT,
    USED,
    USED_EPOCH,
    WEIGHT,
)

MOST_HALVED = 63
"""Half-lives after which nothing is left of an int64."""


def shares_of(queueing):
    """Return the tables of fair share, None where there are no queue rules."""
    return None if queueing is None else queueing.shares


@overload(shares_of, inline="always")
def _typed_shares_of(queueing):
    """Choose by type: a branch would be both, and whatever it is handed to be compiled twice."""
    if isinstance(queueing, types.NoneType):
        return lambda queueing: None  # noqa: ARG005
    return lambda queueing: queueing.shares


@kernel
def note_use(tables, shares, job, gpus):
    """Note that a job holds so many accelerators more from now on, in every book."""
    if shares is not None:
        for book in range(len(shares.books)):
            weigh(tables, shares, book)
            account = np.int64(shares.account[book, job])
            accounts = shares.accounts
            accounts[account, USED] = halved(shares, book, account)
            accounts[account, USED_EPOCH] = shares.books[book, EPOCH]
            accounts[account, USED] -= gpus * shares.books[book, WEIGHT]
            accounts[account, HOLDS] += gpus


@kernel(inline="llvm")
def weigh(tables, shares, book):
    """Work out the weight of time now."""
    books = shares.books
    now = tables.clock[NOW_MS]
    if books[book, AT_MS] != now:
        half_life = books[book, HALF_LIFE_MS]
        begun = now // half_life
        since = (now - begun * half_life) / half_life
        books[book, AT_MS] = now
        books[book, EPOCH] = begun
        books[book, WEIGHT] = np.int64(np.rint(2.0**since * books[book, ONE]))


@kernel(inline="llvm")
def halved(shares, book, account):
    """Return what an account used, halved for each half-life begun since that was noted."""
    begun = shares.books[book, EPOCH] - shares.accounts[account, USED_EPOCH]
    return shares.accounts[account, USED] >> min(MOST_HALVED, begun)


@kernel(inline="llvm")
def use(shares, book, account):
    """Return what an account used up to now; of no unit, but comparable within a book."""
    held = shares.accounts[account, HOLDS] * shares.books[book, WEIGHT]
    return max(0, halved(shares, book, account) + held)


@kernel
def begin_turns(jobs, tables, shares, route, line):
    """Let the lines of a route that have the priority of `line` take turns, the first of them."""
    base = tables.routes[route, LINE_BASE]
    trees = tables.routes[route, QUEUE_BASE]
    turns = shares.turns
    book = shares.routes[route, BOOK]
    weigh(tables, shares, book)
    level = jobs.level[tables.heads[base + line]]
    count = np.int64(0)
    while line >= 0:
        job = tables.heads[base + line]
        if jobs.level[job] != level:
            break
        turns[base + count, TURN_USE] = use(shares, book, np.int64(shares.account[book, job]))
        turns[base + count, TURN_JOB] = job
        count += 1
        tables.routes[route, CURSOR_LEVEL] = line
        line = node_index.lowest_above(
            tables.queues, trees, tables.routes, route, QUEUE_SHAPE, line
        )
    shares.routes[route, TURNS_LEFT] = count
    for at in range(count // 2 - 1, -1, -1):
        sink(turns, base, count, at)
    take_turn(tables, shares, route)


@kernel
def follow_turns(jobs, tables, shares, route):
    """Move a fair route's cursor to the next waiting job; return whether there is one."""
    base = tables.routes[route, LINE_BASE]
    turns = shares.turns
    following = jobs.next_waiting[turns[base, TURN_JOB]]
    if following >= 0:
        turns[base, TURN_JOB] = following
    else:
        count = shares.routes[route, TURNS_LEFT] - 1
        shares.routes[route, TURNS_LEFT] = count
        if count == 0:
            line = node_index.lowest_above(
                tables.queues,
                tables.routes[route, QUEUE_BASE],
                tables.routes,
                route,
                QUEUE_SHAPE,
                tables.routes[route, CURSOR_LEVEL],
            )
            if line >= 0:
                begin_turns(jobs, tables, shares, route, line)
            return line >= 0
        turns[base, TURN_USE] = turns[base + count, TURN_USE]
        turns[base, TURN_JOB] = turns[base + count, TURN_JOB]
    sink(turns, base, shares.routes[route, TURNS_LEFT], np.int64(0))
    take_turn(tables, shares, route)
    return True


@kernel(inline="llvm")
def take_turn(tables, shares, route):
    """Set a route's cursor on the job whose turn it is."""
    base = tables.routes[route, LINE_BASE]
    tables.routes[route, CURSOR_JOB] = shares.turns[base, TURN_JOB]
    shares.routes[route, CURSOR_USE] = shares.turns[base, TURN_USE]


@kernel(inline="llvm")
def sink(turns, base, count, at):
    """Let an entry of the heap at `base` sink until whoever is below it comes after it."""
    used = turns[base + at, TURN_USE]
    job = turns[base + at, TURN_JOB]
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and comes_first(turns, base + child + 1, base + child):
            child += 1
        below = base + child
        if used < turns[below, TURN_USE]:
            break
        if used == turns[below, TURN_USE] and job < turns[below, TURN_JOB]:
            break
        turns[base + at, TURN_USE] = turns[below, TURN_USE]
        turns[base + at, TURN_JOB] = turns[below, TURN_JOB]
        at = child
    turns[base + at, TURN_USE] = used
    turns[base + at, TURN_JOB] = job


@kernel(inline="always")
def comes_first(turns, one, other):
    """Return whether an entry of a heap comes before another."""
    return turns[one, TURN_USE] < turns[other, TURN_USE] or (
        turns[one, TURN_USE] == turns[other, TURN_USE]
        and turns[one, TURN_JOB] < turns[other, TURN_JOB]
    )
