"""Figure 5: embodied against operational carbon, and the system power that 30:70 implies."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.figures.style import BLUE, INK, ORANGE, figure_of, house_style, legend_above
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.units import MS_PER_H, MS_PER_Y, W_PER_KW

SWEEPS: Final = ("systems",)
SYSTEMS: Final = {
    "3y": "GPU system, 3 years",
    "4y": "GPU system, 4 years",
    "5y": "GPU system, 5 years",
    "cpu": "CPU system, 4 years",
    "server": "server of 8 GPUs, 6 kW",
}
"""In the order of the runs."""
SPLIT: Final = 70.0 / 30.0
"""Operational over embodied carbon, in the text."""


def measure(material: Material) -> Measured:
    """Return the embodied share of each system, what 30:70 would take, and what was put in."""
    runs = material.runs["systems"].sort_values("point")
    base = material.bases["systems"]
    hours = base.clusters["pool"].count * runs["horizon_h"]
    embodied_kg, operational_kg = runs["scope3_embodied_kgco2e"], runs["scope2_location_kgco2e"]
    drawn_kw = runs["energy_it_kwh"] / hours
    table = pd.DataFrame(
        {
            "system": list(SYSTEMS.values()),
            "embodied_percent": 100 * embodied_kg / (embodied_kg + operational_kg),
            "drawn_kw": drawn_kw,
            "implied_kw": drawn_kw * SPLIT * embodied_kg / operational_kg,
        }
    )
    findings = {}
    for at, key in enumerate(SYSTEMS):
        findings[f"share_{key}"] = Finding(float(table["embodied_percent"].iloc[at]))
        findings[f"implied_{key}"] = Finding(float(table["implied_kw"].iloc[at]))
    first = runs.iloc[0]
    life_h = base.nodes["system"].lifetime_ms / MS_PER_H
    count = base.clusters["pool"].count
    for at, key in ((1, "4y"), (3, "cpu")):
        made_kg = embodied_kg.iloc[at] / count * life_h / runs["horizon_h"].iloc[at]
        findings[f"made_{key}"] = Finding(float(made_kg))
    findings |= {
        "pue": Finding(float(first["energy_facility_kwh"] / first["energy_it_kwh"])),
        "life": Finding(base.nodes["system"].lifetime_ms / MS_PER_Y),
        "utilisation": Finding(float(100.0 * first["utilisation"])),
    }
    return Measured(findings, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw the shares of both, and the paper's 30 %."""
    ours = {check.number.key: check for check in checks}
    implied = ours["implied_4y"].finding.value
    said = ours["share_4y"].number.value
    assert said is not None
    with house_style():
        figure = figure_of(
            f"30 % embodied means that a system draws {W_PER_KW * implied:.0f} W: a host with one "
            "or two GPUs",
            "Shares of the carbon of systems that are at work 45 % of the time, PUE 1.10, "
            "0.429 kg/kWh. Ring: the paper's 30 % (text). At the right: what the system draws on "
            "average, and in brackets what it would have to for 30:70. The paper's bars of LM and "
            "RM-1 to RM-5 are printed nowhere.",
            height_in=3.9,
        )
        axes = figure.add_subplot()
        places = np.arange(len(numbers))[::-1]
        share = numbers["embodied_percent"].to_numpy()
        one = axes.barh(places, share, 0.6, color=ORANGE)
        two = axes.barh(places, 100 - share, 0.6, left=share, color=BLUE)
        (ring,) = axes.plot(
            [said], [places[1]], "o", color=INK, markerfacecolor="none", markersize=7, zorder=5
        )
        watts = (W_PER_KW * numbers[["drawn_kw", "implied_kw"]]).to_numpy().tolist()
        for place, (drawn, wanted), part in zip(
            places.tolist(), watts, share.tolist(), strict=True
        ):
            axes.text(101, place, f"{drawn:.0f} W ({wanted:.0f})", va="center", fontsize=7.5)
            axes.text(part + 1.2, place, f"{part:.1f} %", va="center", fontsize=7.5, color="white")
        axes.set_yticks(places, numbers["system"])
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, 100)
        axes.grid(visible=False)
        axes.set_xlabel("share of the carbon of a system [%]")
        legend_above(axes, [one, two, ring], ["embodied", "operational", "published, 30 %"])
        figure.subplots_adjust(left=0.2, right=0.86, top=0.72)
    return figure
