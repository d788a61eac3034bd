"""The benchmark counts the events it times, and refuses to print times of different events."""

from typing import Any

import numpy as np
import pytest

from simulator import bench
from simulator.bench.common_load import GANGS, common_load, mean_gpu_days
from simulator.bench.comparison import Comparison, DisagreementError, EngineRun, check
from simulator.bench.yardsticks import Timing, bare_loop, readable_model, simpy_container
from simulator.inputs import open_inputs
from simulator.simulation import simulated
from tests.oracle.model import Model, inputs_of

JOBS, NODES = 3_000, 20


@pytest.fixture(scope="module")
def small() -> Comparison:
    return bench.run(
        bench.Sizes(
            jobs=(500, JOBS),
            nodes=(NODES,),
            most_yardstick_jobs=800,
            memory_jobs=JOBS,
            idle_nodes=(NODES,),
            repeats=1,
        )
    )


def test_every_job_starts_and_ends_once_and_changes_its_nodes_twice(small: Comparison) -> None:
    for cell in small.cells:
        assert cell.starts == cell.completions == cell.jobs
        assert cell.yardstick_jobs == min(cell.jobs, 800)
        # A gang changes at least one node at its start and at its end; the largest has eight.
        assert 2 * cell.jobs * 0.9 < cell.log_rows < 16 * cell.jobs


def test_nodes_sleep_in_the_runs_that_time_idle_states(small: Comparison) -> None:
    (idle,) = small.idle
    assert (idle.nodes, idle.jobs) == (NODES, JOBS)
    assert idle.wake_ups > 100
    assert idle.year_jobs > 1_000


@pytest.mark.parametrize(("load", "rows"), [(0.8, 6055), (1.05, 5860)])
def test_the_engine_settles_a_known_number_of_events(load: float, rows: int) -> None:
    """Counts, not times: a change here is a change of behaviour.

    A row is a node that changed at an instant: by a start, by an end, or by both at once.
    """
    opened = open_inputs(common_load(JOBS, NODES, load, "pack"))
    events = simulated(opened).log.events
    model = Model(*inputs_of(opened.fleet, opened.jobs), 1, drain=True).run()
    assert events["submitted"] == events["started"] == events["completed"] == JOBS
    assert events["log_rows"] == len(model.log) == rows


@pytest.mark.parametrize("load", [0.8, 1.05])
def test_all_four_start_every_job_at_the_same_instant(load: float) -> None:
    opened = open_inputs(common_load(JOBS, NODES, load, "first-fit"))
    engine = simulated(opened).log
    bare = bare_loop(opened.fleet, opened.jobs)
    model = readable_model(opened.fleet, opened.jobs, JOBS)
    container = simpy_container(opened.fleet, opened.jobs, JOBS)
    assert np.mean(engine.start_ms > opened.jobs.submit_ms) > 0.1  # some wait on so small a fleet
    np.testing.assert_array_equal(bare.start_ms, engine.start_ms)
    np.testing.assert_array_equal(model.start_ms, engine.start_ms)
    for timing in (bare, model, container):
        assert timing.starts == timing.completions == JOBS


def test_the_common_load_is_the_one_that_peers_were_timed_on() -> None:
    """GPU-days with p50 1.5 and p99 24 have the mean 3.05; gangs have 5.94 GPUs on average."""
    assert mean_gpu_days() == pytest.approx(3.05, rel=5e-3)
    assert sum(GANGS.values()) == pytest.approx(1.0)
    jobs = open_inputs(common_load(100_000, 1_000, 0.8, "pack")).jobs
    assert len(jobs) == 100_000
    gpu_days = jobs.gpus * jobs.duration_ms / 86.4e6
    assert np.percentile(gpu_days, [50, 99]) == pytest.approx([1.5, 24.0], rel=0.03)
    assert jobs.gpus.mean() == pytest.approx(5.94, rel=0.02)
    assert jobs.submit_ms[-1] / 86.4e6 == pytest.approx(47.2, rel=0.02)


def test_a_yardstick_that_starts_a_job_at_another_instant_is_refused() -> None:
    starts = np.arange(5)
    events = {"started": 5, "completed": 5}
    engine = EngineRun(1.0, starts, events, 10)
    same: Any = Timing(1.0, 5, 5, 5, starts)
    check(engine, engine, same, same, same)
    late = Timing(1.0, 5, 5, 5, starts + 1)
    with pytest.raises(DisagreementError, match="readable model: not every job starts when"):
        check(engine, engine, same, same, late)
    with pytest.raises(DisagreementError, match="bare loop: not every job starts when"):
        check(engine, engine, late, same, same)
    fewer = Timing(1.0, 5, 4, 4)
    with pytest.raises(DisagreementError, match="4 starts and 4 completions of 5 jobs"):
        check(engine, engine, same, fewer, same)


def test_the_table_fits_a_terminal_and_says_what_each_figure_is(small: Comparison) -> None:
    lines = small.text().splitlines()
    assert max(len(line) for line in lines) <= 80
    assert len([line for line in lines if line.endswith("k") or "k " in line]) >= len(small.cells)
    for letter in "abcd":
        assert any(line.startswith(f"({letter})") for line in lines)
    assert sum("bytes a job" in line for line in lines) == len(small.memory) == 1


def test_the_document_is_plain_data(small: Comparison) -> None:
    document = small.document()
    assert len(document["cells"]) == 4
    for cell in document["cells"]:
        assert all(isinstance(value, int | float) and value >= 0 for value in cell.values())
    assert document["memory"][0]["jobs"] == JOBS
    assert document["memory"][0]["bytes_per_job"] > 0
