"""Mean time to failure by the size of a gang, and what failures leave of two clusters' time."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import BLUE, INK, ORANGE, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Finding, Measured, over_seeds
from simulator.papers.material import Material
from simulator.units import H_PER_D, MS_PER_H, S_PER_H
from simulator.workload.laws import mean as mean_law

SWEEPS: Final = ("clusters", "gangs")
JOBS: Final = ("gangs",)
PER_NODE_DAYS: Final = 1e3
"""Node-days that rates of failure are given for."""
GPUS: Final = (8, 64, 256, 1024, 4096, 16384)
SIZE: Final = "workloads.gangs.gpus"


def measure(material: Material) -> Measured:
    """Return failures, utilisation and useful time of the clusters, and MTTF by gang size."""
    runs, base = material.runs["clusters"], material.bases["clusters"]
    node_days = sum(cluster.count for cluster in base.clusters.values()) * (
        (base.horizon_ms - base.warm_up_ms) / (MS_PER_H * H_PER_D)
    )
    gangs = material.runs["gangs"]
    broken_h = _mttf_h(material, "clusters", "first")
    cut_h = _mttf_h(material, "gangs", "node")
    simulated = _simulated_h(material)
    findings = {
        "failures": over_seeds((PER_NODE_DAYS * runs["failures"] / node_days).to_numpy()),
        "allocation": over_seeds((100 * runs["allocation"]).to_numpy()),
        "job": over_seeds((runs["gpu_hours_delivered"] / runs["jobs_finished"]).to_numpy()),
        "ettr": over_seeds(runs["ettr"].to_numpy()),
        "ettr_1024": over_seeds(gangs.loc[gangs[SIZE] == 1024, "ettr"].to_numpy()),
        **{f"cut_{gpus}": found for gpus, found in simulated.items()},
        **{f"mttf_{gpus}": Finding(broken_h[gpus]) for gpus in (8, 1024, 16384)},
    }
    table = pd.DataFrame(
        {
            "gpus": GPUS,
            "broken_nodes_h": broken_h.values(),
            "cut_short_h": cut_h.values(),
            "cut_short_simulated_h": [
                simulated[gpus].value if gpus in simulated else np.nan for gpus in GPUS
            ],
        }
    )
    return Measured(findings, table)


def _mttf_h(material: Material, name: str, node: str) -> dict[int, float]:
    """Return the mean time to failure of gangs of nodes of a type, by size. [h]"""
    kind = material.bases[name].nodes[node]
    assert kind.failures is not None
    mtbf_h = mean_law(kind.failures.mtbf) / MS_PER_H
    return {gpus: mtbf_h * kind.accelerators / gpus for gpus in GPUS}


def _simulated_h(material: Material) -> dict[int, Finding]:
    """Return how long gangs of each size ran for each time that a node cut one short. [h]"""
    jobs = material.jobs["gangs"].groupby(["gpus", "seed"])[["run_s", "restarts"]].sum()
    ran_h = (jobs["run_s"] / S_PER_H / jobs["restarts"]).groupby("gpus")
    sizes: Any = ran_h
    return {int(gpus): over_seeds(of_size.to_numpy()) for gpus, of_size in sizes}


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw the time to failure by both rates, simulated gangs, and the published points."""
    ours = {check.number.key: check for check in checks}
    known = [
        (8, ours["cut_8"].number.value),
        (1024, ours["cut_1024"].number.value),
        (16384, ours["mttf_16384"].number.value),
    ]
    times = ours["mttf_1024"].finding.value / ours["cut_1024"].finding.value
    with house_style():
        figure = figure_of(
            "A gang of 16,384 GPUs meets a broken node every "
            f"{ours['mttf_16384'].finding.value:.1f} h; what ends jobs comes "
            f"{times:.1f} times as often",
            "Mean time to failure of a gang. Upper line: 6.50 broken nodes in 1000 node-days, as "
            "the paper counts them. Lower line: the rate that 7.9 h at 1024 GPUs stands for. The "
            "paper projects with the first and measured the second.",
            height_in=3.9,
        )
        axes = figure.add_subplot()
        (broken,) = axes.plot(numbers["gpus"], numbers["broken_nodes_h"], "-", color=BLUE)
        (cut,) = axes.plot(numbers["gpus"], numbers["cut_short_h"], "-", color=ORANGE)
        (dots,) = axes.plot(
            numbers["gpus"], numbers["cut_short_simulated_h"], "o", color=ORANGE, markersize=4
        )
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
        legend_above(
            axes,
            [broken, cut, dots, rings],
            ["broken nodes", "whatever ends a job", "the same, simulated", "published"],
        )
        figure.subplots_adjust(top=0.73)
    return figure
