"""Carry out the rows of a sweep that are open: chunks, deaths, limits, and stopping early."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.sweeps import rows
from simulator.sweeps.backends import Backend
from simulator.sweeps.ledger import Ledger
from simulator.sweeps.work import Chunk, Ended, Point

MOST_DEATHS: Final = 3
"""Processes that a run may take with it before it is given up."""
MOST_IN_CHUNK: Final = 200
CHUNK_S: Final = 1.0
"""A chunk is worth about so much work: enough that handing it over costs nothing. [s]"""
GRACE_S: Final = 3.0
"""Time that runs at work have to end when the sweep is interrupted. [s]"""
LOOK_S: Final = 0.2
"""Longest time between two looks at how far it has come. [s]"""

Progress = Callable[["Standing"], None]
PointsOf = Callable[[Sequence[int]], tuple[Point, ...]]
"""Given numbers of rows, the points they belong to."""


@dataclass(slots=True)
class Standing:
    """How far a sweep has come.

    Attributes
    ----------
    total, done, failed, cached : int
        Rows in all, finished, failed; of those finished, how many were known already.
    elapsed_s : float
        Since the first chunk was handed out. [s]
    """

    total: int
    done: int = 0
    failed: int = 0
    cached: int = 0
    elapsed_s: float = 0.0

    @property
    def run_now(self) -> int:
        """Rows that were run in this session."""
        return self.done + self.failed - self.cached


@dataclass(slots=True)
class _Session:
    """One carrying-out: what is in the air, what died of what, and what comes next."""

    points_of: PointsOf
    ledger: Ledger
    backend: Backend
    standing: Standing
    kept: Callable[[int], bool]
    record: Callable[[rows.Row], None]
    again: deque[Chunk] = field(default_factory=deque)
    deaths: dict[int, int] = field(default_factory=dict)
    in_air: int = 0
    heard: int = 0
    begun_s: float = 0.0

    def chunk(self, found: Sequence[int]) -> Chunk:
        """Return the chunk of some rows."""
        return Chunk(self.points_of(found), frozenset(filter(self.kept, found)))


def carry_out(
    points_of: PointsOf,
    ledger: Ledger,
    backend: Backend,
    wanted: NDArray[np.int64],
    standing: Standing,
    *,
    record: Callable[[rows.Row], None],
    kept: Callable[[int], bool] = lambda _: False,
    show: Progress | None = None,
) -> None:
    """Run rows until each is finished or failed.

    Parameters
    ----------
    points_of : callable
        What is to be run for some rows.
    ledger : Ledger
        Takes every row as it is finished.
    backend : Backend
        Started already.
    wanted : array of int64
        Numbers of the rows, in the order in which they are to be run.
    standing : Standing
        Counts what was known before; counts on.
    record : callable
        Writes a row that no worker has written.
    kept : callable
        Whether the whole results of a row are kept.
    show : callable, optional
        Told how far it has come.

    Raises
    ------
    StoreError
        If a row can't be written.
    KeyboardInterrupt
        Whatever interrupts it, after the runs at work have ended and are noted.
    """
    session = _Session(points_of, ledger, backend, standing, kept, record)
    session.begun_s = time.monotonic()
    todo = _Slices(session, wanted)
    try:
        while todo or session.again or session.in_air:
            _hand_out(session, todo)
            for ended in backend.wait(LOOK_S):
                _take(session, ended)
            standing.elapsed_s = time.monotonic() - session.begun_s
            if show is not None:
                show(standing)
    except BaseException:
        for ended in backend.stop(GRACE_S):
            _note(session, ended.rows, ended.written)
        raise


class _Slices:
    """Cuts the rows that are left into chunks, each worth about a second of work."""

    def __init__(self, session: _Session, wanted: NDArray[np.int64]) -> None:
        self._session = session
        self._wanted = wanted
        self._from = 0

    def __len__(self) -> int:
        return len(self._wanted) - self._from

    def next(self) -> Chunk:
        """Return the next chunk."""
        size = self._size()
        found = self._wanted[self._from : self._from + size]
        self._from += len(found)
        return self._session.chunk(found.tolist())

    def _size(self) -> int:
        """Return how many rows make a chunk, from what the runs took so far."""
        heard, workers = self._session.heard, self._session.backend.workers
        if not heard:
            return 1
        run_s = self._session.standing.elapsed_s * workers / heard
        even = -(-len(self) // (2 * workers))  # so that the last chunks end together
        return max(1, min(MOST_IN_CHUNK, int(CHUNK_S / max(run_s, 1e-9)), even))


def _hand_out(session: _Session, todo: _Slices) -> None:
    """Keep every worker busy, with one chunk more waiting for it; the first row goes alone.

    The first run compiles the kernels where they are not in the cache, once and not once for
    each worker, and tells how long a run takes.
    """
    while session.again or todo:
        if session.in_air >= (2 * session.backend.workers if session.heard else 1):
            return
        session.backend.submit(session.again.popleft() if session.again else todo.next())
        session.in_air += 1


def _take(session: _Session, ended: Ended) -> None:
    _note(session, ended.rows, ended.written)
    if not ended.over:
        return
    session.in_air -= 1
    left = [at for at in ended.chunk.rows if not session.ledger.state[at]]
    if ended.death is not None and left:
        _suspect(session, ended, left)
    elif left:  # known elsewhere, and not found there
        session.again.append(replace(session.chunk(left), fresh=True))


def _note(session: _Session, found: Sequence[rows.Row], written: bool) -> None:
    for row in found:
        if session.ledger.state[row.at] or not session.ledger.put(row):
            continue
        session.heard += 1
        if not written:
            session.record(row)
        session.standing.done += row.status != rows.FAILED
        session.standing.failed += row.status == rows.FAILED
        session.standing.cached += row.status == rows.KNOWN


def _suspect(session: _Session, ended: Ended, left: list[int]) -> None:
    """Run what a death left: the row it may have died of alone, the others without it."""
    if len(left) == 1 or ended.in_order:
        row = left[0]
        session.deaths[row] = session.deaths.get(row, 0) + 1
        if ended.hopeless or session.deaths[row] >= MOST_DEATHS:
            times = "" if ended.hopeless else f" ({MOST_DEATHS} times)"
            _note(session, [rows.failed(row, f"{ended.death}{times}")], written=False)
            parts = [left[1:]]
        else:
            parts = [left[:1], left[1:]]
    else:
        half = len(left) // 2
        parts = [left[:half], left[half:]]
    for part in filter(None, parts):
        session.again.append(replace(session.chunk(part), fresh=ended.chunk.fresh))
