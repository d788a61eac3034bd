"""Local times of traces that name no zone, as instants."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.errors import shown
from simulator.traces.findings import Findings, row_list
from simulator.traces.timestamps import local_to_utc

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_CLOCK: Final = re.compile(r"NaT|\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?")
NOT_A_TIME: Final = np.iinfo(np.int64).min
"""Stands for a time that is missing. [ms]"""


def clock_ms(
    texts: Sequence[str | None], name: str, rows: "NDArray[np.int64]", findings: Findings
) -> "NDArray[np.int64]":
    """Return times of a clock, since 1970-01-01T00:00 on that clock; `NOT_A_TIME` where missing.

    Parameters
    ----------
    texts : sequence of str or None
        As ``2017-10-07 01:11:39``; None, "None" and an empty text are missing.
    name : str
        What the file calls them, for messages.
    rows : int64[times]
        Place of each in the file.
    findings : Findings
        Takes texts that are no times.
    """
    plain = ["NaT" if text is None or text in ("", "None") else str(text) for text in texts]
    good = np.array([_CLOCK.fullmatch(text) is not None for text in plain], bool)
    if good.all():
        try:
            return np.array(plain, "datetime64[ms]").astype(np.int64)
        except ValueError:
            good = np.array([_is_time(text) for text in plain], bool)
    said = shown(plain[int(np.argmin(good))])
    findings.refuse(f"{name} is no time in {row_list(rows[~good])}: {said}")
    return np.full(len(plain), NOT_A_TIME)


def instants(clock: "NDArray[np.int64]", time_zone: str) -> "NDArray[np.int64]":
    """Return the instants of times of a local clock, since the Unix epoch. [ms].

    An hour that the clock shows twice is taken as the second, in standard time; one that it never
    shows as if it had not been put forward.
    """
    known = clock != NOT_A_TIME
    found = np.full(len(clock), NOT_A_TIME)
    if known.any():
        found[known] = np.maximum(*local_to_utc(clock[known], time_zone))
    return found


def as_timestamps(epoch_ms: "NDArray[np.int64]") -> "pa.Array":
    """Return instants as a column of timestamps, null where missing."""
    import pyarrow as pa

    missing = epoch_ms == NOT_A_TIME
    times = pa.array(epoch_ms, mask=missing if missing.any() else None)
    return times.cast(pa.timestamp("ms", "UTC"))


def _is_time(text: str) -> bool:
    try:
        np.datetime64(text, "ms")
    except ValueError:
        return False
    return True
