"""A provisioning policy that misbehaves on one point of a sweep, in the way it is told to."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np

import simulator as fs
from tests.faults.running import MARKERS

HOUR_MS: Final = 3_600_000
ODD: Final = 'a "quote", a \\, a tab\t, a bell\a, two\nlines, ß 漢 \U0001f4a3, a half \udc80 letter'


class Explosion(Exception):
    """What the policy raises."""


class Unspeakable(Exception):
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
    if once("killed"):
        kill()


def hang() -> None:
    while True:
        time.sleep(3600.0)


@numba.njit  # type: ignore[untyped-decorator]
def turning(number: int) -> int:
    while number != 0:
        number = number * 5 + 2
    return number


def spin() -> None:
    """Never come back from compiled code, which holds the interpreter's lock."""
    turning(1)


def explode() -> None:
    raise Explosion("as ordered")


def odd() -> None:
    raise Explosion(ODD + "!" * 100_000)


def unspeakable() -> None:
    raise Unspeakable


def memory_error() -> None:
    raise MemoryError


def allocate() -> None:
    """Take memory, and use it, until the system says no, one way or the other."""
    held = []
    for _ in range(64):  # 4 GiB in the end
        held.append(np.ones(1 << 23))


def leave() -> None:
    sys.exit(1)


def leave_at_once() -> None:
    os._exit(1)


def fork_and_die() -> None:
    """Leave a child behind that holds every open file of this process."""
    if once("forked"):
        if os.fork() == 0:
            time.sleep(20.0)
            os._exit(0)
        kill()


def terminate_once() -> None:
    if once("terminated"):
        os.kill(os.getpid(), signal.SIGTERM)


def doze() -> None:
    time.sleep(0.02)


DEEDS: Final[dict[str, Callable[[], None]]] = {
    deed.__name__: deed
    for deed in (
        kill, kill_once, hang, spin, explode, odd, unspeakable, memory_error, allocate, leave,
        leave_at_once, fork_and_die, terminate_once,
    )
}  # fmt: skip


@fs.provisioning("bomb")
def bomb(
    env: Any, cluster: Any, *, deed: str = "", at: int = 0, slow: bool = False
) -> Iterator[Any]:
    """Do a deed after an hour on a cluster of so many nodes; sleep a little on every one."""
    yield env.timeout(HOUR_MS)
    if slow:
        doze()
    if deed == "note":
        cluster.note(ODD, 1e308 * cluster.node_count, "½ " * 1000)
    elif deed and cluster.node_count == at:
        DEEDS[deed]()
