"""Disks that are full, refuse or break: one clear message, no half file, and the rest later."""

import re
import resource
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from simulator.sweeps import shards
from simulator.sweeps.store import RESULTS
from tests.faults.running import Place

FULL = re.compile(
    r"error: No space left on device: \S+/out/?\S* \([\d,]+ bytes are free there\); "
    r"finished runs are kept; go on with: fleetsim sweep study\.toml -o out --jobs \d"
)
MOST = 40
"""Calls of one kind that a small sweep doesn't reach."""


@pytest.fixture
def small_disk(place: Place) -> Iterator[Place]:
    """Return a place whose results lie on a disk of their own, of 56 KiB."""
    place.out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=56k", "tmpfs", str(place.out)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place.out)], check=True)


def _remount(place: Place, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place.out)], check=True)


def test_a_full_disk_is_told_and_more_room_is_enough(small_disk: Place) -> None:
    place = small_disk.write(seeds=10)
    expected = place.undisturbed()
    code, _, err = place.run()  # no room for the rows
    assert code == 1
    assert FULL.fullmatch(err.splitlines()[-1]), err
    known = len(place.rows())
    assert 20 < known < 100
    _remount(place, "size=116k")
    code, _, err = place.run(jobs=1)  # for the rows, but not for the table
    assert code == 1
    assert FULL.fullmatch(err.splitlines()[-1]), err
    assert place.each_row_once()
    assert not (place.out / RESULTS).exists()
    assert not list(place.out.glob(".*.partial"))
    _remount(place, "size=10m")
    assert place.sweep_here().standing.run_now == 0
    assert place.table == expected
    before = {path.name for path in place.out.iterdir()}
    _remount(place, "ro")
    code, _, err = place.run(jobs=1)
    assert code == 2
    assert "can't be written to (read-only file system)" in err
    assert {path.name for path in place.out.iterdir()} == before
    assert place.table == expected


def test_a_limit_of_file_sizes_is_told(place: Place) -> None:
    place.write(seeds=10)
    expected = place.undisturbed()
    most = 12_000
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # noqa: E731
    code, _, err = place.run(jobs=1, preexec_fn=limit)
    assert code == 1
    (shard,) = shards.shard_files(place.out)
    assert f"error: File too large: {shard} (" in err.splitlines()[-1]
    known = len(place.rows())
    assert 10 < known < 100
    assert place.sweep_here().standing.run_now == 100 - known
    assert place.table == expected
    assert place.each_row_once()


def strace(*inject: str) -> list[str]:
    """Return what stands before a command whose system calls go wrong; skip where that can't be."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    # Where strace can, it stops at the calls that are traced alone; its signals don't come then.
    quick = [] if any(":signal=" in word for word in inject) else [["--seccomp-bpf"]]
    for options in (*quick, []):
        command = ["strace", *options, "-f", "-qq", "-o", "/dev/null"]
        if not subprocess.run([*command, "-etrace=rename", "true"], capture_output=True).returncode:
            calls = {word.partition("=")[2].partition(":")[0] for word in inject}
            return [*command, f"-etrace={','.join(sorted(calls))}", *(f"-e{w}" for w in inject)]
    pytest.skip("strace may not trace here (ptrace is forbidden)")


def _nothing_half(place: Place) -> None:
    """Check that what stands under its final name is whole."""
    for name in ("results.json", "sweep.json", "manifest.json"):
        path = place.out / name
        assert not path.exists() or path.read_text().endswith("}\n")
    table = place.out / RESULTS
    assert not table.exists() or table.read_bytes()[-4:] == b"PAR1"


def _broken_at(place: Place, fault: str, number: int, *, pictures: bool = False) -> int:
    """Run a small sweep whose n-th call of a kind goes wrong, then resume it; return its code."""
    here = Place(place.folder / f"{number}").write(counts=[2, 3])
    before = strace(f"inject={fault}:when={number}")
    code, _, err = here.run(jobs=1, before=before, pictures=pictures)
    assert "Traceback" not in err
    assert "internal error" not in err
    if code in (1, 2):
        assert "nput/output error" in err
        assert not list(here.out.glob(".*.partial"))
    _nothing_half(here)
    rows = here.rows()
    carried = here.sweep_here()
    assert carried.standing.run_now == 4 - len(rows)
    assert here.table == (here.undisturbed() if number == 1 else _first(place).table)
    assert here.each_row_once()
    return code


def _first(place: Place) -> Place:
    return Place(place.folder / "1")


def _until_it_ends(place: Place, fault: str, *, pictures: bool = False) -> int:
    """Let the first, second, third ... call go wrong until there are no more; return how many."""
    for number in range(1, MOST):
        if _broken_at(place, fault, number, pictures=pictures) == 0:
            return number - 1
    raise AssertionError("it never ended by itself")


def test_a_sweep_killed_before_any_of_its_renames_goes_on(place: Place) -> None:
    assert _until_it_ends(place, "rename:signal=KILL") >= 4


@pytest.mark.verify
@pytest.mark.parametrize("call", ["rename", "fsync"])
@pytest.mark.parametrize("what", ["error=EIO", "signal=KILL"])
def test_a_sweep_whose_disk_fails_at_any_time_goes_on(place: Place, call: str, what: str) -> None:
    assert _until_it_ends(place, f"{call}:{what}", pictures=True) >= 8


@pytest.mark.parametrize("fault", ["rename:error=EIO", "fsync:error=EIO"])
def test_a_disk_that_fails_at_the_table_is_told(place: Place, fault: str) -> None:
    assert _broken_at(place, fault, 1) == 2  # at the folder's own file: nothing has been run
    late = {"rename:error=EIO": 3, "fsync:error=EIO": 6}[fault]
    assert _broken_at(place, fault, late) == 1


@pytest.mark.verify
@pytest.mark.parametrize("fault", ["write:error=ENOSPC", "write:signal=KILL", "write:error=EIO"])
@pytest.mark.parametrize("number", range(1, 40, 3))
def test_any_write_may_fail(place: Place, fault: str, number: int) -> None:
    place.write(counts=[2, 3])
    expected = place.undisturbed()
    place.run(jobs=1, before=strace(f"inject={fault}:when={number}"), pictures=True)
    _nothing_half(place)
    place.sweep_here()
    assert place.table == expected
    assert place.each_row_once()


@pytest.mark.verify
@pytest.mark.parametrize("call", ["rename", "fsync", "write"])
def test_workers_whose_disk_fails_at_any_time(place: Place, call: str) -> None:
    for number in range(1, 12, 2):
        here = Place(place.folder / f"{number}").write(counts=range(2, 6))
        here.run(before=strace(f"inject={call}:error=EIO:when={number}"), pictures=True)
        _nothing_half(here)
        here.sweep_here()
        assert here.table == here.undisturbed()
        assert here.each_row_once()


def test_a_tidied_sweep_killed_while_its_table_is_replaced_keeps_it(place: Place) -> None:
    from simulator.sweeps import upkeep

    place.write(counts=[2, 3])
    place.sweep_here()
    upkeep.tidy(place.out)
    place.write(counts=[2, 3, 4])
    for number in (3, 4):  # after the sweep's file: first note both, then the table, then the note
        copy = Place(place.folder / f"at-{number}").write(counts=[2, 3, 4])
        shutil.copytree(place.out, copy.out)
        code, _, err = copy.run(jobs=1, before=strace(f"inject=rename:signal=KILL:when={number}"))
        assert code not in (0, 1, 2), err
        assert copy.sweep_here().standing.run_now == 0
        expected = Place(place.folder / f"other-{number}").write(counts=[2, 3, 4])
        expected.sweep_here()
        assert copy.table == expected.table
