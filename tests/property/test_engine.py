"""What holds in every run of the engine, whatever the fleet and the jobs."""

import dataclasses
from collections.abc import Generator
from typing import Any
from unittest import mock

import numpy as np
import simpy
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine import Controller, View, conductor
from simulator.engine.state import State, initial_state
from simulator.fleet import Fleet
from simulator.kernels import tables
from simulator.workload.table import JobTable
from tests.builders import Ran, job_table, run_engine
from tests.property.workloads import EXACTLY, SEVERAL_RUNS, cases, last_ms

Case = tuple[Fleet, JobTable]


def drained(case: Case) -> Ran:
    fleet, jobs = case
    return run_engine(fleet, jobs, last_ms(jobs), drain=True)


def held_at(ran: Ran, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the instants of change, and what every node holds after each, [instants, nodes]."""
    instants = np.unique(ran.time_ms)
    held = np.zeros((len(instants), nodes))
    now = np.zeros(nodes)
    for k, instant in enumerate(instants):
        here = ran.time_ms == instant
        now[ran.node[here].astype(int)] = ran.held[here]
        held[k] = now
    return instants, held


def same(one: Ran, other: Ran) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in dataclasses.fields(Ran)
    )


@EXACTLY
@given(cases())
def test_time_never_decreases_and_a_node_changes_once_an_instant(case: Case) -> None:
    ran = drained(case)
    assert np.all(np.diff(ran.time_ms) >= 0)
    pairs = np.column_stack([ran.time_ms, ran.node])
    assert len(np.unique(pairs, axis=0)) == len(pairs)


@EXACTLY
@given(cases())
def test_no_accelerator_is_held_twice_and_gangs_stay_together(case: Case) -> None:
    fleet, jobs = case
    ran = drained(case)
    capacity = np.repeat(fleet.accelerators, fleet.node_count)
    instants, held = held_at(ran, len(capacity))
    assert np.all(held >= 0)
    assert np.all(held <= capacity)
    for cluster in range(len(fleet.cluster_names)):
        nodes = slice(fleet.first_node[cluster], fleet.first_node[cluster + 1])
        mine = ran.cluster == cluster
        running = (ran.start_ms[mine, None] <= instants) & (instants < ran.end_ms[mine, None])
        np.testing.assert_array_equal(held[:, nodes].sum(axis=1), jobs.gpus[mine] @ running)


@EXACTLY
@given(cases())
def test_a_job_within_one_node_sits_on_one_node_and_a_larger_one_on_whole_nodes(
    case: Case,
) -> None:
    fleet, jobs = case
    ran = drained(case)
    capacity = np.repeat(fleet.accelerators, fleet.node_count)
    instants, held = held_at(ran, len(capacity))
    whole = np.append(fleet.accelerators, 1)[ran.cluster]
    small = np.flatnonzero((ran.start_ms >= 0) & (jobs.gpus <= whole))
    for k, instant in enumerate(instants):
        running = (ran.start_ms <= instant) & (instant < ran.end_ms)
        on_one = np.zeros(len(capacity))
        rows = small[running[small]]
        np.add.at(on_one, ran.first_node[rows], jobs.gpus[rows])
        beyond = held[k] - on_one  # held by gangs of more than a node
        assert np.all(beyond >= 0)
        gangs = np.flatnonzero(running & (jobs.gpus > whole))
        assert (beyond == capacity).sum() >= (jobs.gpus[gangs] // whole[gangs]).sum()
        assert beyond.sum() == jobs.gpus[gangs].sum()


@EXACTLY
@given(cases())
def test_the_change_log_holds_what_the_jobs_hold_over_time(case: Case) -> None:
    """Little's law for accelerators: the integral of those held is the sum of gpus x run time."""
    fleet, jobs = case
    ran = drained(case)
    instants, held = held_at(ran, int(fleet.first_node[-1]))
    started = ran.start_ms >= 0
    asked = (jobs.gpus * (ran.end_ms - ran.start_ms))[started].sum()
    integral = (held.sum(axis=1)[:-1] * np.diff(instants)).sum() if len(instants) else 0
    assert integral == asked
    if len(instants):
        assert held[-1].sum() == 0


@EXACTLY
@given(cases())
def test_the_jobs_in_the_system_over_time_are_the_sum_of_their_sojourns(case: Case) -> None:
    """H = lambda G on a path that starts and ends empty."""
    _, jobs = case
    ran = drained(case)
    placed = ran.start_ms >= 0
    arrivals, departures = jobs.submit_ms[placed], ran.end_ms[placed]
    edges = np.unique(np.concatenate([arrivals, departures]))
    number = np.searchsorted(arrivals, edges, side="right") - np.searchsorted(
        np.sort(departures), edges, side="right"
    )
    assert (number[:-1] * np.diff(edges)).sum() == (departures - arrivals).sum()


@EXACTLY
@given(cases())
def test_every_job_that_fits_somewhere_runs_and_for_as_long_as_it_asks(case: Case) -> None:
    fleet, jobs = case
    ran = drained(case)
    fits = np.array(
        [
            any(-(-g // fleet.accelerators[c]) <= fleet.node_count[c] for c in jobs.routes[r])
            for g, r in zip(jobs.gpus, jobs.route, strict=True)
        ]
    )
    np.testing.assert_array_equal(ran.start_ms >= 0, fits)
    np.testing.assert_array_equal(ran.cluster >= 0, fits)
    assert np.all(ran.start_ms[fits] >= jobs.submit_ms[fits])
    speed = fleet.relative_speed[ran.cluster[fits]] if jobs.scales[0] else 1.0
    expected = np.rint(jobs.duration_ms[fits] / speed)
    np.testing.assert_array_equal((ran.end_ms - ran.start_ms)[fits], expected)


@EXACTLY
@given(cases())
def test_jobs_of_one_cluster_and_priority_start_in_the_order_of_submission(case: Case) -> None:
    _, jobs = case
    ran = drained(case)
    for cluster in np.unique(ran.cluster[ran.cluster >= 0]):
        for priority in (-1, 0, 1):
            mine = (ran.cluster == cluster) & (jobs.priority == priority)
            assert np.all(np.diff(ran.start_ms[mine]) >= 0)


@EXACTLY
@given(cases())
def test_a_longer_horizon_leaves_earlier_starts_as_they_were(case: Case) -> None:
    fleet, jobs = case
    long = drained(case)
    for end_ms in (last_ms(jobs), last_ms(jobs) + 60_000):
        short = run_engine(fleet, jobs, end_ms)
        before = (long.start_ms >= 0) & (long.start_ms < end_ms)
        np.testing.assert_array_equal(short.start_ms, np.where(before, long.start_ms, -1))
        np.testing.assert_array_equal(short.first_node, np.where(before, long.first_node, -1))


@SEVERAL_RUNS
@given(cases(), st.sampled_from([2, 7, 3600]))
def test_time_scales(case: Case, k: int) -> None:
    """Every time k times as long: every start and end k times as late, the same nodes."""
    fleet, jobs = case
    plain = dataclasses.replace(fleet, relative_speed=np.ones(len(fleet.cluster_names)))
    slower = dataclasses.replace(
        jobs, submit_ms=jobs.submit_ms * k, duration_ms=jobs.duration_ms * k
    )
    one = run_engine(plain, jobs, last_ms(jobs), drain=True)
    other = run_engine(plain, slower, last_ms(slower), drain=True)
    np.testing.assert_array_equal(np.where(one.start_ms >= 0, one.start_ms * k, -1), other.start_ms)
    np.testing.assert_array_equal(one.first_node, other.first_node)
    np.testing.assert_array_equal(one.time_ms * k, other.time_ms)
    np.testing.assert_array_equal(one.busy, other.busy)


@SEVERAL_RUNS
@given(cases())
def test_a_job_of_no_duration_that_waits_for_nobody_changes_nobody(case: Case) -> None:
    """Jobs of no duration at the end of each instant's arrivals leave the change log as it is."""
    fleet, jobs = case
    alone = drained(case)
    count = len(jobs)
    rows: Any = np.append(np.arange(count), count - 1)
    columns = {
        name: getattr(jobs, name)[rows]
        for name in ("submit_ms", "duration_ms", "gpus", "utilisation", "priority", "route")
    }
    columns["duration_ms"][-1] = 0.0
    columns["priority"][-1] = jobs.priority.min() - 1
    table = job_table(**columns, routes=jobs.routes, scales=jobs.scales[0])
    ran = run_engine(fleet, table, last_ms(table), drain=True)
    np.testing.assert_array_equal(ran.start_ms[:-1], alone.start_ms)
    for column in ("time_ms", "node", "held", "busy"):
        np.testing.assert_array_equal(getattr(ran, column), getattr(alone, column))


def looking_every(step_ms: int) -> Controller:
    """Return a SimPy process that looks at the fleet at intervals and does nothing."""

    def look(env: simpy.Environment, view: View) -> Generator[simpy.Event, object, None]:
        while True:
            yield env.timeout(step_ms)
            assert view.now_ms == env.now
            assert np.all(view.free >= 0)

    return look


@SEVERAL_RUNS
@given(cases(), st.sampled_from([1_000, 7_000, 3_600_000]), st.booleans())
def test_a_controller_that_does_nothing_changes_nothing(
    case: Case, step_ms: int, drain: bool
) -> None:
    fleet, jobs = case
    end_ms = last_ms(jobs) + 60_000
    alone = run_engine(fleet, jobs, end_ms, drain=drain)
    controllers = (looking_every(step_ms), looking_every(step_ms))
    assert same(alone, run_engine(fleet, jobs, end_ms, drain=drain, controllers=controllers))


@SEVERAL_RUNS
@given(cases())
def test_the_same_run_twice_gives_the_same_rows(case: Case) -> None:
    assert same(drained(case), drained(case))


def with_slots_in_another_order(seed: int) -> Any:
    """Return `initial_state` with its free slots linked at random.

    Completions of one instant are settled in the order of their slots, so this permutes them.
    """

    def shuffled(*arguments: Any, **options: Any) -> State:
        state = initial_state(*arguments, **options)
        slots = state.tables.slots
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(slots))
        slots[order[:-1], tables.NEXT_SLOT] = order[1:]
        slots[order[-1], tables.NEXT_SLOT] = tables.NONE
        state.tables.clock[tables.FREE_SLOT] = order[0]
        return state

    return shuffled


def by_time_and_node(ran: Ran) -> np.ndarray:
    order = np.lexsort((ran.node, ran.time_ms))
    return np.column_stack([ran.time_ms, ran.node, ran.held, ran.busy])[order]


@SEVERAL_RUNS
@given(cases(), st.integers(0, 2**32))
def test_the_order_of_completions_of_one_instant_means_nothing(case: Case, seed: int) -> None:
    plain = drained(case)
    with mock.patch.object(conductor, "initial_state", with_slots_in_another_order(seed)):
        shuffled = drained(case)
    for name in ("start_ms", "end_ms", "cluster", "first_node"):
        assert np.array_equal(getattr(plain, name), getattr(shuffled, name))
    assert np.array_equal(by_time_and_node(plain), by_time_and_node(shuffled))
