"""What buildings add to their IT, worked by hand: load, outside temperature, water."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_H, MS_PER_MIN
from tests.builders import (
    file_grid,
    results_of,
    scenario_document,
    write_grid,
    write_jobs,
)

START = "2022-01-01T00:00:00Z"
LOAD = {"model": "load", "fixed": "300 W", "proportional": 0.05}
COOLED = {
    "model": "free-cooling",
    "base": 1.07,
    "free_cooling_below": "18 degC",
    "per_degree": 0.012,
    "most": 1.4,
}
SPLIT = {"accelerators": 4, "idle_power": "0 W", "busy_power": "1 kW"}
"""A node that draws nothing but for its jobs: 250 W for each accelerator at work."""


def weather_file(path: Path, degrees: list[float], step_ms: int = MS_PER_H) -> dict[str, Any]:
    write_grid(path, START, step_ms, degrees)
    return {"file": str(path), "time": "time", "value": "value", "unit": "degC"}


def hourly(results: Results, column: str, cluster: str = "c") -> list[float]:
    table = results.hourly
    return table[table["cluster"] == cluster][column].to_numpy().tolist()


def test_losses_of_a_load_model_are_fixed_power_times_time_and_a_share_of_it_energy(
    tmp_path: Path,
) -> None:
    """IT 0.1 kW for 10 h and 0.4 kW more for 2 h: 1.8 kWh; facility 1.05 x 1.8 + 0.3 x 10."""
    jobs = write_jobs(tmp_path / "j.csv", [(5400, 7200, 8, 1.0)])
    results = results_of(scenario_document(jobs, sites__s__pue=LOAD))
    summary = results.summary
    assert summary["energy_it_kwh"] == pytest.approx(1.8, rel=1e-12)
    assert summary["energy_facility_kwh"] == pytest.approx(4.89, rel=1e-12)
    assert summary["pue"] == pytest.approx(4.89 / 1.8, rel=1e-12)
    assert summary["scope2_location_kgco2e"] == pytest.approx(0.489, rel=1e-12)
    expected = [1.05 * it + 0.3 for it in (0.1, 0.3, 0.5, 0.3, *([0.1] * 6))]
    assert hourly(results, "energy_facility_kwh") == pytest.approx(expected, rel=1e-12)


def test_a_job_bears_the_fixed_losses_of_an_hour_by_its_part_of_the_hours_it_energy(
    tmp_path: Path,
) -> None:
    """Of 300 Wh fixed in the first hour the job of 500 Wh bears 2/3 and that of 250 Wh 1/3.

    The intensity is 200 and 600 g/kWh by turns of half an hour: what is fixed causes 120 g in
    the hour, whoever bears it. In the second hour nothing runs, and nobody bears it.
    """
    grid = write_grid(tmp_path / "g.csv", START, 30 * MS_PER_MIN, [200, 600] * 2)
    jobs = write_jobs(tmp_path / "j.csv", [(0, 1800, 4, 1.0), (1800, 1800, 2, 1.0)])
    document = scenario_document(
        jobs, nodes=SPLIT, grid=file_grid(grid), horizon="2 h", sites__s__pue=LOAD
    )
    results = results_of(document)
    fixed_kg = 0.15 * 0.2 + 0.15 * 0.6
    expected = [
        1.05 * 0.5 * 0.2 + fixed_kg * 2 / 3,
        1.05 * 0.25 * 0.6 + fixed_kg * 1 / 3,
    ]
    assert results.jobs["operational_kgco2e"].to_numpy() == pytest.approx(expected, rel=1e-12)
    summary = results.summary
    assert summary["allocated_kgco2e"] == pytest.approx(sum(expected), rel=1e-12)
    assert summary["unallocated_kgco2e"] == pytest.approx(fixed_kg, rel=1e-12)
    assert hourly(results, "energy_facility_kwh") == pytest.approx([1.05 * 0.75 + 0.3, 0.3])


def test_a_job_is_billed_the_facility_to_it_ratio_of_each_of_its_hours(tmp_path: Path) -> None:
    """A job over two hours beside one that fills the first: ratios 1.05 + 0.3 / IT of the hour."""
    grid = {"average": {"constant": "100 g/kWh"}, "marginal": {"constant": "500 g/kWh"}}
    jobs = write_jobs(tmp_path / "j.csv", [(1800, 5400, 1, 1.0), (0, 3600, 3, 1.0)])
    document = scenario_document(
        jobs, nodes=SPLIT, grid=grid, horizon="2 h", sites__s__pue=LOAD, accounting={}
    )
    results = results_of(document)
    first, second = 0.125 + 0.75, 0.25
    ratios = 1.05 + 0.3 / first, 1.05 + 0.3 / second
    facility_kwh = [0.125 * ratios[0] + 0.25 * ratios[1], 0.75 * ratios[0]]
    by_id = results.jobs.set_index("job_id").loc[["j0", "j1"]]
    assert by_id["operational_kgco2e"].to_numpy() == pytest.approx(
        np.array(facility_kwh) * 0.1, rel=1e-12
    )
    assert by_id["marginal_kgco2e"].to_numpy() == pytest.approx(
        np.array(facility_kwh) * 0.5, rel=1e-12
    )
    assert results.summary["unallocated_kgco2e"] == pytest.approx(0.0, abs=1e-15)


def test_clusters_of_a_site_bear_its_fixed_losses_by_the_hour(tmp_path: Path) -> None:
    """0.1 and 0.3 kW of idle power share 0.3 kW: a quarter and three quarters."""
    document = scenario_document(
        horizon="1 h", sites__s__pue=LOAD, clusters__d={"site": "s", "node": "n", "count": 3}
    )
    results = results_of(document)
    assert hourly(results, "energy_facility_kwh") == pytest.approx([1.05 * 0.1 + 0.075], rel=1e-12)
    assert hourly(results, "energy_facility_kwh", "d") == pytest.approx(
        [1.05 * 0.3 + 0.225], rel=1e-12
    )


@pytest.mark.parametrize(("busy", "shares"), [("1 kW", (1 / 4, 3 / 4)), ("0 W", (1 / 4, 3 / 4))])
def test_a_site_that_draws_nothing_still_has_its_fixed_losses(
    busy: str, shares: tuple[float, float]
) -> None:
    """No IT energy, nothing to divide by: the clusters have them by power, and else by nodes."""
    document = scenario_document(
        nodes=SPLIT | {"busy_power": busy},
        horizon="90 min",
        sites__s__pue=LOAD,
        clusters__d={"site": "s", "node": "n", "count": 3},
    )
    results = results_of(document)
    for cluster, share in zip("cd", shares, strict=True):
        assert hourly(results, "energy_facility_kwh", cluster) == pytest.approx(
            [0.3 * share, 0.15 * share], rel=1e-12
        )
    summary = results.summary
    assert (summary["energy_it_kwh"], summary["pue"]) == (0.0, None)
    assert summary["energy_facility_kwh"] == pytest.approx(0.45, rel=1e-12)
    assert summary["unallocated_kgco2e"] == summary["total_kgco2e"] > 0


def test_fixed_losses_count_from_the_end_of_the_warm_up_on(tmp_path: Path) -> None:
    """Counted from 0:45: a quarter of the first hour, in which the job drew 62.5 Wh of 87.5 Wh."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, 3600, 1, 1.0), (3000, 600, 2, 0.5 / 2.5)])
    document = scenario_document(
        jobs, nodes=SPLIT, horizon="2 h", warm_up="45 min", sites__s__pue=LOAD
    )
    results = results_of(document)
    first, second = 0.25 * 0.25, 0.1 * (1 / 6)
    total = first + second
    assert results.summary["energy_it_kwh"] == pytest.approx(total, rel=1e-12)
    assert hourly(results, "energy_facility_kwh") == pytest.approx([1.05 * total + 0.075, 0.3])
    expected = np.array([first, second]) * (1.05 + 0.075 / total) * 0.1
    assert results.jobs["operational_kgco2e"].to_numpy() == pytest.approx(expected, rel=1e-12)


def test_an_hour_of_hardly_any_it_energy_spoils_no_later_bill(tmp_path: Path) -> None:
    """A job of 1 ms bears an hour's losses, 4e12 times its own energy; the next bill is exact."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, 0.001, 1, 1.0), (3600, 3600, 4, 1.0)])
    pue = LOAD | {"fixed": "300 kW"}
    results = results_of(scenario_document(jobs, nodes=SPLIT, horizon="3 h", sites__s__pue=pue))
    tiny = 0.25 * 0.001 / 3600
    expected = [(1.05 * tiny + 300) * 0.1, (1.05 * 1.0 + 300) * 0.1]
    assert results.jobs["operational_kgco2e"].to_numpy() == pytest.approx(expected, rel=1e-13)


def test_what_is_rounding_bears_no_losses(tmp_path: Path) -> None:
    """1e-14 of the fixed energy of its hour is no energy: the losses belong to nobody."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, 3600, 1, 1e-9)])
    pue = {"model": "load", "fixed": "1000 MW"}
    results = results_of(scenario_document(jobs, nodes=SPLIT, horizon="1 h", sites__s__pue=pue))
    assert results.summary["allocated_kgco2e"] == pytest.approx(0.25e-9 * 0.1, rel=1e-12)
    assert results.summary["energy_facility_kwh"] == pytest.approx(1e6, rel=1e-12)


def test_free_cooling_ends_at_its_threshold_and_is_bounded(tmp_path: Path) -> None:
    """Min(1.4, 1.07 + 0.012 x max(0, T - 18)) at 5, 18, 28 and 50 degC, 0.1 kWh in each hour."""
    weather = weather_file(tmp_path / "w.csv", [5, 18, 28, 50])
    document = scenario_document(horizon="4 h", sites__s__pue=COOLED, sites__s__weather=weather)
    results = results_of(document)
    ratios = [1.07, 1.07, 1.19, 1.4]
    assert hourly(results, "energy_facility_kwh") == pytest.approx(
        [0.1 * ratio for ratio in ratios], rel=1e-12
    )
    assert results.summary["pue"] == pytest.approx(sum(ratios) / 4, rel=1e-12)


def test_means_of_pue_by_energy_and_over_time_differ_where_heat_and_load_meet(
    tmp_path: Path,
) -> None:
    """1.07 in a cool hour of 0.1 kWh, 1.19 in a hot one of 0.5: 1.17 by energy, 1.13 by time."""
    jobs = write_jobs(tmp_path / "j.csv", [(3600, 3600, 8, 1.0)])
    weather = weather_file(tmp_path / "w.csv", [10, 28])
    document = scenario_document(
        jobs, horizon="2 h", sites__s__pue=COOLED, sites__s__weather=weather
    )
    results = results_of(document)
    said = {(subject, quantity): value for subject, quantity, value, _, _ in results.assumptions}
    assert said["s", "PUE, facility over IT energy"] == "1.17"
    assert said["s", "PUE, mean over time"] == "1.13"
    assert said["s", "outside temperature, mean"] == "19"
    assert results.jobs["operational_kgco2e"].to_numpy() == pytest.approx(
        [0.5 * 1.19 * 0.1], rel=1e-12
    )


def test_fixed_losses_stand_beside_the_law_of_temperature(tmp_path: Path) -> None:
    weather = weather_file(tmp_path / "w.csv", [28, 8], step_ms=30 * MS_PER_MIN)
    document = scenario_document(
        horizon="1 h", sites__s__pue=COOLED | {"fixed": "300 W"}, sites__s__weather=weather
    )
    results = results_of(document)
    expected = 0.05 * 1.19 + 0.05 * 1.07 + 0.3
    assert hourly(results, "energy_facility_kwh") == pytest.approx([expected], rel=1e-12)
    said = {quantity: value for _, quantity, value, _, _ in results.assumptions}
    assert said["PUE, mean over time"] == f"{expected / 0.1:.4g}"


def test_water_is_it_energy_times_wue(tmp_path: Path) -> None:
    """0.1 kWh an hour at 0.2 + 0.1 x max(0, T - 20), at most 1 L/kWh: 0.02, 0.05 and 0.1 L."""
    wue = {
        "model": "temperature",
        "base": "0.2 L/kWh",
        "evaporative_above": "20 degC",
        "per_degree": "0.1 L/kWh",
        "most": "1 L/kWh",
    }
    weather = weather_file(tmp_path / "w.csv", [20, 23, 40])
    document = scenario_document(horizon="3 h", sites__s__wue=wue, sites__s__weather=weather)
    results = results_of(document)
    assert hourly(results, "water_l") == pytest.approx([0.02, 0.05, 0.1], rel=1e-12)
    assert results.summary["water_l"] == pytest.approx(0.17, rel=1e-12)
    constant = results_of(scenario_document(horizon="3 h", sites__s__wue="1.8 L/kWh"))
    assert constant.summary["water_l"] == pytest.approx(0.54, rel=1e-12)


def test_water_of_some_sites_only_is_no_water_of_the_fleet() -> None:
    document = scenario_document(
        horizon="2 h",
        sites__s__wue="1.8 L/kWh",
        sites__t={"pue": 1.5, "grid": {"average": {"constant": "50 g/kWh"}}},
        clusters__d={"site": "t", "node": "n", "count": 3},
    )
    results = results_of(document)
    assert results.summary["water_l"] is None
    assert hourly(results, "water_l") == pytest.approx([0.18, 0.18], rel=1e-12)
    assert np.isnan(hourly(results, "water_l", "d")).all()


def test_a_bill_under_a_model_is_that_of_a_run_under_it(tmp_path: Path) -> None:
    """Also where the bins of the run are wider than an hour: the events are metered again."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, 9000, 4, 1.0), (1800, 12000, 2, 0.5)])
    wide = {"accounting": {"interval": "1 d"}}
    plain = run(from_document(scenario_document(jobs, **wide)))
    modelled = run(from_document(scenario_document(jobs, sites__s__pue=LOAD, **wide)))
    assert (plain.metered.grid.bin_ms, modelled.metered.grid.bin_ms) == (24 * MS_PER_H, MS_PER_H)
    billed = plain.bill(pue=LOAD)
    assert billed.results.key == modelled.results.key
    assert billed.results.summary == modelled.results.summary
    for name, table in modelled.results.tables.items():
        assert table.equals(billed.results.tables[name]), name
    back = billed.bill(pue=1.0)
    assert back.results.key == plain.results.key
    assert back.results.summary["total_kgco2e"] == pytest.approx(
        plain.results.summary["total_kgco2e"], rel=1e-12
    )
