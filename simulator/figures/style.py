"""How every figure looks, and how it becomes bytes: the same figure, the same bytes."""

import io
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from itertools import pairwise
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
BELOW_IN: Final = 0.5
"""Height that the numbers and the name of an axis take. [in]"""
DATES_IN: Final = 0.62
"""The same for an axis of time, whose numbers stand in two lines. [in]"""
TITLE_LETTERS: Final = 84
"""Letters of a title that fit on one line at full size."""
TITLE_SIZE: Final = 10.0
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

CAPTION_LINE_IN: Final = 0.16
SHORT_LOG: Final = 10**2.5
"""Ratio of the ends of a logarithmic axis below which decades alone are too few."""
MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
"""English whatever the locale, so that the same run gives the same bytes."""
ONE_SECOND: Final = timedelta(seconds=1)
ONE_MINUTE: Final = timedelta(minutes=1)
ONE_DAY: Final = timedelta(days=1)
LEAST_MONTH: Final = timedelta(days=28)
LEAST_YEAR: Final = timedelta(days=365)

Draw = Callable[[Results], Figure]


class Picture(Figure):
    """A figure that notebooks show: they know those of pyplot, which is never imported here."""

    def _repr_png_(self) -> bytes:
        return render(self, "png")


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


def figure_of(
    title: str, caption: str, *, height_in: float = 3.3, below_in: float = BELOW_IN
) -> Figure:
    """Return an empty figure with its takeaway as the title and what is shown below it."""
    figure = Picture(figsize=(WIDTH_IN, height_in), facecolor=PAPER)
    lines = caption_lines(caption)
    top = 1.0 - 0.12 / height_in
    size = TITLE_SIZE * min(1.0, TITLE_LETTERS / max(1, len(title)))
    figure.text(0.012, top, title, size=size, weight="bold", va="top")
    figure.text(
        0.012, top - 0.24 / height_in, "\n".join(lines), size=8, color=MUTED, va="top",
        linespacing=1.3,
    )  # fmt: skip
    below = 0.12 + 0.24 + CAPTION_LINE_IN * len(lines) + 0.34
    figure.subplots_adjust(
        left=0.085,
        right=0.965,
        bottom=below_in / height_in,
        top=1.0 - below / height_in,
        wspace=0.22,
    )
    return figure


def caption_lines(caption: str) -> list[str]:
    """Return a caption as the lines that it is drawn in."""
    return textwrap.wrap(printable(caption), CAPTION_LETTERS, max_lines=3, placeholder=" …")


def head_in(caption: str) -> float:
    """Return the height that title and caption take, with what parts them from the axes. [in]"""
    return 0.12 + 0.24 + CAPTION_LINE_IN * len(caption_lines(caption)) + 0.2


def time_axis(axes: Axes, edges: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Make the x axis one of UTC time over the edges; return the edges as matplotlib's dates."""
    dates: NDArray[np.float64] = mdates.date2num(edges)  # type: ignore[no-untyped-call]
    locator = mdates.AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    ends = [mdates.num2date(date) for date in (dates[0], dates[-1])]  # type: ignore[no-untyped-call]
    places = locator.tick_values(*ends)  # type: ignore[no-untyped-call]
    ticks = [date for date in places if dates[0] <= date <= dates[-1]]
    moments = [mdates.num2date(date) for date in ticks]  # type: ignore[no-untyped-call]
    axes.set_xticks(ticks, date_labels(moments))
    axes.set_xlim(float(dates[0]), float(dates[-1]))
    axes.set_xlabel("time, UTC")
    return dates


def date_labels(moments: Sequence[datetime]) -> list[str]:
    """Return a label for each tick of a time axis; what changes seldom stands below.

    The first label and every one at which they change name day or month, and the year.
    """
    if len(moments) < 2:
        return [f"{moment:%H:%M}\n{_day(moment)} {moment.year}" for moment in moments]
    apart = min(later - earlier for earlier, later in pairwise(moments))
    labels = []
    before = None
    for moment in moments:
        above, below = _date_label(moment, apart, before)
        labels.append(f"{above}\n{below}" if below else above)
        before = moment
    return labels


def _date_label(moment: datetime, apart: timedelta, before: datetime | None) -> tuple[str, str]:
    """Return the two lines of a tick's label; the lower is empty where nothing changed."""
    new_year = before is None or before.year != moment.year
    new_month = new_year or before is None or before.month != moment.month
    year = f" {moment.year}" if new_year else ""
    month = MONTHS[moment.month - 1]
    if apart >= LEAST_YEAR:
        return str(moment.year), ""
    if apart >= LEAST_MONTH:
        return month, year.strip()
    if apart >= ONE_DAY:
        return str(moment.day), f"{month}{year}" if new_month else ""
    clock = f"{moment:%H:%M}"
    if apart < ONE_MINUTE:
        clock = f"{moment:%H:%M:%S}"
    if apart < ONE_SECOND:
        clock = f"{moment:%H:%M:%S.%f}"[:-3]
    new_day = new_month or before is None or before.day != moment.day
    return clock, f"{_day(moment)}{year}" if new_day else ""


def _day(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]}"


def log_axis(axes: Axes, low: float, high: float) -> None:
    """Make the x axis logarithmic, its decades, or on a short one 1-2-5, as plain numbers."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    short = high < low * SHORT_LOG
    axes.xaxis.set_major_locator(
        LogLocator(subs=(1.0, 2.0, 5.0) if short else (1.0,), numticks=30 if short else 7)
    )
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
