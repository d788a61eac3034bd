"""Sweeps on Ray's actors: the same bytes though one dies, and nothing is left behind."""

import os
import re
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("ray", reason="needs the extra ray: pip install 'fleetsim[ray]'")

from simulator.errors import InputError
from simulator.sweeps.backends import ray
from simulator.sweeps.backends.ray import Ray
from simulator.sweeps.carrying import sweep
from simulator.sweeps.session import Options
from simulator.sweeps.store import Store
from simulator.sweeps.work import StoreError
from tests.faults.running import MARKERS, Place, children, gone

KILLED = "its worker died; out of memory is the usual cause (3 times)"


def on_ray(place: Place, **options: object) -> None:
    os.environ[MARKERS] = str(place.folder)
    said = {"jobs": 2, "backend": "ray", **options}
    sweep(place.plan(), place.out, Options(**said))  # type: ignore[arg-type]


def session_of(leader: int) -> list[int]:
    """Return all processes of a session, that of Ray's process among them."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(path.name)) == leader:
                found.append(int(path.name))
        except ProcessLookupError:
            continue
    return found


def test_actors_that_die_once_cost_nothing(place: Place) -> None:
    deeds = ["kill_once", "fork_once"]
    place.write(deeds=["none", *deeds], seeds=5)
    expected = place.undisturbed()
    on_ray(place)
    assert all((place.folder / deed).exists() for deed in deeds)
    assert place.table == expected
    assert place.each_row_once()
    assert children(os.getpid()) == []


def test_a_command_that_is_interrupted_leaves_nothing_behind(place: Place) -> None:
    place.write(slow=True, counts=range(2, 200))
    run = place.start("--backend", "ray")
    place.wait_for(6)
    [leader] = run.workers
    started = session_of(leader)
    assert len(started) > 4  # a head, two actors, and what Ray has around them
    os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does
    code, out, err = run.ended()
    assert code == 130
    assert gone(started)
    assert out == ""
    assert "Traceback" not in err
    assert re.search(r"go on with: fleetsim sweep .* --backend ray", err)
    assert set(place.rows().values()) == {1}


def test_an_address_without_a_head_is_refused(place: Place) -> None:
    place.write()
    with pytest.raises(InputError, match="no Ray answers there"):
        on_ray(place, address="127.0.0.1:9")


def test_a_ray_that_is_in_use_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    context = SimpleNamespace(gcs_address="head:6379")
    connected = SimpleNamespace(is_initialized=lambda: True, get_runtime_context=lambda: context)
    monkeypatch.setitem(sys.modules, "ray", connected)
    assert ray._connected_before() == "head:6379"
    del context.gcs_address
    with pytest.raises(InputError, match="ray://head:10001"):
        ray._connected_before()
    connected.is_initialized = lambda: False
    assert ray._connected_before() is None


def test_what_was_never_started_can_be_stopped() -> None:
    backend = Ray(2, None)
    assert backend.stop(0.1) == []
    backend.close()


@pytest.mark.verify
def test_what_one_point_does_is_its_own_failure(place: Place) -> None:
    why = {"kill": KILLED, "hang": "took longer than the limit of 2 s", "leave": "SystemExit: 1"}
    place.write(deeds=["none", *why, "doze"], seeds=1)
    on_ray(place, point_timeout_s=2.0)
    assert place.errors == dict(enumerate(why.values(), start=1))
    assert place.each_row_once()


@pytest.mark.verify
def test_rows_of_actors_without_the_folder_come_back_and_are_written_here(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(deeds=["none", "kill_once"], seeds=6)
    expected = place.undisturbed()
    monkeypatch.setattr(Store, "token", "of another folder")
    on_ray(place)
    assert place.table == expected
    assert place.each_row_once()


@pytest.mark.verify
def test_a_disk_that_refuses_is_told_as_such(place: Place) -> None:
    place.write(deeds=["none", "no_room"], seeds=3)
    with pytest.raises(StoreError, match="File too large"):
        on_ray(place)
    assert children(os.getpid()) == []


@pytest.mark.verify
def test_ray_ends_with_a_driver_that_is_killed(place: Place) -> None:
    place.write(slow=True, counts=range(2, 200))
    run = place.start("--backend", "ray")
    place.wait_for(4)
    [leader] = run.workers
    started = session_of(leader)
    run.kill()
    assert gone(started)
    assert set(place.rows().values()) == {1}
