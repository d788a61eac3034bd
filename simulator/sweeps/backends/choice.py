"""Which backend carries a sweep out: the one asked for, or this machine's processes."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from simulator.errors import nearest, shown
from simulator.sweeps.backends import Backend
from simulator.sweeps.backends.inline import Inline
from simulator.sweeps.backends.local import Local

NAMES: Final = ("auto", "local", "dask", "ray")
_MODULES: Final = {"dask": "distributed", "ray": "ray"}


def backend_of(
    name: str,
    workers: int,
    *,
    address: str | None = None,
    isolated: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Backend:
    """Return a backend that has not started anything yet.

    Parameters
    ----------
    name : str
        One of `NAMES`; ``auto`` is what the address belongs to, or else ``local``.
    workers : int
        Runs at the same time, where the backend is this machine's own.
    address : str, optional
        Of a cluster that stands already: ``tcp://host:8786`` of Dask, ``ray://host:10001`` or
        ``auto`` of Ray.
    isolated : bool
        Whether every run must be in another process, where it may be ended or die.
    tell : callable
        Told in one line where something else is used than was asked for.

    Raises
    ------
    ValueError
        If no backend has that name, or it has no addresses.
    """
    wanted = named(name, address)
    module = _MODULES.get(wanted)
    if module is not None and find_spec(module) is None:
        plural = "process" if workers == 1 else "processes"
        tell(
            f"{wanted} is not installed: pip install 'fleetsim[{wanted}]'; "
            f"carrying on with {workers} local {plural}"
        )
        wanted = "local"
    if wanted == "dask":
        from simulator.sweeps.backends.dask import Dask

        return Dask(workers, address)
    if wanted == "ray":
        from simulator.sweeps.backends.ray import Ray

        return Ray(workers, address)
    return Local(workers) if workers > 1 or isolated else Inline()


def default_workers() -> int:
    """Return how many processes this machine runs at the same time for us."""
    return len(os.sched_getaffinity(0))


def named(name: str, address: str | None = None) -> str:
    """Return the backend that a name and an address mean.

    Raises
    ------
    ValueError
        If no backend has that name, or it has no addresses.
    """
    if name not in NAMES:
        near = nearest(name, NAMES)
        meant = f"did you mean {near}? " if near else ""
        raise ValueError(f"{shown(name)} is no backend; {meant}known are {', '.join(NAMES)}")
    if name == "auto" and address is not None:
        return "ray" if address.startswith("ray://") else "dask"
    if name in {"auto", "local"}:
        if address is not None:
            raise ValueError("local processes have no address; write --backend dask or ray")
        return "local"
    return name
