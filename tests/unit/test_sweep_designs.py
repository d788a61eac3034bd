"""Designs: which values are tried together, in which order, by which numbers."""

import pickle
import sys
import time

import numpy as np
import pytest

from simulator.plans.designs import Points
from simulator.plans.keep import KeepAll, KeepEvery, KeepFailed, KeepRanked, rule_of
from tests.unit.sweep_bases import IDLE_POWER, PUE, A, B, base, plan, problems, said


def test_a_grid_is_every_combination_the_last_axis_fastest() -> None:
    points = said(plan({A: [1, 2], B: [3, 4, 5]}))
    assert points == [{A: a, B: b} for a in (1, 2) for b in (3, 4, 5)]


def test_a_grid_of_a_million_points_costs_neither_time_nor_memory() -> None:
    axes = [range(1000), range(1000)]
    points = Points.grid(["x", "y"], axes)
    assert len(points) == 1_000_000
    assert points.at(123_456) == {"x": 123, "y": 456}
    assert points.values("y", 999, 1001) == [999, 0]
    assert len(pickle.dumps(points)) < 10_000
    with pytest.raises(IndexError):
        points.at(1_000_000)


def test_zip_takes_values_in_step() -> None:
    assert said(plan({A: [1, 2], B: [3, 4], "design": "zip"})) == [{A: 1, B: 3}, {A: 2, B: 4}]
    found = problems({A: [1, 2], B: [3, 4, 5], "design": "zip"})
    assert "clusters.a.count 2, clusters.b.count 3" in found["sweep.design"]


@pytest.mark.parametrize("design", ["latin-hypercube", "sobol"])
def test_samples_are_even_and_the_same_whenever_drawn(design: str) -> None:
    table = {A: [1, 2, 3, 4], PUE: {"low": 1.0, "high": 2.0}, "design": design, "samples": 32}
    first, again = plan(table), plan(table)
    assert said(first) == said(again)
    assert [point[A] for point in said(first)].count(3) == 8
    unit = first.points.unit
    assert unit is not None
    assert unit.shape == (32, 2)
    assert sorted((unit[:, 1] * 32).astype(int).tolist()) == list(range(32))
    other = plan({**table, "sample_seed": 8})
    assert said(other) != said(first)
    assert said(plan({**table, "sample_seed": 7})) == said(first)  # the base's own seed


def test_an_odd_number_of_sobol_samples_is_warned_of() -> None:
    made = plan({PUE: {"low": 1.0, "high": 2.0}, "design": "sobol", "samples": 20})
    assert len(made) == 20
    (warning,) = made.warnings
    assert "20 is not a power of two; 16 or 32 points" in warning


def test_saltelli_is_the_cross_sampling_of_sobol_indices() -> None:
    table = {PUE: {"low": 1.0, "high": 2.0}, A: [1, 2], "design": "saltelli", "samples": 8}
    points = plan(table).points
    assert len(points) == 8 * (2 + 2)
    assert points.base_samples == 8
    unit = points.unit
    assert unit is not None
    for sample in unit.reshape(8, 4, 2):
        first, *crossed, second = sample
        # A, then A with one axis of B each, then B.
        assert np.array_equal(crossed[0], [second[0], first[1]])
        assert np.array_equal(crossed[1], [first[0], second[1]])
    assert "write 64 or 128" in problems({**table, "samples": 100})["sweep.samples"]


def test_one_at_a_time_is_the_base_and_then_each_axis_low_and_high() -> None:
    table = {
        A: [1, 2, 9],
        IDLE_POWER: {"low": "1 kW", "high": "2 kW"},
        "workloads.w.max_jobs": [5, 10],
        "design": "one-at-a-time",
    }
    rest = {A: 4, IDLE_POWER: "1.4 kW"}
    jobs = "workloads.w.max_jobs"
    assert said(plan(table)) == [
        rest,  # the base sets no limit, and neither do points that leave it alone
        {**rest, A: 1},
        {**rest, A: 9},
        {**rest, IDLE_POWER: "1 kW"},
        {**rest, IDLE_POWER: "2 kW"},
        {**rest, jobs: 5},
        {**rest, jobs: 10},
    ]
    assert plan(table).points.values(jobs) == [None] * 5 + [5, 10]
    assert plan(table).scenario(0).canonical() == base().canonical()
    found = problems({A: [3], "design": "one-at-a-time"})
    assert "one value has no low and high end" in found[f"sweep.{A}"]


def test_points_may_be_listed() -> None:
    points = Points.listed([{A: 1, B: 2}, {A: 3, B: 2}])
    assert list(points) == [{A: 1, B: 2}, {A: 3, B: 2}]
    assert points.paths == (A, B)
    assert list(Points.listed([{}, {}])) == [{}, {}]
    assert len(Points.listed([])) == 0
    with pytest.raises(ValueError, match=r"point 1 names \['clusters.b.count'\]"):
        Points.listed([{A: 1}, {B: 1}])


def test_points_can_be_left_out_again_and_again() -> None:
    points = Points.grid(["x", "y"], [(1, 2, 3), (10, 20)])
    fewer = points.keeping(np.array([0, 3, 4, 5])).keeping(np.array([1, 3]))
    assert list(fewer) == [{"x": 2, "y": 20}, {"x": 3, "y": 20}]
    assert fewer.values("x") == [2, 3]


@pytest.mark.parametrize(
    ("table", "key", "text"),
    [
        ({"design": "gird"}, "design", '"gird" is not known here; did you mean "grid"?'),
        ({"design": 3}, "design", "3 is not known here; known are grid, zip"),
        ({"design": "sobol"}, "samples", 'missing; design "sobol" needs a number'),
        ({"design": "sobol", "samples": 0}, "samples", "0 is out of range"),
        ({"design": "sobol", "samples": 2.5}, "samples", "2.5 is not a whole number"),
        ({"samples": 8}, "samples", 'of no use with design "grid"'),
        ({"sample_seed": 8}, "sample_seed", 'of no use with design "grid"'),
        ({"seeds": 0}, "seeds", "0 is not a number of seeds; write how many"),
        ({"seeds": -2}, "seeds", "-2 is not a number of seeds"),
        ({"seeds": 1.5}, "seeds", "1.5 is not a number of seeds"),
        ({"seeds": True}, "seeds", "true is not a number of seeds"),
        ({"seeds": "5"}, "seeds", '"5" is not a number of seeds'),
        ({"seeds": []}, "seeds", "no seeds"),
        ({"seeds": [1, 2, 1]}, "seeds[2]", "1 is entry 0 again"),
        ({"seeds": [1, -1]}, "seeds[1]", "-1 is out of range"),
        ({"seeds": 2**63}, "seeds", "seeds from 7 on end beyond"),
        ({"keep": 3}, "keep", "3 is not a list of rules"),
        ({"keep": ["all", "some"]}, "keep[1]", '"some" is no rule'),
        ({"keep": "every 0"}, "keep", '"0" is not a count'),
        ({"keep": ["best 3 of total_kgco2"]}, "keep[0]", "did you mean 'total_kgco2e'?"),
        ({"keep": ["best 3 of name"]}, "keep[0]", '"name" is no number of the summary'),
    ],
)
def test_a_setting_is_refused(table: dict[str, object], key: str, text: str) -> None:
    assert text in problems({A: [1, 2], **table})[f"sweep.{key}"]


def test_keep_rules_are_read() -> None:
    assert rule_of("all") == KeepAll()
    assert rule_of(" failed ") == KeepFailed()
    assert rule_of("every  10") == KeepEvery(10)
    best = rule_of("best 5 of total_kgco2e")
    assert best == KeepRanked(5, "total_kgco2e", is_best=True)
    assert isinstance(best, KeepRanked)
    assert not best.descending
    assert rule_of("worst 2 of allocation") == KeepRanked(2, "allocation", is_best=False)
    assert KeepRanked(2, "allocation", is_best=True).descending
    made = plan({A: [1, 2], "keep": ["every  10", "failed"]})
    assert made.keep == ("every 10", "failed")
    assert made.rules == (KeepEvery(10), KeepFailed())


def test_seeds_are_the_base_and_those_after_or_a_list() -> None:
    assert plan({A: [1, 2]}).seeds == (7,)
    assert plan({A: [1, 2], "seeds": 3}).seeds == (7, 8, 9)
    assert plan({A: [1, 2], "seeds": [5, 1]}).seeds == (5, 1)


def test_a_hundred_thousand_points_are_planned_and_hashed_at_once() -> None:
    table = {A: list(range(1, 101)), B: list(range(1, 101)), PUE: [1 + k / 10 for k in range(10)]}
    begun_s = time.perf_counter()
    made = plan({**table, "constraints": [f"{A} != 1 or {B} != 1"]})
    digest = made.digest
    assert time.perf_counter() - begun_s < 2.0
    assert len(made) == 100_000 - 10
    assert len(digest) == 64


def test_a_missing_package_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats.qmc", None)
    found = problems({A: [1, 2], "design": "sobol", "samples": 4})
    assert found["sweep.design"].endswith("is not installed: pip install 'fleetsim[sweep]'")
