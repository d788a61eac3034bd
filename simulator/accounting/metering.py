"""The meter of a run: reads the change log as it is handed over, keeps energy by bin and node."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, Issue
from simulator.fleet import Fleet
from simulator.kernels import meter as kernels
from simulator.kernels.tables import AWAKE, Log
from simulator.units import MS_PER_Y

STATES = (AWAKE,)
"""States of a node, as codes of the change log."""

STATE_FLOWS = np.array([kernels.IDLE_W], np.int64)
"""The flow that a node's power without load belongs to, for each state."""


MOST_CELLS = 10_000_000
"""Accounting bins times clusters that a run may keep, some 300 bytes each with their tables."""

LAST_EPOCH_MS = 253_402_300_800_000
"""The end of the year 9999, where calendars end. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True, slots=True)
class Grid:
    """The bins of a run: steps of `bin_ms` on multiples of it since the Unix epoch.

    Attributes
    ----------
    start_epoch_ms : int
        The scenario's start. [ms since 1970-01-01T00:00Z]
    begin_ms : int
        Energy counts from here on: the end of the warm-up. [ms since the start]
    bin_ms : int
        Divides every edge of every grid trace and of the reporting interval, so that no bin
        straddles one.
    """

    start_epoch_ms: int
    begin_ms: int
    bin_ms: int

    @property
    def offset_ms(self) -> int:
        """How far the run's start lies into the first bin. [ms]"""
        return self.start_epoch_ms % self.bin_ms

    @property
    def first_epoch_ms(self) -> int:
        """When the first bin begins. [ms since 1970-01-01T00:00Z]"""
        return self.start_epoch_ms - self.offset_ms

    def count(self, end_ms: int) -> int:
        """Return how many bins reach to `end_ms`."""
        return -(-(end_ms + self.offset_ms) // self.bin_ms)

    def widths_ms(self, end_ms: int) -> NDArray[np.int64]:
        """Return how much of each bin lies in the accounting window, int64[bins]. [ms]"""
        edges = np.arange(self.count(end_ms) + 1, dtype=np.int64) * self.bin_ms - self.offset_ms
        inside: NDArray[np.int64] = np.clip(edges, self.begin_ms, end_ms)
        return inside[1:] - inside[:-1]


@dataclass(frozen=True, slots=True)
class Metered:
    """What flowed in a run between the end of its warm-up and its end.

    Attributes
    ----------
    grid : Grid
    end_ms : int
        When the run ended. [ms]
    bins : float64[bins, clusters, FLOWS]
        Each flow of `simulator.kernels.meter` times milliseconds.
    busy_ms, occupied_ms : float64[nodes]
        Accelerator-time at work, and time with any accelerator held. [ms]
    state_ms : float64[nodes, states]
        Time in each state. [ms]
    """

    grid: Grid
    end_ms: int
    bins: NDArray[np.float64]
    busy_ms: NDArray[np.float64]
    occupied_ms: NDArray[np.float64]
    state_ms: NDArray[np.float64]


class Meter:
    """Pours the change log into bins while the engine runs."""

    def __init__(self, fleet: Fleet, grid: Grid, expected_end_ms: int) -> None:
        clusters = len(fleet.cluster_names)
        nodes = int(fleet.first_node[-1])
        first_bin = (grid.begin_ms + grid.offset_ms) // grid.bin_ms
        cursor = np.zeros((clusters, 3), np.int64)
        cursor[:, kernels.POURED_MS] = grid.begin_ms
        cursor[:, kernels.BIN] = first_bin
        cursor[:, kernels.EDGE_MS] = (first_bin + 1) * grid.bin_ms - grid.offset_ms
        flow = np.zeros((clusters, kernels.FLOWS))
        flow[:, kernels.IDLE_W] = fleet.idle_w * fleet.node_count
        flow[:, kernels.AWAKE_GPUS] = fleet.capacity
        rows = np.zeros((nodes, kernels.NODE_SIZE))
        rows[:, kernels.SINCE_MS] = rows[:, kernels.STATE_SINCE_MS] = grid.begin_ms
        self._grid = grid
        self._meter = kernels.Meter(
            node_cluster=np.repeat(np.arange(clusters), fleet.node_count).astype(np.int16),
            span_w=(fleet.busy_w - fleet.idle_w) / fleet.accelerators,
            accelerators=fleet.accelerators.astype(np.int64),
            state_w=fleet.idle_w.reshape(-1, 1).copy(),
            state_flow=STATE_FLOWS.copy(),
            cursor=cursor,
            flow=flow,
            bins=np.zeros((grid.count(expected_end_ms) + 1, clusters, kernels.FLOWS)),
            nodes=rows,
            state_ms=np.zeros((nodes, len(STATES))),
            bin_ms=grid.bin_ms,
        )

    def read(self, log: Log, rows: int) -> None:
        """Pour the first `rows` rows of the change log."""
        if rows:
            self._reach(int(log.time_ms[rows - 1]))
            kernels.integrate(
                self._meter, log.time_ms, log.node, log.state, log.held, log.busy, rows
            )

    def close(self, end_ms: int) -> Metered:
        """Pour everything up to the run's end and return what has flowed."""
        self._reach(end_ms)
        kernels.close(self._meter, end_ms)
        nodes = self._meter.nodes
        return Metered(
            grid=self._grid,
            end_ms=end_ms,
            bins=self._meter.bins[: self._grid.count(end_ms)],
            busy_ms=nodes[:, kernels.BUSY_MS].copy(),
            occupied_ms=nodes[:, kernels.OCCUPIED_MS].copy(),
            state_ms=self._meter.state_ms,
        )

    def _reach(self, end_ms: int) -> None:
        """Make room for bins up to `end_ms`, which a draining run can't know beforehand.

        Raises
        ------
        InputError
            If the run goes on for longer than bins can be kept, or than there are dates.
        """
        needed = self._grid.count(end_ms) + 1
        bins = self._meter.bins
        too_many = needed > len(bins) and needed * bins.shape[1] > MOST_CELLS
        if too_many or self._grid.start_epoch_ms + end_ms > LAST_EPOCH_MS:
            text = f"jobs run on for {end_ms / MS_PER_Y:.3g} y; write false, or shorten the jobs"
            raise InputError("scenario", [Issue("drain", text)])
        if needed > len(bins):
            wider = np.zeros((max(needed, len(bins) * 3 // 2), *bins.shape[1:]))
            wider[: len(bins)] = bins
            self._meter = self._meter._replace(bins=wider)
