"""Carbon and embodied shares of a metered run: the same events under any grid, PUE and factors.

Operational carbon is the sum over bins of facility energy times intensity; no bin straddles an
edge of a trace, so the sum is the exact integral. A job is billed its dynamic energy, and idle
power for the accelerators it holds; what is left is unallocated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.energy import Energy, energy_of
from simulator.accounting.metering import Grid, Metered
from simulator.fleet import Fleet
from simulator.joblog import JobLog
from simulator.kernels import billing as kernels
from simulator.kernels import meter as flows
from simulator.power.ladder import Ladders
from simulator.units import G_PER_KG, MS_PER_S, W_MS_PER_KWH
from simulator.workload.table import JobTable


@dataclass(frozen=True, slots=True)
class Signals:
    """Grid signals of each site on the bins of a run.

    Attributes
    ----------
    average : float64[sites, bins]
        Average intensity. [g/kWh]
    marginal : float64[sites, bins]
        Marginal intensity; NaN for a site that has none. [g/kWh]
    """

    average: NDArray[np.float64]
    marginal: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Account:
    """Energy and carbon of a run, by bin and cluster, and by job.

    Attributes
    ----------
    metered : Metered
    energy : Energy
        IT energy and node-time.
    facility_kwh, operational_kg, marginal_kg : float64[bins, clusters]
    signals : Signals
    embodied_kg : float64[clusters]
        Straight line over the calendar lifetime of every node in service, within the window.
    idle_share_kwh : float64[clusters]
        Idle energy of accelerators that were held.
    pue : float64[sites]
    jobs : simulator.kernels.billing.Bill
        [kWh] and [kgCO2e], one entry for each job.
    """

    metered: Metered
    energy: Energy
    facility_kwh: NDArray[np.float64]
    operational_kg: NDArray[np.float64]
    marginal_kg: NDArray[np.float64]
    signals: Signals
    embodied_kg: NDArray[np.float64]
    idle_share_kwh: NDArray[np.float64]
    pue: NDArray[np.float64]
    jobs: kernels.Bill


def account(
    fleet: Fleet,
    ladders: Ladders,
    jobs: JobTable,
    log: JobLog,
    metered: Metered,
    signals: Signals,
    pue: NDArray[np.float64],
) -> Account:
    """Bill a metered run.

    Parameters
    ----------
    fleet : Fleet
    ladders : Ladders
    jobs : JobTable
    log : JobLog
    metered : Metered
    signals : Signals
        On the bins of `metered`.
    pue : float64[sites]
        Facility energy over IT energy.

    Returns
    -------
    Account
    """
    energy = energy_of(fleet, ladders, metered)
    facility = energy.it_kwh * pue[fleet.site]
    embodied = fleet.embodied_g * energy.owned_ms.sum(axis=0) / fleet.lifetime_ms
    idle_per_gpu_w = fleet.idle_w / fleet.accelerators
    return Account(
        metered=metered,
        energy=energy,
        facility_kwh=facility,
        operational_kg=facility * signals.average[fleet.site].T / G_PER_KG,
        marginal_kg=facility * signals.marginal[fleet.site].T / G_PER_KG,
        signals=signals,
        embodied_kg=embodied / G_PER_KG,
        idle_share_kwh=metered.bins[:, :, flows.HELD].sum(axis=0) * idle_per_gpu_w / W_MS_PER_KWH,
        pue=pue,
        jobs=_bill_jobs(fleet, jobs, log, metered, signals, pue),
    )


def _bill_jobs(
    fleet: Fleet,
    jobs: JobTable,
    log: JobLog,
    metered: Metered,
    signals: Signals,
    pue: NDArray[np.float64],
) -> kernels.Bill:
    count = len(jobs)
    bill = kernels.Bill(*(np.empty(count) for _ in kernels.Bill._fields))
    per_gpu = fleet.accelerators * W_MS_PER_KWH
    kernels.bill_jobs(
        log.start_ms,
        log.end_ms,
        log.cluster,
        np.ascontiguousarray(jobs.gpus, np.int32),
        np.ascontiguousarray(jobs.utilisation, np.float64),
        np.array([metered.grid.begin_ms, metered.end_ms], np.int64),
        kernels.Rates(
            site=fleet.site,
            dynamic_kwh_per_ms=(fleet.busy_w - fleet.idle_w) / per_gpu,
            idle_kwh_per_ms=fleet.idle_w / per_gpu,
            embodied_kg_per_ms=fleet.embodied_g
            / (fleet.accelerators * fleet.lifetime_ms * G_PER_KG),
            pue=pue,
        ),
        _signal(signals.average, metered.grid),
        _signal(signals.marginal, metered.grid),
        bill,
    )
    return bill


def _signal(values_g: NDArray[np.float64], grid: Grid) -> kernels.Signal:
    """Return a signal with its running integral, by which a job is billed in two look-ups."""
    values = np.ascontiguousarray(values_g) / G_PER_KG
    integral = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values * grid.bin_ms, axis=1, out=integral[:, 1:])
    return kernels.Signal(values, integral, grid.bin_ms, grid.offset_ms)


def queued_job_ms(
    jobs: JobTable, log: JobLog, metered: Metered, clusters: int
) -> NDArray[np.float64]:
    """Return how long jobs waited in each bin, float64[bins, clusters]. [job x ms]"""
    grid = metered.grid
    bins = len(metered.bins)
    part = np.zeros((bins + 1, clusters), np.int64)
    step = np.zeros((bins + 2, clusters), np.int64)
    window = np.array([grid.begin_ms, metered.end_ms], np.int64)
    kernels.count_waiting(
        jobs.submit_ms, log.start_ms, log.home, window, grid.bin_ms, grid.offset_ms, part, step
    )
    return (part[:bins] + np.cumsum(step[:bins], axis=0) * grid.bin_ms).astype(np.float64)


def seconds(time_ms: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return times in seconds, NaN where there is none. [s]"""
    result = time_ms / MS_PER_S
    result[time_ms < 0] = np.nan
    return result
