"""The page on power: its examples are read, and its figures are those they give."""

import re
import tomllib
from pathlib import Path

import pytest

import simulator
from simulator.fleet import fleet_of
from simulator.kernels.curves import draw
from simulator.power.curves import curves_of
from simulator.report.table import summary_table
from simulator.scenario import Scenario, from_document
from simulator.simulation import run

PAGE = (Path(simulator.__file__).parent.parent / "docs" / "power.md").read_text(encoding="utf-8")
EXAMPLES = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
HEAD = {"schema": 1, "name": "page", "start": "2022-01-01T00:00:00Z", "horizon": "1 d"}
HOME = {"home": {"pue": 1.1, "grid": {"average": "CISO"}}}


def scenario_of(example: dict[str, dict[str, object]]) -> Scenario:
    """Return an example as a scenario, with a site and a cluster where it has none."""
    nodes = example.get("nodes", {})
    clusters = {name: {"site": "home", "node": name, "count": 1} for name in nodes}
    return from_document({**HEAD, "sites": HOME, "clusters": clusters, **example})


def example(name: str) -> Scenario:
    (found,) = (said for said in EXAMPLES if name in said.get("nodes", {}))
    return scenario_of(found)


def node_w(scenario: Scenario, busy: float) -> float:
    fleet = fleet_of(scenario)
    span_w = (fleet.busy_w[0] - fleet.idle_w[0]) / fleet.accelerators[0]
    return float(fleet.idle_w[0] + span_w * draw(curves_of(scenario), 0, busy))


def curve_of(written: str) -> object:
    return tomllib.loads(f"load_curve = {written}")["load_curve"]


@pytest.mark.parametrize("said", EXAMPLES, ids=lambda said: next(iter(said)))
def test_an_example_is_a_valid_part_of_a_scenario(said: dict[str, dict[str, object]]) -> None:
    assert scenario_of(said).clusters


def test_every_way_to_write_a_curve_is_read() -> None:
    table = PAGE[PAGE.index("| `load_curve` | f(u) |") :].split("\n\n")[0]
    curves = re.findall(r"(?m)^\| `(.*?)` \|", table)[1:]
    assert len(curves) == 4
    for curve in curves:
        power = {"idle_power": "60 W", "busy_power": "150 W", "load_curve": curve_of(curve)}
        node = {"accelerators": 1, "embodied": "1 t", "lifetime": "4 y", **power}
        assert node_w(scenario_of({"nodes": {"n": node}}), 1.0) == 150.0


def test_the_figures_of_the_page_are_those_of_its_examples() -> None:
    web, cores, parts = example("web"), example("four-cores"), example("by-parts")
    assert node_w(web, 1.0) == pytest.approx(130.0)
    assert [node_w(cores, k) for k in (0, 1, 2, 4)] == pytest.approx([100, 120, 440 / 3, 200])
    node = parts.nodes["by-parts"]
    assert (node.idle_power_w, node.busy_power_w) == (1400.0, 5400.0)
    assert curves_of(parts).weights[0, 0] == pytest.approx(0.15)
    capped = fleet_of(example("capped"))
    assert (capped.own_speed[0], capped.busy_w[0]) == (0.95, 4400.0)


def test_the_jobs_of_the_example_of_a_budget_are_those_of_the_page() -> None:
    table = PAGE[PAGE.index("| job | submitted [h] |") :].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    results = run(example("rack")).results
    jobs, summary = results.jobs, results.summary
    times_h = jobs[["submit_s", "start_s", "end_s"]].to_numpy() / 3600
    said = [[float(cell) for cell in row[1:5]] for row in rows]
    assert [row[:3] for row in said] == times_h.tolist()
    assert [row[3] for row in said] == pytest.approx(jobs["energy_dynamic_kwh"].tolist())
    for key in ("jobs_delayed_by_power", "jobs_capped", "energy_capped_kwh"):
        assert f"`{key}` is {round(summary[key], 9):g}" in " ".join(PAGE.split())
    counts = "power budgets: 4 delayed, 3 capped"
    assert counts in PAGE
    assert counts in " ".join(summary_table(results).split())
