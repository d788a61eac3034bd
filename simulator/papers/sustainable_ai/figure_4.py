"""Figure 4: operational carbon of training seven open-source models."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulator.papers.bars import draw_bars
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.units import KG_PER_T, KWH_PER_MWH

SWEEPS: Final = ("open_models",)
MODELS: Final = {
    "nas": "BERT-NAS",
    "evolved_transformer": "Evolved Transformer",
    "t5": "T5",
    "meena": "Meena",
    "gshard": "GShard-600B",
    "switch": "Switch Transformer",
    "gpt_3": "GPT-3",
}
"""In the order of the runs."""


def measure(material: Material) -> Measured:
    """Return energy and carbon of each model."""
    runs = material.runs["open_models"].sort_values("point")
    mwh = (runs["energy_facility_kwh"] / KWH_PER_MWH).to_numpy()
    tonnes = (runs["scope2_location_kgco2e"] / KG_PER_T).to_numpy()
    findings = {
        name: Finding(float(value))
        for names, values in (
            (MODELS, tonnes),
            ([f"{key}_mwh" for key in MODELS], mwh),
        )
        for name, value in zip(names, values, strict=True)
    }
    table = pd.DataFrame({"model": list(MODELS.values()), "energy_mwh": mwh, "tco2e": tonnes})
    return Measured(findings, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw a bar for each model."""
    del numbers
    chosen = [check for key in MODELS for check in checks if check.number.key == key]
    largest = max(chosen, key=lambda check: check.finding.value)
    return draw_bars(
        checks,
        MODELS,
        title=f"Training {MODELS[largest.number.key]} comes to {largest.finding.value:.0f} t CO2e, "
        "Evolved Transformer to three",
        caption="Operational carbon of training, location-based and gross: chips x power x days x "
        "PUE x intensity, as one job on a fleet of its size. The paper's own bars of LM and RM-1 "
        "to RM-5 are printed nowhere and not drawn.",
        axis="t CO2e",
    )
