"""How every figure looks, and how it becomes bytes: the same figure, the same bytes."""

import io
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, Literal

import matplotlib as mpl
import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from simulator.errors import printable
from simulator.results import Results

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
VERMILION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
SERIES: Final = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)
"""Colours that colour-blind readers can tell apart (Okabe and Ito 2008)."""

INK: Final = "#1f2730"
MUTED: Final = "#5b6672"
RULE: Final = "#d8dde3"
PAPER: Final = "#ffffff"

WIDTH_IN: Final = 7.6
CAPTION_LETTERS: Final = 128
"""Letters of the caption that fit on one line."""

_OURS: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.formatter.limits": (-4, 6),
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.linewidth": 0.7,
    "date.converter": "concise",
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.borderaxespad": 0.0,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "lines.linewidth": 1.4,
    "lines.solid_joinstyle": "round",
    "path.simplify": True,
    "savefig.dpi": 144,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "svg.hashsalt": "fleetsim",
    "text.color": INK,
    "text.parse_math": False,
    "timezone": "UTC",
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8,
}

Draw = Callable[[Results], Figure]


@contextmanager
def house_style() -> Iterator[None]:
    """Draw as the house does, whatever the user's own matplotlib settings say."""
    with mpl.rc_context():
        # To read or set the backend would import pyplot; figures here never show themselves.
        style: Any = {key: mpl.rcParamsDefault[key] for key in mpl.rcParamsDefault}
        del style["backend"]
        mpl.rcParams.update(style | _OURS)
        yield


def styled(draw: Draw) -> Draw:
    """Return the drawing function such that it draws in the house style."""

    @wraps(draw)
    def drawn(results: Results) -> Figure:
        with house_style():
            return draw(results)

    return drawn


def render(figure: Figure, kind: Literal["png", "svg"]) -> bytes:
    """Return a figure as the bytes of a PNG or SVG file; they hold no date."""
    out = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}
    with house_style(), warnings.catch_warnings():
        # A name may hold letters that the bundled font lacks; they are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(out, format=kind, metadata=metadata)
    return out.getvalue()


def figure_of(title: str, caption: str, *, height_in: float = 3.3) -> Figure:
    """Return an empty figure with its takeaway as the title and what is shown below it."""
    figure = Figure(figsize=(WIDTH_IN, height_in), facecolor=PAPER)
    lines = textwrap.wrap(printable(caption), CAPTION_LETTERS, max_lines=3, placeholder=" …")
    top = 1.0 - 0.12 / height_in
    figure.text(0.012, top, title, size=10, weight="bold", va="top")
    figure.text(
        0.012, top - 0.24 / height_in, "\n".join(lines), size=8, color=MUTED, va="top",
        linespacing=1.3,
    )  # fmt: skip
    below = 0.12 + 0.24 + 0.16 * len(lines) + 0.34
    figure.subplots_adjust(
        left=0.085, right=0.965, bottom=0.5 / height_in, top=1.0 - below / height_in, wspace=0.22
    )
    return figure


def time_axis(axes: Axes, edges: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Make the x axis one of UTC time over the edges; return the edges as matplotlib's dates."""
    dates: NDArray[np.float64] = mdates.date2num(edges)  # type: ignore[no-untyped-call]
    locator = mdates.AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = mdates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlim(float(dates[0]), float(dates[-1]))
    axes.set_xlabel("time, UTC")
    return dates


def log_axis(axes: Axes, low: float, high: float) -> None:
    """Make the x axis logarithmic between two values, its decades written as plain numbers."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(numticks=7))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()


def legend_above(axes: Axes, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Put one line of legend above the axes, free of what is drawn."""
    # A leading space: matplotlib takes a label that begins with "_" as one to hide.
    shown = [f" {printable(label)}" for label in labels]
    axes.legend(
        handles,
        shown,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.02),
        ncols=max(1, len(shown)),
        columnspacing=1.2,
        handletextpad=0.3,
    )


def say(axes: Axes, words: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=MUTED, transform=axes.transAxes)
