"""Small fleets, job tables and scenarios for the tests, made in one line each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simulator.accounting.energy import Energy, energy_of
from simulator.accounting.metering import Grid, Meter, Metered
from simulator.engine import Controller, simulate
from simulator.fleet import PLACEMENTS, Fleet
from simulator.kernels import tables as kernels
from simulator.kernels.ladder import Ladder as LadderTable
from simulator.power.curves import LINE, table_of
from simulator.power.descent import Descent
from simulator.power.failures import Failures
from simulator.power.ladder import Ladders, ladders_of
from simulator.power.tables import PowerTables
from simulator.results import Results
from simulator.scenario import from_document
from simulator.simulation import run
from simulator.units import MS_PER_H, MS_PER_S, MS_PER_Y
from simulator.workload.checkpoints import Saving
from simulator.workload.table import JobTable
from tests.oracle.closing import ClosingModel, Command
from tests.oracle.ladder import ENTERING, RESTING, WAKING, Ladder, LadderModel
from tests.oracle.model import inputs_of


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
        idle_w=np.array([c.idle_w for c in clusters], np.float64),
        busy_w=np.array([c.busy_w for c in clusters], np.float64),
        floor_w=np.array([c.idle_w for c in clusters], np.float64),
        relative_speed=np.array([c.relative_speed for c in clusters], np.float64),
        own_speed=np.ones(number),
        level_names=(("full",),) * number,
        level_count=np.ones(number, np.int64),
        level_speed=np.ones((number, 1)),
        level_draw=np.ones((number, 1)),
        power_budget_w=np.full(number, np.inf),
        site_power_budget_w=np.full(1, np.inf),
        embodied_g=np.zeros(number),
        lifetime_ms=np.full(number, 4.0 * MS_PER_Y),
        first_count=np.array([c.count for c in clusters], np.int64),
        placement=np.array([PLACEMENTS.index(c.placement) for c in clusters], np.int64),
    )


def awake(fleet: Fleet) -> PowerTables:
    """Return the power of a fleet whose nodes never sleep and whose load curves are straight."""
    names = fleet.cluster_names
    ladders = ladders_of([Descent()] * len(names), fleet.idle_w, names, nodes=0, seed=0)
    curves = table_of([LINE] * len(names), fleet.accelerators.tolist())
    return PowerTables(curves, ladders, np.zeros(len(names), bool))


def failing(
    fleet: Fleet,
    lives_ms: Any,
    repairs_ms: Any,
    *,
    failed_w: float = 0.0,
    mtbf_ms: float = 1.0,
) -> PowerTables:
    """Return the power of a fleet whose nodes never sleep, and fail at given times.

    Parameters
    ----------
    fleet : Fleet
    lives_ms, repairs_ms : int[failures, nodes]
        Time in service up to each failure, and the time of its repair; none after the last. [ms]
    failed_w : float
        Power of a failed node. [W]
    mtbf_ms : float
        What intervals of checkpoints go by. [ms]
    """
    lives, repairs = (np.asarray(rows, np.int64) for rows in (lives_ms, repairs_ms))
    clusters = len(fleet.cluster_names)

    def draw(number: int) -> Any:
        if number < len(lives):
            return lives[number], repairs[number]
        nodes = int(fleet.first_node[-1])
        return np.full(nodes, kernels.FOREVER_MS), np.zeros(nodes, np.int64)

    failures = Failures(np.full(clusters, mtbf_ms), np.full(clusters, failed_w), draw)
    return replace(awake(fleet), failures=failures)


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
    savings: tuple[Saving | None, ...] = (),
    preemptible: Any = None,
    requested_ms: Any = None,
    deadline_ms: Any = None,
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
        savings=savings,
        preemptible=None if preemptible is None else column(preemptible, np.bool_),
        requested_ms=None if requested_ms is None else column(requested_ms, np.float64),
        deadline_ms=None if deadline_ms is None else column(deadline_ms, np.float64),
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


Draws = Sequence[Sequence[int] | None]
"""A sequence of times for each cluster, or None where the ladder's constants stand. [ms]"""


@dataclass(frozen=True)
class LadderRan:
    """What became of a run with idle states, from the engine or from the readable model.

    `state_ms` has a column for being awake and, for each state, columns for entering it, resting
    in it and waking from it; `energy_j` has columns dynamic, idle, sleep and transition.
    """

    start_ms: Any
    end_ms: Any
    cluster: Any
    first_node: Any
    state_ms: Any
    wake_ups: Any
    cancelled: Any
    energy_j: Any


def run_ladder(
    fleet: Fleet,
    ladders: Sequence[Ladder | None],
    jobs: JobTable,
    end_ms: int,
    *,
    drain: bool = False,
    keep_free: Sequence[int] = (),
    keep_awake: Sequence[int] = (),
    wake_draws: Draws | None = None,
    timer_draws: Draws | None = None,
    commands: Sequence[Command] = (),
) -> LadderRan:
    """Run the engine on a fleet with idle states; what the keywords mean stands in `LadderModel`
    and `ClosingModel`.

    This is the only place where the tests of idle states meet the engine's own names.
    """
    power = sleeping(fleet, ladders, wake_draws, timer_draws)
    meter = Meter(fleet, power, Grid(0, 0, MS_PER_H), end_ms)

    def kept(env: Any, view: Any) -> Any:
        tables = view._state.tables
        tables.clusters[:, kernels.KEEP_FREE] = keep_free or 0
        tables.clusters[:, kernels.KEEP_AWAKE] = keep_awake or 0
        yield env.timeout(0)
        for at_ms, number, close, nodes in commands:
            yield env.timeout(at_ms - env.now)
            cluster = view.clusters[number]
            cluster.close(nodes) if close else cluster.open(nodes)

    log = simulate(
        fleet, jobs, power, end_ms=end_ms, drain=drain, on_log=meter.read, controllers=(kept,)
    )
    metered = meter.close(log.finished_ms)
    energy = energy_of(fleet, power.ladders, metered)
    nodes = node_kinds_j(fleet, power.ladders, metered, energy)
    away_ms = metered.node_away_ms[:, : power.ladders.absent]
    return LadderRan(
        log.start_ms,
        np.where(log.end_ms > log.finished_ms, kernels.NONE, log.end_ms),
        log.cluster,
        log.first_node,
        np.column_stack([energy.node_awake_ms, away_ms]),
        metered.wake_ups,
        metered.cancelled,
        nodes,
    )


def sleeping(
    fleet: Fleet,
    ladders: Sequence[Ladder | None],
    wake_draws: Draws | None,
    timer_draws: Draws | None,
) -> PowerTables:
    """Return the power of a fleet whose idle nodes sleep."""
    clusters = len(ladders)
    depth = max((len(ladder.after_ms) for ladder in ladders if ladder), default=0)
    nodes = int(fleet.first_node[-1])
    rows: list[Sequence[int]] = []

    def row_of(draws: Draws | None, at: int) -> int:
        drawn = None if draws is None else draws[at]
        if drawn is None:
            return kernels.NONE
        rows.append(drawn)
        return len(rows) - 1

    after, enter, wake = (np.zeros((clusters, depth), np.int64) for _ in range(3))
    power_w = np.repeat(fleet.idle_w[:, None], 3 * depth + 1, axis=1)
    power_w[:, -1] = 0.0
    levels = np.array([len(ladder.after_ms) if ladder else 0 for ladder in ladders], np.int64)
    first = levels.copy()
    wake_row = np.full((clusters, depth), kernels.NONE, np.int64)
    timer_row = np.full(clusters, kernels.NONE, np.int64)
    naps = np.zeros(clusters, bool)
    for at, ladder in enumerate(ladders):
        if ladder is None:
            continue
        own = slice(0, levels[at])
        after[at, own], enter[at, own], wake[at, own] = (
            ladder.after_ms, ladder.enter_ms, ladder.wake_ms,
        )  # fmt: skip
        power_w[at, 0 : 3 * levels[at] : 3] = ladder.enter_w
        power_w[at, 1 : 3 * levels[at] : 3] = ladder.power_w
        power_w[at, 2 : 3 * levels[at] : 3] = ladder.wake_w
        wake_row[at], timer_row[at] = row_of(wake_draws, at), row_of(timer_draws, at)
        naps[at] = timer_row[at] != kernels.NONE == wake_row[at, 0] and not (
            ladder.enter_ms[0] or ladder.wake_ms[0]
        )
        late = np.flatnonzero(enter[at, own] + wake[at, own])
        first[at] = late[0] if len(late) else levels[at]
        if wake_row[at, 0] != kernels.NONE or timer_row[at] != kernels.NONE:
            first[at] = 0
    draws = np.zeros((len(rows), max((len(row) for row in rows), default=0) + 2 * nodes), np.int64)
    for line, row in zip(draws, rows, strict=True):
        line[: len(row)] = row
    most = [ladder.max_waking if ladder else None for ladder in ladders]
    table = LadderTable(
        levels, first, after, enter, wake, wake_row, timer_row, naps, draws,
        np.zeros(len(rows), np.int64),
    )  # fmt: skip
    return PowerTables(
        awake(fleet).curves,
        Ladders(
            table=table,
            names=tuple(() for _ in ladders),
            power_w=power_w,
            most_waking=np.array([one or kernels.FOREVER_MS for one in most], np.int64),
        ),
        np.zeros(clusters, bool),
    )


def node_kinds_j(fleet: Fleet, ladders: Ladders, metered: Metered, energy: Energy) -> Any:
    """Return dynamic, idle, sleep and transition energy of each node. [J]"""
    cluster = np.repeat(np.arange(len(fleet.node_count)), fleet.node_count)
    span_w = ((fleet.busy_w - fleet.idle_w) / fleet.accelerators)[cluster]
    away = ladders.power_w[cluster, : ladders.absent] * metered.node_away_ms[:, : ladders.absent]
    columns = [
        span_w * metered.drawn_ms,
        fleet.idle_w[cluster] * energy.node_awake_ms,
        away[:, 1::3].sum(axis=1),
        away[:, 0::3].sum(axis=1) + away[:, 2::3].sum(axis=1),
    ]
    return np.column_stack(columns) / MS_PER_S


def run_ladder_model(
    fleet: Fleet,
    ladders: Sequence[Ladder | None],
    jobs: JobTable,
    end_ms: int,
    **options: Any,
) -> LadderRan:
    """Run the readable model on a fleet with idle states, and say the same as `run_ladder`."""
    clusters, rows = inputs_of(fleet, jobs)
    kind = ClosingModel if "commands" in options else LadderModel
    model = kind(clusters, ladders, rows, end_ms, **options).run()
    deepest = max((len(ladder.after_ms) for ladder in ladders if ladder), default=0)
    columns = [("awake", -1)]
    columns += [(phase, i) for i in range(deepest) for phase in (ENTERING, RESTING, WAKING)]
    return LadderRan(
        np.array(model.start_ms),
        np.array(model.end_ms),
        np.array(model.cluster),
        np.array(model.first_node),
        np.array([[node.spent_ms[column] for column in columns] for node in model.nodes]),
        np.array([node.wake_ups for node in model.nodes]),
        np.array([node.cancelled for node in model.nodes]),
        np.array([model.energy_by_kind_j(node) for node in model.nodes]),
    )


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
