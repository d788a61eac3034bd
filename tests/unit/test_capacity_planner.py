"""The capacity planner, by hand: a week between reviews, nodes of eight accelerators."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from simulator.policies.capacity_planner import capacity_planner
from simulator.units import MS_PER_D, MS_PER_Y
from tests.unit.scripted_cluster import ScriptedCluster, cluster_of, driven

WEEK_MS = 7 * MS_PER_D
NEWEST: dict[str, Any] = {"alpha": 1.0, "beta": 1.0, "sample_ms": WEEK_MS, "every_ms": WEEK_MS}
"""Level and growth are those of the last two reviews."""


def growing(gpus_per_week: int, from_gpus: int) -> Callable[[int], int]:
    return lambda at_ms: from_gpus + gpus_per_week * at_ms // WEEK_MS


def planned(
    nodes: int,
    places: int,
    demand: Callable[[int], int],
    weeks: float,
    script: dict[int, dict[str, Any]] | None = None,
    **parameters: Any,
) -> ScriptedCluster:
    cluster = cluster_of(*[0] * nodes, *[-1] * (places - nodes), demand=demand)
    given = {"most": places, "lifetime_ms": 4 * MS_PER_Y, **NEWEST, **parameters}
    return driven(cluster, capacity_planner, int(weeks * WEEK_MS), script, **given)


def test_orders_cover_what_demand_will_be_until_the_next_one_could_come() -> None:
    """Demand 8 + 8k in week k; 0.8 of a node is 6.4 GPUs; three weeks are looked ahead.

    Week 1: 16, growth unknown: ceil(2.5) = 3 nodes of 4, none ordered. Week 2: 24 + 3 x 8 = 48
    needs ceil(7.5) = 8, 4 ordered. Week 3: 56 needs 9, 1 ordered. Week 4: 64 needs 10 exactly.
    Week 5: 72 needs ceil(11.25) = 12, 2 ordered, to come in week 7.
    """
    cluster = planned(4, 20, growing(8, 8), 7.5, target=0.8, lead_time_ms=2 * WEEK_MS)
    assert cluster.commands == [
        (4 * WEEK_MS, "add", 4),
        (5 * WEEK_MS, "add", 1),
        (6 * WEEK_MS, "add", 1),
        (7 * WEEK_MS, "add", 2),
    ]
    assert cluster.notes["nodes_delivered"] == (8, "nodes")
    assert cluster.notes["nodes_ordered"] == (10, "nodes")  # weeks 6 and 7: one each


def test_demand_stays_below_the_target_once_its_growth_is_known() -> None:
    cluster = planned(4, 200, growing(8, 8), 60, target=0.8, lead_time_ms=2 * WEEK_MS)
    nodes = 4
    demand = cluster.demand
    assert demand is not None
    deliveries = cluster.said("add")
    for (_, count), (next_ms, _) in pairwise(deliveries):
        nodes += count
        assert demand(next_ms) <= 0.8 * 8 * nodes
        assert demand(next_ms) > 0.8 * 8 * (nodes - 2)  # and hardly more than needed


def test_no_more_is_ordered_than_the_most_nodes() -> None:
    cluster = planned(4, 6, growing(8, 8), 20, target=0.8, lead_time_ms=2 * WEEK_MS)
    assert cluster.commands == [(4 * WEEK_MS, "add", 2)]


def test_steady_demand_orders_nothing_and_retires_nothing_before_its_time() -> None:
    cluster = planned(4, 6, lambda _: 20, 30)
    assert cluster.commands == []
    assert cluster.notes == {}


def test_demand_is_the_mean_of_its_samples() -> None:
    """One day of seven at 70 is 10 on average: two nodes of eight, and not nine."""

    def demand(at_ms: int) -> int:
        return 70 if at_ms == WEEK_MS else 0

    cluster = planned(1, 20, demand, 2.5, sample_ms=MS_PER_D, target=1.0, lead_time_ms=MS_PER_D)
    assert cluster.commands == [(8 * MS_PER_D, "add", 1)]


def test_old_nodes_are_replaced_when_they_retire() -> None:
    """Life of four weeks, two of them over: retired in weeks 2 and 6, and replaced then."""
    life: dict[str, Any] = {"lifetime_ms": 4 * WEEK_MS, "age_ms": 2 * WEEK_MS}
    cluster = planned(4, 4, lambda _: 32, 7.5, target=1.0, lead_time_ms=WEEK_MS, **life)
    assert cluster.commands == [
        (2 * WEEK_MS, "retire", [0, 1, 2, 3]),
        (2 * WEEK_MS, "add", 4),
        (6 * WEEK_MS, "retire", [0, 1, 2, 3]),
        (6 * WEEK_MS, "add", 4),
    ]
    assert cluster.notes["nodes_retired"] == (8, "nodes")


def test_new_nodes_wait_for_the_place_of_old_ones_that_are_busy() -> None:
    life: dict[str, Any] = {"lifetime_ms": 4 * WEEK_MS, "age_ms": 2 * WEEK_MS}
    script = {
        MS_PER_D: {"held": [8, 8, 0, 0]},
        2 * WEEK_MS + MS_PER_D: {"held": [-1, -1, 0, 0]},
    }
    cluster = planned(4, 4, lambda _: 32, 3.5, script, target=1.0, lead_time_ms=WEEK_MS, **life)
    assert cluster.commands == [
        (2 * WEEK_MS, "retire", [0, 1, 2, 3]),
        (2 * WEEK_MS, "add", 2),
        (3 * WEEK_MS, "add", 2),
    ]
