"""The ladder of idle states: data, from which every descent is worked out when it is looked at.

An idle node descends by the clock alone, so no event announces it. Engine and meter ask the same
two functions where a node stands.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel

# Codes of a node's time: for each level entering, resting and waking from it; then out of service.
ENTERING, RESTING, WAKING_FROM = range(3)
PER_LEVEL = 3


class Ladder(NamedTuple):
    """Idle states of each cluster, [clusters, levels] unless said.

    Times are whole milliseconds. A level's `wake_ms` is negative where waking times are drawn.
    """

    levels: NDArray[np.int64]  # [clusters] how many there are
    first: NDArray[np.int64]  # [clusters] the first from which work can't start at once
    after_ms: NDArray[np.int64]
    enter_ms: NDArray[np.int64]
    wake_ms: NDArray[np.int64]
    wake_row: NDArray[np.int64]  # row of `draws` for waking times, NONE where they are constant
    timer_row: NDArray[np.int64]  # [clusters] row of `draws` for idle timers, NONE for `after_ms`
    naps: NDArray[np.bool_]  # [clusters] whether such a timer leads to a state left at once
    draws_ms: NDArray[np.int64]  # [rows, draws] times drawn beforehand
    drawn: NDArray[np.int64]  # [rows] how many are used up


@kernel(inline="llvm")
def begins_ms(ladder, cluster, level, idle_since_ms, entered_ms):
    """Return when the descent into `level` begins, all above it being entered at `entered_ms`."""
    return max(idle_since_ms + ladder.after_ms[cluster, level], entered_ms)


@kernel(inline="llvm")
def draw_ms(ladder, row):
    """Return the next time drawn beforehand; there are enough for any instant. [ms]"""
    at = min(ladder.drawn[row], ladder.draws_ms.shape[1] - 1)
    ladder.drawn[row] = at + 1
    return ladder.draws_ms[row, at]
