"""Preemption by hand: Gantt charts that the engine and the plain reference both keep to.

Times are in ms. A job is (submit, duration, accelerators, priority); a chart gives the runs of each
job as (start, end), the last one last, and of those that were cut short the work kept and the time
lost.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from simulator.engine import Preempting, Queues, simulate
from simulator.policies.queue_rule import QueueRule
from simulator.workload.checkpoints import Saving
from tests.builders import Nodes, awake, failing, fleet, job_table
from tests.oracle.failing import Saves
from tests.oracle.preempting import PreemptingRun, Way
from tests.oracle.scheduling import Job, Rule

RESTART = Way(suspends=False)
AT_ONCE = Way(suspends=True)
NEVER = 2**60
Run = tuple[int, int]


@dataclass(frozen=True)
class Chart:
    """Jobs on nodes of 8 accelerators, and what becomes of them."""

    jobs: list[tuple[int, int, int, int]]
    runs: list[list[Run]]
    cut: list[tuple[int, int]] = field(default_factory=list)  # kept and lost, in order of time
    nodes: int = 1
    way: Way = RESTART
    rule: Rule = Rule()  # noqa: RUF009 - frozen
    saves: Saves | None = None
    fixed: tuple[int, ...] = ()  # jobs that are not preemptible
    first_failure_ms: tuple[int, ...] = ()  # by node; repaired after 2 ms, never again


CHARTS = {
    # B takes 4 of 8 from A at 4, which begins anew once B has ended.
    "restart": Chart(
        [(0, 10, 8, 0), (4, 3, 4, 1)],
        [[(0, 4), (7, 17)], [(4, 7)]],
        [(0, 4)],
    ),
    # [0,3] work, [3,4] checkpoint; at 5 1 ms of work is lost. Then 1 + 7 of work + 2 checkpoints.
    "from a checkpoint": Chart(
        [(0, 10, 8, 0), (5, 3, 8, 1)],
        [[(0, 5), (8, 18)], [(5, 8)]],
        [(3, 1)],
        saves=Saves(interval_ms=3, cost_ms=1, restart_ms=1),
    ),
    "suspended at once": Chart(
        [(0, 10, 8, 0), (4, 3, 4, 1)],
        [[(0, 4), (7, 13)], [(4, 7)]],
        [(4, 0)],
        way=AT_ONCE,
    ),
    # A saves its state in [4, 6], and takes 1 ms before it does the 6 ms that are left.
    "suspended with costs": Chart(
        [(0, 10, 8, 0), (4, 3, 4, 1)],
        [[(0, 6), (9, 16)], [(6, 9)]],
        [(4, 2)],
        way=Way(suspends=True, suspend_ms=2, resume_ms=1),
    ),
    # A is suspended a second time while it resumes: no work, and it resumes anew.
    "suspended while it resumes": Chart(
        [(0, 10, 8, 0), (4, 3, 4, 1), (9, 1, 4, 1)],
        [[(0, 5), (8, 10), (11, 19)], [(5, 8)], [(10, 11)]],
        [(4, 1), (0, 1)],
        way=Way(suspends=True, suspend_ms=1, resume_ms=2),
    ),
    # [0,3] work, [3,4] checkpoint, [4,6] work: all 5 are kept. Then 2 to resume, 3 of work, a
    # checkpoint and 2 of work; the last checkpoint and the restart time have no part in it.
    "suspended between checkpoints": Chart(
        [(0, 10, 8, 0), (6, 3, 8, 1)],
        [[(0, 6), (9, 17)], [(6, 9)]],
        [(5, 0)],
        way=Way(suspends=True, resume_ms=2),
        saves=Saves(interval_ms=3, cost_ms=1, restart_ms=5),
    ),
    # The lowest priority goes first, of these the latest started: Y, then X. X alone makes room for
    # a whole node, so Y is spared; Z is of a priority in between.
    "spared": Chart(
        [(0, 20, 8, 0), (1, 20, 2, 0), (2, 20, 6, 1), (5, 5, 8, 2)],
        [[(0, 5), (10, 30)], [(1, 21)], [(2, 22)], [(5, 10)]],
        [(0, 5)],
        nodes=2,
    ),
    # A whole node and 4 more: E, C and A are taken. C is spared, and E not, though either would do.
    "the last taken is spared first": Chart(
        [(0, 20, 8, 0), (1, 20, 4, 9), (2, 20, 4, 0), (3, 20, 4, 9), (4, 20, 4, 0), (5, 5, 12, 5)],
        [[(0, 5), (10, 30)], [(1, 21)], [(2, 22)], [(3, 23)], [(4, 5), (10, 30)], [(5, 10)]],
        [(0, 1), (0, 5)],
        nodes=3,
    ),
    "the later started first": Chart(
        [(0, 20, 8, 0), (1, 20, 8, 0), (5, 5, 8, 2)],
        [[(0, 20)], [(1, 5), (10, 30)], [(5, 10)]],
        [(0, 4)],
        nodes=2,
    ),
    "the higher row first": Chart(
        [(0, 20, 8, 0), (0, 20, 8, 0), (5, 5, 8, 2)],
        [[(0, 20)], [(0, 5), (10, 30)], [(5, 10)]],
        [(0, 5)],
        nodes=2,
    ),
    "the lower priority first": Chart(
        [(0, 20, 8, 0), (1, 20, 8, 1), (5, 5, 8, 2)],
        [[(0, 5), (10, 30)], [(1, 21)], [(5, 10)]],
        [(0, 5)],
        nodes=2,
    ),
    # Half of the node belongs to a job of higher priority: ending A would not suffice.
    "not even all suffice": Chart(
        [(0, 10, 4, 0), (0, 12, 4, 2), (4, 3, 8, 1)],
        [[(0, 10)], [(0, 12)], [(12, 15)]],
    ),
    "equal priority": Chart([(0, 10, 8, 1), (4, 3, 4, 1)], [[(0, 10)], [(10, 13)]]),
    "not preemptible": Chart([(0, 10, 8, 0), (4, 3, 4, 1)], [[(0, 10)], [(10, 13)]], fixed=(0,)),
    # At 6 nothing happens but that A may be preempted now.
    "after": Chart(
        [(0, 10, 8, 0), (2, 3, 4, 1)],
        [[(0, 6), (9, 19)], [(6, 9)]],
        [(0, 6)],
        way=Way(suspends=False, after_ms=6),
    ),
    # The first 6 ms of each run: A runs again from 9 on, and gives way at 15.
    "after in each run": Chart(
        [(0, 10, 8, 0), (2, 3, 4, 1), (10, 2, 8, 1)],
        [[(0, 6), (9, 15), (17, 27)], [(6, 9)], [(15, 17)]],
        [(0, 6), (0, 6)],
        way=Way(suspends=False, after_ms=6),
    ),
    # H1 has B suspended. H2 comes, of higher priority, and takes what B leaves: nobody else is
    # suspended for it. Then H1 waits first again, and has A suspended.
    "what is to come counts": Chart(
        [(0, 20, 8, 0), (0, 20, 8, 0), (4, 20, 8, 1), (5, 20, 8, 2)],
        [[(0, 10), (27, 40)], [(0, 7), (30, 46)], [(10, 30)], [(7, 27)]],
        [(4, 3), (7, 3)],
        nodes=2,
        way=Way(suspends=True, suspend_ms=3),
    ),
    # The head's time is 15, when A is suspended: S ends by then, L would not. A has its old place.
    "easy": Chart(
        [(0, 100, 6, 0), (10, 5, 8, 1), (10, 5, 1, 0), (10, 6, 1, 0)],
        [[(0, 15), (20, 110)], [(15, 20)], [(10, 15)], [(20, 26)]],
        [(10, 5)],
        way=Way(suspends=True, suspend_ms=5),
        rule=Rule(backfill="easy"),
    ),
    # One hour of waiting, here 10 ms, counts as one priority: A, submitted 100 ms before, is served
    # first whatever happens, and would take its nodes back at once.
    "ahead in the queue": Chart(
        [(0, 200, 8, 0), (100, 3, 4, 1)],
        [[(0, 200)], [(200, 203)]],
        rule=Rule(order="priority", ageing_ms=10),
    ),
    "behind in the queue": Chart(
        [(0, 200, 8, 0), (5, 3, 4, 1)],
        [[(0, 5), (8, 208)], [(5, 8)]],
        [(0, 5)],
        rule=Rule(order="priority", ageing_ms=10),
    ),
    # H needs 2: B, of higher row than A, goes, and waits before C, which would fit beside H.
    "back in the old place": Chart(
        [(0, 10, 4, 0), (0, 10, 4, 0), (0, 5, 2, 0), (2, 3, 2, 1)],
        [[(0, 10)], [(0, 2), (5, 15)], [(10, 15)], [(2, 5)]],
        [(0, 2)],
    ),
    # A leaves node 0 to H, and finds room beside C on node 1 at the same instant.
    "moved aside": Chart(
        [(0, 9, 1, 0), (0, 2, 7, 0), (1, 9, 7, 2), (3, 5, 8, 1)],
        [[(0, 3), (3, 12)], [(0, 2)], [(1, 10)], [(3, 8)]],
        [(0, 3)],
        nodes=2,
    ),
    "a job of no duration": Chart(
        [(0, 10, 8, 0), (4, 0, 4, 1)],
        [[(0, 4), (4, 14)], [(4, 4)]],
        [(0, 4)],
    ),
    # The node fails as A is suspended: nothing is kept, the job goes on from zero.
    "a failure while it is suspended": Chart(
        [(0, 10, 8, 0), (4, 3, 4, 1)],
        [[(0, 5), (10, 20)], [(7, 10)]],
        [(0, 5)],
        way=Way(suspends=True, suspend_ms=3),
        first_failure_ms=(5,),
    ),
    # A kept 4 of 10 as it was suspended, and loses the 3 since: it resumes again.
    "a failure after it was suspended": Chart(
        [(0, 10, 8, 0), (4, 3, 4, 1)],
        [[(0, 4), (7, 11), (13, 20)], [(4, 7)]],
        [(4, 0), (0, 4)],
        way=Way(suspends=True, resume_ms=1),
        first_failure_ms=(11,),
    ),
}


def by_reference(chart: Chart) -> tuple[list[list[Run]], list[tuple[int, int]]]:
    jobs = [Job(s, d, d, gpus, priority) for s, d, gpus, priority in chart.jobs]
    times: tuple[Any, ...] = ()
    if chart.first_failure_ms:
        times = [[at, NEVER] for at in chart.first_failure_ms], [[2]] * chart.nodes
    done = PreemptingRun(
        jobs, [row not in chart.fixed for row in range(len(jobs))], chart.nodes, 8, chart.rule,
        chart.way, chart.saves, *times,
    ).finish()  # fmt: skip
    runs: list[list[Run]] = [[] for _ in jobs]
    for piece in done.pieces:
        runs[piece.row].append((piece.start_ms, piece.end_ms))
    for row, fate in enumerate(done.fates):
        runs[row].append((fate.start_ms, fate.end_ms))
    return runs, [(piece.kept_ms, piece.lost_ms) for piece in done.pieces]


def by_engine(chart: Chart) -> tuple[list[list[Run]], list[tuple[int, int]]]:
    submit, duration, gpus, priority = zip(*chart.jobs, strict=True)
    here = fleet(Nodes(chart.nodes))
    power = awake(here)
    if chart.first_failure_ms:
        repairs = [[2] * chart.nodes]
        power = failing(here, [list(chart.first_failure_ms)], repairs)
    saving: tuple[Saving, ...] = ()
    if (saves := chart.saves) is not None:
        saving = (Saving(saves.interval_ms, saves.cost_ms, saves.restart_ms, saves.at_end),)
    table = job_table(
        submit, duration, gpus, priority=priority, savings=saving,
        preemptible=[row not in chart.fixed for row in range(len(chart.jobs))],
    )  # fmt: skip
    order = {"priority": "ageing"}.get(chart.rule.order, chart.rule.order)
    rule = QueueRule(order, ageing_ms=chart.rule.ageing_ms, backfill=chart.rule.backfill)
    way = chart.way
    how = Preempting(way.suspends, way.after_ms, way.suspend_ms, way.resume_ms)
    log = simulate(
        here, table, power, end_ms=1_000, on_log=lambda log, rows: None,
        queues=Queues((rule,), (0,), preempting=(how,)),
    )  # fmt: skip
    cut = log.pieces
    assert cut is not None
    runs: list[list[Run]] = [[] for _ in chart.jobs]
    for row, *run in zip(cut.job.tolist(), cut.start_ms.tolist(), cut.end_ms.tolist(), strict=True):
        runs[row].append((run[0], run[1]))
    for row, run in enumerate(zip(log.start_ms.tolist(), log.end_ms.tolist(), strict=True)):
        runs[row].append(run)
    return runs, list(zip(cut.kept_ms.tolist(), cut.lost_ms.tolist(), strict=True))


@pytest.mark.parametrize("name", CHARTS)
def test_the_reference_keeps_to_the_chart(name: str) -> None:
    chart = CHARTS[name]
    assert by_reference(chart) == (chart.runs, chart.cut)


@pytest.mark.parametrize("name", CHARTS)
def test_the_engine_keeps_to_the_chart(name: str) -> None:
    chart = CHARTS[name]
    assert by_engine(chart) == (chart.runs, chart.cut)
