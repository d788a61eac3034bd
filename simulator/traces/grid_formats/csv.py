"""Grid files whose columns the scenario names: CSV, plain or gzipped, or Parquet."""

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.formats import Glimpse
from simulator.grid_formats import grid_format
from simulator.traces.findings import Findings, counted
from simulator.traces.series_cells import SeriesCells
from simulator.traces.series_file import plain_cells
from simulator.traces.table_file import as_text, open_table, read_columns

if TYPE_CHECKING:
    from simulator.scenario.grid import GridFile

FILLED: Final = "filled"
"""Column of converted files: how a step without a value was filled, empty where it had one."""
_TIME: Final = re.compile(r"(?i)^(date|time|datetime|timestamp)\b|^timestamp_|^datetime")
_VALUE: Final = re.compile(r"(?i)g_per_kwh|carbon.?intensity|avg_?ci$|^ci$|moer")

_MARGINAL: Final = re.compile("marginal|moer", re.IGNORECASE)
"""Names of columns that hold no average."""


def time_and_value(glimpse: Glimpse) -> tuple[str | None, str | None]:
    """Return the columns of times and of intensities, as far as their names tell."""
    found = (
        next((name for name in glimpse.columns if pattern.search(name)), None)
        for pattern in (_TIME, _VALUE)
    )
    time, value = found
    return time, value


def _is_plain(glimpse: Glimpse) -> bool:
    return None not in time_and_value(glimpse)


@grid_format(
    "csv",
    recognises=_is_plain,
    takes=("where", "stamp", "time_zone", "factor"),
    needs=("time", "value", "unit"),
)
def csv(source: "GridFile", basis: str, findings: Findings) -> SeriesCells:
    """Read the columns that the scenario names."""
    if basis == "average" and _MARGINAL.search(source.value):
        findings.stop(
            f"{source.value} is a marginal intensity by its name, and is taken for an average "
            "here; give it as marginal (--marginal), or rename the column if it is none"
        )
    cells = plain_cells(source, "intensity", findings)
    _tell_filled(source, cells, findings)
    return cells


def _tell_filled(source: "GridFile", cells: SeriesCells, findings: Findings) -> None:
    """Warn of steps that were filled when the file was made."""
    file = open_table(source.path, findings)
    if FILLED not in file.names or source.value == FILLED:
        return
    marks = as_text(read_columns(file, [FILLED], findings)[FILLED])
    said = np.asarray(marks.to_pylist(), str)[cells.row - file.first_row]
    for how in sorted(set(said.tolist()) - {""}):
        count = counted(int((said == how).sum()), "step")
        findings.warn(f"{count} filled when the file was made: {how}")
