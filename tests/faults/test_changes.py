"""Sweeps that are changed and go on in their folder, and folders that are no sweep's."""

import os
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.sweeps import upkeep
from tests.faults.running import Place

TRACE = '{ file = "trace.csv", time = "time", value = "g", unit = "g/kWh" }'


def _write_trace(place: Place, grams: int) -> None:
    hours = [f"2022-06-01T{hour:02}:00:00Z,{grams + hour}" for hour in range(24)]
    (place.folder / "trace.csv").write_text("\n".join(["time,g", *hours, ""]))


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_a_changed_sweep_only_what_changed_is_run(place: Place, jobs: int) -> None:
    place.write(counts=[2, 3, 4])
    first = place.undisturbed()
    place.sweep_here()
    place.write(counts=[2, 5, 4, 3])
    carried = place.sweep_here(jobs=jobs)
    assert carried.standing.run_now == 2
    assert carried.standing.cached == 6
    expected = Place(place.folder / "other").write(counts=[2, 5, 4, 3])
    expected.sweep_here()
    assert place.table == expected.table
    place.write(counts=[2, 3, 4])
    assert place.sweep_here().standing.run_now == 0  # and back
    assert place.table == first


def test_a_tidied_sweep_that_is_extended_keeps_what_it_knows(place: Place) -> None:
    place.write(counts=[2, 3])
    place.sweep_here()
    upkeep.tidy(place.out)
    place.write(counts=[2, 3, 4])
    assert place.sweep_here().standing.run_now == 2
    expected = Place(place.folder / "other").write(counts=[2, 3, 4])
    expected.sweep_here()
    assert place.table == expected.table


def test_another_content_of_a_trace_is_another_sweep(place: Place) -> None:
    _write_trace(place, 300)
    place.write(counts=[2, 3], grid=TRACE)
    place.sweep_here()
    first = place.table
    _write_trace(place, 400)
    assert place.sweep_here().standing.run_now == 4
    other = Place(place.folder / "other").write(counts=[2, 3], grid=TRACE)
    _write_trace(other, 400)
    other.sweep_here()
    assert place.table == other.table != first
    _write_trace(place, 300)
    assert place.sweep_here().standing.run_now == 0
    assert place.table == first


def _refusal(place: Place) -> str:
    with pytest.raises(InputError) as refused:
        place.sweep_here()
    (issue,) = refused.value.issues
    assert issue.path == str(place.out)
    return issue.message


def test_a_folder_of_something_else_is_left_alone(place: Place) -> None:
    place.write(counts=[2])
    place.out.mkdir()
    (place.out / "thesis.tex").write_text("x")
    assert "holds files of something else ('thesis.tex')" in _refusal(place)
    assert [path.name for path in place.out.iterdir()] == ["thesis.tex"]
    code, _, err = place.run(jobs=1)
    assert code == 2
    assert len(err.splitlines()) == 2


def test_a_sweep_file_of_ones_own_is_not_written_over(place: Place) -> None:
    place.write(counts=[2])
    place.out.mkdir()
    (place.out / "sweep.toml").write_text("# mine")
    assert "holds files of something else ('sweep.toml')" in _refusal(place)
    assert (place.out / "sweep.toml").read_text() == "# mine"


def test_links_and_files_are_no_folders(place: Place) -> None:
    place.write(counts=[2])
    (place.folder / "elsewhere").mkdir()
    place.out.symlink_to(place.folder / "elsewhere")
    assert "is a link" in _refusal(place)
    place.out.unlink()
    place.out.write_text("x")
    assert "is a file" in _refusal(place)
    place.out.unlink()
    place.sweep_here()
    target = place.folder / "precious"
    target.write_text("x")
    (place.out / "results.parquet").unlink()
    (place.out / "results.parquet").symlink_to(target)
    assert "holds a link ('results.parquet')" in _refusal(place)
    assert target.read_text() == "x"


def test_a_lock_that_is_a_link_is_not_followed(place: Place) -> None:
    place.write(counts=[2])
    place.sweep_here()
    target = place.folder / "precious"
    target.write_text("x")
    (place.out / ".lock").unlink()
    (place.out / ".lock").symlink_to(target)
    with pytest.raises(InputError):
        place.sweep_here()
    assert target.read_text() == "x"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_refused(place: Place) -> None:
    place.write(counts=[2])
    place.out.mkdir(mode=0o500)
    assert "can't be written to (permission denied)" in _refusal(place)


def test_a_folder_inside_a_file_is_refused(place: Place) -> None:
    place.write(counts=[2])
    (place.folder / "file").write_text("x")
    inside = Place(place.folder)
    assert not Path(inside.folder / "file" / "out").exists()
    from simulator.sweeps.carrying import sweep

    with pytest.raises(InputError, match="can't be written to"):
        sweep(inside.plan(), inside.folder / "file" / "out")
