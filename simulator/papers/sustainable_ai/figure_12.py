"""Figure 12: model quality against energy; the paper's fits, drawn to compare."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import (
    BLUE,
    ORANGE,
    figure_of,
    house_style,
    legend_above,
    log_axis,
)
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material

FITS: Final = {"first": (0.7892, 0.004), "second": (0.7903, 0.002)}
"""Error = c x^-k, with x the energy of a step in joules: printed in the figure."""
MORE: Final = 4.0
"""How many times the energy the text speaks of."""


def measure(material: Material) -> Measured:
    """Return the fits, and what four times the energy buys on the first."""
    del material
    energy_j = 2.0 ** np.arange(-3, 2.01, 0.25)
    table = pd.DataFrame({"energy_j": energy_j})
    for name, (scale, power) in FITS.items():
        table[f"error_{name}"] = scale * energy_j**-power
    scale, power = FITS["first"]
    gain = scale * (1.0 - MORE**-power)
    return Measured({"gain": Finding(gain)}, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw both fits."""
    (check,) = checks
    with house_style():
        figure = figure_of(
            f"Four times the energy buys {check.finding.value:.4f} of normalised entropy",
            "Reference, nothing of it is ours: the two fits printed in the paper's figure, "
            "0.7892 x^-0.004 and 0.7903 x^-0.002; its points are printed nowhere.",
            height_in=3.6,
        )
        axes = figure.add_subplot()
        lines = [
            *axes.plot(numbers["energy_j"], numbers["error_first"], color=BLUE),
            *axes.plot(numbers["energy_j"], numbers["error_second"], color=ORANGE),
        ]
        log_axis(axes, 0.11, 4.5)
        axes.set_xlabel("energy of a step [J]")
        axes.set_ylabel("error, normalised entropy")
        legend_above(axes, lines, ["0.7892 x^-0.004", "0.7903 x^-0.002"])
    return figure
