"""Failures and checkpoints in scenario files: what is said, warned of and written back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.results import load_results
from simulator.scenario import from_document
from simulator.simulation import run
from tests.builders import scenario_document, write_jobs

FAILURES = {"mtbf": "100 h", "repair": "2 h"}


def document_of(checkpoint: Any = None, gpus: int = 64, **failures: Any) -> dict[str, Any]:
    document = scenario_document(
        nodes={"failures": {**FAILURES, **failures}}, horizon="400 h", clusters__c__count=16
    )
    document["workloads"] = {
        "w": {
            "clusters": ["c"],
            "arrivals": {"process": "regular", "every": "6 h"},
            "duration": "20 h",
            "gpus": gpus,
        }
    }
    if checkpoint is not None:
        document["workloads"]["w"]["checkpoint"] = checkpoint
    return document


def about_checkpoints(document: dict[str, Any]) -> list[str]:
    return [text for text in from_document(document).warnings if "checkpoint" in text]


def test_an_interval_longer_than_the_mtbf_of_the_gang_is_warned_of() -> None:
    (text,) = about_checkpoints(document_of({"interval": "13 h", "cost": "1 min"}))
    assert text.startswith("workloads.w.checkpoint.interval: 13 h is longer than the mean time")
    assert "8 nodes of c, 12.5 h" in text
    assert not about_checkpoints(document_of({"interval": "12 h", "cost": "1 min"}))
    (text,) = about_checkpoints(document_of({"interval": "101 h"}, gpus=8))
    assert "of a node of c, 4.16667 d" in text


def test_a_checkpoint_longer_than_the_mtbf_of_the_gang_is_warned_of() -> None:
    (text,) = about_checkpoints(document_of({"interval": "young", "cost": "13 h"}))
    assert text.startswith("workloads.w.checkpoint.cost: 13 h is longer than")


def test_a_resolved_scenario_runs_as_it_is(tmp_path: Path) -> None:
    scenario = from_document(document_of({"interval": "daly", "cost": "3 min"}))
    (tmp_path / "again.toml").write_text(scenario.to_toml())
    again = fs.load(tmp_path / "again.toml")
    assert again.canonical() == scenario.canonical()
    assert again.document["nodes"]["n"]["failures"]["failed_power"] == "0 W"
    assert again.document["workloads"]["w"]["checkpoint"]["at_end"] is False
    assert fs.run(again).summary == fs.run(scenario).summary


def test_failures_and_checkpoints_count_to_the_key() -> None:
    documents = [
        document_of(),
        document_of(mtbf="101 h"),
        document_of(failed_power="1 W"),
        document_of({"interval": "1 h"}),
        document_of({"interval": "1 h", "restart": "1 s"}),
    ]
    assert len({from_document(document).key_text() for document in documents}) == 5


@pytest.mark.usefixtures("one_figure")
def test_results_are_kept_with_their_columns(tmp_path: Path) -> None:
    ran = fs.run(from_document(document_of({"interval": "1 h", "cost": "3 min"})), seed=2)
    assert ran.summary["failures"] > 0
    ran.save(tmp_path / "out")
    kept = load_results(tmp_path / "out")
    assert kept.summary == ran.summary
    for name, table in ran.results.tables.items():
        assert kept.tables[name].equals(table), name
    said = (tmp_path / "out" / "columns.csv").read_text()
    assert "\nrestarts,1," in said
    assert '\nresidency_failed_s,s,"Time failed' in said
    assert fs.open_run(tmp_path / "out").mttf_by_gang().equals(ran.mttf_by_gang())


def test_mttf_is_refused_where_no_node_can_fail(tmp_path: Path) -> None:
    document = scenario_document(write_jobs(tmp_path / "jobs.csv", [(0, 60, 1, 1.0)]))
    with pytest.raises(fs.InputError, match="no node of this run can fail"):
        fs.run(from_document(document)).mttf_by_gang()


def test_mttf_is_run_time_over_interruptions() -> None:
    ran = fs.run(from_document(document_of({"interval": "1 h"})), seed=2)
    (row,) = ran.mttf_by_gang().to_dict("records")
    assert (row["gpus"], row["nodes"]) == (64, 8)
    assert row["interruptions"] == ran.jobs["restarts"].sum() > 5
    assert row["mttf_h"] == pytest.approx(ran.jobs["run_s"].sum() / 3600 / row["interruptions"])


def test_checkpoints_take_time_where_no_node_fails(tmp_path: Path) -> None:
    """5 h of work, a checkpoint of 6 min each 2 h: two of them, or three with one at the end."""
    rows = [(0, 5 * 3600, 8, 1.0)]
    ends = []
    for at_end in (False, True):
        document = scenario_document(write_jobs(tmp_path / "jobs.csv", rows))
        document["workloads"]["w"]["checkpoint"] = {
            "interval": "2 h", "cost": "6 min", "restart": "1 h", "at_end": at_end,
        }  # fmt: skip
        results = run(from_document(document)).results
        ends.append(results.jobs["end_s"][0] / 3600)
        assert results.summary["goodput"] is None
    assert ends == pytest.approx([5.2, 5.3])


def test_a_faster_cluster_takes_less_time_for_what_is_left(tmp_path: Path) -> None:
    """A gang is struck on the slow cluster; what is left runs on the fast one, freed meanwhile."""
    rows = [(0, 1, 1, 1.0)]
    document = scenario_document(write_jobs(tmp_path / "jobs.csv", rows), horizon="400 h")
    fast = {**document["nodes"]["n"], "relative_speed": 4.0}
    document["nodes"]["n"]["failures"] = {"mtbf": "3 h", "repair": "10000 h"}
    document["nodes"]["fast"] = fast
    document["clusters"]["fast"] = {"site": "s", "node": "fast", "count": 1}
    document["workloads"] = {
        "w": {
            "clusters": ["c", "fast"],
            "arrivals": {"process": "regular", "every": "300 h"},
            "max_jobs": 1,
            "gpu_days": 8.0,
            "gpus": 8,
            "checkpoint": {"interval": "1 h"},
        }
    }
    done = run(from_document(document), seed=1)
    cut = done.log.pieces
    assert cut is not None
    assert cut.cluster.tolist() == [0]
    kept_h = float(cut.kept_ms[0]) / 3.6e6
    assert kept_h == np.floor((cut.end_ms[0] - cut.start_ms[0]) / 3.6e6) > 0
    ran_h = (done.log.end_ms[0] - done.log.start_ms[0]) / 3.6e6
    assert done.log.cluster.tolist() == [1]
    assert ran_h == pytest.approx((24.0 - kept_h) / 4.0, abs=1e-6)


@pytest.mark.parametrize("queue", ["easy-backfill", "conservative-backfill"])
def test_reservations_count_on_failed_nodes_and_on_what_is_left(tmp_path: Path, queue: str) -> None:
    """Two nodes; one fails under a short job and is back at 5 h. Whoever waits for both gets them
    then, and a job that would hold one longer does not start before."""
    from simulator.engine import Queues, simulate
    from simulator.policies.queue_rule import QueueRule
    from tests.builders import Nodes, failing, fleet, job_table

    hour = 3_600_000
    here = fleet(Nodes(count=2, accelerators=8))
    never = 2**60
    power = failing(here, [[1 * hour, never], [never, never]], [[4 * hour, 0], [0, 0]])
    jobs = job_table(
        [0, 2 * hour, 2 * hour, 2 * hour],
        [0.9 * hour, 2 * hour, 4 * hour, 3 * hour],
        [8, 16, 8, 8],
    )
    rule = QueueRule(backfill=queue.partition("-")[0], depth=10)
    log = simulate(
        here, jobs, power, end_ms=50 * hour, on_log=lambda log, rows: None,
        queues=Queues((rule,), (0,)),
    )  # fmt: skip
    assert (log.start_ms / hour).tolist() == [0, 5, 7, 2]
