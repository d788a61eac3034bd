"""Columns of a CSV or Parquet file, with every fault of form refused by row.

Rows are counted as an editor counts lines: in a CSV file the header is row 1, in a Parquet file
the first row of data is row 1.
"""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from simulator.errors import listing, nearest, shown
from simulator.traces.findings import Findings, counted, row_list

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"
_BOM: Final = b"\xef\xbb\xbf"
_NUMBER: Final = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:nan|inf|infinity))$"


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file that was opened and whose header was read.

    Attributes
    ----------
    form : str
        ``"csv"`` or ``"parquet"``.
    names : tuple of str
        Columns, in the order of the file.
    first_row : int
        Number of the first row of data.
    sha256 : str
        Of the file's bytes as they lie on disk.
    content : bytes
        The file, unpacked.
    delimiter : str
        What separates the columns of a CSV file.
    """

    form: Literal["csv", "parquet"]
    names: tuple[str, ...]
    first_row: int
    sha256: str
    content: bytes
    delimiter: str = ","


def open_table(path: Path, findings: Findings, *, delimiter: str = ",") -> TableFile:
    """Open a CSV file, plain or gzipped, or a Parquet file, told apart by their first bytes.

    Parameters
    ----------
    path : Path
    findings : Findings
    delimiter : str
        What separates the columns of a CSV file.

    Raises
    ------
    InputError
        If it is missing, no file, unreadable, broken, empty, or not a table of text.
    """
    packed = _file_bytes(path, findings)
    sha256 = hashlib.sha256(packed).hexdigest()
    if packed.startswith(_PARQUET):
        return TableFile("parquet", _parquet_names(packed, findings), 1, sha256, packed)
    content = _unpacked(packed, findings)
    if not content:
        findings.stop("the file is empty; it needs a header row and at least one row of data")
    names = _csv_names(content, findings, delimiter)
    return TableFile("csv", names, 2, sha256, content + b"\n", delimiter)


def open_rows(path: Path, names: Sequence[str], findings: Findings) -> TableFile:
    """Open a CSV file without a header row, whose columns have these names.

    Raises
    ------
    InputError
        As `open_table`.
    """
    packed = _file_bytes(path, findings)
    content = _unpacked(packed, findings)
    if not content:
        findings.stop("the file is empty; it needs at least one row of data")
    # Where somebody put the header in front of it, that row is the header.
    given = content.split(b"\n", 1)[0].strip() == ",".join(names).encode()
    header = b"" if given else ",".join(names).encode() + b"\n"
    sha256 = hashlib.sha256(packed).hexdigest()
    return TableFile("csv", tuple(names), 2 if given else 1, sha256, header + content + b"\n")


def open_text(path: Path, findings: Findings) -> tuple[bytes, str]:
    """Return a text file, plain or gzipped, unpacked, and the SHA-256 of its bytes.

    Raises
    ------
    InputError
        As `open_table`.
    """
    packed = _file_bytes(path, findings)
    if packed.startswith(_PARQUET):
        findings.stop("a Parquet file, not a text")
    content = _unpacked(packed, findings)
    if not content:
        findings.stop("the file is empty")
    return content, hashlib.sha256(packed).hexdigest()


def has_columns(file: TableFile, wanted: Sequence[str], findings: Findings) -> bool:
    """Refuse each wanted column that the file lacks; return whether all are there."""
    missing = [name for name in dict.fromkeys(wanted) if name not in file.names]
    for name in missing:
        near = nearest(name, file.names)
        findings.refuse(
            f"no column {shown(name)}; the file has {listing(file.names)}"
            + (f"; did you mean '{near}'?" if near else "")
        )
    for name in dict.fromkeys(wanted):
        if file.names.count(name) > 1:
            findings.refuse(f"the column {shown(name)} stands in the header more than once")
            return False
    return not missing


def read_columns(file: TableFile, wanted: Sequence[str], findings: Findings) -> "pa.Table":
    """Return columns of the file; those of a CSV file are text.

    Raises
    ------
    InputError
        If rows are ragged, a cell holds a line break, or there is no row of data.
    """
    names = list(dict.fromkeys(wanted))
    if file.form == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(pa.BufferReader(file.content), columns=names)
        except (pa.ArrowException, OSError, ValueError) as error:
            findings.stop(f"the Parquet file is broken: {_first_line(error)}")
        _refuse_types(table, findings)
    else:
        table = _csv_table(file, names, findings)
    if table.num_rows == 0:
        findings.stop("the file holds a header and no row of data")
    return table


def numbers(
    column: "pa.ChunkedArray", name: str, rows: "NDArray[np.int64]", findings: Findings
) -> "NDArray[np.float64]":
    """Return a column as numbers, NaN where a cell is empty; text and infinities are refused.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
    name : str
        Name of the column, for messages.
    rows : int64[cells]
        Row of each cell in the file.
    findings : Findings
        Takes a problem for each kind of fault.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_text(column.type):
        return _numeric(column, name, findings)
    text = pc.utf8_trim_whitespace(column)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
    good = pc.fill_null(pc.match_substring_regex(text, _NUMBER), fill_value=True)
    bad = ~np.asarray(good)
    if bad.any():
        said = text.filter(pa.array(bad))[0].as_py()
        findings.refuse(f"{name} is not a number in {row_list(rows[bad])}: {_number_hint(said)}")
        text = pc.if_else(good, text, pa.scalar(None, text.type))
    values = _floats(text.cast(pa.float64()))
    infinite = np.isinf(values)
    if infinite.any():
        findings.refuse(f"{name} is infinite in {row_list(rows[infinite])}; write a finite number")
        values[infinite] = np.nan
    return values


def as_text(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return a column as text without surrounding blanks, empty where a cell is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = column if is_text(column.type) else column.cast(pa.string())
    return pc.fill_null(pc.utf8_trim_whitespace(text), "")


def is_text(kind: "pa.DataType") -> bool:
    """Return whether a type of column is text."""
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _refuse_types(table: "pa.Table", findings: Findings) -> None:
    """Refuse columns that hold neither texts nor numbers, times or truth values."""
    import pyarrow as pa

    is_no_cell = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary,
                  pa.types.is_fixed_size_binary)  # fmt: skip
    for entry in table.schema:
        if any(belongs(entry.type) for belongs in is_no_cell):
            findings.refuse(
                f"the column {shown(entry.name)} is of type {entry.type}; "
                "write texts, numbers or timestamps"
            )
    findings.check()


def _numeric(column: "pa.ChunkedArray", name: str, findings: Findings) -> "NDArray[np.float64]":
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        findings.refuse(f"{name} is a column of {kind}, not of numbers")
        return np.full(len(column), np.nan)
    values = _floats(column.cast(pa.float64(), safe=False))
    if np.isinf(values).any():
        findings.refuse(f"{name} holds infinite values; write finite numbers")
    return values


def _floats(column: "pa.ChunkedArray") -> "NDArray[np.float64]":
    values: NDArray[np.float64] = column.to_numpy(zero_copy_only=False)
    return np.array(values, np.float64)


def _number_hint(text: str) -> str:
    if "," in text:
        return (
            f"{shown(text)}; write a point for the decimals and no thousands separators, "
            "e.g. 1234.5"
        )
    return f"{shown(text)}; write a plain number, or leave the cell empty where it is missing"


def _file_bytes(path: Path, findings: Findings) -> bytes:
    resolved = "" if findings.text == str(path) else f" ({path})"
    if not path.exists():
        where = "; a relative path starts at the scenario's folder" if findings.path else ""
        if findings.text.startswith("data:"):
            where = "; docs/data.md says where anyone gets it, and FLEETSIM_DATA names its folder"
        findings.stop(f"no such file{resolved}{where}")
    if not path.is_file():
        findings.stop(f"not a file{resolved}; give the path of a CSV or Parquet file")
    try:
        return path.read_bytes()
    except OSError as error:
        findings.stop(f"cannot be read{resolved}: {error.strerror or error}")


def _unpacked(packed: bytes, findings: Findings) -> bytes:
    """Return the text without a byte order mark and what is blank at its end."""
    if packed.startswith(_ZIP):
        findings.stop("a zip archive or a spreadsheet; save it as CSV or Parquet")
    content = packed
    if packed.startswith(_GZIP):
        try:
            content = gzip.decompress(packed)
        except (OSError, EOFError, zlib.error):
            findings.stop("the gzip file is broken or cut short; fetch or pack it again")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        findings.stop(f"not UTF-8 text at byte {error.start}; save the file as UTF-8")
    return content.removeprefix(_BOM).rstrip(b"\r\n\t ")


def _csv_names(content: bytes, findings: Findings, delimiter: str) -> tuple[str, ...]:
    header = content.split(b"\n", 1)[0].decode("utf-8")
    names = tuple(name.strip() for name in next(csv.reader([header], delimiter=delimiter)))
    other = next((mark for mark in (";", "\t", ",") if mark in header), None)
    if len(names) == 1 and other:
        wanted = {",": "commas", "\t": "tabs"}.get(delimiter, repr(delimiter))
        findings.stop(f"columns are separated by {other!r}; separate them by {wanted}")
    return names


def _parquet_names(content: bytes, findings: Findings) -> tuple[str, ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(pa.BufferReader(content)).names)
    except (pa.ArrowException, OSError, ValueError) as error:
        findings.stop(f"the Parquet file is broken: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _csv_table(file: TableFile, names: list[str], findings: Findings) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.csv as pv

    ragged: list[pv.InvalidRow] = []

    def keep(row: "pv.InvalidRow") -> str:
        ragged.append(row)
        return "skip"

    if file.content.count(b"\n") == 1:
        findings.stop("the file holds a header and no row of data")
    try:
        table = pv.read_csv(
            pa.BufferReader(file.content),
            read_options=pv.ReadOptions(
                use_threads=False, skip_rows=1, column_names=list(_unique(file.names))
            ),
            parse_options=pv.ParseOptions(
                delimiter=file.delimiter, ignore_empty_lines=False, invalid_row_handler=keep
            ),
            convert_options=pv.ConvertOptions(
                include_columns=names, column_types=dict.fromkeys(names, pa.string())
            ),
        )
    except pa.ArrowInvalid as error:
        _refuse_line_breaks(file, findings)
        findings.stop(f"the CSV cannot be read: {str(error).splitlines()[0]}")
    if table.num_rows + len(ragged) + 1 != file.content.count(b"\n"):
        _refuse_line_breaks(file, findings)
    if ragged:
        _refuse_ragged(ragged, findings)
    return table


def _unique(names: Sequence[str]) -> list[str]:
    """Return names of which no two are equal; repeated ones were refused if they are wanted."""
    return [
        name if name not in names[:place] else f"{name}#{place}" for place, name in enumerate(names)
    ]


def _refuse_ragged(ragged: Sequence[object], findings: Findings) -> None:
    rows = np.array([row.number for row in ragged], np.int64)  # type: ignore[attr-defined]
    first = ragged[0]
    found, wanted = first.actual_columns, first.expected_columns  # type: ignore[attr-defined]
    hint = "; a comma inside a number or a text needs quotes around it" if found > wanted else ""
    findings.stop(
        f"{counted(len(rows), 'row')} without {counted(wanted, 'column')}: {row_list(rows)} "
        f"(row {rows[0]} has {found}){hint}"
    )


def _refuse_line_breaks(file: TableFile, findings: Findings) -> None:
    """Refuse the file, naming the first record that spans more than one line."""
    text = io.StringIO(file.content.decode("utf-8"), newline="")
    records = csv.reader(text, delimiter=file.delimiter)
    before = 0
    for _ in records:
        if records.line_num != before + 1:
            findings.stop(
                f"a cell in row {before + 1} holds a line break or an open quote; "
                "write every row on one line"
            )
        before = records.line_num
