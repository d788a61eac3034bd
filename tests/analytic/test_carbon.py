"""Carbon against hand-worked cases: energy of each interval times its intensity, split exactly."""

import gzip
import math
from pathlib import Path
from typing import Any

import pytest

from simulator.results import Results
from simulator.units import MS_PER_H, MS_PER_MIN
from tests.builders import (
    file_grid,
    results_of,
    scenario_document,
    write_grid,
    write_jobs,
)

START = "2022-01-01T00:00:00Z"


def constant_power(watts: float, **keys: Any) -> dict[str, Any]:
    """Return a scenario of one node that draws the same all the time."""
    power = f"{watts} W"
    return scenario_document(
        nodes={"accelerators": 1, "idle_power": power, "busy_power": power}, **keys
    )


def hourly_total_g(results: Results) -> float:
    return math.fsum(results.hourly["operational_kgco2e"]) * 1000


def test_intervals_are_split_at_every_hour_of_the_trace(tmp_path: Path) -> None:
    """700 W 1200-5400 s, 2100 W 5400-9000 s, 700 W 9000-13500 s: 891.916667 g.

    Each segment billed at the intensity of the hour it starts in would give 1166.67 g.
    """
    grid = write_grid(tmp_path / "g.csv", START, MS_PER_H, [400.0, 350.0, 120.0, 90.0, 300.0])
    jobs = write_jobs(tmp_path / "j.csv", [(1200, 12300, 1, 1.0), (5400, 3600, 2, 1.0)])
    document = scenario_document(
        jobs,
        nodes={"accelerators": 3, "idle_power": "0 W", "busy_power": "2100 W"},
        grid=file_grid(grid),
        horizon="5 h",
    )
    results = results_of(document)
    assert results.summary["energy_it_kwh"] == pytest.approx(3.79166666667, rel=1e-11)
    expected_g = 891.0 + 11.0 / 12.0
    assert results.summary["scope2_location_kgco2e"] * 1000 == pytest.approx(expected_g, rel=1e-12)
    assert hourly_total_g(results) == pytest.approx(expected_g, rel=1e-12)
    by_job_g = results.jobs["operational_kgco2e"].sum() * 1000
    assert by_job_g == pytest.approx(expected_g, rel=1e-9)  # nothing idles, so jobs bear it all


@pytest.mark.parametrize("interval", ["1 min", "8 min", "1 h", "1 d"])
def test_the_reporting_interval_changes_no_total(tmp_path: Path, interval: str) -> None:
    grid = write_grid(tmp_path / "g.csv", START, MS_PER_H, [400.0, 350.0, 120.0, 90.0, 300.0])
    jobs = write_jobs(tmp_path / "j.csv", [(1200, 12300, 1, 1.0), (5400, 3600, 2, 1.0)])
    document = scenario_document(
        jobs,
        nodes={"accelerators": 3, "idle_power": "0 W", "busy_power": "2100 W"},
        grid=file_grid(grid),
        horizon="5 h",
        accounting__interval=interval,
    )
    results = results_of(document)
    expected_g = 891.0 + 11.0 / 12.0
    assert results.summary["scope2_location_kgco2e"] * 1000 == pytest.approx(expected_g, rel=1e-12)
    assert hourly_total_g(results) == pytest.approx(expected_g, rel=1e-12)


def test_a_leap_year_of_constant_power_is_billed_in_all_its_8784_hours(tmp_path: Path) -> None:
    """1 kW through 2024 over a pseudo-random trace: 8784 kWh, 2627857.56389 g."""
    state, values = 2024, []
    for _ in range(8784):
        values.append(50 + 500 * state / 2**32)
        state = (1664525 * state + 1013904223) % 2**32
    first = [60.2370426757, 481.493799435, 384.538487834]
    if values[0] != pytest.approx(first[0]):  # the sequence may begin with the seed or after it
        values = [*values[1:], 50 + 500 * state / 2**32]
    assert values[:3] == pytest.approx(first, rel=1e-11)
    assert values[-1] == pytest.approx(220.574232005, rel=1e-11)
    grid = write_grid(tmp_path / "g.csv", "2024-01-01T00:00:00Z", MS_PER_H, values)
    results = results_of(
        constant_power(1000, start="2024-01-01T00:00:00Z", horizon="366 d", grid=file_grid(grid))
    )
    assert len(results.hourly) == 8784
    assert results.summary["energy_it_kwh"] == pytest.approx(8784.0, rel=1e-12)
    grams = results.summary["scope2_location_kgco2e"] * 1000
    assert grams == pytest.approx(math.fsum(values), rel=1e-12)
    assert grams == pytest.approx(2627857.56389, rel=1e-11)


@pytest.mark.parametrize("steps", [2, 100, 7200])
def test_a_ramp_in_steps_has_the_carbon_of_its_hour_means(tmp_path: Path, steps: int) -> None:
    """0 to 1000 W over two hours at 400 and 100 g/kWh: 250 W and 750 W on average, 175 g."""
    length_s = 7200 // steps
    rows = [(k * length_s, length_s, 1, (k + 0.5) / steps) for k in range(steps)]
    jobs = write_jobs(tmp_path / "j.csv", rows)
    grid = write_grid(tmp_path / "g.csv", START, MS_PER_H, [400.0, 100.0])
    document = scenario_document(
        jobs,
        nodes={"accelerators": 1, "idle_power": "0 W", "busy_power": "1000 W"},
        grid=file_grid(grid),
        horizon="2 h",
    )
    summary = results_of(document).summary
    assert summary["energy_it_kwh"] == pytest.approx(1.0, rel=1e-12)
    assert summary["scope2_location_kgco2e"] * 1000 == pytest.approx(175.0, rel=1e-12)


def test_the_chain_of_units_from_watts_to_grams() -> None:
    """250 W x 5400 s = 1.35 MJ = 0.375 kWh; x 432.1 g/kWh = 162.0375 g."""
    document = constant_power(250, horizon="90 min", grid={"average": {"constant": "432.1 g/kWh"}})
    summary = results_of(document).summary
    assert summary["energy_it_kwh"] == pytest.approx(0.375, rel=1e-12)
    assert summary["scope2_location_kgco2e"] == pytest.approx(0.1620375, rel=1e-12)


def test_pounds_per_megawatt_hour_are_converted() -> None:
    """952.6 lb/MWh is 432.092091662 g/kWh (1 lb = 453.59237 g)."""
    document = constant_power(1000, horizon="1 h", grid={"average": {"constant": "952.6 lb/MWh"}})
    grams = results_of(document).summary["scope2_location_kgco2e"] * 1000
    assert grams == pytest.approx(432.092091662, rel=1e-11)


def test_average_and_marginal_are_two_totals_that_may_rank_regions_differently() -> None:
    """5 kWh in A (200 and 600 g/kWh) and in B (300 and 350 g/kWh)."""
    average_g, marginal_g = {}, {}
    for region, average, marginal in (("A", 200, 600), ("B", 300, 350)):
        grid = {
            "average": {"constant": f"{average} g/kWh"},
            "marginal": {"constant": f"{marginal} g/kWh"},
        }
        summary = results_of(constant_power(1000, horizon="5 h", grid=grid)).summary
        average_g[region] = summary["scope2_location_kgco2e"] * 1000
        marginal_g[region] = summary["marginal_kgco2e"] * 1000
        assert summary["total_kgco2e"] * 1000 == pytest.approx(average_g[region], rel=1e-12)
    assert average_g == pytest.approx({"A": 1000.0, "B": 1500.0}, rel=1e-12)
    assert marginal_g == pytest.approx({"A": 3000.0, "B": 1750.0}, rel=1e-12)


def test_an_absent_marginal_is_null_and_not_zero() -> None:
    assert results_of(constant_power(1000)).summary["marginal_kgco2e"] is None


BE_HOURS = [29.0011277, 28.8646187]
NL_QUARTERS = [
    164.517793, 162.94891, 164.301004, 167.580962, 169.095044, 167.972042, 165.631888, 164.996205,
]  # fmt: skip
OPENDC = {"BE": (8.67986196, 8.6798), "NL": (49.7641443, 49.7641)}
"""Two hours at 150 W from 2022-01-01: the exact integral, and what OpenDC's CarbonTest expects."""


@pytest.mark.parametrize(
    ("zone", "step_ms", "values"),
    [("BE", MS_PER_H, BE_HOURS), ("NL", 15 * MS_PER_MIN, NL_QUARTERS)],
)
def test_opendc_carbon_from_its_own_steps(
    tmp_path: Path, zone: str, step_ms: int, values: list[float]
) -> None:
    grid = write_grid(tmp_path / "g.csv", START, step_ms, values)
    document = constant_power(150, horizon="2 h", grid=file_grid(grid))
    grams = results_of(document).summary["scope2_location_kgco2e"] * 1000
    exact_g, published_g = OPENDC[zone]
    assert grams == pytest.approx(exact_g, rel=1e-8)
    assert grams == pytest.approx(published_g, abs=2e-4)


@pytest.mark.parametrize("zone", ["BE", "NL"])
def test_opendc_carbon_from_the_european_file(data_folder: Path, zone: str) -> None:
    path = data_folder / "grid" / "opendc_eu_2022_hourly.csv.gz"
    with gzip.open(path, "rt") as lines:
        assert next(lines).startswith("timestamp_utc,region,avg_ci_g_per_kwh")
    grid = {
        "average": {
            "file": str(path),
            "time": "timestamp_utc",
            "value": "avg_ci_g_per_kwh",
            "unit": "g/kWh",
            "where": {"region": zone},
        }
    }
    document = constant_power(150, horizon="2 h", grid=grid)
    grams = results_of(document).summary["scope2_location_kgco2e"] * 1000
    assert grams == pytest.approx(OPENDC[zone][1], abs=2e-4)
