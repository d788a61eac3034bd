"""Supply of sites, worked by hand and against published answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.kernels import arbitrage, supply
from simulator.kernels.supply import Site, Store
from simulator.results import Results, load_results, save
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.supply.sources import METHODS, store_of
from simulator.units import J_PER_KWH, MS_PER_H, MS_PER_MIN, S_PER_H
from tests.builders import file_grid, results_of, scenario_document, write_grid, write_jobs

START = "2022-01-01T00:00:00Z"
PLAIN = {"charge_efficiency": 1.0, "discharge_efficiency": 1.0}
NO_STORE = store_of(None)


def load_of(power: str) -> dict[str, Any]:
    """Return a node that draws a constant power."""
    return {"idle_power": power, "busy_power": power}


def shares(path: Path, values: list[float], step_ms: int = MS_PER_H) -> dict[str, Any]:
    write_grid(path, START, step_ms, values)
    return {"file": str(path), "time": "time", "value": "value", "unit": "1"}


def supplied(own: dict[str, Any], power: str = "100 kW", **keys: Any) -> Results:
    document = scenario_document(nodes=load_of(power), sites__s__supply=own, **keys)
    return results_of(document)


def played(site: Site, store: Store, g_per_kwh: Any = None, method: str = "perfect") -> Any:
    flows = np.zeros((len(site.hours), supply.FLOWS))
    bins = len(site.hours)
    known = np.zeros(bins) if g_per_kwh is None else np.asarray(g_per_kwh, np.float64)
    outlook = arbitrage.Outlook(
        known, np.full(bins, np.nan), np.zeros(bins), METHODS.index(method), bins, 24
    )
    work = np.zeros((2, arbitrage.PIECES_PER_BIN * (bins + 1) + 1))
    supply.dispatch(site, store, outlook, work, flows)
    return flows


def test_a_greedy_battery_by_the_hour(tmp_path: Path) -> None:
    """Eight hours of 100 kW beside solar power, worked by hand: powers at the terminals."""
    made_kw = [0.0, 0.0, 150.0, 300.0, 250.0, 120.0, 20.0, 0.0]
    results = supplied(
        {
            "solar": {
                "capacity": "300 kW",
                "profile": shares(tmp_path / "p.csv", [kw / 300.0 for kw in made_kw]),
            },
            "battery": {
                "capacity": "200 kWh",
                "charge": "80 kW",
                "charge_efficiency": 0.95,
                "discharge_efficiency": 0.95,
                "initial": 0.25,
            },
        },
        horizon="8 h",
    )
    table, summary = results.supply, results.summary
    assert table is not None
    stored = [0.0, 0.0, 47.5, 123.5, 199.5, 200.0, 100 * (2 - 0.8 / 0.95), 200 - 160 / 0.95]
    assert table["stored_kwh"].to_numpy() == pytest.approx(stored, abs=1e-9)
    grid = [52.5, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 20.0]
    assert table["grid_kwh"].to_numpy() == pytest.approx(grid, abs=1e-9)
    curtailed = [0.0, 0.0, 0.0, 120.0, 70.0, 20.0 - 0.5 / 0.95, 0.0, 0.0]
    assert table["curtailed_kwh"].to_numpy() == pytest.approx(curtailed, abs=1e-9)
    assert summary["grid_kwh"] == pytest.approx(172.5, abs=1e-9)
    assert summary["curtailed_kwh"] == pytest.approx(209.473684211, abs=1e-9)
    assert summary["stored_change_kwh"] == pytest.approx(31.5789473684 - 50.0, abs=1e-9)
    assert summary["storage_losses_kwh"] == pytest.approx(21.4473684211, abs=1e-9)


def test_a_round_trip_gives_back_the_product_of_both_efficiencies() -> None:
    store = NO_STORE._replace(
        most_kwh=1000.0,
        charge_kw=100.0,
        discharge_kw=100.0,
        charge_efficiency=0.95,
        discharge_efficiency=0.95,
    )
    site = Site(np.ones(2), np.array([0.0, 100.0]), np.array([100.0, 0.0]))
    flows = played(site, store)
    assert flows[0, supply.STORED] == pytest.approx(95.0, rel=1e-12)
    assert flows[1, supply.DISCHARGED] == pytest.approx(90.25, rel=1e-12)


@pytest.mark.parametrize(
    ("power_w", "hours", "level_wh"), [(1, 1, 81), (10, 2, 100), (-1, 1, 79), (-10, 7, 10)]
)
def test_a_simple_battery_charges_and_discharges_as_vessims(
    power_w: float, hours: float, level_wh: float
) -> None:
    """100 Wh, 80 % full, at least 10 %: Vessim's published steps, each from the same state."""
    store = NO_STORE._replace(
        least_kwh=10.0, most_kwh=100.0, charge_kw=10.0, discharge_kw=10.0, initial_kwh=80.0
    )
    made, load = max(power_w, 0.0) * hours, max(-power_w, 0.0) * hours
    flows = played(Site(np.array([hours]), np.array([load]), np.array([made])), store)
    assert flows[0, supply.STORED] == pytest.approx(level_wh, abs=1e-9)


@pytest.mark.parametrize(
    ("horizon_s", "drawn_j"), [(360, 1150.0 * 360), (600, 450_000.0), (300, 1150.0 * 300)]
)
def test_a_battery_that_is_full_stops_at_the_instant(horizon_s: int, drawn_j: float) -> None:
    """OpenDC's published case: 1 kW into 0.1 kWh beside 150 W, 1150 W for exactly 360 s."""
    rule = {"rule": "threshold", "charge_below": "120 g/kWh"}
    battery = {"capacity": "0.1 kWh", "charge": "1 kW", "dispatch": rule, **PLAIN}
    results = supplied({"battery": battery}, power="150 W", horizon=f"{horizon_s} s")
    assert results.summary["grid_kwh"] * J_PER_KWH == pytest.approx(drawn_j, abs=1e-6)


def test_the_instant_at_which_a_battery_is_full_is_solved_for() -> None:
    store = NO_STORE._replace(
        most_kwh=0.1,
        charge_kw=1.0,
        discharge_kw=1.0,
        rule=supply.THRESHOLD,
        charge_below_g_per_kwh=120.0,
        discharge_above_g_per_kwh=120.0,
    )
    site = Site(np.array([1.0]), np.array([0.15]), np.zeros(1))
    flows = played(site, store, [100.0])
    assert flows[0, supply.SWITCHED_H] * S_PER_H == pytest.approx(360.0, abs=1e-9)


def day(tmp_path: Path, contract: dict[str, Any], **own: Any) -> Results:
    """Return six hours of 10, 10, 10, 10, 12 and 12 MWh, beside a contract of up to 25 MW."""
    jobs = write_jobs(tmp_path / "j.csv", [(4 * S_PER_H, 2 * S_PER_H, 8, 1.0)])
    delivered = shares(tmp_path / "c.csv", [mwh / 25.0 for mwh in (0, 4, 15, 25, 12, 8)])
    bought = {"volume": "25 MW", "profile": delivered, **contract}
    document = scenario_document(
        jobs,
        nodes={"idle_power": "10 MW", "busy_power": "12 MW"},
        horizon="6 h",
        sites__s__supply={"contracts": [bought], **own},
    )
    return results_of(document)


def test_the_cfe_score_by_the_hour_and_over_the_year(tmp_path: Path) -> None:
    """Google's 24/7 score: all of the year's volume, and 44 of 64 MWh in their hours."""
    results = day(tmp_path, {"matching": "hourly"})
    summary = results.summary
    assert summary["cfe_score_annual"] == pytest.approx(1.0, rel=1e-12)
    assert summary["cfe_score_hourly"] == pytest.approx(0.6875, rel=1e-12)
    unused = summary["contracted_kwh"] - summary["covered_kwh"]
    assert unused == pytest.approx(20_000.0, rel=1e-12)


def test_market_based_carbon_counts_what_no_contract_covers_at_the_residual_mix(
    tmp_path: Path,
) -> None:
    """20 MWh are not covered by the hour; over the year all are. Location-based nothing changes."""
    residual = {"residual_mix": {"constant": "400 g/kWh"}}
    hourly = day(tmp_path, {"matching": "hourly"}, **residual)
    annual = day(tmp_path, {"matching": "annual"}, **residual)
    plain = day(tmp_path, {"matching": "hourly"})
    assert hourly.summary["scope2_market_kgco2e"] == pytest.approx(20_000 * 0.4, rel=1e-12)
    assert annual.summary["scope2_market_kgco2e"] == pytest.approx(0.0, abs=1e-9)
    assert annual.summary["cfe_score_hourly"] == 0.0
    assert plain.summary["scope2_market_kgco2e"] == pytest.approx(20_000 * 0.1, rel=1e-12)
    for results in (hourly, annual, plain):
        assert results.summary["scope2_location_kgco2e"] == pytest.approx(6_400.0, rel=1e-12)
    assert "residual mix constant 400 g/kWh" in hourly.basis["market"]
    assert "the grid's average, no residual mix given" in plain.basis["market"]


def test_more_under_contract_than_is_drawn_is_told_with_how_much() -> None:
    results = supplied({"contracts": [{"volume": "150 kW"}]}, horizon="4 h")
    (text,) = [text for text in results.warnings if "contracts" in text]
    assert "600 kWh" in text
    assert "200 kWh more than the site draws" in text


def test_storage_alone_makes_no_market_based_carbon() -> None:
    battery = {"capacity": "10 kWh", "charge": "10 kW", **PLAIN}
    results = supplied({"battery": battery})
    assert results.summary["scope2_market_kgco2e"] is None
    assert "market" not in results.basis


def test_jobs_are_billed_by_what_is_drawn_from_the_grid(tmp_path: Path) -> None:
    """Half of each hour's energy is solar, so every job and every idle node causes half."""
    grid = write_grid(tmp_path / "g.csv", START, MS_PER_H, [100.0, 500.0])
    jobs = write_jobs(tmp_path / "j.csv", [(1800, 3600, 4, 1.0)])
    document = scenario_document(jobs, grid=file_grid(grid), horizon="2 h")
    plain = results_of(document)
    half_kw = [hour / 2 for hour in plain.hourly["energy_facility_kwh"]]
    profile = shares(tmp_path / "p.csv", half_kw)
    document["sites"]["s"]["supply"] = {"solar": {"capacity": "1 kW", "profile": profile}}
    solar = results_of(document)
    for key in ("scope2_location_kgco2e", "allocated_kgco2e", "idle_kgco2e", "dynamic_kgco2e"):
        assert solar.summary[key] == pytest.approx(plain.summary[key] / 2, rel=1e-12), key
    assert solar.summary["energy_facility_kwh"] == plain.summary["energy_facility_kwh"]
    assert solar.summary["cfe_score_hourly"] == pytest.approx(0.5, rel=1e-12)


def test_what_charges_while_nothing_is_drawn_belongs_to_no_job(tmp_path: Path) -> None:
    """10 kWh are stored in the first hour at 100 g/kWh, and a job of the second takes them."""
    jobs = write_jobs(tmp_path / "j.csv", [(3600, 3600, 8, 1.0)])
    rule = {"rule": "threshold", "charge_below": "200 g/kWh"}
    grid = write_grid(tmp_path / "g.csv", START, MS_PER_H, [100.0, 500.0])
    document = scenario_document(
        jobs,
        nodes={"idle_power": "0 W", "busy_power": "10 kW"},
        grid=file_grid(grid),
        horizon="2 h",
        sites__s__supply={
            "battery": {"capacity": "10 kWh", "charge": "10 kW", "dispatch": rule, **PLAIN}
        },
    )
    results = results_of(document)
    summary = results.summary
    assert summary["scope2_location_kgco2e"] == pytest.approx(1.0, rel=1e-12)
    assert summary["allocated_kgco2e"] == 0.0
    assert summary["overhead_kgco2e"] == pytest.approx(1.0, rel=1e-12)
    assert results.hourly["operational_kgco2e"].to_numpy() == pytest.approx([1.0, 0.0])
    assert summary["cfe_score_hourly"] == 0.0  # it came from the grid


def test_what_leaks_decays_exponentially() -> None:
    """10 h at 0.1 per h, with a load that the rule may not serve from what is left."""
    battery = {
        "capacity": "100 kWh",
        "charge": "1 kW",
        "discharge": "0 kW",
        "self_discharge": "0.1 per h",
        "initial": 1.0,
        **PLAIN,
    }
    summary = supplied({"battery": battery}).summary
    left_kwh = 100.0 * np.exp(-1.0)
    assert summary["storage_losses_kwh"] == pytest.approx(100.0 - left_kwh, rel=1e-12)
    assert summary["stored_change_kwh"] == pytest.approx(left_kwh - 100.0, rel=1e-12)


def test_a_leaking_battery_fills_at_the_instant_of_the_closed_form() -> None:
    """dE/dt = 10 - 0.1 E from 0: full at 50 kWh after 10 ln 2 h; then it takes what it leaks."""
    store = NO_STORE._replace(
        most_kwh=50.0, charge_kw=10.0, discharge_kw=10.0, leak_per_h=0.1, initial_kwh=0.0
    )
    hours = 10.0
    flows = played(Site(np.array([hours]), np.zeros(1), np.array([10.0 * hours])), store)
    full_h = 10.0 * np.log(2.0)
    assert flows[0, supply.SWITCHED_H] == pytest.approx(full_h, rel=1e-12)
    charged = 10.0 * full_h + 5.0 * (hours - full_h)
    assert flows[0, supply.CHARGED] == pytest.approx(charged, rel=1e-12)
    assert flows[0, supply.STORED] == 50.0


def test_peak_shaving_keeps_the_limit_while_the_storage_lasts(tmp_path: Path) -> None:
    """100 kW and, from 4 to 6 h, 160 kW; 90 kWh above 120 kW last for an hour and a half of it."""
    jobs = write_jobs(tmp_path / "j.csv", [(4 * S_PER_H, 2 * S_PER_H, 8, 1.0)])
    rule = {"rule": "peak-shaving", "limit": "120 kW"}
    battery = {"capacity": "60 kWh", "charge": "100 kW", "dispatch": rule, **PLAIN}
    results = results_of(
        scenario_document(
            jobs,
            nodes={"idle_power": "100 kW", "busy_power": "160 kW"},
            sites__s__supply={"battery": battery},
        )
    )
    assert results.supply is not None
    grid = [120.0, 120.0, 120.0, 100.0, 120.0, 140.0, 120.0, 120.0, 120.0, 100.0]
    assert results.supply["grid_kwh"].to_numpy() == pytest.approx(grid, rel=1e-12)


def test_generation_and_storage_are_embodied_in_a_straight_line() -> None:
    own = {
        "solar": {
            "capacity": "2 kW",
            "profile": {"constant": 0.0},
            "embodied": "1500 kg/kW",
            "lifetime": "30 y",
        },
        "battery": {
            "capacity": "10 kWh",
            "c_rate": 0.5,
            "embodied": "84 kg/kWh",
            "lifetime": "15 y",
            **PLAIN,
        },
    }
    summary = supplied(own).summary
    expected = (3000.0 / 30 + 840.0 / 15) * 10 / 8766
    assert summary["scope3_supply_kgco2e"] == pytest.approx(expected, rel=1e-12)
    parts = ("scope2_location_kgco2e", "scope3_embodied_kgco2e", "scope3_supply_kgco2e")
    total = sum(summary[key] for key in parts)
    assert summary["total_kgco2e"] == pytest.approx(total, rel=1e-12)
    allocated, rest = summary["allocated_kgco2e"], summary["unallocated_kgco2e"]
    assert allocated + rest == pytest.approx(total, rel=1e-12)


def test_another_supply_is_billed_as_if_it_had_been_run(tmp_path: Path) -> None:
    own = {"battery": {"capacity": "50 kWh", "charge": "10 kW", "initial": 1.0, **PLAIN}}
    document = scenario_document(nodes=load_of("100 kW"))
    plain = run(from_document(document))
    document["sites"]["s"]["supply"] = own
    with_it = run(from_document(document))
    assert plain.bill(supply=own).results.summary == with_it.results.summary
    assert with_it.bill(supply={}).results.summary == plain.results.summary
    cleaner = with_it.bill(average={"constant": "50 g/kWh"}).results.summary
    location = with_it.results.summary["scope2_location_kgco2e"]
    assert cleaner["scope2_location_kgco2e"] == pytest.approx(location / 2, rel=1e-12)


@pytest.mark.parametrize("interval", ["15 min", "90 min", "2 h", "1 d"])
def test_the_reporting_interval_changes_no_total(tmp_path: Path, interval: str) -> None:
    jobs = write_jobs(tmp_path / "j.csv", [(1000, 9000, 8, 1.0), (12_000, 7_000, 8, 1.0)])
    own = {
        "solar": {"capacity": "1 kW", "profile": shares(tmp_path / "p.csv", [0.0, 0.9, 0.4] * 4)},
        "battery": {"capacity": "1 kWh", "charge": "1 kW", **PLAIN},
        "contracts": [{"volume": "100 W"}],
    }
    document = scenario_document(jobs, sites__s__supply=own)
    hourly = results_of(document)
    document["accounting"] = {"interval": interval}
    other = results_of(document)
    for key, value in hourly.summary.items():
        if isinstance(value, float) and not key.startswith("peak_"):
            assert other.summary[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key
    assert hourly.supply is not None
    assert other.supply is not None
    for name in ("grid_kwh", "cfe_kwh", "losses_kwh"):
        assert other.supply[name].sum() == pytest.approx(hourly.supply[name].sum(), rel=1e-12)


def test_counting_begins_after_the_warm_up(tmp_path: Path) -> None:
    battery = {"capacity": "100 kWh", "charge": "50 kW", "initial": 1.0, **PLAIN}
    results = supplied({"battery": battery}, warm_up="4 h", horizon="10 h")
    assert results.summary["discharged_kwh"] == pytest.approx(100.0, rel=1e-12)
    assert results.summary["grid_kwh"] == pytest.approx(500.0, rel=1e-12)
    assert results.supply is not None
    assert len(results.supply) == 6


def test_supply_goes_to_a_folder_and_back_and_no_other_run_knows_of_it(tmp_path: Path) -> None:
    own = {"battery": {"capacity": "50 kWh", "charge": "10 kW", **PLAIN}}
    with_it, without = supplied(own), results_of(scenario_document())
    for name, results in (("with", with_it), ("without", without)):
        save(results, tmp_path / name)
        back = load_results(tmp_path / name)
        assert back.summary == results.summary
        assert set(back.tables) == set(results.tables)
    assert not (tmp_path / "without" / "supply.parquet").exists()
    written = json.loads((tmp_path / "without" / "summary.json").read_text())
    assert written["cfe_score_hourly"] is without.summary["cfe_score_hourly"] is None
    told = json.loads((tmp_path / "with" / "summary.json").read_text())
    assert told["cfe_score_hourly"] == with_it.summary["cfe_score_hourly"]


@pytest.mark.parametrize("method", METHODS)
def test_arbitrage_by_every_method_of_forecasting(tmp_path: Path, method: str) -> None:
    """A day that comes again: who knows it, or remembers it, saves; who expects no change, not."""
    grams = [200.0 + 100.0 * (hour % 24 >= 12) for hour in range(72)]
    grid = file_grid(write_grid(tmp_path / "g.csv", START, MS_PER_H, grams))
    forecast = {"method": method} | ({"error": 0.01} if method == "noisy" else {})
    rule = {"rule": "arbitrage", "forecast": forecast}
    battery = {"capacity": "50 kWh", "charge": "10 kW", "dispatch": rule, **PLAIN}
    summary = supplied({"battery": battery}, grid=grid, horizon="3 d").summary
    saved_kg = 100.0 * sum(grams) / 1e3 - summary["scope2_location_kgco2e"]
    most_kg = 3 * 50.0 * 0.1
    expected = {"persistence": 0.0, "previous-day": 2 * 50.0 * 0.1}.get(method, most_kg)
    assert saved_kg == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_only_what_is_drawn_from_the_grid_is_paid_for() -> None:
    own = {"solar": {"capacity": "100 kW", "profile": {"constant": 0.4}}}
    price = {"sites__s__electricity_price": "0.1 USD/kWh"}
    assert supplied(own, **price).summary["cost_electricity"] == pytest.approx(60.0, rel=1e-12)


def test_a_period_is_the_finest_step_of_the_traces(tmp_path: Path) -> None:
    """Half an hour of sun, then none: without storage half the hour comes from the grid."""
    profile = shares(tmp_path / "p.csv", [1.0, 0.0] * 10, 30 * MS_PER_MIN)
    own = {"solar": {"capacity": "200 kW", "profile": profile}}
    summary = supplied(own).summary
    assert summary["grid_kwh"] == pytest.approx(500.0, rel=1e-12)
    assert summary["curtailed_kwh"] == pytest.approx(500.0, rel=1e-12)
