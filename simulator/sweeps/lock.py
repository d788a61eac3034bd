"""One sweep in one folder: who holds it, told to whoever else comes."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from simulator.errors import InputError, Issue

NAME: Final = ".lock"
ALONE_S: Final = 1.0
"""Time to wait for a lock, so that nobody is turned away for one who only looks. [s]"""
BESIDE_S: Final = 5.0
"""Time that a shard waits for others that put the table together. [s]"""

_SHARD: Final = ".shard-"
_POLL_S: Final = 0.05


@contextmanager
def held(folder: Path, *, shard: str | None = None) -> Iterator[None]:
    """Hold the folder of a sweep: alone, or as one of several shards beside one another.

    The operating system lets go of a lock whose process died, so that of a dead owner never
    stands in the way, whatever its file says and whoever has its process number now.

    Raises
    ------
    InputError
        If another process holds it; says who, and since when.
    """
    if shard is None:
        with _locked(folder / NAME, fcntl.LOCK_EX, "sweep", ALONE_S):
            yield
        return
    name = f"{_SHARD}{shard.replace('/', '-of-')}{NAME}"
    with (
        _locked(folder / NAME, fcntl.LOCK_SH, "sweep", BESIDE_S),
        _locked(folder / name, fcntl.LOCK_EX, f"shard {shard}", ALONE_S),
    ):
        yield


def owner_of(folder: Path) -> str | None:
    """Return who works in the folder of a sweep, in words; None where nobody does."""
    path = folder / NAME
    return _owner(path) if _is_held(path) else None


@contextmanager
def _locked(path: Path, kind: int, what: str, patience_s: float) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        until_s = time.monotonic() + patience_s
        while not _is_taken(handle, kind):
            if time.monotonic() > until_s:
                rule = f"{_owner(path)} works on this {what}; wait for it, or name another folder"
                raise InputError("output folder", [Issue(str(path.parent), rule)])
            time.sleep(_POLL_S)
        if kind == fcntl.LOCK_EX:
            _sign(handle)
        yield
    finally:
        os.close(handle)


def _is_taken(handle: int, kind: int) -> bool:
    """Lock a file at once, or return False."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that knows no locks: the note must do
        return not _lives(os.pread(handle, 4096, 0))
    return True


def _is_held(path: Path, kind: int = fcntl.LOCK_EX) -> bool:
    """Return whether somebody's lock on a file keeps others from one of this kind."""
    try:
        with path.open("rb") as file:
            return not _is_taken(file.fileno(), kind)
    except OSError:
        return False


def _lives(note: bytes) -> bool:
    """Return whether the process of a note still runs: the same number and the same start."""
    try:
        owner = json.loads(note)
        return bool(
            owner["pid"] != os.getpid()
            and owner["host"] == socket.gethostname()
            and owner["started"] == _started(owner["pid"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _started(pid: int) -> str:
    """Return when a process started, in ticks since the machine did."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return stat.rpartition(")")[2].split()[19]


def _sign(handle: int) -> None:
    note: dict[str, Any] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with suppress(OSError, IndexError):
        note["started"] = _started(os.getpid())
    with suppress(OSError):  # a full disk: the lock holds without its note
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)


def _owner(path: Path) -> str:
    """Return who holds a lock, in words; of several shards the first."""
    if path.name == NAME and not _is_held(path, fcntl.LOCK_SH):  # shared: the note is an old one
        held = filter(_is_held, sorted(path.parent.glob(f"{_SHARD}*{NAME}")))
        path = next(held, path.with_name(_SHARD))
    try:
        note: Any = json.loads(path.read_text(encoding="utf-8"))
        return f"process {note['pid']} on {note['host']}, since {note['since']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
