"""The page about supply: its example runs, its keys, rules and kinds are those there are."""

import re
import tomllib
from pathlib import Path

import pytest

from simulator import catalog
from simulator.accounting.supply import SUMMED
from simulator.bundled import sweeps
from simulator.scenario import from_document
from simulator.scenario.storage import RULES, Battery
from simulator.scenario.supply import Contract, Plant, Supply
from simulator.scenario.supply_profiles import UNITS
from simulator.simulation import run

PAGE = (Path(__file__).parents[2] / "docs" / "supply.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.interpreted


def test_the_example_runs() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    scenario = from_document(tomllib.loads(text))
    assert scenario.warnings == ()
    results = run(scenario).results
    summary = results.summary
    into = summary["solar_kwh"] + summary["grid_kwh"]
    out = summary["energy_facility_kwh"] + summary["curtailed_kwh"]
    out += summary["stored_change_kwh"] + summary["storage_losses_kwh"]
    assert into == pytest.approx(out, rel=1e-9)
    assert 0.0 < summary["cfe_score_hourly"] < summary["cfe_score_annual"] <= 1.0
    assert summary["scope2_market_kgco2e"] is not None
    assert "450 g/kWh" in results.basis["market"]


def test_every_key_rule_unit_and_kind_is_named() -> None:
    keys = [*Supply.attributes(), *Plant.attributes(), *Battery.attributes()]
    for key in (*keys, *Contract.attributes(), *SUMMED):
        assert f"`{key}`" in PAGE or f"`{key} " in PAGE, key
    for kind in RULES.values():
        for key in kind.attributes():
            assert f"`{key}`" in PAGE or f"{key} = " in PAGE, key
    for name in (*UNITS, *catalog.names("storage"), *catalog.names("generation")):
        assert f"`{name}`" in PAGE, name
    for rule in RULES:
        assert f'"{rule}"' in PAGE


def test_the_sweeps_of_the_page_ship() -> None:
    named = set(re.findall(r"`(carbon-free-247-pjm)`|sweep (carbon-free-247) ", PAGE))
    assert {name for pair in named for name in pair if name} <= set(sweeps())
    assert len(named) == 2
