"""The whole path of a run: bills from the same events, keys, bins, progress, all problems."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import simulation
from simulator.errors import InputError
from simulator.inputs import open_inputs
from simulator.scenario import from_document
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN
from tests.trace_files import grid_text, hours


def document(**changes: Any) -> dict[str, Any]:
    """Return a small busy scenario of two sites."""
    node = {
        "accelerators": 4,
        "idle_power": "400 W",
        "busy_power": "2 kW",
        "embodied": "900 kg",
        "lifetime": "4 y",
    }
    return {
        "schema": 1,
        "name": "small",
        "start": "2022-03-01T00:20:00Z",
        "horizon": "6 d",
        "warm_up": "10 h",
        "seed": 3,
        "nodes": {"n": node},
        "sites": {
            "west": {"pue": 1.1, "grid": {"average": "CISO", "marginal": "CAISO"}},
            "east": {
                "pue": 1.3,
                "grid": {"average": "PJM", "marginal": {"constant": "450 g/kWh"}},
            },
        },
        "clusters": {
            "a": {"site": "west", "node": "n", "count": 5},
            "b": {"site": "east", "node": "n", "count": 4, "placement": "spread"},
        },
        "workloads": {
            "w": {
                "clusters": ["a", "b"],
                "arrivals": {"process": "poisson", "rate": "90 per d"},
                "gpu_days": {"p50": 0.2, "p99": 2.0},
                "gpus": {"choices": [1, 2, 4, 6, 8], "weights": [5, 2, 2, 1, 1]},
                "utilisation": {"dist": "uniform", "low": 0.2, "high": 0.9},
            }
        },
    } | changes


def simulated(**changes: Any) -> simulation.Simulated:
    return simulation.run(from_document(document(**changes)))


def same_tables(one: simulation.Results, other: simulation.Results) -> bool:
    return all(one.tables[name].equals(other.tables[name]) for name in one.tables)


def quarter_hours(folder: Path) -> dict[str, Any]:
    """Return a grid file of steps of 15 minutes, finer than any bin of the run."""
    values = [f"{200 + 100 * np.sin(k / 9):.3f}" for k in range(4 * 24 * 9)]
    path = folder / "quarters.csv"
    path.write_text(grid_text(hours(values, step_ms=15 * MS_PER_MIN)).replace("2022-01", "2022-03"))
    return {"file": str(path), "time": "time", "value": "ci", "unit": "g/kWh"}


def test_a_bill_under_another_grid_and_pue_is_that_of_a_run_under_them() -> None:
    billed = simulated().bill(average="ERCO", marginal={"constant": "500 g/kWh"}, pue=1.4).results
    sites = {
        name: {"pue": 1.4, "grid": {"average": "ERCO", "marginal": {"constant": "500 g/kWh"}}}
        for name in ("west", "east")
    }
    again = simulated(sites=sites).results
    assert billed.summary == again.summary
    assert same_tables(billed, again)
    assert billed.basis == again.basis


def test_a_bill_under_a_finer_trace_is_split_at_its_edges(tmp_path: Path) -> None:
    grid = quarter_hours(tmp_path)
    done = simulated()
    billed = done.bill(average=grid).results
    sites = {
        "west": {"pue": 1.1, "grid": {"average": grid}},
        "east": {"pue": 1.3, "grid": {"average": grid}},
    }
    again = simulated(sites=sites)
    assert again.metered.grid.bin_ms < done.metered.grid.bin_ms
    assert billed.summary == again.results.summary
    assert same_tables(billed, again.results)


def test_a_bill_changes_carbon_and_not_energy() -> None:
    done = simulated()
    billed = done.bill(average={"constant": "1 g/kWh"}).results
    was, now = done.results.summary, billed.summary
    assert now["energy_it_kwh"] == was["energy_it_kwh"]
    assert now["marginal_kgco2e"] is None  # another grid, and nothing said of its marginal
    assert now["scope2_location_kgco2e"] == pytest.approx(
        now["energy_facility_kwh"] / 1_000, rel=1e-12
    )
    assert billed.key != done.results.key


def test_a_bill_that_no_scenario_could_ask_for_is_refused() -> None:
    with pytest.raises(InputError, match="marginal intensity"):
        simulated().bill(average="CAISO")
    with pytest.raises(InputError, match="at least 1"):
        simulated().bill(pue=0.9)


def test_hours_nodes_and_jobs_sum_to_the_summary() -> None:
    done = simulated().results
    summary = done.summary
    for table, columns in {
        "hourly": ("energy_it_kwh", "energy_facility_kwh", "marginal_kgco2e"),
        "nodes": ("energy_it_kwh",),
    }.items():
        for column in columns:
            values = done.tables[table][column].to_numpy()
            assert values.sum() == pytest.approx(summary[column], rel=1e-9)
    jobs = done.tables["jobs"]
    billed = sum(jobs[name].to_numpy().sum() for name in ("operational_kgco2e", "embodied_kgco2e"))
    assert billed == pytest.approx(summary["allocated_kgco2e"], rel=1e-9)
    assert jobs["energy_dynamic_kwh"].to_numpy().sum() == pytest.approx(
        summary["energy_dynamic_kwh"], rel=1e-9
    )
    assert summary["total_kgco2e"] == pytest.approx(
        summary["allocated_kgco2e"] + summary["unallocated_kgco2e"], rel=1e-12
    )
    held_h = (done.tables["hourly"]["gpus_allocated_mean"].to_numpy()).sum()
    assert held_h > 0


def test_residencies_of_every_node_fill_the_window_after_the_warm_up() -> None:
    nodes = simulated().results.tables["nodes"]
    names = [name for name in nodes.column_names if name.startswith("residency_")]
    total = sum(nodes[name].to_numpy() for name in names)
    assert total == pytest.approx(np.full(9, (6 * 24 - 10) * 3_600.0), rel=1e-12)


def test_hours_begin_at_the_end_of_the_warm_up_and_lie_on_the_clock() -> None:
    time = simulated().results.tables["hourly"]["time"].to_pylist()
    assert time[0].isoformat() == "2022-03-01T10:20:00+00:00"
    assert time[2].isoformat() == "2022-03-01T11:00:00+00:00"
    assert time[-1].isoformat() == "2022-03-07T00:00:00+00:00"


def test_progress_is_told_each_simulated_day_and_changes_no_byte() -> None:
    told: list[tuple[float, float, int]] = []
    scenario = from_document(document())
    quiet = simulation.run(scenario).results
    watched = simulation.run(scenario, progress=lambda *words: told.append(words)).results
    assert [days for days, _, _ in told] == [1, 2, 3, 4, 5]
    assert {total for _, total, _ in told} == {6}
    assert [jobs for _, _, jobs in told] == sorted(jobs for _, _, jobs in told)
    assert same_tables(quiet, watched)


def test_a_controller_sees_settled_counts() -> None:
    seen: list[tuple[int, int, int]] = []

    def watch(env: Any, view: Any) -> Generator[Any, object, None]:
        while True:
            yield env.timeout(6 * MS_PER_H)
            seen.append((view.now_ms, int(view.free.sum()), int(view.waiting.sum())))

    done = simulation.run(from_document(document()), controllers=[watch])
    assert [now for now, _, _ in seen] == [6 * MS_PER_H * k for k in range(1, 24)]
    log, jobs = done.log, done.inputs.jobs
    for now, free, waiting in seen:
        running = (log.start_ms >= 0) & (log.start_ms < now) & (log.end_ms > now)
        assert free == 36 - jobs.gpus[running].sum()
        submitted = jobs.submit_ms <= now
        assert waiting == np.count_nonzero(
            submitted & (log.cluster >= 0) & ((log.start_ms < 0) | (log.start_ms >= now))
        )


def test_the_key_changes_with_whatever_could_change_a_result(tmp_path: Path) -> None:
    def key(**changes: Any) -> str:
        return open_inputs(from_document(document(**changes))).key

    grid = quarter_hours(tmp_path)
    sites = {"west": {"pue": 1.1, "grid": {"average": grid}}}
    one = {"a": {"site": "west", "node": "n", "count": 5}}
    work = {"w": document()["workloads"]["w"] | {"clusters": ["a"]}}
    with_file = key(sites=sites, clusters=one, workloads=work)
    text = Path(grid["file"]).read_text()
    Path(grid["file"]).write_text(text.replace(",200.000\n", ",200.001\n"))
    keys = [
        key(),
        key(seed=4),
        key(horizon="7 d"),
        key(drain=True),
        with_file,
        key(sites=sites, clusters=one, workloads=work),
    ]
    assert len(set(keys)) == len(keys)
    assert key() == key(accounting={"interval": "1 h"})  # a default written out is no change


def test_problems_of_every_file_are_told_together(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("time,ci\n2022-03-01T00:00:00Z,-5\n2022-03-01T01:00:00Z,6\n")
    jobs = tmp_path / "jobs.csv"
    jobs.write_text("job_id,submit_s,duration_s,gpus\na,0,-1,1\n")
    grid = {"average": {"file": str(bad), "time": "time", "value": "ci", "unit": "g/kWh"}}
    scenario = from_document(
        document(
            sites={"west": {"pue": 1.1, "grid": grid}},
            clusters={"a": {"site": "west", "node": "n", "count": 5}},
            workloads={"w": {"clusters": ["a"], "jobs": {"file": str(jobs)}}},
        )
    )
    with pytest.raises(InputError) as caught:
        open_inputs(scenario)
    paths = {issue.path for issue in caught.value.issues}
    assert {"sites.west.grid.average", "workloads.w.jobs"} <= paths


def test_edges_that_need_too_many_bins_are_refused_by_name(tmp_path: Path) -> None:
    opened = open_inputs(from_document(document()))
    odd = replace(opened.average[0], intensity=_Odd())
    with pytest.raises(InputError, match=r"sites\.west\.grid\.average.*accounting bins"):
        simulation.bins_of(replace(opened, average=(odd, opened.average[1])))


class _Odd:
    """An intensity whose edges lie on odd milliseconds."""

    grain_ms = 7
    covered = None


def test_a_draining_run_goes_on_until_the_last_job_has_ended() -> None:
    done = simulated(drain=True)
    assert done.log.finished_ms == done.log.end_ms.max() > 6 * MS_PER_D
    assert done.results.summary["jobs_running"] == done.results.summary["jobs_queued"] == 0


def test_a_job_that_draws_nothing_has_no_marginal_figure_where_its_site_has_none() -> None:
    work = document()["workloads"]["w"] | {"gpu_days": 0.0}
    sites = {name: {"pue": 1.1, "grid": {"average": "PJM"}} for name in ("west", "east")}
    known = simulated(workloads={"w": work}).results.tables["jobs"]
    absent = simulated(workloads={"w": work}, sites=sites).results.tables["jobs"]
    assert set(known["marginal_kgco2e"].to_pylist()) == {0.0}
    assert set(absent["marginal_kgco2e"].to_pylist()) == {None}


def test_a_job_starts_on_whichever_of_its_clusters_has_room_first(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.csv"
    rows = ["long,0,9000,20", "short,1,600,16", "waits,2,60,16", "later,3,60,1"]
    jobs.write_text("\n".join(["job_id,submit_s,duration_s,gpus", *rows]) + "\n")
    work = {"w": {"clusters": ["a", "b"], "jobs": {"file": str(jobs)}}}
    done = simulated(workloads=work, warm_up="0 s").results.tables["jobs"].to_pydict()
    assert done["cluster"] == ["a", "b", "b", "b"]
    assert done["start_s"] == [0.0, 1.0, 601.0, 661.0]


def test_bills_add_up_one_after_the_other() -> None:
    done = simulated()
    chained = done.bill(average="MISO").bill(pue=1.5).results
    joint = done.bill(average="MISO", pue=1.5).results
    assert chained.summary == joint.summary
    assert chained.basis == joint.basis


def test_a_later_horizon_rewrites_no_hour_of_the_queue(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.csv"
    rows = ["one,0,90000,20", "two,1,20000,16", "waits,2,60,16"]
    jobs.write_text("\n".join(["job_id,submit_s,duration_s,gpus", *rows]) + "\n")
    work = {"w": {"clusters": ["a", "b"], "jobs": {"file": str(jobs)}}}
    queues = [
        simulated(workloads=work, warm_up="0 s", horizon=horizon)
        .results.tables["hourly"]["jobs_queued_mean"]
        .to_pylist()
        for horizon in ("3.666666667 h", "20.666666667 h")
    ]
    assert queues[1][: len(queues[0])] == queues[0]
    assert sum(queues[0]) > 0


def test_jobs_too_long_to_be_counted_are_refused() -> None:
    node = document()["nodes"]["n"] | {"relative_speed": 1e-6}
    work = {"w": document()["workloads"]["w"] | {"gpu_days": 1e8}}
    with pytest.raises(InputError, match="too long; check sizes and relative_speed"):
        simulated(nodes={"n": node}, workloads=work)


def test_a_drain_beyond_all_bins_is_refused() -> None:
    work = document()["workloads"]["w"] | {"duration": "900 y"}
    del work["gpu_days"]
    with pytest.raises(InputError, match="jobs run on for"):
        simulated(drain=True, workloads={"w": work})


def test_a_controller_on_half_milliseconds_is_refused() -> None:
    def half(env: Any, view: Any) -> Generator[Any, object, None]:
        yield env.timeout(0.5)

    with pytest.raises(ValueError, match="whole"):
        simulation.run(from_document(document()), controllers=[half])
