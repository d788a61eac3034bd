"""Writes jobs of any format as a file of our own columns."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.traces.jobs import JobTrace
from simulator.units import MS_PER_S

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

Writer = Callable[["pa.Table", Path], None]

_TEXT: Final = ("accelerator", "cluster", "user")


def table_of_jobs(trace: JobTrace) -> "pa.Table":
    """Return the jobs of a trace under our own names, in order of submission.

    Columns that the trace does not have are not there. Times are seconds since the trace's zero,
    or timestamps where it says dates.
    """
    import pyarrow as pa

    jobs = trace.jobs
    order = np.argsort(jobs.submit_ms, kind="stable")
    columns: dict[str, Any] = {
        "job_id": jobs.job_id.take(pa.array(order)),
        "submit_s": _times(jobs.submit_ms[order].astype(np.float64), trace.first_ms),
        "duration_s": _seconds(jobs.duration_ms[order]),
        "gpus": jobs.gpus[order],
    }
    if jobs.utilisation_given:
        columns["utilisation"] = jobs.utilisation[order]
    if jobs.requested_ms is not None:
        columns["requested_s"] = _seconds(jobs.requested_ms[order])
    if jobs.deadline_ms is not None:
        columns["deadline_s"] = _times(jobs.deadline_ms[order], trace.first_ms)
    if jobs.priority.any():
        columns["priority"] = jobs.priority[order]
    if jobs.preemptible is not None:
        columns["preemptible"] = jobs.preemptible[order]
    if jobs.fraction is not None:
        columns["fraction"] = jobs.fraction[order]
    for name in _TEXT:
        if (labels := getattr(jobs, name)) is not None:
            columns[name] = labels.take(pa.array(order))
    return pa.table(columns)


def writer_for(name: str) -> Writer | None:
    """Return what writes a file of that name: CSV, gzipped CSV or Parquet; None for others."""
    folded = name.casefold()
    for ending, writer in WRITERS.items():
        if folded.endswith(ending):
            return writer
    return None


def write_csv(table: "pa.Table", path: Path) -> None:
    """Write a table as CSV."""
    with path.open("wb") as file:
        _write_rows(table, file)


def write_csv_gz(table: "pa.Table", path: Path) -> None:
    """Write a table as gzipped CSV; the same table gives the same bytes."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as packed,
    ):
        _write_rows(table, packed)


def write_parquet(table: "pa.Table", path: Path) -> None:
    """Write a table as Parquet."""
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd", compression_level=1)


WRITERS: Final[dict[str, Writer]] = {
    ".csv": write_csv,
    ".csv.gz": write_csv_gz,
    ".parquet": write_parquet,
}
"""What writes a file, by the end of its name."""


def _write_rows(table: "pa.Table", file: Any) -> None:
    import pyarrow as pa
    import pyarrow.csv as pv

    file.write((",".join(table.column_names) + "\n").encode())
    written = {
        name: _iso(column) if pa.types.is_timestamp(column.type) else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    options = pv.WriteOptions(include_header=False, quoting_style="needed")
    pv.write_csv(pa.table(written), file, options)


def _iso(times: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow.compute as pc

    return pc.strftime(times, format="%Y-%m-%dT%H:%M:%SZ")


def _seconds(ms: "NDArray[np.float64]") -> "pa.Array":
    """Return milliseconds as seconds, null where missing; whole ones without a point."""
    import pyarrow as pa

    missing = np.isnan(ms)
    seconds = ms / MS_PER_S
    if (seconds[~missing] % 1 == 0).all():
        return pa.array(np.where(missing, 0, seconds).astype(np.int64), mask=missing)
    return pa.array(seconds, mask=missing)


def _times(ms: "NDArray[np.float64]", first_ms: int | None) -> "pa.Array":
    import pyarrow as pa

    if first_ms is None:
        return _seconds(ms)
    missing = np.isnan(ms)
    since_epoch = np.rint(np.where(missing, 0, ms)).astype(np.int64) + first_ms
    unit_ms = 1 if (since_epoch % MS_PER_S).any() else MS_PER_S
    unit = "s" if unit_ms == MS_PER_S else "ms"
    return pa.array(since_epoch // unit_ms, mask=missing).cast(pa.timestamp(unit, "UTC"))
