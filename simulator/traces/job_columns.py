"""Columns of a job file: each read into its unit and checked row by row."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.errors import shown
from simulator.traces.findings import Findings, counted, row_list
from simulator.traces.table_file import as_text, is_text, numbers
from simulator.traces.timestamps import epoch_ms, is_time
from simulator.units import MS_PER_S

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_LARGEST_MS: Final = 2.0**53
"""Longest time that is exact in a float; longer ones are refused. [ms]"""

_INT32: Final = np.iinfo(np.int32)
_TRUTH: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class JobColumns:
    """Columns of a job file under the names of a scenario.

    Attributes
    ----------
    cells : pyarrow.Table
        The columns as the file has them.
    named : dict
        The file's name of each column that was found.
    rows : int64[jobs]
        Row of each job in the file.
    origin_ms : int
        Instant that timestamps count from, since the Unix epoch. [ms]
    findings : Findings
    """

    cells: "pa.Table"
    named: dict[str, str]
    rows: "NDArray[np.int64]"
    origin_ms: int
    findings: Findings

    def __contains__(self, key: str) -> bool:
        return key in self.named

    def numbers(self, key: str, default: float | None = None) -> "NDArray[np.float64]":
        """Return numbers; an empty cell takes the default, or is refused where there is none."""
        name = self.named[key]
        values = numbers(self.cells[name], name, self.rows, self.findings)
        empty = np.isnan(values)
        # A cell that holds no number was refused already and must not be called empty too.
        blank = empty & np.asarray(_is_blank(self.cells[name]).fill_null(True))
        if default is None and blank.any():
            self.findings.refuse(f"{name} is empty in {row_list(self.rows[blank])}")
        elif blank.any():
            said = "none" if np.isnan(default or 0.0) else f"{default:g}"
            self.findings.warn(
                f"{name} is empty in {counted(int(blank.sum()), 'row')}; {said} is taken"
            )
        return np.where(empty, np.nan if default is None else default, values)

    def since_start_ms(self, key: str, default: float | None = None) -> "NDArray[np.float64]":
        """Return times since the scenario's start, from seconds or from timestamps. [ms]."""
        name = self.named[key]
        if not is_time(self.cells[name]):
            since_ms = self.numbers(key, default) * MS_PER_S
            self.refuse(key, np.abs(since_ms) > _LARGEST_MS, "is too far from the start")
            return since_ms
        times = epoch_ms(self.cells[name], name, self.rows, None, self.findings)
        if times is None:
            return np.full(len(self.rows), np.nan)
        return (times - self.origin_ms).astype(np.float64)

    def refuse(self, key: str, bad: "NDArray[np.bool_]", rule: str) -> None:
        """Refuse the rows where a column breaks a rule, showing the first value."""
        if bad.any():
            at = int(np.argmax(bad))
            said = self.cells[self.named[key]][at].as_py()
            said = int(said) if isinstance(said, float) and said.is_integer() else said
            text = shown(said).strip('"')
            found = f": {text}" if text and said is not None else ""
            self.findings.refuse(f"{self.named[key]} {rule}{found} in {row_list(self.rows[bad])}")


def durations_ms(columns: JobColumns) -> "NDArray[np.float64]":
    """Return the run time of each job, not negative. [ms]."""
    duration_ms = columns.numbers("duration_s") * MS_PER_S
    columns.refuse("duration_s", duration_ms < 0, "must not be negative")
    columns.refuse("duration_s", duration_ms > _LARGEST_MS, "is too long")
    return duration_ms


def job_ids(columns: JobColumns) -> "pa.Array":
    """Return the identifiers, none empty and no two equal."""
    import pyarrow.compute as pc

    name = columns.named["job_id"]
    ids = _one_array(as_text(columns.cells[name]))
    columns.refuse("job_id", np.asarray(pc.equal(ids, "")), "must not be empty")
    codes = pc.dictionary_encode(ids).indices.to_numpy()
    again = np.flatnonzero(np.bincount(codes) > 1)
    if len(again):
        same = codes == again[0]
        others = (
            f", and {counted(len(again) - 1, 'other id')} more than once" if len(again) > 1 else ""
        )
        columns.findings.refuse(
            f"{name} must be unique: {shown(ids[int(np.argmax(same))].as_py())} stands in "
            f"{row_list(columns.rows[same])}{others}"
        )
    return ids


def accelerators(columns: JobColumns) -> "NDArray[np.int32]":
    """Return the accelerators of each job, whole and at least 1."""
    gpus = columns.numbers("gpus")
    broken = gpus % 1 != 0
    columns.refuse(
        "gpus",
        broken & ~np.isnan(gpus),
        "must be whole accelerators; a part of one is 1 with a column fraction",
    )
    columns.refuse("gpus", (gpus < 1) & ~broken, "must be at least 1")
    columns.refuse("gpus", gpus > _INT32.max, "is too many")
    return whole(np.minimum(gpus, _INT32.max)).astype(np.int32)


def utilisation(columns: JobColumns) -> "NDArray[np.float64]":
    """Return the busy share of each job; 1 where the file does not say."""
    if "utilisation" not in columns:
        return np.ones(len(columns.rows))
    values = columns.numbers("utilisation", default=1.0)
    columns.refuse("utilisation", (values < 0) | (values > 1), "must be a share from 0 to 1")
    return values


def priority(columns: JobColumns) -> "NDArray[np.int32]":
    """Return the priority of each job; 0 where the file does not say."""
    if "priority" not in columns:
        return np.zeros(len(columns.rows), np.int32)
    values = columns.numbers("priority", default=0.0)
    bad = (values % 1 != 0) | (np.abs(values) > _INT32.max)
    columns.refuse("priority", bad, f"must be a whole number from {-_INT32.max} to {_INT32.max}")
    return np.where(bad, 0, values).astype(np.int32)


def requested(
    columns: JobColumns, duration_ms: "NDArray[np.float64]"
) -> "NDArray[np.float64] | None":
    """Return the user's estimates of the duration, if the file has them. [ms]."""
    if "requested_s" not in columns:
        return None
    requested_ms = columns.numbers("requested_s", default=np.nan) * MS_PER_S
    columns.refuse("requested_s", requested_ms < 0, "must not be negative")
    nothing = (requested_ms == 0) & (duration_ms > 0)
    columns.refuse("requested_s", nothing, "must be above 0 for a job that takes time")
    short = int((requested_ms < duration_ms).sum())
    if short:
        columns.findings.warn(f"{counted(short, 'job')} ran longer than requested")
    return np.where(np.isnan(requested_ms), duration_ms, requested_ms)


def deadline(
    columns: JobColumns, earliest_ms: "NDArray[np.float64]"
) -> "NDArray[np.float64] | None":
    """Return the deadlines since the scenario's start, if the file has them. [ms]."""
    if "deadline_s" not in columns:
        return None
    deadline_ms = columns.since_start_ms("deadline_s", default=np.nan)
    # In whole milliseconds: 17 digits of a sum of seconds are no reason to refuse.
    early = np.rint(deadline_ms) < np.rint(earliest_ms)
    columns.refuse("deadline_s", early, "lies before submit + duration")
    return deadline_ms


def preemptible(columns: JobColumns) -> "NDArray[np.bool_] | None":
    """Return which jobs may be interrupted, if the file says so."""
    if "preemptible" not in columns:
        return None
    text = [
        cell.lower() for cell in as_text(columns.cells[columns.named["preemptible"]]).to_pylist()
    ]
    bad = np.array([cell != "" and cell not in _TRUTH for cell in text], bool)
    columns.refuse("preemptible", bad, "must be true or false")
    return np.array([_TRUTH.get(cell, False) for cell in text], bool)


def fraction(columns: JobColumns, gpus: "NDArray[np.int32]") -> "NDArray[np.float64] | None":
    """Return the part of an accelerator that each job asks for, if the file says so."""
    if "fraction" not in columns:
        return None
    values = columns.numbers("fraction", default=np.nan)
    columns.refuse("fraction", (values <= 0) | (values > 1), "must be above 0 and at most 1")
    part = (values < 1) & (gpus > 1)
    columns.refuse("fraction", part, "must be 1 for a job of several accelerators")
    return values


def labels(columns: JobColumns, key: str) -> "pa.Array | None":
    """Return a column of names, null where a cell is empty, if the file has it."""
    if key not in columns:
        return None
    import pyarrow as pa
    import pyarrow.compute as pc

    text = as_text(columns.cells[columns.named[key]])
    return _one_array(pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text))


def whole(values: "NDArray[np.float64]") -> "NDArray[np.int64]":
    """Return values as the nearest integers; what is refused becomes 0 or the largest one."""
    return np.rint(np.clip(np.nan_to_num(values), -_LARGEST_MS, _LARGEST_MS)).astype(np.int64)


def _one_array(column: "pa.ChunkedArray") -> "pa.Array":
    whole_column = column.combine_chunks()
    # Older versions of pyarrow keep a column of one chunk chunked.
    return getattr(whole_column, "chunk", lambda _: whole_column)(0)


def _is_blank(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_text(column.type):
        return pc.match_substring_regex(column, r"^\s*(?i:nan)?\s*$")
    if pa.types.is_floating(column.type):
        return pc.or_kleene(column.is_null(), pc.is_nan(column))
    return column.is_null()
