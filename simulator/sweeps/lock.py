"""One sweep in one folder: who holds it, told to whoever else comes."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from simulator.errors import InputError, Issue

NAME: Final = ".lock"


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
        with _locked(folder / NAME, fcntl.LOCK_EX, "sweep"):
            yield
        return
    name = f".shard-{shard.replace('/', '-of-')}{NAME}"
    with (
        _locked(folder / NAME, fcntl.LOCK_SH, "sweep"),
        _locked(folder / name, fcntl.LOCK_EX, f"shard {shard}"),
    ):
        yield


def owner_of(folder: Path) -> str | None:
    """Return who works in the folder of a sweep, in words; None where nobody does."""
    path = folder / NAME
    try:
        with path.open("rb") as file:
            _take(file.fileno(), fcntl.LOCK_EX)
            return None
    except BlockingIOError:
        return _owner(path)
    except OSError:
        return None


@contextmanager
def _locked(path: Path, kind: int, what: str) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        try:
            _take(handle, kind)
        except BlockingIOError:
            rule = f"{_owner(path)} works on this {what}; wait for it, or name another folder"
            raise InputError("output folder", [Issue(str(path.parent), rule)]) from None
        if kind == fcntl.LOCK_EX:
            _sign(handle)
        yield
    finally:
        os.close(handle)


def _take(handle: int, kind: int) -> None:
    """Lock a file at once, or raise BlockingIOError."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:  # a file system that knows no locks: the note must do
        if kind == fcntl.LOCK_EX and _lives(os.pread(handle, 4096, 0)):
            raise BlockingIOError from error


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
    try:
        note: Any = json.loads(path.read_text(encoding="utf-8"))
        return f"process {note['pid']} on {note['host']}, since {note['since']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
