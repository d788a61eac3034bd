"""The jobs of one workload as columns, before those of all workloads are merged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs of one workload, sorted by submit time; columns as in `JobTable`.

    Attributes
    ----------
    name : str
        Of the workload.
    submit_ms, duration_ms, gpus, utilisation
        Columns of the jobs.
    scales : bool
        Whether a node's relative speed divides the duration.
    clusters : tuple of int
        Every cluster that one of the jobs may use.
    gpu_days_offered : float
        GPU-days asked for up to the horizon: by the laws of drawn jobs; by replayed jobs
        themselves, as far as they could run before it. [GPU-days]
    law_mean_gpu_days : float or None
        Mean of the law of GPU-days, where there is one. [GPU-days]
    priority : int32[jobs], or one value for all
    preemptible : bool[jobs], or one value for all
    route : int16[jobs] or None
        Index into `routes`; None if all take the first.
    routes : tuple of tuple of int
        Clusters in order of preference.
    ids : pyarrow string array or None
        Identifiers, where they come from a file.
    requested_ms, deadline_ms : float64[jobs] or None
        As in `JobTable`.
    fraction : float64[jobs], or one value for all, or None
        As in `JobTable`.
    user : int32[jobs] or None
        Index into `user_names`, -1 where nobody is named.
    user_names : tuple of str
    stated : float64[clusters] or None
        As in `JobTable`.
    warnings : tuple of str
    inputs : tuple of (str, str, str)
        Name and SHA-256 of every file that was read.
    """

    name: str
    submit_ms: NDArray[np.int64]
    duration_ms: NDArray[np.float64]
    gpus: NDArray[np.int32]
    utilisation: NDArray[np.float64]
    scales: bool
    clusters: tuple[int, ...]
    gpu_days_offered: float
    law_mean_gpu_days: float | None
    routes: tuple[tuple[int, ...], ...]
    route: NDArray[np.int16] | None = None
    priority: NDArray[np.int32] | int = 0
    preemptible: NDArray[np.bool_] | bool = True
    ids: "pa.Array | None" = None
    requested_ms: NDArray[np.float64] | None = None
    deadline_ms: NDArray[np.float64] | None = None
    fraction: NDArray[np.float64] | float | None = None
    user: NDArray[np.int32] | None = None
    user_names: tuple[str, ...] = ()
    stated: NDArray[np.float64] | None = None
    warnings: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.submit_ms)
