"""Shared accelerators and their tenants as the kernels need them, and how tenants ran."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, Issue
from simulator.fleet import Fleet
from simulator.joblog import Stays
from simulator.kernels import node_index, rooms
from simulator.kernels import tables as kernels
from simulator.workload.table import JobTable

STAY_ROWS = 1 << 14
"""Rows of stays beyond one for each slot, which any single instant can need."""

MOST_PLACES = 32**node_index.LEVELS - 1
"""Steps of utilisation times nodes that the tree of accelerators with room can hold."""


def most_slowdown(fleet: Fleet) -> float:
    """Return how much longer than alone a job may take beside others, at most."""
    return max((rule.law[-1][1] for rule in fleet.sharing if rule is not None), default=1.0)


def tenant_tables(fleet: Fleet, jobs: JobTable, tables: kernels.Tables) -> rooms.Tenants | None:
    """Return tables in which nothing is shared yet; None where no cluster shares any.

    Raises
    ------
    InputError
        If a cluster is too large for its accelerators with room to be found fast.
    """
    shares = fleet.shares
    if not shares.any():
        return None
    count = len(shares)
    rules = np.zeros((count, rooms.RULE_SIZE), np.int64)
    rules[:, rooms.MOST_TENANTS] = fleet.most_tenants
    laws: list[Sequence[tuple[float, float]]] = [((0.0, 1.0), (1.0, 1.0))] * count
    words = 0
    for at in np.flatnonzero(shares):
        rule = fleet.sharing[at]
        assert rule is not None  # it shares
        laws[at] = rule.law
        limit = int(rule.most_utilisation * rooms.PERCENT + rooms.SLACK)
        rules[at, rooms.LIMIT] = limit
        rules[at, rooms.SHARED_FIRST] = rule.prefer == "shared"
        places = 1 + (limit + 1) * int(fleet.node_count[at])
        _refuse_too_many(fleet.cluster_names[at], places)
        shape, size = node_index.shape(places)
        rules[at, rooms.ROOM_BASE] = words
        rules[at, rooms.ROOM_SHAPE :] = shape
        words += size
    load, slowdown = (_columns(laws, column) for column in range(2))
    slots = len(tables.slots)
    rows = max(1, min(int(fleet.capacity[shares].sum()), len(jobs)))
    accelerators = np.zeros((rows, rooms.ACCELERATOR_SIZE), np.int64)
    accelerators[:-1, rooms.NEXT] = np.arange(1, rows)
    accelerators[-1, rooms.NEXT] = kernels.NONE
    alone = jobs.alone or (False,) * len(jobs.workload_names)
    return rooms.Tenants(
        rules=rules,
        shareable=np.array([not each for each in alone], np.int8),
        percent=_percent(jobs),
        knots=np.array([len(law) for law in laws], np.int64),
        load=load,
        slowdown=slowdown,
        rooms=np.zeros(words, np.int64),
        opened=np.full(len(tables.nodes), kernels.NONE, np.int64),
        accelerators=accelerators,
        busy=np.zeros(rows),
        marked=np.zeros(rows, np.int64),
        tenants=np.zeros((slots, rooms.TENANT_SIZE), np.int64),
        pace=np.ones((slots, rooms.PACE_SIZE)),
        due_ms=np.zeros(slots, np.int64),
        heap=np.zeros(slots, np.int32),
        place=np.full(slots, kernels.NONE, np.int32),
        counts=np.zeros(rooms.COUNTS, np.int64),
        stays=_stays(STAY_ROWS + slots),
    )


def _percent(jobs: JobTable) -> NDArray[np.int64]:
    """Return what each job takes of an accelerator, in whole per cent rounded up."""
    part = jobs.utilisation
    if jobs.fraction is not None:
        part = np.where(np.isnan(jobs.fraction), part, jobs.fraction)
    return np.ceil(part * rooms.PERCENT - rooms.SLACK).astype(np.int64)


def _refuse_too_many(cluster: str, places: int) -> None:
    if places > MOST_PLACES:
        text = (
            f"{places:,} per cent of utilisation times nodes are too many to keep apart (at most "
            f"{MOST_PLACES:,}); lower most_utilisation, or share out the nodes over clusters"
        )
        raise InputError("scenario", [Issue(f"clusters.{cluster}.sharing", text)])


def _columns(laws: Sequence[Sequence[tuple[float, float]]], column: int) -> NDArray[np.float64]:
    table = np.zeros((len(laws), max(len(law) for law in laws)))
    for row, law in zip(table, laws, strict=True):
        row[: len(law)] = [point[column] for point in law]
    return table


def _stays(rows: int) -> rooms.Stays:
    return rooms.Stays(
        job=np.zeros(rows, np.int32),
        start_ms=np.zeros(rows, np.int64),
        end_ms=np.zeros(rows, np.int64),
        tenants=np.zeros(rows, np.int32),
        slowdown=np.zeros(rows),
        load=np.zeros(rows),
    )


def noted_stays(tenants: rooms.Tenants) -> Stays:
    """Return the stays that were noted, and begin to note anew."""
    rows = int(tenants.counts[rooms.STAYS])
    tenants.counts[rooms.STAYS] = 0
    columns: list[Any] = [column[:rows].copy() for column in tenants.stays]
    return Stays(*columns)


def open_stays(tenants: rooms.Tenants, tables: kernels.Tables) -> Stays:
    """Return the stays of those that still run, to the end that they would come to."""
    slot = tenants.heap[: tenants.counts[rooms.TENANTS_RUNNING]]
    return Stays(
        job=tables.slots[slot, kernels.JOB].copy(),
        start_ms=tenants.tenants[slot, rooms.STAY_MS].copy(),
        end_ms=tenants.due_ms[slot].copy(),
        tenants=tenants.tenants[slot, rooms.BESIDE].astype(np.int32),
        slowdown=tenants.pace[slot, rooms.SLOWDOWN].copy(),
        load=tenants.pace[slot, rooms.BESIDE_LOAD].copy(),
    )


def joined(parts: Iterable[Stays]) -> Stays:
    """Return stays that were handed over in parts, by job and then by time."""
    rows = list(parts)

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in rows])

    job, start_ms = column("job"), column("start_ms")
    order = np.lexsort((start_ms, job))
    rest = (column(name)[order] for name in ("end_ms", "tenants", "slowdown", "load"))
    return Stays(job[order], start_ms[order], *rest)
