"""What only some runs need is one compiled engine for all of them, whichever they use."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numba
import numpy as np
import pytest

from simulator.engine import Dispatches, Preempting, Queues
from simulator.engine.state import State, initial_state
from simulator.fleet import Racks
from simulator.kernels import tables as kernels
from simulator.policies import DispatchRule, QueueRule, WorkloadDispatch
from tests.builders import Nodes, awake, failing, fleet, job_table

RARE = ("backfill", "quota", "racks", "failures", "preemption", "fair share", "dispatch")
FIELDS = (
    "jobs", "tables", "sleepers", "queueing", "power", "faults", "preemption", "pieces", "tenants",
    "dispatch", "log",
)  # fmt: skip


def state_with(*features: str) -> State:
    """Return the first state of a run on two clusters that uses some of what is rare."""
    here = fleet(Nodes(4, 4, "locality" if "racks" in features else "pack"), Nodes(3, 2))
    if "racks" in features:
        here = replace(here, racks=Racks(np.array([2, 0], np.int64), np.array([0.9, 1.0])))
    power = awake(here)
    if "failures" in features:
        lives_ms, repairs_ms = np.full((4, 7), 50), np.full((4, 7), 5)
        power = failing(here, lives_ms, repairs_ms)
    order = "fair-share" if "fair share" in features else "fifo"
    backfill = "easy" if "backfill" in features else "none"
    rule = QueueRule(order, half_life_ms=1000, backfill=backfill)
    queues = Queues((rule, rule), (3 if "quota" in features else 0,))
    if "preemption" in features:
        queues = replace(queues, preempting=(Preempting(), None))
    dispatches = None
    if "dispatch" in features:
        least_wait = WorkloadDispatch("least-wait", DispatchRule("wait"))
        dispatches = Dispatches((least_wait,), np.ones(1), lambda *_: (1.0, None))
    jobs = job_table([0, 1], 10.0, routes=((0, 1),), priority=[0, 1])
    return initial_state(here, jobs, power, end_ms=100, queues=queues, dispatches=dispatches)


def signature(state: State) -> tuple[Any, ...]:
    """Return the types that `advance` is compiled for."""
    return tuple(numba.typeof(getattr(state, field)) for field in FIELDS)


def test_every_choice_of_rare_tables_is_one_signature() -> None:
    choices = [some for count in (1, 2, len(RARE)) for some in combinations(RARE, count)]
    assert len({signature(state_with(*some)) for some in choices}) == 1


def test_a_plain_run_carries_none_of_them() -> None:
    state = state_with()
    rare = (state.queueing, state.faults, state.preemption, state.pieces, state.dispatch)
    assert rare == (None,) * 5
    assert state.tables.loads is None
    assert signature(state) != signature(state_with("backfill"))


@pytest.mark.parametrize("feature", RARE)
def test_blank_tables_say_nothing(feature: str) -> None:
    state = state_with(feature)
    queueing, faults, preemption = state.queueing, state.faults, state.preemption
    assert queueing is not None
    assert queueing.racks is not None
    assert queueing.shares is not None
    assert faults is not None
    assert preemption is not None
    assert bool(queueing.racks.nodes.any()) == (feature == "racks")
    assert bool((queueing.shares.routes[:, kernels.BOOK] >= 0).any()) == (feature == "fair share")
    assert bool(state.tables.clock[kernels.IN_SERVICE]) == (feature == "failures")
    assert bool((preemption.way != kernels.NOBODY).any()) == (feature == "preemption")
    assert state.preempts == (feature == "preemption")
    assert state.cuts == (feature in {"failures", "preemption"})
    assert state.binds == (feature == "dispatch")
