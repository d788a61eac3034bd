"""Result tables: built from columns, checked against the registry, written and read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulator.columns import RARE_TABLES, SUMMARY, TABLES, Column, columns_of
from simulator.rare_columns import SUPPLY_SUMMARY
from simulator.version import MODEL_VERSION, SCHEMA_VERSION

ROW_GROUP: Final = 1 << 18
"""Rows that are encoded at a time; fixed, so that the bytes are."""

ARROW_TYPES: Final = {
    "text": pa.string(),
    "category": pa.dictionary(pa.int16(), pa.string()),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "time": pa.timestamp("ms", tz="UTC"),
}


class Tables(Mapping[str, pa.Table]):
    """Result tables by name, each made when it is first asked for.

    A summary needs none of them, and they take as long to make as a small run takes to simulate.

    Parameters
    ----------
    makers : mapping of str to callable
        What makes each table.
    """

    __slots__ = ("_made", "_makers")

    def __init__(self, makers: Mapping[str, Callable[[], pa.Table]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, pa.Table] = {}

    def __getitem__(self, name: str) -> pa.Table:
        table = self._made.get(name)
        if table is None:
            table = self._made[name] = self._makers[name]()
        return table

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __reduce__(self) -> tuple[type[dict[str, pa.Table]], tuple[dict[str, pa.Table]]]:
        """Go to another process as the tables themselves."""
        return dict, (dict(self),)


def table_of(name: str, columns: Mapping[str, NDArray[Any] | pa.Array]) -> pa.Table:
    """Return a result table made of columns, checked against the registry.

    Parameters
    ----------
    name : str
        ``jobs``, ``hourly``, ``nodes`` or ``supply``.
    columns : mapping of str to array
        Every column of the table, in any order and of one length. NaN in a column that may be
        absent becomes null. Times are UTC milliseconds since 1970, or datetime64.

    Raises
    ------
    ValueError
        If a column is missing, unknown, of another type, or absent where it may not be.
    """
    registry = columns_of(name, columns)
    _check_names(f"table {name!r}", registry, columns)
    arrays = [_arrow(name, column, columns[column.name]) for column in registry]
    return pa.Table.from_arrays(arrays, schema=schema_of(name, columns))


def summary_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the summary in the order of the registry, as plain numbers, text and None.

    Raises
    ------
    ValueError
        If a key is missing or unknown, or absent (None, NaN) where it may not be.

    Notes
    -----
    Keys of supply may be missing, as they are in files of runs without: they are None.
    """
    values = {column.name: None for column in SUPPLY_SUMMARY} | dict(values)
    _check_names("the summary", SUMMARY, values)
    return {column.name: _plain(column, values[column.name]) for column in SUMMARY}


def schema_of(name: str, columns: Iterable[str] = ()) -> pa.Schema:
    """Return the Arrow schema of a table with these columns, with unit and meaning of each."""
    fields = [
        pa.field(
            column.name,
            ARROW_TYPES[column.type],
            nullable=column.nullable,
            metadata={"unit": column.unit, "description": column.meaning},
        )
        for column in columns_of(name, columns)
    ]
    versions = {"schema_version": str(SCHEMA_VERSION), "model_version": str(MODEL_VERSION)}
    return pa.schema(fields, metadata={"table": name, **versions})


def write_table(
    table: pa.Table, name: str, path: Path, basis: Mapping[str, str] | None = None
) -> None:
    """Write a table as Parquet: the same table gives the same bytes.

    What its carbon stands on goes into the metadata, each part of the basis as ``basis_...``.

    Only categories are dictionary-encoded: hardly a number of a job repeats. Level 1 writes
    five million jobs in 1.4 s; level 3 takes half as long again to save 3 % of the bytes.
    """
    pq.write_table(
        with_basis(table, basis or {}),
        path,
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=1,
        use_dictionary=[
            column.name for column in (TABLES | RARE_TABLES)[name] if column.type == "category"
        ],
        write_page_checksum=True,
    )


def with_basis(table: pa.Table, basis: Mapping[str, str]) -> pa.Table:
    """Return a table whose metadata says what its carbon stands on."""
    said = {f"basis_{key}".encode(): text.encode() for key, text in basis.items()}
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **said})


def read_table(name: str, path: Path) -> pa.Table:
    """Return a table that `write_table` wrote.

    Raises
    ------
    ValueError
        If its columns are not those of the registry.
    OSError, pyarrow.ArrowException
        If the file is damaged.
    """
    table = pq.ParquetFile(path, page_checksum_verification=True).read()
    return table_of(name, dict(zip(table.column_names, table.columns, strict=True)))


def numbers_of(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a column of numbers as an array of its own, NaN where it is absent.

    By its buffers: `to_numpy` imports pandas, which takes longer than to read a folder.
    """
    chunks = [_numbers(chunk) for chunk in column.chunks]
    return np.concatenate([np.empty(0), *chunks])


def codes_of(column: pa.ChunkedArray, names: Iterable[str]) -> NDArray[np.int64]:
    """Return the place of each value of a category among names, -1 where it is none of them."""
    places = {name: at for at, name in enumerate(names)}
    codes = [np.empty(0, np.int64)]
    for chunk in column.chunks:
        known = np.array([places.get(word, -1) for word in chunk.dictionary.to_pylist()], np.int64)
        codes.append(known[_values(chunk.indices)])
    return np.concatenate(codes)


def _numbers(chunk: pa.Array) -> NDArray[np.float64]:
    values = _values(chunk).astype(np.float64)
    if chunk.null_count:
        bits = np.frombuffer(chunk.buffers()[0], np.uint8)
        there = np.unpackbits(bits, bitorder="little")[chunk.offset : chunk.offset + len(chunk)]
        values[there == 0] = np.nan
    return values


def _values(chunk: pa.Array) -> NDArray[Any]:
    """Return the values of numbers in one piece, whatever where they are absent."""
    kind = np.dtype(str(chunk.type).replace("double", "float64"))
    values: NDArray[Any] = np.frombuffer(chunk.buffers()[1], kind)
    return values[chunk.offset : chunk.offset + len(chunk)]


def _check_names(what: str, registry: Iterable[Column], given: Iterable[str]) -> None:
    known, found = [column.name for column in registry], set(given)
    missing = [name for name in known if name not in found]
    unknown = sorted(found.difference(known))
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}")
    if unknown:
        raise ValueError(f"{what} has no column {', '.join(unknown)}; see simulator.columns")


def _arrow(table: str, column: Column, values: NDArray[Any] | pa.Array) -> pa.Array:
    where = f"{table}.{column.name}"
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else _wrap(values)
    try:
        array = _category(array) if column.type == "category" else array
        kind = ARROW_TYPES[column.type]
        array = array if array.type == kind else array.cast(kind)  # a cast is slow to import
    except pa.ArrowException as error:
        raise ValueError(f"{where} must be {column.type}: {error}") from error
    if array.null_count and not column.nullable:
        raise ValueError(f"{where} is absent in {array.null_count} rows; it may not be")
    return array


def _category(array: pa.Array) -> pa.Array:
    """Return text as one dictionary of its values and a small code for each row."""
    if not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    indices = array.indices
    indices = indices if indices.type == pa.int16() else indices.cast(pa.int16())
    return pa.DictionaryArray.from_arrays(indices, array.dictionary)


def _wrap(values: NDArray[Any]) -> pa.Array:
    """Return a numpy array as an Arrow array, without a copy where there is no null."""
    if values.dtype.kind != "f":
        return pa.array(values)
    absent = np.isnan(values)
    return pa.array(values, mask=absent) if absent.any() else pa.array(values)


def _plain(column: Column, value: Any) -> Any:
    if value is None or value != value:  # only NaN differs from itself
        if column.nullable:
            return None
        raise ValueError(f"summary.{column.name} is absent; it may not be")
    if column.type == "text":
        return str(value)
    return int(value) if column.type == "int64" else float(value)
