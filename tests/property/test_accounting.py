"""What holds between the totals of every run, whatever the scenario."""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_H
from tests.builders import file_grid, results_of, scenario_document, write_grid, write_jobs
from tests.property.workloads import SEVERAL_RUNS

HORIZON_H = 6
ENERGIES = ("energy_it_kwh", "energy_facility_kwh", "energy_dynamic_kwh", "energy_idle_kwh")

rows = st.lists(
    st.tuples(
        st.integers(0, 1800),  # gap since the last submission [s]
        st.integers(0, 20_000),  # duration [s]
        st.integers(1, 16),  # accelerators, at most what the larger cluster has
        st.integers(0, 100),  # utilisation in hundredths
    ),
    min_size=1,
    max_size=30,
)
intensities = st.lists(st.integers(0, 900), min_size=HORIZON_H + 1, max_size=HORIZON_H + 1)


def as_jobs(drawn: list[Any], k: int = 1) -> list[tuple[Any, ...]]:
    """Return rows of a job file, every time `k` times as long."""
    submit_s = np.minimum(np.cumsum([row[0] for row in drawn]), HORIZON_H * 3600 - 1)
    return [
        (int(at) * k, duration * k, gpus, percent / 100)
        for at, (_, duration, gpus, percent) in zip(submit_s, drawn, strict=True)
    ]


@contextmanager
def a_document(
    drawn: list[Any], grams: list[int], *, k: int = 1, more_g: float = 0.0, **keys: Any
) -> Iterator[dict[str, Any]]:
    """Yield a scenario of two clusters on two sites, its files in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = write_jobs(Path(folder) / "j.csv", as_jobs(drawn, k))
        values = [float(g) + more_g for g in grams]
        grid = write_grid(Path(folder) / "g.csv", "2022-01-01T00:00:00Z", MS_PER_H * k, values)
        document = scenario_document(
            jobs,
            nodes={"embodied": "1500 kg"},
            grid=file_grid(grid),
            horizon=f"{HORIZON_H * k} h",
            sites__s__pue=1.25,
            sites__t={"pue": 1.5, "grid": {"average": {"constant": "50 g/kWh"}}},
            clusters__c__count=2,
            clusters__d={"site": "t", "node": "n", "count": 1, "placement": "spread"},
            workloads__w__clusters=["c", "d"],
        )
        for dotted, value in keys.items():
            *parents, last = dotted.split("__")
            table = document
            for parent in parents:
                table = table.setdefault(parent, {})
            table[last] = value
        yield document


def results_for(drawn: list[Any], grams: list[int], **options: Any) -> Results:
    with a_document(drawn, grams, **options) as document:
        return results_of(document)


def totals(results: Results) -> dict[str, float]:
    """Return the numbers of a summary that depend on neither names nor seeds."""
    return {
        key: value
        for key, value in results.summary.items()
        if isinstance(value, int | float) and key not in ("seed", "horizon_h")
    }


def but_peaks(numbers: dict[str, float]) -> dict[str, float]:
    """Return numbers without the peaks, which are means over the interval that is chosen."""
    return {key: value for key, value in numbers.items() if not key.startswith("peak_")}


@SEVERAL_RUNS
@given(rows, intensities, st.booleans())
def test_hours_nodes_and_jobs_add_up_to_the_fleet(drawn: Any, grams: Any, drain: bool) -> None:
    results = results_for(drawn, [*grams, *([100] * 400)], drain=drain)
    summary, jobs = results.summary, results.jobs
    close = {"rel": 1e-9, "abs": 1e-12}
    energy_kwh = pytest.approx(summary["energy_it_kwh"], **close)
    assert math.fsum(results.hourly["energy_it_kwh"]) == energy_kwh
    assert math.fsum(results.nodes["energy_it_kwh"]) == energy_kwh
    parts = ("dynamic", "idle", "sleep", "transition")
    assert sum(summary[f"energy_{part}_kwh"] for part in parts) == energy_kwh
    facility_kwh = math.fsum(results.hourly["energy_facility_kwh"])
    assert facility_kwh == pytest.approx(summary["energy_facility_kwh"], **close)
    location_kg = math.fsum(results.hourly["operational_kgco2e"])
    assert location_kg == pytest.approx(summary["scope2_location_kgco2e"], **close)
    dynamic_kwh = math.fsum(jobs["energy_dynamic_kwh"].fillna(0))
    assert dynamic_kwh == pytest.approx(summary["energy_dynamic_kwh"], **close)
    borne_kg = math.fsum(jobs["operational_kgco2e"].fillna(0)) + math.fsum(
        jobs["embodied_kgco2e"].fillna(0)
    )
    assert borne_kg == pytest.approx(summary["allocated_kgco2e"], **close)
    total_kg = pytest.approx(summary["total_kgco2e"], **close)
    assert summary["scope2_location_kgco2e"] + summary["scope3_embodied_kgco2e"] == total_kg
    assert summary["allocated_kgco2e"] + summary["unallocated_kgco2e"] == total_kg
    assert summary["unallocated_kgco2e"] >= -1e-9 * summary["total_kgco2e"]


@SEVERAL_RUNS
@given(rows, intensities)
def test_every_job_is_somewhere(drawn: Any, grams: Any) -> None:
    summary = results_for(drawn, grams).summary
    waiting = summary["jobs_queued"] + summary["jobs_unschedulable"]
    assert summary["jobs_submitted"] == len(drawn)
    assert summary["jobs_started"] == summary["jobs_finished"] + summary["jobs_running"]
    assert summary["jobs_submitted"] == summary["jobs_started"] + waiting


@SEVERAL_RUNS
@given(rows, intensities)
def test_the_hourly_queue_and_the_hourly_allocation_integrate_to_what_jobs_waited_and_held(
    drawn: Any, grams: Any
) -> None:
    results = results_for(drawn, grams)
    jobs, hourly = results.jobs, results.hourly
    end_s = HORIZON_H * 3600.0
    placeable = jobs["state"] != "unschedulable"
    started = jobs["start_s"].notna()
    waited_s = jobs["start_s"].fillna(end_s) - jobs["submit_s"]
    held_s = (jobs["end_s"].fillna(end_s).clip(upper=end_s) - jobs["start_s"])[started]
    queued = math.fsum(hourly["jobs_queued_mean"]) * 3600
    held = math.fsum(hourly["gpus_allocated_mean"]) * 3600
    assert queued == pytest.approx(waited_s[placeable].sum(), rel=1e-9, abs=1e-6)
    assert held == pytest.approx((held_s * jobs["gpus"][started]).sum(), rel=1e-9, abs=1e-6)


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from([2, 3, 24]))
def test_energy_and_carbon_scale_with_time(drawn: Any, grams: Any, k: int) -> None:
    one, other = results_for(drawn, grams).summary, results_for(drawn, grams, k=k).summary
    for key in (*ENERGIES, "total_kgco2e", "allocated_kgco2e", "gpu_hours_delivered"):
        assert other[key] == pytest.approx(k * one[key], rel=1e-9, abs=1e-12)
    for key in ("allocation", "utilisation", "pue", "waited_share", "slowdown_mean"):
        if one[key] is None:
            assert other[key] is None  # a mean over no jobs
        else:
            assert other[key] == pytest.approx(one[key], rel=1e-9)


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from([2, 10, 1.5]))
def test_energy_and_operational_carbon_scale_with_power(drawn: Any, grams: Any, k: float) -> None:
    one = results_for(drawn, grams).summary
    power = {"nodes__n__idle_power": f"{100 * k} W", "nodes__n__busy_power": f"{500 * k} W"}
    other = results_for(drawn, grams, **power).summary
    for key in (*ENERGIES, "scope2_location_kgco2e"):
        assert other[key] == pytest.approx(k * one[key], rel=1e-9, abs=1e-12)
    assert other["scope3_embodied_kgco2e"] == one["scope3_embodied_kgco2e"]


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from([1.0, 37.5, 400.0]))
def test_a_constant_more_intensity_adds_its_share_of_the_energy(
    drawn: Any, grams: Any, more_g: float
) -> None:
    one, other = results_for(drawn, grams), results_for(drawn, grams, more_g=more_g)
    here = one.hourly["site"] == "s"
    more_kg = more_g / 1000 * math.fsum(one.hourly["energy_facility_kwh"][here])
    assert other.summary["scope2_location_kgco2e"] == pytest.approx(
        one.summary["scope2_location_kgco2e"] + more_kg, rel=1e-9
    )


@SEVERAL_RUNS
@given(rows)
def test_at_one_gram_per_kilowatt_hour_grams_are_kilowatt_hours(drawn: Any) -> None:
    flat = {"average": {"constant": "1 g/kWh"}, "marginal": {"constant": "1 g/kWh"}}
    results = results_for(drawn, [1] * 7, sites__s__grid=flat, sites__t__grid=flat)
    grams = results.summary["scope2_location_kgco2e"] * 1000
    assert grams == pytest.approx(results.summary["energy_facility_kwh"], rel=1e-12)
    assert results.summary["marginal_kgco2e"] * 1000 == pytest.approx(grams, rel=1e-12)


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from(["1 min", "15 min", "3 h", "1 d"]))
def test_the_reporting_interval_changes_no_total(drawn: Any, grams: Any, interval: str) -> None:
    one = but_peaks(totals(results_for(drawn, grams)))
    other = but_peaks(totals(results_for(drawn, grams, accounting__interval=interval)))
    assert other == pytest.approx(one, rel=1e-12, abs=1e-12)


@SEVERAL_RUNS
@given(rows, intensities)
def test_names_mean_nothing(drawn: Any, grams: Any) -> None:
    with a_document(drawn, grams) as document:
        one = totals(results_of(document))
        document["nodes"] = {"zz-node": document["nodes"]["n"]}
        document["sites"] = {"Z": document["sites"]["s"], "A": document["sites"]["t"]}
        first, second = document["clusters"].values()
        document["clusters"] = {
            "9": {**first, "site": "Z", "node": "zz-node"},
            "1": {**second, "site": "A", "node": "zz-node"},
        }
        document["workloads"] = {"b": {**document["workloads"]["w"], "clusters": ["9", "1"]}}
        document["name"] = "another"
        assert totals(results_of(document)) == one


@SEVERAL_RUNS
@given(rows, st.permutations(range(12)))
def test_the_order_of_rows_of_distinct_submissions_means_nothing(
    drawn: Any, order: list[int]
) -> None:
    jobs = as_jobs([(gap + 1, *rest) for gap, *rest in drawn[:12]])
    jobs = [job for job in jobs if job[0] < HORIZON_H * 3600 - 1]
    with tempfile.TemporaryDirectory() as folder:
        path = write_jobs(Path(folder) / "j.csv", jobs)
        lines = path.read_text().splitlines()
        shuffled = [lines[1 + k] for k in order if k < len(jobs)]
        other = path.with_name("k.csv")
        other.write_text("\n".join([lines[0], *shuffled]) + "\n")
        one = results_of(scenario_document(path, clusters__c__count=2))
        two = results_of(scenario_document(other, clusters__c__count=2))
    assert totals(one) == totals(two)
    assert one.jobs.set_index("job_id").equals(two.jobs.set_index("job_id"))


@SEVERAL_RUNS
@given(rows, intensities)
def test_a_later_horizon_adds_to_what_was(drawn: Any, grams: Any) -> None:
    one = results_for(drawn, grams)
    two = results_for(drawn, [*grams, 100, 100], horizon=f"{HORIZON_H + 1} h")
    same = (
        two.hourly["time"]
        < one.hourly["time"].max() + (one.hourly["time"].drop_duplicates().diff().iloc[-1])
    )
    for column in ("energy_it_kwh", "operational_kgco2e", "gpus_allocated_mean"):
        np.testing.assert_allclose(
            two.hourly[same][column].to_numpy(), one.hourly[column].to_numpy(), rtol=1e-12
        )


@SEVERAL_RUNS
@given(rows, intensities, st.sampled_from([61_000, MS_PER_H]))
def test_a_controller_that_does_nothing_changes_no_table(
    drawn: Any, grams: Any, step_ms: int
) -> None:
    def idle(env: Any, view: Any) -> Iterator[Any]:
        while True:
            yield env.timeout(step_ms)

    with a_document(drawn, grams) as document:
        scenario = from_document(document)
        one, two = run(scenario).results, run(scenario, controllers=[idle]).results
    assert one.summary == two.summary
    for name, table in one.tables.items():
        assert table.equals(two.tables[name]), name
