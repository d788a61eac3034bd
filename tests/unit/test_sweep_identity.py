"""What a sweep and a run are known by: all that decides them, each where it stands."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from simulator import catalog
from simulator.inputs import open_inputs
from simulator.plans.plan import Plan, plan_of
from simulator.registry import provisioning
from simulator.scenario import Scenario, from_document
from simulator.simulation import run
from tests.unit.sweep_bases import IDLE_POWER, A, base

POLICY = """import simulator as fs

@fs.provisioning("kept-awake")
def kept_awake(env, cluster):
    cluster.keep_awake({nodes})
    yield env.timeout(3_600_000)
"""


def column(folder: Path, name: str, *values: float) -> None:
    lines = "".join(f"{value}\n" for value in values)
    (folder / name).write_text(f"x\n{lines}", encoding="utf-8")


def replayed(folder: Path, *files: str) -> Scenario:
    """Return two clusters and a workload for each file, which replays it."""
    return base(folder, workloads={
        f"w{at}": {"clusters": ["a"], "jobs": {"file": name}} for at, name in enumerate(files)
    })  # fmt: skip


def jobs(folder: Path, name: str) -> None:
    text = f"job_id,submit_s,duration_s,gpus\n{name},0,60,1\n"
    (folder / name).write_text(text, encoding="utf-8")


def test_files_count_where_they_are_named(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        jobs(tmp_path, name)
    orders = [("one", "two"), ("two", "one"), ("one", "two", "one"), ("one", "two", "two")]
    found = [replayed(tmp_path, *(f"{name}.csv" for name in order)) for order in orders]
    assert len({plan_of(each, {A: [1, 2]}).digest for each in found}) == len(orders)
    assert len({open_inputs(each).key for each in found}) == len(orders)


def test_a_file_on_an_axis_counts_by_its_content_however_the_path_is_quoted(
    tmp_path: Path,
) -> None:
    for name in ("one.csv", "two.csv"):
        jobs(tmp_path, name)

    def made() -> Plan:
        axis = 'workloads."w0".jobs."file"'
        return plan_of(replayed(tmp_path, "one.csv"), {axis: ["one.csv", "two.csv"]})

    digest = made().digest
    with (tmp_path / "two.csv").open("a", encoding="utf-8") as file:
        file.write("more,0,60,1\n")
    assert made().digest != digest


def test_a_law_of_a_file_for_idle_nodes_is_part_of_the_run(tmp_path: Path) -> None:
    column(tmp_path, "wake.csv", 60, 120)
    nodes = base().document["nodes"]
    nodes["n"]["idle_states"] = [
        {"name": "off", "after": "5 min", "power": "10 W",
         "wake_time": {"file": "wake.csv", "column": "x", "unit": "s"}}
    ]  # fmt: skip
    slept = base(tmp_path, nodes=nodes)
    key = run(slept).results.key
    assert [name for name, _ in run(slept).results.inputs] == ["wake.csv"]
    column(tmp_path, "wake.csv", 600, 1200)
    assert run(slept).results.key != key


def test_a_default_that_follows_an_axis_is_not_one_that_is_said() -> None:
    nodes = base().document["nodes"]
    state: dict[str, Any] = {"name": "off", "after": "5 min", "power": "10 W"}
    nodes["n"]["idle_states"] = [state]
    follows = from_document(base(nodes=nodes).said().document)
    state["wake_power"] = "1.4 kW"  # as it would be anyway, unless an axis varies idle_power
    stays = from_document(base(nodes=nodes).said().document)
    assert follows.canonical() == stays.canonical()
    axes = {IDLE_POWER: ["1.4 kW", "2 kW"]}
    one, two = plan_of(follows, axes), plan_of(stays, axes)
    assert one.scenario(1).canonical() != two.scenario(1).canonical()
    assert one.digest != two.digest


def test_the_catalog_is_part_of_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = {"clusters.a.node": ["hgx-a100", "dgx-a100"]}
    digest = plan_of(base(), axes).digest
    assert len(catalog.sha256()) == 64
    monkeypatch.setattr(catalog, "sha256", lambda: "another")
    assert plan_of(base(), axes).digest != digest


@pytest.fixture
def folder_of_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    provisioning.names()
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    sys.modules.pop("policies_of_mine", None)


def test_the_code_of_a_policy_is_part_of_its_runs(folder_of_policies: Path) -> None:
    found = []
    for nodes in (1, 2):
        provisioning._plugins.pop("kept-awake", None)
        sys.modules.pop("policies_of_mine", None)
        path = folder_of_policies / "policies_of_mine.py"
        path.write_text(POLICY.format(nodes=nodes), encoding="utf-8")
        import_module("policies_of_mine")
        mine = base().replace({"clusters.a.idle": "kept-awake"})
        axes = {"clusters.a.idle": ["always-on", "kept-awake"]}
        found += [
            open_inputs(mine).key,
            plan_of(base(), axes).digest,
            plan_of(mine, {A: [1]}).digest,
        ]
        assert open_inputs(base()).key == open_inputs(base()).key
    assert len(set(found)) == 6


def test_runs_of_shipped_policies_do_not_know_the_code_of_others() -> None:
    shipped = plan_of(base(), {A: [1, 2]}).digest, open_inputs(base()).key

    @provisioning("nobodys")
    def nobodys(env: Any, cluster: Any) -> Iterator[Any]:
        yield env.timeout(1)

    try:
        assert (plan_of(base(), {A: [1, 2]}).digest, open_inputs(base()).key) == shipped
        assert list(provisioning.sources()) == ["nobodys"]
    finally:
        del provisioning._plugins["nobodys"]
