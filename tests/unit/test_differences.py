"""Tables of differences paired by seed: of two sides, and of the points of a sweep."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulator.analysis.differences import COLUMNS, compare_points, differences
from simulator.errors import InputError

COUNT, IDLE = "clusters.c.count", "clusters.c.idle"


def side(total: list[Any], seeds: list[int] | None = None, **columns: Any) -> pd.DataFrame:
    """Return the runs of one side."""
    seeds = seeds or list(range(len(total)))
    return pd.DataFrame({"seed": seeds, "total_kgco2e": total, **columns})


def row_of(table: pd.DataFrame, quantity: str = "total_kgco2e") -> dict[str, Any]:
    return table.set_index("quantity").loc[quantity].to_dict()


def test_a_row_says_means_difference_interval_and_per_cent() -> None:
    found = differences(side([100.0, 200.0, 300.0]), side([90.0, 180.0, 285.0]), other_name="b")
    assert list(found.columns) == ["other", "quantity", *COLUMNS]
    row = row_of(found)
    assert (row["other"], row["base_mean"], row["other_mean"], row["n"]) == ("b", 200.0, 185.0, 3)
    assert row["difference"] == -15.0
    half = 4.302652729911275 * 5.0 / np.sqrt(3)
    assert (row["low"], row["high"]) == pytest.approx((-15 - half, -15 + half), rel=1e-9)
    assert row["percent"] == pytest.approx(-7.5)
    ends = (row["percent_low"], row["percent_high"])
    assert ends == pytest.approx((row["low"] / 2, row["high"] / 2))
    assert row["clear"] is True
    assert row["unit"] == "kgCO2e"


def test_runs_are_paired_by_seed_whatever_their_order() -> None:
    base, other = side([1.0, 2.0, 3.0], [7, 8, 9]), side([13.0, 12.0, 11.0], [9, 8, 7])
    row = row_of(differences(base, other))
    assert (row["difference"], row["low"], row["high"], row["n"]) == (10.0, 10.0, 10.0, 3)


def test_a_seed_of_one_side_only_and_failed_runs_are_left_out() -> None:
    base = side([1.0, 2.0, 3.0, 4.0], [1, 2, 3, 4], status=["done", "done", "done", "failed"])
    other = side([2.0, None, 5.0, 5.0], [1, 2, 3, 4], status=["done", "failed", "done", "done"])
    row = row_of(differences(base, other))
    assert (row["n"], row["difference"]) == (2, 1.5)


def test_one_pair_has_a_difference_and_no_interval() -> None:
    row = row_of(differences(side([4.0]), side([5.0])))
    assert (row["difference"], row["percent"], row["n"]) == (1.0, 25.0, 1)
    assert all(row[name] != row[name] for name in ("low", "high", "percent_low", "percent_high"))
    assert pd.isna(row["clear"])


def test_a_quantity_absent_in_any_run_of_either_side_is_absent() -> None:
    base = side([1.0, 2.0], wait_p99_h=[1.0, np.nan], marginal_kgco2e=[None, None])
    other = side([1.0, 2.0], wait_p99_h=[1.0, 2.0], marginal_kgco2e=[1.0, 2.0])
    for one, two in ((base, other), (other, base)):
        table = differences(one, two)
        for quantity in ("wait_p99_h", "marginal_kgco2e"):
            row = row_of(table, quantity)
            assert all(pd.isna(row[name]) for name in COLUMNS if name not in ("n", "unit"))
            assert row["n"] == 0
        assert row_of(table)["n"] == 2


def test_a_base_of_nothing_has_no_per_cent_and_a_negative_one_keeps_the_sign() -> None:
    row = row_of(differences(side([0.0, 0.0]), side([1.0, 2.0])))
    assert row["difference"] == 1.5
    assert row["percent"] != row["percent"]
    row = row_of(differences(side([-10.0, -10.0]), side([-12.0, -12.0])))
    assert row["percent"] == -20.0
    assert row["percent_low"] == row["percent_high"] == -20.0


def test_rounding_of_sums_is_no_clear_difference() -> None:
    base = side([1e6, 2e6, 3e6])
    noise = side([1e6 * (1 + 1e-13), 2e6 * (1 + 1e-13), 3e6 * (1 + 1e-13)])
    assert row_of(differences(base, noise))["clear"] is False
    assert row_of(differences(base, side([1e6 + 1, 2e6 + 1, 3e6 + 1])))["clear"] is True


def sweep(counts: tuple[int, ...] = (4, 8), idles: tuple[str, ...] = ("on", "off")) -> pd.DataFrame:
    """Return a sweep of two axes with three seeds; a count of 8 adds 10, "off" takes 1."""
    rows = []
    for point, (count, idle) in enumerate((c, i) for c in counts for i in idles):
        for seed in (5, 6, 7):
            total = 100.0 * seed + 10.0 * (count == 8) - 1.0 * (idle == "off")
            rows.append(
                {"row": len(rows), "point": point, COUNT: count, IDLE: idle, "seed": seed,
                 "status": "done", "total_kgco2e": total, "jobs_queued": 0}
            )  # fmt: skip
    return pd.DataFrame(rows)


def test_every_point_of_a_sweep_is_set_against_one() -> None:
    table = compare_points(sweep(), [COUNT, IDLE], {COUNT: 4, IDLE: "on"})
    assert list(table.columns) == ["point", COUNT, IDLE, "other", "quantity", *COLUMNS]
    total = table[table["quantity"] == "total_kgco2e"]
    assert total["difference"].tolist() == [-1.0, 10.0, 9.0]
    assert total["low"].tolist() == [-1.0, 10.0, 9.0]
    assert total["point"].tolist() == [1, 2, 3]
    assert total["other"].tolist() == [
        "count = 4, idle = off", "count = 8, idle = on", "count = 8, idle = off",
    ]  # fmt: skip


def test_a_base_point_needs_only_what_tells_it_apart() -> None:
    few = sweep(counts=(4,))
    assert set(compare_points(few, [COUNT, IDLE], {IDLE: "off"})["other"]) == {
        "count = 4, idle = on"
    }
    one = sweep(counts=(4,), idles=("on",))
    table = compare_points(one, [COUNT, IDLE], {})
    assert len(table) == 0
    assert list(table.columns) == ["point", COUNT, IDLE, "other", "quantity", *COLUMNS]


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ({"clusters.c.cuont": 4}, "did you mean clusters.c.count?"),
        ({COUNT: 5}, "5 is no value of this axis; its values are 4, 8"),
        ({COUNT: 4}, r"2 points have these values; say those of clusters\.c\.idle too"),
        ({}, "4 points have these values"),
    ],
)
def test_a_base_that_is_no_point_is_refused(base: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare_points(sweep(), [COUNT, IDLE], base)


def test_points_that_are_not_there_together_are_refused() -> None:
    table = sweep()
    table = table[~((table[COUNT] == 4) & (table[IDLE] == "off"))]
    with pytest.raises(InputError, match="no point of the sweep has these values together"):
        compare_points(table, [COUNT, IDLE], {COUNT: 4, IDLE: "off"})
