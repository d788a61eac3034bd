"""The plain reference of queue rules, held to published charts, cases by hand and properties.

`scheduling_cases.json` has charts of EASY (Lifka 1995; Mu'alem and Feitelson 2001) and of
conservative backfill, worked by hand, with two cases of placement.
"""

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.scheduling import Job, Rule, Run, Start, place, schedule
from tests.oracle.scheduling_workloads import quotas_for, random_workload

CASES = {
    case["name"]: case
    for case in json.loads(Path(__file__).with_name("scheduling_cases.json").read_text())
}
CHARTS = [name for name in CASES if name.startswith("gantt")]
BACKFILL = {"fcfs": "none", "easy": "easy", "conservative": "conservative"}
PLACEMENTS = {"first": "first-fit", "best": "pack", "worst": "spread"}
MIXES = [
    {"order": order, "backfill": backfill, "placement": placement}
    for order in ("fifo", "shortest-first", "priority", "deadline-first")
    for backfill in ("none", "easy", "conservative")
    for placement in ("pack", "first-fit", "spread")
]


def mean(values: list[float]) -> float:
    """Return a mean to the twelve digits of the charts."""
    return float(f"{sum(values) / len(values):.12g}")


def asked(submit_ms: int, duration_ms: int, gpus: int, **more: Any) -> Job:
    """Return a job of somebody who knows how long it takes."""
    return Job(submit_ms, duration_ms, duration_ms, gpus, **more)


def start_ms(jobs: list[Job], nodes: int, whole: int, **rule: Any) -> list[int]:
    return [start.start_ms for start in schedule(jobs, nodes, whole, **rule)]


# Published cases


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_worked_by_hand_start_for_start(name: str) -> None:
    inputs, expected = CASES[name]["inputs"], CASES[name]["expected"]
    names = list(inputs["jobs"])
    jobs = [
        Job(job["submit"], job["runtime"], job["estimate"], job["gpus"])
        for job in inputs["jobs"].values()
    ]
    starts = schedule(jobs, 1, inputs["gpus"], backfill=BACKFILL[inputs["policy"]])
    assert {n: s.start_ms for n, s in zip(names, starts, strict=True)} == expected["start"]
    waits = [s.start_ms - job.submit_ms for s, job in zip(starts, jobs, strict=True)]
    slowdowns = [
        max(1.0, (wait + job.duration_ms) / max(job.duration_ms, 10))
        for wait, job in zip(waits, jobs, strict=True)
    ]
    assert max(s.end_ms for s in starts) == expected["makespan"]
    assert mean(waits) == expected["mean_wait"]
    assert mean(slowdowns) == expected["mean_bounded_slowdown_tau10"]


@pytest.mark.parametrize("fit", PLACEMENTS)
def test_best_worst_and_first_fit(fit: str) -> None:
    case = CASES["placement_best_vs_worst_fit"]
    whole = case["inputs"]["gpus_per_node"]
    free, chosen = [whole] * case["inputs"]["nodes"], []
    for gpus in case["inputs"]["job_gpus_in_order"]:
        nodes = place(free, whole, gpus, PLACEMENTS[fit]) or {}
        for node, held in nodes.items():
            free[node] -= held
        chosen.append(min(nodes, default=-1))
    assert {"node": chosen, "free": free} == case["expected"][fit]


def test_a_gang_of_a_node_waits_though_as_many_are_free_elsewhere() -> None:
    case = CASES["gang_fragmentation_single_node"]
    whole, gpus = case["inputs"]["gpus_per_node"], case["inputs"]["job"]["gpus"]
    held = case["inputs"]["running_gpus_per_node"]
    free = [whole - some for some in held]
    assert sum(free) == case["expected"]["free_gpus"]
    fits = place(free, whole, gpus, "pack") is not None
    assert fits is case["expected"]["can_start_packed"]
    assert (sum(free) >= gpus) is case["expected"]["can_start_if_spread_allowed"]
    jobs = [*(asked(0, 100, some) for some in held), asked(0, 10, gpus)]
    assert start_ms(jobs, len(held), whole) == [0, 0, 0, 0, 100]


# Worked by hand


def test_a_large_gang_takes_the_lowest_empty_nodes_and_one_for_the_remainder() -> None:
    free = [5, 8, 3, 8, 8]
    assert place(free, 8, 19, "pack") == {1: 8, 3: 8, 2: 3}
    assert place(free, 8, 19, "first-fit") == {1: 8, 3: 8, 0: 3}
    assert place(free, 8, 19, "spread") == {1: 8, 3: 8, 4: 3}
    assert place(free, 8, 24, "pack") == {1: 8, 3: 8, 4: 8}
    assert place(free, 8, 30, "pack") is None
    assert place([8, 8, 2], 8, 19, "pack") is None


def test_completions_come_before_arrivals_and_one_pass_after_both() -> None:
    jobs = [asked(0, 10, 4), asked(10, 5, 4), asked(10, 5, 4, priority=1)]
    assert start_ms(jobs, 1, 4) == [0, 15, 10]


def test_a_job_of_no_duration_waits_for_room_and_holds_none() -> None:
    jobs = [asked(0, 10, 3), asked(1, 0, 2), asked(1, 3, 1), Job(20, 0, 50, 4), asked(20, 7, 4)]
    for backfill, third in (("none", 10), ("easy", 1), ("conservative", 1)):
        assert start_ms(jobs, 1, 4, backfill=backfill) == [0, 10, third, 20, 20]


def test_orders() -> None:
    first = asked(0, 10, 4)
    short = [first, asked(1, 6, 4), Job(2, 9, 2, 4), asked(3, 4, 1)]
    assert start_ms(short, 1, 4) == [0, 10, 16, 25]
    by_time = {"order": "shortest-first", "by": "time"}
    assert start_ms(short, 1, 4, **by_time) == [0, 23, 10, 19]
    by_area = {"order": "shortest-first", "by": "area"}
    assert start_ms(short, 1, 4, **by_area) == [0, 23, 14, 10]
    assert start_ms([*short, asked(4, 1, 4, priority=-1)], 1, 4, **by_area)[-1] == 29
    due = [first, asked(1, 5, 4), asked(2, 5, 4, deadline_ms=90), asked(3, 5, 4, deadline_ms=40)]
    assert start_ms(due, 1, 4, order="deadline-first") == [0, 20, 15, 10]


def test_a_priority_is_worth_so_much_waiting() -> None:
    jobs = [asked(0, 100, 4), asked(1, 5, 4), asked(30, 5, 4, priority=1)]
    assert start_ms(jobs, 1, 4, order="priority", ageing_ms=28) == [0, 100, 105]
    assert start_ms(jobs, 1, 4, order="priority", ageing_ms=29) == [0, 100, 105]
    assert start_ms(jobs, 1, 4, order="priority", ageing_ms=30) == [0, 105, 100]


def test_easy_fills_nodes_that_the_head_will_not_need() -> None:
    running = [asked(0, 10, 4), asked(0, 10, 4), asked(0, 30, 1)]
    head = asked(1, 5, 9)  # at 10, on the nodes that come free and one accelerator of the third
    assert start_ms([*running, head, asked(2, 99, 2)], 3, 4, backfill="easy")[3:] == [10, 2]
    assert start_ms([*running, head, asked(2, 99, 3)], 3, 4, backfill="easy")[3:] == [10, 15]


def test_easy_counts_what_was_backfilled_against_what_the_head_leaves_over() -> None:
    jobs = [asked(0, 10, 6), asked(0, 20, 9), asked(1, 99, 2), asked(1, 99, 2), asked(1, 9, 2)]
    assert start_ms(jobs, 1, 12, backfill="easy") == [0, 10, 1, 30, 1]


def test_easy_looks_at_so_many_behind_the_head() -> None:
    jobs = [asked(0, 10, 3), asked(0, 10, 4), asked(1, 20, 1), asked(1, 5, 1)]
    assert start_ms(jobs, 1, 4, backfill="easy", depth=1) == [0, 10, 20, 20]
    assert start_ms(jobs, 1, 4, backfill="easy", depth=2) == [0, 10, 20, 1]


def test_one_that_runs_longer_than_it_asked_for_is_expected_to_end_at_once() -> None:
    late = Job(0, 50, 10, 3)
    jobs = [late, asked(0, 10, 4), asked(10, 2, 1), asked(20, 1, 1)]
    assert start_ms(jobs, 1, 4, backfill="easy") == [0, 50, 60, 20]
    assert start_ms(jobs, 1, 4, backfill="conservative") == [0, 50, 60, 20]


def test_a_conservative_queue_delays_nobody_behind_the_head_either() -> None:
    jobs = [asked(0, 10, 6), asked(0, 5, 8), asked(0, 10, 6), asked(1, 9, 2), asked(1, 14, 2)]
    assert start_ms(jobs, 1, 8, backfill="conservative") == [0, 10, 15, 1, 15]


def test_a_reservation_needs_room_on_the_same_node_all_along() -> None:
    jobs = [
        asked(0, 10, 4),
        asked(0, 20, 2),
        asked(0, 10, 4),  # reserved on the first node from 10 to 20
        asked(0, 15, 3),
        asked(0, 12, 2),
    ]
    assert start_ms(jobs, 2, 4, backfill="conservative") == [0, 0, 10, 20, 0]
    assert start_ms(jobs, 2, 4, backfill="easy") == [0, 0, 10, 20, 0]


def test_a_job_is_placed_by_the_least_that_is_free_while_it_runs() -> None:
    jobs = [asked(0, 5, 3), asked(0, 9, 4), asked(0, 9, 7), asked(0, 6, 1), asked(0, 5, 1)]
    starts = schedule(jobs, 2, 8, backfill="conservative", placement="spread")
    assert [s.start_ms for s in starts] == [0, 0, 5, 0, 0]
    assert [min(s.nodes) for s in starts] == [0, 1, 0, 1, 0]


def test_a_conservative_queue_reserves_for_so_many() -> None:
    jobs = [asked(0, 10, 3), asked(0, 10, 4), asked(1, 20, 1), asked(1, 5, 1)]
    assert start_ms(jobs, 1, 4, backfill="conservative", depth=2) == [0, 10, 20, 20]
    assert start_ms(jobs, 1, 4, backfill="conservative", depth=3) == [0, 10, 20, 1]
    nothing = [asked(0, 0, 1), asked(0, 5, 1)]
    assert start_ms(nothing, 1, 4, backfill="conservative", depth=1) == [0, 0]


def test_a_workload_over_its_quota_is_passed_over() -> None:
    jobs = [
        asked(0, 10, 2, workload=1),
        asked(0, 10, 2, workload=1),
        asked(1, 30, 2),
        asked(2, 30, 4),
        asked(3, 1, 1, workload=1),
    ]
    assert start_ms(jobs, 1, 4) == [0, 0, 10, 40, 70]
    assert start_ms(jobs, 1, 4, quotas={1: 3}) == [0, 10, 1, 31, 61]
    assert start_ms(jobs, 1, 4, quotas={1: 3}, backfill="easy") == [0, 10, 1, 31, 20]


def test_who_is_passed_over_does_not_count_to_the_depth() -> None:
    jobs = [
        asked(0, 100, 1, workload=1),
        asked(0, 10, 6),
        asked(0, 10, 8),
        asked(0, 5, 1, workload=1),
        asked(1, 5, 1),
    ]
    easy = {"backfill": "easy", "depth": 1}
    assert start_ms(jobs, 1, 8, **easy) == [0, 0, 100, 0, 5]
    assert start_ms(jobs, 1, 8, **easy, quotas={1: 1}) == [0, 0, 100, 110, 1]
    reserved = {"backfill": "conservative", "depth": 2}
    assert start_ms(jobs, 1, 8, **reserved) == [0, 0, 100, 0, 5]
    assert start_ms(jobs, 1, 8, **reserved, quotas={1: 1}) == [0, 0, 100, 110, 1]


def test_a_job_that_can_never_start_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        schedule([asked(0, 1, 9)], 2, 4)
    with pytest.raises(ValueError, match="too large"):
        schedule([asked(0, 1, 8)], 2, 4, quotas={0: 7})
    with pytest.raises(ValueError, match="asks for none"):
        Job(0, 1, 0, 1)


# Properties


def most_held(starts: list[Start], node: int) -> int:
    """Return the most accelerators of a node that are held at one instant."""
    here = [start for start in starts if node in start.nodes]
    return max(
        (sum(s.nodes[node] for s in here if s.start_ms <= at.start_ms < s.end_ms) for at in here),
        default=0,
    )


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: " ".join(mix.values()))
def test_what_is_held_exists_and_every_job_runs_as_it_should(mix: dict[str, str]) -> None:
    for seed in range(6):
        case = random_workload(500 + seed, most_jobs=60)
        starts = case.scheduled(Rule(**mix))
        for job, start in zip(case.jobs, starts, strict=True):
            assert start.start_ms >= job.submit_ms, (seed, job)
            assert start.end_ms == start.start_ms + job.duration_ms, (seed, job)
            shape = [case.whole] * (job.gpus // case.whole)
            shape += [job.gpus % case.whole] if job.gpus % case.whole else []
            assert list(start.nodes.values()) == shape, (seed, job)
        for node in range(case.nodes):
            assert most_held(starts, node) <= case.whole, (seed, node)


@pytest.mark.parametrize("backfill", ["none", "easy", "conservative"])
def test_no_workload_holds_more_than_its_quota(backfill: str) -> None:
    for seed in range(20):
        case = random_workload(700 + seed, most_jobs=60, workloads=3)
        quotas = quotas_for(case)
        starts = case.scheduled(Rule(backfill=backfill, quotas=quotas))
        for number, quota in quotas.items():
            own = [
                (job.gpus, start)
                for job, start in zip(case.jobs, starts, strict=True)
                if job.workload == number
            ]
            for _, at in own:
                held = sum(g for g, s in own if s.start_ms <= at.start_ms < s.end_ms)
                assert held <= quota, (seed, number)


def test_nobody_starts_later_than_without_backfill_where_reservations_are_kept() -> None:
    """With exact requests, in the order of arrival, and where no gang is kept out by fragments.

    Jobs that ask for no time have no reservation, so those behind them may delay them.
    """
    earlier = 0
    for seed in range(120):
        case = random_workload(900 + seed, most_jobs=80, requests="exact", priorities=False)
        total = case.nodes * case.whole
        one = {"nodes": 1, "whole": total} if seed % 2 else {"nodes": total, "whole": 1}
        case = replace(case, **one)
        without = case.scheduled(Rule())
        reserved = case.scheduled(Rule(backfill="conservative"))
        for row, (late, early) in enumerate(zip(without, reserved, strict=True)):
            assert early.start_ms <= late.start_ms or not case.jobs[row].requested_ms, (seed, row)
            earlier += early.start_ms < late.start_ms
    assert earlier > 500


@pytest.mark.parametrize("placement", ["pack", "first-fit", "spread"])
def test_the_head_of_an_easy_queue_starts_by_its_first_shadow_time(placement: str) -> None:
    heads = 0
    for seed in range(60):
        requests = "exact" if seed % 2 else "over"
        case = random_workload(1_100 + seed, most_jobs=80, requests=requests, priorities=False)
        rule = Rule(backfill="easy", placement=placement)
        done = Run(case.jobs, case.nodes, case.whole, rule).finish()
        for row, shadow_ms in done.first_shadow_ms.items():
            assert done.starts[row].start_ms <= shadow_ms, (seed, row)
        heads += len(done.first_shadow_ms)
    assert heads > 300


@pytest.mark.parametrize("backfill", ["none", "easy"])
def test_nodes_of_one_accelerator_are_as_good_as_one_node(backfill: str) -> None:
    for seed in range(60):
        case = random_workload(1_300 + seed, most_jobs=80)
        total, rule = case.nodes * case.whole, Rule(backfill=backfill, depth=5)
        together = replace(case, nodes=1, whole=total).scheduled(rule)
        apart = replace(case, nodes=total, whole=1).scheduled(rule)
        assert [s.start_ms for s in together] == [s.start_ms for s in apart], seed


def test_the_random_workloads_are_as_varied_as_they_should_be() -> None:
    counts: Counter[str] = Counter()
    for seed in range(100):
        case = random_workload(seed)
        jobs = case.jobs
        counts["ties"] += any(a.submit_ms == b.submit_ms for a, b in pairwise(jobs))
        counts["no duration"] += any(job.duration_ms == 0 for job in jobs)
        counts["too little asked"] += any(job.requested_ms < job.duration_ms for job in jobs)
        counts["too much asked"] += any(job.requested_ms > job.duration_ms for job in jobs)
        counts["exact"] += all(job.requested_ms == job.duration_ms for job in jobs)
        counts["priorities"] += len({job.priority for job in jobs}) > 1
        counts["all accelerators"] += any(job.gpus == case.nodes * case.whole for job in jobs)
        counts["several nodes"] += any(job.gpus > case.whole for job in jobs)
        counts["many jobs"] += len(jobs) > 150
        starts = case.scheduled(Rule())
        waits = sum(s.start_ms > job.submit_ms for s, job in zip(starts, jobs, strict=True))
        counts["most jobs wait"] += waits > len(jobs) / 2
    assert min(counts.values()) >= 10, counts
    assert counts["most jobs wait"] >= 50, counts
