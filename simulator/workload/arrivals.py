"""When jobs are submitted: regular, Poisson, and Poisson with the rhythm of days and weeks.

Times are made from the scenario's start onwards and do not depend on the horizon: a longer
horizon adds arrivals at the end and changes none before.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import arrivals as kernels
from simulator.rng import Stream
from simulator.scenario.arrivals import Arrivals, DiurnalArrivals, PoissonArrivals, RegularArrivals
from simulator.units import H_PER_D, MS_PER_D
from simulator.workload.draws import PIECE

RADIANS_PER_MS: Final = 2.0 * math.pi / MS_PER_D
SATURDAY: Final = 5
DAYS_OF_WEEK: Final = 7
_MS: Final = timedelta(milliseconds=1)
_S: Final = timedelta(seconds=1)
_H: Final = timedelta(hours=1)
_D: Final = timedelta(days=1)

Times: TypeAlias = NDArray[np.int64]
NextTimes: TypeAlias = Callable[[NDArray[np.float64], Times], int]
"""Fills the array with the next arrivals, one for each uniform; returns how many came before the
horizon."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The rate of a diurnal process, cut where it bends: at local midnights and clock changes.

    Attributes
    ----------
    stretches : float64[4, n + 1]
        Start [ms], level [1/ms], phase at the start [rad] and integral of the rate over each
        stretch; the last column holds the end, the horizon.
    swing : float
        Relative amplitude of the rate about its level, 0 to 1.
    """

    stretches: NDArray[np.float64]
    swing: float


def arrival_times(
    arrivals: Arrivals,
    shares: Stream,
    *,
    start: datetime,
    horizon_ms: int,
    max_jobs: int | None = None,
) -> Times:
    """Return the times of all arrivals in [0, horizon), non-decreasing.

    Regular arrivals come at 0, `every`, 2 `every` and so on. Those of a Poisson process are
    summed from exponential gaps; those of a diurnal one are the points of a Poisson process of
    unit rate, mapped through the inverse of the integrated rate.

    Parameters
    ----------
    arrivals : Arrivals
    shares : Stream
        The stream the gaps are drawn from.
    start : datetime
        Aware; where the days of a diurnal process lie.
    horizon_ms : int
        [ms]
    max_jobs : int, optional
        Only so many, the first.

    Returns
    -------
    int64[jobs]
        Rounded to the nearest millisecond. [ms]
    """
    expected = expected_count(arrivals, start=start, horizon_ms=horizon_ms)
    most = math.inf if max_jobs is None else max_jobs
    if expected == 0.0 or most == 0:
        return np.empty(0, np.int64)
    if isinstance(arrivals, RegularArrivals):
        count = int(min(expected, most))
        times: Times = np.rint(np.arange(count) * arrivals.every_ms).astype(np.int64)
        return times
    if isinstance(arrivals, PoissonArrivals):
        fill = _poisson(arrivals.rate_per_ms, horizon_ms)
    else:
        fill = _diurnal(rhythm(arrivals, start=start, horizon_ms=horizon_ms), horizon_ms)
    return _first(shares, fill, expected, most)


def expected_count(arrivals: Arrivals, *, start: datetime, horizon_ms: int) -> float:
    """Return how many arrivals are to be expected before the horizon; exact if regular."""
    if isinstance(arrivals, PoissonArrivals):
        return arrivals.rate_per_ms * horizon_ms
    if isinstance(arrivals, RegularArrivals):
        count = math.ceil(horizon_ms / arrivals.every_ms)
        while count and round((count - 1) * arrivals.every_ms) >= horizon_ms:
            count -= 1
        return float(count)
    return float(rhythm(arrivals, start=start, horizon_ms=horizon_ms).stretches[3].sum())


def _first(shares: Stream, fill: NextTimes, expected: float, most: float) -> Times:
    """Draw in pieces until the horizon or `most` arrivals are reached."""
    room = int(min(most, expected + 6.0 * math.sqrt(expected) + 16.0))
    times = np.empty(room, np.int64)
    count = 0
    while True:
        if count == len(times):
            if count >= most:
                return times
            times = np.concatenate((times, np.empty(int(min(most - count, PIECE)), np.int64)))
        asked = min(PIECE, len(times) - count)
        found = fill(shares.uniforms(asked), times[count : count + asked])
        count += found
        if found < asked:
            return times[:count]


def _poisson(rate_per_ms: float, horizon_ms: int) -> NextTimes:
    last_ms = 0.0

    def fill(uniforms: NDArray[np.float64], times: Times) -> int:
        nonlocal last_ms
        count, last_ms = kernels.poisson_arrivals(uniforms, rate_per_ms, last_ms, horizon_ms, times)
        return int(count)

    return fill


def _diurnal(rate: Rhythm, horizon_ms: int) -> NextTimes:
    at, last_ms = 0, 0.0

    def fill(uniforms: NDArray[np.float64], times: Times) -> int:
        nonlocal at, last_ms
        count, at, last_ms = kernels.diurnal_arrivals(
            uniforms, rate.stretches, rate.swing, RADIANS_PER_MS, at, last_ms, horizon_ms, times
        )
        return int(count)

    return fill


def rhythm(arrivals: DiurnalArrivals, *, start: datetime, horizon_ms: int) -> Rhythm:
    """Return the rate of a diurnal process over the horizon, in stretches.

    On a local day the rate is level (1 + swing cos(2 pi (hour - peak_hour) / 24)), with
    swing = (r - 1) / (r + 1) for a peak r times the trough. On Saturdays and Sundays the level
    is `weekend` times that of the other days, and the mean over a week of seven 24-hour days is
    the rate asked for.
    """
    zone = ZoneInfo(arrivals.time_zone) if arrivals.time_zone else UTC
    swing = (arrivals.peak_to_trough - 1.0) / (arrivals.peak_to_trough + 1.0)
    weekday = arrivals.rate_per_ms * DAYS_OF_WEEK / (SATURDAY + 2.0 * arrivals.weekend)
    rows = []
    for begin_ms, day, hour in _bends(start, horizon_ms, zone):
        level = weekday * (arrivals.weekend if day.weekday() >= SATURDAY else 1.0)
        phase = 2.0 * math.pi * (hour - arrivals.peak_hour) / H_PER_D
        rows.append((begin_ms, level, phase))
    begins, levels, phases = np.array([*rows, (horizon_ms, 0.0, 0.0)]).T
    turned = np.append(np.diff(begins) * RADIANS_PER_MS, 0.0)
    arcs = turned + swing * (np.sin(phases + turned) - np.sin(phases))
    return Rhythm(np.array([begins, levels, phases, levels / RADIANS_PER_MS * arcs]), swing)


def _bends(start: datetime, horizon_ms: int, zone: tzinfo) -> Iterator[tuple[int, date, float]]:
    """Yield where the rate bends before the horizon: time [ms], local day, local hour.

    These are the start, each local midnight and each change of the local clock.
    """
    end = start + timedelta(milliseconds=horizon_ms)
    at = start.astimezone(UTC)
    while at < end:
        local = at.astimezone(zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        hour = (local.replace(tzinfo=None) - midnight.replace(tzinfo=None)) / _H
        yield (at - start) // _MS, local.date(), hour
        following = (midnight + _D).astimezone(UTC)
        if following <= at:  # the clock was put back over midnight, which comes a second time
            following = (midnight + _D).replace(fold=1).astimezone(UTC)
        at = _clock_change(at, following, zone) or following


def _clock_change(begin: datetime, end: datetime, zone: tzinfo) -> datetime | None:
    """Return the first whole second of (begin, end) at which the offset from UTC has changed."""
    offset = begin.astimezone(zone).utcoffset()
    if (end - _S).astimezone(zone).utcoffset() == offset:
        return None
    low, high = 0, (end - begin) // _S
    while high - low > 1:
        middle = (low + high) // 2
        if (begin + middle * _S).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return begin + high * _S
