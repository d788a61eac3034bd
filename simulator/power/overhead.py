"""What a building adds to the power of its IT, whatever the model: a ratio and a fixed power."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Overhead:
    """Facility power over IT power, and beside it: ``facility = ratio x IT + fixed``.

    Facility energy is affine in IT energy, so it is exact over any stretch of time in which the
    ratio doesn't change, however long.

    Attributes
    ----------
    ratio : float64[bins] or float64[1]
        Facility over IT power without what is fixed, at least 1; one value where it never changes.
    fixed_w : float
        What the building draws whatever its IT draws. [W]
    """

    ratio: NDArray[np.float64]
    fixed_w: float

    @property
    def pue(self) -> float | None:
        """The PUE where it is the same at all times and loads, else None."""
        return float(self.ratio[0]) if len(self.ratio) == 1 and self.fixed_w == 0.0 else None
