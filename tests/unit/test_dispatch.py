"""Dispatch at submission on the engine: timelines worked by hand, and what else may happen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.engine import Dispatches, simulate
from simulator.joblog import JobLog
from simulator.kernels.tables import FOREVER_MS
from simulator.policies import DispatchRule, WorkloadDispatch
from simulator.report.by_cluster import cluster_table
from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from tests.builders import (
    Nodes,
    awake,
    failing,
    fleet,
    job_table,
    scenario_document,
    write_jobs,
)
from tests.policy_runs import same_bytes

AMONG = ["a", "b"]
S = 1000


def document(
    folder: Path, rows: list[tuple[Any, ...]], policy: str = "least-wait", **keys: Any
) -> dict[str, Any]:
    """Return a scenario of cluster a, a node of 4, and b, a node of 2 at half its speed.

    Rows are submission [s], duration [s], accelerators and utilisation.
    """
    jobs = write_jobs(folder / "jobs.csv", rows)
    said = scenario_document(jobs, drain=True, **keys)
    node = said["nodes"].pop("n")
    said["nodes"] = {
        "big": {**node, "accelerator": "big", "accelerators": 4},
        "small": {
            **node, "accelerator": "small", "accelerators": 2,
            "idle_power": "50 W", "busy_power": "170 W",
        },
    }  # fmt: skip
    said["sites"]["t"] = {**said["sites"]["s"], "pue": 1.0}
    said["clusters"] = {
        "a": {"site": "s", "node": "big", "count": 1},
        "b": {"site": "t", "node": "small", "count": 1},
    }
    said["workloads"]["w"] |= {
        "clusters": {"policy": policy, "among": AMONG},
        "accelerators": {"big": 1.0, "small": 0.5},
    }
    return said


def results_of(*arguments: Any, **keys: Any) -> Results:
    return run(from_document(document(*arguments, **keys))).results


def went(results: Results) -> list[tuple[str, float]]:
    """Return cluster and start of each job. [s]"""
    return list(zip(results.jobs["cluster"], results.jobs["start_s"], strict=True))


# -- least wait -----------------------------------------------------------------------------------

TIMELINE = [
    (0, 100, 4),
    (10, 50, 2),
    (20, 60, 2),
    (30, 40, 1),
    (40, 10, 4),
    (50, 20, 1),
    (50, 0, 1),
]
"""Submission, duration on a, accelerators."""

EXPECTED = [
    ("a", 0.0),  # fits
    ("b", 10.0),  # a is full, b is free: 100 s there, to 110
    ("a", 100.0),  # a: 4 x 80 left over 4 is 80 s; b: 2 x 90 over 2 is 90 s
    ("b", 110.0),  # a: (2 x 60 + 4 x 70) over 4 is 100 s; b: 2 x 80 over 2 is 80 s
    ("a", 160.0),  # too large for b
    ("a", 170.0),  # a: (2 x 60 + 4 x 10 + 4 x 50) / 4 is 90 s; b: (80 + 2 x 60) / 2 is 100 s
    ("a", 170.0),  # a: 90 s and 20 / 4 for the one before it is 95 s; b: 100 s
]


def test_a_timeline_of_least_wait_worked_by_hand(tmp_path: Path) -> None:
    rows = [(*row, 1.0) for row in TIMELINE]
    results = results_of(tmp_path, rows)
    assert went(results) == EXPECTED
    assert list(results.jobs["end_s"]) == [100.0, 110.0, 160.0, 190.0, 170.0, 190.0, 170.0]


def test_the_order_of_the_list_settles_ties(tmp_path: Path) -> None:
    said = document(tmp_path, [(0, 100, 1, 1.0), (1, 100, 1, 1.0)])
    assert went(run(from_document(said)).results) == [("a", 0.0), ("a", 1.0)]
    said["workloads"]["w"]["clusters"]["among"] = ["b", "a"]
    assert went(run(from_document(said)).results) == [("b", 0.0), ("b", 1.0)]


def test_who_came_before_at_the_same_instant_waits_already(tmp_path: Path) -> None:
    """Four fit on a, yet the second goes to b; the third: 2 x 10 / 4 on a, 1 x 20 / 2 on b."""
    rows = [(5, 10, 2, 1.0), (5, 10, 1, 1.0), (5, 10, 1, 1.0)]
    assert went(results_of(tmp_path, rows)) == [("a", 5.0), ("b", 5.0), ("a", 5.0)]


def test_a_cluster_where_somebody_waits_is_no_free_one(tmp_path: Path) -> None:
    """At 20 s one accelerator of a is free, but a gang of four waits for it."""
    rows = [(0, 100, 3, 1.0), (10, 50, 4, 1.0), (20, 10, 1, 1.0)]
    assert went(results_of(tmp_path, rows)) == [("a", 0.0), ("a", 100.0), ("b", 20.0)]


def test_jobs_that_run_longer_than_requested_count_as_they_are(tmp_path: Path) -> None:
    """At 30 s the one on a should have ended 20 s ago: 4 x -20 / 4, or 1 ms; b is 31 s away."""
    rows = [(0, 100, 4, 10), (1, 20, 2, 30), (30, 5, 2, 5)]
    jobs = write_jobs(tmp_path / "asked.csv", rows, "submit_s,duration_s,gpus,requested_s")
    said = document(tmp_path, [])
    said["workloads"]["w"]["jobs"] = {"file": str(jobs)}
    assert went(run(from_document(said)).results) == [("a", 0.0), ("b", 1.0), ("a", 100.0)]


def test_jobs_that_wait_for_several_clusters_count_for_each(tmp_path: Path) -> None:
    """b: (100 + 4 x 70) / 4 of the waiting one and the running one is less than a's."""
    said = scenario_document(drain=True)
    said["nodes"]["n"]["accelerators"] = 4
    said["clusters"] = {name: dict(said["clusters"]["c"]) for name in AMONG}
    said["workloads"] = {}
    parts = {
        "first": (AMONG[:1], [(0, 100, 4, 1.0)]),
        "second": (AMONG[1:], [(0, 80, 4, 1.0)]),
        "either": (AMONG, [(10, 100, 4, 1.0)]),
        "sent": ({"policy": "least-wait", "among": AMONG}, [(10, 10, 1, 1.0)]),
    }
    for name, (clusters, rows) in parts.items():
        file = write_jobs(tmp_path / f"{name}.csv", rows)
        said["workloads"][name] = {"clusters": clusters, "jobs": {"file": str(file)}}
    results = run(from_document(said)).results
    # At 80 s the one that waits for both takes b; the one sent to b stays there.
    assert went(results) == [("a", 0.0), ("b", 0.0), ("b", 80.0), ("b", 180.0)]


def test_jobs_queued_are_counted_where_they_were_sent(tmp_path: Path) -> None:
    rows = [(0, 3600, 4, 1.0), (0, 1350, 2, 1.0), (0, 1800, 2, 1.0)]
    results = results_of(tmp_path, rows, horizon="4 h")
    assert went(results) == [("a", 0.0), ("b", 0.0), ("b", 2700.0)]
    queued = results.hourly.groupby("cluster", observed=True)["jobs_queued_mean"].sum()
    assert dict(queued) == {"a": 0.0, "b": 0.75}


# -- least energy ---------------------------------------------------------------------------------


def test_least_energy_weighs_power_speed_and_building(tmp_path: Path) -> None:
    """With a PUE of 1.5 an accelerator of a takes (25 + 100 u) x 1.5, of b (25 + 60 u) x 2."""
    rows = [(k, 100, 1, u) for k, u in enumerate((0.0, 0.4, 0.42, 1.0))]
    results = results_of(tmp_path, rows, "least-energy")
    assert [cluster for cluster, _ in went(results)] == ["a", "a", "a", "a"]
    said = document(tmp_path, rows, "least-energy")
    said["sites"]["s"]["pue"] = 1.5
    results = run(from_document(said)).results
    assert [cluster for cluster, _ in went(results)] == ["a", "a", "b", "b"]
    wanted = [37.5, 97.5, 2 * (25 + 60 * 0.42), 2 * (25 + 60)]
    found = results.jobs["energy_facility_kwh"].to_numpy() * 36_000  # 100 s; W
    assert found.tolist() == pytest.approx(wanted)


def test_least_energy_counts_checkpoints(tmp_path: Path) -> None:
    """60 s take 90 with one checkpoint on a, and 120 s take 210 with three on b."""
    said = document(tmp_path, [(0, 60, 1, 0.5)], "least-energy")
    said["sites"]["s"]["pue"] = 1.5
    assert went(run(from_document(said)).results) == [("b", 0.0)]
    said["workloads"]["w"]["checkpoint"] = {"interval": "30 s", "cost": "30 s"}
    results = run(from_document(said)).results
    assert went(results) == [("a", 0.0)]
    assert list(results.jobs["end_s"]) == [90.0]


def test_equal_clusters_are_taken_in_the_order_of_the_list(tmp_path: Path) -> None:
    said = document(tmp_path, [(0, 60, 1, 0.5), (1, 60, 1, 0.5)], "least-energy")
    said["clusters"]["b"] = dict(said["clusters"]["a"])
    for among, first in ((AMONG, "a"), (AMONG[::-1], "b")):
        said["workloads"]["w"]["clusters"]["among"] = among
        assert went(run(from_document(said)).results) == [(first, 0.0), (first, 1.0)]


def test_a_model_of_pue_counts_as_with_all_machines_at_work(tmp_path: Path) -> None:
    """500 W of IT and 250 W of fixed losses are a PUE of 1.5."""
    for fixed, cluster in (("250 W", "b"), ("230 W", "a")):
        said = document(tmp_path, [(0, 100, 1, 0.42)], "least-energy")
        said["sites"]["s"]["pue"] = {"model": "load", "fixed": fixed}
        assert went(run(from_document(said)).results) == [(cluster, 0.0)]


# -- what else may happen -------------------------------------------------------------------------


def by_wait(clusters: int = 1) -> Dispatches:
    how = WorkloadDispatch("least-wait", DispatchRule("wait"))
    return Dispatches((how,), np.ones(clusters), lambda site, now_ms: (0.0, None))


def test_a_job_that_lost_its_node_waits_for_its_cluster_again() -> None:
    """a fails at 50 s for 10 s. Nobody is sent there meanwhile; who was sent there stays."""
    two = fleet(Nodes(1, 4), Nodes(1, 4))
    power = failing(two, [[50 * S, FOREVER_MS]], [[10 * S, 0]])
    jobs = job_table(
        np.array([0, 55, 57]) * S, np.array([100, 10, 10]) * S, 4, routes=((0, 1),), route=0
    )
    log: JobLog = simulate(
        two, jobs, power, end_ms=1000 * S, drain=True, on_log=lambda *_: None, dispatches=by_wait()
    )
    assert log.cluster.tolist() == [0, 1, 1]
    assert (log.start_ms // S).tolist() == [60, 55, 65]
    assert log.pieces is not None
    assert log.pieces.cluster.tolist() == [0]


def test_the_sums_of_work_are_back_at_nothing_when_all_is_done() -> None:
    """Whoever comes after a run full of failures finds both clusters free."""
    rng = np.random.default_rng(3)
    two = fleet(Nodes(2, 4), Nodes(1, 4))
    lives = rng.integers(20 * S, 200 * S, (30, 3))
    power = failing(two, lives, rng.integers(1 * S, 30 * S, (30, 3)))
    submit = np.sort(rng.integers(0, 900 * S, 60))
    jobs = job_table(
        np.append(submit, 50_000 * S), np.append(rng.integers(1, 60, 60) * S, S),
        np.append(rng.integers(1, 5, 60), 4), routes=((1, 0),), route=0,
    )  # fmt: skip
    log = simulate(
        two, jobs, power, end_ms=60_000 * S, on_log=lambda *_: None, dispatches=by_wait()
    )
    assert log.pieces is not None
    assert len(log.pieces) > 3
    assert (log.cluster[-1], log.start_ms[-1]) == (1, 50_000 * S)


@pytest.mark.parametrize(
    ("length_s", "expected"), [(600, ("b", 240.0)), (170, ("a", 230.0)), (1000, ("b", 240.0))]
)
def test_sleepers_are_as_far_away_as_the_longest_wake_up(
    length_s: int, expected: Any, tmp_path: Path
) -> None:
    """b sleeps, and wakes in 120 s; at 120 s a has `length_s` less 60 s left."""
    said = document(tmp_path, [(60, length_s, 4, 1.0), (120, 10, 2, 1.0)])
    off = {"name": "off", "after": "5 s", "power": "10 W", "wake_time": "2 min"}
    said["nodes"]["small"]["idle_states"] = [off]
    said["clusters"]["b"]["idle"] = "ladder"
    results = run(from_document(said)).results
    assert went(results) == [("a", 60.0), expected]
    assert results.summary["wake_ups"] == int(expected[0] == "b")


def test_a_quota_holds_over_the_clusters_to_which_jobs_are_sent(tmp_path: Path) -> None:
    """The second finds b free as it is submitted, but may not start beside the first."""
    rows = [(0, 100, 3, 1.0), (10, 10, 2, 1.0)]
    assert went(results_of(tmp_path, rows)) == [("a", 0.0), ("b", 10.0)]
    said = document(tmp_path, rows)
    said["workloads"]["w"]["quota"] = 4
    assert went(run(from_document(said)).results) == [("a", 0.0), ("b", 100.0)]
    said["workloads"]["w"]["quota"] = 2
    results = run(from_document(said)).results
    assert list(results.jobs["state"]) == ["unschedulable", "finished"]


def test_jobs_are_sent_only_where_they_fit_in_size_and_power(tmp_path: Path) -> None:
    """b has 2 accelerators; under 120 W of power only one may work there."""
    rows = [(0, 100, 4, 1.0), (1, 10, 3, 1.0), (2, 10, 2, 1.0), (3, 10, 1, 1.0)]
    said = document(tmp_path, rows)
    said["clusters"]["b"]["power_budget"] = "120 W"
    assert [cluster for cluster, _ in went(run(from_document(said)).results)] == list("aaab")


def test_jobs_that_fit_nowhere_are_counted(tmp_path: Path) -> None:
    said = document(tmp_path, [(0, 1, 1, 1.0)])
    said["workloads"]["drawn"] = {
        "clusters": {"policy": "least-wait", "among": AMONG}, "duration": "1 min", "gpus": 64,
        "arrivals": {"process": "regular", "every": "1 h"},
    }  # fmt: skip
    results = run(from_document(said)).results
    assert results.summary["jobs_unschedulable"] > 0
    assert results.summary["jobs_finished"] == 1


def test_a_warm_up_and_a_cut_horizon_change_no_choice(tmp_path: Path) -> None:
    rows = [(*row, 1.0) for row in TIMELINE]
    assert went(results_of(tmp_path, rows, warm_up="30 s")) == EXPECTED
    cut = document(tmp_path, rows, horizon="60 s") | {"drain": False}
    found = run(from_document(cut)).results
    assert [cluster for cluster, _ in went(found)] == [cluster for cluster, _ in EXPECTED]
    assert list(found.jobs["state"]) == ["running"] * 2 + ["queued"] * 5


@pytest.mark.parametrize("policy", ["least-wait", "least-energy"])
def test_the_same_run_gives_the_same_bytes(policy: str, tmp_path: Path) -> None:
    said = document(tmp_path, [(*row, 0.5) for row in TIMELINE], policy)
    said["workloads"]["drawn"] = {
        "clusters": {"policy": policy, "among": AMONG}, "duration": {"p50": "5 min", "p99": "1 h"},
        "gpus": {"choices": [1, 2, 4]}, "arrivals": {"process": "poisson", "rate": "10 per h"},
    }  # fmt: skip
    scenario = from_document(said)
    same_bytes(run(scenario), run(scenario))
    assert len(run(scenario).results.jobs) > 50


def test_by_preference_the_engine_is_the_one_without_dispatch() -> None:
    two = fleet(Nodes(1, 4), Nodes(1, 4))
    jobs = job_table([0, 1, 2], 100, 4, routes=((0, 1),), route=0)
    plain = simulate(two, jobs, awake(two), end_ms=500, on_log=lambda *_: None)
    how = WorkloadDispatch("preference", DispatchRule())
    listed = replace(by_wait(), by_workload=(how,))
    same = simulate(two, jobs, awake(two), end_ms=500, on_log=lambda *_: None, dispatches=listed)
    assert plain.start_ms.tolist() == same.start_ms.tolist() == [0, 1, 100]
    assert plain.cluster.tolist() == same.cluster.tolist() == [0, 1, 0]


# -- the report -----------------------------------------------------------------------------------


def test_the_table_of_clusters_says_where_jobs_started(tmp_path: Path) -> None:
    rows = [(*row, 1.0) for row in TIMELINE]
    sent = cluster_table(results_of(tmp_path, rows))
    at = sent.head.index("Jobs started")
    assert [row[at] for row in sent.rows] == ["5", "2"]
    assert sent.total[at] == "7"
    assert "Jobs started" not in cluster_table(results_of(tmp_path, rows, "preference")).head
