"""Carbon traces of the simulator OpenDC: Parquet with ``timestamp`` and ``carbon_intensity``.

Timestamps are instants, or milliseconds since 1970; intensities are g/kWh. The file says neither
what its factors hold nor whose generation it counts.
"""

from typing import TYPE_CHECKING

import numpy as np

from simulator.formats import Glimpse
from simulator.grid_formats import grid_format
from simulator.traces.findings import Findings
from simulator.traces.series_cells import SeriesCells
from simulator.traces.table_file import has_columns, numbers, open_table, read_columns
from simulator.traces.timestamps import epoch_ms

if TYPE_CHECKING:
    import pyarrow as pa

    from simulator.scenario.grid import GridFile

TIME = "timestamp"
VALUE = "carbon_intensity"


def _is_opendc(glimpse: Glimpse) -> bool:
    return glimpse.head.startswith(b"PAR1") and {TIME, VALUE} <= set(glimpse.columns)


@grid_format("opendc", recognises=_is_opendc, takes=("factor",))
def opendc(source: "GridFile", basis: str, findings: Findings) -> SeriesCells:  # noqa: ARG001
    """Read the carbon trace of an OpenDC experiment."""
    file = open_table(source.path, findings)
    if file.form != "parquet":
        findings.stop(f'format = "opendc", and the file is {file.form}; give its Parquet file')
    if not has_columns(file, (TIME, VALUE), findings):
        findings.check()
    table = read_columns(file, (TIME, VALUE), findings)
    rows = np.arange(table.num_rows, dtype=np.int64) + file.first_row
    values = numbers(table[VALUE], VALUE, rows, findings)
    times = epoch_ms(_instants(table[TIME]), TIME, rows, None, findings)
    if times is None:
        findings.check()
        raise AssertionError
    return SeriesCells(times, values, rows, file.sha256, f"column {VALUE} in g/kWh")


def _instants(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return times as instants: whole numbers are milliseconds, times without a zone are UTC."""
    import pyarrow as pa

    if pa.types.is_integer(column.type):
        return column.cast(pa.int64()).cast(pa.timestamp("ms", "UTC"))
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        return column.cast(pa.timestamp("ms"), safe=False).cast(pa.timestamp("ms", "UTC"))
    return column
