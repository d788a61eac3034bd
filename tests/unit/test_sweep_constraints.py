"""Constraints between axes: what may be said, what it means, and that nothing else gets through."""

import pytest

from simulator.plans.plan import plan_of
from tests.unit.sweep_bases import IDLE_POWER, A, B, base, plan, problems, said

COUNTS = {A: [1, 2, 3], B: [1, 2, 3]}


def left(*constraints: str) -> list[tuple[int, int]]:
    return [(p[A], p[B]) for p in said(plan({**COUNTS, "constraints": list(constraints)}))]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (f"{A} + {B} <= 3", lambda a, b: a + b <= 3),
        (f"{A}-{B} == 0", lambda a, b: a == b),
        (f"1 < {A} <= {B}", lambda a, b: 1 < a <= b),
        (f"not ({A} > 1 and {B} > 1) or {A} / {B} >= 1.5",
         lambda a, b: not (a > 1 and b > 1) or a / b >= 1.5),
        (f"-{A} * 2 + +{B} != -1", lambda a, b: -a * 2 + b != -1),
        (f"({A}*{A}+{B})*2 > 9", lambda a, b: (a * a + b) * 2 > 9),
    ],
)  # fmt: skip
def test_points_that_break_a_constraint_are_left_out(text: str, meaning: object) -> None:
    assert callable(meaning)
    expected = [(a, b) for a in (1, 2, 3) for b in (1, 2, 3) if meaning(a, b)]
    assert left(text) == expected


def test_several_must_hold_together_and_one_may_stand_alone() -> None:
    assert left(f"{A} >= 2", f"{B} < {A}") == [(2, 1), (3, 1), (3, 2)]
    assert len(plan({**COUNTS, "constraints": f"{A} == {B}"}).points) == 3


def test_quantities_compare_whatever_their_units() -> None:
    table = {
        IDLE_POWER: ["900 W", "1 kW", "1.2 kW"],
        "nodes.n.busy_power": ["4 kW", "5000 W"],
        "horizon": ["1 d", "36 h"],
    }
    made = plan({**table, "constraints": [
        f"{IDLE_POWER} * 4 <= nodes.n.busy_power",
        "horizon > '1500 min'",
        f'{IDLE_POWER} / "1 kW" < 1.1',
    ]})  # fmt: skip
    assert [(p[IDLE_POWER], p["nodes.n.busy_power"]) for p in said(made)] == [
        ("900 W", "4 kW"),
        ("900 W", "5000 W"),
        ("1 kW", "4 kW"),
        ("1 kW", "5000 W"),
    ]
    assert {p["horizon"] for p in said(made)} == {"36 h"}


def test_texts_and_truths_compare_by_sameness() -> None:
    table = {"clusters.a.idle": ["always-on", "ladder"], A: [1, 2], "drain": [True, False]}
    either = "clusters.a.idle == 'ladder' or clusters.a.count > 1"
    made = plan({**table, "constraints": [either, "drain == false and not drain"]})
    assert [(p["clusters.a.idle"], p[A]) for p in said(made)] == [
        ("always-on", 2), ("ladder", 1), ("ladder", 2)]  # fmt: skip


def test_drawn_points_are_left_out_too_with_their_uniform_numbers() -> None:
    table = {
        IDLE_POWER: {"low": "1 kW", "high": "2 kW"},
        A: {"low": 1, "high": 8},
        "design": "latin-hypercube",
        "samples": 64,
    }
    points = plan({**table, "constraints": [f"{IDLE_POWER} < '1500 W'", f"{A} > 4"]}).points
    assert 8 <= len(points) <= 24
    assert points.unit is not None
    assert points.unit.shape == (len(points), 2)
    assert (points.unit[:, 0] < 0.5).all()
    assert all(point[A] > 4 for point in points)


def test_paths_with_hyphens_quotes_and_indices_are_understood() -> None:
    clusters = {"a": {"site": "s", "node": "n-1", "count": 2}}
    node = base().document["nodes"]["n"]
    states = [{"name": "sleep", "after": "10 min", "power": "100 W", "wake_time": "1 min"}]
    odd = base(nodes={"n-1": node | {"idle_states": states}}, clusters=clusters, workloads={})
    power, after = 'nodes."n-1".idle_power', "nodes.n-1.idle_states[0].after"
    table = {power: ["1 kW", "2 kW"], after: ["5 min", "20 min"]}
    made = plan_of(odd, {**table, "constraints": [
        f"nodes.n-1.idle_power < '1.5 kW' or {after} / '1 min'-1 > 10"]})  # fmt: skip
    assert [tuple(point.values()) for point in made.points] == [
        ("1 kW", "5 min"), ("1 kW", "20 min"), ("2 kW", "20 min")]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{A} <", "is no expression; write axes, numbers"),
        ("", "is no expression"),
        ("(" * 500 + A, "is no expression"),
        (f"{A} < 1" + " " * 1000, "characters are too many"),
        ("1 < 2", '"1 < 2" names no axis; the axes are clusters.a.count, clusters.b.count'),
        ("cluster.a.count < 3", "is no axis of this sweep; did you mean clusters.a.count?"),
        ("x < 3", '"x" is no axis of this sweep; name one that is'),
        (f"{A}.bit_length() < 3", "can't stand in a constraint"),
        (f"{A} ** 9 < 3", '"clusters.a.count ** 9" can\'t stand in a constraint'),
        (f"__import__('os').system('x') < {A}", "can't stand in a constraint"),
        (f"[{A}] == [1]", "can't stand in a constraint"),
        (f"{A} if 1 else 2", "can't stand in a constraint"),
        (f"{A} in (1, 2)", "can't stand in a constraint"),
        (f"{A} == None", '"None" can\'t stand in a constraint'),
        (f"(lambda: {A})() < 1", "can't stand in a constraint"),
        (A, "is a number, neither true nor false; compare it"),
        (f"{A} and {B} < 2", "and, or, not join comparisons, not a number"),
        (f"{A} < '3 kW'", "a number and a power can't be compared"),
        (f"{A} < 'many'", "a number and a text can't be compared"),
        (f"{A} + '3 kW' < '4 kW'", "a number and a power don't go together here"),
        (f"'1 h' * '3 kW' < {A}", "a time and a power don't go together here"),
        (f"'x' + 'y' == {A}", "a text can't be calculated with"),
        (f"{A} < 1 < 'x' < 'y'", "can't be compared"),
        (f"{A} / ({B} - 2) > 1", "divides by 0 at some point"),
        (f"{A} > 3", f'no point fulfils "{A} > 3"'),
        (3, '3 is not a text; write it in quotes: "a.count <= b.count"'),
    ],
)
def test_a_constraint_is_refused(text: object, message: str) -> None:
    assert message in problems({**COUNTS, "constraints": [text]})["sweep.constraints[0]"]


def test_constraints_that_leave_nothing_together_are_refused() -> None:
    found = problems({**COUNTS, "constraints": [f"{A} > 2", f"{A} < 2"]})
    assert "no point fulfils all of them together" in found["sweep.constraints"]


def test_axes_of_tables_can_not_be_compared() -> None:
    table = {"clusters.a.idle": ["always-on", {"policy": "ladder"}], A: [1, 2]}
    found = problems({**table, "constraints": ["clusters.a.idle == 'ladder'"]})
    assert "has values that can't be compared" in found["sweep.constraints[0]"]


@pytest.mark.parametrize("design", ["saltelli", "one-at-a-time"])
def test_designs_whose_points_belong_together_have_no_constraints(design: str) -> None:
    samples = {"samples": 8} if design == "saltelli" else {}
    found = problems({**COUNTS, **samples, "design": design, "constraints": [f"{A} < {B}"]})
    assert "whose points belong together" in found["sweep.constraints"]
