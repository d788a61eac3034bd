"""Bars of ours with rings where something was published: what most figures of a paper are."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure

from simulator.display import number_text
from simulator.figures.legend import names_width
from simulator.figures.style import BLUE, INK, MUTED, RULE, figure_of, head_in, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulator.papers.findings import Check

ROW_IN: Final = 0.3
BELOW_IN: Final = 0.5
ROOM: Final = 1.22
"""How far the axis goes beyond the largest number, for what is written there."""


def draw_bars(
    checks: "Sequence[Check]",
    labels: Mapping[str, str],
    *,
    title: str,
    caption: str,
    axis: str,
    made_up: int = 0,
) -> Figure:
    """Draw a bar for each number of ours, and a ring at the published one.

    Parameters
    ----------
    checks : sequence of Check
        Of the figure.
    labels : mapping of str to str
        Names of the bars by the key of their number, from the top down.
    title, caption, axis : str
    made_up : int
        How many bars at the top are of made-up inputs, and grey.
    """
    ours = {check.number.key: check for check in checks}
    drawn = [ours[key] for key in labels]
    height_in = head_in(caption) + 0.35 + ROW_IN * len(drawn) + BELOW_IN
    with house_style():
        figure = figure_of(title, caption, height_in=height_in, below_in=BELOW_IN)
        axes = figure.add_subplot()
        _bars_on(axes, drawn, list(labels.values()), axis, made_up)
        left = 0.03 + names_width(axes)
        top = 1.0 - (head_in(caption) + 0.3) / height_in
        figure.subplots_adjust(left=left, top=top)
    return figure


def _bars_on(
    axes: "Axes", checks: "Sequence[Check]", labels: Sequence[str], axis: str, made_up: int
) -> None:
    places = np.arange(len(checks))[::-1].tolist()
    ours = [check.finding.value for check in checks]
    reach = [check.finding.half_width or 0.0 for check in checks]
    said = [(place, check.number.value) for place, check in zip(places, checks, strict=True)]
    known = [(place, value) for place, value in said if value is not None]
    errors = reach if any(reach) else None
    colours = [MUTED] * made_up + [BLUE] * (len(checks) - made_up)
    bars = axes.barh(places, ours, 0.62, color=colours, xerr=errors, ecolor=INK)
    high = max([*ours, *(value for _, value in known)])
    axes.set_xlim(0.0, high * ROOM)
    for place, value, check in zip(places, ours, checks, strict=True):
        published = check.number.value
        end = max(value, published or value)
        text = number_text(value, 3)
        if published is not None:
            about = "about " if check.number.exactness == "estimated" else ""
            text += f"  ({about}{published:g})"
        axes.annotate(
            text, (end, place), xytext=(7, 0), textcoords="offset points", va="center", fontsize=7.5
        )
    handles, words = [bars.patches[-1]], ["ours"]
    if made_up:
        handles.append(bars.patches[0])
        words.append("ours, of made-up inputs")
    if known:
        (rings,) = axes.plot(
            [value for _, value in known], [place for place, _ in known], "o", color=INK,
            markerfacecolor="none", markersize=6, markeredgewidth=1.1, zorder=5,
        )  # fmt: skip
        handles.append(rings)  # type: ignore[arg-type]
        words.append("published, in brackets")
    axes.legend(
        handles, words, loc="lower left", bbox_to_anchor=(0.0, 1.01), ncols=3, columnspacing=1.2
    )
    axes.set_yticks(places, labels)
    axes.set_ylim(-0.6, len(checks) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=RULE)
    axes.set_xlabel(axis)
