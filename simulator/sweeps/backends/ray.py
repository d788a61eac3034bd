"""Workers of a Ray cluster, which a process of its own talks to.

Ray takes over the process that it is used from: it changes its process group, answers its
signals, prints on its stdout, and ends it if the cluster dies. So it gets one to itself, with a
session that everything which it starts belongs to, and ends with.
"""

import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

from simulator.errors import InputError, Issue
from simulator.sweeps.backends.processes import connected, end_members, end_session
from simulator.sweeps.process import watch_parent
from simulator.sweeps.work import Chunk, Ended, Work, WorkerError

if TYPE_CHECKING:
    import subprocess

BEGINNING_S: Final = 60.0
"""Time for Ray to start, or to let us in. [s]"""
KILLING_S: Final = 3.0
"""Time for the actors of a cluster to be killed. [s]"""


class Ray:
    """One actor for each processor of a Ray cluster.

    Parameters
    ----------
    workers : int
        Actors of a Ray of our own.
    address : str or None
        ``auto``, ``host:port`` or ``ray://host:port``; None for a Ray of our own, or for the one
        that this process has been connected to before.
    """

    def __init__(self, workers: int, address: str | None) -> None:
        self.workers = workers
        self._address = address
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._has_begun = False
        self._started_s = 0.0
        self._closing = ExitStack()

    def start(self, work: Work) -> None:
        """Start the process that connects to Ray, or starts one."""
        address = self._address if self._address is not None else _connected_before()
        folder = "" if address is not None else self._scratch()
        self._process, self._connection = connected("simulator.sweeps.backends.ray", folder)
        self._say((address, self.workers, pickle.dumps(work)))
        self._started_s = time.monotonic()

    def submit(self, chunk: Chunk) -> None:
        """Put a chunk in line for whoever has the least to do."""
        self._say(chunk)

    def wait(self, timeout_s: float) -> list[Ended]:
        """Return the chunks that ended, and what is known of those whose actor died."""
        return self._heard(timeout_s)[0]

    def stop(self, grace_s: float) -> list[Ended]:
        """Ask every actor to end after its run; return what still comes in."""
        self._say(grace_s)
        news: list[Ended] = []
        is_over = self._connection is None
        with suppress(WorkerError, InputError):
            while not is_over:
                heard, is_over = self._heard(grace_s + KILLING_S)
                news += heard
                is_over = is_over or not heard
        self.close()
        return news

    def close(self) -> None:
        """End the process with all that it has started; a Ray that stood before stays."""
        if self._process is not None:
            end_session(self._process.pid)
            self._process.wait()
            if self._process.stdin is not None:
                with suppress(OSError):
                    self._process.stdin.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None
        self._closing.close()

    def _scratch(self) -> str:
        """Return a folder for what a Ray of our own writes, which leaves it lying about."""
        folder = tempfile.TemporaryDirectory(prefix="fleetsim-", ignore_cleanup_errors=True)
        return self._closing.enter_context(folder)

    def _say(self, said: Any) -> None:
        if self._connection is not None:
            with suppress(OSError):  # it died; its silence will tell
                self._connection.send(said)

    def _heard(self, timeout_s: float) -> tuple[list[Ended], bool]:
        """Return what has come, and whether nothing more will.

        Raises
        ------
        InputError
            If no Ray answers, or its workers can't work for this sweep.
        StoreError
            If a row could not be written.
        WorkerError
            If Ray is gone.
        """
        assert self._connection is not None
        news: list[Ended] = []
        try:
            while self._connection.poll(0.0 if news else timeout_s):
                said = self._connection.recv()
                self._has_begun = True
                if said is None:
                    return news, True
                if isinstance(said, BaseException):
                    raise said
                self.workers, heard = said
                news += heard
                if not heard:
                    break
        except (EOFError, ConnectionResetError) as error:
            raise self._gone() from error
        if not self._has_begun and time.monotonic() - self._started_s > BEGINNING_S:
            raise self._gone()
        return news, False

    def _gone(self) -> Exception:
        if self._has_begun:
            return WorkerError("Ray is gone")
        if self._address is None:
            return WorkerError("Ray can't start; FLEETSIM_DEBUG=1 shows what it says")
        rule = "no Ray answers there; start one: ray start --head"
        return InputError("backend ray", [Issue(self._address, rule)])


def _connected_before() -> str | None:
    """Return the address of the Ray that whoever called us is connected to, if he is.

    Raises
    ------
    InputError
        If he is connected as a client, which does not know the address by itself.
    """
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return None
    try:
        return str(ray.get_runtime_context().gcs_address)
    except AttributeError as error:
        rule = "is that of a client of Ray here; write it, e.g. ray://head:10001"
        raise InputError("backend ray", [Issue("address", rule)]) from error


def main() -> None:
    """Talk to Ray for the driver.

    The arguments are the file descriptor of a connection to it, and a folder for a Ray of our own.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to answer
    line, folder = sys.argv[1:3]

    def leave(_: int) -> None:
        end_members(os.getpid())
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        end_session(os.getpid())

    watch_parent(leave)
    from simulator.sweeps.backends.ray_actors import serve  # takes a second or two

    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        serve(Connection(int(line)), folder)


if __name__ == "__main__":
    main()
