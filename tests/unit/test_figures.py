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

from simulator.figures import Plots, all_figures, figure_files, figures_of
from simulator.figures.series import MOST_POINTS, column, timeline
from simulator.figures.style import log_axis, render, time_axis
from simulator.figures.waits import MOST_STEPS, ecdf
from simulator.results import Results
from simulator.units import parse_quantity
from tests.unit.results_sample import GPUS, NODES, changed, lasting, sample

NAMES = ("power", "hours", "waits", "queue", "nodes")
ALWAYS = NAMES[:-1]
RUNS = {
    "two days": {},
    "one hour, one job": {"hours": 1, "jobs": 1, "clusters": ("a",)},
    "no job": {"jobs": 0, "marginal": False},
    "a year": {"hours": 8760, "jobs": 2000, "workloads": ("experiments", "training")},
    "many workloads": {"workloads": tuple(f"w{k}" for k in range(9))},
    "odd names": {"clusters": ("_hidden", "$x$ <b>"), "workloads": ("_a", "训练" * 30)},
}


def with_column(results: Results, name: str, column: str, values: object) -> Results:
    """Return results with other values in one column of a table."""
    table = results.tables[name]
    place = table.column_names.index(column)
    array = pa.array(np.broadcast_to(values, len(table)))
    other = table.set_column(place, table.schema.field(place), array)
    return replace(results, tables=results.tables | {name: other})


def test_the_figures_are_found_in_their_order() -> None:
    assert tuple(drawing.name for drawing in all_figures()) == (*NAMES, "supply")


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


def awake(results: Results, nodes: float = float(NODES)) -> Results:
    """Return results of a fleet that owns so many nodes of each cluster and never sleeps."""
    for name in ("nodes_awake_mean", "nodes_owned_mean"):
        results = with_column(results, "hourly", name, nodes)
    return with_column(results, "hourly", "nodes_transition_mean", 0.0)


def test_nodes_are_shown_of_runs_in_which_some_slept_left_or_came() -> None:
    def shown(results: Results) -> tuple[str, ...]:
        return tuple(drawing.name for drawing in figures_of(results))

    slept, always = sample(hours=4), awake(sample(hours=4))
    assert shown(slept) == NAMES
    assert shown(always) == ALWAYS
    assert set(figure_files(always)) == {
        f"figures/{name}.{kind}" for name in ALWAYS for kind in ("png", "svg")
    }
    count = np.repeat([16.0, 16.0, 20.0, 20.0], 2)
    for name in ("nodes_awake_mean", "nodes_owned_mean"):
        always = with_column(always, "hourly", name, count)
    assert shown(always) == NAMES


def test_nodes_stack_to_those_in_service_and_jobs_fill_what_they_hold() -> None:
    results = sample(hours=24)
    [axes] = Plots(results).nodes().axes
    tops = [
        max(path.vertices[:, 1].max() for path in area.get_paths()) for area in axes.collections
    ]
    assert tops == pytest.approx([2 * 0.8 * NODES, 2 * 0.82 * NODES, 2 * NODES])
    time = timeline(results)
    assert time is not None
    held = time.total(column(results, "gpus_allocated_mean")) / GPUS
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.append(held, held[-1]))
    [drawing] = [drawing for drawing in all_figures() if drawing.name == "nodes"]
    words = f"25.6 of 32 nodes awake on average (80.0 %); jobs would fill {held.mean():.1f}"
    assert drawing.describe(results) == words


def test_a_notebook_gets_a_figure_as_png() -> None:
    figure = Plots(sample(hours=3, jobs=9)).power()
    assert figure._repr_png_() == render(figure, "png")


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
        ("waits", {"share of jobs that waited", "share of jobs"}),
        ("queue", {"accelerators", "jobs queued"}),
        ("nodes", {"nodes"}),
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
    for name in ("power", "queue", "hours", "nodes"):
        assert isinstance(getattr(Plots(empty), name)(), Figure)


def test_a_draining_run_ends_with_its_last_job() -> None:
    results = sample(hours=3, clusters=("a",))
    scenario = results.scenario.replace({"horizon": "1 h", "drain": True})
    results = lasting(replace(results, scenario=scenario), 2.25)
    time = timeline(results)
    assert time is not None
    np.testing.assert_allclose(time.hours, [1.0, 1.0, 0.25])


@pytest.mark.parametrize(
    ("begin", "length", "labels"),
    [
        ("2022-06-06", "30 d", ["9\nJun 2022", "13", "17", "21", "25", "29", "1\nJul", "5"]),
        ("2022-03-15", "28 d", ["17\nMar 2022", "21", "25", "29", "1\nApr", "5", "9"]),
        ("2022-12-31", "2 d", ["00:00\n31 Dec 2022", "06:00", "12:00", "18:00",
                              "00:00\n1 Jan 2023", "06:00", "12:00", "18:00", "00:00\n2 Jan"]),
        ("2022-11-01", "120 d", ["Nov\n2022", "Dec", "Jan\n2023", "Feb", "Mar"]),
        ("2022-01-01", "2 s", ["00:00:00.000\n1 Jan 2022", "00:00:00.500", "00:00:01.000",
                              "00:00:01.500", "00:00:02.000"]),
    ],
)  # fmt: skip
def test_a_time_axis_names_month_and_year_first(begin: str, length: str, labels: list[str]) -> None:
    start = np.datetime64(begin, "ms")
    end = start + np.timedelta64(round(parse_quantity(length, "time")), "ms")
    axes = Figure().add_subplot()
    time_axis(axes, np.array([start, end]))
    assert [label.get_text() for label in axes.get_xticklabels()] == labels


def test_few_clusters_have_a_queue_each_and_many_have_one() -> None:
    some = Plots(sample(clusters=("west", "east"))).queue().axes[1]
    names = [text.get_text().strip() for text in some.get_legend().get_texts()]
    assert names == ["west", "east"]
    many = Plots(sample(clusters=tuple("abcdefg"))).queue().axes[1]
    assert many.get_legend() is None
    results = sample(clusters=("west", "east"))
    hourly = results.hourly
    top = hourly.loc[hourly["jobs_queued_mean"].idxmax()]
    [drawing] = [drawing for drawing in all_figures() if drawing.name == "queue"]
    words = f"largest hourly mean {top['jobs_queued_mean']:.1f} jobs queued at {top['cluster']}"
    assert drawing.describe(results).endswith(words)


def test_an_empty_queue_is_said() -> None:
    results = with_column(sample(), "hourly", "jobs_queued_mean", 0.0)
    figure = Plots(results).queue()
    assert figure.axes[1].texts[0].get_text() == "No job queued."
    assert figure.texts[0].get_text().endswith("; no job queued")


def test_sizes_submitted_are_marked_whatever_their_law() -> None:
    results = sample()
    rows = (("experiments", "GPU-days p50", "1.46", "GPU-days", "jobs of this run"),
            ("experiments", "GPU-days p99", "25.2", "GPU-days", "jobs of this run"))  # fmt: skip
    plain = Plots(results).waits().axes[1]
    marked = Plots(replace(results, assumptions=rows)).waits().axes[1]
    assert len(marked.lines) == len(plain.lines) + 1
    assert list(marked.lines[-1].get_xdata()) == [1.46, 25.2]


def test_a_few_waits_are_told_in_words() -> None:
    results = sample(jobs=400)
    wait_s = np.where(np.arange(400) < 12, 90.0 * np.arange(1, 401), 0.0)
    figure = Plots(with_column(results, "jobs", "wait_s", wait_s)).waits()
    assert figure.axes[0].texts[0].get_text() == "12 jobs waited, the longest 18.0 min."
    assert figure.axes[1].get_legend() is not None


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.8, 60.0, ["1", "2", "5", "10", "20", "50"]),
        (0.01, 900.0, ["0.01", "0.1", "1", "10", "100"]),
    ],
)
def test_a_short_logarithmic_axis_has_more_than_decades(
    low: float, high: float, labels: list[str]
) -> None:
    figure = Figure()
    axes = figure.add_subplot()
    log_axis(axes, low, high)
    render(figure, "png")
    shown = [
        tick.label1.get_text() for tick in axes.xaxis.get_major_ticks()
        if low <= tick.get_loc() <= high
    ]  # fmt: skip
    assert shown == labels


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
    figure = Plots(with_column(sample(jobs=40), "jobs", "wait_s", 0.0)).waits()
    assert figure.axes[0].texts[0].get_text() == "No job waited."
    assert figure.axes[1].get_xlabel() == "job size [GPU-days], log scale"
