"""Runs that the folder holds already under another sweep, so that a worker can ask."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.sweeps.partial import write_text

NAME: Final = "known.keys"
_DIGITS: Final = 32
"""Hexadecimal digits of a key that are kept: 16 bytes, of which no two runs share a value."""


class Known:
    """Keys of runs, to be asked one by one.

    Parameters
    ----------
    keys : array of bytes, optional
        Sorted, 16 bytes each.
    """

    def __init__(self, keys: NDArray[np.bytes_] | None = None) -> None:
        self._keys = np.empty(0, dtype=f"S{_DIGITS}") if keys is None else keys

    def __bool__(self) -> bool:
        return len(self._keys) > 0

    def __contains__(self, key: str) -> bool:
        wanted = np.bytes_(key[:_DIGITS].encode())
        at = int(np.searchsorted(self._keys, wanted))
        return at < len(self._keys) and bool(self._keys[at] == wanted)

    @classmethod
    def read(cls, folder: Path) -> "Known":
        """Return the keys that the folder of a sweep lists; none where it lists none."""
        try:
            text = (folder / NAME).read_bytes()
        except OSError:
            return cls()
        whole = len(text) - len(text) % _DIGITS
        return cls(np.frombuffer(text[:whole], dtype=f"S{_DIGITS}"))


def write_known(folder: Path, keys: Iterable[str]) -> None:
    """List keys in the folder of a sweep, or take the list away where there are none."""
    path = folder / NAME
    listed = sorted(key[:_DIGITS] for key in keys)
    if not listed:
        path.unlink(missing_ok=True)
        return
    write_text(path, "".join(listed))
