"""How much of the variance of a result each axis explains: Sobol indices with their intervals."""

from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.display import short_text
from simulator.errors import InputError, Issue
from simulator.figures.quantities import axis_names, words_of
from simulator.figures.style import (
    BLUE,
    MUTED,
    ORANGE,
    PAPER,
    figure_of,
    house_style,
    legend_above,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS: Final = 14
"""Most axes that are drawn; the others explain least."""
ROW_IN: Final = 0.34
"""Height that an axis takes. [in]"""
AROUND_IN: Final = 1.75
"""Height of everything else. [in]"""
APART: Final = 0.17
"""From the middle of a row to each of its two indices, in rows."""
NAME_LETTERS: Final = 24
ALL_PERCENT: Final = 99.5


def draw_indices(
    table: "pd.DataFrame",
    quantity: str,
    *,
    confidence: float = 0.95,
    samples: int | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw the indices of one quantity.

    Parameters
    ----------
    table : pandas.DataFrame
        ``axis, first, first_interval, total, total_interval``, as
        `simulator.analysis.sensitivity.SobolIndices.of` returns them.
    quantity : str
        Key of the summary whose variance is shared out.
    confidence : float
        Of the intervals. [1]
    samples : int, optional
        Base samples, for the caption.
    title : str, optional
        Replaces the takeaway.

    Raises
    ------
    InputError
        If there is no axis.
    """
    if table.empty:
        raise InputError("indices", [Issue(quantity, "has no indices to be drawn; take another")])
    rows = table.sort_values("total", ascending=False, kind="stable", ignore_index=True)
    shown = rows.head(MOST_ROWS)
    caption = (
        "First-order: what fixing the axis alone would take off the variance. Total: what would "
        f"stay if all others were fixed. Lines: intervals of confidence {confidence:g}"
    )
    caption += f", {samples} base samples." if samples is not None else "."
    if len(rows) > len(shown):
        caption += f" Not drawn: {len(rows) - len(shown)} with smaller totals."
    names = axis_names([str(axis) for axis in rows["axis"]], least=2)
    height_in = AROUND_IN + ROW_IN * len(shown)
    with house_style():
        figure = figure_of(title or _takeaway(shown, quantity), caption, height_in=height_in)
        axes = figure.add_subplot()
        _dots(axes, shown, [names[str(axis)] for axis in shown["axis"]])
        axes.set_xlabel(f"share of the variance of {words_of(quantity)}")
        figure.subplots_adjust(left=0.2)
    return figure


def _dots(axes: "Axes", table: "pd.DataFrame", names: list[str]) -> None:
    places = np.arange(len(table), dtype=np.float64)
    handles = []
    for key, colour, shift, fill in (
        ("first", BLUE, -APART, BLUE),
        ("total", ORANGE, APART, PAPER),
    ):
        values = table[key].to_numpy(np.float64)
        around = table[f"{key}_interval"].to_numpy(np.float64)
        axes.hlines(
            places + shift, values - around, values + around, color=colour, linewidth=1.6, zorder=3
        )
        (handle,) = axes.plot(
            values, places + shift, "o", color=colour, markerfacecolor=fill, markersize=5.5,
            zorder=4,
        )  # fmt: skip
        handles.append(handle)
        for value, end, place in zip(values, values + around, places + shift, strict=True):
            axes.annotate(
                _number(value), (max(end, value), place), (6, 0), textcoords="offset points",
                va="center", size=7.5, color=MUTED,
            )  # fmt: skip
    axes.set_xlim(min(-0.03, axes.dataLim.x0), max(1.0, axes.dataLim.x1) + 0.1)
    axes.axvline(0.0, color=MUTED, linewidth=0.7, zorder=2)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_yticks(places, [short_text(name, NAME_LETTERS) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    legend_above(axes, handles, ["first-order", "total"])


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def _takeaway(table: "pd.DataFrame", quantity: str) -> str:
    """Return the axis that explains most, and how much of it."""
    first = table.iloc[0]
    name = axis_names([str(axis) for axis in table["axis"]], least=2)[str(first["axis"])]
    own, both = (100.0 * max(0.0, float(first[key])) for key in ("first", "total"))
    if max(own, both) > ALL_PERCENT:  # estimates reach beyond 1, shares don't
        return f"{name} explains nearly all of the variance of {words_of(quantity)}"
    return (
        f"{name} explains {own:.0f} % of the variance of {words_of(quantity)} alone, "
        f"{both:.0f} % in all"
    )
