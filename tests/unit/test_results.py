"""Results: tables checked against the registry, folders written whole or not at all."""

import csv
import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.columns import TABLES
from simulator.errors import InputError
from simulator.results import Results, load_results, plain_command, save, summary_of, table_of
from simulator.version import MODEL_VERSION, SCHEMA_VERSION
from tests.unit.results_sample import KEY, sample

FILES = {
    "manifest.json",
    "scenario.toml",
    "summary.json",
    "jobs.parquet",
    "hourly.parquet",
    "nodes.parquet",
    "columns.csv",
}


def node_columns(rows: int = 3, **changes: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {
        column.name: np.ones(rows) for column in TABLES["nodes"] if column.type == "float64"
    }
    columns |= {
        "node": np.array([f"a-{row:05d}" for row in range(rows)]),
        "cluster": np.array(["a"] * rows),
        "type": np.array(["n"] * rows),
        "wake_ups": np.arange(rows),
        "wake_ups_cancelled": np.zeros(rows, np.int64),
    }
    return columns | changes


# Tables


def test_a_table_has_the_columns_of_the_registry_whatever_the_order_given() -> None:
    columns = node_columns()
    table = table_of("nodes", dict(reversed(columns.items())))
    assert table.column_names == [column.name for column in TABLES["nodes"]]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({k: v for k, v in node_columns().items() if k != "wake_ups"}, "lacks wake_ups"),
        (node_columns(colour=np.ones(3)), "no column colour"),
        (node_columns(energy_it_kwh=np.array([1.0, np.nan, 2.0])), "nodes.energy_it_kwh is absent"),
        (node_columns(wake_ups=np.array([0.5, 1.0, 2.0])), "nodes.wake_ups must be int64"),
    ],
)
def test_a_wrong_column_is_refused_by_name(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        table_of("nodes", columns)


def test_an_absent_quantity_is_null_and_never_zero() -> None:
    table = sample(marginal=False).tables["jobs"]
    assert table["marginal_kgco2e"].null_count == len(table)
    queued = [row for row in table.to_pylist() if row["state"] == "queued"]
    assert queued
    assert all(row["start_s"] is row["end_s"] is row["wait_s"] is None for row in queued)


def test_columns_say_their_unit_and_meaning_and_tables_their_versions() -> None:
    schema = sample().tables["hourly"].schema
    assert schema.metadata[b"schema_version"] == str(SCHEMA_VERSION).encode()
    assert schema.metadata[b"model_version"] == str(MODEL_VERSION).encode()
    assert schema.field("energy_it_kwh").metadata[b"unit"] == b"kWh"
    assert all(schema.field(name).metadata[b"description"] for name in schema.names)
    assert schema.field("time").type == pa.timestamp("ms", tz="UTC")
    assert pa.types.is_dictionary(schema.field("cluster").type)


def test_floats_are_taken_over_without_a_copy() -> None:
    energy = np.ones(3)
    table = table_of("nodes", node_columns(energy_it_kwh=energy))
    energy[0] = 5.0
    assert table["energy_it_kwh"][0].as_py() == 5.0


def test_data_frames_are_copies_of_the_users_own() -> None:
    results = sample()
    for name in ("jobs", "hourly", "nodes"):
        frame = getattr(results, name)
        before = results.tables[name].slice(0).combine_chunks()
        frame.loc[0, frame.columns[-1]] = 123
        frame.loc[1, "cluster"] = frame.loc[0, "cluster"]
        assert results.tables[name].equals(before)
        assert getattr(results, name).iloc[0, -1] != 123
    assert isinstance(results.hourly["time"].dtype, pd.DatetimeTZDtype)
    assert str(results.hourly["time"].dt.tz) == "UTC"


def test_the_summary_is_plain_and_complete() -> None:
    summary = dict(sample().summary)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["scope2_market_kgco2e"] is None
    with pytest.raises(ValueError, match="lacks seed"):
        summary_of({name: value for name, value in summary.items() if name != "seed"})
    with pytest.raises(ValueError, match="no column colour"):
        summary_of(summary | {"colour": 1})
    with pytest.raises(ValueError, match="energy_it_kwh is absent"):
        summary_of(summary | {"energy_it_kwh": float("nan")})


# Folders


def test_a_folder_holds_every_file_and_reads_back_as_it_was(tmp_path: Path) -> None:
    results = sample()
    folder = tmp_path / "deep" / "run"
    save(results, folder, extra_files={"report.html": b"<p>", "figures/power.svg": b"<svg/>"})
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == FILES | {"report.html", "figures/power.svg"}
    again = load_results(folder)
    for name, table in results.tables.items():
        assert again.tables[name].equals(table)
        assert again.tables[name].schema.equals(table.schema, check_metadata=True)
    for name in ("seed", "key", "summary", "basis", "assumptions", "warnings", "inputs", "command"):
        assert getattr(again, name) == getattr(results, name)
    assert again.scenario.to_toml() == results.scenario.to_toml()


def test_the_manifest_says_where_a_run_came_from(tmp_path: Path) -> None:
    results = replace(sample(), inputs=(("/home/ann/philly.csv.gz", "ab" * 32),))
    save(results, tmp_path / "run")
    text = (tmp_path / "run/manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["schema_version"] == SCHEMA_VERSION
    canonical = results.scenario.canonical().encode()
    assert manifest["scenario_sha256"] == hashlib.sha256(canonical).hexdigest()
    assert manifest["inputs"] == [{"name": "philly.csv.gz", "sha256": "ab" * 32}]
    assert manifest["key"] == KEY
    assert manifest["libraries"]["numpy"] == np.__version__
    assert manifest["warnings"] == list(results.warnings)
    assert str(tmp_path) not in text
    assert "/home/ann" not in text


def test_the_data_dictionary_is_that_of_the_files(tmp_path: Path) -> None:
    save(sample(), tmp_path / "run")
    rows = list(csv.DictReader((tmp_path / "run/columns.csv").read_text().splitlines()))
    for name in TABLES:
        file = f"{name}.parquet"
        schema = pq.read_schema(tmp_path / "run" / file)
        assert schema.names == [row["name"] for row in rows if row["file"] == file]
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert list(summary) == [row["name"] for row in rows if row["file"] == "summary.json"]


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; from simulator.results import save\n"
        "from tests.unit.results_sample import sample; save(sample(jobs=5000), sys.argv[1])"
    )
    digests = []
    for seed, zone in (("0", "UTC"), ("77", "Asia/Kathmandu")):
        folder = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            check=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"},
        )
        digests.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert digests[0] == digests[1]


# Reading


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(sample(jobs=30), tmp_path / "run")
    return tmp_path / "run"


def test_a_newer_schema_is_refused_with_who_made_it(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"schema_version": 9, "libraries": {"fleetsim": "7.7"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=rf"schema 9, this is .*schema {SCHEMA_VERSION}"):
        load_results(folder)


def test_every_missing_file_is_named_at_once(folder: Path) -> None:
    (folder / "jobs.parquet").unlink()
    (folder / "summary.json").unlink()
    with pytest.raises(InputError) as caught:
        load_results(folder)
    assert [issue.path for issue in caught.value.issues] == ["summary.json", "jobs.parquet"]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("manifest.json", lambda path: path.write_text("{")),
        ("manifest.json", lambda path: path.write_text("[]")),
        ("manifest.json", lambda path: path.write_text(f'{{"schema_version": {SCHEMA_VERSION}}}')),
        ("summary.json", lambda path: path.write_bytes(b"\xff\xfe")),
        ("summary.json", lambda path: path.write_text('{"name": "x"}')),
        ("jobs.parquet", lambda path: path.write_bytes(b"")),
        ("jobs.parquet", flip),
        ("hourly.parquet", lambda path: path.write_bytes(path.read_bytes()[:-9])),
        ("nodes.parquet", lambda path: pq.write_table(pa.table({"node": ["a"]}), path)),
    ],
)
def test_a_damaged_file_is_one_clear_error(
    folder: Path, name: str, damage: Callable[[Path], Any]
) -> None:
    damage(folder / name)
    with pytest.raises(InputError) as caught:
        load_results(folder)
    assert [issue.path for issue in caught.value.issues] == [name]


def test_a_damaged_scenario_is_refused(folder: Path) -> None:
    (folder / "scenario.toml").write_text("schema = ")
    with pytest.raises(InputError):
        load_results(folder)


def test_pickles_and_unfinished_siblings_are_never_read(folder: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(folder / "exploded"),))

    (folder / "results.pkl").write_bytes(pickle.dumps(Bomb()))
    (folder.parent / ".fleetsim-1-0.partial").mkdir()
    assert isinstance(load_results(folder), Results)
    (folder / "jobs.parquet").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError):
        load_results(folder)
    assert not (folder / "exploded").exists()


def test_no_folder_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        load_results(tmp_path / "none")


def test_a_command_keeps_no_path_of_the_machine() -> None:
    words = ["fleetsim", "run", "/home/ann/my.toml", "-o", "out", "--output=/tmp/x", "--seed", "7"]
    assert plain_command(words) == "fleetsim run my.toml -o out --output=x --seed 7"
    assert plain_command(["fleetsim", "run", "my file.toml"]) == "fleetsim run 'my file.toml'"
