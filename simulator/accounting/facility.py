"""From IT energy to what buildings draw and use, and to the share of it that each job bears.

Facility energy of a site is ``ratio x IT energy + fixed power x time``, exact in every bin. What
is fixed belongs to nobody by itself: that of an hour is shared out over the IT energy that the
site drew in that hour, in equal parts for every kilowatt-hour. The hour is an hour of the
calendar, so the sharing depends neither on the bins nor on the reporting interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.bins import Period
from simulator.fleet import Fleet
from simulator.power.facility import NO_MEANS, Facility, SiteMeans
from simulator.power.overhead import Overhead
from simulator.units import MS_PER_H, W_MS_PER_KWH

LEAST_BEARING = 1e-12
"""Share of an hour's fixed energy below which the IT energy of that hour is rounding, and bears
none of it."""


@dataclass(frozen=True, slots=True)
class FixedLosses:
    """What a building draws whatever its IT draws, and who bears it hour by hour.

    Attributes
    ----------
    kwh : float64[bins]
    hour : int64[bins]
        Number of the hour that each bin lies in.
    first : int64[hours]
        First bin of each hour.
    it_kwh : float64[hours]
        IT energy of the site.
    borne : bool[hours]
        Whether there is IT energy to bear the losses of the hour.
    """

    kwh: NDArray[np.float64]
    hour: NDArray[np.int64]
    first: NDArray[np.int64]
    it_kwh: NDArray[np.float64]
    borne: NDArray[np.bool_]

    def by_hour(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return sums over each hour of values on bins, along the first axis."""
        sums: NDArray[np.float64] = np.add.reduceat(values, self.first, axis=0)
        return sums

    def per_it_kwh(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return hourly sums over the hour's IT energy, on bins; 0 where none bears them."""
        sums = self.by_hour(values)
        shares = np.where(self.borne, sums / np.where(self.borne, self.it_kwh, 1.0), 0.0)
        return shares[self.hour]


def fixed_losses(
    overhead: Overhead, period: Period, it_kwh: NDArray[np.float64]
) -> FixedLosses | None:
    """Return the fixed losses of a site, None where there are none.

    Parameters
    ----------
    overhead : Overhead
    period : Period
        Its bins divide the hour.
    it_kwh : float64[bins]
        IT energy of the site. [kWh]
    """
    if overhead.fixed_w == 0.0:
        return None
    grid = period.grid
    kwh = grid.widths_ms(period.end_ms).astype(np.float64) * (overhead.fixed_w / W_MS_PER_KWH)
    hour = (grid.first_epoch_ms + np.arange(len(kwh), dtype=np.int64) * grid.bin_ms) // MS_PER_H
    hour -= hour[:1]
    first = np.flatnonzero(np.diff(hour, prepend=-1))
    by_hour = np.add.reduceat(it_kwh, first)
    borne = by_hour > LEAST_BEARING * np.add.reduceat(kwh, first)
    return FixedLosses(kwh, hour, first, by_hour, borne)


def facility_kwh(
    fleet: Fleet, period: Period, it_kwh: NDArray[np.float64], facility: Facility
) -> NDArray[np.float64]:
    """Return what each cluster and its part of the building draw, float64[bins, clusters]. [kWh]

    The fixed losses of an hour without IT energy are split over the clusters by the power of
    their nodes.
    """
    pue = np.array([1.0 if at.pue is None else at.pue for at in facility.overheads])
    result: NDArray[np.float64] = it_kwh * pue[fleet.site]
    for site, overhead in enumerate(facility.overheads):
        mine = np.flatnonzero(fleet.site == site)
        if overhead.pue is not None or not len(mine):
            continue
        result[:, mine] *= overhead.ratio[:, None]
        fixed = fixed_losses(overhead, period, it_kwh[:, mine].sum(axis=1))
        if fixed is not None:
            by_hour = fixed.by_hour(it_kwh[:, mine])
            share = np.where(
                fixed.borne[:, None],
                by_hour / np.where(fixed.borne, fixed.it_kwh, 1.0)[:, None],
                by_size(fleet, mine),
            )
            result[:, mine] += fixed.kwh[:, None] * share[fixed.hour]
    return result


def by_size(fleet: Fleet, clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each cluster in the power of all nodes at work, float64[clusters]."""
    size: NDArray[np.float64] = (fleet.busy_w * fleet.node_count)[clusters]
    if not size.any():
        size = fleet.node_count[clusters].astype(np.float64)
    share: NDArray[np.float64] = size / size.sum()
    return share


def water_l(fleet: Fleet, it_kwh: NDArray[np.float64], facility: Facility) -> NDArray[np.float64]:
    """Return the water of each cluster, float64[bins, clusters]; NaN without a WUE. [L]"""
    if all(np.isnan(wue).all() for wue in facility.wue_l_per_kwh):
        return np.broadcast_to(np.nan, it_kwh.shape)
    result = np.full_like(it_kwh, np.nan)
    for cluster, site in enumerate(fleet.site):
        result[:, cluster] = it_kwh[:, cluster] * facility.wue_l_per_kwh[site]
    return result


def borne_by_jobs(
    signal: NDArray[np.float64],
    fleet: Fleet,
    period: Period,
    it_kwh: NDArray[np.float64],
    facility: Facility,
) -> NDArray[np.float64]:
    """Return a signal of facility energy as one of IT energy, where a site has a model of PUE.

    What a kilowatt-hour of a job's IT energy causes in a bin is ``ratio x signal`` and its share
    of what the fixed losses of the hour cause.

    Parameters
    ----------
    signal : float64[sites, bins]
        Of each kWh of facility energy.
    it_kwh : float64[bins, clusters]
        [kWh]
    """
    if all(overhead.pue is not None for overhead in facility.overheads):
        return signal
    result = signal.copy()
    for site, overhead in enumerate(facility.overheads):
        if overhead.pue is not None:
            continue
        result[site] *= overhead.ratio
        mine = fleet.site == site
        fixed = fixed_losses(overhead, period, it_kwh[:, mine].sum(axis=1))
        if fixed is not None:
            result[site] += fixed.per_it_kwh(fixed.kwh * signal[site])
    return result


def site_means(
    fleet: Fleet,
    period: Period,
    it_kwh: NDArray[np.float64],
    drawn_kwh: NDArray[np.float64],
    facility: Facility,
) -> tuple[SiteMeans, ...]:
    """Return what the models of each site came to.

    Parameters
    ----------
    it_kwh, drawn_kwh : float64[bins, clusters]
        IT and facility energy. [kWh]
    """
    width_ms = period.grid.widths_ms(period.end_ms).astype(np.float64)
    means = []
    for site, overhead in enumerate(facility.overheads):
        if overhead.pue is not None and np.isnan(facility.wue_l_per_kwh[site]).all():
            means.append(NO_MEANS)
            continue
        mine = fleet.site == site
        it = it_kwh[:, mine].sum(axis=1)
        total = float(it.sum())
        ratio, counted_ms = overhead.ratio * np.ones(len(it)), width_ms
        fixed = fixed_losses(overhead, period, it)
        if fixed is not None:
            ratio = ratio + fixed.per_it_kwh(fixed.kwh)
            counted_ms = width_ms * fixed.borne[fixed.hour]
        degc = facility.temperature_degc[site]
        water = float((it * facility.wue_l_per_kwh[site]).sum())
        means.append(
            SiteMeans(
                pue_by_energy=float(drawn_kwh[:, mine].sum()) / total if total else None,
                pue_over_time=_mean(ratio, counted_ms) if total else None,
                wue_l_per_kwh=water / total if total and not np.isnan(water) else None,
                temperature_degc=None if degc is None else _mean(degc, width_ms),
            )
        )
    return tuple(means)


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float | None:
    total = float(weights.sum())
    return float(values @ weights) / total if total else None
