"""The files of a search: trials, front, figure, manifest, and the file that repeats it."""

import csv
import io
import json
import platform
from collections.abc import Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.columns import SUMMARY
from simulator.folder import OPTIMISATION, Writer, check_folder, write_folder
from simulator.optimisation.search import Search
from simulator.optimisation.space import TABLE
from simulator.results import library_versions
from simulator.scenario.document import portable
from simulator.scenario.toml_writer import inline, toml_text
from simulator.sweeps.partial import replaced
from simulator.version import MODEL_VERSION, SCHEMA_VERSION

if TYPE_CHECKING:
    import pandas as pd

    from simulator.optimisation.outcome import Optimisation

RUNS: Final = "runs"
"""Where the runs of a search lie in its folder."""

HEADER: Final = (
    "A search as it was made: its base, with all that it extends, and the table [optimize], with",
    "every setting. It repeats as it is, from any folder: fleetsim optimize study.toml",
)

_MEANINGS: Final = {
    "trial": "Number of the trial, in the order of the proposals",
    "feasible": "Whether there are results and they keep every limit",
    "on_front": "Whether no other feasible trial is at least as good in all and better in one",
    "failed": "Why the trial has no result; null if it has",
}


def save(
    found: "Optimisation",
    folder: str | Path,
    *,
    overwrite: bool = False,
    command: str | None = None,
    wall_s: float | None = None,
) -> None:
    """Write every file of a search into a folder that appears whole or not at all.

    Into a folder that holds the runs of the search already, each file is written whole or not at
    all, the manifest last.

    Parameters
    ----------
    found : Optimisation
    folder : path
    overwrite : bool
        Replace the results of an earlier search.
    command : str, optional
        The command line, for the manifest.
    wall_s : float, optional
        Time the search took, for the manifest. [s]

    Raises
    ------
    InputError
        As `simulator.folder.check_folder`.
    """
    from simulator.figures.style import render

    texts = {"front.csv": front_csv(found.front), "study.toml": study_toml(found.search)}
    contents = {name: text.encode() for name, text in texts.items()}
    if any(trial.failed is None for trial in found.ran):
        figure = found.plot()
        for kind in ("png", "svg"):
            contents[f"figures/trials.{kind}"] = render(figure, kind)
    manifest = _manifest(found, command, wall_s)
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    contents["manifest.json"] = f"{text}\n".encode()
    writers: dict[str, Writer] = {
        name: partial(_write, content) for name, content in contents.items()
    }
    table = partial(pq.write_table, trials_table(found), compression="zstd")
    writers = {"trials.parquet": table, **writers}
    if (Path(folder) / RUNS).is_dir():
        for name, writer in writers.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            replaced(path, writer)
    else:
        write_folder(folder, writers, overwrite=overwrite, kind=OPTIMISATION)


def check_search_folder(folder: Path) -> None:
    """Refuse a folder that holds anything but a search, which goes on in it.

    Raises
    ------
    InputError
        If it is a link or a file, or something else lies in it.
    """
    if folder.is_dir() and not folder.is_symlink():
        names = {entry.name for entry in folder.iterdir()}
        if names <= OPTIMISATION.files | {RUNS} and (not names or RUNS in names):
            return
    check_folder(folder, kind=OPTIMISATION)


def study_toml(search: Search) -> str:
    """Return the file that repeats a search: what was said of its base, and its table."""
    settings = {
        "trials": search.trials,
        "seeds": list(search.seeds),
        "sampler": search.sampler,
        "batch": search.batch,
    }
    base = search.base
    # A default that was written out would stay as it is where an axis changes what it follows from.
    document = {**base.said().document, TABLE: {**search.table, **settings}}
    return toml_text(portable(document, base.folder), HEADER)


def trials_table(found: "Optimisation") -> pa.Table:
    """Return the trials as Arrow, each column with its unit and meaning."""
    frame = found.trials
    known = {column.name: (column.unit, column.meaning) for column in SUMMARY}
    axes = {axis.path for axis in found.search.axes}
    arrays, fields = [], []
    for name in frame.columns:
        array = _arrow(frame[name]) if name in axes else pa.array(frame[name], from_pandas=True)
        if name == "failed":
            array = array.cast(pa.string())
        unit, meaning = known.get(name, ("-", _MEANINGS.get(name, "Axis, as a file says it")))
        arrays.append(array)
        fields.append(pa.field(name, array.type, metadata={"unit": unit, "description": meaning}))
    versions = {"schema_version": str(SCHEMA_VERSION), "model_version": str(MODEL_VERSION)}
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=versions))


def front_csv(front: "pd.DataFrame") -> str:
    """Return the front as CSV: trial, axes, quantities."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [name for name in front.columns if name not in ("feasible", "on_front", "failed")]
    writer.writerow(names)
    for row in front[names].itertuples(index=False):
        writer.writerow([as_text(plain(value)) for value in row])
    return out.getvalue()


def rows_of(front: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return a table's rows as plain values, for JSON."""
    rows = front.astype(object).to_dict("records")  # as objects whole numbers stay whole
    return [{str(name): plain(value) for name, value in row.items()} for row in rows]


def plain(value: Any) -> Any:
    """Return a value of a table without numpy's type; an absent number is None."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def as_text(value: Any) -> Any:
    """Return a value of an axis such that a cell can hold it: tables as TOML writes them."""
    return inline(value) if isinstance(value, Mapping | list | tuple | bool) else value


def _arrow(column: "pd.Series[Any]") -> pa.Array:
    """Return the values of an axis: numbers if all are, texts otherwise."""
    values = [plain(value) for value in column]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return pa.array(values)
    return pa.array([str(as_text(value)) for value in values], pa.string())


def _manifest(found: "Optimisation", command: str | None, wall_s: float | None) -> dict[str, Any]:
    search = found.search
    return {
        "program": "fleetsim",
        "schema_version": SCHEMA_VERSION,
        "model_version": MODEL_VERSION,
        "name": search.base.name,
        "command": command,
        "seed": search.base.seed,
        "search_sha256": search.digest,
        "objectives": {each.quantity: each.direction for each in search.objectives},
        "constraints": [limit.text for limit in search.limits],
        "where": [condition.text for condition in search.where],
        "sampler": search.sampler,
        "seeds": list(search.seeds),
        "batch": search.batch,
        "trials_asked": search.trials,
        **found.counts,
        "ending": found.ending,
        "warnings": list(search.base.warnings),
        "python": platform.python_version(),
        "libraries": library_versions() | {"optuna": proposer_version()},
        "wall_s": wall_s,
    }


def proposer_version() -> str | None:
    """Return the version of Optuna; None where it is absent, which a space tried in full can be."""
    try:
        return version("optuna")
    except PackageNotFoundError:
        return None


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)
