"""The comparison: every cell of the grid, timed side by side and checked event for event."""

import gc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from simulator.bench.common_load import common_load
from simulator.bench.full_run import in_full
from simulator.bench.idle import IdleCost, idle_cost
from simulator.bench.memory import Memory, memory_of
from simulator.bench.sizes import Sizes
from simulator.bench.table import table_text
from simulator.bench.yardsticks import Timing, bare_loop, readable_model, simpy_container
from simulator.inputs import Inputs, open_inputs
from simulator.scenario.model import Scenario
from simulator.simulation import run
from simulator.units import MS_PER_H

Say = Callable[[str], None]


class DisagreementError(AssertionError):
    """The engine and a yardstick settled different events, so their times mean nothing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One size of job table, fleet and load.

    Attributes
    ----------
    jobs, nodes : int
    load : float
        Share of the fleet's capacity that the jobs ask for.
    waited_share : float
        Share of the jobs that waited.
    starts, completions, log_rows : int
        Events of the engine; every job starts and ends.
    engine_s, path_s, bare_s : float
        Time of the engine with energy, carbon and per-job output; of the whole way from scenario
        to pandas tables; of the bare loop. [s]
    engine_jobs_per_s, path_jobs_per_s, bare_jobs_per_s : float
    yardstick_jobs : int
        Jobs that the two SimPy yardsticks ran.
    container_jobs_per_s, model_jobs_per_s : float
    node_hours_per_s : float
        Simulated nodes times hours in a second of the engine.
    """

    jobs: int
    nodes: int
    load: float
    waited_share: float
    starts: int
    completions: int
    log_rows: int
    engine_s: float
    path_s: float
    bare_s: float
    engine_jobs_per_s: float
    path_jobs_per_s: float
    bare_jobs_per_s: float
    yardstick_jobs: int
    container_jobs_per_s: float
    model_jobs_per_s: float
    node_hours_per_s: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the benchmark measured."""

    sizes: Sizes
    cells: tuple[Cell, ...]
    idle: tuple[IdleCost, ...]
    memory: tuple[Memory, ...]
    wall_s: float

    def text(self) -> str:
        """Return a table for a terminal of 80 columns."""
        return table_text(self)

    def document(self) -> dict[str, Any]:
        """Return everything measured as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class EngineRun:
    """One timed run of the engine with everything on."""

    wall_s: float
    start_ms: np.ndarray[Any, np.dtype[np.int64]]
    events: dict[str, int]
    finished_ms: int


def compare(sizes: Sizes, *, say: Say) -> Comparison:
    """Time every cell of `sizes`; see `simulator.bench.run`."""
    begun = perf_counter()
    say("compiling and loading kernels ...")
    warm_up()
    cells = []
    for nodes in sizes.nodes:
        for load in sizes.loads:
            yardsticks: dict[int, tuple[Timing, Timing]] = {}
            for jobs in sizes.jobs:
                say(f"{jobs:,} jobs on {nodes:,} nodes at load {load} ...")
                cells.append(_cell(sizes, jobs, nodes, load, yardsticks))
    idle = []
    for nodes in sizes.idle_nodes:
        say(f"idle states on {nodes:,} nodes ...")
        idle.append(idle_cost(nodes, sizes.jobs[-1], sizes.loads[0], sizes.repeats))
    memory = []
    for nodes in sizes.nodes:
        say(f"memory of {sizes.memory_jobs:,} jobs on {nodes:,} nodes ...")
        memory.append(memory_of(sizes.memory_jobs, nodes, sizes.loads[0]))
    return Comparison(sizes, tuple(cells), tuple(idle), tuple(memory), perf_counter() - begun)


def warm_up() -> None:
    """Run everything once on a small fleet, so that nothing timed later is compiled or loaded."""
    opened = open_inputs(common_load(500, 10, 1.05, "pack"))
    in_full(opened)
    bare_loop(opened.fleet, opened.jobs)
    simpy_container(opened.fleet, opened.jobs, 100)
    readable_model(opened.fleet, opened.jobs, 100)
    whole_path(common_load(100, 10, 0.8, "pack"))


def _cell(
    sizes: Sizes, jobs: int, nodes: int, load: float, yardsticks: dict[int, tuple[Timing, Timing]]
) -> Cell:
    scenario = common_load(jobs, nodes, load, "pack")
    opened = open_inputs(scenario)
    runs = [engine(opened) for _ in range(sizes.repeats)]
    done, engine_s = runs[0], median(timed.wall_s for timed in runs)
    bare = [bare_loop(opened.fleet, opened.jobs) for _ in range(sizes.repeats)]
    bare_s = median(timing.wall_s for timing in bare)
    first_fit = engine(open_inputs(common_load(jobs, nodes, load, "first-fit")))
    count = min(jobs, sizes.most_yardstick_jobs)
    if count not in yardsticks:
        yardsticks[count] = (
            simpy_container(opened.fleet, opened.jobs, count),
            readable_model(opened.fleet, opened.jobs, count),
        )
    container, model = yardsticks[count]
    waited = float(np.mean(done.start_ms > opened.jobs.submit_ms))
    check(done, first_fit, bare[0], container, model)
    del opened, runs, bare, first_fit
    path_s = whole_path(scenario)
    return Cell(
        jobs=jobs,
        nodes=nodes,
        load=load,
        waited_share=waited,
        starts=done.events["started"],
        completions=done.events["completed"],
        log_rows=done.events["log_rows"],
        engine_s=engine_s,
        path_s=path_s,
        bare_s=bare_s,
        engine_jobs_per_s=jobs / engine_s,
        path_jobs_per_s=jobs / path_s,
        bare_jobs_per_s=jobs / bare_s,
        yardstick_jobs=count,
        container_jobs_per_s=container.jobs_per_s,
        model_jobs_per_s=model.jobs_per_s,
        node_hours_per_s=nodes * done.finished_ms / MS_PER_H / engine_s,
    )


def engine(opened: Inputs) -> EngineRun:
    """Time one run of the engine with full energy, carbon and per-job output."""
    gc.collect()
    begun = perf_counter()
    done = in_full(opened)
    wall_s = perf_counter() - begun
    return EngineRun(wall_s, done.log.start_ms, done.log.events, done.log.finished_ms)


def whole_path(scenario: Scenario) -> float:
    """Return the time in seconds from a scenario to its result tables in pandas."""
    gc.collect()
    begun = perf_counter()
    results = run(scenario).results
    frames = (results.jobs, results.hourly, results.nodes)
    wall_s = perf_counter() - begun
    if any(not len(frame) for frame in frames):
        raise DisagreementError("a result table came out empty")
    return wall_s


def check(
    done: EngineRun, first_fit: EngineRun, bare: Timing, container: Timing, model: Timing
) -> None:
    """Check that every yardstick started and ended its jobs, and when the engine did.

    The readable model runs a job table's first jobs; under FIFO later ones change nothing for
    them. The Container knows no nodes, so only its counts can be compared.

    Raises
    ------
    DisagreementError
    """
    jobs = len(done.start_ms)
    counts = {
        "engine": (done.events["started"], done.events["completed"], jobs),
        "engine, first fit": (first_fit.events["started"], first_fit.events["completed"], jobs),
        "bare loop": (bare.starts, bare.completions, jobs),
        "SimPy, one Container": (container.starts, container.completions, container.jobs),
        "readable model": (model.starts, model.completions, model.jobs),
    }
    for name, (started, completions, expected) in counts.items():
        if not started == completions == expected:
            raise DisagreementError(
                f"{name}: {started} starts and {completions} completions of {expected} jobs"
            )
    pairs = (("bare loop", bare, first_fit), ("readable model", model, done))
    for name, timing, other in pairs:
        starts = timing.start_ms
        if starts is None or not np.array_equal(starts, other.start_ms[: timing.jobs]):
            raise DisagreementError(f"{name}: not every job starts when the engine starts it")
