"""Figure 9: carbon for each useful GPU-hour against utilisation, simulated and in closed form."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from simulator.figures.style import BLUE, INK, ORANGE, SKY, figure_of, house_style
from simulator.papers.findings import Check, Finding, Measured, over_seeds
from simulator.papers.material import Material
from simulator.papers.sustainable_ai.useful_hour import useful_hour
from simulator.units import G_PER_KG

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SWEEPS: Final = ("figure_9_old", "figure_9_modern")
NAMES: Final = {"figure_9_old": "old", "figure_9_modern": "modern"}
TITLES: Final = {
    "old": "old machines: idle power half of peak",
    "modern": "modern machines: a fifth",
}
AT_WORK_GPUS: Final = 240.0
"""GPUs at work on average, whatever the size of the pool."""
COUNT: Final = "clusters.pool.count"
GRID: Final = "sites.here.grid.average.constant"


def measure(material: Material) -> Measured:
    """Return carbon for each useful hour by utilisation, kind of machine and grid."""
    findings: dict[str, Finding] = {}
    rows: list[dict[str, Any]] = []
    for name, kind in NAMES.items():
        table = _per_hour(material.runs[name])
        grids = sorted(table["g_per_kwh"].unique())[::-1]
        totals = {
            (at, grid): part["total_g"].to_numpy()
            for (at, grid), part in table.groupby(["utilisation_percent", "g_per_kwh"])
        }
        plain, offset = grids
        findings[f"{kind}_reduction"] = over_seeds(totals[20, plain] / totals[80, plain])
        findings[f"{kind}_reduction_30"] = over_seeds(totals[30, plain] / totals[80, plain])
        findings[f"{kind}_renewables"] = over_seeds(totals[80, plain] / totals[80, offset])
        after = table[(table["utilisation_percent"] == 80) & (table["g_per_kwh"] == offset)]
        findings[f"{kind}_embodied_share"] = over_seeds(
            (100 * after["embodied_g"] / after["total_g"]).to_numpy()
        )
        findings[f"{kind}_axis"] = over_seeds(totals[20, plain] / totals[75, offset])
        own = _summed(table, kind, material, name, grids)
        findings[f"{kind}_agreement"] = Finding(max(abs(row["apart_se"]) for row in own))
        rows += own
    return Measured(findings, pd.DataFrame(rows))


def _per_hour(runs: pd.DataFrame) -> pd.DataFrame:
    """Return carbon for each useful GPU-hour of every run. [g]"""
    useful_h = runs["gpu_hours_capacity"] * runs["utilisation"]
    embodied_g = G_PER_KG * runs["scope3_embodied_kgco2e"] / useful_h
    operational_g = G_PER_KG * runs["scope2_location_kgco2e"] / useful_h
    table = pd.DataFrame(
        {
            "seed": runs["seed"],
            "utilisation_percent": (100 * AT_WORK_GPUS / runs[COUNT]).round().astype(int),
            "g_per_kwh": runs[GRID].str.removesuffix(" g/kWh").astype(float),
            "embodied_g": embodied_g,
            "operational_g": operational_g,
            "total_g": embodied_g + operational_g,
            "measured_percent": 100 * runs["utilisation"],
        }
    )
    return table.sort_values(["utilisation_percent", "g_per_kwh", "seed"])


def _summed(
    table: pd.DataFrame, kind: str, material: Material, name: str, grids_g_per_kwh: Sequence[float]
) -> list[dict[str, Any]]:
    """Return a row for each point: means over seeds, the closed form, how far it is apart."""
    rows = []
    for grid in grids_g_per_kwh:
        form = useful_hour(material.bases[name], grid)
        of_grid = table[table["g_per_kwh"] == grid]
        for at in of_grid["utilisation_percent"].unique().tolist():
            part = of_grid[of_grid["utilisation_percent"] == at]
            ours = over_seeds(part["total_g"].to_numpy())
            closed_g = form.total_g(at / 100)
            error_g = part["total_g"].std(ddof=1) / np.sqrt(len(part))
            rows.append(
                {
                    "machines": kind,
                    "utilisation_percent": at,
                    "measured_percent": part["measured_percent"].mean(),
                    "intensity_g_per_kwh": grid,
                    "embodied_g": part["embodied_g"].mean(),
                    "operational_g": part["operational_g"].mean(),
                    "total_g": ours.value,
                    "total_half_width_g": ours.half_width,
                    "closed_form_g": closed_g,
                    "apart_se": (ours.value - closed_g) / error_g,
                }
            )
    return rows


def draw(numbers: pd.DataFrame, checks: Sequence[Check]) -> Figure:
    """Draw stacked bars by utilisation, the closed form, and what the paper says."""
    ours = {check.number.key: check for check in checks}
    caption = (
        "Carbon for each useful GPU-hour over that at 80 %, grid alone. Bars: simulated pools, "
        "means over seeds; dots: closed form. Rings: the paper's words, 3x from the first bar to "
        "80 %, then 2x by renewables. The heights of its bars are printed nowhere."
    )
    with house_style():
        figure = figure_of(
            f"A useful hour at 20 % utilisation costs {_times(ours['old_reduction'])} as much as "
            f"at 80 %; on modern machines {_times(ours['modern_reduction'])}",
            caption,
            height_in=4.3,
        )
        panels = figure.subplots(1, 2, sharey=True)
        for axes, kind in zip(panels, TITLES, strict=True):
            _bars(axes, numbers[numbers["machines"] == kind])
            axes.set_title(TITLES[kind], fontsize=8.5, loc="left")
            axes.set_xlabel("GPU utilisation [%]")
        _published(panels[0], ours)
        panels[0].set_ylabel("carbon per useful hour, 1 = at 80 %")
        handles = [
            Patch(facecolor=ORANGE), Patch(facecolor=BLUE), Patch(facecolor=SKY),
            panels[0].lines[0], panels[0].lines[-1],
        ]  # fmt: skip
        words = (
            "embodied", "operational, rest", "operational, carbon-free offsets",
            "closed form", "published",
        )  # fmt: skip
        figure.legend(
            handles, words, loc="upper left", bbox_to_anchor=(0.08, 0.8), ncols=5,
            columnspacing=1.2, handletextpad=0.4,
        )  # fmt: skip
        figure.subplots_adjust(top=0.68, wspace=0.08)
    return figure


def _times(check: Check) -> str:
    return f"{check.finding.value:.2g} times"


def _bars(axes: "Axes", part: pd.DataFrame) -> None:
    plain_g, offset_g = part["intensity_g_per_kwh"].max(), part["intensity_g_per_kwh"].min()
    plain = part[part["intensity_g_per_kwh"] == plain_g]
    rest = part[part["intensity_g_per_kwh"] == offset_g]
    one = float(plain.loc[plain["utilisation_percent"] == 80, "total_g"].iloc[0])
    places = np.arange(len(plain))
    embodied = plain["embodied_g"].to_numpy() / one
    left = rest["operational_g"].to_numpy() / one
    total = plain["total_g"].to_numpy() / one
    axes.bar(places, embodied, 0.62, color=ORANGE)
    axes.bar(places, left, 0.62, bottom=embodied, color=BLUE)
    axes.bar(places, total - embodied - left, 0.62, bottom=embodied + left, color=SKY)
    for table in (plain, rest):
        axes.plot(
            places, table["closed_form_g"].to_numpy() / one, "o", color=INK, markersize=3, zorder=4
        )
    for place, height in zip(places.tolist(), total.tolist(), strict=True):
        axes.text(place, height + 0.05, f"{height:.2f}", ha="center", va="bottom", fontsize=7.5)
    axes.set_xticks(places, [f"{at}" for at in plain["utilisation_percent"]])
    axes.set_ylim(0.0, 3.7)
    axes.grid(visible=False, axis="x")


def _published(axes: "Axes", ours: dict[str, Check]) -> None:
    """Draw the paper's factors: 3 at the first bar, 1 at the last, and 1/2 of it after offsets."""
    fall = ours["old_reduction"].number.value
    further = ours["old_renewables"].number.value
    assert fall is not None
    assert further is not None
    places = [0.4, 4.4, 4.4]
    axes.plot(
        places, [fall, 1.0, 1.0 / further], "o", color=INK, markerfacecolor="none", markersize=6,
        markeredgewidth=1.1, zorder=5, clip_on=False,
    )  # fmt: skip
