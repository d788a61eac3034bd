"""Jobs that share accelerators, each case worked out by hand.

Nodes have 8 accelerators, 100 W idle and 500 W busy: an accelerator at work draws 50 W, and its
share of idle power is 12.5 W. The grid emits 100 g/kWh.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator import registry
from simulator.engine import sharing as engine
from simulator.errors import InputError
from simulator.explanation.job import job_bill
from simulator.explanation.sums import job_lines
from simulator.exports import batsim_jobs
from simulator.results import load_results
from simulator.scenario import from_document
from simulator.simulation import Simulated, run
from tests.builders import scenario_document, write_jobs
from tests.policy_runs import MINIMAL, policy_document

KWH = 3.6e6
"""Joules."""
OFF = {"name": "off", "after": "5 min", "power": "10 W", "wake_time": "2 min"}


def document_of(
    folder: Path, rows: Sequence[Sequence[Any]], sharing: dict[str, Any] | None = None, **keys: Any
) -> dict[str, Any]:
    """Return a scenario of (submit_s, duration_s, gpus, utilisation) rows."""
    document = scenario_document(write_jobs(folder / "jobs.csv", rows), **keys)
    if sharing is not None:
        document["clusters"]["c"]["sharing"] = sharing
    return document


def with_columns(
    folder: Path,
    rows: Sequence[Sequence[Any]],
    columns: dict[str, list[Any]],
    *more: Any,
    **keys: Any,
) -> dict[str, Any]:
    """Return such a scenario with further columns in its job file."""
    document = document_of(folder, rows, *more, **keys)
    path = folder / "jobs.csv"
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    cells = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    lines = [f"{line},{added}" for line, added in zip(lines, cells, strict=True)]
    path.write_text("\n".join([",".join([head, *columns]), *lines, ""]), encoding="utf-8")
    return document


def ran(*arguments: Any, **keys: Any) -> Simulated:
    return run(from_document(document_of(*arguments, **keys)))


def ends_s(done: Simulated) -> list[float]:
    return list((done.log.end_ms / 1000).tolist())


def stays_of(done: Simulated, job: int) -> list[tuple[float, float, int, float]]:
    """Return begin, end [s], tenants and slowdown of each stay of a job."""
    stays = done.log.stays
    assert stays is not None
    mine = stays.job == job
    columns = (stays.start_ms / 1000, stays.end_ms / 1000, stays.tenants, stays.slowdown)
    rows = zip(*(column[mine].tolist() for column in columns), strict=True)
    return [tuple(row) for row in rows]  # type: ignore[misc]


def test_two_that_overlap_in_part_and_load_more_than_there_is(tmp_path: Path) -> None:
    """Utilisations 0.6 and 0.8 sum up to 1.4, so each runs at 1/1.4 while both are there.

    ::

        0       40              124      164
        |-- A --|---- A, B -----|-- B ---|
          40 s       84 s          40 s
          of A      60 s of each   of B
    """
    rows = [(0, 100, 1, 0.6), (40, 100, 1, 0.8)]
    done = ran(tmp_path, rows, {"jobs": 2, "most_utilisation": 2.0})
    assert ends_s(done) == [124.0, 164.0]
    assert stays_of(done, 0) == [(0.0, 40.0, 1, 1.0), (40.0, 124.0, 2, 1.4)]
    assert stays_of(done, 1) == [(40.0, 124.0, 2, 1.4), (124.0, 164.0, 1, 1.0)]
    jobs, summary = done.results.jobs, done.results.summary
    # The same work takes the same dynamic energy, however long it takes.
    dynamic_j = [0.6 * 100 * 50, 0.8 * 100 * 50]
    idle_j = [12.5 * (40 + 84 / 2), 12.5 * (84 / 2 + 40)]
    np.testing.assert_allclose(jobs["energy_dynamic_kwh"] * KWH, dynamic_j, rtol=1e-12)
    np.testing.assert_allclose(jobs["energy_idle_share_kwh"] * KWH, idle_j, rtol=1e-12)
    kg = [(d + i) / KWH * 0.1 for d, i in zip(dynamic_j, idle_j, strict=True)]
    np.testing.assert_allclose(jobs["operational_kgco2e"], kg, rtol=1e-12)
    assert jobs["slowdown_interference"].tolist() == pytest.approx([1.24, 1.24], rel=1e-12)
    assert jobs["shared_share"].tolist() == pytest.approx([84 / 124, 84 / 124], rel=1e-12)
    busy = [(40 * 0.6 + 84 * 1.0) / 124, (84 * 1.0 + 40 * 0.8) / 124]
    assert jobs["accelerator_utilisation"].tolist() == pytest.approx(busy, rel=1e-12)
    assert jobs["gpu_hours_held"].tolist() == pytest.approx([82 / 3600, 82 / 3600], rel=1e-12)
    assert summary["gpu_hours_delivered"] == pytest.approx(164 / 3600, rel=1e-12)
    assert summary["gpu_hours_shared"] == pytest.approx(84 / 3600, rel=1e-12)
    assert summary["slowdown_interference_mean"] == pytest.approx(1.24, rel=1e-12)
    held = summary["utilisation"] / summary["allocation"]
    assert held == pytest.approx((40 * 0.6 + 84 * 1.0 + 40 * 0.8) / 164, rel=1e-12)


def test_without_interference_and_load_to_spare_nobody_is_slowed(tmp_path: Path) -> None:
    rows = [(0, 100, 1, 0.3), (40, 100, 1, 0.5), (50, 20, 1, 0.2)]
    done = ran(tmp_path, rows, {"jobs": 3})
    assert ends_s(done) == [100.0, 140.0, 70.0]
    assert stays_of(done, 0) == [
        (0.0, 40.0, 1, 1.0), (40.0, 50.0, 2, 1.0), (50.0, 70.0, 3, 1.0), (70.0, 100.0, 2, 1.0),
    ]  # fmt: skip
    assert done.results.summary["slowdown_interference_mean"] == 1.0
    idle_j = done.results.jobs["energy_idle_share_kwh"] * KWH
    third, half = 20 / 3, (10 + 30) / 2
    want = [40 + half + third, half + third + 40, third]
    np.testing.assert_allclose(idle_j, 12.5 * np.array(want), rtol=1e-12)


def test_overhead_slows_two_that_would_fit(tmp_path: Path) -> None:
    """At 0.8 of an accelerator the slowdown is 1 + 0.25 x 0.8 = 1.2."""
    rows = [(0, 60, 1, 0.4), (0, 120, 1, 0.4)]
    done = ran(tmp_path, rows, {"jobs": 2, "interference": {"overhead": 0.25}})
    assert ends_s(done) == [72.0, 132.0]  # 72 s at 1/1.2, then 60 s are left
    (one, *_) = stays_of(done, 1)
    assert one == (0.0, 72.0, 2, pytest.approx(1.2, rel=1e-15))
    dynamic_j = done.results.jobs["energy_dynamic_kwh"] * KWH
    np.testing.assert_allclose(dynamic_j, [0.4 * 60 * 50, 0.4 * 120 * 50], rtol=1e-12)


def test_three_that_come_and_go_at_once_are_paced_once(tmp_path: Path) -> None:
    """At 20 s B and C end and D comes: A has had three beside one another, then two.

    The law is 1 to a sum of 0.5, then rises by 1 for each 0.5 more.
    """
    rows = [(0, 40, 1, 0.5), (0, 10, 1, 0.25), (0, 10, 1, 0.25), (20, 10, 1, 0.25)]
    law = {"points": [[0.0, 1.0], [0.5, 1.0], [1.0, 2.0]]}
    done = ran(tmp_path, rows, {"jobs": 3, "interference": law})
    # 20 s at 1/2 leave A 30 s; 15 s at 1/1.5 beside D leave 20 s.
    assert ends_s(done) == [55.0, 20.0, 20.0, 35.0]
    assert stays_of(done, 0) == [(0.0, 20.0, 3, 2.0), (20.0, 35.0, 2, 1.5), (35.0, 55.0, 1, 1.0)]


def test_who_takes_the_place_of_another_alike_changes_nothing(tmp_path: Path) -> None:
    rows = [(0, 40, 1, 0.75), (0, 10, 1, 0.75), (15, 10, 1, 0.75)]
    done = ran(tmp_path, rows, {"jobs": 2, "most_utilisation": 1.5})
    assert ends_s(done)[1:] == [15.0, 30.0]
    assert stays_of(done, 0) == [(0.0, 30.0, 2, 1.5), (30.0, 50.0, 1, 1.0)]


def test_time_is_rounded_to_whole_milliseconds_and_never_to_none(tmp_path: Path) -> None:
    """B leaves at 10 ms, when 10 - 10 / 1.75 ms are left of A: 4.2857 ms take 4."""
    rows = [(0, 0.010, 1, 1.0), (0, 0.006, 1, 0.75)]
    done = ran(tmp_path, rows, {"jobs": 2, "most_utilisation": 2.0})
    assert done.log.end_ms.tolist() == [14, 10]  # 6 x 1.75 is 10.5, rounded to even
    rows = [(0, 0.003, 1, 1.0), (0, 0.003, 1, 0.25), (0, 0.002, 1, 1.0)]
    done = ran(tmp_path, rows, {"jobs": 3, "most_utilisation": 3.0})
    # 2.25 x 3 and 2.25 x 2 are 6.75 and 4.5; at 4 ms 1.2 ms are left at 1.25.
    assert done.log.end_ms.tolist() == [6, 6, 4]


def test_a_job_of_no_time_needs_room_and_is_nobodys_neighbour(tmp_path: Path) -> None:
    rows = [(0, 0, 1, 0.5), (0, 100, 1, 0.5), (10, 0, 1, 0.5), (20, 0, 1, 0.9)]
    node = {"accelerators": 1}
    done = ran(tmp_path, rows, {"jobs": 2}, nodes=node)
    assert done.log.start_ms.tolist() == [0, 0, 10_000, 100_000]
    assert ends_s(done) == [0.0, 100.0, 10.0, 100.0]
    assert stays_of(done, 1) == [(0.0, 100.0, 1, 1.0)]
    jobs = done.results.jobs
    assert jobs["slowdown_interference"].isna().tolist() == [True, False, True, True]


@pytest.mark.parametrize(("prefer", "held"), [("shared", 2), ("free", 3)])
def test_what_is_preferred(tmp_path: Path, prefer: str, held: int) -> None:
    """The third job joins the fuller accelerator, or takes the last free one."""
    rows = [(0, 100, 1, 0.6), (0, 100, 1, 0.5), (10, 50, 1, 0.4)]
    node = {"accelerators": 3}
    done = ran(tmp_path, rows, {"jobs": 2, "prefer": prefer}, nodes=node)
    hours = done.results.summary["gpu_hours_delivered"]
    assert hours * 3600 == pytest.approx(200 + (held - 2) * 50)
    assert len(stays_of(done, 0)) == (3 if prefer == "shared" else 1)


def test_a_free_accelerator_is_preferred_only_while_there_is_one(tmp_path: Path) -> None:
    rows = [(0, 100, 1, 0.6), (0, 100, 1, 0.5), (10, 50, 1, 0.4)]
    node = {"accelerators": 2}
    done = ran(tmp_path, rows, {"jobs": 2, "prefer": "free"}, nodes=node)
    assert done.log.start_ms.tolist() == [0, 0, 10_000]
    assert [len(stays_of(done, job)) for job in range(3)] == [3, 1, 1]


def test_the_fullest_is_joined_then_the_lowest_node_then_the_one_opened_first(
    tmp_path: Path,
) -> None:
    """Two accelerators a node. Jobs of 0.6 open both nodes; each of 0.2 finds the fullest."""
    rows = [
        (0, 900, 1, 0.6), (0, 900, 1, 0.7), (0, 900, 1, 0.6), (0, 900, 1, 0.6),
        (10, 10, 1, 0.2),  # beside the 0.7
        (30, 10, 1, 0.4), (30, 10, 1, 0.4), (30, 10, 1, 0.4),  # the first, then node 1 in order
    ]  # fmt: skip
    done = ran(tmp_path, rows, {"jobs": 2}, nodes={"accelerators": 2}, clusters__c__count=2)
    beside = [len(stays_of(done, job)) > 1 for job in range(4)]
    assert beside == [True, True, True, True]
    assert done.log.first_node.tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert stays_of(done, 1)[1][:3] == (10.0, 20.0, 2)
    assert stays_of(done, 2)[1][:3] == stays_of(done, 3)[1][:3] == (30.0, 40.0, 2)


def test_utilisations_count_in_per_cent_rounded_up(tmp_path: Path) -> None:
    node = {"accelerators": 1}
    for loads, starts in (((0.3, 0.7), [0, 0]), ((0.301, 0.699), [0, 10_000])):
        rows = [(0, 10, 1, loads[0]), (0, 10, 1, loads[1])]
        done = ran(tmp_path, rows, {"jobs": 2}, nodes=node)
        assert done.log.start_ms.tolist() == starts


def test_a_fraction_counts_in_place_of_the_utilisation(tmp_path: Path) -> None:
    """Four jobs ask for 0.5, 0.3, 0.2 and 0.2; the fourth finds the one accelerator full."""
    node = {"accelerators": 1}
    rows = [(0, 10, 1, 0.9), (0, 10, 1, 0.1), (0, 10, 1, 0.0), (0, 10, 1, 0.0)]
    columns = {"fraction": [0.5, 0.3, 0.2, 0.2]}
    done = run(from_document(with_columns(tmp_path, rows, columns, {"jobs": 4}, nodes=node)))
    assert done.log.start_ms.tolist() == [0, 0, 0, 10_000]
    assert ends_s(done) == [10.0, 10.0, 10.0, 20.0]  # what is busy sums up to 1: nobody is slowed
    columns["fraction"][0] = ""  # its utilisation counts: 0.9, and no other fits but the 0 s
    done = run(from_document(with_columns(tmp_path, rows, columns, {"jobs": 4}, nodes=node)))
    assert done.log.start_ms.tolist() == [0, 10_000, 10_000, 10_000]


def test_a_workload_asks_for_a_fraction_where_its_file_does_not_say(tmp_path: Path) -> None:
    rows = [(0, 10, 1, 0.1)] * 3
    for fraction, starts in ((0.5, [0, 0, 10_000]), (0.3, [0, 0, 0]), (0.501, [0, 10_000, 20_000])):
        done = ran(
            tmp_path, rows, {"jobs": 3}, nodes={"accelerators": 1}, workloads__w__fraction=fraction
        )
        assert done.log.start_ms.tolist() == starts


def test_fractions_that_can_not_be_are_refused(tmp_path: Path) -> None:
    rows = [(0, 10, 1, 0.1), (0, 10, 2, 0.1)]
    for cells, said in (
        ([0, ""], "fraction must be above 0 and at most 1: 0 in row 2"),
        ([1.5, ""], "fraction must be above 0 and at most 1: 1.5 in row 2"),
        (["", 0.5], "fraction must be 1 for a job of several accelerators: 0.5 in row 3"),
    ):
        document = with_columns(tmp_path, rows, {"fraction": cells}, {"jobs": 2})
        with pytest.raises(InputError, match=said):
            run(from_document(document))
    for keys, said in (
        ({"fraction": 0}, "0 is out of range"),
        ({"fraction": 0.5, "shareable": False}, "its jobs share no accelerator"),
        ({"gpus": 0.5}, "0.5 is a part of one; write gpus = 1, fraction = 0.5"),
        ({"gpus": 2, "fraction": 0.5}, "jobs of several accelerators have each whole"),
    ):
        document = document_of(tmp_path, rows, {"jobs": 2})
        drawn = {"arrivals": {"process": "regular", "every": "1 h"}, "duration": "1 h", "gpus": 1}
        document["workloads"]["w"] = {"clusters": ["c"], **drawn, **keys}
        with pytest.raises(InputError, match=said):
            from_document(document)


def test_gangs_and_those_that_may_not_hold_theirs_alone(tmp_path: Path) -> None:
    rows = [(0, 100, 2, 0.1), (0, 100, 1, 0.1), (0, 100, 1, 0.1)]
    node = {"accelerators": 4}
    done = ran(tmp_path, rows, {"jobs": 2}, nodes=node)
    assert done.results.summary["gpu_hours_delivered"] * 3600 == pytest.approx(300)
    done = ran(tmp_path, rows, {"jobs": 2}, nodes=node, workloads__w__shareable=False)
    assert done.results.summary["gpu_hours_delivered"] * 3600 == pytest.approx(400)
    assert done.results.jobs["slowdown_interference"].tolist() == [1.0] * 3
    assert done.results.jobs["shared_share"].tolist() == [0.0] * 3
    assert done.results.jobs["accelerator_utilisation"].tolist() == pytest.approx([0.1] * 3)
    assert done.results.jobs["gpu_hours_held"].sum() * 3600 == pytest.approx(400)


def test_a_gang_waits_until_the_last_tenant_has_gone(tmp_path: Path) -> None:
    rows = [(0, 100, 1, 0.4), (0, 200, 1, 0.4), (10, 10, 2, 1.0), (20, 10, 1, 0.1)]
    done = ran(tmp_path, rows, {"jobs": 3}, nodes={"accelerators": 2})
    # First come, first served: the last waits for the gang although it would find room.
    assert done.log.start_ms.tolist() == [0, 0, 200_000, 210_000]


def test_a_cluster_of_a_route_is_taken_where_one_could_join(tmp_path: Path) -> None:
    rows = [(0, 100, 1, 0.5), (0, 100, 1, 0.5), (0, 100, 1, 0.5), (0, 100, 1, 0.5)]
    document = document_of(tmp_path, rows, {"jobs": 2}, nodes={"accelerators": 1})
    document["clusters"]["d"] = {"site": "s", "node": "n", "count": 2}
    document["workloads"]["w"]["clusters"] = ["c", "d"]
    done = run(from_document(document))
    assert done.log.cluster.tolist() == [0, 0, 1, 1]
    stays = done.log.stays
    assert stays is not None
    assert stays.job.tolist() == [0, 1]
    assert done.log.start_ms.tolist() == [0, 0, 0, 0]


def test_only_what_lies_after_the_warm_up_counts(tmp_path: Path) -> None:
    rows = [(0, 7200, 1, 0.5), (1800, 3600, 1, 0.5)]
    done = ran(tmp_path, rows, {"jobs": 2}, warm_up="1 h")
    summary, jobs = done.results.summary, done.results.jobs
    assert summary["gpu_hours_shared"] == pytest.approx(0.5)
    assert jobs["gpu_hours_held"].tolist() == pytest.approx([0.75, 0.25])
    assert jobs["shared_share"].tolist() == pytest.approx([0.5, 1.0])  # of the whole run
    assert jobs["energy_idle_share_kwh"].tolist() == pytest.approx([0.0125 * 0.75, 0.0125 * 0.25])


def test_the_horizon_cuts_off_those_that_run(tmp_path: Path) -> None:
    rows = [(0, 4 * 3600, 1, 1.0), (0, 8 * 3600, 1, 1.0)]
    sharing = {"jobs": 2, "most_utilisation": 2.0}
    cut = ran(tmp_path, rows, sharing, horizon="6 h")
    assert cut.results.jobs["state"].tolist() == ["running", "running"]
    assert cut.results.jobs["energy_dynamic_kwh"].tolist() == pytest.approx([0.15, 0.15])
    assert cut.results.jobs["slowdown_interference"].tolist() == pytest.approx([2.0, 2.0])
    whole = ran(tmp_path, rows, sharing, horizon="6 h", drain=True)
    assert ends_s(whole) == [8 * 3600.0, 12 * 3600.0]
    assert whole.results.jobs["state"].tolist() == ["finished", "finished"]
    assert whole.results.summary["slowdown_interference_mean"] == pytest.approx(1.75)


def test_checkpoints_are_part_of_the_work(tmp_path: Path) -> None:
    rows = [(0, 7200, 1, 1.0), (0, 7200, 1, 1.0)]
    saving = {"interval": "1 h", "cost": "6 min"}
    sharing = {"jobs": 2, "most_utilisation": 2.0}
    done = ran(tmp_path, rows, sharing, workloads__w__checkpoint=saving)
    assert ends_s(done) == [2 * 7560.0] * 2


def test_waiting_jobs_that_can_share_wake_fewer_nodes(tmp_path: Path) -> None:
    """Four jobs of 0.4 need two accelerators, which is one node of two; else two nodes."""
    rows = [(3600, 600, 1, 0.4)] * 4
    node = {"accelerators": 2, "idle_states": [OFF]}
    keys = {"clusters__c__count": 2, "clusters__c__idle": "ladder"}
    alone = ran(tmp_path, rows, nodes=node, **keys)
    shared = ran(tmp_path, rows, {"jobs": 2}, nodes=node, **keys)
    for done, wake_ups in ((alone, 2), (shared, 1)):
        assert done.results.summary["wake_ups"] == wake_ups
        assert set(done.results.jobs["wait_s"]) == {120.0}
    # One node sleeps on for 120 s of waking, 600 s at work and 300 s idle: 90 W less.
    spent_kwh = [done.results.summary["energy_it_kwh"] for done in (alone, shared)]
    assert (spent_kwh[0] - spent_kwh[1]) * KWH == pytest.approx(90 * (120 + 600 + 300), rel=1e-9)


def test_a_queue_over_two_clusters_wakes_no_more_than_it_needs(tmp_path: Path) -> None:
    rows = [(3600, 600, 1, 0.5)] * 4 + [(3600, 600, 2, 1.0)]
    node = {"accelerators": 2, "idle_states": [OFF]}
    document = document_of(tmp_path, rows, {"jobs": 2}, nodes=node, clusters__c__idle="ladder")
    document["clusters"]["d"] = dict(document["clusters"]["c"])
    document["workloads"]["w"]["clusters"] = ["c", "d"]
    done = run(from_document(document))
    assert done.results.summary["wake_ups"] == 2
    assert done.log.cluster.tolist() == [0, 0, 0, 0, 1]
    assert set(done.results.jobs["wait_s"]) == {120.0}


def test_nodes_of_one_accelerator_are_woken_by_two_jobs_each(tmp_path: Path) -> None:
    rows = [(3600, 600, 1, 0.4)] * 5
    node = {"accelerators": 1, "idle_states": [OFF]}
    keys = {"clusters__c__count": 8, "clusters__c__idle": "ladder"}
    done = ran(tmp_path, rows, {"jobs": 2}, nodes=node, **keys)
    assert done.results.summary["wake_ups"] == 3
    assert set(done.results.jobs["wait_s"]) == {120.0}


def test_nobody_joins_on_a_closed_node(tmp_path: Path) -> None:
    def close_first(env: Any, view: Any) -> Any:
        yield env.timeout(5000)
        view.clusters[0].close([0])
        yield env.timeout(10_000)
        view.clusters[0].open([0])

    rows = [(0, 100, 1, 0.4), (10, 100, 1, 0.4), (20, 100, 1, 0.2), (21, 100, 1, 0.2)]
    document = document_of(tmp_path, rows, {"jobs": 2}, clusters__c__count=2)
    done = run(from_document(document), controllers=(close_first,))
    assert done.log.first_node.tolist() == [0, 1, 0, 1]


def test_one_job_an_accelerator_is_no_sharing(tmp_path: Path) -> None:
    rows = [(0, 100, 1, 0.3), (3, 50, 2, 0.5), (4, 50, 1, 0.5)]
    plain = ran(tmp_path, rows)
    one = ran(tmp_path, rows, {"jobs": 1})
    assert {**plain.results.summary, "key": ""} == {**one.results.summary, "key": ""}
    assert plain.results.summary["key"] != one.results.summary["key"]
    assert plain.results.summary["gpu_hours_shared"] is None
    for name, table in plain.results.tables.items():
        assert table.equals(one.results.tables[name])
        assert table.schema.equals(one.results.tables[name].schema, check_metadata=True)


def random_rows(seed: int, count: int = 300) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    submit_s = np.sort(rng.uniform(0, 30_000, count)).round(3)
    duration_s = rng.lognormal(6, 1, count).round(3)
    gpus = rng.choice([1, 1, 1, 1, 2, 8], count)
    load = rng.beta(9.2, 13.8, count)
    return list(zip(submit_s, duration_s, gpus, load, strict=True))


@pytest.mark.parametrize("interference", ["none", {"overhead": 0.1}])
def test_work_done_is_work_asked_and_jobs_and_the_rest_are_the_fleet(
    tmp_path: Path, interference: Any
) -> None:
    sharing = {"jobs": 3, "most_utilisation": 1.3, "interference": interference}
    rows = random_rows(5)
    node = {"embodied": "2500 kg"}
    done = ran(tmp_path, rows, sharing, nodes=node, clusters__c__count=2, drain=True)
    stays, log, jobs = done.log.stays, done.log, done.results.jobs
    assert stays is not None
    # Stay follows stay from start to end; the work of all is what the job asked for.
    work_ms = np.bincount(stays.job, (stays.end_ms - stays.start_ms) / stays.slowdown, len(rows))
    share = np.array([row[2] for row in rows]) == 1
    asked_ms = np.array([row[1] for row in rows]) * 1000
    np.testing.assert_allclose(work_ms[share], asked_ms[share], atol=1.0)
    ran_ms = np.bincount(stays.job, stays.end_ms - stays.start_ms, len(rows))
    assert np.array_equal(ran_ms[share], (log.end_ms - log.start_ms)[share])
    dynamic_j = jobs["energy_dynamic_kwh"] * KWH
    asked_j = np.array([row[1] * row[2] * row[3] for row in rows]) * 50
    np.testing.assert_allclose(dynamic_j, asked_j, atol=0.06)  # 1 ms of 50 W
    summary = done.results.summary
    assert jobs["gpu_hours_held"].sum() == pytest.approx(summary["gpu_hours_delivered"], rel=1e-9)
    embodied_kg = jobs["embodied_kgco2e"].sum()
    of_held = summary["scope3_embodied_kgco2e"] * summary["allocation"]
    assert embodied_kg == pytest.approx(of_held, rel=1e-9)
    billed = jobs["operational_kgco2e"].sum() + embodied_kg
    rest = summary["total_kgco2e"] - billed
    assert rest == pytest.approx(summary["unallocated_kgco2e"], rel=1e-9)
    assert summary["gpu_hours_shared"] > 10.0


def test_stays_are_handed_over_as_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sharing = {"jobs": 3, "most_utilisation": 1.3}
    arguments = (tmp_path, random_rows(3), sharing)
    whole = ran(*arguments)
    monkeypatch.setattr(engine, "STAY_ROWS", 1)
    parts = ran(*arguments)
    assert parts.log.events["loop_calls"] > whole.log.events["loop_calls"]
    for name, table in whole.results.tables.items():
        assert table.equals(parts.results.tables[name])


def test_the_bill_of_one_job_is_explained(tmp_path: Path) -> None:
    rows = [(0, 3600, 1, 0.6), (1800, 3600, 1, 0.4)]
    done = ran(tmp_path, rows, {"jobs": 2}, nodes={"embodied": "1000 kg"})
    bill = job_bill(done.results, "j0")
    assert bill.share_held == pytest.approx(0.75)
    assert bill.utilisation == pytest.approx(0.6 / 0.75)
    made_kg = 0.75 / 8 * 1000 * bill.held_h / bill.lifetime_h
    assert bill.embodied_kgco2e == pytest.approx(made_kg)
    lines = "\n".join(job_lines(bill))
    assert "x share held" in lines
    assert "0.75 GPU-h" in lines
    assert "0.75 x 1 of 8 accelerators a node" in lines


def test_results_are_kept_with_their_columns(tmp_path: Path) -> None:
    scenario = from_document(document_of(tmp_path, random_rows(9, 40), {"jobs": 2}))
    done = fs.run(scenario)
    done.save(tmp_path / "out")
    kept = load_results(tmp_path / "out")
    assert kept.summary == done.summary
    for name, table in done.results.tables.items():
        assert kept.tables[name].equals(table)
    names = (tmp_path / "out" / "columns.csv").read_text()
    assert "slowdown_interference,1," in names
    assert "gpu_hours_shared,GPU-h," in names


def test_a_resolved_scenario_runs_as_it_is(tmp_path: Path) -> None:
    law = {"points": [[0.0, 1.0], [1.0, 1.1]]}
    document = document_of(tmp_path, [(0, 9, 1, 0.5)], {"jobs": 2, "interference": law})
    scenario = from_document(document)
    (tmp_path / "again.toml").write_text(scenario.to_toml())
    again = fs.load(tmp_path / "again.toml")
    assert again.canonical() == scenario.canonical()
    assert again.document["clusters"]["c"]["sharing"]["prefer"] == "shared"
    assert "shareable" not in again.document["workloads"]["w"]


def test_sharing_counts_to_the_key(tmp_path: Path) -> None:
    rows = [(0, 9, 1, 0.5)]
    keys = [
        from_document(document_of(tmp_path, rows, sharing, **more)).key_text()
        for sharing, more in (
            (None, {}),
            ({"jobs": 2}, {}),
            ({"jobs": 3}, {}),
            ({"jobs": 2, "most_utilisation": 1.1}, {}),
            ({"jobs": 2, "prefer": "free"}, {}),
            ({"jobs": 2, "interference": {"overhead": 0.1}}, {}),
            ({"jobs": 2, "interference": {"points": [[0.0, 1.0], [1.0, 1.1]]}}, {}),
            ({"jobs": 2}, {"workloads__w__shareable": False}),
            ({"jobs": 2}, {"workloads__w__fraction": 0.5}),
        )
    ]
    assert len(set(keys)) == len(keys)
    said = document_of(tmp_path, rows, {"jobs": 2}, workloads__w__shareable=True)
    none = document_of(tmp_path, rows, {"jobs": 2, "interference": {"overhead": 0.0}})
    assert from_document(said).key_text() == from_document(none).key_text() == keys[1]


def test_a_cluster_without_jobs_that_may_share_is_warned_of(tmp_path: Path) -> None:
    document = document_of(tmp_path, [(0, 9, 1, 0.5)], {"jobs": 2})
    assert not [text for text in from_document(document).warnings if "sharing" in text]
    document["workloads"]["w"]["shareable"] = False
    (text,) = [text for text in from_document(document).warnings if "sharing" in text]
    assert text.startswith("clusters.c.sharing: no workload of the cluster has jobs of")


@pytest.mark.parametrize("policy", MINIMAL)
def test_every_provisioning_policy_goes_with_it(tmp_path: Path, policy: str) -> None:
    rows = [(at, took, min(gpus, 8), load) for at, took, gpus, load in random_rows(1, 150)]
    idle = {"policy": policy, **MINIMAL[policy]}
    document = policy_document(
        tmp_path, idle, rows, states=[OFF], horizon="12 h", drain=True, clusters__c__count=6
    )
    document["clusters"]["c"]["sharing"] = {"jobs": 2, "interference": {"overhead": 0.1}}
    done = run(from_document(document))
    stays = done.log.stays
    assert stays is not None
    assert (stays.tenants > 1).any()
    assert set(done.results.jobs["state"]) == {"finished"}
    ran_ms = np.bincount(stays.job, stays.end_ms - stays.start_ms, len(rows))
    assert np.array_equal(ran_ms, np.where(ran_ms > 0, done.log.end_ms - done.log.start_ms, 0))
    held_h = done.results.summary["gpu_hours_delivered"]
    assert done.results.jobs["gpu_hours_held"].sum() == pytest.approx(held_h, rel=1e-9)


def test_what_sharing_may_still_serve_is_not_warned_of(tmp_path: Path) -> None:
    rows = [(at, 20_000, 1, 0.3) for at in range(0, 36_000, 1500)]

    def warned(jobs: int) -> list[str]:
        done = ran(tmp_path, rows, {"jobs": jobs}, nodes={"accelerators": 8})
        return [text for text in done.results.warnings if "grows without limit" in text]

    assert len(warned(1)) == 1  # 13 accelerators' worth of work on 8
    assert warned(2) == []


def test_a_cluster_beside_may_have_a_bent_load_curve_and_a_budget(tmp_path: Path) -> None:
    """Sums over jobs are audited in every run; here jobs of both clusters are among them."""
    rows = random_rows(2, 300)
    document = document_of(tmp_path, rows, {"jobs": 2}, drain=True)
    document["nodes"]["bent"] = document["nodes"]["n"] | {"load_curve": {"exponent": 1.4}}
    bent = {"site": "s", "node": "bent", "count": 2, "power_budget": "300 W"}
    document["clusters"]["d"] = bent
    document["workloads"]["w"]["clusters"] = ["d", "c"]
    done = run(from_document(document))
    stays = done.log.stays
    assert stays is not None
    assert (stays.tenants > 1).any()
    assert set(done.log.cluster.tolist()) == {0, 1}
    assert set(done.log.cluster[stays.job].tolist()) == {0}
    dynamic_kwh = done.results.summary["energy_dynamic_kwh"]
    assert done.results.jobs["energy_dynamic_kwh"].sum() == pytest.approx(dynamic_kwh, rel=1e-9)


def test_a_placement_in_plain_python_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.placement, "_plugins", dict(registry.placement._plugins))

    @fs.placement("anywhere")
    def anywhere(job: Any, cluster: Any, now_s: float) -> list[int]:
        """Put a job on the lowest node that has room for it."""
        return [cluster.lowest(job.gpus)]

    document = document_of(
        tmp_path, [(0, 9, 1, 0.5)], {"jobs": 2}, clusters__c__placement="anywhere"
    )
    with pytest.raises(InputError) as refused:
        from_document(document)
    (issue,) = refused.value.issues
    assert issue.path == "clusters.c.placement"
    assert issue.message.startswith('"anywhere" is asked in plain Python, which does not see who')


def test_jobs_that_shared_are_not_exported_as_if_they_had_not(tmp_path: Path) -> None:
    rows = [(0, 10, 1, 0.3), (0, 10, 1, 0.3)]
    shared = ran(tmp_path, rows, {"jobs": 2}, nodes={"accelerators": 1}).results
    with pytest.raises(InputError, match="gives each to one job at a time"):
        batsim_jobs(shared)
    assert len(batsim_jobs(ran(tmp_path, rows, nodes={"accelerators": 1}, drain=True).results)) == 2


def test_the_law_goes_on_where_more_is_busy_than_was_asked_for(tmp_path: Path) -> None:
    """Two jobs of 0.9 ask for half of one each: 1.8 is busy, so both take 1.8 times as long."""
    points = [[0.0, 1.0], [1.0, 1.2]]
    for interference, slower in (
        ("none", 1.8),
        ({"overhead": 0.1}, 1.98),
        ({"points": points}, 2.16),
    ):
        sharing = {"jobs": 2, "interference": interference}
        keys = {"nodes": {"accelerators": 1}, "workloads__w__fraction": 0.5}
        done = ran(tmp_path, [(0, 100, 1, 0.9)] * 2, sharing, **keys)
        assert ends_s(done) == pytest.approx([100 * slower] * 2, abs=1e-3)
