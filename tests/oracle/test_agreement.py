"""The engine and the readable model agree on hundreds of random workloads.

Start for start, cluster for cluster, node for node, change for change, and joule for joule.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from simulator.accounting.energy import energy_of
from simulator.accounting.metering import Grid, Meter
from simulator.engine import simulate
from simulator.fleet import Fleet
from simulator.units import J_PER_KWH, MS_PER_H, MS_PER_S
from simulator.workload.table import JobTable
from tests.builders import Nodes, awake, fleet, job_table, run_engine
from tests.oracle.model import Model, hourly_energy_j, inputs_of

WORKLOADS = 1200
PLACEMENTS = ("pack", "first-fit", "spread")


@dataclass(frozen=True)
class Case:
    """One random fleet and workload."""

    fleet: Fleet
    jobs: JobTable
    end_ms: int
    drain: bool


def random_case(seed: int) -> Case:
    """Return a workload with every feature somewhere; even seeds have no ties, odd ones many."""
    rng = np.random.default_rng(seed)
    clusters = [
        Nodes(
            count=int(rng.integers(1, 41 if rng.random() < 0.3 else 6)),
            accelerators=int(rng.choice([1, 2, 4, 8])),
            placement=str(rng.choice(PLACEMENTS)),
            idle_w=float(rng.integers(0, 500)),
            busy_w=float(rng.integers(500, 6000)),
            relative_speed=float(rng.choice([1.0, 0.5, 1.7, 3.0])),
        )
        for _ in range(rng.integers(1, 4))
    ]
    count = int(rng.integers(5, 201))
    numbers = np.arange(len(clusters))
    routes = [
        tuple(int(n) for n in rng.permutation(numbers)[: rng.integers(1, len(clusters) + 1)])
        for _ in range(rng.integers(1, 5))
    ]
    jobs = random_jobs(rng, clusters, routes, count, ties=seed % 2 == 1)
    last_ms = int(jobs.submit_ms[-1])
    if rng.random() < 0.5:
        stop_ms = last_ms + 1 + int(rng.integers(0, 3 * MS_PER_H))
    else:  # where jobs are likely to end in the workloads with ties
        stop_ms = last_ms + int(rng.integers(1, 20)) * max(1, int(np.gcd.reduce(jobs.submit_ms)))
    return Case(fleet(*clusters), jobs, stop_ms, drain=bool(rng.random() < 0.3))


def random_jobs(
    rng: np.random.Generator,
    clusters: list[Nodes],
    routes: list[tuple[int, ...]],
    count: int,
    *,
    ties: bool,
) -> JobTable:
    """Return jobs that fill the fleet somewhere between a half and twice over."""
    capacity = sum(c.count * c.accelerators for c in clusters)
    largest = max(c.count * c.accelerators for c in clusters)
    gpus = rng.choice([1, 1, 2, 3, 4, 8, 12, 16, 33], count)
    gpus = np.where(gpus > largest + 2, rng.integers(1, largest + 1, count), gpus)
    mean_ms = rng.choice([10, 600, 4000]) * MS_PER_S
    gap_ms = mean_ms * gpus.mean() / capacity / rng.choice([0.5, 1.0, 2.0])
    if ties:  # a coarse clock: many submissions and completions share an instant
        tick = max(1, int(gap_ms))
        submit = np.sort(rng.integers(0, max(2, count // 3), count)) * tick
        duration = rng.integers(0, 6, count) * tick * rng.integers(1, 4)
    else:
        submit = np.cumsum(rng.integers(1, max(2, int(2 * gap_ms)), count))
        duration = rng.exponential(mean_ms, count) + rng.random(count)
        duration = np.where(rng.random(count) < 0.1, 0.0, duration)
    return job_table(
        submit,
        duration,
        gpus,
        utilisation=rng.integers(0, 65, count) / 64,  # sums of these are exact
        priority=rng.choice([0, 0, 1, -2], count) if rng.random() < 0.5 else 0,
        route=rng.integers(0, len(routes), count),
        routes=routes,
        scales=bool(rng.random() < 0.5),
    )


def changes(
    time_ms: np.ndarray, node: np.ndarray, held: np.ndarray, busy: np.ndarray, end_ms: int
) -> np.ndarray:
    """Return change rows by node then time, before `end_ms`, without those that change nothing."""
    rows = np.column_stack([node, time_ms, held, busy]).astype(float)
    rows = rows[rows[:, 1] < end_ms]
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    before = np.vstack([[-1.0, -1.0, 0.0, 0.0], rows[:-1]])
    before[rows[:, 0] != before[:, 0], 2:] = 0.0  # a node begins empty
    return rows[np.any(rows[:, 2:] != before[:, 2:], axis=1)]


def metered_j(case: Case, stop_ms: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the energy of each node, and of each cluster in each hour, as the meter reads it."""
    fleet = case.fleet
    meter = Meter(fleet, awake(fleet), Grid(0, 0, MS_PER_H), case.end_ms)
    simulate(
        fleet, case.jobs, awake(fleet), end_ms=case.end_ms, drain=case.drain, on_log=meter.read
    )
    metered = meter.close(stop_ms)
    energy = energy_of(fleet, awake(fleet).ladders, metered)
    return energy.node_kwh * J_PER_KWH, energy.it_kwh.T * J_PER_KWH


@pytest.fixture(autouse=True)
def a_small_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the change log handed over many times in a run."""
    monkeypatch.setattr("simulator.engine.state.LOG_ROWS", 7)


@pytest.mark.parametrize(
    "block", [pytest.param(n, marks=() if n < 10 else pytest.mark.verify) for n in range(20)]
)
def test_the_engine_and_the_readable_model_agree_in_every_row(block: int) -> None:
    for seed in range(block * WORKLOADS // 20, (block + 1) * WORKLOADS // 20):
        case = random_case(seed)
        ran = run_engine(case.fleet, case.jobs, case.end_ms, drain=case.drain)
        model = Model(*inputs_of(case.fleet, case.jobs), case.end_ms, drain=case.drain).run()
        said = f"seed {seed}"
        np.testing.assert_array_equal(np.maximum(ran.cluster, -1), model.cluster, said)
        np.testing.assert_array_equal(ran.start_ms, model.start_ms, said)
        held = (ran.start_ms < 0) | (ran.end_ms > ran.start_ms)  # a job of no duration holds none
        np.testing.assert_array_equal(ran.first_node[held], np.array(model.first_node)[held], said)
        finished = np.array(model.end_ms) >= 0
        np.testing.assert_array_equal(ran.end_ms[finished], np.array(model.end_ms)[finished], said)
        running = (ran.start_ms >= 0) & ~finished
        assert np.all(ran.end_ms[running] > case.end_ms), said
        theirs = np.array(model.log, float).reshape(-1, 4).T
        np.testing.assert_array_equal(
            changes(ran.time_ms, ran.node, ran.held, ran.busy, model.stop_ms),
            changes(*theirs, model.stop_ms),
            said,
        )
        node_j, hourly_j = metered_j(case, model.stop_ms)
        np.testing.assert_allclose(node_j, model.energy_j, rtol=1e-12, err_msg=said)
        np.testing.assert_allclose(hourly_j, hourly_energy_j(model), rtol=1e-11, err_msg=said)


def test_they_agree_where_every_job_has_a_priority_of_its_own() -> None:
    rng = np.random.default_rng(7)
    count = 40_000
    jobs = job_table(
        np.sort(rng.integers(0, 100 * count, count)),
        rng.integers(1, 700, count),
        priority=rng.permutation(count) - count // 2,
    )
    nodes = fleet(Nodes(1, 4))
    ran = run_engine(nodes, jobs, 100 * count, drain=True)
    model = Model(*inputs_of(nodes, jobs), 100 * count, drain=True, keep_log=False).run()
    np.testing.assert_array_equal(ran.start_ms, model.start_ms)
