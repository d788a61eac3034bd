"""What a finished run drew, read from its result tables: energy by interval, and by job."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.accounting.bins import Grid, Period
from simulator.accounting.carbon import KINDS
from simulator.accounting.intervals import intervals_of
from simulator.fleet import Fleet
from simulator.results import Results
from simulator.tables import codes_of, numbers_of
from simulator.units import MS_PER_S

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DrawnByJobs:
    """What jobs held and drew within the counted period, one entry for each.

    Attributes
    ----------
    cluster : int64[jobs]
        Where it ran, or would prefer to.
    nowhere : bool[jobs]
        Whether no cluster could ever hold it.
    gpus : int64[jobs]
    first_ms, last_ms : int64[jobs]
        From when to when it ran; equal where it did not. [ms]
    it_kwh : float64[jobs]
    """

    cluster: NDArray[np.int64]
    nowhere: NDArray[np.bool_]
    gpus: NDArray[np.int64]
    first_ms: NDArray[np.int64]
    last_ms: NDArray[np.int64]
    it_kwh: NDArray[np.float64]

    @property
    def ran(self) -> NDArray[np.bool_]:
        """Whether it held anything within the counted period, bool[jobs]."""
        return self.last_ms > self.first_ms


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a finished run drew.

    Attributes
    ----------
    period : Period
        Its bins are the reporting intervals.
    it_kwh : float64[bins, clusters]
    by_kind_kwh : float64[bins, clusters, 4]
        The same by `simulator.accounting.carbon.KINDS`.
    owned_ms : int64[clusters]
        Node-time in service. [ms]
    jobs : DrawnByJobs
    """

    period: Period
    it_kwh: NDArray[np.float64]
    by_kind_kwh: NDArray[np.float64]
    owned_ms: NDArray[np.int64]
    jobs: DrawnByJobs


def drawn_of(results: Results, fleet: Fleet) -> Drawn:
    """Return what a run drew, by its tables.

    Parameters
    ----------
    results : Results
    fleet : Fleet
        Of its scenario.

    Raises
    ------
    ValueError
        If the tables are not those of the scenario.
    """
    period = period_of(results)
    intervals = intervals_of(period, period.grid.bin_ms)
    hourly, clusters = results.tables["hourly"], len(fleet.cluster_names)
    shape = (len(intervals.first), clusters)
    order = np.tile(np.arange(clusters), shape[0])
    if not np.array_equal(codes_of(hourly["cluster"], fleet.cluster_names), order):
        raise ValueError("the rows of hourly.parquet are not the intervals of the scenario")

    def by_bin(name: str) -> NDArray[np.float64]:
        values = np.zeros((len(period.width_ms), clusters))
        values[intervals.used] = numbers_of(hourly[name]).reshape(shape)
        return values

    owned = numbers_of(hourly["nodes_owned_mean"]).reshape(shape) * intervals.length_ms[:, None]
    return Drawn(
        period=period,
        it_kwh=by_bin("energy_it_kwh"),
        by_kind_kwh=np.stack([by_bin(f"energy_{kind}_kwh") for kind in KINDS], axis=2),
        owned_ms=np.rint(owned).astype(np.int64).sum(axis=0),
        jobs=_of_jobs(results.tables["jobs"], fleet, period),
    )


def period_of(results: Results) -> Period:
    """Return the counted time of a run, on bins that are its reporting intervals.

    It ends when the time of any node does: what it did, all together, is the counted period.
    """
    scenario, nodes = results.scenario, results.tables["nodes"]
    spent = [name for name in nodes.column_names if name.startswith("residency_")]
    counted_s = sum(float(nodes[name][0].as_py() or 0.0) for name in spent)
    start_ms = (scenario.start - _EPOCH) // timedelta(milliseconds=1)
    grid = Grid(start_ms, scenario.warm_up_ms, scenario.accounting.interval_ms)
    return Period(grid, scenario.warm_up_ms + round(counted_s * MS_PER_S))


def _of_jobs(table: pa.Table, fleet: Fleet, period: Period) -> DrawnByJobs:
    begin_ms, end_ms = period.grid.begin_ms, period.end_ms
    start_ms, until_ms = _ms(table["start_s"], end_ms), _ms(table["end_s"], end_ms)
    first_ms = np.maximum(start_ms, begin_ms)
    return DrawnByJobs(
        cluster=codes_of(table["cluster"], fleet.cluster_names),
        nowhere=codes_of(table["state"], ("unschedulable",)) == 0,
        gpus=numbers_of(table["gpus"]).astype(np.int64),
        first_ms=first_ms,
        last_ms=np.maximum(first_ms, np.minimum(until_ms, end_ms)),
        it_kwh=numbers_of(table["energy_dynamic_kwh"]) + numbers_of(table["energy_idle_share_kwh"]),
    )


def _ms(column: pa.ChunkedArray, absent_ms: int) -> NDArray[np.int64]:
    """Return times in milliseconds, as the run had them. [ms]"""
    seconds = numbers_of(column)
    absent = np.isnan(seconds)
    time_ms: NDArray[np.int64] = np.rint(np.where(absent, 0.0, seconds) * MS_PER_S).astype(np.int64)
    time_ms[absent] = absent_ms
    return time_ms
