"""What docs/placement.md shows is what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.engine.placing import PlacedOn
from simulator.engine.waiting import WaitedFor
from simulator.rare_columns import SPANS
from simulator.registry import PLACEMENTS, placement
from simulator.scenario.placement import Racks
from tests.unit.scenario_documents import with_value

PAGE = (Path(simulator.__file__).parent.parent / "docs" / "placement.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    placement.names()
    monkeypatch.setattr(placement, "_plugins", dict(placement._plugins))


def test_every_rule_of_the_engine_has_its_row() -> None:
    assert [name for name in PLACEMENTS if f"\n| `{name}` |" in PAGE] == list(PLACEMENTS)


def test_the_scenario_file_is_accepted() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    said = tomllib.loads(block)["clusters"]["train"]
    cluster = with_value("clusters.c.racks", said["racks"]).clusters["c"]
    assert cluster.racks == Racks(nodes=16, cross_rack_speed=0.9)
    assert f"| `cross_rack_speed` | {Racks(nodes=1).cross_rack_speed} |" in PAGE


def test_the_policy_is_at_most_twenty_lines_and_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 20
    made: dict[str, Any] = {}
    exec(compile(example, "placement.md", "exec"), made)
    jobs = made["run"].jobs
    assert (jobs["cluster"] == "west").any()
    assert made["run"].summary["jobs_finished"] > 0
    (table,) = re.findall(r"`placement = (\{.*\})`", PAGE)
    said = tomllib.loads(f"placement = {table}")["placement"]
    assert with_value("clusters.c.placement", said).clusters["c"].placement.parameters == {
        "small": 12
    }


def test_everything_that_a_policy_sees_is_listed() -> None:
    seen = {name for kind in (WaitedFor, PlacedOn) for name in vars(kind) if name[0] != "_"}
    cells = set(re.findall(r"`(\w+)(?:\([^)`]*\))?`", PAGE))
    assert seen - cells == set()


def test_the_columns_of_results_are_listed() -> None:
    for column in SPANS:
        assert f"| jobs | `{column.name}` |" in PAGE
