"""What each axis does on its own: bars to both sides of the base's result, the widest on top."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.display import number_text, short_text
from simulator.errors import InputError, Issue
from simulator.figures.quantities import SAID, amount_words, axis_names, unit_of, words_of
from simulator.figures.style import BLUE, INK, MUTED, ORANGE, figure_of, house_style, legend_above

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS: Final = 14
"""Most axes that are drawn; the others move the result least."""
BAR_IN: Final = 0.3
"""Height that an axis takes. [in]"""
THICKNESS: Final = 0.62
"""Part of that height that its bar takes."""
AROUND_IN: Final = 1.75
"""Height of everything else. [in]"""
ROOM: Final = 0.24
"""Part of the width that stays free for labels at either end."""
NAME_LETTERS: Final = 24
VALUE_LETTERS: Final = 20
GAP_PT: Final = 4.0
"""Between the end of a bar and its label. [pt]"""


def draw_tornado(table: "pd.DataFrame", quantity: str, *, title: str | None = None) -> "Figure":
    """Draw the table that `simulator.analysis.sensitivity.tornado` returns.

    Parameters
    ----------
    table : pandas.DataFrame
        ``axis, low, high, at_low, at_high, at_base, swing``, the widest first.
    quantity : str
        Key of the summary that the results are.
    title : str, optional
        Replaces the takeaway.

    Raises
    ------
    InputError
        If no axis has both its results.
    """
    whole = table.dropna(subset=["at_low", "at_high"])
    if whole.empty:
        raise InputError("tornado", [Issue("axes", "none has results at both ends; run them")])
    shown = whole.head(MOST_BARS)
    results = shown[["at_low", "at_high", "at_base"]].to_numpy(np.float64)
    size, unit = unit_of(quantity, np.abs(results).ravel())
    caption = _caption(table, len(shown), quantity, size, unit)
    with house_style():
        height_in = AROUND_IN + BAR_IN * len(shown)
        figure = figure_of(
            title or _takeaway(shown, quantity, size, unit), caption, height_in=height_in
        )
        axes = figure.add_subplot()
        names = axis_names([str(axis) for axis in table["axis"]], least=2)
        _bars(axes, shown, [names[str(axis)] for axis in shown["axis"]], size)
        axes.set_xlabel(f"{words_of(quantity)} [{unit}]" if unit else words_of(quantity))
        figure.subplots_adjust(left=0.2)
    return figure


def _bars(axes: "Axes", table: "pd.DataFrame", names: list[str], size: float) -> None:
    base = float(table["at_base"].iloc[0]) / size
    ends = table[["at_low", "at_high"]].to_numpy(np.float64) / size
    widest = max(float(np.ptp([*ends.ravel(), base])), abs(base) * 1e-9, 1e-300)
    axes.set_xlim(min(ends.min(), base) - ROOM * widest, max(ends.max(), base) + ROOM * widest)
    handles: list[Any] = [None, None]
    for row, (low, high) in enumerate(ends):
        # Where both ends lie on one side they share the lane, the low value's above.
        shared = (low - base) * (high - base) > 0
        for at, (end, colour) in enumerate(((low, BLUE), (high, ORANGE))):
            height = THICKNESS / 2 if shared else THICKNESS
            middle = row + (at - 0.5) * height if shared else float(row)
            handles[at] = axes.barh(middle, end - base, height, left=base, color=colour, zorder=3)
            other = (high, low)[at]
            left = end < base or (end == base and (other > base or (other == base and at == 0)))
            text = amount_words(table[("low", "high")[at]].iloc[row])
            _label(axes, end, middle, short_text(text, VALUE_LETTERS), left=left)
    axes.axvline(base, color=INK, linewidth=1.0, zorder=4)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_yticks(range(len(table)), [short_text(name, NAME_LETTERS) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    legend_above(axes, handles, ["at the low value", "at the high value"])


def _label(axes: "Axes", x: float, y: float, text: str, *, left: bool) -> None:
    axes.annotate(
        text, (x, y), (-GAP_PT if left else GAP_PT, 0), textcoords="offset points",
        ha="right" if left else "left", va="center", size=7.5, color=MUTED, zorder=5,
    )  # fmt: skip


def _takeaway(table: "pd.DataFrame", quantity: str, size: float, unit: str) -> str:
    """Return which axis moves the result most, and from where to where."""
    first = table.iloc[0]
    results = sorted(float(first[key]) / size for key in ("at_low", "at_high", "at_base"))
    name = axis_names([str(axis) for axis in table["axis"]], least=2)[str(first["axis"])]
    low, high = (number_text(value, 3) for value in (results[0], results[-1]))
    return f"{name} moves {words_of(quantity)} most: {low} to {high} {unit}".rstrip()


def _caption(table: "pd.DataFrame", drawn: int, quantity: str, size: float, unit: str) -> str:
    base = number_text(float(table["at_base"].iloc[0]) / size, 3)
    said = SAID.get(quantity, "")
    text = (
        f"Each axis at its low and at its high value, all others at the base: {base} {unit} of "
        f"{words_of(quantity)}{said}."
    ).replace("  ", " ")
    failed = int(table[["at_low", "at_high"]].isna().any(axis=1).sum())
    if failed:
        text += f" Not drawn: {failed} with a failed run."
    if len(table) - failed > drawn:
        text += f" Not drawn: {len(table) - failed - drawn} that move it less."
    return text
