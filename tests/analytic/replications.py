"""Random jobs, independent replications of a run, and the interval of their mean."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulator.rng import stream
from simulator.units import MS_PER_H
from simulator.workload.table import JobTable
from tests.builders import job_table

REPLICATIONS = 20
WARM_UP = 0.05  # share of the jobs at the beginning that no statistic counts

Floats = NDArray[np.float64]
Law = Callable[[Floats], Floats]


def exponential(u: Floats) -> Floats:
    return -np.log(u)


@dataclass(frozen=True)
class Interval:
    """Mean over replications with its half-width at 99.9 %."""

    mean: float
    half_width: float

    def check(self, expected: float, precision: float) -> None:
        """Assert that the interval covers `expected` and is narrower than `precision` of it."""
        assert abs(self.mean - expected) <= self.half_width, (self, expected)
        assert self.half_width <= precision * expected, (self, expected)


def interval(values: Sequence[float]) -> Interval:
    t = stats.t.ppf(1 - 0.0005, len(values) - 1)
    return Interval(
        float(np.mean(values)), float(t * np.std(values, ddof=1) / math.sqrt(len(values)))
    )


def poisson_ms(seed: int, rate_per_h: float, count: int) -> Floats:
    gaps_h = exponential(stream(seed, "arrivals").uniforms(count)) / rate_per_h
    return np.floor(np.cumsum(gaps_h) * MS_PER_H)


def poisson_jobs(seed: int, rate_per_h: float, law: Law, count: int, gpus: int = 1) -> JobTable:
    duration_h = law(stream(seed, "durations").uniforms(count))
    return job_table(poisson_ms(seed, rate_per_h, count), duration_h * MS_PER_H, gpus)
