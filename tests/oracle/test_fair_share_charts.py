"""Fair share by hand: charts of two and three users, in the plain reference and in the engine.

Where every time is a whole number of half-lives, uses are simple fractions. In units of one
accelerator x half-life / ln 2 a gang of n from b to e half-lives ago used n (2^-e - 2^-b).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.scenario import from_document
from simulator.simulation import run
from tests.oracle.scheduling import Job, Rule, schedule
from tests.oracle.scheduling_workloads import Workload, scenario_of
from tests.oracle.use import use_ms

HALF_LIFE_MS = 10_000
ANN, BOB, CYD = 0, 1, 2


def asked(submit_s: int, duration_s: int, gpus: int, **more: Any) -> Job:
    """Return a job of somebody who knows how long it takes."""
    return Job(1000 * submit_s, 1000 * duration_s, 1000 * duration_s, gpus, **more)


def starts_s(jobs: list[Job], folder: Path, *, whole: int = 4, **rule: Any) -> list[float]:
    """Return when jobs start on one node, by the engine and the reference alike."""
    made = Rule(order="fair-share", half_life_ms=HALF_LIFE_MS, **rule)
    wanted = [start.start_ms for start in schedule(jobs, 1, whole, **vars(made))]
    document = scenario_of(Workload(0, tuple(jobs), nodes=1, whole=whole), made, folder)
    assert run(from_document(document)).log.start_ms.tolist() == wanted
    return [start_ms / 1000 for start_ms in wanted]


def test_three_users_one_after_another(tmp_path: Path) -> None:
    """Each job takes the whole node for a half-life, so it counts 4 x 1/2 when it has ended.

    ======== ==== ==== ==== ===========
    at       ann  bob  cyd  starts
    ======== ==== ==== ==== ===========
    0        0    0         ann's first
    10       2    0         bob's first
    20       1    2         ann's
    30       5/2  1    0    cyd's
    40       5/4  1/2  2    bob's
    50       5/8  9/4  1    ann's
    ======== ==== ==== ==== ===========
    """
    ann = [asked(0, 10, 4, user=ANN)] * 3
    bob = [asked(0, 10, 4, user=BOB)] * 2
    jobs = [*ann, *bob, asked(25, 10, 4, user=CYD)]
    assert starts_s(jobs, tmp_path) == [0, 20, 50, 10, 40, 30]


def test_a_running_job_counts_and_the_head_is_who_used_least(tmp_path: Path) -> None:
    """Three users under EASY backfill.

    At 0 nobody used anything: ann's 2 x 40 s and bob's 1 x 10 s start, ann's 4 is the head.
    At 10 ann used 2 (1 - 1/2) = 1, bob 1/2, cyd 0: cyd's 3 is the head now, to start at 40, and
    bob's 2 x 20 s starts since it ends by then. At 40 cyd's starts, at 50 ann's.
    """
    jobs = [
        asked(0, 40, 2, user=ANN),
        asked(0, 10, 1, user=BOB),
        asked(0, 10, 4, user=ANN),
        asked(0, 20, 2, user=BOB),
        asked(0, 10, 3, user=CYD),
    ]
    assert starts_s(jobs, tmp_path, backfill="easy") == [0, 0, 50, 10, 40]
    assert starts_s(jobs, tmp_path, backfill="conservative") == [0, 0, 50, 10, 40]
    alone = [replace(job, user=ANN) for job in jobs]
    assert starts_s(alone, tmp_path, backfill="easy") == [0, 0, 40, 10, 50]


def test_priority_goes_before_use_and_submission_after_it(tmp_path: Path) -> None:
    first = asked(0, 10, 4, user=ANN)
    jobs = [first, asked(1, 5, 4, user=BOB), asked(1, 5, 4, user=ANN, priority=1)]
    assert starts_s(jobs, tmp_path) == [0, 15, 10]
    unlike = [first, asked(1, 5, 4, user=CYD), asked(2, 5, 4, user=BOB), asked(3, 5, 4, user=ANN)]
    assert starts_s(unlike, tmp_path) == [0, 10, 15, 20]


@pytest.mark.parametrize("first", [ANN, BOB])
def test_whoever_held_as_much_at_every_instant_used_as_much(tmp_path: Path, first: int) -> None:
    """Five accelerators in one job and in five: the next to be served is who submits first."""
    jobs = [asked(3, 7, 1, user=BOB)] * 5 + [asked(3, 7, 5, user=ANN), asked(9, 14, 12, user=CYD)]
    jobs += [asked(11, 1, 12, user=first), asked(12, 1, 12, user=ANN + BOB - first)]
    assert starts_s(jobs, tmp_path, whole=12)[5:] == [3, 10, 24, 25]
    jobs[0] = asked(3, 8, 1, user=BOB)
    assert starts_s(jobs, tmp_path, whole=12)[7:] == ([25, 26] if first == ANN else [26, 25])


def test_jobs_that_name_nobody_are_those_of_one_user(tmp_path: Path) -> None:
    jobs = [asked(0, 10, 4), asked(1, 10, 4), asked(2, 10, 4, user=ANN), asked(3, 10, 4)]
    assert starts_s(jobs, tmp_path) == [0, 20, 10, 30]
    nobody = [replace(job, user=None) for job in jobs]
    assert starts_s(nobody, tmp_path) == [0, 10, 20, 30]


def test_workloads_share_as_users_do(tmp_path: Path) -> None:
    jobs = [asked(0, 10, 4), asked(1, 10, 4), asked(2, 10, 4, workload=1), asked(3, 10, 4)]
    assert starts_s(jobs, tmp_path, of="workload") == [0, 20, 10, 30]
    assert starts_s(jobs, tmp_path, of="user") == [0, 10, 20, 30]


def test_a_job_of_no_duration_uses_nothing(tmp_path: Path) -> None:
    jobs = [asked(0, 0, 4, user=ANN), asked(0, 10, 4, user=CYD)]
    jobs += [asked(1, 5, 4, user=ANN), asked(1, 5, 4, user=BOB)]
    assert starts_s(jobs, tmp_path) == [0, 0, 10, 15]


def test_what_lies_a_hundred_half_lives_back_is_nothing(tmp_path: Path) -> None:
    jobs = [asked(0, 10, 4, user=ANN), asked(1100, 10, 4, user=CYD)]
    jobs += [asked(1101, 5, 4, user=ANN), asked(1101, 5, 4, user=BOB)]
    document = scenario_of(
        Workload(0, tuple(jobs), nodes=1, whole=4),
        Rule(order="fair-share", half_life_ms=HALF_LIFE_MS),
        tmp_path,
    )
    found = run(from_document(document)).log.start_ms.tolist()
    assert found == [0, 1_100_000, 1_110_000, 1_115_000]


def test_use_fades_by_half_with_each_half_life() -> None:
    held = [(2, 0, 10_000)]
    day = use_ms(held, 10_000, 10_000)
    assert float(day) == pytest.approx(2 * 10_000 / 2 / 0.6931471805599453, rel=1e-15)
    assert float(use_ms(held, 20_000, 10_000) / day) == 0.5
    assert float(use_ms(held, 40_000, 10_000) / day) == 0.125
    assert float(use_ms(held, 5_000, 10**12)) == pytest.approx(10_000, rel=1e-6)
