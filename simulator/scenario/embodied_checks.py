"""The carbon of making and building, read together with the nodes and sites it is about."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.errors import Issue, listing
from simulator.scenario.buildings import BUILT, Building
from simulator.scenario.clusters import Accounting
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.scenario.power_checks import with_node
from simulator.scenario.spreading import AWAKE, STRAIGHT_LINE, WRITTEN_OFF
from simulator.units import format_quantity

Parts = Mapping[str, Mapping[str, Any]]


def spreading_problems(accounting: Accounting, parts: Parts) -> Iterator[Issue]:
    """Yield what the rules of accounting lack, or contradict.

    Parameters
    ----------
    accounting : Accounting
    parts : mapping
        The entries of each section as far as they could be read, by name.
    """
    if accounting.embodied == STRAIGHT_LINE:
        if accounting.in_use is not None:
            text = 'says nothing of "straight-line", which counts every node owned; take it out'
            yield Issue("accounting.in_use", text)
        return
    if accounting.retirement == WRITTEN_OFF and accounting.in_use == AWAKE:
        text = (
            "needs what each node was used in its life, which is known of accelerators held, not "
            'of time awake; write "carried", or in_use = "held"'
        )
        yield Issue("accounting.retirement", text)
    missing: dict[str, None] = {}
    for _, cluster, node in with_node(parts):
        with as_far_as_read(cluster, node):
            if node.use_lifetime_ms is None:
                missing[cluster.node] = None
    for name in missing:
        text = 'missing; accounting.embodied = "by-use" needs it, e.g. use_lifetime = "1.8 y"'
        yield Issue(dotted(("nodes", name, "use_lifetime")), text)


def building_problems(parts: Parts) -> Iterator[Issue]:
    """Yield every capacity below what the nodes of its site draw at full load.

    Jobs bear a building by the power of what they hold, and would bear more than there is.

    Parameters
    ----------
    parts : mapping
        The entries of each section as far as they could be read, by name.
    """
    drawn_w: dict[str, dict[str, float]] = {}
    for name, cluster, node in with_node(parts):
        with as_far_as_read(cluster, node):
            busy_w = _busy_w(node, cluster.power_level)
            drawn_w.setdefault(cluster.site, {})[name] = cluster.node_limit * busy_w
    for name, site in parts["sites"].items():
        here = drawn_w.get(name, {})
        for key in BUILT:
            with as_far_as_read(site):
                built: Building | None = getattr(site, key)
                if built is None or built.capacity_w is None or built.partly:
                    continue
                if built.capacity_w < sum(here.values()) * (1 - 1e-12):
                    yield Issue(
                        dotted(("sites", name, key, "capacity")), _below(built.capacity_w, here)
                    )


def _busy_w(node: Any, level: str) -> float:
    """Return the power of a node at full load; of an unknown level that of the node. [W]"""
    try:
        return float(node.level(level).busy_power_w)
    except KeyError:
        return float(node.busy_power_w)


def _below(capacity_w: float, drawn_w: Mapping[str, float]) -> str:
    each = listing(f"{name} {format_quantity(w, 'power')}" for name, w in drawn_w.items())
    given, most = (format_quantity(w, "power") for w in (capacity_w, sum(drawn_w.values())))
    return (
        f"capacity ({given}) is below what its clusters draw at full load ({most}: {each}); "
        "raise it, or cut the number of nodes"
    )
