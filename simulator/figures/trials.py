"""The trials of a search: the best so far, two objectives with their front, or pairs of more."""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.display import count_text, number_text
from simulator.errors import InputError, Issue
from simulator.figures.labels import Label, place_labels
from simulator.figures.quantities import SAID, unit_of, words_of
from simulator.figures.style import (
    BLUE,
    INK,
    MUTED,
    PAPER,
    figure_of,
    house_style,
    legend_above,
    say,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = NDArray[np.float64]
Goal = tuple[str, bool]
"""A quantity, and whether more of it is better."""

MOST_LABELLED: Final = 12
"""Points of a front up to which each bears the number of its trial."""
ROOM: Final = 0.07
"""Part of an axis that stays free at either end."""
PANEL_IN: Final = 2.9
"""Height of a row of pairs. [in]"""
COLUMNS: Final = 3
"""Pairs in a row."""
DOT: Final = 4.5
CROSS: Final = 4.0


def draw_trials(
    trials: "pd.DataFrame",
    goals: Sequence[Goal],
    *,
    base: Mapping[str, Any] | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw the trials of a search.

    Parameters
    ----------
    trials : pandas.DataFrame
        One row for each: ``trial``, the quantities, ``feasible`` and ``on_front``.
    goals : sequence of (str, bool)
        The objectives: a quantity, and whether more is better.
    base : mapping, optional
        Summary of what every trial started from, to compare with.
    title : str, optional
        Replaces the takeaway.

    Raises
    ------
    InputError
        If no trial has results.
    """
    base = base or {}
    names = [quantity for quantity, _ in goals]
    ran = trials.dropna(subset=names)
    if ran.empty:
        rule = "no trial has results to be drawn; look at the column failed"
        raise InputError("trials", [Issue(", ".join(names), rule)])
    pairs = list(combinations(range(len(goals)), 2))
    rows = -(-len(pairs) // COLUMNS)
    height_in = 4.8 if len(goals) == 2 else 3.9 if len(goals) == 1 else 1.3 + PANEL_IN * rows
    with house_style():
        figure = figure_of(
            title or _takeaway(ran, goals, base), _caption(trials, goals), height_in=height_in
        )
        if len(goals) == 1:
            _best_so_far(figure.add_subplot(), ran, goals[0], base)
            return figure
        if len(goals) == 2:
            axes = figure.add_subplot()
            legend_above(axes, *_pair(axes, ran, goals, base))
            _front(axes, ran, goals, base)
            return figure
        panels = figure.subplots(rows, min(COLUMNS, len(pairs)), squeeze=False).ravel()
        for at, panel in enumerate(panels):
            if at < len(pairs):
                marks = _pair(panel, ran, [goals[k] for k in pairs[at]], base)
                if at == 0:
                    legend_above(panel, *marks)
            else:
                say(panel, "")
        figure.subplots_adjust(wspace=0.42, hspace=0.42)
    return figure


def _best_so_far(axes: "Axes", trials: "pd.DataFrame", goal: Goal, base: Mapping[str, Any]) -> None:
    quantity, maximise = goal
    size, unit = _scale(trials, quantity, base)
    numbers = trials["trial"].to_numpy(np.float64)
    values = _column(trials, quantity, size)
    feasible = trials["feasible"].to_numpy(bool)
    handles, words = _marks(axes, numbers, values, feasible, np.zeros(len(values), bool))
    if feasible.any():
        along = (np.maximum if maximise else np.minimum).accumulate(values[feasible])
        last = float(numbers.max())
        (line,) = axes.step(
            [*numbers[feasible], last], [*along, along[-1]], where="post", color=BLUE, zorder=3
        )
        handles.append(line)
        words.append("best so far")
    if _has(base, quantity):
        handles.append(axes.axhline(base[quantity] / size, color=INK, linewidth=0.9, dashes=(4, 3)))
        words.append("base")
    spots = values[_seen(trials)]
    if _has(base, quantity):
        spots = np.append(spots, base[quantity] / size)
    axes.set_ylim(_with_room(spots))
    axes.set_xlim(-0.5, float(numbers.max()) + 0.5)
    axes.set_xlabel("trial")
    axes.set_ylabel(_axis_name(quantity, unit))
    legend_above(axes, handles, words)


def _pair(
    axes: "Axes", trials: "pd.DataFrame", goals: Sequence[Goal], base: Mapping[str, Any]
) -> tuple[list[Any], list[str]]:
    """Draw two objectives against one another; return handles and words for a legend."""
    (x, _), (y, _) = goals
    (x_size, x_unit), (y_size, y_unit) = (_scale(trials, each, base) for each in (x, y))
    along, up = _column(trials, x, x_size), _column(trials, y, y_size)
    front = trials["on_front"].to_numpy(bool)
    handles, words = _marks(axes, along, up, trials["feasible"].to_numpy(bool), front)
    seen = _seen(trials)
    spots = [along[seen], up[seen]]
    if _has(base, x) and _has(base, y):
        place = (base[x] / x_size, base[y] / y_size)
        handles += axes.plot(*place, "s", color=INK, markersize=DOT + 1, zorder=5)
        words.append("base")
        spots = [np.append(values, at) for values, at in zip(spots, place, strict=True)]
    axes.set_xlim(_with_room(spots[0]))
    axes.set_ylim(_with_room(spots[1]))
    axes.set_xlabel(_axis_name(x, x_unit))
    axes.set_ylabel(_axis_name(y, y_unit))
    return handles, words


def _front(
    axes: "Axes", trials: "pd.DataFrame", goals: Sequence[Goal], base: Mapping[str, Any]
) -> None:
    """Draw the line through the front, and the numbers of its trials where they are few."""
    front = trials[trials["on_front"]]
    if front.empty:
        return
    along, up = (_column(front, each, _scale(trials, each, base)[0]) for each, _ in goals)
    corners = _steps(along, up, goals)
    axes.plot(*corners, color=BLUE, linewidth=1.2, zorder=3)
    first: dict[tuple[float, float], int] = {}
    for number, here, there in zip(front["trial"], along, up, strict=True):
        first.setdefault((float(here), float(there)), int(number))
    if len(first) <= MOST_LABELLED:
        labels = [Label(here, there, f"#{n}", INK) for (here, there), n in first.items()]
        place_labels(axes, labels, corners, _dots(trials, goals, base))


def _dots(
    trials: "pd.DataFrame", goals: Sequence[Goal], base: Mapping[str, Any]
) -> tuple[Values, Values]:
    """Return where trials off the front and the base are drawn, for labels to keep clear of."""
    others = trials[~trials["on_front"]]
    dots = [_column(others, each, _scale(trials, each, base)[0]) for each, _ in goals]
    if all(_has(base, each) for each, _ in goals):
        places = [base[each] / _scale(trials, each, base)[0] for each, _ in goals]
        dots = [np.append(along, place) for along, place in zip(dots, places, strict=True)]
    return dots[0], dots[1]


def _marks(
    axes: "Axes", along: Values, up: Values, feasible: NDArray[np.bool_], front: NDArray[np.bool_]
) -> tuple[list[Any], list[str]]:
    """Draw the trials, each kind with its mark; return handles and words for a legend."""
    kinds = (
        (~feasible, "x", MUTED, MUTED, CROSS, "breaks a limit"),
        (feasible & ~front, "o", MUTED, PAPER, DOT, "trial"),
        (front, "o", BLUE, BLUE, DOT + 1, "on the front"),
    )
    handles, words = [], []
    for chosen, mark, colour, fill, size, said in kinds:
        if chosen.any():
            handles += axes.plot(
                along[chosen], up[chosen], mark, color=colour, markerfacecolor=fill,
                markersize=size, markeredgewidth=0.8, zorder=4 if chosen is front else 2,
            )  # fmt: skip
            words.append(said)
    return handles, words


def _steps(along: Values, up: Values, goals: Sequence[Goal]) -> tuple[Values, Values]:
    """Return the corners of the line that parts what is beaten from what nobody reached."""
    signs = [-1.0 if maximise else 1.0 for _, maximise in goals]
    spots = sorted({(signs[0] * a, signs[1] * b) for a, b in zip(along, up, strict=True)})
    corners = [spots[0]]
    for (_, before), (here, there) in pairwise(spots):
        corners += [(here, before), (here, there)]
    x, y = np.array(corners).T
    return signs[0] * x, signs[1] * y


def _takeaway(trials: "pd.DataFrame", goals: Sequence[Goal], base: Mapping[str, Any]) -> str:
    front = trials[trials["on_front"]]
    many = count_text(len(trials))
    if front.empty:
        return f"None of {many} trials keeps the limits"
    if len(goals) == 1:
        (quantity, _), row = goals[0], front.iloc[0]
        best = f"Trial {row['trial']} of {many} is best: {_amount(quantity, row[quantity])}"
        best += f" of {words_of(quantity)}"
        if _has(base, quantity) and base[quantity]:
            change = 100 * (row[quantity] / base[quantity] - 1)
            return f"{best}, {change:+.1f} % against the base".replace("-", "\N{MINUS SIGN}")
        return best
    quantity, maximise = goals[0]
    ends = front.sort_values(quantity, ascending=not maximise, kind="stable")
    said = f"{len(front)} of {many} trials on the front"
    if len(goals) > 2 or len(front) == 1:
        return f"{said}; best {words_of(quantity)}: {_amount(quantity, ends.iloc[0][quantity])}"
    scales = {name: _scale(trials, name, base) for name, _ in goals}  # as the axes have them
    first, last = (
        " at ".join(_in_unit(row[name], *scales[name]) for name, _ in goals)
        for row in (ends.iloc[0], ends.iloc[-1])
    )
    return f"{said}, from {first} to {last}"


def _caption(trials: "pd.DataFrame", goals: Sequence[Goal]) -> str:
    said = " and ".join(
        f"{'more' if maximise else 'less'} {words_of(quantity)}{SAID.get(quantity, '')}"
        for quantity, maximise in goals
    )
    text = f"Better is {said}. Each trial: mean over its seeds."
    if len(goals) > 1:
        text += " On the front: no other trial is at least as good in all and better in one."
    if not trials["feasible"].all():
        text += " Some that break a limit may lie beyond the axes."
    failed = int(trials[[quantity for quantity, _ in goals]].isna().any(axis=1).sum())
    return f"{text} Failed: {failed}." if failed else text


def _scale(trials: "pd.DataFrame", quantity: str, base: Mapping[str, Any]) -> tuple[float, str]:
    values = np.abs(trials[quantity].to_numpy(np.float64)[_seen(trials)])
    return unit_of(quantity, [*values, base[quantity] if _has(base, quantity) else 0.0])


def _column(trials: "pd.DataFrame", quantity: str, size: float) -> Values:
    values: Values = trials[quantity].to_numpy(np.float64) / size
    return values


def _seen(trials: "pd.DataFrame") -> NDArray[np.bool_]:
    """Return the trials that must be on the page: the feasible ones, all where none is.

    What breaks a limit may lie far off, and would press the others into a corner.
    """
    feasible = trials["feasible"].to_numpy(bool)
    return feasible if feasible.any() else np.ones(len(trials), bool)


def _with_room(values: Values) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = ROOM * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


def _axis_name(quantity: str, unit: str) -> str:
    return f"{words_of(quantity)} [{unit}]" if unit else words_of(quantity)


def _amount(quantity: str, value: float) -> str:
    return _in_unit(value, *unit_of(quantity, [abs(value)]))


def _in_unit(value: float, size: float, unit: str) -> str:
    return f"{number_text(value / size, 3)} {unit}".rstrip()


def _has(base: Mapping[str, Any], quantity: str) -> bool:
    value = base.get(quantity)
    return value is not None and bool(np.isfinite(value))
