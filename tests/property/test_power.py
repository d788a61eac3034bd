"""What holds between runs whose curves, levels and budgets differ, whatever the jobs."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from tests.property.test_accounting import ENERGIES, a_document, intensities, results_for, rows
from tests.property.workloads import SEVERAL_RUNS

CAPS = [
    {"name": "cap", "speed": 0.8, "busy_power": "350 W"},
    {"name": "low", "speed": 0.5, "busy_power": "180 W"},
]
BENT = {"points": [[0.0, 0.0], [0.2, 0.6], [0.7, 0.8], [1.0, 1.0]]}
PARTS = [
    {"name": "host", "idle_power": "60 W", "busy_power": "200 W", "load_curve": {"exponent": 1.7}},
    {"name": "card", "count": 8, "idle_power": "5 W", "busy_power": "37.5 W"},
    {"name": "fans", "idle_power": "0 W", "busy_power": "40 W", "load_curve": BENT},
]
curves = st.sampled_from(["linear", {"exponent": 1.6}, BENT])
loads = st.sets(st.floats(0.01, 0.99), min_size=1, max_size=6)


MAY_BE_DRAWN = {"workloads__w__utilisation": {"dist": "uniform", "low": 0, "high": 1}}
"""Jobs of a file that no budget allows are refused, but where their utilisation may be drawn."""


def tight(share: float) -> dict[str, str]:
    """Return budgets of both clusters and of the first one's site, between idle and busy power."""
    return {
        "clusters__c__power_budget": f"{200 + 800 * share} W",
        "clusters__d__power_budget": f"{100 + 400 * share} W",
        "sites__s__power_budget": f"{200 + 700 * share} W",
    }


def same_bytes(one: Results, other: Results) -> None:
    assert one.summary | {"key": None} == other.summary | {"key": None}
    for name, table in one.tables.items():
        assert table.equals(other.tables[name]), name


def alike(one: Results, other: Results, rel: float, factor: float = 1.0) -> None:
    """Hold tables to one another, energies and carbon of the second being so many times larger."""
    for name in ("jobs", "hourly", "nodes"):
        table, again = getattr(one, name), getattr(other, name)
        for column in table.select_dtypes("number"):
            scaled = "energy" in column or column in ("operational_kgco2e", "marginal_kgco2e")
            expected = table[column] * (factor if scaled else 1.0)
            np.testing.assert_allclose(
                again[column], expected, rtol=rel, atol=1e-15, err_msg=column
            )
    for key in ENERGIES:
        assert other.summary[key] == pytest.approx(factor * one.summary[key], rel=rel)


@SEVERAL_RUNS
@given(rows, intensities, loads)
def test_points_on_the_straight_line_are_the_straight_line(
    drawn: Any, grams: Any, at: set[float]
) -> None:
    points = {"points": [[0.0, 0.0], *([u, u] for u in sorted(at)), [1.0, 1.0]]}
    plain = results_for(drawn, grams)
    same_bytes(plain, results_for(drawn, grams, nodes__n__load_curve="linear"))
    alike(plain, results_for(drawn, grams, nodes__n__load_curve=points), 1e-12)
    alike(plain, results_for(drawn, grams, nodes__n__load_curve={"exponent": 1.0}), 1e-12)


@SEVERAL_RUNS
@given(rows, intensities, curves, st.sampled_from([2.0, 10.0, 1.5]), st.floats(0.1, 0.9))
def test_energies_scale_with_all_powers(
    drawn: Any, grams: Any, curve: Any, k: float, share: float
) -> None:
    """Budgets scale with them, so that the same jobs run at the same levels."""

    def scaled(factor: float) -> Results:
        caps = [cap | {"busy_power": f"{float(cap['busy_power'][:-2]) * factor} W"} for cap in CAPS]
        budgets = {key: f"{float(w[:-2]) * factor} W" for key, w in tight(share).items()}
        return results_for(
            drawn,
            grams,
            nodes__n__idle_power=f"{100 * factor} W",
            nodes__n__busy_power=f"{500 * factor} W",
            nodes__n__load_curve=curve,
            nodes__n__power_levels=caps,
            **budgets,
            **MAY_BE_DRAWN,
        )

    one, other = scaled(1.0), scaled(k)
    alike(one, other, 1e-11, k)
    for key in ("jobs_capped", "jobs_delayed_by_power", "jobs_unschedulable"):
        assert one.summary[key] == other.summary[key]
    more_kwh = pytest.approx(k * one.summary["energy_capped_kwh"], rel=1e-9, abs=1e-12)
    assert other.summary["energy_capped_kwh"] == more_kwh


@SEVERAL_RUNS
@given(rows, intensities, st.permutations(PARTS))
def test_the_order_of_components_means_nothing(drawn: Any, grams: Any, parts: Any) -> None:
    power = {"nodes__n__idle_power": "100 W", "nodes__n__busy_power": "540 W"}
    one, other = (
        results_for(drawn, grams, nodes__n__components=said, **power) for said in (PARTS, parts)
    )
    alike(one, other, 1e-12)


@SEVERAL_RUNS
@given(rows, intensities, curves)
def test_the_level_full_is_no_level(drawn: Any, grams: Any, curve: Any) -> None:
    power = {"nodes__n__load_curve": curve, "nodes__n__power_levels": CAPS}
    one = results_for(drawn, grams, nodes__n__load_curve=curve)
    same_bytes(one, results_for(drawn, grams, clusters__c__power_level="full", **power))
    explicit = results_for(drawn, grams, clusters__c__power_level="full", **power)
    assert explicit.key == results_for(drawn, grams, **power).key


@SEVERAL_RUNS
@given(rows, intensities, curves, st.sampled_from([1.0, 1e6]))
def test_a_budget_of_all_that_can_be_drawn_is_none(
    drawn: Any, grams: Any, curve: Any, many: float
) -> None:
    power = {"nodes__n__load_curve": curve, "nodes__n__power_levels": CAPS}
    budgets = {
        "clusters__c__power_budget": f"{1000 * many} W",
        "sites__s__power_budget": f"{1000 * many} W",
        "sites__t__power_budget": f"{500 * many} W",
    }
    one = results_for(drawn, grams, **power)
    two = results_for(drawn, grams, **budgets, **power)
    same_bytes(one, two)
    assert two.summary["jobs_delayed_by_power"] == two.summary["jobs_capped"] == 0


@SEVERAL_RUNS
@given(rows, intensities, curves, st.floats(0.05, 0.95), st.booleans())
def test_hours_nodes_and_jobs_add_up_under_budgets(
    drawn: Any, grams: Any, curve: Any, share: float, drain: bool
) -> None:
    results = results_for(
        drawn,
        [*grams, *([100] * 800)],
        drain=drain,
        warm_up="75 min",
        nodes__n__load_curve=curve,
        nodes__n__power_levels=CAPS,
        **tight(share),
        **MAY_BE_DRAWN,
    )
    summary, close = results.summary, {"rel": 1e-9, "abs": 1e-12}
    it_kwh = pytest.approx(summary["energy_it_kwh"], **close)
    assert math.fsum(results.hourly["energy_it_kwh"]) == it_kwh
    assert math.fsum(results.nodes["energy_it_kwh"]) == it_kwh
    dynamic_kwh = math.fsum(results.jobs["energy_dynamic_kwh"])
    assert dynamic_kwh == pytest.approx(summary["energy_dynamic_kwh"], **close)
    assert (results.jobs["energy_dynamic_kwh"] >= 0).all()
    borne_kg = math.fsum(results.jobs["operational_kgco2e"])
    borne_kg += math.fsum(results.jobs["embodied_kgco2e"])
    assert borne_kg == pytest.approx(summary["allocated_kgco2e"], **close)
    assert summary["unallocated_kgco2e"] >= -1e-9 * summary["total_kgco2e"]
    hourly = results.hourly
    limit_kwh = np.where(hourly["cluster"] == "c", 200 + 700 * share, 100 + 400 * share) / 1000
    assert (hourly["energy_it_kwh"] <= limit_kwh * (1 + 1e-8)).all()


@SEVERAL_RUNS
@given(rows, intensities, st.floats(0.05, 0.95), st.sampled_from([61, 900, 3600]))
def test_looking_at_a_run_changes_no_byte_of_it(
    drawn: Any, grams: Any, share: float, step_s: int
) -> None:
    """Events that fall together are settled together, however the run is cut by those who look."""

    def looks(env: Any, view: Any) -> Any:
        while True:
            yield env.timeout(step_s * 1000)

    power = {"nodes__n__load_curve": BENT, "nodes__n__power_levels": CAPS}
    together = [(gap // 600 * 600, length // 600 * 600, *rest) for gap, length, *rest in drawn]
    with a_document(together, grams, **power, **tight(share), **MAY_BE_DRAWN) as document:
        scenario = from_document(document)
        one, two = run(scenario).results, run(scenario, controllers=[looks]).results
    same_bytes(one, two)
