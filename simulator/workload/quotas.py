"""Quotas: accelerators that the jobs of a workload may hold at a time, over all clusters."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.model import Scenario
from simulator.scenario.paths import dotted
from simulator.workload.table import JobTable


def quotas_of(scenario: Scenario) -> tuple[int, ...]:
    """Return the quota of each workload, in the scenario's order; 0 stands for none."""
    return tuple(workload.quota or 0 for workload in scenario.workloads.values())


def over_quota(jobs: JobTable, quotas: Sequence[int]) -> NDArray[np.bool_]:
    """Return which jobs are larger than their workload's quota and can never start, bool[jobs].

    Parameters
    ----------
    jobs : JobTable
    quotas : sequence of int
        For each workload; 0 for none.
    """
    if not any(quotas):
        return np.zeros(len(jobs), np.bool_)
    limits = np.array([quota or np.iinfo(np.int64).max for quota in quotas], np.int64)
    return jobs.gpus > limits[jobs.workload]


def quota_warnings(jobs: JobTable, quotas: Sequence[int]) -> tuple[str, ...]:
    """Warn of jobs that are larger than their workload's quota."""
    if not any(quotas):
        return ()
    workload = jobs.workload
    over = np.bincount(workload[over_quota(jobs, quotas)], minlength=len(quotas))
    every = np.bincount(workload, minlength=len(quotas))
    return tuple(
        f"{dotted(('workloads', name, 'quota'))}: {over[at]:,} of {every[at]:,} jobs are larger "
        f"than the quota ({quotas[at]}) and never start"
        for at, name in enumerate(jobs.workload_names)
        if over[at]
    )
