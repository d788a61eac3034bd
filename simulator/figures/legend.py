"""A legend above the axes, in as many lines as its names need."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from matplotlib.lines import Line2D

from simulator.display import short_text
from simulator.errors import printable
from simulator.figures.style import SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS: Final = ("o", "s", "^", "D")
"""Shapes of what comes beyond as many as there are colours."""
MOST_NAMES: Final = len(MARKS) * len(SERIES)
"""Names that can be told apart."""
LINE_IN: Final = 0.2
"""Height of a line of the legend. [in]"""
LETTERS: Final = 84
"""Letters that fit beside one another, the signs counted as letters."""
SIGN_LETTERS: Final = 5
NAME_LETTERS: Final = 30


def look(at: int) -> dict[str, Any]:
    """Return colour and mark of the name in this place."""
    return {"color": SERIES[at % len(SERIES)], "marker": MARKS[at // len(SERIES)]}


def short_name(name: str, letters: int = NAME_LETTERS) -> str:
    """Return a name on one line, cut where it is long."""
    return short_text(printable(name).replace("\n", " "), letters)


def short_names(names: Sequence[str], letters: int = NAME_LETTERS) -> list[str]:
    """Return names on one line each, long ones cut such that they stay distinct where they can."""
    cut = [short_name(name, letters) for name in names]
    if len(set(cut)) == len(set(names)):
        return cut
    half = letters // 2
    plain = [printable(name).replace("\n", " ") for name in names]
    return [
        text if len(text) <= letters else f"{text[: half - 1]}…{text[-half:]}" for text in plain
    ]


def names_width(axes: "Axes") -> float:
    """Return how wide the names at the y axis are, in widths of the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(axes.figure).get_renderer()  # type: ignore[no-untyped-call,arg-type]
    widths_px = [each.get_window_extent(renderer).width for each in axes.get_yticklabels()]
    return float(max(widths_px, default=0.0) / axes.figure.bbox.width)


def lines_of(names: Sequence[str]) -> int:
    """Return the lines that a legend of these names takes."""
    return -(-len(names) // _columns(names))


def legend_of(axes: "Axes", names: Sequence[str], left: float) -> None:
    """Put the names above the axes, as many beside one another as there is room for.

    Parameters
    ----------
    axes : Axes
    names : sequence of str
    left : float
        Where it begins, in widths of the axes.
    """
    handles = [Line2D([], [], markersize=5, **look(at)) for at in range(len(names))]
    # A leading space: matplotlib takes a label that begins with "_" as one to hide.
    axes.legend(
        handles, [f" {name}" for name in short_names(names)], loc="lower left",
        bbox_to_anchor=(left, 1.0), ncols=_columns(names), columnspacing=1.2, handletextpad=0.3,
        borderaxespad=0.4,
    )  # fmt: skip


def _columns(names: Sequence[str]) -> int:
    width = max(map(len, short_names(names))) + SIGN_LETTERS
    return max(1, LETTERS // width)
