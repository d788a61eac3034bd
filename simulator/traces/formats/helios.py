"""Job tables of SenseTime's Helios clusters, ``cluster_log.csv``."""

from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.traces.findings import Findings
from simulator.traces.job_cells import JobCells, Sieve, kept
from simulator.traces.local_times import as_timestamps, clock_ms, instants
from simulator.traces.table_file import as_text, has_columns, numbers, open_table, read_columns

if TYPE_CHECKING:
    from simulator.scenario.workloads import JobFile

TIME_ZONE: Final = "Asia/Shanghai"
"""Of times that the trace gives without a zone; the clusters stand in China."""

READ: Final = ("job_id", "user", "gpu_num", "submit_time", "start_time", "duration")


def _is_helios(glimpse: Glimpse) -> bool:
    return {*READ, "vc", "node_num", "queue"} <= set(glimpse.columns)


@job_format("helios", recognises=_is_helios)
def helios(file: "JobFile", findings: Findings, *, time_zone: str | None = None) -> JobCells:
    """Read a cluster_log.csv of SenseTime Helios 2020."""
    opened = open_table(file.path, findings)
    has_columns(opened, READ, findings)
    findings.check()
    cells = read_columns(opened, READ, findings)
    rows = np.arange(cells.num_rows, dtype=np.int64) + opened.first_row
    gpus = numbers(cells["gpu_num"], "gpu_num", rows, findings)
    started = np.asarray(as_text(cells["start_time"])) != ""
    submit = clock_ms(as_text(cells["submit_time"]).to_pylist(), "submit_time", rows, findings)
    findings.check()
    sieve = Sieve(len(rows))
    sieve.drop(gpus == 0, "no GPU")
    sieve.drop(~started, "never started")
    columns = {
        "job_id": ("job_id", cells["job_id"]),
        "submit_s": ("submit_time", as_timestamps(instants(submit, time_zone or TIME_ZONE))),
        "duration_s": ("duration", cells["duration"]),
        "gpus": ("gpu_num", gpus),
        "user": ("user", cells["user"]),
    }
    notes = [] if time_zone else [f"times are read as {TIME_ZONE}; time_zone says otherwise"]
    return kept(columns, rows, sieve, opened.sha256, notes=notes)
