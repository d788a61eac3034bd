"""When sleep pays: the break-even gap and timeouts against closed forms, as outcomes of runs.

Times in files are whole milliseconds: a gap just above a timeout is longer by one of them.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.units import MS_PER_S
from tests.analytic.idle_runs import ALWAYS_ON, EXACT, LADDER, at_rest_j, it_j, run_one
from tests.builders import LadderRan, Nodes, fleet, job_table, run_ladder, run_ladder_model
from tests.oracle.ladder import Ladder


def seconds(time_ms: int) -> str:
    return f"{time_ms / MS_PER_S:.3f} s"


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
