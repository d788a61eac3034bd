"""Results that are torn, turned over or taken away: found out, told once, run again, never used."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from simulator.sweeps import shards, upkeep
from simulator.sweeps.store import INDEX, RESULTS
from tests.faults.running import Place

FLIPS = 100
SOME_FLIPS = 25
"""So many of them in the tests of every day."""


@pytest.fixture
def finished(place: Place) -> Place:
    """Return a sweep that is finished, with one shard."""
    place.write(counts=range(2, 7), rate=10)
    place.sweep_here()
    return place


def _copied(place: Place, name: str) -> Place:
    """Return the same sweep, its results copied to another folder."""
    other = Place(place.folder / name)
    other.folder.mkdir()
    shutil.copy(place.file, other.file)
    shutil.copytree(place.out, other.out)
    return other


def _without_table(place: Place, name: str) -> tuple[Place, Path]:
    """Return the same sweep as it was before its table was made, and its one shard."""
    other = _copied(place, name)
    (other.out / RESULTS).unlink()
    (other.out / INDEX).unlink()
    (shard,) = shards.shard_files(other.out)
    return other, shard


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("more", [0, 1, -1])
def test_a_torn_shard_costs_what_is_torn_off(finished: Place, share: float, more: int) -> None:
    place, shard = _without_table(finished, "torn")
    content = shard.read_bytes()
    size = min(max(int(share * len(content)) + more, 0), len(content))
    shard.write_bytes(content[:size])
    told: list[str] = []
    carried = place.sweep_here(tell=told.append)
    assert carried.standing.run_now == 10 - content[:size].count(b"\n")
    assert not told  # a process that dies leaves its last line so
    assert place.table == finished.table
    assert place.each_row_once()


def _flips(size: int, count: int, seed: int) -> Iterator[tuple[int, int]]:
    """Yield places in a file, spread over all of it, and a bit of each."""
    dice = np.random.default_rng(seed)
    for place in np.linspace(0, size - 1, count).astype(int).tolist():
        yield place, 1 << int(dice.integers(8))


def _flipped(path: Path, count: int) -> Iterator[tuple[int, bytes]]:
    """Turn one bit of a file over after another, and back."""
    content = path.read_bytes()
    for at, bit in _flips(len(content), count, seed=len(content)):
        changed = bytearray(content)
        changed[at] ^= bit
        path.write_bytes(changed)
        yield at, content
        path.write_bytes(content)


def _in_shards(finished: Place, count: int) -> None:
    place, shard = _without_table(finished, "flipped")
    for at, content in _flipped(shard, count):
        told: list[str] = []
        carried = place.sweep_here(tell=told.append)
        newline = content[at : at + 1] == b"\n"
        is_last = at == len(content) - 1  # a last line without its end is torn, which is no damage
        assert carried.standing.run_now == (2 if newline and not is_last else 1)
        named = f"{shard.name} is damaged (checksum); what it lacks is run again"
        assert told == ([] if is_last else [named])
        assert place.table == finished.table
        told.clear()
        assert place.sweep_here(tell=told.append).standing.run_now == 0
        assert not told  # once
        assert place.table == finished.table
        for path in [*shards.shard_files(place.out), place.out / RESULTS, place.out / INDEX]:
            if path != shard:
                path.unlink()


def _in_table(finished: Place, count: int) -> None:
    place = _copied(finished, "flipped")
    for _ in _flipped(place.out / RESULTS, count):
        told: list[str] = []
        assert place.sweep_here(tell=told.append).standing.run_now == 0  # the shards know
        assert told == [f"{RESULTS} is damaged (checksum); what it lacks is run again"]
        assert place.table == finished.table


def _in_index(finished: Place, count: int) -> None:
    place = _copied(finished, "flipped")
    for _ in _flipped(place.out / INDEX, count):
        told: list[str] = []
        assert place.sweep_here(tell=told.append).standing.run_now == 0
        assert len(told) <= 1
        assert place.table == finished.table


PARTS: list[Callable[[Place, int], None]] = [_in_shards, _in_table, _in_index]


@pytest.mark.parametrize("part", PARTS)
def test_a_bit_that_turns_over_is_found(
    finished: Place, part: Callable[[Place, int], None]
) -> None:
    part(finished, SOME_FLIPS)


@pytest.mark.verify
@pytest.mark.parametrize("part", PARTS)
def test_a_bit_that_turns_over_is_found_anywhere(
    finished: Place, part: Callable[[Place, int], None]
) -> None:
    part(finished, FLIPS)


def test_a_damaged_table_that_stands_alone_is_run_again(finished: Place) -> None:
    expected = finished.table
    upkeep.tidy(finished.out)
    assert not shards.shard_files(finished.out)
    assert finished.sweep_here().standing.run_now == 0  # the table alone is enough
    assert finished.table == expected
    changed = bytearray(expected)
    changed[len(changed) // 2] ^= 1
    (finished.out / RESULTS).write_bytes(changed)
    told: list[str] = []
    assert finished.sweep_here(tell=told.append).standing.run_now == 10
    assert len(told) == 1
    assert finished.table == expected


@pytest.mark.parametrize("name", [RESULTS, INDEX, "sweep.toml", "manifest.json", "shards"])
def test_what_is_taken_away_is_made_again(finished: Place, name: str) -> None:
    place = _copied(finished, "robbed")
    path = place.out / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert place.sweep_here().standing.run_now == 0
    assert place.table == finished.table
    assert path.exists()


def test_what_a_process_that_died_was_writing_is_swept_out(finished: Place) -> None:
    left = finished.out / f".{RESULTS}.host-1.partial"
    left.write_bytes(finished.table[:1000])
    expected = finished.table
    finished.sweep_here()
    assert not left.exists()
    assert finished.table == expected
