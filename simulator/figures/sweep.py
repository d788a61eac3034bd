"""A quantity over the axes of a sweep: lines with bands, dots with whiskers, or clouds of dots."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.display import short_text
from simulator.errors import InputError, Issue
from simulator.figures.course import Course, between, caption_of, course_of, lowest, said_along
from simulator.figures.legend import (
    LINE_IN,
    MOST_NAMES,
    legend_of,
    lines_of,
    look,
    names_width,
    short_name,
    short_names,
)
from simulator.figures.quantities import value_words
from simulator.figures.scales import Scale, scale_of
from simulator.figures.style import BLUE, INK, SERIES, figure_of, head_in, house_style, log_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES: Final = 12
"""Lines that one picture holds; more points become clouds of dots."""
FEW_LINES: Final = 3
"""Lines whose bands may be dark without hiding one another."""
MOST_ROWS: Final = 40
"""Rows of dots that one picture holds."""
MOST_PANELS: Final = 9
"""Axes that clouds of dots are drawn over."""
PANEL_IN: Final = 2.3
"""Height of a row of clouds. [in]"""
NO_LEGEND: Final = 0.04
"""Part of the height that a legend above the axes would take."""
LABEL_APART: Final = 0.055
"""Least distance of two labels beside lines, in heights of the axes."""
CLOUD_LETTERS: Final = 12
LOG_FROM: Final = 50.0
"""Ratio of the ends of an axis from which it is logarithmic."""
HEADING_LETTERS: Final = 44
"""Letters of what stands above the names of lines."""
ROW_LETTERS: Final = 40
"""Letters of the name of a row of dots."""
ROW_IN: Final = 0.26
OTHER_IN: Final = 0.1


def draw_sweep(
    points: "pd.DataFrame",
    axes: Sequence[str],
    quantity: str,
    *,
    title: str | None = None,
    paired: bool = False,
    bases: Sequence[str] = (),
) -> "Figure":
    """Draw a quantity over the axes of a sweep.

    Over an axis of numbers it is a line with a band for each value of the others; over words it
    is a dot with a whisker for each; where there would be too many lines, as with samples drawn
    at random, it is a cloud of dots over each axis.

    Parameters
    ----------
    points : DataFrame
        One row for each point, as `simulator.analysis.statistics.by_point` makes them: a column for
        each axis, ``mean``, ``low``, ``high`` and ``n``.
    axes : sequence of str
        Dotted paths of the axes.
    quantity : str
        Key of the summary.
    title : str, optional
        Replaces the takeaway.
    paired : bool
        Whether all points met the same seeds, which the caption then says.
    bases : sequence of str
        What the carbon of the points stands on, each once.

    Raises
    ------
    InputError
        If the quantity is unknown or absent at every point, or there is too much to draw.
    """
    course = course_of(points, axes, quantity)
    scales = {path: scale_of(course.values[path]) for path in course.axes}
    numeric = [path for path in course.axes if scales[path] is not None and course.varies(path)]
    stands_on = _basis_of(bases)
    caption = caption_of(points, quantity, paired=paired) + said_along(course) + stands_on
    words = title or lowest(course, quantity)
    with house_style():
        if numeric:
            along = max(numeric, key=lambda path: len(set(map(value_words, course.values[path]))))
            rest = [path for path in course.axes if path != along]
            lines = dict.fromkeys(course.labels(rest)) if rest else {"": None}
            scale = scales[along]
            if scale is not None and len(lines) <= min(MOST_LINES, len(course.mean) / 2):
                return _lines(course, along, scale, rest, words, caption)
            words = title or between(course, quantity)
            caption = caption_of(points, quantity, interval=False) + said_along(course)
            caption += stands_on
            return _clouds(course, scales, words, caption)
        return _dots(course, words, caption)


def _basis_of(bases: Sequence[str]) -> str:
    """Return what the carbon stands on; that of points on unlike bases is not to be compared."""
    if not bases:
        return ""
    if len(bases) == 1:
        return f" Carbon by {bases[0]}."
    return f" The points stand on {len(bases)} bases: carbon is comparable within each alone."


def _lines(
    course: Course, along: str, scale: Scale, rest: list[str], title: str, caption: str
) -> "Figure":
    """Draw lines with bands over an axis of numbers."""
    figure = figure_of(title, caption, height_in=4.2)
    labels = course.labels(rest) if rest else [""] * len(course.mean)
    names = list(dict.fromkeys(labels))
    heading = short_name(course.heading(rest), HEADING_LETTERS) if rest else ""
    # Names are bold, the heading is not.
    room = max([*map(len, short_names(names)), 0.7 * len(heading)]) if rest else 0
    figure.subplots_adjust(
        left=0.095, right=0.965 - 0.0115 * room, top=figure.subplotpars.top + NO_LEGEND
    )
    axes = figure.add_subplot()
    ends = []
    shade = 0.18 if len(names) <= FEW_LINES else 0.09
    for at, name in enumerate(names):
        chosen = np.array([label == name for label in labels])
        order = np.argsort(scale.numbers[chosen], kind="stable")
        x = scale.numbers[chosen][order]
        mean, low, high = (part[chosen][order] for part in (course.mean, course.low, course.high))
        colour = SERIES[at % len(SERIES)]
        axes.fill_between(x, low, high, color=colour, alpha=shade, linewidth=0.0)
        if len(x) == 1:  # a band of no width can't be seen
            axes.vlines(x, low, high, color=colour, linewidth=1.6, alpha=0.5)
        style = "-" if at < len(SERIES) else "--"
        axes.plot(x, mean, style, color=colour, marker="o", markersize=3.5, zorder=3)
        ends.append((float(mean[-1]), name, colour))
    _number_axis(axes, scale, course.name(along))
    axes.set_ylabel(course.words)
    axes.margins(y=0.08)
    if not course.mean.any():
        axes.set_ylim(-0.05, 1.0)
    if rest:
        _label_ends(axes, ends, heading)
    return figure


def _label_ends(axes: "Axes", ends: list[tuple[float, str, str]], heading: str) -> None:
    """Write the name of each line beside its end, none over another."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    order = sorted(range(len(ends)), key=lambda at: ends[at][0])
    places = [(ends[at][0] - low) / (high - low) for at in order]
    for at in range(1, len(places)):
        places[at] = max(places[at], places[at - 1] + LABEL_APART)
    over = places[-1] - (1.0 - LABEL_APART)
    if over > 0.0:  # push down what was pushed beyond the top
        places[-1] -= over
        for at in range(len(places) - 2, -1, -1):
            places[at] = min(places[at], places[at + 1] - LABEL_APART)
    short = short_names([name for _, name, _ in ends])
    where: dict[str, Any] = {"transform": axes.transAxes, "size": 8, "va": "center"}
    for place, at in zip(places, order, strict=True):
        axes.text(1.02, place, short[at], color=ends[at][2], weight="bold", **where)
    axes.text(1.02, places[-1] + LABEL_APART, heading, color=INK, **where)


def _dots(course: Course, title: str, caption: str) -> "Figure":
    """Draw a dot with its whisker for each value of axes of words."""
    counts = {path: len(set(map(value_words, course.values[path]))) for path in course.axes}
    down = max(course.axes, key=lambda path: counts[path])
    rest = [path for path in course.axes if path != down]
    colours = course.labels(rest) if rest else [""] * len(course.mean)
    rows = course.labels([down])
    if len(set(colours)) > MOST_NAMES:
        rows, colours = course.labels(course.axes), [""] * len(course.mean)
    row_names, names = list(dict.fromkeys(rows)), list(dict.fromkeys(colours))
    if len(row_names) > MOST_ROWS:
        rule = f"{len(row_names)} rows are too many to read; draw a part of the points"
        raise InputError("plot", [Issue("axes", rule)])
    many = len(names) > 1
    above_in = head_in(caption) + LINE_IN * (lines_of(names) if many else 0)
    height_in = above_in + 0.5 + len(row_names) * (ROW_IN + OTHER_IN * (len(names) - 1))
    figure = figure_of(title, caption, height_in=height_in)
    figure.subplots_adjust(top=1 - above_in / height_in, bottom=0.5 / height_in)
    axes = figure.add_subplot()
    step = 0.7 / len(names)
    for row, colour, mean, low, high in zip(
        rows, colours, course.mean, course.low, course.high, strict=True
    ):
        at = names.index(colour)
        up = len(row_names) - 1 - row_names.index(row) + step * (0.5 * (len(names) - 1) - at)
        axes.plot((low, high), (up, up), color=look(at)["color"], linewidth=1.6)
        axes.plot(mean, up, **look(at), markersize=5.0, zorder=3)
    axes.set_yticks(range(len(row_names))[::-1], short_names(row_names, ROW_LETTERS))
    left = 0.03 + names_width(axes)
    figure.subplots_adjust(left=left)
    axes.set_ylim(-0.6, len(row_names) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(course.words)
    if not course.mean.any():  # an axis around 0 would reach below it
        axes.set_xlim(-0.02, 1.0)
    if many:
        said = f"{course.name(rest[0])} " if len(rest) == 1 else ""
        legend_of(axes, [said + name for name in names], -left / (0.965 - left))
    return figure


def _clouds(course: Course, scales: dict[str, Scale | None], title: str, caption: str) -> "Figure":
    """Draw every point as a dot, over each axis in turn."""
    paths = course.axes[:MOST_PANELS]
    columns = min(3, len(paths))
    lines = -(-len(paths) // columns)
    if len(course.axes) > MOST_PANELS:
        caption += f" Only {MOST_PANELS} of {len(course.axes)} axes are shown."
    figure = figure_of(title, caption, height_in=1.2 + PANEL_IN * lines, below_in=0.6)
    top = figure.subplotpars.top + 0.2 / figure.get_figheight()
    figure.subplots_adjust(left=0.095, top=top, hspace=0.42, wspace=0.14)
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
    for axes, path in zip(panels, paths, strict=False):
        scale = scales[path]
        if scale is not None:
            axes.plot(scale.numbers, course.mean, "o", color=BLUE, markersize=3.0, alpha=0.5)
            _number_axis(axes, scale, course.name(path))
            continue
        words = course.labels([path])
        names = list(dict.fromkeys(words))
        x = [names.index(word) for word in words]
        axes.plot(x, course.mean, "o", color=BLUE, markersize=3.0, alpha=0.5)
        short = [short_text(short_name(name), CLOUD_LETTERS) for name in names]
        axes.set_xticks(range(len(names)), short, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.set_xlabel(course.name(path))
    for axes in panels[len(paths) :]:
        axes.set_axis_off()
    for axes in panels[::columns]:
        axes.set_ylabel(course.words)
    return figure


def _number_axis(axes: "Axes", scale: Scale, name: str) -> None:
    """Make the x axis one of numbers; a few values that are tried are its ticks."""
    tried = np.unique(scale.numbers)
    low, high = float(tried[0]), float(tried[-1])
    axes.set_xlabel(f"{name} [{scale.unit}]" if scale.unit else name)
    if low > 0.0 and high >= LOG_FROM * low:
        log_axis(axes, low / 1.15, high * 1.15)
        return
    if 2 <= len(tried) <= 8 and np.diff(tried).min() >= 0.08 * (high - low):
        axes.set_xticks(tried, [f"{value:,g}" for value in tried])
