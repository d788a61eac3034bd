"""Accelerators allocated and jobs queued over time."""

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simulator.display import count_text, number_text, share_text
from simulator.figures.series import Timeline, column, stairs, timeline
from simulator.figures.style import (
    BLUE,
    INK,
    VERMILION,
    figure_of,
    legend_above,
    say,
    styled,
    time_axis,
)

if TYPE_CHECKING:
    from simulator.results import Results

HEADING: Final = "Accelerators allocated and jobs queued"
ORDER: Final = 4
THOUSAND: Final = 1_000
MANY: Final = 10_000
"""Accelerators from which on they are counted in thousands."""


def describe(results: "Results") -> str:
    """Return the mean allocation and the longest queue."""
    time = timeline(results)
    if time is None:
        return "Nothing was allocated"
    longest = float(time.total(column(results, "jobs_queued_mean")).max())
    queue = f"longest queue {number_text(longest, 3)} jobs" if longest else "no job queued"
    if 0.0 < longest < 0.1:
        queue = "hardly a job queued"
    allocation = results.summary["allocation"]
    return (
        f"{share_text(allocation)} of {count_text(_capacity(results))} accelerators "
        f"allocated on average; {queue}"
    )


@styled
def draw(results: "Results") -> Figure:
    """Draw the accelerators held against capacity, and below it the jobs that wait."""
    time = timeline(results)
    if time is None:
        figure = figure_of(describe(results), "Accelerators allocated and jobs queued")
        say(figure.add_subplot(), "No interval was reported.")
        return figure
    figure = figure_of(describe(results), f"All clusters, {time.shown}.", height_in=4.2)
    figure.subplots_adjust(hspace=0.14)
    upper, lower = figure.subplots(2, 1)
    held = time.total(column(results, "gpus_allocated_mean"))
    handles = _band(upper, time, held, BLUE)
    capacity = _capacity(results)
    handles.append(upper.axhline(capacity, color=INK, linewidth=0.9, linestyle=(0, (4, 2))))
    labels = ["allocated", "capacity"]
    if time.grouped:
        labels.insert(1, "range")
    legend_above(upper, handles, labels)
    upper.set_ylim(0.0, 1.06 * capacity)
    upper.set_ylabel("accelerators")
    if capacity >= MANY:
        upper.set_ylabel("accelerators [thousands]")
        upper.yaxis.set_major_formatter(lambda count, _: f"{count / THOUSAND:g}")
    upper.set_xlabel("")
    upper.tick_params(labelbottom=False)
    upper.xaxis.offsetText.set_visible(False)
    _band(lower, time, time.total(column(results, "jobs_queued_mean")), VERMILION)
    lower.set_ylim(0.0, max(1.0, lower.get_ylim()[1]))
    lower.set_ylabel("jobs queued")
    return figure


def _band(axes: Axes, time: Timeline, values: NDArray[np.float64], colour: str) -> list[object]:
    """Draw the means as a line, and where a step holds several intervals their spread."""
    dates = time_axis(axes, time.edges)
    mean = stairs(time.mean(values))
    handles: list[object] = list(axes.step(dates, mean, where="post", color=colour))
    if time.grouped:
        low, high = stairs(time.low(values)), stairs(time.high(values))
        spread = axes.fill_between(
            dates, low, high, step="post", color=colour, alpha=0.25, linewidth=0
        )
        handles.append(spread)
    axes.margins(y=0.08)
    return handles


def _capacity(results: "Results") -> int:
    scenario = results.scenario
    return sum(
        cluster.count * scenario.nodes[cluster.node].accelerators
        for cluster in scenario.clusters.values()
    )
