"""Sweep files: loaded as base and table, checked, shown and described to editors."""

import json
from pathlib import Path

import jsonschema
import pytest

from simulator.cli.app import status
from simulator.errors import InputError
from simulator.plans.axes import SETTINGS
from simulator.plans.designs import DESIGNS
from simulator.plans.plan import plan_of
from simulator.scenario import load, load_file, load_study, schema
from simulator.scenario.toml_reader import read_toml
from tests.unit.sweep_bases import A, base

GRID = '[sweep]\n"clusters.a.count" = [1, 2]\nseeds = 2\n'


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.toml").write_text(base().to_toml(), encoding="utf-8")


def written(name: str, text: str, extends: str = "base.toml") -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'extends = "{extends}"\n{text}', encoding="utf-8")
    return path


def test_a_sweep_file_is_its_base_and_its_table() -> None:
    path = written("grid.toml", GRID)
    scenario, table = load_study(path)
    assert scenario.canonical() == load("base.toml").canonical()
    assert table == {A: [1, 2], "seeds": 2}
    assert len(plan_of(scenario, table)) == 4
    assert load_file("base.toml").tables == {}


def test_a_sweep_file_that_extends_another_merges_the_tables() -> None:
    written("grid.toml", GRID)
    child = '[sweep]\nseeds = [5]\n"clusters.a.count" = { low = 1, high = 9 }\n'
    child += 'design = "sobol"\nsamples = 4\n"sites.s.pue" = [1.2]\n'
    _, table = load_study(written("child.toml", child, "grid.toml"))
    assert table == {
        A: {"low": 1, "high": 9},
        "seeds": [5],
        "design": "sobol",
        "samples": 4,
        "sites.s.pue": [1.2],
    }
    law = '[sweep]\n"clusters.a.count" = { p50 = 3, p99 = 9 }\n'
    _, table = load_study(written("law.toml", law, "child.toml"))
    assert table[A] == {"p50": 3, "p99": 9}
    part = '[sweep]\n"clusters.a.count" = { high = 12 }\n'
    _, table = load_study(written("part.toml", part, "child.toml"))
    assert table[A] == {"low": 1, "high": 12}


def test_files_in_a_table_are_found_from_the_folder_of_their_own_file() -> None:
    jobs = '[sweep]\n"workloads.w.jobs.file" = ["a.csv", "data:b.csv"]\n'
    jobs += '"sites.s.grid" = [{ average = { file = "g.csv", unit = "g/kWh" } }]\n'
    jobs += '"sites.s.pue" = { file = "p.csv", column = "pue" }\n'
    written("parts/jobs.toml", jobs, "../base.toml")
    _, table = load_study(written("top.toml", "", "parts/jobs.toml"))
    assert table["workloads.w.jobs.file"] == ["parts/a.csv", "data:b.csv"]
    assert table["sites.s.grid"][0]["average"]["file"] == "parts/g.csv"
    assert table["sites.s.pue"]["file"] == "parts/p.csv"


def test_replacements_reach_the_table() -> None:
    path = written("grid.toml", GRID)
    sets = ["sweep.seeds=5", "clusters.b.count=9", 'sweep."clusters.a.count"=[3]']
    scenario, table = load_study(path, "sweep", sets, 11)
    assert table == {A: [3], "seeds": 5}
    assert (scenario.clusters["b"].count, scenario.seed) == (9, 11)


@pytest.mark.parametrize(
    ("text", "table", "message"),
    [
        ("", "sweep", "missing; write a table [sweep], or run the file with fleetsim run"),
        (GRID, "optimize", "missing; write a table [optimize]"),
        ("sweep = 3\n", "sweep", "3 is not a table; write [sweep] and its keys below it"),
    ],
)
def test_a_file_without_the_table_is_refused(text: str, table: str, message: str) -> None:
    path = written("grid.toml", text)
    with pytest.raises(InputError) as caught:
        load_study(path, table)
    (issue,) = caught.value.issues
    assert issue.path == table
    assert issue.message.startswith(message)


def test_the_base_must_be_valid_by_itself() -> None:
    path = written("grid.toml", "[clusters.a]\ncount = 0\n" + GRID)
    with pytest.raises(InputError, match="0 is out of range"):
        load_study(path)


@pytest.mark.parametrize("name", ["sweep", "optimize"])
def test_a_plain_run_says_which_verb_reads_the_file(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written("many.toml", f'[{name}]\n"clusters.a.count" = [1]\n')
    assert status(["run", "many.toml"]) == 2
    said = f"run it with fleetsim {name}, or take the table [{name}] out"
    assert said in capsys.readouterr().err


def test_validate_counts_what_a_sweep_would_run(capsys: pytest.CaptureFixture[str]) -> None:
    written("grid.toml", GRID)
    assert status(["validate", "grid.toml"]) == 0
    assert capsys.readouterr().out.endswith("1 axis, 2 points, 4 runs\n")
    assert status(["validate", "grid.toml", "--json", "--set", "sweep.seeds=3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["axes"], found["points"], found["runs"]) == (1, 2, 6)
    sobol = '[sweep]\n"sites.s.pue" = { low = 1, high = 2 }\ndesign = "sobol"\nsamples = 5\n'
    written("sobol.toml", sobol)
    assert status(["validate", "sobol.toml"]) == 0
    assert "warning: sweep.samples: 5 is not a power of two" in capsys.readouterr().err
    written("wrong.toml", '[sweep]\n"clusters.a.cout" = [1]\nseeds = 0\n')
    assert status(["validate", "wrong.toml"]) == 2
    assert capsys.readouterr().err.startswith("wrong.toml: 2 problems\n  sweep.clusters.a.cout")


def test_validate_asks_before_a_sweep_of_millions(capsys: pytest.CaptureFixture[str]) -> None:
    written("grid.toml", GRID.replace("seeds = 2", "seeds = 600_000"))
    assert status(["validate", "grid.toml"]) == 2
    assert "1,200,000 runs (2 points x 600,000 seeds)" in capsys.readouterr().err
    assert status(["validate", "grid.toml", "--yes"]) == 0


def test_show_prints_base_and_table_with_origins(capsys: pytest.CaptureFixture[str]) -> None:
    written("grid.toml", GRID)
    written("child.toml", "[sweep]\nseeds = 3\nsites.s.pue = [1.2]\n", "grid.toml")
    assert status(["show", "child.toml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = [line.split(maxsplit=1) for line in lines[lines.index("[sweep]") + 1 :]]
    assert [key for key, _ in table] == ["clusters.a.count", "seeds", "sites.s.pue"]
    assert [" ".join(rest.split()) for _, rest in table] == [
        "[1, 2] grid.toml (extends)", "3 child.toml", "[1.2] child.toml"]  # fmt: skip
    assert status(["show", "child.toml", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["sweep"] == {A: [1, 2], "seeds": 3, "sites": {"s": {"pue": [1.2]}}}
    assert shown["origins"]["sweep.seeds"] == "child.toml"
    assert "sweep" not in shown["scenario"]


def test_editors_know_the_table() -> None:
    form = schema()
    sweep = form["properties"]["sweep"]
    assert set(sweep["properties"]) == set(SETTINGS)
    assert sweep["properties"]["design"]["enum"] == list(DESIGNS)
    validator = jsonschema.Draft202012Validator(form)
    text = '"sites.s.pue" = { low = 1, high = 2 }\ndesign = "sobol"\nsamples = 8\nkeep = ["all"]\n'
    good = read_toml(written("good.toml", GRID + text), "good.toml")
    assert not list(validator.iter_errors(good))
    aim = {"total_kgco2e": "minimise"}
    assert not list(validator.iter_errors({**good, "optimize": {"objectives": aim}}))
    for wrong in ({"seeds": 0}, {"design": "girid"}, {A: 3}, {A: []}):
        assert list(validator.iter_errors({**good, "sweep": wrong}))
