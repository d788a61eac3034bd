"""Plans: rows, the digest that names them, and the file that says them again."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.plans.designs import Points
from simulator.plans.plan import Plan, plan_of
from simulator.scenario import from_document, load, load_study
from tests.unit.sweep_bases import IDLE_POWER, PUE, A, B, base, plan, problems

TABLES: dict[str, dict[str, Any]] = {
    "grid": {A: [1, 2, 3], "clusters.b.idle": ["always-on", {"policy": "ladder"}], "seeds": 2},
    "constrained": {A: [1, 2, 3], B: [1, 2, 3], "constraints": [f"{A} <= {B}"]},
    "zip": {A: [1, 2], PUE: [1.1, 1.25], "design": "zip", "keep": ["all"], "seeds": [3, 9]},
    "hypercube": {
        IDLE_POWER: {"p50": "1 kW", "p99": "2 kW"},
        "sites": {"s": {"pue": {"low": 1.0, "high": 1.5}}},
        "design": "latin-hypercube",
        "samples": 9,
    },
    "sobol": {A: {"low": 1, "high": 9}, B: [1, 2], "design": "sobol", "samples": 8},
    "saltelli": {
        PUE: {"low": 1.0, "high": 1.5},
        A: [1, 2],
        "design": "saltelli",
        "samples": 4,
        "sample_seed": 3,
    },
    "one at a time": {A: [1, 9], IDLE_POWER: ["1 kW", "2 kW"], "design": "one-at-a-time"},
}


def test_rows_go_through_the_points_each_with_all_seeds() -> None:
    made = plan({A: [1, 2], B: [3, 4], "seeds": [11, 5]})
    assert len(made) == 8
    rows = [(made.point_of(row), made.seed_of(row)) for row in range(len(made))]
    assert rows == [(point, seed) for point in range(4) for seed in (11, 5)]
    assert made.changes(5) == {A: 2, B: 3, "seed": 5}
    scenario = made.scenario(5)
    assert (scenario.clusters["a"].count, scenario.clusters["b"].count) == (2, 3)
    assert scenario.seed == 5
    assert list(made.rows_of(slice(1, 3))) == [2, 3, 4, 5]
    assert list(made.rows_of(slice(3, None))) == [6, 7]
    assert not made.rows_of(slice(3, 1))
    with pytest.raises(ValueError, match="without a step"):
        made.rows_of(slice(0, 4, 2))


@pytest.mark.parametrize("name", TABLES)
def test_a_plan_survives_its_file_and_a_pickle(name: str, tmp_path: Path) -> None:
    made = plan(TABLES[name])
    path = tmp_path / "elsewhere" / "plan.toml"
    path.parent.mkdir()
    path.write_text(made.to_toml(), encoding="utf-8")
    again = plan_of(*load_study(path))
    thawed = pickle.loads(pickle.dumps(made))
    for other in (again, thawed):
        assert other.digest == made.digest
        assert list(other.points) == list(made.points)
        assert (other.seeds, other.design, other.keep) == (made.seeds, made.design, made.keep)
        assert [other.scenario(row).canonical() for row in range(len(made))] == [
            made.scenario(row).canonical() for row in range(len(made))
        ]
    assert again.to_toml() == made.to_toml()


def test_listed_points_are_a_plan_too_and_written_as_zip(tmp_path: Path) -> None:
    points = Points.listed([{A: 1, PUE: 1.2}, {A: 1, PUE: 1.3}])
    made = Plan(base(), (), points, (7, 8))
    path = tmp_path / "plan.toml"
    path.write_text(made.to_toml().replace("[1, 1]", "[1, 2]"), encoding="utf-8")
    again = plan_of(*load_study(path))
    assert again.design == "zip"
    assert again.seeds == (7, 8)
    assert list(again.points) == [{A: 1, PUE: 1.2}, {A: 2, PUE: 1.3}]


@pytest.mark.parametrize(
    "other",
    [
        {A: [1, 2, 4], B: [1, 2]},
        {A: [1, 2, 3], B: [2, 1]},
        {B: [1, 2], A: [1, 2, 3]},
        {A: [1, 2, 3], B: [1, 2], "seeds": 2},
        {A: [1, 2, 3], B: [1, 2], "seeds": [8]},
        {A: [1, 2, 3], B: [1, 2], "constraints": [f"{A} + {B} < 5"]},
        {A: [1, 2, 3], "clusters.b.placement": ["pack", "spread"]},
    ],
)
def test_another_sweep_has_another_digest(other: dict[str, Any]) -> None:
    assert plan(other).digest != plan({A: [1, 2, 3], B: [1, 2]}).digest


def test_the_digest_follows_what_decides_and_nothing_else(tmp_path: Path) -> None:
    table = {A: [1, 2]}
    digest = plan(table).digest
    assert plan({**table, "seeds": [7], "keep": ["all"]}).digest == digest
    assert plan(table, tmp_path).digest == digest
    assert plan_of(base(horizon="48 h"), table).digest == digest
    assert plan_of(base(horizon="3 d"), table).digest != digest
    named = base().document
    named["nodes"]["spare"] = named["nodes"]["n"] | {"idle_power": "1 kW"}
    spare = {"clusters.a.node": ["n", "spare"]}
    first = plan_of(from_document(named), spare)
    named["nodes"]["spare"]["idle_power"] = "900 W"
    assert plan_of(from_document(named), spare).digest != first.digest


def test_files_count_by_their_content(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for name in ("a.csv", "b.csv"):
            text = f"job_id,submit_s,duration_s,gpus\n{name},0,60,1\n"
            (tmp_path / folder / name).write_text(text, encoding="utf-8")

    def of(folder: str) -> Plan:
        replayed = base(tmp_path / folder, workloads={
            "w": {"clusters": ["a"], "jobs": {"file": "a.csv"}}})  # fmt: skip
        return plan_of(replayed, {"workloads.w.jobs.file": ["a.csv", "b.csv"]})

    digest = of("one").digest
    assert of("two").digest == digest
    path = tmp_path / "plan.toml"
    path.write_text(of("two").to_toml(), encoding="utf-8")
    assert plan_of(*load_study(path)).digest == digest
    with (tmp_path / "two" / "b.csv").open("a", encoding="utf-8") as file:
        file.write("more,0,60,1\n")
    assert of("two").digest != digest


def test_more_than_a_million_runs_must_be_confirmed() -> None:
    table = {A: list(range(1, 1001)), B: list(range(1, 1001)), "seeds": 2}
    (text,) = problems(table).values()
    assert text == (
        "2,000,000 runs (1,000,000 points x 2 seeds) take some 2.8 h on one core at 200 runs/s; "
        "write fewer values or seeds, or confirm them with --yes (in Python yes=True)"
    )
    assert len(plan(table, yes=True)) == 2_000_000
    few = {**table, "constraints": [f"{A} == {B}"]}
    assert len(plan(few)) == 2000
    (text,) = problems({**table, "seeds": 10_000}, yes=True).values()
    assert "10,000,000,000 runs" in text
    assert "at most 1,000,000,000" in text


def test_a_sweep_of_the_bundled_scenario_can_be_planned() -> None:
    hello = load(Path(__file__).parents[2] / "scenarios" / "hello.toml")
    made = plan_of(hello, {"nodes.hgx-a100.idle_power": ["1 kW", "2 kW"], "seeds": 2})
    assert made.scenario(3).nodes["hgx-a100"].idle_power_w == 2000.0


def test_what_is_odd_at_a_point_alone_is_said_once_with_the_first_such_point() -> None:
    found = plan_of(base(), {"clusters.a.idle": ["always-on", "ladder"], PUE: [1.1, 1.2]})
    (said,) = found.warnings
    assert said.startswith('clusters.a.idle: node type "n" has no idle_states')
    assert said.endswith(" (point 2)")


def test_a_constraint_on_a_result_names_the_verb_that_limits_results() -> None:
    with pytest.raises(InputError, match="fleetsim optimize can limit"):
        plan_of(base(), {A: [4, 5], "constraints": ["wait_p99_h <= 2"]})
