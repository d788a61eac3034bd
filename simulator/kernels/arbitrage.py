"""What a storage should do now, by the least carbon expected over a window: an exact plan.

What a plan saves from a bin on is a concave function of the stored energy, made of straight
pieces: what one kWh more is worth, for each stretch of the storage, the best first. One bin earlier
the same function has the pieces of what the storage could do in that bin among them, in order of
worth, and is cut to what the storage holds. So a plan is found backwards, bin by bin, without any
grid of states, and is the optimum of the linear programme of that window.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel

PERFECT, PERSISTENCE, PREVIOUS_DAY, NOISY = range(4)
"""Methods by which an intensity is foreseen."""

LENGTH, WORTH = range(2)
"""Rows of the room for plans: how much of the storage, what a kWh of it saves. [kWh], [g/kWh]"""

PIECES_PER_BIN = 2
"""Most pieces that a bin adds."""


class Outlook(NamedTuple):
    """What is known of the intensity of a site's grid, [bins] unless said."""

    g_per_kwh: NDArray[np.float64]
    day_before: NDArray[np.float64]  # at that time of the day before; NaN where it is not known
    drift: NDArray[np.float64]  # the error of a noisy forecast, as a walk. [g/kWh]
    method: int
    window: int  # bins that a plan looks at, the present one with them
    day: int  # bins of a day


@kernel(inline="llvm")
def expected(outlook, now, then):
    """Return the intensity expected of a bin, seen from an earlier one; never below 0. [g/kWh]"""
    value = outlook.g_per_kwh[then]
    if then > now:
        if outlook.method == PERSISTENCE:
            value = outlook.g_per_kwh[now]
        elif outlook.method == PREVIOUS_DAY:
            back = -(-(then - now) // outlook.day) - 1
            value = outlook.day_before[then - back * outlook.day]
            if np.isnan(value):
                value = outlook.g_per_kwh[now]
        elif outlook.method == NOISY:
            value += outlook.drift[then] - outlook.drift[now]
    return max(value, 0.0)


class Terms(NamedTuple):
    """What a bin of some length means for a storage."""

    per_h: float  # 1 / length
    kept: float  # what of a kWh is left after it
    regained: float  # 1 / that
    stored_h: float  # kWh stored at its end, by a kW that charges through it
    taken_h: float  # kWh less at its end, by a kW that discharges
    buying: float  # g for a kWh stored at its end, over g/kWh of the grid
    selling: float  # g saved by a kWh less at its end, over the same


@kernel(inline="llvm")
def terms_of(store, hours):
    """Return what a bin of so many hours means for a storage."""
    kept = 1.0
    span_h = hours
    if store.leak_per_h > 0.0:
        gone = -math.expm1(-store.leak_per_h * hours)
        kept = 1.0 - gone
        span_h = gone / store.leak_per_h
    return Terms(
        1.0 / hours,
        kept,
        1.0 / kept,
        store.charge_efficiency * span_h,
        span_h / store.discharge_efficiency,
        hours / (span_h * store.charge_efficiency),
        hours / span_h * store.discharge_efficiency,
    )


@kernel(inline="llvm")
def wanted_by_plan(site, store, outlook, work, now, stored):
    """Return the power that the best plan of the window begins with, above 0 to charge. [kW]"""
    last = min(now + outlook.window, len(site.hours)) - 1
    pieces = 1
    work[LENGTH, 0] = store.most_kwh - store.least_kwh
    work[WORTH, 0] = 0.0
    hours = site.hours[now]
    terms = terms_of(store, hours)
    for at in range(last, now, -1):
        there_h = site.hours[at]
        if there_h == hours:
            pieces = earlier(site, store, outlook, work, pieces, now, at, terms)
        elif there_h > 0.0:  # the last bin may be cut
            pieces = earlier(site, store, outlook, work, pieces, now, at, terms_of(store, there_h))
    grams = expected(outlook, now, now)
    net_kw = (site.load_kwh[now] - site.generated_kwh[now]) * terms.per_h
    here = min(max(stored * terms.kept, store.least_kwh), store.most_kwh)
    free_kwh = min(max(-net_kw, 0.0), store.charge_kw) * terms.stored_h
    most_kwh = store.charge_kw * terms.stored_h
    worth_more = worth_up_to(work, pieces, grams * terms.buying)
    target = min(max(here + free_kwh, store.least_kwh + worth_more), here + most_kwh)
    target = min(target, store.most_kwh)
    if target > here or net_kw <= 0.0:
        return max(target - here, 0.0) / terms.stored_h
    worth_keeping = kept_at_least(work, pieces, grams * terms.selling)
    drawn_kwh = min(net_kw, store.discharge_kw) * terms.taken_h
    target = max(store.least_kwh + worth_keeping, here - drawn_kwh)
    return -max(here - target, 0.0) / terms.taken_h


@kernel(inline="llvm")
def worth_up_to(work, pieces, grams):
    """Return how much of the storage is worth more than so many grams a kWh. [kWh]"""
    total = 0.0
    for piece in range(pieces):
        if work[WORTH, piece] <= grams:
            break
        total += work[LENGTH, piece]
    return total


@kernel(inline="llvm")
def kept_at_least(work, pieces, grams):
    """Return how much of the storage is worth at least so many grams a kWh. [kWh]"""
    total = 0.0
    for piece in range(pieces):
        if work[WORTH, piece] < grams:
            break
        total += work[LENGTH, piece]
    return total


@kernel(inline="llvm")
def earlier(site, store, outlook, work, pieces, now, at, terms):
    """Turn what stored energy is worth after a bin into what it is worth before it."""
    grams = expected(outlook, now, at)
    net_kw = (site.load_kwh[at] - site.generated_kwh[at]) * terms.per_h
    charged_kwh = store.charge_kw * terms.stored_h
    free_kwh = 0.0
    if net_kw > 0.0:
        sold_kwh = min(net_kw, store.discharge_kw) * terms.taken_h
        pieces = put(work, pieces, sold_kwh, grams * terms.selling)
    else:
        free_kwh = min(-net_kw, store.charge_kw) * terms.stored_h
        pieces = put(work, pieces, free_kwh, 0.0)
    pieces = put(work, pieces, charged_kwh - free_kwh, grams * terms.buying)
    # The function now begins at what even the fullest charge would just bring to the least level.
    before = charged_kwh - (1.0 - terms.kept) * store.least_kwh
    room = terms.kept * (store.most_kwh - store.least_kwh)
    return cut(work, pieces, before, room, terms)


@kernel(inline="llvm")
def put(work, pieces, length, worth):
    """Put a piece among those in order of worth; return how many there are."""
    if length <= 0.0:
        return pieces
    at = pieces
    while at > 0 and work[WORTH, at - 1] < worth:
        work[LENGTH, at] = work[LENGTH, at - 1]
        work[WORTH, at] = work[WORTH, at - 1]
        at -= 1
    work[LENGTH, at] = length
    work[WORTH, at] = worth
    return pieces + 1


@kernel(inline="llvm")
def cut(work, pieces, before, room, terms):
    """Keep so much of the pieces after a beginning, as what was stored before the leak."""
    found = 0
    if before < 0.0:
        work[LENGTH, 0] -= before
        before = 0.0
    for piece in range(pieces):
        here = work[LENGTH, piece]
        if before >= here:
            before -= here
            continue
        here = min(here - before, room)
        before = 0.0
        if here <= 0.0:
            break
        room -= here
        work[LENGTH, found] = here * terms.regained
        work[WORTH, found] = work[WORTH, piece] * terms.kept
        found += 1
    return found
