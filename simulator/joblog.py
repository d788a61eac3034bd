"""What became of each job: the engine writes it, accounting reads it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class JobLog:
    """What became of each job, in the order of the job table.

    Attributes
    ----------
    start_ms, end_ms : int64[jobs]
        When it started, and when it ends unless the run is cut off before; -1 if it never
        started. [ms]
    cluster : int16[jobs]
        Where it started, or its home while it waits; -1 if no cluster of its route could ever
        hold it.
    home : int16[jobs]
        The cluster it would prefer of those that could hold it, where its wait is counted.
    first_node : int32[jobs]
        The lowest node it held, -1 if it held none; by it the tests tell placements apart.
    part_node : int32[jobs]
        The node it shared with others, -1 if it took whole nodes only.
    finished_ms : int
        When the run ended. [ms]
    events : dict of str to int
        Jobs submitted, started and completed, log rows, and calls of the compiled loop.
    """

    start_ms: NDArray[np.int64]
    end_ms: NDArray[np.int64]
    cluster: NDArray[np.int16]
    home: NDArray[np.int16]
    first_node: NDArray[np.int32]
    part_node: NDArray[np.int32]
    finished_ms: int
    events: dict[str, int]
