"""Dispatch policies in plain Python: what they see, and how they are told what went wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import simulator as fs
from simulator.registry import dispatch
from simulator.results import Results
from simulator.scenario import from_document
from simulator.scenario.toml_writer import toml_text
from simulator.simulation import run
from tests.builders import scenario_document, write_jobs
from tests.policy_runs import same_bytes
from tests.unit.conftest import Shell

COLUMNS = "submit_s,duration_s,gpus,requested_s,priority,deadline_s,user"
ROWS = [
    (0, 100, 4, 150, 0, 900, "ann"),
    (10, 50, 2, 60, 2, "", "bob"),
    (10, 20, 1, 20, 0, "", ""),
    (20, 30, 4, 40, 0, "", ""),
]


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatch.names()
    monkeypatch.setattr(dispatch, "_plugins", dict(dispatch._plugins))


def document(folder: Path, rows: list[Any] = ROWS, policy: str = "mine") -> dict[str, Any]:
    """Return a scenario of a, a node of 4, and b, a node of 2 at half its speed, and of c."""
    jobs = write_jobs(folder / "jobs.csv", rows, COLUMNS)
    said = scenario_document(jobs, drain=True)
    node = said["nodes"].pop("n")
    said["nodes"] = {
        "big": {**node, "accelerator": "big", "accelerators": 4},
        "small": {**node, "accelerator": "small", "accelerators": 2},
    }
    there = {"average": {"constant": "50 g/kWh"}, "marginal": {"constant": "70 g/kWh"}}
    said["sites"]["t"] = {"pue": 1.5, "grid": there}
    said["clusters"] = {
        "a": {"site": "s", "node": "big", "count": 1},
        "b": {"site": "t", "node": "small", "count": 1},
        "c": {"site": "t", "node": "small", "count": 1},
    }
    said["workloads"]["w"] |= {
        "clusters": {"policy": policy, "among": ["a", "b"]},
        "accelerators": {"big": 1.0, "small": 0.5},
    }
    return said


def results_of(folder: Path, rows: list[Any] = ROWS) -> Results:
    return run(from_document(document(folder, rows))).results


# -- what it sees -----------------------------------------------------------------------------


def test_what_a_policy_sees(tmp_path: Path) -> None:
    seen: list[Any] = []

    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        seen.append(
            {
                "job": (job.number, job.id, job.gpus, job.submit_s, job.priority, job.workload),
                "who": (job.deadline_s, job.user),
                "now_s": now_s,
                "names": [(each.name, each.site, each.accelerator) for each in clusters],
                "room": [(each.node_count, each.capacity, each.free) for each in clusters],
                "fits": [each.fits for each in clusters],
                "waiting": [each.jobs_waiting for each in clusters],
                "requested": [each.requested_s for each in clusters],
                "waits": [each.expected_wait_s for each in clusters],
                "energy": [each.energy_kwh * 3.6e6 for each in clusters],
                "grid": [(each.intensity_g_per_kwh, each.marginal_g_per_kwh) for each in clusters],
                "words": (repr(job), repr(clusters)),
            }
        )
        return clusters[0]

    results = results_of(tmp_path)
    assert list(results.jobs["cluster"]) == ["a"] * 4
    first, second, third = seen[:3]
    assert first["job"] == (0, "j0", 4, 0.0, 0, "w")
    assert first["names"] == [("a", "s", "big")]  # it is too large for b
    assert (first["who"], second["who"], third["who"]) == (
        (900.0, "ann"),
        (None, "bob"),
        (None,) * 2,
    )
    assert [each["now_s"] for each in seen] == [0.0, 10.0, 10.0, 20.0]
    assert second["names"] == [("a", "s", "big"), ("b", "t", "small")]
    assert second["room"] == [(1, 4, 0), (1, 2, 2)]
    assert (second["fits"], third["fits"]) == ([False, True], [False, True])
    assert (second["waiting"], third["waiting"]) == ([0, 0], [1, 0])
    assert (second["requested"], third["requested"]) == ([60.0, 120.0], [20.0, 40.0])
    # 4 x (150 - 10) / 4; and 2 x 60 / 4 more with the second in line.
    assert (second["waits"], third["waits"]) == ([140.0, 0.0], [170.0, 0.0])
    # (idle and dynamic power of what it holds) x PUE x time there.
    assert second["energy"] == pytest.approx([250 * 50, 500 * 1.5 * 100])
    assert second["grid"] == [(100.0, None), (50.0, 70.0)]
    assert second["words"] == ("<job j1 of 2 GPUs>", "(<cluster a>, <cluster b>)")


def test_it_is_asked_once_for_each_job_in_the_order_of_rows(tmp_path: Path) -> None:
    """Also beside workloads that are dispatched by a rule, which see what it has done before."""
    asked: list[Any] = []

    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        asked.append((job.workload, job.number, clusters[-1].jobs_waiting))
        return clusters[-1].name

    same = [(5, 10, 1, 10, 0, "", "")]
    said = document(tmp_path, same)
    for name in ("v", "u"):
        said["workloads"][name] = dict(said["workloads"]["w"])
    said["workloads"]["v"]["clusters"] = {"policy": "least-wait", "among": ["b", "a"]}
    results = run(from_document(said)).results
    assert asked == [("w", 0, 0), ("u", 2, 1)]
    assert dict(zip(results.jobs["workload"], results.jobs["cluster"], strict=True)) == {
        "w": "b", "v": "a", "u": "b",
    }  # fmt: skip
    assert list(results.jobs["start_s"]) == [5.0, 5.0, 5.0]


def test_controllers_see_jobs_where_they_were_sent(tmp_path: Path) -> None:
    seen: dict[float, list[int]] = {}

    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        return clusters[-1]

    def look(env: Any, view: Any) -> Any:
        while True:
            yield env.timeout(10_000)
            seen[env.now] = view.waiting.tolist()

    scenario = from_document(document(tmp_path))
    watched, alone = run(scenario, controllers=[look]), run(scenario)
    # At 10 s two jobs come, both for b, which has room; at 20 s one for a, where one runs.
    assert (seen[10_000], seen[20_000], seen[30_000]) == ([0, 2, 0], [1, 1, 0], [1, 1, 0])
    same_bytes(watched, alone)


def test_a_policy_may_remember_and_be_beside_asked_queues(tmp_path: Path) -> None:
    """A policy of dispatch and one of queues, both in plain Python, over sleeping nodes."""

    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        return clusters[job.number % len(clusters)]

    known = fs.scheduling.get("own-fifo")
    if known is None:

        @fs.scheduling("own-fifo")
        def own_fifo(queue: Any, cluster: Any, now_s: float) -> Any:
            for job in queue:
                if not cluster.fits(job.gpus):
                    return
                yield job

    said = document(tmp_path)
    off = {"name": "off", "after": "5 s", "power": "10 W", "wake_time": "2 min"}
    said["nodes"]["small"]["idle_states"] = [off]
    said["clusters"]["b"]["idle"] = "ladder"
    plain = run(from_document(said)).results
    for cluster in said["clusters"].values():
        cluster["queue"] = "own-fifo"
    asked = run(from_document(said)).results
    for column in ("cluster", "start_s", "end_s"):
        assert list(asked.jobs[column]) == list(plain.jobs[column])
    assert set(asked.jobs["cluster"]) == {"a", "b"}


def test_it_is_not_asked_about_jobs_that_never_start(tmp_path: Path) -> None:
    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        raise AssertionError(job)

    said = document(tmp_path, [row for row in ROWS if row[2] == 4])
    said["workloads"]["w"]["quota"] = 3
    assert run(from_document(said)).results.summary["jobs_unschedulable"] == 2


# -- wrong answers ----------------------------------------------------------------------------

WRONG: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "nothing": (
        lambda job, clusters: None,
        "at the start: for job j0 it returned None; return one of the clusters, or its name: a",
    ),
    "all of them": (
        lambda job, clusters: clusters,
        "at the start: for job j0 it returned (<cluster a>,); return one of the clusters, or its",
    ),
    "a word": (
        lambda job, clusters: "x",
        'at the start: for job j0 it returned "x", which is no cluster; return one of a',
    ),
    "too small": (
        lambda job, clusters: "b",
        'for job j0 it returned "b", which can\'t hold its 4 accelerators, or not their power; ret',
    ),
    "another": (
        lambda job, clusters: "c",
        'for job j0 it returned "c", which is none of those that it may use; return one of a',
    ),
    "a fault": (
        lambda job, clusters: clusters[len(clusters) - 1 + job.number].name,
        "after 10 s: for job j1: IndexError: tuple index out of range",
    ),
    "written": (
        lambda job, clusters: setattr(job, "gpus", 1),
        "at the start: for job j0: AttributeError: ",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_answer_names_policy_workload_time_and_job(case: str, tmp_path: Path) -> None:
    choose, said = WRONG[case]

    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        return choose(job, clusters)

    with pytest.raises(fs.PolicyError) as failed:
        results_of(tmp_path)
    words = str(failed.value)
    assert words.startswith("policy mine of workload w failed ")
    assert said in words
    assert "\n" not in words


def test_a_cluster_kept_from_another_job_must_hold_this_one(tmp_path: Path) -> None:
    kept: list[Any] = []

    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        kept.append(clusters[-1])
        return kept[-1] if job.number < 3 else kept[1]

    with pytest.raises(fs.PolicyError, match=r'after 20 s: for job j3 it returned "b", which can'):
        results_of(tmp_path)


def test_the_command_line_says_one_line_and_writes_nothing(tmp_path: Path, shell: Shell) -> None:
    @fs.dispatch("mine")
    def mine(job: Any, clusters: Any, now_s: float) -> Any:
        return "nowhere"

    path = tmp_path / "mine.toml"
    path.write_text(toml_text(document(tmp_path)))
    before = sorted(tmp_path.rglob("*"))
    code, out, err = shell("run", path.name, "--no-progress")
    assert (code, out) == (1, "")
    last = err.splitlines()[-1]  # a line before it may say that kernels are compiled
    assert last.startswith(
        "error: policy mine of workload w failed at the start: for job j0 it ret"
    )
    assert sorted(tmp_path.rglob("*")) == before
