"""A provisioning policy that misbehaves on one point of a sweep, in the way it is told to."""

import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np

import simulator as fs
from tests.faults.running import HANGS, LOST, MARKERS, RESTED

if LOST in os.environ:
    raise ImportError("as ordered")

HOUR_MS: Final = 3_600_000
ODD: Final = 'a "quote", a \\, a tab\t, a bell\a, two\nlines, ß 漢 \U0001f4a3, a half \udc80 letter'


class ExplosionError(Exception):
    """What the policy raises."""


class UnspeakableError(Exception):
    """An error that can't even be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def once(name: str) -> bool:
    """Return True the first time, whichever process asks."""
    try:
        (Path(os.environ[MARKERS]) / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_once() -> None:
    if once("kill_once"):
        kill()


def hang() -> None:
    say_that_it_hangs()
    while True:
        time.sleep(3600.0)


def say_that_it_hangs() -> None:
    (Path(os.environ[MARKERS]) / f"{HANGS}{os.getpid()}").touch()


def hang_once() -> None:
    if once("hang_once"):
        hang()


@numba.njit  # type: ignore[untyped-decorator]
def turning(number: int) -> int:
    while number != 0:
        number = number * 5 + 2
    return number


def spin() -> None:
    """Never come back from compiled code, which holds the interpreter's lock."""
    turning(0)  # compiles
    say_that_it_hangs()
    turning(1)


def explode() -> None:
    raise ExplosionError("as ordered")


def explode_once() -> None:
    if once("explode_once"):
        explode()


def odd() -> None:
    raise ExplosionError(ODD + "!" * 100_000)


def unspeakable() -> None:
    raise UnspeakableError


def memory_error() -> None:
    raise MemoryError


def allocate() -> None:
    """Take four gigabytes of memory, and use them: the system says no, one way or the other.

    Where it kills for it, it is to kill whoever takes it, not whoever waits beside.
    """
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    np.ones(1 << 29)


def leave() -> None:
    sys.exit(1)


def leave_at_once() -> None:
    os._exit(1)


def fork_once() -> None:
    """Leave a child behind that holds every open file of this process."""
    if once("fork_once"):
        if os.fork() == 0:
            time.sleep(60.0)
            os._exit(0)
        kill()


def terminate_once() -> None:
    if once("terminate_once"):
        os.kill(os.getpid(), signal.SIGTERM)


def no_room() -> None:
    """Let no file of this process grow any more."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def doze() -> None:
    if not (Path(os.environ[MARKERS]) / RESTED).exists():
        time.sleep(0.02)


DEEDS: Final[dict[str, Callable[[], None]]] = {
    deed.__name__: deed
    for deed in (
        kill, kill_once, hang, hang_once, spin, explode, explode_once, odd,
        unspeakable, memory_error, allocate, leave, leave_at_once, fork_once, terminate_once,
        no_room, doze,
    )
}  # fmt: skip


@fs.provisioning("bomb")
def bomb(
    env: Any, cluster: Any, *, deed: str = "none", at: int = 0, slow: bool = False
) -> Iterator[Any]:
    """Do a deed after an hour on a cluster of so many nodes; sleep a little on every one."""
    yield env.timeout(HOUR_MS)
    if slow:
        doze()
    if deed == "note":
        cluster.note(ODD, math.inf, "½ " * 1000)
    elif deed != "none" and at in (0, cluster.node_count):
        DEEDS[deed]()
