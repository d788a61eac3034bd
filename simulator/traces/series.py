"""A quantity as a function of time: a constant, or a series of steps.

Each says where its edges can lie (`grain_ms`) and gives its value at instants (`at`). Between
two edges the value is constant, so energy may be billed exactly.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AfterEnd = Literal["error", "wrap", "hold"]


class Course(Protocol):
    """What every quantity that has a value at all times answers."""

    @property
    def grain_ms(self) -> int:
        """Greatest length of which every edge is a multiple, from the epoch; 0 for none. [ms]."""

    @property
    def covered(self) -> tuple[int, int] | None:
        """First instant and end of what is known, from the epoch; None for always. [ms]."""

    def at(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the value at instants, NaN where none is known."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value at all times.

    Attributes
    ----------
    value : float
        In the unit of the quantity.
    """

    value: float

    @property
    def grain_ms(self) -> int:
        """No edges."""
        return 0

    @property
    def covered(self) -> tuple[int, int] | None:
        """Known always."""
        return None

    def at(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the constant for every instant."""
        return np.full(len(epoch_ms), self.value)


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each step of equal length.

    Attributes
    ----------
    first_ms : int
        Start of the first step, since the Unix epoch. [ms]
    step_ms : int
        Length of a step. [ms]
    values : float64[steps]
        Value of each step, NaN where it is missing.
    after_end : str
        Past the last step: ``"error"`` knows nothing, ``"wrap"`` starts again at the first step
        (time modulo the length of the series), ``"hold"`` keeps the last value.
    """

    first_ms: int
    step_ms: int
    values: "NDArray[np.float64]"
    after_end: AfterEnd = "error"

    @property
    def grain_ms(self) -> int:
        """Greatest length of which every edge is a multiple, from the epoch. [ms]."""
        return math.gcd(self.first_ms, self.step_ms)

    @property
    def covered(self) -> tuple[int, int] | None:
        """First instant and end of the series, since the epoch. [ms]."""
        return self.first_ms, self.first_ms + self.step_ms * len(self.values)

    def step_of(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the index of the step at each instant, -1 where there is none."""
        steps = len(self.values)
        index = (epoch_ms - self.first_ms) // self.step_ms
        if self.after_end == "wrap":
            return np.where(index < 0, -1, index % steps)
        if self.after_end == "hold":
            return np.clip(index, -1, steps - 1)
        return np.where((index < 0) | (index >= steps), -1, index)

    def at(self, epoch_ms: "NDArray[np.int64]") -> "NDArray[np.float64]":
        """Return the value at instants, NaN where none is known."""
        index = self.step_of(epoch_ms)
        return np.where(index < 0, np.nan, self.values[index])
