"""The verbs that run: what they print and write, and how they end."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest

from simulator import bundled
from simulator.figures import all_figures
from tests.unit.conftest import Shell

FILES = {
    "manifest.json", "scenario.toml", "summary.json", "jobs.parquet", "hourly.parquet",
    "nodes.parquet", "report.html", "columns.csv", "figures",
}  # fmt: skip
TINY = """
schema  = 1
name    = "tiny"
start   = 2022-06-01T00:00:00Z
horizon = "2 d"
seed    = 3
[sites.here]
pue  = 1.2
grid = { average = "CISO", marginal = "CAISO" }
[clusters.few]
site  = "here"
node  = "hgx-a100"
count = 2
[workloads.small]
clusters = ["few"]
arrivals = { process = "regular", every = "1 h" }
duration = "90 min"
gpus     = 4
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """Run commands in a folder that holds tiny.toml."""
    Path("tiny.toml").write_text(TINY, encoding="utf-8")
    return shell


def written(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"manifest.json", "report.html"}
    }


def leftovers() -> set[str]:
    return {path.name for path in Path.cwd().iterdir()} - {"tiny.toml"}


def test_run_writes_every_file_and_prints_where(drawing_shell: Shell) -> None:
    Path("tiny.toml").write_text(TINY, encoding="utf-8")
    code, out, _ = drawing_shell("run", "tiny.toml", "-o", "out")
    assert code == 0
    assert {path.name for path in Path("out").iterdir()} == FILES
    drawn = {drawing.name for drawing in all_figures()} - {
        "nodes",
        "supply",
    }  # of those that have some
    assert len(drawn) == 4
    assert {path.name for path in Path("out/figures").iterdir()} == {
        f"{name}.{kind}" for name in drawn for kind in ("png", "svg")
    }
    assert len(out.splitlines()) <= 18
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "out/report.html" in out
    assert "marginal" in out
    assert "location-based" in out
    assert leftovers() == {"out"}


def test_what_is_written_runs_again_to_the_same_bytes(shell: Shell) -> None:
    shell("run", "tiny.toml", "-o", "first")
    code, _, _ = shell("run", "first/scenario.toml", "-o", "second")
    assert code == 0
    first, second = written(Path("first")), written(Path("second"))
    assert first["jobs.parquet"] == second["jobs.parquet"]
    assert first["hourly.parquet"] == second["hourly.parquet"]
    assert first["summary.json"] == second["summary.json"]


def test_set_and_seed_reach_the_run(shell: Shell) -> None:
    words = ("run", "tiny.toml", "--set", "clusters.few.count=3", "--seed", 9, "--json")
    code, out, _ = shell(*words)
    assert code == 0
    document = json.loads(out)
    assert document["seed"] == 9
    assert document["gpu_hours_capacity"] == 3 * 8 * 48
    text = (Path(document["folder"]) / "scenario.toml").read_text(encoding="utf-8")
    scenario = tomllib.loads(text)
    assert (scenario["seed"], scenario["clusters"]["few"]["count"]) == (9, 3)


def test_json_is_the_summary_and_where_it_lies(shell: Shell) -> None:
    code, out, _ = shell("--json", "run", "tiny.toml")
    document = json.loads(out)
    folder = Path(document.pop("folder"))
    assert code == 0
    assert folder.parts[0] == "runs"
    assert folder.name == f"tiny-{document['key'][:8]}"
    assert document.pop("report") == str(folder / "report.html")
    assert document.pop("warnings") == []
    assert document == json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def test_the_default_folder_is_taken_again_by_the_same_run(shell: Shell) -> None:
    assert shell("run", "tiny.toml")[0] == 0
    assert shell("run", "tiny.toml")[0] == 0
    assert len(list(Path("runs").iterdir())) == 1
    assert shell("run", "tiny.toml", "--seed", "4")[0] == 0
    assert len(list(Path("runs").iterdir())) == 2


def test_a_folder_with_results_is_kept_unless_told(shell: Shell) -> None:
    shell("run", "tiny.toml", "-o", "out")
    before = written(Path("out"))
    code, out, err = shell("run", "tiny.toml", "-o", "out", "--seed", "5")
    assert (code, out) == (2, "")
    assert "--overwrite" in err
    assert written(Path("out")) == before
    words = ("run", "tiny.toml", "-o", "out", "--overwrite", "--set", "clusters.few.count=1")
    assert shell(*words)[0] == 0
    assert written(Path("out")) != before


def test_a_folder_of_somebody_else_is_never_touched(shell: Shell) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work", encoding="utf-8")
    code, _, err = shell("run", "tiny.toml", "-o", "mine", "--overwrite")
    assert code == 2
    assert "thesis.txt" in err
    assert Path("mine/thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_the_folder_is_checked_before_anything_is_simulated(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("simulated")

    monkeypatch.setattr("simulator.simulation.run", never)
    Path("out").mkdir()
    Path("out/other.txt").write_text("", encoding="utf-8")
    assert shell("run", "tiny.toml", "-o", "out")[0] == 2


def test_quiet_prints_nothing_at_all(shell: Shell) -> None:
    assert shell("run", "tiny.toml", "-q") == (0, "", "")


def test_a_refused_scenario_writes_nothing(shell: Shell) -> None:
    text = TINY.replace("count = 2", "cout = 2").replace('"2 d"', "2")
    Path("tiny.toml").write_text(text, encoding="utf-8")
    for verb in ("run", "validate", "show"):
        code, out, err = shell(verb, "tiny.toml")
        assert (code, out) == (2, "")
        assert err.startswith("tiny.toml: 2 problems\n")
        assert "clusters.few.cout" in err
        assert "did you mean 'count'?" in err
        assert "horizon" in err
    assert not leftovers()


def test_validate_says_how_large_it_is(shell: Shell) -> None:
    code, out, err = shell("validate", "tiny.toml")
    assert (code, err) == (0, "")
    size = "1 site, 1 cluster, 2 nodes, 16 accelerators, 2 d, 1 workload, 48 jobs"
    assert out == f"tiny.toml is valid: {size}\n"
    document = json.loads(shell("validate", "tiny.toml", "--json")[1])
    assert document["valid"] is True
    assert document["accelerators"] == 16
    assert not leftovers()


def test_validate_reads_the_files_too(shell: Shell) -> None:
    text = TINY.replace(
        'average = "CISO"',
        'average = { file = "absent.csv", time = "t", value = "v", unit = "g/kWh" }',
    )
    Path("tiny.toml").write_text(text, encoding="utf-8")
    code, _, err = shell("validate", "tiny.toml")
    assert code == 2
    assert "absent.csv" in err
    assert "sites.here.grid.average" in err


def test_a_shipped_scenario_is_found_by_its_name(shell: Shell) -> None:
    code, out, _ = shell("validate", "research-cluster")
    assert code == 0
    assert "22,000 accelerators" in out
    code, _, err = shell("run", "reserch-cluster")
    assert code == 2
    assert 'did you mean "research-cluster"?' in err
    assert "these ship: carbon-free-247, diurnal-tier, gpu-fleet, hello" in err
    assert 'did you mean "hello"?' in shell("run", "Hello")[2]
    assert 'did you mean the scenario that ships, "hello"?' in shell("run", "hello.toml")[2]
    Path("hello").mkdir()
    assert shell("validate", "hello")[0] == 0
    Path("research-cluster").write_text(TINY, encoding="utf-8")
    assert "22,000" not in "".join(shell("validate", "research-cluster")[1:])


def test_show_gives_every_value_with_its_origin(shell: Shell) -> None:
    code, out, _ = shell("show", "tiny.toml", "--set", "clusters.few.count=5", "--seed", "8")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert ["count", "5", "--set"] in lines
    assert ["[clusters.few]"] in lines
    assert ["pue", "1.2", "tiny.toml"] in lines
    assert ["warm_up", '"0', 's"', "default"] in lines
    assert ["idle_power", '"1.4', 'kW"', "catalog"] in lines
    document = json.loads(shell("show", "tiny.toml", "--json")[1])
    assert document["scenario"]["clusters"]["few"]["count"] == 2
    assert document["origins"]["clusters.few.count"] == "tiny.toml"


def test_show_knows_what_was_set_within_a_list(shell: Shell) -> None:
    word = "nodes.hgx-a100.idle_states.0.after=50 min"
    lines = [line.split() for line in shell("show", "tiny.toml", "--set", word)[1].splitlines()]
    assert ["idle_states[0].after", '"50', 'min"', "--set"] in lines
    assert {line[-1] for line in lines if line[0] == "idle_states[0].power"} == {"catalog"}


def test_report_is_made_again_from_the_folder(shell: Shell) -> None:
    shell("run", "tiny.toml", "-o", "out")
    page = Path("out/report.html").read_text(encoding="utf-8")
    Path("out/report.html").unlink()
    code, out, _ = shell("report", "out")
    assert (code, out) == (0, "report  out/report.html\n")
    again = Path("out/report.html").read_text(encoding="utf-8")
    assert len(again) > len(page) / 2
    assert shell("report", "absent")[0] == 2
    assert shell("report", "out", "-o", "absent/page.html")[0] == 2


# -- as a user does it, in a process of its own -------------------------------------------------


def fleetsim(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
        check=False,
    )


def test_the_first_command_of_a_newcomer(tmp_path: Path) -> None:
    done = fleetsim("run", folder=tmp_path, NO_COLOR="1", CI="1")
    assert done.returncode == 0, done.stderr
    assert "bundled hello" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in folder.iterdir()} == FILES
    assert str(folder.relative_to(tmp_path)) in done.stdout


def test_help_needs_nothing_and_names_every_verb(tmp_path: Path) -> None:
    # Its speed rests on what is imported, which the architecture tests count.
    done = fleetsim("--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(verb in done.stdout for verb in ("run", "init", "validate", "show", "doctor"))
    assert not list(tmp_path.iterdir())


def test_results_do_not_depend_on_the_place(shell: Shell, in_utc: None) -> None:
    assert shell("run", "tiny.toml", "-o", "here")[0] == 0
    place = {"PYTHONHASHSEED": "77", "TZ": "Asia/Kolkata", "LC_ALL": "C"}
    done = fleetsim("run", "tiny.toml", "-o", "there", folder=Path.cwd(), **place)
    assert done.returncode == 0, done.stderr
    here, there = written(Path("here")), written(Path("there"))
    for name in ("jobs.parquet", "hourly.parquet", "nodes.parquet", "summary.json"):
        assert here[name] == there[name], name


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    text = bundled.scenario_file("hyperscale-year").read_text(encoding="utf-8")
    (tmp_path / "long.toml").write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "run", "long.toml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        # What a shell starts in the background ignores SIGINT, and hands that on.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    while "jobs started" not in (line := process.stderr.readline()):
        assert line, "the run ended before it was interrupted"
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out == ""
    assert "nothing was written" in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["long.toml"]
