"""Figures: drawn for any run, the same bytes every time, every axis with its unit."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure

from simulator.figures import Plots, all_figures, figure_files
from simulator.figures.series import MOST_POINTS, column, timeline
from simulator.figures.style import render
from simulator.figures.waits import MOST_STEPS, ecdf
from tests.unit.results_sample import changed, sample

NAMES = ("power", "hours", "waits", "queue")
RUNS = {
    "two days": {},
    "one hour, one job": {"hours": 1, "jobs": 1, "clusters": ("a",)},
    "no job": {"jobs": 0, "marginal": False},
    "a year": {"hours": 8760, "jobs": 2000, "workloads": ("experiments", "training")},
    "many workloads": {"workloads": tuple(f"w{k}" for k in range(9))},
    "odd names": {"clusters": ("_hidden", "$x$ <b>"), "workloads": ("_a", "训练" * 30)},
}


def test_the_four_figures_are_found_in_their_order() -> None:
    assert tuple(drawing.name for drawing in all_figures()) == NAMES


@pytest.mark.parametrize("run", RUNS)
def test_every_figure_of_any_run_is_drawn_as_png_and_svg(run: str) -> None:
    files = figure_files(sample(**RUNS[run]))
    assert set(files) == {f"figures/{name}.{kind}" for name in NAMES for kind in ("png", "svg")}
    for name, content in files.items():
        if name.endswith("png"):
            assert content.startswith(b"\x89PNG")
        else:
            assert ET.fromstring(content).tag.endswith("svg")
            assert b"mathdefault" not in content
            assert len(content) < 300_000


def test_the_same_results_give_the_same_bytes_whatever_the_users_settings() -> None:
    first = figure_files(sample())
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "svg.fonttype": "path"}):
        assert figure_files(sample()) == first


def test_the_users_settings_are_left_alone() -> None:
    with mpl.rc_context({"axes.facecolor": "black"}):
        before = mpl.rcParams.copy()
        figure_files(sample())
        assert mpl.rcParams.copy() == before


def test_pyplot_is_never_imported() -> None:
    code = (
        "import sys; from tests.unit.results_sample import sample\n"
        "from simulator.figures import figure_files; figure_files(sample(hours=3, jobs=9))\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("name", NAMES)
def test_the_accessor_returns_a_figure_whose_title_is_its_takeaway(name: str) -> None:
    results = sample()
    figure = getattr(Plots(results), name)()
    assert isinstance(figure, Figure)
    [drawing] = [drawing for drawing in all_figures() if drawing.name == name]
    assert figure.texts[0].get_text() == drawing.describe(results)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("power", {"IT power [kW]"}),
        ("hours", {"facility energy [kWh per hour]", "carbon [kg CO2e per hour]"}),
        ("waits", {"share of jobs"}),
        ("queue", {"accelerators", "jobs queued"}),
    ],
)
def test_axes_name_their_units(name: str, labels: set[str]) -> None:
    figure = getattr(Plots(sample()), name)()
    assert {axes.get_ylabel() for axes in figure.axes} == labels


def test_carbon_by_hour_names_its_basis() -> None:
    svg = render(Plots(sample()).hours(), "svg").decode()
    assert "location-based, average, life-cycle, CISO 2022 (EIA-930)" in svg
    assert "marginal, direct, CAISO 2020 (SGIP)" in svg
    svg = render(Plots(sample(marginal=False)).hours(), "svg").decode()
    assert "marginal" not in svg


def test_power_stacks_to_the_it_power_of_the_hourly_table() -> None:
    results = sample(hours=24)
    time = timeline(results)
    assert time is not None
    [axes] = Plots(results).power().axes
    top = max(path.vertices[:, 1].max() for area in axes.collections for path in area.get_paths())
    assert top == pytest.approx(time.total(column(results, "energy_it_kwh")).max())


def test_a_year_is_shown_as_daily_means_that_keep_the_energy() -> None:
    results = sample(hours=8760, jobs=10)
    time = timeline(results)
    assert time is not None
    energy_kwh = time.total(column(results, "energy_it_kwh"))
    mean_kw = time.mean(energy_kwh / time.hours)
    assert time.words == "daily means"
    assert len(mean_kw) == 365 <= MOST_POINTS
    assert mean_kw.sum() * 24 == pytest.approx(results.summary["energy_it_kwh"])
    assert (time.low(energy_kwh) <= mean_kw).all()
    assert (mean_kw <= time.high(energy_kwh)).all()


def test_a_last_interval_cut_by_the_horizon_has_its_own_length() -> None:
    results = sample(hours=3)
    shorter = results.scenario.replace({"horizon": "150 min"})
    results = replace(results, scenario=shorter)
    time = timeline(results)
    assert time is not None
    np.testing.assert_allclose(time.hours, [1.0, 1.0, 0.5])


def test_hours_of_day_are_not_made_up_from_longer_intervals() -> None:
    results = sample(hours=24)
    daily = results.scenario.replace({"accounting.interval": "1 d"})
    results = replace(results, scenario=daily)
    svg = render(Plots(results).hours(), "svg").decode()
    assert "The reporting interval is longer than 1 h." in svg


def test_no_interval_at_all_is_said() -> None:
    results = sample(hours=2, jobs=1)
    tables = results.tables | {"hourly": results.tables["hourly"].slice(0, 0)}
    empty = changed(replace(results, tables=tables), energy_it_kwh=0.0)
    for name in ("power", "queue", "hours"):
        assert isinstance(getattr(Plots(empty), name)(), Figure)


@pytest.mark.parametrize("count", [1, 7, MOST_STEPS, 50_000])
def test_the_line_of_a_distribution_is_right_at_every_step(count: int) -> None:
    rng = np.random.default_rng(3)
    x = np.where(rng.random(count) < 0.4, 0.0, rng.lognormal(0.0, 2.0, count))
    step_x, share = ecdf(x)
    exact = np.array([(x <= at * (1 + 1e-12)).mean() for at in step_x])
    assert len(step_x) <= MOST_STEPS
    assert share[-1] == 1.0
    np.testing.assert_allclose(share, exact, atol=2 / count)


def test_the_line_of_zeros_alone_is_one_step() -> None:
    step_x, share = ecdf(np.zeros(MOST_STEPS + 1))
    assert step_x.tolist() == [0.0]
    assert share.tolist() == [1.0]


def test_a_run_in_which_no_job_waited_says_so() -> None:
    results = sample(jobs=40)
    jobs = results.tables["jobs"]
    place = jobs.column_names.index("wait_s")
    zeros = pa.array(np.zeros(len(jobs)))
    tables = results.tables | {"jobs": jobs.set_column(place, jobs.schema.field(place), zeros)}
    figure = Plots(replace(results, tables=tables)).waits()
    assert figure.axes[0].texts[0].get_text() == "No job waited."
    assert figure.axes[1].get_xlabel() == "job size [GPU-days], log scale"
