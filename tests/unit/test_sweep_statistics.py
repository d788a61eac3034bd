"""Means over runs with their intervals, against scipy and by hand."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from simulator.analysis.statistics import (
    LEVEL,
    by_point,
    mean_of,
    paired,
    percentiles,
    quantities_of,
    t_quantile,
)
from simulator.errors import InputError
from simulator.rng import stream

SHARES = (0.001, 0.025, 0.1, 0.4, 0.6, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9995, 1 - 1e-9)
FREEDOMS = (1, 2, 3, 4, 5, 7, 10, 19, 29, 50, 99, 199, 999, 9_999)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("share", SHARES)
def test_the_t_quantile_is_that_of_scipy(share: float, freedom: int) -> None:
    assert t_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-9)


def test_the_t_quantile_of_one_and_two_degrees_is_the_closed_form() -> None:
    """Cauchy: tan(pi (p - 1/2)); two degrees: (2p - 1) sqrt(2 / (4 p (1 - p)))."""
    for p in (0.3, 0.6, 0.975):
        assert t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)), rel=1e-12)
        two = (2 * p - 1) * math.sqrt(2 / (4 * p * (1 - p)))
        assert t_quantile(p, 2) == pytest.approx(two, rel=1e-12)
    assert t_quantile(0.5, 7) == 0.0


@pytest.mark.parametrize(
    ("share", "freedom"),
    [(0.0, 5), (1.0, 5), (-0.1, 5), (0.9, 0.5), (0.9, math.inf), (math.nan, 3)],
)
def test_where_there_is_no_quantile_none_is_given(share: float, freedom: float) -> None:
    with pytest.raises(ValueError, match="no quantile"):
        t_quantile(share, freedom)


def test_an_interval_by_hand() -> None:
    """2, 4, 6: mean 4, sd 2, t(0.975; 2) = 4.302653, half width 4.302653 * 2 / sqrt(3)."""
    found = mean_of([2.0, 4.0, 6.0])
    assert found is not None
    assert (found.mean, found.sd, found.n) == (4.0, 2.0, 3)
    assert found.half_width == pytest.approx(4.968275, rel=1e-6)
    assert (found.low, found.high) == pytest.approx((-0.968275, 8.968275), rel=1e-6)
    assert found.effect == "not clear"


def test_an_interval_is_that_of_scipy() -> None:
    values = stream(1, "values").uniforms(17)
    found = mean_of(values)
    assert found is not None
    low, high = stats.t.interval(LEVEL, 16, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    narrow, wide = mean_of(values, 0.5), mean_of(values, 0.999)
    assert narrow is not None
    assert wide is not None
    assert narrow.half_width < found.half_width < wide.half_width  # type: ignore[operator]


def test_one_run_has_no_interval() -> None:
    found = mean_of([3.0])
    assert found is not None
    assert (found.mean, found.n) == (3.0, 1)
    assert (found.half_width, found.low, found.high, found.sd, found.effect) == (None,) * 5


def test_what_never_varies_is_known_exactly() -> None:
    """Three times 0.1 adds up to more than 0.3; the mean of it must not show."""
    found = mean_of([0.1, 0.1, 0.1])
    assert found is not None
    assert (found.mean, found.sd, found.half_width, found.effect) == (0.1, 0.0, 0.0, "clear")
    nothing = mean_of([0.0, 0.0])
    assert nothing is not None
    assert nothing.effect == "not clear"


@pytest.mark.parametrize("values", [[], [math.nan], [1.0, None, 3.0]])
def test_a_quantity_absent_in_any_run_is_absent(values: list[Any]) -> None:
    assert mean_of(values) is None


def test_pairs_take_out_what_both_sides_share() -> None:
    shared = np.array([10.0, 500.0, -200.0, 90.0])
    found = paired(shared, shared + np.array([1.0, 2.0, 1.0, 2.0]))
    assert found is not None
    assert (found.mean, found.n, found.effect) == (1.5, 4, "clear")
    assert found.half_width == pytest.approx(
        stats.t.ppf(0.975, 3) * math.sqrt(1 / 3) / 2, rel=1e-12
    )
    assert paired([1.0, math.nan], [1.0, 2.0]) is None
    with pytest.raises(ValueError, match="can't be paired"):
        paired([1.0], [1.0, 2.0])


def test_percentiles_over_runs_are_numpys_linear_ones() -> None:
    table = pd.DataFrame(
        {
            "status": ["done"] * 4 + ["failed"],
            "total_kgco2e": [1.0, 2.0, 3.0, 10.0, None],
            "wait_p99_h": [1.0, None, 2.0, 3.0, None],
        }
    )
    found = percentiles(table)
    assert list(found.columns) == ["p5", "p25", "p50", "p75", "p95", "n"]
    assert found.loc["total_kgco2e"].tolist() == pytest.approx([1.15, 1.75, 2.5, 4.75, 8.95, 4])
    assert found.loc["wait_p99_h", "p5":"p95"].isna().all()
    few = percentiles(table, ["total_kgco2e"], [50, 99])
    assert few.loc["total_kgco2e", "p99"] == pytest.approx(np.percentile([1, 2, 3, 10], 99))
    assert percentiles(table[:0])["p50"].isna().all()


def test_headlines_come_first_and_the_seed_is_no_quantity() -> None:
    columns = ["seed", "horizon_h", "jobs_queued", "name", "total_kgco2e", "count"]
    assert quantities_of(pd.DataFrame(columns=columns)) == (
        "total_kgco2e", "jobs_queued", "horizon_h",
    )  # fmt: skip


def sweep_table(**columns: list[Any]) -> pd.DataFrame:
    """Return the runs of two points with three seeds each."""
    return pd.DataFrame(
        {
            "point": [0, 0, 0, 1, 1, 1],
            "clusters.c.count": [4, 4, 4, 8, 8, 8],
            "seed": [1, 2, 3, 1, 2, 3],
            "status": ["done"] * 5 + ["failed"],
            "total_kgco2e": [1.0, 2.0, 3.0, 5.0, 7.0, None],
            **columns,
        }
    )


def test_points_have_a_mean_over_the_runs_that_did_not_fail() -> None:
    found = by_point(sweep_table(), ["clusters.c.count"], "total_kgco2e")
    assert found["clusters.c.count"].tolist() == [4, 8]
    assert found["mean"].tolist() == [2.0, 6.0]
    assert found["n"].tolist() == [3, 2]
    assert found["high"][0] == pytest.approx(2.0 + stats.t.ppf(0.975, 2) / math.sqrt(3))


def test_a_point_without_runs_is_there_without_a_mean() -> None:
    table = sweep_table(status=["done"] * 3 + ["failed"] * 3)
    found = by_point(table, ["clusters.c.count"], "total_kgco2e")
    assert found["n"].tolist() == [3, 0]
    assert found["mean"].isna().tolist() == [False, True]
    with pytest.raises(InputError, match='"total" is no quantity here'):
        by_point(table, [], "total")
