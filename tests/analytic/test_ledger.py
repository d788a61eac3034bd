"""Carbon by kind, peak power and cost against hand-worked cases."""

from pathlib import Path
from typing import Any

import pytest

from simulator import api
from simulator.results import Results
from simulator.scenario import from_document
from simulator.units import MS_PER_H
from tests.builders import file_grid, results_of, scenario_document, write_grid, write_jobs
from tests.policy_runs import run_policy

START = "2022-01-01T00:00:00Z"
H = 3600
STEPS = [100.0 * (hour + 1) for hour in range(10)]
"""100 g/kWh in the first hour, 200 in the second, ..."""


def kinds(results: Results) -> dict[str, float]:
    """Return the carbon of each kind in grams."""
    names = ("dynamic", "idle", "sleep", "transition", "overhead")
    return {name: 1000 * results.summary[f"{name}_kgco2e"] for name in names}


def close(**expected: float) -> Any:
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


def rising(path: Path) -> dict[str, Any]:
    return file_grid(write_grid(path, START, MS_PER_H, STEPS))


def test_at_a_constant_intensity_carbon_by_kind_is_energy_by_kind(tmp_path: Path) -> None:
    """Two nodes of 100 W for 10 h, 400 W more for 5 h, a quarter on top: 2, 2 and 1 kWh."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, 5 * H, 8, 1.0)])
    document = scenario_document(jobs, sites__s__pue=1.25, clusters__c__count=2)
    expected = close(dynamic=200.0, idle=200.0, sleep=0.0, transition=0.0, overhead=100.0)
    assert kinds(results_of(document)) == expected


def test_without_a_building_there_is_no_overhead(tmp_path: Path) -> None:
    jobs = write_jobs(tmp_path / "j.csv", [(1234, 4321, 3, 0.37)])
    results = results_of(scenario_document(jobs, grid=rising(tmp_path / "g.csv")))
    assert results.summary["overhead_kgco2e"] == 0.0


def test_each_kind_meets_the_intensity_of_its_own_hours(tmp_path: Path) -> None:
    """Two nodes; 400 W more from 0:30 to 1:30, half at 100 and half at 200 g/kWh: 20 + 40 g.

    Idle power is 0.2 kWh in each hour, 0.2 x 5500 g; the building adds half of everything.
    """
    jobs = write_jobs(tmp_path / "j.csv", [(H // 2, H, 8, 1.0)])
    document = scenario_document(
        jobs, grid=rising(tmp_path / "g.csv"), sites__s__pue=1.5, clusters__c__count=2
    )
    expected = close(dynamic=60.0, idle=1100.0, sleep=0.0, transition=0.0, overhead=580.0)
    assert kinds(results_of(document)) == expected


def test_sleeping_and_changing_meet_the_intensity_of_their_own_hours(tmp_path: Path) -> None:
    """Idle to 1:00, entering to 1:30, asleep to 5:00, waking to 5:30, at work to 6:30, idle to
    7:30, entering to 8:00, asleep to 10:00; 100 W but for 20 W asleep and 500 W at work.

    Dynamic 0.2 x (600 + 700); idle 0.1 x 100 + 0.05 x 600 + 0.1 x 700 + 0.05 x 800; transition
    0.05 x (200 + 600 + 800); sleep 0.01 x 200 + 0.02 x (300 + 400 + 500 + 900 + 1000).
    """
    jobs = write_jobs(tmp_path / "j.csv", [(5 * H, H, 8, 1.0)])
    state = {
        "name": "nap",
        "after": "1 h",
        "power": "20 W",
        "enter_time": "30 min",
        "wake_time": "30 min",
    }
    document = scenario_document(
        jobs,
        nodes={"idle_states": [state]},
        grid=rising(tmp_path / "g.csv"),
        sites__s__pue=1.5,
        clusters__c__idle="ladder",
    )
    expected = close(dynamic=260.0, idle=150.0, sleep=64.0, transition=80.0, overhead=277.0)
    assert kinds(results_of(document)) == expected


def test_fixed_losses_are_overhead_too(tmp_path: Path) -> None:
    """0.1 kW of IT and 0.05 x 0.1 + 0.3 kW of losses, in each hour at its own intensity."""
    pue = {"model": "load", "fixed": "300 W", "proportional": 0.05}
    document = scenario_document(grid=rising(tmp_path / "g.csv"), sites__s__pue=pue)
    expected = close(dynamic=0.0, idle=550.0, sleep=0.0, transition=0.0, overhead=0.305 * 5500)
    assert kinds(results_of(document)) == expected


# -- peak power ---------------------------------------------------------------------------------


def peaks(document: dict[str, Any]) -> tuple[float, float]:
    summary = results_of(document).summary
    return summary["peak_it_kw"], summary["peak_facility_kw"]


def test_the_peak_is_of_all_clusters_together_in_one_interval(tmp_path: Path) -> None:
    """c works in the first hour, d in the third: 0.6 kW of IT in both, 0.7 and 1.1 kW in all."""
    rows = [(0, H, 8, 1.0, "c"), (2 * H, H, 8, 1.0, "d")]
    columns = "submit_s,duration_s,gpus,utilisation,cluster"
    jobs = write_jobs(tmp_path / "j.csv", rows, columns)
    document = scenario_document(jobs, workloads__w__clusters=["c", "d"])
    document["sites"]["t"] = document["sites"]["s"] | {"pue": 2.0}
    document["clusters"]["d"] = {"site": "t", "node": "n", "count": 1}
    assert peaks(document) == pytest.approx((0.6, 1.1), rel=1e-12)
    # Over two hours the two halves are 0.4 and 0.4 kW of IT, 0.5 and 0.7 kW in all.
    document["accounting"] = {"interval": "2 h"}
    assert peaks(document) == pytest.approx((0.4, 0.7), rel=1e-12)


def test_a_cut_interval_counts_over_its_own_length_and_the_warm_up_not_at_all(
    tmp_path: Path,
) -> None:
    """Hour 1 at 0.5 kW is warm-up; half an hour of 0.1 and 0.5 kW is a mean of 0.3 kW."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, H, 8, 1.0), (9 * H // 4, 9 * H, 8, 1.0)])
    document = scenario_document(jobs, horizon="150 min")
    assert peaks(document) == pytest.approx((0.5, 0.5), rel=1e-12)
    document["warm_up"] = "1 h"
    assert peaks(document) == pytest.approx((0.3, 0.3), rel=1e-12)


# -- cost ---------------------------------------------------------------------------------------

TWO_SITES = {
    "electricity_price": "0.10 USD/kWh",
    "pue": 1.25,
}


def priced(jobs: Path, **keys: Any) -> dict[str, Any]:
    """Return two nodes at one site and one at another; a node is written off at 2.5 USD/h."""
    nodes = {"price": "87.66 kUSD", "lifetime": "35064 h"}
    document = scenario_document(jobs, nodes=nodes, clusters__c__count=2, **keys)
    document["sites"]["t"] = document["sites"]["s"] | {
        "pue": 2.0,
        "electricity_price": "50 USD/MWh",
    }
    document["sites"]["s"] |= TWO_SITES
    document["clusters"]["d"] = {"site": "t", "node": "n", "count": 1}
    return document


def cost(results: Results) -> tuple[float | None, ...]:
    parts = ("electricity", "machines", "total")
    return tuple(results.summary[f"cost_{part}"] for part in parts)


def test_cost_is_facility_energy_times_price_and_a_straight_line(tmp_path: Path) -> None:
    """4 x 1.25 kWh at 0.10 and 1 x 2 kWh at 0.05 USD; 3 nodes of 25 USD in 10 h, used or not."""
    document = priced(write_jobs(tmp_path / "j.csv", [(0, 5 * H, 8, 1.0)]))
    results = results_of(document)
    assert cost(results) == pytest.approx((0.6, 75.0, 75.6), rel=1e-12)
    assert results.basis["currency"] == "USD"
    document["warm_up"] = "5 h"  # the half without the job
    assert cost(results_of(document)) == pytest.approx((0.175, 37.5, 37.675), rel=1e-12)


def test_other_accounting_costs_otherwise(tmp_path: Path) -> None:
    document = priced(write_jobs(tmp_path / "j.csv", [(0, 5 * H, 8, 1.0)]))
    billed = api.run(from_document(document)).bill(pue=1.0)
    assert cost(billed.results) == pytest.approx((0.45, 75.0, 75.45), rel=1e-12)


def test_a_cost_that_lacks_a_price_is_absent_and_never_0(tmp_path: Path) -> None:
    jobs = write_jobs(tmp_path / "j.csv", [(0, 5 * H, 8, 1.0)])
    document = priced(jobs)
    del document["sites"]["t"]["electricity_price"]
    assert cost(results_of(document)) == (None, pytest.approx(75.0, rel=1e-12), None)
    document = priced(jobs)
    del document["nodes"]["n"]["price"]
    assert cost(results_of(document)) == (pytest.approx(0.6, rel=1e-12), None, None)
    nothing = results_of(scenario_document(jobs))
    assert cost(nothing) == (None, None, None)
    assert "currency" not in nothing.basis


def test_a_site_without_clusters_needs_no_price(tmp_path: Path) -> None:
    document = priced(write_jobs(tmp_path / "j.csv", [(0, 5 * H, 8, 1.0)]))
    document["sites"]["empty"] = {"pue": 1.1, "grid": {"average": {"constant": "1 g/kWh"}}}
    assert cost(results_of(document)) == pytest.approx((0.6, 75.0, 75.6), rel=1e-12)


def test_a_price_of_0_is_a_price(tmp_path: Path) -> None:
    document = priced(write_jobs(tmp_path / "j.csv", [(0, 5 * H, 8, 1.0)]))
    for site in document["sites"].values():
        site["electricity_price"] = "0 USD/kWh"
    assert cost(results_of(document)) == pytest.approx((0.0, 75.0, 75.0), rel=1e-12)


def test_nodes_that_come_later_cost_from_then_on(tmp_path: Path) -> None:
    """Two nodes of 10 h and two delivered after 3 h: 34 node-hours of 0.1 USD."""
    plan = {
        "policy": "capacity-planner", "most": 6, "target": 1.0, "lead_time": "2 h", "every": "1 h",
        "sample": "30 min", "lifetime": "2 y",
    }  # fmt: skip
    rows = [(0, 50_000, 16, 1.0), (1, 1800, 16, 1.0)]
    nodes = {"price": "3506.4 USD", "lifetime": "35064 h"}
    results = run_policy(tmp_path, plan, rows, nodes=nodes, clusters__c__count=2).results
    assert results.summary["gpu_hours_capacity"] == 34 * 8
    assert results.summary["cost_machines"] == pytest.approx(3.4, rel=1e-12)
