"""Axes: values and spreads as a table says them, and what is refused of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.plans.axes import Axis, axes_of, spelled
from simulator.plans.plan import plan_of
from simulator.units import parse_quantity
from simulator.workload import laws
from tests.unit.sweep_bases import IDLE_POWER, PUE, A, B, base, plan, problems, said

DRAWN = {"design": "latin-hypercube", "samples": 64}


def test_paths_are_dotted_or_nested_and_keep_the_order_of_the_table() -> None:
    table = {
        A: [1, 2],
        "clusters": {"b": {"count": (3, 4)}},
        "sites.s": {"pue": [1.2]},
        "workloads": {"w": {"duration": {"p50": ["1 h"], "p99": ["2 h"]}}},
    }
    axes = axes_of(table, base().reading, issues := [])
    assert not issues
    assert [(axis.path, axis.values) for axis in axes] == [
        (A, (1, 2)),
        (B, (3, 4)),
        ("sites.s.pue", (1.2,)),
        ("workloads.w.duration.p50", ("1 h",)),
        ("workloads.w.duration.p99", ("2 h",)),
    ]


def test_names_that_need_quotes_are_paths_too() -> None:
    renamed = base(sites={"s 1.a": base().document["sites"]["s"]}, clusters={
        "a": {"site": "s 1.a", "node": "n", "count": 1}}, workloads={})  # fmt: skip
    quoted = plan_of(renamed, {'sites."s 1.a".pue': [1.2, 1.3]})
    nested = plan_of(renamed, {"sites": {"s 1.a": {"pue": [1.2, 1.3]}}})
    assert said(quoted) == said(nested)
    assert quoted.scenario(1).sites["s 1.a"].pue == 1.3


@pytest.mark.parametrize(
    ("values", "index", "text"),
    [
        ([1, 1.0], 1, "1.0 is the same as 1, entry 0; take one of the two out"),
        ([1, 2, 1], 2, "1 is entry 0 again; take one of the two out"),
        (["60 s", "2 min", "1 min"], 2, '"1 min" is the same as "60 s", entry 0'),
        (["1 kW", "1000 W"], 1, '"1000 W" is the same as "1 kW", entry 0'),
        ([{"a": 1, "b": "1 h"}, {"b": "60 min", "a": 1.0}], 1, "is the same as"),
        ([1, None], 1, "None is nothing that a file can say"),
    ],
)
def test_a_value_stands_in_a_list_once(values: list[Any], index: int, text: str) -> None:
    assert text in problems({A: values})[f"sweep.{A}[{index}]"]


def test_what_only_looks_alike_is_not_the_same() -> None:
    assert spelled(True) != spelled(1)
    assert spelled("1") != spelled(1)
    assert spelled("1 g") != spelled("1 kg")
    assert spelled(2**60) != spelled(2**60 + 1)
    assert spelled([1, 2]) != spelled([2, 1])


@pytest.mark.parametrize(
    ("table", "path", "text"),
    [
        ({A: []}, A, "no values; write those to try"),
        ({A: {}}, A, "{} is neither values nor a spread"),
        ({A: 96}, A, "96 is neither values nor a spread; write a list: [96, ...]"),
        ({"horizon": "2 d"}, "horizon", '{ low = "2 d", high = "4 d" }'),
        ({"sample": 4}, "sample", "unknown key; did you mean 'samples'?"),
        ({"seed": [1, 2]}, "seed", "seeds are no axis; every point meets the same ones"),
        ({A: [1], "clusters": {"a": {"count": [2]}}}, A, "an axis already, as clusters.a.count"),
        (
            {"nodes.n": [{}], IDLE_POWER: ["1 kW"]},
            IDLE_POWER,
            "nodes.n.idle_power lies within nodes.n, and both are axes; vary one of the two",
        ),
        ({"clusters.a.cout": [1, 2]}, "clusters.a.cout", "unknown key; did you mean 'count'?"),
        ({"clusters.c.count": [1]}, "clusters.c.count", "no such entry of [clusters]; known are a"),
        ({"a b": [1]}, '"a b"', '"a b" is not a path; write keys with dots between them'),
        ({"seeds": 3}, None, "varies nothing; write an axis"),
    ],
)
def test_an_axis_is_refused(table: dict[str, Any], path: str | None, text: str) -> None:
    assert text in problems(table)["sweep" if path is None else f"sweep.{path}"]


def test_every_refused_value_is_named_by_its_place() -> None:
    found = problems({A: [1, 0, 3, -2], PUE: [0.5, 1.2], IDLE_POWER: [1400, 1500]})
    assert found[f"sweep.{A}[1]"].startswith("0 is out of range")
    assert found[f"sweep.{A}[3]"].startswith("-2 is out of range")
    assert found[f"sweep.{PUE}[0]"].startswith("0.5 is too small")
    assert found[f"sweep.{IDLE_POWER}[0]"].startswith("1400 is not a power; write it with a unit")
    assert len(found) == 5


def test_problems_elsewhere_in_the_scenario_say_where() -> None:
    found = problems({"horizon": ["1 d", "1001 y"], "clusters.a.node": ["n", "m"]})
    assert found["sweep.clusters.a.node[1]"].startswith('no node type is called "m"')
    assert "too long" in found["sweep.horizon[1]"]
    found = problems({"nodes.n.accelerators": [8, 1024], A: [1, 2**16]})
    assert list(found) == ["sweep"]
    assert found["sweep"].startswith(
        "point 3 (nodes.n.accelerators = 1024, clusters.a.count = 65536): clusters: "
    )


def test_values_that_fit_only_together_are_taken() -> None:
    table = {IDLE_POWER: ["1 kW", "6 kW"], "nodes.n.busy_power": ["5 kW", "8 kW"]}
    assert len(plan(table | {"design": "zip"})) == 2
    (text,) = problems(table).values()
    assert text.startswith('point 2 (nodes.n.idle_power = "6 kW", nodes.n.busy_power = "5 kW"): ')


def test_axes_that_displace_one_another_are_refused() -> None:
    found = problems({"workloads.w.duration": ["1 h", "2 h"], "workloads.w.gpu_days": [1.0, 2.0]})
    assert "has no effect beside the other axes" in found["sweep.workloads.w.duration"]


def test_a_range_draws_in_the_unit_of_its_low_end() -> None:
    points = said(plan({IDLE_POWER: {"low": "900 W", "high": "2 kW"}, **DRAWN}))
    drawn = [point[IDLE_POWER] for point in points]
    assert all(text.endswith(" W") for text in drawn)
    watts = np.array([parse_quantity(text, "power") for text in drawn])
    assert 900 <= watts.min() < 920
    assert 1980 < watts.max() <= 2000
    # One point in each 64th of the range.
    assert sorted(((watts - 900) / 1100 * 64).astype(int).tolist()) == list(range(64))


def test_whole_numbers_are_drawn_where_the_key_takes_only_those() -> None:
    table = {A: {"low": 3, "high": 6}, PUE: {"low": 1, "high": 2}, **DRAWN}
    points = said(plan(table))
    assert all(type(point[A]) is int for point in points)
    counts = [[point[A] for point in points].count(value) for value in (3, 4, 5, 6)]
    assert counts == [16, 16, 16, 16]
    assert len({point[PUE] for point in points}) == 64


def test_a_range_is_drawn_evenly_in_the_logarithm() -> None:
    table = {IDLE_POWER: {"low": "10 W", "high": "1000 W", "log": True}, **DRAWN}
    watts = [parse_quantity(point[IDLE_POWER], "power") for point in said(plan(table))]
    assert sum(value < 100 for value in watts) == 32
    whole = said(plan({A: {"low": 1, "high": 7, "log": True}, **DRAWN}))
    # From 1 to 8 in the logarithm, each of three octaves has a third.
    assert [sum(p[A] in octave for p in whole) for octave in ((1,), (2, 3))] == [21, 22]


@pytest.mark.parametrize(
    "law",
    [
        {"p50": "2 y", "p99": "6 y"},
        {"dist": "weibull", "shape": 2.0, "scale": "4 y"},
        {"dist": "exponential", "mean": "3 y"},
        {"dist": "lognormal", "mean": "1461 d", "sd": "1 y"},
        {"mixture": [{"weight": 0.5, "p50": "2 y", "p99": "3 y"},
                     {"weight": 0.5, "dist": "uniform", "low": "1 y", "high": "730.5 d"}]},
    ],
)  # fmt: skip
def test_laws_draw_by_their_inverse_in_the_unit_they_are_written_in(law: dict[str, Any]) -> None:
    made = plan({"nodes.n.lifetime": law, **DRAWN})
    (axis,) = made.axes
    unit = "d" if law.get("dist") == "lognormal" else "y"
    assert axis.spread is not None
    assert axis.spread.unit == unit
    assert made.points.unit is not None
    expected = laws.quantile(axis.spread.law, made.points.unit[:, 0])  # type: ignore[attr-defined]
    drawn = [point["nodes.n.lifetime"] for point in said(made)]
    assert [float(text.removesuffix(f" {unit}")) for text in drawn] == expected.tolist()


def test_laws_of_plain_numbers_and_of_files(tmp_path: Path) -> None:
    (tmp_path / "powers.csv").write_text("kw\n1.0\n1.5\n2.0\n", encoding="utf-8")
    law = {"file": "powers.csv", "column": "kw", "unit": "kW"}
    table = {IDLE_POWER: law, "workloads.w.utilisation": {"dist": "beta", "mean": 0.4, "sd": 0.1}}
    points = said(plan({**table, **DRAWN}, tmp_path))
    assert {point[IDLE_POWER] for point in points} == {"1 kW", "1.5 kW", "2 kW"}
    shares = [point["workloads.w.utilisation"] for point in points]
    assert abs(np.mean(shares) - 0.4) < 0.005
    counts = said(plan({A: {"p50": 40, "p99": 80}, **DRAWN}))
    assert all(type(point[A]) is int for point in counts)


@pytest.mark.parametrize(
    ("spread", "key", "text"),
    [
        ({"low": 5, "high": 5}, "", "low (5) must be below high (5)"),
        ({"low": "1 kW", "high": "900 W"}, "", 'low ("1 kW") must be below high ("900 W")'),
        ({"low": 0, "high": 5, "log": True}, ".low", "0 has no logarithm"),
        ({"low": 1, "high": 5, "log": "yes"}, ".log", '"yes" is neither true nor false'),
        ({"low": 1}, ".high", "missing; write both ends"),
        ({"low": 1, "hihg": 2}, ".hihg", "unknown key; did you mean 'high'?"),
        ({"low": "1 kW", "high": "2 h"}, "", "are a power, a time; write quantities of one"),
        ({"low": "1 kW", "high": 2}, "", "2 has no unit, others have"),
        ({"low": "much", "high": "more"}, ".low", '"much" is no quantity'),
        ({"low": True, "high": 2}, ".low", "true is not a number"),
        ({"low": 1, "high": float("inf")}, ".high", "inf is not finite"),
        ({"p50": "2 kW", "p99": "1 kW"}, "", "p99 (1) must be at least p50 (2)"),
        ({"p50": 2, "p99": 2}, "", "always draws 2"),
        ({"dist": "weibul", "shape": 2}, ".dist", 'did you mean "weibull"?'),
        ({"dist": "exponential", "mean": 2, "sd": 1}, ".sd", "unknown key"),
        ({"dist": "beta", "mean": "0.4 kW", "sd": "0.1 kW"}, "", "has no unit"),
        ({"file": "none.csv", "column": "x"}, ".file", '"none.csv" does not exist'),
    ],
)
def test_a_spread_is_refused(spread: dict[str, Any], key: str, text: str) -> None:
    assert text in problems({A: spread, **DRAWN})[f"sweep.{A}{key}"]


def test_a_spread_needs_a_number_and_a_design_that_draws() -> None:
    found = problems({"clusters.a.idle": {"low": 1, "high": 2}, **DRAWN})
    assert "a spread draws numbers, and this key is" in found["sweep.clusters.a.idle"]
    found = problems({A: {"low": 1, "high": 2}})
    assert 'or design = "latin-hypercube"' in found[f"sweep.{A}"]
    found = problems({PUE: {"low": 0.5, "high": 1.5}, **DRAWN})
    assert found[f"sweep.{PUE}"].startswith("32 values that it draws are refused, the first: 0.")


def test_the_ends_of_an_axis() -> None:
    assert Axis(A, (3, 9, 5)).ends == (3, 5)
    table = {A: {"low": 3, "high": 6}, IDLE_POWER: {"p50": "1 kW", "p99": "3 kW"}}
    count, power = plan({**table, **DRAWN}).axes
    assert count.ends == (3, 6)
    low, high = (parse_quantity(end, "power") for end in power.ends)
    assert low * high == pytest.approx(1e6)  # p5 and p95 lie alike around the median
