"""Jobs drawn from the laws of a workload."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.errors import InputError, Issue
from simulator.rng import stream
from simulator.scenario.arrivals import Arrivals
from simulator.scenario.laws import Empirical, Law
from simulator.scenario.paths import dotted
from simulator.scenario.workloads import GpuChoices, Workload
from simulator.traces.opened import Opened, opened_by
from simulator.units import MS_PER_D, MS_PER_Y
from simulator.workload.arrivals import arrival_times, expected_count
from simulator.workload.batch import Batch
from simulator.workload.draws import draw, draw_choices
from simulator.workload.empirical import Sample, read
from simulator.workload.laws import AnyLaw, Floats, mean, support

LONGEST_MS: Final = 2.0**53
"""The longest duration that is exact in milliseconds, 285,000 years. [ms]"""


@dataclass(frozen=True, slots=True)
class JobLaws:
    """What the jobs of a workload are drawn from, the columns of files read.

    Attributes
    ----------
    arrivals : Arrivals
    gpus : GpuChoices
    size : Law or Sample
        GPU-days of a job [GPU-days], or its duration [ms].
    in_gpu_days : bool
        Which of both.
    utilisation : Law or Sample
        Busy share of the held accelerators.
    """

    arrivals: Arrivals
    gpus: GpuChoices
    size: AnyLaw
    in_gpu_days: bool
    utilisation: AnyLaw

    @property
    def mean_gpu_days(self) -> float:
        """GPU-days of a job that the laws imply; its GPUs do not depend on its size."""
        if self.in_gpu_days:
            return mean(self.size)
        gpus = float(np.average(self.gpus.choices, weights=self.gpus.weights))
        return mean(self.size) / MS_PER_D * gpus

    @property
    def inputs(self) -> tuple[tuple[str, str, str], ...]:
        """Name and SHA-256 of every file that was read."""
        laws = (self.size, self.utilisation)
        return tuple((law.text, law.sha256, law.sha256) for law in laws if isinstance(law, Sample))


def sampled(
    name: str,
    workload: Workload,
    clusters: tuple[int, ...],
    *,
    start: datetime,
    horizon_ms: int,
    seed: int,
    opened: Opened | None = None,
) -> Batch:
    """Return the jobs drawn from the laws of a workload.

    Each property has a stream of its own, ``("workload", NAME, PROPERTY)`` with the properties
    arrivals, sizes, gpus and utilisation; so a job's GPU-days do not depend on its GPUs.

    Parameters
    ----------
    clusters : tuple of int
        Those that the workload may use, in order of preference.
    opened : Opened, optional
        Keeps what is read of files.

    Raises
    ------
    InputError
        If a law cannot be what it is used for.
    """
    laws = job_laws(name, workload, opened)
    submit_ms = arrival_times(
        laws.arrivals,
        stream(seed, "workload", name, "arrivals"),
        start=start,
        horizon_ms=horizon_ms,
        max_jobs=workload.max_jobs,
    )
    gpus, duration_ms = _sizes(name, laws, len(submit_ms), seed, opened)
    utilisation = draw(
        laws.utilisation, len(submit_ms), seed, "workload", name, "utilisation", opened=opened
    )
    offered = laws.mean_gpu_days * expected_jobs(workload, start=start, horizon_ms=horizon_ms)
    return Batch(
        name=name,
        submit_ms=submit_ms,
        duration_ms=duration_ms,
        gpus=gpus,
        utilisation=utilisation,
        scales=laws.in_gpu_days,
        clusters=clusters,
        gpu_days_offered=offered,
        law_mean_gpu_days=laws.mean_gpu_days if laws.in_gpu_days else None,
        routes=(clusters,),
        priority=workload.priority or 0,
        preemptible=workload.preemptible is not False,
        fraction=workload.fraction,
        inputs=laws.inputs,
    )


def expected_jobs(workload: Workload, *, start: datetime, horizon_ms: int) -> float:
    """Return how many jobs are to be expected before the horizon; 0 for a job file."""
    if workload.arrivals is None:
        return 0.0
    most = math.inf if workload.max_jobs is None else workload.max_jobs
    return min(expected_count(workload.arrivals, start=start, horizon_ms=horizon_ms), most)


def job_laws(name: str, workload: Workload, opened: Opened | None = None) -> JobLaws:
    """Return what the jobs of a workload are drawn from, reading the columns of files.

    Raises
    ------
    InputError
        With the problems of all laws: a column that cannot be read, a share above 1.
    """
    size = workload.gpu_days or workload.duration
    if workload.arrivals is None or workload.gpus is None or size is None:
        raise ValueError(f"workload {name} has no laws to draw jobs from")
    in_gpu_days = workload.gpu_days is not None
    issues: list[Issue] = []
    key = "gpu_days" if in_gpu_days else "duration"
    known = _read(size, dotted(("workloads", name, key)), issues, opened)
    utilisation = utilisation_law(name, workload, issues, opened)
    if issues:
        raise InputError("scenario", issues)
    return JobLaws(workload.arrivals, workload.gpus, known, in_gpu_days, utilisation)


def utilisation_law(
    name: str, workload: Workload, issues: list[Issue], opened: Opened | None = None
) -> AnyLaw:
    """Return the law of utilisation; problems are added to the issues."""
    path = dotted(("workloads", name, "utilisation"))
    law = _read(workload.utilisation, path, issues, opened)
    if not isinstance(law, Empirical) and (high := support(law)[1]) > 1.0:
        said = f"values up to {high:g} are no shares; utilisation is the busy share of the held"
        issues.append(Issue(path, f"{said} accelerators, 0 to 1"))
    return law


def _read(law: Law, path: str, issues: list[Issue], opened: Opened | None) -> AnyLaw:
    """Return the law with its column read, or as it was if that is refused."""
    try:
        return opened_by(opened, read, law, path=path) if isinstance(law, Empirical) else law
    except InputError as error:
        issues += error.issues
        return law


def _sizes(
    name: str, laws: JobLaws, count: int, seed: int, opened: Opened | None
) -> tuple[NDArray[np.int32], Floats]:
    """Draw the accelerators and the durations of jobs. [ms]"""
    choices, weights = laws.gpus.choices, laws.gpus.weights
    gpus = draw_choices(choices, weights, count, seed, "workload", name, "gpus")
    duration_ms = draw(laws.size, count, seed, "workload", name, "sizes", opened=opened)
    if laws.in_gpu_days:
        duration_ms *= MS_PER_D
        duration_ms /= gpus
    longest_ms = float(duration_ms.max(initial=0.0))
    if not longest_ms <= LONGEST_MS:
        key = "gpu_days" if laws.in_gpu_days else "duration"
        said = f"a job of {longest_ms / MS_PER_Y:.3g} y was drawn, too long to be counted in ms"
        path = dotted(("workloads", name, key))
        raise InputError("scenario", [Issue(path, f"{said}; lower the law's upper values")])
    return gpus, duration_ms
