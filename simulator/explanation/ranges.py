"""How far the carbon of some jobs moves over the ranges that the catalog gives its figures.

The events stay as they are: whatever a node draws or embodies, jobs start and end as they did. A
job's dynamic energy goes with busy power less idle power, its share of idle energy with idle
power, its embodied share with embodied carbon over lifetime; operational carbon goes with IT
energy where the PUE is a number.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.catalog import Figure
from simulator.explanation.citations import KEYS
from simulator.explanation.recipes import numbers
from simulator.node_figures import MEASURES, catalog_figure
from simulator.results import Results
from simulator.scenario.model import Scenario
from simulator.scenario.node_power import FULL
from simulator.tables import codes_of

POWERS: Final = ("idle_power", "busy_power")
WORDS: Final = {key: word for word, key in KEYS.items()}


@dataclass(frozen=True, slots=True)
class Range:
    """How far the total of some jobs moves with one figure, or with all of them.

    Attributes
    ----------
    subject, quantity : str
        Node type and figure; empty of all figures together.
    key : str or None
        Of the figure, as a scenario says it; None of all together.
    low, value, high : float
        Of the figure, in `unit`.
    unit, source : str
    low_kg, high_kg : float
        The least and the most that the total comes to. [kgCO2e]
    """

    subject: str
    quantity: str
    key: str | None
    low: float
    value: float
    high: float
    unit: str
    source: str
    low_kg: float
    high_kg: float


@dataclass(frozen=True, slots=True)
class _Share:
    """What the jobs on one node type emit, by what it goes with. [kgCO2e]"""

    node_type: str
    dynamic_kg: float
    idle_kg: float
    embodied_kg: float
    fixed_kg: float
    powers_w: tuple[float, float]

    def plus(self, other: "_Share") -> "_Share":
        """Return both together; they are of one node type."""
        return replace(
            self,
            dynamic_kg=self.dynamic_kg + other.dynamic_kg,
            idle_kg=self.idle_kg + other.idle_kg,
            embodied_kg=self.embodied_kg + other.embodied_kg,
            fixed_kg=self.fixed_kg + other.fixed_kg,
        )

    def at(self, ratios: dict[str, float]) -> float:
        """Return the total where figures are so many times what they are."""
        idle_w, busy_w = self.powers_w
        idle = ratios.get("idle_power", 1.0)
        span_w = max(0.0, busy_w * ratios.get("busy_power", 1.0) - idle_w * idle)
        stretch = span_w / (busy_w - idle_w) if busy_w > idle_w else 1.0
        made = ratios.get("embodied", 1.0) / ratios.get("lifetime", 1.0)
        return (
            self.dynamic_kg * stretch
            + self.idle_kg * idle
            + self.embodied_kg * made
            + self.fixed_kg
        )


def ranges_of(results: Results, chosen: NDArray[np.bool_]) -> tuple[Range, ...]:
    """Return the ranges of the total of some jobs, all figures together last.

    Parameters
    ----------
    results : Results
    chosen : bool[jobs]

    Returns
    -------
    tuple of Range
        Empty where no figure of the catalog that counts has a range.
    """
    shares = _shares(results, chosen)
    total_kg = sum(share.at({}) for share in shares)
    found: list[Range] = []
    lows, highs = total_kg, total_kg
    for share in shares:
        figures = _figures(results.scenario, share)
        ratios = [
            {key: bound / figure.value for key, figure, bound in each} for each in _ends(figures)
        ]
        lows += share.at(ratios[0]) - share.at({})
        highs += share.at(ratios[1]) - share.at({})
        for key, figure in figures.items():
            assert figure.low is not None
            assert figure.high is not None
            ends = [
                total_kg + share.at({key: end / figure.value}) - share.at({})
                for end in (figure.low, figure.high)
            ]
            found.append(
                Range(
                    share.node_type,
                    WORDS[key],
                    key,
                    figure.low,
                    figure.value,
                    figure.high,
                    figure.unit,
                    figure.source,
                    min(ends),
                    max(ends),
                )
            )
    if found:
        found.append(Range("", "", None, 0.0, 0.0, 0.0, "", "", lows, highs))
    return tuple(found)


def _ends(figures: dict[str, Figure]) -> tuple[list[tuple[str, Figure, float]], ...]:
    """Return the ends at which all figures together emit the least, and the most."""
    least, most = [], []
    for key, figure in figures.items():
        assert figure.low is not None
        assert figure.high is not None
        low, high = figure.low, figure.high
        if key == "lifetime":
            low, high = high, low
        least.append((key, figure, low))
        most.append((key, figure, high))
    return least, most


def _figures(scenario: Scenario, share: _Share) -> dict[str, Figure]:
    """Return the figures of a node type that have a range and bear on what its jobs emit."""
    node = scenario.nodes[share.node_type]
    found = {key: catalog_figure(node, key) for key in MEASURES}
    linear = node.load_curve == "linear" and not share.fixed_kg
    return {
        key: figure
        for key, figure in found.items()
        if figure is not None
        and figure.low is not None
        and figure.high is not None
        and (key not in POWERS or linear)
    }


def _shares(results: Results, chosen: NDArray[np.bool_]) -> list[_Share]:
    """Return what the jobs emit, by the node type that they ran on."""
    scenario, table = results.scenario, results.tables["jobs"]
    code = codes_of(table["cluster"], scenario.clusters)
    dynamic_kwh, idle_kwh, operational_kg, embodied_kg = (
        numbers(results, "jobs", name)
        for name in (
            "energy_dynamic_kwh",
            "energy_idle_share_kwh",
            "operational_kgco2e",
            "embodied_kgco2e",
        )
    )
    drawn_kwh = dynamic_kwh + idle_kwh
    part = np.divide(dynamic_kwh, drawn_kwh, out=np.zeros_like(drawn_kwh), where=drawn_kwh > 0.0)
    found: dict[str, _Share] = {}
    for at, cluster in enumerate(scenario.clusters.values()):
        mine = chosen & (code == at)
        emitted_kg = float(operational_kg[mine].sum())
        of_dynamic_kg = float((operational_kg * part)[mine].sum())
        node, numeric = (
            scenario.nodes[cluster.node],
            isinstance(scenario.sites[cluster.site].pue, float | int),
        )
        scales = numeric and cluster.power_level == FULL
        share = _Share(
            node_type=cluster.node,
            dynamic_kg=of_dynamic_kg if scales else 0.0,
            idle_kg=emitted_kg - of_dynamic_kg if scales else 0.0,
            embodied_kg=float(embodied_kg[mine].sum()),
            fixed_kg=0.0 if scales else emitted_kg,
            powers_w=(node.idle_power_w, node.busy_power_w),
        )
        if mine.any():
            known = found.get(cluster.node)
            found[cluster.node] = share if known is None else known.plus(share)
    return list(found.values())
