"""The beta law: its distribution function, and its quantile by a table made once for each law.

The table holds y(z) = logit of the quantile of the normal share Phi(z), and its slope, at equal
steps of z. In these coordinates the quantile is smooth to both ends of the interval, whatever
its shape, so that a cubic between the entries is exact to about 1e-11.
"""

import math

from simulator.kernels.compile import kernel
from simulator.kernels.laws import STEEPEST, normal_quantile

WIDEST_Z = 8.25
"""The table spans -8.25 to 8.25; the smallest share ever drawn is 2^-53, at z = -8.21."""
SQRT_2 = math.sqrt(2.0)
LOG_SQRT_2_PI = 0.5 * math.log(2.0 * math.pi)
MOST_TERMS = 100_000
MOST_STEPS = 100
SMALLEST = 1e-300


@kernel
def continued_fraction(a, b, x):
    """Return the continued fraction of the incomplete beta function (modified Lentz method)."""
    d = 1.0 - (a + b) * x / (a + 1.0)
    if abs(d) < SMALLEST:
        d = SMALLEST
    c = 1.0
    d = 1.0 / d
    value = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        change = 1.0
        for term in (even, odd):
            d = 1.0 + term * d
            c = 1.0 + term / c
            if abs(d) < SMALLEST:
                d = SMALLEST
            if abs(c) < SMALLEST:
                c = SMALLEST
            d = 1.0 / d
            change = d * c
            value *= change
        if abs(change - 1.0) < 1e-16:
            break
    return value


@kernel
def log_lower_share(a, b, log_beta, log_odds) -> float:
    """Return ln I_x(a, b), the share of a beta law below x = 1 / (1 + exp(-log_odds))."""
    log_odds = min(max(log_odds, -STEEPEST), STEEPEST)
    log_x = -math.log1p(math.exp(-log_odds))
    log_rest = -math.log1p(math.exp(log_odds))
    x = math.exp(log_x)
    log_front = a * log_x + b * log_rest - log_beta
    if x < (a + 1.0) / (a + b + 2.0):
        return log_front - math.log(a) + math.log(continued_fraction(a, b, x))
    above = math.exp(log_front - math.log(b)) * continued_fraction(b, a, math.exp(log_rest))
    return math.log(max(1.0 - above, SMALLEST))


@kernel
def log_odds_of_share(a, b, log_beta, log_share, start):
    """Return the log-odds below which the beta law has the share exp(log_share), by Newton.

    `start` is a guess; the steps are kept within a bracket that closes from both sides.
    """
    low = -2.0 * STEEPEST
    high = 2.0 * STEEPEST
    y = start
    for _ in range(MOST_STEPS):
        y = min(max(y, low), high)
        log_at = log_lower_share(a, b, log_beta, y)
        miss = log_at - log_share
        if miss < 0.0:
            low = y
        else:
            high = y
        slope = math.exp(log_density(a, b, log_beta, y) - log_at)
        step = miss / slope if slope > SMALLEST else math.inf
        if not low < y - step < high:
            step = y - 0.5 * (low + high)
        y -= step
        if abs(step) <= 1e-13 * max(1.0, abs(y)):
            break
    return y


@kernel
def log_density(a, b, log_beta, log_odds):
    """Return the logarithm of the density of a beta law over its log-odds."""
    log_odds = min(max(log_odds, -STEEPEST), STEEPEST)
    log_x = -math.log1p(math.exp(-log_odds))
    log_rest = -math.log1p(math.exp(log_odds))
    return a * log_x + b * log_rest - log_beta


@kernel
def tabulate_beta(a, b, log_odds, slopes) -> None:
    """Fill the table of a beta law.

    Parameters
    ----------
    a, b : float
        Shapes of the law, both above 0.
    log_odds, slopes : float64[entries]
        Filled with y(z) and dy/dz at equal steps of z from -8.25 to 8.25.
    """
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    entries = len(log_odds)
    step = 2.0 * WIDEST_Z / (entries - 1)
    half = (entries - 1) // 2
    for side in (1, -1):
        # Each side works on its own tail, from the middle outwards, each entry from the last.
        guess = math.log(a / b)
        near, far = (a, b) if side < 0 else (b, a)
        for k in range(half + 1):
            z = -k * step
            log_share = math.log(0.5 * math.erfc(-z / SQRT_2))
            y = log_odds_of_share(near, far, log_beta, log_share, -side * guess)
            log_slope = -0.5 * z * z - LOG_SQRT_2_PI - log_density(near, far, log_beta, y)
            slope = math.exp(min(log_slope, STEEPEST))
            at = half + side * k
            log_odds[at] = -side * y
            slopes[at] = slope
            guess = -side * (y - slope * step)


@kernel
def beta_in_place(values, log_odds, slopes) -> None:
    """Overwrite uniforms by quantiles of the beta law whose table is given."""
    last = len(log_odds) - 2
    scale = (last + 1) / (2.0 * WIDEST_Z)
    step = 1.0 / scale
    for i in range(len(values)):
        place = (normal_quantile(values[i]) + WIDEST_Z) * scale
        k = min(max(int(place), 0), last)
        t = place - k
        s = 1.0 - t
        y = s * s * ((1.0 + 2.0 * t) * log_odds[k] + step * t * slopes[k])
        y += t * t * ((1.0 + 2.0 * s) * log_odds[k + 1] - step * s * slopes[k + 1])
        values[i] = 1.0 / (1.0 + math.exp(-min(max(y, -STEEPEST), STEEPEST)))
