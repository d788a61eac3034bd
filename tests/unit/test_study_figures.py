"""Figures of studies: tornado, Sobol indices and the trials of a search."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from simulator.errors import InputError
from simulator.figures.indices import draw_indices
from simulator.figures.quantities import axis_names, unit_of, value_words
from simulator.figures.style import render
from simulator.figures.tornado import draw_tornado
from simulator.figures.trials import draw_trials

CARBON, WAIT = "total_kgco2e", "wait_p99_h"


def tornado_table(*rows: tuple[str, Any, Any, float, float]) -> pd.DataFrame:
    """Return a tornado around 240 t: axis, low, high, result at low and at high in t."""
    table = pd.DataFrame(rows, columns=["axis", "low", "high", "at_low", "at_high"])
    table["at_low"] *= 1000
    table["at_high"] *= 1000
    table["at_base"] = 240e3
    ends = table[["at_low", "at_high", "at_base"]]
    table["swing"] = ends.max(axis=1) - ends.min(axis=1)
    return table


ROWS = (
    ("clusters.train.count", 96, 160, 210, 290),
    ("clusters.spare.count", 8, 16, 220, 260),
    ("clusters.train.idle", "always-on", "ladder", 240, 221),
    ("nodes.n.lifetime", "3 y", "6 y", 246, 243.5),
    ("workloads.w.utilisation", 0.3, 0.5, 240, 240),
)


def labels_of(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts if isinstance(text, Annotation)]


def words(figure: Figure) -> tuple[str, str]:
    title, caption = figure.texts
    return title.get_text(), caption.get_text().replace("\n", " ")


def test_a_tornado_has_a_bar_to_each_side_labelled_with_the_values() -> None:
    figure = draw_tornado(tornado_table(*ROWS), CARBON)
    axes = figure.axes[0]
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert bars[:2] == [(240.0, -30.0), (240.0, 50.0)]
    assert labels_of(axes) == [
        "96", "160", "8", "16", "always-on", "ladder", "3 y", "6 y", "0.3", "0.5",
    ]  # fmt: skip
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [
        "train.count",
        "spare.count",
        "train.idle",
        "n.lifetime",
        "w.utilisation",
    ]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the widest on top
    assert axes.get_xlabel() == "total carbon [t CO2e]"
    assert words(figure) == (
        "train.count moves total carbon most: 210 to 290 t CO2e",
        (
            "Each axis at its low and at its high value, all others at the base: 240 t CO2e of "
            "total carbon (location-based and embodied)."
        ),
    )


def test_ends_on_one_side_of_the_base_share_their_lane() -> None:
    axes = draw_tornado(tornado_table(ROWS[3]), CARBON).axes[0]
    low, high = axes.patches
    assert [low.get_height(), high.get_height()] == pytest.approx([0.31, 0.31])
    assert low.get_y() + low.get_height() == pytest.approx(high.get_y())


def test_labels_of_a_tornado_stay_on_the_page_and_apart() -> None:
    figure = draw_tornado(tornado_table(*ROWS), CARBON)
    renderer = FigureCanvasAgg(figure).get_renderer()
    frame = figure.bbox
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    by_row = list(zip(boxes[::2], boxes[1::2], strict=True))
    assert not any(low.overlaps(high) for low, high in by_row[:3] + by_row[4:])


def test_a_tornado_says_what_it_leaves_out() -> None:
    many = [(f"a{k}.x", 1, 2, 240 - 20 + k, 240 + 20 - k) for k in range(20)]
    table = tornado_table(*many)
    table.loc[0, "at_low"] = np.nan
    _, caption = words(draw_tornado(table, CARBON))
    assert caption.endswith("Not drawn: 1 with a failed run. Not drawn: 5 that move it less.")
    table["at_low"] = np.nan
    with pytest.raises(InputError, match="none has results at both ends"):
        draw_tornado(table, CARBON)


def indices_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "axis": ["sites.s.pue", "clusters.a.count", "nodes.n.lifetime"],
            "first": [0.2, 0.61, -0.004],
            "first_interval": [0.07, 0.11, 0.02],
            "total": [0.28, 0.72, 0.0],
            "total_interval": [0.06, 0.12, 0.0],
        }
    )


def test_indices_are_drawn_largest_first_with_their_intervals() -> None:
    figure = draw_indices(indices_table(), CARBON, samples=512)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "a.count",
        "s.pue",
        "n.lifetime",
    ]
    first, total = axes.lines[:2]
    np.testing.assert_allclose(first.get_xdata(), [0.61, 0.2, -0.004])
    np.testing.assert_allclose(total.get_xdata(), [0.72, 0.28, 0.0])
    segments = axes.collections[0].get_segments()
    np.testing.assert_allclose([ends[:, 0] for ends in segments[:1]], [[0.5, 0.72]])
    assert labels_of(axes) == ["0.61", "0.20", "0.00", "0.72", "0.28", "0.00"]
    title, caption = words(figure)
    assert title == "a.count explains 61 % of the variance of total carbon alone, 72 % in all"
    assert caption.endswith("Lines: intervals of confidence 0.95, 512 base samples.")
    assert axes.get_xlabel() == "share of the variance of total carbon"


def test_estimates_beyond_the_whole_are_not_called_more_than_all() -> None:
    table = indices_table()
    table.loc[1, ["first", "total"]] = 1.11, 1.02
    title, _ = words(draw_indices(table, CARBON))
    assert title == "a.count explains nearly all of the variance of total carbon"


def test_no_indices_are_refused() -> None:
    with pytest.raises(InputError, match="has no indices to be drawn"):
        draw_indices(indices_table()[:0], CARBON)


def trials_table(**columns: Any) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    fixed = {"trial": range(count), "feasible": True, "on_front": False, "failed": None}
    return pd.DataFrame({**fixed, **columns})


TWO = trials_table(
    total_kgco2e=[3000.0, 1000.0, 2000.0, 2500.0, np.nan],
    wait_p99_h=[1.0, 3.0, 2.0, 2.5, np.nan],
    on_front=[True, True, True, False, False],
    feasible=[True, True, True, True, False],
)


def test_two_objectives_are_drawn_with_the_front_as_steps() -> None:
    base = {CARBON: 4000.0, WAIT: 1.0}
    figure = draw_trials(TWO, [(CARBON, False), (WAIT, False)], base=base)
    axes = figure.axes[0]
    line = next(line for line in axes.lines if len(line.get_xdata()) == 5)
    np.testing.assert_allclose(line.get_xdata(), [1, 2, 2, 3, 3])
    np.testing.assert_allclose(line.get_ydata(), [3, 3, 2, 2, 1])
    assert {text.get_text() for text in axes.texts} == {"#0", "#1", "#2"}
    assert axes.get_xlabel() == "total carbon [t CO2e]"
    assert axes.get_ylabel() == "p99 wait [h]"
    title, caption = words(figure)
    assert (
        title == "3 of 4 trials on the front, from 1.00 t CO2e at 3.00 h to 3.00 t CO2e at 1.00 h"
    )
    assert caption.endswith("Failed: 1.")
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text().strip() for text in legend.get_texts()] == [
        "trial", "on the front", "base",
    ]  # fmt: skip


def test_the_steps_turn_where_more_is_better() -> None:
    figure = draw_trials(
        TWO.assign(utilisation=[0.9, 0.1, 0.5, 0.2, np.nan]),
        [(CARBON, False), ("utilisation", True)],
    )
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 5)
    np.testing.assert_allclose(line.get_xdata(), [1, 2, 2, 3, 3])
    np.testing.assert_allclose(line.get_ydata(), [0.1, 0.1, 0.5, 0.5, 0.9])


def test_one_objective_is_drawn_as_the_best_so_far() -> None:
    trials = trials_table(
        total_kgco2e=[3.0, 1.0, 4.0, 2.0],
        feasible=[True, False, True, True],
        on_front=[False, False, False, True],
    )
    figure = draw_trials(trials, [(CARBON, False)], base={CARBON: 4.0})
    line = max(figure.axes[0].lines, key=lambda line: len(line.get_xdata()))
    np.testing.assert_allclose(line.get_xdata(), [0, 2, 3, 3])
    np.testing.assert_allclose(line.get_ydata(), [3, 3, 2, 2])
    assert words(figure)[0] == (
        "Trial 3 of 4 is best: 2.00 kg CO2e of total carbon, \N{MINUS SIGN}50.0 % against the base"
    )


def test_more_objectives_are_drawn_in_pairs() -> None:
    rng = np.random.default_rng(1)
    names = [CARBON, WAIT, "utilisation", "energy_it_kwh"]
    trials = trials_table(**{name: rng.random(9) for name in names})
    figure = draw_trials(trials, [(name, name == "utilisation") for name in names])
    drawn = [axes for axes in figure.axes if axes.get_xlabel()]
    pairs = [
        tuple(axes.get_xlabel().split(" [")[0] for axes in drawn),
        tuple(axes.get_ylabel().split(" [")[0] for axes in drawn),
    ]
    said = ["total carbon", "p99 wait", "utilisation", "IT energy"]
    assert list(zip(*pairs, strict=True)) == list(combinations(said, 2))


def test_nothing_to_draw_is_said_so() -> None:
    with pytest.raises(InputError, match="no trial has results to be drawn"):
        draw_trials(TWO[4:], [(CARBON, False)])
    none = draw_trials(TWO.assign(feasible=False, on_front=False), [(CARBON, False), (WAIT, False)])
    assert words(none)[0] == "None of 4 trials keeps the limits"


def test_a_hundred_trials_of_a_front_bear_no_numbers() -> None:
    along = np.arange(100.0)
    trials = trials_table(total_kgco2e=along, wait_p99_h=along[::-1], on_front=[True] * 100)
    assert not draw_trials(trials, [(CARBON, False), (WAIT, False)]).axes[0].texts


def test_the_same_tables_give_the_same_bytes() -> None:
    for kind in ("png", "svg"):
        drawn = [
            [
                render(draw_tornado(tornado_table(*ROWS), CARBON), kind),
                render(draw_indices(indices_table(), CARBON), kind),
                render(draw_trials(TWO, [(CARBON, False), (WAIT, False)]), kind),
            ]
            for _ in range(2)
        ]
        assert drawn[0] == drawn[1]


def test_axes_tables_and_money_are_named_as_people_read_them() -> None:
    power = "nodes.n.idle_states[0].power"
    assert axis_names([power, "sites.s.pue"]) == {
        power: "idle_states[0].power",
        "sites.s.pue": "pue",
    }
    assert value_words('{"after": "1 h", "policy": "timeout"}') == "timeout, after 1 h"
    assert value_words("{no json") == "{no json"
    assert unit_of("cost_total", [250_000.0], "USD") == (1e3, "kUSD")
    assert unit_of("cost_total", [250_000.0]) == (1.0, "")


def test_labels_of_a_front_keep_clear_of_the_other_trials() -> None:
    # Without the others the label stands to the right of its point, where one of them lies.
    crowd = trials_table(
        total_kgco2e=[1000.0, 1100.0, 4000.0],
        wait_p99_h=[1.0, 1.0, 4.0],
        on_front=[True, False, False],
    )
    figure = draw_trials(crowd, [(CARBON, False), (WAIT, False)])
    axes = figure.axes[0]
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    (label,) = axes.texts
    box = label.get_window_extent(renderer)
    for x, y in ((1.0, 1.0), (1.1, 1.0), (4.0, 4.0)):
        assert not box.contains(*axes.transData.transform((x, y)))
