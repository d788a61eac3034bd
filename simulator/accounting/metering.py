"""The meter of a run: reads the change log as it is handed over, keeps energy by bin and node."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.bins import Grid, Period
from simulator.accounting.service import Retirements, Service
from simulator.errors import InputError, Issue
from simulator.fleet import Fleet
from simulator.kernels import meter as kernels
from simulator.kernels import residency, sharing
from simulator.kernels.sharing import Changes
from simulator.kernels.tables import ABSENT, AWAKE, FAILED, Log
from simulator.power.tables import PowerTables
from simulator.scenario.limits import INTERVALS
from simulator.units import MS_PER_Y

LAST_EPOCH_MS = 253_402_300_800_000
"""The end of the year 9999, where calendars end. [ms since 1970-01-01T00:00Z]"""


@dataclass(frozen=True, slots=True)
class Metered(Period):
    """What flowed in a run between the end of its warm-up and its end.

    Attributes
    ----------
    grid : Grid
    end_ms : int
        When the run ended. [ms]
    bins : float64[bins, clusters, FLOWS]
        Each flow of `simulator.kernels.meter` times milliseconds.
    away_ms : int64[bins, clusters, codes]
        Node-time in each code of `simulator.kernels.ladder`: whatever is not awake. [ms]
    busy_ms, drawn_ms, occupied_ms : float64[nodes]
        Accelerator-time at work, the same as dynamic power counts it, and time with any
        accelerator held. [ms]
    node_away_ms : int64[nodes, codes]
        Time of each node in each code. [ms]
    wake_ups, cancelled : int64[nodes]
        Wake-ups begun, and wake-ups cancelled, since the end of the warm-up.
    failures : int64[nodes]
        Failures since the end of the warm-up.
    changes : Changes or None
        Changes of load on nodes whose load curve bends, by which their jobs are billed.
    retirements : Retirements or None
        Nodes that left the service; None where none may.
    """

    bins: NDArray[np.float64]
    away_ms: NDArray[np.int64]
    busy_ms: NDArray[np.float64]
    drawn_ms: NDArray[np.float64]
    occupied_ms: NDArray[np.float64]
    node_away_ms: NDArray[np.int64]
    wake_ups: NDArray[np.int64]
    cancelled: NDArray[np.int64]
    failures: NDArray[np.int64]
    changes: Changes | None = None
    retirements: Retirements | None = None


class Meter:
    """Pours the change log into bins while the engine runs."""

    def __init__(
        self,
        fleet: Fleet,
        power: PowerTables,
        grid: Grid,
        expected_end_ms: int,
        *,
        confirmed: bool = False,
    ) -> None:
        ladders = power.ladders
        clusters = len(fleet.cluster_names)
        nodes = int(fleet.first_node[-1])
        first_bin = (grid.begin_ms + grid.offset_ms) // grid.bin_ms
        cursor = np.zeros((clusters, 3), np.int64)
        cursor[:, kernels.POURED_MS] = grid.begin_ms
        cursor[:, kernels.BIN] = first_bin
        cursor[:, kernels.EDGE_MS] = (first_bin + 1) * grid.bin_ms - grid.offset_ms
        rows = np.zeros((nodes, kernels.NODE_SIZE))
        rows[:, kernels.SINCE_MS] = grid.begin_ms
        bins = grid.count(expected_end_ms) + 1
        resting = (ladders.table.levels > 0) | power.may_leave
        codes = ladders.codes
        if power.failures is not None:
            resting |= power.failures.fails
            codes += 1
        codes = codes if resting.any() else 0
        stays = np.zeros((nodes, residency.NODE_SIZE), np.int64)
        number = np.arange(nodes) - np.repeat(fleet.first_node[:-1], fleet.node_count)
        absent = number >= np.repeat(fleet.first_count, fleet.node_count)
        stays[absent, residency.STATE] = ABSENT
        self._grid = grid
        self._confirmed = confirmed
        self._curves = power.curves
        self._changes: list[Changes] = []
        self._service = Service(absent) if power.may_leave.any() else None
        self._meter = kernels.Meter(
            node_cluster=np.repeat(np.arange(clusters), fleet.node_count).astype(np.int16),
            resting=resting.astype(np.int8),
            cursor=cursor,
            flow=np.zeros((clusters, kernels.FLOWS)),
            bins=np.zeros((bins, clusters, kernels.FLOWS)),
            nodes=rows,
            residency=residency.Residency(
                ladder=ladders.table,
                nodes=stays,
                node_ms=np.zeros((nodes, codes), np.int64),
                part_ms=np.zeros((bins + 2, clusters, codes), np.int64),
                step=np.zeros((bins + 2, clusters, codes), np.int64),
                begin_ms=grid.begin_ms,
                bin_ms=grid.bin_ms,
                offset_ms=grid.offset_ms,
            ),
            bin_ms=grid.bin_ms,
        )

    def read(self, log: Log, rows: int) -> None:
        """Pour the first `rows` rows of the change log."""
        if rows:
            self._reach(int(log.time_ms[:rows].max()))
            kernels.integrate(
                self._meter, log.time_ms, log.node, log.state, log.held, log.busy, log.drawn, rows
            )
            if self._curves.bent.any():
                self._changes.append(self._bent(log, rows))
            if self._service is not None:
                self._service.read(log, rows)

    def _bent(self, log: Log, rows: int) -> Changes:
        """Return the changes of load on nodes whose load curve bends."""
        cluster = self._meter.node_cluster
        # Descents stand out of the order of time; who descends holds nothing, before and after.
        in_order = (log.state[:rows] == AWAKE) | (log.state[:rows] == FAILED)
        kept = self._curves.bent[cluster[log.node[:rows]]] & in_order
        node = log.node[:rows][kept]
        per_load = np.empty(len(node))
        sharing.per_load(self._curves, cluster, node, log.busy[:rows][kept], per_load)
        return Changes(log.time_ms[:rows][kept], node, per_load)

    def close(self, end_ms: int) -> Metered:
        """Pour everything up to the run's end and return what has flowed."""
        self._reach(end_ms)
        kernels.close(self._meter, end_ms)
        meter = self._meter
        nodes, count = meter.nodes, self._grid.count(end_ms)
        stays = meter.residency
        away_ms = stays.part_ms[:count] + np.cumsum(stays.step[:count], axis=0) * meter.bin_ms
        return Metered(
            grid=self._grid,
            end_ms=end_ms,
            bins=meter.bins[:count],
            away_ms=away_ms,
            busy_ms=nodes[:, kernels.BUSY_MS].copy(),
            drawn_ms=nodes[:, kernels.DRAWN_MS].copy(),
            occupied_ms=nodes[:, kernels.OCCUPIED_MS].copy(),
            node_away_ms=stays.node_ms,
            wake_ups=stays.nodes[:, residency.WAKE_UPS],
            cancelled=stays.nodes[:, residency.CANCELLED],
            failures=stays.nodes[:, residency.FAILURES],
            changes=_joined(self._changes) if self._curves.bent.any() else None,
            retirements=None if self._service is None else self._service.retirements(),
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
        exceeded = INTERVALS.exceeded(needed * bins.shape[1], self._confirmed)
        too_many = needed > len(bins) and exceeded is not None
        if too_many or self._grid.start_epoch_ms + end_ms > LAST_EPOCH_MS:
            text = f"jobs run on for {end_ms / MS_PER_Y:.3g} y; write false, or shorten the jobs"
            raise InputError("scenario", [Issue("drain", text)])
        if needed > len(bins):
            count = max(needed, len(bins) * 3 // 2)
            stays = self._meter.residency
            self._meter = self._meter._replace(
                bins=_longer(bins, count),
                residency=stays._replace(
                    part_ms=_longer(stays.part_ms, count + 2),
                    step=_longer(stays.step, count + 2),
                ),
            )


def _joined(pieces: list[Changes]) -> Changes:
    """Return changes handed over in pieces as one."""
    empty = Changes(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0))
    return Changes(*(np.concatenate(columns) for columns in zip(empty, *pieces, strict=True)))


def _longer(array: NDArray[Any], count: int) -> NDArray[Any]:
    """Return a copy with room for `count` rows, zeros below what was there."""
    wider = np.zeros((count, *array.shape[1:]), array.dtype)
    wider[: len(array)] = array
    return wider
