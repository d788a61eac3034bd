"""What holds under every provisioning policy that ships: being registered is being tried here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.kernels.tables import ABSENT, ASLEEP, AWAKE, WAKING
from simulator.registry import provisioning
from simulator.scenario import Scenario, from_document
from simulator.simulation import Simulated, run
from simulator.units import MS_PER_H, MS_PER_MIN, MS_PER_S
from tests.policy_runs import MINIMAL, Happened, happened, policy_document, same_bytes

POLICIES = provisioning.names()
COUNT = 4
JOBS = 60
DOZE = {"name": "doze", "after": "2 min", "power": "60 W"}
NAP = {"name": "nap", "after": "5 min", "power": "40 W", "enter_time": "10 s", "wake_time": "30 s"}
OFF = {
    "name": "off", "after": "20 min", "power": "5 W", "enter_time": "30 s", "enter_power": "120 W",
    "wake_time": "3 min", "wake_power": "150 W",
}  # fmt: skip
STATES = (DOZE, NAP, OFF)
"""A state without latency, and two with."""
IDLE_W = 100.0
MOST_ENTER_W, MOST_WAKE_W = 120.0, 150.0

SEEDS = (1, 2, 3)
every_policy = pytest.mark.parametrize("policy", POLICIES)
every_seed = pytest.mark.parametrize("seed", SEEDS)


def jobs_of(seed: int) -> list[tuple[Any, ...]]:
    """Return jobs on a coarse clock, of sizes up to two nodes, some of no duration."""
    rng = np.random.default_rng(seed)
    submit_s = np.sort(rng.integers(0, 600, JOBS)) * 60
    duration_s = rng.choice([0, 60, 900, 3600], JOBS)
    gpus = rng.choice([1, 2, 4, 8, 16], JOBS)
    utilisation = rng.integers(0, 65, JOBS) / 64
    columns = (submit_s.tolist(), duration_s.tolist(), gpus.tolist(), utilisation.tolist())
    return list(zip(*columns, strict=True))


def idle_of(policy: str) -> dict[str, Any]:
    return {"policy": policy, **MINIMAL[policy]}


def scenario_of(folder: Path, policy: str, seed: int, **keys: Any) -> Scenario:
    keys = {"nodes": {"embodied": "1000 kg"}, "states": STATES, **keys}
    return from_document(policy_document(folder, idle_of(policy), jobs_of(seed), **keys))


def simulated(folder: Path, policy: str, seed: int, **keys: Any) -> Simulated:
    return run(scenario_of(folder, policy, seed, **keys))


def test_every_policy_that_ships_is_tried() -> None:
    assert set(MINIMAL) == set(POLICIES)


@every_seed
@every_policy
def test_every_job_finishes_in_a_draining_run_and_sums_agree(
    tmp_path: Path, policy: str, seed: int
) -> None:
    done = simulated(tmp_path, policy, seed, drain=True)
    results, summary = done.results, done.results.summary
    assert (summary["jobs_finished"], summary["jobs_queued"]) == (JOBS, 0)
    total_kwh = pytest.approx(summary["energy_it_kwh"], rel=1e-9)
    assert results.hourly["energy_it_kwh"].sum() == total_kwh
    assert results.nodes["energy_it_kwh"].sum() == total_kwh
    kinds = [summary[f"energy_{kind}_kwh"] for kind in ("dynamic", "idle", "sleep", "transition")]
    assert sum(kinds) == total_kwh
    assert results.jobs["energy_dynamic_kwh"].sum() == pytest.approx(kinds[0], rel=1e-9)
    assert results.jobs["energy_idle_share_kwh"].sum() <= kinds[1] * (1 + 1e-9)
    placed = summary["allocated_kgco2e"] + summary["unallocated_kgco2e"]
    assert placed == pytest.approx(summary["total_kgco2e"], rel=1e-9)
    held_h = (results.jobs["gpus"] * (results.jobs["end_s"] - results.jobs["start_s"])).sum() / 3600
    assert summary["gpu_hours_delivered"] == pytest.approx(held_h, rel=1e-9)


@every_seed
@every_policy
def test_what_a_node_does_adds_up_to_the_whole_run(tmp_path: Path, policy: str, seed: int) -> None:
    done = simulated(tmp_path, policy, seed, drain=True, warm_up="77 min")
    nodes = done.results.nodes
    spent = [name for name in nodes if name.startswith("residency_")]
    window_s = (done.metered.end_ms - done.metered.grid.begin_ms) / MS_PER_S
    assert nodes[spent].sum(axis=1).to_numpy() == pytest.approx(window_s, abs=1e-6)
    assert (nodes[spent] >= 0).all().all()
    hourly = done.results.hourly
    assert (hourly["nodes_awake_mean"] <= hourly["nodes_owned_mean"] + 1e-9).all()
    assert (hourly["gpus_allocated_mean"] <= 8 * hourly["nodes_awake_mean"] + 1e-9).all()


@every_seed
@every_policy
def test_no_more_is_drawn_than_awake_and_for_the_transitions(
    tmp_path: Path, policy: str, seed: int
) -> None:
    results = simulated(tmp_path, policy, seed).results
    nodes, summary = results.nodes, results.summary
    owned_h = summary["gpu_hours_capacity"] / 8
    entering_h, waking_h = (nodes[f"residency_{p}_s"].sum() / 3600 for p in ("entering", "waking"))
    most_kwh = summary["energy_dynamic_kwh"] + IDLE_W * owned_h / 1000
    most_kwh += ((MOST_ENTER_W - IDLE_W) * entering_h + (MOST_WAKE_W - IDLE_W) * waking_h) / 1000
    assert summary["energy_it_kwh"] <= most_kwh * (1 + 1e-12)
    # Each wake-up ends entering a state and then wakes, 30 s and 3 min at most.
    assert waking_h * 3600 <= 180 * summary["wake_ups"]
    if policy not in ("always-on", "capacity-planner"):
        assert summary["energy_sleep_kwh"] > 0
        always_on = simulated(tmp_path, "always-on", seed).results.summary
        assert summary["energy_it_kwh"] < always_on["energy_it_kwh"]


def check_node(course: list[tuple[int, int, int]], *, begins: int, prompt: bool) -> None:
    """Assert that each change of a node is one that a node can make.

    `prompt` says whether a node may be at work as soon as it is woken.
    """
    since_ms, state, held = 0, begins, 0
    allowed = {
        AWAKE: {AWAKE, ASLEEP, ABSENT},
        ASLEEP: {WAKING, ABSENT} | ({AWAKE} if prompt else set()),
        WAKING: {AWAKE, ASLEEP, WAKING, ABSENT},  # WAKING: cancelled and woken anew at one instant
        ABSENT: {AWAKE, ABSENT},  # the latter where it came and left at one instant
    }
    for time_ms, new, gpus in course:
        assert time_ms >= since_ms
        assert new in allowed[state], (time_ms, state, new)
        assert gpus == 0 or new == AWAKE, (time_ms, new, gpus)
        if new == ASLEEP:
            assert held == 0
        if state == WAKING and new == AWAKE and not prompt:
            assert time_ms - since_ms >= 30 * MS_PER_S
        since_ms, state, held = time_ms, new, gpus


def check_starts(seen: Happened) -> None:
    """Assert that each job began on nodes that were awake by the end of that instant."""
    log = seen.log
    for row in np.flatnonzero(log.end_ms > log.start_ms):
        for node in {int(log.first_node[row]), int(log.part_node[row])} - {-1}:
            at_start = [each for each in seen.of_node(node) if each[0] == log.start_ms[row]]
            assert at_start, (row, node)
            assert at_start[-1][1] == AWAKE, (row, node)
            assert at_start[-1][2] > 0, (row, node)


@every_seed
@every_policy
def test_no_job_starts_on_a_node_that_is_not_awake(tmp_path: Path, policy: str, seed: int) -> None:
    seen = happened(scenario_of(tmp_path, policy, seed, drain=True))
    check_starts(seen)
    for node in range(int(seen.node.max()) + 1):
        begins = AWAKE if node < COUNT else ABSENT
        check_node(seen.of_node(node), begins=begins, prompt=False)
    # The log tells what each node holds; what jobs hold says the same.
    changes = np.lexsort((np.arange(len(seen.time_ms)), seen.node))
    last = seen.node[changes][1:] != seen.node[changes][:-1]
    assert not seen.held[changes][np.append(last, True)].any()


@every_seed
@every_policy
def test_the_same_run_gives_the_same_bytes_whoever_looks_on(
    tmp_path: Path, policy: str, seed: int
) -> None:
    def look(env: Any, view: Any) -> Iterator[Any]:
        while True:
            yield env.timeout(61_000)

    scenario = scenario_of(tmp_path, policy, seed, horizon="30 h")
    one = run(scenario)
    told: list[float] = []
    same_bytes(one, run(scenario))
    same_bytes(one, run(scenario, controllers=[look]))
    same_bytes(
        one, run(scenario, controllers=[look, look], progress=lambda *at: told.append(at[0]))
    )
    assert told == [1.0]
    assert one.results.assumptions == run(scenario, controllers=[look]).results.assumptions


@every_policy
def test_a_log_that_is_handed_over_often_says_the_same(
    tmp_path: Path, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = scenario_of(tmp_path, policy, 1, drain=True)
    whole = run(scenario)
    monkeypatch.setattr("simulator.engine.state.LOG_ROWS", 3)
    pieces = run(scenario)
    handed_over = pieces.log.events["loop_calls"] - whole.log.events["loop_calls"]
    assert handed_over > whole.log.events["log_rows"] / 8
    same_bytes(whole, pieces)


@every_seed
@every_policy
def test_a_warm_up_cuts_a_run_in_two_and_loses_nothing(
    tmp_path: Path, policy: str, seed: int
) -> None:
    """Energy, time and wake-ups of [0, 10 h] are those of [0, W] and of [W, 10 h]."""
    begin_s = 3 * 3600 + 7 * 60 + 30
    whole, first, second = (
        simulated(tmp_path, policy, seed, **keys).results
        for keys in ({}, {"horizon": f"{begin_s} s"}, {"warm_up": f"{begin_s} s"})
    )
    for key in ("energy_it_kwh", "energy_dynamic_kwh", "energy_idle_kwh", "energy_sleep_kwh",
                "energy_transition_kwh", "energy_facility_kwh", "scope3_embodied_kgco2e",
                "gpu_hours_capacity", "gpu_hours_awake", "gpu_hours_delivered"):  # fmt: skip
        parts = first.summary[key] + second.summary[key]
        assert parts == pytest.approx(whole.summary[key], rel=1e-9, abs=1e-12), key
    assert first.summary["wake_ups"] + second.summary["wake_ups"] == whole.summary["wake_ups"]
    spent = [name for name in whole.nodes if name.startswith("residency_")]
    for name in spent:
        parts_s = sum(part.nodes[name] for part in (first, second) if name in part.nodes)
        assert list(parts_s) == pytest.approx(list(whole.nodes[name]), abs=1e-6), name
    parts_kwh = first.nodes["energy_it_kwh"] + second.nodes["energy_it_kwh"]
    assert list(parts_kwh) == pytest.approx(list(whole.nodes["energy_it_kwh"]), rel=1e-9)


@every_policy
def test_states_without_any_latency_keep_nobody_waiting(tmp_path: Path, policy: str) -> None:
    prompt = [DOZE, DOZE | {"name": "deep", "after": "10 min", "power": "1 W"}]
    slept, plain = (
        simulated(tmp_path, policy, 2, states=states, drain=True) for states in (prompt, [])
    )
    assert slept.log.start_ms.tolist() == plain.log.start_ms.tolist()
    assert slept.log.first_node.tolist() == plain.log.first_node.tolist()
    assert slept.results.summary["energy_transition_kwh"] == 0.0


@every_policy
def test_a_run_can_be_billed_again(tmp_path: Path, policy: str) -> None:
    done = simulated(tmp_path, policy, 1, warm_up="1 h")
    again = done.bill(average={"constant": "250 g/kWh"}, pue=1.5)
    billed = again.results.summary
    before = done.results.summary
    assert billed["energy_it_kwh"] == before["energy_it_kwh"]
    assert billed["wake_ups"] == before["wake_ups"]
    expected_kg = before["energy_it_kwh"] * 1.5 * 0.25
    assert billed["scope2_location_kgco2e"] == pytest.approx(expected_kg, rel=1e-12)
    assert again.results.tables["nodes"].equals(done.results.tables["nodes"])
    placed = billed["allocated_kgco2e"] + billed["unallocated_kgco2e"]
    assert placed == pytest.approx(billed["total_kgco2e"], rel=1e-12)


@every_policy
def test_bins_as_fine_as_another_trace_needs_change_no_total(tmp_path: Path, policy: str) -> None:
    """Intervals of 5 min, and of a day: the same events, in other bins."""
    fine, coarse = (
        simulated(tmp_path, policy, 3, accounting__interval=interval).results
        for interval in ("5 min", "1 d")
    )
    assert len(fine.hourly) == 10 * MS_PER_H // (5 * MS_PER_MIN)
    for key, value in coarse.summary.items():
        # A peak is a mean over the interval that is chosen.
        if isinstance(value, float) and not key.startswith("peak_"):
            assert fine.summary[key] == pytest.approx(value, rel=1e-9), key
    assert (
        fine.tables["nodes"]
        .drop_columns(["energy_it_kwh"])
        .equals(coarse.tables["nodes"].drop_columns(["energy_it_kwh"]))
    )
