"""``fleetsim optimize``: its files, its words, its exit codes."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from simulator.cli import optimize as command
from simulator.cli.terminal import Terminal
from simulator.optimisation.optimise import optimise
from simulator.optimisation.search import search_of
from simulator.scenario import load_study
from simulator.scenario.toml_writer import toml_text
from tests.unit.conftest import Shell
from tests.unit.searches import CARBON, COUNT, IDLE, WAIT, Formula, day, table, trade_off
from tests.unit.shard_lines import lines_by_row

HOUR = {"policy": "timeout", "after": "1 h"}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a file that searches twelve points in ten trials."""
    said = table(trials=10, seeds=2, **{COUNT: {"low": 1, "high": 4}})
    said[IDLE] = ["always-on", "ladder", HOUR]
    path = tmp_path / "study.toml"
    path.write_text(toml_text({**day().document, "optimize": said}), encoding="utf-8")
    return path


def test_a_search_writes_its_files_and_says_where(study: Path, shell: Shell) -> None:
    code, out, err = shell("optimize", study, "-o", "found", "--trials", 9, "--no-progress")
    assert (code, err) == (0, "")
    assert out.startswith("day: 9 trials, ")
    assert "files: found" in out
    folder = Path("found")
    assert sorted(path.name for path in folder.iterdir()) == [
        "figures", "front.csv", "manifest.json", "runs", "study.toml", "trials.parquet",
    ]  # fmt: skip
    trials = pq.read_table(folder / "trials.parquet")
    assert trials.column_names == [
        "trial", COUNT, IDLE, CARBON, WAIT, "feasible", "on_front", "failed",
    ]  # fmt: skip
    assert trials.schema.field(CARBON).metadata[b"unit"] == b"kgCO2e"
    assert set(trials[IDLE].to_pylist()) <= {
        "always-on", "ladder", '{ policy = "timeout", after = "1 h" }',
    }  # fmt: skip
    front = pd.read_csv(folder / "front.csv")
    assert list(front.columns) == ["trial", COUNT, IDLE, CARBON, WAIT]
    chosen = trials.filter(trials["on_front"]).to_pandas()
    assert sorted(front["trial"]) == sorted(chosen["trial"])
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["trials"] == manifest["trials_asked"] == 9
    assert manifest["seeds"] == [3, 4]
    assert manifest["objectives"] == {CARBON: "minimise", WAIT: "minimise"}
    assert (folder / "figures" / "trials.png").read_bytes().startswith(b"\x89PNG")


def test_the_file_it_writes_repeats_the_search_byte_by_byte(study: Path, shell: Shell) -> None:
    assert shell("optimize", study, "-o", "first", "--trials", 9)[0] == 0
    assert shell("optimize", "first/study.toml", "-o", "second")[0] == 0
    paths = [path for path in Path("first").rglob("*") if path.is_file()]
    for name in (path.relative_to("first") for path in paths):
        if name.name != "manifest.json" and name.parts[0] != "runs":
            assert (Path("second") / name).read_bytes() == (Path("first") / name).read_bytes()


def test_a_search_that_is_repeated_runs_nothing_again(study: Path, shell: Shell) -> None:
    assert shell("optimize", study, "--trials", 6, "-o", "there", "-j", 2)[0] == 0
    before = (Path("there/trials.parquet").read_bytes(), lines_by_row(Path("there/runs")))
    assert shell("optimize", study, "--trials", 6, "-o", "there", "-j", 1)[0] == 0
    assert (Path("there/trials.parquet").read_bytes(), lines_by_row(Path("there/runs"))) == before


def test_more_trials_run_only_the_new_ones(study: Path, shell: Shell) -> None:
    assert shell("optimize", study, "--trials", 6, "-o", "there", "-j", 1)[0] == 0
    assert shell("optimize", study, "--trials", 8, "-o", "there", "-j", 1)[0] == 0
    assert shell("optimize", study, "--trials", 8, "-o", "fresh", "-j", 1)[0] == 0
    trials = [Path(folder) / "trials.parquet" for folder in ("there", "fresh")]
    assert trials[0].read_bytes() == trials[1].read_bytes()
    assert lines_by_row(Path("there/runs")).total() < (1 + 6 + 1 + 8) * 2


def test_files_of_others_are_left_alone(study: Path, shell: Shell) -> None:
    assert shell("optimize", study, "--trials", 2, "-o", "there")[0] == 0
    (Path("there") / "mine.txt").write_text("x")
    code, _, err = shell("optimize", study, "--trials", 2, "-o", "there")
    assert code == 2
    assert "'mine.txt'" in err


def test_json_is_one_document(study: Path, shell: Shell) -> None:
    code, out, err = shell("optimize", study, "--json", "--trials", 12, "--no-progress")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["trials"] == 12
    assert document["on_front"] == len(document["front"])
    assert document["base"][CARBON] > 0
    assert document["folder"].startswith("runs/day-")
    assert shell("optimize", study, "--json", "--trials", 12)[0] == 0


def test_refused_files_write_nothing(study: Path, shell: Shell) -> None:
    code, out, err = shell("optimize", study, "-o", "x", "--trials", 0)
    assert (code, out) == (2, "")
    assert "optimize.trials" in err
    code, _, err = shell("optimize", study, "-o", "x", "--set", "optimize.sampler=tep")
    assert code == 2
    assert 'did you mean "tpe"?' in err
    assert not Path("x").exists()
    code, _, err = shell("run", study)
    assert code == 2
    assert "a file for optimisation; run it with fleetsim optimize" in err


def test_validate_reads_the_table(study: Path, shell: Shell) -> None:
    code, out, err = shell("validate", study)
    assert (code, err) == (0, "")
    assert "2 axes, 10 trials, 20 runs" in out
    code, _, err = shell("validate", study, "--set", "optimize.trials=0")
    assert code == 2
    assert "optimize.trials" in err


def test_where_nothing_keeps_the_limits_that_is_said(study: Path, shell: Shell) -> None:
    code, out, _ = shell("optimize", study, "--set", f'optimize.constraints=["{WAIT} < 0"]')
    assert code == 0
    assert "no trial keeps the limits; loosen one, or widen the axes" in out


def test_words_of_one_objective_show_the_best_beside_the_base() -> None:
    search = search_of(day(), table(objectives={CARBON: "min"}, trials=24))
    text = str(optimise(search, Formula(trade_off)))
    assert text.splitlines() == [
        "day: 24 trials",
        "",
        "trial  a.count     a.idle  total carbon",
        "                                kg CO2e",
        "   #1        1     ladder         6.000",
        " base        4  always-on         40.00",
        "carbon of the base: average, constant 300 g/kWh",
    ]


@pytest.mark.parametrize("axes", [2, 5, 12])
def test_words_of_any_search_keep_to_80_columns_and_name_the_axes_left_out(axes: int) -> None:
    states = [
        {"name": f"state{at}", "after": f"{at + 1} h", "power": f"{90 - at} W", "wake_time": "1 h"}
        for at in range(axes)
    ]
    base = day().replace({"nodes.n.idle_states": states})
    ends = {"low": "10 min", "high": "59 min"}
    paths = [f"nodes.n.idle_states[{at}].wake_time" for at in range(axes)]
    said = table(trials=16, seeds=2, constraints=["energy_facility_kwh > 0"], sampler="random")
    del said[COUNT], said[IDLE]
    search = search_of(base, said | dict.fromkeys(paths, ends))

    def formula(point: Any) -> dict[str, float]:
        minutes = float(str(point.get(paths[0], "60 min")).split()[0])
        return {CARBON: 1e6 - minutes, WAIT: minutes, "energy_facility_kwh": 1e7 + minutes}

    lines = str(optimise(search, Formula(formula))).splitlines()
    assert max(map(len, lines)) <= 80
    shown = lines[2].count("idle_states[")
    rest = " ".join(line.strip() for line in lines if "wake_time" in line and line != lines[2])
    assert shown >= 2
    assert all((path in rest) == (at >= shown) for at, path in enumerate(paths))
    assert lines[-2] == "means over 2 seeds"


def test_progress_says_how_many_trials_are_left_and_how_long_they_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 1.0, 4.0])
    monkeypatch.setattr("simulator.cli.optimize.time.monotonic", lambda: next(clock))
    show = command._lines(Terminal(), "day")
    show(4, 2000)
    show(8, 2000)
    assert capsys.readouterr().err == "day  8/2,000 trials, 2.00 trials/s, 16:36 left\n"


def test_failed_trials_are_warned_of(study: Path) -> None:
    base, said = load_study(study, "optimize")

    def formula(point: Any) -> Any:
        return "PolicyError: no" if point[COUNT] == 2 else trade_off(point)

    found = optimise(search_of(base, said), Formula(formula))
    assert f"{found.counts['failed']} failed" in str(found)
    assert found.counts["failed"] > 0
