"""An interval of 95 % covers the truth in 95 of 100 comparisons, however few the seeds."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from simulator.analysis.statistics import LEVEL, spread
from simulator.rng import stream

TRUTH = 0.3
ERROR = 1e-6  # chance that a right interval fails a test


def normal(seed: int, name: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    uniforms = stream(seed, name).uniforms(shape[0] * shape[1])
    return np.asarray(stats.norm.ppf(uniforms)).reshape(shape)


def covered(comparisons: int, seeds: int) -> tuple[int, int]:
    """Return how many intervals cover the truth, and how many claim an effect where none is.

    What both sides share with a seed is ten times as wide as what they don't.
    """
    shared = 10.0 * normal(seeds, "shared", (seeds, comparisons))
    base = shared + normal(seeds, "base", (seeds, comparisons))
    other = shared + normal(seeds, "other", (seeds, comparisons))
    mean, _, half = spread(other + TRUTH - base)
    nothing, _, around = spread(other - base)
    return int((np.abs(mean - TRUTH) <= half).sum()), int((np.abs(nothing) > around).sum())


def check(comparisons: int, seeds: int) -> None:
    hits, claims = covered(comparisons, seeds)
    low, high = stats.binom.interval(1.0 - ERROR, comparisons, LEVEL)
    assert low <= hits <= high
    low, high = stats.binom.interval(1.0 - ERROR, comparisons, 1.0 - LEVEL)
    assert low <= claims <= high


@pytest.mark.parametrize("seeds", [2, 5, 20])
def test_paired_intervals_cover_the_truth(seeds: int) -> None:
    check(2_000, seeds)


@pytest.mark.verify
@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 20])
def test_paired_intervals_cover_the_truth_in_many_comparisons(seeds: int) -> None:
    check(200_000, seeds)


def test_pairing_tells_more_than_two_means_would() -> None:
    """The shared part has variance 100 and the own ones 1 each: sqrt(202 / 2) times narrower."""
    shared = 10.0 * normal(1, "shared", (20, 500))
    base = shared + normal(1, "base", (20, 500))
    other = shared + normal(1, "other", (20, 500))
    paired = spread(other - base)[1].mean()
    apart = np.sqrt(spread(other)[1] ** 2 + spread(base)[1] ** 2).mean()
    assert apart / paired == pytest.approx(np.sqrt(202 / 2), rel=0.05)
