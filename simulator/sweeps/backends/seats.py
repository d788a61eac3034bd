"""Seats on a cluster: who sits where, which chunk is at work there, and what a death leaves.

Chunks are handed to one worker each, and never moved by the cluster: so a worker that dies tells
of one chunk that was at work, and nothing is run again that the sweep did not ask for.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.sweeps import rows, shards
from simulator.sweeps.backends.processes import MOST_STILLBORN, overdue_cause
from simulator.sweeps.backends.remote import Answer, Greeting
from simulator.sweeps.rows import Row
from simulator.sweeps.work import Chunk, Ended, StoreError, Work, WorkerError

AT_ONCE: Final = 2
"""Chunks that a seat holds: one at work, and one that waits for it."""
ALONE_S: Final = 600.0
"""Time after which a sweep that no worker of its cluster comes to is given up. [s]"""


@dataclass(slots=True, eq=False)
class Seat:
    """A worker of a cluster, and the chunks it was given, the first of them at work.

    Attributes
    ----------
    place : object
        Where the cluster has it: an address, or an actor.
    at_once : int
        Chunks it may hold.
    greeting : Greeting or None
        Who it is, as soon as it has said so; before that it is given nothing.
    """

    place: Any
    at_once: int = AT_ONCE
    greeting: Greeting | None = None
    chunks: deque[Chunk] = field(default_factory=deque)
    since_s: float = 0.0

    @property
    def has_room(self) -> bool:
        """Whether it can be given a chunk."""
        return self.greeting is not None and len(self.chunks) < self.at_once


class Seats:
    """The workers of a sweep, and the chunks that wait for one.

    Parameters
    ----------
    work : Work
    """

    def __init__(self, work: Work) -> None:
        self.taken: list[Seat] = []
        self.is_open = True
        self._work = work
        self._line: deque[Chunk] = deque()
        self._stillborn = 0
        self._alone_s = time.monotonic()

    @property
    def workers(self) -> int:
        """Chunks that can run at the same time; at least 1, so that there is something to do."""
        return max(1, sum(seat.greeting is not None for seat in self.taken))

    @property
    def busy(self) -> list[Seat]:
        """Seats with a chunk."""
        return [seat for seat in self.taken if seat.chunks]

    def queue(self, chunk: Chunk) -> None:
        """Put a chunk in line."""
        self._line.append(chunk)

    def due(self) -> Iterator[tuple[Seat, Chunk]]:
        """Yield chunks and whom they go to: whoever has the least to do."""
        while self._line and self.is_open:
            free = [
                seat for seat in self.taken if seat.greeting and len(seat.chunks) < seat.at_once
            ]
            if not free:
                return
            seat, chunk = min(free, key=lambda seat: len(seat.chunks)), self._line.popleft()
            if not seat.chunks:
                seat.since_s = time.monotonic()
            seat.chunks.append(chunk)
            yield seat, chunk

    def close(self) -> None:
        """Hand out nothing any more."""
        self.is_open = False
        self._line.clear()

    def greeted(self, seat: Seat, greeting: Greeting) -> None:
        """Note who sits there."""
        seat.greeting = greeting
        self._stillborn = 0

    def answered(self, seat: Seat, chunk: Chunk, answer: Answer) -> Ended:
        """Return the end of a chunk that a worker told of.

        Raises
        ------
        StoreError
            If it could not write a row.
        """
        assert seat.greeting is not None
        seat.chunks.remove(chunk)
        seat.since_s = time.monotonic()
        if answer.refusal is not None:
            raise StoreError.of(answer.refusal)
        return Ended(chunk, answer.rows, over=True, written=seat.greeting.writes)

    def died(self, seat: Seat, cause: str, *, overdue: bool | None = None) -> list[Ended]:
        """Give up a seat: one of its chunks was at work, the others had not begun.

        Parameters
        ----------
        seat : Seat
        cause : str
            Why it died, as far as is known.
        overdue : bool, optional
            Whether it ended for a run that took too long; None where its status isn't known.

        Raises
        ------
        WorkerError
            If one after the other dies before it has said who it is.
        """
        self.taken.remove(seat)
        if seat.greeting is None:
            self._stillborn += 1
            if self._stillborn > MOST_STILLBORN:
                raise WorkerError(f"workers can't start: {cause}")
            return []
        news: list[Ended] = []
        known = self._written(seat.greeting) if seat.chunks else {}
        unbegun: list[Chunk] = []
        guilty = False
        for chunk in seat.chunks:
            found = _of(chunk, known)
            if len(found) == len(chunk.rows):  # it had ended, and its end was lost on the way
                news.append(Ended(chunk, found, over=True))
            elif guilty:
                unbegun.append(chunk)
            else:
                guilty = True
                news.append(self._death(seat, chunk, found, cause, overdue))
        self._line.extendleft(reversed(unbegun))
        return news

    def left(self) -> list[Ended]:
        """Return what was finished of the chunks that are given up with all workers."""
        news = []
        for seat in self.busy:
            assert seat.greeting is not None
            known = self._written(seat.greeting)
            news += [Ended(chunk, found) for chunk in seat.chunks if (found := _of(chunk, known))]
        return news

    def check(self) -> None:
        """Give up where nobody has come for long.

        Raises
        ------
        WorkerError
            If there has been no worker for `ALONE_S`.
        """
        now_s = time.monotonic()
        if any(seat.greeting is not None for seat in self.taken):
            self._alone_s = now_s
        elif now_s - self._alone_s > ALONE_S:
            raise WorkerError(f"no worker of the cluster has come for {ALONE_S:g} s")

    def _death(
        self, seat: Seat, chunk: Chunk, found: tuple[Row, ...], cause: str, overdue: bool | None
    ) -> Ended:
        limit_s, spent_s = self._work.point_timeout_s, time.monotonic() - seat.since_s
        if limit_s is None:
            overdue = False
        elif overdue is None:  # for a single run its time tells
            overdue = len(chunk.rows) == 1 and spent_s >= limit_s
        else:  # Python itself ends with the same status, but not after so long a time
            overdue = overdue and spent_s > limit_s / 2
        return Ended(
            chunk,
            found,
            over=True,
            death=overdue_cause(limit_s) if overdue and limit_s is not None else cause,
            hopeless=overdue,
            in_order=seat.greeting is not None and seat.greeting.writes,
        )

    def _written(self, greeting: Greeting) -> dict[int, Row]:
        """Return the rows that a worker has written for this sweep, whether it told or not."""
        if self._work.folder is None or not greeting.writes:
            return {}
        found: dict[int, Row] = {}
        for path in shards.shard_files(self._work.folder):
            if path.name.startswith(f"{greeting.owner}-") and path.name not in greeting.shards:
                for read in shards.read_shard(path):
                    if read is not None and read[0] == self._work.sweep:
                        found[read[1].at] = read[1]
        return found


def _of(chunk: Chunk, known: dict[int, Row]) -> tuple[Row, ...]:
    """Return the rows of a chunk that are known."""
    found = [known[at] for at in chunk.rows if at in known]
    return tuple(row for row in found if not (chunk.fresh and row.status == rows.KNOWN))
