"""Figure 6: what four levers of optimisation save in each half-year."""

from collections.abc import Sequence
from itertools import permutations
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import INK, SERIES, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material

SWEEPS: Final = ("half_years", "levers")
LEVERS: Final = {
    "model": "workloads.work.gpus",
    "platform": "clusters.pool.count",
    "infrastructure": "sites.here.pue",
    "hardware": "nodes.system",
}
"""Axis of each lever; the second value is the better one."""


def measure(material: Material) -> Measured:
    """Return the saving of each half-year, and the share of each lever in it.

    The share is the mean over all orders in which the levers may come, from sixteen runs.
    """
    runs = material.runs["half_years"].sort_values("point")
    energy_kwh = runs["energy_facility_kwh"].to_numpy()
    savings = 100.0 * (1.0 - energy_kwh[1:] / energy_kwh[:-1])
    parts = _parts(material.runs["levers"])
    whole = sum(parts.values())
    table = pd.DataFrame({"half_year": np.arange(1, len(savings) + 1), "saving_percent": savings})
    for name, part in parts.items():
        table[f"{name}_percent"] = savings * part / whole
    findings = {
        "mean": Finding(float(savings.mean())),
        "compounded": Finding(float(100.0 * (1.0 - energy_kwh[-1] / energy_kwh[0]))),
    }
    findings |= {name: Finding(float(table[f"{name}_percent"].mean())) for name in LEVERS}
    return Measured(findings, table)


def _parts(runs: pd.DataFrame) -> dict[str, float]:
    """Return what each lever saves, on average over all orders. [kWh]"""
    energies_kwh: dict[frozenset[str], float] = {}
    firsts = {name: runs.sort_values("point")[axis].iloc[0] for name, axis in LEVERS.items()}
    for _, run in runs.iterrows():
        pulled = frozenset(name for name, axis in LEVERS.items() if run[axis] != firsts[name])
        energies_kwh[pulled] = float(run["energy_facility_kwh"])
    saved = dict.fromkeys(LEVERS, 0.0)
    orders = list(permutations(LEVERS))
    for order in orders:
        before: frozenset[str] = frozenset()
        for name in order:
            after = before | {name}
            saved[name] += (energies_kwh[before] - energies_kwh[after]) / len(orders)
            before = after
    return saved


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw a stacked bar for each half-year, and the published mean."""
    ours = {check.number.key: check for check in checks}
    said = ours["mean"].number.value
    assert said is not None
    places = numbers["half_year"].to_numpy()
    with house_style():
        figure = figure_of(
            f"Four half-years of {ours['mean'].finding.value:.0f} % each make "
            f"{ours['compounded'].finding.value:.0f} %, where they reach the whole fleet",
            "Operational power saved in each half-year, of that at its start. Line: the published "
            "mean of 20 % (text). How it splits over the levers is printed nowhere: 40:30:10:20 of "
            "the logarithm are assumed, the same four times; what each lever does on the fleet is "
            "the mean over all orders, and idle power gives the platform more than its part.",
            height_in=4.0,
        )
        axes = figure.add_subplot()
        bottom = np.zeros(len(numbers))
        handles: list[object] = []
        for name, colour in zip(LEVERS, SERIES, strict=False):
            height = numbers[f"{name}_percent"].to_numpy()
            handles.append(axes.bar(places, height, 0.55, bottom=bottom, color=colour))
            bottom = bottom + height
        handles.append(axes.axhline(said, color=INK, linewidth=1.0, dashes=(4, 3)))
        axes.set_xticks(places, [f"half-year {at}" for at in places])
        axes.set_ylim(0, 25)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel("power saved [%]")
        legend_above(axes, handles, [*LEVERS, "published mean"])
        figure.subplots_adjust(top=0.72)
    return figure
