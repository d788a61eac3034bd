"""The difference of two totals of carbon as a waterfall, from one to the other step by step.

Takes plain numbers, of two runs or of means over many.
"""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from simulator.display import MASS, mass_text, quantity_text, unit_for
from simulator.errors import printable
from simulator.figures.style import BLUE, INK, MUTED, ORANGE, PAPER, figure_of, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR: Final = 0.62
"""Width of a bar; one place is 1."""
NAME_LETTERS: Final = 12
"""Letters of a name on one line below its bar."""
NAME_LINES: Final = 3
ROOM: Final = 0.12
"""Part of the height that stays free above and below the bars, for their labels."""
LEFT: Final = 0.1
"""Part of the width left of the axes, for numbers with a sign."""
NO_LEGEND: Final = 0.05
"""Part of the height that a legend above the axes would take."""
LABEL: Final = 0.09
"""Part of the height that a label below a bar takes."""
CUT_BELOW: Final = 0.35
"""Where the bars' levels differ by less than this part of the highest, the axis begins above 0."""
CUT: Final = "The axis does not begin at 0."
MINUS: Final = "\N{MINUS SIGN}"


def draw_waterfall(
    steps_kg: Mapping[str, float],
    *,
    base_kg: float,
    names: tuple[str, str] = ("base", "run"),
    notes: Mapping[str, str] | None = None,
    title: str = "",
    caption: str = "",
) -> "Figure":
    """Draw the steps from one total of carbon to another.

    Parameters
    ----------
    steps_kg : mapping of str to float
        What each step adds, in order; below 0 where it takes away. [kgCO2e]
    base_kg : float
        The total that the steps begin at; they end at this and all of them. [kgCO2e]
    names : tuple of str
        Of the total at the beginning, and of that at the end.
    notes : mapping of str to str, optional
        A few letters to stand below the name of a step, e.g. its energy.
    title, caption : str
        The takeaway, and what is shown.
    """
    levels_kg = levels_of(steps_kg, base_kg)
    size, unit = unit_for(levels_kg, MASS)
    low, high = _ends(levels_kg)
    cut = low > 0.0 or high < 0.0
    whole = f"{caption} {CUT}" if cut else caption
    labels = [_label(name, (notes or {}).get(name, "")) for name in (names[0], *steps_kg, names[1])]
    lines = max(label.count("\n") for label in labels) + 1
    with house_style():
        below_in = 0.22 + 0.16 * lines
        figure = figure_of(title, whole, height_in=3.3 + 0.1 * lines, below_in=below_in)
        figure.subplots_adjust(left=LEFT, top=figure.subplotpars.top + NO_LEGEND)
        axes = figure.add_subplot()
        axes.set_ylim(low / size, high / size)
        _bars(axes, steps_kg, levels_kg, size)
        axes.set_xticks(range(len(labels)), labels)
        axes.set_xlim(-0.6, len(labels) - 0.4)
        axes.set_ylabel(f"carbon [{unit} CO2e]")
        axes.grid(visible=False, axis="x")
        axes.tick_params(axis="x", length=0)
        if low < 0.0 < high:
            axes.axhline(0.0, color=MUTED, linewidth=0.7, zorder=1)
        axes.spines["bottom"].set_visible(not low < 0.0 < high)
    return figure


def levels_of(steps_kg: Mapping[str, float], base_kg: float) -> list[float]:
    """Return the total before the first step and after each. [kgCO2e]"""
    steps = list(steps_kg.values())
    return [math.fsum((base_kg, *steps[:count])) for count in range(len(steps) + 1)]


def _ends(levels_kg: Sequence[float]) -> tuple[float, float]:
    """Return where the axis begins and ends: at 0, unless the steps would be too small to see."""
    low, high = min(levels_kg), max(levels_kg)
    span, largest = high - low, max(abs(low), abs(high))
    if 0.0 < span < CUT_BELOW * largest and low * high > 0.0:
        below, above = (0.9, 0.2) if low > 0.0 else (0.2, 0.9)
        return low - below * span, high + above * span
    low, high = min(low, 0.0), max(high, 0.0)
    room = ROOM * (high - low or 1.0)
    return low - (room if low < 0.0 else 0.0), high + (room if high > 0.0 or low == 0.0 else 0.0)


def _bars(
    axes: "Axes", steps_kg: Mapping[str, float], levels_kg: Sequence[float], size: float
) -> None:
    foot = _foot(axes)
    for at, total_kg in ((0, levels_kg[0]), (len(levels_kg), levels_kg[-1])):
        axes.bar(at, total_kg / size - foot, BAR, foot, color=MUTED, zorder=2)
        text = mass_text(total_kg).replace("-", MINUS)
        _write(axes, at, total_kg / size, text, below=total_kg < 0.0)
        if foot:
            _break(axes, at)
    ends = zip(steps_kg.values(), levels_kg, levels_kg[1:], strict=False)
    for at, (step_kg, before, after) in enumerate(ends, 1):
        colour = BLUE if step_kg < 0.0 else ORANGE if step_kg else MUTED
        height, bottom = (after - before) / size, before / size
        # The edge keeps a step visible that is no higher than a hair.
        axes.bar(at, height, BAR, bottom, color=colour, edgecolor=colour, linewidth=0.8, zorder=2)
        low, high = axes.get_ylim()
        falls = step_kg < 0.0 and after / size - low > LABEL * (high - low)
        _write(
            axes, at, (after if falls else max(before, after)) / size, _signed(step_kg), below=falls
        )
    for at, level in enumerate(levels_kg):
        axes.hlines(
            level / size, at + BAR / 2, at + 1 - BAR / 2, color=MUTED, linewidth=0.7, zorder=1
        )


def _foot(axes: "Axes") -> float:
    """Return where the bars of the totals stand: on 0, or at the end of the axis nearest to it."""
    low, high = axes.get_ylim()
    return low if low > 0.0 else min(high, 0.0)


def _break(axes: "Axes", at: int) -> None:
    """Mark a bar as cut, by a slanted gap near its foot."""
    low, high = axes.get_ylim()
    near = low if low > 0.0 else high
    way = 1.0 if low > 0.0 else -1.0
    height = way * (high - low)
    along = (at - BAR / 2 - 0.05, at + BAR / 2 + 0.05)
    up = (near + 0.05 * height, near + 0.09 * height)
    axes.plot(along, up, color=PAPER, linewidth=4.0, zorder=3)


def _write(axes: "Axes", x: float, y: float, text: str, *, below: bool) -> None:
    axes.annotate(
        text, (x, y), (0.0, -3.0 if below else 3.0), textcoords="offset points", ha="center",
        va="top" if below else "bottom", size=8, color=INK, zorder=4,
    )  # fmt: skip


def _signed(step_kg: float) -> str:
    if not step_kg:
        return "0"
    return f"{MINUS if step_kg < 0.0 else '+'}{quantity_text(abs(step_kg), MASS, 3)}"


def _label(name: str, note: str) -> str:
    lines = textwrap.wrap(printable(name), NAME_LETTERS, max_lines=NAME_LINES, placeholder="…")
    return "\n".join((*lines, printable(note).replace("-", MINUS)) if note else lines)
