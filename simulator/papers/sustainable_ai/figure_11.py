"""Figure 11: federated learning on phones beside training Transformer-Big."""

from collections.abc import Sequence
from typing import Final

import pandas as pd
from matplotlib.figure import Figure

from simulator.papers.bars import draw_bars
from simulator.papers.findings import Check, Finding, Measured, over_seeds
from simulator.papers.material import Material

SWEEPS: Final = ("federated", "transformer_big")
LABELS: Final = {
    "fl_1": "FL-1, clients made up",
    "fl_2": "FL-2, clients made up",
    "tpu_base": "TPU-Base",
    "tpu_green": "TPU-Green",
    "p100_base": "P100-Base",
    "p100_green": "P100-Green",
}
"""In the order of the picture."""
TRAININGS: Final = ("p100_base", "p100_green", "p100_us", "tpu_base", "tpu_green")
"""In the order of the runs; the last, a TPU in an average data centre, was not published."""
CARBON: Final = "scope2_location_kgco2e"


def measure(material: Material) -> Measured:
    """Return the carbon of each application and of each training, and their ratios. [kg]"""
    findings: dict[str, Finding] = {}
    federated = material.runs["federated"]
    for point, key in enumerate(("fl_1", "fl_2")):
        of_point = federated[federated["point"] == point].sort_values("seed")
        findings[key] = over_seeds(of_point[CARBON].to_numpy())
    trained = material.runs["transformer_big"].sort_values("point")[CARBON]
    for key, kg in zip(TRAININGS, trained, strict=False):
        findings[key] = Finding(float(kg))
    base_kg = findings["p100_base"].value
    for key in ("fl_1", "fl_2"):
        findings[f"{key}_ratio"] = Finding(findings[key].value / base_kg)
    nodes = material.bases["federated"].nodes
    findings |= {
        "device": Finding(nodes["phone"].busy_power_w),
        "router": Finding(nodes["router"].busy_power_w),
    }
    rows = [
        {"bar": key, "kgco2e": found.value, "half_width_kg": found.half_width}
        for key, found in findings.items()
        if key in (*LABELS, "p100_us")
    ]
    return Measured(findings, pd.DataFrame(rows))


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw a bar for each application and training."""
    del numbers
    ours = {check.number.key: check for check in checks}
    return draw_bars(
        checks,
        LABELS,
        title="Federated learning, its clients made up to be like Transformer-Big: "
        f"{ours['fl_1'].finding.value:.0f} and {ours['fl_2'].finding.value:.0f} kg beside "
        f"{ours['p100_base'].finding.value:.0f}",
        caption="Clients: 3 W while they compute, 7.5 W of a router while they send, 0.429 kg/kWh. "
        "The bars FL-1 and FL-2 are printed without numbers, stacked by download, upload and "
        "compute: ours are of made-up clients (grey), their sums alone. Base and Green are read as "
        "gross and net of Google's Iowa site.",
        made_up=2,
        axis="kg CO2e",
    )
