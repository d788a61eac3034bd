"""Sweeps on Dask workers, ours and those of a cluster that stands: killed, hung, interrupted."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs the extra dask: pip install 'fleetsim[dask]'")

from simulator.errors import InputError
from simulator.sweeps.backends import dask
from simulator.sweeps.carrying import sweep
from simulator.sweeps.driver import Standing
from simulator.sweeps.session import Options
from simulator.sweeps.store import Store
from simulator.sweeps.work import StoreError, WorkerError
from tests.faults.running import MARKERS, ROOT, Place, children, gone

KILLED = "its process was killed by SIGKILL; out of memory is the usual cause (3 times)"
DASK = Path(sys.executable).with_name("dask")
START_S = 60.0


def on_dask(place: Place, **options: object) -> None:
    os.environ[MARKERS] = str(place.folder)
    said = {"jobs": 2, "backend": "dask", **options}
    sweep(place.plan(), place.out, Options(**said))  # type: ignore[arg-type]


def interrupt_after(count: int) -> object:
    def show(standing: Standing) -> None:
        if standing.run_now >= count:
            raise KeyboardInterrupt

    return show


def test_workers_that_die_once_cost_nothing(place: Place) -> None:
    deeds = ["kill_once", "fork_once", "terminate_once"]
    place.write(deeds=["none", *deeds], seeds=4)
    expected = place.undisturbed()
    on_dask(place)
    assert all((place.folder / deed).exists() for deed in deeds)
    assert place.table == expected
    assert place.each_row_once()
    assert children(os.getpid()) == []


WHY = {"hang": "took longer than the limit of 2 s", "leave": "SystemExit: 1", "kill": KILLED}


@pytest.mark.parametrize(
    "deeds",
    [
        pytest.param(("hang", "leave"), id="few"),
        pytest.param(tuple(WHY), id="all", marks=pytest.mark.verify),
    ],
)
def test_what_one_point_does_is_its_own_failure(place: Place, deeds: tuple[str, ...]) -> None:
    why = {deed: WHY[deed] for deed in deeds}
    place.write(deeds=["none", *why, "doze"], seeds=1)
    on_dask(place, point_timeout_s=2.0)
    assert place.errors == dict(enumerate(why.values(), start=1))
    assert place.each_row_once()


def test_rows_of_workers_without_the_folder_come_back_and_are_written_here(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(deeds=["none", "kill_once"], seeds=6)
    expected = place.undisturbed()
    monkeypatch.setattr(Store, "token", "of another folder")
    on_dask(place)
    assert place.table == expected
    assert place.each_row_once()
    written = list((place.out / "shards").glob("*.jsonl"))
    assert [path.name.rsplit("-", 2)[1] for path in written] == [str(os.getpid())]


def test_an_interrupted_sweep_goes_on_anywhere(place: Place) -> None:
    place.write(slow=True, counts=range(2, 40))
    expected = place.undisturbed()
    os.environ[MARKERS] = str(place.folder)
    with pytest.raises(KeyboardInterrupt):
        sweep(place.plan(), place.out, Options(jobs=2, backend="dask"), show=interrupt_after(6))
    assert children(os.getpid()) == []
    assert 6 <= len(place.rows()) < 76
    place.sweep_here()
    assert place.table == expected
    assert place.each_row_once()


def test_a_command_that_is_interrupted_leaves_nothing_behind(place: Place) -> None:
    place.write(slow=True, counts=range(2, 200))
    run = place.start("--backend", "dask")
    place.wait_for(6)
    workers = run.workers
    begun = time.monotonic()
    os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does
    code, out, err = run.ended()
    assert code == 130
    assert time.monotonic() - begun < 10.0
    assert gone(workers)
    assert out == ""
    assert "Traceback" not in err
    assert re.search(r"go on with: fleetsim sweep .* --backend dask", err)


def test_workers_end_with_a_driver_that_is_killed(place: Place) -> None:
    place.write(slow=True, counts=range(2, 200))
    run = place.start("--backend", "dask", env={"TMPDIR": str(place.folder)})
    place.wait_for(4)
    workers = run.workers
    run.kill()
    assert workers
    assert gone(workers)
    assert set(place.rows().values()) == {1}


def test_a_disk_that_refuses_is_told_as_such(place: Place) -> None:
    place.write(deeds=["none", "no_room"], seeds=3)
    with pytest.raises(StoreError, match="File too large"):
        on_dask(place)
    assert children(os.getpid()) == []
    place.write(deeds=["none", "doze"], seeds=3)
    expected = place.undisturbed()
    place.sweep_here()
    assert place.table == expected


def test_an_address_without_a_scheduler_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "CONNECT_S", 0.2)
    place.write()
    with pytest.raises(InputError, match="no Dask scheduler answers there"):
        on_dask(place, address="tcp://127.0.0.1:9")


# -- a cluster that stands ----------------------------------------------------------------------


class Cluster:
    """A scheduler and two workers, started by the commands of docs/distributed.md."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        said = folder / "scheduler.json"
        local = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        self._start("scheduler", *local, "--scheduler-file", str(said))
        until = time.monotonic() + START_S
        while not said.exists():
            assert time.monotonic() < until, "no scheduler"
            time.sleep(0.05)
        self.address = str(said)
        self._workers = self._start(
            *("worker", "--scheduler-file", str(said), "--nworkers", "2", "--nthreads", "1"),
            *("--local-directory", str(folder), "--dashboard-address", "127.0.0.1:0"),
        )

    @property
    def workers(self) -> list[int]:
        """The worker processes; their nannies see to it that there are two."""
        return [
            pid
            for pid in children(self._workers.pid)
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    def kill_scheduler(self) -> None:
        self._started[0].kill()

    def stop(self) -> None:
        for process in reversed(self._started):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"PYTHONPATH": str(ROOT), MARKERS: str(self.folder)}
        process = subprocess.Popen(
            [str(DASK), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=self.folder,
            start_new_session=True,
        )
        self._started.append(process)
        return process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


def test_a_cluster_that_stands_gives_the_same_bytes_and_stays(
    place: Place, cluster: Cluster
) -> None:
    place.write(deeds=["none", "kill_once"], seeds=6)
    expected = place.undisturbed()
    on_dask(place, backend="auto", address=cluster.address)
    assert (cluster.folder / "kill_once").exists()
    assert place.table == expected
    assert place.each_row_once()
    again = Place(place.folder / "again").write(slow=True, counts=range(2, 6))
    on_dask(again, address=cluster.address)
    assert again.each_row_once()
    assert cluster.workers


@pytest.mark.verify
def test_a_run_that_hangs_on_a_cluster_ends_with_the_interrupted_sweep(
    place: Place, cluster: Cluster
) -> None:
    place.write(deeds=["none", "hang"], seeds=4)
    os.environ[MARKERS] = str(place.folder)
    options = Options(backend="dask", address=cluster.address)
    with pytest.raises(KeyboardInterrupt):
        sweep(place.plan(), place.out, options, show=interrupt_after(4))
    hung = cluster.workers
    until = time.monotonic() + START_S
    while len(set(hung) & set(cluster.workers)) == 2:
        assert time.monotonic() < until, "the worker that hangs is still there"
        time.sleep(0.05)
    assert set(place.rows()) >= {0, 1, 2, 3}


@pytest.mark.verify
def test_a_cluster_that_is_lost_is_told_and_what_was_finished_stays(place: Place) -> None:
    (place.folder / "cluster").mkdir()
    cluster = Cluster(place.folder / "cluster")
    try:
        place.write(slow=True, counts=range(2, 200))
        os.environ[MARKERS] = str(place.folder)

        def show(standing: Standing) -> None:
            if standing.run_now >= 4:
                cluster.kill_scheduler()

        options = Options(backend="dask", address=cluster.address)
        with pytest.raises(WorkerError, match="the Dask scheduler is gone"):
            sweep(place.plan(), place.out, options, show=show)
        assert len(place.rows()) >= 4
        assert set(place.rows().values()) == {1}
    finally:
        cluster.stop()
