"""Nodes that fail while policies close, open, wake, add and retire them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.kernels import tables as kernels
from simulator.registry import provisioning
from simulator.scenario import from_document
from simulator.simulation import run
from tests.policy_runs import MINIMAL, happened, policy_document, same_bytes
from tests.unit.test_every_policy import STATES, jobs_of
from tests.unit.test_random_commands import LADDERS, PLACES, agree, restless

OFTEN = {"mtbf": "2 h", "repair": {"dist": "uniform", "low": "0 s", "high": "40 min"}}
SAVES = {"interval": "10 min", "cost": "20 s", "restart": "1 min"}


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    provisioning.names()
    monkeypatch.setattr(provisioning, "_plugins", dict(provisioning._plugins))


def document_of(folder: Path, idle: Any, seed: int, **keys: Any) -> dict[str, Any]:
    nodes = {"embodied": "900 kg", "failures": OFTEN}
    document = policy_document(folder, idle, jobs_of(seed), nodes=nodes, **keys)
    document["workloads"]["w"]["checkpoint"] = SAVES
    return document


def check_courses(seen: Any, nodes: Any) -> None:
    """Assert that nodes hold something only while they are awake, and fail only then."""
    failures = np.zeros(len(nodes), np.int64)
    for node in range(len(nodes)):
        before = kernels.AWAKE if node < 4 else kernels.ABSENT
        for _, state, held in seen.of_node(node):
            assert state == kernels.AWAKE or held == 0
            if state == kernels.FAILED:
                assert before in (kernels.AWAKE, kernels.ASLEEP)
                failures[node] += 1
            elif before == kernels.FAILED:
                assert state in (kernels.AWAKE, kernels.ABSENT)
            before = state
    assert failures.tolist() == nodes["failures"].tolist()
    assert failures.sum() > 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ladder", LADDERS)
@pytest.mark.parametrize("may_leave", [False, True])
def test_whatever_is_commanded_of_nodes_that_fail_the_books_agree(
    tmp_path: Path, may_leave: bool, ladder: str, seed: int
) -> None:
    idle: dict[str, Any] = {"policy": restless(may_leave), "draws": seed}
    if may_leave:
        idle["most"] = PLACES
    scenario = from_document(document_of(tmp_path, idle, seed, states=LADDERS[ladder]))
    done = run(scenario)
    same_bytes(done, run(scenario))
    nodes, summary = done.results.nodes, done.results.summary
    spent = [name for name in nodes if name.startswith("residency_")]
    assert nodes[spent].sum(axis=1).to_numpy() == pytest.approx(36_000.0, abs=1e-6)
    owned_h = summary["gpu_hours_capacity"] / 8
    assert done.results.hourly["nodes_owned_mean"].sum() == pytest.approx(owned_h, rel=1e-9)
    jobs = done.results.jobs
    held_h = float((jobs["run_s"] * jobs["gpus"]).sum()) / 3600
    assert summary["gpu_hours_delivered"] == pytest.approx(held_h, rel=1e-9)
    check_courses(happened(scenario), nodes)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("policy", sorted(MINIMAL))
def test_under_every_policy_jobs_finish_though_nodes_fail(
    tmp_path: Path, policy: str, seed: int
) -> None:
    idle = {"policy": policy, **MINIMAL[policy]}
    done = run(from_document(document_of(tmp_path, idle, seed, states=STATES, drain=True)))
    results, summary = done.results, done.results.summary
    assert (summary["jobs_finished"], summary["jobs_queued"]) == (60, 0)
    assert summary["failures"] > 0
    total_kwh = pytest.approx(summary["energy_it_kwh"], rel=1e-9)
    assert results.hourly["energy_it_kwh"].sum() == total_kwh
    assert results.nodes["energy_it_kwh"].sum() == total_kwh


def test_the_counts_of_a_cluster_hold_at_every_look(tmp_path: Path) -> None:
    """`agree` looks at every command; here at nodes that nobody commands."""
    looks = []

    def look(env: Any, view: Any) -> Iterator[Any]:
        while True:
            yield env.timeout(60_000)
            agree(view.clusters[0])
            looks.append(view.clusters[0].failed)

    scenario = from_document(document_of(tmp_path, "ladder", 1, states=STATES))
    run(scenario, controllers=(look,))
    assert max(looks) > 0
