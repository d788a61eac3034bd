"""The folder of a comparison: its table, its runs, its figure, and what was compared."""

import csv
import hashlib
import io
import json
import math
import platform
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.analysis.statistics import LEVEL
from simulator.columns import SUMMARY
from simulator.folder import COMPARISON, Writer, check_folder, slug, write_folder
from simulator.results import library_versions
from simulator.tables import ARROW_TYPES
from simulator.version import MODEL_VERSION, SCHEMA_VERSION

if TYPE_CHECKING:
    from simulator.comparison.comparison import Comparison

PAIRED: Final = (
    "difference = other - base, runs paired by seed; low and high: interval of 95 % (Student t)"
)
"""What a reader of the files must know of their differences."""

_MEANINGS: Final = {column.name: column for column in SUMMARY}
_TEXTS: Final = {
    "name": "Side of the comparison",
    "status": "done or failed",
    "error": "Why the run failed; null if it did not",
    "key": "Address of the run: hash of scenario, seed, inputs and versions",
}
_COUNTS: Final = {
    "row": "Number of the row",
    "point": "Number of the side",
    "seed": "Root seed of every random stream",
}


def save(
    comparison: "Comparison", folder: Path, *, overwrite: bool = False, command: str | None = None
) -> None:
    """Write a comparison into a folder that appears whole or not at all.

    Parameters
    ----------
    comparison : Comparison
    folder : path
    overwrite : bool
        Replace an earlier comparison.
    command : str, optional
        Written into the manifest as the command line.

    Raises
    ------
    InputError
        If the folder holds something already, or can't be written to.
    """
    from simulator.figures.style import render

    check_folder(folder, overwrite=overwrite, kind=COMPARISON)  # before anything is drawn
    figure = comparison.plot()
    texts = {
        "comparison.csv": csv_text(comparison.table),
        "comparison.json": _json(document_of(comparison)),
        "manifest.json": _json(_manifest(comparison, command)),
    }
    texts |= {
        _scenario_file(name): scenario.to_toml() for name, scenario in comparison.scenarios.items()
    }
    contents = {name: text.encode() for name, text in texts.items()}
    contents["figures/comparison.png"] = render(figure, "png")
    contents["figures/comparison.svg"] = render(figure, "svg")
    writers: dict[str, Writer] = {
        name: partial(_write_bytes, content) for name, content in contents.items()
    }
    writers["runs.parquet"] = partial(_write_table, arrow_of(comparison.runs, comparison.basis))
    write_folder(folder, writers, overwrite=overwrite, kind=COMPARISON)


def csv_text(table: pd.DataFrame) -> str:
    """Return a table of differences as CSV, the same table in the same bytes.

    Numbers have as many digits as tell them apart, what is absent is empty, and ``clear`` is true
    or false.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.itertuples(index=False, name=None):
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def document_of(comparison: "Comparison") -> dict[str, Any]:
    """Return a comparison as plain data; what is absent is None."""
    return {
        "base": comparison.names[0],
        "names": list(comparison.names),
        "seeds": list(comparison.seeds),
        "level": LEVEL if len(comparison.seeds) > 1 else None,
        "meaning": PAIRED,
        "basis": comparison.basis,
        "differences": [
            {name: _plain(value) for name, value in row.items()}
            for row in comparison.table.to_dict("records")
        ],
        "absent": {name: list(missing) for name, missing in comparison.absent.items()},
        "forced": comparison.forced,
        "warnings": list(comparison.warnings),
    }


def arrow_of(runs: pd.DataFrame, basis: Mapping[str, Mapping[str, str]] | None = None) -> pa.Table:
    """Return a table of runs with the unit and the meaning of every column.

    What the carbon of each side stands on goes into the metadata, as JSON.
    """
    arrays, fields = [], []
    for name in map(str, runs.columns):
        if name in _MEANINGS and name not in _TEXTS and name not in _COUNTS:
            column = _MEANINGS[name]
            kind, unit, meaning = ARROW_TYPES[column.type], column.unit, column.meaning
        elif name in _COUNTS:
            kind, unit, meaning = pa.int64(), "1", _COUNTS[name]
        else:
            kind, unit, meaning = pa.string(), "-", _TEXTS[name]
        metadata = {"unit": unit, "description": meaning}
        arrays.append(pa.array(runs[name], kind, from_pandas=True))
        fields.append(pa.field(name, kind, metadata=metadata))
    versions = {"schema_version": str(SCHEMA_VERSION), "model_version": str(MODEL_VERSION)}
    said = {"basis": json.dumps(basis, ensure_ascii=False)} if basis else {}
    schema = pa.schema(fields, {"table": "runs", **versions, **said})
    return pa.Table.from_arrays(arrays, schema=schema)


def _manifest(comparison: "Comparison", command: str | None) -> dict[str, Any]:
    return {
        "program": "fleetsim",
        "kind": COMPARISON.name,
        "schema_version": SCHEMA_VERSION,
        "model_version": MODEL_VERSION,
        "command": command,
        "sides": [
            {
                "name": name,
                "file": _scenario_file(name),
                "scenario_sha256": hashlib.sha256(scenario.canonical().encode()).hexdigest(),
                "basis": comparison.basis[name],
            }
            for name, scenario in comparison.scenarios.items()
        ],
        "seeds": list(comparison.seeds),
        "keys": comparison.runs["key"].tolist(),
        "forced": comparison.forced,
        "warnings": list(comparison.warnings),
        "python": platform.python_version(),
        "libraries": library_versions(),
    }


def _scenario_file(name: str) -> str:
    return f"scenarios/{slug(name)}.toml"


def _cell(value: object) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return str(plain).lower()
    return repr(plain) if isinstance(plain, float) else str(plain)


def _plain(value: Any) -> Any:
    """Return a cell as a plain text, number or truth; None where absent."""
    if value is pd.NA or value is None:
        return None
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write_bytes(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", compression_level=1, write_page_checksum=True)
