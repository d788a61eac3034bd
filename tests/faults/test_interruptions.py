"""The command line killed, interrupted, doubled: whoever types it again gets the same table."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from simulator.sweeps import lock
from tests.faults.running import PATIENCE_S, PLAIN, Place, Run, gone

ENDS = {signal.SIGINT: 130, signal.SIGTERM: 143}


def _killed(place: Place, dice: np.random.Generator, times: int) -> None:
    place.write(slow=True, seeds=8)
    expected = place.undisturbed()
    known = 0
    for _ in range(times):
        run = place.start()
        place.wait_for(known + 1)
        time.sleep(dice.uniform(0.0, 0.25))
        workers = run.workers
        run.kill()
        assert gone(workers)
        rows = place.rows()
        assert max(rows.values()) == 1
        assert known < len(rows) < len(place.plan())
        known = len(rows)
    told: list[str] = []
    place.sweep_here(tell=told.append)
    assert not told  # of damage
    assert place.table == expected
    assert place.each_row_once()


def test_a_sweep_killed_twice_is_the_same_sweep(place: Place) -> None:
    _killed(place, np.random.default_rng(1), times=2)


@pytest.mark.verify
@pytest.mark.parametrize("number", range(20))
def test_a_sweep_killed_three_times_is_the_same_sweep(place: Place, number: int) -> None:
    _killed(place, np.random.default_rng(number), times=3)


def test_a_worker_in_compiled_code_goes_with_its_sweep(place: Place) -> None:
    place.write(deed="spin", counts=[2], seeds=1)
    run = place.start()
    turning = place.wait_for_a_hang()
    assert turning in run.workers
    begun_s, until = _cpu_s(turning), time.monotonic() + PATIENCE_S
    while _cpu_s(turning) < begun_s + 0.1:
        assert time.monotonic() < until, "no run turns"
        time.sleep(0.05)
    workers = run.workers
    run.kill()
    assert gone(workers)


def _cpu_s(pid: int) -> float:
    """Return how long a process has computed."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def _interrupted(place: Place, run: Run, number: signal.Signals) -> None:
    """Interrupt a sweep: it ends at once and well, and says how it goes on."""
    workers = run.workers
    begun = time.monotonic()
    run.send(number)
    code, _, err = run.ended()
    took = time.monotonic() - begun
    if code == 0:
        return  # it was ready before
    if not place.out.exists() and not workers:
        assert code in {ENDS[number], -number, 1}  # it had not begun
        return
    assert code == ENDS[number], err
    assert took < 5.0
    assert gone(workers, within_s=1.0)
    word = "interrupted" if number == signal.SIGINT else "terminated"
    command = "fleetsim sweep study.toml -o out --jobs 2"
    assert err.splitlines()[-1] == f"{word}; finished runs are kept; go on with: {command}"


def test_an_interrupted_sweep_says_how_to_go_on(place: Place) -> None:
    place.write(slow=True, seeds=8)
    expected = place.undisturbed()
    for known, number in enumerate(ENDS):
        run = place.start()
        place.wait_for(place.lines() + 3)
        _interrupted(place, run, number)
        assert 3 * (known + 1) <= place.lines() < len(place.plan())
    run = place.start()
    while not run.workers:
        time.sleep(0.01)
    _interrupted(place, run, signal.SIGINT)  # before they have begun
    told: list[str] = []
    place.sweep_here(tell=told.append)
    assert not told  # of damage
    assert place.table == expected
    assert place.each_row_once()


@pytest.mark.verify
@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize("repeat", range(20))
def test_a_sweep_interrupted_at_any_time(place: Place, number: signal.Signals, repeat: int) -> None:
    dice = np.random.default_rng([repeat, number])
    place.write(slow=True, seeds=4)
    expected = place.undisturbed()
    run = place.start()
    time.sleep(dice.uniform(0.0, 4.0))
    _interrupted(place, run, number)
    place.resumed()
    assert place.table == expected
    assert place.each_row_once()


def test_a_hung_run_does_not_keep_a_sweep_from_ending(place: Place) -> None:
    place.write(deed="hang", counts=[2, 3], seeds=2)
    run = place.start()
    place.wait_for_a_hang()
    begun = time.monotonic()
    workers = run.workers
    run.send(signal.SIGINT)
    code, _, err = run.ended()
    assert (code, time.monotonic() - begun < 5.0) == (130, True)
    assert "go on with" in err
    assert gone(workers)


def test_whoever_interrupts_twice_does_not_wait(place: Place) -> None:
    place.write(deed="hang", counts=[2, 3], seeds=2)
    run = place.start()
    place.wait_for_a_hang()
    workers = run.workers
    run.send(signal.SIGINT)
    time.sleep(0.3)
    begun = time.monotonic()
    run.send(signal.SIGINT)
    code, _, err = run.ended()
    assert (code, time.monotonic() - begun < 2.0) == (130, True)
    assert "go on with" in err
    assert gone(workers)


def test_a_second_sweep_is_told_of_the_first(place: Place) -> None:
    place.write(deed="hang_once", at=5)
    expected = place.undisturbed()
    first = place.start()
    place.wait_for(1)
    code, _, err = place.run()
    assert code == 2
    said = f"process {first.process.pid} on {socket.gethostname()}, since "
    assert said in err
    assert "works on this sweep; wait for it, or name another folder" in err
    assert len(err.splitlines()) == 2
    status = lock.owner_of(place.out)
    assert status is not None
    assert said in status
    first.kill()  # it leaves its lock, which is in nobody's way
    assert lock.owner_of(place.out) is None
    place.sweep_here()
    assert place.table == expected
    assert place.each_row_once()


@pytest.mark.verify
@pytest.mark.parametrize("repeat", range(20))
def test_of_two_begun_at_once_one_works(place: Place, repeat: int) -> None:
    place.write(slow=True, seeds=4)
    expected = place.undisturbed()
    runs = [place.start()]
    time.sleep(0.05 * (repeat % 2))
    runs.append(place.start())
    codes = sorted(run.ended()[0] for run in runs)
    assert codes in ([0, 2], [0, 0])
    assert place.table == expected
    assert place.each_row_once()


def test_a_lock_of_the_dead_is_taken_over_even_if_their_number_lives(place: Place) -> None:
    place.write(counts=[2, 3])
    place.sweep_here()
    note = json.loads((place.out / ".lock").read_text())
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        stale = {**note, "pid": other.pid, "started": "1", "since": "2001-01-01T00:00:00+00:00"}
        (place.out / ".lock").write_text(json.dumps(stale))
        assert place.sweep_here().standing.done == 4
        for nonsense in ("", "{", "[]", '{"pid": "x"}', "\0" * 100):
            (place.out / ".lock").write_text(nonsense)
            assert place.sweep_here().standing.done == 4
    finally:
        other.communicate(b"\n")


def test_where_locks_are_unknown_the_note_tells(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(handle: int, kind: int) -> None:
        raise OSError(38, "Function not implemented")

    place.write(deed="hang", at=5)
    run = place.start()
    place.wait_for(1)
    monkeypatch.setattr(fcntl, "flock", unknown)
    with pytest.raises(ValueError, match=f"process {run.process.pid} on"):
        place.sweep_here()
    run.kill()
    place.write(counts=[2], seeds=1)
    assert place.sweep_here().standing.done == 1


def test_shards_that_end_together_make_one_table(place: Place) -> None:
    place.write(slow=True, seeds=2)
    expected = place.undisturbed()
    parts = [("--shard", f"{index}/3") for index in (1, 2, 3)]
    runs = [place.start(*part, jobs=1, env={PLAIN: "1"}) for part in parts]
    place.wait_for(1)
    code, _, err = place.run(jobs=1)
    said = [run.ended() for run in runs]
    assert [code for code, _, _ in said] == [0, 0, 0]
    if code:  # it met them at work: the note of who holds the folder is of a shard
        assert code == 2
        assert any(f"process {run.process.pid} on" in err for run in runs)
    assert place.table == expected
    assert place.each_row_once()


def test_nothing_depends_on_the_clock(place: Place) -> None:
    fake = shutil.which("faketime")
    if fake is None:
        pytest.skip("faketime is not installed")
    place.write()
    expected = place.undisturbed()
    run = place.start(before=[fake, "2020-02-29 23:59:59"])
    place.wait_for(2)
    run.kill()
    place.resumed(before=[fake, "1999-12-31 23:59:59"])
    assert place.table == expected


def test_a_clock_that_jumps_back_changes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(counts=[2, 3])
    expected = place.undisturbed()
    place.sweep_here()
    for path in (place.out / "shards").iterdir():
        os.utime(path, (2e9, 2e9))  # written in 2033
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert place.sweep_here().standing.run_now == 0
    assert place.table == expected


@pytest.mark.verify  # compiles for half a minute
def test_kernels_that_cant_be_kept_are_compiled_and_nothing_else_changes(place: Place) -> None:
    place.write(counts=[2], seeds=2)
    expected = place.undisturbed()
    blocked = place.folder / "blocked"
    blocked.write_text("no folder")
    run = place.start(jobs=1, env={"NUMBA_CACHE_DIR": str(blocked)})
    code, _, err = run.ended(within_s=800.0)
    assert code == 0, err
    assert place.table == expected
