"""Runs of provisioning policies on the engine, with everything that happened to each node."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.engine import Controller, commanders, simulate
from simulator.inputs import open_inputs
from simulator.joblog import JobLog
from simulator.scenario import Scenario
from simulator.simulation import Simulated, bins_of, run

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


__all__ = ["MINIMAL", "Happened", "happened", "run", "same_bytes"]
