"""The mathematics of each law against scipy, numpy and its own definition."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from simulator.errors import InputError
from simulator.rng import uniforms
from simulator.scenario.laws import (
    Beta,
    Constant,
    Empirical,
    Exponential,
    Lognormal,
    LognormalMoments,
    Mixture,
    Uniform,
    Weibull,
)
from simulator.units import MS_PER_MIN
from simulator.workload.draws import draw, draw_choices
from simulator.workload.empirical import Sample, read
from simulator.workload.laws import (
    Z_99,
    beta_shapes,
    mean,
    percentile,
    quantile,
    scv,
    second_moment,
    share_below,
    support,
    variance,
)

TAILS = np.array([2.0**-53, 1e-12, 1e-6, 1e-3])
SHARES = np.concatenate((TAILS, np.linspace(0.01, 0.99, 99), 1 - TAILS))

BETAS = [
    (0.4, 0.1),
    (0.5, 0.2887),
    (0.5, 0.49),
    (0.05, 0.2),
    (0.9, 0.29),
    (0.5, 1e-3),
    (0.99, 0.02),
]
"""Mean and sd: one mode, flat, both ends, one end or the other, narrow, near 1."""

SIMPLE = [
    (Lognormal(p50=10.0, p99=100.0), stats.lognorm(math.log(10.0) / Z_99, scale=10.0)),
    (
        LognormalMoments(mean=4.0, sd=3.0),
        stats.lognorm(math.sqrt(math.log(25 / 16)), scale=4.0 / math.sqrt(25 / 16)),
    ),
    (Exponential(mean=2.5), stats.expon(scale=2.5)),
    (Weibull(shape=0.7, scale=3.0), stats.weibull_min(0.7, scale=3.0)),
    (Weibull(shape=4.0, scale=3.0), stats.weibull_min(4.0, scale=3.0)),
    (Beta(mean=0.4, sd=0.1), stats.beta(*beta_shapes(0.4, 0.1))),
    (Uniform(low=2.0, high=6.0), stats.uniform(2.0, 4.0)),
]
NAMES = [f"{law.kind} {number}" for number, (law, _) in enumerate(SIMPLE)]

MIXED = Mixture(
    parts=(
        (0.3, Exponential(mean=1.0)),
        (0.5, Lognormal(p50=2.0, p99=9.0)),
        (0.2, Constant(value=4.0)),
    )
)


@pytest.mark.parametrize(("law", "reference"), SIMPLE, ids=NAMES)
def test_quantiles_are_those_of_scipy(law, reference) -> None:
    assert quantile(law, SHARES) == pytest.approx(reference.ppf(SHARES), rel=1e-11)


@pytest.mark.parametrize(("law", "reference"), SIMPLE, ids=NAMES)
def test_moments_are_those_of_scipy(law, reference) -> None:
    centre, spread = reference.stats("mv")
    assert mean(law) == pytest.approx(centre, rel=1e-12)
    assert variance(law) == pytest.approx(spread, rel=1e-12)
    assert second_moment(law) == pytest.approx(spread + centre**2, rel=1e-12)
    assert scv(law) == pytest.approx(spread / centre**2, rel=1e-12)


@pytest.mark.parametrize(("law", "reference"), SIMPLE, ids=NAMES)
def test_the_share_below_is_that_of_scipy(law, reference) -> None:
    low, high = support(law)
    for value in (low - 1.0, low, 0.1, 0.37, 0.9, 3.0, 5.0, 40.0, min(high, 1e6)):
        assert share_below(law, value) == pytest.approx(reference.cdf(value), rel=1e-12, abs=1e-15)


def test_the_normal_quantile_is_exact_to_the_last_digits() -> None:
    shares = np.concatenate((uniforms(1, "shares", count=5000), SHARES))
    unit = Lognormal(p50=1.0, p99=math.exp(Z_99))
    z = np.log(quantile(unit, shares))
    # The logarithm of the lognormal brings its own rounding, one unit of the last digit of 1.
    assert np.abs(z - special.ndtri(shares)).max() < 4e-15
    assert quantile(unit, np.array([0.5])).tolist() == [1.0]


@pytest.mark.parametrize(("centre", "sd"), BETAS)
def test_beta_quantiles_are_exact_to_a_billionth(centre: float, sd: float) -> None:
    shares = np.concatenate((uniforms(1, "beta", count=2000), SHARES))
    exact = stats.beta.ppf(shares, *beta_shapes(centre, sd))
    assert np.abs(quantile(Beta(mean=centre, sd=sd), shares) - exact).max() < 2e-9


def test_a_beta_of_next_to_no_spread_is_drawn_as_a_lognormal() -> None:
    a, b = beta_shapes(0.2, 5e-6)
    assert a + b > 1e9
    exact = stats.beta.ppf(SHARES[4:-4], a, b)
    assert quantile(Beta(mean=0.2, sd=5e-6), SHARES[4:-4]) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("centre", "sd"), [(0.5, 0.5), (0.1, 0.31), (0.4, 0.0)])
def test_an_impossible_beta_is_refused(centre: float, sd: float) -> None:
    with pytest.raises(ValueError, match="must be above 0 and below sqrt"):
        beta_shapes(centre, sd)


@pytest.mark.parametrize(
    "law", [Constant(value=4.0), Lognormal(p50=4.0, p99=4.0), LognormalMoments(mean=4.0, sd=0.0)]
)
def test_equal_percentiles_and_no_deviation_make_a_constant(law) -> None:
    assert quantile(law, SHARES).tolist() == [4.0] * len(SHARES)
    assert (mean(law), variance(law), second_moment(law), scv(law)) == (4.0, 0.0, 16.0, 0.0)
    assert (share_below(law, 3.999), share_below(law, 4.0)) == (0.0, 1.0)
    assert draw(law, 3, 1, "x").tolist() == [4.0] * 3


def test_moments_too_large_for_a_float_are_infinite() -> None:
    wild = Lognormal(p50=1e-200, p99=1e9)
    assert mean(wild) == variance(wild) == math.inf
    assert variance(Weibull(shape=0.01, scale=1.0)) == math.inf


def test_a_mixture_has_the_moments_of_its_parts() -> None:
    assert mean(MIXED) == pytest.approx(
        0.3 + 0.5 * mean(Lognormal(p50=2.0, p99=9.0)) + 0.2 * 4.0, rel=1e-14
    )
    assert second_moment(MIXED) == pytest.approx(
        0.3 * 2.0 + 0.5 * second_moment(Lognormal(p50=2.0, p99=9.0)) + 0.2 * 16.0, rel=1e-14
    )
    assert support(MIXED) == (0.0, math.inf)


@pytest.mark.parametrize("percent", [0.1, 5.0, 50.0, 95.0, 99.0, 99.99])
def test_a_mixtures_percentile_has_that_share_below_it(percent: float) -> None:
    assert share_below(MIXED, percentile(MIXED, percent)) == pytest.approx(percent / 100, rel=1e-12)


def test_a_mixtures_percentile_may_lie_on_an_atom() -> None:
    below = share_below(MIXED, math.nextafter(4.0, 0.0))
    assert share_below(MIXED, 4.0) == pytest.approx(below + 0.2, rel=1e-9)
    assert percentile(MIXED, 100 * (below + 0.1)) == 4.0


def test_a_part_without_weight_is_as_if_it_were_not_there() -> None:
    law = Mixture(parts=((1.0, Constant(value=1.0)), (0.0, Constant(value=9.0))))
    assert support(law) == (1.0, 1.0)
    assert draw(law, 100, 1, "x").tolist() == [1.0] * 100


def test_draws_of_a_mixture_take_each_part_by_its_weight() -> None:
    count = 40_000
    drawn = draw(MIXED, count, 3, "mixed")
    atoms = np.count_nonzero(drawn == 4.0)
    assert abs(atoms - 0.2 * count) < 5 * math.sqrt(count * 0.2 * 0.8)
    rest = np.sort(drawn[drawn != 4.0])
    law = Mixture(parts=((0.375, Exponential(mean=1.0)), (0.625, Lognormal(p50=2.0, p99=9.0))))
    shares = np.array([share_below(law, value) for value in rest[::16]])
    places = np.arange(len(rest))[::16] / len(rest)
    # Kolmogorov: the largest distance exceeds 1.95/sqrt(n) once in a thousand times.
    assert np.abs(shares - places).max() < 1.95 / math.sqrt(len(rest)) + 1 / len(rest)


@pytest.mark.parametrize("law", [*(law for law, _ in SIMPLE), MIXED], ids=[*NAMES, "mixture"])
def test_the_first_draws_do_not_depend_on_how_many_there_are(law) -> None:
    more = draw(law, 70_000, 3, "w", "sizes")
    assert np.array_equal(draw(law, 100, 3, "w", "sizes"), more[:100])
    assert np.array_equal(draw(law, 66_000, 3, "w", "sizes"), more[:66_000])


def test_choices_come_by_their_weights() -> None:
    choices, weights, count = (1, 2, 4, 8), (5.0, 0.0, 3.0, 2.0), 50_000
    drawn = draw_choices(choices, weights, count, 3, "gpus")
    for choice, weight in zip(choices, weights, strict=True):
        share = weight / 10.0
        noise = math.sqrt(count * share * (1 - share))
        assert abs(np.count_nonzero(drawn == choice) - share * count) <= 5 * noise
    assert draw_choices((8,), (1.0,), 3, 3, "gpus").tolist() == [8, 8, 8]


def column_file(folder: Path, *cells: object) -> Empirical:
    path = folder / "column.csv"
    path.write_text("\n".join(["other,size", *(f"x,{cell}" for cell in cells)]) + "\n")
    return Empirical(text="column.csv", path=path, column="size")


def test_an_empirical_law_draws_only_values_of_its_column(tmp_path: Path) -> None:
    cells = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0]
    law = column_file(tmp_path, *cells)
    assert quantile(law, (np.arange(10) + 0.5) / 10).tolist() == sorted(cells)
    assert set(draw(law, 1_000, 1, "x").tolist()) == set(cells)
    assert percentile(law, 99.0) == 9.0
    assert support(law) == (1.0, 9.0)


def test_an_empirical_laws_moments_are_those_of_its_column(tmp_path: Path) -> None:
    law = column_file(tmp_path, 1.0, 2.0, 100.0)
    assert mean(law) == pytest.approx(103.0 / 3.0, rel=1e-15)
    assert variance(law) == pytest.approx(np.var([1.0, 2.0, 100.0]), rel=1e-15)
    assert [share_below(law, value) for value in (0.5, 1.0, 50.0, 100.0)] == pytest.approx(
        [0.0, 1 / 3, 2 / 3, 1.0]
    )


def test_a_column_of_one_value_is_a_constant(tmp_path: Path) -> None:
    law = column_file(tmp_path, 2.5)
    assert draw(law, 4, 1, "x").tolist() == [2.5] * 4
    assert (mean(law), variance(law)) == (2.5, 0.0)


def test_a_column_of_times_is_read_in_its_unit(tmp_path: Path) -> None:
    law = column_file(tmp_path, 1, 3).model_copy(update={"unit": "min"})
    known = read(law)
    assert known.values.tolist() == [MS_PER_MIN, 3 * MS_PER_MIN]
    assert known.sha256 == hashlib.sha256(known.values.tobytes()).hexdigest()
    assert isinstance(known, Sample)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1", "", "3", ""], "size is empty in rows 3 and 5"),
        (["1", "-2"], "size is negative in row 3"),
        (["1", "two"], "size is not a number in row 3"),
        (["1", "inf"], "size is infinite in row 3"),
    ],
)
def test_a_bad_cell_is_refused_with_its_row(tmp_path: Path, cells: list[str], message: str) -> None:
    with pytest.raises(InputError) as error:
        read(column_file(tmp_path, *cells), "workloads.w.gpu_days")
    (issue,) = error.value.issues
    assert issue.path == "workloads.w.gpu_days"
    assert message in issue.message


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    law = column_file(tmp_path, 1.0).model_copy(update={"column": "sise"})
    with pytest.raises(InputError, match="the file has other, size; did you mean 'size'"):
        read(law, "workloads.w.gpu_days")
