"""``fleetsim explain DIR --figure KEY``: every figure of a summary, from its parts."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

import simulator as fs
from simulator import api, catalog
from simulator.columns import SUMMARY
from simulator.explanation.citations import KEYS, figure_behind
from simulator.explanation.figure import RULES, SAID, explained, figure_lines
from simulator.explanation.job_parts import COUNTED
from simulator.node_figures import MEASURES, catalog_figure, source_of
from simulator.results import Results, save
from simulator.scenario import from_document
from simulator.units import MS_PER_H
from tests.builders import file_grid, scenario_document, write_grid
from tests.unit.conftest import Shell

STATES = [{"name": "nap", "after": "10 min", "power": "20 W", "wake_time": "3 min"}]
JOBS = {
    "clusters": ["c", "d"],
    "arrivals": {"process": "poisson", "rate": "3 per h"},
    "duration": {"p50": "1 h", "p99": "5 h"},
    "gpus": {"choices": [1, 3, 8]},
    "utilisation": 0.6,
}
MORE: dict[str, dict[str, Any]] = {
    "plain": {},
    "priced, with water and a model": {
        "sites__s__electricity_price": "0.2 EUR/kWh",
        "sites__t__electricity_price": "0.1 EUR/kWh",
        "nodes__n__price": "90000 EUR",
        "nodes__m__price": "10000 EUR",
        "sites__s__wue": "1.8 L/kWh",
        "sites__t__wue": "0.5 L/kWh",
        "sites__s__pue": {"model": "load", "fixed": "300 W", "proportional": 0.07},
    },
    "asleep": {"clusters__c__idle": "ladder"},
    "failing": {"nodes__n__failures": {"mtbf": "6 h", "repair": "10 min"}},
    "sharing": {"clusters__c__sharing": {"jobs": 2}},
    "preempting": {
        "clusters__c__queue": "priority",
        "clusters__c__preemption": "restart",
        "clusters__d__queue": "priority",
        "clusters__d__preemption": "restart",
        "workloads__urgent": {**JOBS, "priority": 5, "gpus": 8},
    },
    "nothing to do": {"workloads": {}},
    "supplied": {
        "sites__s__supply": {
            "solar": {"capacity": "2 kW", "profile": {"constant": 0.6}},
            "wind": {
                "capacity": "1 kW",
                "profile": {"constant": 0.3},
                "embodied": "700 kg/kW",
                "lifetime": "20 y",
            },
            "battery": {"like": "lithium-ion", "capacity": "3 kWh", "c_rate": 0.3},
            "contracts": [{"volume": "200 W", "matching": "hourly"}],
        }
    },
    "built and by use": {
        "sites__s__building": {"embodied": "1500 t/MW", "lifetime": "20 y", "capacity": "60 kW"},
        "accounting__embodied": "by-use",
        "nodes__n__use_lifetime": "2 y",
        "nodes__m__use_lifetime": "2 y",
    },
}


def results_with(folder: Path, keys: dict[str, Any]) -> Results:
    """Return a run of two sites on a grid of a file, warm-up included."""
    hours = [100.0 + 40.0 * at % 370.0 for at in range(40)]
    grid = file_grid(write_grid(folder / "grid.csv", "2022-01-01T00:00:00Z", MS_PER_H, hours))
    document = scenario_document(
        nodes={"idle_states": STATES, "embodied": "1300 kg"},
        grid=grid,
        horizon="30 h",
        warm_up="90 min",
        sites__t={"pue": 1.3, "grid": {"average": "CISO", "marginal": "CAISO"}},
        clusters__d={"site": "t", "node": "m", "count": 2},
        nodes__m={
            "accelerators": 8,
            "idle_power": "200 W",
            "busy_power": "900 W",
            "embodied": "700 kg",
            "lifetime": "5 y",
        },
        workloads={"w": JOBS},
    )
    scenario = from_document(document)
    return api.run(
        scenario.replace({key.replace("__", "."): at for key, at in keys.items()})
    ).results


@pytest.mark.parametrize("keys", MORE.values(), ids=MORE)
def test_the_parts_of_every_figure_come_to_it(tmp_path: Path, keys: dict[str, Any]) -> None:
    results = results_with(tmp_path, keys)
    untold = set()
    for column in SUMMARY:
        first = explained(results, column.name)[0]
        value = results.summary[column.name]
        assert first.value == value
        if first.recipe.parts:
            scale = max(abs(part.value) for part in first.recipe.parts)
            assert math.isclose(first.recipe.value, value, rel_tol=1e-9, abs_tol=1e-9 * scale)
        elif value and column.name not in SAID:
            untold.add(column.name)
    said = {"slowdown_mean", "scope2_market_kgco2e", "cfe_score_annual"}  # in words
    assert untold <= {key for key, rule in RULES.items() if COUNTED in str(rule)} | said


def test_every_figure_has_a_rule() -> None:
    assert RULES.keys() | SAID.keys() == {column.name for column in SUMMARY}


def test_the_total_is_taken_apart_down_to_factors_and_sources(tmp_path: Path) -> None:
    results = results_with(tmp_path, {})
    figures = explained(results, "total_kgco2e")
    assert [each.key for each in figures] == [
        "total_kgco2e",
        "scope2_location_kgco2e",
        "scope3_embodied_kgco2e",
    ]
    operational = figures[1]
    for part in operational.recipe.parts:
        it, pue, intensity, per_kg = (factor.value for factor in part.factors)
        assert part.value == pytest.approx(it * pue * intensity / per_kg, rel=1e-12)
    stands_on = {row[:2] for row in operational.sources}
    assert {("s", "PUE"), ("t", "PUE"), ("t", "average intensity, mean")} <= stands_on
    assert operational.basis == results.basis["average"]


@pytest.fixture(scope="module")
def hello() -> Results:
    return fs.run(fs.load("hello", sets=["horizon=8 d"])).results


@pytest.fixture
def ran(shell: Shell, hello: Results) -> Path:
    save(hello, "out")
    return Path("out")


def test_the_command_prints_a_figure_within_the_page(shell: Shell, ran: Path) -> None:
    for column in SUMMARY:
        code, out, err = shell("explain", ran, "--figure", column.name)
        assert (code, err) == (0, "")
        assert max(map(len, out.splitlines())) <= 80
        assert out.startswith(f"{column.name} = ")
    code, out, _ = shell("explain", ran, "--figure", "scope3_embodied_kgco2e")
    said = " ".join(out.split())
    assert "x embodied in one 2,500 kg" in said
    assert "hgx-a100: embodied carbon 2500 kgCO2e (catalog hgx-a100: Chien" in said
    assert "1500 to 5000 kg" in said


def test_the_command_as_json(shell: Shell, ran: Path) -> None:
    document = json.loads(shell("explain", ran, "--figure", "pue", "--json")[1])
    first = document["figures"][0]
    assert first["key"] == "pue"
    (part,) = first["parts"]
    over, under = part["factors"]
    assert over["value"] / under["value"] == first["value"]
    assert [each["key"] for each in document["figures"][1:3]] == [
        "energy_facility_kwh",
        "energy_it_kwh",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("out", "--figure", "total_kgco2"), 'did you mean "total_kgco2e"?'),
        (("hello", "--figure", "pue"), "a scenario has no results; name the folder of a run"),
        (("out", "--figure", "pue", "--job", "j"), "ask for each alone"),
        (("out", "--figure", "pue", "--against", "out"), "a difference has steps of its own"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shell: Shell, ran: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = shell("explain", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_a_figure_is_the_catalog_s_until_it_is_given_another_value() -> None:
    scenario = fs.load("hello")
    for key in MEASURES:
        figure = catalog_figure(scenario.nodes["hgx-a100"], key)
        assert figure is not None
        assert figure.name == "hgx-a100"
        assert figure.key == key
    other = scenario.replace({"nodes.hgx-a100.embodied": "1500 kg"}).nodes["hgx-a100"]
    assert catalog_figure(other, "embodied") is None
    assert source_of(other, "embodied") == "scenario, in place of the catalog's"
    assert source_of(other, "lifetime").startswith("catalog hgx-a100: ")


def test_every_node_of_the_catalog_is_cited() -> None:
    for name in catalog.names("nodes"):
        cluster = {"site": "s", "node": name, "count": 1}
        document = scenario_document(clusters__c=cluster)
        scenario = from_document(document)
        for quantity in KEYS:
            row = (name, quantity, "", "", "")
            figure = figure_behind(scenario, row)
            assert figure is not None, (name, quantity)
            assert figure.source


def test_a_negative_part_is_shown_as_taken_away(tmp_path: Path) -> None:
    lines = list(figure_lines(explained(results_with(tmp_path, {}), "unallocated_kgco2e")))
    assert any(line.startswith("  - allocated_kgco2e") for line in lines)
