"""What docs/sharing.md shows is what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import simulator
import simulator as fs
from simulator.columns import SHARED
from simulator.scenario import from_document
from simulator.scenario.sharing import Sharing
from tests.builders import scenario_document

CHECKOUT = Path(simulator.__file__).parent.parent
PAGE = (CHECKOUT / "docs" / "sharing.md").read_text(encoding="utf-8")


def test_the_example_runs_and_shares() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    shown = tomllib.loads(block)
    document = scenario_document(horizon="3 d")
    document["sites"]["california"] = document["sites"].pop("s")
    document["clusters"] = shown["clusters"]
    document["clusters"]["research"] |= {"node": "n", "count": 8}
    document["workloads"] = shown["workloads"]
    scenario = from_document(document)
    sharing = scenario.clusters["research"].sharing
    assert sharing is not None
    assert (sharing.jobs, sharing.prefer) == (2, "shared")
    assert scenario.workloads["benchmarks"].shareable is False
    ran = fs.run(scenario)
    assert ran.summary["gpu_hours_shared"] > 0.0
    by_workload = ran.jobs.groupby("workload", observed=True)["shared_share"].max()
    assert by_workload["benchmarks"] == 0.0
    assert by_workload["sweeps"] > 0.0


def test_the_defaults_are_those_of_the_table() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \| `([^`]*)` \| ", PAGE)
    shown = {key: tomllib.loads(f"value = {value}")["value"] for key, value in rows}
    assert shown.pop("shareable") is True
    rule = Sharing(jobs=2)
    assert shown == {key: getattr(rule, key) for key in shown}
    assert set(shown) == {"most_utilisation", "interference", "prefer"}


@pytest.mark.parametrize(
    ("interference", "load", "slowdown"),
    [
        ("none", 0.8, 1.0),
        ("none", 1.5, 1.5),
        ({"overhead": 0.1}, 0.8, 1.08),
        ({"overhead": 0.1}, 1.5, 1.65),
        ({"points": [[0.0, 1.0], [1.0, 1.1], [2.0, 2.3]]}, 0.5, 1.05),
        ({"points": [[0.0, 1.0], [1.0, 1.1], [2.0, 2.3]]}, 1.5, 1.7),
    ],
)
def test_each_law_is_what_the_table_says(interference: Any, load: float, slowdown: float) -> None:
    rule = Sharing(jobs=2, most_utilisation=2.0, interference=interference)
    assert rule.slowdown(load) == pytest.approx(slowdown, rel=1e-12)


def test_each_column_stands_in_the_table() -> None:
    for column in SHARED:
        assert f"| jobs | `{column.name}` | " in PAGE
