"""Sites in scenario files: models of PUE and of water, what is odd, what is the same."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.power.pue import overhead_of
from simulator.power.water import wue_on_bins
from simulator.report.headline import headline
from simulator.report.table import summary_table
from simulator.scenario import Scenario, from_document, load
from simulator.scenario.facility import FreeCoolingPue, LoadPue, TemperatureWue
from simulator.scenario.json_schema import schema
from tests.builders import results_of, scenario_document

LOAD = {"model": "load", "fixed": "120 kW", "proportional": 0.05}
COOLED = {
    "model": "free-cooling",
    "base": 1.07,
    "free_cooling_below": "18 degC",
    "per_degree": 0.012,
}
EVAPORATES = {"model": "temperature", "evaporative_above": "20 degC", "per_degree": "0.1 L/kWh"}
MILD = {"constant": "15 degC"}


def site_of(**keys: Any) -> Scenario:
    return from_document(scenario_document(**{f"sites__s__{k}": v for k, v in keys.items()}))


def test_models_are_read_into_house_units() -> None:
    site = site_of(pue=LOAD, wue="1.8 L/kWh").sites["s"]
    assert site.pue == LoadPue(model="load", fixed_w=120_000.0, proportional=0.05)
    assert (site.wue_l_per_kwh, site.fixed_w, site.needs_weather) == (1.8, 120_000.0, False)
    site = site_of(pue=COOLED | {"fixed": "2 kW"}, weather=MILD, wue=EVAPORATES).sites["s"]
    assert isinstance(site.pue, FreeCoolingPue)
    assert (site.pue.free_cooling_below_degc, site.pue.most, site.fixed_w) == (18.0, None, 2000.0)
    assert isinstance(site.wue_l_per_kwh, TemperatureWue)
    assert (site.wue_l_per_kwh.base_l_per_kwh, site.needs_weather) == (0.0, True)


def test_a_constant_model_is_its_number_and_has_its_key() -> None:
    model, number = site_of(pue={"model": "constant", "value": 1.1}), site_of(pue=1.1)
    assert model.sites["s"].pue == 1.1
    assert model.canonical() == number.canonical()


def test_sites_without_weather_and_water_are_told_as_ever() -> None:
    (site,) = json.loads(site_of(pue=1.1).canonical())["sites"]
    assert list(site[1]) == ["pue", "grid"]
    (site,) = json.loads(site_of(pue=1.1, wue="0 L/kWh").canonical())["sites"]
    assert list(site[1]) == ["pue", "grid", "wue_l_per_kwh"]


def test_a_resolved_scenario_runs_as_it_is(tmp_path: Path) -> None:
    scenario = site_of(pue=COOLED, weather=MILD, wue=EVAPORATES)
    path = tmp_path / "resolved.toml"
    path.write_text(scenario.to_toml())
    again = load(path)
    assert again.canonical() == scenario.canonical()
    assert scenario.origins["sites.s.pue.fixed"] == "default"
    assert scenario.document["sites"]["s"]["wue"]["base"] == "0 L/kWh"


def test_another_model_replaces_the_first_as_a_whole(tmp_path: Path) -> None:
    parent = tmp_path / "parent.toml"
    parent.write_text(site_of(pue=COOLED, weather=MILD).to_toml())
    child = tmp_path / "child.toml"
    child.write_text(
        'extends = "parent.toml"\n[sites.s]\npue = { model = "load", fixed = "1 kW" }\n'
    )
    assert load(child).sites["s"].pue == LoadPue(model="load", fixed_w=1000.0)
    child.write_text('extends = "parent.toml"\n[sites.s]\npue = { base = 1.2 }\n')
    site = load(child).sites["s"]
    assert isinstance(site.pue, FreeCoolingPue)
    assert (site.pue.base, site.pue.per_degree) == (1.2, 0.012)
    assert load(child, sets=["sites.s.weather.constant=-5 degC"]).sites["s"].weather is not None


@pytest.mark.parametrize(
    ("site", "valid"),
    [
        ({"pue": LOAD}, True),
        ({"pue": COOLED, "weather": MILD}, True),
        ({"pue": {"model": "constant", "value": 1.1}, "wue": "1.8 L/kWh"}, True),
        (
            {"pue": 1.1, "weather": {"file": "w.csv", "time": "t", "value": "v", "unit": "degC"}},
            True,
        ),
        ({"pue": 1.1, "wue": EVAPORATES}, True),
        ({"pue": {"model": "other"}}, False),
        ({"pue": LOAD | {"fixed": 120}}, False),
        ({"pue": 1.1, "wue": 1.8}, False),
        ({"pue": 1.1, "weather": "San Jose"}, False),
    ],
)
def test_the_json_schema_knows_the_models(site: dict[str, Any], valid: bool) -> None:
    document = scenario_document()
    document["sites"]["s"] |= site
    validator = jsonschema.Draft202012Validator(schema())
    assert validator.is_valid(document) == valid


@pytest.mark.parametrize(
    ("site", "said"),
    [
        ({"pue": LOAD}, "sites.s.pue: 241 with all machines at work is far above any usual PUE"),
        ({"wue": "50 L/kWh"}, "sites.s.wue: 50 L/kWh is far above any usual WUE"),
    ],
)
def test_what_is_odd_is_a_warning(site: dict[str, Any], said: str) -> None:
    assert site_of(**site).warnings == (said,)


def test_fixed_losses_of_a_site_without_machines_are_a_warning() -> None:
    elsewhere = {"pue": LOAD, "grid": {"average": {"constant": "50 g/kWh"}}}
    results = results_of(scenario_document(sites__t=elsewhere))
    assert results.warnings == (
        "sites.t.pue: no cluster stands at this site; its fixed losses are not counted",
    )
    assert results.summary["pue"] == 1.0
    said = {quantity: value for site, quantity, value, _, _ in results.assumptions if site == "t"}
    assert said["PUE, mean over time"] == "nothing drawn"


def test_a_bill_by_a_model_that_needs_weather_asks_for_it() -> None:
    from simulator.simulation import run

    done = run(site_of(pue=1.1))
    with pytest.raises(InputError, match="needs the outside temperature"):
        done.bill(pue=COOLED)
    with pytest.raises(InputError, match="too small"):
        done.bill(pue={"model": "constant", "value": 0.9})


def test_a_model_that_needs_weather_gets_none_without() -> None:
    site = site_of(pue=COOLED, weather=MILD, wue=EVAPORATES).sites["s"]
    with pytest.raises(ValueError, match="free-cooling needs the outside temperature"):
        overhead_of(site.pue)
    with pytest.raises(ValueError, match="outside temperature"):
        wue_on_bins(site.wue_l_per_kwh, None)


def test_an_overhead_is_one_number_only_where_it_never_changes() -> None:
    assert overhead_of(1.2).pue == 1.2
    assert overhead_of(LoadPue(model="load", proportional=0.2)).pue == 1.2
    assert overhead_of(LoadPue(model="load", fixed_w=1.0)).pue is None
    site = site_of(pue=COOLED, weather=MILD).sites["s"]
    assert overhead_of(site.pue, np.full(3, 28.0)).ratio == pytest.approx([1.19] * 3)
    assert overhead_of(site.pue, np.full(3, 28.0)).pue is None


def test_water_is_printed_where_there_is_any() -> None:
    dry = results_of(scenario_document())
    wet = results_of(scenario_document(sites__s__wue="1.8 L/kWh"))
    assert not [line for line in headline(dry) if line.label == "water"]
    (line,) = [line for line in headline(wet) if line.label == "water"]
    assert (line.group, line.value, line.basis) == ("energy", "1.800 L", "IT x WUE 1.800 L/kWh")
    assert "water" not in summary_table(dry)
    assert "x PUE 1.000; 1.800 L of water" in summary_table(wet)


def test_water_of_some_sites_is_not_printed_as_the_fleets() -> None:
    elsewhere = {"pue": 1.1, "grid": {"average": {"constant": "50 g/kWh"}}}
    results = results_of(
        scenario_document(
            sites__s__wue="1.8 L/kWh",
            sites__t=elsewhere,
            clusters__d={"site": "t", "node": "n", "count": 1},
        )
    )
    (line,) = [line for line in headline(results) if line.label == "water"]
    assert (line.value, line.basis) == ("not given", "not every site gives a WUE: none for t")
    assert "water" not in summary_table(results)


def test_models_are_told_among_the_assumptions() -> None:
    keys = {"pue": COOLED | {"most": 1.4, "fixed": "10 W"}, "weather": MILD, "wue": EVAPORATES}
    results = results_of(scenario_document(**{f"sites__s__{k}": v for k, v in keys.items()}))
    rows = {quantity: (value, unit, why) for _, quantity, value, unit, why in results.assumptions}
    law = "free-cooling: IT x (1.07 + 0.012 per degC above 18 degC, at most 1.4) + 10 W"
    assert rows["PUE, facility over IT energy"] == ("1.17", "1", law)
    assert rows["PUE, mean over time"] == ("1.17", "1", law)
    assert rows["WUE, water over IT energy"] == (
        "0",
        "L/kWh",
        "temperature: 0 L/kWh + 0.1 L/kWh per degC above 20 degC",
    )
    assert rows["outside temperature, mean"] == (
        "15",
        "degC",
        "constant 15 degC: a constant of the scenario",
    )
