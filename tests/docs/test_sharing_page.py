"""What docs/sharing.md shows is what there is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import simulator
import simulator as fs
from simulator.rare_columns import SHARED
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


def test_the_study_shares_and_needs_less_for_the_same_work() -> None:
    """A quarter of the cluster for a month: fewer nodes, fuller GPUs, less for an hour at work."""
    small = {
        "horizon": "28 d",
        "warm_up": "7 d",
        "workloads.experiments.arrivals.rate": "37.5 per d",
        "clusters.research.count": 16,
    }
    alone = fs.load("sharing").replace(small)
    shared = alone.replace({"clusters.research.sharing.jobs": 2, "clusters.research.count": 11})
    before, after = (fs.run(scenario).summary for scenario in (alone, shared))
    assert before["gpu_hours_shared"] is None
    assert after["gpu_hours_shared"] > 0.5 * after["gpu_hours_delivered"]
    assert 1.0 < after["slowdown_interference_mean"] < 1.1

    def of_held(summary: dict[str, Any]) -> float:
        return float(summary["utilisation"] / summary["allocation"])

    def for_an_hour_at_work(summary: dict[str, Any], key: str) -> float:
        return float(summary[key] / (summary["utilisation"] * summary["gpu_hours_capacity"]))

    assert of_held(before) == pytest.approx(0.40, abs=0.02)
    assert of_held(after) > 1.4 * of_held(before)
    dynamic, whole, embodied = (
        for_an_hour_at_work(after, key) / for_an_hour_at_work(before, key)
        for key in ("energy_dynamic_kwh", "energy_it_kwh", "scope3_embodied_kgco2e")
    )
    assert dynamic == pytest.approx(1.0, rel=1e-9)
    assert whole < 0.9
    assert embodied < 0.75
