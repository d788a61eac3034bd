"""The ladder of idle states of each cluster, from specification to tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.ladder import ENTERING, PER_LEVEL, RESTING, WAKING_FROM, Ladder
from simulator.kernels.tables import FOREVER_MS, NONE
from simulator.power.descent import Descent
from simulator.scenario.laws import Constant, Law
from simulator.traces.opened import Opened
from simulator.workload.draws import Draw, drawer

LONGEST_MS = 2.0**53
"""Longer draws of heavy-tailed laws are cut: no run is so long. [ms]"""

SPARE_DRAWS = 8192
"""Times drawn beforehand beyond what two instants may need."""


@dataclass(frozen=True, slots=True)
class Ladders:
    """The ladders of a fleet; arrays are [clusters, codes] unless said.

    Attributes
    ----------
    table : simulator.kernels.ladder.Ladder
        Times, as engine and meter read them.
    names : tuple of tuple of str
        Names of each cluster's states, in order of depth.
    power_w : float64
        Power of a node in each code of `simulator.kernels.ladder`; nothing when out of service.
    most_waking : int64[clusters]
        Nodes that may wake at the same time.
    """

    table: Ladder
    names: tuple[tuple[str, ...], ...]
    power_w: NDArray[np.float64]
    most_waking: NDArray[np.int64]
    _drawers: tuple[Draw, ...] = field(default=())

    @property
    def codes(self) -> int:
        """Number of codes: entering, resting and waking for each level, and out of service.

        Where nodes fail the meter has one more, after these.
        """
        return int(self.power_w.shape[1])

    @property
    def absent(self) -> int:
        """The code of being out of service, which is the last."""
        return self.codes - 1

    def states_of(self, phase: int) -> slice:
        """Return the codes of one phase: ENTERING, RESTING or WAKING_FROM."""
        return slice(phase, self.absent, PER_LEVEL)

    def refill(self) -> None:
        """Draw anew what the engine has used up, in the order in which it was drawn."""
        table = self.table
        for row, draw in enumerate(self._drawers):
            used = int(table.drawn[row])
            kept = table.draws_ms[row, used:].copy()
            table.draws_ms[row, : len(kept)] = kept
            table.draws_ms[row, len(kept) :] = np.rint(np.minimum(draw(used), LONGEST_MS))
            table.drawn[row] = 0


def ladders_of(
    descents: Sequence[Descent],
    idle_w: NDArray[np.float64],
    cluster_names: Sequence[str],
    *,
    max_waking: Sequence[int | None] = (),
    nodes: int,
    seed: int,
    opened: Opened | None = None,
) -> Ladders:
    """Return the tables of the ladders of a fleet.

    Parameters
    ----------
    descents : sequence of Descent
        One for each cluster.
    idle_w : float64[clusters]
        Power of an awake node with nothing allocated. [W]
    cluster_names : sequence of str
        Random times are drawn from streams named by them.
    max_waking : sequence of (int or None)
        Nodes that may be waking at a time; none, no limit anywhere.
    nodes : int
        Nodes of the fleet: so many times may be drawn at one instant, twice.
    seed : int
        Root seed of the run.
    opened : Opened, optional
        Keeps what is read of files.
    """
    clusters = len(descents)
    depth = max((len(descent.states) for descent in descents), default=0)
    laws: list[Draw] = []

    def row_of(law: Law | None, *name: str) -> int:
        if law is None or isinstance(law, Constant):
            return int(NONE)
        laws.append(drawer(law, seed, "idle", *name, opened=opened))
        return len(laws) - 1

    after, enter, wake, rows = (np.zeros((clusters, depth), np.int64) for _ in range(4))
    rows[:] = timers = np.full((clusters, 1), NONE, np.int64)
    timers = timers[:, 0]
    power_w = np.repeat(idle_w[:, None], PER_LEVEL * depth + 1, axis=1)
    power_w[:, -1] = 0.0
    for at, descent in enumerate(descents):
        timers[at] = row_of(descent.timer, cluster_names[at], "timer")
        for level, state in enumerate(descent.states):
            code = PER_LEVEL * level
            after[at, level] = state.after_ms
            enter[at, level] = state.enter_time_ms
            rows[at, level] = row_of(state.wake_time, cluster_names[at], "wake", state.name)
            wake[at, level] = _constant_ms(state.wake_time)
            power_w[at, code + RESTING] = state.power_w
            power_w[at, code + ENTERING] = state.enter_power_w
            power_w[at, code + WAKING_FROM] = state.wake_power_w
        if isinstance(descent.timer, Constant):
            after[at, 0] = _constant_ms(descent.timer)
    levels = np.array([len(descent.states) for descent in descents], np.int64)
    draws = 4 * nodes + SPARE_DRAWS if laws else 0
    table = Ladder(
        levels=levels,
        first=_first_with_latency(levels, enter, wake, timers),
        after_ms=after,
        enter_ms=enter,
        wake_ms=wake,
        wake_row=rows,
        timer_row=timers,
        naps=_naps(enter, wake, timers),
        draws_ms=np.zeros((len(laws), draws), np.int64),
        drawn=np.full(len(laws), draws, np.int64),
    )
    limits = max_waking or [None] * clusters
    ladders = Ladders(
        table=table,
        names=tuple(tuple(state.name for state in descent.states) for descent in descents),
        power_w=power_w,
        most_waking=np.array([limit or FOREVER_MS for limit in limits], np.int64),
        _drawers=tuple(laws),
    )
    ladders.refill()
    return ladders


def _constant_ms(law: Law) -> int:
    """Return a constant time, -1 for one that is drawn. [ms]"""
    return round(law.value) if isinstance(law, Constant) else int(NONE)


def _naps(
    enter_ms: NDArray[np.int64], wake_ms: NDArray[np.int64], timer: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which clusters have a drawn timer for a state that can be left at once."""
    if not enter_ms.shape[1]:
        return np.zeros(len(timer), bool)
    late = (enter_ms[:, 0] != 0) | (wake_ms[:, 0] != 0)
    naps: NDArray[np.bool_] = (timer != NONE) & ~late
    return naps


def _first_with_latency(
    levels: NDArray[np.int64],
    enter_ms: NDArray[np.int64],
    wake_ms: NDArray[np.int64],
    timer: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the first level of each cluster from which work can't start at once.

    A drawn idle timer is no function of the clock, so its descent is always logged.
    """
    first = levels.copy()
    for cluster, count in enumerate(levels):
        late = (enter_ms[cluster, :count] != 0) | (wake_ms[cluster, :count] != 0)
        if late.any():
            first[cluster] = int(np.argmax(late))
        if count and timer[cluster] != NONE:
            first[cluster] = 0
    return first
