"""Carbon intensity as a function of time: a constant, a series of steps, or a yearly profile.

Each says where its edges can lie (`grain_ms`) and gives its value at instants (`at`). Between
two edges the intensity is constant, so energy may be billed exactly.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from simulator.units import H_PER_D, MS_PER_H

if TYPE_CHECKING:
    from numpy.typing import NDArray

AfterEnd = Literal["error", "wrap", "hold"]


class Intensity(Protocol):
    """What every kind of intensity answers."""

    @property
    def grain_ms(self) -> int:
        """Greatest length of which every edge is a multiple, from the epoch; 0 for none. [ms]."""

    @property
    def covered(self) -> tuple[int, int] | None:
        """First instant and end of what is known, from the epoch; None for always. [ms]."""

    def at(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the intensity at instants, NaN where none is known. [g/kWh]."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same intensity at all times.

    Attributes
    ----------
    g_per_kwh : float
        [g/kWh]
    """

    g_per_kwh: float

    @property
    def grain_ms(self) -> int:
        """No edges."""
        return 0

    @property
    def covered(self) -> tuple[int, int] | None:
        """Known always."""
        return None

    def at(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the constant for every instant. [g/kWh]."""
        return np.full(len(epoch_ms), self.g_per_kwh)


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each step of equal length.

    Attributes
    ----------
    first_ms : int
        Start of the first step, since the Unix epoch. [ms]
    step_ms : int
        Length of a step. [ms]
    g_per_kwh : float64[steps]
        Value of each step, NaN where it is missing. [g/kWh]
    after_end : str
        Past the last step: ``"error"`` knows nothing, ``"wrap"`` starts again at the first step
        (time modulo the length of the series), ``"hold"`` keeps the last value.
    """

    first_ms: int
    step_ms: int
    g_per_kwh: "NDArray[np.float64]"
    after_end: AfterEnd = "error"

    @property
    def grain_ms(self) -> int:
        """Greatest length of which every edge is a multiple, from the epoch. [ms]."""
        return math.gcd(self.first_ms, self.step_ms)

    @property
    def covered(self) -> tuple[int, int] | None:
        """First instant and end of the series, since the epoch. [ms]."""
        return self.first_ms, self.first_ms + self.step_ms * len(self.g_per_kwh)

    def step_of(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the index of the step at each instant, -1 where there is none."""
        steps = len(self.g_per_kwh)
        index = (epoch_ms - self.first_ms) // self.step_ms
        if self.after_end == "wrap":
            return np.where(index < 0, -1, index % steps)
        if self.after_end == "hold":
            return np.clip(index, -1, steps - 1)
        return np.where((index < 0) | (index >= steps), -1, index)

    def at(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the intensity at instants, NaN where none is known. [g/kWh]."""
        index = self.step_of(epoch_ms)
        return np.where(index < 0, np.nan, self.g_per_kwh[index])


@dataclass(frozen=True, slots=True)
class MonthHourProfile:
    """A mean year: one value for each hour of the day of each month, both UTC.

    Attributes
    ----------
    g_per_kwh : float64[12, 24]
        [g/kWh]
    """

    g_per_kwh: "NDArray[np.float64]"

    @property
    def grain_ms(self) -> int:
        """Edges lie on whole hours, UTC. [ms]."""
        return MS_PER_H

    @property
    def covered(self) -> tuple[int, int] | None:
        """Known in every year."""
        return None

    def at(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the mean of each instant's month and hour. [g/kWh]."""
        months = epoch_ms.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64) % 12
        hours = epoch_ms // MS_PER_H % H_PER_D
        values: NDArray[np.float64] = self.g_per_kwh[months, hours]
        return values
