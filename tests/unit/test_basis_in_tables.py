"""What carbon stands on goes with every table: of a run, of a comparison, of a sweep."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import simulator as fs
from simulator.plans.plan import plan_of
from simulator.scenario import Scenario, from_document
from simulator.sweeps.bases import basis_lines
from simulator.sweeps.pictures import draw_runs
from tests.builders import file_grid, scenario_document, write_grid

CISO = "average, life-cycle, production-based, CISO 2022"
PJM = "average, life-cycle, production-based, PJM 2022"
CAISO = "marginal, direct, mix not stated, CAISO 2020"
START = "2022-01-01T00:00:00Z"


@pytest.fixture
def scenario() -> Scenario:
    document = scenario_document(grid={"average": "CISO", "marginal": "CAISO"}, horizon="3 h")
    return from_document(document)


def test_tables_of_a_run_say_their_basis(scenario: Scenario, tmp_path: Path) -> None:
    run = fs.run(scenario)
    assert run.basis["average"] == CISO
    assert run.hourly.attrs["basis"] == run.basis
    run.save(tmp_path / "r")
    for name in ("jobs", "hourly", "nodes"):
        metadata = pq.read_schema(tmp_path / "r" / f"{name}.parquet").metadata
        assert metadata[b"basis_average"].decode() == CISO
        assert metadata[b"basis_marginal"].decode() == CAISO
        assert metadata[b"basis_average_mix"] == b"production"
    assert fs.open_run(tmp_path / "r").nodes.attrs["basis"] == run.basis


def test_the_table_of_a_comparison_says_the_basis_of_each_side(
    scenario: Scenario, tmp_path: Path
) -> None:
    other = scenario.replace({"sites.s.pue": 1.2})
    fs.compare({"a": scenario, "b": other}, seeds=2).save(tmp_path / "c")
    metadata = pq.read_schema(tmp_path / "c" / "runs.parquet").metadata
    said = json.loads(metadata[b"basis"])
    assert said["a"]["average"] == said["b"]["average"] == CISO


def test_a_sweep_over_grids_says_the_basis_of_each_run(scenario: Scenario) -> None:
    study = fs.sweep(scenario, {"sites.s.grid.average": ["CISO", "PJM"]}, seeds=2)
    assert study.runs["basis_average"].tolist() == [CISO] * 2 + [PJM] * 2
    assert set(study.runs["basis_marginal"]) == {CAISO}
    assert (
        str(study)
        .replace("\n", " ")
        .endswith("total carbon = location-based (2 bases, column basis_average) + embodied")
    )


def test_a_sweep_of_one_basis_says_it_beneath_its_table(scenario: Scenario) -> None:
    study = fs.sweep(scenario, {"clusters.c.count": [1, 2]})
    assert f"total carbon = location-based ({CISO})" in str(study).replace("\n", " ")
    assert "unlike" not in str(study)


def test_unlike_points_are_warned_of(scenario: Scenario, tmp_path: Path) -> None:
    path = write_grid(tmp_path / "g.csv", START, 3_600_000, [100.0] * 4)
    source: dict[str, Any] = file_grid(path)["average"]
    axis = ["CISO", {**source, "factor": "life-cycle", "mix": "consumption"}]
    said = " ".join(basis_lines(plan_of(scenario, {"sites.s.grid.average": axis})))
    assert "warning: points are unlike, and their carbon is not to be compared: average" in said
    assert "by mix consumption is not the base's, by mix production" in " ".join(said.split())


def test_points_by_unlike_rules_of_making_are_warned_of(scenario: Scenario) -> None:
    axes = {"accounting.retirement": ["carried", "written-off"]}
    said = " ".join(basis_lines(plan_of(scenario, axes)))
    assert "warning: points are unlike, and their carbon is not to be compared: embodied" in said


def test_points_by_one_rule_of_making_are_not(scenario: Scenario) -> None:
    said = " ".join(basis_lines(plan_of(scenario, {"clusters.c.count": [1, 2]})))
    assert "unlike" not in said


def test_constants_of_an_axis_are_told_without_their_number(scenario: Scenario) -> None:
    constant = scenario.replace({"sites.s.grid.average": {"constant": "100 g/kWh"}})
    axes = {"sites.s.grid.average.constant": ["100 g/kWh", "200 g/kWh"]}
    study = fs.sweep(constant, axes)
    assert study.runs["basis_average"].tolist() == ["average, constant"] * 2
    assert basis_lines(study.plan) == [
        "total carbon = location-based (average, constant) + embodied"
    ]


def test_a_site_without_a_marginal_signal_leaves_its_column_empty(scenario: Scenario) -> None:
    study = fs.sweep(scenario, {"sites.s.grid": [{"average": "PJM"}, {"average": "CISO"}]})
    assert study.runs["basis_marginal"].isna().all()
    assert study.runs["basis_average"].tolist() == [PJM, CISO]


def test_pictures_of_a_sweep_name_the_basis_or_say_that_there_are_several() -> None:
    runs = pd.DataFrame(
        {"point": [0, 1], "seed": [0, 0], "x": ["a", "b"], "total_kgco2e": [1.0, 2.0]}
    )
    runs["wait_p99_h"] = [1.0, 2.0]
    for bases, said in ((["A", "A"], "Carbon by A."), (["A", "B"], "The points stand on 2 bases")):
        runs["basis_average"] = bases
        carbon, waits = (
            " ".join(text.get_text() for text in draw_runs(runs, ["x"], quantity).texts)
            for quantity in ("total_kgco2e", "wait_p99_h")
        )
        assert said in " ".join(carbon.split())
        assert "bases" not in waits
        assert "Carbon by" not in waits
