"""What cutting jobs short cost: work lost to failures, useful time, and how often it happened."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.billing import held_by
from simulator.accounting.metering import Metered
from simulator.fleet import Fleet
from simulator.joblog import JobLog, Pieces
from simulator.kernels import checkpoints as kernels
from simulator.kernels.billing import Held
from simulator.kernels.tables import FAILURE
from simulator.power.tables import PowerTables
from simulator.workload.checkpoints import plan_of
from simulator.workload.speeds import speed_table
from simulator.workload.table import JobTable


@dataclass(frozen=True, slots=True)
class Reliability:
    """What failures and preemption did to jobs; of the counted period unless said.

    Attributes
    ----------
    fails : bool
        Whether any node can fail.
    restarts : int64[jobs]
        Times that a failed node cut a job short.
    run_ms : int64[jobs]
        Time that it held its accelerators. [ms]
    lost_ms : float64[jobs]
        Part of that which failures made worthless. [ms]
    useful_ms : float64[jobs]
        Part of that in which it did work that is not lost: no checkpoints, no restarts. [ms]
    work_ms : float64[jobs]
        Useful time of the whole job, whatever the period. [ms]
    """

    fails: bool
    restarts: NDArray[np.int64]
    run_ms: NDArray[np.int64]
    lost_ms: NDArray[np.float64]
    useful_ms: NDArray[np.float64]
    work_ms: NDArray[np.float64]


def reliability_of(
    fleet: Fleet, power: PowerTables, jobs: JobTable, log: JobLog, metered: Metered
) -> Reliability | None:
    """Return what failures and preemption did to jobs; None where there is neither."""
    cut = log.pieces
    if cut is None or log.left_ms is None:
        return None
    held = held_by(jobs, log)
    job = np.concatenate([np.arange(len(jobs)), cut.job])
    began = held.start_ms >= 0
    end_ms = np.minimum(held.end_ms, log.finished_ms)
    begin_ms, until_ms = metered.grid.begin_ms, metered.end_ms

    def inside(time_ms: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = np.clip(time_ms, begin_ms, until_ms)
        return result

    run_ms = np.where(began, inside(end_ms) - inside(held.start_ms), 0)
    failed = cut.cause == FAILURE
    lost_ms = np.where(failed, inside(cut.end_ms) - inside(cut.end_ms - cut.lost_ms), 0.0)
    course = _course(fleet, power, jobs, log, held, job)
    end_ms[: len(jobs)] = log.last_work_ms
    useful_ms = course.until(inside(end_ms) - held.start_ms)
    useful_ms -= course.until(inside(held.start_ms) - held.start_ms)

    def summed(values: NDArray[Any], rows: NDArray[Any] = job) -> NDArray[np.float64]:
        return np.bincount(rows, values, len(jobs)).astype(np.float64)

    counted = (failed & (cut.end_ms >= begin_ms)).astype(np.float64)
    return Reliability(
        fails=power.failures is not None,
        restarts=summed(counted, cut.job).astype(np.int64),
        run_ms=summed(run_ms).astype(np.int64),
        lost_ms=summed(lost_ms, cut.job),
        useful_ms=summed(np.where(began, useful_ms, 0.0)),
        work_ms=summed(np.where(began, course.until(end_ms - held.start_ms), 0.0)),
    )


@dataclass(frozen=True, slots=True)
class _Course:
    """The course of runs: restart, then work and checkpoints in turn, up to so much work. [ms]"""

    restart_ms: NDArray[np.float64]
    interval_ms: NDArray[np.float64]
    cost_ms: NDArray[np.float64]
    most_ms: NDArray[np.float64]

    def until(self, elapsed_ms: NDArray[Any]) -> NDArray[np.float64]:
        """Return the useful time of each run after so long. [ms]"""
        worked_ms = np.maximum(0.0, elapsed_ms - self.restart_ms)
        saves = np.isfinite(self.interval_ms)
        cycle_ms = np.where(saves, self.interval_ms + self.cost_ms, 1.0)
        interval_ms = np.where(saves, self.interval_ms, 0.0)
        made = np.where(saves, np.floor(worked_ms / cycle_ms), 0.0)
        since_ms = worked_ms - made * cycle_ms
        since_ms = np.where(saves, np.minimum(since_ms, interval_ms), since_ms)
        useful_ms: NDArray[np.float64] = np.minimum(made * interval_ms + since_ms, self.most_ms)
        return useful_ms


def _course(
    fleet: Fleet,
    power: PowerTables,
    jobs: JobTable,
    log: JobLog,
    held: Held,
    job: NDArray[np.int64],
) -> _Course:
    assert log.pieces is not None
    assert log.left_ms is not None
    rows, workload = len(job), jobs.workload[job]
    speed = speed_table(fleet, jobs)[workload, held.cluster]
    speed = speed * fleet.level_speed[held.cluster, held.power_level]
    if fleet.racks is not None and log.racks is not None:
        across = np.concatenate([log.racks, log.pieces.racks]) > 1
        speed[across] *= fleet.racks.cross_rack_speed[held.cluster[across]]
    most_ms = log.left_ms[job] / speed
    most_ms[len(jobs) :] = log.pieces.kept_ms
    interval_ms = np.full(rows, np.inf)
    restart_ms, cost_ms = np.zeros(rows), np.zeros(rows)
    if jobs.savings:
        failures = power.failures
        plan = plan_of(jobs.savings, fleet, None if failures is None else failures.mtbf_ms)
        kernels.intervals(plan, workload, held.cluster, held.gpus, interval_ms)
        again = _are_restarts(log.pieces, len(jobs))
        restart_ms = np.where(again, plan.restart_ms[workload], 0.0)
        cost_ms = plan.cost_ms[workload]
    if log.resume_ms is not None:
        resume_ms = np.concatenate([log.resume_ms, log.pieces.resume_ms])
        restart_ms = np.where(resume_ms >= 0, resume_ms, restart_ms)
    return _Course(restart_ms, interval_ms, cost_ms, most_ms)


def _are_restarts(cut: Pieces, jobs: int) -> NDArray[np.bool_]:
    """Return which runs are not the first of their job: the last ones, then those cut short."""
    first = np.full(jobs, len(cut), np.int64)
    np.minimum.at(first, cut.job, np.arange(len(cut)))
    return np.concatenate([first < len(cut), first[cut.job] < np.arange(len(cut))])


def goodput(known: Reliability, gpus: NDArray[np.int32], held_ms: float) -> float | None:
    """Return useful accelerator-time over held accelerator-time; None where nothing is held.

    Parameters
    ----------
    known : Reliability
    gpus : int32[jobs]
    held_ms : float
        Accelerator-time held. [ms]
    """
    if not held_ms:
        return None
    return float(known.useful_ms @ gpus) / held_ms


def ettr(
    known: Reliability,
    gpus: NDArray[np.int32],
    first_start_ms: NDArray[np.int64],
    end_ms: NDArray[np.int64],
    finished: NDArray[np.bool_],
) -> float | None:
    """Return useful over wall time from first start to end of finished jobs, by accelerators.

    Parameters
    ----------
    known : Reliability
    gpus : int32[jobs]
    first_start_ms, end_ms : int64[jobs]
        [ms]
    finished : bool[jobs]
        Those that count.
    """
    wall_ms = float((end_ms - first_start_ms)[finished] @ gpus[finished].astype(np.float64))
    return float(known.work_ms[finished] @ gpus[finished]) / wall_ms if wall_ms else None
