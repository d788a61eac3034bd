"""The pages on optimisation and uncertainty: their files ship, their figures are those of runs."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from simulator.analysis.sensitivity import tornado
from simulator.cli.app import status
from simulator.optimisation.optimise import serial
from simulator.optimisation.search import RESERVED, SAMPLERS, search_of
from simulator.plans.plan import plan_of
from simulator.scenario import load_study
from simulator.simulation import run

ROOT = Path(__file__).parents[2]
SEARCH = ROOT / "scenarios" / "sweeps" / "idle_search.toml"
UNCERTAIN = ROOT / "scenarios" / "sweeps" / "uncertain_inputs.toml"


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def first_toml(name: str) -> dict[str, Any]:
    return tomllib.loads(re.findall(r"```toml\n(.*?)```", page(name), re.DOTALL)[0])


@pytest.mark.parametrize(("name", "file"), [("optimisation", SEARCH), ("uncertainty", UNCERTAIN)])
def test_the_file_on_the_page_is_the_file_that_ships(name: str, file: Path) -> None:
    assert first_toml(name) == tomllib.loads(file.read_text(encoding="utf-8"))


def test_the_front_on_the_page_is_what_those_fleets_do() -> None:
    search = search_of(*load_study(SEARCH, "optimize"))
    rows = re.findall(
        r"^ +#\d+ +(\d+) +(\d+) +(\S+) +(\S+) +(\S+) +(\S+)$", page("optimisation"), re.M
    )
    assert len(rows) == 3
    axes = [axis.path for axis in search.axes]
    points = [dict(zip(axes, [int(w), int(e), *idle], strict=True)) for w, e, *idle, _, _ in rows]
    base = re.search(r"^ base +\d+ +\d+ +\S+ +\S+ +(\S+) +(\S+)$", page("optimisation"), re.M)
    assert base is not None
    outcomes = [*serial(search)(points), *serial(search)([{}])]
    said = [(float(carbon_t), float(wait_min)) for *_, carbon_t, wait_min in rows]
    said.append((float(base[1]), float(base[2])))
    for outcome, (carbon_t, wait_min) in zip(outcomes, said, strict=True):
        assert isinstance(outcome, dict)
        carbon_kg, wait_h = outcome["total_kgco2e"], outcome["wait_p99_h"]
        assert carbon_kg is not None
        assert wait_h is not None
        assert carbon_kg / 1000 == pytest.approx(carbon_t, abs=0.006)
        assert wait_h * 60 == pytest.approx(wait_min, abs=0.006)


def test_the_percentiles_on_the_page_are_what_the_command_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command, _, answer = re.findall(
        r"```\n\$ (.*?)\n(\.\.\.\n)(.*?)```", page("uncertainty"), re.DOTALL
    )[0]
    monkeypatch.chdir(tmp_path)
    assert status([*command.split()[1:], "--jobs", "1", "-o", "s", "--no-progress"]) == 0
    assert answer in capsys.readouterr().out


def test_every_setting_and_sampler_is_explained() -> None:
    for word in (*RESERVED, *SAMPLERS):
        assert f"`{word}`" in page("optimisation")


def test_the_tornado_begins_as_its_picture_says() -> None:
    base, table = load_study(UNCERTAIN)
    plan = plan_of(base, table | {"seeds": 1})
    rows = []
    for row in range(len(plan)):
        point = plan.points.at(plan.point_of(row))
        summary = run(plan.scenario(row)).results.summary
        fixed = {"row": row, "point": plan.point_of(row), "status": "done", **point}
        rows.append(fixed | {"total_kgco2e": summary["total_kgco2e"]})
    found = tornado(pd.DataFrame(rows), plan.points.paths, "total_kgco2e")
    assert len(plan.points) == 15
    assert found["axis"].iloc[0] == "workloads.experiments.utilisation.mean"
    assert found["axis"].iloc[-1] == "nodes.hgx-a100.lifetime"
    assert found["swing"].iloc[0] == pytest.approx(6900, rel=0.1)
