"""Racks of nodes: what scenarios may say of them, timelines worked by hand, results, edges."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.engine import simulate
from simulator.errors import InputError
from simulator.fleet import Racks
from simulator.joblog import JobLog
from simulator.results import Results
from simulator.scenario import Scenario, from_document
from simulator.simulation import run
from simulator.workload.checkpoints import Saving
from tests.builders import Nodes, failing, fleet, job_table, scenario_document, write_jobs
from tests.policy_runs import same_bytes

PLAIN = "submit_s,duration_s,gpus"
COLUMNS = f"{PLAIN},requested_s"


def document(folder: Path, rows: Any, columns: str = COLUMNS, **keys: Any) -> dict[str, Any]:
    """Return four nodes of 4 accelerators, two to a rack, at half speed across racks."""
    keys = {
        "nodes": {"accelerators": 4},
        "clusters__c__count": 4,
        "clusters__c__racks": {"nodes": 2, "cross_rack_speed": 0.5},
        "clusters__c__placement": "locality",
        "drain": True,
        **keys,
    }
    keys = {key: value for key, value in keys.items() if value is not None}
    return scenario_document(write_jobs(folder / "jobs.csv", rows, columns), **keys)


def results_of(folder: Path, rows: Any, columns: str = COLUMNS, **keys: Any) -> Results:
    return run(from_document(document(folder, rows, columns, **keys))).results


def course(results: Results) -> list[tuple[float, ...]]:
    """Return start, end, nodes and racks of each job."""
    columns = results.jobs[["start_s", "end_s", "nodes", "racks"]]
    return [tuple(row) for row in columns.itertuples(index=False)]


# -- worked by hand -------------------------------------------------------------------------------
#
#           0    10   20        50        70   80   90   100     locality: D and E wait for a rack
# node 0    A-----------------------------------------------     and take one
# node 1    B-----------------------------------------------     (B holds half of it)
# node 2         C-----------------------D---------E----
# node 3         C-----------------------D---------E----         (D holds half of it)
#
# node 0    A-----------------------------------------------     pack: D takes node 2 and the rest
# node 1    B-----------------------D-------------------...      of node 1, in two racks: 40 s
# node 2         C-----------------------D-------------E----     in place of 20
# node 3         C----------------------- ...          E----

GANTT = [(0, 100, 4), (0, 100, 2), (10, 40, 8), (20, 20, 6), (60, 10, 8)]


def test_locality_keeps_a_gang_in_one_rack_and_pack_does_not(tmp_path: Path) -> None:
    local = results_of(tmp_path, GANTT, PLAIN)
    assert course(local) == [
        (0, 100, 1, 1), (0, 100, 1, 1), (10, 50, 2, 1), (50, 70, 2, 1), (70, 80, 2, 1),
    ]  # fmt: skip
    assert local.summary["cross_rack_share"] == 0
    packed = results_of(tmp_path, GANTT, PLAIN, clusters__c__placement="pack")
    assert course(packed) == [
        (0, 100, 1, 1), (0, 100, 1, 1), (10, 50, 2, 1), (50, 90, 2, 2), (90, 100, 2, 1),
    ]  # fmt: skip
    # Gangs of several nodes: C 8 x 40 s, D 6 x 40 s across racks, E 8 x 10 s.
    assert packed.summary["cross_rack_share"] == pytest.approx(240 / 640)


def test_a_small_job_goes_to_the_rack_with_the_fewest_free_and_its_fullest_node(
    tmp_path: Path,
) -> None:
    """Racks have 5, 3 and 5 free of 8 when the last job comes; it takes node 3, which has 2."""
    rows = [(0, 90, 3), (1, 90, 4), (2, 90, 1), (3, 90, 4), (4, 90, 3), (5, 90, 2)]
    done = run(from_document(document(tmp_path, rows, PLAIN, clusters__c__count=6)))
    assert done.log.first_node.tolist() == [0, 1, 0, 2, 3, 4]
    rows = [(0, 90, 4), (1, 90, 3), (2, 90, 4), (3, 90, 2), (4, 90, 1), (5, 90, 2)]
    done = run(from_document(document(tmp_path, rows, PLAIN, clusters__c__count=4)))
    assert done.log.first_node.tolist() == [0, 1, 2, 3, 1, 3]


def test_a_gang_too_large_for_a_rack_takes_whole_ones_first(tmp_path: Path) -> None:
    """Racks are {0 1 2}, {3 4 5} and {6 7}, with nodes of 4.

    At 1 s nodes 0 to 2 are held, and half of node 6. For 3 whole nodes and 2 more none has room:
    the gang takes the second rack, and the rest the half node of the third. At 60 s all but the
    half of node 6 is free. For 5 whole nodes and 2 more the first rack comes first, as the second
    has as many empty nodes; the rest lies on the sixth node of the two.
    """
    rows = [(0, 50, 12), (0, 90, 2), (1, 20, 14), (60, 20, 22)]
    keys = {"clusters__c__count": 8, "clusters__c__racks": {"nodes": 3}}
    done = run(from_document(document(tmp_path, rows, PLAIN, **keys)))
    assert done.log.start_ms.tolist() == [0, 0, 1000, 60_000]
    assert done.log.first_node.tolist() == [0, 6, 3, 0]
    assert done.log.part_node.tolist() == [-1, 6, 6, 5]
    assert done.results.jobs["racks"].tolist() == [1, 1, 2, 2]


def test_easy_backfill_counts_the_speed_across_racks(tmp_path: Path) -> None:
    """The head needs all from 100 s on; C would end at 80 s in one rack, at 140 s across two."""
    rows = [(0, 100, 4, 100), (10, 10, 16, 10), (20, 60, 8, 60)]
    keys = {"clusters__c__queue": "easy-backfill"}
    assert course(results_of(tmp_path, rows, **keys)) == [
        (0, 100, 1, 1), (100, 120, 4, 2), (20, 80, 2, 1),
    ]  # fmt: skip
    assert course(results_of(tmp_path, rows, clusters__c__placement="pack", **keys)) == [
        (0, 100, 1, 1), (100, 120, 4, 2), (120, 180, 2, 1),
    ]  # fmt: skip


def test_a_running_gang_across_racks_is_expected_to_end_later(tmp_path: Path) -> None:
    """A runs across racks until 200 s, as expected; so B, which asks for 150 s, passes the head."""
    rows = [(0, 100, 12, 100), (10, 10, 16, 10), (20, 150, 4, 150)]
    found = course(results_of(tmp_path, rows, clusters__c__queue="easy-backfill"))
    assert found == [(0, 200, 3, 2), (200, 220, 4, 2), (20, 170, 1, 1)]


# -- what racks leave alone -----------------------------------------------------------------------


@pytest.mark.parametrize("queue", ["fifo", "shortest-first", "easy-backfill"])
@pytest.mark.parametrize("placement", ["pack", "first-fit", "spread"])
def test_racks_of_full_speed_change_no_result(queue: str, placement: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    submit = np.sort(rng.integers(0, 900, 120))
    rows = list(zip(submit, rng.integers(0, 60, 120), rng.integers(1, 17, 120), strict=True))
    keys = {"clusters__c__queue": queue, "clusters__c__placement": placement}
    said = document(tmp_path, rows, PLAIN, **keys)
    said["clusters"]["c"]["racks"] = {"nodes": 3}
    racked = run(from_document(said))
    assert racked.log.racks is not None
    assert racked.log.racks.max() == 2
    del said["clusters"]["c"]["racks"]
    plain = run(from_document(said))
    assert plain.log.racks is None
    assert plain.results.summary["cross_rack_share"] is None
    mine, others = racked.results.tables["jobs"], plain.results.tables["jobs"]
    assert set(mine.column_names) - set(others.column_names) == {"nodes", "racks"}
    assert mine.select(others.column_names).equals(others)
    for name in ("hourly", "nodes"):
        assert racked.results.tables[name].equals(plain.results.tables[name])


def test_one_rack_of_all_nodes_is_pack(tmp_path: Path) -> None:
    rows = [(s, 30 + s % 7, 1 + s % 15) for s in range(0, 300, 3)]
    local = run(from_document(document(tmp_path, rows, PLAIN,
                                       clusters__c__racks={"nodes": 99})))  # fmt: skip
    packed = run(from_document(document(tmp_path, rows, PLAIN,
                                        clusters__c__racks={"nodes": 99},
                                        clusters__c__placement="pack")))  # fmt: skip
    same_bytes(local, packed)
    assert set(local.results.jobs["racks"]) == {1}


def test_jobs_that_hold_nothing_and_clusters_without_racks_have_none(tmp_path: Path) -> None:
    said = document(tmp_path, [(0, 0, 8), (0, 10, 8), (0, 10, 4)], PLAIN)
    said["clusters"]["d"] = {"site": "s", "node": "n", "count": 4}
    said["workloads"]["x"] = {**said["workloads"]["w"], "clusters": ["d"]}
    jobs = run(from_document(said)).results.jobs
    assert jobs["nodes"].fillna(-1).tolist() == [-1, 2, 1] * 2
    assert jobs["racks"].fillna(-1).tolist() == [-1, 1, 1, -1, -1, -1]


def test_the_share_covers_the_counted_period(tmp_path: Path) -> None:
    """12 accelerators across racks for 100 s, of which 40 s count, then 8 in one rack for 60 s."""
    rows = [(0, 50, 12), (100, 60, 8)]
    keys = {"warm_up": "60 s", "horizon": "160 s", "drain": False}
    summary = results_of(tmp_path, rows, PLAIN, **keys).summary
    assert summary["cross_rack_share"] == pytest.approx(12 * 40 / (12 * 40 + 8 * 60))
    lone = results_of(tmp_path, [(0, 50, 4)], PLAIN, **keys).summary
    assert lone["cross_rack_share"] is None


def test_sleeping_nodes_are_not_taken_and_racks_make_nobody_wait(tmp_path: Path) -> None:
    """Node 0 is held, node 2 sleeps: a gang of 1 and a half node takes nodes 1 and 3, in two racks.

    Nodes go to sleep after 5 s; node 1 was at work until 10 s, node 3 until 12 s.
    """
    nap = {"name": "nap", "after": "5 s", "power": "5 W", "wake_time": "1 h"}
    rows = [(0, 300, 4), (0, 10, 4), (0, 2, 4), (0, 12, 4), (13, 20, 6)]
    said = document(tmp_path, rows, PLAIN)
    said["nodes"]["n"]["idle_states"] = [nap]
    said["clusters"]["c"]["idle"] = "ladder"
    done = run(from_document(said))
    assert done.log.first_node.tolist() == [0, 1, 2, 3, 1]
    assert course(done.results)[4] == (13, 53, 2, 2)


def _racked(log_of: Any, nodes: int, speed: float) -> Any:
    return replace(log_of, racks=Racks(np.array([nodes], np.int64), np.array([speed], np.float64)))


def cut(savings: tuple[Saving | None, ...]) -> JobLog:
    """Run one job of 100 s on two nodes in two racks at half speed; one fails after 50 s."""
    nodes = _racked(fleet(Nodes(count=2, accelerators=1)), 1, 0.5)
    power = failing(nodes, [[50_000, 10**9]], [[10_000, 0]])
    jobs = job_table([0], 100_000, 2, savings=savings)
    return simulate(nodes, jobs, power, end_ms=10_000_000, on_log=lambda log, rows: None)


def test_work_lost_across_racks_is_counted_at_their_speed() -> None:
    log = cut(())
    assert (log.start_ms.tolist(), log.end_ms.tolist()) == ([60_000], [260_000])
    assert log.pieces is not None
    assert log.racks is not None
    assert (log.pieces.racks.tolist(), log.racks.tolist()) == ([2], [2])
    # Saved every 20 s of run time: 40 s at half speed are 20 s of work, and 80 s are left.
    saved = cut((Saving(interval_ms=20_000.0, cost_ms=0, restart_ms=0, at_end=False, rule=None),))
    assert (saved.start_ms.tolist(), saved.end_ms.tolist()) == ([60_000], [220_000])


# -- what scenarios may say -----------------------------------------------------------------------


def problems(said: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        from_document(said)
    return {issue.path: issue.message for issue in caught.value.issues}


REFUSED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "locality without racks": (
        {"clusters__c__racks": None},
        {"clusters.c.placement": '"locality" goes by racks, and there are none; write racks = { '
         "nodes = 16 }"},
    ),
    "conservative": (
        {"clusters__c__queue": "conservative-backfill"},
        {
            "clusters.c.placement": '"locality" is not for conservative backfill, which reserves '
            "nodes for times at which nobody counts what is free in a rack; write easy backfill, "
            "or another placement",
            "clusters.c.racks.cross_rack_speed": "conservative backfill reserves time before it "
            "knows the nodes, so it must not depend on their racks; write easy backfill, or leave "
            "the speed at 1",
        },
    ),
    "numbers": (
        {"clusters__c__racks": {"nodes": 0, "cross_rack_speed": 1.5}},
        {
            "clusters.c.racks.nodes": "0 is out of range; write a whole number from 1 to 33554432",
            "clusters.c.racks.cross_rack_speed": "1.5 is out of range; write a relative speed "
            "above 0 and at most 1",
        },
    ),
    "keys": (
        {"clusters__c__racks": {"node": 2}},
        {
            "clusters.c.racks.node": "unknown key; did you mean 'nodes'?",
        },
    ),
    "no table": (
        {"clusters__c__racks": 16},
        {"clusters.c.racks": "16 is not a table; write { nodes = 16 }"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_why_and_what_to_write(case: str, tmp_path: Path) -> None:
    keys, expected = REFUSED[case]
    found = problems(document(tmp_path, GANTT, PLAIN, **keys))
    assert {path: found.get(path) for path in expected} == expected
    assert len(found) == len(expected)


def test_conservative_backfill_with_pack_and_racks_of_full_speed_runs(tmp_path: Path) -> None:
    keys = {"clusters__c__queue": "conservative-backfill", "clusters__c__placement": "pack"}
    results = results_of(tmp_path, GANTT, PLAIN, clusters__c__racks={"nodes": 2}, **keys)
    assert results.summary["jobs_finished"] == len(GANTT)


def key_of(scenario: Scenario) -> str:
    return scenario.key_text()


def test_racks_leave_no_trace_where_there_are_none(tmp_path: Path) -> None:
    said = document(tmp_path, GANTT, PLAIN, clusters__c__placement="pack")
    racked = from_document(said)
    del said["clusters"]["c"]["racks"]
    plain = from_document(said)
    assert "racks" not in key_of(plain)
    assert "racks" not in plain.document["clusters"]["c"]
    assert '"cross_rack_speed":0.5' in key_of(racked)
    assert racked.replace({"clusters.c.racks": None}).canonical() == plain.canonical()


def test_sizes_of_racks_are_an_axis_of_sweeps(tmp_path: Path) -> None:
    scenario = from_document(document(tmp_path, GANTT, PLAIN))
    axes = {"clusters.c.racks.nodes": [1, 2], "clusters.c.placement": ["pack", "locality"]}
    table = fs.sweep(scenario, axes, seeds=1).runs
    assert table["cross_rack_share"].tolist() == pytest.approx([1.0, 1.0, 240 / 640, 0.0])
