"""Job files of our own columns as Parquet."""

from typing import TYPE_CHECKING

from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.scenario.workloads import REQUIRED_COLUMNS
from simulator.traces.findings import Findings
from simulator.traces.job_cells import JobCells
from simulator.traces.named_columns import named_cells

if TYPE_CHECKING:
    from simulator.scenario.workloads import JobFile


def _is_parquet(glimpse: Glimpse) -> bool:
    return glimpse.head.startswith(b"PAR1") and set(REQUIRED_COLUMNS) <= set(glimpse.columns)


@job_format("parquet", recognises=_is_parquet, endings=(".parquet", ".pq"))
def parquet(file: "JobFile", findings: Findings, *, columns: dict[str, str]) -> JobCells:
    """Read our own job columns from Parquet."""
    return named_cells(file, "parquet", columns, findings)
