"""Reads jobs from a file of any format, checked row by row.

The reader of the format gives cells under the names of our columns (`simulator.job_formats`);
what these must keep to is checked here, for all formats alike. A column of timestamps may stand
for ``submit_s`` or ``deadline_s`` and then counts from the scenario's start, or from the `origin`
that the scenario names.
"""

import datetime as dt
import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.errors import InputError, Issue, shown
from simulator.job_formats import job_formats
from simulator.scenario.workloads import JOB_COLUMNS
from simulator.traces.findings import Findings, counted, instant
from simulator.traces.glimpse import format_of
from simulator.traces.job_cells import JobCells
from simulator.traces.job_columns import (
    JobColumns,
    accelerators,
    deadline,
    durations_ms,
    fraction,
    job_ids,
    labels,
    preemptible,
    priority,
    requested,
    utilisation,
    whole,
)
from simulator.traces.timestamps import epoch_ms, is_time

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulator.scenario.workloads import JobFile

_MISSPELT: Final = 0.85
"""Likeness from which an unused column is taken for a misspelt one."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class JobRows:
    """Jobs of one file as columns, in the order of the file; those after the horizon left out.

    Attributes
    ----------
    job_id : pyarrow.Array of string[jobs]
        Unique, not empty.
    submit_ms : int64[jobs]
        Time of submission since the scenario's start, in [0, horizon). [ms]
    duration_ms : float64[jobs]
        Not yet rounded. [ms]
    gpus : int32[jobs]
        At least 1.
    utilisation : float64[jobs]
        Busy share of the held accelerators, 0 to 1; 1 where the file does not say.
    utilisation_given : bool
        Whether the file has such a column.
    priority : int32[jobs]
        0 where the file does not say.
    priority_given : bool
        Whether the file has such a column.
    requested_ms : float64[jobs] or None
        The user's estimate of the duration; the duration where a cell is empty. [ms]
    deadline_ms : float64[jobs] or None
        Since the scenario's start; NaN where a cell is empty. [ms]
    accelerator, cluster : pyarrow.Array of string[jobs] or None
        Null where a cell is empty.
    preemptible : bool[jobs] or None
        False where a cell is empty.
    fraction : float64[jobs] or None
        Part of an accelerator asked for; NaN where a cell is empty.
    user : pyarrow.Array of string[jobs] or None
        Null where a cell is empty.
    dropped : tuple of (str, int)
        Jobs left out by the format's reader: why, and how many.
    notes : tuple of str
        What the format's reader assumed.
    sha256, file_sha256 : str
        Of the jobs as read, and of the file's bytes.
    warnings : tuple of str
    """

    job_id: "pa.Array"
    submit_ms: "NDArray[np.int64]"
    duration_ms: "NDArray[np.float64]"
    gpus: "NDArray[np.int32]"
    utilisation: "NDArray[np.float64]"
    utilisation_given: bool
    priority: "NDArray[np.int32]"
    priority_given: bool
    requested_ms: "NDArray[np.float64] | None"
    deadline_ms: "NDArray[np.float64] | None"
    accelerator: "pa.Array | None"
    cluster: "pa.Array | None"
    preemptible: "NDArray[np.bool_] | None"
    fraction: "NDArray[np.float64] | None"
    user: "pa.Array | None"
    dropped: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
    sha256: str
    file_sha256: str
    warnings: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.submit_ms)


def read_jobs(file: "JobFile", *, path: str, start: dt.datetime, horizon_ms: int) -> JobRows:
    """Read the jobs of a file.

    Parameters
    ----------
    file : JobFile
        The file and how its columns are called.
    path : str
        Dotted path in the scenario, e.g. ``"workloads.replay.jobs"``.
    start : datetime
        Start of the scenario, with its time zone.
    horizon_ms : int
        Jobs submitted at or after it are left out, with a warning. [ms]

    Raises
    ------
    InputError
        With every problem found in the file.
    """
    findings = Findings(file.text, path)
    found = cells_of(file, findings)
    origin_ms = _since_epoch(file.origin or start)
    columns = JobColumns(found.cells, found.named, found.rows, origin_ms, findings)
    jobs = _read(columns, found)
    _check_submit(columns, jobs.submit_ms, file.origin is not None)
    findings.check()
    _say_unread(found, file, findings)
    inside = _in_window(jobs.submit_ms, horizon_ms, findings)
    return replace(_only(jobs, inside), warnings=tuple(findings.warnings))


@dataclass(frozen=True, slots=True)
class JobTrace:
    """All jobs of a file that belongs to no scenario, and when it begins.

    Attributes
    ----------
    jobs : JobRows
        Submissions count from `first_ms` where the file says dates, else from its own zero.
    first_ms : int or None
        Instant of the first submission, since the Unix epoch; None without dates. [ms]
    beside : tuple of (str, str)
        Name and SHA-256 of further files that were read.
    """

    jobs: JobRows
    first_ms: int | None
    beside: tuple[tuple[str, str], ...]


def read_trace(file: "JobFile") -> JobTrace:
    """Read all jobs of a file, whatever the time they cover.

    Raises
    ------
    InputError
        With every problem found in the file.
    """
    findings = Findings(file.text, "")
    found = cells_of(file, findings)
    submit = found.cells[found.named["submit_s"]]
    first_ms = None
    if is_time(submit):
        times = epoch_ms(submit, found.named["submit_s"], found.rows, None, findings)
        first_ms = None if times is None else int(times.min())
    columns = JobColumns(found.cells, found.named, found.rows, first_ms or 0, findings)
    before = list(findings.problems)
    jobs = _read(columns, found)
    _check_submit(columns, jobs.submit_ms, with_origin=False)
    # A column of times that can't be told was found twice.
    findings.problems[:] = dict.fromkeys([*before, *findings.problems])
    findings.check()
    _say_unread(found, file, findings)
    return JobTrace(replace(jobs, warnings=tuple(findings.warnings)), first_ms, found.beside)


def cells_of(file: "JobFile", findings: Findings) -> JobCells:
    """Return the cells that the reader of a file's format gives, before they are checked.

    Raises
    ------
    InputError
        With every problem of form; where the file looks like another format, that is said first.
    """
    reader = job_formats()[file.format]
    try:
        found: JobCells = reader.read(file, findings, **file.options())
        findings.check()
    except InputError as error:
        other = format_of(file.path)
        if other is None or other == file.format:
            raise
        prefix = f"{file.text}: " if findings.path else ""
        looks = f'{prefix}looks like {other}; write format = "{other}"'
        raise InputError(error.source, [Issue(findings.path, looks), *error.issues]) from error
    if found.cells.num_rows == 0:
        left = "; ".join(f"{count:,} {reason}" for reason, count in found.dropped.items())
        findings.stop(f"no job is left: {left}")
    for reason, count in found.dropped.items():
        findings.warn(f"{counted(count, 'job')} left out: {reason}")
    for note in found.notes:
        findings.warn(note)
    return found


def _read(columns: JobColumns, found: JobCells) -> JobRows:
    """Read and check every column; problems go to the findings."""
    submit_ms = columns.since_start_ms("submit_s")
    duration_ms = durations_ms(columns)
    gpus = accelerators(columns)
    rows = JobRows(
        job_id=job_ids(columns),
        submit_ms=whole(submit_ms),
        duration_ms=duration_ms,
        gpus=gpus,
        utilisation=utilisation(columns),
        utilisation_given="utilisation" in columns,
        priority=priority(columns),
        priority_given="priority" in columns,
        requested_ms=requested(columns, duration_ms),
        deadline_ms=deadline(columns, submit_ms + duration_ms),
        accelerator=labels(columns, "accelerator"),
        cluster=labels(columns, "cluster"),
        preemptible=preemptible(columns),
        fraction=fraction(columns, gpus),
        user=labels(columns, "user"),
        dropped=tuple(found.dropped.items()),
        notes=found.notes,
        sha256="",
        file_sha256=found.sha256,
        warnings=(),
    )
    return replace(rows, sha256=_digest(rows))


def _say_unread(found: JobCells, file: "JobFile", findings: Findings) -> None:
    """Warn of columns that look misspelt.

    Only where the columns are the user's own: a public trace has what it has.
    """
    if "columns" not in job_formats()[file.format].options:
        return
    free = [key for key in JOB_COLUMNS if key not in found.named]
    for name in found.unread:
        near = difflib.get_close_matches(name.lower(), free, n=1, cutoff=_MISSPELT)
        if near:
            findings.warn(f"the column {shown(name)} is not read; did you mean '{near[0]}'?")


def _since_epoch(instant: dt.datetime) -> int:
    return (instant - _EPOCH) // dt.timedelta(milliseconds=1)


def _check_submit(columns: JobColumns, submit_ms: "NDArray[np.int64]", with_origin: bool) -> None:
    """Refuse times before the start; an origin says that earlier timestamps are left out."""
    early = submit_ms < 0
    timestamps = is_time(columns.cells[columns.named["submit_s"]])
    if with_origin and not timestamps:
        columns.findings.refuse(
            f"origin is for timestamps, and {columns.named['submit_s']} holds seconds; leave it out"
        )
    if not timestamps:
        columns.refuse("submit_s", early, "must not be negative")
    elif early.any() and not with_origin:
        first = instant(columns.origin_ms + int(submit_ms.min()))
        columns.refuse(
            "submit_s",
            early,
            f"lies before the scenario's start {instant(columns.origin_ms)} (the first job is "
            f"submitted at {first}: start then or earlier, or set origin, the instant of the "
            "file that falls on the start)",
        )


def _in_window(
    submit_ms: "NDArray[np.int64]", horizon_ms: int, findings: Findings
) -> "NDArray[np.bool_]":
    """Return which jobs are submitted within the run; warn of the others."""
    early, late = submit_ms < 0, submit_ms >= horizon_ms
    inside = ~(early | late)
    if not inside.any():
        when = "at or after the horizon" if late.all() else "before the origin or after the horizon"
        findings.warn(
            f"{'the only job arrives' if len(inside) == 1 else f'all {len(inside):,} jobs arrive'} "
            f"{when}, so nothing runs; check start, horizon and the unit of submit_s"
        )
        return inside
    for chosen, when in ((early, "before the origin"), (late, "at or after the horizon")):
        count = int(chosen.sum())
        arrive, are = ("arrives", "is") if count == 1 else ("arrive", "are")
        if count:
            findings.warn(f"{counted(count, 'job')} {arrive} {when} and {are} not simulated")
    return inside


def _only(rows: JobRows, keep: "NDArray[np.bool_]") -> JobRows:
    """Return the jobs of chosen rows."""
    if keep.all():
        return rows
    import pyarrow as pa

    chosen: dict[str, Any] = {
        name: values[keep] if isinstance(values, np.ndarray) else values.filter(pa.array(keep))
        for name, values in _filled_columns(rows)
    }
    return replace(rows, **chosen)


def _digest(rows: JobRows) -> str:
    """Return the SHA-256 of names and values of the columns, the same on every machine."""
    digest = hashlib.sha256()
    for name, values in _filled_columns(rows):
        digest.update(name.encode())
        if isinstance(values, np.ndarray):
            digest.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
        else:
            digest.update("\n".join(cell or "" for cell in values.to_pylist()).encode())
    return digest.hexdigest()


def _filled_columns(rows: JobRows) -> Iterator[tuple[str, Any]]:
    for column in fields(rows):
        values = getattr(rows, column.name)
        if values is not None and not isinstance(values, bool | str | tuple):
            yield column.name, values
