"""Figure 3c: the electricity that the company bought, and the fleet that it stands for."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import BLUE, INK, SKY, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.units import MS_PER_H, MS_PER_Y

TWH: Final = {2011: 0.51, 2012: 0.68, 2013: 0.99, 2017: 2.46, 2020: 7.17, 2023: 14.98}
"""Electricity by year: 2020 from the caption, the others as the press had them. [TWh]"""
DATA_CENTRES: Final = (2013, 2023)
"""Years of which the number is that of data centres alone, some 95 % of the whole in 2017."""
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
    table = pd.DataFrame({"year": list(TWH), "electricity_twh": list(TWH.values())})
    table["of"] = ["data centres" if year in DATA_CENTRES else "company" for year in TWH]
    return Measured(findings, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw electricity by year."""
    ours = {check.number.key: check for check in checks}
    with house_style():
        figure = figure_of(
            f"7.17 TWh in {YEAR} are {ours['mean'].finding.value:.0f} MW on average, "
            f"{ours['machines'].finding.value:.0f} MW of machines at a PUE of 1.10",
            "Reference, nothing of it is ours: electricity as the press had it from the company; "
            "the ring is the number of the paper's caption. The figure itself shows CO2e, without "
            "numbers.",
            height_in=3.7,
        )
        axes = figure.add_subplot()
        marks = [
            axes.plot(part["year"], part["electricity_twh"], "o", color=colour)[0]
            for part, colour in (
                (numbers[numbers["of"] == "company"], BLUE),
                (numbers[numbers["of"] == "data centres"], SKY),
            )
        ]
        (ring,) = axes.plot(
            [YEAR], [TWH[YEAR]], "o", color=INK, markerfacecolor="none", markersize=9, zorder=5
        )
        words = ["the company", "its data centres alone", "the paper's caption"]
        legend_above(axes, [*marks, ring], words)
        figure.subplots_adjust(top=0.72)
        axes.set_ylim(0, 16)
        axes.set_xlabel("year")
        axes.set_ylabel("electricity [TWh]")
    return figure
