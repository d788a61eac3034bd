"""The conductor: one clock for SimPy's processes and the compiled loop.

SimPy holds whoever acts at intervals or waits for something rare; the compiled loop settles the
many small events. The conductor asks SimPy for its next event, lets the loop run up to it, lets
the SimPy processes of that instant act on settled state, and goes on: the loop then makes the
scheduling pass of that instant and records it.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np
import simpy

from simulator.engine.asking import Desks
from simulator.engine.dispatching import Agent
from simulator.engine.faults import with_rounds
from simulator.engine.placing import PlacedQueues, Placer
from simulator.engine.preempting import stopped_of
from simulator.engine.queueing import Queues
from simulator.engine.sharing import joined, noted_stays, open_stays
from simulator.engine.state import State, initial_state
from simulator.engine.view import View
from simulator.engine.waiting import Columns
from simulator.engine.ways import Dispatches
from simulator.errors import InputError, Issue
from simulator.fleet import Fleet
from simulator.joblog import JobLog, Pieces, Stays
from simulator.kernels import tables as kernels
from simulator.kernels.compile import entry_of
from simulator.kernels.conservative import conservative_pass
from simulator.kernels.engine import advance
from simulator.kernels.sleep import descend
from simulator.power.tables import PowerTables
from simulator.workload.table import JobTable

Controller = Callable[[simpy.Environment, View], Generator[simpy.Event, object, object]]
"""A SimPy process on the run's clock (integer milliseconds), given a view of the state."""

LogReader = Callable[[kernels.Log, int], None]
"""Is handed the change log and its number of rows whenever it is full, and at the end."""


def simulate(
    fleet: Fleet,
    jobs: JobTable,
    power: PowerTables,
    *,
    end_ms: int,
    drain: bool = False,
    on_log: LogReader,
    controllers: Sequence[Controller] = (),
    start_epoch_ms: int = 0,
    queues: Queues | None = None,
    dispatches: Dispatches | None = None,
) -> JobLog:
    """Run the jobs on the fleet.

    Parameters
    ----------
    fleet : Fleet
    jobs : JobTable
        Submitted before `end_ms`.
    power : PowerTables
    end_ms : int
        The horizon. Completions at that instant are settled, nothing starts at it. [ms]
    drain : bool
        Run on after the horizon until the last job has ended.
    on_log : callable
        Reads the change log; see `LogReader`.
    controllers : sequence of Controller
        SimPy processes that act on settled state before `end_ms`, in this order at equal times;
        their delays are whole milliseconds. In a draining run nodes that they closed are opened
        then; what they keep awake stays so.
    start_epoch_ms : int
        The scenario's start, for controllers that follow the calendar.
        [ms since 1970-01-01T00:00Z]
    queues : Queues, optional
        How waiting jobs are ordered and backfilled; first come, first served unless given.
    dispatches : Dispatches, optional
        How jobs get their cluster; by preference unless given.

    Raises
    ------
    PolicyError
        If a policy of a queue or of dispatch fails, or decides wrongly.
    InputError
        If the horizon or a job is too long for integer milliseconds.
    """
    state = initial_state(fleet, jobs, power, end_ms=end_ms, queues=queues, dispatches=dispatches)
    home = state.jobs.cluster.copy()
    sent = None
    if state.binds and state.dispatch is not None:
        sent = state.dispatch.way != kernels.NONE
    env = simpy.Environment(initial_time=0)
    view = View(state, fleet.cluster_names, start_epoch_ms)
    for controller in controllers:
        env.process(controller(env, view))
    queues = queues or Queues.plain(fleet, jobs)
    askers = _askers(state, jobs, fleet.cluster_names, queues, start_epoch_ms)
    agent = None
    if dispatches is not None and dispatches.asked and state.binds:
        agent = Agent(state, fleet, jobs, power, dispatches)
    run = _Run(state, power, on_log, askers, agent, conservative=queues.conservative)
    while True:
        due = env.peek()
        if due < end_ms and due != int(due):
            raise ValueError(f"a controller waits until {due} ms; the clock is in whole ones")
        if due >= end_ms:
            run.advance(end_ms)
            break
        run.advance(int(due))
        while env.peek() == due:
            env.step()
    finished_ms = end_ms
    if drain and (state.any_running or view.waiting.any()):
        for cluster in view.clusters:
            cluster.open_all()  # controllers end at the horizon: a closed node would stay so
        run.advance(int(kernels.FOREVER_MS))
        if state.tables.clock[kernels.OVERRUN]:
            raise InputError(
                "scenario",
                [Issue("drain", "the last job ends later than can be counted; write false")],
            )
        finished_ms = max(end_ms, int(state.tables.clock[kernels.NOW_MS]))
        run.hand_over()
        run.descend(finished_ms)
    run.hand_over()
    if sent is not None:
        home[sent] = state.jobs.cluster[sent]
    racks = None
    if fleet.racks is not None and state.queueing is not None:
        racks = state.queueing.racks
    return JobLog(
        start_ms=state.jobs.start_ms,
        end_ms=state.jobs.end_ms,
        cluster=state.jobs.cluster,
        home=home,
        first_node=state.jobs.first_node,
        part_node=state.jobs.part_node,
        power_level=state.jobs.power_level,
        held_back=state.jobs.held_back,
        finished_ms=finished_ms,
        events=run.events(),
        notes=view.notes,
        pieces=run.pieces(),
        stays=run.stays(),
        left_ms=state.jobs.duration_ms if state.cuts else None,
        racks=None if racks is None else racks.spanned,
        resume_ms=state.jobs.resume_ms if state.preempts else None,
        stopped_ms=(
            stopped_of(state.preemption, state.tables, len(jobs)) if state.preempts else None
        ),
    )


def _askers(
    state: State,
    jobs: JobTable,
    cluster_names: tuple[str, ...],
    queues: Queues,
    start_epoch_ms: int,
) -> list[Desks | PlacedQueues]:
    """Return who makes the passes in which policies in plain Python are asked."""
    if not (queues.asked or queues.placed):
        return []
    columns = Columns(state, jobs, cluster_names)
    placers = {
        at: Placer(columns, at, policy, start_epoch_ms) for at, policy in queues.placed.items()
    }
    askers: list[Desks | PlacedQueues] = []
    if queues.asked:
        askers.append(Desks(columns, queues, placers, start_epoch_ms))
    if queues.walks:
        askers.append(PlacedQueues(columns, placers))
    return askers


class _Run:
    """The compiled loop with its log: advances, and hands the log over whenever it is full."""

    def __init__(
        self,
        state: State,
        power: PowerTables,
        on_log: LogReader,
        askers: Sequence[Desks | PlacedQueues],
        agent: Agent | None,
        *,
        conservative: bool,
    ) -> None:
        self._state = state
        self._power = power
        self._faults = state.faults
        self._on_log = on_log
        self._askers = askers
        self._agent = agent
        self._conservative = conservative
        self._advance: Callable[..., int] = advance
        # It is called at each pass, or for each job: looking its types up once pays.
        if askers or agent is not None:
            self._advance = entry_of(
                advance,
                state.jobs,
                state.tables,
                state.sleepers,
                state.queueing,
                state.power,
                state.faults,
                state.preemption,
                state.pieces,
                state.tenants,
                state.dispatch,
                state.log,
                0,
            )
        self._calls = 0
        self._rows = 0
        self._pieces: list[list[Any]] = []
        self._stays: list[Stays] = []

    def advance(self, until_ms: int) -> None:
        """Run up to `until_ms`, which is settled but not decided."""
        state = self._state
        reason = kernels.LOG_FULL
        while reason not in (kernels.UNTIL, kernels.IDLE):
            reason = self._advance(
                state.jobs,
                state.tables,
                state.sleepers,
                state.queueing,
                state.power,
                self._faults,
                state.preemption,
                state.pieces,
                state.tenants,
                state.dispatch,
                state.log,
                until_ms,
            )
            self._calls += 1
            if reason == kernels.LOG_FULL:
                self.hand_over()
            elif reason == kernels.DRAWS:
                self._power.ladders.refill()
                self._draw_lives()
            elif reason == kernels.DECIDE:
                self._serve()
            elif reason == kernels.ASSIGN:
                assert self._agent is not None
                self._agent.ask()

    def _serve(self) -> None:
        """Make the passes of the queues that are not served inside the loop."""
        if self._conservative:
            state = self._state
            conservative_pass(state.jobs, state.tables, state.sleepers, state.queueing, state.power)
        for asker in self._askers:
            asker.ask()

    def descend(self, until_ms: int) -> None:
        """Let idle nodes descend for as long as nothing else happens any more."""
        state = self._state
        descend(state.tables, state.sleepers, self._faults, state.log, until_ms)

    def hand_over(self) -> None:
        """Give the log's rows to their reader and begin it anew."""
        clock = self._state.tables.clock
        self._on_log(self._state.log, int(clock[kernels.LOG_ROWS]))
        self._rows += int(clock[kernels.LOG_ROWS])
        clock[kernels.LOG_ROWS] = 0
        for asker in self._askers:
            asker.before_hand_over()
        rows = int(clock[kernels.PIECE_ROWS])
        if self._state.pieces is not None and rows:
            self._pieces.append([column[:rows].copy() for column in self._state.pieces])
            clock[kernels.PIECE_ROWS] = 0
        if self._state.tenants is not None:
            self._stays.append(noted_stays(self._state.tenants))

    def pieces(self) -> Pieces | None:
        """Return what jobs did before they were cut short, None where nothing can do that."""
        if not self._state.cuts or self._state.pieces is None:
            return None
        empty: list[Any] = [column[:0] for column in self._state.pieces]
        columns: list[Any] = [
            np.concatenate(parts) for parts in zip(empty, *self._pieces, strict=True)
        ]
        return Pieces(*columns)

    def stays(self) -> Stays | None:
        """Return how jobs that share accelerators ran, None where no cluster shares any."""
        state = self._state
        if state.tenants is None:
            return None
        return joined([*self._stays, open_stays(state.tenants, state.tables)])

    def _draw_lives(self) -> None:
        """Draw more failures where some node has nearly used up what was drawn."""
        if self._power.failures is not None and self._faults is not None:
            known = len(self._faults.lives_ms)
            if self._state.tables.clock[kernels.MOST_FAILURES] + 2 > known:
                self._faults = with_rounds(self._faults, self._power.failures, 2 * known)

    def events(self) -> dict[str, int]:
        clock = self._state.tables.clock
        return {
            "submitted": int(clock[kernels.NEXT_JOB]),
            "started": int(clock[kernels.STARTED]),
            "completed": int(clock[kernels.COMPLETED]),
            "log_rows": self._rows,
            "loop_calls": self._calls,
        }
