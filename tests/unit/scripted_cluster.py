"""A cluster that policies can be tried on: what it shows is set, what it is told is noted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from simulator.policies import Clock, ClusterView, Commands


@dataclass
class ScriptedCluster:
    """A view of a cluster whose numbers a test sets, by hand or as a function of time.

    Nodes are kept as accelerators held; -1 is a place without a node.
    """

    env: simpy.Environment
    held: list[int]
    accelerators: int = 8
    start_epoch_ms: int = 0
    name: str = "c"
    waking: int = 0
    queued_jobs: int = 0
    queued_gpus: int = 0
    oldest_wait_ms: int = 0
    sleeping: set[int] = field(default_factory=set)
    demand: Callable[[int], int] | None = None
    intensity: Callable[[int], float] = float
    commands: list[tuple[int, str, Any]] = field(default_factory=list)
    notes: dict[str, tuple[float, str]] = field(default_factory=dict)

    @property
    def now_ms(self) -> int:
        return int(self.env.now)

    @property
    def node_count(self) -> int:
        return sum(held >= 0 for held in self.held)

    @property
    def asleep(self) -> int:
        return len(self.sleeping)

    @property
    def awake(self) -> int:
        return self.node_count - self.asleep - self.waking

    @property
    def occupied(self) -> int:
        return sum(held > 0 for held in self.held)

    @property
    def idle(self) -> int:
        return self.awake - self.occupied

    @property
    def held_gpus(self) -> int:
        return sum(held for held in self.held if held > 0)

    @property
    def demand_gpus(self) -> int:
        if self.demand is not None:
            return self.demand(self.now_ms)
        return self.held_gpus + self.queued_gpus

    def intensity_ahead(self, leads_ms: np.ndarray, signal: str = "average") -> np.ndarray:
        return np.array([self.intensity(self.now_ms + int(lead)) for lead in leads_ms])

    def held_by_node(self) -> np.ndarray:
        return np.array(self.held, np.int64)

    def is_awake_by_node(self) -> np.ndarray:
        return np.array(
            [held >= 0 and node not in self.sleeping for node, held in enumerate(self.held)]
        )

    def keep_awake(self, nodes: int) -> None:
        self._told("keep_awake", nodes)

    def keep_free(self, nodes: int) -> None:
        self._told("keep_free", nodes)

    def close(self, nodes: np.ndarray) -> None:
        self._told("close", sorted(nodes.tolist()))

    def open(self, nodes: np.ndarray) -> None:
        self._told("open", sorted(nodes.tolist()))

    def add(self, nodes: int) -> None:
        self._told("add", nodes)
        for _ in range(nodes):
            self.held[self.held.index(-1)] = 0

    def retire(self, nodes: np.ndarray) -> None:
        self._told("retire", sorted(nodes.tolist()))
        for node in nodes:
            assert self.held[node] >= 0, "a node is retired once"
            if self.held[node] == 0:
                self.held[node] = -1

    def note(self, quantity: str, value: float, unit: str) -> None:
        self.notes[quantity] = (value, unit)

    def _told(self, command: str, value: Any) -> None:
        assert not isinstance(value, float), "nodes are whole"
        self.commands.append((self.now_ms, command, value))

    def said(self, command: str) -> list[tuple[int, Any]]:
        """Return when a command was given, and what it said."""
        return [(at_ms, value) for at_ms, name, value in self.commands if name == command]


def cluster_of(*held: int, **shown: Any) -> ScriptedCluster:
    """Return a cluster with a clock of its own."""
    return ScriptedCluster(simpy.Environment(), list(held), **shown)


def driven(
    cluster: ScriptedCluster,
    policy: Callable[..., Commands],
    until_ms: int,
    script: dict[int, dict[str, Any]] | None = None,
    **parameters: Any,
) -> ScriptedCluster:
    """Run a policy on a cluster; at the times of the script what the cluster shows is changed."""

    def changes() -> Commands:
        for at_ms, shown in sorted((script or {}).items()):
            yield cluster.env.timeout(at_ms - cluster.now_ms)
            for name, value in shown.items():
                setattr(cluster, name, value)

    view: ClusterView = cluster
    clock: Clock = cluster.env
    if script:
        cluster.env.process(changes())
    cluster.env.process(policy(clock, view, **parameters))
    cluster.env.run(until=until_ms)
    return cluster
