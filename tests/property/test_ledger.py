"""Carbon by kind, peak power and cost beside what the tables of every run say."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.explanation.difference import difference_kg, steps_between
from simulator.results import Results
from tests.builders import results_of
from tests.property import test_ladder as sleeping
from tests.property.test_accounting import intensities, results_for, rows
from tests.property.test_facility import COOLED, LOAD, results_with, temperatures
from tests.property.workloads import SEVERAL_RUNS

KINDS = ("dynamic", "idle", "sleep", "transition")
CLOSE = {"rel": 1e-9, "abs": 1e-12}


def assert_kinds_add_up(results: Results) -> None:
    """Check the kinds against the hourly table; its hours are no longer than those of the grid."""
    summary, hourly = results.summary, results.hourly
    parts = {kind: hourly[f"energy_{kind}_kwh"] for kind in KINDS}
    parts["overhead"] = hourly["energy_facility_kwh"] - hourly["energy_it_kwh"]
    kg_per_kwh = hourly["intensity_average_g_per_kwh"] / 1000
    for kind, kwh in parts.items():
        expected_kg = math.fsum(kwh * kg_per_kwh)
        assert summary[f"{kind}_kgco2e"] == pytest.approx(expected_kg, **CLOSE)
        assert summary[f"{kind}_kgco2e"] >= -1e-12
    total_kg = math.fsum(summary[f"{kind}_kgco2e"] for kind in parts)
    assert total_kg == pytest.approx(summary["scope2_location_kgco2e"], **CLOSE)


def highest_kw(results: Results, column: str, end_h: float) -> float:
    """Return the highest power of the hourly table, its rows added up one by one."""
    kwh: dict[Any, float] = {}
    for time, value in zip(results.hourly["time"], results.hourly[column], strict=True):
        kwh[time] = kwh.get(time, 0.0) + value
    times = sorted(kwh)
    first = results.scenario.start.timestamp()
    begins_h = [(time.timestamp() - first) / 3600 for time in times]
    lengths_h = [b - a for a, b in zip(begins_h, [*begins_h[1:], end_h], strict=True)]
    return max(kwh[time] / length for time, length in zip(times, lengths_h, strict=True))


@SEVERAL_RUNS
@given(rows, intensities, st.booleans())
def test_carbon_by_kind_is_all_operational_carbon(drawn: Any, grams: Any, drain: bool) -> None:
    assert_kinds_add_up(results_for(drawn, [*grams, *([100] * 400)], drain=drain))


@SEVERAL_RUNS
@given(rows, intensities, temperatures, st.sampled_from([LOAD, COOLED]))
def test_so_it_is_in_buildings_with_losses_of_their_own(
    drawn: Any, grams: Any, degrees: Any, pue: dict[str, Any]
) -> None:
    assert_kinds_add_up(
        results_with(drawn, grams, degrees, sites__s__pue=pue, accounting__interval="30 min")
    )


@SEVERAL_RUNS
@given(sleeping.rows, sleeping.afters, sleeping.powers, sleeping.latencies)
def test_so_it_is_of_nodes_that_sleep(
    drawn: Any, afters_s: Any, power_w: Any, latencies_s: Any
) -> None:
    states = sleeping.ladder(afters_s, power_w[0], latencies_s, share=0.5)
    with sleeping.a_document(drawn, "ladder", states, power_w) as document:
        assert_kinds_add_up(results_of(document))


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from(["20 min", "1 h", "2 h"]), st.integers(0, 200))
def test_the_peak_is_the_highest_of_the_hourly_table(
    drawn: Any, grams: Any, interval: str, warm_up_min: int
) -> None:
    keys = {"accounting__interval": interval, "warm_up": f"{warm_up_min} min"}
    results = results_for(drawn, grams, horizon="310 min", **keys)
    for what in ("it", "facility"):
        expected_kw = highest_kw(results, f"energy_{what}_kwh", 310 / 60)
        assert results.summary[f"peak_{what}_kw"] == pytest.approx(expected_kw, rel=1e-9)


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from([0.0, 0.07, 12.5]), st.sampled_from([0.0, 1e5]))
def test_cost_is_made_of_what_the_tables_say(
    drawn: Any, grams: Any, per_kwh: float, each: float
) -> None:
    results = results_for(
        drawn,
        grams,
        sites__s__electricity_price=f"{per_kwh} EUR/kWh",
        sites__t__electricity_price=f"{2 * per_kwh} EUR/kWh",
        nodes__n__price=f"{each} EUR",
    )
    hourly, summary = results.hourly, results.summary
    of_site = hourly["site"].astype(str).map({"s": per_kwh, "t": 2 * per_kwh})
    electricity = math.fsum(hourly["energy_facility_kwh"] * of_site)
    machines = summary["scope3_embodied_kgco2e"] / 1500 * each  # bought as they were made
    assert summary["cost_electricity"] == pytest.approx(electricity, **CLOSE)
    assert summary["cost_machines"] == pytest.approx(machines, **CLOSE)
    assert summary["cost_total"] == summary["cost_electricity"] + summary["cost_machines"]


@SEVERAL_RUNS
@given(rows, rows, intensities, st.sampled_from([1.0, 1.1, 1.9]))
def test_steps_add_up_to_the_difference_of_the_totals(
    drawn: Any, others: Any, grams: Any, pue: float
) -> None:
    one = results_for(drawn, grams).summary
    two = results_for(others, grams, sites__s__pue=pue).summary
    steps = steps_between(one, two)
    whole_kg = math.fsum(step.difference_kgco2e for step in steps)
    assert whole_kg == difference_kg(steps)
    allowed = 1e-12 * max(one["total_kgco2e"], two["total_kgco2e"])
    assert abs(whole_kg - (two["total_kgco2e"] - one["total_kgco2e"])) <= allowed
    kwh = math.fsum(step.difference_kwh or 0.0 for step in steps)
    facility_kwh = two["energy_facility_kwh"] - one["energy_facility_kwh"]
    assert kwh == pytest.approx(facility_kwh, rel=1e-9, abs=1e-9 * one["energy_facility_kwh"])
    back = steps_between(two, one)
    assert difference_kg(back) == -whole_kg
