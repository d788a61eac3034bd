"""The engine and the plain reference of preemption agree run for run.

A failure tells the seed. Few small runs are made at every run of the tests; `verify` makes more.
"""

from typing import Any

import numpy as np
import pytest

from simulator.engine import Preempting, Queues, simulate
from simulator.kernels.tables import FAILURE, RESTART, SUSPEND
from simulator.policies.queue_rule import QueueRule
from simulator.workload.checkpoints import Saving
from tests.builders import Nodes, awake, failing, fleet, job_table
from tests.oracle.failing import Saves
from tests.oracle.preempting import PreemptingRun, Way
from tests.oracle.scheduling import Rule
from tests.oracle.scheduling_workloads import random_workload

CAUSES = {"failed": int(FAILURE), "restarted": int(RESTART), "suspended": int(SUSPEND)}
ORDERS = {
    "fifo": "fifo",
    "priority": "ageing",
    "shortest-first": "shortest",
    "deadline-first": "deadline",
}
FEW, FEW_JOBS = 30, 60


@pytest.fixture(autouse=True)
def small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have log and pieces handed over, and failures drawn, many times in a run."""
    monkeypatch.setattr("simulator.engine.state.LOG_ROWS", 7)
    monkeypatch.setattr("simulator.engine.faults.PIECE_ROWS", 2)
    monkeypatch.setattr("simulator.engine.faults.FIRST_ROUNDS", 2)


def random_case(seed: int, most_jobs: int) -> dict[str, Any]:
    """Return a queue of jobs of several priorities, and how they are preempted."""
    rng = np.random.default_rng([9, seed])
    case = random_workload(seed, most_jobs=most_jobs, priorities=False)
    count = len(case.jobs)
    mean_ms = sum(job.duration_ms for job in case.jobs) // count + 1
    levels = int(rng.choice([2, 3, 6]))

    def some_time(share: float) -> int:
        return int(rng.integers(0, max(2, int(share * mean_ms)))) if rng.random() < 0.7 else 0

    saves = None
    if rng.random() < 0.5:
        # The reference goes through every segment of a run: not millions of them.
        interval_ms = max(mean_ms // 500, 1 + some_time(0.7))
        saves = Saves(interval_ms, some_time(0.05), some_time(0.1), bool(rng.random() < 0.5))
    suspends = bool(rng.random() < 0.6)
    way = Way(suspends, some_time(1.0), some_time(0.3) * suspends, some_time(0.3) * suspends)
    lives = repairs = None
    if rng.random() < 0.35:
        lives = 1 + rng.integers(0, 60 * mean_ms, (case.nodes, 600))
        repairs = rng.integers(0, 3 * mean_ms, (case.nodes, 600))
    return {
        "case": case,
        "priority": (rng.integers(0, levels, count) - 1).tolist(),
        "preemptible": (rng.random(count) < rng.choice([0.5, 1.0])).tolist(),
        "rule": Rule(
            order=str(rng.choice(list(ORDERS))),
            ageing_ms=mean_ms * int(rng.integers(1, 6)),
            backfill=str(rng.choice(["none", "easy"])),
            depth=int(rng.choice([1, 3, 1000])),
            placement=str(rng.choice(["pack", "first-fit", "spread"])),
        ),
        "way": way,
        "saves": saves,
        "lives": lives,
        "repairs": repairs,
    }


def by_reference(found: dict[str, Any], jobs: Any) -> PreemptingRun:
    case, lives, repairs = found["case"], found["lives"], found["repairs"]
    times = () if lives is None else (lives.tolist(), repairs.tolist())
    return PreemptingRun(
        jobs, found["preemptible"], case.nodes, case.whole, found["rule"], found["way"],
        found["saves"], *times,
    ).finish()  # fmt: skip


def by_engine(found: dict[str, Any], jobs: Any) -> Any:
    case, rule, way, saves = found["case"], found["rule"], found["way"], found["saves"]
    here = fleet(Nodes(case.nodes, case.whole, rule.placement))
    power = awake(here)
    if found["lives"] is not None:
        power = failing(here, found["lives"].T, found["repairs"].T)
    saving = ()
    if saves is not None:
        saving = (Saving(saves.interval_ms, saves.cost_ms, saves.restart_ms, saves.at_end),)
    table = job_table(
        [job.submit_ms for job in jobs],
        [job.duration_ms for job in jobs],
        [job.gpus for job in jobs],
        priority=[job.priority for job in jobs],
        preemptible=found["preemptible"],
        requested_ms=[job.requested_ms for job in jobs],
        deadline_ms=[np.nan if job.deadline_ms is None else job.deadline_ms for job in jobs],
        savings=saving,
    )
    queue = QueueRule(
        ORDERS[rule.order], by=rule.by, ageing_ms=rule.ageing_ms, backfill=rule.backfill,
        depth=rule.depth,
    )  # fmt: skip
    how = Preempting(way.suspends, way.after_ms, way.suspend_ms, way.resume_ms)
    return simulate(
        here, table, power, end_ms=jobs[-1].submit_ms + 1, drain=True,
        on_log=lambda log, rows: None, queues=Queues((queue,), (0,), preempting=(how,)),
    )  # fmt: skip


def compared(seed: int, most_jobs: int) -> int:
    """Assert that both make the same runs of every job; return how many were preempted."""
    from dataclasses import replace

    found = random_case(seed, most_jobs)
    jobs = [
        replace(job, priority=priority)
        for job, priority in zip(found["case"].jobs, found["priority"], strict=True)
    ]
    wanted = by_reference(found, jobs)
    log = by_engine(found, jobs)
    said = f"seed {seed}, {found}"
    cut = log.pieces
    columns = (cut.job, cut.start_ms, cut.end_ms, cut.cause, cut.kept_ms, cut.lost_ms)
    pieces = sorted(zip(*(column.tolist() for column in columns), strict=True))
    assert pieces == sorted(
        (piece.row, piece.start_ms, piece.end_ms, CAUSES[piece.cause], piece.kept_ms, piece.lost_ms)
        for piece in wanted.pieces
    ), said
    for row, fate in enumerate(wanted.fates):
        run = (log.start_ms[row], log.end_ms[row])
        assert run == (fate.start_ms, fate.end_ms), f"job {row}: {said}"
        if fate.end_ms > fate.start_ms:
            assert log.first_node[row] == min(fate.nodes), f"job {row}: {said}"
        kept_ms = cut.kept_ms[cut.job == row].sum()
        assert kept_ms + log.left_ms[row] == jobs[row].duration_ms, said
    assert (log.stopped_ms == -1).all(), said
    return int((cut.cause != FAILURE).sum())


def seeds(many: int) -> list[Any]:
    """Return first seed, number of workloads and their most jobs: a few fast, many to verify."""
    few = [pytest.param(first, 10, FEW_JOBS, id=f"few-{first}") for first in range(0, FEW, 10)]
    rest = [
        pytest.param(first, 50, 300, id=f"from-{first}", marks=pytest.mark.verify)
        for first in range(0, many, 50)
    ]
    return [*few, *rest]


@pytest.mark.parametrize(("first", "count", "most_jobs"), seeds(600))
def test_the_engine_preempts_as_the_reference(first: int, count: int, most_jobs: int) -> None:
    preempted = [compared(seed, most_jobs) for seed in range(first, first + count)]
    assert sum(preempted) > 0
