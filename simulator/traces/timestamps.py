"""Timestamps of files, as milliseconds since the Unix epoch; local time ends here.

Accepted are ISO 8601 times with ``Z`` or an offset, times without one where their zone is known,
and whole seconds since the epoch. A local hour that does not exist is refused; one that occurs
twice is told apart by its order in the file.
"""

import datetime as dt
import re
import zoneinfo
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.errors import listing, nearest, shown
from simulator.traces.findings import Findings, row_list
from simulator.traces.table_file import is_text
from simulator.units import MS_PER_MIN, MS_PER_S

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_ZONED: Final = r"[T ]\d\d.*?(?P<offset>Z|[+-]\d\d(?::?\d\d)?)$"
_QUARTER_MS: Final = 15 * MS_PER_MIN
_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - local clocks carry no zone
_LATEST_EPOCH_S: Final = 1e11
"""Seconds since the epoch in the year 5138; larger numbers are milliseconds. [s]"""


class _TimesError(ValueError):
    """The times of a column cannot be told; the message says why."""


def epoch_ms(
    column: "pa.ChunkedArray",
    name: str,
    rows: "NDArray[np.int64]",
    time_zone: str | None,
    findings: Findings,
) -> "NDArray[np.int64] | None":
    """Return a column of timestamps as milliseconds since the Unix epoch.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Text, timestamps, dates or whole seconds since the epoch.
    name : str
        Name of the column; one that says "utc" makes times without an offset UTC.
    rows : int64[cells]
        Row of each cell in the file, for messages.
    time_zone : str or None
        Zone of times without an offset, e.g. ``"Europe/Berlin"``.
    findings : Findings
        Takes the problems.

    Returns
    -------
    int64[cells] or None
        None if the times cannot be told; the problem is among the findings. [ms]
    """
    before = len(findings.problems)
    try:
        times = _read(column, name, rows, time_zone, findings)
    except _TimesError as error:
        findings.refuse(str(error))
        return None
    return times if len(findings.problems) == before else None


def is_time(column: "pa.ChunkedArray") -> bool:
    """Return whether a column holds timestamps rather than numbers, by its type or first cell."""
    import pyarrow as pa

    kind = column.type
    if is_text(kind):
        return re.match(r"\s*\d{4}-\d\d", column[0].as_py() or "") is not None
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def local_to_utc(
    local_ms: "NDArray[np.int64]", time_zone: str
) -> tuple["NDArray[np.int64]", "NDArray[np.int64]"]:
    """Return the instants of local clock times, for their first and their second occurrence.

    Both are equal but where the clock is put back (the second is later) and where it is put
    forward (the time does not exist, and the "second" is earlier).

    Parameters
    ----------
    local_ms : int64[times]
        Local clock times, as milliseconds since 1970-01-01T00:00 on that clock. [ms]
    time_zone : str
        Name in the IANA database.

    Returns
    -------
    int64[times], int64[times]
        Milliseconds since the Unix epoch. [ms]
    """
    zone = zoneinfo.ZoneInfo(time_zone)
    # Clocks change at whole quarters of an hour, so each quarter has one offset.
    quarters, at = np.unique(local_ms // _QUARTER_MS, return_inverse=True)
    clock = [_EPOCH + dt.timedelta(milliseconds=int(q) * _QUARTER_MS) for q in quarters]
    first, second = (
        np.array([_offset_ms(time.replace(tzinfo=zone, fold=fold)) for time in clock], np.int64)
        for fold in (0, 1)
    )
    return local_ms - first[at], local_ms - second[at]


def _read(
    column: "pa.ChunkedArray",
    name: str,
    rows: "NDArray[np.int64]",
    time_zone: str | None,
    findings: Findings,
) -> "NDArray[np.int64]":
    import pyarrow as pa

    kind = column.type
    if column.null_count:
        empty = np.asarray(column.is_null())
        raise _TimesError(f"{name} is empty in {row_list(rows[empty])}")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_seconds(column.cast(pa.float64(), safe=False), name, rows)
    if pa.types.is_timestamp(kind) and kind.tz:
        return _milliseconds(column)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _from_local(_milliseconds(column), name, rows, time_zone, findings)
    if is_text(kind):
        return _from_text(column, name, rows, time_zone, findings)
    raise _TimesError(f"{name} is a column of {kind}, not of timestamps")


def _offset_ms(time: dt.datetime) -> int:
    return (time.utcoffset() or dt.timedelta()) // dt.timedelta(milliseconds=1)


def _milliseconds(column: "pa.ChunkedArray") -> "NDArray[np.int64]":
    import pyarrow as pa

    times = column.cast(pa.timestamp("ms", getattr(column.type, "tz", None)), safe=False)
    values: NDArray[np.int64] = times.cast(pa.int64()).to_numpy()
    return values


def _from_seconds(
    seconds: "pa.ChunkedArray", name: str, rows: "NDArray[np.int64]"
) -> "NDArray[np.int64]":
    values: NDArray[np.float64] = seconds.to_numpy()
    bad = ~(np.abs(values) < _LATEST_EPOCH_S)
    if bad.any():
        raise _TimesError(
            f"{name} is no number of seconds since 1970 in {row_list(rows[bad])}; "
            "write whole seconds, or ISO 8601 times",
        )
    return np.rint(values * MS_PER_S).astype(np.int64)


def _from_text(
    column: "pa.ChunkedArray",
    name: str,
    rows: "NDArray[np.int64]",
    time_zone: str | None,
    findings: Findings,
) -> "NDArray[np.int64]":
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(column)
    empty = np.asarray(pc.equal(text, ""))
    if empty.any():
        raise _TimesError(f"{name} is empty in {row_list(rows[empty])}")
    if pc.all(pc.match_substring_regex(text, r"^-?\d+$")).as_py():
        return _from_seconds(text.cast(pa.float64()), name, rows)
    zoned = np.asarray(pc.match_substring_regex(text, _ZONED))
    if zoned.any() and not zoned.all():
        raise _TimesError(
            f"{name} carries a UTC offset in some rows and none in {row_list(rows[~zoned])}; "
            "write all of them with Z",
        )
    parsed = _parsed(text, name, rows, zone="UTC" if zoned.all() else None)
    if not zoned.all():
        return _from_local(parsed, name, rows, time_zone, findings)
    offsets = pc.unique(pc.struct_field(pc.extract_regex(text, _ZONED), "offset")).to_pylist()
    if time_zone is None and len({offset.replace("+00:00", "Z") for offset in offsets}) > 1:
        raise _TimesError(
            f"{name} mixes UTC offsets ({listing(sorted(offsets))}); write all times with Z; "
            'a grid or weather file may name its zone instead, e.g. time_zone = "Europe/Berlin"',
        )
    return parsed


def _parsed(
    text: "pa.ChunkedArray", name: str, rows: "NDArray[np.int64]", zone: str | None
) -> "NDArray[np.int64]":
    import pyarrow as pa

    kind = pa.timestamp("us", zone)
    try:
        return _milliseconds(text.cast(kind))
    except pa.ArrowInvalid:
        bad = np.array([not _is_time_text(cell, kind) for cell in text], bool)
    said = text[int(np.argmax(bad))].as_py()
    raise _TimesError(
        f"{name} is no ISO 8601 time in {row_list(rows[bad])}: {shown(said)}; "
        "write it as 2022-01-31T13:00:00Z",
    )


def _is_time_text(cell: "pa.Scalar", kind: "pa.DataType") -> bool:
    import pyarrow as pa

    try:
        cell.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _from_local(
    local_ms: "NDArray[np.int64]",
    name: str,
    rows: "NDArray[np.int64]",
    time_zone: str | None,
    findings: Findings,
) -> "NDArray[np.int64]":
    if time_zone is None and "utc" in re.split(r"[^a-z]+", name.lower()):
        return local_ms
    if time_zone is None:
        raise _TimesError(
            f"{name} carries no UTC offset; write the times with Z; a grid or weather file may "
            'name its zone instead, e.g. time_zone = "Europe/Berlin"',
        )
    try:
        first, second = local_to_utc(local_ms, time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = nearest(time_zone, sorted(zoneinfo.available_timezones()))
        hint = f"; did you mean '{near}'?" if near else "; write it as Europe/Berlin"
        raise _TimesError(f"{shown(time_zone)} is not the name of a time zone{hint}") from error
    absent = second < first
    if absent.any():
        findings.refuse(
            f"{name} holds a local time that does not exist in {time_zone}, where the clock is "
            f"put forward, in {row_list(rows[absent])}; write the times with Z"
        )
    return _in_order_of_occurrence(local_ms, (first, second), name, rows, findings)


def _in_order_of_occurrence(
    local_ms: "NDArray[np.int64]",
    occurrences: tuple["NDArray[np.int64]", "NDArray[np.int64]"],
    name: str,
    rows: "NDArray[np.int64]",
    findings: Findings,
) -> "NDArray[np.int64]":
    """Take a repeated local time as its first occurrence, then as its second."""
    first, second = occurrences
    twice = np.flatnonzero(second > first)
    times = first.copy()
    if len(twice) == 0:
        return times
    _, at, counts = np.unique(local_ms[twice], return_inverse=True, return_counts=True)
    alone = counts[at] != 2
    if alone.any():
        findings.refuse(
            f"{name} holds a local time that occurs twice, where the clock is put back, and the "
            f"file does not hold it twice, in {row_list(rows[twice[alone]])}; "
            "write the times with Z"
        )
    order = np.argsort(at, kind="stable")
    later = twice[order[1::2]] if not alone.any() else twice[:0]
    times[later] = second[later]
    return times
