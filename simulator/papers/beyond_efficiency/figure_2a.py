"""Figure 2a: operational carbon of open models."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulator.papers.bars import draw_bars
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.units import KG_PER_T

SWEEPS: Final = ("own_grids", "fixed_intensity")
MODELS: Final = {
    "own_grids": ("gpt_3", "glam", "bloom_france"),
    "fixed_intensity": ("llama_7b", "llama_13b", "llama_33b", "llama_65b", "bloom_fixed"),
}
"""In the order of the runs."""
LABELS: Final = {
    "gpt_3": "GPT-3",
    "glam": "GLaM",
    "bloom_fixed": "BLOOM-175B",
    "bloom_france": "BLOOM-175B, in France",
    "llama_65b": "LLaMA-65B",
    "llama_33b": "LLaMA-33B",
    "llama_13b": "LLaMA-13B",
    "llama_7b": "LLaMA-7B",
}
"""In the order of the picture."""


def measure(material: Material) -> Measured:
    """Return energy and carbon of each model."""
    rows = []
    for name, models in MODELS.items():
        runs = material.runs[name].sort_values("point")
        carbon_kg, energy_kwh = runs["scope2_location_kgco2e"], runs["energy_facility_kwh"]
        for key, kg, kwh in zip(models, carbon_kg, energy_kwh, strict=True):
            rows.append({"key": key, "energy_kwh": kwh, "tco2e": kg / KG_PER_T})
    table = pd.DataFrame(rows).set_index("key").loc[list(LABELS)].reset_index()
    table.insert(1, "model", list(LABELS.values()))
    findings = dict(zip(table["key"], map(Finding, table["tco2e"]), strict=True))
    return Measured(findings, table)


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw a bar for each model."""
    del numbers
    ours = {check.number.key: check for check in checks}
    times = ours["bloom_fixed"].finding.value / ours["bloom_france"].finding.value
    return draw_bars(
        checks,
        LABELS,
        title=f"The same BLOOM: {times:.0f} times as much carbon by a fixed intensity as in France",
        caption="Operational carbon of training at 0.385 kg/kWh and PUE 1.1; GPT-3 at 0.429, GLaM "
        "from its 456 MWh, BLOOM in France at 57 g/kWh and PUE 1.2. DLRM, Universal LM and NLLB "
        "have no published hours or energy and are not drawn.",
        axis="t CO2e",
    )
