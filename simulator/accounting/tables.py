"""The result tables of a billed run: jobs, intervals and nodes as columns."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.accounting.billing import Account, queued_job_ms, seconds
from simulator.accounting.embodied import Embodied
from simulator.accounting.energy import DYNAMIC, IDLE, SLEEP, TRANSITION, Energy
from simulator.accounting.intervals import intervals_of
from simulator.accounting.metering import Metered
from simulator.accounting.preemption import Preempted
from simulator.accounting.racks import spans
from simulator.accounting.reliability import Reliability
from simulator.accounting.sharing import Shared
from simulator.columns import ABSENT, FAILED, FAILURES, WRITTEN_OFF, residency_column
from simulator.fleet import Fleet
from simulator.joblog import JobLog
from simulator.kernels import meter as flows
from simulator.kernels.ladder import ENTERING, PER_LEVEL, RESTING, WAKING_FROM
from simulator.power.ladder import Ladders
from simulator.tables import table_of
from simulator.units import MS_PER_H, MS_PER_S
from simulator.workload.names import numbered
from simulator.workload.table import JobTable

STATES = ("finished", "running", "queued", "unschedulable")
FINISHED, RUNNING, QUEUED, UNSCHEDULABLE = range(4)

MEANS = (
    "gpus_allocated_mean",
    "jobs_queued_mean",
    "intensity_average_g_per_kwh",
    "intensity_marginal_g_per_kwh",
    "nodes_awake_mean",
    "nodes_owned_mean",
    "nodes_transition_mean",
)
"""Columns that are means over the time of an interval."""


def job_states(log: JobLog) -> NDArray[np.int8]:
    """Return the state of each job at the end of the run, as an index into `STATES`."""
    state = np.where(log.end_ms <= log.finished_ms, FINISHED, RUNNING).astype(np.int8)
    state[log.start_ms < 0] = QUEUED
    state[log.cluster < 0] = UNSCHEDULABLE
    return state


def job_table(
    fleet: Fleet,
    jobs: JobTable,
    log: JobLog,
    account: Account,
    states: NDArray[np.int8],
    reliability: Reliability | None = None,
    preempted: Preempted | None = None,
    shared: Shared | None = None,
) -> pa.Table:
    """Return one row per job; an unschedulable job names the cluster it would prefer.

    Where nodes can fail, jobs are preempted, or share accelerators, with columns of what that did
    to it; where there are racks, with those that it spans.
    """
    preferred = np.array([route[0] for route in jobs.routes] or [0], np.int16)
    cluster = log.cluster.copy()
    nowhere = cluster < 0
    cluster[nowhere] = preferred[jobs.route[nowhere]]
    end_s = seconds(log.end_ms)
    end_s[states == RUNNING] = np.nan
    first_start_ms = log.first_start_ms
    wait_s = (first_start_ms - jobs.submit_ms) / MS_PER_S
    wait_s[first_start_ms < 0] = np.nan
    return table_of(
        "jobs",
        {
            "job_id": jobs.job_ids(),
            "workload": _category(jobs.workload, jobs.workload_names),
            "cluster": _category(cluster, fleet.cluster_names),
            "gpus": jobs.gpus,
            "submit_s": jobs.submit_ms / MS_PER_S,
            "start_s": seconds(first_start_ms),
            "end_s": end_s,
            "wait_s": wait_s,
            "state": _category(states, STATES),
            "energy_dynamic_kwh": account.jobs.dynamic_kwh,
            "energy_idle_share_kwh": account.jobs.idle_kwh,
            "operational_kgco2e": account.jobs.operational_kg,
            "marginal_kgco2e": account.jobs.marginal_kg,
            "embodied_kgco2e": account.jobs.embodied_kg,
            "energy_facility_kwh": account.jobs.facility_kwh,
            **({} if reliability is None else _restarts(reliability)),
            **({} if preempted is None else _preemptions(preempted)),
            **({} if log.racks is None else spans(fleet, jobs, log.racks, log)),
            **({} if shared is None else _beside_others(shared)),
        },
    )


def _restarts(reliability: Reliability) -> dict[str, NDArray[np.generic]]:
    run_s = reliability.run_ms / MS_PER_S
    if not reliability.fails:
        return {"run_s": run_s}
    lost_s = reliability.lost_ms / MS_PER_S
    return {"restarts": reliability.restarts, "run_s": run_s, "lost_s": lost_s}


def _preemptions(preempted: Preempted) -> dict[str, NDArray[np.generic]]:
    return {
        "preemptions": preempted.preemptions,
        "preempted_s": preempted.cost_ms / MS_PER_S,
        "waited_again_s": preempted.waited_ms / MS_PER_S,
    }


def _beside_others(shared: Shared) -> dict[str, NDArray[np.generic]]:
    return {
        "slowdown_interference": shared.slowdown,
        "shared_share": shared.share,
        "accelerator_utilisation": shared.busy,
        "gpu_hours_held": shared.held_ms / MS_PER_H,
    }


def interval_table(
    fleet: Fleet, jobs: JobTable, log: JobLog, account: Account, interval_ms: int
) -> pa.Table:
    """Return one row per reporting interval and cluster, from the end of the warm-up on.

    Intervals lie on multiples of `interval_ms` since the Unix epoch; the first and the last
    may be cut. Intensities are means over time.
    """
    metered = account.metered
    width_ms = metered.width_ms
    intervals = intervals_of(metered, interval_ms)
    clusters = len(fleet.cluster_names)
    flowed = {
        "energy_it_kwh": account.energy.it_kwh,
        "energy_facility_kwh": account.facility_kwh,
        "operational_kgco2e": account.operational_kg,
        "marginal_kgco2e": account.marginal_kg,
        "gpus_allocated_mean": metered.bins[:, :, flows.HELD],
        "jobs_queued_mean": queued_job_ms(jobs, log, metered, clusters),
        "intensity_average_g_per_kwh": _timed(account.signals.average, fleet, width_ms),
        "intensity_marginal_g_per_kwh": _timed(account.signals.marginal, fleet, width_ms),
        "nodes_awake_mean": account.energy.awake_ms,
        "nodes_owned_mean": account.energy.owned_ms,
        "nodes_transition_mean": account.energy.transition_ms,
        "energy_dynamic_kwh": account.energy.by_kind_kwh[:, :, DYNAMIC],
        "energy_idle_kwh": account.energy.by_kind_kwh[:, :, IDLE],
        "energy_sleep_kwh": account.energy.by_kind_kwh[:, :, SLEEP],
        "energy_transition_kwh": account.energy.by_kind_kwh[:, :, TRANSITION],
        "water_l": account.water_l,
    }
    columns = {name: intervals.sums(by_bin).ravel() for name, by_bin in flowed.items()}
    length_ms = np.repeat(intervals.length_ms, clusters)
    for name in MEANS:
        columns[name] = columns[name] / length_ms
    count = len(intervals.first)
    return table_of(
        "hourly",
        {
            "time": np.repeat(intervals.begin_epoch_ms, clusters),
            "site": _category(np.tile(fleet.site, count), fleet.site_names),
            "cluster": _category(np.tile(np.arange(clusters), count), fleet.cluster_names),
            **columns,
        },
    )


def _timed(
    g_per_kwh: NDArray[np.float64], fleet: Fleet, width_ms: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the intensity of each cluster's site times the width of the bins."""
    weighted: NDArray[np.float64] = g_per_kwh[fleet.site].T * width_ms[:, None]
    return weighted


def node_table(fleet: Fleet, ladders: Ladders, account: Account) -> pa.Table:
    """Return one row per node; where nodes sleep, fail or are written off, with columns of that."""
    metered, energy = account.metered, account.energy
    cluster = np.repeat(np.arange(len(fleet.cluster_names)), fleet.node_count)
    types = tuple(dict.fromkeys(fleet.node_types))
    type_of = np.array([types.index(name) for name in fleet.node_types])
    away_ms = metered.node_away_ms[:, : ladders.absent]
    fails = metered.node_away_ms.shape[1] > ladders.codes
    return table_of(
        "nodes",
        {
            "node": _node_names(fleet),
            "cluster": _category(cluster, fleet.cluster_names),
            "type": _category(type_of[cluster], types),
            "energy_it_kwh": energy.node_kwh,
            "residency_busy_s": metered.occupied_ms / MS_PER_S,
            "residency_idle_s": (energy.node_awake_ms - metered.occupied_ms) / MS_PER_S,
            "residency_entering_s": _phase_s(away_ms, ladders, ENTERING),
            "residency_waking_s": _phase_s(away_ms, ladders, WAKING_FROM),
            "wake_ups": metered.wake_ups,
            "wake_ups_cancelled": metered.cancelled,
            **_resting_s(ladders, cluster, away_ms),
            **_absent_s(metered, energy),
            **(_failed(metered, energy) if fails else {}),
            **_written_off(account.embodied),
        },
    )


def _phase_s(away_ms: NDArray[np.int64], ladders: Ladders, phase: int) -> NDArray[np.float64]:
    """Return the time of each node in one phase of any state. [s]"""
    seconds: NDArray[np.float64] = away_ms[:, ladders.states_of(phase)].sum(axis=1) / MS_PER_S
    return seconds


def _resting_s(
    ladders: Ladders, cluster: NDArray[np.int64], away_ms: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Return the time of each node at rest in each state, by the name of its column. [s]"""
    columns: dict[str, NDArray[np.float64]] = {}
    for at, names in enumerate(ladders.names):
        own = cluster == at
        for level, name in enumerate(names):
            column = columns.setdefault(residency_column(name), np.zeros(len(cluster)))
            column[own] += away_ms[own, PER_LEVEL * level + RESTING] / MS_PER_S
    return columns


def _absent_s(metered: Metered, energy: Energy) -> dict[str, NDArray[np.float64]]:
    absent_ms = metered.end_ms - metered.grid.begin_ms - energy.node_owned_ms
    return {ABSENT: absent_ms / MS_PER_S} if absent_ms.any() else {}


def _failed(metered: Metered, energy: Energy) -> dict[str, NDArray[np.generic]]:
    return {FAILED: energy.node_failed_ms / MS_PER_S, FAILURES: metered.failures}


def _written_off(embodied: Embodied) -> dict[str, NDArray[np.float64]]:
    left_kg = embodied.written_off_kg
    return {} if left_kg is None else {WRITTEN_OFF: left_kg}


def _node_names(fleet: Fleet) -> pa.ChunkedArray:
    return pa.chunked_array(
        [
            numbered(cluster, int(count), first=0, fewest_digits=5)
            for cluster, count in zip(fleet.cluster_names, fleet.node_count, strict=True)
        ]
    )


def _category(codes: NDArray[np.integer], names: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int16)), pa.array(names, pa.string())
    )
