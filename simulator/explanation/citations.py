"""Assumptions of a run, each figure of the catalog with its own source and range."""

from typing import Final

from simulator.assumptions import Assumption
from simulator.catalog import Figure
from simulator.node_figures import catalog_figure, catalog_name
from simulator.scenario.model import Scenario

KEYS: Final = {
    "idle power": "idle_power",
    "busy power": "busy_power",
    "embodied carbon": "embodied",
    "lifetime": "lifetime",
}
"""Key of a node type by the quantity of the assumption that it is."""


def figure_behind(scenario: Scenario, row: Assumption) -> Figure | None:
    """Return the figure of the catalog that an assumption is; None where it is none."""
    node, key = scenario.nodes.get(row[0]), KEYS.get(row[1])
    return None if node is None or key is None else catalog_figure(node, key)


def cited(scenario: Scenario, row: Assumption) -> Assumption:
    """Return an assumption; one of the catalog names the source of this very figure."""
    figure = figure_behind(scenario, row)
    if figure is None:
        return row
    name = catalog_name(scenario.nodes[row[0]])
    said = f"catalog {name}: {figure.source}"
    if figure.assumption:
        said += ", an assumption"
    if figure.low is not None and figure.high is not None:
        said += f"; {figure.low:g} to {figure.high:g} {figure.unit}"
    if figure.note:
        said += f"; {figure.note}"
    return (*row[:4], said)
