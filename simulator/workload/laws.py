"""The mathematics of each law: quantiles, moments, shares.

A law is drawn by inversion: one uniform number through its quantile function. A mixture takes
two, one from a stream of its own that picks the part and one that is inverted in that part.
"""

import math
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import beta as beta_kernels
from simulator.kernels import laws as kernels
from simulator.scenario import law_moments
from simulator.scenario.law_moments import Z_99, median_and_sigma, or_inf, weighted_parts
from simulator.scenario.laws import (
    Beta,
    Constant,
    Empirical,
    Exponential,
    Law,
    Lognormal,
    LognormalMoments,
    Mixture,
    Uniform,
    Weibull,
)
from simulator.traces.opened import Opened, opened_by
from simulator.workload.empirical import Sample, read

__all__ = [
    "Z_99",
    "AnyLaw",
    "Floats",
    "Inverse",
    "beta_shapes",
    "inverse",
    "mean",
    "median_and_sigma",
    "percentile",
    "quantile",
    "scv",
    "second_moment",
    "share_below",
    "support",
    "variance",
    "weighted_parts",
]

BETA_ENTRIES: Final = 4097
"""Entries of the table of a beta quantile; its error stays below 2e-9, and below 1e-11 for laws
with one mode inside the interval."""
BETA_AS_LOGNORMAL: Final = 1e9
"""Sum of shapes beyond which a beta law is drawn as the lognormal of its mean and deviation, from
which it differs by less than 1e-9 z^2 at z deviations from the mean."""

Floats: TypeAlias = NDArray[np.float64]
Inverse: TypeAlias = Callable[[Floats], Floats]


AnyLaw: TypeAlias = Law | Sample


def quantile(law: AnyLaw, shares: Floats) -> Floats:
    """Return the values below which the given shares of a law lie.

    Parameters
    ----------
    law : Law or Sample
    shares : float64[n]
        In (0, 1).

    Returns
    -------
    float64[n]
        In the unit of the law.
    """
    return inverse(law)(np.array(shares, np.float64))


def inverse(law: AnyLaw, opened: Opened | None = None) -> Inverse:
    """Return the quantile function of a law, made ready once for many draws.

    The function may overwrite the shares it is given. That of a mixture solves for each value
    in turn; to draw from a mixture use its parts. Tables are kept in `opened`, where it is given.
    """
    match law:
        case Constant(value=value):
            return lambda shares: np.full(len(shares), value)
        case Lognormal() | LognormalMoments():
            return _inverse_lognormal(*median_and_sigma(law))
        case Exponential(mean=mean):
            return _in_place(kernels.exponential_in_place, mean)
        case Weibull(shape=shape, scale=scale):
            return _in_place(kernels.weibull_in_place, shape, scale)
        case Beta():
            return _inverse_beta(law, opened)
        case Uniform(low=low, high=high):
            return lambda shares: low + (high - low) * shares
        case Mixture():
            return lambda shares: np.array([_mixture_quantile(law, share) for share in shares])
        case Sample(values=values):
            return lambda shares: _step_quantile(values, shares)
        case Empirical():
            return inverse(opened_by(opened, read, law))


def _in_place(kernel: Callable[..., None], *parameters: float) -> Inverse:
    values = tuple(float(value) for value in parameters)

    def overwrite(shares: Floats) -> Floats:
        kernel(shares, *values)
        return shares

    return overwrite


def _inverse_lognormal(median: float, sigma: float) -> Inverse:
    if sigma == 0.0:
        return lambda shares: np.full(len(shares), median)
    return _in_place(kernels.lognormal_in_place, median, sigma)


def _inverse_beta(law: Beta, opened: Opened | None) -> Inverse:
    if sum(beta_shapes(law.mean, law.sd)) > BETA_AS_LOGNORMAL:
        return inverse(LognormalMoments(mean=law.mean, sd=law.sd))
    table = opened_by(opened, _beta_table, law)

    def overwrite(shares: Floats) -> Floats:
        beta_kernels.beta_in_place(shares, *table)
        return shares

    return overwrite


def _beta_table(law: Beta) -> tuple[Floats, Floats]:
    """Return log-odds of the quantiles of a beta law, and their slopes."""
    log_odds, slopes = np.empty((2, BETA_ENTRIES))
    beta_kernels.tabulate_beta(*beta_shapes(law.mean, law.sd), log_odds, slopes)
    return log_odds, slopes


def _step_quantile(values: Floats, shares: Floats) -> Floats:
    """Return values of the column, each equally likely; none that is not in it."""
    drawn: Floats = values[np.minimum((shares * len(values)).astype(np.int64), len(values) - 1)]
    return drawn


def _mixture_quantile(law: Mixture, share: float) -> float:
    """Solve for the smallest value with at least `share` of the mixture at or below it."""
    at_most = [float(quantile(part, np.array([share]))[0]) for _, part in weighted_parts(law)]
    low, high = min(at_most), max(at_most)
    while low < (middle := low + 0.5 * (high - low)) < high:
        if share_below(law, middle) >= share:
            high = middle
        else:
            low = middle
    return high if share_below(law, low) < share else low


def beta_shapes(mean: float, sd: float) -> tuple[float, float]:
    """Return the shapes of the beta law with a mean and standard deviation.

    Raises
    ------
    ValueError
        Unless sd^2 < mean (1 - mean), the widest spread on the interval.
    """
    room = mean * (1.0 - mean)
    if not 0.0 < sd * sd < room:
        raise ValueError(
            f"sd ({sd:g}) must be above 0 and below sqrt(mean (1 - mean)) = "
            f"{math.sqrt(max(room, 0.0)):.4g} for mean {mean:g}; lower the sd"
        )
    total = room / (sd * sd) - 1.0
    return mean * total, (1.0 - mean) * total


def mean(law: AnyLaw) -> float:
    """Return the mean of a law, in its unit."""
    match law:
        case Sample(values=values):
            return float(np.mean(values))
        case Empirical():
            return mean(read(law))
        case _:
            return law_moments.mean(law)


def variance(law: AnyLaw) -> float:
    """Return the variance of a law, in its unit squared."""
    match law:
        case Constant():
            return 0.0
        case Lognormal() | LognormalMoments():
            _, sigma = median_and_sigma(law)
            centre = mean(law)
            return centre * centre * or_inf(math.expm1, sigma * sigma)
        case Exponential(mean=value):
            return value * value
        case Beta(sd=sd):
            return sd * sd
        case Weibull(shape=shape, scale=scale):
            second = or_inf(math.gamma, 1.0 + 2.0 / shape)
            first = math.gamma(1.0 + 1.0 / shape) if second < math.inf else 0.0
            return scale * scale * (second - first * first)
        case Uniform(low=low, high=high):
            return (high - low) ** 2 / 12.0
        case Mixture():
            centre = mean(law)
            return math.fsum(
                weight * (variance(part) + (mean(part) - centre) ** 2)
                for weight, part in weighted_parts(law)
            )
        case Sample(values=values):
            return float(np.var(values))
        case Empirical():
            return variance(read(law))


def second_moment(law: AnyLaw) -> float:
    """Return the mean of the square of a law, in its unit squared."""
    return variance(law) + mean(law) ** 2


def scv(law: AnyLaw) -> float:
    """Return the squared coefficient of variation, variance over mean squared."""
    return variance(law) / mean(law) ** 2


def percentile(law: AnyLaw, percent: float) -> float:
    """Return the value below which `percent` of a law lies, e.g. ``percentile(law, 99.9)``."""
    return float(quantile(law, np.array([percent / 100.0]))[0])


def share_below(law: AnyLaw, value: float) -> float:
    """Return the share of a law at or below a value, its cumulative distribution function."""
    low, high = support(law)
    if value < low:
        return 0.0
    if value >= high:
        return 1.0
    match law:
        case Lognormal() | LognormalMoments():
            median, sigma = median_and_sigma(law)
            z = math.log(value / median) / sigma if value > 0.0 else -math.inf
            return 0.5 * math.erfc(-z / math.sqrt(2.0))
        case Exponential(mean=scale):
            return -math.expm1(-value / scale)
        case Weibull(shape=shape, scale=scale):
            return -math.expm1(-((value / scale) ** shape))
        case Beta():
            return _beta_share(*beta_shapes(law.mean, law.sd), value)
        case Mixture():
            return math.fsum(
                weight * share_below(part, value) for weight, part in weighted_parts(law)
            )
        case Sample(values=values):
            return float(np.searchsorted(values, value, side="right")) / len(values)
        case Empirical():
            return share_below(read(law), value)
        case _:
            return (value - low) / (high - low)


def _beta_share(a: float, b: float, value: float) -> float:
    if value <= 0.0:
        return 0.0
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    log_odds = math.log(value) - math.log1p(-value)
    return math.exp(beta_kernels.log_lower_share(a, b, log_beta, log_odds))


def support(law: AnyLaw) -> tuple[float, float]:
    """Return the smallest and the largest value of a law; the largest may be infinite."""
    match law:
        case Constant(value=value):
            return value, value
        case Lognormal() | LognormalMoments():
            median, sigma = median_and_sigma(law)
            return (0.0, math.inf) if sigma else (median, median)
        case Exponential() | Weibull():
            return 0.0, math.inf
        case Beta():
            return 0.0, 1.0
        case Uniform(low=low, high=high):
            return low, high
        case Mixture():
            ends = [support(part) for _, part in weighted_parts(law)]
            return min(low for low, _ in ends), max(high for _, high in ends)
        case Sample(values=values):
            return float(values[0]), float(values[-1])
        case Empirical():
            return support(read(law))
