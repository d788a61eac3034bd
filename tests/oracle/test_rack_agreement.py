"""The engine and the plain reference agree about racks: starts, ends, nodes, racks spanned.

Each test runs many workloads; a failure tells the seed, the rule and the first job that differs.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.scenario import from_document
from simulator.simulation import run
from tests.oracle.scheduling import Rule
from tests.oracle.scheduling_workloads import Workload, quotas_for, random_workload, scenario_of
from tests.oracle.test_scheduling_agreement import ORDERS, depth, seeds

PLACEMENTS = ("pack", "first-fit", "spread", "locality")
SPEEDS_ACROSS = (1.0, 0.9, 0.37)
"""No whole number of ms divided by one of these lies halfway between two."""


def racked(seed: int, placement: str, backfill: str, most_jobs: int) -> tuple[Workload, Rule]:
    """Return a queue of gangs of several nodes, and racks of any size, at least one node."""
    rng = np.random.default_rng([5, seed])
    case = random_workload(seed, most_jobs=most_jobs, whole=int(rng.integers(1, 5)))
    rule = Rule(
        backfill=backfill,
        depth=depth(rng),
        placement=placement,
        rack=int(rng.integers(1, case.nodes + 2)),
        across=float(rng.choice(SPEEDS_ACROSS)),
    )
    return case, rule


def compared(case: Workload, rule: Rule, folder: Path) -> None:
    """Assert that the engine does with every job and every node what the reference does."""
    done = run(from_document(scenario_of(case, rule, folder)))
    log = done.log
    assert log.racks is not None
    columns = (log.start_ms, log.end_ms, log.first_node, log.part_node, log.racks)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    starts = case.scheduled(rule)
    held_ms = [0] * case.nodes
    for row, (wanted, found) in enumerate(zip(starts, rows, strict=True)):
        held = wanted.end_ms > wanted.start_ms
        rest = case.jobs[row].gpus % case.whole
        part = next((n for n, gpus in wanted.nodes.items() if rest and gpus == rest), -1)
        expected = (
            (
                *(wanted.start_ms, wanted.end_ms, min(wanted.nodes), part),
                len({node // rule.rack for node in wanted.nodes}),
            )
            if held
            else (wanted.start_ms, wanted.end_ms, -1, -1, 0)
        )
        assert found == expected, (
            f"seed {case.seed}, {case.nodes} nodes of {case.whole}, {rule}: job {row} of "
            f"{len(case.jobs)} is the first that differs, {case.jobs[row]}; start, end, lowest "
            f"node, shared node and racks are {found}, by the reference {expected}"
        )
        for node, gpus in wanted.nodes.items():
            held_ms[node] += gpus * (wanted.end_ms - wanted.start_ms)
    assert done.metered.busy_ms == pytest.approx(held_ms, rel=1e-12), f"seed {case.seed}, {rule}"


@pytest.mark.parametrize("backfill", ["none", "easy"])
@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(500))
def test_locality(first: int, count: int, most_jobs: int, backfill: str, tmp_path: Path) -> None:
    for seed in range(first, first + count):
        compared(*racked(seed, "locality", backfill, most_jobs), tmp_path)


@pytest.mark.parametrize("placement", PLACEMENTS[:3])
@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(100))
def test_other_placements_across_racks(
    first: int, count: int, most_jobs: int, placement: str, tmp_path: Path
) -> None:
    for seed in range(first, first + count):
        backfill = ("none", "easy")[seed % 2]
        compared(*racked(seed, placement, backfill, most_jobs), tmp_path)


@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(100))
def test_conservative_queues_beside_racks(
    first: int, count: int, most_jobs: int, tmp_path: Path
) -> None:
    for seed in range(first, first + count):
        case, rule = racked(seed, PLACEMENTS[seed % 3], "conservative", most_jobs)
        compared(case, replace(rule, across=1.0), tmp_path)


@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(100))
def test_orders_and_quotas(first: int, count: int, most_jobs: int, tmp_path: Path) -> None:
    orders: list[dict[str, Any]] = list(ORDERS.values())
    for seed in range(first, first + count):
        backfill = ("none", "easy")[seed % 2]
        _, rule = racked(seed, "locality", backfill, most_jobs)
        case = random_workload(seed, most_jobs=most_jobs, workloads=3)
        order = {**orders[seed % len(orders)], "quotas": quotas_for(case)}
        compared(case, replace(rule, **order), tmp_path)
