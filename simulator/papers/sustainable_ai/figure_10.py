"""Figure 10: how busy the GPUs of experiments are that wait for input, one to a GPU and two."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from simulator.figures.style import BLUE, INK, ORANGE, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Measured, over_seeds
from simulator.papers.material import Material
from simulator.units import MS_PER_S

DRAWN: Final = ("stalls",)
SWEEPS: Final = ("sharing",)
JOBS: Final = ("sharing",)
EDGES_PERCENT: Final = np.arange(0, 101, 5)
LOW_PERCENT: Final = 30
HIGH_PERCENT: Final = 50
Percent: TypeAlias = NDArray[np.float64]
ALONE, SHARED = 0, 1
"""Points of the sweep: one job to a GPU, two."""


def measure(material: Material) -> Measured:
    """Return the share of jobs by utilisation before and after sharing, and what sharing frees."""
    alone = [100.0 * each for each in material.utilisation["stalls"]]
    shared = _seen_by_jobs(material)
    runs = material.runs["sharing"].sort_values("seed")
    held = {
        point: runs.loc[runs["point"] == point, "allocation"].to_numpy()
        for point in (ALONE, SHARED)
    }
    slowed = runs.loc[runs["point"] == SHARED, "slowdown_interference_mean"].to_numpy()
    findings = {
        "inside": over_seeds([_inside(each) for each in alone]),
        "mean": over_seeds([each.mean() for each in alone]),
        "shared_inside": over_seeds([_inside(each) for each in shared]),
        "shared_mean": over_seeds([each.mean() for each in shared]),
        "freed": over_seeds(100.0 * (1.0 - held[SHARED] / held[ALONE])),
        "slowed": over_seeds(100.0 * (slowed - 1.0)),
    }
    table = pd.DataFrame(
        {
            "from_percent": EDGES_PERCENT[:-1],
            "to_percent": EDGES_PERCENT[1:],
            "share_of_jobs_percent": _shares_percent(alone),
            "share_of_jobs_two_share_percent": _shares_percent(shared),
        }
    )
    return Measured(findings, table)


def _seen_by_jobs(material: Material) -> list[Percent]:
    """Return the busy share of the GPUs that jobs held, of those that ended, by seed. [%]"""
    jobs = material.jobs["sharing"]
    settled_s = material.bases["sharing"].warm_up_ms / MS_PER_S
    ended = (jobs["point"] == SHARED) & (jobs["state"] == "finished")
    counted = jobs[ended & (jobs["submit_s"] >= settled_s)]
    return [
        100.0 * of_seed["accelerator_utilisation"].to_numpy()
        for _, of_seed in counted.groupby("seed")
    ]


def _inside(percent: Percent) -> float:
    return float(100.0 * ((percent >= LOW_PERCENT) & (percent <= HIGH_PERCENT)).mean())


def _shares_percent(
    seeds: Sequence[Percent],
) -> Percent:
    """Return how many of the jobs lie between each two edges, mean over seeds. [%]"""
    counts = [np.histogram(each, EDGES_PERCENT)[0] / len(each) for each in seeds]
    return np.asarray(100.0 * np.mean(counts, axis=0))


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw both distributions, and the range that the paper speaks of."""
    ours = {check.number.key: check.finding.value for check in checks}
    with house_style():
        figure = figure_of(
            f"Experiments keep their GPUs busy for {ours['mean']:.0f} % of the time; two to a GPU, "
            f"for {ours['shared_mean']:.0f} %",
            "Share of jobs by how busy the GPUs were that they held, means over 20 seeds. Jobs "
            "stall for their input; how much was chosen to fit. Two share a GPU where both fit. "
            "Grey: the range in the paper's text, for most of them. The heights of its curve are "
            "printed nowhere.",
            height_in=3.9,
        )
        axes = figure.add_subplot()
        range_of_text = axes.axvspan(LOW_PERCENT, HIGH_PERCENT, color=INK, alpha=0.1, linewidth=0)
        middle = numbers["from_percent"] + 2.5
        alone = axes.bar(middle - 1.05, numbers["share_of_jobs_percent"], 2.0, color=BLUE)
        shared = axes.bar(
            middle + 1.05, numbers["share_of_jobs_two_share_percent"], 2.0, color=ORANGE
        )
        axes.set_xlim(0, 100)
        axes.set_xlabel("GPU utilisation of a job [%]")
        axes.set_ylabel("share of jobs [%]")
        legend_above(
            axes,
            [alone, shared, range_of_text],
            ["ours, one to a GPU", "ours, two share", "published range"],
        )
        figure.subplots_adjust(top=0.7)
    return figure
