"""The embodied carbon of a run, taken apart: nodes by cluster, buildings, what was written off."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.figures.series import codes, column, counted_h, timeline
from simulator.results import Results
from simulator.scenario.buildings import BUILT, Building
from simulator.scenario.model import NodeType, Scenario
from simulator.scenario.spreading import AWAKE, BY_USE
from simulator.units import G_PER_KG, MS_PER_H

_COUNTED = {None: "nodes_owned_mean", AWAKE: "nodes_awake_mean"}
"""Columns over time of the nodes that count; of accelerators held in their place by default."""


@dataclass(frozen=True, slots=True)
class Built:
    """A building, or power gear, and what of it a run is counted.

    Attributes
    ----------
    site, kind : str
        The kind is a key of `simulator.scenario.buildings.BUILT`.
    capacity_w : float
    lifetime_h : float
    kgco2e : float
        Within the counted period.
    """

    site: str
    kind: str
    capacity_w: float
    lifetime_h: float
    kgco2e: float


def lifetime_h(scenario: Scenario, node: NodeType) -> float:
    """Return the time over which the carbon of making a node is spread. [h]"""
    by_use = scenario.accounting.embodied == BY_USE
    time_ms = node.use_lifetime_ms if by_use and node.use_lifetime_ms else node.lifetime_ms
    return time_ms / MS_PER_H


def node_hours(results: Results) -> dict[str, float]:
    """Return the node-time of each cluster that counts: owned, or in use. [h]"""
    scenario = results.scenario
    by_use = scenario.accounting.embodied == BY_USE
    in_use = (scenario.accounting.in_use or "held") if by_use else None
    name = _COUNTED.get(in_use, "gpus_allocated_mean")
    code, known = codes(results, "hourly", "cluster")
    sums = np.bincount(code, column(results, name) * _lengths_h(results), len(known)).tolist()
    found = dict(zip(known, sums, strict=False))
    each = {
        cluster: 1 if name in _COUNTED.values() else scenario.nodes[table.node].accelerators
        for cluster, table in scenario.clusters.items()
    }
    return {cluster: found.get(cluster, 0.0) / count for cluster, count in each.items()}


def nodes_kg(results: Results) -> dict[str, float]:
    """Return the carbon of making the nodes of each cluster, for the time that counts. [kgCO2e]"""
    scenario, hours = results.scenario, node_hours(results)
    found = {}
    for name, cluster in scenario.clusters.items():
        node = scenario.nodes[cluster.node]
        found[name] = node.embodied_kg * hours[name] / lifetime_h(scenario, node)
    return found


def written_off_kg(results: Results) -> dict[str, float]:
    """Return what nodes of each cluster left at their retirement; nothing where it is carried."""
    if "written_off_kgco2e" not in results.tables["nodes"].column_names:
        return {}
    left_kg = results.tables["nodes"]["written_off_kgco2e"].to_numpy()
    code, known = codes(results, "nodes", "cluster")
    sums = np.bincount(code, left_kg, len(known)).tolist()
    return dict(zip(known, sums, strict=False))


def built_of(results: Results) -> tuple[Built, ...]:
    """Return the buildings and the power gear of a run, site by site."""
    scenario, hours = results.scenario, counted_h(results)
    found = []
    for name, site in scenario.sites.items():
        for kind in BUILT:
            built: Building | None = getattr(site, kind)
            if built is None:
                continue
            capacity_w = _capacity_w(scenario, name, built)
            life_h = built.lifetime_ms / MS_PER_H
            kg = built.embodied_g_per_w * capacity_w * hours / life_h / G_PER_KG
            found.append(Built(name, kind, capacity_w, life_h, kg))
    return tuple(found)


def besides_nodes(results: Results) -> list[tuple[str, float]]:
    """Return the embodied carbon beside that of nodes in use: its name, and how much. [kgCO2e]"""
    found = [
        (f"the {built.kind.replace('_', ' ')} of {built.site}", built.kgco2e)
        for built in built_of(results)
    ]
    left_kg = sum(written_off_kg(results).values())
    return [*found, ("nodes written off at retirement", left_kg)] if left_kg else found


def built_kg_per_gpu_h(scenario: Scenario, cluster_name: str) -> float:
    """Return what an accelerator held for an hour bears of its buildings. [kg/h]"""
    cluster = scenario.clusters[cluster_name]
    node, site = scenario.nodes[cluster.node], scenario.sites[cluster.site]
    busy_w = node.level(cluster.power_level).busy_power_w
    per_w_h = sum(
        built.embodied_g_per_w * MS_PER_H / built.lifetime_ms
        for built in (getattr(site, kind) for kind in BUILT)
        if built is not None
    )
    return float(per_w_h * busy_w / node.accelerators / G_PER_KG)


def _capacity_w(scenario: Scenario, site: str, built: Building) -> float:
    """Return the IT power that a building is for: its own, or that of all nodes at full load."""
    if built.capacity_w is not None:
        return built.capacity_w
    return sum(
        cluster.node_limit * scenario.nodes[cluster.node].level(cluster.power_level).busy_power_w
        for cluster in scenario.clusters.values()
        if cluster.site == site
    )


def _lengths_h(results: Results) -> NDArray[np.float64]:
    """Return how much of each row of the table over time is counted. [h]"""
    line = timeline(results)
    return np.zeros(0) if line is None else line.hours[line.row]
