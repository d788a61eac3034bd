"""Cooling by outside air alone up to a temperature, and by machines above it.

``facility = IT x min(most, base + per_degree x max(0, T - free_cooling_below)) + fixed`` for an
outside temperature T.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.power.excess import above_threshold
from simulator.power.overhead import Overhead
from simulator.scenario.facility import FreeCoolingPue


def overhead(pue: FreeCoolingPue, temperature_degc: NDArray[np.float64]) -> Overhead:
    """Return the overhead of a building of this kind under an outside temperature, [bins]."""
    ratio = above_threshold(
        temperature_degc,
        base=pue.base,
        threshold_degc=pue.free_cooling_below_degc,
        per_degree=pue.per_degree,
        most=pue.most,
    )
    return Overhead(ratio=ratio, fixed_w=pue.fixed_w)
