"""What is kept of files between runs: it changes no result, is bounded, and knows a new file."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import simulation
from simulator.errors import InputError
from simulator.inputs import Inputs, open_inputs
from simulator.results import Results
from simulator.scenario import Scenario, from_document
from simulator.scenario.laws import Beta
from simulator.traces import series_file, table_file
from simulator.traces.grid import open_grid
from simulator.traces.jobs import read_jobs
from simulator.traces.opened import Opened, opened_by
from simulator.units import MS_PER_H
from simulator.workload import empirical
from simulator.workload.draws import draw
from tests.trace_files import NEW_YEAR, grid_source, grid_text, hours, job_source, written
from tests.unit.scenario_documents import SMALL

HOW: dict[str, Any] = {"start": NEW_YEAR, "end_ms": 3 * MS_PER_H, "after_end": "error"}
HOW |= {"gaps": "error", "path": "sites.s.grid.average"}
JOBS = "job_id,submit_s,duration_s,gpus\na,0,3600,4\nb,60,7200,8\nc,90,600,1\n"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of files as they are opened."""
    names: list[str] = []

    def noted(path: Path, *given: Any) -> Any:
        names.append(path.name)
        return real(path, *given)

    real: Callable[..., Any] = table_file.open_table
    for module in (series_file, empirical):
        monkeypatch.setattr(module, "open_table", noted)
    monkeypatch.setattr("simulator.traces.named_columns.open_table", noted)
    return names


def of_files(folder: Path, **changes: Any) -> Scenario:
    """Return a scenario that reads all its grids, weather, jobs and laws from files."""
    grid = {"file": "grid.csv", "time": "time", "value": "ci", "unit": "g/kWh"}
    weather = {"file": "grid.csv", "time": "time", "value": "ci", "unit": "degC"}
    written(folder / "grid.csv", grid_text(hours([20 + k % 7 for k in range(48)])))
    written(folder / "jobs.csv", JOBS)
    written(folder / "values.csv", "share,minutes\n0.25,1\n0.5,3\n")
    sleep = {"name": "nap", "after": "1 min", "power": "50 W"}
    sleep |= {"wake_time": {"file": "values.csv", "column": "minutes", "unit": "min"}}
    document = SMALL | {
        "nodes": {"n": SMALL["nodes"]["n"] | {"idle_states": [sleep]}},
        "clusters": {"c": SMALL["clusters"]["c"] | {"idle": "ladder"}},
        "sites": {
            "s": {
                "pue": {"model": "free-cooling", "base": 1.1, "free_cooling_below": "18 degC"}
                | {"per_degree": 0.01},
                "grid": {"average": grid, "marginal": "CAISO"},
                "weather": weather,
            }
        },
        "workloads": {
            "w": {
                "clusters": ["c"],
                "jobs": {"file": "jobs.csv"},
                "utilisation": {"file": "values.csv", "column": "share"},
            },
            "v": SMALL["workloads"]["w"]
            | {"utilisation": {"dist": "beta", "mean": 0.4, "sd": 0.1}},
        },
    }
    return from_document(document | changes, folder)


def same(one: Results, other: Results) -> bool:
    said = [(each.summary, each.assumptions, each.warnings, each.inputs) for each in (one, other)]
    alike = all(table.equals(other.tables[name]) for name, table in one.tables.items())
    return said[0] == said[1] and alike


def test_later_runs_read_no_file_and_come_out_the_same(tmp_path: Path, reads: list[str]) -> None:
    scenario, opened = of_files(tmp_path), Opened()
    plain = [simulation.run(scenario, seed=seed).results for seed in (1, 2, 1)]
    more = scenario.replace({"clusters.c.count": 4})
    plain.append(simulation.run(more).results)
    assert sorted(set(reads)) == ["grid.csv", "jobs.csv", "values.csv"]
    assert same(simulation.run(scenario, seed=1, opened=opened).results, plain[0])
    reads.clear()
    for seed, expected in zip((2, 1), plain[1:3], strict=True):
        assert same(simulation.run(scenario, seed=seed, opened=opened).results, expected)
    assert same(simulation.run(more, opened=opened).results, plain[3])
    assert reads == []


@pytest.mark.parametrize(
    "changes",
    [
        {"start": NEW_YEAR + dt.timedelta(hours=1)},
        {"end_ms": 2 * MS_PER_H},
        {"after_end": "wrap"},
        {"gaps": "linear"},
        {"path": "sites.s.grid.marginal"},
    ],
)
def test_whatever_decides_a_trace_tells_it_apart(tmp_path: Path, changes: dict[str, Any]) -> None:
    source = grid_source(written(tmp_path / "g.csv", grid_text(hours([1, 2, 3, 4, 5]))))
    opened = Opened()
    one = opened.get(open_grid, source, **HOW)
    assert opened.get(open_grid, source, **HOW) is one
    assert opened.get(open_grid, source, **(HOW | changes)) is not one
    label = grid_source(source.path, label="another")
    assert opened.get(open_grid, label, **HOW).label == "another"
    assert len(opened) == 3


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path / "jobs.csv", JOBS)
    how = {"path": "workloads.w.jobs", "start": NEW_YEAR, "horizon_ms": MS_PER_H}
    opened = Opened()
    assert len(opened.get(read_jobs, job_source(path), **how)) == 3
    written(path, JOBS + "d,95,600,1\n")
    assert len(opened.get(read_jobs, job_source(path), **how)) == 4
    written(path, (JOBS + "d,95,600,1\n").replace("b,60", "b,61"))
    os.utime(path, ns=(1, 1))
    assert opened.get(read_jobs, job_source(path), **how).submit_ms[1] == 61_000


def test_a_refused_file_is_refused_each_time_in_the_same_words(tmp_path: Path) -> None:
    missing, broken = tmp_path / "none.csv", written(tmp_path / "b.csv", "time,ci\nx,1\n")
    for path in (missing, broken):
        opened = Opened()
        said = []
        for keeper in (None, opened, opened):
            with pytest.raises(InputError) as refused:
                opened_by(keeper, open_grid, grid_source(path), **HOW)
            said.append(str(refused.value))
        assert len(set(said)) == 1
        assert len(opened) == 0


def test_kept_arrays_cannot_be_written_to(tmp_path: Path) -> None:
    opened = Opened()
    inputs: Inputs = open_inputs(of_files(tmp_path), opened)
    series: Any = inputs.average[0].course
    with pytest.raises(ValueError, match="read-only"):
        series.values[0] = 1.0
    rows = opened.get(
        read_jobs,
        inputs.scenario.workloads["w"].jobs,
        path="workloads.w.jobs",
        start=inputs.scenario.start,
        horizon_ms=inputs.scenario.horizon_ms,
    )
    assert not any(
        column.flags.writeable for column in (rows.submit_ms, rows.duration_ms, rows.gpus)
    )


def test_room_is_bounded_and_what_was_used_last_stays(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.csv" for name in "abc"]
    sources = [grid_source(written(path, grid_text(hours([1.0] * 50)))) for path in paths]
    opened = Opened(most_bytes=2 * 50 * 8)
    one, _ = (opened.get(open_grid, source, **HOW) for source in sources[:2])
    assert opened.get(open_grid, sources[0], **HOW) is one
    opened.get(open_grid, sources[2], **HOW)
    assert len(opened) == 2
    assert opened.get(open_grid, sources[0], **HOW) is one
    small = Opened(most_bytes=100)
    assert small.get(open_grid, sources[0], **HOW) is not small.get(open_grid, sources[0], **HOW)
    assert len(small) == 0


def test_the_table_of_a_beta_law_is_kept_and_draws_the_same() -> None:
    opened, law = Opened(), Beta(mean=0.4, sd=0.1)
    plain = draw(law, 1000, 7, "w")
    assert np.array_equal(draw(law, 1000, 7, "w", opened=opened), plain)
    assert np.array_equal(draw(Beta(mean=0.4, sd=0.1), 1000, 7, "w", opened=opened), plain)
    assert len(opened) == 1
    draw(Beta(mean=0.4, sd=0.2), 10, 7, "w", opened=opened)
    assert len(opened) == 2
