"""Processes of this machine, each with a line of its own, so that a death costs one run.

A pool of the standard library does not say who died: one of them loses every task that waits,
the other never returns the one that was at work. Here each process tells of every row, so the
row that it died of is known.
"""

import signal
import subprocess
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait

from simulator.sweeps.backends.processes import (
    MOST_STILLBORN,
    cause_of,
    connected,
    overdue_cause,
)
from simulator.sweeps.rows import Row
from simulator.sweeps.work import BackendError, Chunk, Ended, StoreError, Work
from simulator.sweeps.worker import OVERDUE


@dataclass(slots=True)
class _Process:
    """One worker process and the chunks it has been sent, the first of them at work."""

    process: subprocess.Popen[bytes]
    connection: Connection
    chunks: deque[Chunk] = field(default_factory=deque)
    ready: bool = False


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

    def start(self, work: Work) -> None:
        """Start every process: they import what they need beside one another."""
        self._work = work
        self._all = [self._started() for _ in range(self.workers)]

    def submit(self, chunk: Chunk) -> None:
        """Give a chunk to the process with the least to do, replacing those that died."""
        while len(self._all) < self.workers:
            self._all.append(self._started())
        least = min(self._all, key=lambda worker: len(worker.chunks))
        least.chunks.append(chunk)
        with suppress(OSError):  # it died; its silence will tell
            least.connection.send(chunk)

    def wait(self, timeout_s: float) -> list[Ended]:
        """Return the rows that came in, and the chunks that ended with their process."""
        lines = {worker.connection: worker for worker in self._all}
        news: list[Ended] = []
        for line in wait(list(lines), timeout_s):
            if isinstance(line, Connection):
                news += self._heard(lines[line])
        return news

    def stop(self, grace_s: float) -> list[Ended]:
        """Ask every process to end after its run; return the rows that still come in."""
        for worker in self._all:
            with suppress(ProcessLookupError):
                worker.process.send_signal(signal.SIGTERM)
        news: list[Ended] = []
        while self._all and any(worker.chunks for worker in self._all):
            heard = self.wait(grace_s)
            if not heard:
                break
            news += heard
        self.close()
        return news

    def close(self) -> None:
        """Kill every process that is left."""
        for worker in self._all:
            worker.process.kill()
        for worker in self._all:
            self._buried(worker)
        self._all = []

    def _started(self) -> _Process:
        assert self._work is not None
        process, connection = connected("simulator.sweeps.worker")
        with suppress(OSError):
            connection.send(self._work)
        return _Process(process, connection)

    def _heard(self, worker: _Process) -> list[Ended]:
        """Read all that has come from one process."""
        news: list[Ended] = []
        found: list[Row] = []
        try:
            while worker.connection.poll():
                said = worker.connection.recv()
                if isinstance(said, Row):
                    found.append(said)
                elif isinstance(said, OSError):
                    raise StoreError.of(said)
                elif not worker.ready:
                    worker.ready = True
                else:
                    news.append(Ended(worker.chunks.popleft(), tuple(found), over=True))
                    found = []
        except (EOFError, ConnectionResetError):
            return news + self._died(worker, found)
        if found:
            news.append(Ended(worker.chunks[0], tuple(found)))
        return news

    def _died(self, worker: _Process, found: list[Row]) -> list[Ended]:
        """Bury a process; its first chunk was at work, the others had not begun."""
        self._all.remove(worker)
        status = self._buried(worker)
        unbegun = list(worker.chunks)
        news = []
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn > MOST_STILLBORN:
                raise BackendError(f"worker processes can't start: {cause_of(status)}")
        elif unbegun:
            news.append(self._ended(unbegun.pop(0), found, status))
        for chunk in unbegun:
            self.submit(chunk)
        return news

    def _ended(self, chunk: Chunk, found: list[Row], status: int) -> Ended:
        limit_s = self._work.point_timeout_s if self._work is not None else None
        overdue = limit_s is not None and status == OVERDUE
        cause = overdue_cause(limit_s) if overdue else cause_of(status)
        return Ended(chunk, tuple(found), over=True, death=cause, hopeless=overdue)

    def _buried(self, worker: _Process) -> int:
        worker.connection.close()
        with suppress(OSError):
            if worker.process.stdin is not None:
                worker.process.stdin.close()
        return worker.process.wait()
