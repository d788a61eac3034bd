"""Laws given by a column of a file."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.scenario.laws import Empirical
from simulator.traces.findings import Findings, row_list
from simulator.traces.table_file import has_columns, numbers, open_table, read_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sample:
    """An empirical law whose column has been read: its values, each equally likely.

    Attributes
    ----------
    values : float64[n]
        Sorted, at least one, in the house unit of what the law gives.
    text, sha256 : str
        The file as the scenario names it, and the digest of the values.
    """

    values: "NDArray[np.float64]"
    text: str = ""
    sha256: str = ""


def read(law: Empirical, path: str = "") -> Sample:
    """Read the column that an empirical law names.

    Parameters
    ----------
    law : Empirical
    path : str
        Dotted path of the law in the scenario, for messages.

    Raises
    ------
    InputError
        If the file or the column cannot be read, or a cell is empty, no number or negative.
    """
    findings = Findings(law.text, path)
    file = open_table(law.path, findings)
    has_columns(file, [law.column], findings)
    findings.check()
    table = read_columns(file, [law.column], findings)
    rows = np.arange(file.first_row, file.first_row + table.num_rows)
    values = numbers(table.column(0), law.column, rows, findings)
    findings.check()
    for fault, bad in (("is empty", np.isnan(values)), ("is negative", values < 0.0)):
        if bad.any():
            findings.refuse(
                f"{law.column} {fault} in {row_list(rows[bad])}; "
                "give each row a number of at least 0, or take the row out"
            )
    findings.check()
    in_order = np.sort(values) * law.factor
    digest = hashlib.sha256(in_order.astype("<f8").tobytes()).hexdigest()
    return Sample(in_order, law.text, digest)
