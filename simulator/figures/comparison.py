"""Differences from a base with their intervals, in per cent of the base: dots and whiskers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.display import difference_text
from simulator.errors import InputError, Issue
from simulator.figures.legend import LINE_IN, MOST_NAMES, legend_of, lines_of, look, short_name
from simulator.figures.quantities import HEADLINES, RARE, no_quantity, unit_of, words_of
from simulator.figures.style import (
    INK,
    MUTED,
    PAPER,
    figure_of,
    head_in,
    house_style,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_IN: Final = 0.26
"""Height of a row with one other. [in]"""
OTHER_IN: Final = 0.1
"""Height that every further other adds to a row. [in]"""
GAP_IN: Final = 0.46
"""Height between two panels, with the numbers of the upper one's axis. [in]"""
FOOT_IN: Final = 0.5
LEGEND_LEFT: Final = -0.27
"""Where the legend begins: below the title. [widths of a panel]"""

GROUPS: Final = (("carbon", "energy", "cost"), ("waits",), ("fleet",), ("jobs",))
"""Groups of headlines that share a panel and its scale: waits change by other orders."""
OTHERS: Final = "others"
MINUS: Final = "\N{MINUS SIGN}"

Row = Mapping[Any, Any]
Rows = Mapping[tuple[str, str], Row]


def draw_comparison(
    table: "pd.DataFrame",
    base: str,
    *,
    quantities: Sequence[str] | None = None,
    seeds: int | None = None,
    title: str | None = None,
    bases: Sequence[str] = (),
) -> "Figure":
    """Draw the differences of every other side from the base.

    Parameters
    ----------
    table : DataFrame
        One row for each other and quantity, with ``percent``, its interval, ``difference`` and
        ``clear``, as comparisons have it.
    base : str
        Name of the base.
    quantities : sequence of str, optional
        The rows; the headlines unless given. What has no per cent is left out and said.
    seeds : int, optional
        How many were run, for the caption.
    title : str, optional
        Replaces the takeaway.
    bases : sequence of str
        What location-based carbon stands on, of each side that is known.

    Raises
    ------
    InputError
        If a quantity is not in the table, or there are more others than can be told apart.
    """
    names = list(dict.fromkeys(table["other"]))
    known = set(table["quantity"])
    chosen = [name for name in (quantities or HEADLINES) if quantities or name in known]
    _check(names, chosen, known)
    rows: Rows = {(row["other"], row["quantity"]): row for row in table.to_dict("records")}
    drawn = [name for name in chosen if any(_says(rows[each, name], names) for each in names)]
    panels = _panels(drawn)
    row_in = ROW_IN + OTHER_IN * (len(names) - 1)
    heights = [len(panel) * row_in for panel in panels] or [ROW_IN]
    caption = _caption(base, chosen, drawn, seeds, tuple(dict.fromkeys(bases)))
    above_in = head_in(caption) + LINE_IN * (lines_of(names) if len(names) > 1 else 0)
    height_in = above_in + FOOT_IN + sum(heights) + GAP_IN * (len(heights) - 1)
    with house_style():
        words = title or _takeaway(rows, names, base)
        figure = figure_of(words, caption, height_in=height_in)
        figure.subplots_adjust(
            left=0.21, right=0.72 if len(names) == 1 else 0.965,
            top=1.0 - above_in / height_in, bottom=FOOT_IN / height_in,
            hspace=GAP_IN / (sum(heights) / len(heights)),
        )  # fmt: skip
        shape = {"height_ratios": heights}
        every = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw=shape)[:, 0]
        for axes, panel in zip(every, panels, strict=False):
            _plot(axes, rows, panel, names)
        every[-1].set_xlabel(f"difference in % of the mean of {short_name(base)}")
        if not panels:
            every[0].set_axis_off()
            every[0].text(0.5, 0.5, "nothing has a difference in per cent", ha="center")
        elif len(names) > 1:
            legend_of(every[0], names, LEGEND_LEFT)
    return figure


def _plot(axes: "Axes", rows: Rows, panel: list[str], names: list[str]) -> None:
    """Draw the quantities of one panel, the first on top."""
    places = np.arange(len(panel))[::-1]
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=2)
    step = 0.7 / len(names)
    for at, name in enumerate(names):
        colour = look(at)["color"]
        up = places + step * (0.5 * (len(names) - 1) - at)
        for place, quantity in zip(up, panel, strict=True):
            row = rows[name, quantity]
            hollow = row["clear"] is not True
            if len(names) == 1:
                axes.text(
                    1.02, place, _amount(row), transform=axes.get_yaxis_transform(), size=8,
                    va="center", color=MUTED if hollow else INK,
                )  # fmt: skip
            if not _has_percent(row):
                continue
            if row["percent_low"] == row["percent_low"]:
                ends = (row["percent_low"], row["percent_high"])
                axes.plot(ends, (place, place), color=colour, linewidth=1.6, zorder=3)
            axes.plot(
                row["percent"], place, **look(at), markersize=5.0, zorder=4,
                markerfacecolor=PAPER if hollow else colour,
            )  # fmt: skip
    axes.set_yticks(places, [words_of(quantity) for quantity in panel])
    axes.set_ylim(-0.6, len(panel) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(lambda value, _: _signed(value))
    low, high = axes.get_xlim()
    if max(abs(low), abs(high)) < 1.0:  # all but nothing: don't make it look large
        axes.set_xlim(-1.0, 1.0)


def _amount(row: Row) -> str:
    """Return a difference in its own unit, with half its interval."""
    if row["difference"] != row["difference"]:
        return "absent"
    size, unit = unit_of(row["quantity"], [row["base_mean"], row["other_mean"]])
    half = 0.5 * (row["high"] - row["low"]) / size if row["low"] == row["low"] else None
    text = difference_text(row["difference"] / size, half).replace("-", MINUS)
    text = f"{text} {unit}".rstrip()
    return text if _has_percent(row) else f"{text}, from 0"


def _panels(quantities: Sequence[str]) -> list[list[str]]:
    """Return the quantities panel by panel, each in the order given."""
    groups = [*GROUPS, (OTHERS,)]
    found = [
        [name for name in quantities if HEADLINES.get(name, (OTHERS, ""))[0] in group]
        for group in groups
    ]
    return [panel for panel in found if panel]


def _takeaway(rows: Rows, names: list[str], base: str) -> str:
    """Return what the others change of the total carbon, the headline of headlines."""
    key = "total_kgco2e"
    found = {name: rows.get((name, key)) for name in names}
    changes = {name: row for name, row in found.items() if row is not None and _has_percent(row)}
    if not changes:
        return f"{', '.join(short_name(name) for name in names[:3])} against {short_name(base)}"
    name, row = min(changes.items(), key=lambda pair: float(pair[1]["percent"]))
    sure = {True: "", False: ", not clear"}.get(row["clear"], ", one seed")
    lowest = "Lowest: " if len(changes) > 1 else ""
    change = f"{_signed(row['percent'], format(abs(row['percent']), '.1f'))} %"
    return f"{lowest}{short_name(name)}, {change} of total carbon against {short_name(base)}{sure}"


def _caption(
    base: str, chosen: list[str], drawn: list[str], seeds: int | None, bases: tuple[str, ...]
) -> str:
    """Say how to read the picture, and what is not in it."""
    words = "Mean difference of runs paired by seed"
    if seeds == 1:
        words = "Difference of one run from another: one seed has no interval"
    elif seeds is not None:
        words += f", {seeds} seeds; whiskers: 95 % interval; hollow: it includes 0"
    missing = [words_of(name) for name in chosen if name not in drawn and name not in RARE]
    if missing:
        words += f". Absent, or 0 with {short_name(base)}: {', '.join(missing)}"
    if "total_kgco2e" in drawn:
        stands_on = f" ({bases[0]})" if len(bases) == 1 else ""
        words += f". Total carbon: location-based{stands_on} and embodied"
    if len(bases) > 1:
        words += f". The sides stand on {len(bases)} bases: {'; '.join(bases)}"
    return f"{words}."


def _check(names: list[str], quantities: Sequence[str], known: set[str]) -> None:
    """Refuse what can't be drawn."""
    unknown = [name for name in quantities if name not in known]
    issues = [Issue("quantities", no_quantity(name, sorted(known))) for name in unknown]
    if len(names) > MOST_NAMES:
        rule = f"{len(names)} others can't be told apart; draw at most {MOST_NAMES}"
        issues.append(Issue("others", rule))
    if issues:
        raise InputError("plot", issues)


def _says(row: Row, names: list[str]) -> bool:
    """Return whether a row says something: a per cent, or beside a lone other a difference."""
    return _has_percent(row) or (len(names) == 1 and bool(abs(row["difference"]) > 0.0))


def _has_percent(row: Row) -> bool:
    return bool(row["percent"] == row["percent"])


def _signed(value: float, text: str | None = None) -> str:
    """Return a number with its sign, a true minus."""
    if value == 0.0:
        return "0"
    sign = "+" if value > 0.0 else MINUS
    return sign + (text or format(abs(value), ",g"))
