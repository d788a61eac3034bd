"""Jobs of a file as cells under our own names, as a format's reader returns them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class JobCells:
    """Jobs of a file, not yet checked.

    Attributes
    ----------
    cells : pyarrow.Table
        Text, numbers or times, under the file's own names.
    named : dict
        The file's name of each of our columns that it has.
    rows : int64[jobs]
        Line, row or place of each job in the file, for messages.
    sha256 : str
        Of the file's bytes.
    beside : tuple of (str, str)
        Name and SHA-256 of further files that were read.
    unread : tuple of str
        Columns of the file that were not read, where names are the user's own.
    dropped : dict of str to int
        Jobs left out by the reader, by reason.
    notes : tuple of str
        What the reader assumed.
    """

    cells: "pa.Table"
    named: dict[str, str]
    rows: "NDArray[np.int64]"
    sha256: str
    beside: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Sieve:
    """Which rows of a trace are kept, and why the others are not.

    A row that several reasons speak against counts for the first.

    Parameters
    ----------
    count : int
        Rows of the trace.
    """

    def __init__(self, count: int) -> None:
        self.keep = np.ones(count, bool)
        self.dropped: dict[str, int] = {}

    def drop(self, bad: "NDArray[np.bool_]", reason: str) -> None:
        """Leave out rows, for a reason."""
        count = int((bad & self.keep).sum())
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count
            self.keep &= ~bad


def kept(
    columns: Mapping[str, tuple[str, Any]],
    rows: "NDArray[np.int64]",
    sieve: Sieve,
    sha256: str,
    *,
    beside: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
) -> JobCells:
    """Return the jobs that a sieve keeps.

    Parameters
    ----------
    columns : mapping of str to (str, array)
        For each of our columns what the file calls it, and its cells.
    rows : int64[rows]
        Place of each row in the file.
    sieve : Sieve
    sha256, beside, notes
        As in `JobCells`.
    """
    import pyarrow as pa

    names = {key: name for key, (name, _) in columns.items()}
    cells = pa.table(dict(columns.values()))
    if not sieve.keep.all():
        cells = cells.filter(pa.array(sieve.keep))
        rows = rows[sieve.keep]
    return JobCells(
        cells,
        names,
        rows,
        sha256,
        beside=tuple(beside),
        dropped=dict(sieve.dropped),
        notes=tuple(notes),
    )


def whole_accelerators(
    gpus: "NDArray[np.float64]",
) -> tuple["NDArray[np.float64]", "NDArray[np.bool_]"]:
    """Return accelerators rounded up to whole ones, and which were not whole."""
    up = np.ceil(np.round(gpus, 6))
    return up, up != np.round(gpus, 6)
