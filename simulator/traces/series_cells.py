"""What a reader takes out of a file of a series: instants and values, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from simulator.errors import listing, nearest, shown
from simulator.traces.findings import Findings

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SeriesCells:
    """One series as it stands in a file.

    Attributes
    ----------
    times_ms : int64[rows]
        Timestamps, since the Unix epoch. [ms]
    values : float64[rows]
        In the house unit, NaN where a cell is empty.
    row : int64[rows]
        Row of each in the file, for messages.
    file_sha256 : str
        Of the file's bytes.
    what : str
        What was read, in words, e.g. ``"column ci in g/kWh"``.
    stamp : str
        Whether a timestamp is the ``"start"`` or the ``"end"`` of its step.
    filtered : bool
        Whether rows were chosen among those of several series.
    step_ms : int or None
        Length of a step, where the file says it. [ms]
    """

    times_ms: "NDArray[np.int64]"
    values: "NDArray[np.float64]"
    row: "NDArray[np.int64]"
    file_sha256: str
    what: str
    stamp: Literal["start", "end"] = "start"
    filtered: bool = False
    step_ms: int | None = None


def rows_of_region(
    names: Sequence[Sequence[str]], wanted: str, what: str, findings: Findings
) -> "NDArray[np.bool_]":
    """Return which rows belong to the region that is wanted, or to the only one there is.

    Parameters
    ----------
    names : sequence of columns of texts
        What the file calls the region of each row; any of them may be said.
    wanted : str
        Empty where nothing is said.
    what : str
        What the file calls a region, e.g. ``"zone"``.
    findings : Findings

    Raises
    ------
    InputError
        If there is no such region, or several and none is wanted.
    """
    columns = [np.asarray(column, str) for column in names]
    known = [sorted(set(column.tolist())) for column in columns]
    if not wanted:
        if len(known[0]) > 1:
            findings.stop(
                f"holds {len(known[0])} {what}s, {listing(known[0])}; choose one: region = "
                f'"{known[0][0]}"'
            )
        return np.ones(len(columns[0]), bool)
    chosen = np.zeros(len(columns[0]), bool)
    for column in columns:
        chosen |= column == wanted
    if not chosen.any():
        near = nearest(wanted, [name for column in known for name in column])
        meant = f"; did you mean '{near}'?" if near else ""
        findings.stop(f"no {what} {shown(wanted)}; the file has {listing(known[0])}{meant}")
    return chosen
