"""The fleet as columns: clusters, and the nodes they own.

Nodes are numbered through the whole fleet, cluster after cluster in the scenario's order, so a
node is one integer everywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.model import Scenario
from simulator.units import G_PER_KG

PLACEMENTS = ("pack", "first-fit", "spread")
"""Placement rules in the order of the codes the kernels know."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Clusters and nodes as columns; one row per cluster unless said.

    Attributes
    ----------
    cluster_names, node_types, accelerator_names : tuple of str
        Names, node type and accelerator of each cluster.
    site_names : tuple of str
        Names of the sites, in the scenario's order.
    site : int64[clusters]
        Index of the cluster's site.
    first_node : int64[clusters + 1]
        Number of the cluster's first node; the last entry is the number of nodes.
    accelerators : int64[clusters]
        Accelerators of one node.
    idle_w, busy_w : float64[clusters]
        Power of one awake node with nothing allocated, and with all accelerators allocated at
        utilisation 1. [W]
    relative_speed : float64[clusters]
        Work done per unit of time, relative to 1.
    embodied_g : float64[clusters]
        Embodied carbon of one node. [gCO2e]
    lifetime_ms : float64[clusters]
        Calendar lifetime of one node. [ms]
    placement : int64[clusters]
        Code of the placement rule, an index into `PLACEMENTS`.
    """

    cluster_names: tuple[str, ...]
    node_types: tuple[str, ...]
    accelerator_names: tuple[str | None, ...]
    site_names: tuple[str, ...]
    site: NDArray[np.int64]
    first_node: NDArray[np.int64]
    accelerators: NDArray[np.int64]
    idle_w: NDArray[np.float64]
    busy_w: NDArray[np.float64]
    relative_speed: NDArray[np.float64]
    embodied_g: NDArray[np.float64]
    lifetime_ms: NDArray[np.float64]
    placement: NDArray[np.int64]

    @property
    def node_count(self) -> NDArray[np.int64]:
        """Number of nodes of each cluster, int64[clusters]."""
        return np.diff(self.first_node)

    @property
    def capacity(self) -> NDArray[np.int64]:
        """Accelerators of each cluster, int64[clusters]."""
        return self.node_count * self.accelerators


def fleet_of(scenario: Scenario) -> Fleet:
    """Return the fleet that a scenario describes."""
    clusters = scenario.clusters
    types = [scenario.nodes[cluster.node] for cluster in clusters.values()]
    sites = tuple(scenario.sites)
    counts = [cluster.count for cluster in clusters.values()]
    return Fleet(
        cluster_names=tuple(clusters),
        node_types=tuple(cluster.node for cluster in clusters.values()),
        accelerator_names=tuple(node.accelerator for node in types),
        site_names=sites,
        site=np.array([sites.index(cluster.site) for cluster in clusters.values()], np.int64),
        first_node=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        accelerators=np.array([node.accelerators for node in types], np.int64),
        idle_w=np.array([node.idle_power_w for node in types]),
        busy_w=np.array([node.busy_power_w for node in types]),
        relative_speed=np.array([node.relative_speed for node in types]),
        embodied_g=np.array([node.embodied_kg * G_PER_KG for node in types]),
        lifetime_ms=np.array([float(node.lifetime_ms) for node in types]),
        placement=np.array(
            [PLACEMENTS.index(cluster.placement) for cluster in clusters.values()], np.int64
        ),
    )
