"""Where jobs are preempted: clusters of a route, sleeping nodes, power, quotas, other queues."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.registry import placement, scheduling
from simulator.scenario import from_document
from simulator.simulation import run
from tests.builders import scenario_document, write_jobs
from tests.unit.test_preemption_scenarios import COLUMNS, HOUR, document_of, replayed


def test_a_job_that_lacks_power_preempts_nobody() -> None:
    """Two nodes idle at 200 W; 650 W suffice for the long job on one of them, and no second."""
    document = document_of("restart", clusters__c__power_budget="650 W")
    done = run(from_document(document))
    assert done.results.summary["preemptions"] == 0
    assert done.results.summary["jobs_delayed_by_power"] > 0


def test_nobody_is_preempted_while_a_sleeper_can_be_woken(tmp_path: Path) -> None:
    rows = [(0, 10 * HOUR, 8, 0, "true"), (4 * HOUR, HOUR, 8, 1, "false")]
    states = [{"name": "off", "after": "1 h", "power": "0 W", "wake_time": "30 min"}]
    counts = []
    for nodes in (1, 2):
        scenario = replayed(
            tmp_path, rows, "restart", horizon="30 h", nodes={"idle_states": states},
            clusters__c__count=nodes, clusters__c__idle="ladder",
        )  # fmt: skip
        done = run(scenario)
        counts.append(done.results.summary["preemptions"])
        start_h = done.results.jobs["start_s"][1] / HOUR
        assert start_h == (4.0 if nodes == 1 else 4.5)
    assert counts == [1, 0]


def test_a_job_preempts_on_the_first_cluster_of_its_route_that_suffices(tmp_path: Path) -> None:
    """`c` is held by a job that is not preemptible, `d` by one that is, `e` by another."""
    document = scenario_document(horizon="30 h", clusters__c__preemption="restart")
    for name in ("d", "e"):
        document["clusters"][name] = dict(document["clusters"]["c"])
    path = write_jobs(
        tmp_path / "jobs.csv",
        [
            (0, 20 * HOUR, 8, 0, "false", "c"),
            (0, 20 * HOUR, 8, 0, "true", "d"),
            (0, 20 * HOUR, 8, 0, "true", "e"),
            (HOUR, HOUR, 8, 1, "", ""),
        ],
        f"{COLUMNS},cluster",
    )
    said = {"clusters": ["c", "d", "e"], "jobs": {"file": str(path)}}
    document["workloads"] = {"w": said}
    jobs = fs.run(from_document(document)).jobs
    assert jobs["preemptions"].tolist() == [0, 1, 0, 0]
    assert jobs["cluster"].tolist() == ["c", "d", "e", "d"]
    del document["clusters"]["d"]["preemption"]
    jobs = fs.run(from_document(document)).jobs
    assert jobs["preemptions"].tolist() == [0, 0, 1, 0]


def test_quotas_make_no_difference_to_who_is_preempted(tmp_path: Path) -> None:
    document = document_of("restart")
    document["workloads"]["long"]["quota"] = 16
    free = document_of("restart")
    one, other = (run(from_document(each)) for each in (document, free))
    assert np.array_equal(one.log.start_ms, other.log.start_ms)
    assert one.results.summary["preemptions"] > 0


def test_placement_in_plain_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    placement.names()
    monkeypatch.setattr(placement, "_plugins", dict(placement._plugins))

    @fs.placement("lowest")
    def lowest(job: Any, cluster: Any, now_s: float) -> Any:
        return cluster.nodes[:1]

    document = document_of("restart")
    document["clusters"]["d"] = {**document["clusters"]["c"], "placement": "lowest"}
    del document["clusters"]["d"]["preemption"]
    with pytest.raises(fs.InputError) as refused:
        from_document(document)
    (issue,) = refused.value.issues
    assert issue.path == "clusters.c.preemption"
    assert "a policy in plain Python places jobs (clusters: d); take it out" in issue.message


def test_policies_in_plain_python_may_serve_other_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduling.names()
    monkeypatch.setattr(scheduling, "_plugins", dict(scheduling._plugins))

    @fs.scheduling("first-alone")
    def first_alone(queue: Any, cluster: Any, now_s: float) -> Any:
        return [queue[0]] if queue and cluster.fits(queue[0].gpus) else []

    document = document_of({"way": "suspend", "suspend": "5 min", "after": "1 h"})
    alone = run(from_document(document))
    document["clusters"]["d"] = {**document["clusters"]["c"], "queue": "first-alone"}
    del document["clusters"]["d"]["preemption"]
    document["workloads"]["other"] = {**document["workloads"]["long"], "clusters": ["d"]}
    both = run(from_document(document))
    mine = both.inputs.jobs.workload < 2
    assert np.array_equal(both.log.start_ms[mine], alone.log.start_ms)
    assert both.results.summary["preemptions"] == alone.results.summary["preemptions"] > 0
    assert (both.log.start_ms[~mine] >= 0).sum() > 10
