"""Accelerators allocated and jobs queued over time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simulator.display import count_text, number_text, share_text, short_text
from simulator.figures.series import (
    Timeline,
    accelerators,
    codes,
    column,
    interval_words,
    stairs,
    timeline,
)
from simulator.figures.style import (
    BLUE,
    DATES_IN,
    INK,
    SERIES,
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
MOST_LINES: Final = 5
"""Most clusters whose queues get a line of their own."""
NAME_LETTERS: Final = 18

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Queue:
    """Jobs that wait over time, of one cluster or of all.

    Attributes
    ----------
    name : str
        Of the cluster; empty for all.
    jobs : float64[intervals]
        Means over the reporting intervals.
    colour : str
    """

    name: str
    jobs: Values
    colour: str


def describe(results: "Results") -> str:
    """Return the mean allocation and the longest queue."""
    time = timeline(results)
    if time is None:
        return "Nothing was allocated"
    longest = max(_queues(results, time), key=lambda queue: float(queue.jobs.max()))
    jobs = float(longest.jobs.max())
    where = f" at {short_text(longest.name, NAME_LETTERS)}" if longest.name else ""
    queue = f"largest {interval_words(results)} {number_text(jobs, 3)} jobs queued{where}"
    allocation = results.summary["allocation"]
    return (
        f"{share_text(allocation)} of {count_text(_capacity(results))} accelerators "
        f"allocated; {queue if jobs else 'no job queued'}"
    )


@styled
def draw(results: "Results") -> Figure:
    """Draw the accelerators held against capacity, and below it the jobs that wait."""
    time = timeline(results)
    if time is None:
        figure = figure_of(describe(results), "Accelerators allocated and jobs queued")
        say(figure.add_subplot(), "No interval was reported.")
        return figure
    queues = _queues(results, time)
    some = any(queue.jobs.any() for queue in queues)
    figure = figure_of(
        describe(results),
        _caption(time, queues if some else []),
        height_in=4.5 if some else 3.7,
        below_in=DATES_IN,
    )
    upper, lower = figure.subplots(2, 1, height_ratios=(1, 1) if some else (6, 1))
    _allocation(upper, results, time)
    if some:
        figure.subplots_adjust(hspace=0.32 if len(queues) > 1 else 0.14)
        _hide_time(upper)
        _waiting(lower, time, queues)
    else:
        figure.subplots_adjust(hspace=0.75, bottom=0.04)
        say(lower, "No job queued.")
    return figure


def _allocation(axes: Axes, results: "Results", time: Timeline) -> None:
    held = time.total(column(results, "gpus_allocated_mean"))
    handles = _band(axes, time, held, BLUE)
    capacity = _capacity(results)
    handles.append(axes.axhline(capacity, color=INK, linewidth=0.9, linestyle=(0, (4, 2))))
    labels = ["allocated", "capacity"]
    if time.grouped:
        labels.insert(1, "range")
    legend_above(axes, handles, labels)
    axes.set_ylim(0.0, 1.06 * capacity)
    axes.set_ylabel("accelerators")
    if capacity >= MANY:
        axes.set_ylabel("accelerators [thousands]")
        axes.yaxis.set_major_formatter(lambda count, _: f"{count / THOUSAND:g}")


def _waiting(axes: Axes, time: Timeline, queues: list[Queue]) -> None:
    lines = [_band(axes, time, queue.jobs, queue.colour)[0] for queue in queues]
    if len(queues) > 1:
        legend_above(axes, lines, [short_text(queue.name, NAME_LETTERS) for queue in queues])
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("jobs queued")


def _hide_time(axes: Axes) -> None:
    axes.set_xlabel("")
    axes.tick_params(labelbottom=False)


def _band(axes: Axes, time: Timeline, values: Values, colour: str) -> list[object]:
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


def _queues(results: "Results", time: Timeline) -> list[Queue]:
    """Return the queue of each cluster where there are a few, of all together otherwise."""
    jobs = column(results, "jobs_queued_mean")
    names = list(results.scenario.clusters)
    if not 1 < len(names) <= MOST_LINES:
        return [Queue("", time.total(jobs), VERMILION)]
    code, known = codes(results, "hourly", "cluster")
    return [
        Queue(name, time.total(np.where(code == known.index(name), jobs, 0.0)), SERIES[index])
        for index, name in enumerate(names)
        if name in known
    ]


def _caption(time: Timeline, queues: list[Queue]) -> str:
    what = "Allocated: all clusters. Queued: each cluster" if len(queues) > 1 else "All clusters"
    return f"{what}; {time.shown}."


def _capacity(results: "Results") -> int:
    return sum(accelerators(results).values())
