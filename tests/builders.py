"""Small fleets, job tables and scenarios for the tests, made in one line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simulator.engine import Controller, simulate
from simulator.fleet import PLACEMENTS, Fleet
from simulator.power.ladder import Descent, Ladders, ladders_of
from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_Y
from simulator.workload.table import JobTable


@dataclass(frozen=True)
class Nodes:
    """One cluster of equal nodes."""

    count: int = 1
    accelerators: int = 8
    placement: str = "pack"
    idle_w: float = 100.0
    busy_w: float = 500.0
    relative_speed: float = 1.0


def fleet(*clusters: Nodes) -> Fleet:
    """Return a fleet of one site, PUE 1, nothing embodied."""
    number = len(clusters)
    return Fleet(
        cluster_names=tuple(f"c{k}" for k in range(number)),
        node_types=tuple(f"n{k}" for k in range(number)),
        accelerator_names=(None,) * number,
        site_names=("here",),
        site=np.zeros(number, np.int64),
        first_node=np.cumsum([0, *(c.count for c in clusters)]).astype(np.int64),
        accelerators=np.array([c.accelerators for c in clusters], np.int64),
        idle_w=np.array([c.idle_w for c in clusters]),
        busy_w=np.array([c.busy_w for c in clusters]),
        floor_w=np.array([c.idle_w for c in clusters]),
        relative_speed=np.array([c.relative_speed for c in clusters]),
        own_speed=np.ones(number),
        level_names=(("full",),) * number,
        level_count=np.ones(number, np.int64),
        level_speed=np.ones((number, 1)),
        level_draw=np.ones((number, 1)),
        power_budget_w=np.full(number, np.inf),
        site_power_budget_w=np.full(1, np.inf),
        embodied_g=np.zeros(number),
        lifetime_ms=np.full(number, 4.0 * MS_PER_Y),
        placement=np.array([PLACEMENTS.index(c.placement) for c in clusters], np.int64),
        pue=np.ones(1),
    )


def awake(fleet: Fleet) -> Ladders:
    """Return the ladders of a fleet whose nodes never sleep."""
    names = fleet.cluster_names
    return ladders_of([Descent()] * len(names), fleet.idle_w, names, nodes=0, seed=0)


def job_table(
    submit_ms: Any,
    duration_ms: Any,
    gpus: Any = 1,
    *,
    utilisation: Any = 1.0,
    priority: Any = 0,
    route: Any = 0,
    routes: Sequence[tuple[int, ...]] = ((0,),),
    scales: bool = False,
) -> JobTable:
    """Return a job table; a single number stands for a whole column."""
    submit_ms = np.asarray(submit_ms, np.int64)
    count = len(submit_ms)

    def column(values: Any, dtype: Any) -> Any:
        return np.broadcast_to(np.asarray(values, dtype), (count,)).copy()

    return JobTable(
        submit_ms=submit_ms,
        duration_ms=column(duration_ms, np.float64),
        gpus=column(gpus, np.int32),
        utilisation=column(utilisation, np.float64),
        priority=column(priority, np.int32),
        workload=np.zeros(count, np.int16),
        route=column(route, np.int16),
        routes=tuple(routes),
        scales=(scales,),
        workload_names=("jobs",),
        job_ids=lambda: pa.array([str(row) for row in range(count)]),
    )


@dataclass(frozen=True)
class Ran:
    """What the engine wrote: the job log, and the change log in one piece."""

    start_ms: Any
    end_ms: Any
    cluster: Any
    first_node: Any
    time_ms: Any
    node: Any
    held: Any
    busy: Any


def run_engine(
    fleet: Fleet,
    jobs: JobTable,
    end_ms: int,
    *,
    drain: bool = False,
    controllers: Sequence[Controller] = (),
) -> Ran:
    """Run the engine alone and keep its whole change log."""
    chunks: list[list[Any]] = []
    log = simulate(
        fleet,
        jobs,
        awake(fleet),
        end_ms=end_ms,
        drain=drain,
        controllers=controllers,
        on_log=lambda log, rows: chunks.append(
            [column[:rows].copy() for column in (log.time_ms, log.node, log.held, log.busy)]
        ),
    )
    changes = [np.concatenate(column) for column in zip(*chunks, strict=True)]
    return Ran(log.start_ms, log.end_ms, log.cluster, log.first_node, *changes)


def scenario_document(
    jobs_csv: Path | None = None,
    *,
    nodes: dict[str, Any] | None = None,
    grid: dict[str, Any] | None = None,
    **keys: Any,
) -> dict[str, Any]:
    """Return the document of a scenario with one site, one cluster and one workload.

    Parameters
    ----------
    jobs_csv : Path, optional
        Jobs to replay; without it there is no workload.
    nodes, grid : dict, optional
        Entries that replace those of the node type and the site's grid.
    **keys
        Entries at the top level, and by dotted path with two underscores for a dot, e.g.
        ``clusters__c__count=4``.
    """
    document: dict[str, Any] = {
        "schema": 1,
        "name": "test",
        "start": "2022-01-01T00:00:00Z",
        "horizon": "10 h",
        "nodes": {
            "n": {
                "accelerators": 8,
                "idle_power": "100 W",
                "busy_power": "500 W",
                "embodied": "0 kg",
                "lifetime": "4 y",
                **(nodes or {}),
            }
        },
        "sites": {"s": {"pue": 1.0, "grid": grid or {"average": {"constant": "100 g/kWh"}}}},
        "clusters": {"c": {"site": "s", "node": "n", "count": 1}},
    }
    if jobs_csv is not None:
        document["workloads"] = {"w": {"clusters": ["c"], "jobs": {"file": str(jobs_csv)}}}
    for dotted, value in keys.items():
        *parents, last = dotted.split("__")
        table = document
        for parent in parents:
            table = table.setdefault(parent, {})
        table[last] = value
    return document


def write_jobs(path: Path, rows: Sequence[Sequence[Any]], columns: str = "") -> Path:
    """Write a job file of (submit_s, duration_s, gpus, utilisation) rows, or of `columns`."""
    names = columns or "submit_s,duration_s,gpus,utilisation"
    lines = [f"job_id,{names}"]
    lines += [f"j{k}," + ",".join(str(value) for value in row) for k, row in enumerate(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_grid(path: Path, start: str, step_ms: int, values: Sequence[float]) -> Path:
    """Write an intensity file with columns time and value. [g/kWh]"""
    first = np.datetime64(start.removesuffix("Z"), "ms")
    lines = ["time,value"]
    lines += [f"{first + k * np.timedelta64(step_ms, 'ms')}Z,{v!r}" for k, v in enumerate(values)]
    path.write_text("\n".join(lines) + "\n")
    return path


def file_grid(path: Path) -> dict[str, Any]:
    """Return the grid entry that reads a file of `write_grid`."""
    return {"average": {"file": str(path), "time": "time", "value": "value", "unit": "g/kWh"}}


def results_of(document: dict[str, Any], seed: int | None = None) -> Results:
    """Return the results of a scenario given as a document."""
    return run(from_document(document), seed=seed).results
