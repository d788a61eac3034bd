"""Routes: for each job the clusters of its list that could hold it, in order of preference."""

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import Fleet
from simulator.kernels import tables as kernels
from simulator.kernels.curves import Curves
from simulator.power.budgets import able_jobs
from simulator.workload.table import JobTable

MOST_CODED = 16
"""Clusters of a route up to which those that could hold a job are told by one small number."""


def routes_of(
    fleet: Fleet, jobs: JobTable, curves: Curves
) -> tuple[NDArray[np.int16], tuple[tuple[int, ...], ...]]:
    """Return each job's route of clusters that could hold it when empty, and these routes.

    A job that none could hold has the route NONE. A cluster too small for a job, in nodes or in
    power, is not on its way: the job does not wait for it, nor keep others from it.
    """
    largest = int(jobs.gpus.max()) if len(jobs) else 0
    sizes = -(-largest // fleet.accelerators) <= fleet.node_count
    suits_all = sizes & ~fleet.budgeted
    route = np.array(jobs.route, np.int16)
    routes = [tuple(clusters) for clusters in jobs.routes]
    for number, clusters in enumerate(jobs.routes):
        if suits_all[list(clusters)].all():
            continue
        rows = np.flatnonzero(jobs.route == number)
        able = np.stack([able_jobs(fleet, curves, jobs, rows, at) for at in clusters], axis=1)
        patterns, pattern = _distinct(able)
        chosen = np.full(len(patterns), kernels.NONE, np.int16)
        for at_pattern, fitting in enumerate(patterns):
            way = tuple(at for at, fits in zip(clusters, fitting, strict=True) if fits)
            if way and way not in routes:
                routes.append(way)
            if way:
                chosen[at_pattern] = routes.index(way)
        route[rows] = chosen[pattern]
    return route, tuple(routes)


def _distinct(able: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return the distinct rows in lexical order, and the number of each row among them."""
    columns = able.shape[1]
    if columns > MOST_CODED:
        patterns, number = np.unique(able, axis=0, return_inverse=True)
        return patterns, number.reshape(-1)
    # Sorting rows takes a hundred times as long as counting numbers that stand for them.
    bits = np.arange(columns)[::-1]
    code = np.zeros(len(able), np.int64)
    for column in able.T:
        code += code + column
    found = np.flatnonzero(np.bincount(code))
    patterns = (found[:, None] >> bits & 1).astype(bool)
    return patterns, np.searchsorted(found, code)
