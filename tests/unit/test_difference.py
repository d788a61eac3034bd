"""``explain DIR --against OTHER``: what makes the difference of two runs, and when it says none."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulator import api
from simulator.errors import InputError
from simulator.explanation.difference import STEPS, Step, steps_between, takeaway
from simulator.figures.waterfall import MINUS
from simulator.results import load_results, save
from simulator.scenario import from_document
from simulator.version import MODEL_VERSION
from tests.builders import scenario_document, write_jobs
from tests.unit.conftest import Shell

STATE = {"name": "nap", "after": "1 h", "power": "20 W", "wake_time": "30 min"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with results: today, sleep (its nodes sleep) and longer (another horizon).

    today: one node of 100 W for 10 h, 400 W more for 2 h, PUE 1.5, 100 g/kWh, 87.66 kg over 4 y.
    """
    folder = tmp_path_factory.mktemp("runs")
    jobs = write_jobs(folder / "j.csv", [(0, 7200, 8, 1.0)])
    nodes = {"embodied": "87.66 kg", "lifetime": "35064 h", "idle_states": [STATE]}
    document = scenario_document(jobs, nodes=nodes, sites__s__pue=1.5)
    changes: dict[str, dict[str, Any]] = {
        "today": {"name": "today"},
        "sleep": {"name": "sleep", "clusters.c.idle": "ladder", "clusters.c.count": 2},
        "longer": {"horizon": "11 h"},
        "same-name": {"name": "today", "sites.s.pue": 1.1},
    }
    for name, change in changes.items():
        save(api.run(from_document(document).replace(change)).results, folder / name)
    return folder


@pytest.fixture
def shell(shell: Shell, runs: Path) -> Shell:
    """Run commands in a folder that holds the results."""
    for folder in runs.iterdir():
        if folder.is_dir():
            shutil.copytree(folder, folder.name)
    return shell


def against(shell: Shell, *words: object) -> dict[str, Any]:
    code, out, err = shell("explain", *words, "--json")
    assert (code, err) == (0, "")
    document: dict[str, Any] = json.loads(out)
    return document


# One node more, both asleep after an hour: the one at work from 3:00 on, the other from 1:00 on.
WORKED = {
    # grams in today and in sleep, and watt-hours
    "dynamic": (80.0, 80.0, 800.0, 800.0),
    "idle": (100.0, 40.0, 1000.0, 400.0),
    "sleep": (0.0, 32.0, 0.0, 320.0),
    "transition": (0.0, 0.0, 0.0, 0.0),
    "overhead": (90.0, 76.0, 900.0, 760.0),
    "embodied": (25.0, 50.0, None, None),
}


def test_the_steps_are_what_each_kind_adds(shell: Shell) -> None:
    document = against(shell, "sleep", "--against", "today")
    assert [step["step"] for step in document["steps"]] == list(STEPS) == list(WORKED)
    for step in document["steps"]:
        base_g, run_g, base_wh, run_wh = WORKED[step["step"]]
        assert 1000 * step["base_kgco2e"] == pytest.approx(base_g, rel=1e-12)
        assert 1000 * step["run_kgco2e"] == pytest.approx(run_g, rel=1e-12)
        assert 1000 * step["difference_kgco2e"] == pytest.approx(run_g - base_g, rel=1e-9)
        assert step["share_of_base"] == pytest.approx((run_g - base_g) / 295, rel=1e-9)
        if base_wh is None or run_wh is None:
            assert step["base_kwh"] is step["run_kwh"] is step["difference_kwh"] is None
            continue
        assert 1000 * step["base_kwh"] == pytest.approx(base_wh, rel=1e-12)
        assert 1000 * step["run_kwh"] == pytest.approx(run_wh, rel=1e-12)
        assert 1000 * step["difference_kwh"] == pytest.approx(run_wh - base_wh, rel=1e-9)
    assert 1000 * document["difference_kgco2e"] == pytest.approx(278 - 295, rel=1e-12)
    whole = math.fsum(step["difference_kgco2e"] for step in document["steps"])
    assert document["difference_kgco2e"] == whole
    assert (document["unlike"], document["figure"]) == ([], None)
    assert document["base"]["name"] == "today"
    assert 1000 * document["base"]["total_kgco2e"] == pytest.approx(295, rel=1e-12)
    assert document["run"]["folder"] == document["run"]["name"] == "sleep"


def test_the_table_shows_carbon_share_and_energy_in_80_columns(shell: Shell) -> None:
    code, out, err = shell("explain", "sleep", "--against", "today")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0].startswith("base: today, seed 0, key ")
    assert lines[1].startswith("run: sleep, seed 0, key ")
    assert lines[2] == "carbon: location-based (average, constant 100 g/kWh) and embodied"
    assert "base run difference of base in energy" in lines
    assert "g g g % Wh" in lines
    assert "dynamic 80.00 80.00 0 0 0" in lines
    assert "idle 100.00 40.00 -60.000 -20.34 -600.00" in lines
    assert "sleep 0 32.00 +32.000 +10.85 +320.00" in lines
    assert "embodied 25.00 50.00 +25.000 +8.47 -" in lines
    assert "total 295.00 278.00 -17.000 -5.76 -420.00" in lines


def test_a_run_against_itself_differs_in_nothing(shell: Shell) -> None:
    document = against(shell, "today", "--against", "today")
    assert document["difference_kgco2e"] == 0.0
    assert all(step["difference_kgco2e"] == 0.0 for step in document["steps"])
    _, out, _ = shell("explain", "today", "--against", "today", "-o", "none.svg")
    assert "total 295.00 295.00 0 0 0" in " ".join(out.split())
    assert Path("none.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(("name", "begins"), [("w.svg", b"<?xml"), ("W.PNG", b"\x89PNG")])
def test_the_figure_is_written_where_it_is_asked_for(
    shell: Shell, name: str, begins: bytes
) -> None:
    code, out, err = shell("explain", "sleep", "--against", "today", "-o", name)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"figure: {name}"
    assert Path(name).read_bytes().startswith(begins)
    first = Path(name).read_bytes()
    shell("explain", "sleep", "--against", "today", "-o", name)
    assert Path(name).read_bytes() == first


def test_the_figure_says_what_it_shows(shell: Shell) -> None:
    shell("explain", "sleep", "--against", "today", "-o", "w.svg", "--quiet")
    text = Path("w.svg").read_text(encoding="utf-8")
    assert "sleep emits 17.0 g (5.8 %) less than today, most of it idle" in text
    for said in (
        "carbon [g CO2e]",
        f"{MINUS}60.0 g",
        "+32.0 g",
        "295.0 g",
        "278.0 g",
        f"{MINUS}600 Wh",
    ):
        assert said in text


def test_runs_of_one_scenario_are_told_apart_by_their_folders(shell: Shell) -> None:
    _, out, _ = shell("explain", "same-name", "--against", "today")
    assert out.startswith("base: today, seed 0, key ")
    assert "\nrun:  same-name, seed 0, key " in out


# -- refusals -----------------------------------------------------------------------------------


def refused(shell: Shell, *words: object) -> str:
    before = sorted(path for path in Path().rglob("*"))
    code, out, err = shell("explain", *words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert sorted(path for path in Path().rglob("*")) == before
    return err


def test_runs_of_another_basis_are_refused_with_every_reason(shell: Shell) -> None:
    manifest = Path("longer/manifest.json")
    said = json.loads(manifest.read_text(encoding="utf-8"))
    said["model_version"] = 1
    said["basis"]["average_factors"] = "direct"
    manifest.write_text(json.dumps(said), encoding="utf-8")
    other = Path("today/manifest.json")
    said = json.loads(other.read_text(encoding="utf-8"))
    said["basis"]["average_factors"] = "life-cycle"
    other.write_text(json.dumps(said), encoding="utf-8")
    err = refused(shell, "longer", "--against", "today", "-o", "w.svg")
    assert err.splitlines()[0] == "longer against today: 3 problems"
    assert f"model version 1 is not the base's {MODEL_VERSION}" in err
    assert "horizon 11 h is not the base's 10 h; count the same time in both, or write --" in err
    assert "average intensity by factors direct is not the base's, by factors life-cycle" in err
    code, out, err = shell("explain", "longer", "--against", "today", "--force", "--json")
    assert code == 0
    assert err.count("warning: ") == 3
    assert len(json.loads(out)["unlike"]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sleep", "--against", "nowhere"), "no such folder"),
        (("nowhere", "--against", "today"), "no such folder"),
        (("hello", "--against", "today"), "no such folder"),
        (
            ("sleep", "--against", "today/manifest.json"),
            "a file, not a folder; name the folder of a run",
        ),
        (("sleep", "--against", "today", "-o", "w.pdf"), "not a figure's name; write e.g."),
        (("sleep", "--against", "today", "-o", "no/w.svg"), "can't be written"),
        (("sleep", "--against", "today", "--job", "j0"), "a job has no other to compare with"),
        (("sleep", "--against", "today", "--set", "seed=2"), "results stay as they are"),
        (("sleep", "-o", "w.svg"), "is about two runs; name the other with --against DIR"),
        (("sleep", "--force"), "is about two runs; name the other with --against DIR"),
        (("hello", "--force"), "is about two runs; name the other with --against DIR"),
    ],
)
def test_what_makes_no_sense_is_refused(shell: Shell, words: tuple[str, ...], said: str) -> None:
    assert said in refused(shell, *words)


def test_versions_are_kept_with_the_results(shell: Shell, tmp_path: Path) -> None:
    manifest = Path("today/manifest.json")
    said = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(said | {"model_version": 1}), encoding="utf-8")
    results = load_results("today")
    assert results.model_version == 1
    save(results, tmp_path / "again")
    again = json.loads((tmp_path / "again/manifest.json").read_text(encoding="utf-8"))
    assert again["model_version"] == 1


# -- Python -------------------------------------------------------------------------------------


def test_python_gets_the_steps_as_a_table(runs: Path) -> None:
    today, sleep = api.open_run(runs / "today"), api.open_run(runs / "sleep")
    table = sleep.against(today)
    assert list(table.index) == list(STEPS)
    assert table.index.name == "step"
    assert list(table.columns) == [
        "base_kgco2e", "run_kgco2e", "difference_kgco2e", "share_of_base", "base_kwh", "run_kwh",
        "difference_kwh",
    ]  # fmt: skip
    assert set(map(str, table.dtypes)) == {"float64"}
    whole_kg = sleep.summary["total_kgco2e"] - today.summary["total_kgco2e"]
    assert table["difference_kgco2e"].sum() == pytest.approx(whole_kg, rel=1e-12)
    assert table["run_kgco2e"].sum() == pytest.approx(sleep.summary["total_kgco2e"], rel=1e-12)
    assert table.loc["embodied"].isna().tolist() == [False] * 4 + [True] * 3


def test_python_is_refused_and_may_insist(runs: Path) -> None:
    today, longer = api.open_run(runs / "today"), api.open_run(runs / "longer")
    with pytest.raises(InputError, match=r"horizon 11 h is not the base's 10 h; .* force=True"):
        longer.against(today)
    assert longer.against(today, force=True)["difference_kgco2e"].sum() > 0


def test_against_nothing_shares_are_absent() -> None:
    keys = ("energy_it_kwh", "energy_facility_kwh", "scope3_embodied_kgco2e", "total_kgco2e")
    nothing = dict.fromkeys([*keys, *(f"{step}_kgco2e" for step in STEPS)], 0.0)
    nothing |= {key: 0.0 for key in STEPS.values() if key}
    steps = steps_between(nothing, nothing | {"idle_kgco2e": 2.0, "total_kgco2e": 2.0})
    assert [step.share_of_base for step in steps] == [None] * 6
    assert steps[1] == Step("idle", 0.0, 2.0, 2.0, None, 0.0, 0.0, 0.0)
    assert (
        takeaway(steps, 0.0, ("one", "two")) == "two emits 2.00 kg more than one, most of it idle"
    )
