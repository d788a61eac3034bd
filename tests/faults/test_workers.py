"""Workers that die, hang or fail: the others' runs stand, and the table is the same."""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.sweeps.backends.local import Local
from simulator.sweeps.backends.processes import MOST_STILLBORN
from simulator.sweeps.carrying import sweep
from simulator.sweeps.session import Options
from simulator.sweeps.shards import shard_files
from simulator.sweeps.store import Store
from simulator.sweeps.work import Chunk, Point, Work, WorkerError
from tests.faults.running import Place, children, document

KILLED = "its process was killed by SIGKILL; out of memory is the usual cause (3 times)"
POLICY = "PolicyError: policy bomb of cluster few failed after 1 h"
MEMORY_GROUPS = Path("/sys/fs/cgroup/memory")
GROUP_BYTES = 1 << 30
"""Memory of a whole sweep: a worker needs a fifth of it. [bytes]"""


def test_workers_that_die_once_cost_nothing(place: Place) -> None:
    # Killed; killed while a child of theirs keeps the line open; told to end from outside.
    deeds = ["kill_once", "fork_once", "terminate_once"]
    place.write(deeds=["none", *deeds], seeds=4)
    expected = place.undisturbed()
    place.sweep_here(jobs=2)
    assert all((place.folder / deed).exists() for deed in deeds)
    assert place.table == expected
    assert place.each_row_once()


def test_what_one_point_does_is_its_own_failure_and_the_others_are_done(place: Place) -> None:
    why = {
        "kill": KILLED,
        "hang": "took longer than the limit of 3 s",
        "spin": "took longer than the limit of 3 s",
        "leave": "SystemExit: 1",
        "memory_error": "out of memory",
        "allocate": "out of memory",
        "unspeakable": "RuntimeError: no words",
        "explode": f"{POLICY}: ExplosionError: as ordered",
        "note": "",
        "none": "",
    }
    place.write(deeds=list(why), seeds=1)
    code, out, err = place.run("--json", "--point-timeout", "3 s", preexec_fn=_little_memory)
    assert code == 1, err
    said = document(out)
    assert (said["done"], said["failed"], said["runs"]) == (2, 8, 10)
    assert place.errors == {at: text for at, text in enumerate(why.values()) if text}
    assert place.each_row_once()
    logs = "".join(log.read_text() for log in (place.out / "shards").glob("failures-*.log"))
    assert "row 7\nTraceback" in logs
    assert "in explode" in logs
    # Failures are results: nothing is run again, unless that is asked for.
    place.write(deeds=list(why), seeds=1)
    code, out, err = place.run()
    assert code == 1, err
    assert "2 of 10 runs finished" in out
    assert "8 runs failed" in out
    assert place.each_row_once()


def _little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))


def test_an_odd_error_fits_the_table_and_the_screen(place: Place) -> None:
    place.write(deeds=["odd", "none"], seeds=1)
    code, out, _ = place.run(jobs=1)
    assert code == 1
    assert "1 of 2 runs finished" in out
    (error,) = place.errors.values()
    assert len(error) <= 500
    assert error.isprintable()
    assert place.run(jobs=1)[0] == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_failures_are_tried_again_when_that_is_asked_for(place: Place, jobs: int) -> None:
    place.write(deeds=["explode", "explode_once", "none"], seeds=2)
    expected = place.undisturbed()
    (place.folder / "explode_once").unlink(missing_ok=True)
    place.sweep_here()
    assert place.statuses == ["failed", "failed", "failed", "done", "done", "done"]
    carried = place.sweep_here(retry_failed=True, jobs=jobs)
    assert carried.standing.run_now == 3
    assert place.table == expected


def test_every_point_refused_is_a_table_of_reasons(place: Place) -> None:
    trace = place.folder / "trace.csv"
    hours = [f"2022-06-01T{hour:02}:00:00Z,{300 + hour}" for hour in range(24)]
    trace.write_text("\n".join(["time,intensity", *hours]))
    grid = '{ file = "trace.csv", time = "time", value = "intensity", unit = "g/kWh" }'
    place.write(grid=grid, counts=range(2, 5))
    plan = place.plan()
    trace.write_text("time,intensity\nnever,1\n")
    carried = sweep(plan, place.out, Options(jobs=1))
    assert carried.standing.failed == len(plan)
    assert len(set(place.errors.values())) == 1
    assert "sites.here.grid" in place.errors[0]


def test_a_policy_that_workers_cant_import_is_one_refusal(place: Place) -> None:
    place.write()
    code, _, err = place.run(env={"SOON_LOST": "1"})
    assert code == 2
    lines = err.splitlines()
    assert lines[0] == "policies: 1 problem"
    assert "tests.faults.bombs" in lines[1]
    assert "ImportError: as ordered" in lines[1]
    assert len(lines) == 2
    assert not place.lines()


def test_a_python_that_cant_be_started_is_one_error(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write()
    monkeypatch.setattr(sys, "executable", str(place.folder / "python"))
    with pytest.raises(WorkerError, match="can't be started: No such file or directory"):
        sweep(place.plan(), place.out, Options(jobs=2))
    quitter = place.folder / "python"
    quitter.write_text("#!/bin/sh\nexit 7\n")
    quitter.chmod(0o755)
    with pytest.raises(WorkerError, match="can't start: its process ended with status 7"):
        sweep(place.plan(), place.out, Options(jobs=2))
    assert MOST_STILLBORN < 10
    assert not children(os.getpid())


def test_neither_side_waits_for_the_other_however_much_they_say(place: Place) -> None:
    place.write(rate=1)
    work = Work(bases=(place.plan().base,), sweep="")
    backend = Local(1)
    chunks = [_long_chunk(first, 250) for first in (0, 250)]
    try:
        backend.start(work)
        for chunk in chunks:
            backend.submit(chunk)
        over, rows = 0, []
        while over < len(chunks):
            for ended in backend.wait(1.0):
                rows += [row.at for row in ended.rows]
                over += ended.over
    finally:
        backend.close()
    assert rows == list(range(500))


def _long_chunk(first: int, count: int) -> Chunk:
    """Return a chunk of more bytes than fit into a line between processes, as do its rows."""
    rows = tuple((first + at, 1) for at in range(count))
    return Chunk((Point({"name": "long " * 200_000}, rows),))


def test_nothing_is_left_open_or_undead(place: Place) -> None:
    place.write()
    place.sweep_here()  # what stays open for good
    place.write(deed="kill_once", at=5)
    before = _open_files()
    place.sweep_here(jobs=2)
    place.write(deed="explode", at=5)
    place.sweep_here()
    assert _open_files() == before
    assert not children(os.getpid())


def _open_files() -> set[str]:
    folder = Path("/proc/self/fd")
    return {f"{at.name} {at.readlink()}" for at in folder.iterdir() if at.is_symlink()}


@pytest.fixture
def memory_group() -> Iterator[Path]:
    """Return a memory control group of one gigabyte."""
    group = MEMORY_GROUPS / f"fleetsim-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(GROUP_BYTES))
    except OSError as error:
        pytest.skip(f"no memory control group can be made here ({error.strerror})")
    yield group
    until = time.monotonic() + 5.0
    while (group / "tasks").read_text().strip() and time.monotonic() < until:
        time.sleep(0.02)
    group.rmdir()


def test_a_worker_that_the_system_kills_for_its_memory_is_one_failed_run(
    place: Place, memory_group: Path
) -> None:
    place.write(deed="allocate", at=5, seeds=1)
    tasks = memory_group / "tasks"
    code, _, err = place.run(preexec_fn=lambda: tasks.write_text(str(os.getpid())))
    assert code == 1, err
    assert place.errors == {3: KILLED}
    assert place.statuses.count("done") == 9
    assert place.each_row_once()


def _random_kills(place: Place, dice: np.random.Generator) -> None:
    place.write(slow=True, seeds=6)
    expected = place.undisturbed()
    run = place.start()
    killed: set[int] = set()
    while run.process.poll() is None:
        time.sleep(dice.uniform(0.2, 0.8))
        workers = [pid for pid in run.workers if pid not in killed]
        if workers and len(killed) < MOST_STILLBORN:
            killed.add(pid := int(dice.choice(workers)))
            os.kill(pid, signal.SIGKILL)
    code, _, err = run.ended()
    assert len(killed) > 1
    if code == 0:
        assert place.each_row_once()
    else:  # chance met one run three times: it is given up by name, and tried again when asked
        assert set(place.errors.values()) == {KILLED}, err
        place.resumed("--retry-failed")
    assert place.table == expected


def test_workers_killed_at_random_cost_nothing(place: Place) -> None:
    _random_kills(place, np.random.default_rng(1))


@pytest.mark.verify
@pytest.mark.parametrize("number", range(20))
def test_workers_killed_at_random_cost_nothing_again(place: Place, number: int) -> None:
    _random_kills(place, np.random.default_rng(number))


def test_a_policy_of_the_script_itself_is_refused(place: Place) -> None:
    from simulator.registry import provisioning

    place.write()
    plan = place.plan()
    function = provisioning._plugins["bomb"].function
    function.__module__ = "__main__"
    with pytest.raises(InputError, match="use one job"):
        sweep(plan, place.out, Options(jobs=2))


def test_the_last_run_that_is_left_dies_alone_as_well(place: Place) -> None:
    place.write(deed="leave_at_once", at=5, counts=[5], seeds=1)
    code, out, err = place.run()
    assert code == 1, err
    assert "0 of 1 runs finished, 1 failed" in out
    assert place.errors == {0: "its process ended with status 1 (3 times)"}


def test_rows_of_workers_that_see_another_folder_are_written_here(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(counts=[2, 3, 4])
    expected = place.undisturbed()
    monkeypatch.setattr(Store, "token", "that of another folder")
    place.sweep_here(jobs=2)
    assert len(shard_files(place.out)) == 1
    assert place.each_row_once()
    assert place.table == expected
