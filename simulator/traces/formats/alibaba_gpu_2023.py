"""Pods of Alibaba's GPU cluster, ``openb_pod_list_*.csv`` of cluster-trace-gpu-v2023."""

from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.traces.findings import Findings, counted
from simulator.traces.job_cells import JobCells, Sieve, kept
from simulator.traces.table_file import has_columns, numbers, open_table, read_columns

if TYPE_CHECKING:
    from simulator.scenario.workloads import JobFile

READ: Final = (
    "name", "num_gpu", "gpu_milli", "creation_time", "deletion_time", "scheduled_time",
)  # fmt: skip
_WHOLE_MILLI: Final = 1000


def _is_pod_list(glimpse: Glimpse) -> bool:
    return set(READ) <= set(glimpse.columns)


@job_format("alibaba-gpu-2023", recognises=_is_pod_list)
def alibaba_gpu_2023(file: "JobFile", findings: Findings) -> JobCells:
    """Read an openb_pod_list_*.csv of the Alibaba GPU cluster 2023.

    Times are seconds from the trace's own zero. A pod that takes a part of a GPU asks for that
    part where a cluster shares its accelerators, and holds a whole one elsewhere.
    """
    opened = open_table(file.path, findings)
    has_columns(opened, READ, findings)
    findings.check()
    cells = read_columns(opened, READ, findings)
    rows = np.arange(cells.num_rows, dtype=np.int64) + opened.first_row
    value = {name: numbers(cells[name], name, rows, findings) for name in READ if name != "name"}
    findings.check()
    sieve = Sieve(len(rows))
    sieve.drop(value["num_gpu"] == 0, "no GPU")
    sieve.drop(np.isnan(value["scheduled_time"]), "never scheduled")
    sieve.drop(np.isnan(value["deletion_time"]), "no deletion_time")
    shared = int(((value["gpu_milli"] < _WHOLE_MILLI) & sieve.keep).sum())
    columns = {
        "job_id": ("name", cells["name"]),
        "submit_s": ("creation_time", value["creation_time"]),
        "duration_s": (
            "deletion_time - scheduled_time", value["deletion_time"] - value["scheduled_time"],
        ),
        "gpus": ("num_gpu", value["num_gpu"]),
        "fraction": ("gpu_milli / 1000", value["gpu_milli"] / _WHOLE_MILLI),
    }  # fmt: skip
    notes = []
    if shared:
        pods = counted(shared, "pod")
        notes = [f"{pods} asked for a part of a GPU; held is a whole one where none is shared"]
    return kept(columns, rows, sieve, opened.sha256, notes=notes)
