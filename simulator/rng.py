"""Random numbers: named streams of uniforms made from a bit generator's raw bits.

numpy promises that the raw bits of a bit generator and of `SeedSequence` stay the same from
version to version; it does not promise it of its distributions. So the bits are numpy's and
everything after them is ours.
"""

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

UNUSED_BITS: Final = np.uint64(12)
"""Bits dropped of 64; the 52 that stay fill the fraction of a float64."""
_ONE: Final = np.uint64(0x3FF0_0000_0000_0000)
_TO_OPEN_INTERVAL: Final = 1.0 - 2.0**-53


class Stream:
    """One stream of uniform random numbers, drawn in pieces of any size.

    The numbers do not depend on the sizes of the pieces.

    Parameters
    ----------
    seed : int
        Root seed of the run, at least 0.
    name : str
        The path that names the stream, e.g. ``"workload", "experiments", "sizes"``.
    """

    __slots__ = ("_bits",)

    def __init__(self, seed: int, *name: str) -> None:
        key = tuple(zlib.crc32(part.encode()) for part in name)
        self._bits = np.random.PCG64DXSM(np.random.SeedSequence(seed, spawn_key=key))

    def uniforms(self, count: int) -> NDArray[np.float64]:
        """Return the next `count` numbers, in the open interval (0, 1).

        A number is (k + 1/2) 2^-52 with k the upper 52 of 64 raw bits. Every such number is a
        float64, so neither 0 nor 1 is ever drawn; with 53 bits the largest would round to 1.
        """
        raw: NDArray[np.uint64] = self._bits.random_raw(count)
        raw >>= UNUSED_BITS
        raw |= _ONE  # the float64 1 + k 2^-52
        drawn = raw.view(np.float64)
        drawn -= _TO_OPEN_INTERVAL
        return drawn


def stream(seed: int, *name: str) -> Stream:
    """Return the stream called `name`, e.g. ``stream(7, "workload", "training", "arrivals")``.

    Streams are keyed by name and not by the order of creation: adding a workload, or drawing
    more from one stream, leaves every other stream as it was.
    """
    return Stream(seed, *name)


def uniforms(seed: int, *name: str, count: int) -> NDArray[np.float64]:
    """Return the first `count` numbers of the stream called `name`, in the open interval (0, 1)."""
    return Stream(seed, *name).uniforms(count)
