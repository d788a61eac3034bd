"""The actors of a sweep, seen from the process that talks to Ray.

Ray restarts nothing and runs nothing again: an actor that dies is replaced by another, and its
chunks go back to the driver.
"""

import logging
import os
import pickle
import socket
import time
from multiprocessing.connection import Connection
from typing import Any, Final

import ray
from ray.exceptions import RayActorError, RayTaskError

from simulator.errors import InputError, Issue
from simulator.sweeps.backends.processes import DIED, end_group, has_ended
from simulator.sweeps.backends.remote import Answer, Greeting, Invitation, Remote
from simulator.sweeps.backends.seats import Seat, Seats
from simulator.sweeps.work import Chunk, Ended, StoreError, Work, WorkerError

POLL_S: Final = 0.05
"""Longest time between two looks at what the driver says. [s]"""
CONNECT_S: Final = 10.0
"""Time for the head of a cluster to answer. [s]"""
LOOK_S: Final = 1.0
"""Time between two looks at how large the cluster is, and who is still there. [s]"""

_STORE_BYTES: Final = 80 * 2**20
"""Shared memory of a Ray of our own, about the least it takes: rows are small."""
_LONGEST_FOLDER: Final = 38
"""Characters of a folder in which Ray still finds room for the names of its sockets."""
_TOKEN_BYTES: Final = 32
_CONTROL: Final = "control"


class Sitter:
    """A worker of a sweep in a process of Ray's; the stop comes beside the chunk at work."""

    def __init__(self) -> None:
        self._remote: Remote | None = None

    def invite(self, packed: bytes) -> Greeting:
        """Begin to work for a sweep, and say who this is."""
        invitation: Invitation = pickle.loads(packed)
        self._remote = Remote(invitation)
        return self._remote.greet()

    def run(self, chunk: Chunk) -> Answer:
        """Run a chunk."""
        assert self._remote is not None
        return self._remote.run(chunk)

    def stop(self) -> None:
        """End after the run that is at work."""
        if self._remote is not None:
            self._remote.stop()


class Actors:
    """One actor on each processor of a Ray cluster.

    Parameters
    ----------
    address : str or None
        Of a Ray that stands already.
    folder : str
        Where a Ray of our own keeps what it writes.
    workers : int
        Actors of a Ray of our own.
    work : Work
    """

    def __init__(self, address: str | None, folder: str, workers: int, work: Work) -> None:
        self._is_own = address is None
        self._wanted = workers
        self.seats = Seats(work)
        self._asked: dict[Any, tuple[Seat, Chunk | None]] = {}
        self._looked_s = 0.0
        if address is None:
            _begin(workers, folder)
        else:
            _connect(address)
        self._kind = ray.remote(
            num_cpus=1, max_restarts=0, max_task_retries=0, concurrency_groups={_CONTROL: 1}
        )(Sitter)
        self._invitation = ray.put(pickle.dumps(Invitation.of(work)))

    def wait(self, timeout_s: float) -> list[Ended]:
        """Return the chunks that ended, and what is known of those whose actor died."""
        self._look()
        for seat, chunk in self.seats.due():
            self._asked[seat.place.run.remote(chunk)] = (seat, chunk)
        asked = list(self._asked)
        if not asked:
            time.sleep(timeout_s)
            return []
        ray.wait(asked, num_returns=1, timeout=timeout_s)
        ready = set(ray.wait(asked, num_returns=len(asked), timeout=0)[0])
        news: list[Ended] = []
        for reference in asked:  # those of one actor in the order of its chunks
            if reference in ready and reference in self._asked:
                news += self._heard(reference, *self._asked.pop(reference))
        return news

    def stop(self, grace_s: float) -> list[Ended]:
        """Ask every actor to end after its run, and kill those that don't."""
        self.seats.close()
        for seat in self.seats.taken:
            seat.place.stop.options(concurrency_group=_CONTROL).remote()
        news: list[Ended] = []
        until_s = time.monotonic() + grace_s
        while self.seats.busy and (left_s := until_s - time.monotonic()) > 0:
            news += self.wait(min(left_s, POLL_S))
        for seat in self.seats.taken:
            ray.kill(seat.place)
        return news + self.seats.left()

    def _look(self) -> None:
        """Take a seat on every processor that has none."""
        if not self.seats.is_open or time.monotonic() - self._looked_s < LOOK_S:
            return
        self._looked_s = time.monotonic()
        if self._is_own:
            for seat in self.seats.taken:
                if seat.greeting is not None and has_ended(seat.greeting.pid):
                    end_group(seat.greeting.pid)  # what it started may hold its line to Ray
        else:
            self._wanted = int(ray.cluster_resources().get("CPU", 0))
        while len(self.seats.taken) < self._wanted:
            self._take()
        self.seats.check()

    def _take(self) -> None:
        seat = Seat(self._kind.remote())
        self.seats.taken.append(seat)
        self._asked[seat.place.invite.remote(self._invitation)] = (seat, None)

    def _heard(self, reference: Any, seat: Seat, chunk: Chunk | None) -> list[Ended]:
        try:
            said = ray.get(reference)
        except RayActorError as error:
            if error.actor_init_failed:
                raise _unfit(_last_line(error)) from error
            return self._gone(seat, error)
        except RayTaskError as error:
            if isinstance(error.cause, InputError):
                raise error.cause from error
            if chunk is not None:
                raise
            raise _unfit(f"{type(error.cause).__name__}: {error.cause}") from error
        if chunk is not None:
            return [self.seats.answered(seat, chunk, said)]
        self.seats.greeted(seat, said)
        return []

    def _gone(self, seat: Seat, error: RayActorError) -> list[Ended]:
        """Give up an actor that died, and take another."""
        lost = [reference for reference, (sits, _) in self._asked.items() if sits is seat]
        for reference in lost:
            del self._asked[reference]
        ray.kill(seat.place)  # it may only be out of reach
        news = self.seats.died(seat, "its node was taken away" if error.preempted else DIED)
        if self.seats.is_open:
            self._take()
        return news


def serve(connection: Connection, folder: str) -> None:
    """Run what the driver sends, and tell it what becomes of it, until it says stop or leaves.

    The driver sends the address, the number of workers and the `Work`; then chunks; at last the
    grace of a stop. It is sent the number of workers with what has ended; None at the
    end; an error, if that is the end.
    """
    address, workers, packed = connection.recv()
    try:
        actors = Actors(address, folder, workers, pickle.loads(packed))
        told = 0
        while True:
            while connection.poll():
                said = connection.recv()
                if isinstance(said, float):
                    connection.send((told, actors.stop(said)))
                    connection.send(None)
                    return
                actors.seats.queue(said)
            news = actors.wait(POLL_S)
            if news or actors.seats.workers != told:
                told = actors.seats.workers
                connection.send((told, news))
    except (InputError, StoreError, WorkerError) as error:
        connection.send(error)
        connection.recv()  # the stop that follows, so that this is read before we are gone
    except EOFError:
        raise
    except Exception as error:
        connection.send(WorkerError(f"Ray: {type(error).__name__}: {_first_line(error)}"))
        connection.recv()


def _begin(workers: int, folder: str) -> None:
    """Start a Ray of our own, with a token of its own: else it leaves one in the home folder."""
    if len(folder) > _LONGEST_FOLDER:
        os.environ.pop("TMPDIR", None)  # Ray would choose it again
    os.environ.setdefault("RAY_AUTH_TOKEN", os.urandom(_TOKEN_BYTES).hex())
    ray.init(
        address="local",
        num_cpus=workers,
        include_dashboard=False,
        object_store_memory=_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=folder if len(folder) <= _LONGEST_FOLDER else None,
    )


def _connect(address: str) -> None:
    """Connect to a Ray that stands.

    Raises
    ------
    InputError
        If none answers, or it is of another version.
    """
    try:
        host, _, port = address.rpartition(":")
        if "://" not in host and port.isdecimal():  # else Ray itself waits for minutes
            socket.create_connection((host, int(port)), CONNECT_S).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        rule = f"no Ray answers there ({_first_line(error)}); start one: ray start --head"
        raise InputError("backend ray", [Issue(address, rule)]) from error


def _unfit(why: str) -> InputError:
    return InputError("backend ray", [Issue("its workers", f"can't work for this sweep: {why}")])


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "")


def _last_line(error: Exception) -> str:
    return next(reversed(str(error).strip().splitlines()), "")
