"""Placement policies in plain Python: asked for each job that starts, and held to its answer."""

from collections.abc import Callable, Iterable
from operator import index
from typing import Any

import numpy as np

from simulator.engine.failing import failed
from simulator.engine.waiting import Columns, WaitedFor, WaitingJob
from simulator.errors import PolicyError
from simulator.kernels import placed as passes
from simulator.kernels import tables as kernels
from simulator.kernels.compile import entry_of
from simulator.policies import ClusterPlacement
from simulator.units import MS_PER_S

STATES = {
    kernels.ASLEEP: "asleep",
    kernels.WAKING: "waking",
    kernels.ABSENT: "out of service",
    kernels.FAILED: "failed",
}
"""Why a node can't be used; one that is awake and not offered is closed."""


class PlacedOn(WaitedFor):
    """A cluster, as the policy that places jobs on it sees it; nodes count from 0."""

    def __init__(self, columns: Columns, cluster: int, start_epoch_ms: int) -> None:
        super().__init__(columns, cluster, start_epoch_ms)
        tables = self._tables
        self._nodes = tables.nodes.data
        self._first_node = self._row[kernels.FIRST_NODE]
        self._lowest = entry_of(passes.lowest_with, tables.words, tables.clusters, 0, 0, 0, 0)
        racks = columns.queueing.racks
        self._rack_nodes = 0 if racks is None else int(racks.nodes[cluster])

    @property
    def node_limit(self) -> int:
        """Most nodes that it ever has; their numbers are below this."""
        return self._row[kernels.NODES]

    @property
    def rack_nodes(self) -> int:
        """Nodes of a rack, 0 where it has no racks."""
        return self._rack_nodes

    def free_of(self, node: int) -> int:
        """Return how many accelerators of a node a job could take now.

        None of one that is asleep, failed, closed or out of service.
        """
        row = self._first_node + self._number(node)
        free: int = self._nodes[row, kernels.NODE_FREE]
        return free if self._nodes[row, kernels.LISTED] else 0

    def rack_of(self, node: int) -> int:
        """Return the rack of a node; they count from 0."""
        if not self._rack_nodes:
            raise ValueError(f"cluster {self.name} has no racks")
        return self._number(node) // self._rack_nodes

    def lowest(self, at_least: int, *, at_most: int | None = None, above: int = -1) -> int | None:
        """Return the lowest node above one with so many accelerators free, None if none has.

        Parameters
        ----------
        at_least, at_most : int
            Free accelerators; up to all of a node unless said.
        above : int
            Look only at nodes of larger number.
        """
        least, whole = max(1, index(at_least)), self._row[kernels.WHOLE]
        most = whole if at_most is None else min(index(at_most), whole)
        above = index(above)
        if above >= self.node_limit:
            return None
        tables = self._tables
        node: int = self._lowest(tables.words, tables.clusters, self._cluster, least, most, above)
        return node if node >= 0 else None

    def _number(self, node: int) -> int:
        number = index(node)
        if not 0 <= number < self.node_limit:
            raise ValueError(_not_of_this(node, self.node_limit))
        return number


class Placer:
    """One cluster's policy of placement.

    Parameters
    ----------
    columns : Columns
    at : int
        Number of the cluster.
    policy : ClusterPlacement
    start_epoch_ms : int
        The scenario's start. [ms since 1970-01-01T00:00Z]
    """

    def __init__(
        self, columns: Columns, at: int, policy: ClusterPlacement, start_epoch_ms: int
    ) -> None:
        self._columns = columns
        self._at = at
        self._policy = policy.policy
        self._place: Callable[..., Any] = policy.choice
        self._cluster = PlacedOn(columns, at, start_epoch_ms)
        self._chosen = columns.queueing.chosen.data
        self._nodes = columns.state.tables.nodes.data
        row = columns.state.tables.clusters[at]
        self._whole = int(row[kernels.WHOLE])
        self._first = int(row[kernels.FIRST_NODE])
        self._limit = int(row[kernels.NODES])

    def choose(self, row: int) -> None:
        """Ask where a job that fits is to be placed, and note its nodes."""
        job = WaitingJob(self._columns, self._at, row)
        now_s = self._columns.clock[kernels.NOW_MS] / MS_PER_S
        try:
            nodes = self._place(job, self._cluster, now_s)
            if isinstance(nodes, Iterable) and not isinstance(nodes, list | tuple | str):
                nodes = tuple(nodes)
        except Exception as error:  # whatever goes wrong in the code of others
            words = f"{type(error).__name__}: {error}"
            raise self._failed(f"job {job.id}: {words}") from error
        if not isinstance(nodes, list | tuple):
            raise self._failed(f"job {job.id}: it returned {nodes!r}; return a list of nodes")
        count, rest = divmod(job.gpus, self._whole)
        if len(nodes) != count + (rest > 0):
            raise self._failed(_wrong_number(job, count, rest, len(nodes)))
        for place, node in enumerate(nodes):
            needed = self._whole if place < count else rest
            self._chosen[place] = self._first + self._checked(job, node, needed)
        if len(nodes) > 1 and len(set(nodes)) < len(nodes):
            twice = next(node for place, node in enumerate(nodes) if node in nodes[:place])
            raise self._failed(f"job {job.id}: node {twice} is named twice; name each node once")

    def _checked(self, job: WaitingJob, node: Any, needed: int) -> int:
        """Return a node's number if so many of its accelerators are free."""
        if not isinstance(node, int | np.integer):
            words = f"{node!r} is no node; nodes are numbers from 0 to {self._limit - 1}"
            raise self._failed(f"job {job.id}: {words}")
        number = int(node)
        if not 0 <= number < self._limit:
            raise self._failed(f"job {job.id}: {_not_of_this(node, self._limit)}")
        row = self._first + number
        if not self._nodes[row, kernels.LISTED]:
            state = STATES.get(self._nodes[row, kernels.NODE_STATE], "closed")
            raise self._failed(f"job {job.id}: node {number} is {state}; name one that is free")
        free = self._nodes[row, kernels.NODE_FREE]
        if free < needed:
            raise self._failed(
                f"job {job.id}: node {number} has {free} accelerators free, and {needed} are "
                "needed there; ask cluster.free_of(node) first"
            )
        return number

    def _failed(self, words: str) -> PolicyError:
        now_ms = self._columns.clock[kernels.NOW_MS]
        return failed(self._policy, self._cluster.name, now_ms, words)


class PlacedQueues:
    """The queues without backfill of a run in which policies place jobs.

    Parameters
    ----------
    columns : Columns
    placers : mapping of int to Placer
        By cluster; the other clusters place by their rules.
    """

    def __init__(self, columns: Columns, placers: dict[int, Placer]) -> None:
        self._state = columns.state
        self._placers = placers
        self._stop = np.zeros(passes.STOP_SIZE, np.int64)
        state = self._state
        self._next = entry_of(
            passes.next_to_place,
            state.jobs,
            state.tables,
            state.queueing,
            state.power,
            self._stop,
            True,
        )

    def ask(self) -> None:
        """Make the pass of these queues."""
        state, stop, stopped = self._state, self._stop, self._stop.data
        tables = (state.jobs, state.tables, state.queueing, state.power)
        job = self._next(*tables, stop, True)
        while job >= 0:
            self._placers[stopped[passes.AT_CLUSTER]].choose(job)
            job = self._next(*tables, stop, False)

    def before_hand_over(self) -> None:
        """Do nothing: who waits is known from the engine's own lines at each pass."""


def _not_of_this(node: object, limit: int) -> str:
    return f"node {node} is not of this cluster, whose nodes are 0 to {limit - 1}"


def _wrong_number(job: WaitingJob, count: int, rest: int, named: int) -> str:
    needed = [f"{count} whole"] if count else []
    needed += [f"one for {rest} accelerators"] if rest else []
    return (
        f"job {job.id} of {job.gpus} accelerators takes {count + (rest > 0)} nodes "
        f"({' and '.join(needed)}), and {named} are named; name the whole ones first"
    )
