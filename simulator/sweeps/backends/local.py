"""Processes of this machine, each with a line of its own, so that a death costs one run.

A pool of the standard library does not say who died: one of them loses every task that waits,
the other never returns the one that was at work. Here each process tells of every row, so the
row that it died of is known.
"""

import os
import signal
import struct
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from socket import SO_RCVTIMEO, SOL_SOCKET, socket
from typing import TYPE_CHECKING, Final

from simulator.sweeps.backends.processes import (
    MOST_STILLBORN,
    cause_of,
    connected,
    end_group,
    overdue_cause,
)
from simulator.sweeps.rows import Row
from simulator.sweeps.shards import rows_of_process
from simulator.sweeps.work import Chunk, Ended, StoreError, Work, WorkerError
from simulator.sweeps.worker import OVERDUE

if TYPE_CHECKING:
    import subprocess

LAST_S: Final = 2.0
"""Time that a process which has closed its line has to end by itself. [s]"""

_POLL_S: Final = 0.002


@dataclass(slots=True)
class _Process:
    """One worker process and the chunks that are meant for it.

    Attributes
    ----------
    process : Popen
    connection : Connection
    chunks : deque of Chunk
        Only the first is sent to it, and only when it waits for one: two sides that both write
        and don't read would wait for one another for ever.
    is_ready : bool
        Whether it has begun.
    writes : bool
        Whether it writes its rows itself.
    is_at_work : bool
        Whether it has been sent the first chunk.
    heard_s : float
        When it was last sent or said something, on the monotonic clock. [s]
    """

    process: "subprocess.Popen[bytes]"
    connection: Connection
    chunks: deque[Chunk] = field(default_factory=deque)
    is_ready: bool = False
    writes: bool = False
    is_at_work: bool = False
    heard_s: float = 0.0

    def feed(self) -> None:
        """Send the first chunk if the process waits for one."""
        if self.is_ready and self.chunks and not self.is_at_work:
            try:
                self.connection.send(self.chunks[0])
            except OSError:  # it died, or has been told a half: either way its end will be heard
                self.kill()
                return
            self.is_at_work = True
            self.heard_s = time.monotonic()

    def is_dead(self) -> bool:
        """Return whether the process has ended; its number stays taken."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.process.pid, flags) is not None
        except ChildProcessError:
            return True

    def kill(self) -> None:
        """Kill the process and those that it started."""
        end_group(self.process.pid)

    def hurry(self) -> None:
        """Wait no longer than a moment for the rest of something that it says."""
        with socket(fileno=os.dup(self.connection.fileno())) as line:
            line.setsockopt(SOL_SOCKET, SO_RCVTIMEO, struct.pack("ll", 1, 0))


class Local:
    """Worker processes on this machine; one that dies is replaced.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._work: Work | None = None
        self._all: list[_Process] = []
        self._stillborn = 0
        self._is_stopping = False

    def start(self, work: Work) -> None:
        """Start every process: they import what they need beside one another."""
        self._work = work
        self._fill()

    def submit(self, chunk: Chunk) -> None:
        """Give a chunk to the process with the least to do, replacing those that died."""
        self._fill()
        least = min(self._all, key=lambda worker: len(worker.chunks))
        least.chunks.append(chunk)
        least.feed()

    def wait(self, timeout_s: float) -> list[Ended]:
        """Return the rows that came in, and the chunks that ended with their process."""
        lines = {worker.connection: worker for worker in self._all}
        news: list[Ended] = []
        for line in wait(list(lines), timeout_s):
            if isinstance(line, Connection):
                news += self._heard(lines[line])
        for worker in [worker for worker in self._all if worker.is_dead()]:
            # Its line may be held open by what it started.
            worker.kill()
            worker.hurry()
            news += self._heard(worker)
            if worker in self._all:
                news += self._died(worker, [])
        return news

    def stop(self, grace_s: float) -> list[Ended]:
        """Ask every process to end after its run; return the rows that still come in."""
        self._is_stopping = True
        until_s = time.monotonic() + grace_s
        for worker in self._all:
            worker.hurry()
            if worker.is_at_work:
                with suppress(ProcessLookupError):
                    worker.process.send_signal(signal.SIGTERM)
            else:
                worker.kill()
        news: list[Ended] = []
        while any(worker.is_at_work for worker in self._all):
            left_s = until_s - time.monotonic()
            if left_s <= 0.0:
                break
            with suppress(StoreError):  # a disk that is full is so for all of them
                news += self.wait(left_s)
        self.close()
        return news

    def close(self) -> None:
        """Kill every process that is left."""
        for worker in self._all:
            worker.kill()
        while self._all:
            self._buried(self._all.pop())

    def _fill(self) -> None:
        """Start processes until there are as many as wanted."""
        while len(self._all) < self.workers:
            try:
                self._start_one()
            except OSError as error:
                words = error.strerror or str(error)
                raise WorkerError(f"worker processes can't be started: {words}") from error

    def _start_one(self) -> None:
        assert self._work is not None
        worker = _Process(*connected("simulator.sweeps.process"))
        self._all.append(worker)
        with suppress(BrokenPipeError, ConnectionResetError):
            worker.connection.send(self._work)

    def _heard(self, worker: _Process) -> list[Ended]:
        """Read all that has come from one process."""
        news: list[Ended] = []
        found: list[Row] = []
        try:
            while worker.connection.poll():
                said = worker.connection.recv()
                worker.heard_s = time.monotonic()
                if isinstance(said, Row):
                    found.append(said)
                elif isinstance(said, OSError):
                    raise StoreError.of(said)
                elif isinstance(said, Exception):
                    raise said
                elif not worker.is_ready:
                    worker.is_ready, worker.writes = True, bool(said)
                    self._stillborn = 0
                    worker.feed()
                else:
                    chunk = worker.chunks.popleft()
                    news.append(Ended(chunk, tuple(found), over=True, written=worker.writes))
                    found, worker.is_at_work = [], False
                    worker.feed()
        except (EOFError, OSError):  # also in the middle of something that it said
            return news + self._died(worker, found)
        if found:
            news.append(Ended(worker.chunks[0], tuple(found), written=worker.writes))
        return news

    def _died(self, worker: _Process, found: list[Row]) -> list[Ended]:
        """Bury a process; the chunk it was sent was at work, the others had not begun."""
        self._all.remove(worker)
        status = self._buried(worker)
        unbegun = list(worker.chunks)
        news = []
        if not worker.is_ready:
            self._stillborn += 1
            if self._stillborn > MOST_STILLBORN and not self._is_stopping:
                raise WorkerError(f"worker processes can't start: {cause_of(status)}")
        elif worker.is_at_work:
            news.append(self._ended(worker, unbegun.pop(0), found, status))
        if not self._is_stopping:
            for chunk in unbegun:
                self.submit(chunk)
        return news

    def _ended(self, worker: _Process, chunk: Chunk, found: list[Row], status: int) -> Ended:
        """Return what is known of a chunk whose process died, with what it wrote and didn't say."""
        assert self._work is not None
        folder, limit_s = self._work.folder, self._work.point_timeout_s
        if worker.writes and folder is not None:
            mine = frozenset(chunk.rows)
            told = rows_of_process(folder, self._work.sweep, worker.process.pid)
            found += [row for row in told if row.at in mine and row not in found]
        silent_s = time.monotonic() - worker.heard_s
        # Python itself ends with the same status; but not after so long a time.
        overdue = limit_s is not None and status == OVERDUE and silent_s > limit_s / 2
        cause = overdue_cause(limit_s) if overdue and limit_s is not None else cause_of(status)
        return Ended(
            chunk, tuple(found), over=True, death=cause, hopeless=overdue, written=worker.writes
        )

    def _buried(self, worker: _Process) -> int:
        """Wait until a process has ended, not for long, and return its status."""
        worker.connection.close()
        with suppress(OSError):
            if worker.process.stdin is not None:
                worker.process.stdin.close()
        until_s = time.monotonic() + LAST_S
        while not worker.is_dead() and time.monotonic() < until_s:
            time.sleep(_POLL_S)
        worker.kill()
        return worker.process.wait()
