"""Sleeping nodes where something else comes in: horizons, routes, priorities, gangs, limits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.kernels.tables import ASLEEP, AWAKE, WAKING
from simulator.registry import provisioning
from simulator.scenario import from_document
from simulator.simulation import Simulated, run
from tests.builders import scenario_document, write_jobs
from tests.policy_runs import happened, policy_document, run_policy, same_bytes

OFF = {"name": "off", "after": "5 min", "power": "10 W", "wake_time": "2 min"}
DEEP = OFF | {"name": "deep", "after": "1 h", "power": "1 W", "wake_time": "10 min"}
H_S = 3600


def waits_s(done: Simulated) -> list[float]:
    return list(done.results.jobs["wait_s"])


def test_a_horizon_in_the_middle_of_waking_cuts_it_off(tmp_path: Path) -> None:
    """One node: 5 min idle, asleep until 90 s before the end, then 60 s of 120 s of waking."""
    rows = [(H_S - 60, 600, 8, 1.0)]
    results = run_policy(
        tmp_path, "ladder", rows, states=[OFF], clusters__c__count=1, horizon="1 h"
    ).results
    (node,) = results.nodes.to_dict("records")
    assert (node["residency_idle_s"], node["residency_off_s"]) == (300.0, H_S - 360.0)
    assert (node["residency_waking_s"], node["wake_ups"]) == (60.0, 1)
    assert (results.summary["jobs_queued"], results.summary["jobs_started"]) == (1, 0)
    expected_kwh = (100 * 360 + 10 * (H_S - 360)) / 3.6e6
    assert results.summary["energy_it_kwh"] == pytest.approx(expected_kwh, rel=1e-12)


@pytest.mark.parametrize("drain", [False, True])
def test_an_after_of_the_whole_run_is_never_reached(tmp_path: Path, drain: bool) -> None:
    """A gap that ends exactly when the state would be entered has not entered it."""
    never, plain = (
        run_policy(tmp_path, idle, states=[OFF | {"after": "10 h"}], drain=drain)
        for idle in ("ladder", "always-on")
    )
    assert never.results.summary["energy_it_kwh"] == plain.results.summary["energy_it_kwh"]
    assert set(never.results.nodes["residency_off_s"]) == {0.0}
    sooner = run_policy(tmp_path, "ladder", states=[OFF | {"after": "35999999 ms"}], drain=drain)
    assert set(sooner.results.nodes["residency_off_s"]) == {0.001}


def test_a_gang_larger_than_what_is_awake_starts_when_its_last_node_is(tmp_path: Path) -> None:
    """One node is at work, one is idle and waits for the two that are woken."""
    rows = [(0, 2 * H_S, 8, 1.0), (H_S - 200, 100, 8, 1.0), (H_S, 600, 24, 1.0)]
    done = run_policy(tmp_path, "ladder", rows, states=[OFF])
    # The second job wakes node 1 for 2 min and leaves it idle at H_S + 20.
    assert waits_s(done) == [0.0, 120.0, 120.0]
    assert done.results.summary["wake_ups"] == 3


def test_max_waking_boots_one_after_another(tmp_path: Path) -> None:
    rows = [(H_S, 5 * H_S, 8, 1.0)] * 4
    keys: dict[str, Any] = {"states": [OFF]}
    all_at_once = run_policy(tmp_path, "ladder", rows, **keys)
    staggered = run_policy(tmp_path, "ladder", rows, clusters__c__max_waking=1, **keys)
    assert waits_s(all_at_once) == [120.0] * 4
    assert waits_s(staggered) == [120.0, 240.0, 360.0, 480.0]
    # A policy that keeps more awake has to queue for it as well.
    peak = {"policy": "scheduled", "nodes": [0] + [4] * 23, "max_waking": 1}
    kept = run_policy(tmp_path, peak, **keys)
    waking = happened(from_document(policy_document(tmp_path, peak, **keys)))
    begun_s = sorted(waking.time_ms[waking.state == WAKING] / 1000)
    assert begun_s == [H_S, H_S + 120, H_S + 240, H_S + 360]
    assert kept.results.summary["wake_ups"] == 4


def test_a_job_of_no_duration_waits_for_a_node_and_costs_only_its_wake_up(tmp_path: Path) -> None:
    rows = [(H_S, 0, 8, 1.0)]
    done = run_policy(tmp_path, "ladder", rows, states=[OFF], clusters__c__count=1)
    (job,) = done.results.jobs.to_dict("records")
    assert (job["wait_s"], job["energy_dynamic_kwh"]) == (120.0, 0.0)
    assert (job["start_s"], job["end_s"]) == (H_S + 120.0, H_S + 120.0)
    (node,) = done.results.nodes.to_dict("records")
    assert (node["wake_ups"], node["residency_busy_s"]) == (1, 0.0)
    # Awake again, it is idle for another 5 min and sleeps for the rest.
    assert node["residency_idle_s"] == 600.0


def test_a_ladder_on_one_node_by_hand(tmp_path: Path) -> None:
    """Awake to 300 s, off to 3600 s, deep to 7200 s; 10 min of waking; at work; idle; off again."""
    rows = [(2 * H_S, H_S, 8, 0.5)]
    done = run_policy(
        tmp_path, "ladder", rows, states=[OFF, DEEP], clusters__c__count=1, horizon="4 h"
    )
    (node,) = done.results.nodes.to_dict("records")
    spent = [node[f"residency_{kind}_s"] for kind in ("idle", "off", "deep", "waking", "busy")]
    assert spent == [600.0, 3300.0 + 2700.0, 3600.0, 600.0, 3600.0]
    idle_ws = 100 * (600 + 600 + 3600) + 10 * 6000 + 1 * 3600
    dynamic_ws = 400 * 0.5 * 3600
    expected_kwh = (idle_ws + dynamic_ws) / 3.6e6
    assert done.results.summary["energy_it_kwh"] == pytest.approx(expected_kwh, rel=1e-12)


def test_who_comes_first_by_priority_gets_the_node_that_wakes(tmp_path: Path) -> None:
    jobs = write_jobs(
        tmp_path / "jobs.csv",
        [(H_S, 600, 8, 0), (H_S + 60, 600, 8, 5)],
        "submit_s,duration_s,gpus,priority",
    )
    document = scenario_document(
        jobs, nodes={"idle_states": [OFF]}, clusters__c__idle="ladder", clusters__c__max_waking=1
    )
    jobs_table = run(from_document(document)).results.jobs
    # The node awake at 120 s goes to the second job; the first follows it.
    assert list(jobs_table["start_s"]) == [H_S + 720.0, H_S + 120.0]


def mixed(folder: Path, seed: int, **keys: Any) -> dict[str, Any]:
    """Return four clusters of four policies at two sites, with routes through all of them."""
    rng = np.random.default_rng(seed)
    rows = [
        (int(at), int(rng.choice([0, 60, 900, 3600])), int(rng.choice([1, 2, 8, 16])),
         int(rng.integers(-1, 2)))
        for at in np.sort(rng.integers(0, 600, 80)) * 60
    ]  # fmt: skip
    names = "submit_s,duration_s,gpus,priority"
    document = scenario_document(
        write_jobs(folder / "a.csv", rows[::2], names), nodes={"idle_states": [OFF, DEEP]}, **keys
    )
    planner = {
        "policy": "capacity-planner", "most": 6, "lead_time": "1 h", "every": "30 min",
        "sample": "30 min", "lifetime": "5 h", "age": "1 h",
    }  # fmt: skip
    document["sites"]["t"] = {"pue": 1.3, "grid": {"average": {"constant": "300 g/kWh"}}}
    cluster = document["clusters"]["c"]
    document["clusters"] = {
        "c": {**cluster, "count": 3, "idle": {"policy": "headroom", "nodes": 1}},
        "d": {**cluster, "count": 2, "idle": planner, "site": "t"},
        "e": {**cluster, "count": 4, "idle": {"policy": "reactive"}, "max_waking": 1},
        "f": {**cluster, "count": 3, "idle": {"policy": "consolidation"}, "placement": "spread"},
    }
    document["workloads"] = {
        "v": {"clusters": ["c", "d", "e"], "jobs": {"file": str(folder / "a.csv")}},
        "w": {"clusters": ["f", "c"], "jobs": {"file": str(folder / "b.csv")}},
    }
    write_jobs(folder / "b.csv", rows[1::2], names)
    return document


@pytest.mark.parametrize("seed", range(6))
def test_clusters_of_different_policies_share_their_jobs(tmp_path: Path, seed: int) -> None:
    scenario = from_document(mixed(tmp_path, seed, drain=True))
    done = run(scenario)
    summary = done.results.summary
    assert (summary["jobs_finished"], summary["jobs_queued"]) == (80, 0)
    total = pytest.approx(summary["energy_it_kwh"], rel=1e-9)
    assert done.results.nodes["energy_it_kwh"].sum() == total
    assert done.results.hourly["energy_it_kwh"].sum() == total
    same_bytes(done, run(scenario))
    seen = happened(scenario)
    for node in range(int(done.metered.wake_ups.size)):
        for _, state, held in seen.of_node(node):
            assert held == 0 or state == AWAKE


@pytest.mark.parametrize("seed", range(3))
def test_small_logs_change_nothing_in_a_fleet_of_many_policies(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = from_document(mixed(tmp_path, seed))
    whole = run(scenario)
    monkeypatch.setattr("simulator.engine.state.LOG_ROWS", 1)
    same_bytes(whole, run(scenario))


def test_controllers_that_never_end_do_not_keep_a_draining_run_going(tmp_path: Path) -> None:
    """The job that runs at the horizon ends 50 min later; then the run is over."""
    rows = [(9 * H_S + 3000, 3600, 8, 1.0)]
    for idle in ({"policy": "reactive"}, {"policy": "forecast", "season": "2 h"}):
        done = run_policy(tmp_path, idle, rows, states=[OFF], drain=True)
        assert done.metered.end_ms == (10 * H_S + 3000 + 120) * 1000


def test_closed_nodes_take_jobs_again_when_a_run_drains(tmp_path: Path) -> None:
    """Consolidation looked last at 50 min; the gang came at 59:50 and needs both nodes."""
    rows = [(0, 8000, 5, 1.0), (1, 3000, 5, 1.0), (3590, 600, 16, 1.0)]
    idle = {"policy": "consolidation", "below": 1.0, "spare": 0.0}
    keys: dict[str, Any] = {"clusters__c__count": 2, "horizon": "1 h", "drain": True}
    for states in ([], [OFF]):
        jobs = run_policy(tmp_path, idle, rows, states=states, **keys).results.jobs
        assert list(jobs["state"]) == ["finished"] * 3
        assert jobs["start_s"][2] == 8000.0


def test_closed_nodes_sleep_beside_those_that_are_kept(tmp_path: Path) -> None:
    """Three of four are kept; node 0, closed, is none of them, and another is woken for it."""

    @fs.provisioning("keep-and-close")
    def keep_and_close(env: Any, cluster: Any, *, at_ms: int) -> Any:
        cluster.keep_awake(3)
        yield env.timeout(at_ms)
        cluster.close([0])
        yield env.timeout(1)
        cluster.note("awake", cluster.awake, "nodes")
        cluster.note("idle", cluster.idle, "nodes")

    try:
        slept = {}
        for at in (60, 420):
            idle = {"policy": "keep-and-close", "at": f"{at} s"}
            nodes = run_policy(tmp_path, idle, states=[OFF], horizon="1 h").results.nodes
            slept[at] = list(nodes["residency_off_s"])
    finally:
        provisioning._plugins.pop("keep-and-close")
    assert slept[60] == [3300.0, 0.0, 0.0, 0.0]
    # At 420 s node 3 sleeps already: it is woken at once, and node 0 goes down.
    assert slept[420] == [3180.0, 0.0, 0.0, 120.0]


def test_a_wake_up_is_cancelled_where_a_job_ends_first(tmp_path: Path) -> None:
    """The job at 3600 s needs a node; one gets free 60 s later, and the other falls back."""
    rows = [(0, H_S + 60, 8, 1.0), (H_S, 600, 8, 1.0)]
    done = run_policy(tmp_path, "ladder", rows, states=[OFF], clusters__c__count=2)
    assert waits_s(done) == [0.0, 60.0]
    assert list(done.results.nodes["wake_ups"]) == [0, 1]
    assert list(done.results.nodes["wake_ups_cancelled"]) == [0, 1]
    seen = happened(
        from_document(policy_document(tmp_path, "ladder", rows, states=[OFF], clusters__c__count=2))
    )
    states = [(time_ms // 1000, state) for time_ms, state, _ in seen.of_node(1)]
    assert states == [(300, ASLEEP), (H_S, WAKING), (H_S + 60, ASLEEP)]


TIMERS = [
    "ladder",
    {"policy": "timeout", "after": "90 s"},
    {"policy": "timeout", "after": {"dist": "exponential", "mean": "2 min"}},
]


@pytest.mark.parametrize("idle", TIMERS, ids=["ladder", "fixed", "drawn"])
def test_a_state_left_at_once_that_saves_nothing_changes_nothing(tmp_path: Path, idle: Any) -> None:
    """Whenever its timer ends: a node in it takes jobs like one that is awake."""
    rows = [(400 * k, 40 + 61 * (k % 7), 1 + 3 * (k % 4), 1.0) for k in range(80)]
    keys: dict[str, Any] = {
        "states": [OFF | {"power": "100 W", "wake_time": "0 s"}],
        "nodes": {"load_curve": {"exponent": 1.5}},
    }
    plain = run_policy(tmp_path, "always-on", rows, **keys).results
    timed = run_policy(tmp_path, idle, rows, **keys).results
    assert timed.tables["jobs"].equals(plain.tables["jobs"])
    assert list(timed.nodes["energy_it_kwh"]) == list(plain.nodes["energy_it_kwh"])
    assert list(timed.hourly["nodes_awake_mean"]) != list(plain.hourly["nodes_awake_mean"])
    slept_s = timed.nodes["residency_off_s"]
    assert slept_s.min() > 0.0
    assert timed.summary["wake_ups"] > 0
    idle_s = timed.nodes["residency_idle_s"] + slept_s
    assert list(idle_s) == pytest.approx(list(plain.nodes["residency_idle_s"]))


def test_a_node_may_be_closed_in_a_state_of_a_drawn_timer_that_is_left_at_once(
    tmp_path: Path,
) -> None:
    """The descent is told once, and the node takes no job until it is opened."""
    document = policy_document(
        tmp_path, TIMERS[2], [(3000, 60, 8, 1.0)], states=[OFF | {"wake_time": "0 s"}]
    )

    def close_and_open(env: Any, view: Any) -> Any:
        (cluster,) = view.clusters
        yield env.timeout(2_000_000)
        cluster.close([0])
        yield env.timeout(2_000_000)
        cluster.open([0])

    seen = happened(from_document(document), controllers=(close_and_open,))
    assert [state for _, state, _ in seen.of_node(0)] == [ASLEEP]
    assert seen.log.first_node.tolist() == [1]


def test_a_job_of_no_duration_does_not_begin_idle_time_anew(tmp_path: Path) -> None:
    """It comes after 4 of the 5 minutes; asleep, it wakes a node as any job does."""
    keys: dict[str, Any] = {"states": [OFF], "clusters__c__count": 1, "horizon": "1 h"}
    early = run_policy(tmp_path, "ladder", [(240, 0, 8, 1.0)], **keys).results
    assert list(early.jobs["start_s"]) == [240.0]
    assert list(early.nodes["residency_off_s"]) == [3300.0]
    late = run_policy(tmp_path, "ladder", [(1000, 0, 8, 1.0)], **keys).results
    assert list(late.jobs["start_s"]) == [1120.0]
    # Idle from the end of the waking on, it sleeps again 5 min later.
    assert list(late.nodes["residency_off_s"]) == [700.0 + 3600 - 1420]


def test_waiting_for_power_wakes_nodes_like_waiting_for_room(tmp_path: Path) -> None:
    """Power for one job at a time: a node wakes for the second until the first gives it its own."""
    rows = [(0, 500, 8, 1.0), (400, 100, 8, 1.0)]
    keys: dict[str, Any] = {"clusters__c__count": 2, "horizon": "1 h"}
    limited = run_policy(
        tmp_path, "ladder", rows, states=[OFF], clusters__c__power_budget="600 W", **keys
    ).results
    assert list(limited.jobs["start_s"]) == [0.0, 500.0]
    assert list(limited.nodes["wake_ups"]) == [0, 1]
    assert list(limited.nodes["wake_ups_cancelled"]) == [0, 1]
    assert limited.nodes["residency_off_s"][1] == 3600.0 - 300 - 100


@pytest.mark.parametrize("level_idle", ["100 W", "60 W"])
def test_transitions_default_to_the_idle_power_of_the_node_not_of_its_level(
    tmp_path: Path, level_idle: str
) -> None:
    """120 s of waking at 100 W, whatever the level idles at."""
    state = OFF | {"enter_time": "30 s"}
    level = {"name": "low", "speed": 1.0, "idle_power": level_idle, "busy_power": "300 W"}
    results = run_policy(
        tmp_path,
        "ladder",
        [(1000, 60, 8, 1.0)],
        states=[state],
        nodes={"power_levels": [level]},
        clusters__c__count=1,
        clusters__c__power_level="low",
        horizon="1 h",
    ).results
    (node,) = results.nodes.to_dict("records")
    transition_s = node["residency_entering_s"] + node["residency_waking_s"]
    assert transition_s == 2 * 30 + 120
    expected_kwh = 100 * transition_s / 3.6e6
    assert results.summary["energy_transition_kwh"] == pytest.approx(expected_kwh, rel=1e-12)


def test_a_limit_of_waking_nodes_beside_always_on_is_one_warning(tmp_path: Path) -> None:
    rows = [(1000, 60, 8, 1.0)]
    plain, limited = (
        run_policy(tmp_path, "always-on", rows, states=[OFF], **keys)
        for keys in ({}, {"clusters__c__max_waking": 1})
    )
    same_bytes(plain, limited)
    assert [text for text in limited.results.warnings if "max_waking" in text] == [
        "clusters.c.max_waking: with always-on no node ever wakes, and the limit means nothing"
    ]
    assert not [text for text in plain.results.warnings if "max_waking" in text]


def test_a_draining_run_that_leaves_jobs_for_nodes_that_never_come_says_so(tmp_path: Path) -> None:
    """The review at the horizon's end would order more; nobody is left to make it."""
    idle = {"policy": "capacity-planner", "most": 5, "lead_time": "1 d", "every": "2 d"}
    keys: dict[str, Any] = {"horizon": "10 d", "clusters__c__count": 2}
    rows = [(9.5 * 24 * H_S, 600, 32, 1.0), (9.5 * 24 * H_S, 600, 32, 1.0)]
    drained = run_policy(tmp_path, idle, rows, drain=True, **keys).results
    assert drained.summary["jobs_queued"] == 2
    (warning,) = (text for text in drained.warnings if text.startswith("drain: "))
    assert warning.startswith("drain: 2 jobs still wait at the end, and nothing happens any more")
    cut_off = run_policy(tmp_path, idle, rows, **keys).results
    assert not [text for text in cut_off.warnings if text.startswith("drain: ")]
    served = run_policy(tmp_path, "always-on", rows, drain=True, **keys | {"clusters__c__count": 4})
    assert not [text for text in served.results.warnings if text.startswith("drain: ")]
