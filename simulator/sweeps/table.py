"""The table of a sweep: one row per run, what it tried beside what came out."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.plans.plan import Plan
from simulator.sweeps.bases import COLUMNS as BASES
from simulator.sweeps.bases import basis_columns
from simulator.sweeps.ledger import Ledger
from simulator.sweeps.rows import DONE, FAILED, VALUES, Row
from simulator.tables import ROW_GROUP
from simulator.version import MODEL_VERSION, SCHEMA_VERSION

_LARGEST: Final = 2**63 - 1
"""The largest whole number of a column; policies may take larger ones."""
_MEANINGS: Final = {
    "row": ("1", "Number of the run in its sweep"),
    "point": ("1", "Number of the point: runs of one point differ in their seed alone"),
    "seed": ("1", "Root seed of every random stream"),
    **{
        column: ("-", f"What carbon by the {signal} signal stands on; null where it is absent")
        for column, signal in BASES.items()
    },
    "status": ("-", "done or failed; open where a sweep is not finished"),
    "error": ("-", "Why it failed"),
    "key": ("-", "Address of the run: hash of scenario, seed, inputs and versions"),
}


class OtherVersionError(Exception):
    """A table that another version made; its runs are to be run again."""


def results_table(plan: Plan, ledger: Ledger) -> pa.Table:
    """Return the rows of a sweep in their order, as Arrow.

    Columns: ``row, point``, one for each axis by its path, what carbon stands on
    (``basis_average, basis_marginal``), ``seed, status, error, key`` and every quantity of a run's
    summary. What an axis says is a number or text where all its values are; values that are
    tables stand as JSON.
    """
    count, per_point = len(ledger), len(plan.seeds)
    rows = np.arange(count)
    points = rows // per_point
    columns: dict[str, Any] = {
        "row": pa.array(rows, pa.int64()),
        "point": pa.array(points, pa.int64()),
    }
    for axis in plan.axes:
        values = _axis_column(plan.points.values(axis.path))
        columns[axis.path] = values.take(columns["point"])
    columns |= basis_columns(plan, columns["point"])
    columns["seed"] = pa.array(np.array(plan.seeds, dtype=np.int64)[rows % per_point])
    columns |= ledger.columns()
    fields = [pa.field(name, array.type, metadata=_told(name)) for name, array in columns.items()]
    versions = {"schema_version": str(SCHEMA_VERSION), "model_version": str(MODEL_VERSION)}
    schema = pa.schema(fields, metadata={"table": "sweep", "sweep": plan.digest, **versions})
    return pa.Table.from_arrays(list(columns.values()), schema=schema)


def write_results(table: pa.Table, path: Path) -> None:
    """Write the table as Parquet: the same table gives the same bytes."""
    pq.write_table(
        table,
        path,
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=1,
        write_page_checksum=True,
    )


def read_results(path: Path) -> pa.Table:
    """Return the table of a sweep.

    Raises
    ------
    OSError, ValueError, pyarrow.ArrowException
        If the file is damaged.
    OtherVersionError
        If it was made by a version with other columns.
    """
    table = pq.ParquetFile(path, page_checksum_verification=True).read()
    missing = {"row", "status", "error", "key", *(column.name for column in VALUES)}.difference(
        table.column_names
    )
    if missing:
        raise OtherVersionError(f"no column {', '.join(sorted(missing))}")
    return table


def fill(ledger: Ledger, table: pa.Table) -> None:
    """Put the finished and failed rows of a table into the ledger."""
    for row in rows_in(table):
        if row.at < len(ledger):
            ledger.put(row)


def rows_in(table: pa.Table) -> Iterator[Row]:
    """Yield the finished and failed rows of a table."""
    names = [column.name for column in VALUES]
    for batch in table.select(["row", "status", "error", "key", *names]).to_batches(5000):
        columns = [column.to_pylist() for column in batch.columns]
        for at, status, error, key, *values in zip(*columns, strict=True):
            if status == DONE:
                yield Row(at, DONE, key, tuple(values))
            elif status == FAILED:
                yield Row(at, FAILED, key, error=error)


def _axis_column(values: list[Any]) -> pa.Array:
    """Return what an axis says at each point, as one type."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {str} or kinds <= {bool}:
        return pa.array(values)
    if kinds <= {int} and all(value is None or abs(value) <= _LARGEST for value in values):
        return pa.array(values, pa.int64())
    if kinds <= {int, float} and float in kinds:
        numbers = [None if value is None else float(value) for value in values]
        return pa.array(numbers, pa.float64())
    return pa.array([None if value is None else text_of(value) for value in values], pa.string())


def text_of(value: Any) -> str:
    """Return what an axis says, where its values are no numbers of one type: as JSON, or dates."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _told(name: str) -> dict[str, str]:
    """Return unit and meaning of a column."""
    for column in VALUES:
        if column.name == name:
            return {"unit": column.unit, "description": column.meaning}
    unit, meaning = _MEANINGS.get(name, ("-", "What the point says at this path"))
    return {"unit": unit, "description": meaning}
