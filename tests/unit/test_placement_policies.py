"""Placement policies in plain Python: asked for each start, and told apart when they go wrong."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.errors import InputError, PolicyError
from simulator.inputs import open_inputs
from simulator.registry import placement, scheduling
from simulator.results import Results
from simulator.scenario import from_document
from simulator.scenario.json_schema import schema
from simulator.simulation import Simulated, run
from tests.builders import scenario_document, write_jobs
from tests.oracle.scheduling import Rule, place_by_racks
from tests.oracle.scheduling_workloads import quotas_for, random_workload, scenario_of
from tests.policy_runs import same_bytes

COLUMNS = "submit_s,duration_s,gpus"
ROWS = [(0, 100, 8), (10, 100, 12), (20, 50, 3), (30, 50, 24), (40, 0, 2), (50, 50, 5)]
"""Jobs on nodes of 8: one node, two, a part of one, three, nothing, a part."""


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (placement, scheduling):
        kind.names()
        monkeypatch.setattr(kind, "_plugins", dict(kind._plugins))


def whole_nodes(cluster: Any, count: int) -> list[int]:
    """Return the lowest empty nodes."""
    nodes: list[int] = []
    for _ in range(count):
        nodes.append(cluster.lowest(cluster.accelerators, above=nodes[-1] if nodes else -1))
    return nodes


def first_fit(job: Any, cluster: Any, now_s: float) -> list[int]:
    """Take the first nodes that fit."""
    whole = cluster.accelerators
    count, rest = divmod(job.gpus, whole)
    nodes = whole_nodes(cluster, count)
    if rest:
        partly = cluster.lowest(rest, at_most=whole - 1)
        empty = cluster.lowest(whole, above=nodes[-1] if nodes else -1)
        nodes.append(min(node for node in (partly, empty) if node is not None))
    return nodes


def pack(job: Any, cluster: Any, now_s: float) -> list[int]:
    """Take the fullest nodes that fit."""
    whole = cluster.accelerators
    count, rest = divmod(job.gpus, whole)
    nodes = whole_nodes(cluster, count)
    if rest:
        able = (cluster.lowest(free, at_most=free) for free in range(rest, whole))
        node = next((node for node in able if node is not None), None)
        if node is None:
            node = cluster.lowest(whole, above=nodes[-1] if nodes else -1)
        nodes.append(node)
    return nodes


def locality(job: Any, cluster: Any, now_s: float) -> list[int]:
    """Take the nodes of the fewest racks, as the reference of queue rules does."""
    free = [cluster.free_of(node) for node in range(cluster.node_limit)]
    found = place_by_racks(free, cluster.accelerators, job.gpus, cluster.rack_nodes)
    return sorted(found, key=lambda node: -found[node])


BUILT_IN: dict[str, Callable[..., list[int]]] = {
    "first-fit": first_fit, "pack": pack, "locality": locality,
}  # fmt: skip


def in_order(queue: Any, cluster: Any, now_s: float) -> Iterator[Any]:
    """Start jobs in the order of the queue up to the first that does not fit."""
    for job in queue:
        if not cluster.fits(job.gpus):
            return
        yield job


def document(folder: Path, placed: Any = "mine", **keys: Any) -> dict[str, Any]:
    keys = {"nodes": {"accelerators": 8}, "clusters__c__count": 4, "drain": True, **keys}
    jobs = write_jobs(folder / "jobs.csv", ROWS, COLUMNS)
    return scenario_document(jobs, clusters__c__placement=placed, **keys)


def results_of(folder: Path, placed: Any = "mine", **keys: Any) -> Results:
    return run(from_document(document(folder, placed, **keys))).results


def both(said: dict[str, Any], built_in: str) -> tuple[Simulated, Simulated]:
    """Return runs with a rule of the engine and with the same as a policy."""
    if "mine" not in placement.names():
        fs.placement("mine")(BUILT_IN[built_in])
    runs = []
    for placed in (built_in, "mine"):
        for cluster in said["clusters"].values():
            cluster["placement"] = placed
        runs.append(run(from_document(said)))
    return runs[0], runs[1]


# -- the engine's own rules a second time ---------------------------------------------------------


ORDERS = [
    "fifo", "shortest-first", {"policy": "priority", "ageing": "10 s"}, "deadline-first",
    {"policy": "fair-share", "of": "workload", "half_life": "1 min"},
]  # fmt: skip


@pytest.mark.parametrize("built_in", BUILT_IN)
@pytest.mark.parametrize("first", [0, 20])
def test_a_plug_in_rule_gives_the_bytes_of_the_built_in_one(
    first: int, built_in: str, tmp_path: Path
) -> None:
    for seed in range(first, first + 20):
        case = random_workload(seed, most_jobs=60, workloads=1 + seed % 3)
        rack = seed % 4 or int(built_in == "locality")
        rule = Rule(quotas=quotas_for(case) if seed % 2 else {}, rack=rack, across=0.5)
        said = scenario_of(case, rule, tmp_path)
        said["clusters"]["c"]["queue"] = ORDERS[seed % 5]
        same_bytes(*both(said, built_in))


@pytest.mark.parametrize("routes", [(["c", "d"], ["d", "c"]), (["c"], ["d", "c"])])
@pytest.mark.parametrize("seed", range(6))
def test_it_does_so_where_clusters_share_jobs(seed: int, routes: Any, tmp_path: Path) -> None:
    case = random_workload(seed, most_jobs=80, workloads=2)
    said = scenario_of(case, Rule(), tmp_path)
    said["clusters"]["d"] = {**said["clusters"]["c"], "count": 1 + case.nodes // 2}
    for workload, clusters in zip(said["workloads"].values(), routes, strict=False):
        workload["clusters"] = clusters
    same_bytes(*both(said, "first-fit"))


@pytest.mark.parametrize("built_in", ["pack", "locality"])
@pytest.mark.parametrize("seed", range(4))
def test_it_does_so_where_nodes_sleep_and_fail(seed: int, built_in: str, tmp_path: Path) -> None:
    fs.scheduling("asked")(in_order)
    rng = np.random.default_rng(seed)
    columns = (np.sort(rng.integers(0, 14_400, 80)), rng.integers(0, 1200, 80))
    rows = list(zip(*columns, rng.integers(1, 29, 80), strict=True))
    said = document(tmp_path, clusters__c__count=6, horizon="5 h")
    said["workloads"]["w"]["jobs"]["file"] = str(write_jobs(tmp_path / "j.csv", rows, COLUMNS))
    nap = {"name": "nap", "after": "1 min", "power": "5 W", "enter_time": "5 s", "wake_time": "9 s"}
    said["nodes"]["n"] |= {"idle_states": [nap], "failures": {"mtbf": "6 h", "repair": "9 min"}}
    racks = {"nodes": 2, "cross_rack_speed": 0.8}
    queue = ("fifo", "asked")[seed % 2]
    said["clusters"]["c"] |= {"idle": "ladder", "racks": racks, "queue": queue}
    one, other = both(said, built_in)
    same_bytes(one, other)
    assert one.results.nodes["wake_ups"].sum() > 0
    assert one.results.jobs["restarts"].sum() > 0
    assert set(one.results.jobs["racks"].dropna()) >= {1, 2}


@pytest.mark.parametrize("seed", range(6))
def test_it_does_so_beside_a_scheduling_policy(seed: int, tmp_path: Path) -> None:
    @fs.scheduling("largest")
    def largest(queue: Any, cluster: Any, now_s: float) -> Any:
        """Start the largest first; jobs of a list that run out of quota are passed over."""
        fitting, left = [], cluster.nodes_by_free[-1]
        for job in sorted(queue, key=lambda job: -job.gpus):
            nodes = -(-job.gpus // cluster.accelerators)
            if nodes <= left:
                fitting.append(job)
                left -= nodes
        return fitting

    case = random_workload(seed, most_jobs=60, workloads=2)
    said = scenario_of(case, Rule(quotas=quotas_for(case) if seed % 2 else {}), tmp_path)
    said["clusters"]["c"]["queue"] = "largest"
    same_bytes(*both(said, "first-fit"))


def test_clusters_of_other_placements_and_queues_live_beside_it(tmp_path: Path) -> None:
    fs.placement("mine")(first_fit)
    said = document(tmp_path)
    alone = run(from_document(said)).results.jobs
    for name, keys in {"d": {"placement": "spread"}, "e": {"queue": "easy-backfill"}}.items():
        said["clusters"][name] = {**said["clusters"]["c"], "placement": "pack", **keys}
        said["workloads"][name] = {**said["workloads"]["w"], "clusters": [name]}
    jobs = run(from_document(said)).results.jobs
    for name, keys in {"c": {}, "d": {"placed": "spread"}, "e": {"placed": "pack"}}.items():
        other = results_of(tmp_path, **keys).jobs if keys else alone
        if name == "e":
            other = results_of(tmp_path, "pack", clusters__c__queue="easy-backfill").jobs
        mine = jobs[jobs["cluster"] == name]
        assert mine["start_s"].tolist() == other["start_s"].tolist(), name
        assert mine["end_s"].tolist() == other["end_s"].tolist(), name


# -- what it sees ---------------------------------------------------------------------------------


def test_it_sees_the_job_and_what_is_free_now(tmp_path: Path) -> None:
    seen: list[Any] = []

    @fs.placement("mine")
    def mine(job: Any, cluster: Any, now_s: float) -> list[int]:
        free = [cluster.free_of(node) for node in range(cluster.node_limit)]
        racks = [cluster.rack_of(node) for node in range(cluster.node_limit)]
        lowest = [cluster.lowest(least) for least in (1, 3, 8)]
        assert cluster.lowest(1, above=cluster.node_limit - 1) is None
        assert cluster.lowest(1, above=99) is None
        assert sum(free) == cluster.free
        assert cluster.fits(job.gpus)
        seen.append((job.id, now_s, free, racks, cluster.rack_nodes, lowest))
        return first_fit(job, cluster, now_s)

    results_of(tmp_path, clusters__c__racks={"nodes": 3})
    racks = [0, 0, 0, 1]
    assert seen[:3] == [
        ("j0", 0.0, [8, 8, 8, 8], racks, 3, [0, 0, 0]),
        ("j1", 10.0, [0, 8, 8, 8], racks, 3, [1, 1, 1]),
        ("j2", 20.0, [0, 0, 4, 8], racks, 3, [2, 2, 3]),
    ]


def test_it_is_asked_once_for_each_start_in_the_order_of_the_queue(tmp_path: Path) -> None:
    asked: list[int] = []

    @fs.placement("mine")
    def mine(job: Any, cluster: Any, now_s: float) -> tuple[int, ...]:
        asked.append(job.number)
        return tuple(np.array(first_fit(job, cluster, now_s)))

    jobs = results_of(tmp_path).jobs
    assert sorted(asked) == list(range(len(ROWS)))
    assert jobs["start_s"][asked].is_monotonic_increasing


def test_its_parameters_are_read_from_the_file_and_swept(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []

    @fs.placement("mine")
    def mine(job: Any, cluster: Any, now_s: float, *, least: int, every_ms: int = 60_000) -> Any:
        seen.append((least, every_ms))
        return first_fit(job, cluster, now_s)

    results_of(tmp_path, {"policy": "mine", "least": 3, "every": "2 min"})
    assert set(seen) == {(3, 120_000)}
    scenario = from_document(document(tmp_path, {"policy": "mine", "least": 3}))
    assert 'every = "1 min"' in scenario.to_toml()
    sweep = fs.sweep(scenario, {"clusters.c.placement.least": [1, 2]}, seeds=1)
    assert len(sweep.runs) == 2
    assert {least for least, _ in seen} == {1, 2, 3}


def test_its_code_counts_in_the_key_of_a_run(tmp_path: Path) -> None:
    before = open_inputs(from_document(document(tmp_path, "pack"))).key
    fs.placement("mine")(first_fit)
    assert open_inputs(from_document(document(tmp_path, "pack"))).key == before
    assert open_inputs(from_document(document(tmp_path))).key != before


def test_it_stands_in_the_schema() -> None:
    fs.placement("mine")(first_fit)
    assert '"mine"' in json.dumps(schema())


# -- what goes wrong ------------------------------------------------------------------------------


WRONG: dict[str, tuple[Any, str]] = {
    "too few": (
        [],
        "takes 2 nodes (1 whole and one for 4 accelerators), and 0 are named; name the whole ones",
    ),
    "too many": ([1, 2, 3], "takes 2 nodes (1 whole and one for 4 accelerators), and 3 are named"),
    "not free": (
        [0, 1],
        "node 0 has 0 accelerators free, and 8 are needed there; ask cluster.free_of(node) first",
    ),
    "rest not free": ([1, 0], "job j1: node 0 has 0 accelerators free, and 4 are needed there"),
    "twice": ([1, 1], "job j1: node 1 is named twice; name each node once"),
    "of another cluster": ([1, 4], "job j1: node 4 is not of this cluster, whose nodes are 0 to 3"),
    "negative": ([-1, 1], "job j1: node -1 is not of this cluster, whose nodes are 0 to 3"),
    "no number": ([1, "2"], "job j1: '2' is no node; nodes are numbers from 0 to 3"),
    "nothing": (None, "job j1: it returned None; return a list of nodes"),
}


@pytest.mark.parametrize("mistake", WRONG)
@pytest.mark.parametrize("queue", ["fifo", "asked"])
def test_a_wrong_decision_names_the_policy_the_job_and_the_time(
    mistake: str, queue: str, tmp_path: Path
) -> None:
    answer, words = WRONG[mistake]

    fs.scheduling("asked")(in_order)

    @fs.placement("mine")
    def mine(job: Any, cluster: Any, now_s: float) -> Any:
        return answer if job.number == 1 else first_fit(job, cluster, now_s)

    with pytest.raises(PolicyError) as caught:
        results_of(tmp_path, clusters__c__queue=queue)
    assert str(caught.value).startswith("policy mine of cluster c failed after 10 s: ")
    assert words in str(caught.value)


def test_a_node_that_sleeps_or_does_not_serve_is_refused(tmp_path: Path) -> None:
    @fs.placement("mine")
    def mine(job: Any, cluster: Any, now_s: float) -> list[int]:
        assert cluster.free_of(3) == (0 if now_s >= 10 else 8)
        return [3, 2] if job.number == 1 else first_fit(job, cluster, now_s)

    nap = {"name": "nap", "after": "5 s", "power": "5 W", "wake_time": "3 s"}
    said = document(tmp_path, clusters__c__idle="ladder", clusters__c__count=4)
    next(iter(said["nodes"].values()))["idle_states"] = [nap]
    with pytest.raises(PolicyError, match="after 13 s: job j1: node 3 is asleep; name one"):
        run(from_document(said))


def test_an_error_of_its_own_is_told_on_one_line(tmp_path: Path) -> None:
    @fs.placement("mine")
    def mine(job: Any, cluster: Any, now_s: float) -> list[int]:
        return [cluster.free_of(99)]

    words = "at the start: job j0: ValueError: node 99 is not of this cluster, whose nodes are 0 to"
    with pytest.raises(PolicyError, match=words):
        results_of(tmp_path)
    fs.placement("other")(lambda job, cluster, now_s: [cluster.rack_of(0)])
    with pytest.raises(PolicyError, match="cluster c has no racks"):
        results_of(tmp_path, "other")


def test_what_can_not_be_registered() -> None:
    with pytest.raises(ValueError, match='placement "pack" is built in; use another name'):
        fs.placement("pack")(first_fit)
    with pytest.raises(TypeError, match=r"write a plain function of \(job, cluster, now_s, "):
        fs.placement("mine")(lambda job: [0])


# -- what is refused ------------------------------------------------------------------------------


def problems(said: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        from_document(said)
    return {issue.path: issue.message for issue in caught.value.issues}


@pytest.mark.parametrize("queue", ["easy-backfill", "conservative-backfill"])
def test_backfill_is_refused_by_name(queue: str, tmp_path: Path) -> None:
    fs.placement("mine")(first_fit)
    backfill = queue.partition("-")[0]
    for each in (queue, {"policy": "shortest-first", "backfill": backfill}):
        found = problems(document(tmp_path, clusters__c__queue=each))
        assert found == {
            "clusters.c.placement": '"mine" is asked in plain Python for each job that starts, and '
            f"{backfill} backfill must know the places of jobs that do not start yet; write a "
            'queue without backfill, or a rule such as "pack"'
        }


@pytest.mark.parametrize("where", ["clusters__c__power_budget", "sites__s__power_budget"])
def test_power_budgets_are_refused_by_name(where: str, tmp_path: Path) -> None:
    fs.placement("mine")(first_fit)
    (text,) = problems(document(tmp_path, **{where: "1 MW"})).values()
    assert text.startswith('"mine" is asked in plain Python, and a power budget must know')


def test_unknown_names_and_parameters_are_told_with_what_is_known(tmp_path: Path) -> None:
    @fs.placement("mine", rules=lambda *, least: iter([("least", "is odd")] if least % 2 else []))
    def mine(job: Any, cluster: Any, now_s: float, *, least: int = 2) -> Any:
        return first_fit(job, cluster, now_s)

    found = problems(document(tmp_path, "mein"))
    known = "pack, first-fit, spread, locality, mine"
    assert found == {
        "clusters.c.placement": f'"mein" is not known here; did you mean "mine"? known are {known}'
    }
    found = problems(document(tmp_path, {"policy": "mine", "leest": 3}))
    assert found["clusters.c.placement.leest"] == "unknown key; did you mean 'least'?"
    found = problems(document(tmp_path, {"policy": "mine", "least": 3}))
    assert found == {"clusters.c.placement.least": "is odd"}


def test_a_package_names_its_policy_in_its_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "my_placements"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "last_fit.py").write_text(
        "import simulator as fs\n\n\n"
        '@fs.placement("last-node")\n'
        "def last_node(job, cluster, now_s):\n"
        '    """Take the last node that fits."""\n'
        "    nodes = range(cluster.node_limit)\n"
        "    return [max(node for node in nodes if cluster.free_of(node) >= job.gpus)]\n"
    )
    info = package.parent / "my_placements-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-placements\nVersion: 1.0\n")
    entries = "[fleetsim.placement]\nlast-node = my_placements.last_fit\n"
    (info / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(str(package.parent))
    said = document(tmp_path, "last-node")
    rows = [(0, 100, 8), (1, 100, 3), (2, 100, 5)]
    said["workloads"]["w"]["jobs"]["file"] = str(write_jobs(tmp_path / "j.csv", rows, COLUMNS))
    assert run(from_document(said)).log.first_node.tolist() == [3, 2, 2]
