"""The picture of several runs: what is on the frontier, what is refused, labels to be read."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulator.api import Run
from simulator.errors import InputError
from simulator.figures import pareto
from simulator.figures.frontier import points_of
from simulator.figures.style import render
from tests.unit.results_sample import changed, sample

X, Y = "wait_p99_h", "energy_facility_kwh"


def summaries(*rows: tuple[str, float, float]) -> dict[str, dict[str, Any]]:
    """Return a summary for each (label, p99 wait in hours, energy in kWh)."""
    return {
        label: {X: wait_h, Y: energy_kwh, "wake_ups_per_node_day": 2.345}
        for label, wait_h, energy_kwh in rows
    }


FEW = summaries(
    ("always-on", 0.0, 1000.0),
    ("ladder", 0.03, 700.0),
    ("reactive", 0.01, 750.0),
    ("timeout", 0.04, 710.0),
    ("dear", 0.0, 1100.0),
)


def crowd(count: int, seed: int) -> dict[str, dict[str, Any]]:
    """Return a baseline and a crowd of policies close to one another, as they often are."""
    rng = np.random.default_rng(seed)
    wait_h = rng.gamma(1.0, 0.01, count)
    energy_kwh = 680 + 40 * rng.random(count) + 1000 * np.exp(-wait_h / 0.003) * rng.random()
    rows = zip(wait_h, energy_kwh, strict=True)
    names = ("headroom 10 %", "forecast, smoothed", "timeout 60 min", "scheduled")
    labelled = [(f"{names[row % 4]} {row}", x, y) for row, (x, y) in enumerate(rows)]
    return summaries(("always-on", 0.0, 1000.0), *labelled)


def written(figure: Figure) -> list[Text]:
    """Return the labels of the points."""
    return list(figure.axes[0].texts)


def test_a_run_is_beaten_by_one_that_is_no_worse_in_both_and_better_in_one() -> None:
    points = points_of(FEW, X, Y, "always-on")
    assert [point.label for point in points if point.beaten] == ["timeout", "dear"]
    assert [point.change for point in points] == pytest.approx([0.0, -0.3, -0.25, -0.29, 0.1])


def test_equal_runs_beat_neither_one_another() -> None:
    points = points_of(summaries(("a", 0.1, 5.0), ("b", 0.1, 5.0)), X, Y, "a")
    assert not any(point.beaten for point in points)


def test_the_frontier_is_a_step_line_through_what_is_not_beaten() -> None:
    axes = pareto(FEW).axes[0]
    line = axes.lines[0]
    size = 60.0  # minutes
    right = axes.get_xlim()[1]
    np.testing.assert_allclose(
        line.get_xdata(), [0.0, 0.01 * size, 0.01 * size, 0.03 * size, 0.03 * size, right]
    )
    np.testing.assert_allclose(line.get_ydata(), [0, 0, -25, -25, -30, -30], atol=1e-9)


def test_the_title_says_what_there_is_to_see_and_axes_name_their_units() -> None:
    figure = pareto(FEW)
    title, caption = (text.get_text() for text in figure.texts)
    assert title == (
        "3 of 5 on the frontier; lowest facility energy: ladder, \N{MINUS SIGN}30.0 % at "
        "1.80 min of p99 wait"
    )
    assert caption.startswith("always-on: 1.00 MWh of facility energy.")
    axes = figure.axes[0]
    assert axes.get_xlabel() == "p99 wait [min]"
    assert axes.get_ylabel() == "facility energy against always-on [%]"
    assert pareto(FEW, title="Mine").texts[0].get_text() == "Mine"


def test_labels_tell_the_wake_ups_where_they_are_known() -> None:
    some = FEW | {"old": {X: 0.02, Y: 900.0}}
    labels = {text.get_text() for text in written(pareto(some))}
    assert labels == {f"{name} (2.3)" for name in FEW} | {"old"}


def test_runs_results_and_summaries_are_all_taken() -> None:
    results = sample(hours=3, jobs=40)
    less = changed(results, energy_facility_kwh=results.summary[Y] / 2)
    figure = pareto({"run": Run(results), "results": less, "summary": dict(results.summary)})
    assert len(written(figure)) == 3
    other = pareto({"one": results, "other": less}, y="total_kgco2e", x="wake_ups_per_node_day")
    axes = other.axes[0]
    assert axes.get_xlabel() == "wake-ups per node and day [1/d]"
    assert axes.get_ylabel() == "total carbon against one [%]"
    assert "location-based and embodied" in other.texts[1].get_text()


def test_the_same_runs_give_the_same_bytes() -> None:
    assert render(pareto(crowd(9, 1)), "svg") == render(pareto(crowd(9, 1)), "svg")


@pytest.mark.parametrize("seed", range(6))
def test_labels_of_a_dozen_runs_cover_no_label_and_stay_on_the_page(seed: int) -> None:
    figure = pareto(crowd(11, seed))
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in written(figure)]
    assert len(boxes) == 12
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    frame = figure.axes[0].get_window_extent()
    for box in boxes:
        assert frame.x0 - 1 <= box.x0 <= box.x1 <= frame.x1 + 1
        assert frame.y0 - 1 <= box.y0 <= box.y1 <= frame.y1 + 1


@pytest.mark.parametrize(
    ("runs", "options", "message"),
    [
        ({}, {}, "pareto: 1 problem\n  runs  there are none; give at least one, by its label"),
        (FEW, {"baseline": "always on"},
         ('pareto: 1 problem\n  baseline  "always on" is no run; did you mean "always-on"? '
          "known are always-on, ladder, reactive, timeout, dear")),
        (FEW, {"x": "wait_p99", "y": "name"},
         ('pareto: 2 problems\n  x  "wait_p99" is no key of the summary; did you mean '
          '"wait_p99_h"?')),
        (FEW | {"none": {X: None, Y: 1.0}}, {},
         "pareto: 1 problem\n  none  has no wait_p99_h; leave this run out, or take another key"),
        (summaries(("a", 0.0, 0.0)), {},
         "pareto: 1 problem\n  a  its energy_facility_kwh is 0, to which nothing compares"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(
    runs: dict[str, Any], options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        pareto(runs, **options)
    assert str(refused.value).startswith(message)
