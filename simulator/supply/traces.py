"""What the supply of a site reads: profiles of plants and contracts, and the residual mix."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulator.errors import InputError, Issue
from simulator.scenario.model import Scenario
from simulator.scenario.sites import Site
from simulator.traces.grid import GridTrace, open_grid
from simulator.traces.opened import Opened, opened_by
from simulator.traces.supply import open_profile
from simulator.traces.trace import Trace


@dataclass(frozen=True, slots=True)
class SupplyTraces:
    """The traces of one site's supply.

    Attributes
    ----------
    solar, wind : Trace or None
        Power over capacity.
    contracts : tuple of Trace
        Power over volume, one for each contract.
    residual : GridTrace or None
        Intensity of what no contract covers; None for the grid's average.
    """

    solar: Trace | None
    wind: Trace | None
    contracts: tuple[Trace, ...]
    residual: GridTrace | None

    def __iter__(self) -> Iterator[Trace]:
        """Yield every trace there is."""
        found = (self.solar, self.wind, *self.contracts, self.residual)
        return iter([trace for trace in found if trace is not None])


def open_supplies(
    scenario: Scenario, issues: list[Issue], opened: Opened | None = None
) -> tuple[SupplyTraces | None, ...]:
    """Open the traces of every site that has supply; problems go to `issues`."""
    return tuple(
        None if site.supply is None else _open(scenario, name, site, issues, opened)
        for name, site in scenario.sites.items()
    )


def _open(
    scenario: Scenario, name: str, site: Site, issues: list[Issue], opened: Opened | None
) -> SupplyTraces | None:
    supply, grid, path = site.supply, site.grid, f"sites.{name}.supply"
    assert supply is not None
    named: list[tuple[str, Any]] = [("solar", supply.solar), ("wind", supply.wind)]
    named += [(f"contracts[{at}]", each) for at, each in enumerate(supply.contracts)]
    found: dict[str, Trace | None] = {}
    before = len(issues)
    for key, plant in named:
        found[key] = None
        if plant is not None:
            try:
                found[key] = opened_by(
                    opened,
                    open_profile,
                    plant.profile,
                    start=scenario.start,
                    end_ms=scenario.horizon_ms,
                    path=f"{path}.{key}.profile",
                )
            except InputError as error:
                issues += error.issues
    residual = None
    try:
        if supply.residual_mix is not None:
            residual = opened_by(
                opened,
                open_grid,
                supply.residual_mix,
                start=scenario.start,
                end_ms=scenario.horizon_ms,
                after_end=grid.after_end,
                gaps=grid.gaps,
                path=f"{path}.residual_mix",
            )
    except InputError as error:
        issues += error.issues
    if len(issues) > before:
        return None
    solar, wind, *contracts = found.values()
    bought = tuple(trace for trace in contracts if trace is not None)
    return SupplyTraces(solar, wind, bought, residual)
