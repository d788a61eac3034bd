"""The state that the kernels work on, made from a fleet and a job table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.engine.blanks import with_blanks
from simulator.engine.faults import fault_tables, piece_table
from simulator.engine.preempting import preemption_table
from simulator.engine.queueing import Queues, is_ruled, queueing_tables
from simulator.engine.routes import routes_of
from simulator.engine.shares import share_tables
from simulator.engine.sharing import most_slowdown, tenant_tables
from simulator.engine.ways import Dispatches, Ways, dispatch_tables, load_tables, ranked, ways_of
from simulator.errors import InputError, Issue
from simulator.fleet import Fleet
from simulator.kernels import node_index
from simulator.kernels import tables as kernels
from simulator.kernels.curves import Curves, concave
from simulator.kernels.dispatch import Dispatch
from simulator.kernels.preemption import Preemption
from simulator.kernels.rooms import TENANTS_RUNNING, Tenants
from simulator.power.failures import Failures
from simulator.power.ladder import Ladders
from simulator.power.tables import PowerTables
from simulator.units import MS_PER_Y
from simulator.workload.checkpoints import plan_of
from simulator.workload.quotas import over_quota
from simulator.workload.speeds import speed_table
from simulator.workload.table import JobTable

LONGEST_MS = 2.0**53
"""Times up to here are whole milliseconds in float64. [ms]"""

LOG_ROWS = 1 << 16
"""Rows of the change log beyond four for each node, which any single instant can need."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything `simulator.kernels.engine.advance` reads and writes.

    Tables from `queueing` on, `power` and `log` apart, are None in plain runs. Where any of them is
    needed the others are there too, blank; `tenants` alone stands apart from them.
    """

    jobs: kernels.Jobs
    tables: kernels.Tables
    sleepers: kernels.Sleepers
    queueing: kernels.Queueing | None
    power: kernels.Power
    faults: kernels.Faults | None
    preemption: Preemption | None
    pieces: kernels.Pieces | None
    tenants: Tenants | None
    dispatch: Dispatch | None
    log: kernels.Log
    cuts: bool  # whether jobs may be cut short
    preempts: bool  # whether they may be preempted
    binds: bool  # whether jobs get their cluster as they are submitted

    @property
    def any_running(self) -> bool:
        """Whether any job runs."""
        alone = bool(self.tables.clock[kernels.RUNNING])
        return alone or (self.tenants is not None and bool(self.tenants.counts[TENANTS_RUNNING]))


def initial_state(
    fleet: Fleet,
    jobs: JobTable,
    power: PowerTables,
    *,
    end_ms: int,
    queues: Queues | None = None,
    dispatches: Dispatches | None = None,
) -> State:
    """Return the state before the first instant: every node awake and idle, nothing submitted.

    Without `queues` every queue is first come, first served; without `dispatches` every job waits
    for all of its clusters.

    Raises
    ------
    InputError
        If the horizon is too long to be counted beside the fleet's running jobs.
    """
    queues = queues or Queues.plain(fleet, jobs)
    route, routes = routes_of(fleet, jobs, power.curves)
    route[over_quota(jobs, queues.quotas)] = kernels.NONE
    slots = min(int(fleet.most_jobs.sum()), len(jobs))
    ways = Ways.none(route, routes)
    if dispatches is not None and dispatches.bind:
        ways = ways_of(fleet, jobs, power, dispatches, route, routes)
        route, routes = ways.route, ways.routes
    lines = ranked(queues, jobs, ways)
    tables = _tables(fleet, power, _lines(fleet, jobs, ways, lines.counts), slots)
    tables = tables._replace(loads=load_tables(ways, power.ladders, slots))
    ruled = is_ruled(queues, fleet)
    tables.clock[kernels.RULED] = int(ruled)
    tables.clock[kernels.ASKING] = int(queues.asking)
    if end_ms >= 1 << (62 - tables.bits):
        raise InputError(
            "scenario", [Issue("horizon", f"{end_ms} ms is too long for a fleet of this size")]
        )
    slowest = min(float(fleet.relative_speed.min()), float(fleet.own_speed.min()))
    slowest = min(slowest, float(speed_table(fleet, jobs).min())) / most_slowdown(fleet)
    longest_ms = float(jobs.duration_ms.max(initial=0.0)) / min(1.0, slowest)
    if longest_ms + end_ms > LONGEST_MS:
        text = f"a job of {longest_ms / MS_PER_Y:.3g} y is too long; check sizes and relative_speed"
        raise InputError("scenario", [Issue("workloads", text)])
    rows = LOG_ROWS + 4 * int(fleet.first_node[-1])
    log = kernels.Log(
        time_ms=np.empty(rows, np.int64),
        node=np.empty(rows, np.int32),
        state=np.empty(rows, np.int8),
        held=np.empty(rows, np.int32),
        busy=np.empty(rows, np.float64),
        drawn=np.empty(rows, np.float64),
    )
    home = np.array([clusters[0] for clusters in routes] + [kernels.NONE], np.int16)
    sleepers = _sleepers(fleet, power.ladders, tables)
    failures = power.failures
    shares = share_tables(queues, fleet, jobs, routes, sum(lines.counts))
    rows_of_jobs = _jobs(fleet, jobs, lines.level, lines.line, route, home[route], ruled)
    cuts, binds = failures is not None or queues.preempts, bool(ways.ways)
    if jobs.savings or cuts:
        rows_of_jobs = _restartable(fleet, jobs, rows_of_jobs, failures, queues.preempts)
    tenants = tenant_tables(fleet, jobs, tables)
    assert tenants is None or not ruled, "queue rules where accelerators are shared"
    rare = tenants is None and (ruled or cuts or binds)
    queueing = queueing_tables(queues, fleet, power, jobs, slots, shares) if rare else None
    state = State(
        jobs=rows_of_jobs,
        tables=tables,
        sleepers=sleepers,
        queueing=queueing,
        power=_power(fleet, power.curves),
        faults=fault_tables(failures, tables),
        preemption=preemption_table(queues.preempting, jobs, tables),
        pieces=piece_table(cuts, tables),
        tenants=tenants,
        dispatch=dispatch_tables(ways, lines),
        log=log,
        cuts=cuts,
        preempts=queues.preempts,
        binds=binds,
    )
    return with_blanks(state) if rare else state


def _jobs(
    fleet: Fleet,
    jobs: JobTable,
    level: NDArray[np.int32],
    line: NDArray[np.int32],
    route: NDArray[np.int16],
    home: NDArray[np.int16],
    ruled: bool,
) -> kernels.Jobs:
    count = len(jobs)
    duration_ms = np.ascontiguousarray(jobs.duration_ms, np.float64)
    requested_ms = duration_ms
    if jobs.requested_ms is not None:
        requested_ms = np.ascontiguousarray(jobs.requested_ms, np.float64)
    return kernels.Jobs(
        submit_ms=np.ascontiguousarray(jobs.submit_ms, np.int64),
        duration_ms=duration_ms,
        gpus=np.ascontiguousarray(jobs.gpus, np.int32),
        utilisation=np.ascontiguousarray(jobs.utilisation, np.float64),
        level=level,
        line=line,
        requested_ms=requested_ms,
        workload=np.ascontiguousarray(jobs.workload, np.int16),
        route=route,
        speed=speed_table(fleet, jobs),
        start_ms=np.full(count, kernels.NONE, np.int64),
        end_ms=np.full(count, kernels.NONE, np.int64),
        cluster=home,
        first_node=np.full(count, kernels.NONE, np.int32),
        part_node=np.full(count, kernels.NONE, np.int32),
        power_level=np.zeros(count, np.int8),
        held_back=np.zeros(count, np.int8),
        next_waiting=np.full(count, kernels.NONE, np.int32),
        previous_waiting=np.full(count if ruled else 0, kernels.NONE, np.int32),
        restarts=np.zeros(0, np.int32),
        resume_ms=np.zeros(0),
        plan=plan_of((), fleet, None),
    )


def _restartable(
    fleet: Fleet,
    jobs: JobTable,
    rows: kernels.Jobs,
    failures: Failures | None,
    preempts: bool,
) -> kernels.Jobs:
    """Return rows of jobs that save their work, or may be cut short: what is left is their own."""
    savings = jobs.savings
    cuts = failures is not None or preempts
    if preempts and not savings:
        savings = (None,) * len(jobs.workload_names)  # what resuming takes is asked for as they are
    return rows._replace(
        duration_ms=rows.duration_ms.copy(),
        requested_ms=rows.requested_ms.copy(),
        restarts=np.zeros(len(jobs), np.int32),
        resume_ms=np.full(len(jobs) if cuts else 0, kernels.NONE, np.float64),
        plan=plan_of(savings, fleet, None if failures is None else failures.mtbf_ms),
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """The routes as tables: one row each, and their clusters one after another."""

    rows: NDArray[np.int64]
    clusters: NDArray[np.int64]
    words: int
    count: int


def _lines(
    fleet: Fleet,
    jobs: JobTable,
    ways: Ways,
    counts: Sequence[int],
) -> _Lines:
    routes = ways.routes
    shapes = [node_index.shape(count) for count in counts]
    ends = np.cumsum([0, *(len(line) for line in routes)])
    rows = np.zeros((len(routes), kernels.ROUTE_SIZE), np.int64)
    rows[:, kernels.ROUTE_FIRST] = ends[:-1]
    rows[:, kernels.ROUTE_LAST] = ends[1:]
    words = np.cumsum([0, *(words for _, words in shapes)])
    rows[:, kernels.QUEUE_BASE] = words[:-1]
    for row, (shape, _) in zip(rows, shapes, strict=True):
        row[kernels.QUEUE_SHAPE :] = shape
    rows[:, kernels.LINE_BASE] = np.cumsum([0, *counts])[:-1]
    for number, line in enumerate(routes):
        if sum(line[0] in other for other in routes) == len(line) == 1:
            whole = int(fleet.accelerators[line[0]])
            uneven = np.any(jobs.gpus[ways.comers(number)] % whole) or fleet.shares[line[0]]
            rows[number, kernels.SOLE] = 1
            rows[number, kernels.EVEN] = 0 if uneven else whole
    clusters = np.array([at for line in routes for at in line], np.int64)
    return _Lines(rows, clusters, int(words[-1]), sum(counts))


def _tables(fleet: Fleet, power: PowerTables, lines: _Lines, slots: int) -> kernels.Tables:
    ladders = power.ladders
    clusters, words = _clusters(fleet, ladders)
    clusters[:, kernels.MAY_CHANGE] = power.may_leave
    slots = max(1, slots)
    row = np.full((slots, kernels.SLOT_SIZE), kernels.NONE, np.int32)
    row[:-1, kernels.NEXT_SLOT] = np.arange(1, slots)
    node_count = int(fleet.first_node[-1])
    tables = kernels.Tables(
        clock=np.zeros(kernels.CLOCK_SIZE, np.int64),
        clusters=clusters,
        routes=lines.rows,
        route_cluster=lines.clusters,
        heads=np.full(lines.count, kernels.NONE, np.int64),
        tails=np.full(lines.count, kernels.NONE, np.int64),
        queues=np.zeros(lines.words, np.int64),
        nodes=_nodes(fleet),
        busy=np.zeros((2, node_count)),
        words=words,
        dirty_nodes=np.empty(node_count, np.int32),
        slots=row,
        slot_busy=np.zeros((2, slots)),
        agenda=np.zeros(slots, np.int64),
        bits=max(1, (slots - 1).bit_length()),
        loads=None,
    )
    leaving = bool(power.may_leave.any())
    tables.clock[kernels.LADDERS] = int(leaving or clusters[:, kernels.LADDER].any())
    return tables


def _power(fleet: Fleet, curves: Curves) -> kernels.Power:
    return kernels.Power(
        curves=curves,
        span_w=(fleet.busy_w - fleet.idle_w) / fleet.accelerators,
        floor_w=fleet.floor_w,
        level_speed=fleet.level_speed,
        level_draw=fleet.level_draw,
        budget_w=fleet.power_budget_w,
        site_budget_w=fleet.site_power_budget_w,
        dynamic_w=np.zeros(len(fleet.idle_w)),
        concave=concave(curves),
        at_level=np.zeros((int(fleet.first_node[-1]), fleet.level_draw.shape[1]), np.int32),
    )


def _nodes(fleet: Fleet) -> NDArray[np.int32]:
    """Return the table of nodes, those in service awake, free and offered to placement."""
    nodes = np.zeros((int(fleet.first_node[-1]), kernels.NODE_SIZE), np.int32)
    counts = fleet.node_count
    nodes[:, kernels.NODE_WHOLE] = np.repeat(fleet.accelerators, counts)
    nodes[:, kernels.NODE_FREE] = nodes[:, kernels.NODE_WHOLE]
    nodes[:, kernels.NODE_CLUSTER] = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(nodes)) - np.repeat(fleet.first_node[:-1], counts)
    present = number < np.repeat(fleet.first_count, counts)
    nodes[:, kernels.LISTED] = present
    nodes[:, kernels.NODE_STATE] = np.where(present, kernels.AWAKE, kernels.ABSENT)
    return nodes


def _sleepers(fleet: Fleet, ladders: Ladders, tables: kernels.Tables) -> kernels.Sleepers:
    count = int(fleet.first_node[-1])
    sleepers = kernels.Sleepers(
        rests=np.zeros((count, kernels.REST_SIZE), np.int32),
        moments_ms=np.zeros((count, kernels.MOMENTS), np.int64),
        due_ms=np.zeros(count, np.int64),
        timers=np.zeros(2 * count, np.int32),
        wakers=np.zeros(count, np.int32),
        menders=np.zeros(count, np.int32),
        heap_place=np.full(count, kernels.NONE, np.int32),
        needs=np.zeros((len(tables.clusters), int(fleet.accelerators.max()) + 1), np.int64),
        ladder=ladders.table,
    )
    _start_timers(tables, sleepers)
    return sleepers


def _start_timers(tables: kernels.Tables, sleepers: kernels.Sleepers) -> None:
    """Note that every node with a ladder is idle from the start; a sorted list is a heap."""
    table = sleepers.ladder
    for row, (first, nodes, has_ladder) in enumerate(
        tables.clusters[:, [kernels.FIRST_NODE, kernels.OWNED, kernels.LADDER]]
    ):
        if not has_ladder:
            continue
        own = slice(int(first), int(first + nodes))
        timer = int(table.timer_row[row])
        if timer == kernels.NONE:
            sleepers.due_ms[own] = table.after_ms[row, table.first[row]]
        else:
            sleepers.due_ms[own] = table.draws_ms[timer, :nodes]
            table.drawn[timer] += nodes
        order = first + nodes - 1 - np.argsort(sleepers.due_ms[own][::-1], kind="stable")
        sleepers.timers[own] = order
        sleepers.heap_place[order] = np.arange(nodes)
        tables.nodes[own, kernels.NODE_IDLE] = 1
        sleepers.moments_ms[own, kernels.DESCENT_MS] = sleepers.due_ms[own]
        tables.clusters[row, kernels.TIMED] = nodes


def _clusters(fleet: Fleet, ladders: Ladders) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the table of clusters, all free, and the words of their candidate index."""
    width = kernels.WITH_FREE + int(fleet.accelerators.max()) + 1
    table = np.zeros((len(fleet.cluster_names), width), np.int64)
    trees: list[NDArray[np.int64]] = []
    base = 0
    counts = zip(fleet.node_count, fleet.first_count, strict=True)
    for row, whole, (nodes, count) in zip(table, fleet.accelerators, counts, strict=True):
        tree_shape, tree_words = node_index.shape(int(nodes))
        row[kernels.TREE_SHAPE : kernels.TREE_SHAPE + len(tree_shape)] = tree_shape
        row[kernels.TREE_BASE] = base
        row[kernels.TREE_WORDS] = tree_words
        row[kernels.WHOLE] = whole
        row[kernels.NODES] = nodes
        row[kernels.FREE] = whole * count
        row[kernels.WITH_FREE + whole] = count
        words = np.zeros((int(whole) + 1, tree_words), np.int64)
        node_index.fill(words[whole], int(nodes), int(count))
        trees.append(words.ravel())
        base += words.size
    table[:, kernels.FIRST_NODE] = fleet.first_node[:-1]
    table[:, kernels.RULE] = fleet.placement
    table[:, kernels.LADDER] = ladders.table.first < ladders.table.levels
    table[:, kernels.NAPS] = ladders.table.naps
    table[:, kernels.MOST_WAKING] = ladders.most_waking
    table[:, kernels.OWNED] = fleet.first_count
    table[:, kernels.SITE] = fleet.site
    table[:, kernels.LEVELS] = fleet.level_count
    table[:, kernels.BUDGETED] = fleet.budgeted
    stacks = (kernels.FIRST_ASLEEP, kernels.LAST_ASLEEP, kernels.LAST_RESTING, kernels.LAST_WOKEN)
    table[:, stacks] = kernels.NONE
    return table, np.concatenate(trees)
