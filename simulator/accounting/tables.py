"""The result tables of a billed run: jobs, intervals and nodes as columns."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.accounting.billing import Account, queued_job_ms, seconds
from simulator.fleet import Fleet
from simulator.joblog import JobLog
from simulator.kernels import meter as flows
from simulator.kernels.tables import AWAKE
from simulator.tables import table_of
from simulator.units import MS_PER_S, W_MS_PER_KWH
from simulator.workload.table import JobTable

STATES = ("finished", "running", "queued", "unschedulable")
FINISHED, RUNNING, QUEUED, UNSCHEDULABLE = range(4)


def job_states(log: JobLog) -> NDArray[np.int8]:
    """Return the state of each job at the end of the run, as an index into `STATES`."""
    state = np.where(log.end_ms <= log.finished_ms, FINISHED, RUNNING).astype(np.int8)
    state[log.start_ms < 0] = QUEUED
    state[log.cluster < 0] = UNSCHEDULABLE
    return state


def job_table(
    fleet: Fleet, jobs: JobTable, log: JobLog, account: Account, states: NDArray[np.int8]
) -> pa.Table:
    """Return one row per job; an unschedulable job names the cluster it would prefer."""
    preferred = np.array([route[0] for route in jobs.routes] or [0], np.int16)
    cluster = log.cluster.copy()
    nowhere = cluster < 0
    cluster[nowhere] = preferred[jobs.route[nowhere]]
    end_s = seconds(log.end_ms)
    end_s[states == RUNNING] = np.nan
    wait_s = (log.start_ms - jobs.submit_ms) / MS_PER_S
    wait_s[log.start_ms < 0] = np.nan
    return table_of(
        "jobs",
        {
            "job_id": jobs.job_ids(),
            "workload": _category(jobs.workload, jobs.workload_names),
            "cluster": _category(cluster, fleet.cluster_names),
            "gpus": jobs.gpus,
            "submit_s": jobs.submit_ms / MS_PER_S,
            "start_s": seconds(log.start_ms),
            "end_s": end_s,
            "wait_s": wait_s,
            "state": _category(states, STATES),
            "energy_dynamic_kwh": account.jobs.dynamic_kwh,
            "energy_idle_share_kwh": account.jobs.idle_kwh,
            "operational_kgco2e": account.jobs.operational_kg,
            "marginal_kgco2e": account.jobs.marginal_kg,
            "embodied_kgco2e": account.jobs.embodied_kg,
        },
    )


def interval_table(
    fleet: Fleet, jobs: JobTable, log: JobLog, account: Account, interval_ms: int
) -> pa.Table:
    """Return one row per reporting interval and cluster, from the end of the warm-up on.

    Intervals lie on multiples of `interval_ms` since the Unix epoch; the first and the last
    may be cut. Intensities are means over time.
    """
    metered = account.metered
    grid = metered.grid
    width_ms = grid.widths_ms(metered.end_ms)
    epoch_ms = grid.first_epoch_ms + np.arange(len(width_ms), dtype=np.int64) * grid.bin_ms
    used = width_ms > 0
    interval = epoch_ms[used] // interval_ms
    first = np.flatnonzero(np.diff(interval, prepend=interval[:1] - 1))
    clusters = len(fleet.cluster_names)

    def total(by_bin: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.add.reduceat(by_bin[used], first, axis=0)

    length_ms = total(width_ms[:, None].astype(np.float64))
    signals = account.signals
    average = total(signals.average.T * width_ms[:, None]) / length_ms
    marginal = total(signals.marginal.T * width_ms[:, None]) / length_ms
    by_kind = total(account.by_kind_kwh)
    begin_ms = grid.start_epoch_ms + grid.begin_ms
    time_ms = np.maximum(interval[first] * interval_ms, begin_ms)
    return table_of(
        "hourly",
        {
            "time": np.repeat(time_ms, clusters),
            "site": _category(np.tile(fleet.site, len(first)), fleet.site_names),
            "cluster": _category(np.tile(np.arange(clusters), len(first)), fleet.cluster_names),
            "energy_it_kwh": total(account.it_kwh).ravel(),
            "energy_facility_kwh": total(account.facility_kwh).ravel(),
            "intensity_average_g_per_kwh": average[:, fleet.site].ravel(),
            "intensity_marginal_g_per_kwh": marginal[:, fleet.site].ravel(),
            "operational_kgco2e": total(account.operational_kg).ravel(),
            "marginal_kgco2e": total(account.marginal_kg).ravel(),
            "gpus_allocated_mean": (total(metered.bins[:, :, flows.HELD]) / length_ms).ravel(),
            "jobs_queued_mean": (
                total(queued_job_ms(jobs, log, metered, clusters)) / length_ms
            ).ravel(),
            "energy_dynamic_kwh": by_kind[:, :, flows.DYNAMIC_W].ravel(),
            "energy_idle_kwh": by_kind[:, :, flows.IDLE_W].ravel(),
            "energy_sleep_kwh": by_kind[:, :, flows.SLEEP_W].ravel(),
            "energy_transition_kwh": by_kind[:, :, flows.TRANSITION_W].ravel(),
        },
    )


def node_kwh(fleet: Fleet, account: Account) -> NDArray[np.float64]:
    """Return the IT energy of each node, float64[nodes]. [kWh]"""
    metered = account.metered
    counts = fleet.node_count
    span_w = np.repeat((fleet.busy_w - fleet.idle_w) / fleet.accelerators, counts)
    idle_w = np.repeat(fleet.idle_w, counts)
    energy = span_w * metered.busy_ms + idle_w * metered.state_ms[:, AWAKE]
    return energy / W_MS_PER_KWH


def node_table(fleet: Fleet, account: Account) -> pa.Table:
    """Return one row per node."""
    metered = account.metered
    count = len(metered.busy_ms)
    cluster = np.repeat(np.arange(len(fleet.cluster_names)), fleet.node_count)
    types = tuple(dict.fromkeys(fleet.node_types))
    type_of = np.array([types.index(name) for name in fleet.node_types])
    return table_of(
        "nodes",
        {
            "node": pa.array(_node_names(fleet)),
            "cluster": _category(cluster, fleet.cluster_names),
            "type": _category(type_of[cluster], types),
            "energy_it_kwh": node_kwh(fleet, account),
            "residency_busy_s": metered.occupied_ms / MS_PER_S,
            "residency_idle_s": (metered.state_ms[:, AWAKE] - metered.occupied_ms) / MS_PER_S,
            "residency_sleep_s": np.zeros(count),
            "residency_transition_s": np.zeros(count),
            "wake_ups": np.zeros(count, np.int64),
        },
    )


def _node_names(fleet: Fleet) -> list[str]:
    names = []
    for cluster, count in zip(fleet.cluster_names, fleet.node_count, strict=True):
        digits = max(5, len(str(count - 1)))
        names += [f"{cluster}-{number:0{digits}d}" for number in range(count)]
    return names


def _category(codes: NDArray[np.integer], names: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int16)), pa.array(names, pa.string())
    )
