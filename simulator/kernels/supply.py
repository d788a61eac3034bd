"""Generation, storage and grid of every site, bin by bin: who covers the load, and what is left.

Powers are at the terminals of the storage, its energy inside. Within a bin every power is
constant, so a storage that fills or empties does so at an instant that is solved for, and what
follows it in the bin is another stretch of constant powers.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.arbitrage import wanted_by_plan
from simulator.kernels.compile import kernel

GREEDY, ARBITRAGE, PEAK_SHAVING, THRESHOLD = range(4)
"""Rules of dispatch."""

CHARGED, DISCHARGED, STORED, CURTAILED, GRID, LOST, CLEAN, SWITCHED_H = range(8)
"""Columns of what flows. `STORED` is at the end of the bin; `CLEAN` is what of the load came from
generation of the site, at once or through the storage; `SWITCHED_H` is how far into the bin the
storage filled or emptied, NaN where it did neither."""
FLOWS = 8
FOREVER_H = 1e15
"""What takes longer never comes; a quotient that large may overflow. [h]"""


class Site(NamedTuple):
    """What flows into one site, [bins]."""

    hours: NDArray[np.float64]  # 0 in bins that are not counted
    load_kwh: NDArray[np.float64]
    generated_kwh: NDArray[np.float64]


class Store(NamedTuple):
    """One storage and its rule, all scalars; a capacity of 0 is none."""

    least_kwh: float
    most_kwh: float
    charge_kw: float
    discharge_kw: float
    charge_efficiency: float
    discharge_efficiency: float
    leak_per_h: float
    initial_kwh: float
    rule: int
    limit_kw: float  # of the grid's draw, by peak shaving
    charge_below_g_per_kwh: float  # by threshold
    discharge_above_g_per_kwh: float


@kernel
def dispatch(site, store, outlook, work, flows):
    """Dispatch the storage of one site through all bins.

    Parameters
    ----------
    site : Site
    store : Store
    outlook : simulator.kernels.arbitrage.Outlook
    work : float64[2, segments]
        Room for plans.
    flows : float64[bins, FLOWS]
        Filled. [kWh]
    """
    stored = store.initial_kwh
    clean = 0.0  # nobody says where the first of it came from
    for at in range(len(site.hours)):
        hours = site.hours[at]
        if hours <= 0.0:
            flows[at, :SWITCHED_H] = 0.0
            flows[at, STORED] = stored
            flows[at, SWITCHED_H] = np.nan
            continue
        load_kw = site.load_kwh[at] / hours
        made_kw = site.generated_kwh[at] / hours
        net_kw = load_kw - made_kw
        if store.rule == ARBITRAGE:
            wish_kw = wanted_by_plan(site, store, outlook, work, at, stored)
        else:
            wish_kw = wanted(store, outlook, at, net_kw)
        stored, clean = step(store, load_kw, made_kw, wish_kw, hours, stored, clean, flows, at)


@kernel(inline="llvm")
def wanted(store, outlook, at, net_kw):
    """Return the power that the rule asks of the storage, above 0 to charge. [kW]"""
    wish_kw = min(-net_kw, store.charge_kw)
    if net_kw > 0.0:
        wish_kw = -min(net_kw, store.discharge_kw)
    if store.rule == PEAK_SHAVING:
        wish_kw = min(store.limit_kw - net_kw, store.charge_kw)
        if net_kw > store.limit_kw:
            wish_kw = -min(net_kw - store.limit_kw, store.discharge_kw)
    elif store.rule == THRESHOLD:
        if outlook.g_per_kwh[at] < store.charge_below_g_per_kwh:
            wish_kw = store.charge_kw
        elif net_kw > 0.0 and outlook.g_per_kwh[at] <= store.discharge_above_g_per_kwh:
            wish_kw = 0.0
    return wish_kw


@kernel(inline="llvm")
def step(store, load_kw, made_kw, wish_kw, hours, stored, clean, flows, at):
    """Carry a wish out through one bin; return what is stored at its end, and how much is clean.

    The first stretch lasts until the storage is full or empty, or to the end of the bin; in the
    second a full storage takes what it leaks, and an empty one gives nothing.
    """
    first_h = hours
    held_kw = 0.0
    if wish_kw > 0.0:
        first_h = min(hours, time_to_fill(store, stored, wish_kw))
        held_kw = min(wish_kw, store.leak_per_h * store.most_kwh / store.charge_efficiency)
    elif wish_kw < 0.0:
        first_h = min(hours, time_to_empty(store, stored, -wish_kw))
    flows[at, :SWITCHED_H] = 0.0
    flows[at, SWITCHED_H] = np.nan if first_h >= hours else first_h
    stored, clean = stretch(store, load_kw, made_kw, wish_kw, first_h, stored, clean, flows, at)
    if first_h < hours:
        rest_h = hours - first_h
        if wish_kw > 0.0:
            stored = store.most_kwh
        elif first_h > 0.0:
            stored = store.least_kwh
        stored, clean = stretch(store, load_kw, made_kw, held_kw, rest_h, stored, clean, flows, at)
        if wish_kw > 0.0:
            stored = store.most_kwh
    flows[at, STORED] = stored
    return stored, clean


@kernel(inline="llvm")
def stretch(store, load_kw, made_kw, power_kw, hours, stored, clean, flows, at):
    """Add a stretch of constant powers to the flows of a bin; return stored and clean energy.

    What is stored above the least level mixes at once: what leaves is as clean as what was there
    when the stretch began, together with what comes in clean.
    """
    charge_kw = max(power_kw, 0.0)
    discharge_kw = max(-power_kw, 0.0)
    inflow_kw = charge_kw * store.charge_efficiency - discharge_kw / store.discharge_efficiency
    after, leaked = stored + inflow_kw * hours, 0.0
    if store.leak_per_h > 0.0:
        gone = -math.expm1(-store.leak_per_h * hours)
        after = stored * (1.0 - gone) + inflow_kw * gone / store.leak_per_h
        leaked = stored + inflow_kw * hours - after
    surplus_kw = max(made_kw - load_kw, 0.0)
    from_surplus_kw = min(charge_kw, surplus_kw)
    clean_in = from_surplus_kw * store.charge_efficiency * hours
    all_in = charge_kw * store.charge_efficiency * hours
    mixed = max(stored - store.least_kwh, 0.0) + all_in
    share = 0.0
    if mixed > 0.0:
        share = min((clean + clean_in) / mixed, 1.0)
    direct_kw = min(made_kw, load_kw)
    flows[at, CHARGED] += charge_kw * hours
    flows[at, DISCHARGED] += discharge_kw * hours
    flows[at, CURTAILED] += (surplus_kw - from_surplus_kw) * hours
    bought_kw = charge_kw - from_surplus_kw
    flows[at, GRID] += max(load_kw - direct_kw - discharge_kw + bought_kw, 0.0) * hours
    flows[at, LOST] += leaked + charge_kw * (1.0 - store.charge_efficiency) * hours
    flows[at, LOST] += discharge_kw * (1.0 / store.discharge_efficiency - 1.0) * hours
    flows[at, CLEAN] += (direct_kw + discharge_kw * share) * hours
    return after, max(after - store.least_kwh, 0.0) * share


@kernel(inline="llvm")
def time_to_fill(store, stored, charge_kw):
    """Return how long charging at a power takes to fill the storage; infinity if it never does. [h]

    dE/dt = r - leak E with r = efficiency x power, thus
    t = ln(1 + leak (E1 - E0) / (r - leak E1)) / leak.
    """
    rate_kw = charge_kw * store.charge_efficiency
    spare_kw = rate_kw - store.leak_per_h * store.most_kwh
    missing = max(store.most_kwh - stored, 0.0)
    if spare_kw <= 0.0 or missing > spare_kw * FOREVER_H:
        return np.inf
    if store.leak_per_h > 0.0:
        return math.log1p(store.leak_per_h * missing / spare_kw) / store.leak_per_h
    return missing / spare_kw


@kernel(inline="llvm")
def time_to_empty(store, stored, discharge_kw):
    """Return how long discharging at a power takes to empty the storage. [h]

    By its own leak it goes on below what may be drawn.
    """
    rate_kw = discharge_kw / store.discharge_efficiency
    above = max(stored - store.least_kwh, 0.0)
    if above > rate_kw * FOREVER_H:
        return np.inf
    if store.leak_per_h > 0.0:
        falling_kw = rate_kw + store.leak_per_h * store.least_kwh
        return math.log1p(store.leak_per_h * above / falling_kw) / store.leak_per_h
    return above / rate_kw
