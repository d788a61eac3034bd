"""Processes of this machine that work for a sweep: how they start, and what their end says."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socketpair
from typing import Final

from simulator.sweeps.work import WorkerError

MOST_STILLBORN: Final = 5
"""Processes that may end, one after another, before they have begun anything."""

DIED: Final = "its worker died; out of memory is the usual cause"
"""What is said where a cluster does not tell more."""

_ENV_PATH: Final = "PYTHONPATH"
_MOST_GENERATIONS: Final = 20
_ENDED: Final = "ZX"
"""Letters of processes that have ended and are only listed still."""


def connected(module: str, *words: str) -> tuple[subprocess.Popen[bytes], Connection]:
    """Start a module in a process of its own that is told one end of a connection."""
    ours, theirs = socketpair()
    with theirs:
        try:
            process = started(module, str(theirs.fileno()), *words, pass_fds=(theirs.fileno(),))
        except BaseException:
            ours.close()
            raise
    return process, Connection(ours.detach())


def started(module: str, *words: str, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    """Start a module in a session of its own: whoever presses Ctrl-C means the driver.

    It finds what this process can import, and says nothing. Its stdin closes when this process
    ends, however that may be.

    Raises
    ------
    WorkerError
        If the system has no process left for it.
    """
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("FLEETSIM_DEBUG") else subprocess.DEVNULL,
            pass_fds=pass_fds,
            env={**os.environ, _ENV_PATH: path},
            start_new_session=True,
        )
    except OSError as error:
        why = error.strerror or str(error)
        raise WorkerError(f"worker processes can't be started: {why}") from error


def overdue_cause(limit_s: float) -> str:
    """Return the words for a run that took too long."""
    return f"took longer than the limit of {limit_s:g} s"


def cause_of(status: int) -> str:
    """Return the words for a process that ended before its chunk did."""
    if status >= 0:
        return f"its process ended with status {status}"
    name = signal.Signals(-status).name if -status in signal.valid_signals() else str(-status)
    hint = "; out of memory is the usual cause" if -status == signal.SIGKILL else ""
    return f"its process was killed by {name}{hint}"


def end_session(leader: int) -> None:
    """Kill every process of a session, whatever groups they have made for themselves."""
    end_members(leader)
    end_group(leader)


def end_members(leader: int) -> None:
    """Kill every process of a session but the first, which keeps the number of the session."""
    for _ in range(_MOST_GENERATIONS):
        members = [pid for pid in _session(leader) if pid != leader]
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not members:
            return


def end_group(leader: int) -> None:
    """Kill a process that leads a group, and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    """Return whether a process of this machine has ended, be it buried or not."""
    return _standing(pid)[0] in _ENDED


def _session(leader: int) -> list[int]:
    """Return the processes of a session that still run."""
    standings = {
        int(entry.name): _standing(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")
    }
    return [
        pid
        for pid, (state, session) in standings.items()
        if session == leader and state not in _ENDED
    ]


def _standing(pid: int) -> tuple[str, int]:
    """Return the letter of a process's state, and its session."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _ENDED[0], 0
    state, _, _, session = stat.rpartition(")")[2].split()[:4]
    return state, int(session)
