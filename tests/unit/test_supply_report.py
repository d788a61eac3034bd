"""Where supply is told: report, terminal, explain, comparisons and sweeps."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.api import Run
from simulator.columns import SUMMARY
from simulator.explanation.difference import difference_kg, steps_between
from simulator.figures import figure_files, figures_of
from simulator.figures.carbon_free import draw_carbon_free, frontier
from simulator.rare_columns import SUPPLY_SUMMARY
from simulator.report import report_html
from simulator.report.headline import headline
from simulator.report.table import MOST_LINES, WIDTH, summary_table
from simulator.results import Results
from simulator.scenario import Scenario, from_document
from simulator.sweeps.pictures import save_figures
from tests.builders import results_of, scenario_document
from tests.unit.conftest import Shell

OWN: dict[str, Any] = {
    "solar": {
        "capacity": "1 kW",
        "profile": {"constant": 0.15},
        "embodied": "1200 kg/kW",
        "lifetime": "30 y",
    },
    "battery": {"like": "lithium-ion", "capacity": "1 kWh", "charge": "200 W", "initial": 0.5},
    "contracts": [{"volume": "20 W"}],
}


def document(**keys: Any) -> dict[str, Any]:
    return scenario_document(nodes={"embodied": "2500 kg"}, horizon="2 d", **keys)


@pytest.fixture(scope="module")
def supplied() -> Results:
    return results_of(document(sites__s__supply=OWN))


@pytest.fixture(scope="module")
def plain() -> Results:
    return results_of(document())


def test_the_report_has_a_picture_and_the_numbers(supplied: Results, plain: Results) -> None:
    assert [drawing.name for drawing in figures_of(supplied)][-1] == "supply"
    assert "supply" not in {drawing.name for drawing in figures_of(plain)}
    files = figure_files(supplied)
    assert files["figures/supply.png"].startswith(b"\x89PNG")
    page = report_html(supplied, files)
    for words in ("Supply", "CFE score, hourly", "storage gave", "covered", "embodied, supply"):
        assert words in page, words
    assert "CFE score" not in report_html(plain, figure_files(plain))


def test_every_line_of_supply_has_its_value(supplied: Results, plain: Results) -> None:
    lines = {line.label: line.value for line in headline(supplied) if line.group == "supply"}
    assert lines["solar"] == "7.200 kWh"
    assert lines["CFE score, annual"] == "100.0 %"
    assert "wind" not in lines
    assert not [line for line in headline(plain) if line.group == "supply"]


def test_the_terminal_says_it_within_its_lines(supplied: Results, plain: Results) -> None:
    text = summary_table(supplied)
    assert "carbon-free by the hour" in text
    assert len(text.splitlines()) <= MOST_LINES
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "supply" not in summary_table(plain)


def test_steps_between_runs_lead_from_one_total_to_the_other(
    supplied: Results, plain: Results
) -> None:
    steps = steps_between(plain.summary, supplied.summary)
    assert [step.step for step in steps][-2:] == ["embodied", "supply"]
    difference = supplied.summary["total_kgco2e"] - plain.summary["total_kgco2e"]
    assert difference_kg(steps) == pytest.approx(difference, rel=1e-9)
    assert [step.step for step in steps_between(plain.summary, plain.summary)][-1] == "embodied"


def test_a_comparison_draws_the_steps_with_supply_on_one_side(tmp_path: Path) -> None:
    own: Scenario = from_document(document(sites__s__supply=OWN))
    found = fs.compare({"plain": from_document(document()), "own": own}, seeds=2)
    figure = found.waterfall()
    labels = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert any("supply" in label for label in labels)


def test_json_of_a_run_without_supply_has_its_keys_as_null(shell: Shell) -> None:
    names = {column.name for column in SUPPLY_SUMMARY}
    code, out, _ = shell(
        "run", "hello", "--set", "horizon=3 d", "--set", "warm_up=0 s", "-o", "out", "--json"
    )
    assert code == 0
    document = json.loads(out)
    assert [document[name] for name in names] == [None] * len(names)
    assert names < {column.name for column in SUMMARY}


def test_a_run_hands_out_its_table(supplied: Results, plain: Results) -> None:
    table = Run(supplied).supply
    assert table is not None
    assert len(table) == 48
    assert table.attrs["basis"] == supplied.basis
    assert Run(plain).supply is None


def test_a_sweep_draws_the_score_against_what_is_embodied(tmp_path: Path) -> None:
    base = from_document(document(sites__s__supply=OWN))
    axis = "sites.s.supply.solar.capacity"
    study = fs.sweep(base, {axis: ["0 W", "200 W", "1 kW"]}, jobs=1)
    scores = study.points["cfe_score_hourly"].to_numpy()
    assert (np.diff(scores) > 0).all()
    save_figures(study, tmp_path)
    assert (tmp_path / "figures" / "carbon_free.png").is_file()
    figure = draw_carbon_free(study.points, study.axes)
    assert "carbon-free by the hour" in figure.texts[0].get_text()


def test_the_frontier_keeps_what_nothing_beats() -> None:
    cost = np.array([1.0, 0.0, 2.0, 2.0, 3.0])
    score = np.array([0.5, 0.1, 0.4, 0.9, 0.9])
    assert frontier(cost, score) == [1, 0, 3]
