"""``fleetsim traces``: what check, convert and export print, write and refuse."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from simulator.exports import BATSIM_COLUMNS
from simulator.job_formats import job_formats
from tests.trace_files import grid_text, hours
from tests.unit import trace_samples as samples
from tests.unit.conftest import Shell
from tests.unit.trace_samples import trace_of, written

FOREIGN = sorted(set(job_formats()) - {"csv", "parquet"})
HEADER = "job_id,submit_s,duration_s,gpus"
PACKED = gzip.compress(samples.SWF.encode(), mtime=0)
"""Without its time: it stands in the names of tests, which all processes must agree on."""

SCENARIO = """\
schema = 1
name = "small"
start = 2022-01-01T00:00:00Z
horizon = "1 d"
seed = 7

[nodes.n]
accelerators = 8
idle_power = "1 kW"
busy_power = "5 kW"
embodied = "1 t"
lifetime = "4 y"

[sites.s]
pue = 1.1
grid = { average = { constant = "400 g/kWh" } }

[clusters.c]
site = "s"
node = "n"
count = 2

[workloads.w]
clusters = ["c"]
"""

REPLAY = SCENARIO + 'jobs = { file = "jobs.csv" }\n'


def test_the_verb_alone_prints_its_help(shell: Shell) -> None:
    code, out, err = shell("traces")
    assert (code, err) == (0, "")
    assert {"check", "convert", "export"} <= {line.split()[0] for line in out.splitlines() if line}


@pytest.mark.parametrize("verb", ["check", "convert", "export"])
def test_every_verb_has_help_of_80_columns(shell: Shell, verb: str) -> None:
    code, out, _ = shell("traces", verb, "--help")
    assert code == 0
    assert {"--json", "--quiet", "--no-progress"} <= set(out.replace(",", " ").split())
    assert max(map(len, out.splitlines())) <= 80


# check: jobs


def test_check_says_what_a_trace_holds(shell: Shell, tmp_path: Path) -> None:
    written(tmp_path, "swf")
    code, out, err = shell("traces", "check", "log.swf")
    assert code == 0
    assert out.splitlines() == [
        "log.swf: swf, 3 jobs",
        "  submitted  0 s to 40 s, 0.000463 d",
        "  GPU-days   p50 0.008403, p99 0.009242, mean 0.005887, sum 0",
        "  GPUs       1: 33.3 %, 8: 33.3 %, 12: 33.3 %; largest 12",
        "  gaps       0 of more than a day without a job; the longest 0.000231 d from 0 s",
        "  also       2 users, 2 jobs asked for another run time",
        "  left out   1 part of a job that has a line of its own",
        "  left out   1 no submit time",
        "  left out   1 no run time: it never ran, or nobody noted it",
        "  left out   1 no processors",
    ]
    assert "warning: each processor counts as one accelerator" in err


def test_check_finds_gaps(shell: Shell, tmp_path: Path) -> None:
    rows = ["a,0,60,1", "b,200000,60,1", "c,200060,60,1", "d,300000,60,1"]
    (tmp_path / "j.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    document = json.loads(shell("traces", "check", "j.csv", "--json")[1])
    assert (document["gaps"], document["longest_gap_from"]) == (2, "0 s")
    assert document["longest_gap_d"] == pytest.approx(200_000 / 86_400)


@pytest.mark.parametrize("form", FOREIGN)
def test_check_tells_every_format_from_the_file(shell: Shell, tmp_path: Path, form: str) -> None:
    path = written(tmp_path, form)
    code, out, _ = shell("traces", "check", path.name, "--json")
    document = json.loads(out)
    assert (code, document["kind"], document["format"]) == (0, "jobs", form)
    assert document["jobs"] == len(trace_of(path, form).jobs)
    assert path.name in document["inputs"]


def test_check_counts_and_names_jobs_without_a_place(shell: Shell, tmp_path: Path) -> None:
    rows = [f"j{k},0,60,{gpus},{where}" for k, (gpus, where) in enumerate(
        [(16, ""), (17, ""), (1, "c"), (1, "elsewhere"), (64, ""), (99, "")]
    )]  # fmt: skip
    (tmp_path / "jobs.csv").write_text("\n".join([f"{HEADER},cluster", *rows]), encoding="utf-8")
    (tmp_path / "s.toml").write_text(REPLAY, encoding="utf-8")
    words = ("traces", "check", "jobs.csv", "--scenario", "s.toml")
    assert "  no place   4 jobs in s.toml: j1, j3, j4 and 1 more" in shell(*words)[1]
    misfits = json.loads(shell(*words, "--json")[1])["misfits"]
    assert misfits == {"jobs": 4, "named": ["j1", "j3", "j4", "j5"]}


def test_check_takes_other_names_of_columns(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "j.csv").write_text("name,t,duration_s,gpus\na,0,60,1\n", encoding="utf-8")
    assert shell("traces", "check", "j.csv")[0] == 2
    words = ("--column", "job_id=name", "--column", "submit_s=t")
    assert "csv, 1 job" in shell("traces", "check", "j.csv", *words)[1]


def test_check_lists_all_that_is_wrong(shell: Shell, tmp_path: Path) -> None:
    rows = ["a,0,-60,1", "a,-5,60,0", "c,0,nan,1"]
    (tmp_path / "j.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    code, out, err = shell("traces", "check", "j.csv")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "j.csv: 5 problems",
        "  duration_s is empty in row 4",
        "  duration_s must not be negative: -60 in row 2",
        "  gpus must be at least 1: 0 in row 3",
        '  job_id must be unique: "a" stands in rows 2 and 3',
        "  submit_s must not be negative: -5 in row 3",
    ]


@pytest.mark.parametrize(
    ("content", "words", "said"),
    [
        (b"", [], "the file is empty"),
        (b"some words\nand more\n", [], "looks like no trace; say its format, of jobs one of acme"),
        (PACKED[:-9], [], "the gzip file is broken or cut short"),
        (PACKED[:12], [], "looks like no trace"),
        (b"\x1f\x8bnonsense", [], "can't be read, or its gzip is broken"),
        (
            samples.HELIOS.encode(),
            ["--format", "swf"],
            'looks like helios; write format = "helios"',
        ),
        (samples.HELIOS.encode(), ["--format", "helos"], "did you mean helios?"),
        (samples.SWF.encode(), ["--time-zone", "UTC"], 'not for format = "swf"; it is for helios'),
        (samples.SWF.encode(), ["--column", "x"], "x says no NAME=VALUE"),
    ],
)
def test_check_refuses_in_one_message(
    shell: Shell, tmp_path: Path, content: bytes, words: list[str], said: str
) -> None:
    (tmp_path / "x").write_bytes(content)
    code, out, err = shell("traces", "check", "x", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_check_of_a_file_that_is_not_there_names_a_near_one(shell: Shell, tmp_path: Path) -> None:
    written(tmp_path, "swf")
    code, _, err = shell("traces", "check", "logs.swf")
    assert code == 2
    assert "no such file; did you mean log.swf?" in err


# check: grids


def test_check_of_a_grid(shell: Shell, tmp_path: Path) -> None:
    rows = hours([400, 380, "", "", 300, "", 420])
    (tmp_path / "g.csv").write_text(grid_text(rows, "timestamp_utc,ci_g_per_kwh"))
    code, out, _ = shell("traces", "check", "g.csv")
    assert code == 0
    assert out.splitlines() == [
        "g.csv: csv, average intensity, 7 steps of 1 h",
        "  read       7 rows: column ci_g_per_kwh in g/kWh",
        "  signal     factors not stated, mix not stated",
        "  covers     2022-01-01T00:00Z to 2022-01-01T07:00Z, 0.29167 d",
        "  g/kWh      300 to 420, mean 375, median 390",
        "  missing    3 steps in 2 gaps; the longest 2 h from 2022-01-01T02:00Z",
        "             2022-01-01T02:00Z to 2022-01-01T04:00Z: 2",
        "             2022-01-01T05:00Z to 2022-01-01T06:00Z: 1",
    ]
    document = json.loads(shell("traces", "check", "g.csv", "--json", "--stamp", "end")[1])
    assert (document["kind"], document["missing"], document["gaps"]) == ("grid", 3, 2)
    assert document["first"] == "2021-12-31T23:00Z"


def test_check_warns_of_an_implausible_unit_and_refuses_repeated_times(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "g.csv").write_text(grid_text(hours([0.4, 0.3, 0.2])))
    words = ("traces", "check", "g.csv", "--value", "ci")
    assert "say it, e.g. --unit g/kWh" in shell(*words)[2]
    assert "the median is 0.3 g/kWh" in shell(*words, "--unit", "g/kWh")[2]
    assert shell(*words, "--unit", "kg/kWh")[2] == ""
    (tmp_path / "g.csv").write_text(grid_text(hours([400, 300]) + hours([200])))
    code, _, err = shell(*words, "--unit", "g/kWh")
    assert code == 2
    assert "1 timestamp more than once" in err
    assert "timestamps go back in row 4" in err


# convert


@pytest.mark.parametrize("form", FOREIGN)
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_what_is_converted_reads_as_the_trace(
    shell: Shell, tmp_path: Path, form: str, ending: str
) -> None:
    path = written(tmp_path, form)
    code, out, _ = shell("traces", "convert", "--from", form, path.name, "-o", f"out{ending}")
    assert code == 0
    assert f'replay them with jobs = {{ file = "out{ending}"' in out
    before = trace_of(path, form)
    after = trace_of(tmp_path / f"out{ending}", "parquet" if ending == ".parquet" else "csv")
    assert after.jobs.sha256 == before.jobs.sha256
    assert after.first_ms == before.first_ms


def test_a_converted_trace_is_replayed(shell: Shell, tmp_path: Path) -> None:
    written(tmp_path, "philly")
    done = json.loads(
        shell("traces", "convert", "cluster_job_log", "-o", "jobs.csv.gz", "--json")[1]
    )
    assert done["origin"] == "2017-10-07T08:11:39Z"
    assert done["dropped"]["no attempt recorded"] == 1
    keys = f'file = "jobs.csv.gz", origin = {done["origin"]}'
    (tmp_path / "s.toml").write_text(SCENARIO + f"jobs = {{ {keys} }}\n", encoding="utf-8")
    assert "2 jobs" in shell("validate", "s.toml")[1]
    direct = 'file = "cluster_job_log", format = "philly", origin = 2017-10-07T08:11:39Z'
    (tmp_path / "t.toml").write_text(SCENARIO + f"jobs = {{ {direct} }}\n", encoding="utf-8")
    assert "2 jobs" in shell("validate", "t.toml")[1]


def test_a_trace_and_what_it_is_converted_to_run_alike(shell: Shell, tmp_path: Path) -> None:
    written(tmp_path, "swf")
    said = ("--processors-per-accelerator", 8)
    assert shell("traces", "convert", "log.swf", "-o", "jobs.parquet", *said)[0] == 0
    energies = []
    for name, jobs in (
        ("direct", 'file = "log.swf", processors_per_accelerator = 8'),
        ("converted", 'file = "jobs.parquet"'),
    ):
        text = SCENARIO + f"jobs = {{ {jobs} }}\n"
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        code, out, err = shell("run", f"{name}.toml", "-o", name, "--json")
        assert code == 0, err
        summary = json.loads(out)
        assert summary["jobs_finished"] == 3
        energies.append(summary["energy_dynamic_kwh"])
    # 100 s on 1 of 8 accelerators and 60.5 s on 2, of 4 kW between idle and busy.
    assert energies == pytest.approx([(100 * 1 + 60.5 * 2) / 8 * 4 / 3600] * 2)
    said_of_it = json.loads((tmp_path / "direct" / "manifest.json").read_text(encoding="utf-8"))
    assert "1 job left out: no processors" in "\n".join(said_of_it["warnings"])


def test_the_same_trace_gives_the_same_bytes(shell: Shell, tmp_path: Path) -> None:
    written(tmp_path, "helios")
    for name in ("a.csv.gz", "b.csv.gz"):
        assert shell("traces", "convert", "cluster_log.csv", "-o", name)[0] == 0
    assert Path("a.csv.gz").read_bytes() == Path("b.csv.gz").read_bytes()


def test_convert_leaves_nothing_behind_where_it_refuses(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bad.swf").write_text("1 2 3\n", encoding="utf-8")
    assert shell("traces", "convert", "bad.swf", "--from", "swf", "-o", "out.csv")[0] == 2
    written(tmp_path, "swf")
    for target, said in (
        ("out.xlsx", "end it with .csv, .csv.gz, .parquet"),
        ("gone/out.csv", "its folder is not there"),
        ("log.swf.csv", "is a folder"),
        ("bad.csv", "is there already; add --overwrite"),
    ):
        if said == "is a folder":
            (tmp_path / target).mkdir()
        if said.startswith("is there"):
            (tmp_path / target).write_text("mine", encoding="utf-8")
        code, _, err = shell("traces", "convert", "log.swf", "-o", target)
        assert code == 2
        assert said in err
    assert (tmp_path / "bad.csv").read_text(encoding="utf-8") == "mine"
    assert shell("traces", "convert", "log.swf", "-o", "bad.csv", "--overwrite")[0] == 0
    names = {entry.name for entry in tmp_path.iterdir()}
    assert names == {"bad.swf", "log.swf", "log.swf.csv", "bad.csv"}


# export


def test_export_writes_the_jobs_file_of_batsim(shell: Shell, tmp_path: Path) -> None:
    rows = [
        "a,0,3600,8", "b,0,7200,4", "c,10,600,8", "d,20,0,2", "e,3600.5,100,16", "f,80000,9999,1",
    ]  # fmt: skip
    (tmp_path / "jobs.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    (tmp_path / "s.toml").write_text(REPLAY, encoding="utf-8")
    assert shell("run", "s.toml", "-o", "out", "--quiet")[0] == 0
    code, out, err = shell("traces", "export", "out", "--to", "batsim", "-o", "out_jobs.csv")
    assert (code, out) == (0, "out_jobs.csv: 5 jobs\n")
    assert "1 job left out: running when the run ended" in err
    lines = (tmp_path / "out_jobs.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == (
        "job_id,workload_name,profile,submission_time,requested_number_of_resources,"
        "requested_time,success,final_state,starting_time,execution_time,finish_time,"
        "waiting_time,turnaround_time,stretch,allocated_resources,consumed_energy,metadata"
    )
    jobs = {job["job_id"]: job for job in csv.DictReader(lines)}
    assert tuple(jobs["a"]) == BATSIM_COLUMNS
    assert (jobs["a"]["final_state"], jobs["a"]["success"]) == ("COMPLETED_SUCCESSFULLY", "1")
    assert (jobs["a"]["starting_time"], jobs["a"]["finish_time"]) == ("0.000000", "3600.000000")
    assert jobs["a"]["allocated_resources"] == "0-7"
    assert jobs["b"]["allocated_resources"] == "8-11"
    assert jobs["c"]["waiting_time"] == "3590.000000"
    assert float(jobs["c"]["stretch"]) == pytest.approx(4190 / 600)
    assert jobs["d"]["stretch"] == ""
    held = [held_by(job) for job in jobs.values()]
    assert [len(found) for found in held] == [
        int(job["requested_number_of_resources"]) for job in jobs.values()
    ]
    assert set().union(*held) == set(range(16))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    total_j = sum(float(job["consumed_energy"]) for job in jobs.values())
    assert 0 < total_j < summary["energy_it_kwh"] * 3.6e6


def test_no_two_jobs_of_an_export_hold_one_accelerator(shell: Shell) -> None:
    assert shell("run", "hello", "-o", "out", "--quiet")[0] == 0
    assert shell("traces", "export", "out", "-o", "jobs.csv")[0] == 0
    events: list[tuple[float, int, set[int]]] = []
    with Path("jobs.csv").open(encoding="utf-8") as file:
        for job in csv.DictReader(file):
            held = held_by(job)
            assert len(held) == int(job["requested_number_of_resources"])
            events.append((float(job["starting_time"]), 1, held))
            events.append((float(job["finish_time"]), 0, held))
    assert len(events) > 6000
    now: set[int] = set()
    for _, begins, held in sorted(events, key=lambda event: event[:2]):
        assert not begins or not now & held
        now = now | held if begins else now - held
    assert max(max(held) for _, _, held in events) < 64 * 8


def test_a_run_in_which_no_job_ended_gives_a_header(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text(f"{HEADER}\na,0,999999,1\n", encoding="utf-8")
    (tmp_path / "s.toml").write_text(REPLAY, encoding="utf-8")
    assert shell("run", "s.toml", "-o", "out", "--quiet")[0] == 0
    done = json.loads(shell("traces", "export", "out", "-o", "jobs_out.csv", "--json")[1])
    assert done["left_out"] == {"running": 1, "queued": 0}
    assert Path("jobs_out.csv").read_text(encoding="utf-8") == ",".join(BATSIM_COLUMNS) + "\n"


def test_export_refuses_what_it_does_not_know(shell: Shell) -> None:
    assert "known are batsim" in shell("traces", "export", "gone", "--to", "x", "-o", "j.csv")[2]
    code, _, err = shell("traces", "export", "gone", "-o", "j.csv")
    assert code == 2
    assert "no such folder" in err
    assert not Path("j.csv").exists()


def held_by(job: dict[str, str]) -> set[int]:
    """Return the accelerators of a job, as evalys reads them."""
    held: set[int] = set()
    for part in job["allocated_resources"].split():
        low, _, high = part.partition("-")
        held |= set(range(int(low), int(high or low) + 1))
    return held


def test_a_table_that_lacks_a_column_by_a_hair_is_told_which(shell: Shell) -> None:
    Path("j.csv").write_text("job_id,submit_utc,duration_s,gpus\na,0,60,1\n", encoding="utf-8")
    code, _, err = shell("traces", "check", "j.csv")
    assert (code, "submit_s" in err, "did you mean 'submit_utc'" in err) == (2, True, True)


def test_a_folder_is_no_trace(shell: Shell) -> None:
    Path("traces").mkdir()
    code, _, err = shell("traces", "check", "traces")
    assert (code, "is a folder; name a file" in err) == (2, True)


@pytest.mark.parametrize("option", ["--format", "--from"])
def test_both_verbs_take_the_format_by_both_names(shell: Shell, option: str) -> None:
    Path("j.csv").write_text("job_id,submit_s,duration_s,gpus\na,0,60,1\n", encoding="utf-8")
    assert shell("traces", "check", "j.csv", option, "csv")[0] == 0
    assert shell("traces", "convert", "j.csv", option, "csv", "-o", f"{option[2:]}.csv")[0] == 0
