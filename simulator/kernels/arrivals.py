"""Arrival times of Poisson processes, from uniforms in (0, 1)."""

import math

from simulator.kernels.compile import kernel

MOST_STEPS = 100


@kernel
def poisson_arrivals(uniforms, rate_per_ms, last_ms, horizon_ms, out_ms) -> tuple[int, float]:
    """Write the arrivals of a Poisson process of constant rate, rounded to the millisecond.

    Parameters
    ----------
    uniforms : float64[n]
        One for each gap.
    rate_per_ms : float
        Above 0. [1/ms]
    last_ms : float
        Time of the arrival before, not rounded; 0 at first. [ms]
    horizon_ms : int
        Arrivals that round to this or later are left out. [ms]
    out_ms : int64[n]
        Filled with the arrivals. [ms]

    Returns
    -------
    count : int
        Arrivals written; fewer than n once the horizon is reached.
    last_ms : float
        Where to go on. [ms]
    """
    for i in range(len(uniforms)):
        last_ms -= math.log1p(-uniforms[i]) / rate_per_ms
        if last_ms + 0.5 >= horizon_ms:
            return i, last_ms
        out_ms[i] = int(last_ms + 0.5)
    return len(uniforms), last_ms


@kernel
def diurnal_arrivals(
    uniforms, stretches, swing, radians_per_ms, at, last_ms, horizon_ms, out_ms
) -> tuple[int, int, float]:
    """Write the arrivals of a Poisson process whose rate follows the hours of the day.

    A point of the process of unit rate is mapped through the inverse of the integrated rate. In
    a stretch the rate is level (1 + swing cos(phase + radians_per_ms x)), x being the time since
    the stretch began, so the next arrival solves y + swing (sin(p + y) - sin p) = gap, Kepler's
    equation, by Newton's method within a bracket.

    Parameters
    ----------
    uniforms : float64[n]
        One for each gap.
    stretches : float64[4, stretches + 1]
        Start [ms], level [1/ms], phase at the start [rad] and integral of the rate over each
        stretch; the last column holds only the end.
    swing : float
        Relative amplitude, in [0, 1).
    at, last_ms : int, float
        Stretch and time of the arrival before, not rounded; 0 and 0 at first. [ms]
    horizon_ms, out_ms
        As for `poisson_arrivals`.

    Returns
    -------
    count : int
        Arrivals written; fewer than n once the horizon is reached.
    at, last_ms : int, float
        Where to go on.
    """
    starts = stretches[0]
    levels = stretches[1]
    phases = stretches[2]
    integrals = stretches[3]
    stretch_count = len(starts) - 1
    for i in range(len(uniforms)):
        gap = -math.log1p(-uniforms[i])
        while True:
            if at == stretch_count:
                return i, at, last_ms
            turned = radians_per_ms * (last_ms - starts[at])
            phase = phases[at] + turned
            shift = swing * (math.sin(phase) - math.sin(phases[at]))
            left = integrals[at] - levels[at] / radians_per_ms * (turned + shift)
            if gap < left:
                break
            gap -= max(left, 0.0)
            at += 1
            last_ms = starts[at]
        turn = kepler_turn(gap * radians_per_ms / levels[at], swing, phase)
        last_ms += turn / radians_per_ms
        if last_ms + 0.5 >= horizon_ms:
            return i, at, last_ms
        out_ms[i] = int(last_ms + 0.5)
    return len(uniforms), at, last_ms


@kernel
def kepler_turn(gap, swing, phase):
    """Return y >= 0 with y + swing (sin(phase + y) - sin(phase)) = gap, to about 1e-13."""
    start = math.sin(phase)
    low = gap / (1.0 + swing)
    high = gap / (1.0 - swing)
    y = min(max(gap / (1.0 + swing * math.cos(phase)), low), high)
    for _ in range(MOST_STEPS):
        miss = y + swing * (math.sin(phase + y) - start) - gap
        if miss < 0.0:
            low = y
        else:
            high = y
        step = miss / (1.0 + swing * math.cos(phase + y))
        if not low <= y - step <= high:
            step = y - 0.5 * (low + high)
        y -= step
        if abs(step) <= 1e-13 * max(1.0, y):
            break
    return y
