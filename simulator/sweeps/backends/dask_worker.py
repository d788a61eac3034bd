"""What runs on a Dask worker: the answers to a driver, and the worker process of our own clusters.

The workers of several sweeps can share a Dask worker: each sweep has a name of its own.
"""

import asyncio
import pickle
import signal
import sys
from typing import TYPE_CHECKING

from simulator.sweeps.backends.remote import Answer, Greeting, Invitation, Remote
from simulator.sweeps.process import die_with_parent

if TYPE_CHECKING:
    from distributed import Worker


def invite(name: str, packed: bytes) -> Greeting:
    """Begin to work for a sweep, and say who this is."""
    from distributed import get_worker

    invitation: Invitation = pickle.loads(packed)
    remote = Remote(invitation)
    _sweeps(get_worker())[name] = remote
    return remote.greet()


def run_chunk(name: str, packed: bytes) -> Answer | None:
    """Run a chunk; None where another process has come to the place of the one that was invited."""
    from distributed import get_worker

    remote = _sweeps(get_worker()).get(name)
    return None if remote is None else remote.run(pickle.loads(packed))


def stop(name: str, dask_worker: "Worker") -> None:
    """End after the run that is at work: the chunks that wait end at once."""
    remote = _sweeps(dask_worker).get(name)
    if remote is not None:
        remote.stop()


def leave(name: str, dask_worker: "Worker") -> None:
    """Forget a sweep."""
    stop(name, dask_worker)
    _sweeps(dask_worker).pop(name, None)


def _sweeps(worker: "Worker") -> dict[str, Remote]:
    """Return the sweeps that a worker works for; they live as long as it does."""
    if not hasattr(worker, "fleetsim_sweeps"):
        worker.fleetsim_sweeps = {}
    sweeps: dict[str, Remote] = worker.fleetsim_sweeps
    return sweeps


async def serve(address: str, folder: str) -> None:
    """Be a worker with one thread until the scheduler at `address` has no more need of it."""
    from distributed import Worker

    async with Worker(address, nthreads=1, memory_limit=0, local_directory=folder) as worker:
        await worker.finished()


def main() -> None:
    """Serve the scheduler that is the first argument; the second is a folder for scratch."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to answer
    die_with_parent()
    asyncio.run(serve(*sys.argv[1:3]))


if __name__ == "__main__":
    main()
