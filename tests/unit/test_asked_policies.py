"""Scheduling policies in plain Python: asked at each pass, and told apart when they go wrong."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import simulator as fs
from simulator.inputs import open_inputs
from simulator.registry import scheduling
from simulator.results import Results
from simulator.scenario import Scenario, from_document
from simulator.scenario.toml_writer import toml_text
from simulator.simulation import run
from tests.builders import scenario_document, write_jobs
from tests.oracle.scheduling import Rule
from tests.oracle.scheduling_workloads import quotas_for, random_workload, scenario_of
from tests.policy_runs import same_bytes
from tests.unit.conftest import Shell

COLUMNS = "submit_s,duration_s,gpus,requested_s,priority,user"
ROWS = [
    (0, 100, 8, 150, 0, "ann"),
    (10, 100, 8, 120, 0, "bob"),
    (20, 50, 4, 60, 1, ""),
    (30, 50, 2, 60, 0, "ann"),
    (40, 50, 6, 60, 0, "ann"),
]
"""On a node of 8 the first runs from 0 to 100 s, and the others wait."""


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduling.names()
    monkeypatch.setattr(scheduling, "_plugins", dict(scheduling._plugins))


def plain_fifo(queue: Any, cluster: Any, now_s: float) -> Iterator[Any]:
    """Start jobs in the order of the queue up to the first that does not fit."""
    for job in queue:
        if not cluster.fits(job.gpus):
            return
        yield job


def document(folder: Path, queue: Any = "mine", **keys: Any) -> dict[str, Any]:
    jobs = write_jobs(folder / "jobs.csv", ROWS, COLUMNS)
    return scenario_document(jobs, clusters__c__queue=queue, **keys)


def results_of(folder: Path, queue: Any = "mine", **keys: Any) -> Results:
    return run(from_document(document(folder, queue, **keys))).results


def starts_s(results: Results) -> list[float]:
    return list(results.jobs["start_s"])


# -- the engine's own first come, first served ------------------------------------------------


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_a_plug_in_fifo_starts_what_fifo_starts_on_the_same_nodes(
    first: int, tmp_path: Path
) -> None:
    fs.scheduling("mine")(plain_fifo)
    for seed in range(first, first + 25):
        case = random_workload(seed, most_jobs=80, workloads=1 + seed % 3, speeds=(1.0, 0.9))
        placement = ("pack", "first-fit", "spread")[seed % 3]
        rule = Rule(placement=placement, quotas=quotas_for(case) if seed % 2 else {})
        said = scenario_of(case, rule, tmp_path)
        built_in = run(from_document(said)).log
        said["clusters"]["c"]["queue"] = "mine"
        asked = run(from_document(said)).log
        for column in ("start_ms", "end_ms", "first_node", "part_node"):
            found, wanted = getattr(asked, column), getattr(built_in, column)
            assert found.tolist() == wanted.tolist(), (seed, column)


@pytest.mark.parametrize("routes", [(["c", "d"], ["c", "d"]), (["c"], ["d", "c"])])
@pytest.mark.parametrize("seed", range(3))
def test_it_serves_several_clusters(seed: int, routes: Any, tmp_path: Path) -> None:
    """All jobs start; as many accelerators are never held as there are not."""
    fs.scheduling("mine")(plain_fifo)
    case = random_workload(seed, most_jobs=80, workloads=2, priorities=False)
    said = scenario_of(case, Rule(), tmp_path)
    said["clusters"]["c"]["queue"] = "mine"
    said["clusters"]["d"] = dict(said["clusters"]["c"])
    for workload, clusters in zip(said["workloads"].values(), routes, strict=False):
        workload["clusters"] = clusters
    done = run(from_document(said))
    assert done.results.summary["jobs_finished"] == len(case.jobs)
    assert set(done.results.jobs["cluster"]) <= {"c", "d"}


def test_the_cluster_that_a_job_prefers_is_asked_first(tmp_path: Path) -> None:
    fs.scheduling("mine")(plain_fifo)
    said = document(tmp_path)
    said["clusters"] = {"d": dict(said["clusters"]["c"]), **said["clusters"]}
    said["workloads"]["w"]["clusters"] = ["c", "d"]
    results = run(from_document(said)).results
    assert list(results.jobs["cluster"])[:2] == ["c", "d"]
    assert starts_s(results) == [0.0, 10.0, 100.0, 100.0, 110.0]


def test_conservative_and_asked_clusters_live_in_one_fleet(tmp_path: Path) -> None:
    fs.scheduling("mine")(plain_fifo)
    said = document(tmp_path)
    for name, queue in (("d", "conservative-backfill"), ("e", "easy-backfill"), ("f", "fifo")):
        said["clusters"][name] = {**said["clusters"]["c"], "queue": queue}
        said["workloads"][name] = {**said["workloads"]["w"], "clusters": [name]}
    jobs = run(from_document(said)).results.jobs

    def alone(cluster: str, queue: Any) -> list[float]:
        return starts_s(results_of(tmp_path, queue))

    for name in "cdef":
        mine = jobs[jobs["cluster"] == name]
        queue = "fifo" if name == "c" else said["clusters"][name]["queue"]
        assert list(mine["start_s"]) == alone(name, queue), name


def test_nodes_wake_for_jobs_of_an_asked_queue(tmp_path: Path) -> None:
    fs.scheduling("mine")(plain_fifo)
    off = {"name": "off", "after": "5 s", "power": "10 W", "wake_time": "2 min"}
    keys: dict[str, Any] = {"nodes": {"idle_states": [off]}, "clusters__c__idle": "ladder"}
    keys["clusters__c__count"] = 3
    asked = results_of(tmp_path, **keys)
    fifo = results_of(tmp_path, "fifo", **keys)
    assert starts_s(asked) == starts_s(fifo)
    assert asked.summary["wake_ups"] == fifo.summary["wake_ups"] > 0


# -- what it sees -----------------------------------------------------------------------------


def test_what_a_policy_sees(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Any:
        jobs = list(queue)
        seen.append(
            {
                "now_s": now_s,
                "jobs": [(job.id, job.gpus, job.requested_s, job.submit_s) for job in jobs],
                "waits": [job.wait_s for job in jobs],
                "who": [(job.priority, job.workload, job.user) for job in jobs],
                "rows": [job.number for job in jobs],
                "clusters": {job.clusters for job in jobs},
                "deadlines": {job.deadline_s for job in jobs},
                "length": len(queue),
                "first": queue[0].number,
                "slice": [job.number for job in queue[1:3]],
                "cluster": (cluster.name, cluster.accelerators, cluster.node_count),
                "free": (cluster.capacity, cluster.free, cluster.nodes_by_free),
                "fits": [cluster.fits(gpus) for gpus in (1, 8, 9, 16)],
                "running": cluster.running,
                "start": cluster.start_epoch_ms,
            }
        )
        return [queue[0]] if cluster.fits(queue[0].gpus) else None

    results_of(tmp_path)
    assert [each["now_s"] for each in seen[:3]] == [0.0, 100.0, 150.0]
    first, second = seen[:2]
    assert first["jobs"] == [("j0", 8, 150.0, 0.0)]
    assert first["free"] == (8, 8, (0,) * 8 + (1,))
    assert first["fits"] == [True, True, False, False]
    assert first["running"] == ()
    assert first["start"] == 1_640_995_200_000
    assert second["rows"] == [2, 1, 3, 4]
    assert second["waits"] == [80.0, 90.0, 70.0, 60.0]
    assert second["who"][:3] == [(1, "w", None), (0, "w", "bob"), (0, "w", "ann")]
    assert second["clusters"] == {("c",)}
    assert second["deadlines"] == {None}
    assert (second["length"], second["first"], second["slice"]) == (4, 2, [1, 3])
    assert second["cluster"] == ("c", 8, 1)


def test_running_jobs_have_their_expected_ends(tmp_path: Path) -> None:
    seen: list[Any] = []

    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Iterator[Any]:
        seen.append((now_s, cluster.running))
        yield from plain_fifo(queue, cluster, now_s)

    results_of(tmp_path, clusters__c__count=2)
    running = [
        (job.number, job.gpus, job.workload, job.start_s, job.expected_end_s)
        for job in dict(seen)[100.0]
    ]
    assert running == [(1, 8, "w", 10.0, 130.0)]


def test_it_is_asked_only_where_somebody_waits_and_something_is_free(tmp_path: Path) -> None:
    asked: list[float] = []

    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Any:
        asked.append(now_s)
        return plain_fifo(queue, cluster, now_s)

    results_of(tmp_path)
    # 4 GPUs of the urgent job run from 100 s on, the next needs 8, which are free at 150 s.
    assert asked == [0.0, 100.0, 150.0, 250.0]


def test_jobs_beyond_a_quota_are_not_in_the_queue_and_are_passed_over(tmp_path: Path) -> None:
    seen: list[list[int]] = []

    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Any:
        seen.append([job.number for job in queue])
        return list(queue)

    rows = [(0, 100, 3, 100, 0, ""), (0, 100, 2, 100, 0, ""), (1, 100, 2, 100, 0, "")]
    jobs = write_jobs(tmp_path / "quota.csv", rows, COLUMNS)
    said = scenario_document(jobs, clusters__c__queue="mine")
    said["workloads"]["w"]["quota"] = 4
    results = run(from_document(said)).results
    # The second would exceed the quota once the first has started.
    assert starts_s(results) == [0.0, 100.0, 100.0]
    assert seen == [[0, 1], [1, 2]]


def test_jobs_that_a_power_budget_keeps_waiting_are_passed_over(tmp_path: Path) -> None:
    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Iterator[Any]:
        while queue and cluster.fits(queue[0].gpus):
            yield queue[0]

    # 100 W idle, 50 W for an accelerator at work: room for eight of sixteen.
    keys: dict[str, Any] = {"clusters__c__count": 2, "clusters__c__power_budget": "600 W"}
    results = results_of(tmp_path, **keys)
    assert results.summary["jobs_delayed_by_power"] == 4
    assert starts_s(results) == [0.0, 150.0, 100.0, 100.0, 250.0]


# -- wrong decisions --------------------------------------------------------------------------

KEPT: list[Any] = []

TOO_LARGE = (
    "after 100 s: job j1 needs 8 accelerators and does not fit, with 4 free and 0 empty "
    "nodes; ask cluster.fits(job.gpus) first, and yield jobs one by one"
)
WRONG: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "too large": (
        lambda queue, cluster: list(queue),
        TOO_LARGE,
    ),
    "too large, yielded": (
        lambda queue, cluster: iter(list(queue)),
        TOO_LARGE,
    ),
    "not waiting": (
        lambda queue, cluster: KEPT.append(queue[0]) or [KEPT[0]],
        "after 100 s: job j0 does not wait any more; choose among the jobs of the queue",
    ),
    "twice": (
        lambda queue, cluster: [queue[0], queue[0]],
        "at the start: job j0 is named twice; name each job once",
    ),
    "twice, yielded": (
        lambda queue, cluster: iter([queue[0]] * 2),
        "at the start: job j0 is named twice; name each job once",
    ),
    "a number": (
        lambda queue, cluster: [0],
        "at the start: 0 is no job; choose among the jobs of the queue",
    ),
    "nothing to go through": (
        lambda queue, cluster: queue[0],
        "at the start: TypeError: it returned <job j0 of 8 GPUs>; return or yield jobs of",
    ),
    "a fault": (lambda queue, cluster: 1 // 0, "at the start: ZeroDivisionError: "),
    "a fault later": (lambda queue, cluster: (1 // 0 for _ in queue), "ZeroDivisionError: "),
    "no size": (lambda queue, cluster: cluster.fits(0), "ValueError: fits(0) asks for no acc"),
    "half a size": (lambda queue, cluster: cluster.fits(0.5), "at the start: TypeError: 'float'"),
    "written": (lambda queue, cluster: setattr(queue[0], "gpus", 1), "at the start: Attribute"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_decision_names_policy_cluster_time_and_job(case: str, tmp_path: Path) -> None:
    choose, said = WRONG[case]
    KEPT.clear()

    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Any:
        return choose(queue, cluster)

    with pytest.raises(fs.PolicyError) as failed:
        results_of(tmp_path)
    words = str(failed.value)
    assert words.startswith("policy mine of cluster c failed ")
    assert said in words
    assert "\n" not in words


def test_a_job_of_another_cluster_is_told(tmp_path: Path) -> None:
    seen: list[Any] = []

    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Any:
        seen.append(queue[0])
        return [seen[0]] if cluster.name == "d" else []

    said = document(tmp_path)
    said["clusters"]["d"] = dict(said["clusters"]["c"])
    said["workloads"]["w"]["clusters"] = ["c", "d"]
    with pytest.raises(fs.PolicyError, match=r"cluster d .*: job j0 is not of this queue; choose"):
        run(from_document(said))


def test_the_command_line_says_one_line_and_writes_nothing(tmp_path: Path, shell: Shell) -> None:
    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Any:
        return list(queue)

    path = tmp_path / "mine.toml"
    path.write_text(toml_text(document(tmp_path)))
    before = sorted(tmp_path.rglob("*"))
    code, out, err = shell("run", path.name, "--no-progress")
    assert (code, out) == (1, "")
    assert err.startswith("error: policy mine of cluster c failed after 100 s: job j1 needs 8 ")
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


# -- parameters, and runs that say the same ---------------------------------------------------


def shortest(queue: Any, cluster: Any, now_s: float, *, limit: int = 100) -> Iterator[Any]:
    """Start the shortest of the first jobs of the queue."""
    for job in sorted(queue[:limit], key=lambda job: job.requested_s):
        if cluster.fits(job.gpus):
            yield job


def test_parameters_are_typed_and_count(tmp_path: Path) -> None:
    fs.scheduling("mine")(shortest)
    # One job at each pass: at 250 s the 2 GPUs, and the 6 when these have ended.
    one = results_of(tmp_path, {"policy": "mine", "limit": 1})
    assert starts_s(one) == [0.0, 150.0, 100.0, 250.0, 300.0]
    # Beside the 4 GPUs of the urgent job the 2 fit; by their size the two small ones come first.
    assert starts_s(results_of(tmp_path)) == [0.0, 200.0, 100.0, 100.0, 150.0]
    with pytest.raises(fs.InputError, match="limit"):
        results_of(tmp_path, {"policy": "mine", "limit": "many"})


def test_the_same_scenario_gives_the_same_bytes(tmp_path: Path) -> None:
    fs.scheduling("mine")(shortest)
    scenario = from_document(document(tmp_path))
    same_bytes(run(scenario), run(scenario))


def test_a_sweep_over_a_parameter(tmp_path: Path) -> None:
    fs.scheduling("mine")(shortest)
    scenario = from_document(document(tmp_path, {"policy": "mine", "limit": 1}))
    study = fs.sweep(scenario, {"clusters.c.queue.limit": [1, 2, 4]}, jobs=1)
    waits_h = list(study.runs["wait_mean_h"])
    alone = [
        fs.run(scenario.replace({"clusters.c.queue.limit": limit})).summary["wait_mean_h"]
        for limit in (1, 2, 4)
    ]
    assert waits_h == alone
    assert waits_h[2] < waits_h[0]


def test_the_jobs_of_a_draining_run_that_nobody_starts_stay_queued(tmp_path: Path) -> None:
    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> None:
        """Start nobody."""

    scenario: Scenario = from_document(document(tmp_path, drain=True))
    done = run(scenario)
    assert done.results.summary["jobs_queued"] == len(open_inputs(scenario).jobs) == 5


@pytest.mark.parametrize("seed", [5, 7, 12, 13, 19, 28])
def test_where_nodes_fail_a_plug_in_fifo_does_what_fifo_does(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs that were cut short wait again, whenever their pieces are handed over."""
    monkeypatch.setattr("simulator.engine.faults.PIECE_ROWS", 2)
    monkeypatch.setattr("simulator.engine.state.LOG_ROWS", 7)
    fs.scheduling("mine")(plain_fifo)
    case = random_workload(seed, most_jobs=60, workloads=1 + seed % 3)
    said = scenario_of(case, Rule(quotas=quotas_for(case) if seed % 2 else {}), tmp_path)
    mean_ms = sum(job.duration_ms for job in case.jobs) // len(case.jobs)
    for node in said["nodes"].values():
        node["failures"] = {
            "mtbf": f"{mean_ms * case.nodes // 2} ms",
            "repair": f"{mean_ms // 3} ms",
        }
    for workload in said["workloads"].values():
        workload["checkpoint"] = {"interval": f"{mean_ms // 4} ms", "cost": "1 ms"}
    built_in = run(from_document(said)).log
    said["clusters"]["c"]["queue"] = "mine"
    asked = run(from_document(said)).log
    assert built_in.pieces is not None
    assert asked.pieces is not None
    assert len(built_in.pieces) > 2
    for column in ("start_ms", "end_ms", "first_node", "part_node"):
        assert getattr(asked, column).tolist() == getattr(built_in, column).tolist(), column
        found, wanted = getattr(asked.pieces, column), getattr(built_in.pieces, column)
        assert found.tolist() == wanted.tolist(), column


def test_a_policy_sees_what_is_left_of_a_job_that_was_cut_short(tmp_path: Path) -> None:
    seen: dict[str, list[tuple[int, float]]] = {}

    @fs.scheduling("mine")
    def mine(queue: Any, cluster: Any, now_s: float) -> Iterator[Any]:
        """Note what waits, and start what fits."""
        for job in queue:
            if cluster.fits(job.gpus):
                seen.setdefault(job.id, []).append((job.restarts, job.requested_s))
                yield job

    failing = document(tmp_path, nodes={"failures": {"mtbf": "60 s", "repair": "1 s"}})
    failing["workloads"]["w"]["checkpoint"] = {"interval": "5 s"}
    results = run(from_document(failing)).results
    again = [runs for runs in seen.values() if len(runs) > 1]
    assert again
    for runs in again:
        assert [restarts for restarts, _ in runs] == list(range(len(runs)))
        left_s = [requested_s for _, requested_s in runs]
        assert all(later <= before for before, later in pairwise(left_s))
        assert all((left_s[0] - requested_s) % 5 == 0 for requested_s in left_s)
    restarts = dict(zip(results.jobs["job_id"], results.jobs["restarts"], strict=True))
    assert all(restarts[name] >= len(runs) - 1 for name, runs in seen.items())
