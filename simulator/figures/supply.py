"""A week of supply stacked against the load, and what is stored."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simulator.display import ENERGY, POWER, energy_text, share_text, unit_for
from simulator.figures.series import stairs
from simulator.figures.style import (
    DATES_IN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    RULE,
    SKY,
    figure_of,
    legend_above,
    say,
    styled,
    time_axis,
)
from simulator.units import MS_PER_D, MS_PER_H

if TYPE_CHECKING:
    from simulator.results import Results

HEADING: Final = "Supply"
ORDER: Final = 6
SHOWN_MS: Final = 7 * MS_PER_D

Values = NDArray[np.float64]

STACK: Final = (
    ("solar_kwh", "solar", ORANGE),
    ("wind_kwh", "wind", SKY),
    ("discharged_kwh", "storage", PURPLE),
    ("grid_kwh", "grid", MUTED),
)
"""Column, words and colour of each source, from the bottom of the stack to its top."""


@dataclass(frozen=True, slots=True)
class _Week:
    """The intervals shown, summed over sites."""

    edges: NDArray[np.datetime64]
    hours: Values
    kwh: dict[str, Values]


def applies(results: "Results") -> bool:
    """Return whether any site has supply."""
    return "supply" in results.tables


def describe(results: "Results") -> str:
    """Return how much was carbon-free in its hour, and what came from the grid."""
    score, grid = results.summary["cfe_score_hourly"], results.summary["grid_kwh"]
    if score is None or grid is None:
        return "No site with supply drew energy"
    curtailed = energy_text(results.summary["curtailed_kwh"])
    return (
        f"{share_text(score)} of the energy was carbon-free in its hour; {energy_text(grid)} came "
        f"from the grid, {curtailed} were curtailed"
    )


@styled
def draw(results: "Results") -> Figure:
    """Draw a week from the middle of the run: sources against the load, and what is stored."""
    week = _week(results) if applies(results) else None
    if week is None:
        figure = figure_of(describe(results), "Supply of all sites")
        say(figure.add_subplot(), "No interval was reported.")
        return figure
    caption = (
        "All sites with supply, a week from the middle of the run. Above the line of the load: "
        "what charges storage. Pale: curtailed."
    )
    figure = figure_of(describe(results), caption, height_in=4.2, below_in=DATES_IN)
    stored = week.kwh["stored_kwh"]
    if not stored.any():
        _stack(figure.add_subplot(), week)
        return figure
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    _stack(above, week)
    above.set_xlabel("")
    size, unit = unit_for(stored.tolist(), ENERGY)
    dates = time_axis(below, week.edges)
    below.fill_between(dates[1:], 0.0, stored / size, color=PURPLE, alpha=0.5, linewidth=0)
    below.set_ylim(bottom=0.0)
    below.set_ylabel(f"stored [{unit}]")
    return figure


def _stack(axes: Axes, week: _Week) -> None:
    taken = _taken(week)
    load_kw, curtailed_kw = (week.kwh[f"{name}_kwh"] / week.hours for name in ("load", "curtailed"))
    total_kw = sum(taken.values(), np.zeros(len(week.hours)))
    size, unit = unit_for((total_kw + curtailed_kw).tolist(), POWER)
    dates = time_axis(axes, week.edges)
    below = np.zeros(len(week.hours))
    handles: list[object] = []
    labels = []
    layers = [(taken[name], words, colour) for name, words, colour in STACK if taken[name].any()]
    layers += [(curtailed_kw, "curtailed", RULE)] if curtailed_kw.any() else []
    for power_kw, words, colour in layers:
        top = below + power_kw / size
        area = axes.fill_between(
            dates, stairs(below), stairs(top), step="post", color=colour, linewidth=0
        )
        handles.append(area)
        labels.append(words)
        below = top
    handles += axes.step(dates, stairs(load_kw / size), where="post", color=INK, linewidth=1.1)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel(f"power [{unit}]")
    legend_above(axes, handles, [*labels, "load"])


def _taken(week: _Week) -> dict[str, Values]:
    """Return the mean power of each source, generation without what is curtailed. [kW]."""
    made = week.kwh["solar_kwh"] + week.kwh["wind_kwh"]
    some = made > 0.0
    share = np.where(some, 1.0 - week.kwh["curtailed_kwh"] / np.where(some, made, 1.0), 1.0)
    return {
        name: week.kwh[name] * (share if name in ("solar_kwh", "wind_kwh") else 1.0) / week.hours
        for name, _, _ in STACK
    }


def _week(results: "Results") -> _Week | None:
    """Return the intervals shown: whole days in UTC about the middle of the run."""
    table = results.tables["supply"]
    if not len(table):
        return None
    rows_ms = table["time"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    time_ms, row = np.unique(rows_ms, return_inverse=True)
    step_ms = results.scenario.accounting.interval_ms
    last_ms = int(time_ms[-1] // step_ms + 1) * step_ms
    middle_ms = (int(time_ms[0]) + last_ms) // 2
    begin_ms = max(int(time_ms[0]), (middle_ms - SHOWN_MS // 2) // MS_PER_D * MS_PER_D)
    shown = (time_ms >= begin_ms) & (time_ms < begin_ms + SHOWN_MS)
    edges_ms = np.append(time_ms[shown], time_ms[~shown & (time_ms > begin_ms)][:1])
    if len(edges_ms) == shown.sum():
        edges_ms = np.append(edges_ms, last_ms)
    kwh = {}
    for name in table.column_names:
        if name.endswith("_kwh") and not name.startswith("intensity"):
            values = np.nan_to_num(table[name].to_numpy())
            sums = np.bincount(row, values, minlength=len(time_ms))
            kwh[name] = sums.astype(np.float64)[shown]
    hours = np.diff(edges_ms) / MS_PER_H
    return _Week(edges_ms.astype("datetime64[ms]"), hours, kwh)
