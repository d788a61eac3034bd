"""The engine and the plain reference of queue rules agree start for start.

Each test runs many workloads; a failure tells the seed, the rule and the first job that differs.
The few runs of each kind that every run of the tests makes are small; `verify` makes the rest.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.scenario import from_document
from simulator.simulation import run
from tests.builders import scenario_document, write_jobs
from tests.oracle.scheduling import Rule
from tests.oracle.scheduling_workloads import (
    Workload,
    quotas_for,
    random_workload,
    scenario_of,
    with_users,
)

PLACEMENTS = ("pack", "first-fit", "spread")
BACKFILLS = ("none", "easy", "conservative")
SPEEDS = (1.0, 1.0, 0.9, 0.37)
"""No whole number of ms divided by one of these lies halfway between two."""

FEW, FEW_JOBS = 20, 60
"""Workloads of each kind in the fast tests, and their most jobs."""

ORDERS: dict[str, dict[str, Any]] = {
    "shortest by time": {"order": "shortest-first", "by": "time"},
    "shortest by area": {"order": "shortest-first", "by": "area"},
    "priority": {"order": "priority"},
    "deadline": {"order": "deadline-first"},
}


def depth(rng: np.random.Generator) -> int:
    return int(rng.choice([1, 3, 10, 1000, 1000]))


def backfilled(seed: int, backfill: str, most_jobs: int) -> tuple[Workload, Rule]:
    """Return a queue in the order of arrival, of any placement, depth and speed of nodes."""
    rng = np.random.default_rng([1, seed])
    placement = str(rng.choice(PLACEMENTS))
    case = random_workload(seed, most_jobs=most_jobs, speeds=SPEEDS)
    return case, Rule(backfill=backfill, depth=depth(rng), placement=placement)


def ordered(seed: int, order: str, most_jobs: int) -> tuple[Workload, Rule]:
    """Return a queue in another order, with each backfill in turn."""
    rng = np.random.default_rng([2, seed])
    case = random_workload(seed, most_jobs=most_jobs)
    mean_ms = sum(job.duration_ms for job in case.jobs) // len(case.jobs) + 1
    rule = Rule(
        **ORDERS[order],
        ageing_ms=mean_ms * int(rng.integers(1, 6)),
        backfill=BACKFILLS[seed % 3],
        depth=depth(rng),
    )
    return case, rule


def with_quotas(seed: int, most_jobs: int) -> tuple[Workload, Rule]:
    """Return a queue of three workloads, of which one or two have quotas."""
    rng = np.random.default_rng([4, seed])
    case = random_workload(seed, most_jobs=most_jobs, workloads=3)
    return case, Rule(backfill=BACKFILLS[seed % 3], depth=depth(rng), quotas=quotas_for(case))


def shared(seed: int, backfill: str, most_jobs: int) -> tuple[Workload, Rule]:
    """Return a queue that shares fairly, of any half-life; a third of them have quotas."""
    rng = np.random.default_rng([6, seed])
    case = with_users(random_workload(seed, most_jobs=most_jobs, workloads=3, speeds=SPEEDS), seed)
    last_ms = case.jobs[-1].submit_ms + 1
    # No time between two changes is a whole number of half-lives, of which each would have what
    # one user held count half of what another did, to the last digit.
    half_life_ms = 2 * int(last_ms * float(rng.choice([0.1, 0.5, 3.0]))) + 20_011
    rule = Rule(
        order="fair-share",
        of=str(rng.choice(["user", "user", "workload"])),
        half_life_ms=half_life_ms,
        backfill=backfill,
        depth=depth(rng),
        placement=str(rng.choice(PLACEMENTS)),
        quotas=quotas_for(case) if rng.random() < 1 / 3 else {},
    )
    return case, rule


def compared(case: Workload, rule: Rule, folder: Path) -> None:
    """Assert that the engine starts every job when the reference does, on the same lowest node."""
    log = run(from_document(scenario_of(case, rule, folder))).log
    columns = (log.start_ms, log.end_ms, log.first_node)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for row, (wanted, found) in enumerate(zip(case.scheduled(rule), rows, strict=True)):
        held = wanted.end_ms > wanted.start_ms
        same = (
            found == (wanted.start_ms, wanted.end_ms, min(wanted.nodes))
            if held
            else found[0] == wanted.start_ms
        )
        assert same, (
            f"seed {case.seed}, {case.nodes} nodes of {case.whole} at speed {case.speed}, {rule}: "
            f"job {row} of {len(case.jobs)} is the first that differs, {case.jobs[row]}; "
            f"start, end and lowest node are {found}, by the reference {wanted}"
        )


def seeds(many: int) -> list[Any]:
    """Return first seed, number of workloads and their most jobs: a few fast, many to verify."""
    few = pytest.param(0, FEW, FEW_JOBS, id="few")
    rest = [
        pytest.param(first, 50, 300, id=f"from-{first}", marks=pytest.mark.verify)
        for first in range(0, many, 50)
    ]
    return [few, *rest]


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(200))
def test_fifo(first: int, count: int, most_jobs: int, placement: str, tmp_path: Path) -> None:
    for seed in range(first, first + count):
        case, rule = backfilled(seed, "none", most_jobs)
        compared(case, replace(rule, placement=placement), tmp_path)


@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(500))
def test_easy(first: int, count: int, most_jobs: int, tmp_path: Path) -> None:
    for seed in range(first, first + count):
        compared(*backfilled(seed, "easy", most_jobs), tmp_path)


@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(500))
def test_conservative(first: int, count: int, most_jobs: int, tmp_path: Path) -> None:
    for seed in range(first, first + count):
        compared(*backfilled(seed, "conservative", most_jobs), tmp_path)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(100))
def test_orders(first: int, count: int, most_jobs: int, order: str, tmp_path: Path) -> None:
    for seed in range(first, first + count):
        compared(*ordered(seed, order, most_jobs), tmp_path)


@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(100))
def test_quotas(first: int, count: int, most_jobs: int, tmp_path: Path) -> None:
    for seed in range(first, first + count):
        compared(*with_quotas(seed, most_jobs), tmp_path)


@pytest.mark.parametrize("backfill", BACKFILLS)
@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(200))
def test_fair_share(first: int, count: int, most_jobs: int, backfill: str, tmp_path: Path) -> None:
    for seed in range(first, first + count):
        compared(*shared(seed, backfill, most_jobs), tmp_path)


@pytest.mark.parametrize("backfill", ["easy", "conservative"])
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(100))
def test_placements(
    first: int, count: int, most_jobs: int, placement: str, backfill: str, tmp_path: Path
) -> None:
    for seed in range(first, first + count):
        case, rule = backfilled(10_000 + seed, backfill, most_jobs)
        compared(case, replace(rule, placement=placement), tmp_path)


def test_a_cluster_starts_its_jobs_however_many_wait_beyond_the_depth_of_another(
    tmp_path: Path,
) -> None:
    """Four wait on c, which reserves for one of them; d is free."""
    document = scenario_document(drain=True)
    queue = {"policy": "conservative-backfill", "depth": 1}
    document["clusters"] = {name: {**document["clusters"]["c"], "queue": queue} for name in "cd"}
    document["workloads"] = {}
    for name, rows in (("c", [(at, 100, 8, 1.0) for at in range(5)]), ("d", [(10, 50, 8, 1.0)])):
        file = write_jobs(tmp_path / f"{name}.csv", rows)
        document["workloads"][name] = {"clusters": [name], "jobs": {"file": str(file)}}
    log = run(from_document(document)).log
    assert log.start_ms.tolist() == [0, 100_000, 200_000, 300_000, 400_000, 10_000]
