"""Job files of our own columns, in a CSV or a Parquet file, under names that may be mapped."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from simulator.errors import nearest, shown
from simulator.scenario.workloads import JOB_COLUMNS, REQUIRED_COLUMNS
from simulator.traces.findings import Findings
from simulator.traces.job_cells import JobCells
from simulator.traces.table_file import TableFile, has_columns, open_table, read_columns

if TYPE_CHECKING:
    from simulator.scenario.workloads import JobFile


def named_cells(
    file: "JobFile", form: Literal["csv", "parquet"], columns: dict[str, str], findings: Findings
) -> JobCells:
    """Read the columns of jobs that a file has, and those that it must have.

    Parameters
    ----------
    file : JobFile
    form : str
        What the file must be.
    columns : dict of str to str
        The file's names for columns that are called otherwise.
    findings : Findings

    Raises
    ------
    InputError
        If the file is no such table, or lacks a column.
    """
    opened = open_table(file.path, findings)
    if form != opened.form:
        findings.stop(f'format = "{form}", and the file is {opened.form}')
    named = _named(opened, columns, findings)
    findings.check()
    cells = read_columns(opened, list(named.values()), findings)
    rows = np.arange(cells.num_rows, dtype=np.int64) + opened.first_row
    unread = tuple(name for name in opened.names if name not in named.values())
    return JobCells(cells, named, rows, opened.sha256, unread=unread)


def _named(opened: TableFile, columns: dict[str, str], findings: Findings) -> dict[str, str]:
    """Return the name in the file of each column that is there or must be there."""
    for key in columns:
        if key not in JOB_COLUMNS:
            near = nearest(key, JOB_COLUMNS)
            hint = f"did you mean '{near}'?" if near else f"there are {', '.join(JOB_COLUMNS)}"
            findings.refuse(f"columns maps {shown(key)}, which is no column of jobs; {hint}")
    named = {key: columns.get(key, key) for key in JOB_COLUMNS}
    wanted = {
        key: name
        for key, name in named.items()
        if key in REQUIRED_COLUMNS or key in columns or name in opened.names
    }
    has_columns(opened, list(wanted.values()), findings)
    return wanted
