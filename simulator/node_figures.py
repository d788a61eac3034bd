"""Figures of a node type that are still those of the catalog, with their source and range."""

import math
from typing import Final

from simulator import catalog
from simulator.catalog import Figure
from simulator.scenario.nodes import NodeType
from simulator.units import G_PER_KG, parse_quantity

PREFIX: Final = "catalog "
"""How the source of a node type begins that came from the catalog."""
MEASURES: Final = {
    "idle_power": ("idle_power_w", "power", 1.0),
    "busy_power": ("busy_power_w", "power", 1.0),
    "embodied": ("embodied_kg", "mass", G_PER_KG),
    "lifetime": ("lifetime_ms", "time", 1.0),
}
"""Attribute, dimension and unit of each figure, by its key."""
SAME: Final = 1e-12
"""Relative difference of two ways of writing one quantity."""


def catalog_figure(node: NodeType, key: str) -> Figure | None:
    """Return the figure of the catalog that a node type has under a key of `MEASURES`.

    None where it is not of the catalog, or was given another value.
    """
    name = catalog_name(node)
    if name is None:
        return None
    attribute, dimension, size = MEASURES[key]
    for figure in catalog.entries(name):
        if figure.key == key and figure.kind == "nodes":
            said = parse_quantity(f"{figure.value:.17g} {figure.unit}", dimension) / size
            same = math.isclose(said, getattr(node, attribute), rel_tol=SAME)
            return figure if same else None
    return None


def catalog_name(node: NodeType) -> str | None:
    """Return the name in the catalog of a node type that came from it."""
    if not (node.source or "").startswith(PREFIX):
        return None
    name = str(node.source).removeprefix(PREFIX).partition(":")[0]
    return name if name in catalog.names("nodes") else None


def source_of(node: NodeType, key: str) -> str:
    """Return where a figure of `MEASURES` comes from: the node's source, or the scenario."""
    if catalog_name(node) is not None and catalog_figure(node, key) is None:
        return "scenario, in place of the catalog's"
    return node.source or "scenario"
