"""Mean time to failure by the size of a gang, and what failures leave of two clusters' time."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import BLUE, INK, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Finding, Measured, over_seeds
from simulator.papers.material import Material
from simulator.units import H_PER_D, MS_PER_H
from simulator.workload.laws import mean as mean_law

SWEEPS: Final = ("clusters",)
PER_NODE_DAYS: Final = 1e3
"""Node-days that rates of failure are given for."""
GPUS: Final = (8, 64, 256, 1024, 4096, 16384)


def measure(material: Material) -> Measured:
    """Return failures, utilisation and useful time of the clusters, and MTTF by gang size."""
    runs, base = material.runs["clusters"], material.bases["clusters"]
    node_days = sum(cluster.count for cluster in base.clusters.values()) * (
        (base.horizon_ms - base.warm_up_ms) / (MS_PER_H * H_PER_D)
    )
    node = base.nodes["first"]
    assert node.failures is not None
    mtbf_h = mean_law(node.failures.mtbf) / MS_PER_H
    mttf_h = {gpus: mtbf_h / (gpus / node.accelerators) for gpus in GPUS}
    findings = {
        "failures": over_seeds((PER_NODE_DAYS * runs["failures"] / node_days).to_numpy()),
        "allocation": over_seeds((100 * runs["allocation"]).to_numpy()),
        "ettr": over_seeds(runs["ettr"].to_numpy()),
        "mttf_16384": Finding(mttf_h[16384]),
        "mttf_1024": Finding(mttf_h[1024]),
        "mttf_8": Finding(mttf_h[8]),
    }
    table = pd.DataFrame({"gpus": list(mttf_h), "mttf_h": list(mttf_h.values())})
    return Measured(findings, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw the time to failure by the rate alone, and the published points."""
    ours = {check.number.key: check for check in checks}
    known = [(gpus, ours[f"mttf_{gpus}"].number.value) for gpus in (8, 1024, 16384)]
    with house_style():
        figure = figure_of(
            f"A gang of 16,384 GPUs meets a failure every {ours['mttf_16384'].finding.value:.1f} h",
            "Mean time to failure by 6.50 failures in 1000 node-days. Rings: published. "
            "The projection at 16,384 GPUs follows from the rate, the measurements at 8 and 1024 "
            "do not: they count all that ends a job.",
            height_in=3.9,
        )
        axes = figure.add_subplot()
        (line,) = axes.plot(numbers["gpus"], numbers["mttf_h"], "o-", color=BLUE)
        (rings,) = axes.plot(
            *np.array(known, float).T, "o", color=INK, markerfacecolor="none", markersize=8
        )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(GPUS, [f"{gpus:,}" for gpus in GPUS])
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
        axes.set_xlabel("GPUs of a job")
        axes.set_ylabel("mean time to failure [h]")
        legend_above(axes, [line, rings], ["by the rate", "published"])
        figure.subplots_adjust(top=0.73)
    return figure
