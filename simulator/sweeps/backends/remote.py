"""The end of a cluster's worker: the same runs as everywhere, whoever brings the chunks."""

import pickle
import threading
from dataclasses import dataclass
from importlib.metadata import version

from simulator import __version__
from simulator.kernels.compile import source_hash
from simulator.sweeps import shards
from simulator.sweeps.rows import Row
from simulator.sweeps.work import Chunk, Work
from simulator.sweeps.worker import Worker
from simulator.version import MODEL_VERSION, SCHEMA_VERSION


class UnlikeError(Exception):
    """A worker has another version than the driver, so that its numbers may be others."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a worker is told once, before its first chunk.

    Attributes
    ----------
    versions : str
        Those of the driver.
    work : bytes
        The `Work`, packed: another version may not even be able to read it.
    """

    versions: str
    work: bytes

    @classmethod
    def of(cls, work: Work) -> "Invitation":
        """Return the invitation to a sweep."""
        return cls(versions(), pickle.dumps(work))


@dataclass(frozen=True, slots=True)
class Greeting:
    """Who a worker is.

    Attributes
    ----------
    pid : int
    owner : str
        What the names of its shards begin with.
    shards : frozenset of str
        Shards of that name that were there before: another sweep's, or an earlier session's.
    writes : bool
        Whether it sees the folder of the sweep.
    """

    pid: int
    owner: str
    shards: frozenset[str]
    writes: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a chunk.

    Attributes
    ----------
    rows : tuple of Row
    refusal : OSError or None
        Why a row could not be written; the chunk ended there.
    """

    rows: tuple[Row, ...]
    refusal: OSError | None = None


class Remote:
    """A worker of a cluster that works for one sweep.

    Parameters
    ----------
    invitation : Invitation

    Raises
    ------
    UnlikeError
        If it has other versions than the driver.
    ImportError
        If a module with a policy of the sweep isn't installed there.
    """

    def __init__(self, invitation: Invitation) -> None:
        if invitation.versions != versions():
            raise UnlikeError(f"it has {versions()}, and the driver has {invitation.versions}")
        work: Work = pickle.loads(invitation.work)
        self._worker = Worker(work, guarded=True)
        self._turn = threading.Lock()  # a process has one guard, and runs one chunk at a time
        self._folder = work.folder if self._worker.writes else None

    def greet(self) -> Greeting:
        """Return who this is."""
        owner = shards.owner()
        found = shards.shard_files(self._folder) if self._folder is not None else []
        before = frozenset(path.name for path in found if path.name.startswith(f"{owner}-"))
        return Greeting(int(owner.rpartition("-")[2]), owner, before, self._worker.writes)

    def run(self, chunk: Chunk) -> Answer:
        """Run the rows of a chunk in order."""
        rows: list[Row] = []
        with self._turn:
            try:
                for row in self._worker.run(chunk):
                    rows.append(row)  # noqa: PERF402 - those before a refusal are kept
            except OSError as error:
                return Answer(tuple(rows), error)
        return Answer(tuple(rows))

    def stop(self) -> None:
        """End after the run that is at work; begin none any more."""
        self._worker.stop()


def versions() -> str:
    """Return everything that numbers may depend on, in one line."""
    return (
        f"fleetsim {__version__} (model {MODEL_VERSION}, schema {SCHEMA_VERSION}, "
        f"kernels {source_hash()}), numba {version('numba')}"
    )
