"""Small grid and job files for the tests of the readers, and how they are opened."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.errors import InputError
from simulator.scenario.grid import GridFile
from simulator.scenario.workloads import JobFile
from simulator.traces.grid import GridTrace, open_grid
from simulator.traces.jobs import JobRows, read_jobs
from simulator.units import MS_PER_D, MS_PER_H

NEW_YEAR = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
NEW_YEAR_MS = 1_640_995_200_000
"""2022-01-01T00:00Z since the Unix epoch. [ms]"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def hours(
    values: Sequence[object], *, first: dt.datetime = NEW_YEAR, step_ms: int = MS_PER_H
) -> list[str]:
    """Return rows of a grid file, one step after the other."""
    step = dt.timedelta(milliseconds=step_ms)
    return [
        f"{(first + k * step).isoformat().replace('+00:00', 'Z')},{value}"
        for k, value in enumerate(values)
    ]


def grid_text(rows: Sequence[str], header: str = "time,ci") -> str:
    return "\n".join([header, *rows]) + "\n"


def grid_source(path: Path, **keys: Any) -> GridFile:
    said = {
        "text": path.name,
        "path": path,
        "time": "time",
        "value": "ci",
        "unit": "g/kWh",
        "where": {},
        "stamp": "start",
        "time_zone": None,
    }
    return GridFile.model_construct(**{**said, **keys})


def opened(
    path: Path,
    *,
    start: dt.datetime = NEW_YEAR,
    end_ms: int = 3 * MS_PER_H,
    after_end: Any = "error",
    gaps: Any = "error",
    at: str = "sites.oregon.grid.average",
    **keys: Any,
) -> GridTrace:
    """Open a grid file for a run of three hours from New Year 2022, unless said."""
    return open_grid(
        grid_source(path, **keys),
        start=start,
        end_ms=end_ms,
        after_end=after_end,
        gaps=gaps,
        path=at,
    )


def job_source(path: Path, **keys: Any) -> JobFile:
    form = "parquet" if path.suffix == ".parquet" else "csv"
    said = {"text": path.name, "path": path, "format": form, "columns": {}, "origin": None}
    return JobFile.model_construct(**{**said, **keys})


def jobs_of(
    path: Path, *, start: dt.datetime = NEW_YEAR, horizon_ms: int = 28 * MS_PER_D, **keys: Any
) -> JobRows:
    """Read a job file for a run of 28 days from New Year 2022, unless said."""
    return read_jobs(
        job_source(path, **keys), path="workloads.replay.jobs", start=start, horizon_ms=horizon_ms
    )


def messages(error: InputError) -> list[str]:
    return [issue.message for issue in error.issues]
