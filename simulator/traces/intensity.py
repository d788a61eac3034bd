"""Carbon intensity as a yearly profile."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.units import H_PER_D, MS_PER_H

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
