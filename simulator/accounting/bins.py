"""The bins of a run, and the time that is counted in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Grid:
    """The bins of a run: steps of `bin_ms` on multiples of it since the Unix epoch.

    Attributes
    ----------
    start_epoch_ms : int
        The scenario's start. [ms since 1970-01-01T00:00Z]
    begin_ms : int
        Energy counts from here on: the end of the warm-up. [ms since the start]
    bin_ms : int
        Divides every edge of every grid trace and of the reporting interval, so that no bin
        straddles one.
    """

    start_epoch_ms: int
    begin_ms: int
    bin_ms: int

    @property
    def offset_ms(self) -> int:
        """How far the run's start lies into the first bin. [ms]"""
        return self.start_epoch_ms % self.bin_ms

    @property
    def first_epoch_ms(self) -> int:
        """When the first bin begins. [ms since 1970-01-01T00:00Z]"""
        return self.start_epoch_ms - self.offset_ms

    def count(self, end_ms: int) -> int:
        """Return how many bins reach to `end_ms`."""
        return -(-(end_ms + self.offset_ms) // self.bin_ms)

    def widths_ms(self, end_ms: int) -> NDArray[np.int64]:
        """Return how much of each bin lies in the accounting window, int64[bins]. [ms]"""
        edges = np.arange(self.count(end_ms) + 1, dtype=np.int64) * self.bin_ms - self.offset_ms
        inside: NDArray[np.int64] = np.clip(edges, self.begin_ms, end_ms)
        return inside[1:] - inside[:-1]


@dataclass(frozen=True, slots=True)
class Period:
    """The time of a run that is counted, from the end of its warm-up to its end.

    Attributes
    ----------
    grid : Grid
    end_ms : int
        When the run ended. [ms]
    """

    grid: Grid
    end_ms: int

    @property
    def width_ms(self) -> NDArray[np.int64]:
        """How much of each bin was counted, int64[bins]. [ms]"""
        return self.grid.widths_ms(self.end_ms)
