"""Sizes of experiments and of training workflows, which the text gives as percentiles."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import BLUE, INK, ORANGE, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Finding, Measured, over_seeds
from simulator.papers.material import Material

DRAWN: Final = ("experiments", "training")
COLOURS: Final = {"experiments": BLUE, "training": ORANGE}
LARGE_GPU_DAYS: Final = 500.0
PERCENTS: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.3, 99.5, 99.7, 99.8, 99.9, 99.95, 99.99)


def measure(material: Material) -> Measured:
    """Return percentiles over seeds, and how many jobs are larger than 500 GPU-days."""
    findings: dict[str, Finding] = {}
    rows = []
    for name in DRAWN:
        drawn = material.gpu_days[name]
        found = np.array([np.percentile(gpu_days, PERCENTS) for gpu_days in drawn])
        for percent, column in zip(PERCENTS, found.T, strict=True):
            estimate = over_seeds(column)
            rows.append(
                {
                    "law": name,
                    "percent": percent,
                    "gpu_days": estimate.value,
                    "half_width_gpu_days": estimate.half_width,
                }
            )
            if percent in (50, 99):
                findings[f"{name}_p{percent}"] = estimate
        large = np.array([(gpu_days > LARGE_GPU_DAYS).sum() for gpu_days in drawn])
        findings[f"{name}_large"] = over_seeds(large)
        findings[f"{name}_with_large"] = Finding(100.0 * float((large > 0).mean()))
        tops = [np.sort(gpu_days)[-len(gpu_days) // 100 :].sum() for gpu_days in drawn]
        shares = [top / gpu_days.sum() for top, gpu_days in zip(tops, drawn, strict=True)]
        findings[f"{name}_top"] = over_seeds(100.0 * np.array(shares))
    return Measured(findings, pd.DataFrame(rows))


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw the share of jobs that are larger than a size, and the published percentiles."""
    ours = {check.number.key: check for check in checks}
    caption = (
        "Share of jobs larger than a size, of 30,000 drawn jobs, mean over 20 seeds. Rings: the "
        "paper's p50 and p99. The laws were made from these; experiments have a tail besides, "
        "since the plain lognormal law through theirs has none beyond 500 GPU-days."
    )
    with house_style():
        figure = figure_of(
            f"{ours['experiments_large'].finding.value:.0f} of 30,000 experiments and "
            f"{ours['training_large'].finding.value:.0f} training workflows take more than "
            "500 GPU-days",
            caption,
            height_in=4.2,
        )
        axes = figure.add_subplot()
        for name, colour in COLOURS.items():
            part = numbers[numbers["law"] == name]
            above = 100 - part["percent"].to_numpy()
            axes.plot(part["gpu_days"], above, color=colour)
            known = [
                (ours[f"{name}_p{percent}"].number.value, 100 - percent) for percent in (50, 99)
            ]
            axes.plot(*zip(*known, strict=True), "o", color=INK, markerfacecolor="none",
                      markersize=6.5, zorder=5)  # fmt: skip
        axes.axvline(LARGE_GPU_DAYS, color=INK, linewidth=0.8, dashes=(4, 3))
        axes.set_xscale("log")
        axes.set_yscale("log")
        for side in (axes.xaxis, axes.yaxis):
            side.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel("size [GPU-days]")
        axes.set_ylabel("jobs larger than that [%]")
        lines = axes.lines
        legend_above(
            axes, [lines[0], lines[2], lines[1], lines[4]],
            ["experiments", "training workflows", "published", "500 GPU-days"],
        )  # fmt: skip
        figure.subplots_adjust(top=0.74)
    return figure
