"""What the engine is timed beside: plain SimPy, the readable model, and a bare compiled loop."""

import importlib.util
import sys
from collections.abc import Generator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulator.bundled import oracle_file
from simulator.fleet import Fleet
from simulator.kernels.yardstick import empty_loop, first_fit_loop
from simulator.workload.table import JobTable


@dataclass(frozen=True, slots=True)
class Timing:
    """What one run of a yardstick, or of the engine, took and did.

    Attributes
    ----------
    wall_s : float
        Time of the loop alone; the input was made before. [s]
    jobs : int
        Jobs run.
    starts, completions : int
        Events counted.
    start_ms : int64[jobs] or None
        When each job started, where the yardstick knows. [ms]
    """

    wall_s: float
    jobs: int
    starts: int
    completions: int
    start_ms: NDArray[np.int64] | None = None

    @property
    def jobs_per_s(self) -> float:
        """Jobs settled in a second of wall time."""
        return self.jobs / self.wall_s


def simpy_container(fleet: Fleet, jobs: JobTable, count: int) -> Timing:
    """Run the first `count` jobs as SimPy processes over one Container of accelerators.

    No placement and no energy: the least that a SimPy model of a fleet can do.
    """
    env = simpy.Environment()
    capacity = int(fleet.capacity.sum())
    free = simpy.Container(env, capacity, init=capacity)
    starts = completions = 0

    def job(submit_ms: int, duration_ms: int, gpus: int) -> Generator[simpy.Event, Any, None]:
        nonlocal starts, completions
        yield env.timeout(submit_ms)
        yield free.get(gpus)
        starts += 1
        yield env.timeout(duration_ms)
        yield free.put(gpus)
        completions += 1

    submit = jobs.submit_ms[:count].tolist()
    duration = durations_ms(jobs)[:count].tolist()
    gpus = jobs.gpus[:count].tolist()
    begun = perf_counter()
    for row in zip(submit, duration, gpus, strict=True):
        env.process(job(*row))
    env.run()
    return Timing(perf_counter() - begun, len(submit), starts, completions)


def readable_model(fleet: Fleet, jobs: JobTable, count: int) -> Timing:
    """Run the first `count` jobs through the readable model that the tests hold the engine to.

    One SimPy process per job, nodes and their energy; no hourly bins and no carbon.
    """
    oracle = oracle_module("model")
    clusters, rows = oracle.inputs_of(fleet, jobs)
    rows = rows[:count]
    end_ms = rows[-1].submit_ms + 1
    begun = perf_counter()
    model = oracle.Model(clusters, rows, end_ms, drain=True, keep_log=False).run()
    wall_s = perf_counter() - begun
    start_ms = np.array(model.start_ms, np.int64)
    completions = int((np.array(model.end_ms) >= 0).sum())
    return Timing(wall_s, len(rows), int((start_ms >= 0).sum()), completions, start_ms)


def bare_loop(fleet: Fleet, jobs: JobTable) -> Timing:
    """Run every job through the bare compiled loop with first fit: the physical limit."""
    accelerators = int(fleet.accelerators[0])
    duration = durations_ms(jobs)
    begun = perf_counter()
    loop = empty_loop(len(jobs), int(fleet.first_node[-1]), accelerators)
    starts, completions = first_fit_loop(jobs.submit_ms, duration, jobs.gpus, accelerators, loop)
    wall_s = perf_counter() - begun
    return Timing(wall_s, len(jobs), int(starts), int(completions), loop.start_ms)


def durations_ms(jobs: JobTable) -> NDArray[np.int64]:
    """Return the run times on nodes of relative speed 1 in ms, at least 1."""
    return np.maximum(np.rint(jobs.duration_ms), 1).astype(np.int64)


def oracle_module(model: str) -> Any:
    """Return the module of a readable model, which is a test file and no part of the package."""
    name = f"fleetsim_readable_{model}"
    loaded = sys.modules.get(name)
    if loaded is None:
        spec = importlib.util.spec_from_file_location(name, oracle_file(model))
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[name] = loaded  # dataclasses look their module up by name
        spec.loader.exec_module(loaded)
    return loaded
