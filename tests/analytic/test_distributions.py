"""Laws given by percentiles against their closed forms, and samples against their laws.

The reference numbers were computed from the formulas in each docstring, outside this program.
"""

import math

import numpy as np
import pytest
from scipy import stats

from simulator import catalog
from simulator.scenario.laws import Beta, Exponential, Lognormal, Mixture
from simulator.workload.draws import draw
from simulator.workload.laws import (
    Z_99,
    mean,
    median_and_sigma,
    percentile,
    scv,
    second_moment,
    share_below,
    variance,
)

JOBS = 30_000
"""Jobs of a sample: as many as the percentiles of the published laws were read from."""

REFERENCE = {
    (10.0, 100.0): {
        "mu": 2.30258509299,
        "sigma": 0.989785370747,
        "mean": 16.3205105552,
        "second_moment": 709.471513918,
        "variance": 443.112449136,
        "scv": 1.66359064783,
        "p90": 35.5537659462,
        "p95": 50.9394233838,
        "p999": 212.991406931,
    },
    (1.0, 8.0): {
        "mu": 0.0,
        "sigma": 0.893865257593,
        "mean": 1.49107531765,
        "second_moment": 4.94308780397,
        "variance": 2.71978220105,
        "scv": 1.22330560292,
        "p90": 3.14412118998,
        "p95": 4.35044226896,
        "p999": 15.8354531469,
    },
    (4.0, 4.0): {
        "mu": 1.38629436112,
        "sigma": 0.0,
        "mean": 4.0,
        "second_moment": 16.0,
        "variance": 0.0,
        "scv": 0.0,
        "p90": 4.0,
        "p95": 4.0,
        "p999": 4.0,
    },
}
"""By p50 and p99: mu = ln p50, sigma = ln(p99/p50)/z, mean = p50 e^(s2/2), E[X2] = p50^2 e^(2 s2),
SCV = e^s2 - 1, p_q = p50 e^(sigma z_q)."""


@pytest.mark.parametrize(("percentiles", "expected"), REFERENCE.items(), ids=str)
def test_a_lognormal_of_p50_and_p99_has_the_moments_of_the_formula(percentiles, expected) -> None:
    law = Lognormal(p50=percentiles[0], p99=percentiles[1])
    median, sigma = median_and_sigma(law)
    ours = {
        "mu": math.log(median),
        "sigma": sigma,
        "mean": mean(law),
        "second_moment": second_moment(law),
        "variance": variance(law),
        "scv": scv(law),
        "p90": percentile(law, 90.0),
        "p95": percentile(law, 95.0),
        "p999": percentile(law, 99.9),
    }
    assert ours == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert pytest.approx(2.32634787404, rel=1e-11) == Z_99
    assert percentile(law, 50.0) == percentiles[0]
    assert percentile(law, 99.0) == pytest.approx(percentiles[1], rel=1e-14)


def published(name: str) -> Lognormal | Mixture:
    """Return a law of the catalog."""
    table = catalog.workload(name)["gpu_days"]
    if "mixture" not in table:
        return Lognormal(p50=table["p50"], p99=table["p99"])
    return Mixture(
        parts=tuple(
            (part["weight"], Lognormal(p50=part["p50"], p99=part["p99"]))
            for part in table["mixture"]
        )
    )


PUBLISHED = {
    "experiments-lognormal": {
        "mean": (3.052, 1e-3),
        "cv": (1.77, 1e-2),
        "p90": (6.91, 5e-3),
        "p95": (10.65, 5e-3),
        "p99.9": (59.6, 5e-2),
        "over 500": (5.5e-7, 5e-8),
    },
    "production-training": {
        "mean": (10.80, 5e-3),
        "cv": (3.51, 1e-2),
        "p90": (23.3, 5e-2),
        "p95": (41.8, 5e-2),
        "p99.9": (427.0, 0.5),
        "over 500": (7.2e-4, 5e-6),
    },
    "experiments": {"mean": (3.883, 1e-3), "over 500": (8.3e-4, 5e-6)},
}
"""Worked from the closed forms, to the digits shown: value and half of the last digit or more."""


@pytest.mark.parametrize(("name", "expected"), PUBLISHED.items(), ids=str)
def test_the_published_laws_imply_the_worked_figures(name: str, expected) -> None:
    law = published(name)
    ours = {
        "mean": mean(law),
        "cv": math.sqrt(scv(law)),
        "p90": percentile(law, 90.0),
        "p95": percentile(law, 95.0),
        "p99.9": percentile(law, 99.9),
        "over 500": 1.0 - share_below(law, 500.0),
    }
    for quantity, (value, tolerance) in expected.items():
        assert ours[quantity] == pytest.approx(value, abs=tolerance), quantity


def test_the_tail_leaves_p50_and_p99_of_the_experiments_as_published() -> None:
    law = published("experiments")
    assert percentile(law, 50.0) == pytest.approx(1.5, rel=1e-6)
    assert percentile(law, 99.0) == pytest.approx(24.0, rel=1e-6)
    weight, tail = law.parts[1]
    assert weight * mean(tail) / mean(law) == pytest.approx(0.233, abs=5e-4)


def standard_error(share: float, slope: float, count: int) -> float:
    """Return the standard error of a sample quantile, sqrt(q (1 - q) / n) times dx/dq."""
    return math.sqrt(share * (1 - share) / count) * slope


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("percent", [50.0, 90.0, 99.0])
def test_a_sample_has_the_percentiles_of_its_law(name: str, percent: float) -> None:
    law = published(name)
    drawn = draw(law, JOBS, 7, "workload", name, "sizes")
    share, step = percent / 100, 1e-4
    slope = (percentile(law, percent + 100 * step) - percentile(law, percent - 100 * step)) / 2
    tolerance = 4 * standard_error(share, slope / step, JOBS)
    assert np.percentile(drawn, percent) == pytest.approx(percentile(law, percent), abs=tolerance)


def test_quantile_noise_of_30_000_jobs_is_as_worked_out() -> None:
    """s.e.(ln p_q) = sigma sqrt(q (1 - q) / N) / phi(z_q): p50 0.9 %, p99 2.6 % at N = 30,000."""
    law = published("experiments-lognormal")
    _, sigma = median_and_sigma(law)
    logs = [np.log(draw(law, JOBS, seed, "sizes")) for seed in range(40)]
    for percent, expected in ((50.0, 0.009), (99.0, 0.026)):
        z = Z_99 if percent > 50 else 0.0
        formula = sigma * standard_error(percent / 100, 1 / stats.norm.pdf(z), JOBS)
        assert formula == pytest.approx(expected, abs=5e-4)
        seen = np.std([np.percentile(log, percent) for log in logs], ddof=1)
        # The deviation of 40 values is itself known to 1/sqrt(78) = 11 %; four of them.
        assert seen == pytest.approx(formula, rel=4 / math.sqrt(78))


@pytest.mark.parametrize(
    ("name", "expected"), [("experiments", 24.9), ("production-training", 21.6)]
)
def test_some_jobs_of_a_sample_pass_500_gpu_days(name: str, expected: float) -> None:
    law = published(name)
    counts = [
        np.count_nonzero(draw(law, JOBS, seed, "workload", name, "sizes") > 500.0)
        for seed in range(20)
    ]
    # A Poisson count: of 20 samples the sum has deviation sqrt(20 x expected); four of them.
    assert sum(counts) == pytest.approx(20 * expected, abs=4 * math.sqrt(20 * expected))
    assert min(counts) > 0


@pytest.mark.parametrize(
    "law",
    [Exponential(mean=2.0), Lognormal(p50=1.0, p99=8.0), Beta(mean=0.4, sd=0.1)],
    ids=lambda law: law.kind,
)
def test_a_samples_mean_and_deviation_are_the_laws(law) -> None:
    drawn = draw(law, 200_000, 11, "moments")
    assert drawn.mean() == pytest.approx(mean(law), abs=4 * math.sqrt(variance(law) / len(drawn)))
    fourth = np.mean((drawn - mean(law)) ** 4)
    noise = math.sqrt((fourth - variance(law) ** 2) / len(drawn))
    assert drawn.var() == pytest.approx(variance(law), abs=4 * noise)


@pytest.mark.verify
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_large_sample_follows_its_law_everywhere(name: str) -> None:
    law = published(name)
    drawn = np.sort(draw(law, 1_000_000, 5, "workload", name, "sizes"))[::1000]
    places = np.arange(len(drawn)) / len(drawn)
    shares = np.array([share_below(law, value) for value in drawn])
    # Kolmogorov at one in a thousand, for the million of which every thousandth is looked at.
    assert np.abs(shares - places).max() < 1.95 / 1000 + 1e-3
