"""What controllers see of the settled instant, and what they may command."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulator.engine.state import State
from simulator.kernels import commands
from simulator.kernels import tables as kernels
from simulator.traces.outlook import Outlook

Note = tuple[str, str, float, str]
"""Cluster, quantity, value and unit of a figure that a policy tells."""


class View:
    """The whole fleet at the settled instant."""

    def __init__(self, state: State, cluster_names: tuple[str, ...], start_epoch_ms: int) -> None:
        self._state = state
        self._notes: dict[tuple[str, str], tuple[float, str]] = {}
        self.clusters = tuple(
            ClusterView(state, at, name, start_epoch_ms, self._notes)
            for at, name in enumerate(cluster_names)
        )

    @property
    def now_ms(self) -> int:
        """Time since the scenario's start. [ms]"""
        return int(self._state.tables.clock[kernels.NOW_MS])

    @property
    def started(self) -> int:
        """Jobs started so far."""
        return int(self._state.tables.clock[kernels.STARTED])

    @property
    def free(self) -> NDArray[np.int64]:
        """Free accelerators of each cluster's open and awake nodes, int64[clusters]."""
        return self._state.tables.clusters[:, kernels.FREE].copy()

    @property
    def waiting(self) -> NDArray[np.int64]:
        """Waiting jobs, each at the cluster it would prefer, int64[clusters]."""
        return np.array([cluster.queued_jobs for cluster in self.clusters], np.int64)

    def foresee(self, outlooks: Sequence[Mapping[str, Outlook]]) -> None:
        """Let policies ask what intensities are expected: for each cluster, by signal."""
        for cluster, known in zip(self.clusters, outlooks, strict=True):
            cluster._outlooks = known

    @property
    def notes(self) -> tuple[Note, ...]:
        """What policies told, the last value of each quantity."""
        return tuple((*key, *told) for key, told in self._notes.items())


class ClusterView:
    """One cluster, as `simulator.policies.view.ClusterView` describes it."""

    def __init__(
        self,
        state: State,
        at: int,
        name: str,
        start_epoch_ms: int,
        notes: dict[tuple[str, str], tuple[float, str]],
    ) -> None:
        self._tables = state.tables
        self._sleepers = state.sleepers
        self._jobs = state.jobs
        self._at = at
        self._row = state.tables.clusters[at]
        first, count = int(self._row[kernels.FIRST_NODE]), int(self._row[kernels.NODES])
        self._first = first
        self._nodes = state.tables.nodes[first : first + count]
        self._routes = self._preferring()
        self._notes = notes
        self._outlooks: Mapping[str, Outlook] = {}
        self._any_closed = False
        self.name = name
        self.start_epoch_ms = start_epoch_ms
        self.accelerators = int(self._row[kernels.WHOLE])

    def _preferring(self) -> NDArray[np.int64]:
        routes = self._tables.routes[:, kernels.ROUTE_FIRST]
        return np.flatnonzero(self._tables.route_cluster[routes] == self._at)

    @property
    def now_ms(self) -> int:
        """Time since the scenario's start. [ms]"""
        return int(self._tables.clock[kernels.NOW_MS])

    @property
    def node_count(self) -> int:
        """Nodes in service now, those included that leave when they are empty."""
        return int(self._row[kernels.OWNED])

    @property
    def awake(self) -> int:
        """Nodes awake, with jobs or without."""
        return self.node_count - self.asleep - self.waking - self.failed

    @property
    def failed(self) -> int:
        """Nodes that failed and are not repaired yet."""
        return int(self._row[kernels.DOWN])

    @property
    def waking(self) -> int:
        """Nodes that are waking."""
        return int(self._row[kernels.AWAKING])

    @property
    def asleep(self) -> int:
        """Nodes entering an idle state or resting in one."""
        return int(self._row[kernels.SLEEPING] + self._row[kernels.CLOSED_ASLEEP])

    @property
    def idle(self) -> int:
        """Awake nodes that hold nothing."""
        is_open = self._row[kernels.WITH_FREE + self.accelerators]
        closed = self._row[kernels.CLOSED_EMPTY] - self._row[kernels.CLOSED_ASLEEP]
        return int(is_open + closed)

    @property
    def occupied(self) -> int:
        """Nodes that hold a job."""
        return self.awake - self.idle

    @property
    def held_gpus(self) -> int:
        """Accelerators held by jobs."""
        if not self._any_closed:
            return self.awake * self.accelerators - int(self._row[kernels.FREE])
        held = self.held_by_node()
        return int(held[held > 0].sum())

    @property
    def queued_jobs(self) -> int:
        """Waiting jobs that prefer this cluster."""
        return int(self._tables.routes[self._routes, kernels.WAITING].sum())

    @property
    def queued_gpus(self) -> int:
        """Accelerators that they ask for."""
        return int(self._tables.routes[self._routes, kernels.GPUS_WAITED].sum())

    @property
    def oldest_wait_ms(self) -> int:
        """How long the job that waits longest has waited, 0 where none waits. [ms]"""
        begins = self._tables.routes[:, kernels.LINE_BASE]
        ends = np.append(begins[1:], len(self._tables.heads))
        lines = [np.arange(begins[at], ends[at]) for at in self._routes]
        heads = self._tables.heads[np.concatenate([*lines, np.empty(0, np.int64)])]
        heads = heads[heads >= 0]
        return self.now_ms - int(self._jobs.submit_ms[heads].min()) if len(heads) else 0

    @property
    def demand_gpus(self) -> int:
        """Accelerators held and asked for."""
        return self.held_gpus + self.queued_gpus

    def intensity_ahead(
        self, leads_ms: Any, /, signal: Literal["average", "marginal"] = "average"
    ) -> NDArray[np.float64]:
        """Return the carbon intensity expected at instants so long from now. [g/kWh]."""
        outlook = self._outlooks.get(signal)
        if outlook is None:
            known = " and ".join(self._outlooks) or "none"
            raise ValueError(
                f"the site of {self.name} has no {signal} intensity, known is {known}; "
                "give its grid one, or ask for another"
            )
        self._count_question(f"{outlook.words} forecast of {signal} intensity")
        return outlook.ahead(self.now_ms, _leads(leads_ms))

    def _count_question(self, words: str) -> None:
        """Tell with the results what a policy was told, and how often."""
        asked, _ = self._notes.get((self.name, words), (0.0, ""))
        self._notes[self.name, words] = (asked + 1.0, "times asked")

    def held_by_node(self) -> NDArray[np.int64]:
        """Return the accelerators held on each node, int64[nodes]; -1 where it isn't in service."""
        held = self._nodes[:, kernels.NODE_WHOLE] - self._nodes[:, kernels.NODE_FREE]
        present = self._nodes[:, kernels.NODE_STATE] != kernels.ABSENT
        return np.where(present, held, -1).astype(np.int64)

    def is_awake_by_node(self) -> NDArray[np.bool_]:
        """Return which nodes are awake, bool[nodes]."""
        awake: NDArray[np.bool_] = self._nodes[:, kernels.NODE_STATE] == kernels.AWAKE
        return awake

    def keep_awake(self, nodes: int) -> None:
        """Keep at least so many nodes awake, busy ones included, until told otherwise."""
        self._set(kernels.KEEP_AWAKE, nodes)

    def keep_free(self, nodes: int) -> None:
        """Keep so many idle nodes ready beyond what the queue needs, until told otherwise."""
        self._set(kernels.KEEP_FREE, nodes)

    def _set(self, column: int, nodes: int) -> None:
        count = min(_count(nodes), len(self._nodes))  # more than all there can be are all
        if self._row[column] != count:
            self._row[column] = count
            self._tables.clock[kernels.CHANGED] = kernels.ANYTHING

    def close(self, nodes: Any) -> None:
        """Give these nodes no new job, nor wake them, until they are opened."""
        for node in self._numbers(nodes):
            commands.close(self._tables, self._sleepers, self._at, node)
            self._any_closed = True

    def open(self, nodes: Any) -> None:
        """Give closed nodes jobs again."""
        numbers = np.unique(self._numbers(nodes))
        for node in numbers:
            commands.open_awake(self._tables, self._sleepers, self._at, node)
        asleep = numbers[self._sleepers.rests[numbers, kernels.CLOSED] == 1]
        if len(asleep):
            moments_ms = self._sleepers.moments_ms[asleep]
            columns = (kernels.IDLE_SINCE_MS, kernels.TURN, kernels.RESTS_MS)
            topmost_first = np.lexsort((asleep, *(-moments_ms[:, at] for at in columns)))
            order = np.ascontiguousarray(asleep[topmost_first])
            commands.open_sleepers(self._tables, self._sleepers, self._at, order)

    def open_all(self) -> None:
        """Give all closed nodes jobs again, when nobody is left to open them."""
        if self._any_closed:
            self.open(np.arange(len(self._nodes)))

    def add(self, nodes: int) -> None:
        """Bring so many more nodes into service, at once, as far as the limit allows."""
        self._may_change()
        commands.add(self._tables, self._sleepers, self._at, min(_count(nodes), len(self._nodes)))

    def retire(self, nodes: Any) -> None:
        """Take nodes out of service for good, each as soon as it is empty."""
        self._may_change()
        for node in self._numbers(nodes):
            commands.retire(self._tables, self._sleepers, self._at, node)
            self._any_closed = True

    def note(self, quantity: str, value: float, unit: str) -> None:
        """Tell a figure with the results; the last value of a quantity counts."""
        for words in (quantity, unit):
            if not isinstance(words, str):
                raise TypeError(f"{words!r} is no text; write note(quantity, value, unit)")
        self._notes[self.name, quantity] = (float(value), unit)

    def _may_change(self) -> None:
        if self._row[kernels.MAY_CHANGE] == 0:
            raise ValueError(
                f"the nodes of {self.name} are fixed; a policy that adds or retires nodes says "
                'which of its parameters limits them: provisioning(..., node_limit="most")'
            )

    def _numbers(self, nodes: Any) -> NDArray[np.int64]:
        given = np.atleast_1d(np.asarray(nodes)).ravel()
        if given.size and given.dtype.kind not in "iu":
            flags = "; of an array of flags give .nonzero()[0]" if given.dtype.kind == "b" else ""
            raise TypeError(f"{nodes!r} are no numbers of nodes; give whole ones{flags}")
        if given.size and not (given.min() >= 0 and given.max() < len(self._nodes)):
            raise ValueError(
                f"{nodes!r} are no nodes of {self.name}; they are numbered 0 to "
                f"{len(self._nodes) - 1}"
            )
        return given.astype(np.int64) + self._first


def _count(nodes: Any) -> int:
    """Return a number of nodes that is whole and not negative, or refuse it."""
    count = whole(nodes)
    if count is None:
        raise ValueError(f"{nodes!r} is no number of nodes; give a whole number of at least 0")
    return count


def _leads(leads_ms: Any) -> NDArray[np.int64]:
    """Return times from now that are whole and not negative, or refuse them. [ms]"""
    given = np.atleast_1d(np.asarray(leads_ms)).ravel()
    if given.dtype.kind not in "iuf" or not ((given >= 0) & (given % 1 == 0)).all():
        raise ValueError(
            f"{leads_ms!r} are no times from now; give whole milliseconds of at least 0"
        )
    return given.astype(np.int64)


def whole(value: object) -> int | None:
    """Return a whole number of at least 0 as an int, None for anything else."""
    if not isinstance(value, int | float | np.integer | np.floating):
        return None
    return int(value) if value >= 0 and value % 1 == 0 else None
