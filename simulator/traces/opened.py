"""What was read of files and of the catalog, or tabulated, kept for runs to come.

A sweep opens the same files thousands of times. Nothing here is global: whoever makes an `Opened`
owns it, and what it keeps goes with it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final, TypeVar

import numpy as np

from simulator.scenario.files import FileSpec
from simulator.scenario.grid import GridName
from simulator.scenario.laws import Beta
from simulator.scenario.spec import Spec

MOST_BYTES: Final = 1 << 29
"""Memory that the arrays of one `Opened` may take, unless it is told otherwise."""

Result = TypeVar("Result")


class Opened:
    """Tables and traces by all that decides them: reader, file, options and time.

    A file is read again when it has changed. Arrays that are kept can't be written to, but for
    the tuples of kernels, which are compiled for one type of array. Where room is short, what was
    not used for longest goes first. For one thread: nothing guards it.

    Parameters
    ----------
    most_bytes : int
        Memory that the arrays may take together; a larger one is not kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, read: Callable[..., Result], source: Spec, **how: Hashable) -> Result:
        """Return ``read(source, **how)``, from an earlier call where nothing has changed since."""
        stamp = _stamp(source)
        if stamp is None:
            return read(source, **how)
        key = (read, stamp, _decisive(source), tuple(how.items()))
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            found: Result = known[0]
            return found
        value = read(source, **how)
        self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: Any) -> None:
        size = 0
        for array in _arrays(value):
            size += array.nbytes
            if isinstance(array, np.ndarray) and is_dataclass(value):
                array.flags.writeable = False
        if size > self._most_bytes:
            return
        self._kept[key] = value, size
        self._bytes += size
        while self._bytes > self._most_bytes:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed


def opened_by(
    opened: Opened | None, read: Callable[..., Result], source: Spec, **how: Hashable
) -> Result:
    """Return ``read(source, **how)``, through what is kept if there is such a thing."""
    return read(source, **how) if opened is None else opened.get(read, source, **how)


def _stamp(source: Spec) -> tuple[int, ...] | None:
    """Return what changes when a file does; None for what is not worth keeping, or not there."""
    if isinstance(source, GridName | Beta):
        return ()
    if not isinstance(source, FileSpec):
        return None
    try:
        found = source.path.stat()
    except OSError:
        return None  # let the reader say it
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _decisive(source: Spec) -> tuple[Hashable, ...]:
    """Return all that a source says, as a key."""
    return tuple(tuple(value.items()) if isinstance(value, dict) else value for _, value in source)


def _arrays(value: Any) -> Iterator[Any]:
    """Yield the arrays of numpy and of Arrow that tables and traces hold."""
    if is_dataclass(value):
        for each in fields(value):
            yield from _arrays(getattr(value, each.name))
    elif isinstance(value, tuple):
        for entry in value:
            yield from _arrays(entry)
    elif hasattr(value, "nbytes"):
        yield value
