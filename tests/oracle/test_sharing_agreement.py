"""The engine and the plain reference of shared accelerators agree start for start, end for end.

A failure tells the seed and the first job that differs.
"""

from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np
import pytest

from simulator.engine import Queues, conductor, simulate
from simulator.engine.state import State, initial_state
from simulator.fleet import Fleet
from simulator.joblog import JobLog
from simulator.kernels import rooms, tables
from simulator.policies import QueueRule
from simulator.scenario.sharing import Sharing as SharingSpec
from tests.builders import Nodes, awake, fleet, job_table
from tests.oracle import sharing as reference
from tests.oracle.scheduling import Job as Gang
from tests.oracle.scheduling import Rule

LAWS: dict[str, tuple[Any, Any]] = {
    "none": ("none", lambda load: max(1.0, load)),
    "overhead": (
        {"overhead": 0.17},
        lambda load: (1.0 + 0.17 * load) if load <= 1.0 else load * 1.17,
    ),
    "points": (
        {"points": [[0.0, 1.0], [0.7, 1.09], [1.6, 1.9], [4.0, 4.6]]},
        lambda load: (
            float(np.interp(load, [0.0, 0.7, 1.6, 4.0], [1.0, 1.09, 1.9, 4.6]))
            * max(1.0, load / 4.0)
        ),
    ),
}


@dataclass(frozen=True)
class Case:
    """A random workload and the cluster that it runs on."""

    jobs: list[reference.Job]
    nodes: int
    whole: int
    spec: SharingSpec
    sharing: reference.Sharing
    placement: str
    order: str


def case_of(seed: int, most_jobs: int) -> Case:
    """Return a queue of jobs most of which have one accelerator, and how it is shared."""
    rng = np.random.default_rng([7, seed])
    nodes, whole = int(rng.integers(1, 5)), int(rng.choice([1, 2, 3, 8]))
    count = int(rng.integers(2, most_jobs))
    tick_ms = int(rng.choice([1, 7, 1000]))  # coarse ticks make many things happen at once
    duration_ms = rng.integers(0, 40, count) * tick_ms
    gap = 40 / (nodes * whole) * rng.uniform(0.2, 1.0)
    submit_ms = np.sort((np.arange(count) * gap * rng.uniform(0, 1)).astype(int) * tick_ms)
    small = rng.random(count) < rng.choice([0.6, 0.9, 1.0])
    gpus = np.where(small, 1, rng.integers(1, nodes * whole + 1, count))
    loads = rng.choice([rng.uniform(0.0, 1.0, count), rng.uniform(0.2, 0.5, count)])
    if rng.random() < 0.3:
        loads = np.full(count, rng.choice([0.25, 1 / 3, 0.5, 1.0]))
    shareable = bool(rng.random() < 0.9)
    jobs = [
        reference.Job(Gang(*row, priority=int(rng.integers(0, 2))), load, shareable, fraction)
        for row, load, fraction in zip(
            zip(
                submit_ms.tolist(),
                duration_ms.tolist(),
                duration_ms.tolist(),
                gpus.tolist(),
                strict=True,
            ),
            loads.tolist(),
            fractions_of(seed, count),
            strict=True,
        )
    ]
    spec, law = LAWS[str(rng.choice(list(LAWS)))]
    said = {
        "jobs": int(rng.choice([2, 2, 3, 5])),
        "most_utilisation": float(rng.choice([0.6, 1.0, 1.0, 1.35, 4.0])),
        "prefer": str(rng.choice(["shared", "free"])),
    }
    most = said["most_utilisation"]
    assert isinstance(most, float)
    return Case(
        jobs,
        nodes,
        whole,
        SharingSpec(interference=spec, **said),  # type: ignore[arg-type]
        reference.Sharing(said["jobs"], most, law, said["prefer"]),  # type: ignore[arg-type]
        str(rng.choice(["pack", "first-fit", "spread"])),
        str(rng.choice(["fifo", "shortest-first"])),
    )


def fractions_of(seed: int, count: int) -> list[float | None]:
    """Return what jobs ask for of an accelerator: in most cases nothing, in others some do."""
    rng = np.random.default_rng([8, seed])
    asks = rng.random(count) < rng.choice([0.0, 0.0, 0.6, 1.0])
    parts = rng.choice([0.125, 0.25, 0.46, 0.5, 1.0], count)
    return [float(part) if asked else None for asked, part in zip(asks, parts, strict=True)]


def fleet_of(case: Case) -> Fleet:
    plain = fleet(Nodes(count=case.nodes, accelerators=case.whole, placement=case.placement))
    return replace(plain, sharing=(case.spec,))


def simulated(case: Case) -> JobLog:
    """Return what the engine makes of a case."""
    gangs = [job.gang for job in case.jobs]
    jobs = job_table(
        [gang.submit_ms for gang in gangs],
        [gang.duration_ms for gang in gangs],
        [gang.gpus for gang in gangs],
        utilisation=[job.utilisation for job in case.jobs],
        priority=[gang.priority for gang in gangs],
    )
    asked = [np.nan if job.fraction is None else job.fraction for job in case.jobs]
    jobs = replace(jobs, alone=(not case.jobs[0].shareable,), fraction=np.array(asked))
    machines = fleet_of(case)
    order = "shortest" if case.order == "shortest-first" else "fifo"
    last_ms = max(gang.submit_ms for gang in gangs) + 1
    return simulate(
        machines,
        jobs,
        awake(machines),
        end_ms=last_ms,
        drain=True,
        on_log=lambda *_: None,
        queues=Queues((QueueRule(order),), (0,)),  # type: ignore[arg-type]
    )


def compared(seed: int, most_jobs: int) -> int:
    """Assert that both say the same of every job, and return how many stays were shared."""
    case = case_of(seed, most_jobs)
    log = simulated(case)
    rule = Rule(order=case.order, placement=case.placement)
    runs = reference.Cluster(case.jobs, case.nodes, case.whole, case.sharing, rule).finish().runs
    assert log.stays is not None
    stays: dict[int, list[Any]] = {}
    names = ("job", "start_ms", "end_ms", "tenants", "load")
    columns = [getattr(log.stays, name) for name in names]
    for job, *stay in zip(*(column.tolist() for column in columns), strict=True):
        stays.setdefault(job, []).append(tuple(stay))
    for row, job in enumerate(case.jobs):
        wanted = runs[row]
        found = (int(log.start_ms[row]), int(log.end_ms[row]))
        assert found == (wanted.start_ms, wanted.end_ms), (seed, row, job, found, wanted)
        if job.gang.duration_ms:
            assert log.first_node[row] == min(wanted.nodes), (seed, row, job)
        assert stays.get(row, []) == [stay[:4] for stay in wanted.stays], (seed, row, job)
    return int((log.stays.tenants > 1).sum())


@pytest.mark.parametrize(
    ("first", "count", "most_jobs"),
    [
        pytest.param(0, 40, 40, id="few"),
        *(
            pytest.param(at, 100, 200, id=f"from-{at}", marks=pytest.mark.verify)
            for at in range(0, 400, 100)
        ),
    ],
)
def test_shared_accelerators(first: int, count: int, most_jobs: int) -> None:
    shared = [compared(seed, most_jobs) for seed in range(first, first + count)]
    assert sum(each > 0 for each in shared) > count // 3


def with_slots_in_another_order(seed: int) -> Any:
    """Return `initial_state` with its free slots and rows of accelerators linked at random."""

    def shuffled(*arguments: Any, **options: Any) -> State:
        state = initial_state(*arguments, **options)
        assert state.tenants is not None
        rng = np.random.Generator(np.random.PCG64(seed))
        slots = state.tables.slots
        order = rng.permutation(len(slots))
        slots[order[:-1], tables.NEXT_SLOT] = order[1:]
        slots[order[-1], tables.NEXT_SLOT] = tables.NONE
        state.tables.clock[tables.FREE_SLOT] = order[0]
        accelerators = state.tenants.accelerators
        order = rng.permutation(len(accelerators))
        accelerators[order[:-1], rooms.NEXT] = order[1:]
        accelerators[order[-1], rooms.NEXT] = tables.NONE
        state.tenants.counts[rooms.FREE_ROW] = order[0]
        return state

    return shuffled


@pytest.mark.parametrize("seed", range(8))
def test_the_order_in_which_tenants_of_one_instant_leave_means_nothing(seed: int) -> None:
    case = case_of(seed, 120)
    plain = simulated(case)
    with mock.patch.object(conductor, "initial_state", with_slots_in_another_order(seed)):
        other = simulated(case)
    assert plain.stays is not None
    assert other.stays is not None
    for name in ("start_ms", "end_ms", "first_node"):
        assert np.array_equal(getattr(plain, name), getattr(other, name))
    for name in ("job", "start_ms", "end_ms", "tenants", "load", "slowdown"):
        assert np.array_equal(getattr(plain.stays, name), getattr(other.stays, name))
