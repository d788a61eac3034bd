"""What comparing runs needs of a billed run: its peak power and its cost."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.bins import Period
from simulator.accounting.intervals import intervals_of
from simulator.fleet import Fleet
from simulator.scenario.model import Scenario
from simulator.scenario.prices import Price
from simulator.units import MS_PER_H


def peaks(
    period: Period,
    interval_ms: int,
    facility_kwh: NDArray[np.float64],
    it_kwh: NDArray[np.float64],
) -> dict[str, float]:
    """Return the highest mean power of a reporting interval over all clusters together. [kW]

    Parameters
    ----------
    period : Period
    interval_ms : int
        [ms]
    facility_kwh, it_kwh : float64[bins, clusters]
        [kWh]
    """
    intervals = intervals_of(period, interval_ms)
    hours = intervals.length_ms / MS_PER_H
    flows = {"peak_facility_kw": facility_kwh, "peak_it_kw": it_kwh}
    return {
        name: float((intervals.sums(by_bin.sum(axis=1)) / hours).max())
        for name, by_bin in flows.items()
    }


def costs(
    scenario: Scenario,
    fleet: Fleet,
    drawn_kwh: NDArray[np.float64],
    owned_ms: NDArray[np.int64],
) -> dict[str, float | None]:
    """Return what electricity and machines cost, None where a price that it takes is absent.

    Electricity is what is drawn from the grid, all facility energy without supply, times the price
    of its site. Machines are bought once and
    written off over their lifetime in a straight line, every node in service, used or not: as
    embodied carbon is counted.

    Parameters
    ----------
    scenario : Scenario
    fleet : Fleet
    drawn_kwh : float64[clusters]
        From the grid. [kWh]
    owned_ms : int64[clusters]
        Node-time in service. [ms]
    """
    clusters = scenario.clusters.values()
    per_kwh = _amounts(scenario.sites[cluster.site].electricity_price for cluster in clusters)
    each = _amounts(scenario.nodes[cluster.node].price for cluster in clusters)
    electricity = _cost(per_kwh, drawn_kwh)
    machines = _cost(each, owned_ms / fleet.lifetime_ms)
    total = None if electricity is None or machines is None else electricity + machines
    return {"cost_electricity": electricity, "cost_machines": machines, "cost_total": total}


def _amounts(prices: Iterable[Price | None]) -> list[float] | None:
    """Return the price of each cluster, None unless all are given."""
    amounts = [None if price is None else price.amount for price in prices]
    known = [amount for amount in amounts if amount is not None]
    return known if len(known) == len(amounts) else None


def _cost(amounts: list[float] | None, bought: NDArray[np.float64]) -> float | None:
    return None if amounts is None else float((np.array(amounts) * bought).sum())
