"""What holds between runs whose buildings differ, whatever the jobs and the weather."""

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.results import Results
from simulator.units import MS_PER_H, MS_PER_MIN
from tests.builders import results_of, write_grid
from tests.property.test_accounting import (
    HORIZON_H,
    a_document,
    but_peaks,
    intensities,
    rows,
    totals,
)
from tests.property.workloads import SEVERAL_RUNS

temperatures = st.lists(
    st.integers(-40, 50), min_size=2 * HORIZON_H + 2, max_size=2 * HORIZON_H + 2
)
LOAD = {"model": "load", "fixed": "700 W", "proportional": 0.06}
COOLED = {
    "model": "free-cooling",
    "base": 1.05,
    "free_cooling_below": "12 degC",
    "per_degree": 0.013,
    "most": 1.35,
    "fixed": "400 W",
}


def results_with(drawn: Any, grams: Any, degrees: list[int] | None = None, **keys: Any) -> Results:
    """Run two sites of which the first has a weather by the half hour, where it is given."""
    with (
        tempfile.TemporaryDirectory() as folder,
        a_document(drawn, grams, **keys) as document,
    ):
        if degrees is not None:
            path = Path(folder) / "w.csv"
            values = [float(degree) for degree in degrees]
            write_grid(path, "2022-01-01T00:00:00Z", 30 * MS_PER_MIN, values)
            document["sites"]["s"]["weather"] = {
                "file": str(path),
                "time": "time",
                "value": "value",
                "unit": "degC",
            }
        return results_of(document)


def assert_same(one: Results, other: Results) -> None:
    assert one.summary | {"key": None} == other.summary | {"key": None}
    for name, table in one.tables.items():
        assert table.equals(other.tables[name]), name


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from([1.0, 1.1, 1.25, 1.57]))
def test_a_constant_model_is_its_number(drawn: Any, grams: Any, pue: float) -> None:
    number = results_with(drawn, grams, sites__s__pue=pue)
    model = results_with(drawn, grams, sites__s__pue={"model": "constant", "value": pue})
    assert_same(number, model)
    assert number.key == model.key
    said = ("s", "PUE", f"{pue:g}", "1", "scenario")
    assert said in number.assumptions
    assert said in model.assumptions


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from([0.0, 0.1, 0.25, 0.57]))
def test_proportional_losses_alone_are_a_number(drawn: Any, grams: Any, share: float) -> None:
    number = results_with(drawn, grams, sites__s__pue=1 + share)
    model = {"model": "load", "fixed": "0 W", "proportional": share}
    assert_same(number, results_with(drawn, grams, sites__s__pue=model))


@SEVERAL_RUNS
@given(rows, intensities, temperatures)
def test_without_a_slope_the_weather_changes_nothing(
    drawn: Any, grams: Any, degrees: list[int]
) -> None:
    number = results_with(drawn, grams, sites__s__pue=1.05)
    flat = COOLED | {"per_degree": 0, "fixed": "0 W"}
    weathered = results_with(drawn, grams, degrees, sites__s__pue=flat)
    for key, value in totals(number).items():
        assert weathered.summary[key] == pytest.approx(value, rel=1e-12, abs=1e-12), key


@SEVERAL_RUNS
@given(
    rows,
    intensities,
    temperatures,
    st.sampled_from(["5 min", "15 min", "45 min", "3 h", "1 d"]),
    st.sampled_from([LOAD, COOLED]),
    st.sampled_from(["0 s", "100 min"]),
)
def test_the_reporting_interval_changes_no_total(
    drawn: Any, grams: Any, degrees: list[int], interval: str, pue: Any, warm_up: str
) -> None:
    keys = {"sites__s__pue": pue, "sites__t__pue": LOAD, "warm_up": warm_up}
    one = results_with(drawn, grams, degrees, **keys)
    two = results_with(drawn, grams, degrees, accounting={"interval": interval}, **keys)
    for key, value in but_peaks(totals(one)).items():
        assert two.summary[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key
    for name in ("operational_kgco2e", "energy_facility_kwh"):
        np.testing.assert_allclose(two.jobs[name], one.jobs[name], rtol=1e-9, atol=1e-12)


@SEVERAL_RUNS
@given(rows, intensities, temperatures, st.sampled_from([LOAD, COOLED]), st.booleans())
def test_hours_and_jobs_add_up_to_the_fleet(
    drawn: Any, grams: Any, degrees: list[int], pue: Any, dark: bool
) -> None:
    """Also where idle nodes draw nothing, and hours are without any IT energy."""
    node = {"nodes__n__idle_power": "0 W"} if dark else {}
    results = results_with(drawn, grams, degrees, sites__s__pue=pue, sites__t__pue=LOAD, **node)
    summary = results.summary
    close = {"rel": 1e-9, "abs": 1e-12}
    drawn_kwh = math.fsum(results.hourly["energy_facility_kwh"])
    assert drawn_kwh == pytest.approx(summary["energy_facility_kwh"], **close)
    location_kg = math.fsum(results.hourly["operational_kgco2e"])
    assert location_kg == pytest.approx(summary["scope2_location_kgco2e"], **close)
    borne_kg = math.fsum(results.jobs["operational_kgco2e"].fillna(0)) + math.fsum(
        results.jobs["embodied_kgco2e"].fillna(0)
    )
    assert borne_kg == pytest.approx(summary["allocated_kgco2e"], **close)
    total_kg = pytest.approx(summary["total_kgco2e"], **close)
    assert summary["allocated_kgco2e"] + summary["unallocated_kgco2e"] == total_kg
    assert summary["unallocated_kgco2e"] >= -1e-9 * summary["total_kgco2e"]


@SEVERAL_RUNS
@given(rows, intensities)
def test_facility_energy_is_affine_in_every_interval(drawn: Any, grams: Any) -> None:
    results = results_with(
        drawn, grams, sites__s__pue=LOAD, sites__t__pue=LOAD, accounting={"interval": "15 min"}
    )
    hourly = results.hourly
    expected = 1.06 * hourly["energy_it_kwh"] + 0.7 * (15 * MS_PER_MIN / MS_PER_H)
    np.testing.assert_allclose(hourly["energy_facility_kwh"], expected, rtol=1e-12)
