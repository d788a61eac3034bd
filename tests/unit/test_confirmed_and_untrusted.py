"""``--yes`` confirms sizes that are refused as too large; ``--untrusted`` keeps to the folder."""

from pathlib import Path
from typing import Any

import pytest

import simulator as fs
from simulator.cli.app import status
from simulator.errors import InputError
from simulator.inputs import open_inputs
from simulator.plans.plan import plan_of
from simulator.results import load_results
from simulator.scenario import Scenario, from_document, load_study
from simulator.scenario.limits import Limit
from simulator.simulation import bins_of
from tests.unit.sweep_bases import base

MANY: dict[str, tuple[dict[str, Any], str]] = {
    "clusters.a.count": (
        {"clusters.a.count": 2_000_000},
        (
            "2,000,000 nodes in one cluster, at most 1,048,576 {unless} 400 MB of memory; "
            "lower the count"
        ),
    ),
    "clusters": (
        {"nodes.n.accelerators": 1024, "clusters.a.count": 1_000_000},
        (
            "1,024,004,096 accelerators in all, at most 4,194,304 {unless} 61 GB of memory; "
            "lower a count"
        ),
    ),
    "workloads.w.arrivals": (
        {"workloads.w.arrivals.rate": "1000 per s"},
        (
            "some 172,800,000 jobs in the horizon, at most 100,000,000 {unless} 52 GB of memory "
            "and 2.9 min; lower the rate, shorten the horizon or set max_jobs"
        ),
    ),
    "accounting.interval": (
        {"accounting.interval": "10 ms"},
        (
            "10 ms makes 34,560,000 intervals times clusters in the horizon, at most 10,000,000 "
            "{unless} 14 GB of memory and 35 s; lengthen it, or shorten the horizon"
        ),
    ),
}
UNLESS = "without --yes (in Python yes=True): they take about"


def confirmed() -> Scenario:
    return from_document(base().document, yes=True)


@pytest.mark.parametrize("path", MANY)
def test_a_size_beyond_the_usual_is_refused_with_an_estimate_unless_confirmed(path: str) -> None:
    changes, message = MANY[path]
    with pytest.raises(InputError) as caught:
        base().replace(changes)
    found = {issue.path: issue.message.removesuffix(" [replace]") for issue in caught.value.issues}
    assert found == {path: message.format(unless=UNLESS)}
    large = confirmed().replace(changes)
    assert large.reading.confirmed
    assert large.replace({"seed": 3}).reading.confirmed


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"clusters.a.count": 2**25 + 1}, "write a whole number from 1 to 1048576"),
        ({"clusters.a.count": 2**24, "nodes.n.accelerators": 1024}, "at most 2,147,483,647"),
        ({"workloads.w.arrivals.rate": "20 per ms"}, "at most 2,147,483,647"),
        ({"accounting.interval": "1 ms", "horizon": "30 d"}, "at most 2,147,483,647"),
    ],
)
def test_what_can_not_be_counted_stays_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as caught:
        confirmed().replace(changes)
    assert text in str(caught.value)


def test_many_bins_and_all_workloads_together_are_confirmed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    low = Limit(usual=10, most=1000, each_bytes=400.0)
    monkeypatch.setattr("simulator.simulation.INTERVALS", low)
    monkeypatch.setattr("simulator.workload.generate.JOBS", low)
    with pytest.raises(InputError, match="jobs of all workloads in the horizon, at most 10 with"):
        open_inputs(base())
    opened = open_inputs(confirmed())
    assert bins_of(opened).count(opened.scenario.horizon_ms) == 48
    with pytest.raises(InputError, match="96 accounting bins, at most 10 without --yes"):
        bins_of(open_inputs_of(base(), monkeypatch))


def open_inputs_of(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("simulator.workload.generate.JOBS", Limit(1000, 1000, 1.0))
    return open_inputs(scenario)


def test_a_confirmed_run_can_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = base().to_toml().replace('interval = "1 h"', 'interval = "10 ms"')
    Path("fine.toml").write_text(text.replace('"2 d"', '"17 h"'), encoding="utf-8")
    assert status(["run", "fine.toml"]) == 2
    assert "12,240,000 intervals" in capsys.readouterr().err
    assert status(["show", "fine.toml", "--yes"]) == 0
    assert fs.load("fine.toml", yes=True).reading.confirmed
    Path("small.toml").write_text(base().to_toml(), encoding="utf-8")
    monkeypatch.setattr("simulator.scenario.checks.INTERVALS", Limit(10, 10_000, 1.0))
    assert status(["run", "small.toml", "-o", "out"]) == 2
    assert status(["run", "small.toml", "-o", "out", "--yes", "--quiet"]) == 0
    assert load_results("out").scenario.reading.confirmed


JOBS = "job_id,submit_s,duration_s,gpus\na,0,60,1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a scenario, beside one with files it should not read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "jobs.csv").write_text(JOBS, encoding="utf-8")
    (tmp_path / "outside" / "base.toml").write_text(base().to_toml(), encoding="utf-8")
    inside = tmp_path / "inside"
    (inside / "parts").mkdir(parents=True)
    (inside / "parts" / "jobs.csv").write_text(JOBS, encoding="utf-8")
    (inside / "parts" / "base.toml").write_text(base().to_toml(), encoding="utf-8")
    (inside / "link.csv").symlink_to(tmp_path / "outside" / "jobs.csv")
    (inside / "own.csv").symlink_to("parts/jobs.csv")
    (inside / "away").symlink_to(tmp_path / "outside")
    (tmp_path / "data" / "jobs").mkdir(parents=True)
    (tmp_path / "data" / "jobs" / "x.csv").write_text(JOBS, encoding="utf-8")
    monkeypatch.setenv("FLEETSIM_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(inside)
    return inside


def replaying(file: str) -> str:
    return f'extends = "parts/base.toml"\n[workloads.w]\njobs = {{ file = "{file}" }}\n'


@pytest.mark.parametrize(
    "file", ["parts/jobs.csv", "own.csv", "parts/../parts/jobs.csv", "data:jobs/x.csv", "{}"]
)
def test_files_inside_are_read(folder: Path, file: str) -> None:
    Path("s.toml").write_text(replaying(file.format(folder / "own.csv")), encoding="utf-8")
    scenario = fs.load("s.toml", untrusted=True)
    assert scenario.reading.untrusted
    assert len(open_inputs(scenario).jobs) == 1


@pytest.mark.parametrize(
    "file", ["../outside/jobs.csv", "parts/../../outside/jobs.csv", "link.csv", "away/jobs.csv",
             "{}"]
)  # fmt: skip
def test_files_outside_are_refused_as_given(
    folder: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file.format(folder.parent / "outside" / "jobs.csv")
    Path("s.toml").write_text(replaying(file), encoding="utf-8")
    for verb in ("run", "validate", "show"):
        assert status([verb, "s.toml", "--untrusted"]) == 2
        err = capsys.readouterr().err
        assert err.startswith("s.toml: 1 problem\n  workloads.w.jobs.file  ")
        assert f'"{file[:70]}' in err
        assert "lies outside the scenario's folder" in err
    assert len(open_inputs(fs.load("s.toml")).jobs) == 1
    trusted_no_more = fs.load("parts/base.toml", untrusted=True)
    with pytest.raises(InputError, match="lies outside"):
        trusted_no_more.replace({"workloads.w.jobs": {"file": str(folder / "link.csv")}})


@pytest.mark.parametrize("parent", ["../outside/base.toml", "away/base.toml"])
def test_a_parent_outside_is_refused(folder: Path, parent: str) -> None:
    Path("s.toml").write_text(f'extends = "{parent}"\n', encoding="utf-8")
    assert fs.load("s.toml").name == "tiny"
    with pytest.raises(InputError) as caught:
        fs.load("s.toml", untrusted=True)
    (issue,) = caught.value.issues
    assert issue.path == "extends"
    assert issue.message.startswith(f'"{parent}" lies outside the scenario\'s folder')


def test_a_chain_may_not_lead_out_step_by_step_but_back_in(folder: Path) -> None:
    Path("parts/out.toml").write_text('extends = "../../outside/base.toml"\n', encoding="utf-8")
    Path("s.toml").write_text('extends = "parts/out.toml"\n', encoding="utf-8")
    with pytest.raises(InputError, match="lies outside"):
        fs.load("s.toml", untrusted=True)
    Path("top.toml").write_text('extends = "parts/base.toml"\n', encoding="utf-8")
    Path("parts/up.toml").write_text('extends = "../top.toml"\n', encoding="utf-8")
    Path("s.toml").write_text('extends = "parts/up.toml"\n', encoding="utf-8")
    assert fs.load("s.toml", untrusted=True).name == "tiny"


def test_the_values_of_a_sweep_are_held_to_it_too(folder: Path) -> None:
    sweep = '[sweep]\n"workloads.w.jobs.file" = ["own.csv", "link.csv"]\n'
    Path("s.toml").write_text(replaying("own.csv") + sweep, encoding="utf-8")
    assert len(plan_of(*load_study("s.toml"))) == 2
    with pytest.raises(InputError) as caught:
        plan_of(*load_study("s.toml", untrusted=True))
    (issue,) = caught.value.issues
    assert issue.path == "sweep.workloads.w.jobs.file[1]"
    assert issue.message.startswith('"link.csv" lies outside')
    law = '[sweep]\n"sites.s.pue" = { file = "link.csv", column = "gpus" }\n'
    law += 'design = "sobol"\nsamples = 2\n'
    Path("s.toml").write_text(replaying("own.csv") + law, encoding="utf-8")
    with pytest.raises(InputError, match="lies outside"):
        plan_of(*load_study("s.toml", untrusted=True))


def test_a_sweep_is_confirmed_and_held_to_its_folder_as_a_run_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = '[sweep]\n"clusters.a.count" = [2, 2_000_000]\n'
    Path("s.toml").write_text(replaying("own.csv") + sweep, encoding="utf-8")
    assert status(["sweep", "s.toml", "-o", "out"]) == 2
    assert "2,000,000 nodes in one cluster" in capsys.readouterr().err
    assert len(plan_of(*load_study("s.toml", yes=True))) == 2
    sweep = '[sweep]\n"workloads.w.jobs.file" = ["link.csv"]\n'
    Path("s.toml").write_text(replaying("own.csv") + sweep, encoding="utf-8")
    assert status(["sweep", "s.toml", "-o", "out", "--untrusted"]) == 2
    assert '"link.csv" lies outside' in capsys.readouterr().err
    assert not Path("out").exists()
