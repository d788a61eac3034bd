"""The capacity planner on the engine: nodes bought, delivered, retired, and what they cost."""

from pathlib import Path
from typing import Any

import pytest

from simulator.figures.series import counted_h
from simulator.kernels.tables import ABSENT, AWAKE
from simulator.report.by_cluster import cluster_table
from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_H
from tests.policy_runs import happened, policy_document, run_policy, told

OFF = {"name": "off", "after": "5 min", "power": "10 W", "wake_time": "2 min"}
NODE = {"embodied": "1500 kg", "lifetime": "4 y"}
H_PER_Y = 8766

PLAN: dict[str, Any] = {
    "policy": "capacity-planner", "most": 6, "target": 1.0, "lead_time": "2 h", "every": "1 h",
    "sample": "30 min", "lifetime": "2 y",
}  # fmt: skip
SHORT = [(0, 50_000, 16, 1.0), (1, 1800, 16, 1.0)]
"""The first job holds two nodes; the second waits for two more."""


def owned(results: Results) -> list[float]:
    return list(results.hourly["nodes_owned_mean"])


def planned(folder: Path, rows: Any = SHORT, count: int = 2, **plan: Any) -> Results:
    return run_policy(folder, PLAN | plan, rows, nodes=NODE, clusters__c__count=count).results


def test_nodes_ordered_come_after_the_lead_time(tmp_path: Path) -> None:
    """At the first review, after 1 h, 32 GPUs are wanted: two nodes are ordered, for 3 h."""
    results = planned(tmp_path)
    assert owned(results) == [2.0] * 3 + [4.0] * 7
    assert list(results.jobs["start_s"]) == [0.0, 3 * 3600.0]
    assert told(results) == {"nodes_ordered": ("2", "nodes"), "nodes_delivered": ("2", "nodes")}
    assert list(results.nodes["residency_absent_s"]) == [0.0] * 2 + [3 * 3600.0] * 2 + [36000.0] * 2
    assert list(results.nodes["energy_it_kwh"][4:]) == [0.0, 0.0]


def test_what_is_paid_for_is_the_time_in_service(tmp_path: Path) -> None:
    """2 nodes of 10 h and 2 of 7 h, 34 node-hours of 8 GPUs; each drew 100 W and more at work."""
    results = planned(tmp_path)
    summary = results.summary
    assert summary["gpu_hours_capacity"] == summary["gpu_hours_awake"] == 34 * 8
    embodied_kg = 1500 * 34 / (4 * H_PER_Y)
    assert summary["scope3_embodied_kgco2e"] == pytest.approx(embodied_kg, rel=1e-12)
    work_node_h = 2 * 10 + 2 * 0.5
    expected_kwh = (100 * 34 + 400 * work_node_h) / 1000
    assert summary["energy_it_kwh"] == pytest.approx(expected_kwh, rel=1e-12)
    assert summary["allocation"] == pytest.approx(work_node_h / 34, rel=1e-12)
    placed = summary["allocated_kgco2e"] + summary["unallocated_kgco2e"]
    assert placed == pytest.approx(summary["total_kgco2e"], rel=1e-12)
    assert summary["wake_ups_per_node_day"] == 0.0


def test_an_old_node_at_work_is_not_counted_as_retired(tmp_path: Path) -> None:
    """Life ends at 4 h: the idle node goes at once, the other is at work until the end."""
    plan = {"lifetime": "6 h", "age": "2 h", "most": 2, "target": 1.0, "alpha": 0.0, "beta": 0.0}
    keys = {"nodes": NODE, "clusters__c__count": 2, "horizon": "8 h"}
    retired = {}
    for hours in (9, 7):
        rows = [(0, hours * 3600 - 1, 8, 1.0)]
        retired[hours] = told(run_policy(tmp_path, PLAN | plan, rows, **keys).results)
    assert retired[9]["nodes_retired"] == ("1", "nodes")
    assert retired[7]["nodes_retired"] == ("2", "nodes")


def test_old_nodes_leave_when_they_are_empty_and_new_ones_take_their_place(tmp_path: Path) -> None:
    """Life ends at 4 h, when node 0 is at work for another hour; both successors are due then.

    The idle node leaves at once, and the first of its successors comes at the same instant. The
    second finds no room until it looks again, an hour later; the node at work has left by then.
    """
    rows = [(0, 5 * 3600 - 1, 8, 1.0), (4 * 3600 + 60, 60, 16, 1.0)]
    plan = {"lifetime": "6 h", "age": "2 h", "most": 2, "target": 0.5, "alpha": 0.0, "beta": 0.0}
    keys = {"nodes": NODE, "states": [OFF], "clusters__c__count": 2, "horizon": "8 h"}
    scenario = from_document(policy_document(tmp_path, PLAN | plan, rows, **keys))
    results = run(scenario).results
    assert told(results) == {
        "nodes_ordered": ("2", "nodes"),
        "nodes_delivered": ("2", "nodes"),
        "nodes_retired": ("2", "nodes"),
    }
    seen = happened(scenario)
    four_h, five_h = 4 * MS_PER_H, 5 * MS_PER_H
    assert [row for row in seen.of_node(1) if row[0] == four_h] == [
        (four_h, ABSENT, 0),
        (four_h, AWAKE, 0),
    ]
    at_work = [row for row in seen.of_node(0) if row[0] > four_h]
    assert at_work[:2] == [(five_h - 1000, ABSENT, 0), (five_h, AWAKE, 8)]
    # A gang of both waits for the second; to be replaced while asleep is no wake-up.
    assert list(results.jobs["start_s"]) == [0.0, five_h / 1000]
    assert list(results.nodes["wake_ups"]) == [0, 0]
    assert list(results.nodes["residency_absent_s"]) == [1.0, 0.0]
    assert results.summary["gpu_hours_capacity"] == pytest.approx(8 * (16 - 1 / 3600), rel=1e-12)


def test_no_more_nodes_than_the_limit_are_ever_in_service(tmp_path: Path) -> None:
    rows = [(600 * k, 30_000, 8, 1.0) for k in range(40)]
    results = planned(tmp_path, rows, most=5)
    assert max(owned(results)) == 5.0
    assert len(results.nodes) == 5
    assert told(results)["nodes_ordered"] == ("3", "nodes")


def test_a_growing_demand_is_followed(tmp_path: Path) -> None:
    """A node more each hour, for ever: once the growth is known nobody waits."""
    rows = [(3600 * k + 1, 400_000, 8, 1.0) for k in range(40)]
    plan = {"most": 80, "target": 0.8, "lead_time": "2 h", "alpha": 1.0, "beta": 1.0}
    results = run_policy(
        tmp_path, PLAN | plan, rows, nodes=NODE, clusters__c__count=4, horizon="40 h"
    ).results
    jobs = results.jobs
    assert set(jobs["state"]) == {"running"}
    assert (jobs["wait_s"] == 0.0).all()
    hourly = results.hourly
    free = 8 * hourly["nodes_owned_mean"] - hourly["gpus_allocated_mean"]
    assert (free >= 0).all()
    # 0.8 of capacity for what comes in three hours: a quarter more than that and one to round.
    assert (hourly["nodes_owned_mean"][8:] <= (hourly.index[8:] + 4) / 0.8 + 1).all()


def test_a_job_larger_than_the_cluster_waits_for_nodes_that_are_bought(tmp_path: Path) -> None:
    results = planned(tmp_path, [(0, 3600, 32, 1.0)])
    assert list(results.jobs["start_s"]) == [3 * 3600.0]


def test_nodes_that_may_not_sleep_do_not(tmp_path: Path) -> None:
    for sleep, states in ((True, [OFF]), (False, [OFF]), (True, [])):
        plan = PLAN | {"sleep": sleep}
        results = run_policy(tmp_path, plan, SHORT, states=states, clusters__c__count=2).results
        slept = bool(sleep and states)
        assert (results.summary["energy_sleep_kwh"] > 0) == slept
        assert owned(results) == [2.0] * 3 + [4.0] * 7


def test_reports_of_a_fleet_that_grows_speak_of_the_time_there_was(tmp_path: Path) -> None:
    results = planned(tmp_path)
    assert counted_h(results) == 10.0
    (row,) = cluster_table(results).rows
    assert row[2:4] == ("27", "61.8 %")  # 34 x 8 GPU-h over 10 h; 21 of 34 node-hours at work
