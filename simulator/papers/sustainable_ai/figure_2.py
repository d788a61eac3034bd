"""Figure 2: growth of data, models and capacity; end points of the paper, drawn to compare."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import SERIES, figure_of, house_style
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material

GROWTHS: Final = {
    "model": ("model size", 20.0, 2.0),
    "ingestion": ("ingestion bandwidth", 3.2, 2.0),
    "training": ("training capacity", 2.9, 1.5),
    "inference": ("inference capacity", 2.5, 1.5),
    "data_1": ("data of DLRM1", 2.4, 2.0),
    "data_2": ("data of DLRM2", 1.9, 2.0),
}
"""What grew, by which factor, within how many years: text and labels of figure 2."""
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
    return Measured({key: Finding(value) for key, value in found}, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw end points, joined by growth at one rate."""
    del checks
    fastest = numbers.sort_values("factor_per_year").iloc[-1]
    with house_style():
        figure = figure_of(
            f"The paper's {fastest['what']} grew {fastest['factor_per_year']:.1f} times a year",
            "Reference, nothing of it is ours: end points from the paper's text and labels, joined "
            "by growth at one rate. The points between are printed nowhere.",
            height_in=4.0,
        )
        axes = figure.add_subplot()
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
            lines, numbers["what"].tolist(), loc="lower left", bbox_to_anchor=(0.0, 1.02), ncols=3
        )
        figure.subplots_adjust(top=0.71)
    return figure
