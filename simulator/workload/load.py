"""What the jobs ask of the fleet: sizes of workloads, and warnings where it is too much."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from simulator.errors import listing
from simulator.fleet import Fleet
from simulator.percentiles import percentiles
from simulator.scenario.paths import dotted
from simulator.units import MS_PER_D
from simulator.workload.batch import Batch
from simulator.workload.speeds import speeds
from simulator.workload.table import WorkloadSize

MOST_SETS: Final = 256
"""Sets of clusters whose load is looked at."""


def sizes_of(batches: Sequence[Batch], fleet: Fleet, horizon_ms: int) -> tuple[WorkloadSize, ...]:
    """Return the size of each workload, from the jobs it brought."""
    return tuple(_size(batch, fleet, horizon_ms) for batch in batches)


def _size(batch: Batch, fleet: Fleet, horizon_ms: int) -> WorkloadSize:
    gpu_days = batch.duration_ms * batch.gpus
    gpu_days /= MS_PER_D
    total = float(gpu_days.sum())
    p50 = p99 = mean = None
    if len(batch):
        mean = total / len(batch)
        p50, p99 = percentiles(gpu_days, (50, 99))
    offered = _load(batch, total, horizon_ms, fleet, batch.clusters)
    return WorkloadSize(
        name=batch.name,
        jobs=len(batch),
        gpu_days_p50=p50,
        gpu_days_p99=p99,
        gpu_days_mean=mean,
        law_mean_gpu_days=batch.law_mean_gpu_days,
        offered_load=offered,
    )


def _load(
    batch: Batch, gpu_days: float, horizon_ms: int, fleet: Fleet, clusters: Iterable[int]
) -> float:
    """Return GPU-days per day over the accelerators of clusters, at their speeds."""
    chosen = list(clusters)
    capacity = fleet.capacity[chosen].astype(np.float64)
    capacity *= speeds(fleet, scales=batch.scales, stated=batch.stated)[chosen]
    return gpu_days / (horizon_ms / MS_PER_D) / float(capacity.sum())


def load_warnings(batches: Sequence[Batch], fleet: Fleet, horizon_ms: int) -> tuple[str, ...]:
    """Warn of clusters whose workloads ask for more than they can ever do.

    Where workloads share clusters these are looked at together: the jobs that can only go to a
    set of clusters must not need more than the set has. Where jobs share accelerators, each may
    do the work of as many as it may have.
    """
    asking = [batch for batch in batches if len(batch)]
    overloaded: list[frozenset[int]] = []
    warnings = []
    for clusters in _unions({frozenset(batch.clusters) for batch in asking}):
        bound = [batch for batch in asking if clusters.issuperset(batch.clusters)]
        load = math.fsum(
            _load(batch, _startable_gpu_days(batch, fleet), horizon_ms, fleet, clusters)
            for batch in bound
        )
        most = float(fleet.most_tenants[list(clusters)].max())
        if load > most and not any(clusters > smaller for smaller in overloaded):
            overloaded.append(clusters)
            names = listing(fleet.cluster_names[cluster] for cluster in sorted(clusters))
            asked = listing(batch.name for batch in bound)
            warnings.append(
                f"offered load {load:.4g} of capacity: the queue grows without limit "
                f"(workloads: {asked}; clusters: {names})"
            )
    return tuple(warnings)


def _startable_gpu_days(batch: Batch, fleet: Fleet) -> float:
    """Return the GPU-days offered without those of jobs too large for every cluster."""
    fits = batch.gpus <= fleet.capacity[list(batch.clusters)].max()
    if fits.all():
        return batch.gpu_days_offered
    gpu_ms = batch.duration_ms * batch.gpus
    total = float(gpu_ms.sum())
    return batch.gpu_days_offered * float(gpu_ms[fits].sum()) / total if total else 0.0


def _unions(sets: set[frozenset[int]]) -> list[frozenset[int]]:
    """Return the sets and their unions, small ones first; of very many only some."""
    found = set(sets)
    for _ in sets:
        joined = {one | other for one in found for other in sets}
        if joined <= found or len(found) > MOST_SETS:
            break
        found |= joined
    return sorted(found, key=lambda chosen: (len(chosen), sorted(chosen)))


def size_warnings(batches: Sequence[Batch], fleet: Fleet) -> tuple[str, ...]:
    """Warn of jobs that need more accelerators than any of their clusters has."""
    warnings = []
    for batch in batches:
        largest = int(fleet.capacity[list(batch.clusters)].max())
        count = int(np.count_nonzero(batch.gpus > largest))
        if count:
            warnings.append(
                f"{dotted(('workloads', batch.name))}: {count:,} of {len(batch):,} jobs need more "
                f"than the {largest:,} accelerators of their largest cluster and never start"
            )
    return tuple(warnings)
