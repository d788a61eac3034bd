"""What the supply of a site reads: profiles of plants and contracts, and the residual mix."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulator.errors import Issue
from simulator.scenario.model import Scenario
from simulator.scenario.sites import Site
from simulator.scenario.supply import Contract, Plant
from simulator.traces.grid import GridTrace, open_grid
from simulator.traces.opened import Opened
from simulator.traces.opening import Opening
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
    opens = Opening(scenario, issues, opened)
    return tuple(
        None if site.supply is None else _open(name, site, opens)
        for name, site in scenario.sites.items()
    )


def _open(name: str, site: Site, opens: Opening) -> SupplyTraces | None:
    supply, grid, path = site.supply, site.grid, f"sites.{name}.supply"
    assert supply is not None
    before = len(opens.issues)

    def plant(key: str, source: Plant | Contract | None) -> Trace | None:
        where = f"{path}.{key}.profile"
        return None if source is None else opens(open_profile, source.profile, where)

    solar, wind = plant("solar", supply.solar), plant("wind", supply.wind)
    bought = [plant(f"contracts[{at}]", each) for at, each in enumerate(supply.contracts)]
    residual = None
    if supply.residual_mix is not None:
        how = {"after_end": grid.after_end, "gaps": grid.gaps}
        residual = opens(open_grid, supply.residual_mix, f"{path}.residual_mix", **how)
    if len(opens.issues) > before:
        return None
    contracts = tuple(trace for trace in bought if trace is not None)
    return SupplyTraces(solar, wind, contracts, residual)
