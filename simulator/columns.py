"""Every column of every result table and every key of the summary, with unit and meaning.

The one registry: Parquet schemas, ``summary.json``, ``columns.csv`` and the documentation are
made from it.
"""

import csv
import io
from collections.abc import Iterable
from typing import Final

from simulator.column import Column
from simulator.column import absent as _absent
from simulator.column import category as _category
from simulator.column import count as _count
from simulator.column import number as _float
from simulator.column import text as _text
from simulator.rare_columns import (
    PREEMPTIONS,
    RESTARTS,
    RUN,
    SHARED,
    SPANS,
    SUPPLY,
    SUPPLY_SUMMARY,
)
from simulator.scenario.nodes import column_word

__all__ = [
    "ABSENT",
    "FAILED",
    "FAILURES",
    "RARE_TABLES",
    "SUMMARY",
    "TABLES",
    "WRITTEN_OFF",
    "Column",
    "columns_csv",
    "columns_of",
    "residency_column",
]

SUMMARY: Final[tuple[Column, ...]] = (
    _text("name", "Name of the scenario"),
    _count("seed", "Root seed of every random stream"),
    _text("key", "Address of the run: hash of scenario, seed, inputs and versions"),
    _float("horizon_h", "h", "Horizon of the scenario"),
    _float("energy_it_kwh", "kWh", "IT energy of all nodes: dynamic + idle + sleep + transition"),
    _float("energy_facility_kwh", "kWh", "IT energy and what the buildings add, by their PUE"),
    _float("energy_dynamic_kwh", "kWh", "IT energy above idle power, drawn by working jobs"),
    _float("energy_idle_kwh", "kWh", "IT energy of the idle power of awake nodes, held or not"),
    _float("energy_sleep_kwh", "kWh", "IT energy of nodes resting in an idle state"),
    _float("energy_transition_kwh", "kWh", "IT energy of entering idle states and of waking"),
    _float(
        "scope2_location_kgco2e",
        "kgCO2e",
        "Operational carbon, location-based: energy from the grid times its average intensity",
    ),
    _absent(
        "scope2_market_kgco2e",
        "kgCO2e",
        "Operational carbon, market-based: by contracts and residual mix; null if not given",
    ),
    _absent(
        "marginal_kgco2e",
        "kgCO2e",
        "Facility energy times the grid's marginal intensity; null unless every site has one",
    ),
    _float(
        "scope3_embodied_kgco2e",
        "kgCO2e",
        "Embodied carbon of every node owned, straight line over its calendar lifetime",
    ),
    _float(
        "total_kgco2e",
        "kgCO2e",
        "scope2_location + scope3_embodied + scope3_supply, where there is any",
    ),
    _float("allocated_kgco2e", "kgCO2e", "Part of the total that is billed to jobs"),
    _float("unallocated_kgco2e", "kgCO2e", "Part of the total that no job is billed for"),
    _float("gpu_hours_capacity", "GPU-h", "Accelerators owned times time"),
    _float("gpu_hours_delivered", "GPU-h", "Accelerators held by jobs times time"),
    _float("gpu_hours_awake", "GPU-h", "Accelerators of awake nodes times time, held or not"),
    _absent("allocation", "1", "gpu_hours_delivered over gpu_hours_capacity"),
    _absent("utilisation", "1", "Held times busy share of the accelerators, over capacity"),
    _absent("pue", "1", "Facility energy over IT energy"),
    _absent(
        "sci_gco2e_per_gpu_hour",
        "gCO2e/GPU-h",
        "Location-based operational plus embodied carbon per accelerator-hour delivered",
    ),
    _absent(
        "useful_gco2e_per_gpu_hour",
        "gCO2e/GPU-h",
        "The same per accelerator-hour of work that was kept: gpu_hours_capacity x utilisation x "
        "goodput, which is 1 where nothing can be lost",
    ),
    _count("jobs_submitted", "Jobs submitted in the time that statistics cover"),
    _count("jobs_started", "Of those, jobs that started"),
    _count("jobs_finished", "Of those, jobs that ended by the end of the run"),
    _count("jobs_running", "Of those, jobs cut off by the end of the run"),
    _count(
        "jobs_queued",
        "Of those, jobs still waiting at the end of the run, some perhaps to start again",
    ),
    _count("jobs_unschedulable", "Of those, jobs that fit on no cluster they may use"),
    _absent("wait_mean_h", "h", "Mean wait of the jobs that started"),
    _absent("wait_p50_h", "h", "Median wait of the jobs that started"),
    _absent("wait_p95_h", "h", "95th percentile of the wait of the jobs that started"),
    _absent("wait_p99_h", "h", "99th percentile of the wait of the jobs that started"),
    _absent("waited_share", "1", "Share of the jobs that started which waited at all"),
    _absent("slowdown_mean", "1", "Mean of (wait + run time) over run time"),
    _absent("water_l", "L", "IT energy times the WUE of each site; null unless every site has one"),
    _count("wake_ups", "Times that nodes were woken, cancelled wake-ups included"),
    _float("wake_ups_per_node_day", "1/d", "wake_ups over nodes in service and days"),
    _count("jobs_delayed_by_power", "Jobs that a power budget alone kept waiting at some instant"),
    _count("jobs_capped", "Jobs that started at a lower power level to keep a power budget"),
    _float(
        "energy_capped_kwh",
        "kWh",
        "Dynamic energy that these jobs would have drawn more for the same work, uncapped",
    ),
    *(
        _float(f"{kind}_kgco2e", "kgCO2e", f"Part of scope2_location of {of}")
        for kind, of in (
            ("dynamic", "dynamic energy, without PUE"),
            ("idle", "idle energy, without PUE"),
            ("sleep", "sleep energy, without PUE"),
            ("transition", "transition energy, without PUE"),
            ("overhead", "what the buildings add: facility energy less IT energy"),
        )
    ),
    _float(
        "peak_facility_kw",
        "kW",
        "Highest mean facility power of a reporting interval (accounting.interval, by default "
        "1 h), over all clusters together",
    ),
    _float(
        "peak_it_kw",
        "kW",
        "Highest mean IT power of a reporting interval, over all clusters together",
    ),
    _absent(
        "cost_electricity",
        "currency",
        "Facility energy times each site's electricity_price, in the scenario's currency (basis of "
        "the manifest); null unless every site with a cluster has one",
    ),
    _absent(
        "cost_machines",
        "currency",
        "Price of every node owned, straight line over its calendar lifetime; null unless every "
        "node type in use has one",
    ),
    _absent(
        "cost_total", "currency", "cost_electricity + cost_machines; null unless both are there"
    ),
    Column("failures", "int64", "1", "Failures of nodes; null where no node can fail", True),
    _absent(
        "gpu_hours_lost",
        "GPU-h",
        "Accelerators held times the time that failures made worthless: since a job's last "
        "checkpoint, or its start; null where no node can fail",
    ),
    _absent(
        "goodput",
        "1",
        "Accelerator-time of work that was not lost, without checkpoints and restarts, over "
        "accelerator-time held; null where no node can fail and nobody is preempted",
    ),
    _absent(
        "ettr",
        "1",
        "Effective training time ratio: useful run time of jobs that ended over their time from "
        "first start to end, weighted by accelerators; null where no node can fail and nobody is "
        "preempted",
    ),
    Column("preemptions", "int64", "1", "Preemptions of jobs; null where nobody is", True),
    _absent(
        "gpu_hours_preempted",
        "GPU-h",
        "Accelerators held times the time that preemption cost: since a job's last checkpoint, or "
        "its start; while its state was saved; and before it worked again; null where nobody is "
        "preempted",
    ),
    _absent(
        "cross_rack_share",
        "1",
        "Share of the GPU-hours of gangs of several nodes that were held across racks; null where "
        "no cluster has racks, or no such gang ran",
    ),
    _absent(
        "gpu_hours_shared",
        "GPU-h",
        "Accelerators held by two jobs or more at once times time; null where none is shared",
    ),
    _absent(
        "slowdown_interference_mean",
        "1",
        "Mean slowdown_interference of the jobs that ran; null where no accelerator is shared",
    ),
    *SUPPLY_SUMMARY,
)
"""Keys of a summary, in order."""

JOBS: Final[tuple[Column, ...]] = (
    _text("job_id", "Identifier of the job, as the job file gave it or workload-number"),
    _category("workload", "Workload the job belongs to"),
    _category("cluster", "Cluster the job started on; if it did not start, the one it prefers"),
    Column("gpus", "int32", "1", "Accelerators held from start to end"),
    _float("submit_s", "s", "Submission, since the scenario's start"),
    _absent("start_s", "s", "Start, since the scenario's start; null if it did not start"),
    _absent("end_s", "s", "End, since the scenario's start; null if it did not end"),
    _absent("wait_s", "s", "start_s - submit_s; null if it did not start"),
    _category("state", "finished, running, queued, rejected or unschedulable, at the run's end"),
    _float(
        "energy_dynamic_kwh",
        "kWh",
        "IT energy above idle power that the job drew, within the counted period: after the "
        "warm-up, until the run ends",
    ),
    _float(
        "energy_idle_share_kwh",
        "kWh",
        "Its share of its nodes' idle IT energy while it ran, within the counted period",
    ),
    _float(
        "operational_kgco2e",
        "kgCO2e",
        "Carbon of the job's facility energy within the counted period, location-based: average "
        "intensity",
    ),
    _absent(
        "marginal_kgco2e",
        "kgCO2e",
        "Carbon of the job's facility energy within the counted period, marginal intensity; null "
        "without a marginal trace",
    ),
    _float(
        "embodied_kgco2e",
        "kgCO2e",
        "Its share of the embodied carbon, by accelerator-time within the counted period",
    ),
    _float(
        "energy_facility_kwh",
        "kWh",
        "Both its energies with what its building adds to them, within the counted period",
    ),
)
"""Columns of ``jobs.parquet``, one row per job."""

HOURLY: Final[tuple[Column, ...]] = (
    Column("time", "time", "UTC", "Start of the interval"),
    _category("site", "Site of the cluster"),
    _category("cluster", "Cluster"),
    _float("energy_it_kwh", "kWh", "IT energy of the cluster's nodes in the interval"),
    _float("energy_facility_kwh", "kWh", "IT energy and what the building adds, by the site's PUE"),
    _float("intensity_average_g_per_kwh", "gCO2e/kWh", "Average intensity of the site's grid"),
    _absent(
        "intensity_marginal_g_per_kwh",
        "gCO2e/kWh",
        "Marginal intensity of the site's grid; null without a marginal trace",
    ),
    _float("operational_kgco2e", "kgCO2e", "Facility energy times average intensity"),
    _absent(
        "marginal_kgco2e",
        "kgCO2e",
        "Facility energy times marginal intensity; null without a marginal trace",
    ),
    _float("gpus_allocated_mean", "1", "Accelerators held, mean over the interval"),
    _float("jobs_queued_mean", "1", "Jobs waiting, each at the cluster it prefers, mean"),
    _float("energy_dynamic_kwh", "kWh", "Part of the IT energy above idle power"),
    _float(
        "energy_idle_kwh", "kWh", "Part of the IT energy: idle power of awake nodes, held or not"
    ),
    _float("energy_sleep_kwh", "kWh", "Part of the IT energy of nodes resting in an idle state"),
    _float("energy_transition_kwh", "kWh", "Part of the IT energy of entering states and waking"),
    _absent("water_l", "L", "IT energy times the site's WUE; null where the site gives none"),
    _float("nodes_awake_mean", "1", "Nodes awake, with jobs or without, mean over the interval"),
    _float("nodes_owned_mean", "1", "Nodes in service, mean over the interval"),
    _float("nodes_transition_mean", "1", "Nodes entering an idle state or waking, mean"),
)
"""Columns of ``hourly.parquet``, one row per interval and cluster."""

NODES: Final[tuple[Column, ...]] = (
    _text("node", "Cluster and number of the node, e.g. train-00017"),
    _category("cluster", "Cluster the node belongs to"),
    _category("type", "Node type"),
    _float("energy_it_kwh", "kWh", "IT energy of the node"),
    _float("residency_busy_s", "s", "Time awake with some accelerator held"),
    _float("residency_idle_s", "s", "Time awake with nothing held"),
    _float("residency_entering_s", "s", "Time entering idle states"),
    _float("residency_waking_s", "s", "Time waking"),
    _count("wake_ups", "Times the node was woken, cancelled wake-ups included"),
    _count("wake_ups_cancelled", "Wake-ups that were cancelled because nothing needed the node"),
)
"""Columns of ``nodes.parquet``, one row per node; one for each idle state follows them."""

TABLES: Final[dict[str, tuple[Column, ...]]] = {"jobs": JOBS, "hourly": HOURLY, "nodes": NODES}
"""Columns of each table, by the table's name; a table's file is ``<name>.parquet``."""

RARE_TABLES: Final[dict[str, tuple[Column, ...]]] = {"supply": SUPPLY}
"""Tables that only some runs have, as `TABLES`."""

ABSENT: Final = "residency_absent_s"
"""Column of the time that a node was not in service, where any was not."""

FAILED: Final = "residency_failed_s"
FAILURES: Final = "failures"
"""Columns of the time that a node was failed, and of how often it failed, where nodes can fail."""

WRITTEN_OFF: Final = "written_off_kgco2e"
"""Column of what nodes left of their embodied carbon, where it is written off."""


def residency_column(state: str) -> str:
    """Return the column of the time that nodes rest in an idle state, by the state's name."""
    return f"residency_{column_word(state)}_s"


def columns_of(table: str, names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of a table that has columns of these names.

    To those of `TABLES` come, in the table of nodes, the idle states of the scenario, what failures
    did where nodes can fail, and what was written off; in the table of jobs what failures,
    preemption, racks and sharing did.
    """
    fixed = (TABLES | RARE_TABLES)[table]
    known = {column.name for column in fixed}
    rest = [name for name in names if name not in known]
    if table == "jobs":
        own = set(rest) - {RUN.name}
        rare = (RESTARTS, PREEMPTIONS, SPANS, SHARED)
        found = [columns for columns in rare if own & {each.name for each in columns}]
        return fixed + tuple(dict.fromkeys(column for columns in found for column in columns))
    return fixed + tuple(map(_of_nodes, filter(_is_of_nodes, rest))) if table == "nodes" else fixed


def _is_of_nodes(name: str) -> bool:
    return name in (FAILURES, WRITTEN_OFF) or (
        name.startswith("residency_") and name.endswith("_s")
    )


def _of_nodes(name: str) -> Column:
    """Return a column of the table of nodes that not every run has."""
    if name == FAILURES:
        return _count(FAILURES, "Times that the node failed")
    if name == WRITTEN_OFF:
        return _float(
            WRITTEN_OFF, "kgCO2e", "Embodied carbon that was left at retirement, and counted then"
        )
    meanings = {ABSENT: "Time not in service", FAILED: "Time failed, until it was repaired"}
    return _float(name, "s", meanings.get(name, "Time resting in the idle state of this name"))


def columns_csv(
    node_columns: Iterable[str] = (),
    job_columns: Iterable[str] = (),
    rare_tables: Iterable[str] = (),
    embodied: str | None = None,
) -> str:
    """Return the data dictionary: name, unit, meaning, file, type of every column.

    Parameters
    ----------
    node_columns : iterable of str
        Names of the columns of the table of nodes, which depend on the scenario's idle states.
    job_columns : iterable of str
        Names of those of the table of jobs, which has more where nodes can fail or have racks, or
        jobs share accelerators.
    rare_tables : iterable of str
        Tables of `RARE_TABLES` that the run has.
    embodied : str, optional
        How the carbon of making is spread, in words, where it is not in a straight line.
    """
    rare_tables = tuple(rare_tables)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("name", "unit", "meaning", "file", "type", "nullable"))
    files = {"summary.json": SUMMARY} | {f"{name}.parquet": table for name, table in TABLES.items()}
    files["jobs.parquet"] = columns_of("jobs", job_columns)
    files["nodes.parquet"] = columns_of("nodes", node_columns)
    files |= {f"{name}.parquet": RARE_TABLES[name] for name in rare_tables}
    for file, columns in files.items():
        for column in columns:
            nullable = "yes" if column.nullable else "no"
            said = embodied is not None and column.name == "scope3_embodied_kgco2e"
            meaning = f"Embodied carbon: {embodied}" if said else column.meaning
            row = (column.name, column.unit, meaning, file, column.type, nullable)
            writer.writerow(row)
    return out.getvalue()
