"""The run cluster by cluster: who draws, who emits, where jobs wait; with the fleet's totals."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.display import (
    ABSENT,
    ENERGY,
    MASS,
    Ladder,
    count_text,
    duration_text,
    number_text,
    share_text,
    unit_for,
)
from simulator.figures.series import accelerators, codes, column, counted_h, timeline
from simulator.report.headline import awake_share
from simulator.results import Results
from simulator.units import MS_PER_S, S_PER_H

NOTE: Final = (
    "Facility energy and location-based operational carbon. Jobs queued: mean over time. Wait: "
    "mean of the jobs that started there."
)

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClusterTable:
    """A table in print.

    Attributes
    ----------
    head : tuple of str
        Names of the columns, with their units.
    rows : tuple of tuple of str
        One row for each cluster.
    total : tuple of str
        The fleet's row; empty where one cluster is the fleet.
    note : str
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...]
    note: str


def cluster_table(results: Results) -> ClusterTable:
    """Return site, size, allocation, energy, carbon, queue and wait of each cluster."""
    summary, scenario = results.summary, results.scenario
    owned = accelerators(results)
    names = list(owned)
    hours = counted_h(results)
    energy, energy_unit = _scaled(_sums(results, names, "energy_facility_kwh"), ENERGY)
    carbon, carbon_unit = _scaled(_sums(results, names, "operational_kgco2e"), MASS)
    held_h = _over_time(results, names, "gpus_allocated_mean")
    each = np.array([scenario.nodes[scenario.clusters[name].node].accelerators for name in names])
    owned_h = _over_time(results, names, "nodes_owned_mean") * each
    sleep = _Sleep(results, names)
    queued_h = _over_time(results, names, "jobs_queued_mean")
    started, waits_h = _starts(results, names)
    sent = _Sent(results, started)
    rows = tuple(
        (
            name,
            scenario.clusters[name].site,
            count_text(owned_h[at] / hours if hours else owned[name]),
            share_text(held_h[at] / owned_h[at]) if owned_h[at] else ABSENT,
            number_text(energy[at]),
            number_text(carbon[at]),
            number_text(queued_h[at] / hours, 3) if hours else ABSENT,
            "none started" if np.isnan(waits_h[at]) else duration_text(float(waits_h[at])),
            *sent.cells(at),
            *sleep.cells(at),
        )
        for at, name in enumerate(names)
    )
    wait_h = summary["wait_mean_h"]
    total = (
        "fleet",
        "",
        count_text(owned_h.sum() / hours if hours else sum(owned.values())),
        share_text(summary["allocation"]),
        number_text(float(energy.sum())),
        number_text(float(carbon.sum())),
        number_text(float(queued_h.sum()) / hours, 3) if hours else ABSENT,
        "none started" if wait_h is None else duration_text(wait_h),
        *sent.total(),
        *sleep.total(),
    )
    head = (
        "Cluster",
        "Site",
        "Accelerators",
        "Allocation",
        f"Energy [{energy_unit}]",
        f"Carbon [{carbon_unit} CO2e]",
        "Jobs queued",
        "Wait",
        *sent.head,
        *sleep.head,
    )
    return ClusterTable(head, rows, total if len(rows) > 1 else (), NOTE)


class _Sent:
    """The column that says where jobs started; none where all of them wait by preference."""

    def __init__(self, results: Results, started: Values) -> None:
        chosen = any(each.clusters.binds for each in results.scenario.workloads.values())
        self._started = started if chosen else None
        self.head = ("Jobs started",) if chosen else ()

    def cells(self, at: int) -> tuple[str, ...]:
        """Return what stands in the row of a cluster."""
        return () if self._started is None else (count_text(self._started[at]),)

    def total(self) -> tuple[str, ...]:
        """Return what stands in the row of the fleet."""
        return () if self._started is None else (count_text(float(self._started.sum())),)


class _Sleep:
    """The columns that say how nodes slept; none where none ever did."""

    def __init__(self, results: Results, names: list[str]) -> None:
        self._awake = awake_share(results)
        self._awake_h = _over_time(results, names, "nodes_awake_mean")
        self._owned_h = _over_time(results, names, "nodes_owned_mean")
        code, known = codes(results, "nodes", "cluster")
        woken = results.tables["nodes"]["wake_ups"].to_numpy()
        count = dict(zip(known, np.bincount(code, woken, len(known)).tolist(), strict=True))
        self._wake_ups = [count.get(name, 0.0) for name in names]
        self.head = ("Awake", "Wake-ups") if self._awake is not None else ()

    def cells(self, at: int) -> tuple[str, ...]:
        """Return what stands in the row of a cluster."""
        if self._awake is None:
            return ()
        owned_h = self._owned_h[at]
        share = share_text(self._awake_h[at] / owned_h) if owned_h else ABSENT
        return share, count_text(self._wake_ups[at])

    def total(self) -> tuple[str, ...]:
        """Return what stands in the row of the fleet."""
        if self._awake is None:
            return ()
        return share_text(self._awake), count_text(sum(self._wake_ups))


def _sums(results: Results, names: list[str], name: str, weight: Values | None = None) -> Values:
    """Return a column of the hourly table summed over each cluster's rows."""
    code, known = codes(results, "hourly", "cluster")
    values = column(results, name)
    sums = np.bincount(code, values if weight is None else values * weight, minlength=len(known))
    by_name = dict(zip(known, sums.tolist(), strict=False))
    return np.array([by_name.get(cluster, 0.0) for cluster in names])


def _over_time(results: Results, names: list[str], name: str) -> Values:
    """Return a column of means times the length of their intervals. [h]"""
    time = timeline(results)
    if time is None:
        return np.zeros(len(names))
    return _sums(results, names, name, time.hours[time.row])


def _starts(results: Results, names: list[str]) -> tuple[Values, Values]:
    """Return the jobs that started on each cluster, and their mean wait, NaN without any. [h]"""
    table = results.tables["jobs"]
    code, known = codes(results, "jobs", "cluster")
    wait_s = table["wait_s"].to_numpy()
    counted = table["submit_s"].to_numpy() >= results.scenario.warm_up_ms / MS_PER_S
    started = counted & np.isfinite(wait_s)
    count = np.bincount(code[started], minlength=len(known))
    total_s = np.bincount(code[started], wait_s[started], minlength=len(known))
    mean_h = np.full(len(known), np.nan)
    np.divide(total_s / S_PER_H, count, out=mean_h, where=count > 0)
    jobs = dict(zip(known, count.tolist(), strict=False))
    by_name = dict(zip(known, mean_h.tolist(), strict=False))
    return (
        np.array([jobs.get(cluster, 0.0) for cluster in names]),
        np.array([by_name.get(cluster, np.nan) for cluster in names]),
    )


def _scaled(values: Values, ladder: Ladder) -> tuple[Values, str]:
    """Return values in the unit in which the largest of them is at least 1, and that unit."""
    size, unit = unit_for(values.tolist(), ladder)
    return values / size, unit
