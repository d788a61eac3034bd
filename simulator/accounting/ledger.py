"""What comparing runs needs of a billed run: its peak power and its cost."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.billing import Account
from simulator.accounting.intervals import intervals_of
from simulator.fleet import Fleet
from simulator.scenario.model import Scenario
from simulator.scenario.prices import Price
from simulator.units import MS_PER_H


def peaks(account: Account, interval_ms: int) -> dict[str, float]:
    """Return the highest mean power of a reporting interval over all clusters together. [kW]"""
    intervals = intervals_of(account.metered, interval_ms)
    hours = intervals.length_ms / MS_PER_H
    flows = {"peak_facility_kw": account.facility_kwh, "peak_it_kw": account.energy.it_kwh}
    return {
        name: float((intervals.sums(by_bin.sum(axis=1)) / hours).max())
        for name, by_bin in flows.items()
    }


def costs(scenario: Scenario, fleet: Fleet, account: Account) -> dict[str, float | None]:
    """Return what electricity and machines cost, None where a price that it takes is absent.

    Electricity is what is drawn from the grid, all facility energy without supply, times the price
    of its site. Machines are bought once and
    written off over their lifetime in a straight line, every node in service, used or not: as
    embodied carbon is counted.
    """
    clusters = scenario.clusters.values()
    per_kwh = _amounts(scenario.sites[cluster.site].electricity_price for cluster in clusters)
    each = _amounts(scenario.nodes[cluster.node].price for cluster in clusters)
    drawn_kwh = account.facility_kwh
    if account.supplied is not None:
        drawn_kwh = account.supplied.drawn_kwh(drawn_kwh, fleet.site)
    electricity = _cost(per_kwh, drawn_kwh.sum(axis=0))
    machines = _cost(each, account.energy.owned_ms.sum(axis=0) / fleet.lifetime_ms)
    total = None if electricity is None or machines is None else electricity + machines
    return {"cost_electricity": electricity, "cost_machines": machines, "cost_total": total}


def _amounts(prices: Iterable[Price | None]) -> list[float] | None:
    """Return the price of each cluster, None unless all are given."""
    amounts = [None if price is None else price.amount for price in prices]
    known = [amount for amount in amounts if amount is not None]
    return known if len(known) == len(amounts) else None


def _cost(amounts: list[float] | None, bought: NDArray[np.float64]) -> float | None:
    return None if amounts is None else float((np.array(amounts) * bought).sum())
