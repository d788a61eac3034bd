"""The job table: every job of a run as columns, sorted by submit time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from simulator.workload.checkpoints import Saving


@dataclass(frozen=True, slots=True)
class JobTable:
    """Jobs as columns, one row per job, sorted by submit time, then the scenario's order.

    Attributes
    ----------
    submit_ms : int64[jobs]
        Time of submission since the scenario's start, in [0, horizon). [ms]
    duration_ms : float64[jobs]
        Run time on a node of relative speed 1, not yet rounded. [ms]
    gpus : int32[jobs]
        Accelerators held from start to end.
    utilisation : float64[jobs]
        Busy share of the held accelerators, 0 to 1.
    priority : int32[jobs]
        Larger is served first; 0 unless a job file says otherwise.
    workload : int16[jobs]
        Index into `workload_names`.
    route : int16[jobs]
        Index into `routes`.
    routes : tuple of tuple of int
        Clusters in order of preference, as indices; each non-empty.
    scales : tuple of bool
        For each workload, whether a node's relative speed divides the duration (true for
        sizes given in GPU-days, false for durations and replayed jobs).
    stated : tuple of (float64[clusters] or None)
        For each workload the relative speed that it states of each cluster's accelerator, NaN
        where it states none; it divides the duration, and stands in place of the nodes' own.
        Empty if no workload states any.
    dispatches : tuple of bool
        For each workload, whether its jobs get their cluster as they are submitted. Empty if none
        does.
    workload_names : tuple of str
    job_ids : callable
        Returns the identifiers, a pyarrow string array of one entry per job; made when asked,
        because ten million names are larger than the jobs themselves.
    requested_ms : float64[jobs] or None
        Run time that the user asked for; the duration where nobody asked. None if no job says
        one: then it is the duration of every job. [ms]
    deadline_ms : float64[jobs] or None
        When the job should have ended, since the scenario's start, NaN where it has none; None
        if no job has one. [ms]
    user : int32[jobs] or None
        Index into `user_names`, -1 where nobody is named; None if no job names anybody.
    user_names : tuple of str
    preemptible : bool[jobs] or None
        Whether it may be preempted; None if all may be.
    fraction : float64[jobs] or None
        Part of an accelerator that a job of one asks for where jobs share it, NaN where its
        utilisation counts; None if no job says one.
    savings : tuple of (Saving or None)
        How the jobs of each workload save their work, None where they don't; empty if none does.
    alone : tuple of bool
        For each workload, whether its jobs share no accelerator; empty if none says so.
    sizes : tuple of WorkloadSize
        What each workload was asked to draw, for the printed assumptions.
    warnings : tuple of str
    inputs : tuple of (str, str, str)
        Name, SHA-256 of the bytes and SHA-256 of the parsed content of every file read, as often
        as workloads name it: which of them reads which file is part of what they are.
    """

    submit_ms: NDArray[np.int64]
    duration_ms: NDArray[np.float64]
    gpus: NDArray[np.int32]
    utilisation: NDArray[np.float64]
    priority: NDArray[np.int32]
    workload: NDArray[np.int16]
    route: NDArray[np.int16]
    routes: tuple[tuple[int, ...], ...]
    scales: tuple[bool, ...]
    workload_names: tuple[str, ...]
    job_ids: Callable[[], "pa.Array"]
    requested_ms: NDArray[np.float64] | None = None
    deadline_ms: NDArray[np.float64] | None = None
    user: NDArray[np.int32] | None = None
    user_names: tuple[str, ...] = ()
    preemptible: NDArray[np.bool_] | None = None
    fraction: NDArray[np.float64] | None = None
    savings: "tuple[Saving | None, ...]" = ()
    stated: tuple[NDArray[np.float64] | None, ...] = ()
    dispatches: tuple[bool, ...] = ()
    alone: tuple[bool, ...] = ()
    sizes: tuple["WorkloadSize", ...] = ()
    warnings: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.submit_ms)


@dataclass(frozen=True, slots=True)
class WorkloadSize:
    """Size of one workload: what the law implies and what the jobs drawn from it hold.

    Attributes
    ----------
    name : str
    jobs : int
        Jobs in the table.
    gpu_days_p50, gpu_days_p99, gpu_days_mean : float or None
        Of the jobs in the table; None if there are none. [GPU-days]
    law_mean_gpu_days : float or None
        Mean of the law asked for; None for replayed jobs and for laws of duration. [GPU-days]
    offered_load : float
        GPU-days submitted per day over the accelerators of the clusters it may use; these count
        by the speed of their power level, and by their relative speed where sizes are given in
        GPU-days or the workload states it.
    """

    name: str
    jobs: int
    gpu_days_p50: float | None
    gpu_days_p99: float | None
    gpu_days_mean: float | None
    law_mean_gpu_days: float | None
    offered_load: float
