"""What preemption did to jobs: how often, what it cost, and how long they waited to go on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.billing import held_by
from simulator.accounting.metering import Metered
from simulator.joblog import JobLog
from simulator.kernels.tables import FAILURE
from simulator.workload.table import JobTable


@dataclass(frozen=True, slots=True)
class Preempted:
    """What preemption did to jobs, within the counted period.

    Attributes
    ----------
    preemptions : int64[jobs]
        Times that a job was preempted.
    cost_ms : float64[jobs]
        Time that it held its accelerators to no use for that: what it had done since its last
        checkpoint, while its state was saved, and before it worked again. [ms]
    waited_ms : float64[jobs]
        Time that it waited to go on, after runs that were cut short, by whatever. [ms]
    """

    preemptions: NDArray[np.int64]
    cost_ms: NDArray[np.float64]
    waited_ms: NDArray[np.float64]


def preempted_of(jobs: JobTable, log: JobLog, metered: Metered) -> Preempted | None:
    """Return what preemption did to jobs; None where nobody is preempted.

    What a run spent on resuming counts, unless a failure made all of the run worthless: then it is
    the failure's.
    """
    cut = log.pieces
    if cut is None or log.resume_ms is None:
        return None
    begin_ms, until_ms = metered.grid.begin_ms, metered.end_ms

    def inside(time_ms: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = np.clip(time_ms, begin_ms, until_ms)
        return result

    def summed(values: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(rows, values, len(jobs)).astype(np.float64)

    mine = cut.cause != FAILURE
    lost_ms = np.where(mine, inside(cut.end_ms) - inside(cut.end_ms - cut.lost_ms), 0.0)
    waits_ms = cut.next_start_ms(log.start_ms)
    waits_ms = np.where(waits_ms < 0, until_ms, waits_ms)
    return Preempted(
        preemptions=summed(mine & (cut.end_ms >= begin_ms), cut.job).astype(np.int64),
        cost_ms=summed(lost_ms, cut.job) + _resuming_ms(jobs, log, inside, summed),
        waited_ms=summed(inside(waits_ms) - inside(cut.end_ms), cut.job),
    )


def _resuming_ms(jobs: JobTable, log: JobLog, inside: Any, summed: Any) -> NDArray[np.float64]:
    """Return the time that each job spent on taking up what a suspension kept. [ms]"""
    cut = log.pieces
    assert cut is not None
    assert log.resume_ms is not None
    held = held_by(jobs, log)
    job = np.concatenate([np.arange(len(jobs)), cut.job])
    resume_ms = np.concatenate([log.resume_ms, cut.resume_ms])
    useful_until_ms = np.concatenate([log.last_work_ms, cut.end_ms - cut.lost_ms])
    begun = (held.start_ms >= 0) & (resume_ms > 0)
    until_ms = np.minimum(held.start_ms + resume_ms, useful_until_ms)
    spent_ms = np.maximum(0.0, inside(until_ms) - inside(held.start_ms))
    result: NDArray[np.float64] = summed(np.where(begun, spent_ms, 0.0), job)
    return result
