"""What a scenario may say of supply: profiles, storage by kind, and all that is refused."""

import os
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import catalog
from simulator.errors import InputError
from simulator.inputs import open_inputs
from simulator.scenario import Scenario, from_document
from simulator.scenario.supply_profiles import ProfileFile
from simulator.simulation import run
from simulator.traces.supply import power_over_capacity
from simulator.units import MS_PER_D, MS_PER_H
from tests.builders import scenario_document, write_grid

START = "2022-01-01T00:00:00Z"
STORE = {
    "capacity": "100 kWh",
    "charge": "20 kW",
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.95,
    "embodied": "84 kg/kWh",
    "lifetime": "15 y",
}
SUN = {"capacity": "1 kW", "embodied": "1500 kg/kW", "lifetime": "30 y"}


def scenario(supply: dict[str, Any], **keys: Any) -> Scenario:
    return from_document(scenario_document(sites__s__supply=supply, **keys))


def refused(supply: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        scenario(supply)
    return {
        issue.path.removeprefix("sites.s.supply"): issue.message for issue in caught.value.issues
    }


def shares(unit: str, values: list[float], **keys: Any) -> list[float]:
    source = ProfileFile.model_construct(
        unit=unit,
        rated_w=None,
        performance_ratio=None,
        cut_in=None,
        full_from=None,
        cut_out=None,
    ).model_copy(update=keys)
    return power_over_capacity(source, np.array(values)).tolist()


def test_sunlight_gives_the_performance_ratio_of_what_modules_are_rated_for() -> None:
    ratio = catalog.generation("photovoltaics")["performance_ratio"]
    assert shares("W/m2", [-1.0, 0.0, 500.0, 2000.0]) == [0.0, 0.0, 0.5 * ratio, 1.0]
    assert shares("W/m2", [500.0], performance_ratio=0.8) == pytest.approx([0.4], rel=1e-12)


def test_wind_gives_the_cube_of_its_speed_between_cut_in_and_rated_speed() -> None:
    speeds = [0.0, 3.0, 8.0, 11.4, 24.9, 25.0, 40.0]
    middle = (8.0**3 - 3.0**3) / (11.4**3 - 3.0**3)
    assert shares("m/s", speeds) == pytest.approx([0, 0, middle, 1, 1, 0, 0], rel=1e-12)
    own = shares("m/s", [6.0], cut_in=4.0, full_from=8.0)
    assert own == pytest.approx([(6.0**3 - 4.0**3) / (8.0**3 - 4.0**3)], rel=1e-12)


def test_a_column_of_powers_is_over_its_rated_power() -> None:
    assert shares("MW", [2e6, 5e6, -1e3], rated_w=5e6) == [0.4, 1.0, 0.0]


def profile(path: Path, values: list[float], **keys: Any) -> dict[str, Any]:
    write_grid(path, START, MS_PER_H, values)
    return {"file": str(path), "time": "time", "value": "value", "unit": "1", **keys}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.5, 50.0] * 5, "write shares from 0 to 1, not per cent"),
        ([0.5] * 9, "and the run lasts to"),
        ([float("nan")] * 10, "no row holds a value"),
    ],
)
def test_a_profile_is_checked_as_every_file_is(
    tmp_path: Path, values: list[float], said: str
) -> None:
    own = {"solar": {**SUN, "profile": profile(tmp_path / "p.csv", values)}}
    with pytest.raises(InputError) as caught:
        open_inputs(scenario(own))
    (issue,) = caught.value.issues
    assert issue.path == "sites.s.supply.solar.profile"
    assert said in issue.message


def test_every_file_of_supply_is_refused_at_once(tmp_path: Path) -> None:
    short = profile(tmp_path / "p.csv", [0.5] * 4)
    own = {
        "solar": {**SUN, "profile": short},
        "wind": {**SUN, "profile": {**short, "after_end": "wrap"}},
        "contracts": [{"volume": "1 kW", "profile": short}],
    }
    with pytest.raises(InputError) as caught:
        open_inputs(scenario(own))
    paths = [issue.path for issue in caught.value.issues]
    assert paths == ["sites.s.supply.solar.profile", "sites.s.supply.contracts[0].profile"]


def test_what_is_below_0_counts_as_0_and_is_told(tmp_path: Path) -> None:
    own = {"solar": {**SUN, "profile": profile(tmp_path / "p.csv", [-0.1, 0.5] * 5)}}
    opened = open_inputs(scenario(own))
    (text,) = opened.warnings
    assert "5 values below 0 count as 0" in text


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = refused(
        {
            "solar": {"capacity": "80 kWh", "profile": {"constant": 1.2}, "embodied": "1 kg/kW"},
            "battery": {
                **STORE,
                "charge_efficiency": 0.0,
                "discharge_efficiency": 1.2,
                "soc": [0.9, 0.1],
                "initial": 1.5,
                "dispatch": {"rule": "greedily"},
                "lifetme": "3 y",
            },
            "contracts": [{"volume": "0 W"}, {"volume": "1 kW", "matching": "daily"}],
            "residual_mix": "CISOO",
        }
    )
    assert set(found) == {
        ".solar.capacity",
        ".solar.profile.constant",
        ".solar.lifetime",
        ".battery.charge_efficiency",
        ".battery.discharge_efficiency",
        ".battery.soc",
        ".battery.initial",
        ".battery.dispatch",
        ".battery.lifetme",
        ".contracts[0].volume",
        ".contracts[1].matching",
        ".residual_mix",
    }
    assert "above 0 and at most 1" in found[".battery.charge_efficiency"]
    assert 'did you mean "greedy"?' in found[".battery.dispatch"]
    assert "the least first" in found[".battery.soc"]


@pytest.mark.parametrize(
    ("supply", "path", "said"),
    [
        ({}, "", "says nothing"),
        ({"battery": {**STORE, "soc": [0.2, 0.8], "initial": 0.1}}, ".battery.initial", "between"),
        ({"battery": {"capacity": "1 kWh", "like": "lithium"}}, ".battery.like", "'lithium-ion'"),
        ({"battery": {"capacity": "1 kWh", "like": "flywheel"}}, ".battery.charge", "missing"),
        ({"battery": {**STORE, "dispatch": "threshold"}}, ".battery.dispatch", "needs values"),
        (
            {"battery": {**STORE, "dispatch": {"rule": "arbitrage", "signal": "marginal"}}},
            ".battery.dispatch.signal",
            "needs a marginal intensity",
        ),
        (
            {
                "battery": {
                    **STORE,
                    "dispatch": {
                        "rule": "threshold",
                        "charge_below": "200 g/kWh",
                        "discharge_above": "100 g/kWh",
                    },
                }
            },
            ".battery.dispatch.discharge_above",
            "at least charge_below",
        ),
        ({"wind": {**SUN, "profile": "CISO"}}, ".wind.profile", "is not a profile"),
    ],
)
def test_a_refusal_says_the_rule(supply: dict[str, Any], path: str, said: str) -> None:
    found = refused(supply)
    assert list(found) == [path]
    assert said in found[path]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"unit": "MW"}, "rated"),
        ({"unit": "1", "rated": "3 kW"}, "rated"),
        ({"unit": "m/s"}, "wind alone"),
        ({"unit": "W/m2", "cut_in": 3.0}, "cut_in"),
    ],
)
def test_keys_of_a_profile_go_with_its_unit(
    tmp_path: Path, keys: dict[str, Any], said: str
) -> None:
    found = refused({"solar": {**SUN, "profile": profile(tmp_path / "p.csv", [0.5], **keys)}})
    assert any(said in f"{path} {text}" for path, text in found.items()), found


@pytest.mark.parametrize(
    ("supply", "said"),
    [
        ({"battery": {**STORE, "charge": "0 W"}}, "battery.charge: no power"),
        ({"battery": {**STORE, "capacity": "100 Wh"}}, "is the unit right, kWh or MWh?"),
        ({"battery": {**STORE, "capacity": "100 MWh"}}, "is the unit right, kWh or MWh?"),
        ({"solar": {**SUN, "capacity": "1 MW", "profile": {"constant": 0.2}}}, "unit right?"),
        ({"contracts": [{"volume": "10 MW"}]}, "contracts[0].volume: 10 MW at machines of 500 W"),
        ({"wind": {"capacity": "1 kW", "profile": {"constant": 0.2}}}, "it counts as 0"),
    ],
)
def test_what_is_odd_is_warned_of(supply: dict[str, Any], said: str) -> None:
    warnings = scenario(supply).warnings
    assert any(said in text for text in warnings), warnings


def test_what_is_usual_is_not_warned_of() -> None:
    supply = {
        "solar": {**SUN, "profile": {"constant": 0.2}},
        "battery": {**STORE, "capacity": "2 kWh", "charge": "500 W"},
        "contracts": [{"volume": "300 W"}],
    }
    assert scenario(supply).warnings == ()


def test_a_site_without_machines_has_nothing_to_supply() -> None:
    document = scenario_document()
    document["sites"]["far"] = {
        **document["sites"]["s"],
        "supply": {"contracts": [{"volume": "1 kW"}]},
    }
    own = from_document(document)
    (text,) = own.warnings
    assert text == "sites.far.supply: no cluster stands at this site; its supply is not counted"
    results = run(own).results
    assert results.summary["grid_kwh"] is None
    assert "supply" not in results.tables


@pytest.mark.parametrize("kind", catalog.names("storage"))
def test_a_kind_of_storage_says_what_the_table_does_not(kind: str) -> None:
    own = scenario({"battery": {"like": kind, "capacity": "1 kWh", "charge": "1 kW"}})
    battery = own.sites["s"].supply.battery  # type: ignore[union-attr]
    known = catalog.storage(kind)
    assert battery is not None
    assert battery.charge_efficiency == known["charge_efficiency"]
    rate = float(known["self_discharge"].split(" ")[0])
    assert battery.self_discharge_per_ms * MS_PER_D == pytest.approx(rate, rel=1e-12)
    other = scenario(
        {
            "battery": {
                "like": kind,
                "capacity": "1 kWh",
                "charge": "1 kW",
                "charge_efficiency": 0.5,
            }
        }
    )
    assert other.sites["s"].supply.battery.charge_efficiency == 0.5  # type: ignore[union-attr]


def test_a_resolved_scenario_reads_as_the_same_run() -> None:
    own = {
        "battery": {"like": "lithium-ion", "capacity": "1 kWh", "charge": "1 kW"},
        "contracts": [{"volume": "300 W", "matching": "annual"}],
        "residual_mix": {"constant": "400 g/kWh"},
    }
    one = scenario(own)
    again = from_document(tomllib.loads(one.to_toml()))
    assert again.canonical() == one.canonical()
    assert '"supply"' not in from_document(scenario_document()).canonical()


@pytest.mark.skipif(
    "FLEETSIM_DATA" not in os.environ,
    reason="FLEETSIM_DATA is not set; docs/data.md says where anyone gets the files",
)
def test_a_profile_from_hourly_generation() -> None:
    own = {
        "solar": {
            **SUN,
            "profile": {
                "file": "data:grid/eia930_2022_hourly.csv.gz",
                "time": "timestamp_utc",
                "value": "sun_mw",
                "unit": "MW",
                "rated": "13713 MW",
                "where": {"region": "CISO"},
                "stamp": "end",
                "gaps": "linear",
            },
        }
    }
    opened = open_inputs(scenario(own, horizon="300 d"))
    (known,) = opened.supply
    assert known is not None
    assert known.solar is not None
    year = known.solar.course.at(
        np.arange(0, 300 * MS_PER_D, MS_PER_H) + 1_640_995_200_000  # 2022 begins
    )
    assert 0.25 < year.mean() < 0.35
    assert year.max() <= 1.0
