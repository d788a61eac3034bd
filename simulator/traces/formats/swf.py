"""The Standard Workload Format of the Parallel Workloads Archive: 18 numbers a line.

Field by field: job number, submit time, wait time, run time, allocated processors, average CPU
time, used memory, requested processors, requested time, requested memory, status, user, group,
executable, queue, partition, preceding job, think time. -1 stands for what is not known; lines
that begin with a semicolon are comments, of which the header tells when the log begins.
"""

import re
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from simulator.errors import shown
from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.traces.findings import Findings, counted
from simulator.traces.job_cells import JobCells, Sieve, kept, whole_accelerators
from simulator.traces.table_file import open_text
from simulator.units import MS_PER_S

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulator.scenario.workloads import JobFile

FIELDS: Final = 18
LINES_LISTED: Final = 10
"""Malformed lines that a message lists before it counts the others."""

_JOB, _SUBMIT, _RUN, _ALLOCATED, _PROCESSORS, _REQUESTED, _STATUS, _USER = 0, 1, 3, 4, 7, 8, 10, 11
_PARTS: Final = (2, 3, 4)
"""Status of lines that tell of one part of a job that was stopped and resumed."""

_UNIX_START: Final = re.compile(rb"^;\s*UnixStartTime:\s*(\d+)", re.MULTILINE)
_NUMBER: Final = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def _is_swf(glimpse: Glimpse) -> bool:
    lines = glimpse.head.splitlines()
    data = next((line.split() for line in lines[:-1] or lines if _is_data(line)), [])
    return len(data) == FIELDS and all(_NUMBER.fullmatch(field) for field in data)


@job_format("swf", recognises=_is_swf, endings=(".swf", ".swf.gz"))
def swf(
    file: "JobFile", findings: Findings, *, processors_per_accelerator: int | None = None
) -> JobCells:
    """Read a log in the Standard Workload Format.

    A job's processors are those allocated, or where these are not known those requested. The
    format counts no accelerators: `processors_per_accelerator` of them make one.
    """
    content, sha256 = open_text(file.path, findings)
    fields, rows = _fields(content, findings)
    sieve = Sieve(len(rows))
    allocated = fields[:, _ALLOCATED]
    processors = np.where(allocated > 0, allocated, fields[:, _PROCESSORS])
    sieve.drop(np.isin(fields[:, _STATUS], _PARTS), "part of a job that has a line of its own")
    sieve.drop(fields[:, _SUBMIT] == -1, "no submit time")
    sieve.drop(fields[:, _RUN] == -1, "no run time: it never ran, or nobody noted it")
    sieve.drop((processors == 0) | (processors == -1), "no processors")
    per = processors_per_accelerator or 1
    gpus, odd = whole_accelerators(processors / per)
    requested = fields[:, _REQUESTED]
    columns: dict[str, tuple[str, Any]] = {
        "job_id": ("job number", _whole_text(fields[:, _JOB])),
        "submit_s": ("submit time", _submit(fields[:, _SUBMIT], content, file)),
        "duration_s": ("run time", fields[:, _RUN]),
        "gpus": ("processors", gpus),
    }
    if (requested > 0).any():
        columns["requested_s"] = "requested time", _known(requested, requested > 0)
    if (fields[:, _USER] >= 0).any():
        columns["user"] = "user", _whole_text(fields[:, _USER], fields[:, _USER] >= 0)
    return kept(
        columns,
        rows,
        sieve,
        sha256,
        notes=list(_notes(processors_per_accelerator, odd & sieve.keep)),
    )


def _notes(processors_per_accelerator: int | None, odd: "NDArray[np.bool_]") -> Iterator[str]:
    if processors_per_accelerator is None:
        yield (
            "each processor counts as one accelerator; set processors_per_accelerator for another "
            "measure"
        )
    elif odd.any():
        yield f"{counted(int(odd.sum()), 'job')} rounded up to whole accelerators"


def _fields(
    content: bytes, findings: Findings
) -> tuple["NDArray[np.float64]", "NDArray[np.int64]"]:
    """Return the numbers of all lines, float64[lines, 18], and the number of each line."""
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # A column more than there are fields, so that longer lines are seen.
            table = pd.read_csv(
                BytesIO(content),
                sep=r"\s+",
                comment=";",
                header=None,
                names=list(range(FIELDS + 1)),
                dtype=np.float64,
                index_col=False,
            )
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning):
        _refuse_lines(content, findings)
    values = table.to_numpy()
    fields: NDArray[np.float64] = np.ascontiguousarray(values[:, :FIELDS])
    if len(fields) == 0:
        findings.stop("no line of 18 fields; the file holds comments only")
    if np.isfinite(values[:, FIELDS]).any() or not np.isfinite(fields).all():
        _refuse_lines(content, findings)
    return fields, _line_numbers(content, len(fields))


def _line_numbers(content: bytes, count: int) -> "NDArray[np.int64]":
    """Return the number of each line of data, from 1."""
    lines = content.split(b"\n")
    first = next(at for at, line in enumerate(lines) if _is_data(line))
    if len(lines) - first == count:
        return np.arange(first + 1, first + 1 + count, dtype=np.int64)
    return np.array([at for at, line in enumerate(lines, 1) if _is_data(line)], np.int64)


def _is_data(line: bytes) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith(b";")


def _refuse_lines(content: bytes, findings: Findings) -> NoReturn:
    """Refuse the file with every malformed line, the first ten one by one."""
    count = 0
    for number, line in enumerate(content.split(b"\n"), 1):
        if not _is_data(line):
            continue
        fault = _fault(line.split(b";", 1)[0].split())
        if fault:
            count += 1
            if count <= LINES_LISTED:
                findings.refuse(f"row {number} {fault}")
    if count > LINES_LISTED:
        findings.refuse(f"{counted(count - LINES_LISTED, 'more row')} malformed")
    findings.stop("each row needs 18 numbers, -1 for those that are not known")


def _fault(fields: list[bytes]) -> str:
    if len(fields) != FIELDS:
        return f"has {counted(len(fields), 'field')} in place of {FIELDS}"
    for place, field in enumerate(fields, 1):
        if not _NUMBER.fullmatch(field):
            return f"field {place} is not a number: {shown(field.decode())}"
        if not np.isfinite(float(field)):
            return f"field {place} is too large: {shown(field.decode())}"
    return ""


def _submit(
    submit_s: "NDArray[np.float64]", content: bytes, file: "JobFile"
) -> "pa.Array | NDArray[np.float64]":
    """Return seconds since the log's zero; timestamps where an origin asks and the header tells."""
    import pyarrow as pa

    start = _UNIX_START.search(content)
    if file.origin is None or start is None:
        return submit_s
    since_epoch_ms = np.rint((int(start.group(1)) + submit_s) * MS_PER_S).astype(np.int64)
    return pa.array(since_epoch_ms).cast(pa.timestamp("ms", "UTC"))


def _whole_text(
    numbers: "NDArray[np.float64]", known: "NDArray[np.bool_] | None" = None
) -> "pa.Array":
    import pyarrow as pa

    mask = None if known is None else ~known
    return pa.array(numbers.astype(np.int64), mask=mask).cast(pa.string())


def _known(numbers: "NDArray[np.float64]", known: "NDArray[np.bool_]") -> "pa.Array":
    import pyarrow as pa

    return pa.array(numbers, mask=~known)
