"""Figure 2: quality by size, and growth of data, models and capacity; end points of the paper."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import INK, MUTED, SERIES, figure_of, house_style
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROWTHS: Final = {
    "model": ("model size", 20.0, 2.0),
    "ingestion": ("ingestion bandwidth", 3.2, 2.0),
    "training": ("training capacity", 2.9, 1.5),
    "inference": ("inference capacity", 2.5, 1.5),
    "data_1": ("data of DLRM1", 2.4, 2.0),
    "data_2": ("data of DLRM2", 1.9, 2.0),
}
"""What grew, by which factor, within how many years: text and labels of figure 2."""
TIMES: Final = 1000.0
"""How much larger models are at the end of panel (a)."""
QUALITY: Final = {
    "bleu": ("BLEU of translation", 5.0, 40.0),
    "auc": ("AUC of search, gain", 0.0, 0.03),
}
"""Panel (a), text: quality at the start, and of a model a thousand times larger."""
SHIFTS: Final = {2.9: (-8, 9), 2.5: (5, -9)}
"""Where the label of a factor stands that would lie on a line, in points from its dot."""


def measure(material: Material) -> Measured:
    """Return the growth of a year that end points and spans give."""
    del material
    rows = [
        {"what": words, "factor": factor, "years": years, "factor_per_year": factor ** (1 / years)}
        for words, factor, years in GROWTHS.values()
    ]
    table = pd.DataFrame(rows)
    found = zip(GROWTHS, table["factor_per_year"].tolist(), strict=True)
    decades = np.log10(TIMES)
    quality = {key: Finding((last - first) / decades) for key, (_, first, last) in QUALITY.items()}
    return Measured({key: Finding(value) for key, value in found} | quality, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw end points, joined by growth at one rate."""
    del checks
    fastest = numbers.sort_values("factor_per_year").iloc[-1]
    with house_style():
        figure = figure_of(
            f"The paper's {fastest['what']} grew {fastest['factor_per_year']:.1f} times a year",
            "Reference, nothing of it is ours: end points from the paper's text and labels, joined "
            "by growth at one rate. The points between are printed nowhere.",
            height_in=4.2,
        )
        axes, left = figure.subplots(1, 2, width_ratios=[2.2, 1])
        _quality(left)
        lines = []
        for (_, factor, span), colour in zip(GROWTHS.values(), SERIES, strict=True):
            years = np.linspace(0.0, span, 30)
            lines += axes.plot(years, factor ** (years / span), "--", color=colour)
            axes.plot([0.0, span], [1.0, factor], "o", color=colour)
            axes.annotate(
                f"{factor:g}x", (span, factor), xytext=SHIFTS.get(factor, (6, 0)),
                textcoords="offset points", va="center", fontsize=8,
            )  # fmt: skip
        axes.set_yscale("log")
        axes.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
        axes.minorticks_off()
        axes.set_xlim(-0.05, 2.25)
        axes.set_xlabel("years")
        axes.set_ylabel("size, 1 = at the start")
        axes.legend(
            lines, numbers["what"].tolist(), loc="lower left", bbox_to_anchor=(-0.12, 1.02),
            ncols=3, columnspacing=1.0, handletextpad=0.4,
        )  # fmt: skip
        figure.subplots_adjust(top=0.7, wspace=0.32, right=0.93)
    return figure


def _quality(axes: "Axes") -> None:
    """Draw panel (a): BLEU to the left, gain of AUC to the right, by size."""
    gains = axes.twinx()
    handles = []
    for side, colour, (_, first, last) in zip(
        (axes, gains), (INK, MUTED), QUALITY.values(), strict=True
    ):
        handles += side.plot([1.0, TIMES], [first, last], "o--", color=colour)
        side.annotate(
            f"{last:g}", (TIMES, last), xytext=(0, 7 if side is axes else -15),
            textcoords="offset points", ha="center", fontsize=8,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    axes.minorticks_off()
    axes.set_xlim(0.6, 2.5 * TIMES)
    axes.set_xlabel("size of model, 1 = smallest")
    axes.set_ylim(0, 45)
    gains.set_ylim(0, 0.035)
    gains.grid(visible=False)
    words = ["BLEU (left)", "gain of AUC (right)"]
    axes.legend(handles, words, loc="lower left", bbox_to_anchor=(-0.05, 1.02))
