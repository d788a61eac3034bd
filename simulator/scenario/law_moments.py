"""Means of laws in closed form: what can be known of a distribution without drawing from it."""

import math
from collections.abc import Callable
from typing import Final

from simulator.scenario.laws import (
    Beta,
    Constant,
    Exponential,
    Lognormal,
    LognormalMoments,
    Mixture,
    SimpleLaw,
    Uniform,
    Weibull,
)

Z_99: Final = 2.3263478740408408
"""Standard normal quantile of 0.99."""


def mean(law: SimpleLaw | Mixture) -> float:
    """Return the mean of a law, in its unit."""
    match law:
        case Constant(value=value):
            return value
        case Lognormal() | LognormalMoments():
            median, sigma = median_and_sigma(law)
            return median * or_inf(math.exp, 0.5 * sigma * sigma)
        case Exponential(mean=value) | Beta(mean=value):
            return value
        case Weibull(shape=shape, scale=scale):
            return scale * or_inf(math.gamma, 1.0 + 1.0 / shape)
        case Uniform(low=low, high=high):
            return 0.5 * (low + high)
        case Mixture():
            return math.fsum(weight * mean(part) for weight, part in weighted_parts(law))


def median_and_sigma(law: Lognormal | LognormalMoments) -> tuple[float, float]:
    """Return the median of a lognormal law and the deviation of its logarithm.

    From two percentiles sigma = ln(p99 / p50) / 2.3263; from the moments
    sigma^2 = ln(1 + (sd / mean)^2) and median = mean exp(-sigma^2 / 2).
    """
    if isinstance(law, Lognormal):
        return law.p50, math.log(law.p99 / law.p50) / Z_99
    spread = math.log1p((law.sd / law.mean) ** 2)
    return law.mean * math.exp(-0.5 * spread), math.sqrt(spread)


def weighted_parts(law: Mixture) -> list[tuple[float, SimpleLaw]]:
    """Return the parts of a mixture that have a weight, with their shares, which sum to 1."""
    total = math.fsum(weight for weight, _ in law.parts)
    return [(weight / total, part) for weight, part in law.parts if weight > 0.0]


def or_inf(function: Callable[[float], float], argument: float) -> float:
    """Return what the function returns, infinity where that is too large a number."""
    try:
        return function(argument)
    except OverflowError:
        return math.inf
