"""Rows of sweeps: their lines, their shards, and the ledger that they fill."""

import math
from pathlib import Path

import numpy as np
import pytest

from simulator.simulation import run
from simulator.sweeps import rows, shards
from simulator.sweeps.known import Known, write_known
from simulator.sweeps.ledger import IS_DONE, IS_FAILED, OPEN, Ledger
from simulator.sweeps.rows import VALUES, Row, line_of, row_of
from tests.unit.sweep_samples import base

SUMMARY = run(base()).results.summary


def number_row(at: int, value: float, key: str = "a" * 64) -> Row:
    """Return a finished row whose every quantity is one number."""
    return Row(at, rows.DONE, key, (value,) * len(VALUES))


@pytest.mark.parametrize(
    "row",
    [
        rows.done(3, SUMMARY),
        rows.failed(4, "no\n  room", "b" * 64),
        rows.failed(5, 'odd "words" \u2028 \x1b[31m'),
        Row(6, rows.KNOWN, "c" * 64),
    ],
    ids=["done", "failed", "odd words", "known"],
)
def test_a_line_says_its_row_again(row: Row) -> None:
    line = line_of(row, "digest")
    assert line.count(b"\n") == 1
    assert row_of(line) == ("digest", row)


def test_a_failure_is_told_in_one_line() -> None:
    assert rows.failed(0, "first\n   second").error == "first second"


def test_a_line_that_was_changed_anywhere_is_not_read() -> None:
    line = line_of(rows.done(0, SUMMARY), "digest")
    for at in range(len(line)):
        for bit in (0, 3, 6):
            changed = bytearray(line)
            changed[at] ^= 1 << bit
            assert row_of(bytes(changed)) is None, (at, bit)


def test_a_line_that_was_cut_is_not_read() -> None:
    line = line_of(rows.done(0, SUMMARY), "digest")
    assert all(row_of(line[:length]) is None for length in range(len(line)))


def test_shards_hold_what_was_appended_whoever_appends(tmp_path: Path) -> None:
    (tmp_path / shards.FOLDER).mkdir()
    first, second = shards.Shard(tmp_path, "d"), shards.Shard(tmp_path, "d")
    written = [rows.failed(at, "why") for at in range(6)]
    for at, row in enumerate(written):
        (first if at % 2 else second).append(row)
    first.sync()
    found = [read for path in shards.shard_files(tmp_path) for read in shards.read_shard(path)]
    assert sorted((row.at for _, row in filter(None, found))) == list(range(6))
    assert len(shards.shard_files(tmp_path)) == 2


def test_a_torn_last_line_is_no_damage_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    whole = line_of(rows.failed(1, "why"), "d")
    path.write_bytes(whole + b"00" + whole[2:] + whole[:-5])
    assert list(shards.read_shard(path)) == [("d", rows.failed(1, "why")), None]


def test_a_ledger_counts_and_a_success_stays() -> None:
    ledger = Ledger(4)
    ledger.put(number_row(0, 1.0))
    ledger.put(rows.failed(1, "why"))
    assert ledger.state.tolist() == [IS_DONE, IS_FAILED, OPEN, OPEN]
    assert (ledger.done, ledger.failed, ledger.open_rows.tolist()) == (1, 1, [2, 3])
    ledger.put(rows.failed(0, "later"))
    ledger.put(number_row(1, 2.0))
    assert (ledger.done, ledger.failed) == (2, 0)
    assert ledger.columns()["error"].to_pylist() == [None] * 4
    ledger.put(rows.failed(2, "why"))
    ledger.retry_failed()
    assert ledger.open_rows.tolist() == [2, 3]


def test_a_ledger_finds_runs_of_other_sweeps_by_their_key() -> None:
    ledger = Ledger(2)
    assert not ledger.put(Row(0, rows.KNOWN, "e" * 64))
    ledger.put_elsewhere(number_row(9, 5.0, "e" * 64))
    assert ledger.put(Row(0, rows.KNOWN, "e" * 64))
    assert ledger.value("energy_it_kwh")[0] == 5.0
    assert ledger.key(0) == "e" * 64


def test_columns_of_a_ledger_have_the_types_of_the_summary() -> None:
    ledger = Ledger(2)
    ledger.put(rows.done(1, SUMMARY))
    columns = ledger.columns()
    for column in VALUES:
        value = columns[column.name].to_pylist()
        assert value == [None, SUMMARY[column.name]], column.name
        assert type(value[1]) in (int if column.type == "int64" else float, type(None))
    assert math.isnan(ledger.value("total_kgco2e")[0])


def test_known_keys_are_found_and_others_are_not(tmp_path: Path) -> None:
    keys = [f"{at:064x}"[::-1] for at in range(200)]
    write_known(tmp_path, keys)
    known = Known.read(tmp_path)
    assert all(key in known for key in keys)
    assert not any(f"{key[:31]}x{key[32:]}" in known for key in keys)
    write_known(tmp_path, [])
    assert keys[0] not in Known.read(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_list_of_known_keys_knows_nothing() -> None:
    assert "a" * 64 not in Known(np.empty(0, dtype="S32"))
