"""Water over IT energy: the same at all times, or more with each degree above a threshold.

``WUE = min(most, base + per_degree x max(0, T - evaporative_above))`` for an outside temperature T.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.power.excess import above_threshold
from simulator.scenario.facility import TemperatureWue


def wue_on_bins(
    wue_l_per_kwh: float | TemperatureWue | None, temperature_degc: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the WUE of a building, [bins] or [1]; NaN where none is given. [L/kWh]"""
    if wue_l_per_kwh is None:
        return np.array([np.nan])
    if not isinstance(wue_l_per_kwh, TemperatureWue):
        return np.array([wue_l_per_kwh])
    if temperature_degc is None:
        raise ValueError("the outside temperature is needed")
    return above_threshold(
        temperature_degc,
        base=wue_l_per_kwh.base_l_per_kwh,
        threshold_degc=wue_l_per_kwh.evaporative_above_degc,
        per_degree=wue_l_per_kwh.per_degree_l_per_kwh,
        most=wue_l_per_kwh.most_l_per_kwh,
    )
