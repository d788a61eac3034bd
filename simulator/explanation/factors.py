"""The carbon of a run, factor by factor: IT energy x PUE x intensity + embodied, by cluster."""

from dataclasses import dataclass

import numpy as np

from simulator.explanation.making import built_of, lifetime_h, node_hours, written_off_kg
from simulator.figures.series import ROUNDING, codes, column, counted_h
from simulator.results import Results
from simulator.scenario.spreading import BY_USE
from simulator.units import G_PER_KG

KINDS = ("dynamic", "idle", "sleep", "transition")


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors of one cluster's carbon.

    Attributes
    ----------
    site, cluster, node_type : str
    node_count : int
    kinds_kwh : dict of str to float
        IT energy as dynamic, idle, sleep and transition.
    energy_it_kwh, energy_facility_kwh : float
    pue : float or None
        Facility over IT energy; None if nothing was drawn.
    intensity_g_per_kwh : float or None
        Average intensity, weighted by facility energy.
    operational_kgco2e : float
        Location-based.
    embodied_each_kg, lifetime_h, counted_h : float
        Of one node; how long it is used in all, and how long it was in this run: by the calendar,
        or, where the carbon of making is spread by use, in use, the mean of its nodes.
    embodied_kgco2e, total_kgco2e : float
    """

    site: str
    cluster: str
    node_type: str
    node_count: int
    kinds_kwh: dict[str, float]
    energy_it_kwh: float
    energy_facility_kwh: float
    pue: float | None
    intensity_g_per_kwh: float | None
    operational_kgco2e: float
    embodied_each_kg: float
    lifetime_h: float
    counted_h: float
    embodied_kgco2e: float
    total_kgco2e: float


def factors_of(results: Results) -> tuple[Factors, ...]:
    """Return the factors of each cluster of a run, in the scenario's order."""
    code, known = codes(results, "hourly", "cluster")

    def sums(name: str) -> dict[str, float]:
        totals = np.bincount(code, column(results, name), len(known)).tolist()
        return dict(zip(known, totals, strict=False))

    names = ("energy_it_kwh", "energy_facility_kwh", "operational_kgco2e")
    by_name = {name: sums(name) for name in (*names, *(f"energy_{kind}_kwh" for kind in KINDS))}
    hours = counted_h(results)
    by_use = results.scenario.accounting.embodied == BY_USE
    used_h = node_hours(results) if by_use else {}
    return tuple(
        _factors(
            results,
            name,
            {key: by.get(name, 0.0) for key, by in by_name.items()},
            used_h[name] / cluster.count if by_use else hours,
        )
        for name, cluster in results.scenario.clusters.items()
    )


def _factors(results: Results, name: str, sums: dict[str, float], hours: float) -> Factors:
    cluster = results.scenario.clusters[name]
    node = results.scenario.nodes[cluster.node]
    it_kwh, facility_kwh = sums["energy_it_kwh"], sums["energy_facility_kwh"]
    operational_kg = sums["operational_kgco2e"]
    life_h = lifetime_h(results.scenario, node)
    embodied_kg = cluster.count * node.embodied_kg * hours / life_h
    return Factors(
        site=cluster.site,
        cluster=name,
        node_type=cluster.node,
        node_count=cluster.count,
        kinds_kwh={kind: sums[f"energy_{kind}_kwh"] for kind in KINDS},
        energy_it_kwh=it_kwh,
        energy_facility_kwh=facility_kwh,
        pue=facility_kwh / it_kwh if it_kwh else None,
        intensity_g_per_kwh=operational_kg * G_PER_KG / facility_kwh if facility_kwh else None,
        operational_kgco2e=operational_kg,
        embodied_each_kg=node.embodied_kg,
        lifetime_h=life_h,
        counted_h=hours,
        embodied_kgco2e=embodied_kg,
        total_kgco2e=operational_kg + embodied_kg,
    )


def not_by_cluster_kg(results: Results, factors: tuple[Factors, ...]) -> float:
    """Return what of the embodied carbon the clusters' fixed sizes don't account for. [kgCO2e]

    Nodes that were added or retired in the course of the run; not what is written off then, nor
    buildings.
    """
    embodied_kg = float(results.summary["scope3_embodied_kgco2e"])
    rest_kg = embodied_kg - sum(each.embodied_kgco2e for each in factors)
    rest_kg -= sum(written_off_kg(results).values())
    rest_kg -= sum(built.kgco2e for built in built_of(results))
    return rest_kg if abs(rest_kg) > ROUNDING * max(embodied_kg, 1.0) else 0.0
