"""Two users who always have jobs waiting get equal accelerator-time, whatever their jobs' sizes.

With C accelerators, jobs of at most L and no backfill: let D be the use of one user less that of
the other. While D > 0 only the other's jobs start, since one of them always waits and comes first.
What the first user has running ends within L, so D grows for no longer than that, by less than C L,
and falls afterwards; so |D| <= C L at all times. Use fades: dD/dt = a - b - D ln 2 / h, where a and
b are the accelerators that the two hold. Over a time T accelerator-times therefore differ by

    |integral of (a - b)| = |D(T) + ln 2 / h x integral of D| <= C L (1 + T ln 2 / h).
"""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from simulator.engine import Queues, simulate
from simulator.fleet import Fleet
from simulator.policies import QueueRule
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN
from simulator.workload.table import JobTable
from tests.builders import Nodes, awake, fleet, job_table

NODES, WHOLE = 4, 8
CAPACITY = NODES * WHOLE
END_MS = 30 * MS_PER_D
SIZES = {
    "small and short beside small and long": ((1, 20), (2, 240)),
    "small beside all of the fleet": ((1, 60), (32, 60)),
    "odd gangs": ((3, 45), (13, 200)),
    "equal": ((4, 60), (4, 60)),
}
"""Accelerators and most minutes of the jobs of one user and of the other."""
MANY_JOBS = ("small and short beside small and long",)
WORK = (3, 1)
"""Work that each brings, in what the fleet can do: by submission they would get 3/4 and 1/4."""


def always_waiting(seed: int, sizes: tuple[tuple[int, int], tuple[int, int]]) -> JobTable:
    """Return jobs of two users, all submitted at once and more than they can run."""
    rng = np.random.default_rng(seed)
    durations, gpus, users = [], [], []
    for user, (count, most_min) in enumerate(sizes):
        jobs = WORK[user] * END_MS * CAPACITY // (count * most_min * MS_PER_MIN)
        durations.append(rng.integers(most_min * MS_PER_MIN // 2, most_min * MS_PER_MIN + 1, jobs))
        gpus.append(np.full(jobs, count))
        users.append(np.full(jobs, user, np.int32))
    order = rng.permutation(sum(map(len, users)))
    table = job_table(
        np.zeros(len(order)), np.concatenate(durations)[order], np.concatenate(gpus)[order]
    )
    return replace(table, user=np.concatenate(users)[order], user_names=("ann", "bob"))


@cache
def in_the_order_of_arrival_ms(sizes: tuple[tuple[int, int], tuple[int, int]]) -> float:
    """Return by how much accelerator-times differ where users do not count."""
    return time_apart_ms(fleet(Nodes(NODES, WHOLE)), always_waiting(1, sizes), None)[0]


def time_apart_ms(here: Fleet, jobs: JobTable, queues: Queues | None) -> tuple[float, bool]:
    """Return by how much accelerator-times differ at the end, and whether both still wait."""
    log = simulate(here, jobs, awake(here), end_ms=END_MS, on_log=lambda *_: None, queues=queues)
    assert jobs.user is not None
    started = log.start_ms >= 0
    held_ms = (np.minimum(log.end_ms, END_MS) - log.start_ms) * jobs.gpus * started
    ann_ms, bob_ms = np.bincount(jobs.user, held_ms)
    return abs(ann_ms - bob_ms), len(np.unique(jobs.user[~started])) == 2


@pytest.mark.parametrize("half_life_ms", [12 * MS_PER_H, 7 * MS_PER_D])
@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param(sizes, id=name, marks=pytest.mark.verify if name in MANY_JOBS else ())
        for name, sizes in SIZES.items()
    ],
)
def test_users_who_always_wait_get_equal_accelerator_time(
    sizes: tuple[tuple[int, int], tuple[int, int]], half_life_ms: int
) -> None:
    here = fleet(Nodes(NODES, WHOLE))
    jobs = always_waiting(1, sizes)
    rule = QueueRule("fair-share", half_life_ms=half_life_ms)
    apart_ms, all_wait = time_apart_ms(here, jobs, Queues((rule,), (0,)))
    assert all_wait
    longest_ms = max(most_min for _, most_min in sizes) * MS_PER_MIN
    most_apart_ms = CAPACITY * longest_ms * (1 + END_MS * math.log(2) / half_life_ms)
    assert apart_ms <= most_apart_ms
    assert in_the_order_of_arrival_ms(sizes) > 1.5 * most_apart_ms
