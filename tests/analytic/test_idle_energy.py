"""Energy of idle states against closed forms, each figure the outcome of a run.

Times in files are whole milliseconds: a gap just above a timeout is longer by one of them.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.results import Results
from simulator.units import MS_PER_S
from tests.builders import (
    LadderRan,
    Nodes,
    fleet,
    job_table,
    results_of,
    run_ladder,
    run_ladder_model,
    scenario_document,
    write_jobs,
)
from tests.oracle.ladder import Ladder

EXACT = 1e-12
J_PER_KWH = 3.6e6
ALWAYS_ON, LADDER = "always-on", "ladder"


def seconds(time_ms: int) -> str:
    return f"{time_ms / MS_PER_S:.3f} s"


def run_one(folder: Path, rows: list[Any], node: dict[str, Any], **keys: Any) -> Results:
    """Return the results of jobs (submit, duration, accelerators, utilisation) on one cluster."""
    jobs = write_jobs(folder / "jobs.csv", rows)
    return results_of(scenario_document(jobs, nodes=node, **keys))


def it_j(results: Results) -> float:
    return float(results.summary["energy_it_kwh"]) * J_PER_KWH


def at_rest_j(results: Results) -> float:
    """Return what the nodes drew beside their dynamic energy."""
    kinds = ("idle", "sleep", "transition")
    return math.fsum(results.summary[f"energy_{kind}_kwh"] for kind in kinds) * J_PER_KWH


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


SLEEPER = {
    "accelerators": 1,
    "idle_power": "200 W",
    "busy_power": "700 W",
    # 10 s in and 20 s out at 300 W: 9000 J of transition
    "idle_states": [
        {
            "name": "sleep",
            "after": "0 s",
            "power": "15 W",
            "enter_time": "10 s",
            "enter_power": "300 W",
            "wake_time": "20 s",
            "wake_power": "300 W",
        }
    ],
}


def idle_gap_j(folder: Path, gap_ms: int, idle: str) -> float:
    """Return what a node draws between a job's end and the next one's start `gap_ms` later."""
    woken_s = 60 + gap_ms / MS_PER_S - 20
    rows = [(0, 60, 1, 1.0), (woken_s, 60, 1, 1.0)]
    results = run_one(
        folder,
        rows[: 1 if idle == ALWAYS_ON else 2],
        SLEEPER,
        horizon=seconds(60_000 + gap_ms),
        warm_up="60 s",
        clusters__c__idle=idle,
    )
    assert results.summary["energy_dynamic_kwh"] == 0.0
    return it_j(results)


def test_a_gap_costs_what_the_break_even_says(tmp_path: Path) -> None:
    """Idle 200 W x T; asleep 9000 J + 15 W x (T - 30 s): equal at 46.216216 s."""
    assert idle_gap_j(tmp_path, 100_000, ALWAYS_ON) == pytest.approx(20_000, rel=EXACT)
    assert idle_gap_j(tmp_path, 100_000, LADDER) == pytest.approx(10_050, rel=EXACT)
    assert idle_gap_j(tmp_path, 30_000, ALWAYS_ON) == pytest.approx(6_000, rel=EXACT)
    assert idle_gap_j(tmp_path, 30_000, LADDER) == pytest.approx(9_000, rel=EXACT)


def test_sleep_begins_to_pay_at_the_break_even(tmp_path: Path) -> None:
    gaps_ms = (46_216, 46_217)
    lost_j = [
        idle_gap_j(tmp_path, gap, LADDER) - idle_gap_j(tmp_path, gap, ALWAYS_ON) for gap in gaps_ms
    ]
    assert lost_j[1] < 0 < lost_j[0]
    even_s = (gaps_ms[0] + lost_j[0] / (lost_j[0] - lost_j[1])) / MS_PER_S
    assert even_s == pytest.approx(46.2162162162, rel=1e-9)


GAPS_MS = (5_000, 40_000, 45_001, 300_000, 44_000, 46_000, 10_000, 1_000_000)
"""The gaps of the ski-rental case; its 45.0001 s is 45.001 s here."""
JOB_MS = 60_000
WAKE_MS = 1_000  # at 9 kW: 9000 J


def renter(after: str) -> dict[str, Any]:
    """Return a node that sleeps for nothing and wakes for 9000 J."""
    state = {
        "name": "sleep",
        "after": after,
        "power": "0 W",
        "wake_time": "1 s",
        "wake_power": "9 kW",
    }
    return {
        "accelerators": 1,
        "idle_power": "200 W",
        "busy_power": "700 W",
        "idle_states": [state],
    }


def rent_j(
    folder: Path, gaps_ms: tuple[int, ...], after_ms: float, node: dict[str, Any], idle: Any
) -> float:
    """Return the cost of gaps that each begin when a job ends; the timeout is known to the caller.

    A wake-up comes after its gap and puts off the next job's start.
    """
    submit_ms, rows, late_ms = 0, [], 0
    for gap_ms in (*gaps_ms, None):
        rows.append((submit_ms / MS_PER_S, JOB_MS / MS_PER_S, 1, 1.0))
        end_ms = submit_ms + late_ms + JOB_MS
        if gap_ms is not None:
            submit_ms, late_ms = end_ms + gap_ms, WAKE_MS if gap_ms > after_ms else 0
    results = run_one(folder, rows, node, horizon=seconds(end_ms), clusters__c__idle=idle)
    assert results.summary["jobs_finished"] == len(rows)
    starts_s = results.jobs["start_s"].to_numpy()
    assert starts_s[-1] == pytest.approx((end_ms - JOB_MS) / MS_PER_S, rel=EXACT)
    return at_rest_j(results) - 200 * len(rows) * JOB_MS / MS_PER_S


def online_j(folder: Path, gaps_ms: tuple[int, ...]) -> float:
    timeout = {"policy": "timeout", "after": "45 s", "state": "sleep"}
    return rent_j(folder, gaps_ms, 45_000, renter("0 s"), timeout)


def at_once_j(folder: Path, gaps_ms: tuple[int, ...]) -> float:
    return rent_j(folder, gaps_ms, 0, renter("0 s"), LADDER)


def never_j(folder: Path, gaps_ms: tuple[int, ...]) -> float:
    return rent_j(folder, gaps_ms, math.inf, renter("0 s"), ALWAYS_ON)


def test_a_timeout_at_the_break_even_is_a_ski_rental(tmp_path: Path) -> None:
    """Timeout E/P = 45 s (Karlin et al. 1990): 91,800 J against 55,800 J with foresight."""
    assert online_j(tmp_path, GAPS_MS) == pytest.approx(91_800, rel=EXACT)
    by_ladder_j = rent_j(tmp_path, GAPS_MS, 45_000, renter("45 s"), LADDER)
    assert by_ladder_j == pytest.approx(91_800, rel=EXACT)
    assert at_once_j(tmp_path, GAPS_MS) == pytest.approx(72_000, rel=EXACT)
    assert never_j(tmp_path, GAPS_MS) == pytest.approx(298_000.2, rel=EXACT)
    offline_j = sum(min(at_once_j(tmp_path, (g,)), never_j(tmp_path, (g,))) for g in GAPS_MS)
    assert offline_j == pytest.approx(55_800, rel=1e-11)
    assert 91_800 / offline_j == pytest.approx(1.64516129032, rel=1e-11)


def test_a_gap_just_above_the_timeout_is_the_worst_case(tmp_path: Path) -> None:
    """A gap that ends at the timeout does not sleep; a millisecond more costs twice the least."""
    assert online_j(tmp_path, (45_000,)) == pytest.approx(9_000, rel=1e-11)
    assert online_j(tmp_path, (45_001,)) == pytest.approx(18_000, rel=1e-11)
    assert at_once_j(tmp_path, (45_001,)) == pytest.approx(9_000, rel=1e-11)


@pytest.mark.parametrize("gap_ms", [27_905, 45_000, 100_000])
@pytest.mark.parametrize("run", [run_ladder_model, run_ladder], ids=["readable model", "engine"])
def test_a_random_timeout_costs_e_over_e_minus_one(
    run: Callable[..., LadderRan], gap_ms: int
) -> None:
    """Timers of density e^(x/B) / (B (e - 1)) on [0, B] cost 1.58197670687 times the least.

    One timer for each of 1000 equal chances, so that the mean is that of the law; 27.905 s is the
    median timer.
    """
    count, job_ms = 1000, 1_000
    chances = [(k + 0.5) / count for k in range(count)]
    timers_ms = [round(45_000 * math.log1p(u * (math.e - 1))) for u in chances]
    submit_ms, end_ms = [job_ms], 2 * job_ms
    for timer_ms in timers_ms:
        submit_ms.append(end_ms + gap_ms)
        end_ms += gap_ms + job_ms + (WAKE_MS if gap_ms > timer_ms else 0)
    ladder = Ladder((45_000,), (0,), (0.0,), (200.0,), (WAKE_MS,), (9_000.0,))
    nodes = fleet(Nodes(1, 1, idle_w=200.0, busy_w=700.0))
    drawn = [[45_000, *timers_ms, 45_000]]  # before the first job, and after the last
    ran = run(nodes, [ladder], job_table(submit_ms, job_ms), end_ms, timer_draws=drawn)
    assert ran.start_ms[-1] == end_ms - job_ms
    # Beside the gaps the node was awake for its jobs, and for a second before the first.
    paid_j = ran.energy_j[0, 1:].sum() - 200 * (len(submit_ms) + 1) * job_ms / MS_PER_S
    least_j = count * min(200 * gap_ms / MS_PER_S, 9000)
    assert paid_j / least_j == pytest.approx(1.58197670687, rel=1e-5)


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
