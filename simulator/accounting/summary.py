"""The summary of a run, and the audit that its sums agree."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.billing import Account, held_by
from simulator.accounting.carbon import carbon_figures, ratios
from simulator.accounting.energy import DYNAMIC, IDLE, SLEEP, TRANSITION
from simulator.accounting.preemption import Preempted
from simulator.accounting.racks import cross_rack_share
from simulator.accounting.reliability import Reliability, ettr, goodput
from simulator.accounting.sharing import Shared
from simulator.accounting.supply import supply_summary
from simulator.accounting.tables import (
    FINISHED,
    QUEUED,
    RUNNING,
    UNSCHEDULABLE,
)
from simulator.fleet import Fleet
from simulator.joblog import JobLog
from simulator.kernels.meter import HELD
from simulator.percentiles import percentiles
from simulator.units import MS_PER_D, MS_PER_H
from simulator.workload.table import JobTable

WAITS = (
    "wait_mean_h",
    "wait_p50_h",
    "wait_p95_h",
    "wait_p99_h",
    "waited_share",
    "slowdown_mean",
)

TOLERANCE = 1e-9
"""Largest relative difference between two ways of summing one quantity."""


def audit(account: Account) -> dict[str, float]:
    """Sum energy over hours, nodes and jobs, and return the relative differences.

    The fleet's energy is metered by cluster; nodes are metered one by one; jobs are billed from
    their own start and end. That the three agree, and that the carbon of all kinds is all
    operational carbon, is checked in every run.

    Raises
    ------
    ArithmeticError
        If two sums differ by more than 1e-9: a fault of this program, never of the input.
    """
    total = float(account.energy.it_kwh.sum())
    dynamic = float(account.energy.by_kind_kwh[:, :, DYNAMIC].sum())
    shares = float(account.idle_share_kwh.sum())
    kinds = float(account.energy.by_kind_kwh.sum())
    carbon, by_kind = float(account.operational_kg.sum()), sum(account.kinds_kg.values())
    differences = {
        "energy_over_kinds": _difference(total, kinds, total),
        "carbon_over_kinds": _difference(carbon, by_kind, carbon),
        "energy_over_nodes": _difference(total, float(account.energy.node_kwh.sum()), total),
        "dynamic_over_jobs": _difference(dynamic, float(account.jobs.dynamic_kwh.sum()), total),
        "idle_share_over_jobs": _difference(shares, float(account.jobs.idle_kwh.sum()), total),
    }
    wrong = {name: value for name, value in differences.items() if not value <= TOLERANCE}
    if wrong:
        raise ArithmeticError(f"sums of energy or carbon disagree: {wrong}")
    return differences


def _difference(one: float, other: float, scale: float) -> float:
    return abs(one - other) / scale if scale else abs(one - other)


def summarise(
    fleet: Fleet,
    jobs: JobTable,
    log: JobLog,
    account: Account,
    states: NDArray[np.int8],
    reliability: Reliability | None,
    preempted: Preempted | None,
    shared: Shared | None = None,
) -> dict[str, Any]:
    """Return the figures of the summary, NaN or None where a quantity is absent."""
    energy = _energy(account)
    carbon = _carbon(account)
    capacity = _capacity(fleet, account)
    failures = _failures(jobs, log, account, states, reliability)
    total_kg = carbon["total_kgco2e"]
    return {
        **energy,
        **carbon,
        **capacity,
        **ratios(
            energy["energy_it_kwh"],
            energy["energy_facility_kwh"],
            total_kg,
            capacity,
            failures["goodput"],
        ),
        **_jobs(jobs, log, states, account.metered.grid.begin_ms),
        "water_l": float(account.water_l.sum()),  # absent where a site gives no WUE
        **_wake_ups(account),
        **_capped(fleet, jobs, log, account),
        **failures,
        "cross_rack_share": cross_rack_share(fleet, jobs, log, account.metered),
        **_preemptions(jobs, preempted),
        **_sharing(jobs, account, shared),
        **supply_summary(account.supplied, fleet, account.facility_kwh, account.operational_kg),
    }


def _sharing(jobs: JobTable, account: Account, shared: Shared | None) -> dict[str, float | None]:
    """Return what sharing did; absent where no accelerator is shared."""
    if shared is None:
        return dict.fromkeys(("gpu_hours_shared", "slowdown_interference_mean"))
    counted = shared.slowdown[_counted(jobs, account.metered.grid.begin_ms)]
    known = counted[~np.isnan(counted)]
    return {
        "gpu_hours_shared": shared.gpu_ms / MS_PER_H,
        "slowdown_interference_mean": float(known.mean()) if len(known) else None,
    }


def _failures(
    jobs: JobTable,
    log: JobLog,
    account: Account,
    states: NDArray[np.int8],
    known: Reliability | None,
) -> dict[str, float | int | None]:
    """Return what failures cost; absent where no node can fail, and nobody is preempted."""
    if known is None:
        return dict.fromkeys(("failures", "gpu_hours_lost", "goodput", "ettr"))
    metered = account.metered
    finished = states == FINISHED
    finished[: _counted(jobs, metered.grid.begin_ms).start] = False
    held_ms = float(metered.bins[:, :, HELD].sum())
    return {
        "failures": int(metered.failures.sum()) if known.fails else None,
        "gpu_hours_lost": float(known.lost_ms @ jobs.gpus) / MS_PER_H if known.fails else None,
        "goodput": goodput(known, jobs.gpus, held_ms),
        "ettr": ettr(known, jobs.gpus, log.first_start_ms, log.end_ms, finished),
    }


def _preemptions(jobs: JobTable, known: Preempted | None) -> dict[str, float | int | None]:
    """Return what preemption cost; absent where nobody is preempted."""
    if known is None:
        return dict.fromkeys(("preemptions", "gpu_hours_preempted"))
    return {
        "preemptions": int(known.preemptions.sum()),
        "gpu_hours_preempted": float(known.cost_ms @ jobs.gpus) / MS_PER_H,
    }


def _capped(fleet: Fleet, jobs: JobTable, log: JobLog, account: Account) -> dict[str, float | int]:
    """Return what power budgets did to jobs: counts as of all jobs, energy as all energy.

    A job at a level of speed s and draw d, relative to its cluster's own level, takes 1/s times
    as long at d times the power: uncapped it would have drawn s/d times as much.
    """
    held = held_by(jobs, log)
    capped = np.flatnonzero(held.power_level)
    level, cluster = held.power_level[capped], held.cluster[capped]
    ratio = fleet.level_speed[cluster, level] / fleet.level_draw[cluster, level]
    more_kwh = account.runs.dynamic_kwh[capped] * (ratio - 1.0)
    counted = _counted(jobs, account.metered.grid.begin_ms)
    ever = log.power_level != 0
    if log.pieces is not None:
        ever[log.pieces.job[log.pieces.power_level != 0]] = True
    return {
        "jobs_delayed_by_power": int(np.count_nonzero(log.held_back[counted])),
        "jobs_capped": int(np.count_nonzero(ever[counted])),
        "energy_capped_kwh": float(more_kwh.sum()),
    }


def _wake_ups(account: Account) -> dict[str, float | int]:
    wake_ups = int(account.metered.wake_ups.sum())
    node_days = float(account.energy.owned_ms.sum()) / MS_PER_D
    return {
        "wake_ups": wake_ups,
        "wake_ups_per_node_day": wake_ups / node_days if node_days else 0.0,
    }


def _energy(account: Account) -> dict[str, float]:
    kinds = account.energy.by_kind_kwh.sum(axis=(0, 1))
    return {
        "energy_it_kwh": float(account.energy.it_kwh.sum()),  # in the order of the facility's sum
        "energy_facility_kwh": float(account.facility_kwh.sum()),
        "energy_dynamic_kwh": float(kinds[DYNAMIC]),
        "energy_idle_kwh": float(kinds[IDLE]),
        "energy_sleep_kwh": float(kinds[SLEEP]),
        "energy_transition_kwh": float(kinds[TRANSITION]),
    }


def _carbon(account: Account) -> dict[str, float]:
    return carbon_figures(
        float(account.operational_kg.sum()),
        float(account.marginal_kg.sum()),
        account.embodied.total_kg,
        float(account.jobs.operational_kg.sum() + account.jobs.embodied_kg.sum()),
        account.kinds_kg,
        supply_kg=0.0 if account.supplied is None else account.supplied.embodied_kg,
    )


def _capacity(fleet: Fleet, account: Account) -> dict[str, float | None]:
    metered = account.metered
    accelerators = fleet.accelerators.astype(np.float64)
    capacity = float(account.energy.owned_ms.sum(axis=0) @ accelerators) / MS_PER_H
    awake = float(account.energy.awake_ms.sum(axis=0) @ accelerators) / MS_PER_H
    held, busy, _ = metered.bins.sum(axis=(0, 1)) / MS_PER_H
    return {
        "gpu_hours_capacity": capacity,
        "gpu_hours_delivered": float(held),
        "gpu_hours_awake": float(awake),
        "allocation": float(held) / capacity if capacity else None,
        "utilisation": float(busy) / capacity if capacity else None,
    }


def _jobs(
    jobs: JobTable, log: JobLog, states: NDArray[np.int8], begin_ms: int
) -> dict[str, float | int | None]:
    """Return counts and waits of the jobs submitted after the warm-up."""
    counted = _counted(jobs, begin_ms)
    states = states[counted]
    counts = np.bincount(states, minlength=UNSCHEDULABLE + 1)
    submit_ms, start_ms, end_ms = (
        column[counted] for column in (jobs.submit_ms, log.first_start_ms, log.end_ms)
    )
    if counts[QUEUED] or counts[UNSCHEDULABLE]:
        started = start_ms >= 0  # those among them that wait to start again
        submit_ms, start_ms, end_ms = submit_ms[started], start_ms[started], end_ms[started]
    wait_ms = start_ms - submit_ms
    run_ms = np.where(end_ms >= 0, end_ms - start_ms, 0)
    return {
        "jobs_submitted": len(states),
        "jobs_started": len(wait_ms),
        "jobs_finished": int(counts[FINISHED]),
        "jobs_running": int(counts[RUNNING]),
        "jobs_queued": int(counts[QUEUED]),
        "jobs_unschedulable": int(counts[UNSCHEDULABLE]),
        **_waits(wait_ms, run_ms),
    }


def _counted(jobs: JobTable, begin_ms: int) -> slice:
    """Return the jobs that statistics count: those submitted after the warm-up."""
    return slice(int(np.searchsorted(jobs.submit_ms, begin_ms)), None)


def _waits(wait_ms: NDArray[np.int64], run_ms: NDArray[np.int64]) -> dict[str, float | None]:
    """Return waits of the jobs that started; percentiles are numpy's linear ones."""
    if not len(wait_ms):
        return dict.fromkeys(WAITS)
    p50, p95, p99 = percentiles(wait_ms.copy(), (50, 95, 99))
    waited_ms, ran_ms = wait_ms, run_ms
    if not run_ms.all():
        waited_ms, ran_ms = wait_ms[run_ms > 0], run_ms[run_ms > 0]
    slowdown = 1.0 + waited_ms / ran_ms
    return {
        "wait_mean_h": float(wait_ms.mean()) / MS_PER_H,
        "wait_p50_h": p50 / MS_PER_H,
        "wait_p95_h": p95 / MS_PER_H,
        "wait_p99_h": p99 / MS_PER_H,
        "waited_share": float(np.count_nonzero(wait_ms)) / len(wait_ms),
        "slowdown_mean": float(slowdown.mean()) if len(slowdown) else None,
    }


def stranded(drains: bool, states: NDArray[np.int8]) -> Iterator[str]:
    """Yield a warning if a draining run ended with jobs that wait for nodes it will never have."""
    waiting = int((states == QUEUED).sum())
    if drains and waiting:
        jobs = "1 job still waits" if waiting == 1 else f"{waiting:,} jobs still wait"
        yield (
            f"drain: {jobs} at the end, and nothing happens any more that could start them: they "
            "need more nodes than are in service, or their policy does not start them; policies "
            "bring no nodes after the horizon"
        )
