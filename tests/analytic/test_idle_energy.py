"""Energy of idle states against closed forms, each figure the outcome of a run."""

import math
from pathlib import Path

import pytest

from tests.analytic.idle_runs import ALWAYS_ON, EXACT, J_PER_KWH, LADDER, it_j, run_one
from tests.builders import results_of, scenario_document, write_jobs


def test_a_ladder_that_is_never_taken_leaves_the_steps_of_a_linear_node(tmp_path: Path) -> None:
    """The first gap ends exactly at `after`, the last before it: 21.33 MJ, 5.925 kWh, 7.11 kWh."""
    node = {
        "accelerators": 4,
        "idle_power": "300 W",
        "busy_power": "3000 W",
        "idle_states": [{"name": "sleep", "after": "1 h", "power": "10 W", "wake_time": "1 min"}],
    }
    rows = [(3600, 5400, 4, 0.5), (9000, 3600, 4, 1.0)]
    results = run_one(
        tmp_path, rows, node, horizon="4 h", sites__s__pue=1.2, clusters__c__idle=LADDER
    )
    assert it_j(results) == pytest.approx(21_330_000, rel=EXACT)
    assert results.summary["energy_facility_kwh"] == pytest.approx(7.11, rel=EXACT)
    assert results.summary["energy_sleep_kwh"] == 0.0
    assert results.summary["energy_transition_kwh"] == 0.0


FULL_SPEED = {
    "accelerators": 4,
    "idle_power": "100 W",
    "busy_power": "200 W",
    # one core of four draws 93.33 + 0.25 (200 - 93.33) = 120 W
    "load_curve": {"points": [[0.0, 0.0], [0.25, 0.2], [1.0, 1.0]]},
}
SLOW = {"accelerators": 4, "idle_power": "90 W", "busy_power": "150 W"}
SWITCHED_OFF = {
    **FULL_SPEED,
    "idle_states": [{"name": "off", "after": "20 s", "power": "10 W"}],
}


def test_the_energy_timeline_that_simgrid_publishes(tmp_path: Path) -> None:
    """SimGrid's example energy-exec: 1000, 1120, 1645, 2005, 2905 J on the host that works.

    The host runs at full speed for 11 s and slowly from then on: two node types, the second
    counted from 11 s on.
    """
    first = [(10, 1, 1, 1.0)]
    fast_j = [it_j(run_one(tmp_path, first, FULL_SPEED, horizon=at)) for at in ("10 s", "11 s")]
    then = [(11, 5, 1, 1.0)]
    slow_j = [
        it_j(run_one(tmp_path, then, SLOW, horizon=at, warm_up="11 s"))
        for at in ("16 s", "20 s", "30 s")
    ]
    cumulative_j = [*fast_j, *(fast_j[-1] + more_j for more_j in slow_j)]
    assert cumulative_j == pytest.approx([1000, 1120, 1645, 2005, 2905], abs=1e-6)


def test_the_energy_of_simgrids_host_that_is_switched_off() -> None:
    """On for 20 s at 100 W, off for 10 s at 10 W: 2100 J; the host left on draws 3000 J."""
    off, left_on = (
        results_of(scenario_document(nodes=SWITCHED_OFF, horizon="30 s", clusters__c__idle=idle))
        for idle in (LADDER, ALWAYS_ON)
    )
    assert it_j(off) == pytest.approx(2100, abs=1e-6)
    assert it_j(left_on) == pytest.approx(3000, abs=1e-6)
    assert 2905 + it_j(off) + it_j(left_on) == pytest.approx(8005, abs=1e-6)


CONSOLIDATED = {
    "accelerators": 4,
    "idle_power": "200 W",
    "busy_power": "800 W",
    "idle_states": [{"name": "sleep", "after": "0 s", "power": "12 W", "enter_time": "10 s"}],
}
MOVER = {
    **CONSOLIDATED,
    "accelerators": 1,
    "idle_power": "0 W",
    "busy_power": "90 kW",  # a move of one second takes 90 kJ
    "idle_states": [],
}


def four_jobs(
    folder: Path, window_s: int, *, moves: int, placement: str, idle: str
) -> dict[str, float]:
    """Return the summary of four jobs of a quarter node each, after so many of them moved."""
    rows = [(0, 10_000, 1, "c") for _ in range(4)] + [(0, 1, 1, "moves") for _ in range(moves)]
    jobs = write_jobs(folder / "jobs.csv", rows, "submit_s,duration_s,gpus,cluster")
    document = scenario_document(
        jobs,
        nodes=CONSOLIDATED,
        horizon=f"{window_s} s",
        clusters__c__count=4,
        clusters__c__placement=placement,
        clusters__c__idle=idle,
        clusters__moves={"site": "s", "node": "mover", "count": 3},
        workloads__w__clusters=["c", "moves"],
    )
    document["nodes"]["mover"] = {**document["nodes"]["n"], **MOVER}
    summary = results_of(document).summary
    assert summary["jobs_started"] == len(rows)
    return {
        kind: summary[f"energy_{kind}_kwh"] * J_PER_KWH
        for kind in ("it", "dynamic", "idle", "sleep", "transition")
    }


def saved_j(folder: Path, window_s: int) -> float:
    before = four_jobs(folder, window_s, moves=0, placement="spread", idle=ALWAYS_ON)
    after = four_jobs(folder, window_s, moves=3, placement="pack", idle=LADDER)
    return before["it"] - after["it"]


def test_consolidation_pays_back_what_moving_and_entering_cost(tmp_path: Path) -> None:
    """1400 W become 836 W for 275,640 J: a loss in any window below 488.723404 s."""
    before = four_jobs(tmp_path, 1000, moves=0, placement="spread", idle=ALWAYS_ON)
    assert before["it"] == pytest.approx(1_400 * 1000, rel=EXACT)
    after = four_jobs(tmp_path, 1000, moves=3, placement="pack", idle=LADDER)
    assert after["sleep"] == pytest.approx(3 * 12 * 990, rel=EXACT)
    assert after["transition"] == pytest.approx(3 * 200 * 10, rel=EXACT)
    assert after["it"] == pytest.approx(836 * 1000 + 275_640, rel=EXACT)
    lost_j, won_j = saved_j(tmp_path, 488), saved_j(tmp_path, 489)
    assert won_j - lost_j == pytest.approx(564, rel=1e-9)
    assert lost_j < 0 < won_j
    assert 488 - lost_j / (won_j - lost_j) == pytest.approx(488.723404255, rel=1e-9)


def test_the_wake_timeline(tmp_path: Path) -> None:
    """Asleep for a minute, waking, at work, idle, entering, asleep again: 83,500 J in 600 s.

    Counting starts after 100 s, when the node sleeps.
    """
    node = {
        "accelerators": 1,
        "idle_power": "150 W",
        "busy_power": "500 W",
        "idle_states": [
            {
                "name": "sleep",
                "after": "45 s",
                "power": "10 W",
                "enter_time": "5 s",
                "enter_power": "150 W",
                "wake_time": "30 s",
                "wake_power": "400 W",
            }
        ],
    }
    results = run_one(
        tmp_path,
        [(160, 120, 1, 1.0)],
        node,
        horizon="700 s",
        warm_up="100 s",
        clusters__c__idle=LADDER,
    )
    assert results.jobs["start_s"].tolist() == [100 + 90]
    assert results.jobs["end_s"].tolist() == [100 + 210]
    assert results.jobs["wait_s"].tolist() == [30]
    by_kind_j = {
        "dynamic": 120 * 350,
        "idle": (120 + 45) * 150,
        "sleep": (60 + 600 - 260) * 10,  # asleep again at 260 s
        "transition": 30 * 400 + 5 * 150,
    }
    for kind, joules in by_kind_j.items():
        said_j = results.summary[f"energy_{kind}_kwh"] * J_PER_KWH
        assert said_j == pytest.approx(joules, rel=EXACT), kind
    assert it_j(results) == pytest.approx(83_500, rel=EXACT)
    assert results.nodes["wake_ups"].tolist() == [1]
    assert results.jobs["energy_dynamic_kwh"].tolist() == pytest.approx([42_000 / J_PER_KWH])


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_splitting_and_reordering_the_same_power_changes_no_total(
    tmp_path: Path, pieces: int
) -> None:
    """No node falls asleep between two pieces, though it would at once: 1e-12 of one another."""
    node = {
        "accelerators": 4,
        "idle_power": "300 W",
        "busy_power": "3000 W",
        "idle_states": [
            {"name": "sleep", "after": "0 s", "power": "15 W", "enter_time": "5 s",
             "wake_time": "1 min"}
        ],
    }  # fmt: skip
    segments = [(0, 7000, 4, 0.25), (0, 14000, 4, 0.5), (7000, 7000, 4, 1.0)]
    awake_j = 2 * 14_000 * 300 + sum(s * u * 2700 for _, s, _, u in segments)
    asleep_j = 3 * 5 * 300 + (2 * (400 - 5) + (14_400 - 5)) * 15
    for order in ([0, 1, 2], [1, 0, 2]):
        rows = [
            (at + k * length / pieces, length / pieces, gpus, u)
            for at, length, gpus, u in (segments[k] for k in order)
            for k in range(pieces)
        ]
        rows.sort(key=lambda row: row[0])
        results = run_one(
            tmp_path, rows, node, horizon="4 h", clusters__c__count=3, clusters__c__idle=LADDER
        )
        assert it_j(results) == pytest.approx(awake_j + asleep_j, rel=EXACT)
        per_node_kwh = math.fsum(results.nodes["energy_it_kwh"])
        assert per_node_kwh * J_PER_KWH == pytest.approx(awake_j + asleep_j, rel=EXACT)
        assert results.nodes["wake_ups"].sum() == 0
