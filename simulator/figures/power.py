"""Power by state over time."""

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simulator.display import POWER, number_text, quantity_text, unit_for
from simulator.figures.series import Timeline, column, stairs, timeline, unheld_idle_kwh
from simulator.figures.style import (
    BLUE,
    DATES_IN,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    figure_of,
    legend_above,
    say,
    styled,
    time_axis,
)

if TYPE_CHECKING:
    from simulator.results import Results

HEADING: Final = "Power by state"
ORDER: Final = 1
LEAST: Final = 0.005
"""Smallest share that rounds to a whole per cent."""

STATES: Final = (
    ("energy_idle_kwh", "idle power", ORANGE),
    ("energy_dynamic_kwh", "dynamic", BLUE),
    ("energy_sleep_kwh", "sleep", GREEN),
    ("energy_transition_kwh", "transition", PURPLE),
)
"""Column, words and colour of each state, from the bottom of the stack to its top."""


def describe(results: "Results") -> str:
    """Return the mean IT power, the share of each state, and of idle power what no job held."""
    summary = results.summary
    time = timeline(results)
    total_kwh = summary["energy_it_kwh"]
    if time is None or not total_kwh:
        return "No power was drawn"
    mean_kw = total_kwh / float(time.hours.sum())
    shares = {
        name: f"{_per_cent(summary[name] / total_kwh)} {words}"
        for name, words, _ in STATES
        if summary[name]
    }
    if summary["energy_idle_kwh"]:
        unheld = _per_cent(unheld_idle_kwh(results) / total_kwh)
        shares["energy_idle_kwh"] += f" ({unheld} held by no job)"
    return f"IT power averaged {quantity_text(mean_kw, POWER, 3)}: {', '.join(shares.values())}"


@styled
def draw(results: "Results") -> Figure:
    """Draw the IT power of all clusters, stacked by state, over time."""
    time = timeline(results)
    if time is None:
        figure = figure_of(describe(results), "IT power by state")
        say(figure.add_subplot(), "No interval was reported.")
        return figure
    power_kw = {
        name: time.total(column(results, name)) / time.hours
        for name, _, _ in STATES
        if results.summary[name]
    }
    figure = figure_of(describe(results), _caption(results, time), height_in=3.4, below_in=DATES_IN)
    _stack(figure.add_subplot(), time, power_kw)
    return figure


def _stack(axes: Axes, time: Timeline, power_kw: dict[str, NDArray[np.float64]]) -> None:
    total_kw = sum(power_kw.values(), np.zeros(len(time.hours)))
    size, unit = unit_for(time.high(total_kw).tolist(), POWER)
    dates = time_axis(axes, time.edges)
    below = np.zeros(len(time.first))
    handles, labels = [], []
    for name, words, colour in STATES:
        if name in power_kw:
            above = below + time.mean(power_kw[name]) / size
            area = axes.fill_between(
                dates, stairs(below), stairs(above), step="post", color=colour, linewidth=0
            )
            handles.append(area)
            labels.append(words)
            below = above
    if time.grouped:
        low, high = stairs(time.low(total_kw) / size), stairs(time.high(total_kw) / size)
        spread = axes.fill_between(dates, low, high, step="post", color=INK, alpha=0.3, linewidth=0)
        handles.append(spread)
        labels.append("range of the total")
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel(f"IT power [{unit}]")
    legend_above(axes, handles, labels)


def _per_cent(share: float) -> str:
    return "below 1 %" if 0.0 < share < LEAST else f"{100 * share:.0f} %"


def _caption(results: "Results", time: Timeline) -> str:
    pue = results.summary["pue"]
    facility = "" if pue is None else f" Facility: {number_text(pue, 3)} times as much (PUE)."
    return f"IT power of all clusters, {time.shown}.{facility}"
