"""Scheduling policies in plain Python: asked at each pass, and held to what they may decide."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from simulator.engine.failing import failed
from simulator.engine.placing import Placer
from simulator.engine.queueing import Queues
from simulator.engine.waiting import (
    CHOSEN,
    PASSED_OVER,
    STARTED,
    WAITS,
    Columns,
    WaitedFor,
    WaitingJob,
    WaitingQueue,
)
from simulator.errors import PolicyError
from simulator.kernels import placed as passes
from simulator.kernels import tables as kernels
from simulator.kernels.chosen import start_chosen
from simulator.kernels.compile import entry_of
from simulator.policies import ClusterScheduling
from simulator.units import MS_PER_S


class Desks:
    """The queues that policies in plain Python serve, one desk for each cluster.

    A cluster that stands first on the routes of its jobs is asked before one that is second.

    Parameters
    ----------
    columns : Columns
    queues : Queues
    placers : mapping of int to Placer
        Policies that place the jobs, by cluster.
    start_epoch_ms : int
        The scenario's start. [ms since 1970-01-01T00:00Z]
    """

    def __init__(
        self,
        columns: Columns,
        queues: Queues,
        placers: Mapping[int, Placer],
        start_epoch_ms: int,
    ) -> None:
        self._columns = columns
        state = columns.state
        self._route = state.jobs.route.data
        self._pieces = state.pieces
        self._seen = 0
        self._pieces_seen = 0
        desks = {
            at: _Desk(columns, at, policy, placers.get(at), start_epoch_ms)
            for at, policy in queues.asked.items()
        }
        last_place = dict.fromkeys(desks, 0)
        self._of_route: list[list[_Desk]] = []
        for line in state.tables.routes:
            numbers = state.tables.route_cluster[
                line[kernels.ROUTE_FIRST] : line[kernels.ROUTE_LAST]
            ].tolist()
            self._of_route.append([desks[at] for at in numbers if at in desks])
            for place, at in enumerate(numbers):
                if at in desks:
                    last_place[at] = max(last_place[at], place)
        self._desks = [desks[at] for at in sorted(desks, key=lambda at: (last_place[at], at))]

    def ask(self) -> None:
        """Let each policy choose among the jobs that wait for its cluster, and start them."""
        self._admit()
        for desk in self._desks:
            for row in desk.ask():
                self._columns.fate[row] = STARTED
                for other in self._of_route[self._route[row]]:
                    other.queue._remove(row)

    def before_hand_over(self) -> None:
        """Look at the jobs that were cut short before the table of them begins anew."""
        self._readmit()
        self._pieces_seen = 0

    def _admit(self) -> None:
        submitted = self._columns.clock[kernels.NEXT_JOB]
        for row in range(self._seen, submitted):
            self._line_up(row)
        self._seen = submitted
        self._readmit()

    def _readmit(self) -> None:
        """Let those wait again who were cut short since the last look."""
        if self._pieces is None:
            return
        count = self._columns.clock[kernels.PIECE_ROWS]
        for row in self._pieces.job[self._pieces_seen : count].tolist():
            self._columns.fate[row] = WAITS
            self._line_up(row)
        self._pieces_seen = count

    def _line_up(self, row: int) -> None:
        if (route := self._route[row]) >= 0:
            for desk in self._of_route[route]:
                desk.queue._admit(row)


class _Desk:
    """One cluster's queue and the policy that serves it."""

    def __init__(
        self,
        columns: Columns,
        at: int,
        policy: ClusterScheduling,
        placer: Placer | None,
        start_epoch_ms: int,
    ) -> None:
        assert policy.choice is not None
        self.queue = WaitingQueue(columns, at)
        self._cluster = WaitedFor(columns, at, start_epoch_ms)
        self._columns = columns
        self._at = at
        self._policy = policy.policy
        self._choose = policy.choice
        self._rows = np.zeros(1, np.int64)
        self._left_out: list[int] = []
        self._started: list[int] = []
        self._placer = placer
        state = columns.state
        self._start_chosen = entry_of(
            start_chosen, state.jobs, state.tables, state.queueing, state.power, 0, self._rows, 0
        )
        if placer is not None:
            tables = (state.jobs, state.tables, state.queueing, state.power)
            self._level_of = entry_of(passes.level_of_chosen, *tables, 0, 0)
            self._start_placed = entry_of(passes.start_placed, *tables, 0, 0, 0)

    def ask(self) -> list[int]:
        """Ask the policy and start what it chooses; return the rows of the jobs started."""
        if not (self._cluster.free and self.queue):
            return []
        now_ms = self._columns.clock[kernels.NOW_MS]
        self._started = []
        try:
            answer = self._choose(self.queue, self._cluster, now_ms / MS_PER_S)
            if isinstance(answer, Iterator):
                for job in answer:
                    self._start((job,))
            elif answer is not None:
                self._start(tuple(_iterable(answer)))
        except PolicyError:
            raise
        except Exception as error:  # whatever goes wrong in the code of others
            raise failed(self._policy, self._cluster.name, now_ms, error) from error
        for row in self._left_out:
            self._columns.fate[row] = WAITS
        self._left_out.clear()
        self.queue._chosen = 0
        return self._started

    def _start(self, jobs: tuple[Any, ...]) -> None:
        """Start jobs in turn, all of which must wait, and fit when their turn comes."""
        fate = self._columns.fate
        rows = [self._row_of(job) for job in jobs]
        if len(rows) > len(self._rows):
            self._rows = np.zeros(2 * len(rows), np.int64)
        self._rows[: len(rows)] = rows
        done = self._start_rows(len(rows))
        if done < len(rows):
            raise self._wrong(self._too_large(jobs[done]))
        for row, kept in zip(rows, self._rows[: len(rows)].tolist(), strict=True):
            if kept == kernels.NONE:
                fate[row] = PASSED_OVER
                self._left_out.append(row)
            else:
                self._started.append(row)

    def _start_rows(self, count: int) -> int:
        """Start the jobs in `rows` as `start_chosen` does; a policy may place them."""
        state, rows = self._columns.state, self._rows
        tables = (state.jobs, state.tables, state.queueing, state.power)
        if self._placer is None:
            return int(self._start_chosen(*tables, self._at, rows, count))
        for place, row in enumerate(rows[:count].tolist()):
            level = self._level_of(*tables, self._at, row)
            if level == passes.TOO_LARGE:
                return place
            if level == passes.KEPT_WAITING:
                rows[place] = kernels.NONE
                continue
            self._placer.choose(row)
            self._start_placed(*tables, self._at, row, level)
        return count

    def _row_of(self, job: object) -> int:
        """Return the row of a job that waits, and note that it was chosen."""
        if not isinstance(job, WaitingJob):
            raise self._wrong(f"{job!r} is no job; choose among the jobs of the queue")
        if job._columns is not self._columns or job._cluster != self._at:
            raise self._wrong(
                f"job {job.id} is not of this queue; choose among the jobs of the queue"
            )
        row = job._row
        fate = self._columns.fate[row]
        if fate == STARTED:
            raise self._wrong(
                f"job {job.id} does not wait any more; choose among the jobs of the queue"
            )
        if fate != WAITS:
            raise self._wrong(f"job {job.id} is named twice; name each job once")
        self._columns.fate[row] = CHOSEN
        self.queue._chosen += 1
        return row

    def _too_large(self, job: WaitingJob) -> str:
        free = self._cluster.free
        empty = self._cluster.nodes_by_free[-1]
        return (
            f"job {job.id} needs {job.gpus} accelerators and does not fit, with {free} free and "
            f"{empty} empty nodes; ask cluster.fits(job.gpus) first, and yield jobs one by one"
        )

    def _wrong(self, words: str) -> PolicyError:
        now_ms = self._columns.clock[kernels.NOW_MS]
        return failed(self._policy, self._cluster.name, now_ms, words)


def _iterable(answer: Any) -> Iterable[Any]:
    if isinstance(answer, Iterable):
        return answer
    raise TypeError(f"it returned {answer!r}; return or yield jobs of the queue")
