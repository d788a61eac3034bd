"""The job table of a scenario: every workload's jobs, merged by submit time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, Issue
from simulator.fleet import Fleet
from simulator.scenario.accelerators import eligible
from simulator.scenario.limits import JOBS
from simulator.scenario.model import Scenario
from simulator.traces.opened import Opened
from simulator.workload.batch import Batch
from simulator.workload.checkpoints import savings_of
from simulator.workload.load import load_warnings, size_warnings, sizes_of
from simulator.workload.names import as_one_type, numbered, unique_over_workloads
from simulator.workload.replay import replayed
from simulator.workload.sampled import expected_jobs, sampled
from simulator.workload.speeds import stated_speeds
from simulator.workload.table import JobTable

if TYPE_CHECKING:
    import pyarrow as pa

Number = TypeVar("Number", bound=np.generic)


def job_table(
    scenario: Scenario, fleet: Fleet, *, seed: int, opened: Opened | None = None
) -> JobTable:
    """Return every job of a scenario, sorted by submit time.

    Jobs of one instant stand in the order of the scenario's workloads, then in their own. Each
    workload draws from streams of its own name, so that adding one changes no job of another.

    Parameters
    ----------
    scenario : Scenario
    fleet : Fleet
        Of the same scenario.
    seed : int
        Root of all streams.
    opened : Opened, optional
        Keeps what is read of files.

    Raises
    ------
    InputError
        With the problems of all workloads.
    """
    refuse_too_many(scenario)
    batches: list[Batch] = []
    issues: list[Issue] = []
    for name in scenario.workloads:
        try:
            batch = _batch(scenario, fleet, name, seed, opened)
            stated = stated_speeds(scenario.workloads[name], fleet)
            batches.append(batch if stated is None else replace(batch, stated=stated))
        except InputError as error:
            issues += error.issues
    if issues:
        raise InputError(_source(scenario), issues)
    alone = tuple(workload.shareable is False for workload in scenario.workloads.values())
    return replace(
        merged(batches, fleet, scenario.horizon_ms),
        savings=savings_of(scenario),
        dispatches=_dispatches(scenario),
        alone=alone if any(alone) else (),
    )


def _dispatches(scenario: Scenario) -> tuple[bool, ...]:
    binds = tuple(workload.clusters.binds for workload in scenario.workloads.values())
    return binds if any(binds) else ()


def refuse_too_many(scenario: Scenario) -> None:
    """Refuse a scenario of which more jobs are to be expected than a run may hold."""
    total = math.fsum(
        expected_jobs(workload, start=scenario.start, horizon_ms=scenario.horizon_ms)
        for workload in scenario.workloads.values()
    )
    if (exceeded := JOBS.exceeded(total, scenario.reading.confirmed)) is not None:
        text = (
            f"some {total:,.0f} jobs of all workloads in the horizon, {exceeded}; "
            "lower a rate, shorten the horizon or set max_jobs"
        )
        raise InputError(_source(scenario), [Issue("workloads", text)])


def _source(scenario: Scenario) -> str:
    return scenario.path.name if scenario.path else "scenario"


def _batch(scenario: Scenario, fleet: Fleet, name: str, seed: int, opened: Opened | None) -> Batch:
    workload = scenario.workloads[name]
    names = eligible(workload, scenario.clusters, scenario.nodes)
    clusters = tuple(fleet.cluster_names.index(cluster) for cluster in names)
    start, horizon_ms = scenario.start, scenario.horizon_ms
    if workload.jobs is not None:
        used = [scenario.clusters[at] for at in workload.clusters]
        return replayed(
            name,
            workload,
            clusters,
            fleet,
            start=start,
            horizon_ms=horizon_ms,
            seed=seed,
            preempts=any(each.preemption for each in used),
            shares=any(each.sharing is not None and each.sharing.jobs > 1 for each in used),
            opened=opened,
        )
    return sampled(
        name, workload, clusters, start=start, horizon_ms=horizon_ms, seed=seed, opened=opened
    )


def merged(batches: Sequence[Batch], fleet: Fleet, horizon_ms: int) -> JobTable:
    """Return the jobs of all workloads in one table."""
    order = _order(batches)
    routes: dict[tuple[int, ...], int] = {}
    codes = [_route_codes(batch, routes) for batch in batches]
    workload = _column(range(len(batches)), batches, order, np.int16)
    requested = [batch.requested_ms for batch in batches]
    deadline = [batch.deadline_ms for batch in batches]
    users, user_names = _users(batches)
    stated = tuple(batch.stated for batch in batches)
    return JobTable(
        submit_ms=_column([batch.submit_ms for batch in batches], batches, order, np.int64),
        duration_ms=_column([batch.duration_ms for batch in batches], batches, order, np.float64),
        gpus=_column([batch.gpus for batch in batches], batches, order, np.int32),
        utilisation=_column([batch.utilisation for batch in batches], batches, order, np.float64),
        priority=_column([batch.priority for batch in batches], batches, order, np.int32),
        workload=workload,
        route=_column(codes, batches, order, np.int16),
        routes=tuple(routes),
        scales=tuple(batch.scales for batch in batches),
        workload_names=tuple(batch.name for batch in batches),
        job_ids=_job_ids(batches, workload),
        requested_ms=_rare(requested, [batch.duration_ms for batch in batches], batches, order),
        deadline_ms=_rare(deadline, [np.nan] * len(batches), batches, order),
        preemptible=_preemptible(batches, order),
        fraction=_rare(
            [batch.fraction for batch in batches], [np.nan] * len(batches), batches, order
        ),
        user=_rare(users, [-1] * len(batches), batches, order, np.int32),
        user_names=user_names,
        stated=stated if any(speeds is not None for speeds in stated) else (),
        sizes=sizes_of(batches, fleet, horizon_ms),
        warnings=(
            *(warning for batch in batches for warning in batch.warnings),
            *size_warnings(batches, fleet),
            *load_warnings(batches, fleet, horizon_ms),
        ),
        inputs=tuple(entry for batch in batches for entry in batch.inputs),
    )


def _order(batches: Sequence[Batch]) -> NDArray[np.int64] | None:
    """Return the order by submit time, or None if the jobs already stand in it."""
    filled = [batch.submit_ms for batch in batches if len(batch)]
    if len(filled) < 2:
        return None
    return np.argsort(np.concatenate(filled), kind="stable")


def _column(
    parts: Sequence[NDArray[Number] | Number | int],
    batches: Sequence[Batch],
    order: NDArray[np.int64] | None,
    kind: type[Number],
) -> NDArray[Number]:
    """Return a column of all jobs in order; a part may be one value for a whole workload."""
    first = parts[0] if len(parts) == 1 else 0
    if isinstance(first, np.ndarray):
        return first
    column = np.empty(sum(len(batch) for batch in batches), kind)
    begin = 0
    for part, batch in zip(parts, batches, strict=True):
        column[begin : begin + len(batch)] = part
        begin += len(batch)
    return column if order is None else column[order]


def _rare(
    parts: Sequence[NDArray[Number] | float | None],
    default: Sequence[NDArray[Number] | float],
    batches: Sequence[Batch],
    order: NDArray[np.int64] | None,
    kind: type[Number] = np.float64,  # type: ignore[assignment]
) -> NDArray[Number] | None:
    """Return a column that few workloads have, or None where none has it."""
    if all(part is None for part in parts):
        return None
    filled = [other if part is None else part for part, other in zip(parts, default, strict=True)]
    return _column(filled, batches, order, kind)  # type: ignore[arg-type]


def _preemptible(
    batches: Sequence[Batch], order: NDArray[np.int64] | None
) -> NDArray[np.bool_] | None:
    """Return which jobs may be preempted, or None where all may be."""
    if all(batch.preemptible is True for batch in batches):
        return None
    parts = [np.full(len(batch), batch.preemptible) for batch in batches]
    return _column(parts, batches, order, np.bool_)


def _users(
    batches: Sequence[Batch],
) -> tuple[list[NDArray[np.int32] | None], tuple[str, ...]]:
    """Return the users of each batch as indices into the names of all; one name is one user."""
    names: dict[str, int] = {}
    codes: list[NDArray[np.int32] | None] = []
    for batch in batches:
        own = [names.setdefault(name, len(names)) for name in batch.user_names]
        # The code -1 takes the last entry, nobody.
        codes.append(None if batch.user is None else np.array([*own, -1], np.int32)[batch.user])
    return codes, tuple(names)


def _route_codes(batch: Batch, routes: dict[tuple[int, ...], int]) -> NDArray[np.int16] | np.int16:
    """Return the batch's routes as indices into all routes, to which new ones are added."""
    codes = np.array([routes.setdefault(route, len(routes)) for route in batch.routes], np.int16)
    return codes[0] if batch.route is None else codes[batch.route]


def _job_ids(batches: Sequence[Batch], workload: NDArray[np.int16]) -> Callable[[], "pa.Array"]:
    """Return a function that makes the identifiers of all jobs."""
    sources = [(batch.name, len(batch), batch.ids) for batch in batches]

    def job_ids() -> "pa.Array":
        import pyarrow as pa

        ids = {name: numbered(name, count) if own is None else own for name, count, own in sources}
        columns = list(ids.values())
        if any(own is not None for _, _, own in sources):
            columns = unique_over_workloads(ids)
        if len(columns) < 2:
            return columns[0] if columns else pa.array([], pa.string())
        joined = pa.concat_arrays(as_one_type(columns))
        places = np.empty(len(workload), np.int64)
        places[np.argsort(workload, kind="stable")] = np.arange(len(workload))
        return joined.take(pa.array(places))

    return job_ids
