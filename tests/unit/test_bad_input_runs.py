"""Odd input that is accepted, odd places to write to and odd machines, through the command line.

The names begin with the number of the case in the catalogue of bad input; `test_bad_input_cases`
holds what is refused.
"""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import Shell
from tests.unit.test_bad_input_cases import (
    BASE,
    DRAWN,
    EVERY,
    FIVE,
    HEAD,
    JOBS,
    LADDER,
    POISSON,
    REPLAY,
    TWO_DAYS,
    edited,
    grid,
    hours,
)


@pytest.fixture(name="shell")
def _shell(shell: Shell) -> Shell:
    """Run commands in a folder that holds s.toml."""
    Path("s.toml").write_text(BASE, encoding="utf-8")
    return shell


def valid(shell: Shell, *said: str) -> None:
    """Check that s.toml is valid with these warnings, one each, and with no other."""
    code, out, err = shell("validate", "s.toml", "--json")
    warnings = json.loads(out)["warnings"]
    assert code == 0, err
    assert err == "".join(f"warning: {warning}\n" for warning in warnings)
    assert len(warnings) == len(said), warnings
    assert all(text in warning for text, warning in zip(said, warnings, strict=True)), warnings


def ran(shell: Shell) -> dict[str, Any]:
    """Run s.toml; return the summary, whose warnings stand in the manifest too."""
    code, out, err = shell("run", "s.toml", "-o", "out", "--json", "--no-progress")
    assert code == 0, err
    document: dict[str, Any] = json.loads(out)
    manifest = json.loads(Path("out/manifest.json").read_text(encoding="utf-8"))
    assert manifest["warnings"] == document["warnings"]
    assert err == "".join(f"warning: {warning}\n" for warning in document["warnings"])
    return document


# -- accepted, with and without a warning ----------------------------------------------------------

ACCEPTED = {
    "08 kW for W": ('"5.4 kW"', '"5400 kW"', "675 kW per accelerator is outside 10 W to 3 kW"),
    "08 W for kW": (' kW"\nbusy_power   = "5.4 kW"', ' W"\nbusy_power = "5.4 W"', "0.675 W"),
    "09 PUE 12": ("pue  = 1.2", "pue = 12", "12 is far above any usual PUE"),
    "12 p99 is p50": ('"90 min"', '{ p50 = "2 h", p99 = "2 h" }'),
    "18 late wake": ('lifetime     = "4 y"', LADDER % ', wake_time = "3 d"', "longer (3 d) than"),
    "19 no wake power": ('lifetime     = "4 y"', LADDER % ', wake_time = "1 min"'),
    "45 negative marginal": (
        "g/kWh\" } }", 'g/kWh" }, marginal = { constant = "-30 g/kWh" } }', "-30 g/kWh is negative"
    ),
    "46 kg/kWh": ('"400 g/kWh"', '"400 kg/kWh"', "outside 5 to 2000"),
    "46 lb/MWh": ('"400 g/kWh"', '"900 lb/MWh"'),
    "52 zero duration": ('"90 min"', '"0 s"'),
    "55 no workload": (DRAWN, ""),
    "57 rate 0": (EVERY, POISSON % "0 per d"),
    "58 overload": ('every = "1 h"', 'every = "1 min"', "offered load 22.5 of capacity"),
    "75 300 letters": ('"tiny"', f'"{"x" * 300}"'),
    "75 case alone": (DRAWN, DRAWN + DRAWN.replace("workloads.w", "workloads.W")),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(shell: Shell, case: str) -> None:
    old, new, *said = ACCEPTED[case]
    Path("s.toml").write_text(edited(old, new), encoding="utf-8")
    valid(shell, *said)


def test_31_tabs_crlf_a_byte_order_mark_and_trailing_spaces(shell: Shell) -> None:
    text = BASE.replace(" = ", "\t=\t").replace("\n", "  \r\n")
    Path("s.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    valid(shell)


QUARTERS = "\n".join(
    ["time,ci"]
    + [f"2022-06-{1 + k // 96:02d}T{k // 4 % 24:02d}:{k % 4 * 15:02d}:00Z,{k}" for k in range(192)]
)
GRIDS = {
    "05 NaN filled": (grid(gaps='"linear"'), TWO_DAYS.replace(FIVE, FIVE.replace("400", "nan")),
                      'filled by gaps = "linear": 1 step of 1 h from 2022-06-01T05:00Z'),
    "31 CRLF": (grid(), "\ufeff" + TWO_DAYS.replace("\n", "\r\n")),
    "36 wrap": (grid(after_end='"wrap"'), hours("2022-06-01")),
    "38 gap filled": (grid(gaps='"linear"'), TWO_DAYS.replace(FIVE, ""), "1 step of 1 h"),
    "41 zone of a file": (grid(time_zone='"Asia/Tokyo"'),
                          hours("2022-06-01", "2022-06-02", "2022-06-03", zone="")),
    "43 quarters": (grid(), QUARTERS),
    "45 negative marginal": (
        grid().replace("{ average", '{ average = "CISO", marginal'),
        TWO_DAYS.replace(FIVE, FIVE.replace(",4", ",-4")), "negative in 1 step"),
    "46 kg said to be g": (grid(), hours("2022-06-01", "2022-06-02", value=0.4), "median is 0.4"),
    "46 the unit wins": (grid(unit='"lb/MWh"'), hours("2022-06-01", "2022-06-02", value=900)),
    "47 other columns": (grid(), TWO_DAYS.replace("\n", ",x\n").replace("ci,x", "ci,other")),
}  # fmt: skip


@pytest.mark.parametrize("case", GRIDS)
def test_a_grid_file_is_accepted(shell: Shell, case: str) -> None:
    text, content, *said = GRIDS[case]
    Path("s.toml").write_text(text, encoding="utf-8")
    Path("g.csv").write_text(content, encoding="utf-8", newline="")
    valid(shell, *said)


def test_51_drawn_jobs_that_fit_nowhere_are_counted_and_load_nothing(shell: Shell) -> None:
    text = edited("gpus     = 4", "gpus = { choices = [4, 64], weights = [0.5, 0.5] }")
    Path("s.toml").write_text(text, encoding="utf-8")
    valid(shell, "fit in none of its clusters", "need more than the 16 accelerators")
    summary = ran(shell)
    assert 0 < summary["jobs_unschedulable"] < summary["jobs_submitted"] == 48
    assert summary["jobs_queued"] == 0


def test_54_jobs_after_the_horizon(shell: Shell) -> None:
    Path("s.toml").write_text(REPLAY, encoding="utf-8")
    Path("j.csv").write_text(f"{JOBS}\na,0,60,1\nb,1e9,60,1\n", encoding="utf-8")
    valid(shell, "1 job arrives at or after the horizon and is not simulated")
    Path("j.csv").write_text(f"{JOBS}\na,1e9,60,1\nb,1e9,60,1\n", encoding="utf-8")
    valid(shell, "all 2 jobs arrive at or after the horizon, so nothing runs")


def test_a_fleet_without_jobs_draws_its_idle_power(shell: Shell) -> None:
    Path("s.toml").write_text(HEAD, encoding="utf-8")
    summary = ran(shell)
    assert summary["energy_it_kwh"] == pytest.approx(2 * 1.4 * 48, rel=1e-12)
    assert summary["jobs_submitted"] == 0
    assert summary["wait_mean_h"] is None


def test_73_74_names_that_a_spreadsheet_a_browser_or_a_terminal_would_obey(shell: Shell) -> None:
    ids = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\x1b[31mred", "\u202eabc", "<script>alert()"]
    Path("s.toml").write_text(REPLAY.replace("few", "f\u202ew").replace("[clusters.f\u202ew]",
        '[clusters."f\u202ew"]').replace("tiny", "<script>alert(1)</script>"), "utf-8")  # fmt: skip
    Path("j.csv").write_text("\n".join([JOBS, *(f"{name},0,60,1" for name in ids)]), "utf-8")
    for verb in ("validate", "show", "run"):
        code, out, err = shell(verb, "s.toml", *(["-o", "o\u202eut"] if verb == "run" else []))
        assert code == 0, err
        assert all(line.isprintable() for line in (out + err).splitlines())
    assert "<script>alert(1)" not in Path("o\u202eut/report.html").read_text(encoding="utf-8")
    with Path("o\u202eut/columns.csv").open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@") and cell != "-"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../b", "🔥" * 300, "con", ".", "x" * 300])
def test_67_75_a_name_never_leaves_the_folder_of_runs(shell: Shell, name: str) -> None:
    Path("s.toml").write_text(edited('"tiny"', f'"{name}"'), encoding="utf-8")
    code, out, err = shell("run", "s.toml", "--json")
    assert code == 0, err
    (folder,) = Path("runs").iterdir()
    assert json.loads(out)["folder"] == str(folder)
    assert json.loads(out)["name"] == name
    assert folder.name.isascii()
    assert len(folder.name) < 60
    assert {path.name for path in Path().iterdir()} == {"s.toml", "runs"}


# -- places to write to ----------------------------------------------------------------------------


def written(path: Path, text: str = "mine") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def linked(path: Path, target: str) -> None:
    Path("elsewhere").mkdir(exist_ok=True)
    path.symlink_to(target)


PLACES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "69 link": ("out", lambda out: linked(out, "elsewhere"), "is a link"),
    "69 link, slash": ("out/", lambda out: linked(out, "elsewhere"), "is a link"),
    "69 link to nothing": ("out", lambda out: linked(out, "nowhere"), "is a link"),
    "69 below a link to nothing": ("l/out", lambda out: linked(out.parent, "nowhere"), "nowhere"),
    "70 other things": ("out", lambda out: written(out / "thesis.tex"), "'thesis.tex'"),
    "70 hidden things": ("out", lambda out: written(out / ".git/config"), "'.git'"),
    "70 among figures": ("out", lambda out: written(out / "figures/thesis.tex"), "'figures'"),
    "70 no manifest": ("out", lambda out: written(out / "report.html"), "'report.html'"),
    "71 a file": ("out", written, "is a file"),
    "71 below a file": ("f/out", lambda out: written(out.parent), "not a directory"),
    "71 no place to write": ("/proc/none/out", lambda _: None, "can't be written to"),
    "71 the current folder": (".", lambda _: None, "is the current folder"),
    "71 the one above": ("out/../..", lambda _: None, "is the current folder"),
    "71 too long": ("x" * 300, lambda _: None, "name too long"),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_place_is_refused_before_simulating(
    shell: Shell, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("simulated")

    monkeypatch.setattr("simulator.simulation.run", never)
    folder, make, said = PLACES[case]
    make(Path(folder))
    before = {path: path.lstat().st_mtime_ns for path in Path().rglob("*")}
    for more in ([], ["--overwrite"]):
        code, out, err = shell("run", "s.toml", "-o", folder, *more)
        assert (code, out) == (2, "")
        assert err.startswith("output folder: 1 problem\n")
        assert said in err
    assert {path: path.lstat().st_mtime_ns for path in Path().rglob("*")} == before


def test_67_a_way_through_folders_yet_to_be_made(shell: Shell) -> None:
    Path("deep").mkdir()
    os.chdir("deep")
    code, out, err = shell("run", "../s.toml", "-o", "absent/../../beside", "--json")
    assert code == 0, err
    assert json.loads(out)["jobs_submitted"] == 48
    assert {path.name for path in Path("..").iterdir()} == {"s.toml", "deep", "beside"}
    assert not list(Path().iterdir())


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_77_a_run_that_ends_while_it_writes_leaves_nothing(
    shell: Shell, stop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise stop

    monkeypatch.setattr(
        "simulator.results.write_table", lambda _table, _name, path, **_said: half(path)
    )
    code, out, err = shell("run", "s.toml", "-o", "new/out")
    said = {130: "interrupted; nothing was written\n", 2: "no space left on device"}
    assert code == (130 if stop is KeyboardInterrupt else 2)
    assert out == ""
    assert said[code] in err
    assert [path.name for path in Path().iterdir()] == ["s.toml"]


# -- machines --------------------------------------------------------------------------------------


def test_78_kernels_that_cannot_be_kept_are_warned_of(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.kernels.compile.is_warm", lambda: False)
    code, _, err = shell("run", "s.toml", "--no-progress")
    assert code == 0
    assert "warning: compiled kernels can't be kept" in err
    assert "NUMBA_CACHE_DIR" in err


MACHINES = (
    {"TZ": "Asia/Kolkata", "LC_ALL": "de_DE.UTF-8", "DISPLAY": "nowhere:9"},
    {"TZ": "none/such", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


def test_79_80_no_home_another_locale_and_letters_that_no_terminal_has(tmp_path: Path) -> None:
    text = BASE.replace("few", '"fëw"').replace('""', '"').replace("tiny", "täny🔥")
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    digests = []
    for number, machine in enumerate(MACHINES):
        environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "LANG")} | machine
        folder = f"öut🔥{number}"
        done = subprocess.run(
            [sys.executable, "-m", "simulator", "run", "s.toml", "-o", folder, "--no-progress"],
            capture_output=True,
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert len(done.stdout.splitlines()) <= 18
        files = sorted((tmp_path / folder).glob("*.parquet"))
        files.append(tmp_path / folder / "summary.json")
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert digests[0] == digests[1]
    assert len(digests[0]) == 4
