"""What a worker is given: the sweep it works for, and chunks of rows to run."""

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from simulator.scenario import Scenario
    from simulator.sweeps.rows import Row

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where there is no room left."""


class WorkerError(Exception):
    """Processes that runs need can't be had."""


class ChangedError(OSError):
    """A file that runs read is no longer what it was when they began."""


class StoreError(Exception):
    """What is found out must be written, and the disk refuses."""

    @classmethod
    def of(cls, error: OSError, folder: Path | None = None) -> "StoreError":
        """Return the error in words for people: the reason, the place and what is free there.

        Parameters
        ----------
        error : OSError
        folder : Path, optional
            Named where the error names no file.
        """
        if isinstance(error, ChangedError):
            return cls(str(error))
        place = error.filename or folder
        words = os.strerror(error.errno) if error.errno is not None else str(error)
        words += f": {place}" if place else ""
        with suppress(OSError):
            if place is not None and error.errno in _FULL:
                near = Path(os.fsdecode(place))
                free = shutil.disk_usage(near if near.is_dir() else near.parent).free
                words += f" ({free:,} bytes are free there)"
        return cls(words)


@dataclass(frozen=True, slots=True)
class Work:
    """What every chunk of a sweep shares.

    Attributes
    ----------
    bases : tuple of Scenario
        The scenarios whose values the points replace.
    sweep : str
        Digest of the sweep.
    folder : Path or None
        Folder of the sweep, where workers write their shards; None where nothing is written.
    token : str
        What the folder's own file says: a worker of another machine that doesn't find it there
        sends its rows back instead of writing them.
    point_timeout_s : float or None
        A run that takes longer is ended with its process. [s]
    plugins : tuple of str
        Modules whose policies the bases know; a worker imports them.
    files : mapping of Path to str
        SHA-256 that the files which runs read must have.
    """

    bases: tuple["Scenario", ...]
    sweep: str
    folder: Path | None = None
    token: str = ""
    point_timeout_s: float | None = None
    plugins: tuple[str, ...] = ()
    files: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a chunk: what it changes, and the rows that are wanted of it.

    Attributes
    ----------
    changes : dict
        New values by dotted path.
    rows : tuple of (at, seed)
    base : int
        Which of the bases it changes.
    """

    changes: dict[str, Any]
    rows: tuple[tuple[int, int], ...]
    base: int = 0


def runs_by_point(
    rows: Sequence[int], seeds: Sequence[int]
) -> dict[int, tuple[tuple[int, int], ...]]:
    """Return the rows of each point, with their seeds, where every point meets the same seeds.

    Row ``r`` is of point ``r // len(seeds)``, with seed ``seeds[r % len(seeds)]``.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for at in rows:
        point, seed = divmod(at, len(seeds))
        found.setdefault(point, []).append((at, seeds[seed]))
    return {point: tuple(runs) for point, runs in found.items()}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that one worker runs in order.

    Attributes
    ----------
    points : tuple of Point
    kept : frozenset of int
        Rows whose whole results are kept in the folder.
    kept_only : bool
        Whether the rows stand in the store already and only their results are wanted.
    fresh : bool
        Whether to run also what the folder is said to hold already.
    """

    points: tuple[Point, ...]
    kept: frozenset[int] = frozenset()
    kept_only: bool = False
    fresh: bool = False

    @property
    def rows(self) -> tuple[int, ...]:
        """Numbers of the rows in order."""
        return tuple(at for point in self.points for at, _ in point.rows)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a backend tells of a chunk: rows that are finished, and how it ended, if it did.

    Attributes
    ----------
    chunk : Chunk
    rows : tuple of Row
        Finished since the last time.
    over : bool
        Whether the chunk has ended, whole or not.
    death : str or None
        Why its process ended before the chunk did.
    hopeless : bool
        Whether it would end so again, as a run that took too long.
    in_order : bool
        Whether all finished rows are known, so that the first that isn't was at work.
    written : bool
        Whether the worker wrote the rows itself.
    """

    chunk: Chunk
    rows: tuple["Row", ...] = ()
    over: bool = False
    death: str | None = None
    hopeless: bool = False
    in_order: bool = True
    written: bool = True
