"""The law of everything that grows with each degree above a threshold, and may be bounded."""

import numpy as np
from numpy.typing import NDArray


def above_threshold(
    temperature_degc: NDArray[np.float64],
    *,
    base: float,
    threshold_degc: float,
    per_degree: float,
    most: float | None,
) -> NDArray[np.float64]:
    """Return ``min(most, base + per_degree x max(0, temperature - threshold))``.

    Parameters
    ----------
    temperature_degc : float64[bins]
        Outside temperature. [degC]
    base : float
        Value up to the threshold.
    threshold_degc : float
        [degC]
    per_degree : float
        What each degree above the threshold adds.
    most : float or None
        Largest value, if there is one.
    """
    values = base + per_degree * np.maximum(0.0, temperature_degc - threshold_degc)
    return values if most is None else np.minimum(most, values)
