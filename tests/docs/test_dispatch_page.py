"""What docs/dispatch.md shows is what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.engine.dispatching import Candidate
from simulator.engine.seen import SeenJob
from simulator.registry import dispatch
from simulator.scenario import from_document
from tests.unit.scenario_documents import changed

PAGE = (Path(simulator.__file__).parent.parent / "docs" / "dispatch.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatch.names()
    monkeypatch.setattr(dispatch, "_plugins", dict(dispatch._plugins))


def block(language: str, at: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)[at]


def listed(heading: str) -> set[str]:
    """Return what the table under a heading lists in its first column."""
    table = PAGE[PAGE.index(f"| `{heading}` | meaning |") :].partition("\n\n")[0]
    cells = re.findall(r"(?m)^\| (`[^|]*) \|", table)[1:]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_each_policy_stands_in_the_table() -> None:
    for policy in dispatch.names():
        assert f"| `{policy}` |" in PAGE
        plugin = dispatch.get(policy)
        assert plugin is not None
        assert not plugin.parameters, "None of the three has parameters"


def test_the_keys_are_read_as_shown() -> None:
    said = tomllib.loads(block("toml"))["workloads"]["training"]
    document = changed("workloads.w.clusters", said["clusters"])
    document["workloads"]["w"]["accelerators"] = said["accelerators"]
    node = document["nodes"].pop("n")
    for cluster, kind in (("new", "a100-80g"), ("old", "v100-16g")):
        document["nodes"][kind] = {**node, "accelerator": kind}
        document["clusters"][cluster] = {"site": "s", "node": kind, "count": 2}
    del document["clusters"]["c"]
    workload = from_document(document).workloads["w"]
    assert (workload.clusters.policy, workload.clusters.among) == ("least-wait", ("new", "old"))
    assert workload.accelerators == {"a100-80g": 1.0, "v100-16g": 0.4}


def test_the_two_generations_come_out_as_shown(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python"), "dispatch.md", "exec"), {})
    rows = capsys.readouterr().out
    assert "| old " not in rows
    assert len(rows.splitlines()) == 3
    assert rows in PAGE


def test_the_policy_of_ones_own_is_ten_lines_and_comes_out_as_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    example = block("python", 1)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    made: dict[str, Any] = {}
    exec(compile(example, "dispatch.md", "exec"), made)
    one, other = capsys.readouterr().out.splitlines()
    assert f"It prints {one} for the list and {other} with the policy." in PAGE


def test_everything_that_a_policy_sees_is_listed() -> None:
    assert listed("job") == public(SeenJob)
    assert listed("cluster") == public(Candidate)
