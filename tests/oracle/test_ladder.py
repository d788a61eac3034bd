"""Timelines of idle states worked by hand, for the readable model and for the engine."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from simulator.workload.table import JobTable
from tests.builders import LadderRan, Nodes, fleet, job_table, run_ladder, run_ladder_model
from tests.oracle.ladder import Ladder

Run = Callable[..., LadderRan]

pytestmark = pytest.mark.parametrize(
    "run", [run_ladder_model, run_ladder], ids=["readable model", "engine"]
)


def states(*rows: tuple[float, float, float, float, float, float], **options: Any) -> Ladder:
    """Return a ladder of states (after, enter, power, enter power, wake, wake power) [s, W]."""
    after, enter, power_w, enter_w, wake, wake_w = zip(*rows, strict=True)
    in_ms = [tuple(round(1000 * second) for second in column) for column in (after, enter, wake)]
    return Ladder(in_ms[0], in_ms[1], power_w, enter_w, in_ms[2], wake_w, **options)


def jobs_of(*rows: tuple[float, float, int], **options: Any) -> JobTable:
    """Return jobs (submitted, run time, accelerators) [s]."""
    submit, duration, gpus = np.array(rows).T
    return job_table(np.rint(submit * 1000), duration * 1000, gpus, **options)


def starts(ran: LadderRan) -> list[float]:
    """Return when each job started [s], -1 for those that did not."""
    return [float(at) / 1000 if at >= 0 else -1 for at in ran.start_ms]


def spent(ran: LadderRan, node: int) -> list[float]:
    """Return what a node was awake, then in each state entering, resting and waking [s]."""
    return [float(t) / 1000 for t in ran.state_ms[node]]


TIMELINE = states((45, 5, 10, 150, 30, 400))
SLEEP = states((10, 5, 10, 100, 30, 100))
DOZE_THEN_OFF = states((10, 2, 80, 100, 20, 120), (60, 5, 10, 60, 100, 150))


def test_the_wake_timeline(run: Run) -> None:
    """Asleep for 60 s, waking 30 s, at work 120 s, idle 45 s, entering 5 s, asleep: 83,500 J."""
    nodes = fleet(Nodes(1, 1, idle_w=150, busy_w=500))
    jobs = jobs_of((160, 120, 1))
    before = run(nodes, [TIMELINE], jobs, 100_000)
    ran = run(nodes, [TIMELINE], jobs, 700_000)
    assert starts(ran) == [190.0]
    assert spent(ran, 0) == [45 + 120 + 45, 10, 110 + 340, 30]
    assert spent(before, 0) == [45, 5, 50, 0]
    energy_j = (ran.energy_j - before.energy_j)[0]
    assert energy_j == pytest.approx([120 * 350, 165 * 150, 600 + 3400, 12_750], rel=1e-12)
    assert energy_j.sum() == pytest.approx(83_500, rel=1e-12)
    assert (list(ran.wake_ups), list(ran.cancelled)) == ([1], [0])


def test_a_gap_that_ends_exactly_at_after_has_not_entered(run: Run) -> None:
    jobs = jobs_of((0, 10, 1), (55, 10, 1), (110.001, 10, 1))
    ran = run(fleet(Nodes(1, 1)), [TIMELINE], jobs, 200_000)
    # The second gap is a millisecond longer: entering, then waking.
    assert starts(ran) == [0, 55, 110.001 - 0.001 + 5 + 30]
    assert list(ran.wake_ups) == [1]


def test_a_wake_up_that_is_not_needed_any_more_is_cancelled(run: Run) -> None:
    jobs = jobs_of((0, 50, 1), (40, 30, 1))
    ran = run(fleet(Nodes(2, 1)), [DOZE_THEN_OFF], jobs, 100_000)
    assert starts(ran) == [0, 50]
    assert list(ran.first_node) == [0, 0]
    assert spent(ran, 0) == [90, 2, 8, 0, 0, 0, 0]
    assert spent(ran, 1) == [10, 2, 28 + 10, 10, 5, 35, 0]  # dozes on, and goes off at 60 s
    assert (list(ran.wake_ups), list(ran.cancelled)) == ([0, 1], [0, 1])
    assert ran.energy_j[1] == pytest.approx([0, 1000, 38 * 80 + 350, 200 + 1200 + 300], rel=1e-12)


def test_a_cancelled_wake_up_enters_at_once_what_it_has_missed(run: Run) -> None:
    jobs = jobs_of((0, 70, 1), (55, 10, 1))
    ran = run(fleet(Nodes(2, 1)), [DOZE_THEN_OFF], jobs, 100_000)
    assert starts(ran) == [0, 70]
    assert spent(ran, 1) == [10, 2, 55 - 12, 15, 5, 25, 0]
    assert list(ran.cancelled) == [0, 1]


def test_the_wake_up_begun_last_is_cancelled_first(run: Run) -> None:
    apart = jobs_of((0, 40, 1), (20, 50, 1), (30, 50, 1))
    ran = run(fleet(Nodes(3, 1)), [SLEEP], apart, 200_000)
    assert starts(ran) == [0, 40, 20 + 30]
    assert list(ran.first_node) == [0, 0, 1]
    assert list(ran.cancelled) == [0, 0, 1]
    at_once = jobs_of((0, 40, 1), (20, 50, 1), (20, 50, 1))
    ran = run(fleet(Nodes(3, 1)), [SLEEP], at_once, 200_000)
    assert list(ran.first_node) == [0, 0, 1]
    assert list(ran.cancelled) == [0, 0, 1]  # among equals the highest


def test_a_node_woken_while_it_enters_first_ends_entering(run: Run) -> None:
    ran = run(fleet(Nodes(1, 1)), [SLEEP], jobs_of((12, 100, 1)), 100_000)
    assert starts(ran) == [15 + 30]
    assert spent(ran, 0) == [10 + 55, 5, 0, 30]


def test_a_node_woken_while_it_enters_a_deeper_state_wakes_from_that_one(run: Run) -> None:
    ran = run(fleet(Nodes(1, 1)), [DOZE_THEN_OFF], jobs_of((62, 100, 1)), 200_000)
    assert starts(ran) == [65 + 100]
    assert spent(ran, 0) == [10 + 35, 2, 48, 0, 5, 0, 100]


def test_a_node_whose_wake_up_is_cancelled_while_it_enters_goes_on_entering(run: Run) -> None:
    ran = run(fleet(Nodes(2, 1)), [SLEEP], jobs_of((0, 13, 1), (12, 20, 1)), 30_000)
    assert starts(ran) == [0, 13]
    assert spent(ran, 1) == [10, 5, 15, 0]
    assert (list(ran.wake_ups), list(ran.cancelled)) == ([0, 1], [0, 1])


def test_nodes_boot_together_or_one_by_one(run: Run) -> None:
    jobs = jobs_of(*[(100, 1000, 1)] * 3)
    together = run(fleet(Nodes(3, 1)), [SLEEP], jobs, 500_000)
    assert starts(together) == [130, 130, 130]
    staggered = states((10, 5, 10, 100, 30, 100), max_waking=1)
    one_by_one = run(fleet(Nodes(3, 1)), [staggered], jobs, 500_000)
    assert starts(one_by_one) == [130, 160, 190]
    assert list(one_by_one.first_node) == [0, 1, 2]
    assert list(one_by_one.wake_ups) == [1, 1, 1]


def test_staggered_boot_stops_when_nodes_come_free_in_between(run: Run) -> None:
    staggered = states((10, 5, 10, 100, 30, 100), max_waking=1)
    jobs = jobs_of(*[(100, 10, 1)] * 3)
    ran = run(fleet(Nodes(3, 1)), [staggered], jobs, 200_000)
    assert starts(ran) == [130, 140, 150]
    assert list(ran.first_node) == [0, 0, 0]
    assert (list(ran.wake_ups), list(ran.cancelled)) == ([1, 1, 0], [0, 1, 0])
    assert spent(ran, 1) == [10, 5, 115 + 50, 20]


def test_the_node_that_began_its_descent_last_is_woken_first(run: Run) -> None:
    jobs = jobs_of((0, 30, 1), (0, 20, 1), (100, 5, 1))
    ran = run(fleet(Nodes(3, 1)), [SLEEP], jobs, 200_000)
    assert list(ran.first_node) == [0, 1, 0]
    in_time = jobs_of((0, 30, 1), (0, 20, 1), (43, 5, 1))  # node 0 enters from 40 to 45 s
    ran = run(fleet(Nodes(3, 1)), [SLEEP], in_time, 200_000)
    assert list(ran.first_node) == [0, 1, 1]
    untouched = run(fleet(Nodes(3, 1)), [SLEEP], jobs_of((100, 5, 1)), 200_000)
    assert list(untouched.wake_ups) == [1, 0, 0]  # all descended at once: the lowest


def test_nodes_entering_their_first_state_are_woken_where_no_other_is_left(run: Run) -> None:
    jobs = jobs_of((0, 30, 1), (42, 50, 1), (42, 50, 1))
    ran = run(fleet(Nodes(2, 1)), [SLEEP], jobs, 200_000)
    assert list(ran.wake_ups) == [1, 1]
    assert starts(ran) == [0, 42 + 30, 45 + 30]
    assert list(ran.first_node) == [0, 1, 0]


def test_a_gang_waits_for_the_node_that_sleeps(run: Run) -> None:
    ladder = states((60, 5, 10, 100, 30, 100))
    jobs = jobs_of((0, 100, 1), (105, 50, 8))
    ran = run(fleet(Nodes(2, 4)), [ladder], jobs, 300_000)
    assert starts(ran) == [0, 135]
    assert list(ran.wake_ups) == [0, 1]
    both = run(fleet(Nodes(2, 4)), [ladder], jobs_of((200, 50, 8)), 300_000)
    assert starts(both) == [230]
    assert list(both.wake_ups) == [1, 1]


def test_a_gang_with_a_remainder_wakes_a_node_for_it(run: Run) -> None:
    ladder = states((60, 5, 10, 100, 30, 100))
    jobs = jobs_of((0, 300, 1), (200, 50, 11))  # two whole nodes, and 3 that fit beside the first
    ran = run(fleet(Nodes(4, 4)), [ladder], jobs, 300_000)
    assert starts(ran) == [0, 230]
    assert list(ran.wake_ups) == [0, 1, 1, 0]
    fuller = run(fleet(Nodes(4, 4)), [ladder], jobs_of((0, 300, 2), (200, 50, 11)), 300_000)
    assert list(fuller.wake_ups) == [0, 1, 1, 1]


def test_jobs_of_parts_of_a_node_share_the_one_that_is_woken(run: Run) -> None:
    ran = run(fleet(Nodes(2, 8)), [SLEEP], jobs_of((100, 9, 3), (100, 9, 3), (100, 9, 2)), 200_000)
    assert starts(ran) == [130, 130, 130]
    assert list(ran.wake_ups) == [1, 0]
    best_fit = jobs_of((100, 9, 5), (100, 9, 4), (100, 9, 3), (100, 9, 4))
    ran = run(fleet(Nodes(3, 8)), [SLEEP], best_fit, 200_000)
    assert list(ran.wake_ups) == [1, 1, 0]  # 5 + 3 and 4 + 4
    one_more = jobs_of((100, 9, 5), (100, 9, 4), (100, 9, 3), (100, 9, 4), (100, 9, 1))
    ran = run(fleet(Nodes(3, 8)), [SLEEP], one_more, 200_000)
    assert list(ran.wake_ups) == [1, 1, 1]


def test_nodes_kept_free_are_ready_and_replaced(run: Run) -> None:
    ran = run(fleet(Nodes(2, 1)), [SLEEP], jobs_of((100, 100, 1)), 300_000, keep_free=[1])
    assert starts(ran) == [100]
    assert list(ran.wake_ups) == [0, 1]
    assert spent(ran, 0) == [300, 0, 0, 0]
    # Woken to stand in for node 0, let go when that is idle again: it was due long before.
    assert spent(ran, 1) == [10 + 70, 5 + 5, 85 + 95, 30]


def test_nodes_kept_awake_may_be_busy(run: Run) -> None:
    ran = run(fleet(Nodes(2, 1)), [SLEEP], jobs_of((100, 100, 1)), 300_000, keep_awake=[1])
    assert starts(ran) == [100]
    assert list(ran.wake_ups) == [0, 0]
    assert spent(ran, 0) == [300, 0, 0, 0]
    assert spent(ran, 1) == [10, 5, 285, 0]
    both = run(
        fleet(Nodes(3, 1)), [SLEEP], jobs_of((100, 100, 1)), 300_000, keep_awake=[2], keep_free=[1]
    )
    assert list(both.wake_ups) == [0, 0, 0]
    assert [row[0] for row in both.state_ms] == [300_000, 300_000, 10_000]


def test_a_state_without_latency_takes_jobs_as_if_awake(run: Run) -> None:
    ladder = states((10, 0, 50, 100, 0, 100), (60, 5, 10, 100, 30, 100))
    ran = run(fleet(Nodes(2, 1)), [ladder], jobs_of((20, 100, 1), (100, 10, 1)), 200_000)
    assert starts(ran) == [20, 120]  # the second takes node 0, which is free before 130 s
    assert (list(ran.wake_ups), list(ran.cancelled)) == ([1, 1], [0, 1])
    assert spent(ran, 0) == [10 + 100 + 10 + 10, 0, 10 + 50, 0, 5, 5, 0]
    assert spent(ran, 1) == [10, 0, 50, 0, 5, 35 + 80, 20]


def test_a_state_below_one_without_latency_is_woken_as_any_other(run: Run) -> None:
    ladder = states((10, 0, 50, 100, 0, 100), (60, 5, 10, 100, 30, 100))
    ran = run(fleet(Nodes(1, 1)), [ladder], jobs_of((100, 10, 1)), 200_000)
    assert starts(ran) == [130]
    assert spent(ran, 0) == [10 + 10 + 10, 0, 50 + 50, 0, 5, 35, 30]


def test_a_wake_up_of_no_time_is_over_at_the_same_instant(run: Run) -> None:
    ladder = states((10, 5, 10, 100, 0, 100))
    ran = run(fleet(Nodes(1, 1)), [ladder], jobs_of((12, 10, 1), (100, 10, 1)), 200_000)
    assert starts(ran) == [15, 100]
    assert list(ran.wake_ups) == [2]


def test_a_ladder_taken_at_once_leaves_no_idle_time(run: Run) -> None:
    ladder = states((0, 0, 15, 100, 30, 600))
    jobs = jobs_of((100, 10, 1), (140, 10, 1), (200, 10, 1))
    ran = run(fleet(Nodes(1, 1)), [ladder], jobs, 300_000)
    assert starts(ran) == [130, 140, 230]  # the second arrives as the first ends
    assert spent(ran, 0) == [30, 0, 210, 60]


def test_wake_times_and_timers_are_drawn_in_order(run: Run) -> None:
    jobs = jobs_of((100, 1000, 1), (100, 1000, 1))
    ran = run(fleet(Nodes(2, 1)), [SLEEP], jobs, 300_000, wake_draws=[[50_000, 7_000]])
    assert starts(ran) == [107, 150]
    assert list(ran.first_node) == [1, 0]
    ran = run(fleet(Nodes(2, 1)), [SLEEP], jobs_of((300, 1, 1)), 200_000,
              timer_draws=[[5_000, 90_000]])  # fmt: skip
    assert [row[0] for row in ran.state_ms] == [5_000, 90_000]


def test_timers_are_drawn_by_nodes_that_are_idle_after_the_pass(run: Run) -> None:
    """At 30 s node 0 ends a job and takes the next: the third draw is node 1's, idle at 40 s."""
    jobs = jobs_of((0, 30, 1), (0, 40, 1), (30, 100, 1))
    draws = [[1_000_000, 1_000_000, 20_000, 1_000_000]]
    ran = run(fleet(Nodes(2, 1)), [SLEEP], jobs, 120_000, timer_draws=draws)
    assert [row[0] for row in ran.state_ms] == [120_000, 60_000]


def routed(*rows: tuple[float, float, int], routes: Sequence[tuple[int, ...]]) -> JobTable:
    return jobs_of(*rows, route=np.arange(len(rows)) % len(routes), routes=routes)


def test_a_job_counts_at_the_first_cluster_that_can_meet_its_need(run: Run) -> None:
    two = fleet(Nodes(1, 1), Nodes(1, 1))
    both_asleep = run(two, [SLEEP, SLEEP], routed((100, 9, 1), routes=[(1, 0)]), 200_000)
    assert list(both_asleep.wake_ups) == [0, 1]
    first_busy = run(
        two, [SLEEP, SLEEP], routed((0, 150, 1), (100, 9, 1), routes=[(0,), (0, 1)]), 200_000
    )
    assert starts(first_busy) == [0, 130]
    assert list(first_busy.cluster) == [0, 1]
    always_on = run(
        two, [None, SLEEP], routed((0, 150, 1), (100, 9, 1), routes=[(0,), (0, 1)]), 200_000
    )
    assert starts(always_on) == [0, 130]
    nowhere = run(two, [SLEEP, SLEEP], routed(*[(100, 9, 1)] * 3, routes=[(0, 1)]), 200_000)
    assert list(nowhere.wake_ups) == [1, 1]
    assert starts(nowhere) == [130, 130, 139]


def test_a_draining_run_ends_with_its_last_job(run: Run) -> None:
    jobs = jobs_of((0, 50, 1), (40, 30, 1))
    ran = run(fleet(Nodes(2, 1)), [DOZE_THEN_OFF], jobs, 41_000, drain=True)
    assert starts(ran) == [0, 50]
    assert ran.state_ms.sum(axis=1).tolist() == [80_000, 80_000]
    assert list(ran.cancelled) == [0, 1]


def test_a_run_is_cut_off_at_its_end(run: Run) -> None:
    ran = run(fleet(Nodes(1, 1)), [SLEEP], jobs_of((20, 100, 1)), 35_000)
    assert starts(ran) == [-1]
    assert spent(ran, 0) == [10, 5, 5, 15]
    assert (list(ran.wake_ups), list(ran.cancelled)) == ([1], [0])
