"""Runs of Patterson et al. net of contracts; figure 4 of "Sustainable AI" has them gross."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulator.papers.bars import draw_bars
from simulator.papers.findings import Check, Finding, Measured
from simulator.papers.material import Material
from simulator.units import KG_PER_T

SWEEPS: Final = ("net",)
MODELS: Final = {"gshard": "GShard-600B", "switch": "Switch Transformer"}
"""In the order of the runs."""


def measure(material: Material) -> Measured:
    """Return the carbon of each run."""
    runs = material.runs["net"].sort_values("point")
    tonnes = (runs["scope2_location_kgco2e"] / KG_PER_T).tolist()
    findings = {key: Finding(value) for key, value in zip(MODELS, tonnes, strict=True)}
    return Measured(findings, pd.DataFrame({"model": list(MODELS.values()), "tco2e": tonnes}))


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw a bar for each run."""
    del numbers
    ours = {check.number.key: check for check in checks}
    return draw_bars(
        checks,
        MODELS,
        title="Net of contracts Switch Transformer took "
        f"{ours['switch'].finding.value:.0f} t CO2e, GShard-600B "
        f"{ours['gshard'].finding.value:.1f} t",
        caption="Operational carbon of training at the intensity that the operator's contracts "
        "leave: 0.177 and 0.330 kg/kWh, where the grid has 0.201 and 0.403.",
        axis="t CO2e",
    )
