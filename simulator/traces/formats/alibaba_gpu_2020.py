"""Jobs of Alibaba's machine-learning platform, cluster-trace-gpu-v2020.

Two tables are needed, as the repository has them, without header rows: ``pai_job_table.csv``
says who submitted a job and when, ``pai_task_table.csv`` beside it what its tasks held and when
they ran.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.traces.findings import Findings, counted
from simulator.traces.job_cells import JobCells, Sieve, kept, whole_accelerators
from simulator.traces.table_file import as_text, numbers, open_rows, read_columns

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulator.scenario.workloads import JobFile

JOB_TABLE: Final = ("job_name", "inst_id", "user", "status", "start_time", "end_time")
TASK_TABLE: Final = (
    "job_name", "task_name", "inst_num", "status", "start_time", "end_time", "plan_cpu",
    "plan_mem", "plan_gpu", "gpu_type",
)  # fmt: skip
TASKS: Final = "pai_task_table.csv"
_PERCENT: Final = 100.0
_STATES: Final = {b"Running", b"Terminated", b"Failed", b"Waiting"}


def _is_job_table(glimpse: Glimpse) -> bool:
    if glimpse.columns == JOB_TABLE:
        return True
    fields = glimpse.head.split(b"\n", 1)[0].strip().split(b",")
    return len(fields) == len(JOB_TABLE) and fields[JOB_TABLE.index("status")] in _STATES


@job_format("alibaba-gpu-2020", recognises=_is_job_table, beside=(TASKS,))
def alibaba_gpu_2020(file: "JobFile", findings: Findings) -> JobCells:
    """Read pai_job_table.csv of Alibaba PAI 2020, with pai_task_table.csv beside it.

    A job runs from the start of its first task with GPUs to the end of its last, and holds what
    all of them planned; times are seconds from the trace's own zero.
    """
    jobs, rows, sha256 = _table(file.path, JOB_TABLE, ("job_name", "user", "start_time"), findings)
    beside = Findings(TASKS, findings.path)
    if not (file.path.parent / TASKS).is_file():
        findings.stop(f"needs {TASKS} in the same folder, which is not there")
    tasks, task_rows, task_sha256 = _table(
        file.path.parent / TASKS,
        TASK_TABLE,
        ("job_name", "inst_num", "start_time", "end_time", "plan_gpu"),
        beside,
    )
    submit = numbers(jobs["start_time"], "start_time", rows, findings)
    value = {
        name: numbers(tasks[name], name, task_rows, beside)
        for name in ("inst_num", "start_time", "end_time", "plan_gpu")
    }
    beside.check()
    findings.check()
    gpus, first, last = _held(jobs["job_name"], tasks["job_name"], value)
    whole, odd = whole_accelerators(gpus)
    sieve = Sieve(len(rows))
    sieve.drop(gpus == 0, "no task with a GPU")
    sieve.drop(np.isnan(submit), "no start_time in the job table")
    sieve.drop(np.isinf(first), "no task with a GPU started")
    sieve.drop(np.isinf(last), "a task with a GPU has no end_time")
    ran_s = np.subtract(last, first, out=np.zeros(len(rows)), where=sieve.keep)
    shared = int((odd & sieve.keep).sum())
    columns = {
        "job_id": ("job_name", jobs["job_name"]),
        "submit_s": ("start_time", submit),
        "duration_s": ("last end_time - first start_time", ran_s),
        "gpus": ("inst_num x plan_gpu", whole),
        "user": ("user", jobs["user"]),
    }
    notes = [f"{counted(shared, 'job')} rounded up to whole GPUs"] if shared else []
    return kept(columns, rows, sieve, sha256, beside=((TASKS, task_sha256),), notes=notes)


def _table(
    path: Path, names: tuple[str, ...], wanted: tuple[str, ...], findings: Findings
) -> tuple["pa.Table", "NDArray[np.int64]", str]:
    opened = open_rows(path, names, findings)
    cells = read_columns(opened, wanted, findings)
    rows = np.arange(cells.num_rows, dtype=np.int64) + opened.first_row
    return cells, rows, opened.sha256


def _held(
    jobs: "pa.ChunkedArray", tasks: "pa.ChunkedArray", value: dict[str, Any]
) -> tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]:
    """Return GPUs, first start and last end of each job; infinite where one is missing."""
    import pyarrow.compute as pc

    found = pc.index_in(as_text(tasks), as_text(jobs).combine_chunks()).fill_null(-1)
    owner = np.asarray(found).astype(np.int64)
    gpus = np.nan_to_num(value["inst_num"]) * np.nan_to_num(value["plan_gpu"]) / _PERCENT
    chosen = (owner >= 0) & (gpus > 0)
    owner, count = owner[chosen], len(jobs)
    starts, ends = value["start_time"][chosen], value["end_time"][chosen]
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, owner, np.where(np.isnan(starts), np.inf, starts))
    np.maximum.at(last, owner, np.where(np.isnan(ends), np.inf, ends))
    held = np.bincount(owner, gpus[chosen], count).astype(np.float64)
    return held, first, last
