"""What a scheduling policy in plain Python sees: the jobs that wait, and their cluster."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from operator import index
from typing import overload

import numpy as np

from simulator.engine.seen import JobColumns, SeenJob
from simulator.engine.state import State
from simulator.kernels import tables as kernels
from simulator.kernels.chosen import has_room
from simulator.kernels.compile import entry_of
from simulator.units import MS_PER_S
from simulator.workload.table import JobTable

WAITS, CHOSEN, PASSED_OVER, STARTED = range(4)
"""What became of a job: chosen in this pass, or passed over in it, after which it waits again."""


class Columns(JobColumns):
    """Where jobs are looked up: the job table, the engine's state, and who waits.

    Parameters
    ----------
    state : State
    table : JobTable
    cluster_names : tuple of str
    """

    def __init__(self, state: State, table: JobTable, cluster_names: tuple[str, ...]) -> None:
        assert state.queueing is not None  # queues that ask have tables
        super().__init__(state, table)
        self.queueing = state.queueing
        self.cluster_names = cluster_names
        self.level = state.jobs.level.data
        self.fate = bytearray(len(table))

    @cached_property
    def limits(self) -> tuple[int, ...]:
        """What the jobs of each workload may hold; empty where no workload has a quota."""
        quota = self.queueing.quota
        return tuple(quota.tolist()) if (quota < kernels.FOREVER_MS).any() else ()

    def within_quota(self, row: int) -> bool:
        """Return whether a job's workload may hold as much more."""
        workload = self.table.workload[row]
        held = self.queueing.held[workload]
        return bool(held + self.gpus[row] <= self.limits[workload])


class WaitingJob(SeenJob):
    """A job that waits, as the policy of one cluster sees it."""

    __slots__ = ("_cluster",)

    _columns: Columns

    def __init__(self, columns: Columns, cluster: int, row: int) -> None:
        super().__init__(columns, row)
        self._cluster = cluster

    @property
    def requested_s(self) -> float:
        """Run time that its user asked for, on the nodes of this cluster. [s]"""
        jobs = self._columns.state.jobs
        speed = jobs.speed[jobs.workload[self._row], self._cluster]
        return round(float(jobs.requested_ms[self._row] / speed)) / MS_PER_S

    @property
    def wait_s(self) -> float:
        """How long ago it was submitted. [s]"""
        now_ms = self._columns.clock[kernels.NOW_MS]
        return (now_ms - int(self._columns.table.submit_ms[self._row])) / MS_PER_S

    @property
    def restarts(self) -> int:
        """How often it was cut short and waits again; `requested_s` is what is left since then."""
        restarts = self._columns.state.jobs.restarts
        return int(restarts[self._row]) if len(restarts) else 0

    @property
    def clusters(self) -> tuple[str, ...]:
        """Clusters on which it may start, in order of preference."""
        jobs, tables = self._columns.state.jobs, self._columns.state.tables
        line = tables.routes[jobs.route[self._row]]
        numbers = tables.route_cluster[line[kernels.ROUTE_FIRST] : line[kernels.ROUTE_LAST]]
        return tuple(self._columns.cluster_names[at] for at in numbers)


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that runs.

    Attributes
    ----------
    number : int
    gpus : int
        Accelerators that it holds.
    workload : str
    start_s : float
        Since the scenario's start. [s]
    expected_end_s : float
        Start plus requested time, in the future at any rate. [s]
    """

    number: int
    gpus: int
    workload: str
    start_s: float
    expected_end_s: float


class WaitingQueue:
    """The jobs that wait for a cluster, by priority, submission and row.

    Those that would exceed the quota of their workload are not in it, nor are those that were
    started in this pass.
    """

    def __init__(self, columns: Columns, cluster: int) -> None:
        self._columns = columns
        self._cluster = cluster
        self._jobs: list[WaitingJob] = []
        self._keys: list[int] = []
        self._chosen = 0

    def __iter__(self) -> Iterator[WaitingJob]:
        fate, within_quota = self._columns.fate, self._columns.within_quota
        if self._columns.limits:
            for job in self._jobs:
                if fate[job._row] == WAITS and within_quota(job._row):
                    yield job
        else:
            for job in self._jobs:
                if fate[job._row] == WAITS:
                    yield job

    def __len__(self) -> int:
        if self._columns.limits:
            return sum(1 for _ in self)
        return len(self._jobs) - self._chosen

    def __bool__(self) -> bool:
        return any(True for _ in self)

    @overload
    def __getitem__(self, at: int) -> WaitingJob: ...
    @overload
    def __getitem__(self, at: slice) -> list[WaitingJob]: ...
    def __getitem__(self, at: "int | slice") -> "WaitingJob | list[WaitingJob]":
        if isinstance(at, slice) and all(n is None or n >= 0 for n in (at.start, at.stop, at.step)):
            return list(islice(self, at.start, at.stop, at.step))
        return list(self)[at]

    def _key(self, row: int) -> int:
        return self._columns.level[row] << 32 | row

    def _admit(self, row: int) -> None:
        """Put a job that was submitted into its place."""
        key = self._key(row)
        job = WaitingJob(self._columns, self._cluster, row)
        if not self._keys or key > self._keys[-1]:
            self._keys.append(key)
            self._jobs.append(job)
        else:
            at = bisect_left(self._keys, key)
            self._keys.insert(at, key)
            self._jobs.insert(at, job)

    def _remove(self, row: int) -> None:
        """Take out a job that was started."""
        at = bisect_left(self._keys, self._key(row))
        del self._keys[at], self._jobs[at]


class WaitedFor:
    """A cluster, as the policy of its queue sees it; jobs that it started are counted at once."""

    def __init__(self, columns: Columns, cluster: int, start_epoch_ms: int) -> None:
        self._columns = columns
        self._cluster = cluster
        self._tables = columns.state.tables
        self._row: memoryview[int] = self._tables.clusters[cluster].data
        self._has_room = entry_of(has_room, self._tables.clusters, 0, 0)
        self._start_epoch_ms = start_epoch_ms

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return self._columns.cluster_names[self._cluster]

    @property
    def accelerators(self) -> int:
        """Accelerators of one node."""
        return self._row[kernels.WHOLE]

    @property
    def node_count(self) -> int:
        """Nodes in service now, asleep or awake."""
        return self._row[kernels.OWNED]

    @property
    def capacity(self) -> int:
        """Accelerators of all nodes in service."""
        return self.node_count * self.accelerators

    @property
    def free(self) -> int:
        """Free accelerators of awake nodes."""
        return self._row[kernels.FREE]

    @property
    def nodes_by_free(self) -> tuple[int, ...]:
        """How many awake nodes have 0, 1, 2, ... accelerators free."""
        return tuple(self._row[kernels.WITH_FREE : kernels.WITH_FREE + self.accelerators + 1])

    @property
    def start_epoch_ms(self) -> int:
        """The scenario's start. [ms since 1970-01-01T00:00Z]"""
        return self._start_epoch_ms

    @property
    def running(self) -> tuple[RunningJob, ...]:
        """The jobs that run here, the first that is expected to end first."""
        queueing, table = self._columns.queueing, self._columns.table
        rule = queueing.rules[self._cluster]
        first = int(rule[kernels.ENDS_BASE])
        entries = queueing.ends[first : first + int(rule[kernels.ENDS])][::-1]
        now_ms = self._columns.clock[kernels.NOW_MS]
        rows = self._tables.slots[entries & ((1 << self._tables.bits) - 1), kernels.JOB]
        ends_ms = np.maximum(entries >> self._tables.bits, now_ms + 1)
        return tuple(
            RunningJob(
                number=row,
                gpus=self._columns.gpus[row],
                workload=table.workload_names[table.workload[row]],
                start_s=int(self._columns.state.jobs.start_ms[row]) / MS_PER_S,
                expected_end_s=end_ms / MS_PER_S,
            )
            for row, end_ms in zip(rows.tolist(), ends_ms.tolist(), strict=True)
        )

    def fits(self, gpus: int) -> bool:
        """Return whether a gang of so many accelerators could be placed now."""
        count = index(gpus)
        if count < 1:
            raise ValueError(f"fits({count}) asks for no accelerators; give at least 1")
        return bool(
            count <= self.free and self._has_room(self._tables.clusters, self._cluster, count)
        )
