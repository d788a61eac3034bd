"""Arrival processes: their counts, their rhythm in local time, and where they end."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.kernels.arrivals import kepler_turn
from simulator.rng import stream, uniforms
from simulator.scenario.arrivals import DiurnalArrivals, PoissonArrivals, RegularArrivals
from simulator.units import MS_PER_D, MS_PER_H
from simulator.workload.arrivals import (
    RADIANS_PER_MS,
    Rhythm,
    arrival_times,
    expected_count,
    rhythm,
)

MONDAY = datetime(2022, 1, 3, tzinfo=UTC)
WEEK_MS = 7 * MS_PER_D
PER_H = 1.0 / MS_PER_H


def times(arrivals, *, start: datetime = MONDAY, horizon_ms: int = WEEK_MS, seed: int = 5, **keys):
    return arrival_times(
        arrivals, stream(seed, "arrivals"), start=start, horizon_ms=horizon_ms, **keys
    )


def diurnal(zone: str = "UTC", **keys) -> DiurnalArrivals:
    said = {"rate_per_ms": 100 * PER_H, "peak_hour": 15.0, "peak_to_trough": 3.0, "weekend": 0.4}
    return DiurnalArrivals(**said | {"time_zone": zone} | keys)


def rate_at(rate: Rhythm, time_ms: float) -> float:
    """Return the rate that the stretches describe. [1/ms]"""
    begins, levels, phases, _ = rate.stretches
    at = np.searchsorted(begins, time_ms, side="right") - 1
    turned = RADIANS_PER_MS * (time_ms - begins[at])
    return levels[at] * (1 + rate.swing * math.cos(phases[at] + turned))


def rate_by_the_clock(arrivals: DiurnalArrivals, instant: datetime) -> float:
    """Return the rate from the definition: the hour and the day that a local clock shows."""
    local = instant.astimezone(ZoneInfo(arrivals.time_zone))
    hour = local.hour + (local.minute + (local.second + local.microsecond / 1e6) / 60) / 60
    swing = (arrivals.peak_to_trough - 1) / (arrivals.peak_to_trough + 1)
    level = arrivals.rate_per_ms * 7 / (5 + 2 * arrivals.weekend)
    level *= arrivals.weekend if local.weekday() >= 5 else 1.0
    return level * (1 + swing * math.cos(2 * math.pi * (hour - arrivals.peak_hour) / 24))


def test_regular_arrivals_start_at_0_and_end_before_the_horizon() -> None:
    every = RegularArrivals(every_ms=10_000.0)
    assert times(every, horizon_ms=30_000).tolist() == [0, 10_000, 20_000]
    assert times(every, horizon_ms=30_001).tolist() == [0, 10_000, 20_000, 30_000]
    assert times(every, horizon_ms=30_001, max_jobs=2).tolist() == [0, 10_000]
    assert expected_count(every, start=MONDAY, horizon_ms=30_001) == 4


def test_regular_arrivals_that_round_to_the_horizon_are_left_out() -> None:
    third = RegularArrivals(every_ms=10.0 / 3.0)
    assert times(third, horizon_ms=10).tolist() == [0, 3, 7]
    assert times(RegularArrivals(every_ms=9.6), horizon_ms=10).tolist() == [0]


def test_poisson_arrivals_have_the_count_and_the_gaps_of_their_rate() -> None:
    arrived = times(PoissonArrivals(rate_per_ms=500 * PER_H))
    expected = 500 * 7 * 24
    assert len(arrived) == pytest.approx(expected, abs=4 * math.sqrt(expected))
    gaps = -np.log1p(-uniforms(5, "arrivals", count=len(arrived) + 1)) / (500 * PER_H)
    exact = np.cumsum(gaps)
    assert np.abs(arrived - exact[:-1]).max() <= 0.5 + 1e-6
    assert exact[-1] >= WEEK_MS - 0.5


def test_poisson_counts_of_hours_vary_as_much_as_their_mean() -> None:
    arrived = times(PoissonArrivals(rate_per_ms=50 * PER_H), horizon_ms=20 * WEEK_MS)
    counts = np.bincount(arrived // MS_PER_H, minlength=20 * 7 * 24)
    # The variance of n Poisson counts of mean m is known to m sqrt(2/n + 1/(n m)); four of them.
    noise = 50 * math.sqrt(2 / len(counts) + 1 / (len(counts) * 50))
    assert counts.var(ddof=1) == pytest.approx(50.0, abs=4 * noise)


@pytest.mark.parametrize(
    "arrivals",
    [PoissonArrivals(rate_per_ms=0.0), DiurnalArrivals(rate_per_ms=0.0)],
    ids=["poisson", "diurnal"],
)
def test_a_rate_of_0_brings_nobody(arrivals) -> None:
    assert times(arrivals).tolist() == []


@pytest.mark.parametrize("weekend", [0.0, 0.4, 1.0, 3.0])
def test_the_mean_of_a_diurnal_rate_over_a_week_is_the_rate(weekend: float) -> None:
    week = diurnal(weekend=weekend)
    expected = expected_count(week, start=MONDAY + timedelta(hours=5.5), horizon_ms=WEEK_MS)
    assert expected == pytest.approx(100 * 24 * 7, rel=1e-12)
    assert len(times(week)) == pytest.approx(expected, abs=4 * math.sqrt(expected))


ZONES = {
    "UTC": "2022-01-03T05:30",
    "America/Los_Angeles": "2022-03-11T17:00",  # the clock goes forward
    "Europe/Berlin": "2022-10-28T09:12",  # back
    "Australia/Lord_Howe": "2022-03-31T00:00",  # back by half an hour
    "Asia/Kathmandu": "2022-06-01T00:00",  # 5:45 ahead all year
    "America/Sao_Paulo": "2018-11-02T00:00",  # forward at midnight: a day without its first hour
    "America/Havana": "2022-11-04T00:00",  # back at one o'clock to midnight, which comes twice
    "Asia/Beirut": "2022-10-27T12:00",  # back at midnight: an evening hour comes twice
}


@pytest.mark.parametrize(("zone", "begin"), ZONES.items())
def test_the_rate_follows_the_local_clock_through_its_changes(zone: str, begin: str) -> None:
    start = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    arrivals = diurnal(zone)
    rate = rhythm(arrivals, start=start, horizon_ms=WEEK_MS)
    assert np.all(np.diff(rate.stretches[0]) > 0)
    for time_ms in range(0, WEEK_MS, 11 * MS_PER_H // 60):
        instant = start + timedelta(milliseconds=time_ms)
        by_clock = rate_by_the_clock(arrivals, instant)
        assert rate_at(rate, time_ms) == pytest.approx(by_clock, rel=1e-9), instant


@pytest.mark.parametrize(
    "keys", [{}, {"peak_to_trough": 50.0}, {"weekend": 0.0}, {"zone": "Europe/Berlin"}]
)
def test_diurnal_arrivals_are_poisson_points_at_the_integrated_rate(keys) -> None:
    start = datetime(2022, 10, 28, tzinfo=UTC)
    arrivals = diurnal(**keys)
    arrived = times(arrivals, start=start)
    rate = rhythm(arrivals, start=start, horizon_ms=WEEK_MS)
    step = MS_PER_H // 120
    middles = np.arange(step // 2, WEEK_MS, step)
    per_step = np.array([rate_at(rate, time_ms) for time_ms in middles]) * step
    integral = np.concatenate(([0.0], np.cumsum(per_step)))
    points = np.interp(arrived, np.arange(len(integral)) * step, integral)
    gaps = -np.log1p(-uniforms(5, "arrivals", count=len(arrived)))
    # Rounding to the millisecond and the midpoint rule of the check are all that may differ.
    assert np.abs(points - np.cumsum(gaps)).max() < 5e-3


def test_the_busiest_hour_is_the_peak_hour_of_the_local_day() -> None:
    arrived = times(diurnal("Asia/Tokyo", weekend=1.0), horizon_ms=10 * WEEK_MS)
    local_hour = (arrived // MS_PER_H + 9) % 24
    counts = np.bincount(local_hour, minlength=24)
    # Over the hours from 14 to 16, about the peak, and from 2 to 4, about the trough.
    peak, trough = counts[14:16].sum(), counts[2:4].sum()
    ratio = peak / trough
    assert ratio == pytest.approx(3.0, abs=0.05 + 4 * ratio * math.sqrt(1 / peak + 1 / trough))


@pytest.mark.parametrize("swing", [0.0, 0.5, 0.999998])
def test_keplers_equation_is_solved_everywhere(swing: float) -> None:
    for phase in np.linspace(-7, 7, 15):
        for gap in (1e-9, 1e-3, 0.7, 3.0, 6.2):
            y = kepler_turn(gap, swing, phase)
            back = y + swing * (math.sin(phase + y) - math.sin(phase))
            assert back == pytest.approx(gap, rel=1e-9, abs=2e-15)
