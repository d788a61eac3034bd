"""Jobs replayed from a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, Issue, listing, nearest, printable, shown
from simulator.fleet import Fleet
from simulator.job_formats import job_formats
from simulator.scenario.paths import dotted
from simulator.scenario.workloads import JobFile, Workload
from simulator.traces.findings import counted
from simulator.traces.jobs import JobRows, read_jobs
from simulator.traces.opened import Opened, opened_by
from simulator.units import MS_PER_D
from simulator.workload.batch import Batch
from simulator.workload.draws import draw
from simulator.workload.empirical import Sample
from simulator.workload.sampled import utilisation_law

if TYPE_CHECKING:
    import pyarrow as pa

JOBS_SHOWN: Final = 3
"""Jobs that a message names before it counts the others."""


def replayed(
    name: str,
    workload: Workload,
    clusters: tuple[int, ...],
    fleet: Fleet,
    *,
    start: datetime,
    horizon_ms: int,
    seed: int,
    preempts: bool = False,
    shares: bool = False,
    opened: Opened | None = None,
) -> Batch:
    """Return the jobs of a workload's file, sorted by submit time.

    A job's ``cluster`` restricts its route to that cluster, its ``accelerator`` to clusters of
    nodes with that accelerator, or with one of several: ``a100-80g|v100-16g``. Where the file has
    no column of utilisations, they are drawn from the workload's law, which is 1 unless it is
    given.

    Parameters
    ----------
    clusters : tuple of int
        Those that the workload may use, in order of preference.
    preempts : bool
        Whether jobs are preempted on any of them.
    shares : bool
        Whether jobs share accelerators on any of them.
    opened : Opened, optional
        Keeps what is read of files.

    Raises
    ------
    InputError
        With every problem of the file, or of its jobs' clusters, accelerators and sizes.
    """
    if workload.jobs is None:
        raise ValueError(f"workload {name} has no job file")
    file = workload.jobs
    path = dotted(("workloads", name, "jobs"))
    rows = opened_by(opened, read_jobs, file, path=path, start=start, horizon_ms=horizon_ms)
    route, routes, problems = _routes(rows, fleet, clusters)
    problems += _too_large(rows, fleet, route, routes)
    issues = [Issue(path, f"{file.text}: {said}") for said in problems]
    law = utilisation_law(name, workload, issues, opened)
    if issues:
        raise InputError(file.text, issues)
    order = np.argsort(rows.submit_ms, kind="stable")[: workload.max_jobs]
    duration_ms, gpus = rows.duration_ms[order], rows.gpus[order]
    utilisation = rows.utilisation[order]
    within_ms = np.minimum(duration_ms, horizon_ms - rows.submit_ms[order])
    if not rows.utilisation_given:
        utilisation = draw(law, len(order), seed, "workload", name, "utilisation", opened=opened)
    user, user_names = _users(rows.user, order)
    law_inputs = ((law.text, law.sha256, law.sha256),) if isinstance(law, Sample) else ()
    return Batch(
        name=name,
        submit_ms=rows.submit_ms[order],
        duration_ms=duration_ms,
        gpus=gpus,
        utilisation=utilisation,
        scales=False,
        clusters=tuple(sorted({cluster for chosen in routes for cluster in chosen})) or clusters,
        gpu_days_offered=float(np.sum(within_ms * gpus)) / MS_PER_D,
        law_mean_gpu_days=None,
        routes=routes,
        route=route[order],
        priority=rows.priority[order] if rows.priority_given else workload.priority or 0,
        preemptible=_preemptible(rows, workload, order),
        ids=rows.job_id.take(order),
        requested_ms=None if rows.requested_ms is None else rows.requested_ms[order],
        deadline_ms=None if rows.deadline_ms is None else rows.deadline_ms[order],
        fraction=workload.fraction if rows.fraction is None else rows.fraction[order],
        user=user,
        user_names=user_names,
        warnings=(*rows.warnings, *_idle_columns(rows, file, path, preempts, shares)),
        inputs=((file.text, rows.file_sha256, rows.sha256), *law_inputs),
    )


def _idle_columns(
    rows: JobRows, file: JobFile, path: str, preempts: bool, shares: bool
) -> Iterator[str]:
    """Warn of a column that has no effect on these clusters."""
    own = "columns" in job_formats()[file.format].options  # a public trace has what it has
    if rows.preemptible is not None and own and not preempts:
        yield (
            f"{path}: {file.text}: read and checked, without effect where no cluster preempts "
            "jobs: preemptible"
        )
    if rows.fraction is not None and own and not shares:
        yield (
            f"{path}: {file.text}: read and checked, without effect where no cluster shares "
            "accelerators: fraction"
        )


def _preemptible(
    rows: JobRows, workload: Workload, order: NDArray[np.int64]
) -> NDArray[np.bool_] | bool:
    if rows.preemptible is None:
        return workload.preemptible is not False
    return rows.preemptible[order]


def _routes(
    rows: JobRows, fleet: Fleet, clusters: tuple[int, ...]
) -> tuple[NDArray[np.int16], tuple[tuple[int, ...], ...], list[str]]:
    """Return the route of each job, an index into the routes, and what is wrong with them."""
    count = len(rows.submit_ms)
    cluster, cluster_names = _coded(rows.cluster, count)
    accelerator, accelerator_names = _coded(rows.accelerator, count)
    code = cluster * len(accelerator_names) + accelerator
    codes, route = np.unique(code, return_inverse=True)
    routes: list[tuple[int, ...]] = []
    problems: list[str] = []
    for place, pair in enumerate(codes):
        wanted = Wanted(
            cluster_names[pair // len(accelerator_names)],
            accelerator_names[pair % len(accelerator_names)],
        )
        routes.append(wanted.route(fleet, clusters))
        if not routes[-1]:
            jobs = jobs_listed(rows.job_id, route == place)
            problems.append(f"{wanted.problem(fleet, clusters)} ({jobs})")
    return route.astype(np.int16), tuple(routes), problems


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a job's row asks for; empty where it asks for nothing."""

    cluster: str
    accelerator: str

    @property
    def accelerators(self) -> tuple[str, ...]:
        """Names of the accelerators, any of which will do."""
        return tuple(name for each in self.accelerator.split("|") if (name := each.strip()))

    def route(self, fleet: Fleet, clusters: tuple[int, ...]) -> tuple[int, ...]:
        """Return those of the clusters that the job may use, in the same order."""
        wanted = self.accelerators
        return tuple(
            k
            for k in clusters
            if self.cluster in ("", fleet.cluster_names[k])
            and (not wanted or fleet.accelerator_names[k] in wanted)
        )

    def problem(self, fleet: Fleet, clusters: tuple[int, ...]) -> str:
        """Return why no cluster is left, with the names that are known."""
        for column, cell, names, known in (
            ("cluster", self.cluster, (self.cluster,), [fleet.cluster_names[k] for k in clusters]),
            (
                "accelerator",
                self.accelerator,
                self.accelerators,
                _named(fleet.accelerator_names, clusters),
            ),
        ):
            if cell and not set(names) & set(known):
                near = next((near for name in names if (near := nearest(name, known))), None)
                meant = f"did you mean {shown(near)}? " if near else ""
                return f"{column} {shown(cell)} is unknown to this workload; {meant}known are " + (
                    listing(known)
                )
        return f"cluster {shown(self.cluster)} has no accelerator {shown(self.accelerator)}"


def _named(names: tuple[str | None, ...], clusters: tuple[int, ...]) -> list[str]:
    return list(dict.fromkeys(name for k in clusters if (name := names[k])))


def _coded(column: "pa.Array | None", count: int) -> tuple[NDArray[np.int64], list[str]]:
    """Return a code for each cell and the texts that the codes stand for; empty for missing."""
    if column is None:
        return np.zeros(count, np.int64), [""]
    coded = column.fill_null("").dictionary_encode()
    return coded.indices.to_numpy().astype(np.int64), coded.dictionary.to_pylist()


def _users(
    column: "pa.Array | None", order: NDArray[np.int64]
) -> tuple[NDArray[np.int32] | None, tuple[str, ...]]:
    """Return a code for the user of each job, -1 where nobody is named, and the names."""
    if column is None or column.null_count == len(column):
        return None, ()
    coded = column.dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy()[order].astype(np.int32)
    return codes, tuple(coded.dictionary.to_pylist())


def misfits(rows: JobRows, fleet: Fleet) -> NDArray[np.bool_]:
    """Return which jobs no cluster of a fleet could ever hold, bool[jobs].

    By their size, or because nothing is called as the cluster or the accelerator they ask for.
    """
    everywhere = tuple(range(len(fleet.cluster_names)))
    route, routes, _ = _routes(rows, fleet, everywhere)
    room = [max((int(fleet.capacity[k]) for k in clusters), default=0) for clusters in routes]
    return rows.gpus > np.array(room, np.int64)[route]


def _too_large(
    rows: JobRows,
    fleet: Fleet,
    route: NDArray[np.int16],
    routes: tuple[tuple[int, ...], ...],
) -> list[str]:
    """Return a problem for each route with jobs that none of its clusters can ever hold."""
    problems = []
    for place, clusters in enumerate(routes):
        if not clusters:
            continue
        largest = max(clusters, key=lambda k: int(fleet.capacity[k]))
        room = int(fleet.capacity[largest])
        large = (route == place) & (rows.gpus > room)
        if large.any():
            problems.append(
                f"{counted(int(large.sum()), 'job')} of more GPUs than the largest cluster "
                f"{shown(fleet.cluster_names[largest])} has, {room:,}: "
                f"{jobs_listed(rows.job_id, large, rows.gpus)}; enlarge the cluster or take "
                "them out"
            )
    return problems


def jobs_listed(
    ids: "pa.Array", chosen: NDArray[np.bool_], gpus: NDArray[np.int32] | None = None
) -> str:
    """Return the chosen jobs for a message, e.g. ``"jobs a, b, c and 40 more"``."""
    rows = np.flatnonzero(chosen)
    names = [
        printable(shown(ids[int(row)].as_py()).strip('"'))
        + (f" ({gpus[row]:,})" if gpus is not None else "")
        for row in rows[:JOBS_SHOWN]
    ]
    rest = f" and {len(rows) - JOBS_SHOWN:,} more" if len(rows) > JOBS_SHOWN else ""
    return f"{'job' if len(rows) == 1 else 'jobs'} {', '.join(names)}{rest}"
