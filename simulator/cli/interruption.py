"""Work that is kept on the way: whatever ends it early, the command that goes on is said."""

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from simulator.cli.terminal import EndedEarly, Terminated
from simulator.sweeps.work import StoreError, WorkerError

FAILED: Final = 1
INTERRUPTED: Final = 128 + signal.SIGINT
TERMINATED: Final = 128 + signal.SIGTERM


@contextmanager
def kept_on_the_way() -> Iterator[None]:
    """End with the exit code that fits, and the command that goes on.

    Raises
    ------
    EndedEarly
        Where the disk refused, workers could not be had, or somebody interrupted.
    """
    try:
        yield
    except StoreError as error:
        raise EndedEarly(FAILED, "disk", f"error: {error}; {_go_on()}") from error
    except OSError as error:
        raise EndedEarly(FAILED, "disk", f"error: {StoreError.of(error)}; {_go_on()}") from error
    except WorkerError as error:
        raise EndedEarly(FAILED, "workers", f"error: {error}; {_go_on()}") from error
    except KeyboardInterrupt as error:
        raise EndedEarly(INTERRUPTED, "interrupted", f"interrupted; {_go_on()}") from error
    except Terminated as error:
        raise EndedEarly(TERMINATED, "terminated", f"terminated; {_go_on()}") from error


def _go_on() -> str:
    command = shlex.join(["fleetsim", *sys.argv[1:]])
    return f"finished runs are kept; go on with: {command}"
