"""Pictures of comparisons and sweeps: what they show, and that all of it can be read."""

from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from simulator.analysis.differences import differences
from simulator.analysis.statistics import by_point
from simulator.errors import InputError
from simulator.figures.comparison import draw_comparison
from simulator.figures.legend import short_names
from simulator.figures.quantities import amount_words, axis_names, value_words
from simulator.figures.scales import scale_of
from simulator.figures.style import render
from simulator.figures.sweep import draw_sweep
from simulator.rng import stream
from simulator.sweeps.pictures import draw_runs

COUNT, IDLE, PUE = "clusters.train.count", "clusters.train.idle", "sites.here.pue"
POLICIES = ["always-on", "ladder", "headroom", "reactive", "consolidation"]
MINUS = "\N{MINUS SIGN}"


def noise(name: str, count: int) -> Any:
    return stream(1, name).uniforms(count)


def compared(others: int, seeds: int = 6) -> pd.DataFrame:
    """Return a table of differences: less carbon, longer waits, the same allocation."""

    def side(factor: float, name: str) -> pd.DataFrame:
        columns = {
            "seed": range(seeds),
            "total_kgco2e": 1e5 * factor * (1.0 + 0.1 * noise("all", seeds)),
            "energy_facility_kwh": 3e5 * factor * (1.0 + 0.1 * noise(name, seeds)),
            "wait_p99_h": (2.0 / factor) * (1.0 + noise(name + "w", seeds)),
            "wait_p50_h": np.full(seeds, 0.0 if factor == 1.0 else 0.1),
            "allocation": np.full(seeds, 0.5),
            "scope2_market_kgco2e": np.full(seeds, np.nan),
        }
        return pd.DataFrame(columns)

    base = side(1.0, "base")
    parts = [
        differences(base, side(1.0 - 0.03 * (k + 1), f"o{k}"), other_name=f"a policy, number {k}")
        for k in range(others)
    ]
    return pd.concat(parts, ignore_index=True)


def swept(axes: dict[str, list[Any]], seeds: int = 4) -> pd.DataFrame:
    """Return the runs of a grid whose total grows with every axis."""
    rows = []
    for point, values in enumerate(product(*axes.values())):
        height = sum(values_of.index(v) for values_of, v in zip(axes.values(), values, strict=True))
        for seed in range(seeds):
            total = 1e4 * (10 + height) * (1.0 + 0.02 * noise(f"{point}", seeds)[seed])
            place = dict(zip(axes, values, strict=True))
            rows.append({"point": point, **place, "seed": seed, "total_kgco2e": total})
    return pd.DataFrame(rows)


def words_of(figure: Figure) -> str:
    return " | ".join(" ".join(text.get_text().split()) for text in figure.texts)


def check_readable(figure: Figure) -> None:
    """Assert that no text covers another or leaves the page."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [*figure.texts]
    for axes in figure.axes:
        if not axes.axison:
            continue
        legend = axes.get_legend()
        texts += [*axes.texts, axes.xaxis.label, axes.yaxis.label]
        texts += legend.get_texts() if legend else []
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            shown = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            texts += [tick.label1 for tick in shown if tick.label1.get_visible()]
    boxes = [
        (text.get_text(), text.get_window_extent(renderer), text.get_rotation())
        for text in texts
        if text.get_text() and text.get_visible()
    ]
    page = figure.bbox
    for words, box, _ in boxes:
        assert page.x0 <= box.x0, words
        assert page.y0 <= box.y0, words
        assert box.x1 <= page.x1, words
        assert box.y1 <= page.y1, words
    for (one, first, turned), (two, second, also) in combinations(boxes, 2):
        if not {turned, also} & {30.0}:  # their boxes are wider than their letters
            assert not first.overlaps(second), (one, two)


@pytest.mark.parametrize("others", [1, 2, 5, 12])
def test_a_comparison_can_be_read(others: int) -> None:
    figure = draw_comparison(compared(others), "today", seeds=6)
    check_readable(figure)
    assert words_of(figure).startswith(
        f"{'Lowest: ' if others > 1 else ''}a policy, number {others - 1}, "
        f"{MINUS}{3 * others:.1f} % of total carbon against today"
    )
    assert "6 seeds; whiskers: 95 % interval; hollow: it includes 0" in words_of(figure)
    assert figure.axes[-1].get_xlabel() == "difference in % of the mean of today"


def test_rows_are_grouped_by_scale_and_absent_ones_are_said() -> None:
    figure = draw_comparison(compared(1), "today", seeds=6)
    rows = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes]
    assert rows == [
        ["total carbon", "facility energy"], ["median wait", "p99 wait"], ["allocation"],
    ]  # fmt: skip
    assert "Absent, or 0 with today: market-based carbon." in words_of(figure)
    amounts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert amounts[0].startswith(MINUS)
    assert amounts[0].endswith(" t CO2e")
    assert amounts[2] == "+6.00 ± 0 min, from 0"
    assert amounts[4] == "0 ± 0"


def test_a_dot_is_filled_where_the_difference_is_clear() -> None:
    figure = draw_comparison(compared(1), "today", seeds=6, quantities=["total_kgco2e"])
    (filled,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert filled.get_markerfacecolor() == filled.get_color()
    assert filled.get_xdata()[0] == pytest.approx(-3.0)
    figure = draw_comparison(compared(1), "today", seeds=6, quantities=["allocation"])
    (hollow,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert hollow.get_markerfacecolor() != hollow.get_color()


def test_one_seed_is_drawn_without_whiskers() -> None:
    table = compared(1, seeds=1)
    figure = draw_comparison(table, "today", seeds=1)
    check_readable(figure)
    assert "one seed has no interval" in words_of(figure)
    assert not any("±" in text.get_text() for axes in figure.axes for text in axes.texts)


def test_what_cannot_be_drawn_of_a_comparison_is_refused() -> None:
    with pytest.raises(
        InputError, match='"total_kg" is no quantity here; did you mean total_kgco2e'
    ):
        draw_comparison(compared(1), "today", quantities=["total_kg"])
    many = pd.concat([compared(1).assign(other=f"{k}") for k in range(25)])
    with pytest.raises(InputError, match="25 others can't be told apart"):
        draw_comparison(many, "today")
    nothing = draw_comparison(compared(1), "today", quantities=["scope2_market_kgco2e"])
    assert "nothing has a difference" in nothing.axes[0].texts[0].get_text()


def test_the_same_table_gives_the_same_bytes() -> None:
    one, two = (render(draw_comparison(compared(3), "today"), "svg") for _ in range(2))
    assert one == two


# Sweeps


@pytest.mark.parametrize(
    "axes",
    [
        {COUNT: [64, 96, 112, 128]},
        {COUNT: [64, 96, 112, 128], IDLE: POLICIES},
        {COUNT: [64, 96], PUE: [1.1, 1.2, 1.3], IDLE: ["ladder"]},
        {"nodes.n.after": ["1 min", "15 min", "1 h", "4 h"], PUE: [1.1, 1.2]},
        {IDLE: POLICIES},
        {IDLE: POLICIES, "clusters.train.placement": ["pack", "spread", "first-fit"]},
        {COUNT: [8, 16], "clusters.serve.count": [1, 2, 3], IDLE: POLICIES[:2]},
        {COUNT: [4]},
        {IDLE: ["ladder"]},
    ],
)
@pytest.mark.parametrize("seeds", [1, 4])
def test_a_sweep_can_be_read(axes: dict[str, list[Any]], seeds: int) -> None:
    figure = draw_runs(swept(axes, seeds), list(axes), "total_kgco2e")
    check_readable(figure)
    assert words_of(figure).startswith("Lowest total carbon: 10")
    assert ("no interval" in words_of(figure)) == (seeds == 1)


def test_an_axis_of_numbers_is_a_line_for_each_value_of_the_other() -> None:
    axes = {IDLE: POLICIES[:3], COUNT: [64, 96, 112, 128]}
    figure = draw_runs(swept(axes), list(axes), "total_kgco2e")
    (panel,) = figure.axes
    assert panel.get_xlabel() == "train.count"
    assert panel.get_ylabel() == "total carbon [t CO2e]"
    assert [line.get_xdata().tolist() for line in panel.lines] == [[64, 96, 112, 128]] * 3
    assert len(panel.collections) == 3  # the bands
    assert {text.get_text() for text in panel.texts} == {*POLICIES[:3], "train.idle"}
    means = by_point(swept(axes), list(axes), "total_kgco2e")["mean"].to_numpy()
    np.testing.assert_allclose(panel.lines[0].get_ydata(), means[:4] / 1e3)


def test_words_are_dots_with_whiskers() -> None:
    axes = {IDLE: POLICIES, "clusters.train.placement": ["pack", "spread"]}
    figure = draw_runs(swept(axes), list(axes), "total_kgco2e")
    (panel,) = figure.axes
    assert [label.get_text() for label in panel.get_yticklabels()] == POLICIES
    legend = panel.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        " train.placement pack", " train.placement spread",
    ]  # fmt: skip


def test_an_axis_that_goes_with_another_is_said_and_not_drawn() -> None:
    runs = swept({IDLE: ["old", "new"], PUE: [1.1, 1.2], COUNT: [600, 240]})
    tied = runs[(runs[IDLE] == "old") == (runs[COUNT] == 600)]
    figure = draw_runs(tied, [IDLE, COUNT, PUE], "total_kgco2e")
    check_readable(figure)
    assert "train.count goes with train.idle." in words_of(figure)
    assert figure.axes[0].get_xlabel() == "here.pue"
    assert len(figure.axes[0].collections) == 2


def test_a_picture_says_that_points_share_their_seeds_where_they_do() -> None:
    runs = swept({COUNT: [1, 2, 3]})
    assert "All meet the same seeds" in words_of(draw_runs(runs, [COUNT], "total_kgco2e"))
    runs["seed"] = range(len(runs))
    assert "same seeds" not in words_of(draw_runs(runs, [COUNT], "total_kgco2e"))


def test_the_takeaway_says_where_else_the_lowest_is() -> None:
    runs = swept({COUNT: [1, 2, 3]})
    runs["wait_p99_h"] = np.where(runs[COUNT] == 1, 2.0, 0.0)
    said = words_of(draw_runs(runs, [COUNT], "wait_p99_h"))
    assert "Lowest p99 wait: 0 h at train.count 2 and 1 more" in said


@pytest.mark.parametrize("axes", [{COUNT: [1, 2, 3]}, {IDLE: POLICIES}])
def test_waits_that_are_nothing_everywhere_are_not_drawn_around_0(axes: Any) -> None:
    runs = swept(axes)
    runs["wait_p99_h"] = 0.0
    figure = draw_runs(runs, list(axes), "wait_p99_h")
    check_readable(figure)
    assert "P99 wait is 0 h at every point" in words_of(figure)
    drawn = figure.axes[0]
    limits = drawn.get_ylim() if COUNT in axes else drawn.get_xlim()
    assert limits[0] >= -0.05
    assert limits[1] == 1.0


def test_samples_are_clouds_over_every_axis() -> None:
    count = 60
    runs = pd.DataFrame(
        {
            "point": range(count),
            COUNT: np.round(50 + 100 * noise("count", count)).astype(int),
            PUE: 1.0 + 0.5 * noise("pue", count),
            IDLE: [POLICIES[k % 5] for k in range(count)],
            "nodes.n.idle_power": [f"{watts:.0f} W" for watts in 100 + 900 * noise("w", count)],
            "seed": 1,
        }
    )
    runs["total_kgco2e"] = runs[COUNT] * runs[PUE]
    axes = [COUNT, PUE, IDLE, "nodes.n.idle_power"]
    figure = draw_runs(runs, axes, "total_kgco2e")
    check_readable(figure)
    shown = [panel for panel in figure.axes if panel.axison]
    assert [panel.get_xlabel() for panel in shown] == [
        "train.count", "here.pue", "train.idle", "n.idle_power [W]",
    ]  # fmt: skip
    assert all(len(panel.lines[0].get_xdata()) == count for panel in shown)
    low, high = np.percentile(runs["total_kgco2e"], (5, 95))
    title, caption = (text.get_text() for text in figure.texts)
    assert title == (
        f"Total carbon lies between {low:.1f} and {high:.0f} kg CO2e at nine of ten of 60 points"
    )
    assert "interval" not in caption  # none is drawn


def test_numbers_drawn_from_a_range_are_said_in_few_digits() -> None:
    axes = {"nodes.n.idle_power": ["1.1234567891234 kW", "1.6 kW"], PUE: [1.123456789, 1.25]}
    title = draw_runs(swept(axes), list(axes), "total_kgco2e").texts[0].get_text()
    assert title.endswith("at n.idle_power 1.1235 kW, here.pue 1.1235")
    assert [amount_words(value) for value in ("ladder", 128, 2.0, "12 h", 1234567.0)] == [
        "ladder", "128", "2", "12 h", "1,234,567",
    ]  # fmt: skip


def test_a_line_of_one_point_shows_its_interval() -> None:
    runs = swept({IDLE: POLICIES[:2], COUNT: [64, 96, 112]})
    runs = runs[runs["point"] < 4]  # what a constraint leaves
    (panel,) = draw_runs(runs, [IDLE, COUNT], "total_kgco2e").axes
    (whisker,) = (line for line in panel.collections if isinstance(line, LineCollection))
    last = by_point(runs, [IDLE, COUNT], "total_kgco2e").iloc[-1]
    np.testing.assert_allclose(
        whisker.get_segments()[0], [[64.0, last["low"] / 1e3], [64.0, last["high"] / 1e3]]
    )


def test_intervals_of_waits_end_at_zero() -> None:
    runs = swept({COUNT: [64, 96, 112]}, seeds=2)
    runs["wait_p99_h"] = [0.0, 1.0, 0.2, 0.3, 0.0, 0.0]  # the first: 0.5 h +- 6.4 h
    figure = draw_runs(runs, [COUNT], "wait_p99_h")
    bottoms = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert bottoms.min() == 0.0
    assert "with its 95 % interval, cut at 0" in words_of(figure)
    assert "cut" not in words_of(draw_runs(runs[2:], [COUNT], "total_kgco2e"))


def test_absent_points_are_left_out_and_said() -> None:
    runs = swept({COUNT: [1, 2, 3]})
    runs.loc[runs[COUNT] == 2, "total_kgco2e"] = np.nan
    figure = draw_runs(runs, [COUNT], "total_kgco2e")
    assert figure.axes[0].lines[0].get_xdata().tolist() == [1, 3]
    assert "Absent at 1 of 3 points" in words_of(figure)
    runs["total_kgco2e"] = np.nan
    with pytest.raises(InputError, match="absent at every point"):
        draw_runs(runs, [COUNT], "total_kgco2e")


@pytest.mark.parametrize(
    ("axes", "quantity", "message"),
    [
        ([COUNT], "total_kg", "did you mean total_kgco2e"),
        ([], "total_kgco2e", "name at least one"),
        (["clusters.x.count"], "total_kgco2e", "clusters.x.count is no axis"),
    ],
)
def test_what_cannot_be_drawn_of_a_sweep_is_refused(
    axes: list[str], quantity: str, message: str
) -> None:
    points = by_point(swept({COUNT: [1, 2]}), [COUNT], "total_kgco2e")
    with pytest.raises(InputError, match=message):
        draw_sweep(points, axes, quantity)


def test_more_rows_than_can_be_read_are_refused() -> None:
    axes = {IDLE: [f"policy {k}" for k in range(41)]}
    with pytest.raises(InputError, match="41 rows are too many"):
        draw_runs(swept(axes, 1), list(axes), "total_kgco2e")


def test_an_axis_goes_by_the_shortest_name_that_is_its_own() -> None:
    paths = ["clusters.a.count", "clusters.b.count", "sites.x.pue", "seed"]
    assert list(axis_names(paths).values()) == ["a.count", "b.count", "pue", "seed"]
    assert [value_words(value) for value in ("ladder", 3, 1.5, np.float64(2.5), True)] == [
        "ladder", "3", "1.5", "2.5", "true",
    ]  # fmt: skip
    assert value_words({"policy": "timeout", "after": "1 h"}) == "timeout, after 1 h"
    assert value_words({"constant": "380 g/kWh"}) == "constant 380 g/kWh"


def test_long_names_stay_distinct_where_they_are_cut() -> None:
    same = [f"a rather long beginning of a name, {end}" for end in ("first", "second")]
    short = short_names(same)
    assert len(set(short)) == 2
    assert max(map(len, short)) <= 30
    assert short_names(["ladder", "x" * 40]) == ["ladder", "x" * 29 + "…"]


def test_values_are_numbers_where_they_have_one_dimension() -> None:
    scale = scale_of(["15 min", "1 h", "30 min"])
    assert scale is not None
    assert (scale.numbers.tolist(), scale.unit) == ([15.0, 60.0, 30.0], "min")
    plain = scale_of([1, 2.5])
    assert plain is not None
    assert (plain.numbers.tolist(), plain.unit) == ([1.0, 2.5], "")
    kilo = scale_of(["2 kWh", "500 Wh"])
    assert kilo is not None
    assert (kilo.numbers.tolist(), kilo.unit) == ([2.0, 0.5], "kWh")
    for words in (["ladder", "1 h"], ["1 h", "1 kW"], [True, False], [{"policy": "x"}, 1]):
        assert scale_of(words) is None
