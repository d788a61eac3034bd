"""Load curves, power levels and budgets against figures worked by hand or published."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_H, MS_PER_MIN
from tests.analytic.idle_runs import EXACT, J_PER_KWH, LADDER, it_j, run_one
from tests.builders import file_grid, results_of, scenario_document, write_grid, write_jobs

START = "2022-01-01T00:00:00Z"
SATURATING = {"points": [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0]]}
HALF = {"name": "half", "speed": 0.5, "busy_power": "300 W"}
FOUR = {"accelerators": 4, "idle_power": "100 W", "busy_power": "500 W"}


def levels_of(folder: Path, rows: list[Any], node: dict[str, Any], **keys: Any) -> Any:
    """Return the level at which each job ran, and the results."""
    jobs = write_jobs(folder / "jobs.csv", rows)
    done = run(from_document(scenario_document(jobs, nodes=node, **keys)))
    return done.log.power_level.tolist(), done.results


# Curves


@pytest.mark.parametrize("exponent", [1.0, 1.4, 2.0])
@pytest.mark.parametrize("load", [0.1, 0.5, 0.85])
def test_a_curve_by_exponent(tmp_path: Path, exponent: float, load: float) -> None:
    """Three hours of load u in ten: 10 h of idle power and 3 h of span x (2u - u^r)."""
    node = FOUR | {"load_curve": {"exponent": exponent}}
    results = run_one(tmp_path, [(1000, 3 * 3600, 4, load)], node)
    expected_kwh = 0.1 * 10 + 0.4 * (2 * load - load**exponent) * 3
    assert results.summary["energy_it_kwh"] == pytest.approx(expected_kwh, rel=EXACT)
    idle_kwh = results.jobs["energy_idle_share_kwh"][0]
    assert idle_kwh == pytest.approx(0.3, rel=EXACT)


@pytest.mark.parametrize(("load", "watts"), [(0.0, 60), (0.1, 130), (0.5, 150), (1.0, 150)])
def test_a_web_server_draws_130_w_at_light_load(tmp_path: Path, load: float, watts: int) -> None:
    """Published are 60, 130 and 150 W; a straight line gives 69 W at a tenth of the load."""
    measured = {"points": [[0.0, "60 W"], [0.1, "130 W"], [0.5, "150 W"], [1.0, "150 W"]]}
    node = {"accelerators": 10, "idle_power": "60 W", "busy_power": "150 W"}
    drawn_w = {}
    for curve in (measured, "linear"):
        results = run_one(
            tmp_path, [(0, 3600, 10, load)], node | {"load_curve": curve}, horizon="1 h"
        )
        drawn_w[str(curve)] = results.summary["energy_it_kwh"] * 1000
    assert drawn_w[str(measured)] == pytest.approx(watts, rel=EXACT)
    assert drawn_w["linear"] == pytest.approx(60 + 90 * load, rel=EXACT)


def test_the_catalogs_web_server_draws_130_w_at_light_load(tmp_path: Path) -> None:
    jobs = write_jobs(tmp_path / "j.csv", [(0, 3600, 1, 0.15)])
    document = scenario_document(jobs, horizon="1 h", clusters__c__node="web-server")
    del document["nodes"]
    assert results_of(document).summary["energy_it_kwh"] == pytest.approx(0.130, abs=1e-5)


def test_a_short_job_late_in_a_year_is_billed_to_the_last_digits(tmp_path: Path) -> None:
    """One second at 2 of 4 accelerators beside a job of a year at 1: 2/3 of 400 W x f(3/4)."""
    grid = {"average": {"constant": "100 g/kWh"}}
    node = FOUR | {"load_curve": {"exponent": 1.5}}
    day_s = 86_400
    rows = [(0, 365 * day_s, 1, 1.0), (364 * day_s + 1, 1, 2, 1.0)]
    results = run_one(tmp_path, rows, node, grid=grid, horizon="365 d")
    dynamic_kwh = 400 * (2 * 0.75 - 0.75**1.5) * 2 / 3 / J_PER_KWH
    job = results.jobs.iloc[1]
    assert job["energy_dynamic_kwh"] == pytest.approx(dynamic_kwh, rel=1e-13, abs=0)
    billed_kg = (dynamic_kwh + 50 / J_PER_KWH) * 0.1
    assert job["operational_kgco2e"] == pytest.approx(billed_kg, rel=1e-13, abs=0)


# Levels


@pytest.mark.parametrize(
    ("level", "energy", "time"), [("cap-175W", 0.77, 1.067), ("cap-150W", 0.863, 1.068)]
)
def test_published_power_caps_of_v100_cards(
    tmp_path: Path, level: str, energy: float, time: float
) -> None:
    """23 % less energy in 6.7 % more time, and 13.7 % less in 6.8 % more.

    Of jobs that keep their nodes busy. The studies measured cards; nodes are taken to follow.
    """
    rows = [(0, 7200, 8, 1.0), (0, 3600, 16, 1.0)]
    jobs = write_jobs(tmp_path / "j.csv", rows)
    ran: list[tuple[Any, Any]] = []
    for name in ("full", level):
        document = scenario_document(
            jobs, clusters__c__node="dgx1-v100", clusters__c__power_level=name, clusters__c__count=3
        )
        del document["nodes"]
        done = results_of(document).jobs
        ran.append(
            (
                (done["energy_dynamic_kwh"] + done["energy_idle_share_kwh"]).to_numpy(),
                (done["end_s"] - done["start_s"]).to_numpy(),
            )
        )
    (full_kwh, full_s), (capped_kwh, capped_s) = ran
    assert capped_s / full_s == pytest.approx([time] * 2, abs=1e-3)
    assert capped_kwh / full_kwh == pytest.approx([energy] * 2, abs=2e-3)


def test_simgrids_timeline_with_its_two_frequencies_as_levels(tmp_path: Path) -> None:
    """1000, 1120, 1645, 2005, 2905 J: 10 s idle, 1 s of a core, then slow: 5 s, 4 s and 10 s.

    A run has one level for all its time: the first two figures are those of a run at full speed,
    the others add those of a run at a fifth of it, counted from 11 s on. The second job is one
    of a second, which takes five.
    """
    slow = {"name": "pstate2", "speed": 0.2, "idle_power": "90 W", "busy_power": "150 W"}
    node = {
        "accelerators": 4,
        "idle_power": "100 W",
        "busy_power": "200 W",
        "load_curve": {"points": [[0.0, "100 W"], [0.25, "120 W"], [1.0, "200 W"]]},
        "power_levels": [slow | {"load_curve": "linear"}],
    }
    first, then = [(10, 1, 1, 1.0)], [(11, 1, 1, 1.0)]
    cumulative_j = [it_j(run_one(tmp_path, first, node, horizon=at)) for at in ("10 s", "11 s")]
    level = {"warm_up": "11 s", "clusters__c__power_level": "pstate2"}
    for at in ("16 s", "20 s", "30 s"):
        results = run_one(tmp_path, then, node, horizon=at, **level)
        assert results.jobs["end_s"].tolist() == [16.0]
        cumulative_j.append(cumulative_j[1] + it_j(results))
    assert cumulative_j == pytest.approx([1000, 1120, 1645, 2005, 2905], abs=1e-6)


# Budgets


def test_a_job_is_capped_by_a_budget_and_takes_longer(tmp_path: Path) -> None:
    """400 W of room: the first job of 400 W runs full, the second at half for twice as long."""
    rows = [(0, 3600, 4, 1.0), (0, 3600, 4, 1.0), (60, 3600, 4, 0.5)]
    node = FOUR | {"power_levels": [HALF]}
    budget = {"clusters__c__count": 3, "clusters__c__power_budget": "900 W"}
    levels, results = levels_of(tmp_path, rows, node, **budget)
    assert levels == [0, 1, 0]
    jobs, summary = results.jobs, results.summary
    assert jobs["start_s"].tolist() == [0, 0, 3600]
    assert jobs["end_s"].tolist() == [3600, 7200, 7200]
    assert jobs["energy_dynamic_kwh"].to_numpy() == pytest.approx([0.4, 0.4, 0.2], rel=EXACT)
    assert (summary["jobs_capped"], summary["jobs_delayed_by_power"]) == (1, 1)
    # 200 W for two hours is what 400 W for one would have been: no energy is saved.
    assert summary["energy_capped_kwh"] == pytest.approx(0.0, abs=1e-15)


def test_what_a_cap_saves_is_reported(tmp_path: Path) -> None:
    """300 W x 0.9 h, capped at 120 W x 1 h: 0.4 kW x 0.9 h = 0.36 kWh become 0.12 kWh."""
    node = FOUR | {"power_levels": [{"name": "low", "speed": 0.9, "busy_power": "220 W"}]}
    _, results = levels_of(tmp_path, [(0, 3240, 4, 1.0)], node, clusters__c__power_budget="300 W")
    assert results.jobs["end_s"].tolist() == [3600]
    assert results.summary["energy_dynamic_kwh"] == pytest.approx(0.12, rel=EXACT)
    assert results.summary["energy_capped_kwh"] == pytest.approx(0.24, rel=EXACT)


def test_a_budget_holds_when_a_capped_job_ends_beside_another(tmp_path: Path) -> None:
    """Either job alone draws the node's whole span at full level, and the room is 350 W of 400.

    Together at levels half and full they would draw 300 W, but 400 W when the capped one ends.
    """
    node = FOUR | {"load_curve": SATURATING, "power_levels": [HALF]}
    rows = [(0, 1800, 2, 1.0), (60, 7200, 2, 1.0)]
    levels, results = levels_of(tmp_path, rows, node, clusters__c__power_budget="450 W")
    assert levels == [1, 1]
    assert results.hourly["energy_it_kwh"].max() == pytest.approx(0.3, rel=1e-9)


def test_a_job_that_starts_elsewhere_at_once_was_not_delayed(tmp_path: Path) -> None:
    """The first cluster has room for the second job but no power; the other has both."""
    jobs = write_jobs(tmp_path / "j.csv", [(0, 3600, 4, 1.0), (60, 3600, 4, 1.0)])
    document = scenario_document(
        jobs,
        nodes=FOUR,
        clusters__c__count=2,
        clusters__c__power_budget="600 W",
        clusters__d={"site": "s", "node": "n", "count": 1},
        workloads__w__clusters=["c", "d"],
    )
    results = results_of(document)
    assert results.jobs["cluster"].tolist() == ["c", "d"]
    assert results.jobs["wait_s"].tolist() == [0, 0]
    assert results.summary["jobs_delayed_by_power"] == 0


def test_jobs_of_the_warm_up_are_in_no_count(tmp_path: Path) -> None:
    """Both were capped and one delayed before the counting begins; their energy counts after."""
    node = FOUR | {"power_levels": [{"name": "low", "speed": 0.9, "busy_power": "220 W"}]}
    rows = [(0, 3240, 4, 1.0), (0, 3240, 4, 1.0)]
    keys = {"clusters__c__power_budget": "330 W", "clusters__c__count": 2, "warm_up": "30 min"}
    levels, results = levels_of(tmp_path, rows, node, **keys)
    summary = results.summary
    assert levels == [1, 1]
    assert (summary["jobs_submitted"], summary["jobs_capped"]) == (0, 0)
    assert summary["jobs_delayed_by_power"] == 0
    assert summary["energy_capped_kwh"] == pytest.approx(0.24 * 1.5, rel=EXACT)


def test_a_job_that_never_fits_a_budget_blocks_nobody(tmp_path: Path) -> None:
    """At 400 W it needs more than the 350 W there are on an empty cluster.

    A job that is drawn is counted; one of a file is refused before anything runs.
    """
    rows = [(0, 3600, 4, 0.5), (1, 3600, 1, 1.0)]
    keys = {"clusters__c__power_budget": "550 W", "clusters__c__count": 2}
    drawn = {
        "clusters": ["c"],
        "arrivals": {"process": "regular", "every": "30 min"},
        "max_jobs": 1,
        "duration": "1 h",
        "gpus": 4,
    }
    results = run_one(tmp_path, rows, FOUR, workloads__drawn=drawn, **keys)
    jobs = results.jobs.set_index("workload")
    assert jobs["state"]["drawn"] == "unschedulable"
    assert jobs["state"]["w"].tolist() == ["finished", "finished"]
    assert jobs["wait_s"]["w"].tolist() == [0, 0]
    assert results.summary["jobs_delayed_by_power"] == 0
    with pytest.raises(InputError) as refused:
        run_one(tmp_path, [(0, 3600, 4, 1.0), *rows], FOUR, **keys)
    (issue,) = refused.value.issues
    assert issue.path == "workloads.w.jobs"
    assert "1 job of more power than the budgets of their clusters and sites leave" in issue.message
    assert "job j0 (4); raise the power_budget or take them out" in issue.message
    # A level at which it fits, or another cluster of its list, is enough.
    low = [{"name": "low", "speed": 0.5, "busy_power": "300 W"}]
    run_one(tmp_path, [(0, 3600, 4, 1.0)], FOUR | {"power_levels": low}, **keys)
    beside = {"site": "s", "node": "n", "count": 1}
    both = {"clusters__d": beside, "workloads__w__clusters": ["c", "d"]}
    elsewhere = run_one(tmp_path, [(0, 3600, 4, 1.0)], FOUR, **keys, **both)
    assert elsewhere.jobs["cluster"].tolist() == ["d"]


def test_a_part_beside_whole_nodes_counts_on_the_node_it_will_have(tmp_path: Path) -> None:
    """Spread has it share with the first job, where the curve is steep, not on an empty node.

    W = 4 and f = 0 up to u = 1/2, then 2u - 1. Of three nodes the first job has half of one;
    the second takes the two others whole and 2 beside the first: 2 x 400 + 400 W, not 800 + 0.
    """
    steep = {"points": [[0.0, 0.0], [0.5, 0.0], [1.0, 1.0]]}
    rows = [(0, 7200, 2, 1.0), (60, 3600, 10, 1.0)]
    keys = {"clusters__c__count": 3, "clusters__c__placement": "spread"}
    node = FOUR | {"load_curve": steep}
    results = run_one(tmp_path, rows, node, clusters__c__power_budget="1.2 kW", **keys)
    assert results.jobs["start_s"].tolist() == [0, 7200]
    enough = run_one(tmp_path, rows, node, clusters__c__power_budget="1.5 kW", **keys)
    assert enough.jobs["start_s"].tolist() == [0, 60]


def test_a_node_with_nothing_but_roundings_at_work_draws_nothing(tmp_path: Path) -> None:
    """0.1 + 0.2 + 0.6 less 0.2, 0.1 and 0.6 is 0; each times 0.3 it is 3e-17. One job idles on."""
    low = {"name": "low", "speed": 0.5, "busy_power": "220 W"}
    step = {"points": [[0.0, 0.0], [0.02, 1.0], [1.0, 1.0]]}
    node = FOUR | {"load_curve": step, "power_levels": [low]}
    rows = [(0, 600, 1, 0.1), (0, 300, 1, 0.2), (0, 900, 1, 0.6), (0, 7200, 1, 0.0)]
    levels, results = levels_of(tmp_path, rows, node, clusters__c__power_budget="300 W")
    assert levels[:3] == [1, 1, 1]
    expected_j = 120 * 1800 + 100 * 36_000
    assert it_j(results) == pytest.approx(expected_j, rel=EXACT)


# Buildings and grids


def test_losses_of_a_load_model_where_nodes_sleep() -> None:
    """3 nodes of 100 W, for 10 h: 1 h idle, 6 min entering at 50 W, then 10 W; 300 W fixed."""
    sleep = {"name": "sleep", "after": "1 h", "power": "10 W", "enter_time": "6 min"}
    node = FOUR | {"idle_states": [sleep | {"enter_power": "50 W"}]}
    pue = {"model": "load", "fixed": "300 W", "proportional": 0.05}
    document = scenario_document(
        nodes=node, sites__s__pue=pue, clusters__c__count=3, clusters__c__idle=LADDER
    )
    summary = results_of(document).summary
    it_kwh = 3 * (0.1 + 0.05 * 0.1 + 0.01 * 8.9)
    assert summary["energy_it_kwh"] == pytest.approx(it_kwh, rel=EXACT)
    assert summary["energy_facility_kwh"] == pytest.approx(1.05 * it_kwh + 3.0, rel=EXACT)
    assert summary["pue"] == pytest.approx(1.05 + 3.0 / it_kwh, rel=EXACT)


def assert_close(one: Results, other: Results) -> None:
    assert one.key == other.key
    assert one.summary.keys() == other.summary.keys()
    for name, value in one.summary.items():
        expected = value if isinstance(value, str | None) else pytest.approx(value, rel=1e-12)
        assert other.summary[name] == expected, name
    for name in ("jobs", "hourly", "nodes"):
        table, again = getattr(one, name), getattr(other, name)
        for column in table.select_dtypes("number"):
            np.testing.assert_allclose(again[column], table[column], rtol=1e-12, err_msg=column)


@pytest.mark.parametrize("step_min", [60, 15])
def test_a_bill_of_bent_curves_under_another_grid_is_that_of_a_run_there(
    tmp_path: Path, step_min: int
) -> None:
    """Also where the trace is finer than the bins of the run, and the events are metered again."""
    rng = np.random.default_rng(step_min)
    rows = [(int(at), int(rng.integers(1, 9000)), 1 + k % 3, 0.25 + k % 4 / 5) for k, at in
            enumerate(np.sort(rng.integers(0, 30_000, 40)))]  # fmt: skip
    jobs = write_jobs(tmp_path / "j.csv", rows)
    values = [float(g) for g in rng.integers(10, 900, 10 * 60 // step_min)]
    path = write_grid(tmp_path / "g.csv", START, step_min * MS_PER_MIN, values)
    grid = file_grid(path)
    keys = {
        "nodes": FOUR | {"load_curve": {"exponent": 1.6}, "power_levels": [HALF]},
        "clusters__c__count": 3,
        "clusters__c__power_budget": "1 kW",
        "warm_up": "50 min",
    }
    plain = run(from_document(scenario_document(jobs, **keys)))
    assert plain.metered.grid.bin_ms == MS_PER_H
    there = run(from_document(scenario_document(jobs, grid=grid, **keys)))
    assert there.results.summary["jobs_capped"] > 0
    assert_close(there.results, plain.bill(average=grid["average"]).results)
    back = there.bill(average={"constant": "100 g/kWh"})
    assert_close(plain.results, back.results)
