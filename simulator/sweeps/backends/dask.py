"""Workers of a Dask cluster: one that stands already, or a scheduler and processes right here."""

import logging
import pickle
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final

from simulator.errors import InputError, Issue
from simulator.sweeps.backends import dask_worker
from simulator.sweeps.backends.processes import (
    DIED,
    MOST_STILLBORN,
    cause_of,
    end_group,
    started,
)
from simulator.sweeps.backends.remote import Greeting, Invitation
from simulator.sweeps.backends.seats import AT_ONCE, Seat, Seats
from simulator.sweeps.work import Chunk, Ended, Work, WorkerError
from simulator.sweeps.worker import OVERDUE

CONNECT_S: Final = 10.0
"""Time for a scheduler to answer. [s]"""
LOOK_S: Final = 0.5
"""Time between two looks at who has come and gone. [s]"""
ENDING_S: Final = 1.0
"""Time for a worker to end, or to be told something. [s]"""

_SCHEDULER: Final = {
    "distributed.scheduler.allowed-failures": 0,  # what is run again is the driver's to decide
    "distributed.scheduler.worker-ttl": None,  # a long run may hold its process
}
_FINISHED: Final = "finished"
_RUNNING: Final = "running"
_ERRED: Final = "error"


class _Dropped:
    """What becomes of a task that the cluster has cancelled: it may still run."""


class Dask:
    """One seat on each worker process of a Dask cluster.

    Parameters
    ----------
    workers : int
        Worker processes of a cluster of our own.
    address : str or None
        Of a scheduler, or the path of a scheduler file (``.json``); None for a cluster of our own.
    """

    def __init__(self, workers: int, address: str | None) -> None:
        self.workers = workers
        self._address = address
        self._processes = 0 if address is not None else workers
        self._own: list[subprocess.Popen[bytes]] = []
        self._arrived: set[int] = set()
        self._stillborn = 0
        self._seats: Seats | None = None
        self._news: SimpleQueue[tuple[Any, Seat, Chunk | None, Any]] = SimpleQueue()
        self._futures: dict[Any, Seat] = {}
        self._looked_s = 0.0
        self._closing = ExitStack()

    def start(self, work: Work) -> None:
        """Connect to the scheduler, or start one with its workers.

        Raises
        ------
        InputError
            If no scheduler answers.
        """
        from distributed.utils import silence_logging_cmgr

        self._closing.enter_context(silence_logging_cmgr(logging.CRITICAL))
        self._client = self._connected()
        self._closing.callback(self._client.close)
        self._invitation = pickle.dumps(Invitation.of(work))
        self._seats = Seats(work)
        self._look(self._seats)

    def submit(self, chunk: Chunk) -> None:
        """Put a chunk in line for whoever has the least to do."""
        assert self._seats is not None
        self._seats.queue(chunk)
        self._hand_out(self._seats)

    def wait(self, timeout_s: float) -> list[Ended]:
        """Return the chunks that ended, and what is known of those whose worker died."""
        seats = self._seats
        assert seats is not None
        news = self._look(seats) if self._look_is_due() else []
        self._hand_out(seats)
        with suppress(Empty):
            news += self._heard(seats, *self._news.get(timeout=0.0 if news else timeout_s))
            while True:
                news += self._heard(seats, *self._news.get_nowait())
        self._hand_out(seats)
        self.workers = seats.workers
        return news

    def stop(self, grace_s: float) -> list[Ended]:
        """Ask every worker to end after its run; return what still comes in."""
        seats = self._seats
        if seats is None:
            return []
        seats.close()
        self._say(dask_worker.stop, seats)
        news: list[Ended] = []
        until_s = time.monotonic() + grace_s
        while seats.busy and (left_s := until_s - time.monotonic()) > 0:
            news += self.wait(min(left_s, LOOK_S))
        if self._address is not None:
            self._restart(seats)
        self._kill()
        news += seats.left()
        self.close()
        return news

    def close(self) -> None:
        """End our own processes; those of a cluster that stood before stay."""
        if self._seats is not None and self._address is not None:
            self._say(dask_worker.leave, self._seats).join(ENDING_S)
        self._kill()
        self._closing.close()
        self._seats = None
        self._futures = {}

    def _connected(self) -> Any:
        """Return a client of the scheduler."""
        from distributed import Client

        address = self._address if self._address is not None else self._begun()
        named: dict[str, Any] = {"address": address}
        if address.endswith(".json"):
            named = {"scheduler_file": address}
        try:
            return Client(**named, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            rule = f"no Dask scheduler answers there ({reason}); start one: dask scheduler"
            raise InputError("backend dask", [Issue(address, rule)]) from error

    def _begun(self) -> str:
        """Start a scheduler in this process and workers in their own; return its address."""
        import dask
        from distributed import LocalCluster

        folder = self._closing.enter_context(
            tempfile.TemporaryDirectory(prefix="fleetsim-", ignore_cleanup_errors=True)
        )
        with dask.config.set(_SCHEDULER):
            cluster = LocalCluster(
                n_workers=0,
                dashboard_address="127.0.0.1:0",  # else it warns where 8787 is taken
                scheduler_kwargs={"dashboard": False},
                silence_logs=False,
            )
        self._closing.callback(cluster.close)
        self._begin = partial(
            started, "simulator.sweeps.backends.dask_worker", cluster.scheduler_address, folder
        )
        self._own = [self._begin() for _ in range(self._processes)]
        return str(cluster.scheduler_address)

    def _look_is_due(self) -> bool:
        ended = any(process.poll() is not None for process in self._own)
        return ended or time.monotonic() - self._looked_s > LOOK_S

    def _look(self, seats: Seats) -> list[Ended]:
        """See who has come and who has gone, and invite the new ones.

        Raises
        ------
        WorkerError
            If the scheduler is gone, or nobody comes.
        """
        for process in self._own:
            if process.poll() is not None:
                end_group(process.pid)  # what it started may hold its line to the scheduler
        try:
            if self._client.status != _RUNNING:
                raise ConnectionError("the connection is lost")
            threads = self._client.nthreads()
        except Exception as error:
            raise WorkerError(f"the Dask scheduler is gone: {error}") from error
        self._looked_s = time.monotonic()
        news: list[Ended] = []
        for seat in [seat for seat in seats.taken if seat.place not in threads]:
            news += self._gone(seats, seat)
        if seats.is_open:
            self._replace({seat.greeting.pid for seat in seats.taken if seat.greeting})
            for address in threads.keys() - {seat.place for seat in seats.taken}:
                self._invite(seats, address, threads[address])
            seats.check()
        return news

    def _invite(self, seats: Seats, address: str, threads: int) -> None:
        """Take a seat on a worker; with several threads it would begin chunks side by side."""
        seat = Seat(address, at_once=AT_ONCE if threads == 1 else 1)
        seats.taken.append(seat)
        self._ask(seat, None, dask_worker.invite, self._invitation)

    def _hand_out(self, seats: Seats) -> None:
        for seat, chunk in seats.due():
            self._ask(seat, chunk, dask_worker.run_chunk, pickle.dumps(chunk))

    def _ask(self, seat: Seat, chunk: Chunk | None, task: Any, packed: bytes) -> None:
        """Have one worker, and no other, do something for the sweep."""
        future = self._client.submit(
            task,
            self._client.id,
            packed,
            workers=[seat.place],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        self._futures[future] = seat
        future.add_done_callback(partial(self._fetch, seat, chunk))

    def _fetch(self, seat: Seat, chunk: Chunk | None, future: Any) -> None:
        """Bring what became of a task into our line, beside the driver."""
        said: Any = _Dropped()
        with suppress(BaseException):  # it may be cancelled while its result is fetched
            if future.status == _ERRED:
                said = future.exception()
            elif future.status == _FINISHED:
                said = future.result()
        self._news.put((future, seat, chunk, said))

    def _heard(
        self, seats: Seats, future: Any, seat: Seat, chunk: Chunk | None, said: Any
    ) -> list[Ended]:
        from distributed import KilledWorker

        self._futures.pop(future, None)
        if seat not in seats.taken:
            return []
        if isinstance(said, _Dropped):
            raise WorkerError("the Dask scheduler is gone, or has dropped what it was given")
        if isinstance(said, KilledWorker):
            self._looked_s = 0.0  # the next look will not find it any more
            return []
        if chunk is None and isinstance(said, Greeting):
            self._arrived.add(said.pid)
            seats.greeted(seat, said)
            return []
        if isinstance(said, InputError):
            raise said
        if chunk is None:
            why = f"can't work for this sweep: {type(said).__name__}: {said}"
            raise InputError("backend dask", [Issue(f"worker {seat.place}", why)]) from said
        if said is None:
            return self._gone(seats, seat)
        if isinstance(said, BaseException):
            raise said
        return [seats.answered(seat, chunk, said)]

    def _gone(self, seats: Seats, seat: Seat) -> list[Ended]:
        """Give up a worker that has left the cluster."""
        lost = [future for future, sits in self._futures.items() if sits is seat]
        for future in lost:
            del self._futures[future]
        if lost:
            self._client.cancel(lost)
        pid = seat.greeting.pid if seat.greeting is not None else None
        for process in self._own:
            if process.pid == pid:
                status = _ended(process)
                return seats.died(seat, cause_of(status), overdue=status == OVERDUE)
        return seats.died(seat, DIED)

    def _replace(self, seated: set[int]) -> None:
        """Start a process for each of our own that has ended and whose seat is given up.

        Raises
        ------
        WorkerError
            If one after the other ends before it comes to the scheduler.
        """
        ended = [process for process in self._own if process.poll() is not None]
        for process in [process for process in ended if process.pid not in seated]:
            status = _ended(process)
            self._own.remove(process)
            self._stillborn += process.pid not in self._arrived
            if self._stillborn > MOST_STILLBORN:
                raise WorkerError(f"Dask workers can't start: {cause_of(status)}")
            self._own.append(self._begin())

    def _say(self, what: Any, seats: Seats) -> threading.Thread:
        """Tell every worker something beside its chunks, without waiting for busy ones."""
        places = [seat.place for seat in seats.taken]

        def say() -> None:
            with suppress(Exception):
                self._client.run(what, self._client.id, workers=places, on_error="ignore")

        thread = threading.Thread(target=say, daemon=True)
        thread.start()
        return thread

    def _restart(self, seats: Seats) -> None:
        """Have the nannies of foreign workers that don't end restart them."""
        hung = [seat.place for seat in seats.busy]
        if hung:
            with suppress(Exception):
                self._client.restart_workers(hung, timeout=ENDING_S, raise_for_error=False)

    def _kill(self) -> None:
        for process in self._own:
            if process.poll() is None:
                end_group(process.pid)
        for process in self._own:
            _ended(process)
        self._own = []


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Return the exit status of a process that has ended, or is about to."""
    try:
        status = process.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    return status
