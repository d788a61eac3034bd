"""Energy or carbon of several runs against what they make wait, and the frontier between them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.columns import SUMMARY
from simulator.display import number_text
from simulator.errors import InputError, Issue, listing, nearest, printable, shown
from simulator.figures.labels import Label, place_labels
from simulator.figures.quantities import SAID
from simulator.figures.quantities import unit_of as _unit
from simulator.figures.quantities import words_of as _words
from simulator.figures.style import BLUE, INK, MUTED, PAPER, figure_of, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WAKE_UPS: Final = "wake_ups_per_node_day"
NO_LEGEND: Final = 0.045
"""Part of the height that a legend above the axes would take."""
ROOM: Final = 0.09
"""Part of an axis that stays free at either end."""

Values = NDArray[np.float64]
Summaries = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Point:
    """One run.

    Attributes
    ----------
    label : str
    x : float
        As the summary has it.
    change : float
        Of y against the baseline, 1 for twice as much.
    wake_ups_per_node_day : float or None
    beaten : bool
        Whether another run is no worse in both and better in one.
    """

    label: str
    x: float
    change: float
    wake_ups_per_node_day: float | None
    beaten: bool


def draw_pareto(
    summaries: Summaries, *, x: str, y: str, baseline: str | None, title: str | None
) -> "Figure":
    """Draw the summaries of several runs as `simulator.figures.pareto` says.

    Raises
    ------
    InputError
        If there is no such label or key, or a run lacks the quantity.
    """
    issues = list(_problems(summaries, x, y, baseline))
    if issues:
        raise InputError("pareto", issues)
    base = baseline if baseline is not None else next(iter(summaries))
    points = points_of(summaries, x, y, base)
    amount, unit = _amount(y, summaries[base][y])
    caption = (
        f"{base}: {amount} {unit} of {_words(y)}{SAID.get(y, '')}. Hollow: another run is at least "
        "as good in both. In brackets: wake-ups per node and day."
    )
    with house_style():
        figure = figure_of(title or _takeaway(points, x, y), caption, height_in=4.8)
        figure.subplots_adjust(top=figure.subplotpars.top + NO_LEGEND)
        _plot(figure.add_subplot(), points, x, y, base)
    return figure


def points_of(summaries: Summaries, x: str, y: str, baseline: str) -> list[Point]:
    """Return each run as a point, in the order given."""
    at = {label: (float(each[x]), float(each[y])) for label, each in summaries.items()}
    base = at[baseline][1]
    return [
        Point(
            label=label,
            x=own[0],
            change=own[1] / base - 1.0,
            wake_ups_per_node_day=summaries[label].get(WAKE_UPS),
            beaten=any(
                other[0] <= own[0] and other[1] <= own[1] and other != own for other in at.values()
            ),
        )
        for label, own in at.items()
    ]


def _plot(axes: "Axes", points: list[Point], x: str, y: str, base: str) -> None:
    size, unit = _unit(x, [point.x for point in points])
    along, up = _places(points, size)
    axes.set_xlim(*_limits(along, most=0.0))
    axes.set_ylim(*_limits(up))
    axes.set_xlabel(f"{_words(x)} [{unit}]" if unit else _words(x))
    axes.set_ylabel(f"{_words(y)} against {printable(base)} [%]")
    axes.yaxis.set_major_formatter(lambda value, _: _signed(value))
    corners = _frontier(points, size, axes.get_xlim()[1])
    axes.plot(*corners, color=BLUE, linewidth=1.4, zorder=3)
    labels = []
    for point, here, there in zip(points, along, up, strict=True):
        first = point.label == base
        colour = MUTED if point.beaten else BLUE
        axes.plot(
            here, there, "s" if first else "o", markersize=5.5, zorder=4, clip_on=False,
            color=INK if first else colour, markerfacecolor=PAPER if point.beaten else None,
        )  # fmt: skip
        labels.append(
            Label(
                x=float(here),
                y=float(there),
                text=_label(point),
                colour=MUTED if point.beaten else INK,
                weight="normal" if point.beaten else "bold",
            )
        )
    place_labels(axes, labels, corners)


def _places(points: list[Point], scale: float) -> tuple[Values, Values]:
    along = np.array([point.x for point in points]) / scale
    up = np.array([100 * point.change for point in points])
    return along, up


def _frontier(points: list[Point], scale: float, high: float) -> tuple[Values, Values]:
    """Return the corners of the line that joins what no other beats, as steps."""
    best = sorted({(point.x / scale, 100 * point.change) for point in points if not point.beaten})
    corners = [best[0]]
    for here, there in best[1:]:
        corners += [(here, corners[-1][1]), (here, there)]
    corners.append((high, corners[-1][1]))
    along, up = np.array(corners).T
    return along, up


def _limits(values: Values, most: float | None = None) -> tuple[float, float]:
    """Return the ends of an axis with some room beyond the values.

    Where all values lie above `most`, the axis begins little below it, if at all.
    """
    low, high = float(values.min()), float(values.max())
    room = ROOM * ((high - low) or abs(high) or 1.0)
    begin = low - room
    if most is not None and low >= most:
        begin = max(begin, most - room / 3)
    return begin, high + 1.3 * room


def _label(point: Point) -> str:
    name = printable(point.label)
    woken = point.wake_ups_per_node_day
    return name if woken is None else f"{name} ({number_text(woken, 2)})"


def _takeaway(points: list[Point], x: str, y: str) -> str:
    """Return how many are worth choosing, and what the one with the lowest y does."""
    free = sum(not point.beaten for point in points)
    low = min(points, key=lambda point: (point.change, point.x))
    amount, unit = _amount(x, low.x)
    return (
        f"{free} of {len(points)} on the frontier; lowest {_words(y)}: {low.label}, "
        f"{_signed(100 * low.change, '+.1f')} % at {amount} {unit} of {_words(x)}"
    )


def _signed(value: float, form: str = "+g") -> str:
    return format(value, form).replace("-", "\N{MINUS SIGN}") if value else "0"


def _amount(key: str, value: float) -> tuple[str, str]:
    """Return a quantity as text, and its unit."""
    size, unit = _unit(key, [value])
    return number_text(value / size, 3), unit


def _problems(summaries: Summaries, x: str, y: str, baseline: str | None) -> Iterator[Issue]:
    """Yield all that keeps the picture from being drawn."""
    if not summaries:
        yield Issue("runs", "there are none; give at least one, by its label")
        return
    if baseline is not None and baseline not in summaries:
        yield Issue("baseline", _unknown(baseline, list(summaries), "run"))
        return
    keys = [column.name for column in SUMMARY if column.type in ("int64", "float64")]
    unknown = [(name, key) for name, key in (("x", x), ("y", y)) if key not in keys]
    for name, key in unknown:
        yield Issue(name, _unknown(key, keys, "key of the summary"))
    if unknown:
        return
    for label, summary in summaries.items():
        for key in (x, y):
            value = summary.get(key)
            if value is None or not math.isfinite(value):
                yield Issue(label, f"has no {key}; leave this run out, or take another key")
    first = baseline if baseline is not None else next(iter(summaries))
    if summaries[first].get(y) == 0:
        yield Issue(first, f"its {y} is 0, to which nothing compares; take another key")


def _unknown(word: str, known: list[str], what: str) -> str:
    near = nearest(word, known)
    meant = f"did you mean {shown(near)}? " if near else ""
    return f"{shown(word)} is no {what}; {meant}known are {listing(known)}"
