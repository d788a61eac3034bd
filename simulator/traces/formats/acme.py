"""Job tables of Shanghai AI Lab's Acme clusters, ``trace_seren.csv`` and ``trace_kalos.csv``.

The column ``duration`` counts from the start in one table and from the submission in the other,
so run times are taken from the times of start and end.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.traces.findings import Findings
from simulator.traces.job_cells import JobCells, Sieve, kept
from simulator.traces.local_times import as_timestamps
from simulator.traces.table_file import as_text, has_columns, numbers, open_table, read_columns
from simulator.traces.timestamps import epoch_ms
from simulator.units import MS_PER_S

if TYPE_CHECKING:
    from simulator.scenario.workloads import JobFile

READ: Final = ("job_id", "user", "gpu_num", "submit_time", "start_time", "end_time")
_ZONE: Final = "Asia/Shanghai"
"""Only so that times of several offsets may stand in one column; every time has its own."""


def _is_acme(glimpse: Glimpse) -> bool:
    return {*READ, "type", "gpu_time"} <= set(glimpse.columns)


@job_format("acme", recognises=_is_acme)
def acme(file: "JobFile", findings: Findings) -> JobCells:
    """Read trace_seren.csv or trace_kalos.csv of Shanghai AI Lab Acme 2023."""
    import pyarrow as pa

    opened = open_table(file.path, findings)
    has_columns(opened, READ, findings)
    findings.check()
    cells = read_columns(opened, READ, findings)
    rows = np.arange(cells.num_rows, dtype=np.int64) + opened.first_row
    gpus = numbers(cells["gpu_num"], "gpu_num", rows, findings)
    sieve = Sieve(len(rows))
    sieve.drop(gpus == 0, "no GPU")
    for name, reason in (("start_time", "never started"), ("end_time", "no end_time")):
        sieve.drop(np.asarray(as_text(cells[name])) == "", reason)
    findings.check()
    there = sieve.keep
    found = {}
    for name in ("submit_time", "start_time", "end_time"):
        told = cells[name].filter(pa.array(there))
        found[name] = np.zeros(len(rows), np.int64)
        if there.any():
            times = epoch_ms(told, name, rows[there], _ZONE, findings)
            found[name][there] = 0 if times is None else times
    findings.check()
    run_s = (found["end_time"] - found["start_time"]) / MS_PER_S
    columns = {
        "job_id": ("job_id", cells["job_id"]),
        "submit_s": ("submit_time", as_timestamps(found["submit_time"])),
        "duration_s": ("end_time - start_time", run_s),
        "gpus": ("gpu_num", gpus),
        "user": ("user", cells["user"]),
    }
    return kept(columns, rows, sieve, opened.sha256)
