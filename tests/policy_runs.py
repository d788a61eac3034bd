"""Runs of provisioning policies on the engine, with everything that happened to each node."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.engine import Controller, commanders, simulate
from simulator.inputs import open_inputs
from simulator.joblog import JobLog
from simulator.results import Results
from simulator.scenario import Scenario, from_document
from simulator.simulation import Simulated, bins_of, queues_of, run
from tests.builders import scenario_document, write_jobs

MINIMAL: dict[str, dict[str, Any]] = {
    "always-on": {},
    "ladder": {},
    "timeout": {"after": "7 min"},
    "headroom": {"nodes": 1, "share": 0.3},
    "reactive": {"up": 2, "least": 1},
    "scheduled": {"nodes": [1] * 8 + [3] * 12 + [2] * 4},
    "forecast": {"season": "4 h", "every": "15 min"},
    "peak": {"nodes": 3},
    "consolidation": {},
    "capacity-planner": {
        "most": 9, "lead_time": "45 min", "every": "30 min", "sample": "10 min", "age": "3 h",
        "lifetime": "6 h", "target": 0.5,
    },
}  # fmt: skip
"""For each policy that ships parameters that make it act within hours."""


@dataclass(frozen=True)
class Happened:
    """A run's job log, and its change log in one piece, by columns."""

    log: JobLog
    time_ms: Any
    node: Any
    state: Any
    held: Any

    def of_node(self, node: int) -> list[tuple[int, int, int]]:
        """Return time, state and accelerators held after each change of a node."""
        mine = self.node == node
        columns = (self.time_ms[mine], self.state[mine], self.held[mine])
        return [tuple(row) for row in np.column_stack(columns).tolist()]


def happened(scenario: Scenario, controllers: tuple[Controller, ...] = ()) -> Happened:
    """Run the engine alone on a scenario and keep its whole change log."""
    opened = open_inputs(scenario)
    pieces: list[list[Any]] = []
    log = simulate(
        opened.fleet,
        opened.jobs,
        opened.power(),
        end_ms=scenario.horizon_ms,
        drain=scenario.drain,
        controllers=(*commanders(scenario), *controllers),
        start_epoch_ms=bins_of(opened).start_epoch_ms,
        queues=queues_of(scenario),
        on_log=lambda log, rows: pieces.append(
            [column[:rows].copy() for column in (log.time_ms, log.node, log.state, log.held)]
        ),
    )
    return Happened(log, *(np.concatenate(column) for column in zip(*pieces, strict=True)))


def same_bytes(one: Simulated, other: Simulated) -> None:
    """Assert that two runs say the same, but for the key of their scenario."""
    assert {**one.results.summary, "key": None} == {**other.results.summary, "key": None}
    for name, table in one.results.tables.items():
        assert table.equals(other.results.tables[name]), name


def policy_document(
    folder: Path,
    idle: Any,
    rows: Sequence[Sequence[Any]] = (),
    *,
    states: Sequence[dict[str, Any]] = (),
    nodes: dict[str, Any] | None = None,
    **keys: Any,
) -> dict[str, Any]:
    """Return a scenario of one cluster of four nodes, without jobs where no rows are given."""
    jobs = write_jobs(folder / "jobs.csv", rows) if rows else None
    keys = {"clusters__c__count": 4, "clusters__c__idle": idle, **keys}
    return scenario_document(jobs, nodes={"idle_states": list(states), **(nodes or {})}, **keys)


def run_policy(folder: Path, idle: Any, *args: Any, **keys: Any) -> Simulated:
    """Return a run of `policy_document`."""
    return run(from_document(policy_document(folder, idle, *args, **keys)))


def told(results: Results) -> dict[str, tuple[str, str]]:
    """Return what policies noted: value and unit by quantity."""
    return {
        quantity: (value, unit)
        for _, quantity, value, unit, source in results.assumptions
        if source.startswith("policy ")
    }


def awake_by_hour(results: Results) -> list[float]:
    """Return how many nodes of the first cluster were awake in each interval."""
    hourly = results.hourly
    return list(hourly[hourly["cluster"] == hourly["cluster"][0]]["nodes_awake_mean"])
