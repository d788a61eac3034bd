"""Files that are edited while a sweep reads them: no table is made of two contents."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.optimisation.evaluation import Evaluation
from simulator.optimisation.search import search_of
from simulator.scenario.load import load_study
from simulator.sweeps.carrying import sweep
from simulator.sweeps.driver import Standing
from simulator.sweeps.session import Options
from simulator.sweeps.shards import read_shard, shard_files
from simulator.sweeps.work import StoreError
from tests.faults.running import MARKERS, Place

TRACE = '{ file = "trace.csv", time = "time", value = "g", unit = "g/kWh" }'
COUNTS = range(2, 8)


def write_trace(place: Place, grams: int) -> Path:
    """Write a trace as editors do: another file takes the place of the one that was there."""
    hours = [f"2022-06-01T{hour:02}:00:00Z,{grams + hour}" for hour in range(24)]
    path, new = place.folder / "trace.csv", place.folder / "trace.new"
    new.write_text("\n".join(["time,g", *hours, ""]))
    new.replace(path)
    return path


def traced(place: Place, grams: int = 300) -> Place:
    place.folder.mkdir(exist_ok=True)
    write_trace(place, grams)
    return place.write(counts=COUNTS, grid=TRACE)


def at_row(number: int, deed: Callable[[], object]) -> Callable[[Standing], None]:
    """Return what does something once, when so many rows are finished."""
    done: list[object] = []

    def show(standing: Standing) -> None:
        if standing.done >= number and not done:
            done.append(deed())

    return show


def carry(place: Place, show: Callable[[Standing], None], jobs: int = 1) -> None:
    os.environ[MARKERS] = str(place.folder)
    sweep(place.plan(), place.out, Options(jobs=jobs), show=show)


def keys_by_row(place: Place, digest: str) -> dict[int, str | None]:
    """Return which run the shards have for each row under one digest."""
    lines = [line for path in shard_files(place.out) for line in read_shard(path)]
    rows = [row for found, row in filter(None, lines) if found == digest]
    return {row.at: row.key for row in rows}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("finished", [1, len(COUNTS) * 2])
def test_a_file_that_is_edited_ends_the_sweep(place: Place, jobs: int, finished: int) -> None:
    traced(place)
    before = place.plan().digest
    expected = Place(place.folder / "expected")
    traced(expected, 500).sweep_here()
    old = Place(place.folder / "old")
    traced(old).sweep_here()
    with pytest.raises(StoreError, match=r"trace\.csv was changed while runs read it"):
        carry(place, at_row(finished, lambda: write_trace(place, 500)), jobs)
    assert not (place.out / "results.parquet").exists()
    told, right = keys_by_row(place, before), keys_by_row(old, old.plan().digest)
    assert told
    assert told == {at: right[at] for at in told}
    place.sweep_here()
    assert place.table == expected.table
    write_trace(place, 300)
    place.sweep_here()
    assert place.table == old.table


def test_a_file_that_goes_ends_the_sweep(place: Place) -> None:
    path = traced(place).folder / "trace.csv"
    with pytest.raises(StoreError, match=r"trace\.csv was there and is not now"):
        carry(place, at_row(1, path.unlink))
    assert not (place.out / "results.parquet").exists()
    write_trace(place, 300)
    place.sweep_here()
    assert set(place.statuses) == {"done"}


def test_a_file_that_is_written_anew_as_it_was_is_no_other(place: Place) -> None:
    traced(place)
    carry(place, at_row(1, lambda: write_trace(place, 300)))
    assert set(place.statuses) == {"done"}


def test_what_is_not_kept_is_not_mixed_either(place: Place) -> None:
    traced(place)
    os.environ[MARKERS] = str(place.folder)
    edit = at_row(1, lambda: write_trace(place, 500))
    with pytest.raises(StoreError, match="was changed"):
        sweep(place.plan(), options=Options(jobs=1), show=edit)


def test_a_search_ends_too(place: Place) -> None:
    base, _ = load_study(traced(place).file)
    table = {
        "objectives": {"total_kgco2e": "minimise"},
        "clusters.few.count": list(COUNTS),
        "trials": 6,
    }
    with Evaluation(search_of(base, table), place.out) as evaluate:
        assert isinstance(evaluate([{}])[0], dict)
        write_trace(place, 500)
        with pytest.raises(StoreError, match="was changed"):
            evaluate([{"clusters.few.count": 3}])


def test_the_command_says_what_to_do(place: Place) -> None:
    run = traced(place).write(counts=range(2, 42), grid=TRACE, slow=True).start()
    place.wait_for(1)
    write_trace(place, 500)
    code, _, told = run.ended()
    assert code == 1
    assert re.search(r"error: \S*trace\.csv was changed while runs read it; .*go on with:", told)
    assert not (place.out / "results.parquet").exists()
