"""The fleet as columns: clusters, and the nodes they own.

Nodes are numbered through the whole fleet, cluster after cluster in the scenario's order, so a
node is one integer everywhere.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.registry import PLACEMENTS
from simulator.scenario.model import Cluster, NodeType, Placing, PowerLevel, Scenario
from simulator.scenario.power_checks import floor
from simulator.scenario.sharing import Sharing
from simulator.units import G_PER_KG


@dataclass(frozen=True, slots=True)
class Racks:
    """Racks of the clusters that have any, [clusters].

    Attributes
    ----------
    nodes : int64[clusters]
        Nodes of one rack, 0 where a cluster has none.
    cross_rack_speed : float64[clusters]
        Speed of a gang that spans several, relative to that in one.
    """

    nodes: NDArray[np.int64]
    cross_rack_speed: NDArray[np.float64]


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
    first_count : int64[clusters]
        Nodes in service at the start, the first of the cluster's; others may come later.
    accelerators : int64[clusters]
        Accelerators of one node.
    idle_w, busy_w : float64[clusters]
        Power of one awake node with nothing allocated, and with all accelerators allocated at
        utilisation 1, both at the cluster's power level. [W]
    floor_w : float64[clusters]
        Most that one node without work draws: idle power, or what it draws entering a state or
        waking where it may sleep. [W]
    relative_speed : float64[clusters]
        Work done per unit of time on jobs sized in GPU-days, relative to 1: the node's own
        relative speed times `own_speed`.
    own_speed : float64[clusters]
        Speed of every job at the cluster's power level, those given by duration included; 1 where
        it has no cap.
    level_names : tuple of tuple of str
        Power levels at which each cluster can run a job: its own first, then those that draw
        less, ever slower.
    level_count : int64[clusters]
        How many they are, at least 1.
    level_speed, level_draw : float64[clusters, levels]
        Speed of a job, and its dynamic power, relative to those at the cluster's own level; 1 in
        the first column, nan beyond the count.
    power_budget_w : float64[clusters]
        IT power that the cluster may not exceed, inf where there is no limit. [W]
    site_power_budget_w : float64[sites]
        IT power that the clusters of a site may not exceed together, inf where there is no
        limit. [W]
    embodied_g : float64[clusters]
        Embodied carbon of one node. [gCO2e]
    lifetime_ms : float64[clusters]
        Calendar lifetime of one node. [ms]
    placement : int64[clusters]
        Code of the placement rule, an index into `PLACEMENTS`; 0 where a policy places jobs.
    racks : Racks or None
        None where no cluster has any.
    sharing : tuple of (Sharing or None)
        How jobs share accelerators, None where they don't; empty where no cluster says.
    """

    cluster_names: tuple[str, ...]
    node_types: tuple[str, ...]
    accelerator_names: tuple[str | None, ...]
    site_names: tuple[str, ...]
    site: NDArray[np.int64]
    first_node: NDArray[np.int64]
    first_count: NDArray[np.int64]
    accelerators: NDArray[np.int64]
    idle_w: NDArray[np.float64]
    busy_w: NDArray[np.float64]
    floor_w: NDArray[np.float64]
    relative_speed: NDArray[np.float64]
    own_speed: NDArray[np.float64]
    level_names: tuple[tuple[str, ...], ...]
    level_count: NDArray[np.int64]
    level_speed: NDArray[np.float64]
    level_draw: NDArray[np.float64]
    power_budget_w: NDArray[np.float64]
    site_power_budget_w: NDArray[np.float64]
    embodied_g: NDArray[np.float64]
    lifetime_ms: NDArray[np.float64]
    placement: NDArray[np.int64]
    racks: Racks | None = None
    sharing: tuple[Sharing | None, ...] = ()

    @property
    def node_count(self) -> NDArray[np.int64]:
        """Most nodes that each cluster ever has, int64[clusters]."""
        return self.first_node[1:] - self.first_node[:-1]

    @property
    def capacity(self) -> NDArray[np.int64]:
        """Accelerators of each cluster, int64[clusters]."""
        return self.node_count * self.accelerators

    @property
    def shares(self) -> NDArray[np.bool_]:
        """Whether jobs of a cluster may share an accelerator, bool[clusters]."""
        return self.most_tenants > 1

    @property
    def most_tenants(self) -> NDArray[np.int64]:
        """Jobs that one accelerator may have at most, int64[clusters]."""
        said = self.sharing or (None,) * len(self.cluster_names)
        return np.array([1 if rule is None else rule.jobs for rule in said], np.int64)

    @property
    def most_jobs(self) -> NDArray[np.int64]:
        """Jobs that each cluster may run at most, int64[clusters]."""
        return self.capacity * self.most_tenants

    @property
    def budgeted(self) -> NDArray[np.bool_]:
        """Whether a power budget limits a cluster, or its site, bool[clusters]."""
        limit_w = np.minimum(self.power_budget_w, self.site_power_budget_w[self.site])
        return np.isfinite(limit_w)

    @property
    def room_w(self) -> NDArray[np.float64]:
        """What jobs may draw at most in a cluster if nothing else runs, float64[clusters]. [W]"""
        floor_w = self.floor_w * self.node_count
        by_site_w = np.bincount(self.site, floor_w, len(self.site_names))
        left_w = (self.site_power_budget_w - by_site_w)[self.site]
        return np.minimum(self.power_budget_w - floor_w, left_w)


def fleet_of(scenario: Scenario) -> Fleet:
    """Return the fleet that a scenario describes."""
    clusters = scenario.clusters
    pairs = [(scenario.nodes[cluster.node], cluster) for cluster in clusters.values()]
    levels = [_levels(node, cluster) for node, cluster in pairs]
    own = [ladder[0] for ladder in levels]
    types = [scenario.nodes[cluster.node] for cluster in clusters.values()]
    sites = tuple(scenario.sites)
    counts = [cluster.node_limit for cluster in clusters.values()]
    return Fleet(
        cluster_names=tuple(clusters),
        node_types=tuple(cluster.node for cluster in clusters.values()),
        accelerator_names=tuple(node.accelerator for node in types),
        site_names=sites,
        site=np.array([sites.index(cluster.site) for cluster in clusters.values()], np.int64),
        first_node=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        first_count=np.array([cluster.count for cluster in clusters.values()], np.int64),
        accelerators=np.array([node.accelerators for node in types], np.int64),
        idle_w=np.array([level.idle_power_w for level in own]),
        busy_w=np.array([level.busy_power_w for level in own]),
        floor_w=np.array([floor(node, cluster)[0] for node, cluster in pairs]),
        relative_speed=np.array(
            [node.relative_speed * level.speed for node, level in zip(types, own, strict=True)]
        ),
        own_speed=np.array([level.speed for level in own]),
        level_names=tuple(tuple(level.name for level in ladder) for ladder in levels),
        level_count=np.array([len(ladder) for ladder in levels], np.int64),
        level_speed=_table([[level.speed / row[0].speed for level in row] for row in levels]),
        level_draw=_table([[_draw(level, row[0]) for level in row] for row in levels]),
        power_budget_w=_limits(cluster.power_budget_w for cluster in clusters.values()),
        site_power_budget_w=_limits(site.power_budget_w for site in scenario.sites.values()),
        embodied_g=np.array([node.embodied_kg * G_PER_KG for node in types]),
        lifetime_ms=np.array([float(node.lifetime_ms) for node in types]),
        placement=np.array([_code(cluster.placement) for cluster in clusters.values()], np.int64),
        racks=_racks(list(clusters.values())),
        sharing=tuple(cluster.sharing for cluster in clusters.values()),
    )


def _code(placement: str | Placing) -> int:
    return PLACEMENTS.index(placement) if isinstance(placement, str) else 0


def _racks(clusters: list[Cluster]) -> Racks | None:
    """Return the racks of clusters, None where none has any."""
    found = [cluster.racks for cluster in clusters]
    if not any(found):
        return None
    return Racks(
        nodes=np.array([each.nodes if each else 0 for each in found], np.int64),
        cross_rack_speed=np.array([each.cross_rack_speed if each else 1.0 for each in found]),
    )


def _levels(node: NodeType, cluster: Cluster) -> list[PowerLevel]:
    """Return the levels at which a job of the cluster can run, its own first.

    The others draw less than those before them and are no faster. One that draws less than the
    cluster's idle power, or just that, is none of them: the rest of the node goes on idling, and
    work takes power.
    """
    own = node.level(cluster.power_level)
    found = [own]
    lower = (level for level in node.power_levels if level.speed <= own.speed)
    for level in sorted(lower, key=lambda level: (-level.speed, level.busy_power_w)):
        if own.idle_power_w < level.busy_power_w < found[-1].busy_power_w:
            found.append(level)
    return found


def _draw(level: PowerLevel, own: PowerLevel) -> float:
    """Return dynamic power at a level over that at the cluster's own."""
    if level is own:
        return 1.0
    return (level.busy_power_w - own.idle_power_w) / (own.busy_power_w - own.idle_power_w)


def _table(values: list[list[float]]) -> NDArray[np.float64]:
    """Return rows of different lengths as one table, filled up with nan."""
    table = np.full((len(values), max(len(row) for row in values)), np.nan)
    for at, row in enumerate(values):
        table[at, : len(row)] = row
    return table


def _limits(budgets_w: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([math.inf if budget_w is None else budget_w for budget_w in budgets_w])
