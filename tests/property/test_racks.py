"""Locality spans the fewest racks that are possible with what is free, by trying them all."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from simulator.engine.state import State, initial_state
from simulator.fleet import Racks
from simulator.kernels import tables as kernels
from simulator.kernels.locality import choose_local, follow_move
from simulator.kernels.placement import move, reopen, shut
from tests.builders import Nodes, awake, fleet, job_table
from tests.oracle.scheduling import place_by_racks


def fewest(free: Sequence[int], whole: int, gpus: int, rack: int) -> int | None:
    """Return the fewest racks that hold a gang on the fewest nodes, None where it does not fit."""
    count, rest = divmod(gpus, whole)
    racks = [free[first : first + rack] for first in range(0, len(free), rack)]
    for number in range(1, len(racks) + 1):
        for some in combinations(racks, number):
            nodes = sorted((left for members in some for left in members), reverse=True)
            if nodes[:count].count(whole) == count and (
                not rest or any(left >= rest for left in nodes[count:])
            ):
                return number
    return None


def a_case(seed: int) -> tuple[list[int], int, int]:
    """Return what is free on each node, accelerators of a node, and nodes of a rack."""
    rng = np.random.default_rng([7, seed])
    whole, rack = int(rng.integers(1, 5)), int(rng.integers(1, 5))
    nodes = int(rng.integers(1, 13))
    empty = rng.random(nodes) < rng.choice([0.3, 0.6, 0.9])
    free = np.where(empty, whole, rng.integers(0, whole + 1, nodes))
    return free.tolist(), whole, rack


def state_of(free: Sequence[int], whole: int, rack: int) -> State:
    """Return a cluster of racks on which so much is free."""
    nodes = fleet(Nodes(count=len(free), accelerators=whole, placement="locality"))
    nodes = replace(nodes, racks=Racks(np.array([rack], np.int64), np.ones(1)))
    state = initial_state(nodes, job_table([0], 1.0), awake(nodes), end_ms=10)
    for node, left in enumerate(free):
        if left < whole:
            move(state.tables, 0, node, left - whole)
    return state


def chosen_by_engine(state: State, gpus: int) -> set[int]:
    queueing = state.queueing
    assert queueing is not None
    choose_local(state.tables, queueing.racks, queueing.chosen, 0, gpus)
    return set(queueing.chosen[: -(-gpus // int(state.tables.clusters[0, kernels.WHOLE]))].tolist())


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_no_fewer_racks_hold_a_gang(first: int) -> None:
    for seed in range(first, first + 100):
        free, whole, rack = a_case(seed)
        state = state_of(free, whole, rack)
        for gpus in range(1, sum(free) + 1):
            least = fewest(free, whole, gpus, rack)
            if least is None:
                continue
            wanted = place_by_racks(free, whole, gpus, rack)
            nodes = chosen_by_engine(state, gpus)
            assert nodes == set(wanted), (seed, gpus)
            assert len({node // rack for node in nodes}) == least, (seed, gpus)


def test_what_is_kept_of_racks_is_what_would_be_counted() -> None:
    """Nodes are taken, freed, shut and opened at random; the next gang is placed all the same."""
    rng = np.random.default_rng(3)
    for seed in range(60):
        free, whole, rack = a_case(seed)
        state = state_of(free, whole, rack)
        queueing, tables = state.queueing, state.tables
        assert queueing is not None
        for _ in range(40):
            node = int(rng.integers(len(free)))
            listed = tables.nodes[node, kernels.LISTED] == 1
            if rng.random() < 0.2:
                (shut if listed else reopen)(tables, 0, node)
            else:
                change = int(rng.integers(-free[node], whole - free[node] + 1))
                move(tables, 0, node, change)
                follow_move(tables, queueing.racks, 0, node, change)
                free[node] += change
            open_free = np.where(tables.nodes[:, kernels.LISTED] == 1, free, 0).tolist()
            gpus = int(rng.integers(1, whole * len(free) + 1))
            if fewest(open_free, whole, gpus, rack) is not None:
                wanted = place_by_racks(open_free, whole, gpus, rack)
                assert chosen_by_engine(state, gpus) == set(wanted), seed
