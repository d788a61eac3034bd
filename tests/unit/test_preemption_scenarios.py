"""Preemption in scenario files: what is said, refused, warned of and written back; its results."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

import simulator as fs
from simulator.engine import preempting_of
from simulator.errors import InputError
from simulator.exports import batsim_csv
from simulator.inputs import open_inputs
from simulator.registry import scheduling
from simulator.results import load_results
from simulator.scenario import from_document, schema
from simulator.simulation import run
from tests.builders import scenario_document, write_jobs

COLUMNS = "submit_s,duration_s,gpus,priority,preemptible"
SUSPEND = {"way": "suspend", "suspend": "30 s", "resume": "1 min", "after": "2 min"}
HOUR = 3600
EXTRA = ["run_s", "preemptions", "preempted_s", "waited_again_s"]


def document_of(preemption: Any, *, queue: Any = "fifo", **keys: Any) -> dict[str, Any]:
    """Return a node that long jobs fill, and urgent ones of half a node that come in between."""
    document = scenario_document(
        horizon="100 h", clusters__c__count=2, clusters__c__queue=queue, **keys
    )
    if preemption is not None:
        document["clusters"]["c"]["preemption"] = preemption
    document["workloads"] = {
        "long": {
            "clusters": ["c"],
            "arrivals": {"process": "regular", "every": "5 h"},
            "duration": "9 h",
            "gpus": 8,
        },
        "urgent": {
            "clusters": ["c"],
            "arrivals": {"process": "regular", "every": "7 h"},
            "duration": "1 h",
            "gpus": 4,
            "priority": 5,
        },
    }
    return document


def issues_of(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InputError) as refused:
        from_document(document)
    return {issue.path: issue.message for issue in refused.value.issues}


def replayed(folder: Path, rows: list[tuple[Any, ...]], preemption: Any, **keys: Any) -> Any:
    path = write_jobs(folder / "jobs.csv", rows, COLUMNS)
    document = scenario_document(path, **keys)
    if preemption is not None:
        document["clusters"]["c"]["preemption"] = preemption
    return from_document(document)


# -- what is said -------------------------------------------------------------------------------


def test_the_way_alone_is_a_table_of_it() -> None:
    short, long = (
        from_document(document_of(said)) for said in ("restart", {"way": "restart", "after": "0 s"})
    )
    assert short.canonical() == long.canonical()
    (how,) = preempting_of(short)
    assert how is not None
    assert (how.suspends, how.after_ms, how.suspend_ms, how.resume_ms) == (False, 0, 0, 0)
    (how,) = preempting_of(from_document(document_of(SUSPEND)))
    assert how is not None
    assert (how.suspends, how.after_ms, how.suspend_ms, how.resume_ms) == (
        True, 120_000, 30_000, 60_000,
    )  # fmt: skip


def test_without_these_keys_a_scenario_keeps_its_text() -> None:
    document = document_of(None)
    del document["workloads"]["urgent"]["priority"]
    plain = from_document(document)
    assert preempting_of(plain) == ()
    for word in ("preempt", "priority"):
        assert word not in plain.canonical()
        assert word not in plain.to_toml()
    document["workloads"]["urgent"] |= {"priority": 0, "preemptible": True}
    assert from_document(document).canonical() == plain.canonical()


def test_each_of_them_counts_to_the_key() -> None:
    documents = [document_of(said) for said in (None, "restart", "suspend", SUSPEND)]
    documents += [document_of("suspend") for _ in range(2)]
    documents[-1]["workloads"]["long"]["preemptible"] = False
    documents[-2]["workloads"]["long"]["priority"] = -1
    assert len({from_document(document).key_text() for document in documents}) == 6


@pytest.mark.parametrize("said", ["suspend", {"way": "restart", "after": "1 h"}])
def test_a_resolved_scenario_runs_as_it_is(said: Any, tmp_path: Path) -> None:
    scenario = from_document(document_of(said))
    (tmp_path / "again.toml").write_text(scenario.to_toml())
    again = fs.load(tmp_path / "again.toml")
    assert again.canonical() == scenario.canonical()
    assert again.to_toml() == scenario.to_toml()
    assert fs.run(again).summary == fs.run(scenario).summary


def test_a_child_of_another_way_takes_nothing_over(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(from_document(document_of(SUSPEND)).to_toml())
    for said, expected in (
        ('{ way = "restart" }', (False, 0, 0)),
        ('{ way = "suspend", after = "1 s" }', (True, 1_000, 30_000)),
        ('{ after = "1 s" }', (True, 1_000, 30_000)),
    ):
        child = tmp_path / "my.toml"
        child.write_text(f'schema = 1\nextends = "base.toml"\n[clusters.c]\npreemption = {said}\n')
        (how,) = preempting_of(fs.load(child))
        assert how is not None
        assert (how.suspends, how.after_ms, how.suspend_ms) == expected


def test_an_axis_of_a_sweep_may_be_a_time_of_it() -> None:
    scenario = from_document(document_of(SUSPEND))
    (how,) = preempting_of(scenario.replace({"clusters.c.preemption.after": "3 h"}))
    assert how is not None
    assert how.after_ms == 3 * HOUR * 1000


# -- what is refused, and warned of -------------------------------------------------------------


def test_queues_with_reservations_for_all_are_refused() -> None:
    (text,) = issues_of(document_of("restart", queue="conservative-backfill")).values()
    assert text.startswith("nobody is preempted where every job has a reservation; take it out")
    queue = {"policy": "priority", "backfill": "conservative"}
    assert list(issues_of(document_of("restart", queue=queue))) == ["clusters.c.preemption"]


def test_policies_in_plain_python_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduling.names()
    monkeypatch.setattr(scheduling, "_plugins", dict(scheduling._plugins))

    @fs.scheduling("in-turn")
    def in_turn(queue: Any, cluster: Any, now_s: float) -> Any:
        return [job for job in queue if cluster.fits(job.gpus)][:1]

    (text,) = issues_of(document_of("restart", queue="in-turn")).values()
    assert text.startswith('"in-turn" is asked in plain Python, and nobody is preempted for it')


def test_problems_of_preemption_stand_beside_others() -> None:
    document = document_of({"way": "restart", "suspend": "1 s", "afer": "1 s"}, queue="fifi")
    assert set(issues_of(document)) == {
        "clusters.c.preemption.afer", "clusters.c.preemption.suspend", "clusters.c.queue",
    }  # fmt: skip


def test_one_priority_for_all_is_warned_of() -> None:
    document = document_of("restart")
    assert "one priority" not in "".join(open_inputs(from_document(document)).warnings)
    del document["workloads"]["urgent"]["priority"]
    warnings = open_inputs(from_document(document)).warnings
    (text,) = [warning for warning in warnings if "one priority" in warning]
    assert text.startswith("clusters.c.preemption: all jobs have one priority, so nobody is preemp")


def test_a_column_without_effect_is_warned_of(tmp_path: Path) -> None:
    rows = [(0, 60, 1, 0, "true"), (1, 60, 1, 1, "")]
    (text,) = open_inputs(replayed(tmp_path, rows, None)).warnings
    assert text.endswith("read and checked, without effect where no cluster preempts jobs: preempt"
                         "ible")  # fmt: skip
    assert open_inputs(replayed(tmp_path, rows, "restart")).warnings == ()


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ("restart", True), ("stop", False), (SUSPEND, True), ({"way": "suspend", "for": 1}, False),
        ({"after": "1 s"}, False), ({"way": "restart", "after": 3}, False),
    ],
)  # fmt: skip
def test_an_editor_tells_right_from_wrong(said: Any, fits: bool) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert (not list(validator.iter_errors(document_of(said)))) == fits
    document = document_of(None)
    document["workloads"]["long"] |= {"priority": -3, "preemptible": False}
    assert not list(validator.iter_errors(document))


# -- whose priority -----------------------------------------------------------------------------


def test_drawn_jobs_have_the_priority_of_their_workload() -> None:
    document = document_of(None)
    document["workloads"]["long"] |= {"priority": -2, "preemptible": False}
    jobs = open_inputs(from_document(document)).jobs
    assert sorted(set(zip(jobs.workload.tolist(), jobs.priority.tolist(), strict=True))) == [
        (0, -2), (1, 5),
    ]  # fmt: skip
    assert jobs.preemptible is not None
    assert (jobs.preemptible == (jobs.workload == 1)).all()
    assert open_inputs(from_document(document_of(None))).jobs.preemptible is None


def test_a_file_says_both_or_its_workload_does(tmp_path: Path) -> None:
    said = replayed(tmp_path, [(0, 60, 1, 7, "true"), (1, 60, 1, "", "")], "restart")
    said = said.replace({"workloads.w.priority": 3, "workloads.w.preemptible": True})
    jobs = open_inputs(said).jobs
    assert jobs.priority.tolist() == [7, 0]
    assert jobs.preemptible is not None
    assert jobs.preemptible.tolist() == [True, False]
    document = scenario_document(write_jobs(tmp_path / "plain.csv", [(0, 60, 1, 1.0)]))
    document["workloads"]["w"] |= {"priority": 3, "preemptible": False}
    jobs = open_inputs(from_document(document)).jobs
    assert jobs.priority.tolist() == [3]
    assert jobs.preemptible is not None
    assert jobs.preemptible.tolist() == [False]


# -- results ------------------------------------------------------------------------------------


def test_a_suspended_job_is_told_whole(tmp_path: Path) -> None:
    """8 GPUs for 10 h; at 4 h another of 3 h, on 4 of them; 30 min to suspend, 1 h to resume."""
    rows = [(0, 10 * HOUR, 8, 0, "true"), (4 * HOUR, 3 * HOUR, 4, 1, "false")]
    way = {"way": "suspend", "suspend": "30 min", "resume": "1 h"}
    done = run(replayed(tmp_path, rows, way, horizon="20 h"))
    low, high = done.results.jobs.to_dict("records")
    assert (high["start_s"], high["end_s"], high["preemptions"]) == (4.5 * HOUR, 7.5 * HOUR, 0)
    assert (low["start_s"], low["end_s"], low["wait_s"]) == (0.0, 14.5 * HOUR, 0.0)
    assert (low["preemptions"], low["run_s"], low["waited_again_s"]) == (
        1, 11.5 * HOUR, 3 * HOUR,
    )  # fmt: skip
    assert low["preempted_s"] == 1.5 * HOUR
    summary = done.results.summary
    assert (summary["preemptions"], summary["gpu_hours_preempted"]) == (1, 8 * 1.5)
    assert (summary["failures"], summary["gpu_hours_lost"]) == (None, None)
    assert summary["gpu_hours_delivered"] == pytest.approx(8 * 11.5 + 4 * 3)
    assert summary["goodput"] == pytest.approx((80 + 12) / (92 + 12))
    assert summary["ettr"] == pytest.approx((80 + 12) / (8 * 14.5 + 12))
    assert low["energy_dynamic_kwh"] == pytest.approx(0.4 * 11.5)
    assert done.results.hourly["jobs_queued_mean"].sum() == pytest.approx(0.5 + 3)


def test_a_restarted_job_is_told_whole(tmp_path: Path) -> None:
    rows = [(0, 10 * HOUR, 8, 0, "true"), (4 * HOUR, 3 * HOUR, 4, 1, "false")]
    scenario = replayed(tmp_path, rows, "restart", horizon="20 h")
    done = run(scenario)
    low, _ = done.results.jobs.to_dict("records")
    assert (low["end_s"], low["preempted_s"], low["run_s"]) == (17 * HOUR, 4 * HOUR, 14 * HOUR)
    assert done.results.summary["gpu_hours_preempted"] == 32.0
    assert done.results.summary["goodput"] == pytest.approx(92 / (8 * 14 + 12))
    saving = {"interval": "90 min", "cost": "30 min", "restart": "30 min"}
    done = run(scenario.replace({"workloads.w.checkpoint": saving}))
    low, _ = done.results.jobs.to_dict("records")  # both checkpoints are made by 4 h: nothing lost
    assert (low["preempted_s"], low["preemptions"]) == (0.0, 1)
    assert low["end_s"] == (7.5 + 0.5 + 7 + 4 * 0.5) * HOUR


def test_only_the_counted_period_counts(tmp_path: Path) -> None:
    rows = [(0, 10 * HOUR, 8, 0, "true"), (4 * HOUR, 3 * HOUR, 4, 1, "false")]
    way = {"way": "suspend", "suspend": "30 min", "resume": "1 h"}
    costs = {}
    for warm_up in ("4 h", "4.25 h", "5 h", "8 h"):
        done = run(replayed(tmp_path, rows, way, horizon="20 h", warm_up=warm_up))
        low, _ = done.results.jobs.to_dict("records")
        costs[warm_up] = (low["preempted_s"] / HOUR, low["waited_again_s"] / HOUR)
    assert costs == {
        "4 h": (1.5, 3.0), "4.25 h": (1.25, 3.0), "5 h": (1.0, 2.5), "8 h": (0.5, 0.0),
    }  # fmt: skip


def test_a_run_may_end_while_a_job_is_suspended(tmp_path: Path) -> None:
    rows = [(0, 10 * HOUR, 8, 0, "true"), (4 * HOUR, 3 * HOUR, 4, 1, "false")]
    way = {"way": "suspend", "suspend": "2 h"}
    done = run(replayed(tmp_path, rows, way, horizon="5 h"))
    low, high = done.results.jobs.to_dict("records")
    assert (low["state"], high["state"]) == ("running", "queued")
    assert (low["run_s"], low["preemptions"]) == (5 * HOUR, 0)
    assert done.results.summary["goodput"] == pytest.approx(4 / 5)


def test_results_are_kept_with_their_columns(tmp_path: Path) -> None:
    ran = fs.run(from_document(document_of(SUSPEND)))
    assert ran.summary["preemptions"] > 0
    ran.save(tmp_path / "out")
    kept = load_results(tmp_path / "out")
    assert kept.summary == ran.summary
    for name, table in ran.results.tables.items():
        assert kept.tables[name].equals(table), name
    said = (tmp_path / "out" / "columns.csv").read_text()
    assert "\npreempted_s,s," in said
    assert "\nrun_s,s," in said
    assert "\nrestarts," not in said
    assert [name for name in ran.jobs if name in EXTRA] == EXTRA
    assert "preemptions" in (tmp_path / "out" / "report.html").read_text()
    told = {row[1]: row[2:4] for row in ran.results.assumptions if row[0] == "c"}
    assert told["time to suspend of a job"] == ("30", "s")
    assert told["run time before preemption of a job"] == ("120", "s")


def test_where_nodes_fail_too_both_are_told() -> None:
    document = document_of("suspend", nodes={"failures": {"mtbf": "60 h", "repair": "1 h"}})
    ran = fs.run(from_document(document), seed=1)
    assert ran.summary["failures"] > 0
    assert ran.summary["preemptions"] > 0
    assert {"restarts", "lost_s", *EXTRA} < set(ran.jobs)
    assert len(ran.mttf_by_gang()) == 2


def test_mttf_is_refused_where_jobs_are_only_preempted() -> None:
    with pytest.raises(InputError, match="no node of this run can fail"):
        fs.run(from_document(document_of("restart"))).mttf_by_gang()


def test_jobs_of_several_runs_are_not_exported() -> None:
    with pytest.raises(InputError, match="jobs were preempted"):
        batsim_csv(fs.run(from_document(document_of("restart"))).results)
    document = document_of("restart")
    document["workloads"]["long"]["preemptible"] = False
    assert batsim_csv(fs.run(from_document(document)).results).count("\n") > 10
