"""Bad input as a user meets it, case by case through the command line.

The names begin with the number of the case in the catalogue of bad input that the project keeps
to; cases of sweeps, batteries, failures and untrusted runs concern no command of this version.
"""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.scenario import toml_reader
from tests.unit.conftest import Shell

HEAD = """
schema  = 1
name    = "tiny"
start   = 2022-06-01T00:00:00Z
horizon = "2 d"
seed    = 3
[nodes.n]
accelerators = 8
idle_power   = "1.4 kW"
busy_power   = "5.4 kW"
embodied     = "2500 kg"
lifetime     = "4 y"
[sites.here]
pue  = 1.2
grid = { average = { constant = "400 g/kWh" } }
[clusters.few]
site  = "here"
node  = "n"
count = 2
"""
DRAWN = """
[workloads.w]
clusters = ["few"]
arrivals = { process = "regular", every = "1 h" }
duration = "90 min"
gpus     = 4
"""
BASE = HEAD + DRAWN
REPLAY = HEAD + '[workloads.w]\nclusters = ["few"]\njobs = { file = "j.csv" }\n'
LADDER = 'lifetime = "4 y"\nidle_states = [{ name = "s", after = "5 min", power = "150 W"%s }]'
POISSON = 'arrivals = { process = "poisson", rate = "%s" }'
EVERY = 'arrivals = { process = "regular", every = "1 h" }'
JOBS = "job_id,submit_s,duration_s,gpus"


@pytest.fixture
def shell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Run commands in an empty folder, with no data folder named."""
    monkeypatch.delenv("FLEETSIM_DATA", raising=False)
    return shell


def edited(old: str, new: str, text: str = BASE) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def grid(**keys: str) -> str:
    """Return the scenario with a grid file, and keys of it or of the grid around it."""
    outer = "".join(f", {key} = {keys.pop(key)}" for key in ("after_end", "gaps") if key in keys)
    said = {"file": '"g.csv"', "time": '"time"', "value": '"ci"', "unit": '"g/kWh"', **keys}
    table = ", ".join(f"{key} = {value}" for key, value in said.items())
    return edited('{ constant = "400 g/kWh" } }', f"{{ {table} }}{outer} }}")


def hours(*days: str, value: object = 400, zone: str = "Z") -> str:
    """Return a grid file with the hours of some days."""
    rows = [f"{day}T{hour:02d}:00:00{zone},{value}" for day in days for hour in range(24)]
    return "\n".join(["time,ci", *rows]) + "\n"


TWO_DAYS = hours("2022-06-01", "2022-06-02")
FIVE = "2022-06-01T05:00:00Z,400\n"


def refused(shell: Shell, file: str, *said: str) -> None:
    """Check that a file is refused in one message, with nothing written and no traceback."""
    before = sorted(Path().rglob("*"))
    for words in (("validate", file), ("run", file), ("run", file, "-o", "out/deep")):
        code, out, err = shell(*words)
        assert (code, out) == (2, ""), err
        assert all(text in err for text in said), err
        assert "Traceback" not in err
        assert len(err.splitlines()) <= 22
        assert err.splitlines()[0].endswith(("problem", "problems"))
    code, out, err_again = shell("run", file, "--json")
    assert (code, err_again) == (2, err)
    assert json.loads(out)["message"] == err.rstrip("\n")
    assert sorted(Path().rglob("*")) == before


# -- scenarios ----------------------------------------------------------------------------------

SCENARIOS = {
    "01 unknown key": ("count =", "cout =", "did you mean 'count'?"),
    "02 key missing": ("count = 2", "", 'count  missing; e.g. count = 128'),
    "03 negative power": ('"1.4 kW"', '"-1.4 kW"', "is negative"),
    "03 negative GPUs": ("gpus     = 4", "gpus = -4", "-4 is out of range"),
    "03 negative duration": ('"90 min"', '"-90 min"', "at least 0"),
    "03 negative count": ("count = 2", "count = -2", "-2 is out of range"),
    "04 nan": ("pue  = 1.2", "pue = nan", "nan is not finite"),
    "04 inf": ("pue  = 1.2", "pue = inf", "inf is not finite"),
    "04 nan in a quantity": ('"1.4 kW"', '"nan kW"', "is not a power"),
    "06 text for number": ("gpus     = 4", 'gpus = "4"', "write it without quotes: 4"),
    "06 truth for number": ("gpus     = 4", "gpus = true", "true is not a whole number"),
    "07 half a GPU": ("gpus     = 4", "gpus = 1.5", "1.5 is not a whole number"),
    "09 PUE below 1": ("pue  = 1.2", "pue = 0.9", "0.9 is too small"),
    "09 PUE 0": ("pue  = 1.2", "pue = 0", "0 is too small"),
    "11 p99 below p50": ('"90 min"', '{ p50 = "2 h", p99 = "1 h" }', "p99 (1 h)", "p50 (2 h)"),
    "13 p50 zero": ('"90 min"', '{ p50 = "0 h", p99 = "1 h" }', "p50", "too small"),
    "14 utilisation above 1": ("gpus     = 4", "gpus = 4\nutilisation = 1.2", "at most 1"),
    "14 utilisation below 0": ("gpus     = 4", "gpus = 4\nutilisation = -0.1", "at least 0"),
    "15 idle above busy": ('"5.4 kW"', '"1.3 kW"', "(1.3 kW)", "(1.4 kW)"),
    "16 sleep above idle": ('lifetime     = "4 y"', LADDER.replace("150", "1500") % "", "(1.5 kW)"),
    "17 negative wake": ('lifetime     = "4 y"', LADDER % ', wake_time = "-1 s"', "wake_time"),
    "21 cluster twice": ("[clusters.few]", "[clusters.few]\n[clusters.few]", "first in line 16"),
    "22 unknown cluster": ('["few"]', '["fwe"]', 'did you mean "few"?'),
    "22 unknown node": ('"n"', '"m"', "no node type is called", "known are n, "),
    "23 in two clusters": ('["few"]', '["few", "few"]', "stands in the list twice"),
    "26 syntax": ("count = 2", "count = = 2", "line 19, column 9"),
    "27 key twice": ("count = 2", "count = 2\ncount = 3", "line 20", "first in line 19"),
    "28 deep lists": ("count = 2", f"count = {'[' * 10000}{']' * 10000}", "nested more than 32"),
    "28 deep keys": ("count = 2", f"{'a.' * 10000}a = 2", "nested more than 32 deep"),
    "28 many problems": ("count = 2", "".join(f"k{k} = 1\n" for k in range(999)), "and 980 more"),
    "30 bare number": ('"1.4 kW"', "1400", "one of W, kW, MW"),
    "30 wrong dimension": ('"1.4 kW"', '"400 kg"', "one of W, kW, MW"),
    "30 unknown unit": ('"90 min"', '"4 fortnights"', "one of ms, s, min, h, d, y"),
    "45 negative average": ('"400 g/kWh"', '"-400 g/kWh"', "is negative"),
    "46 unknown unit": ('"400 g/kWh"', '"400 g/MWh"', "one of g/kWh, kg/kWh"),
    "53 no GPU": ("gpus     = 4", "gpus = 0", "0 is out of range"),
    "56 horizon 0": ('"2 d"', '"0 d"', "write a time above 0"),
    "56 horizon negative": ('"2 d"', '"-2 d"', "write a time above 0"),
    "57 negative rate": (EVERY, POISSON % "-1 per d", "is negative"),
    "59 1e9 nodes": ("count = 2", "count = 1000000000", "from 1 to 1048576"),
    "59 1e8 jobs": ('every = "1 h"', 'every = "1 ms"', "172,800,000 jobs"),
    "59 many rows": ("[nodes.n]", '[accounting]\ninterval = "1 ms"\n[nodes.n]', "172,800,000"),
    "60 2^63": ("count = 2", "count = 9223372036854775808", "out of range"),
    "60 5000 digits": ("count = 2", f"count = {'9' * 5000}", "not TOML"),
    "60 horizon": ('"2 d"', '"1e300 y"', "too large a number"),
    "60 power": ('"5.4 kW"', '"1e300 kW"', "at most 1e+06 MW"),
    "60 mass": ('"2500 kg"', '"1e300 kg"', "at most 1e+09 t"),
    "60 PUE": ("pue  = 1.2", "pue = 1e300", "at most 1000"),
    "60 calendar": ("2022-06-01", "9999-12-31", "after the year 9999"),
    "61 seed negative": ("seed    = 3", "seed = -1", "seed  -1 is out of range"),
    "61 seed fraction": ("seed    = 3", "seed = 1.5", "1.5 is not a whole number"),
    "61 seed text": ("seed    = 3", 'seed = "3"', "write it without quotes: 3"),
    "63 a sweep file": ("[nodes.n]", '[sweep]\n"a.b" = [1]\n[nodes.n]', "1 problem", "  sweep"),
    "64 failures": ("count = 2", 'count = 2\nmtbf = "0 h"', "few.mtbf  unknown key"),
    "64 MTBF": (
        'lifetime     = "4 y"', 'lifetime = "4 y"\nfailures = { mtbf = "0 h", repair = "8 h" }',
        "nodes.n.failures.mtbf", "write a time above 0",
    ),
    "64 checkpoint": (
        "gpus     = 4", 'gpus = 4\ncheckpoint = { interval = "0 s" }',
        "workloads.w.checkpoint.interval", "write a time above 0",
    ),
    "74 escape in a name": ('"tiny"', '"a\\u001b[31mb"', r"a\x1b[31mb", "control characters"),
    "74 escape in a key": ("count = 2", 'count = 2\n"\\u202ex" = 1', r"\U0000202ex"),
    "75 301 letters": ('"tiny"', f'"{"x" * 301}"', "301 characters are too many"),
    "76 newer schema": ("schema  = 1", "schema = 2", "made for schema 2, this is 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", SCENARIOS)
def test_a_scenario_is_refused(shell: Shell, case: str) -> None:
    old, new, *said = SCENARIOS[case]
    Path("s.toml").write_text(edited(old, new), encoding="utf-8")
    refused(shell, "s.toml", "s.toml: ", *said)


FILES: dict[str, tuple[str, str | bytes, str]] = {
    "25 empty": ("s.toml", "", "empty; write a scenario"),
    "25 only comments": ("s.toml", "# nothing\n", "empty; write a scenario"),
    "25 a list": ("s.toml", "[1, 2]\n", "brackets alone in a line name a table"),
    "29 yaml": ("s.yaml", "a: 1\n", "scenarios are TOML files"),
    "29 json": ("s.json", "{}", "scenarios are TOML files"),
    "29 pickle": ("s.pkl", b"\x80\x04.", "scenarios are TOML files"),
    "32 not UTF-8": ("s.toml", b'schema = 1\nname = "caf\xe9"\n', "byte 22 (line 2) is 0xe9"),
    "32 UTF-16": ("s.toml", BASE.encode("utf-16"), "UTF-16"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_is_no_scenario(shell: Shell, case: str) -> None:
    name, content, said = FILES[case]
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(shell, name, said)


def test_24_a_circle_and_a_chain_without_end(shell: Shell) -> None:
    Path("s.toml").write_text('extends = "t.toml"', encoding="utf-8")
    Path("t.toml").write_text('extends = "s.toml"', encoding="utf-8")
    refused(shell, "s.toml", "s.toml -> t.toml -> s.toml")
    for k in range(2000):
        Path(f"c{k}.toml").write_text(f'extends = "c{k + 1}.toml"', encoding="utf-8")
    refused(shell, "c0.toml", "c0.toml: 1 problem", "more than 32 files")


def test_32_a_value_of_the_command_line_that_is_not_utf_8(shell: Shell) -> None:
    Path("s.toml").write_text(BASE, encoding="utf-8")
    code, out, err = shell("run", "s.toml", "--set", "name=\udcff")
    assert (code, out) == (2, "")
    assert r'name  "\udcff" is not UTF-8' in err
    assert [path.name for path in Path().iterdir()] == ["s.toml"]


def test_28_a_hundred_megabytes_are_refused_unread(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("s.toml").open("wb") as stream:
        stream.truncate(100_000_000)
    read: list[Path] = []
    monkeypatch.setattr(toml_reader.Path, "read_bytes", read.append)
    refused(shell, "s.toml", "100 MB is too large")
    assert read == []


# -- files that a scenario names ------------------------------------------------------------------

TRACES: dict[str, tuple[dict[str, str], str, str]] = {
    "05 NaN": ({}, TWO_DAYS.replace(FIVE, FIVE.replace("400", "nan")), "no value in row 7"),
    "36 too short": ({}, hours("2022-06-01"), "covers 2022-06-01T00:00Z to 2022-06-02T00:00Z"),
    "37 too late": ({}, hours("2022-06-02", "2022-06-03"), "starts at 2022-06-02T00:00Z, after"),
    "38 gap": ({}, TWO_DAYS.replace(FIVE, ""), "missing 1 step of 1 h from 2022-06-01T05:00Z"),
    "39 twice": ({}, TWO_DAYS.replace(FIVE, FIVE * 2), "rows 7 and 8"),
    "40 unsorted": ({}, TWO_DAYS.replace(FIVE, "") + FIVE, "timestamps go back in row 49"),
    "41 local time": ({}, TWO_DAYS.replace("Z", ""), "carries no UTC offset"),
    "41 mixed offsets": ({}, TWO_DAYS.replace("02T05:00:00Z", "02T05:00:00+02:00"), "mixes UTC"),
    "41 hour that is not": (
        {"time_zone": '"Europe/Berlin"'},
        hours("2022-03-26", "2022-03-27", zone=""),
        "does not exist in Europe/Berlin, where the clock is put forward, in row 28",
    ),
    "41 hour in doubt": (
        {"time_zone": '"Europe/Berlin"'},
        hours("2022-10-29", "2022-10-30", zone=""),
        "occurs twice, where the clock is put back",
    ),
    "42 unknown zone": ({"time_zone": '"Europe/Berln"'}, TWO_DAYS, 'mean "Europe/Berlin"?'),
    "43 mixed steps": ({}, TWO_DAYS + "".join(
        f"2022-06-03T{k // 4:02d}:{k % 4 * 15:02d}:00Z,4\n" for k in range(1, 40)
    ), "steps of different length"),
    "45 negative": ({}, TWO_DAYS.replace(FIVE, FIVE.replace(",4", ",-4")), "negative in row 7"),
    "47 no such column": ({"value": '"co2"'}, TWO_DAYS, "the file has time, ci"),
    "48 decimal comma": ({}, TWO_DAYS.replace("400", '"4,5"', 1), "write a point"),
    "48 semicolons": ({}, TWO_DAYS.replace(",", ";"), "columns are separated by ';'"),
    "49 line break": ({}, TWO_DAYS.replace("400", '"4\n0"', 1), "row 2 holds a line break"),
    "49 ragged": ({}, TWO_DAYS.replace(",400", "", 1), "row 2 has 1"),
    "50 header only": ({}, "time,ci\n", "no row of data"),
    "60 intensity": ({}, hours("2022-06-01", "2022-06-02", value="1e300"), "above 1e+09 g/kWh"),
    "60 year 0": ({}, hours("0000-01-01", "0000-01-02"), "covers 0000-01-01T00:00Z"),
}  # fmt: skip


@pytest.mark.parametrize("case", TRACES)
def test_a_grid_file_is_refused(shell: Shell, case: str) -> None:
    keys, content, said = TRACES[case]
    Path("s.toml").write_text(grid(**keys), encoding="utf-8")
    Path("g.csv").write_text(content, encoding="utf-8")
    refused(shell, "s.toml", "s.toml: 1 problem", "sites.here.grid.average", said)


def test_44_a_leap_year_with_the_rows_of_a_common_one(shell: Shell) -> None:
    text = grid().replace("2022-06-01", "2024-01-01").replace('"2 d"', '"366 d"')
    Path("s.toml").write_text(text, encoding="utf-8")
    days = [f"2024-{m:02d}-{d:02d}" for m in range(1, 13) for d in range(1, 32)]
    absent = {"02-29", "02-30", "02-31", "04-31", "06-31", "09-31", "11-31"}
    Path("g.csv").write_text(hours(*(day for day in days if day[5:] not in absent)), "utf-8")
    refused(shell, "s.toml", "a leap year of 8,784 h: 24 h are missing, from 2024-02-29T00:00Z")


ROWS = {
    "03 negative duration": ("a,0,-60,1", "duration_s must not be negative: -60 in row 2"),
    "04 inf": ("a,0,inf,1", "duration_s is infinite in row 2"),
    "05 NaN": ("a,nan,60,1", "submit_s is empty in row 2"),
    "07 half a GPU": (
        "a,0,60,0.5",
        "a part of one is 1 with a column fraction: 0.5 in row 2",
    ),
    "20 deadline": ("a,0,60,1,30", "lies before submit + duration: 30 in row 2", "deadline_s"),
    "21 id twice": ("a,0,60,1\nb,0,60,1\na,1,60,1", '"a" stands in rows 2 and 4'),
    "22 cluster": ("a,0,60,1,fex", 'did you mean "few"?', "cluster"),
    "22 accelerator": ("a,0,60,1,h100", "known are none", "accelerator"),
    "48 thousands": ('a,0,"3,600",1', "no thousands separators"),
    "49 line break": ('"a\nb",0,60,1', "row 2 holds a line break"),
    "50 header only": ("", "no row of data"),
    "51 too many GPUs": ("a,0,60,17", "job a (17); enlarge the cluster"),
    "53 no GPU": ("a,0,60,0", "gpus must be at least 1: 0 in row 2"),
    "60 overflow": ("a,0,9223372036854775808,1", "duration_s is too long"),
    "74 escapes": ("\x1b[31mred,0,60,99", r"job \x1b[31mred (99)"),
    "75 long text": (f"{'x' * 9999},0,60,99", "xxx ... (99)"),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_job_file_is_refused(shell: Shell, case: str) -> None:
    row, said, *column = ROWS[case]
    Path("s.toml").write_text(REPLAY, encoding="utf-8")
    Path("j.csv").write_text("\n".join([",".join([JOBS, *column]), row, ""]), encoding="utf-8")
    refused(shell, "s.toml", "s.toml: 1 problem", "workloads.w.jobs  j.csv: ", said)


PARQUET: dict[str, tuple[str, list[Any], str]] = {
    "06 lists for ids": ("job_id", [["a"]], 'the column "job_id" is of type list'),
    "06 bytes for ids": ("job_id", [b"\xff"], 'the column "job_id" is of type binary'),
    "06 truth for GPUs": ("gpus", [True], "gpus is a column of bool"),
    "60 2^63 GPUs": ("gpus", [2**63 - 1], "gpus is too many"),
}


@pytest.mark.parametrize("case", PARQUET)
def test_a_parquet_file_is_refused(shell: Shell, case: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    name, cells, said = PARQUET[case]
    good = {"job_id": ["a"], "submit_s": [0.0], "duration_s": [60.0], "gpus": [1]}
    pq.write_table(pa.table(good | {name: cells}), "j.parquet")
    Path("s.toml").write_text(REPLAY.replace("j.csv", "j.parquet"), encoding="utf-8")
    refused(shell, "s.toml", said)


def no_file(path: Path) -> None:
    assert not path.exists()


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "33 missing": (no_file, '"j.csv" does not exist (looked for j.csv in the scenario'),
    "34 folder": (Path.mkdir, "is a folder"),
    "34 pipe": (os.mkfifo, "is no regular file"),
    "34 device": (lambda path: path.symlink_to("/dev/zero"), "is no regular file"),
    "34 socket": (a_socket, "is no regular file"),
    "34 link to itself": (lambda path: path.symlink_to(path.name), "does not exist"),
    "72 pickle": (lambda path: path.write_bytes(b"\x80\x04\x95."), "not UTF-8 text at byte 0"),
}


@pytest.mark.parametrize("case", PLACES)
def test_what_is_no_file_is_refused_at_once(shell: Shell, case: str) -> None:
    make, said = PLACES[case]
    make(Path("j.csv"))
    Path("s.toml").write_text(REPLAY, encoding="utf-8")
    refused(shell, "s.toml", "workloads.w.jobs", said)
