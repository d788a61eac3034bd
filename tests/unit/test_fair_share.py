"""Fair share in the engine, beside what the plain reference settles: edges, fleets, tables."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.engine import Queues, simulate
from simulator.engine.shares import own_ranks, share_tables
from simulator.engine.state import initial_state
from simulator.kernels import tables as kernels
from simulator.kernels.shares import note_use, use, weigh
from simulator.policies import QueueRule
from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.workload.table import JobTable
from tests.builders import Nodes, awake, fleet, job_table, scenario_document, write_jobs
from tests.oracle.use import use_ms

HALF_LIFE_MS = 10_000
FAIR = QueueRule("fair-share", half_life_ms=HALF_LIFE_MS)
COLUMNS = "submit_s,duration_s,gpus,user,cluster"
ALL = (0, 100, 8)
"""Of a node of eight: from 0 to 100."""


def of_users(users: list[int], submit_ms: Any, duration_ms: Any, gpus: Any = 1, **more: Any) -> Any:
    table = job_table(submit_ms, duration_ms, gpus, **more)
    names = tuple(f"u{number}" for number in range(max(users) + 1))
    return replace(table, user=np.array(users, np.int32), user_names=names)


def start_ms(jobs: JobTable, *nodes: Nodes, rules: tuple[QueueRule, ...] = (FAIR,)) -> list[int]:
    here = fleet(*nodes)
    queues = Queues(rules, (0,) * len(jobs.workload_names))
    log = simulate(
        here, jobs, awake(here), end_ms=10**6, drain=True, on_log=lambda *_: None, queues=queues
    )
    return log.start_ms.tolist()


def results_of(
    folder: Path, rows: list[tuple[Any, ...]], *, ways: str | None = None, **keys: Any
) -> Results:
    document = scenario_document(write_jobs(folder / "jobs.csv", rows, COLUMNS), drain=True, **keys)
    clusters = list(document["clusters"])
    document["workloads"]["w"]["clusters"] = (
        {"among": clusters, "policy": ways} if ways else clusters
    )
    return run(from_document(document)).results


# -- fleets -------------------------------------------------------------------------------------


def test_what_is_held_on_all_clusters_counts(tmp_path: Path) -> None:
    """Cluster d is served in the order of arrival, and what ann holds there counts on c."""
    rows = [
        (*ALL, "bob", "c"),
        (0, 300, 8, "ann", "d"),
        (1, 10, 8, "bob", "c"),
        (2, 10, 8, "ann", "c"),
        (3, 10, 8, "cyd", "c"),
    ]
    fair = {"policy": "fair-share", "half_life": "1 h"}
    keys = {"clusters__c__queue": fair, "clusters__d": {"site": "s", "node": "n", "count": 1}}
    starts = results_of(tmp_path, rows, **keys).jobs["start_s"].tolist()
    assert starts == [0, 0, 110, 120, 100]
    rows[1] = (0, 300, 4, "ann", "d")
    starts = results_of(tmp_path, rows, **keys).jobs["start_s"].tolist()
    assert starts == [0, 0, 120, 110, 100]


def test_a_job_waits_for_several_clusters_in_one_order() -> None:
    """User 0 holds both clusters; their jobs for either or both come after those of user 1."""
    routes = ((0,), (1,), (0, 1))
    jobs = of_users(
        [0, 0, 0, 0, 0, 1, 1, 1],
        [0, 0, 1, 1, 1, 2, 2, 2],
        [50, 60, 9, 9, 9, 9, 9, 9],
        4,
        route=[0, 1, 0, 1, 2, 2, 1, 0],
        routes=routes,
    )
    found = start_ms(jobs, Nodes(1, 4), Nodes(1, 4), rules=(FAIR, FAIR))
    # At 50 user 1's for either takes cluster 0, at 59 their next; then user 0's as they came.
    assert found == [0, 0, 68, 69, 77, 50, 60, 59]


def test_clusters_may_count_by_their_own_half_life_and_party() -> None:
    by_workload = QueueRule("fair-share", of="workload", half_life_ms=5)
    jobs = of_users(
        [0, 1, 0, 1, 0, 1, 0, 1],
        [0, 0, 1, 1, 0, 0, 1, 1],
        [9, 9, 5, 5, 9, 9, 5, 5],
        [4, 2, 6, 6, 4, 2, 6, 6],
        route=[0, 0, 0, 0, 1, 1, 1, 1],
        routes=((0,), (1,)),
    )
    two = replace(
        jobs, workload=np.array([0, 1, 0, 1, 1, 0, 0, 1], np.int16), workload_names=("w", "v"),
        scales=(False, False),
    )  # fmt: skip
    # Until 9 user 0 held 8 and user 1 held 4; both workloads held 6, so the earlier row is first.
    found = start_ms(two, Nodes(1, 6), Nodes(1, 6), rules=(FAIR, by_workload))
    assert found == [0, 0, 14, 9, 0, 0, 9, 14]


def test_jobs_sent_to_a_cluster_as_they_are_submitted_share_it_fairly(tmp_path: Path) -> None:
    """Each takes a whole cluster and is sent to that with less work: c has 99 s at 1, d 118 s at 2.

    At 3 both have 127 s, and c is the first; at 4 d has 126 s. At 100 cyd comes before ann on c, at
    120 dan before bob on d.
    """
    rows = [
        (*ALL, "ann", ""),
        (0, 120, 8, "bob", ""),
        (1, 30, 8, "ann", ""),
        (2, 10, 8, "bob", ""),
        (3, 10, 8, "cyd", ""),
        (4, 10, 8, "dan", ""),
    ]
    fair = {"policy": "fair-share", "half_life": "1 h"}
    keys = {"clusters__c__queue": fair, "clusters__d": {"site": "s", "node": "n", "count": 1}}
    keys["clusters__d"]["queue"] = fair
    jobs = results_of(tmp_path, rows, ways="least-wait", **keys).jobs
    assert jobs["cluster"].tolist() == ["c", "d", "c", "d", "c", "d"]
    assert jobs["start_s"].tolist() == [0, 0, 110, 130, 100, 120]


def test_sleeping_nodes_are_woken_for_whoever_comes_first(tmp_path: Path) -> None:
    """One node of two sleeps; it wakes for 30 s once somebody waits, and bob's job comes first."""
    rows = [
        (0, 400, 8, "ann", ""),
        (200, 60, 8, "ann", ""),
        (200, 60, 8, "bob", ""),
        (205, 500, 8, "bob", ""),
    ]
    sleep = {"name": "sleep", "after": "1 min", "power": "10 W", "wake_time": "30 s"}
    results = results_of(
        tmp_path,
        rows,
        nodes={"idle_states": [sleep]},
        clusters__c__count=2,
        clusters__c__idle="ladder",
        clusters__c__queue="fair-share",
    )
    assert results.jobs["start_s"].tolist() == [0, 400, 230, 290]
    assert results.summary["wake_ups"] == 1


# -- users --------------------------------------------------------------------------------------


def test_one_user_is_served_as_by_fifo() -> None:
    rng = np.random.default_rng(3)
    count = 200
    jobs = job_table(
        np.sort(rng.integers(0, 500, count)), rng.integers(0, 60, count),
        rng.integers(1, 17, count),
        priority=rng.integers(0, 3, count),
    )  # fmt: skip
    fifo = start_ms(jobs, Nodes(2, 8), rules=(QueueRule(),))
    assert start_ms(jobs, Nodes(2, 8)) == fifo
    named = replace(jobs, user=np.zeros(count, np.int32), user_names=("ann",))
    assert start_ms(named, Nodes(2, 8)) == fifo


def test_as_many_users_as_jobs() -> None:
    """Nobody used anything before their only job, so all are served in the order of arrival."""
    count = 1000
    jobs = of_users(list(range(count)), np.arange(count), 10, 1)
    fifo = start_ms(jobs, Nodes(1, 8), rules=(QueueRule(),))
    assert start_ms(jobs, Nodes(1, 8)) == fifo
    assert fifo[-1] > count


def test_lines_are_of_one_user_and_priority_each() -> None:
    users = [0, 1, 0, 1, 0, 2]
    jobs = of_users(users, np.zeros(6), 10, 1, priority=[0, 0, 1, 0, 0, 1])
    rank = np.array([1, 1, 0, 1, 1, 0], np.int32)
    queues = Queues((FAIR,), (0,))
    own = own_ranks(queues, jobs, rank, jobs.route, ((0,),))
    assert own.tolist() == [2, 3, 0, 3, 2, 1]
    plain = Queues((QueueRule(),), (0,))
    assert own_ranks(plain, jobs, rank, jobs.route, ((0,),)) is rank
    assert share_tables(plain, fleet(Nodes()), jobs, ((0,),), 4) is None
    state = initial_state(fleet(Nodes()), jobs, awake(fleet(Nodes())), end_ms=10, queues=queues)
    assert state.queueing is not None
    assert len(state.tables.heads) == 4
    assert state.tables.routes[0, kernels.SOLE] == 1


# -- the tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [1, 100_000, 4_000_000])
@pytest.mark.parametrize("half_life_ms", [1, 7, 604_800_000, 10**15])
def test_use_is_what_was_held_as_it_fades(nodes: int, half_life_ms: int) -> None:
    here = fleet(Nodes(nodes, 8))
    rng = np.random.default_rng([nodes, half_life_ms])
    count = 40
    jobs = job_table(np.zeros(count), 1, rng.integers(1, 8 * nodes // count + 8, count))
    jobs.gpus[:] = np.minimum(jobs.gpus, 8 * nodes)
    rule = QueueRule("fair-share", of="user", half_life_ms=half_life_ms)
    shares = share_tables(Queues((rule,), (0,)), here, jobs, ((0,),), 1)
    assert shares is not None
    small = fleet(Nodes())
    state = initial_state(small, jobs, awake(small), end_ms=10)
    step_ms = max(1, min(half_life_ms // 7, 10**9))
    changes = []
    for job in range(count):
        begin = int(rng.integers(0, 30)) * step_ms
        changes += [(begin, job, 1), (begin + (1 + job % 20) * step_ms, job, -1)]
    changes.sort()
    last_ms = changes[-1][0] + step_ms
    held: dict[int, list[int]] = {}
    for at_ms, job, sign in changes:
        state.tables.clock[kernels.NOW_MS] = at_ms
        note_use(state.tables, shares, np.int64(job), np.int64(sign * jobs.gpus[job]))
        held.setdefault(job, [int(jobs.gpus[job])]).append(at_ms)
    state.tables.clock[kernels.NOW_MS] = last_ms
    weigh(state.tables, shares, 0)
    spans = [(gpus, begin, end) for gpus, begin, end in held.values()]
    wanted_ms = float(use_ms(spans, last_ms, half_life_ms))
    weight = float(shares.books[0, kernels.WEIGHT])
    found_ms = use(shares, 0, 0) / weight * half_life_ms / np.log(2)
    # A weight is a whole number: the use of an accelerator is right to half of 1 at each end.
    rounding_ms = 2 * sum(gpus for gpus, _, _ in spans) / weight * half_life_ms
    assert found_ms == pytest.approx(wanted_ms, rel=1e-9, abs=rounding_ms)
    assert shares.accounts[0, kernels.HOLDS] == 0
    assert 0 <= use(shares, 0, 0) < 2**62


def test_a_run_is_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    rows = [
        (int(at), int(rng.integers(0, 900)), int(rng.integers(1, 9)), f"u{rng.integers(4)}", "")
        for at in np.sort(rng.integers(0, 9000, 150))
    ]
    queue = {"policy": "fair-share", "half_life": "20 min", "backfill": "easy"}
    one = results_of(tmp_path, rows, clusters__c__queue=queue)
    monkeypatch.setattr("simulator.engine.state.LOG_ROWS", 1)
    other = results_of(tmp_path, rows, clusters__c__queue=queue)
    assert one.jobs.equals(other.jobs)
    assert one.summary == other.summary
    assert one.summary["jobs_finished"] == 150
    assert one.summary["waited_share"] > 0.3
