"""What became of each job: the engine writes it, accounting reads it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pieces:
    """What jobs did before they were cut short, one row for each time, in order of time.

    Attributes
    ----------
    job : int32[pieces]
        Row of the job table.
    cluster : int16[pieces]
    first_node, part_node : int32[pieces]
    power_level : int8[pieces]
    start_ms, end_ms : int64[pieces]
        When it started, and when it was cut short. [ms]
    kept_ms, lost_ms : float64[pieces]
        Time spent on work that is kept, and time that was worthless: since its last checkpoint, or
        its start; and while its state was saved. [ms]
    resume_ms : float64[pieces]
        Time before its work to take up what a suspension kept; -1 where it went on from a
        checkpoint, or from nothing. [ms]
    cause : int8[pieces]
        Why it was cut short: FAILURE, RESTART or SUSPEND of `simulator.kernels.tables`.
    racks : int32[pieces]
        Racks that it spanned, 0 where its cluster has none.
    """

    job: NDArray[np.int32]
    cluster: NDArray[np.int16]
    first_node: NDArray[np.int32]
    part_node: NDArray[np.int32]
    power_level: NDArray[np.int8]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    kept_ms: NDArray[np.float64]
    lost_ms: NDArray[np.float64]
    resume_ms: NDArray[np.float64]
    cause: NDArray[np.int8]
    racks: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.job)

    def next_start_ms(self, start_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return when the job of each piece started again, -1 where it did not. [ms]

        Parameters
        ----------
        start_ms : int64[jobs]
            When each job started last.
        """
        result = start_ms[self.job]
        order = np.argsort(self.job, kind="stable")
        same = self.job[order[1:]] == self.job[order[:-1]]
        result[order[:-1][same]] = self.start_ms[order[1:][same]]
        return result


@dataclass(frozen=True, slots=True)
class Stays:
    """How jobs ran on shared accelerators, one row for each time that who is beside them changed.

    Attributes
    ----------
    job : int32[stays]
        Row of the job table.
    start_ms, end_ms : int64[stays]
        Those of a job follow one another from its start to its end. [ms]
    tenants : int32[stays]
        Jobs on its accelerator, itself included.
    slowdown : float64[stays]
        Time that its work took over the time it would have taken alone.
    load : float64[stays]
        Summed utilisation of the jobs on its accelerator, as they would keep it busy alone.
    """

    job: NDArray[np.int32]
    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    tenants: NDArray[np.int32]
    slowdown: NDArray[np.float64]
    load: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.job)


@dataclass(frozen=True, slots=True)
class JobLog:
    """What became of each job, in the order of the job table.

    Attributes
    ----------
    start_ms, end_ms : int64[jobs]
        When it started last, and when it ends unless the run is cut off before; -1 if it never
        started, or waits to start again. [ms]
    cluster : int16[jobs]
        Where it started, or its home while it waits; -1 if no cluster of its route could ever
        hold it.
    home : int16[jobs]
        The cluster it would prefer of those that could hold it, where its wait is counted.
    first_node : int32[jobs]
        The lowest node it held, -1 if it held none; by it the tests tell placements apart.
    part_node : int32[jobs]
        The node it shared with others, -1 if it took whole nodes only.
    power_level : int8[jobs]
        At which of its cluster's levels it ran, 0 for the cluster's own.
    held_back : int8[jobs]
        1 where a power budget alone kept it waiting at some instant.
    finished_ms : int
        When the run ended. [ms]
    events : dict of str to int
        Jobs submitted, started and completed, log rows, and calls of the compiled loop.
    notes : tuple of (str, str, float, str)
        What policies told: cluster, quantity, value, unit.
    pieces : Pieces or None
        What jobs did before they were cut short; None where nothing can do that.
    left_ms : float64[jobs] or None
        What was left to do of each job's duration when it started last; None as for `pieces`. [ms]
    racks : int32[jobs] or None
        Racks that its last run spans, 0 where its cluster has none or it holds nothing; None where
        no cluster has any.
    resume_ms : float64[jobs] or None
        Time before the work of its last run to take up what a suspension kept, -1 where none did;
        None where nobody is preempted. [ms]
    stopped_ms : int64[jobs] or None
        Since when it is being suspended as the run ends, -1 where it is not; None likewise. [ms]
    stays : Stays or None
        How jobs ran that share accelerators; None where no cluster shares any.
    """

    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    cluster: NDArray[np.int16]
    home: NDArray[np.int16]
    first_node: NDArray[np.int32]
    part_node: NDArray[np.int32]
    power_level: NDArray[np.int8]
    held_back: NDArray[np.int8]
    finished_ms: int
    events: dict[str, int]
    notes: tuple[tuple[str, str, float, str], ...] = ()
    pieces: Pieces | None = None
    left_ms: NDArray[np.float64] | None = None
    racks: NDArray[np.int32] | None = None
    stays: Stays | None = None
    resume_ms: NDArray[np.float64] | None = None
    stopped_ms: NDArray[np.int64] | None = None

    @property
    def last_work_ms(self) -> NDArray[np.int64]:
        """Until when each job's last run works, or would have; int64[jobs]. [ms]

        To its end or that of the run, or until it is being suspended.
        """
        until_ms = np.minimum(self.end_ms, self.finished_ms)
        if self.stopped_ms is None:
            return until_ms
        return np.where(self.stopped_ms >= 0, self.stopped_ms, until_ms)

    @property
    def first_start_ms(self) -> NDArray[np.int64]:
        """When each job started first, -1 if it never did, int64[jobs]. [ms]"""
        if self.pieces is None or not len(self.pieces):
            return self.start_ms
        first = self.start_ms.copy()
        first[self.pieces.job[::-1]] = self.pieces.start_ms[::-1]
        return first
