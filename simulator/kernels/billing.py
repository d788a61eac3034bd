"""What a job is billed, and how many wait: one pass over the jobs, two look-ups a job."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel
from simulator.kernels.curves import Curves, draw


class Rates(NamedTuple):
    """Rates of one accelerator held, [clusters] unless said."""

    site: NDArray[np.int64]
    dynamic_kwh_per_ms: NDArray[np.float64]  # at utilisation 1
    idle_kwh_per_ms: NDArray[np.float64]
    embodied_kg_per_ms: NDArray[np.float64]
    level_draw: NDArray[np.float64]  # [clusters, levels] dynamic power, relative to the first
    curves: Curves
    pue: NDArray[np.float64]  # [sites]; 1 where the signals hold it already
    modelled: NDArray[np.bool_]  # [sites] whether they do


class Signal(NamedTuple):
    """A signal on bins, [kg/kWh] unless said: its value, and its integral up to each bin."""

    kg_per_kwh: NDArray[np.float64]  # [sites, bins]
    integral: NDArray[np.float64]  # [sites, bins + 1] kg/kWh x ms
    rest: NDArray[np.float64]  # [sites, bins + 1] what rounding took from the integral
    bin_ms: int
    offset_ms: int  # the run's start lies so far into the first bin


class Signals(NamedTuple):
    """What a kWh of a job's IT energy causes; buildings count only where a model says so."""

    average: Signal
    marginal: Signal
    facility: Signal  # facility energy [kWh/kWh], read only where a model says it


class Held(NamedTuple):
    """What each job held, and when, [jobs]."""

    start_ms: NDArray[np.int64]  # -1 for a job that never started
    end_ms: NDArray[np.int64]
    cluster: NDArray[np.int16]
    gpus: NDArray[np.int32]
    utilisation: NDArray[np.float64]
    power_level: NDArray[np.int8]


class Bill(NamedTuple):
    """What each job is billed, [jobs]."""

    dynamic_kwh: NDArray[np.float64]
    idle_kwh: NDArray[np.float64]
    facility_kwh: NDArray[np.float64]
    operational_kg: NDArray[np.float64]
    marginal_kg: NDArray[np.float64]
    embodied_kg: NDArray[np.float64]


@kernel
def bill_jobs(jobs, window, rates, signals, bill):
    """Bill each job its dynamic energy and its nodes' idle power for what it holds.

    Where the load curve bends, the dynamic energy is that of the nodes that a job has for itself;
    `simulator.kernels.sharing` adds that of a node which it shares.

    Parameters
    ----------
    jobs : Held
    window : int64[2]
        Only what lies between these instants counts. [ms]
    rates : Rates
    signals : Signals
    bill : Bill
        Filled. NaN stays NaN: a site without a marginal signal has no marginal emissions.
    """
    # Nothing drawn emits nothing, but without a marginal signal that is not known: at the job's
    # site, or at any site for a job that belongs to none.
    average = signals.average
    marginal = signals.marginal
    nothing_kg = 0.0
    for site in range(len(marginal.kg_per_kwh)):
        nothing_kg += 0.0 * marginal.kg_per_kwh[site, 0]
    for job in range(len(jobs.start_ms)):
        first = max(jobs.start_ms[job], window[0])
        last = min(jobs.end_ms[job], window[1])
        if jobs.start_ms[job] < 0 or last <= first:
            bill.dynamic_kwh[job] = 0.0
            bill.idle_kwh[job] = 0.0
            bill.facility_kwh[job] = 0.0
            bill.operational_kg[job] = 0.0
            at = jobs.cluster[job]
            bill.marginal_kg[job] = nothing_kg
            if at >= 0:
                bill.marginal_kg[job] = 0.0 * marginal.kg_per_kwh[rates.site[at], 0]
            bill.embodied_kg[job] = 0.0
            continue
        at = jobs.cluster[job]
        site = rates.site[at]
        duration = last - first
        gpus = jobs.gpus[job]
        drawn = gpus * jobs.utilisation[job]
        if rates.curves.bent[at]:
            whole = rates.curves.accelerators[at]
            drawn = (gpus // whole) * draw(rates.curves, at, whole * jobs.utilisation[job])
        drawn *= rates.level_draw[at, jobs.power_level[job]]
        dynamic = rates.dynamic_kwh_per_ms[at] * drawn
        idle = rates.idle_kwh_per_ms[at] * gpus
        facility = (dynamic + idle) * rates.pue[site]
        bill.dynamic_kwh[job] = dynamic * duration
        bill.idle_kwh[job] = idle * duration
        if rates.modelled[site]:
            bill.facility_kwh[job] = facility * between(signals.facility, site, first, last)
        else:
            bill.facility_kwh[job] = facility * duration
        bill.operational_kg[job] = facility * between(average, site, first, last)
        bill.marginal_kg[job] = facility * between(marginal, site, first, last)
        bill.embodied_kg[job] = rates.embodied_kg_per_ms[at] * gpus * duration


@kernel(inline="llvm")
def between(signal, site, first_ms, last_ms):
    """Return the integral of a signal between two instants. [kg/kWh x ms]"""
    first = (first_ms + signal.offset_ms) // signal.bin_ms
    last = (last_ms + signal.offset_ms) // signal.bin_ms
    if first == last:
        result = signal.kg_per_kwh[site, first] * (last_ms - first_ms)
    else:
        head = (first + 1) * signal.bin_ms - signal.offset_ms - first_ms
        tail = last_ms + signal.offset_ms - last * signal.bin_ms
        result = signal.kg_per_kwh[site, first] * head
        whole = signal.integral[site, last] - signal.integral[site, first + 1]
        result += whole + (signal.rest[site, last] - signal.rest[site, first + 1])
        if tail > 0:
            result += signal.kg_per_kwh[site, last] * tail
    return result


@kernel
def count_waiting(submit_ms, start_ms, cluster, window, bin_ms, offset_ms, part_ms, step):
    """Add each waiting job to the bins it waits through.

    Parameters
    ----------
    submit_ms, start_ms : int64[jobs]
        A start of -1 waits to the end of the window. [ms]
    cluster : int16[jobs]
        Negative for a job that is in no queue.
    window : int64[2]
        [ms]
    part_ms : int64[bins + 1, clusters]
        Added to: job x ms within the bin where a wait begins (positive) or ends (negative).
    step : int64[bins + 2, clusters]
        Added to: change, from this bin on, of the jobs that wait through whole bins. The jobs
        waiting through bin b are the sum of `step` up to b.
    """
    for job in range(len(submit_ms)):
        until = start_ms[job] if start_ms[job] >= 0 else window[1]
        first = max(submit_ms[job], window[0])
        last = min(until, window[1])
        if cluster[job] < 0 or last <= first:
            continue
        for sign in (1, -1):
            time = first if sign == 1 else last
            at = (time + offset_ms) // bin_ms
            part_ms[at, cluster[job]] += sign * ((at + 1) * bin_ms - offset_ms - time)
            step[at + 1, cluster[job]] += sign
