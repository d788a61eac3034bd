"""Runs in this very process, one after another: for debuggers, and where nothing is faster."""

from collections import deque

from simulator.sweeps.rows import Row
from simulator.sweeps.work import Chunk, Ended, StoreError, Work
from simulator.sweeps.worker import Worker


class Inline:
    """One worker that is this process itself."""

    workers = 1

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._chunks: deque[Chunk] = deque()
        self._news: list[Row] = []

    def start(self, work: Work) -> None:
        """Make the worker."""
        self._worker = Worker(work)

    def submit(self, chunk: Chunk) -> None:
        """Put a chunk in line."""
        self._chunks.append(chunk)

    def wait(self, timeout_s: float) -> list[Ended]:  # noqa: ARG002 - there is nobody to wait for
        """Run the next chunk."""
        if self._worker is None or not self._chunks:
            return []
        self._news = []
        try:
            for row in self._worker.run(self._chunks[0]):
                self._news.append(row)
        except OSError as error:
            raise StoreError.of(error) from error
        return [Ended(self._chunks.popleft(), self._taken(), over=True)]

    def stop(self, grace_s: float) -> list[Ended]:  # noqa: ARG002 - what was at work has ended
        """Return the rows of the chunk that was interrupted."""
        return [Ended(self._chunks[0], self._taken())] if self._chunks else []

    def close(self) -> None:
        """Forget what is left."""
        self._chunks.clear()
        if self._worker is not None:
            self._worker.close()

    def _taken(self) -> tuple[Row, ...]:
        taken, self._news = tuple(self._news), []
        return taken
