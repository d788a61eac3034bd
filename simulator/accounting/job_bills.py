"""What jobs are billed that draw the same power from start to end, all of them at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.bins import Grid, Period
from simulator.accounting.drawn import Drawn, DrawnByJobs
from simulator.accounting.facility import borne_by_jobs
from simulator.accounting.signals import Signals, integrals
from simulator.fleet import Fleet
from simulator.power.facility import Facility
from simulator.units import G_PER_KG


@dataclass(frozen=True, slots=True)
class JobBills:
    """What each job is billed, [jobs].

    Attributes
    ----------
    facility_kwh : float64[jobs]
    operational_kg, marginal_kg, embodied_kg : float64[jobs]
        Marginal is NaN at a site without a marginal signal.
    """

    facility_kwh: NDArray[np.float64]
    operational_kg: NDArray[np.float64]
    marginal_kg: NDArray[np.float64]
    embodied_kg: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JobSignals:
    """What a kWh of a job's IT energy causes at each site, without a PUE that is constant.

    Attributes
    ----------
    pue : float64[sites]
        1 where the signals hold a model of it.
    modelled : bool[sites]
        Whether they do.
    average, marginal, borne : float64[sites, bins]
        [kg/kWh], and kWh of facility energy for each kWh.
    """

    pue: NDArray[np.float64]
    modelled: NDArray[np.bool_]
    average: NDArray[np.float64]
    marginal: NDArray[np.float64]
    borne: NDArray[np.float64]

    def vary(self, period: Period) -> NDArray[np.bool_]:
        """Return whether any of them varies within the counted period, bool[sites]."""
        used = period.width_ms > 0
        signals = (self.average, self.marginal, self.borne)
        spans = [np.ptp(signal[:, used], axis=1) for signal in signals]
        varies: NDArray[np.bool_] = np.any(np.nan_to_num(np.array(spans)) > 0.0, axis=0)
        return varies


def job_signals(drawn: Drawn, fleet: Fleet, signals: Signals, facility: Facility) -> JobSignals:
    """Return what jobs are billed by."""

    def borne_of(signal: NDArray[np.float64]) -> NDArray[np.float64]:
        return borne_by_jobs(signal, fleet, drawn.period, drawn.it_kwh, facility)

    modelled = np.array([overhead.pue is None for overhead in facility.overheads])
    return JobSignals(
        pue=np.array([1.0 if at.pue is None else at.pue for at in facility.overheads]),
        modelled=modelled,
        average=borne_of(signals.average) / G_PER_KG,
        marginal=borne_of(signals.marginal) / G_PER_KG,
        borne=borne_of(np.ones_like(signals.average)),
    )


def job_bills(drawn: Drawn, fleet: Fleet, signals: JobSignals) -> JobBills:
    """Return the bills of jobs by their mean power, as `simulator.kernels.billing` makes them."""
    jobs, grid = drawn.jobs, drawn.period.grid
    rows = np.flatnonzero(jobs.ran)
    cluster = jobs.cluster[rows]
    site = fleet.site[cluster]
    first_ms, last_ms = jobs.first_ms[rows], jobs.last_ms[rows]
    held_ms = last_ms - first_ms
    rate = jobs.it_kwh[rows] / held_ms * signals.pue[site]
    flat = rate * held_ms
    modelled = signals.modelled[site]

    def caused(signal: NDArray[np.float64]) -> NDArray[np.float64]:
        return rate * _between(signal, signals.modelled, grid, (site, first_ms, last_ms))

    facility = np.where(modelled, caused(signals.borne), flat) if modelled.any() else flat
    embodied_per_ms = fleet.embodied_g / (fleet.accelerators * fleet.lifetime_ms * G_PER_KG)
    count = len(jobs.gpus)
    marginal = _unheld_marginal(jobs, fleet, signals.marginal)
    marginal[rows] = caused(signals.marginal)
    return JobBills(
        facility_kwh=_spread(facility, rows, count),
        operational_kg=_spread(caused(signals.average), rows, count),
        marginal_kg=marginal,
        embodied_kg=_spread(embodied_per_ms[cluster] * jobs.gpus[rows] * held_ms, rows, count),
    )


def _spread(
    values: NDArray[np.float64], rows: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Return values of some jobs as those of all, 0 for the others."""
    result = np.zeros(count)
    result[rows] = values
    return result


def _unheld_marginal(
    jobs: DrawnByJobs, fleet: Fleet, marginal: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what jobs that held nothing cause: nothing, which is not known without a signal.

    At the job's site, or at any site for a job that belongs to none.
    """
    nothing = 0.0 * marginal[:, 0]
    return np.where(jobs.nowhere, nothing.sum(), nothing[fleet.site[jobs.cluster]])


def _between(
    signal: NDArray[np.float64],
    modelled: NDArray[np.bool_],
    grid: Grid,
    runs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Return the integral of a signal over each run of a site, first and last instant."""
    integral, rest = integrals(signal, grid.bin_ms, modelled)
    site, first_ms, last_ms = runs
    first = (first_ms + grid.offset_ms) // grid.bin_ms
    last = (last_ms + grid.offset_ms) // grid.bin_ms
    head_ms = (first + 1) * grid.bin_ms - grid.offset_ms - first_ms
    tail_ms = last_ms + grid.offset_ms - last * grid.bin_ms
    at_first = signal[site, first]
    at_last = signal[site, np.minimum(last, signal.shape[1] - 1)]
    whole = integral[site, last] - integral[site, first + 1]
    whole += rest[site, last] - rest[site, first + 1]
    across = at_first * head_ms + whole
    across += np.where(tail_ms > 0, at_last * tail_ms, 0.0)
    return np.where(first == last, at_first * (last_ms - first_ms), across)
