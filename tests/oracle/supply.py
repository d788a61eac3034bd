"""Storage of one site as a linear programme: one variable for each power of each bin."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.supply import Site, Store


def least(site: Site, store: Store, cost_per_kwh: NDArray[np.float64]) -> tuple[float, Any]:
    """Return the least cost of what the grid gives, and the powers that have it.

    Variables of each bin: charge, discharge, grid, curtailed power [kW], and what is stored at its
    end [kWh]. The storage decays exponentially and constant powers flow through each bin.
    """
    from scipy.optimize import linprog
    from scipy.sparse import lil_matrix

    bins = len(site.hours)
    hours = site.hours
    kept = np.exp(-store.leak_per_h * hours)
    span_h = (1.0 - kept) / store.leak_per_h if store.leak_per_h else hours
    balance, level = lil_matrix((2 * bins, 5 * bins)), np.zeros(2 * bins)
    for at in range(bins):
        charge, discharge, grid, curtailed, stored = (at + k * bins for k in range(5))
        balance[at, charge], balance[at, discharge] = -1.0, 1.0
        balance[at, grid], balance[at, curtailed] = 1.0, -1.0
        level[at] = (site.load_kwh[at] - site.generated_kwh[at]) / hours[at]
        balance[bins + at, stored] = 1.0
        balance[bins + at, charge] = -store.charge_efficiency * span_h[at]
        balance[bins + at, discharge] = span_h[at] / store.discharge_efficiency
        if at:
            balance[bins + at, stored - 1] = -kept[at]
        else:
            level[bins] = kept[0] * store.initial_kwh
    cost = np.zeros(5 * bins)
    cost[2 * bins : 3 * bins] = cost_per_kwh * hours
    bounds = [(0.0, store.charge_kw)] * bins + [(0.0, store.discharge_kw)] * bins
    bounds += [(0.0, None)] * (2 * bins) + [(store.least_kwh, store.most_kwh)] * bins
    found = linprog(cost, A_eq=balance.tocsr(), b_eq=level, bounds=bounds, method="highs")
    assert found.status == 0, found.message
    return float(found.fun), found.x.reshape(5, bins)
