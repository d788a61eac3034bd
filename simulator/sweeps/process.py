"""A worker process of this machine: it sees to its own end before it begins with anything."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """End this process as soon as the one that started it is gone.

    Its end of stdin closes then; but whoever is in compiled code holds the interpreter's lock and
    would not see it, so that Linux is asked to see to it as well.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    watch_parent(os._exit)


def watch_parent(leave: Callable[[int], None]) -> None:
    """Call `leave` as soon as the process that started this one is gone."""

    def watch() -> None:
        with suppress(OSError, ValueError):
            while os.read(sys.stdin.fileno(), 1):
                pass
        leave(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve the connection whose file descriptor is the only argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to answer
    die_with_parent()
    from simulator.sweeps.worker import serve  # takes a second, in which the parent may go

    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
