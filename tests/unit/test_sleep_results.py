"""What a run with sleeping nodes writes, shows and reads again."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import simulator as fs
from simulator.report.headline import headline
from simulator.report.table import MOST_LINES, summary_table
from simulator.scenario import from_document
from tests.builders import file_grid, write_grid
from tests.policy_runs import policy_document
from tests.unit.conftest import Shell

OFF = {"name": "Off (S5)", "after": "5 min", "power": "0 W", "wake_time": "2 min"}
ROWS = [(3600, 600, 8, 0.5), (3630, 600, 8, 0.5), (9000, 600, 16, 0.5)]
FORECAST = {"policy": "forecast", "season": "2 h", "every": "30 min"}


@pytest.fixture
def scenario(tmp_path: Path) -> fs.Scenario:
    return from_document(policy_document(tmp_path, FORECAST, ROWS, states=[OFF]))


def dictionary(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    rows = csv.DictReader((folder / "columns.csv").read_text().splitlines())
    return {(row["file"], row["name"]): row for row in rows}


@pytest.mark.usefixtures("one_figure")
def test_results_read_again_have_the_columns_of_sleep(
    tmp_path: Path, scenario: fs.Scenario
) -> None:
    run = fs.run(scenario)
    folder = run.save(tmp_path / "out")
    again = fs.open_run(folder)
    assert again.summary == run.summary
    assert again.results.assumptions == run.results.assumptions
    for name in ("jobs", "hourly", "nodes"):
        assert getattr(again, name).equals(getattr(run, name))
    spent = ("busy", "idle", "entering", "waking", "off__s5_")
    assert {f"residency_{kind}_s" for kind in spent} <= set(again.nodes)
    assert "residency_absent_s" not in again.nodes
    assert again.nodes["wake_ups_cancelled"].dtype == "int64"
    assert {"nodes_awake_mean", "nodes_owned_mean", "energy_sleep_kwh"} <= set(again.hourly)
    columns = dictionary(folder)
    for table, frame in (("nodes", again.nodes), ("hourly", again.hourly), ("jobs", again.jobs)):
        for name in frame:
            row = columns[f"{table}.parquet", name]
            assert row["unit"]
            assert row["meaning"]
    assert columns["nodes.parquet", "residency_off__s5__s"]["unit"] == "s"
    for key in again.summary:
        assert columns["summary.json", key]["meaning"]


@pytest.mark.usefixtures("one_figure")
def test_a_fleet_that_changes_says_how_long_nodes_were_absent(tmp_path: Path) -> None:
    plan = {"policy": "capacity-planner", "most": 6, "lead_time": "1 h", "every": "1 h"}
    scenario = from_document(policy_document(tmp_path, plan, ROWS, states=[OFF]))
    folder = fs.run(scenario).save(tmp_path / "out")
    row = dictionary(folder)["nodes.parquet", "residency_absent_s"]
    assert (row["unit"], row["meaning"]) == ("s", "Time not in service")
    assert "residency_absent_s" in fs.open_run(folder).nodes


def test_what_a_policy_tells_stands_in_manifest_and_report(
    tmp_path: Path, scenario: fs.Scenario
) -> None:
    folder = fs.run(scenario).save(tmp_path / "out")
    told = {row[1]: row for row in json.loads((folder / "manifest.json").read_text())["assumptions"]
            if row[4] == "policy forecast"}  # fmt: skip
    assert set(told) == {"forecast_count", "forecast_mae", "forecast_bias", "forecast_mape"}
    assert (told["forecast_mae"][0], told["forecast_mae"][3]) == ("c", "GPUs")
    page = (folder / "report.html").read_text()
    for _, quantity, value, _, source in told.values():
        assert quantity in page
        assert value in page
        assert source in page


def test_the_report_says_how_much_nodes_slept(scenario: fs.Scenario) -> None:
    """Nodes that draw nothing asleep have no share of the energy, and still are asleep."""
    run = fs.run(scenario)
    lines = {line.label: line for line in headline(run.results)}
    summary = run.summary
    share = summary["gpu_hours_awake"] / summary["gpu_hours_capacity"]
    assert lines["awake"].value == f"{100 * share:.1f} %"
    assert lines["wake-ups"].value == str(summary["wake_ups"])
    assert "per node-day" in lines["wake-ups"].basis
    assert summary["energy_sleep_kwh"] == 0.0
    text = summary_table(run.results, "out/report.html", notes=[("sizes", "w: mean 3")])
    assert f"awake   {100 * share:.1f} % of GPU-time; {summary['wake_ups']} wake-ups, " in text
    assert "sizes   w: mean 3" in text
    assert len(text.split("\n")) <= MOST_LINES


def test_a_fleet_that_never_slept_says_nothing_of_sleep(tmp_path: Path) -> None:
    scenario = from_document(policy_document(tmp_path, "always-on", ROWS, states=[OFF]))
    run = fs.run(scenario)
    assert not {"awake", "wake-ups"} & {line.label for line in headline(run.results)}
    assert "awake" not in summary_table(run.results)


@pytest.mark.parametrize("idle", [FORECAST, "ladder", {"policy": "timeout", "after": "2 min"}])
def test_a_bill_under_another_grid_is_the_same_run(tmp_path: Path, idle: Any) -> None:
    run = fs.run(from_document(policy_document(tmp_path, idle, ROWS, states=[OFF])))
    again = run.bill(grid={"constant": "900 g/kWh"}, pue=2.0)
    assert again.nodes.equals(run.nodes)
    expected_kg = run.summary["energy_it_kwh"] * 2.0 * 0.9
    assert again.summary["scope2_location_kgco2e"] == pytest.approx(expected_kg, rel=1e-12)
    for key in ("wake_ups", "energy_it_kwh", "energy_idle_kwh", "gpu_hours_awake"):
        assert again.summary[key] == run.summary[key]
    told = [row for row in run.results.assumptions if row[4].startswith("policy")]
    assert told == [row for row in again.results.assumptions if row[4].startswith("policy")]


def test_a_bill_with_finer_edges_meters_the_same_events_again(
    tmp_path: Path, scenario: fs.Scenario
) -> None:
    grid = write_grid(tmp_path / "g.csv", "2022-01-01T00:00:00Z", 300_000, [100.0, 300.0] * 100)
    run = fs.run(scenario)
    again = run.bill(grid=file_grid(grid)["average"])
    assert again.nodes.drop(columns="energy_it_kwh").equals(run.nodes.drop(columns="energy_it_kwh"))
    assert again.summary["energy_it_kwh"] == pytest.approx(run.summary["energy_it_kwh"], rel=1e-12)
    assert [row[2] for row in again.results.assumptions if row[4].startswith("policy")] == [
        row[2] for row in run.results.assumptions if row[4].startswith("policy")
    ]


def test_a_sleeping_run_on_the_command_line(tmp_path: Path, shell: Shell) -> None:
    code, out, err = shell("run", "hello", "--set", "clusters.west.idle=ladder", "--no-progress")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) <= MOST_LINES
    assert all(len(line) <= 80 for line in lines)
    assert any(line.startswith("sizes ") for line in lines)
    assert any(line.startswith("awake   ") and "wake-ups" in line for line in lines)
    (folder,) = (tmp_path / "runs").iterdir()
    page = (folder / "report.html").read_text()
    for words in ("wake-ups", "Wake-ups", "Awake", "transition"):
        assert words in page
