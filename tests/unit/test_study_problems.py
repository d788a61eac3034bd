"""Problems of a base and of its tables are told in one list, and none that only follows."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.cli.app import status
from simulator.errors import InputError
from simulator.optimisation.search import search_of
from simulator.plans.plan import plan_of
from simulator.scenario import read_file, read_study
from simulator.scenario.toml_writer import toml_text
from tests.unit.sweep_bases import PUE, A, B, base, problems

IDLE = "clusters.a.idle"
OBJECTIVES = {"total_kgco2e": "minimise"}

BASES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "unknown key": (lambda said: said["clusters"]["a"].update(cout=3), "clusters.a.cout"),
    "wrong unit": (lambda said: said["nodes"]["n"].update(idle_power="5 h"), "nodes.n.idle_power"),
    "no site": (lambda said: said["clusters"]["b"].pop("site"), "clusters.b.site"),
    "no duration": (lambda said: said["workloads"]["w"].pop("duration"), "workloads.w.gpu_days"),
    "between tables": (
        lambda said: said["workloads"]["w"].update(clusters=["zz"]),
        "workloads.w.clusters[0]",
    ),
    "head": (lambda said: said.update(horizon=5), "horizon"),
}
"""By name: what is wrong with a base, and where it is told."""

TABLES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "value": ({A: [4, -1]}, {f"{A}[1]"}),
    "unknown key": ({"clusters.a.coun": [4, 5]}, {"clusters.a.coun"}),
    "unknown entry": ({"clusters.zz.count": [4, 5]}, {"clusters.zz.count"}),
    "no values": ({A: []}, {A}),
    "repeated": ({PUE: [1.2, 1.2]}, {f"{PUE}[1]"}),
    "unit of a spread": ({A: {"low": "1 kW", "high": "2 kW"}, "design": "one-at-a-time"}, {A}),
    "seeds": ({A: [4], "seeds": -1}, {"seeds"}),
    "zip": ({A: [4, 5], PUE: [1.2], "design": "zip"}, {"design"}),
    "zip and value": ({A: [4, -1], PUE: [1.2], "design": "zip"}, {"design", f"{A}[1]"}),
    "zip and repeated": (
        {A: [4, 5, 6], PUE: [1.2, 1.2], "design": "zip"},
        {"design", f"{PUE}[1]"},
    ),
    "constraint": ({A: [4], "constraints": [f"{B} > 3"]}, {"constraints[0]"}),
    "constraint and value": (
        {A: [4, -1], PUE: [1.2, 1.3], "constraints": [f"{A} + ", f"{PUE} > 9"]},
        {"constraints[0]", "constraints[1]", f"{A}[1]"},
    ),
    "constraint and axis": (
        {A: [], PUE: [1.2, 1.3], "constraints": [f"{A} < 3", f"{PUE} > '1 kW'"]},
        {A, "constraints[1]"},
    ),
    "keep": ({A: [4], "keep": "some"}, {"keep"}),
    "nothing": ({}, {""}),
    "too many": ({A: list(range(1, 2001)), PUE: [1 + n / 1000 for n in range(1000)]}, {""}),
}
"""By name: a table, and where its problems are told."""

SEARCHES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "value": ({A: [4, -1]}, {f"{A}[1]"}),
    "objective": ({A: [4], "objectives": {"zz": "min"}}, {"objectives.zz"}),
    "where": ({A: [4, 5], "where": [f"{B} > 3"]}, {"where[0]"}),
    "where and value": (
        {A: [4, -1], PUE: [1.2, 1.3], "where": [f"{A} + ", f"{PUE} > '1 kW'"]},
        {"where[0]", "where[1]", f"{A}[1]"},
    ),
    "where and axis": (
        {A: [], PUE: [1.2, 1.3], "where": [f"{A} < 3", f"{PUE} > '1 kW'"]},
        {A, "where[1]"},
    ),
    "step": ({A: {"low": 1, "high": 4, "step": 2}}, {A}),
    "no axis": ({}, {""}),
}


def document() -> dict[str, Any]:
    return copy.deepcopy(base().said().document)


def written(folder: Path, said: dict[str, Any]) -> Path:
    path = folder / "study.toml"
    path.write_text(toml_text(said, ()), encoding="utf-8")
    return path


def told(path: Path, table: str, make: Callable[..., Any]) -> list[str]:
    with pytest.raises(InputError) as caught:
        make(*read_study(path, table))
    assert caught.value.source == str(path)
    return [issue.path for issue in caught.value.issues]


def places(table: str, found: set[str]) -> set[str]:
    return {f"{table}.{path}".rstrip(".") for path in found}


@pytest.mark.parametrize("wrong", TABLES)
@pytest.mark.parametrize("broken", [None, *BASES])
def test_a_base_and_its_sweep_are_refused_together(
    broken: str | None, wrong: str, tmp_path: Path
) -> None:
    said, (table, found) = document(), TABLES[wrong]
    expected = places("sweep", found)
    if broken is not None:
        change, path = BASES[broken]
        change(said)
        expected.add(path)
    named = told(written(tmp_path, said | {"sweep": table}), "sweep", plan_of)
    assert sorted(named) == sorted(expected)


@pytest.mark.parametrize("wrong", SEARCHES)
@pytest.mark.parametrize("broken", [None, *BASES])
def test_a_base_and_its_search_are_refused_together(
    broken: str | None, wrong: str, tmp_path: Path
) -> None:
    said, (table, found) = document(), SEARCHES[wrong]
    expected = places("optimize", found)
    if broken is not None:
        change, path = BASES[broken]
        change(said)
        expected.add(path)
    study = {"objectives": OBJECTIVES} | table
    named = told(written(tmp_path, said | {"optimize": study}), "optimize", search_of)
    assert sorted(named) == sorted(expected)


@pytest.mark.parametrize("broken", BASES)
def test_a_right_table_adds_nothing_to_a_broken_base(broken: str, tmp_path: Path) -> None:
    said, (change, path) = document(), BASES[broken]
    change(said)
    table = {
        A: [3, 4],
        IDLE: ["always-on"],
        PUE: {"low": 1.1, "high": 1.3},
        "nodes.n.idle_power": {"low": "1 kW", "high": "2 kW"},
        "workloads.w.duration": ["2 h", "3 h"],
        "design": "latin-hypercube",
        "samples": 8,
        "constraints": [f"{A} <= 3 or {PUE} < 1.2"],
    }
    assert told(written(tmp_path, said | {"sweep": table}), "sweep", plan_of) == [path]


@pytest.mark.parametrize(
    ("change", "axis", "values"),
    [
        (lambda said: said.update(sites=5), PUE, [1.2, 1.3]),
        (lambda said: said.pop("sites"), PUE, [1.2, 1.3]),
        (lambda said: said["clusters"].update(a=5), A, [3, 4]),
        (lambda said: said["clusters"]["a"].update(count="many"), A, {"low": 2, "high": 9}),
        (lambda said: said.update(nodes=[]), "nodes.n.idle_power", ["1 kW"]),
        (lambda said: said.update(schema=9), A, [3, 4]),
    ],
)
def test_nothing_is_said_of_an_axis_that_leads_through_a_problem(
    change: Callable[[dict[str, Any]], Any], axis: str, values: Any, tmp_path: Path
) -> None:
    said = document()
    change(said)
    design = {"design": "one-at-a-time"} if isinstance(values, dict) else {}
    named = told(written(tmp_path, said | {"sweep": {axis: values} | design}), "sweep", plan_of)
    assert named
    assert not [path for path in named if path.startswith("sweep")]


def test_a_constraint_is_not_blamed_for_a_value(tmp_path: Path) -> None:
    mixed = problems({A: [4, "many"], PUE: [1.2], "constraints": [f"{A} <= 3"]})
    assert list(mixed) == [f"sweep.{A}[1]"]
    good = problems({A: [4, 5], PUE: [1.2, 0.5], "constraints": [f"{A} <= 3"]})
    assert set(good) == {f"sweep.{PUE}[1]", "sweep.constraints[0]"}


def test_a_missing_table_is_told_with_the_base(tmp_path: Path) -> None:
    said = document()
    said["clusters"]["a"]["cout"] = 3
    path = written(tmp_path, said)
    assert told(path, "sweep", plan_of) == ["clusters.a.cout", "sweep"]
    path = written(tmp_path, said | {"sweep": 5})
    assert told(path, "sweep", plan_of) == ["clusters.a.cout", "sweep"]


def test_both_tables_are_checked_and_the_base_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = document() | {"sweep": {A: [0]}, "optimize": {A: [], "objectives": OBJECTIVES}}
    said["clusters"]["a"]["cout"] = 3
    path = written(tmp_path, said)
    assert not hasattr(read_file(path).base, "replace")
    assert status(["validate", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert "3 problems" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == [
        "clusters.a.cout",
        f"sweep.{A}",
        f"optimize.{A}",
    ]


def test_files_are_checked_beside_the_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "jobs.csv").write_text("job_id,submit_s\n1,0\n", encoding="utf-8")
    said = document() | {"sweep": {A: [0]}}
    said["workloads"]["w"] = {"clusters": ["a"], "jobs": {"file": "jobs.csv"}}
    assert status(["validate", str(written(tmp_path, said))]) == 2
    error = capsys.readouterr().err
    assert f"sweep.{A}" in error
    assert "workloads.w.jobs" in error


@pytest.mark.parametrize("verb", ["validate", "sweep", "optimize"])
def test_every_verb_tells_all_and_leaves_nothing(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = "sweep" if verb == "validate" else verb
    objectives = {"objectives": OBJECTIVES} if table == "optimize" else {}
    said = document() | {table: {"clusters.a.coun": [3], PUE: [1.2, "x"]} | objectives}
    said["nodes"]["n"]["idle_power"] = 5
    written(tmp_path, said)
    assert status([verb, "study.toml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "study.toml: 3 problems"
    assert "did you mean 'count'?" in "".join(lines)
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]
