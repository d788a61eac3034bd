"""Figure 6: average and marginal intensity of California and PJM by hour of day."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simulator.figures.style import BLUE, GREEN, ORANGE, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.units import H_PER_D

GRIDS: Final = {"grids_2022": "grids_2022_profiles", "marginal_2020": "marginal_2020_profile"}
WEST_H: Final = -8
EAST_H: Final = -5
"""Standard time of both regions, beside UTC; runs begin at midnight UTC. [h]"""
COLOURS: Final = {"ciso": BLUE, "pjm": GREEN, "marginal": ORANGE}


def measure(material: Material) -> Measured:
    """Return mean and standard deviation by hour of day, and what tells the shapes apart."""
    west, east = (material.grids["grids_2022"][site] for site in ("california", "pjm"))
    of_2020 = material.grids["marginal_2020"]["california"]
    assert of_2020.marginal_g_per_kwh is not None
    series = {
        "ciso": ("grids_2022", west.label, west.average_g_per_kwh, WEST_H),
        "pjm": ("grids_2022", east.label, east.average_g_per_kwh, EAST_H),
        "marginal": ("marginal_2020", of_2020.label, of_2020.marginal_g_per_kwh, WEST_H),
    }
    findings: dict[str, Finding] = {}
    tables = []
    for key, (source, label, values, offset_h) in series.items():
        by_hour = _by_hour(values, offset_h)
        mean = by_hour.mean(axis=0)
        findings[f"{key}_mean"] = Finding(float(values.mean()))
        findings[f"{key}_swing"] = Finding(float(100 * (mean.max() - mean.min()) / mean.mean()))
        findings[f"{key}_least"] = Finding(float(mean.argmin()))
        tables.append(
            pd.DataFrame(
                {
                    "grid": key,
                    "is_profile": source in material.instead,
                    "label": label,
                    "hour": np.arange(H_PER_D),
                    "mean_g_per_kwh": mean,
                    "sd_g_per_kwh": by_hour.std(axis=0, ddof=1),
                }
            )
        )
    return Measured(findings, pd.concat(tables, ignore_index=True))


def _by_hour(values: NDArray[np.float64], offset_h: int) -> NDArray[np.float64]:
    """Return intensities as float64[days, 24], the first hour at local midnight."""
    whole = values[: len(values) // H_PER_D * H_PER_D]
    days: NDArray[np.float64] = np.roll(whole, offset_h).reshape(-1, H_PER_D)
    return days


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw the three courses with their standard deviations."""
    ours = {check.number.key: check.finding.value for check in checks}
    is_hourly = not numbers["is_profile"].any()
    spread = "the days of a year" if is_hourly else "months, since hourly files are not there"
    with house_style():
        figure = figure_of(
            f"Average intensity swings by {ours['ciso_swing']:.0f} % over the day in California, "
            f"by {ours['pjm_swing']:.0f} % in PJM",
            f"Means by hour of day, local standard time; bars: standard deviations over {spread}. "
            "Average: generation in 2022, life-cycle, without imports (US EIA form 930). Marginal: "
            "California in 2020, direct emissions (SGIP signal); the paper has 2022, and PJM "
            "too. It prints no numbers.",
            height_in=4.3,
        )
        axes = figure.add_subplot()
        handles, words = [], []
        for place, (key, colour) in enumerate(COLOURS.items()):
            part = numbers[numbers["grid"] == key]
            hours = part["hour"].to_numpy() + 0.15 * (place - 1)
            handles.append(
                axes.errorbar(
                    hours, part["mean_g_per_kwh"], yerr=part["sd_g_per_kwh"], color=colour,
                    fmt="o-", markersize=3, linewidth=1.2, elinewidth=0.7,
                )
            )  # fmt: skip
            basis = "marginal" if key == "marginal" else "average"
            label = str(part["label"].iloc[0])
            words.append(label if basis in label else f"{label}, {basis}")
        axes.set_ylim(bottom=0.0)
        axes.set_xlim(-0.7, 23.7)
        axes.set_xticks(range(0, H_PER_D, 3))
        axes.set_xlabel("hour of day, local standard time")
        axes.set_ylabel("intensity [gCO2e/kWh]")
        legend_above(axes, handles, words)
        figure.subplots_adjust(top=0.73)
    return figure
