"""Nodes awake, changing and asleep over time, and how many of them jobs hold."""

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simulator.display import count_text, number_text, share_text
from simulator.figures.series import Timeline, codes, column, stairs, timeline
from simulator.figures.style import (
    DATES_IN,
    GREEN,
    INK,
    PURPLE,
    SKY,
    figure_of,
    legend_above,
    say,
    styled,
    time_axis,
)

if TYPE_CHECKING:
    from simulator.results import Results

HEADING: Final = "Nodes awake and asleep"
ORDER: Final = 5

MANY: Final = 10_000
"""Nodes from which on they are counted in thousands."""
THOUSAND: Final = 1_000

Values = NDArray[np.float64]


def applies(results: "Results") -> bool:
    """Return whether any node slept, failed, left or came; otherwise all are awake at all times."""
    if not len(results.tables["hourly"]):
        return False
    awake, owned = column(results, "nodes_awake_mean"), column(results, "nodes_owned_mean")
    code, names = codes(results, "hourly", "cluster")
    came = any(np.ptp(owned[code == number]) > 0 for number in range(len(names)))
    return bool((awake < owned).any()) or came


def describe(results: "Results") -> str:
    """Return how many nodes were awake on average, and how many jobs needed."""
    time = timeline(results)
    if time is None:
        return "No node was in service"
    owned, awake, _, held = (_mean(time, nodes) for nodes in _nodes(results, time))
    if not owned:
        return "No node was in service"
    return (
        f"{number_text(awake, 3)} of {_count(owned)} nodes awake on average "
        f"({share_text(awake / owned)}); jobs would fill {number_text(held, 3)}"
    )


@styled
def draw(results: "Results") -> Figure:
    """Draw the nodes in service by state, stacked, and the accelerators held as nodes filled."""
    time = timeline(results)
    if time is None:
        figure = figure_of(describe(results), "Nodes by state")
        say(figure.add_subplot(), "No interval was reported.")
        return figure
    caption = f"Nodes of all clusters, {time.words}. Filled by jobs: accelerators held, in nodes."
    figure = figure_of(describe(results), caption, height_in=3.4, below_in=DATES_IN)
    _stack(figure.add_subplot(), results, time)
    return figure


def _stack(axes: Axes, results: "Results", time: Timeline) -> None:
    owned, awake, changing, held = (time.mean(nodes) for nodes in _nodes(results, time))
    dates = time_axis(axes, time.edges)
    tops = (awake, awake + changing, owned)
    handles: list[object] = []
    below = np.zeros(len(owned))
    for top, colour in zip(tops, (SKY, PURPLE, GREEN), strict=True):
        area = axes.fill_between(
            dates, stairs(below), stairs(top), step="post", color=colour, linewidth=0
        )
        handles.append(area)
        below = top
    handles += axes.step(dates, stairs(held), where="post", color=INK, linewidth=1.1)
    axes.set_ylim(0.0, 1.04 * max(float(owned.max()), 1.0))
    axes.set_ylabel("nodes")
    if owned.max() >= MANY:
        axes.set_ylabel("nodes [thousands]")
        axes.yaxis.set_major_formatter(lambda count, _: f"{count / THOUSAND:g}")
    resting = "asleep" if results.summary["failures"] is None else "asleep or failed"
    legend_above(axes, handles, ["awake", "entering or waking", resting, "filled by jobs"])


def _nodes(results: "Results", time: Timeline) -> tuple[Values, Values, Values, Values]:
    """Return the nodes in service, awake, entering or waking, and those that jobs would fill."""
    scenario = results.scenario
    code, names = codes(results, "hourly", "cluster")
    size = np.array([scenario.nodes[scenario.clusters[name].node].accelerators for name in names])
    held = column(results, "gpus_allocated_mean") / size[code]
    owned, awake, changing = (
        time.total(column(results, f"nodes_{state}_mean"))
        for state in ("owned", "awake", "transition")
    )
    return owned, awake, changing, time.total(held)


def _count(nodes: float) -> str:
    return count_text(nodes) if nodes == round(nodes) else number_text(nodes, 3)


def _mean(time: Timeline, nodes: Values) -> float:
    return float(np.average(nodes, weights=time.hours))
