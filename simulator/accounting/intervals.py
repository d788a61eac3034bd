"""The reporting intervals of a run, made of its accounting bins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.bins import Period


@dataclass(frozen=True, slots=True)
class Intervals:
    """The reporting intervals of a run, from the end of its warm-up on.

    Attributes
    ----------
    used : slice
        Bins that hold anything.
    first : int64[intervals]
        First bin of each interval, among those used.
    length_ms : int64[intervals]
        The first and the last may be cut. [ms]
    begin_epoch_ms : int64[intervals]
        [ms since 1970-01-01T00:00Z]
    """

    used: slice
    first: NDArray[np.int64]
    length_ms: NDArray[np.int64]
    begin_epoch_ms: NDArray[np.int64]

    def sums(self, by_bin: NDArray[np.number]) -> NDArray[np.number]:
        """Return the sum over each interval of values on bins, along the first axis."""
        sums: NDArray[np.number] = np.add.reduceat(by_bin[self.used], self.first, axis=0)
        return sums


def intervals_of(period: Period, interval_ms: int) -> Intervals:
    """Return the reporting intervals: multiples of `interval_ms` since the Unix epoch."""
    grid = period.grid
    width_ms = grid.widths_ms(period.end_ms)
    epoch_ms = grid.first_epoch_ms + np.arange(len(width_ms), dtype=np.int64) * grid.bin_ms
    # Only bins before the end of the warm-up hold nothing: the others follow in one piece.
    used = slice(int(np.argmax(width_ms > 0)), None)
    interval = epoch_ms[used] // interval_ms
    first = np.flatnonzero(np.diff(interval, prepend=interval[:1] - 1))
    begin_ms = grid.start_epoch_ms + grid.begin_ms
    return Intervals(
        used=used,
        first=first,
        length_ms=np.add.reduceat(width_ms[used], first),
        begin_epoch_ms=np.maximum(interval[first] * interval_ms, begin_ms),
    )
