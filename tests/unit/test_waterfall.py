"""The waterfall: where its bars stand, what is written at them, and that it is all to be read."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulator.display import MASS, unit_for
from simulator.figures import all_figures
from simulator.figures.style import BLUE, MUTED, ORANGE, render
from simulator.figures.waterfall import MINUS, draw_waterfall, levels_of

NAMES = ("dynamic", "idle", "sleep", "transition", "overhead", "embodied")
CASES: dict[str, tuple[list[float], float]] = {
    "less": ([100.0, -600.0, 50.0, 20.0, -130.0, 0.0], 1000.0),
    "little of much": ([1.0, -6.0, 0.5, 0.2, -1.3, 0.0], 1e6),
    "to nothing": ([-500.0, -300.0, -3.0, -7.0, -190.0, 0.0], 1000.0),
    "from nothing": ([500.0, 300.0, 3.0, 7.0, 190.0, 0.0], 0.0),
    "below nothing": ([-10.0, -20.0, 3.0, 4.0, -30.0, 50.0], 20.0),
    "all below": ([-1.0, -2.0, 3.0, 4.0, -3.0, 5.0], -200.0),
    "nothing at all": ([0.0] * 6, 0.0),
    "no change": ([0.0] * 6, 123.0),
    "much": ([1e12, -5e11, 3e9, 4e11, 0.0, 5e11], 1e12),
}


def drawn(case: str, **options: Any) -> Figure:
    steps, base_kg = CASES[case]
    return draw_waterfall(dict(zip(NAMES, steps, strict=True)), base_kg=base_kg, **options)


def bars(figure: Figure) -> list[Any]:
    """Return the bars from left to right."""
    return sorted(figure.axes[0].patches, key=lambda bar: bar.get_x())


@pytest.mark.parametrize("case", CASES)
def test_each_bar_goes_from_one_level_to_the_next(case: str) -> None:
    figure = drawn(case)
    found = bars(figure)
    assert len(found) == 8
    steps, base_kg = CASES[case]
    levels = levels_of(dict(zip(NAMES, steps, strict=True)), base_kg)
    size, _ = unit_for(levels, MASS)
    close = {"rel": 1e-9, "abs": 1e-9 * max(map(abs, levels))}
    ends = [(size * bar.get_y(), size * (bar.get_y() + bar.get_height())) for bar in found]
    for bar, step in zip(ends[1:-1], pairwise(levels), strict=True):
        assert bar == pytest.approx(step, **close)
    assert [ends[0][1], ends[-1][1]] == pytest.approx([base_kg, levels[-1]], **close)


@pytest.mark.parametrize("case", CASES)
def test_rises_and_falls_are_told_apart_by_colour_and_by_sign(case: str) -> None:
    figure = drawn(case)
    steps, _ = CASES[case]
    labels = sorted(figure.axes[0].texts, key=lambda text: text.xy[0])
    for bar, label, step in zip(bars(figure)[1:-1], labels[1:-1], steps, strict=True):
        colour = "#" + "".join(f"{round(255 * part):02x}" for part in bar.get_facecolor()[:3])
        sign = {BLUE: MINUS, ORANGE: "+", MUTED: "0"}[colour]
        assert label.get_text().startswith(sign)
        assert np.sign(step) == {MINUS: -1, "+": 1, "0": 0}[sign]


@pytest.mark.parametrize("case", CASES)
def test_labels_stay_on_the_page_and_off_the_axis(case: str) -> None:
    notes = dict.fromkeys(NAMES, "-12.3 MWh")
    figure = drawn(case, names=("a name " * 20, "b"), notes=notes, title="T", caption="C. " * 60)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    axes = figure.axes[0]
    page = figure.bbox
    boxes = [text.get_window_extent(renderer) for text in axes.texts]
    ticks = [label.get_window_extent(renderer) for label in axes.get_xticklabels()]
    for box in (*boxes, *ticks, axes.yaxis.label.get_window_extent(renderer)):
        assert box.x0 >= page.x0 - 1
        assert box.x1 <= page.x1 + 1
        assert box.y0 >= page.y0 - 1
        assert box.y1 <= page.y1 + 1
    floor = axes.get_window_extent(renderer).y0
    assert all(box.y0 >= floor - 1 for box in boxes)
    for one, other in pairwise(ticks):
        assert one.x1 <= other.x0 + 1


def test_the_axis_says_its_unit_and_where_it_does_not_begin_at_0() -> None:
    whole, cut = drawn("less", caption="C."), drawn("little of much", caption="C.")
    assert whole.axes[0].get_ylabel() == "carbon [t CO2e]"
    assert whole.axes[0].get_ylim()[0] == 0.0
    assert not any("begin at 0" in text.get_text() for text in whole.texts)
    assert cut.axes[0].get_ylim()[0] > 0.0
    assert any("The axis does not begin at 0." in text.get_text() for text in cut.texts)
    assert len(cut.axes[0].lines) == 2  # the totals are marked as cut


def test_ends_and_steps_are_named_in_order_with_their_notes() -> None:
    figure = drawn("less", names=("today", "odd\x1b[31m"), notes={"idle": "-3.2 MWh"})
    texts = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert texts[:3] == ["today", "dynamic", f"idle\n{MINUS}3.2 MWh"]
    assert texts[-1].replace("\n", "") == "odd\\x1b[31m"


def test_the_same_numbers_give_the_same_bytes() -> None:
    for kind in ("png", "svg"):
        assert render(drawn("less"), kind) == render(drawn("less"), kind)


def test_it_is_no_figure_of_a_single_run() -> None:
    assert "waterfall" not in [drawing.name for drawing in all_figures()]
