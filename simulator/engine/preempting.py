"""Who may be preempted for whom, as the kernels need it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import tables as kernels
from simulator.kernels.preemption import NOBODY_BELOW, Preemption
from simulator.scenario.model import Scenario
from simulator.workload.table import JobTable


@dataclass(frozen=True, slots=True)
class Preempting:
    """How the jobs of a cluster are preempted.

    Attributes
    ----------
    suspends : bool
        Whether they are suspended, so that all they did is kept; else they go on from their last
        checkpoint.
    after_ms : int
        Begin of a run in which its job is not preempted. [ms]
    suspend_ms, resume_ms : int
        Time that suspending takes, and that the next run takes before it works. [ms]
    """

    suspends: bool = False
    after_ms: int = 0
    suspend_ms: int = 0
    resume_ms: int = 0

    @property
    def way(self) -> int:
        """Number by which the kernels know the way."""
        return int(kernels.SUSPEND if self.suspends else kernels.RESTART)


def preempting_of(scenario: Scenario) -> tuple[Preempting | None, ...]:
    """Return how the jobs of each cluster are preempted; empty where none are."""
    known = [cluster.preemption for cluster in scenario.clusters.values()]
    if not any(known):
        return ()
    return tuple(
        None
        if how is None
        else Preempting(how.suspends, how.after_ms, how.suspend_ms, how.resume_ms)
        for how in known
    )


def preemption_table(
    preempting: Sequence[Preempting | None], jobs: JobTable, tables: kernels.Tables
) -> Preemption | None:
    """Return the table of preemption; None where no cluster does that.

    Parameters
    ----------
    preempting : sequence of (Preempting or None)
        For each cluster; empty where none does.
    jobs : JobTable
    tables : simulator.kernels.tables.Tables
    """
    if not any(preempting):
        return None
    known = [how or Preempting() for how in preempting]
    slots, nodes = len(tables.slots), len(tables.nodes)
    widest = int(tables.clusters[:, kernels.WHOLE].max())
    priority = np.ascontiguousarray(jobs.priority, np.int32)
    preemptible = np.ones(len(jobs), bool) if jobs.preemptible is None else jobs.preemptible
    return Preemption(
        way=np.array([kernels.NOBODY if how is None else how.way for how in preempting], np.int64),
        after_ms=np.array([how.after_ms for how in known], np.int64),
        suspend_ms=np.array([how.suspend_ms for how in known], np.int64),
        resume_ms=np.array([how.resume_ms for how in known], np.float64),
        priority=priority,
        preemptible=np.ascontiguousarray(preemptible, np.int8),
        least=int(priority[preemptible].min(initial=NOBODY_BELOW)),
        look_ms=np.full(1, kernels.FOREVER_MS, np.int64),
        stopped_ms=np.full(slots, kernels.NONE, np.int64),
        with_free=np.zeros((len(tables.clusters), widest + 1), np.int64),
        more=np.zeros(nodes, np.int32),
        candidates=np.zeros(slots, np.int32),
        victims=np.zeros(slots, np.int32),
    )


def stopped_of(
    preemption: Preemption | None, tables: kernels.Tables, jobs: int
) -> NDArray[np.int64] | None:
    """Return since when each job is being suspended, -1 where it is not; None without preemption.

    [ms]
    """
    if preemption is None:
        return None
    stopped_ms = np.full(jobs, kernels.NONE, np.int64)
    slots = np.flatnonzero(preemption.stopped_ms >= 0)
    stopped_ms[tables.slots[slots, kernels.JOB]] = preemption.stopped_ms[slots]
    return stopped_ms
