"""Made-up results of a run that looks like one, for tests of what is done with results."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from simulator.results import Results, summary_of, table_of
from simulator.scenario import Scenario, from_document
from simulator.units import G_PER_KG, MS_PER_H, MS_PER_S, S_PER_H

STATES = ("finished", "running", "queued", "rejected", "unschedulable")
KEY = "0123456789abcdef" * 4
PUE = 1.1
GPUS = 8
NODES = 16
H_PER_Y = 8766


def scenario_of(
    name: str, hours: int, clusters: tuple[str, ...], workloads: tuple[str, ...], seed: int
) -> Scenario:
    """Return a scenario of one site with clusters of equal nodes."""
    node = {
        "accelerators": GPUS,
        "idle_power": "1.4 kW",
        "busy_power": "5.4 kW",
        "embodied": "2500 kg",
        "lifetime": "4 y",
    }
    workload = {
        "clusters": list(clusters),
        "arrivals": {"process": "poisson", "rate": "100 per d"},
        "gpu_days": {"p50": 1.5, "p99": 24.0},
        "gpus": 8,
    }
    return from_document(
        {
            "schema": 1,
            "name": name,
            "start": "2022-01-01T00:00:00Z",
            "horizon": f"{hours} h",
            "seed": seed,
            "nodes": {"node": node},
            "sites": {"oregon": {"pue": PUE, "grid": {"average": {"constant": "250 g/kWh"}}}},
            "clusters": {
                cluster: {"site": "oregon", "node": "node", "count": NODES} for cluster in clusters
            },
            "workloads": dict.fromkeys(workloads, workload),
        }
    )


def sample(
    *,
    name: str = "research-cluster",
    hours: int = 48,
    jobs: int = 500,
    clusters: tuple[str, ...] = ("train", "serve"),
    workloads: tuple[str, ...] = ("experiments",),
    marginal: bool = True,
    seed: int = 7,
) -> Results:
    """Return results of so many hours and jobs; the sums of its tables agree."""
    rng = np.random.default_rng(seed)
    hourly = _hourly(rng, hours, clusters, marginal=marginal)
    job_columns = _jobs(rng, jobs, hours, clusters, workloads, marginal=marginal)
    tables = {
        "hourly": table_of("hourly", hourly),
        "jobs": table_of("jobs", job_columns),
        "nodes": table_of("nodes", _nodes(hours, clusters, hourly["energy_it_kwh"].sum())),
    }
    return Results(
        scenario=scenario_of(name, hours, clusters, workloads, seed),
        seed=seed,
        key=KEY,
        summary=_summary(name, seed, hours, len(clusters), hourly, job_columns),
        tables=tables,
        basis={"average": "average, life-cycle, CISO 2022 (EIA-930)"}
        | ({"marginal": "marginal, direct, CAISO 2020 (SGIP)"} if marginal else {}),
        assumptions=(
            ("nodes.hgx-a100", "idle power", "1.4", "kW", "NVIDIA DGX A100 data sheet, 2020"),
            ("sites.oregon", "PUE", "1.1", "1", "scenario"),
            ("workloads.experiments", "job size p50", "1.5", "GPU-days", "scenario"),
            (
                "workloads.experiments",
                "job size mean",
                "3.05",
                "GPU-days",
                "implied by p50 and p99",
            ),
        ),
        warnings=("grid CISO: 3 hours are missing and were interpolated",),
        inputs=(("philly.csv.gz", "ab" * 32),),
        wall_s=1.25,
        command="fleetsim run research.toml --seed 7",
    )


def changed(results: Results, **summary: Any) -> Results:
    """Return results with other values in their summary."""
    return replace(results, summary=results.summary | summary)


def lasting(results: Results, hours: float) -> Results:
    """Return results whose nodes spent so long in all; what the tables say else stays."""
    clusters = tuple(results.scenario.clusters)
    energy_kwh = results.summary["energy_it_kwh"]
    nodes = table_of("nodes", _nodes(hours, clusters, energy_kwh))
    return replace(results, tables={**results.tables, "nodes": nodes})


def _hourly(rng: Any, hours: int, clusters: tuple[str, ...], *, marginal: bool) -> dict[str, Any]:
    rows = hours * len(clusters)
    hour = np.repeat(np.arange(hours), len(clusters))
    held = np.clip(0.7 + 0.15 * np.sin(hour / 24 * 2 * np.pi) + 0.05 * rng.normal(size=rows), 0, 1)
    capacity = float(NODES * GPUS)
    dynamic = 4.0 * NODES * held * 0.4
    idle = np.full(rows, 1.4 * NODES * 0.8)
    sleep = np.full(rows, 0.15 * NODES * 0.2)
    transition = np.full(rows, 0.02 * NODES)
    energy = dynamic + idle + sleep + transition
    average = 250.0 + 100 * np.cos(hour / 24 * 2 * np.pi)
    moer = 280.0 + 60 * np.cos(hour / 24 * 2 * np.pi) if marginal else np.full(rows, np.nan)
    start_ms = round(datetime(2022, 1, 1, tzinfo=UTC).timestamp() * MS_PER_S)
    return {
        "time": (start_ms + hour * MS_PER_H).astype("datetime64[ms]"),
        "site": np.array(["oregon"] * rows),
        "cluster": pa.DictionaryArray.from_arrays(
            pa.array(np.tile(np.arange(len(clusters), dtype=np.int16), hours)), list(clusters)
        ),
        "energy_it_kwh": energy,
        "energy_facility_kwh": energy * PUE,
        "intensity_average_g_per_kwh": average,
        "intensity_marginal_g_per_kwh": moer,
        "operational_kgco2e": energy * PUE * average / G_PER_KG,
        "marginal_kgco2e": energy * PUE * moer / G_PER_KG,
        "gpus_allocated_mean": held * capacity,
        "jobs_queued_mean": np.maximum(0.0, 200 * (held - 0.8)),
        "energy_dynamic_kwh": dynamic,
        "energy_idle_kwh": idle,
        "energy_sleep_kwh": sleep,
        "energy_transition_kwh": transition,
        "water_l": np.full(rows, np.nan),
        "nodes_awake_mean": np.full(rows, 0.8 * NODES),
        "nodes_owned_mean": np.full(rows, float(NODES)),
        "nodes_transition_mean": np.full(rows, 0.02 * NODES),
    }


def _jobs(
    rng: Any,
    jobs: int,
    hours: int,
    clusters: tuple[str, ...],
    workloads: tuple[str, ...],
    *,
    marginal: bool,
) -> dict[str, Any]:
    submit = np.sort(rng.uniform(0, hours * S_PER_H, jobs)).round(3)
    wait = np.where(rng.random(jobs) < 0.7, 0.0, rng.exponential(S_PER_H, jobs)).round(3)
    gpus = rng.choice([1, 2, 4, 8, 16], jobs).astype(np.int32)
    size = rng.lognormal(np.log(1.5), np.log(16) / 2.326, jobs)
    start = submit + wait
    end = start + size * 24 * S_PER_H / gpus
    queued = start > hours * S_PER_H
    running = ~queued & (end > hours * S_PER_H)
    state = np.where(queued, 2, np.where(running, 1, 0)).astype(np.int8)
    energy = np.where(queued, 0.0, size)
    start, wait = np.where(queued, np.nan, start), np.where(queued, np.nan, wait)
    return {
        "job_id": pa.array([f"experiments-{row}" for row in range(jobs)], pa.string()),
        "workload": _code(np.arange(jobs) % len(workloads), workloads),
        "cluster": _code(np.arange(jobs) % len(clusters), clusters),
        "gpus": gpus,
        "submit_s": submit,
        "start_s": start,
        "end_s": np.where(queued | running, np.nan, end),
        "wait_s": wait,
        "state": _code(state, STATES),
        "energy_dynamic_kwh": energy,
        "energy_idle_share_kwh": energy * 0.4,
        "operational_kgco2e": energy * 0.3,
        "marginal_kgco2e": energy * 0.4 if marginal else np.full(jobs, np.nan),
        "embodied_kgco2e": energy * 0.1,
        "energy_facility_kwh": energy * 1.4 * 1.1,
    }


def _code(codes: Any, names: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int16)), list(names))


def _nodes(hours: float, clusters: tuple[str, ...], energy_kwh: float) -> dict[str, Any]:
    count = NODES * len(clusters)
    return {
        "node": pa.array([f"{name}-{node:05d}" for name in clusters for node in range(NODES)]),
        "cluster": np.repeat(np.array(clusters), NODES),
        "type": np.array(["node"] * count),
        "energy_it_kwh": np.full(count, energy_kwh / count),
        "residency_busy_s": np.full(count, 0.7 * hours * S_PER_H),
        "residency_idle_s": np.full(count, 0.2 * hours * S_PER_H),
        "residency_sleep_s": np.full(count, 0.08 * hours * S_PER_H),
        "residency_entering_s": np.full(count, 0.01 * hours * S_PER_H),
        "residency_waking_s": np.full(count, 0.01 * hours * S_PER_H),
        "wake_ups": np.full(count, 3),
        "wake_ups_cancelled": np.zeros(count, np.int64),
    }


def _summary(
    name: str, seed: int, hours: int, clusters: int, hourly: dict[str, Any], jobs: dict[str, Any]
) -> dict[str, Any]:
    states = np.bincount(jobs["state"].indices.to_numpy(), minlength=len(STATES))
    wait = jobs["wait_s"][~np.isnan(jobs["wait_s"])] / S_PER_H
    operational = hourly["operational_kgco2e"].sum()
    marginal = hourly["marginal_kgco2e"].sum()
    embodied = 2500 * NODES * clusters * hours / (4 * H_PER_Y)
    delivered = hourly["gpus_allocated_mean"].sum()
    capacity = NODES * GPUS * clusters * hours
    p50, p95, p99 = np.percentile(wait, [50, 95, 99]) if wait.size else [None] * 3
    parts = ("it", "facility", "dynamic", "idle", "sleep", "transition")
    energies = {f"energy_{part}_kwh": hourly[f"energy_{part}_kwh"].sum() for part in parts}
    kg_per_kwh = hourly["intensity_average_g_per_kwh"] / G_PER_KG
    kinds = {
        f"{kind}_kgco2e": (hourly[f"energy_{kind}_kwh"] * kg_per_kwh).sum() for kind in parts[2:]
    }
    peak_kw = hourly["energy_it_kwh"].reshape(hours, clusters).sum(axis=1).max()
    return summary_of(
        {
            "name": name,
            "seed": seed,
            "key": KEY,
            "horizon_h": hours,
            **dict.fromkeys(("failures", "gpu_hours_lost", "goodput", "ettr", "cross_rack_share")),
            **dict.fromkeys(("preemptions", "gpu_hours_preempted")),
            **dict.fromkeys(("gpu_hours_shared", "slowdown_interference_mean")),
            **energies,
            "scope2_location_kgco2e": operational,
            "scope2_market_kgco2e": None,
            "marginal_kgco2e": marginal,
            "scope3_embodied_kgco2e": embodied,
            "total_kgco2e": operational + embodied,
            "allocated_kgco2e": 0.6 * (operational + embodied),
            "unallocated_kgco2e": 0.4 * (operational + embodied),
            "gpu_hours_capacity": capacity,
            "gpu_hours_delivered": delivered,
            "gpu_hours_awake": 0.9 * capacity,
            "allocation": delivered / capacity,
            "utilisation": 0.4 * delivered / capacity,
            "pue": PUE,
            "sci_gco2e_per_gpu_hour": (operational + embodied) * G_PER_KG / delivered,
            "useful_gco2e_per_gpu_hour": (operational + embodied) * G_PER_KG / (0.4 * delivered),
            "jobs_submitted": states.sum(),
            "jobs_started": states[0] + states[1],
            "jobs_finished": states[0],
            "jobs_running": states[1],
            "jobs_queued": states[2],
            "jobs_unschedulable": states[4],
            "wait_mean_h": wait.mean() if wait.size else None,
            "wait_p50_h": p50,
            "wait_p95_h": p95,
            "wait_p99_h": p99,
            "waited_share": (wait > 0).mean() if wait.size else None,
            "jobs_delayed_by_power": 0,
            "jobs_capped": 0,
            "energy_capped_kwh": 0.0,
            "wake_ups": 3 * NODES * clusters,
            "wake_ups_per_node_day": 3 * 24 / hours,
            "slowdown_mean": 1.3 if wait.size else None,
            "water_l": None,
            **kinds,
            "overhead_kgco2e": operational - sum(kinds.values()),
            "peak_facility_kw": peak_kw * PUE,
            "peak_it_kw": peak_kw,
            "cost_electricity": None,
            "cost_machines": None,
            "cost_total": None,
        }
    )
