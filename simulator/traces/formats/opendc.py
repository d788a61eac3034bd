"""Workloads of the simulator OpenDC: the Parquet file ``tasks.parquet`` of a trace.

Columns are called as OpenDC's own reader knows them, in two generations. Fragments, which say how
busy a task is through time, are not read, nor are dependencies, nor deadlines, which are of
starts.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.traces.findings import Findings, counted
from simulator.traces.job_cells import JobCells, Sieve, kept, whole_accelerators
from simulator.traces.table_file import TableFile, numbers, open_table, read_columns
from simulator.units import MS_PER_S

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulator.scenario.workloads import JobFile

NAMES: Final = {
    "id": ("id",),
    "submission_time": ("submission_time", "submissionTime"),
    "duration": ("duration",),
    "cpu_count": ("cpu_count", "maxCores"),
    "gpu_count": ("gpu_count",),
}
"""What each column of tasks is called, the newer name first."""

_LEFT: Final = ("parents", "children", "deadline", "nature", "deferrable")


def _is_opendc(glimpse: Glimpse) -> bool:
    there = set(glimpse.columns)
    named = all(there & set(NAMES[key]) for key in ("id", "submission_time", "duration"))
    return glimpse.head.startswith(b"PAR1") and named and bool(there & set(NAMES["cpu_count"]))


@job_format("opendc", recognises=_is_opendc)
def opendc(
    file: "JobFile", findings: Findings, *, processors_per_accelerator: int | None = None
) -> JobCells:
    """Read the tasks.parquet of an OpenDC workload.

    Where the file counts GPUs these are the accelerators and tasks without are left out; where it
    does not, `processors_per_accelerator` CPUs make one.
    """
    opened = open_table(file.path, findings)
    if opened.form != "parquet":
        findings.stop(f'format = "opendc", and the file is {opened.form}; give tasks.parquet')
    named = _named(opened, findings)
    cells = read_columns(opened, list(named.values()), findings)
    rows = np.arange(1, cells.num_rows + 1, dtype=np.int64)
    counts = "gpu_count" in named
    counting = named["gpu_count" if counts else "cpu_count"]
    number = numbers(cells[counting], counting, rows, findings)
    duration_ms = numbers(_plain(cells[named["duration"]]), named["duration"], rows, findings)
    findings.check()
    gpus, odd = whole_accelerators(number / (1 if counts else processors_per_accelerator or 1))
    sieve = Sieve(len(rows))
    sieve.drop(np.nan_to_num(gpus) == 0, "no GPU" if counts else "no CPU")
    columns = {
        "job_id": ("id", cells["id"]),
        "submit_s": (named["submission_time"], _times(cells[named["submission_time"]])),
        "duration_s": ("duration", duration_ms / MS_PER_S),
        "gpus": (counting, gpus),
    }
    notes = list(_notes(opened, counts, processors_per_accelerator, odd & sieve.keep))
    return kept(columns, rows, sieve, opened.sha256, notes=notes)


def _named(opened: TableFile, findings: Findings) -> dict[str, str]:
    named = {
        key: found
        for key, names in NAMES.items()
        if (found := next((name for name in names if name in opened.names), None)) is not None
    }
    missing = [names[0] for key, names in NAMES.items() if key not in named and key != "gpu_count"]
    for name in missing:
        findings.refuse(f'no column "{name}"; the file has {", ".join(opened.names)}')
    findings.check()
    return named


def _plain(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return durations as numbers of milliseconds."""
    import pyarrow as pa

    if not pa.types.is_duration(column.type):
        return column
    return column.cast(pa.duration("ms"), safe=False).cast(pa.int64())


def _times(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return times in UTC; whole numbers are milliseconds since 1970."""
    import pyarrow as pa

    if pa.types.is_integer(column.type) or pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("ms"), safe=False).cast(pa.timestamp("ms", "UTC"))
    return column


def _notes(
    opened: TableFile,
    counts: bool,
    processors_per_accelerator: int | None,
    odd: "NDArray[np.bool_]",
) -> list[str]:
    notes = []
    if not counts and processors_per_accelerator is None:
        notes.append(
            "each CPU counts as one accelerator; set processors_per_accelerator for another measure"
        )
    if odd.any():
        notes.append(f"{counted(int(odd.sum()), 'job')} rounded up to whole accelerators")
    left = [name for name in _LEFT if name in opened.names]
    if left:
        notes.append(f"not read: {', '.join(left)}")
    return notes
