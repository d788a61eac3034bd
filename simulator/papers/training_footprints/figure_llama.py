"""Table 15 of the LLaMA paper: energy and carbon from GPU-hours."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulator.papers.bars import draw_bars
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.units import KG_PER_T, KWH_PER_MWH

SWEEPS: Final = ("llama",)
MODELS: Final = {
    "7b": "LLaMA-7B",
    "13b": "LLaMA-13B",
    "33b": "LLaMA-33B",
    "65b": "LLaMA-65B",
    "bloom": "BLOOM-175B",
    "opt": "OPT-175B",
    "project": "the whole LLaMA project",
}
"""In the order of the runs."""


def measure(material: Material) -> Measured:
    """Return GPU-hours, energy and carbon of each model."""
    runs = material.runs["llama"].sort_values("point")
    table = pd.DataFrame(
        {
            "model": list(MODELS.values()),
            "gpu_hours": runs["gpu_hours_delivered"].to_numpy(),
            "energy_mwh": runs["energy_facility_kwh"].to_numpy() / KWH_PER_MWH,
            "tco2e": runs["scope2_location_kgco2e"].to_numpy() / KG_PER_T,
        }
    )
    findings = {}
    for at, key in enumerate(MODELS):
        findings[f"{key}_mwh"] = Finding(float(table["energy_mwh"].iloc[at]))
        findings[key] = Finding(float(table["tco2e"].iloc[at]))
    return Measured(findings, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw a bar for each model."""
    del numbers
    ours = {check.number.key: check for check in checks}
    return draw_bars(
        checks,
        {key: name for key, name in MODELS.items() if key != "project"},
        title=f"LLaMA-65B took {ours['65b'].finding.value:.0f} t CO2e, LLaMA-7B "
        f"{ours['7b'].finding.value:.0f}",
        caption="Operational carbon of training: GPU-hours x 400 W x 1.1 x 0.385 kg/kWh, each as "
        "one job on a fleet of its chips. The paper has whole tonnes.",
        axis="t CO2e",
    )
