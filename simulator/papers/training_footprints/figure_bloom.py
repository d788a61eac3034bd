"""BLOOM under four bases: its accelerators, PUE, idle power and making, another intensity."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulator.papers.bars import draw_bars
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.papers.training_footprints.figure_llama import MODELS
from simulator.units import KG_PER_T, KWH_PER_MWH

SWEEPS: Final = ("bloom", "bloom_pue", "llama")
LABELS: Final = {
    "dynamic": "accelerators at work",
    "pue": "the same, PUE 1.2",
    "idle": "idle power of the servers",
    "embodied": "making of the servers",
    "total": "work, idle power, making",
    "fixed": "0.385 kg/kWh and PUE 1.1",
}

PROJECT_MWH: Final = 1163.088
"""Energy of the whole project, experiments and smaller models in it (table 5 of the study)."""


def measure(material: Material) -> Measured:
    """Return the parts of BLOOM's footprint, and the whole by LLaMA's assumptions."""
    runs = material.runs["bloom"].sort_values("point")
    alone, whole = runs.iloc[0], runs.iloc[1]
    fixed = material.runs["llama"].sort_values("point").iloc[list(MODELS).index("bloom")]
    in_a_building = material.runs["bloom_pue"].iloc[0]
    tonnes = {
        "dynamic": alone["total_kgco2e"] / KG_PER_T,
        "pue": in_a_building["total_kgco2e"] / KG_PER_T,
        "idle": whole["idle_kgco2e"] / KG_PER_T,
        "embodied": whole["scope3_embodied_kgco2e"] / KG_PER_T,
        "total": whole["total_kgco2e"] / KG_PER_T,
        "fixed": fixed["scope2_location_kgco2e"] / KG_PER_T,
    }
    energy_mwh = float(alone["energy_facility_kwh"]) / KWH_PER_MWH
    findings = {key: Finding(float(value)) for key, value in tonnes.items()} | {
        "energy": Finding(energy_mwh),
        "final": Finding(100.0 * energy_mwh / PROJECT_MWH),
    }
    table = pd.DataFrame({"basis": list(LABELS.values()), "tco2e": list(tonnes.values())})
    return Measured(findings, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw a bar for each basis."""
    del numbers
    ours = {check.number.key: check for check in checks}
    low, high = ours["dynamic"].finding.value, ours["fixed"].finding.value
    return draw_bars(
        checks,
        LABELS,
        title=f"One training, {low:.0f} to {high:.0f} t CO2e: the basis decides",
        caption="Training BLOOM, 1,082,990 GPU-hours. The first five on the grid of France "
        "(57 g/kWh), the second of them with a PUE of 1.2, the others without, as the study has "
        "them; the last as the LLaMA paper bills it. Idle power was fitted to the study's.",
        axis="t CO2e",
    )
