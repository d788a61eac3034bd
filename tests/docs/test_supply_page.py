"""The page about supply: its example runs, its keys, rules and kinds are those there are."""

import os
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from simulator import catalog
from simulator.accounting.supply import SUMMED
from simulator.bundled import sweeps
from simulator.cli.app import status
from simulator.scenario import from_document
from simulator.scenario.storage import RULES, Battery
from simulator.scenario.supply import Contract, Plant, Supply
from simulator.scenario.supply_profiles import UNITS
from simulator.simulation import run

PAGE = (Path(__file__).parents[2] / "docs" / "supply.md").read_text(encoding="utf-8")


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


@pytest.mark.skipif(
    "FLEETSIM_DATA" not in os.environ,
    reason="FLEETSIM_DATA is not set; docs/data.md says where anyone gets the files",
)
@pytest.mark.parametrize("name", ["carbon-free-247", "carbon-free-247-pjm"])
def test_more_of_everything_is_more_carbon_free_in_both_grids(name: str, tmp_path: Path) -> None:
    """Two weeks of the sweep: each plant scores higher with each size, and storage than without.

    A storage that is larger than it can ever be filled leaks more, and that is all it does.
    """
    folder = tmp_path / "sweep"
    words = ["sweep", name, "--set", "horizon=14 d", "--jobs", "1", "-o", str(folder), "--quiet"]
    assert status(words) == 0
    assert (folder / "figures" / "carbon_free.svg").is_file()
    runs = pd.read_parquet(folder / "results.parquet")
    axes = [path for path in runs.columns if path.startswith("sites.campus.supply.")]
    assert len(axes) == 3
    assert len(runs) == 18
    for axis in axes:
        size = runs[axis].str.split(" ").str[0].astype(float)
        ordered = runs.assign(size=size).sort_values("size")
        for _, group in ordered.groupby([each for each in axes if each != axis]):
            gained = group["cfe_score_hourly"] - group["cfe_score_hourly"].iloc[0]
            steps = gained if "battery" in axis else gained.diff().dropna()
            assert (steps >= 0.0).all(), axis
            assert (group["scope3_supply_kgco2e"].diff().dropna() > 0.0).all(), axis
    assert runs["cfe_score_hourly"].min() == 0.0
    assert runs["cfe_score_hourly"].max() > 0.9
    assert (runs["cfe_score_hourly"] <= runs["cfe_score_annual"] + 1e-12).all()
