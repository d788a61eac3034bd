"""Figure 3c: the electricity that the company bought, and the fleet that it stands for."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import BLUE, INK, figure_of, house_style
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.units import MS_PER_H, MS_PER_Y

TWH: Final = {2011: 0.51, 2012: 0.68, 2013: 0.99, 2017: 2.46, 2020: 7.17, 2023: 14.98}
"""Electricity by year, from the company's reports; 2020 is in the caption. [TWh]"""
YEAR: Final = 2020
PUE: Final = 1.10
HOURS: Final = MS_PER_Y / MS_PER_H
MWH_PER_TWH: Final = 1e6


def measure(material: Material) -> Measured:
    """Return the mean power of 2020, that of its machines, and the growth from 2017."""
    del material
    mean_mw = TWH[YEAR] * MWH_PER_TWH / HOURS
    findings = {
        "mean": Finding(mean_mw),
        "machines": Finding(mean_mw / PUE),
        "growth": Finding((TWH[2020] / TWH[2017]) ** (1 / 3)),
    }
    return Measured(
        findings, pd.DataFrame({"year": list(TWH), "electricity_twh": list(TWH.values())})
    )


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw electricity by year."""
    ours = {check.number.key: check for check in checks}
    with house_style():
        figure = figure_of(
            f"7.17 TWh in {YEAR} are {ours['mean'].finding.value:.0f} MW on average, "
            f"{ours['machines'].finding.value:.0f} MW of machines at a PUE of 1.10",
            "Reference, nothing of it is ours: electricity as the company reported it; the ring is "
            "the number of the paper's caption. The figure itself shows CO2e, without numbers.",
            height_in=3.6,
        )
        axes = figure.add_subplot()
        axes.plot(numbers["year"], numbers["electricity_twh"], "o-", color=BLUE)
        axes.plot(
            [YEAR], [TWH[YEAR]], "o", color=INK, markerfacecolor="none", markersize=9, zorder=5
        )
        axes.set_ylim(0, 16)
        axes.set_xlabel("year")
        axes.set_ylabel("electricity [TWh]")
    return figure
