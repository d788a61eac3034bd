"""Fair share as the kernels need it: whose use each job counts to, and lines of each user's own."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.engine.queueing import Queues
from simulator.fleet import Fleet
from simulator.kernels import tables as kernels
from simulator.policies.queue_rule import QueueRule
from simulator.workload.table import JobTable

MOST_BITS = 52
"""Bits of a weight of 1 at most: weights are worked out as float64."""

Book = tuple[str, int]
"""A kind of party, `user` or `workload`, and a half-life in ms: what uses are kept for."""


def own_ranks(
    queues: Queues,
    jobs: JobTable,
    rank: NDArray[np.int32],
    route: NDArray[np.int16],
    routes: Sequence[Sequence[int]],
) -> NDArray[np.int32]:
    """Return ranks in which jobs of unlike users differ where their queue shares fairly.

    Jobs of one own rank are a line; lines of one rank take turns.

    Parameters
    ----------
    rank : int32[jobs]
        By priority alone where the queue shares fairly.
    """
    of_route = [queues.rules[clusters[0]] for clusters in routes]
    own = rank
    for party in sorted({rule.of for rule in of_route if rule.order == "fair-share"}):
        number, count = _parties(jobs, party)
        mine = [rule.order == "fair-share" and rule.of == party for rule in of_route]
        rows = np.flatnonzero(np.array([*mine, False])[route])
        _, ranked = np.unique(rank[rows] * np.int64(count) + number[rows], return_inverse=True)
        own = own.copy()
        own[rows] = ranked
    return own


def share_tables(
    queues: Queues, fleet: Fleet, jobs: JobTable, routes: Sequence[Sequence[int]], lines: int
) -> kernels.Shares | None:
    """Return the tables of fair share, None where no queue shares fairly.

    Parameters
    ----------
    routes : sequence of sequence of int
        The clusters of each.
    lines : int
        Of all routes.
    """
    if not queues.fair:
        return None
    books = sorted({book for rule in queues.rules if (book := _book(rule)) is not None})
    account = np.zeros((len(books), len(jobs)), np.int32)
    accounts = 0
    for row, (party, _) in zip(account, books, strict=True):
        number, count = _parties(jobs, party)
        row[:] = accounts + number
        accounts += count
    table = np.zeros((len(books), kernels.BOOK_SIZE), np.int64)
    table[:, kernels.HALF_LIFE_MS] = [half_life_ms for _, half_life_ms in books]
    # Nobody ever used more than all accelerators at the weight of now, which is less than 2.
    table[:, kernels.ONE] = 1 << min(MOST_BITS, 61 - int(fleet.capacity.sum()).bit_length())
    table[:, kernels.AT_MS] = kernels.NONE
    of_routes = np.zeros((len(routes), kernels.FAIR_SIZE), np.int64)
    for entry, clusters in zip(of_routes, routes, strict=True):
        book = _book(queues.rules[clusters[0]])
        entry[kernels.BOOK] = kernels.NONE if book is None else books.index(book)
    return kernels.Shares(
        books=table,
        account=account,
        accounts=np.zeros((accounts, kernels.ACCOUNT_SIZE), np.int64),
        routes=of_routes,
        turns=np.zeros((lines, kernels.TURN_SIZE), np.int64),
    )


def _book(rule: QueueRule) -> Book | None:
    return (rule.of, rule.half_life_ms) if rule.order == "fair-share" else None


def _parties(jobs: JobTable, party: str) -> tuple[NDArray[np.integer], int]:
    """Return the number of each job's user or workload, and how many there are.

    Jobs that name no user count as those of one.
    """
    if party == "workload":
        return jobs.workload, len(jobs.workload_names)
    if jobs.user is None:
        return np.zeros(len(jobs), np.int32), 1
    return jobs.user + 1, len(jobs.user_names) + 1
