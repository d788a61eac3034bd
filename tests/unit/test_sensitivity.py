"""Sensitivity: indices against closed forms, tornado of a linear model, percentiles and ranks."""

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from SALib.sample import sobol as saltelli

from simulator.analysis.point_table import point_means
from simulator.analysis.sensitivity import (
    VAGUE,
    SobolIndices,
    rank_correlations,
    sobol_indices,
    tornado,
)
from simulator.analysis.statistics import percentiles
from simulator.errors import InputError

Values = np.ndarray[Any, np.dtype[np.float64]]
SEED = 7


def runs_of(
    axes: dict[str, Any], quantities: dict[str, Values], seeds: int = 1, noise: float = 0.0
) -> pd.DataFrame:
    """Return a table of runs, point-major: noise that averages out over the seeds is added."""
    count = len(next(iter(quantities.values())))
    rows = np.arange(count * seeds)
    point, seed = rows // seeds, rows % seeds
    apart = noise * (seed - (seeds - 1) / 2)
    columns = {axis: np.asarray(values, object)[point] for axis, values in axes.items()}
    results = {name: values[point] + apart for name, values in quantities.items()}
    fixed = {"row": rows, "point": point, **columns, "seed": seed, "status": "done", "error": None}
    return pd.DataFrame(fixed | results)


def cross_samples(model: Callable[[Values], Values], axes: int, samples: int) -> pd.DataFrame:
    problem = {
        "num_vars": axes,
        "names": [f"x{at}" for at in range(axes)],
        "bounds": [[0.0, 1.0]] * axes,
    }
    unit = saltelli.sample(problem, samples, calc_second_order=False, scramble=True, seed=SEED)
    values = {name: unit[:, at] for at, name in enumerate(problem["names"])}
    return runs_of(values, {"y": model(unit)}, seeds=3, noise=0.5)


def ishigami(unit: Values) -> Values:
    x = np.pi * (2 * unit - 1)
    return np.asarray(
        np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    )


A = np.array([0.0, 1.0, 4.5, 9.0])


def g_function(unit: Values) -> Values:
    return np.asarray(np.prod((np.abs(4 * unit - 2) + A) / (1 + A), axis=1))


def ishigami_indices() -> tuple[Values, Values]:
    """Return the closed forms (Ishigami and Homma 1990), a = 7, b = 0.1."""
    a, b, pi4 = 7.0, 0.1, np.pi**4
    first = np.array([0.5 * (1 + b * pi4 / 5) ** 2, a**2 / 8, 0.0])
    both = 8 * b**2 * pi4**2 / 225
    variance = first.sum() + both
    return first / variance, (first + np.array([both, 0.0, both])) / variance


def g_indices() -> tuple[Values, Values]:
    """Return the closed forms (Saltelli and Sobol 1995)."""
    own = 1 / (3 * (1 + A) ** 2)
    variance = np.prod(1 + own) - 1
    total = [own[at] * np.prod(1 + np.delete(own, at)) for at in range(len(A))]
    return own / variance, np.array(total) / variance


@pytest.mark.parametrize(
    ("model", "expected"), [(ishigami, ishigami_indices()), (g_function, g_indices())]
)
def test_indices_of_functions_with_closed_forms_lie_within_their_intervals(
    model: Callable[[Values], Values], expected: tuple[Values, Values]
) -> None:
    first, total = expected
    axes = [f"x{at}" for at in range(len(first))]
    found = sobol_indices(cross_samples(model, len(axes), 512), axes, quantities=["y"])
    assert found.samples == 512
    assert list(found.table["axis"]) == axes
    assert (found.table["first_interval"] < 0.25).all()
    assert ((found.table["first"] - first).abs() <= found.table["first_interval"]).all()
    assert ((found.table["total"] - total).abs() <= found.table["total_interval"]).all()
    assert list(found.of("y")["axis"]) == [axes[at] for at in np.argsort(-total)]


@pytest.mark.parametrize("seed", [0, 3])
def test_intervals_depend_on_the_seed_alone_and_nothing_is_said(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = cross_samples(g_function, 4, 32)
    axes = [f"x{at}" for at in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (sobol_indices(runs, axes, quantities=["y"], seed=seed) for _ in "ab")
    pd.testing.assert_frame_equal(first.table, second.table)
    assert capsys.readouterr() == ("", "")


def test_what_is_constant_or_absent_has_no_indices_and_says_why() -> None:
    runs = cross_samples(g_function, 4, 8)
    runs["constant"] = 12.0
    runs["sometimes"] = runs["y"].where(runs["point"] != 5)
    axes = [f"x{at}" for at in range(4)]
    found = sobol_indices(runs, axes, quantities=["constant", "y", "sometimes"])
    assert found.absent == {
        "constant": "the same at every point (12)",
        "sometimes": "absent at 1 of 48 points",
    }
    assert set(found.table["quantity"]) == {"y"}
    with pytest.raises(InputError, match=r"constant  has no indices: the same at every point"):
        found.of("constant")
    with pytest.raises(InputError, match=r'"z" is no quantity here'):
        found.of("z")


def test_failed_points_and_other_designs_are_refused() -> None:
    runs = cross_samples(g_function, 4, 8)
    axes = [f"x{at}" for at in range(4)]
    broken = runs.copy()
    broken.loc[broken["row"].isin([3, 4, 30]), "status"] = "failed"
    with pytest.raises(InputError, match=r"2 of 48 points failed, so the cross samples are incom"):
        sobol_indices(broken, axes, quantities=["y"])
    with pytest.raises(InputError, match=r"47 points are not those of a saltelli design"):
        sobol_indices(runs[runs["point"] < 47], axes, quantities=["y"])
    with pytest.raises(InputError, match=r'"yy" is no quantity here; did you mean y'):
        sobol_indices(runs, axes, quantities=["yy"])


def test_without_salib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze.sobol", None)
    runs = cross_samples(g_function, 4, 8)
    with pytest.raises(InputError, match=r"pip install 'fleetsim\[sweep\]'"):
        sobol_indices(runs, [f"x{at}" for at in range(4)], quantities=["y"])


def linear() -> pd.DataFrame:
    """Return 10 + 2 a - 5 b + c around a = 3, b = 1, c = 0; c has units, and half an effect."""
    a = [3, 1, 6, 3, 3, 3, 3]
    b = [1, 1, 1, 0, 2, 1, 1]
    c = [0, 0, 0, 0, 0, 0, 0.5]
    y = 10 + 2 * np.array(a) - 5 * np.array(b) + np.array(c)
    units = ["0 min", "0 min", "0 min", "0 min", "0 min", "0 min", "30 s"]
    return runs_of({"a": a, "b": b, "c": units}, {"y": y}, seeds=4, noise=0.1)


def test_the_tornado_of_a_linear_model_is_its_coefficients() -> None:
    table = tornado(linear(), ["a", "b", "c"], "y")
    assert list(table["axis"]) == ["a", "b", "c"]
    assert list(table["low"]) == [1, 0, "0 min"]
    assert list(table["high"]) == [6, 2, "30 s"]
    np.testing.assert_allclose(table["at_base"], 11.0)
    np.testing.assert_allclose(table["at_low"] - table["at_base"], [-4, 5, 0], atol=1e-12)
    np.testing.assert_allclose(table["at_high"] - table["at_base"], [6, -5, 0.5], atol=1e-12)
    np.testing.assert_allclose(table["swing"], [10, 10, 0.5], atol=1e-12)


def test_a_tornado_leaves_out_failed_ends_and_needs_its_base() -> None:
    runs = linear()
    broken = runs.assign(status=np.where(runs["point"] == 3, "failed", "done"))
    table = tornado(broken, ["a", "b", "c"], "y").set_index("axis")
    assert np.isnan(table.at["b", "at_low"])
    assert np.isnan(table.at["b", "swing"])
    assert table.at["a", "swing"] == pytest.approx(10)
    broken = runs.assign(status=np.where(runs["point"] == 0, "failed", "done"))
    with pytest.raises(InputError, match=r"y  is absent at the base point"):
        tornado(broken, ["a", "b", "c"], "y")
    with pytest.raises(InputError, match=r"7 points are not those of a one-at-a-time design"):
        tornado(runs, ["a", "b"], "y")


def test_point_means_average_over_the_seeds_and_are_absent_where_one_is() -> None:
    runs = runs_of({"a": [1, 2, 3]}, {"y": np.array([5.0, 7.0, 9.0])}, seeds=3, noise=1.0)
    runs.loc[0, "status"] = "failed"
    runs.loc[4, "y"] = np.nan
    points = point_means(runs, ["a"])
    assert list(points.columns) == ["point", "a", "status", "y"]
    assert list(points["status"]) == ["failed", "done", "done"]
    np.testing.assert_allclose(points["y"], [np.nan, np.nan, 9.0])


def test_percentiles_are_those_of_the_points() -> None:
    runs = runs_of({"a": range(11)}, {"y": np.arange(11.0)}, seeds=2, noise=1.0)
    runs.loc[21, "status"] = "failed"
    table = percentiles(point_means(runs, ["a"]), ["y"])
    assert list(table.columns) == ["p5", "p25", "p50", "p75", "p95", "n"]
    np.testing.assert_allclose(table.loc["y"], [0.45, 2.25, 4.5, 6.75, 8.55, 10])


def test_rank_correlations_are_spearmans() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(SEED)
    u = rng.random((40, 2))
    y = np.exp(3 * u[:, 0]) + 2 * u[:, 1]
    minutes = [f"{value} min" for value in u[:, 0]]
    runs = runs_of({"a": minutes, "b": u[:, 1]}, {"y": y, "flat": np.ones(40)})
    points = point_means(runs, ["a", "b"])
    table = rank_correlations(points, ["a", "b"], ["y", "flat"])
    for at, axis in enumerate("ab"):
        expected = spearmanr(u[:, at], y).statistic
        assert table.at[axis, "y"] == pytest.approx(expected)
    assert table["flat"].isna().all()
    drawn = rank_correlations(points, ["a", "b"], ["y"], unit=u)
    np.testing.assert_allclose(drawn["y"], table["y"])


def test_units_of_an_axis_may_differ_and_words_have_no_rank() -> None:
    runs = runs_of(
        {"a": ["30 s", "1 min", "1 h"], "b": ["x", "y", "z"]}, {"y": np.array([1.0, 2.0, 3.0])}
    )
    table = rank_correlations(point_means(runs, ["a", "b"]), ["a", "b"], ["y"])
    assert table.at["a", "y"] == pytest.approx(1.0)
    assert np.isnan(table.at["b", "y"])


def test_indices_of_few_samples_are_called_vague() -> None:
    few = sobol_indices(cross_samples(ishigami, 3, 8), ["x0", "x1", "x2"], quantities=["y"])
    largest = few.of("y").iloc[0]
    assert largest["total_interval"] > VAGUE * largest["total"]
    assert few.vague().to_dict("records") == [dict(largest)]
    many = sobol_indices(cross_samples(ishigami, 3, 1024), ["x0", "x1", "x2"], quantities=["y"])
    assert many.vague().empty
    assert len(few.vague()) == 1


def test_an_interval_that_cannot_be_told_is_vague() -> None:
    row = {"quantity": "y", "axis": "x0", "first": 0.1, "first_interval": 0.1}
    table = pd.DataFrame([row | {"total": np.nan, "total_interval": np.nan}])
    assert list(SobolIndices(table, {}, 1, 0.95).vague()["axis"]) == ["x0"]
