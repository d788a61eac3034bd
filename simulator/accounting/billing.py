"""Carbon and embodied shares of a metered run: the same events under any grid, PUE and factors.

Operational carbon is the sum over bins of facility energy times intensity; no bin straddles an
edge of a trace, so the sum is the exact integral. A job is billed its dynamic energy, and idle
power for the accelerators it holds; what is left is unallocated.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.bins import Grid
from simulator.accounting.carbon import OVERHEAD, kinds_kg
from simulator.accounting.embodied import Embodied, Making, embodied_of, straight_line
from simulator.accounting.energy import Energy, energy_of
from simulator.accounting.facility import borne_by_jobs, facility_kwh, water_l
from simulator.accounting.metering import Metered
from simulator.accounting.sharing import with_stays
from simulator.accounting.signals import Signals, integrals
from simulator.accounting.supply import Supplied, supplied_of
from simulator.fleet import Fleet
from simulator.joblog import JobLog
from simulator.kernels import billing as kernels
from simulator.kernels import meter as flows
from simulator.kernels import sharing
from simulator.power.facility import Facility
from simulator.power.tables import PowerTables
from simulator.supply.sources import Sources
from simulator.units import G_PER_KG, MS_PER_S, W_MS_PER_KWH
from simulator.workload.table import JobTable


@dataclass(frozen=True, slots=True)
class Account:
    """Energy and carbon of a run, by bin and cluster, and by job.

    Attributes
    ----------
    metered : Metered
    energy : Energy
        IT energy and node-time.
    facility_kwh, operational_kg, marginal_kg : float64[bins, clusters]
    kinds_kg : dict of str to float
        Location-based carbon of each kind of IT energy and of what buildings add. [kgCO2e]
    water_l : float64[bins, clusters]
        NaN for a site that gives no WUE.
    signals : Signals
    embodied : Embodied
        Carbon of making nodes and of building sites, within the window.
    idle_share_kwh : float64[clusters]
        Idle energy of accelerators that were held.
    facility : Facility
    supplied : Supplied or None
        What supply makes of the load of each site; None where no site has any.
    jobs : simulator.kernels.billing.Bill
        [kWh] and [kgCO2e], one entry for each job.
    runs : simulator.kernels.billing.Bill
        The same, one entry for the last run of each job and then for each that was cut short, or
        for each stay on a shared accelerator.
    """

    metered: Metered
    energy: Energy
    facility_kwh: NDArray[np.float64]
    operational_kg: NDArray[np.float64]
    kinds_kg: dict[str, float]
    marginal_kg: NDArray[np.float64]
    water_l: NDArray[np.float64]
    signals: Signals
    embodied: Embodied
    idle_share_kwh: NDArray[np.float64]
    facility: Facility
    supplied: Supplied | None
    jobs: kernels.Bill
    runs: kernels.Bill


def account(
    fleet: Fleet,
    power: PowerTables,
    jobs: JobTable,
    log: JobLog,
    metered: Metered,
    signals: Signals,
    facility: Facility,
    sources: Sources | None = None,
    making: Making | None = None,
) -> Account:
    """Bill a metered run.

    Parameters
    ----------
    fleet : Fleet
    power : PowerTables
    jobs : JobTable
    log : JobLog
    metered : Metered
    signals : Signals
        On the bins of `metered`.
    facility : Facility
        What the buildings add, on the bins of `metered`.
    sources : Sources, optional
        What sites have beside their grids; None where no site has anything.
    making : Making, optional
        How the carbon of making is spread; in a straight line unless given.

    Returns
    -------
    Account
    """
    failed_w = None if power.failures is None else power.failures.failed_w
    energy = energy_of(fleet, power.ladders, metered, failed_w)
    drawn_kwh = facility_kwh(fleet, metered, energy.it_kwh, facility)
    embodied = embodied_of(fleet, metered, energy, making or straight_line(fleet))
    idle_per_gpu_w = fleet.idle_w / fleet.accelerators
    supplied = supplied_of(sources, fleet, metered, drawn_kwh)
    caused = signals if supplied is None else _effective(signals, supplied)
    billed = _billed(fleet, metered, energy.it_kwh, caused, facility)
    runs = _bill_runs(fleet, power, jobs, log, metered, billed, embodied)
    return Account(
        metered=metered,
        energy=energy,
        facility_kwh=drawn_kwh,
        operational_kg=_caused_kg(fleet, drawn_kwh, caused.average, signals.average, supplied),
        kinds_kg=_kinds_kg(fleet, energy, drawn_kwh, caused.average, signals.average, supplied),
        marginal_kg=_caused_kg(fleet, drawn_kwh, caused.marginal, signals.marginal, supplied),
        water_l=water_l(fleet, energy.it_kwh, facility),
        signals=signals,
        embodied=embodied,
        idle_share_kwh=metered.bins[:, :, flows.HELD].sum(axis=0) * idle_per_gpu_w / W_MS_PER_KWH,
        facility=facility,
        supplied=supplied,
        jobs=_of_jobs(runs, log),
        runs=runs,
    )


def _effective(signals: Signals, supplied: Supplied) -> Signals:
    """Return signals of what is drawn from the grid as signals of facility energy."""
    return Signals(supplied.effective(signals.average), supplied.effective(signals.marginal))


def _caused_kg(
    fleet: Fleet,
    drawn_kwh: NDArray[np.float64],
    effective: NDArray[np.float64],
    signal: NDArray[np.float64],
    supplied: Supplied | None,
) -> NDArray[np.float64]:
    """Return the carbon of each cluster's energy, and its part of what only charges a storage."""
    caused: NDArray[np.float64] = drawn_kwh * effective[fleet.site].T / G_PER_KG
    if supplied is not None:
        caused += supplied.stray_kwh * signal[fleet.site].T / G_PER_KG
    return caused


def _kinds_kg(
    fleet: Fleet,
    energy: Energy,
    drawn_kwh: NDArray[np.float64],
    effective: NDArray[np.float64],
    signal: NDArray[np.float64],
    supplied: Supplied | None,
) -> dict[str, float]:
    """Return the carbon of each kind of energy; see `simulator.accounting.carbon.kinds_kg`.

    What charges a storage while nothing is drawn is with what buildings add.
    """
    kg_per_kwh = effective[fleet.site].T / G_PER_KG
    kinds = kinds_kg(energy.by_kind_kwh, drawn_kwh - energy.it_kwh, kg_per_kwh)
    if supplied is not None:
        kinds[OVERHEAD] += float((supplied.stray_kwh * signal[fleet.site].T).sum()) / G_PER_KG
    return kinds


@dataclass(frozen=True, slots=True)
class _Billed:
    """What a kWh of a job's IT energy is billed: PUE by site, times signals by site and bin."""

    pue: NDArray[np.float64]
    modelled: NDArray[np.bool_]
    signals: kernels.Signals


def _billed(
    fleet: Fleet,
    metered: Metered,
    it_kwh: NDArray[np.float64],
    signals: Signals,
    facility: Facility,
) -> _Billed:
    """Return what jobs are billed: a constant PUE as it is, a model's within the signals."""
    modelled = np.array([overhead.pue is None for overhead in facility.overheads])

    def borne(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return borne_by_jobs(values, fleet, metered, it_kwh, facility)

    signal = kernels.Signals(
        *(
            _signal(values, metered.grid, modelled)
            for values in (
                borne(signals.average) / G_PER_KG,
                borne(signals.marginal) / G_PER_KG,
                borne(np.ones_like(signals.average)),
            )
        )
    )
    pue = np.array([1.0 if at.pue is None else at.pue for at in facility.overheads])
    return _Billed(pue, modelled, signal)


def held_by(jobs: JobTable, log: JobLog) -> kernels.Held:
    """Return what the last run of each job held, and then what it held before or beside others.

    Those that were cut short held what they did before; whoever shares an accelerator holds an
    even share of it, and keeps busy what its slowdown leaves of its utilisation.
    """
    last = kernels.Held(
        log.start_ms,
        log.end_ms,
        log.cluster,
        np.ascontiguousarray(jobs.gpus, np.int32),
        np.ascontiguousarray(jobs.utilisation, np.float64),
        log.power_level,
    )
    if log.stays is not None:
        return with_stays(last, log.stays)
    cut = log.pieces
    if cut is None or not len(cut):
        return last
    earlier = (
        cut.start_ms,
        cut.end_ms,
        cut.cluster,
        last.gpus[cut.job],
        last.utilisation[cut.job],
        cut.power_level,
    )
    pairs: list[Any] = list(zip(last, earlier, strict=True))
    return kernels.Held(*map(np.concatenate, pairs))


def _of_jobs(runs: kernels.Bill, log: JobLog) -> kernels.Bill:
    """Return the bills of jobs: sums over their runs."""
    cut = log.stays or log.pieces
    if cut is None or not len(cut):
        return runs
    count = len(log.start_ms)
    sums = [column[:count].copy() for column in runs]
    for total, column in zip(sums, runs, strict=True):
        np.add.at(total, cut.job, column[count:])
    return kernels.Bill(*sums)


def _bill_runs(
    fleet: Fleet,
    power: PowerTables,
    jobs: JobTable,
    log: JobLog,
    metered: Metered,
    billed: _Billed,
    embodied: Embodied,
) -> kernels.Bill:
    held = held_by(jobs, log)
    bill = kernels.Bill(*(np.empty(len(held.start_ms)) for _ in kernels.Bill._fields))
    per_gpu = fleet.accelerators * W_MS_PER_KWH
    window = np.array([metered.grid.begin_ms, metered.end_ms], np.int64)
    rates = kernels.Rates(
        site=fleet.site,
        dynamic_kwh_per_ms=(fleet.busy_w - fleet.idle_w) / per_gpu,
        idle_kwh_per_ms=fleet.idle_w / per_gpu,
        embodied_kg_per_ms=embodied.per_gpu_kg_per_ms,
        level_draw=fleet.level_draw,
        curves=power.curves,
        pue=billed.pue,
        modelled=billed.modelled,
    )
    kernels.bill_jobs(held, window, rates, billed.signals, bill)
    if metered.changes is not None:
        sharing.bill_shares(
            metered.changes,
            _shares(fleet, power, held, log, metered.end_ms),
            window,
            rates,
            np.repeat(fleet.site, fleet.node_count),
            billed.signals,
            np.zeros((int(fleet.first_node[-1]), sharing.NODE_SIZE)),
            bill,
        )
    return bill


def _shares(
    fleet: Fleet, power: PowerTables, held: kernels.Held, log: JobLog, end_ms: int
) -> sharing.Shares:
    """Return the jobs that shared a node whose load curve bends."""
    part_node = log.part_node
    if log.pieces is not None:
        part_node = np.concatenate([part_node, log.pieces.part_node])
    if log.stays is not None:
        part_node = np.concatenate([part_node, part_node[log.stays.job]])
    rows = np.flatnonzero((part_node >= 0) & power.curves.bent[held.cluster])
    cluster, start_ms = held.cluster[rows], held.start_ms[rows]
    until_ms = np.minimum(held.end_ms[rows], end_ms)
    rest = held.gpus[rows] % fleet.accelerators[cluster]
    return sharing.Shares(
        by_start=np.argsort(start_ms, kind="stable"),
        by_end=np.argsort(until_ms, kind="stable"),
        job=rows,
        start_ms=start_ms,
        end_ms=until_ms,
        node=part_node[rows],
        cluster=cluster,
        load=rest * held.utilisation[rows] * fleet.level_draw[cluster, held.power_level[rows]],
        begun=np.empty((len(rows), 2 * sharing.INTEGRALS)),
    )


def _signal(borne: NDArray[np.float64], grid: Grid, modelled: NDArray[np.bool_]) -> kernels.Signal:
    """Return a signal with its running integral, by which a job is billed in two look-ups."""
    values = np.ascontiguousarray(borne)
    integral, rest = integrals(values, grid.bin_ms, modelled)
    return kernels.Signal(values, integral, rest, grid.bin_ms, grid.offset_ms)


def queued_job_ms(
    jobs: JobTable, log: JobLog, metered: Metered, clusters: int
) -> NDArray[np.float64]:
    """Return how long jobs waited in each bin, float64[bins, clusters]. [job x ms]

    Those that were cut short wait again.
    """
    grid = metered.grid
    bins = len(metered.bins)
    part = np.zeros((bins + 1, clusters), np.int64)
    step = np.zeros((bins + 2, clusters), np.int64)
    window = np.array([grid.begin_ms, metered.end_ms], np.int64)
    waits = [(jobs.submit_ms, log.first_start_ms, log.home)]
    if log.pieces is not None:
        cut = log.pieces
        waits.append((cut.end_ms, cut.next_start_ms(log.start_ms), log.home[cut.job]))
    for since_ms, until_ms, home in waits:
        kernels.count_waiting(
            since_ms, until_ms, home, window, grid.bin_ms, grid.offset_ms, part, step
        )
    return (part[:bins] + np.cumsum(step[:bins], axis=0) * grid.bin_ms).astype(np.float64)


def seconds(time_ms: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return times in seconds, NaN where there is none. [s]"""
    result = time_ms / MS_PER_S
    result[time_ms < 0] = np.nan
    return result
