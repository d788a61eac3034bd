"""Power levels and budgets of clusters and sites, read together with their nodes."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.errors import Issue, listing, nearest, shown
from simulator.scenario.clusters import Cluster
from simulator.scenario.laws import Constant
from simulator.scenario.node_power import FULL
from simulator.scenario.nodes import NodeType
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.units import format_quantity

Parts = Mapping[str, Mapping[str, Any]]


def power_problems(parts: Parts) -> Iterator[Issue]:
    """Yield unknown power levels, and budgets below what nodes draw that do nothing.

    Parameters
    ----------
    parts : mapping
        The entries of each section as far as they could be read, by name.
    """
    floors: dict[str, float] = {}
    at_site: dict[str, str] = {}
    for name, cluster, node in with_node(parts):
        with as_far_as_read(cluster, node):
            known = [FULL, *(level.name for level in node.power_levels)]
            if cluster.power_level not in known:
                path = dotted(("clusters", name, "power_level"))
                yield Issue(path, _unknown_level(cluster, known))
                continue
            each_w, why = floor(node, cluster)
            floors[name] = cluster.node_limit * each_w
            if (text := _below_own_floor(cluster, each_w, why)) is not None:
                yield Issue(dotted(("clusters", name, "power_budget")), text)
            at_site[name] = cluster.site
    for name, site in parts["sites"].items():
        here = {at: floors[at] for at, place in at_site.items() if place == name}
        with as_far_as_read(site):
            if site.power_budget_w is not None and site.power_budget_w < sum(here.values()):
                text = _below_floor(site.power_budget_w, here)
                yield Issue(dotted(("sites", name, "power_budget")), text)


def with_node(parts: Parts) -> Iterator[tuple[str, Cluster, NodeType]]:
    """Yield each cluster with its name and node type, where both are known."""
    for name, cluster in parts["clusters"].items():
        node = parts["nodes"].get(getattr(cluster, "node", ""))
        if node is not None:
            yield name, cluster, node


def _below_own_floor(cluster: Cluster, each_w: float, why: str) -> str | None:
    """Return what is wrong with the budget of a cluster whose nodes may draw `each_w` for nothing.

    None if it suffices.
    """
    count, budget_w = cluster.node_limit, cluster.power_budget_w
    if budget_w is None or budget_w >= count * each_w:
        return None
    budget, least = (format_quantity(w, "power") for w in (budget_w, count * each_w))
    return (
        f"power_budget ({budget}) is below what the cluster draws at least ({least}: "
        f"{count:,} nodes {why} at {format_quantity(each_w, 'power')}); "
        "raise it, or cut the number of nodes"
    )


def floor(node: NodeType, cluster: Cluster) -> tuple[float, str]:
    """Return the power that one node doing no work may draw at most, and what it does then.

    Nodes that stay awake draw idle power. Those that go to sleep may also all be entering a
    state, or waking, at one time. [W]
    """
    floor_w, why = node.level(cluster.power_level).idle_power_w, "idle"
    for state in node.idle_states if cluster.idle.follows_ladder else ():
        if state.partly:  # what can't be read may only add to it
            continue
        instant = isinstance(state.wake_time, Constant) and state.wake_time.value == 0
        if state.enter_time_ms > 0 and state.enter_power_w > floor_w:
            floor_w, why = state.enter_power_w, f"entering {shown(state.name)}"
        if not instant and state.wake_power_w > floor_w:
            floor_w, why = state.wake_power_w, f"waking from {shown(state.name)}"
    return floor_w, why


def _unknown_level(cluster: Cluster, known: list[str]) -> str:
    near = nearest(cluster.power_level, known)
    meant = f'did you mean "{near}"? ' if near else ""
    return (
        f"{shown(cluster.node)} has no power level {shown(cluster.power_level)}; {meant}known are "
        f"{listing(known)}"
    )


def _below_floor(budget_w: float, floors_w: Mapping[str, float]) -> str:
    each = listing(f"{name} {format_quantity(w, 'power')}" for name, w in floors_w.items())
    budget, least = (format_quantity(w, "power") for w in (budget_w, sum(floors_w.values())))
    return (
        f"power_budget ({budget}) is below what its clusters draw at least ({least}: {each}); "
        "raise it, or cut the number of nodes"
    )
