"""What a run returns: a summary, tables and where every number comes from; save and load."""

import hashlib
import json
import platform
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from simulator.columns import RARE_TABLES, TABLES, columns_csv
from simulator.errors import InputError, Issue
from simulator.folder import Writer, check_folder, run_folder, write_folder
from simulator.origin import Origin
from simulator.seals import broken_seals, seals_of
from simulator.tables import read_table, summary_of, table_of, write_table
from simulator.version import MODEL_VERSION, SCHEMA_VERSION

if TYPE_CHECKING:
    import pandas as pd

    from simulator.scenario import Scenario

__all__ = [
    "Results",
    "check_folder",
    "load_results",
    "plain_command",
    "run_folder",
    "save",
    "summary_of",
    "table_of",
]

LIBRARIES: Final = (
    "fleetsim",
    "jinja2",
    "matplotlib",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "simpy",
)
"""Distributions whose versions the manifest names."""


@dataclass(frozen=True, slots=True)
class Results:
    """What one run returns.

    Attributes
    ----------
    scenario : Scenario
    seed : int
    key : str
        Address of the run, 64 hexadecimal digits.
    summary : dict
        One value for every key of `simulator.columns.SUMMARY`; None where a quantity is absent.
    tables : mapping of str to pyarrow.Table
        ``jobs``, ``hourly`` and ``nodes``, and ``supply`` where a site has some, as `table_of`
        makes them; those of a run when they are first asked for.
    basis : dict of str to str
        What the figures stand on, e.g. ``{"average": "average, life-cycle, CISO 2022"}``; see
        `simulator.assumptions.basis_of`.
    assumptions : tuple of (subject, quantity, value, unit, source)
    warnings : tuple of str
    inputs : tuple of (name, sha256)
        Every file that was read.
    wall_s : float or None
        Time the run took. [s]
    command : str or None
        The command line, without paths of the machine.
    origin : Origin or None
        What its key is made of beside scenario and traces; None of a folder that doesn't say.
    billed_from : str or None
        Key of the run whose events these are, where they were billed again.
    seals : dict of str to str
        SHA-256 of the files that they were read from; empty where there are none, or nobody said.
    schema_version, model_version : int
        Versions of the result files and of the models behind them.
    """

    scenario: "Scenario"
    seed: int
    key: str
    summary: dict[str, Any]
    tables: Mapping[str, pa.Table]
    basis: dict[str, str] = field(default_factory=dict)
    assumptions: tuple[tuple[str, str, str, str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    wall_s: float | None = None
    command: str | None = None
    origin: Origin | None = None
    billed_from: str | None = None
    seals: dict[str, str] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION
    model_version: int = MODEL_VERSION

    @property
    def jobs(self) -> "pd.DataFrame":
        """One row per job, as a copy of your own."""
        return self._frame("jobs")

    @property
    def hourly(self) -> "pd.DataFrame":
        """One row per interval and cluster, as a copy of your own."""
        return self._frame("hourly")

    @property
    def nodes(self) -> "pd.DataFrame":
        """One row per node, as a copy of your own."""
        return self._frame("nodes")

    @property
    def supply(self) -> "pd.DataFrame | None":
        """One row per interval and site with supply, as a copy; None where no site has any."""
        return self._frame("supply") if "supply" in self.tables else None

    def _frame(self, name: str) -> "pd.DataFrame":
        """Return a table as pandas; its ``attrs`` say what its carbon stands on."""
        frame: pd.DataFrame = self.tables[name].to_pandas()  # a copy, unless asked to split blocks
        frame.attrs["basis"] = dict(self.basis)
        return frame


def save(
    results: Results,
    folder: str | Path,
    *,
    extra_files: Mapping[str, bytes] | None = None,
    overwrite: bool = False,
) -> None:
    """Write every file of a run into a folder that appears whole or not at all.

    Parameters
    ----------
    results : Results
    folder : path
    extra_files : mapping of str to bytes
        The report and the figures, by name inside the folder, e.g. ``figures/power.svg``.
    overwrite : bool
        Replace the results of an earlier run.

    Raises
    ------
    InputError
        As `check_folder`.
    """
    texts = {
        "scenario.toml": results.scenario.to_toml(),
        "summary.json": _json(results.summary),
        "columns.csv": columns_csv(
            results.tables["nodes"].column_names,
            results.tables["jobs"].column_names,
            [name for name in RARE_TABLES if name in results.tables],
            results.basis.get("embodied"),
        ),
    }
    contents = {name: text.encode() for name, text in texts.items()} | dict(extra_files or {})
    writers: dict[str, Writer] = {
        f"{name}.parquet": partial(write_table, results.tables[name], name, basis=results.basis)
        for name in (*TABLES, *RARE_TABLES)
        if name in results.tables
    }
    writers |= {name: partial(_write_bytes, content) for name, content in contents.items()}
    writers["manifest.json"] = partial(_write_manifest, results)  # the last: it seals the others
    write_folder(folder, writers, overwrite=overwrite)


def load_results(folder: str | Path, *, sealed: bool = False) -> Results:
    """Return the results that a run wrote into a folder.

    Parameters
    ----------
    folder : path
    sealed : bool
        Whether to refuse files that are not, byte by byte, what the run wrote.

    Raises
    ------
    InputError
        If a file is missing or damaged, or was made by another schema version.
    """
    from simulator.scenario import load

    path = Path(folder)
    _check_present(path)
    manifest = _read_json(path, "manifest.json")
    _check_version(path, manifest)
    if sealed and (issues := broken_seals(path, _seals(manifest))):
        raise InputError(str(folder), issues)
    summary = _read_summary(path)
    rare = [name for name in RARE_TABLES if (path / f"{name}.parquet").is_file()]
    tables = {name: read_run_table(path, name) for name in (*TABLES, *rare)}
    scenario = load(path / "scenario.toml", check_files=False, yes=True)
    try:
        return Results(scenario, summary=summary, tables=tables, **_provenance(manifest))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(path, "manifest.json", f"{type(error).__name__}: {error}") from error


def plain_command(words: Iterable[str]) -> str:
    """Return a command line as one would type it, absolute paths cut to their last part.

    Bytes of a word that are not UTF-8 are written as escapes.
    """
    line = shlex.join(_relative(word) for word in words)
    return line.encode(errors="backslashreplace").decode()


def library_versions() -> dict[str, str | None]:
    """Return the version of every library that results depend on; None where absent."""
    found: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _manifest(results: Results) -> dict[str, Any]:
    return {
        "program": "fleetsim",
        "schema_version": results.schema_version,
        "model_version": results.model_version,
        "name": results.scenario.name,
        "command": results.command,
        "seed": results.seed,
        "key": results.key,
        "scenario_sha256": hashlib.sha256(results.scenario.canonical().encode()).hexdigest(),
        "inputs": [{"name": _relative(name), "sha256": sha} for name, sha in results.inputs],
        "basis": results.basis,
        "assumptions": results.assumptions,
        "warnings": results.warnings,
        "python": platform.python_version(),
        "libraries": library_versions(),
        "wall_s": results.wall_s,
        "origin": None if results.origin is None else asdict(results.origin),
        "billed_from": results.billed_from,
    }


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write_manifest(results: Results, path: Path) -> None:
    path.write_text(_json(_manifest(results) | {"files": seals_of(path.parent)}), encoding="utf-8")


def _write_bytes(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _relative(word: str) -> str:
    """Return a word of a command line with an absolute path cut to its last part."""
    option, equals, value = word.partition("=")
    if equals and PurePath(value).is_absolute():
        return f"{option}={PurePath(value).name}"
    return PurePath(word).name if PurePath(word).is_absolute() else word


def _check_present(folder: Path) -> None:
    if not folder.is_dir():
        rule = "a file, not a folder" if folder.is_file() else "no such folder"
        raise InputError(str(folder), [Issue("", f"{rule}; name the folder of a run")])
    if (folder / "sweep.toml").is_file():
        rule = "the folder of a sweep; its runs are rows of results.parquet, name one of a run"
        raise InputError(str(folder), [Issue("", rule)])
    needed = ("manifest.json", "scenario.toml", "summary.json", *(f"{t}.parquet" for t in TABLES))
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        rule = "missing; a run writes it, so this is no run's folder or it was taken apart"
        raise InputError(str(folder), [Issue(name, rule) for name in missing])


def _check_version(folder: Path, manifest: dict[str, Any]) -> None:
    made = manifest.get("schema_version")
    if made == SCHEMA_VERSION:
        return
    libraries = manifest.get("libraries")
    maker = libraries.get("fleetsim") if isinstance(libraries, dict) else None
    rule = (
        f"made by fleetsim {maker or 'of unknown version'} with result schema {made}, this is "
        f"fleetsim {library_versions()['fleetsim'] or 'of unknown version'} with result schema "
        f"{SCHEMA_VERSION}; read it with the version that made it, or run its scenario again"
    )
    raise InputError(str(folder), [Issue("manifest.json", rule)])


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(folder, name, str(error)) from error
    if not isinstance(document, dict):
        raise _damaged(folder, name, "not an object")
    return document


def _provenance(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what the manifest says of a run, as `Results` holds it."""
    return {
        "seed": int(manifest["seed"]),
        "key": str(manifest["key"]),
        "basis": {str(kind): str(text) for kind, text in manifest["basis"].items()},
        "assumptions": tuple(_assumption(*row) for row in manifest["assumptions"]),
        "warnings": tuple(map(str, manifest["warnings"])),
        "inputs": tuple((str(row["name"]), str(row["sha256"])) for row in manifest["inputs"]),
        "wall_s": manifest["wall_s"],
        "command": manifest["command"],
        "origin": _origin(manifest.get("origin")),
        "billed_from": manifest.get("billed_from"),
        "seals": _seals(manifest),
        "schema_version": int(manifest["schema_version"]),
        "model_version": int(manifest["model_version"]),
    }


def _origin(said: dict[str, Any] | None) -> Origin | None:
    return None if said is None else Origin(tuple(map(str, said["jobs"])), str(said["rare"]))


def _seals(manifest: dict[str, Any]) -> dict[str, str]:
    said = manifest.get("files")
    return {str(name): str(sha) for name, sha in said.items()} if isinstance(said, dict) else {}


def _assumption(
    subject: str, quantity: str, value: str, unit: str, source: str
) -> tuple[str, str, str, str, str]:
    return subject, quantity, value, unit, source


def _read_summary(folder: Path) -> dict[str, Any]:
    document = _read_json(folder, "summary.json")
    try:
        return summary_of(document)
    except (ValueError, TypeError) as error:
        raise _damaged(folder, "summary.json", str(error)) from error


def read_run_table(folder: Path, name: str) -> pa.Table:
    """Return one table of a run's folder.

    Raises
    ------
    InputError
        If it is damaged.
    """
    file = f"{name}.parquet"
    try:
        return read_table(name, folder / file)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _damaged(folder, file, str(error)) from error


def _damaged(folder: Path, name: str, detail: str) -> InputError:
    first = detail.splitlines()[0] if detail else "unreadable"
    return InputError(str(folder), [Issue(name, f"damaged ({first}); run its scenario again")])
