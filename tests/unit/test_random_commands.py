"""A policy that commands whatever comes to its mind: every count agrees, and no job is lost."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator as fs
from simulator.kernels import tables as kernels
from simulator.registry import provisioning
from simulator.scenario import from_document
from simulator.simulation import run
from tests.policy_runs import happened, policy_document, same_bytes
from tests.unit.test_every_policy import DOZE, NAP, OFF, check_node, check_starts, jobs_of

PLACES = 40
"""More than one word of the index of free nodes."""
GPUS = 8
LADDERS = {"latency": [NAP, OFF], "first without": [DOZE, NAP, OFF], "none": []}


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioning.names()
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))


def agree(cluster: Any) -> None:
    """Assert that the counts of a cluster are those of its nodes one by one."""
    nodes, row = cluster._nodes, cluster._row
    state, free, listed = (
        nodes[:, column] for column in (kernels.NODE_STATE, kernels.NODE_FREE, kernels.LISTED)
    )
    awake = state == kernels.AWAKE
    assert cluster.node_count == np.count_nonzero(state != kernels.ABSENT)
    assert (cluster.awake, cluster.asleep, cluster.waking) == tuple(
        np.count_nonzero(state == each) for each in (kernels.AWAKE, kernels.ASLEEP, kernels.WAKING)
    )
    assert cluster.idle == np.count_nonzero(awake & (free == GPUS))
    assert cluster.occupied == np.count_nonzero(free < GPUS)
    assert cluster.held_gpus == (GPUS - free).sum()
    held = cluster.held_by_node()
    assert held[held > 0].sum() == cluster.held_gpus
    assert not (listed.astype(bool) & ~awake).any()
    assert int(row[kernels.FREE]) == free[listed == 1].sum()
    closed_awake = int(row[kernels.CLOSED_EMPTY]) - int(row[kernels.CLOSED_ASLEEP])
    assert closed_awake == np.count_nonzero(awake & (free == GPUS) & (listed == 0))
    for gpus in range(GPUS + 1):
        assert row[kernels.WITH_FREE + gpus] == np.count_nonzero((listed == 1) & (free == gpus))


def restless(may_leave: bool) -> str:
    """Register a policy of random commands, and return its name."""
    roles = {"node_limit": "most"} if may_leave else {}

    @fs.provisioning("restless", **roles)
    def policy(env: Any, cluster: Any, *, draws: int, most: int = 1) -> Iterator[Any]:
        del most
        rng = np.random.default_rng(draws)
        while True:
            yield env.timeout(int(rng.choice([0, 1, 1000, 60_000, 600_000, 1_800_000])))
            agree(cluster)
            for _ in range(int(rng.integers(1, 4))):
                some = rng.integers(0, len(cluster.held_by_node()), int(rng.integers(0, 4)))
                count = int(rng.integers(0, 5))
                command = int(rng.integers(0, 6 if may_leave else 4))
                (
                    lambda n=count: cluster.keep_awake(n),
                    lambda n=count: cluster.keep_free(n),
                    lambda at=some: cluster.close(at),
                    lambda at=some: cluster.open(at),
                    lambda n=count: cluster.add(n),
                    lambda at=some: cluster.retire(at),
                )[command]()
                agree(cluster)

    return "restless"


def check_wake_ups(course: list[tuple[int, int, int]], told: Any) -> None:
    """Assert that the wake-ups told of a node are those of its course, begun and cancelled."""
    states = [state for _, state, _ in course]
    begun = states.count(kernels.WAKING)
    cancelled = sum(
        before == kernels.WAKING and after in (kernels.ASLEEP, kernels.WAKING)
        for before, after in pairwise(states)
    )
    assert (told["wake_ups"], told["wake_ups_cancelled"]) == (begun, cancelled)


@pytest.mark.parametrize("seed", range(9))
@pytest.mark.parametrize("ladder", LADDERS)
@pytest.mark.parametrize("may_leave", [False, True])
def test_whatever_is_commanded_the_books_agree(
    tmp_path: Path, may_leave: bool, ladder: str, seed: int
) -> None:
    idle: dict[str, Any] = {"policy": restless(may_leave), "draws": seed}
    if may_leave:
        idle["most"] = PLACES
    states = LADDERS[ladder]
    document = policy_document(
        tmp_path, idle, jobs_of(seed), states=states, nodes={"embodied": "900 kg"}
    )
    document["clusters"]["c"]["max_waking"] = 2
    scenario = from_document(document)
    done = run(scenario)
    same_bytes(done, run(scenario))
    nodes, summary = done.results.nodes, done.results.summary
    spent = [name for name in nodes if name.startswith("residency_")]
    assert nodes[spent].sum(axis=1).to_numpy() == pytest.approx(36_000.0, abs=1e-6)
    owned_h = summary["gpu_hours_capacity"] / GPUS
    assert done.results.hourly["nodes_owned_mean"].sum() == pytest.approx(owned_h, rel=1e-9)
    seen = happened(scenario)
    check_starts(seen)
    for node in range(int(seen.node.max(initial=-1)) + 1):
        begins = kernels.AWAKE if node < 4 else kernels.ABSENT
        course = seen.of_node(node)
        check_node(course, begins=begins, prompt=False)
        if ladder == "latency":
            check_wake_ups(course, nodes.iloc[node])
    held_h = (seen.log.end_ms.clip(max=36_000_000) - seen.log.start_ms) * done.inputs.jobs.gpus
    assert summary["gpu_hours_delivered"] == pytest.approx(
        held_h[seen.log.start_ms >= 0].sum() / 3.6e6, rel=1e-9
    )
