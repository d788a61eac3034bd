"""Where the runs of a sweep are carried out: one file for each kind of place."""

from typing import Protocol

from simulator.sweeps.work import Chunk, Ended, Work


class Backend(Protocol):
    """A place that runs chunks. It decides nothing: what to run again is the driver's matter."""

    workers: int
    """Chunks that run at the same time."""

    def start(self, work: Work) -> None:
        """Make ready for the chunks of one sweep."""

    def submit(self, chunk: Chunk) -> None:
        """Take a chunk; up to twice as many as there are workers."""

    def wait(self, timeout_s: float) -> list[Ended]:
        """Return what has become of chunks, waiting for the first news. [s]"""

    def stop(self, grace_s: float) -> list[Ended]:
        """End after the runs that are at work, or by force after a while; return the news."""

    def close(self) -> None:
        """Let go of every process, at once."""
