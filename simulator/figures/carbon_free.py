"""CFE score against the embodied carbon that it takes: each point of a sweep a dot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from simulator.display import MASS, mass_text, share_text, unit_for
from simulator.errors import InputError, Issue
from simulator.figures.labels import Label, place_labels
from simulator.figures.quantities import axis_names, value_words
from simulator.figures.style import BLUE, INK, MUTED, PAPER, figure_of, house_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCORE: Final = "cfe_score_hourly"
EMBODIED: Final = "scope3_supply_kgco2e"
MOST_NAMED: Final = 7
"""Points that are named, spread along the frontier."""
ROOM: Final = 0.05
"""Part of an axis that stays free beyond the dots."""

Values = NDArray[np.float64]


def draw_carbon_free(
    points: "pd.DataFrame", axes: Sequence[str], *, title: str | None = None
) -> "Figure":
    """Draw the hourly CFE score of every point against what its supply embodies.

    The frontier joins the points than which no other has a higher score for as little carbon.

    Parameters
    ----------
    points : DataFrame
        One row per point, as `Study.points` has them.
    axes : sequence of str
        Dotted paths of what was varied.
    title : str, optional
        Replaces the takeaway.

    Raises
    ------
    InputError
        If no point has supply.
    """
    known = points[points[SCORE].notna() & points[EMBODIED].notna()]
    if known.empty:
        rule = "is absent at every point; no site has supply"
        raise InputError("carbon-free", [Issue(SCORE, rule)])
    score, embodied_kg = (known[name].to_numpy(np.float64) for name in (SCORE, EMBODIED))
    best = frontier(embodied_kg, score)
    size, unit = unit_for(embodied_kg.tolist(), MASS)
    along, up = embodied_kg / size, 100.0 * score
    names = ", ".join(axis_names(axes, least=2).values())
    caption = (
        f"Each dot is a point of the sweep; named: {names}. Hollow: another has more for less."
    )
    with house_style():
        figure = figure_of(title or _takeaway(embodied_kg, score, best), caption, height_in=4.4)
        drawn = figure.add_subplot()
        drawn.set_xlabel(f"embodied carbon of generation and storage in the run [{unit} CO2e]")
        drawn.set_ylabel("CFE score, hourly [%]")
        labels = [_words(known, axes, row) for row in range(len(known))]
        _plot(drawn, along, up, best, labels)
    return figure


def frontier(cost: Values, score: Values) -> list[int]:
    """Return the points than which none scores higher at as little cost, from the cheapest on."""
    best: list[int] = []
    for at in np.lexsort((-score, cost)).tolist():
        if not best or score[at] > score[best[-1]]:
            best.append(at)
    return best


def _plot(axes: "Axes", along: Values, up: Values, best: list[int], labels: Sequence[str]) -> None:
    high, low = float(up.max()), float(up.min())
    room = ROOM * max(high - low, 1.0)
    axes.set_ylim(max(low - room, 0.0), min(high + 2 * room, 103.0))
    right = float(along.max()) or 1.0
    axes.set_xlim(-ROOM * right / 2, right * (1 + 3 * ROOM))
    hollow = np.setdiff1d(np.arange(len(along)), best)
    axes.plot(
        along[hollow], up[hollow], "o", markersize=4.5, color=MUTED, markerfacecolor=PAPER, zorder=3
    )
    corners = (along[best], up[best])
    axes.plot(*corners, "-", color=BLUE, linewidth=1.2, zorder=3)
    axes.plot(*corners, "o", color=BLUE, markersize=5.5, zorder=4)
    chosen = np.unique(np.linspace(0, len(best) - 1, min(MOST_NAMED, len(best))).round()).astype(
        int
    )
    named = [
        Label(float(along[at]), float(up[at]), labels[at], INK, "normal")
        for at in (best[index] for index in chosen)
    ]
    place_labels(axes, named, corners, (along[hollow], up[hollow]))


def _words(known: "pd.DataFrame", axes: Sequence[str], row: int) -> str:
    return ", ".join(value_words(known[path].iloc[row]) for path in axes)


def _takeaway(embodied_kg: Values, score: Values, best: list[int]) -> str:
    first, last = best[0], best[-1]
    added = mass_text(float(embodied_kg[last] - embodied_kg[first]))
    return (
        f"From {share_text(float(score[first]))} carbon-free by the hour to "
        f"{share_text(float(score[last]))} for {added} CO2e more embodied"
    )
