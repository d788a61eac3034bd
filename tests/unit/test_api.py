"""The Python face: load, run, look, save, bill again."""

from pathlib import Path

import pytest

import simulator as fs
from simulator import progress

SCENARIO = """
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
arrivals = { process = "poisson", rate = "24 per d" }
duration = "90 min"
gpus     = 4
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("api") / "tiny.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def done(file: Path) -> fs.Run:
    return fs.run(file, seed=7)


def test_load_takes_replacements_and_a_seed(file: Path) -> None:
    scenario = fs.load(str(file), sets=["clusters.few.count=5"], seed=11)
    assert isinstance(scenario, fs.Scenario)
    assert scenario.clusters["few"].count == 5
    assert scenario.seed == 11


def test_load_raises_with_every_problem(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(SCENARIO.replace("count = 2", "count = -2").replace("1.2", "0.9"))
    with pytest.raises(fs.InputError) as caught:
        fs.load(bad)
    assert {issue.path for issue in caught.value.issues} == {"clusters.few.count", "sites.here.pue"}


def test_a_run_shows_its_summary_and_tables(done: fs.Run) -> None:
    assert done.summary["seed"] == 7
    assert len(done.jobs) == done.summary["jobs_submitted"] > 0
    assert len(done.hourly) == 48
    assert len(done.nodes) == 2
    kinds = {
        f"{signal}_{kind}" for signal in ("average", "marginal") for kind in ("factors", "mix")
    }
    assert done.basis.keys() == {"average", "marginal"} | kinds
    assert done.warnings == ()
    assert done.inputs == {}
    assert "tiny" in repr(done)
    assert done.sizes[0].name == "small"


def test_what_is_handed_out_is_a_copy(done: fs.Run) -> None:
    energy_kwh = done.summary["energy_it_kwh"]
    done.summary["energy_it_kwh"] = 0.0
    jobs = done.jobs
    jobs.loc[:, "gpus"] = 0
    assert done.summary["energy_it_kwh"] == energy_kwh
    assert (done.jobs["gpus"] == 4).all()


def test_a_scenario_can_be_run_as_well_as_a_file(file: Path, done: fs.Run) -> None:
    again = fs.run(fs.load(file), seed=7)
    assert again.summary == done.summary
    assert fs.run(fs.load(file)).summary["seed"] == 3


def test_figures_are_figures(done: fs.Run) -> None:
    from matplotlib.figure import Figure

    for draw in (done.plot.power, done.plot.hours, done.plot.waits, done.plot.queue):
        assert isinstance(draw(), Figure)


def test_the_same_events_under_other_accounting(done: fs.Run) -> None:
    billed = done.bill(grid={"constant": "500 g/kWh"}, marginal={"constant": "100 g/kWh"}, pue=1.5)
    it_kwh = done.summary["energy_it_kwh"]
    assert billed.summary["energy_it_kwh"] == it_kwh
    assert billed.summary["energy_facility_kwh"] == pytest.approx(1.5 * it_kwh, rel=1e-12)
    assert billed.summary["scope2_location_kgco2e"] == pytest.approx(0.75 * it_kwh, rel=1e-9)
    assert billed.summary["marginal_kgco2e"] == pytest.approx(0.15 * it_kwh, rel=1e-9)
    assert (billed.jobs["start_s"] == done.jobs["start_s"]).all()
    assert done.bill().summary == done.summary
    with pytest.raises(fs.InputError, match=r"0\.5"):
        done.bill(pue=0.5)


@pytest.mark.usefixtures("one_figure")
def test_saving_and_opening(done: fs.Run, tmp_path: Path) -> None:
    folder = done.save(tmp_path / "out")
    opened = fs.open_run(folder)
    assert opened.summary == done.summary
    assert opened.jobs.equals(done.jobs)
    assert opened.report(tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!")
    with pytest.raises(fs.InputError, match="--overwrite"):
        done.save(folder)
    done.save(folder, overwrite=True)
    assert opened.bill(pue=1.5).summary["pue"] == pytest.approx(1.5, rel=1e-12)
    with pytest.raises(fs.InputError, match="neither events nor a folder"):
        fs.Run(opened.results).bill(pue=1.5)
    with pytest.raises(fs.InputError, match="can't be written"):
        opened.report(tmp_path / "absent" / "page.html")


def test_nothing_is_written_unless_asked(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fs.run(file)
    assert not list(tmp_path.iterdir())


def test_progress_is_told_in_simulated_days(file: Path) -> None:
    told: list[tuple[float, float, int]] = []
    fs.run(file, progress=lambda *how_far: told.append(how_far))
    assert [days for days, _, _ in told] == sorted(days for days, _, _ in told)
    assert {total for _, total, _ in told} == {2.0}
    assert all(jobs >= 0 for _, _, jobs in told)


# -- the bar and the lines ----------------------------------------------------------------------


def test_lines_come_every_tenth_but_not_of_a_quick_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_s = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock_s[0])
    with progress.lines("quick") as show:
        for day in range(100):
            show(day, 100.0, day)
    assert capsys.readouterr().err == ""
    with progress.lines("slow") as show:
        for day in range(101):
            show(day, 100.0, 10 * day)
            clock_s[0] += 2.0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "slow  10/100 d  100 jobs started"
    assert len(lines) == 10
    with progress.lines("stuck") as show:
        for _ in range(4):
            show(1.0, 100.0, 5)
            clock_s[0] += 31.0
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_the_bar_leaves_nothing_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("a [name] of markup") as show:
        show(1.0, 2.0, 3)
    assert capsys.readouterr().out == ""
