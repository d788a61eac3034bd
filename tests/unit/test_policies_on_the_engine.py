"""Provisioning policies on the engine, in small scenarios whose answer is worked by hand."""

import datetime as dt
import math
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.kernels.tables import ASLEEP, AWAKE, WAKING
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_MIN
from tests.policy_runs import (
    awake_by_hour,
    happened,
    policy_document,
    run_policy,
    same_bytes,
    told,
)

OFF = {"name": "off", "after": "5 min", "power": "10 W", "wake_time": "2 min"}
PROMPT = {"name": "off", "after": "0 s", "power": "10 W", "wake_time": "1 ms"}
"""A state that nodes not kept awake are in at once."""

NEARLY = 1e-5
"""What a millisecond of waking takes from the mean of an hour."""


def starts_s(results: Any) -> list[float]:
    return list(results.jobs["start_s"])


def sleeps_min(folder: Path, idle: Any, *args: Any, **keys: Any) -> list[float]:
    """Return when nodes went to sleep, in minutes."""
    seen = happened(from_document(policy_document(folder, idle, *args, **keys)))
    return sorted((seen.time_ms[seen.state == ASLEEP] / MS_PER_MIN).tolist())


# -- ladders ------------------------------------------------------------------------------------


def test_always_on_is_no_policy_at_all(tmp_path: Path) -> None:
    rows = [(0, 600, 8, 0.5), (900, 1200, 20, 0.25), (5000, 60, 3, 1.0)]
    said = run_policy(tmp_path, "always-on", rows, states=[OFF])
    unsaid = policy_document(tmp_path, "always-on", rows, states=[OFF])
    del unsaid["clusters"]["c"]["idle"]
    same_bytes(said, run(from_document(unsaid)))
    without = run_policy(tmp_path, "always-on", rows)
    for name in ("jobs", "hourly"):
        assert without.results.tables[name].equals(said.results.tables[name])


def test_a_timeout_takes_its_own_time_and_only_its_state(tmp_path: Path) -> None:
    states = [OFF | {"name": "nap", "after": "1 min", "power": "50 W"}, OFF | {"after": "1 h"}]
    idle = {"policy": "timeout", "after": "30 min"}
    nodes = run_policy(tmp_path, idle, states=states).results.nodes
    assert set(nodes["residency_idle_s"]) == {1800.0}
    assert set(nodes["residency_off_s"]) == {9.5 * 3600}
    assert "residency_nap_s" not in nodes


def test_a_drawn_timeout_is_one_law_for_all_gaps_and_its_draws_are_named(tmp_path: Path) -> None:
    law = {"dist": "exponential", "mean": "20 min"}
    idle = {"policy": "timeout", "after": law}
    rows = [(900 * k, 300, 8, 1.0) for k in range(30)]
    document = policy_document(tmp_path, idle, rows, states=[OFF], clusters__c__count=40)
    one, again = (run(from_document(document), seed=3) for _ in range(2))
    same_bytes(one, again)
    other = run(from_document(document), seed=4)
    assert not other.results.tables["nodes"].equals(one.results.tables["nodes"])
    # Another cluster, before or after it, changes nothing in this one.
    document["clusters"]["d"] = {"site": "s", "node": "n", "count": 7, "idle": idle}
    both = run(from_document(document), seed=3).results
    rest = {"d": document["clusters"].pop("d"), "c": document["clusters"].pop("c")}
    document["clusters"] = rest
    turned = run(from_document(document), seed=3).results
    for results in (both, turned):
        mine = results.nodes[results.nodes["cluster"] == "c"].reset_index(drop=True)
        alone = one.results.nodes
        for column in alone.columns.drop(["cluster", "type"]):
            assert list(mine[column]) == list(alone[column]), column
        assert list(results.jobs["start_s"]) == list(one.results.jobs["start_s"])


def test_drawn_timeouts_have_the_mean_of_their_law(tmp_path: Path) -> None:
    """4,000 nodes that nobody needs: 20 min each in the mean, its error 20 / sqrt(4000)."""
    idle = {"policy": "timeout", "after": {"dist": "exponential", "mean": "20 min"}}
    nodes = run_policy(tmp_path, idle, states=[OFF], clusters__c__count=4000).results.nodes
    mean_min = nodes["residency_idle_s"].mean() / 60
    assert mean_min == pytest.approx(20.0, abs=4 * 20 / math.sqrt(4000))


# -- headroom -----------------------------------------------------------------------------------


def test_a_headroom_of_one_takes_one_job_at_once(tmp_path: Path) -> None:
    """Nodes 3, 2, 1 sleep after 5 min. Each job takes the free node, and another is woken."""
    rows = [(3600, 7200, 8, 1.0), (3660, 7200, 8, 1.0), (4200, 7200, 8, 1.0)]
    idle = {"policy": "headroom", "nodes": 1}
    document = policy_document(tmp_path, idle, rows, states=[OFF])
    results = run(from_document(document)).results
    # The second comes a minute after the first, and a minute before its node is awake.
    assert starts_s(results) == [3600.0, 3720.0, 4200.0]
    seen = happened(from_document(document))
    woken = [(t / 1000, n) for t, n, s in zip(seen.time_ms, seen.node, seen.state, strict=True)
             if s == WAKING]  # fmt: skip
    # At 3660 s two are wanted, one for the job and one free; at 3720 s nobody needs another.
    assert woken == [(3600.0, 1), (3660.0, 2), (4200.0, 3)]
    assert results.summary["wake_ups"] == 3


def probe(seen: list[tuple[int, int, int]]) -> Any:
    def look(env: Any, view: Any) -> Iterator[Any]:
        cluster = view.clusters[0]
        while True:
            yield env.timeout(61_007)
            ready, room = cluster.idle + cluster.waking, cluster.node_count - cluster.occupied
            seen.append((cluster.idle, ready, room))

    return look


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_headroom_is_there_or_on_its_way(tmp_path: Path, count: int) -> None:
    rows = [(700 * k, 400 + 300 * (k % 7), (8, 3, 12, 1)[k % 4], 0.5) for k in range(45)]
    idle = {"policy": "headroom", "nodes": count}
    scenario = from_document(policy_document(tmp_path, idle, rows, states=[OFF]))
    seen: list[tuple[int, int, int]] = []
    run(scenario, controllers=[probe(seen)])
    assert len(seen) > 500
    assert all(ready >= min(count, room) for _, ready, room in seen)
    assert any(idle < min(count, room) for idle, _, room in seen) or count == 4


def test_a_headroom_of_all_nodes_is_always_on(tmp_path: Path) -> None:
    rows = [(700 * k, 400 + 300 * (k % 7), (8, 3, 12, 1)[k % 4], 0.5) for k in range(45)]
    for idle in ({"policy": "headroom", "nodes": 4}, {"policy": "peak", "nodes": 4}):
        kept = run_policy(tmp_path, idle, rows, states=[OFF]).results
        plain = run_policy(tmp_path, "always-on", rows, states=[OFF]).results
        assert {**kept.summary, "key": ""} == {**plain.summary, "key": ""}
        for name in ("jobs", "hourly"):
            assert kept.tables[name].equals(plain.tables[name])


def test_a_share_of_the_nodes_in_use_follows_them(tmp_path: Path) -> None:
    """Half of 6 in use is 3, seen at the next look; 2 of 10 are left to sleep."""
    rows = [(3600, 3600, 48, 1.0)]
    idle = {"policy": "headroom", "share": 0.5, "every": "30 min"}
    results = run_policy(
        tmp_path, idle, rows, states=[PROMPT], clusters__c__count=10, horizon="4 h"
    ).results
    # Looks at full and half hours: at 3600 s the job has not started yet.
    assert awake_by_hour(results) == pytest.approx([0.0, 7.5, 1.5, 0.0], abs=NEARLY)


# -- reactive -----------------------------------------------------------------------------------


def test_reactive_wakes_when_jobs_wait_and_lets_go_one_by_one(tmp_path: Path) -> None:
    """One node is kept. At 30 min 10 s two jobs come, and one must wait for 2 min.

    At 31 min the level is min(2 + 2, 4) = 4: two more are woken. The last look that finds a job
    waiting is at 32 min, so the level is 3 at 42, 2 at 52 and 1 at 62 min.
    """
    rows = [(1810, 300, 8, 1.0), (1810, 300, 8, 1.0)]
    idle = {"policy": "reactive", "up": 2, "down": 1, "least": 1, "cool_down": "10 min"}
    keys: dict[str, Any] = {"states": [OFF | {"after": "1 min"}], "horizon": "2 h"}
    results = run_policy(tmp_path, idle, rows, **keys).results
    assert starts_s(results) == [1810.0, 1930.0]
    assert results.summary["wake_ups"] == 3
    assert sleeps_min(tmp_path, idle, rows, **keys) == [1.0, 1.0, 1.0, 42.0, 52.0, 62.0]


def test_a_reactive_policy_that_is_never_provoked_is_the_ladder(tmp_path: Path) -> None:
    rows = [(3600 * k, 600, 8, 1.0) for k in range(9)]
    patient = {"policy": "reactive", "jobs": 9, "wait": "1 h"}
    keys: dict[str, Any] = {"states": [OFF]}
    same_bytes(
        run_policy(tmp_path, patient, rows, **keys), run_policy(tmp_path, "ladder", rows, **keys)
    )


# -- scheduled and peak -------------------------------------------------------------------------


def test_a_timetable_of_a_day_in_a_zone_of_half_an_hour(tmp_path: Path) -> None:
    """Kolkata is 5:30 ahead, so half of each hour of UTC belongs to one local hour."""
    nodes = [(7 * hour) % 11 for hour in range(24)]
    idle = {"policy": "scheduled", "nodes": nodes, "time_zone": "Asia/Kolkata"}
    results = run_policy(
        tmp_path, idle, states=[PROMPT], horizon="2 d", clusters__c__count=12
    ).results
    expected = [(nodes[(hour + 5) % 24] + nodes[(hour + 6) % 24]) / 2 for hour in range(48)]
    assert awake_by_hour(results) == pytest.approx(expected, abs=11 * NEARLY)


def test_a_timetable_of_a_week_follows_summer_time(tmp_path: Path) -> None:
    nodes = [(5 * hour) % 13 for hour in range(168)]
    zone = zoneinfo.ZoneInfo("America/New_York")
    idle = {"policy": "scheduled", "nodes": nodes, "time_zone": zone.key}
    start = dt.datetime(2022, 3, 12, tzinfo=dt.UTC)  # clocks go forward on the 13th
    results = run_policy(
        tmp_path, idle, states=[PROMPT], horizon="3 d", clusters__c__count=12, start=start
    ).results
    local = [(start + dt.timedelta(hours=hour)).astimezone(zone) for hour in range(72)]
    expected = [min(nodes[24 * each.weekday() + each.hour], 12) for each in local]
    assert awake_by_hour(results) == pytest.approx(expected, abs=12 * NEARLY)


def test_shares_are_of_the_nodes_of_the_cluster(tmp_path: Path) -> None:
    shares = [0.0, 0.25, 0.3, 1.0] * 6
    idle = {"policy": "scheduled", "shares": shares}
    results = run_policy(
        tmp_path, idle, states=[PROMPT], horizon="8 h", clusters__c__count=10
    ).results
    assert awake_by_hour(results) == pytest.approx([0, 3, 3, 10] * 2, abs=10 * NEARLY)


@pytest.mark.parametrize("nodes", [0, 1, 3])
def test_peak_keeps_exactly_its_nodes_awake(tmp_path: Path, nodes: int) -> None:
    results = run_policy(tmp_path, {"policy": "peak", "nodes": nodes}, states=[PROMPT]).results
    assert awake_by_hour(results) == [float(nodes)] * 10
    # 100 W awake and 10 W asleep, 4 nodes, 10 h.
    expected_kwh = (100 * nodes + 10 * (4 - nodes)) * 10 / 1000
    assert results.summary["energy_it_kwh"] == pytest.approx(expected_kwh, rel=1e-12)


# -- forecast -----------------------------------------------------------------------------------


def every_other_hour(*more: tuple[int, int, int, float]) -> list[tuple[int, int, int, float]]:
    """Return jobs of a node from 1 s after each even hour on, so that odd samples see 8 GPUs."""
    rows = [(7200 * k + 1, 3600, 8, 1.0) for k in range(5)]
    return sorted([*rows, *more])


def test_a_forecast_of_a_pattern_that_repeats_has_no_error(tmp_path: Path) -> None:
    """Samples 0 to 9 are 0 8 0 8 ...; from sample 2 on each is as one season ago."""
    idle = {"policy": "forecast", "season": "2 h", "every": "1 h", "margin": 0.0}
    results = run_policy(tmp_path, idle, every_other_hour(), states=[PROMPT]).results
    assert told(results) == {
        "forecast_count": ("8", "1"),
        "forecast_mae": ("0", "GPUs"),
        "forecast_bias": ("0", "GPUs"),
        "forecast_mape": ("0", "1"),
    }


def test_the_errors_of_a_forecast_are_those_of_its_samples(tmp_path: Path) -> None:
    """Two nodes more at sample 7: 8 is forecast and 24 come; at sample 9 it is the reverse.

    Means over 8 forecasts: (16 + 16) / 8 absolute, (16 - 16) / 8 signed, and relative
    (0 + 0 + 16 / 24 + 16 / 8) / 4 over the samples that are not 0.
    """
    idle = {"policy": "forecast", "season": "2 h", "every": "1 h", "margin": 0.0}
    rows = every_other_hour((6 * 3600 + 1, 5400, 16, 1.0))
    results = run_policy(tmp_path, idle, rows, states=[PROMPT]).results
    assert told(results) == {
        "forecast_count": ("8", "1"),
        "forecast_mae": ("4", "GPUs"),
        "forecast_bias": ("0", "GPUs"),
        "forecast_mape": ("0.6667", "1"),
    }
    # From 8 h on the 24 of sample 7 are expected for sample 9: three nodes are awake.
    assert awake_by_hour(results)[8] == pytest.approx(3.0, abs=3 * NEARLY)


# -- consolidation ------------------------------------------------------------------------------


def test_consolidation_empties_lightly_used_nodes(tmp_path: Path) -> None:
    """15 GPUs are held at all times, one a job; spread puts each job on the emptiest node.

    Six nodes stay awake with 2 or 3 GPUs held, under half of their 8. With half as many
    accelerators free as are held, three are enough. Jobs come on full minutes, as looks do: one
    that comes at the instant of a look is not one that waits.
    """
    rows = [(60 * k, 900, 1, 0.5) for k in range(580)]
    keys: dict[str, Any] = {
        "states": [OFF], "clusters__c__count": 8, "clusters__c__placement": "spread",
    }  # fmt: skip
    idle = {"policy": "consolidation", "spare": 0.5}
    fewer = run_policy(tmp_path, idle, rows, **keys)
    plain = run_policy(tmp_path, "ladder", rows, **keys)
    assert awake_by_hour(plain.results)[2:9] == [6.0] * 7
    assert awake_by_hour(fewer.results)[2:9] == [3.0] * 7
    assert fewer.results.summary["energy_it_kwh"] < plain.results.summary["energy_it_kwh"]
    # Nobody is moved, and once the nodes are empty nobody waits.
    later = slice(120, None)
    assert fewer.log.start_ms[later].tolist() == plain.log.start_ms[later].tolist()
    assert (fewer.log.end_ms - fewer.log.start_ms).tolist() == [900_000] * 580


def test_a_closed_node_finishes_its_job_and_then_sleeps(tmp_path: Path) -> None:
    """Of 7 and 2 GPUs the node of 2 is closed at the first look, and sleeps 5 min after its job."""
    rows = [(0, 20_000, 7, 1.0), (1, 3000, 2, 1.0), (700, 3000, 1, 1.0)]
    idle = {"policy": "consolidation", "spare": 0.0, "every": "10 min"}
    scenario = from_document(
        policy_document(tmp_path, idle, rows, states=[OFF], clusters__c__count=2)
    )
    seen = happened(scenario)
    assert seen.of_node(1)[:3] == [(1000, AWAKE, 2), (3_001_000, AWAKE, 0), (3_301_000, ASLEEP, 0)]
    assert seen.log.first_node.tolist() == [0, 1, 0]
