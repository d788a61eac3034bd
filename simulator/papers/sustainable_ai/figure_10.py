"""Figure 10: how busy the GPUs of experiments are, which wait for their input."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import BLUE, INK, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Measured, over_seeds
from simulator.papers.material import Material

DRAWN: Final = ("stalls",)
EDGES_PERCENT: Final = np.arange(0, 101, 5)
LOW_PERCENT: Final = 30
HIGH_PERCENT: Final = 50


def measure(material: Material) -> Measured:
    """Return the share of jobs by utilisation, and of those between 30 and 50 %."""
    drawn = [100.0 * each for each in material.utilisation["stalls"]]
    counts = np.array([np.histogram(each, EDGES_PERCENT)[0] / len(each) for each in drawn])
    inside = [100.0 * ((each >= LOW_PERCENT) & (each <= HIGH_PERCENT)).mean() for each in drawn]
    findings = {
        "inside": over_seeds(inside),
        "mean": over_seeds([each.mean() for each in drawn]),
    }
    table = pd.DataFrame(
        {
            "from_percent": EDGES_PERCENT[:-1],
            "to_percent": EDGES_PERCENT[1:],
            "share_of_jobs_percent": 100.0 * counts.mean(axis=0),
        }
    )
    return Measured(findings, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw the distribution, and the range that the paper speaks of."""
    ours = {check.number.key: check for check in checks}
    with house_style():
        figure = figure_of(
            f"{ours['inside'].finding.value:.0f} % of experiments keep their GPUs busy for 30 to "
            "50 % of the time",
            "Share of jobs by the busy share of their GPUs, 30,000 jobs, means over 20 seeds. Jobs "
            "stall for their input; how much was chosen to fit. Grey: the range in the paper's "
            "text. The heights of its curve are printed nowhere.",
            height_in=3.8,
        )
        axes = figure.add_subplot()
        range_of_text = axes.axvspan(LOW_PERCENT, HIGH_PERCENT, color=INK, alpha=0.1, linewidth=0)
        bars = axes.bar(
            numbers["from_percent"] + 2.5, numbers["share_of_jobs_percent"], 4.4, color=BLUE
        )
        axes.set_xlim(0, 100)
        axes.set_xlabel("GPU utilisation of a job [%]")
        axes.set_ylabel("share of jobs [%]")
        legend_above(axes, [bars, range_of_text], ["ours", "published range"])
        figure.subplots_adjust(top=0.73)
    return figure
