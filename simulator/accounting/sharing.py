"""Jobs that share accelerators: what each held, and what the others did to it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.metering import Metered
from simulator.joblog import JobLog, Stays
from simulator.kernels.billing import Held
from simulator.kernels.tables import NONE
from simulator.workload.table import JobTable


def with_stays(jobs: Held, stays: Stays) -> Held:
    """Return what jobs held, those that may share stay by stay, after the others.

    Each of n tenants holds 1/n of its accelerator, whatever it keeps busy of it: its utilisation
    over the slowdown. Their own rows say nothing then.

    Parameters
    ----------
    jobs : Held
        Of whole jobs.
    stays : Stays
    """
    start_ms = jobs.start_ms.copy()
    start_ms[stays.job] = NONE
    held = 1.0 / stays.tenants
    busy = jobs.utilisation[stays.job] / stays.slowdown
    stay = (
        stays.start_ms,
        stays.end_ms,
        jobs.cluster[stays.job],
        held,
        busy * stays.tenants,  # of what it holds
        jobs.power_level[stays.job],
    )
    alone = jobs._replace(start_ms=start_ms, gpus=jobs.gpus.astype(np.float64))
    pairs: list[Any] = list(zip(alone, stay, strict=True))
    return Held(*map(np.concatenate, pairs))


@dataclass(frozen=True, slots=True)
class Shared:
    """What sharing did to jobs.

    Attributes
    ----------
    slowdown : float64[jobs]
        Time that each ran up to the run's end over what its work takes alone; NaN if it did not
        run.
    share : float64[jobs]
        Share of that time in which others were on its accelerator; NaN likewise.
    busy : float64[jobs]
        Busy share of its accelerators over that time, by the work of all on them; NaN likewise.
    held_ms : float64[jobs]
        Accelerator-time held within the counted period. [ms]
    gpu_ms : float
        Time of accelerators with two jobs or more, within the counted period. [ms]
    """

    slowdown: NDArray[np.float64]
    share: NDArray[np.float64]
    busy: NDArray[np.float64]
    held_ms: NDArray[np.float64]
    gpu_ms: float


def shared_of(jobs: JobTable, log: JobLog, metered: Metered) -> Shared | None:
    """Return what sharing did to jobs; None where no accelerator is shared."""
    stays = log.stays
    if stays is None:
        return None
    begin_ms, end_ms = metered.grid.begin_ms, metered.end_ms
    until_ms = np.minimum(log.end_ms, log.finished_ms)
    ran_ms = np.where(log.start_ms >= 0, until_ms - log.start_ms, 0).astype(np.float64)
    counted_ms = np.clip(until_ms, begin_ms, end_ms) - np.clip(log.start_ms, begin_ms, end_ms)
    held_ms = np.where(log.start_ms >= 0, counted_ms, 0) * jobs.gpus.astype(np.float64)
    held_ms[stays.job] = 0.0
    stay_end_ms = np.minimum(stays.end_ms, log.finished_ms)
    stay_ms = (stay_end_ms - stays.start_ms).astype(np.float64)
    inside_ms = np.clip(stay_end_ms, begin_ms, end_ms) - np.clip(stays.start_ms, begin_ms, end_ms)
    beside = stays.tenants > 1

    def summed(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(stays.job, values, len(jobs)).astype(np.float64)

    lost_ms = summed(stay_ms - stay_ms / stays.slowdown)
    ran = ran_ms > 0.0
    slowdown, share = np.full(len(jobs), np.nan), np.full(len(jobs), np.nan)
    slowdown[ran] = ran_ms[ran] / (ran_ms - lost_ms)[ran]
    share[ran] = summed(np.where(beside, stay_ms, 0.0))[ran] / ran_ms[ran]
    busy = np.where(ran, jobs.utilisation, np.nan)
    stayed = np.unique(stays.job)
    stayed = stayed[ran[stayed]]
    busy[stayed] = summed(stay_ms * stays.load / stays.slowdown)[stayed] / ran_ms[stayed]
    return Shared(
        slowdown=slowdown,
        share=share,
        busy=busy,
        held_ms=held_ms + summed(inside_ms / stays.tenants),
        gpu_ms=float((inside_ms / stays.tenants)[beside].sum()),
    )
