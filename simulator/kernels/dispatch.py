"""Dispatch at submission: a job gets one of its clusters as it arrives, and waits for that alone.

Each such cluster has a route of its own. A job that is sent there gets that route, and the rank and
the line that it has by the rule of that cluster.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.compile import kernel
from simulator.kernels.loads import expected_wait
from simulator.kernels.queues import enter
from simulator.kernels.tables import CHANGED, NEXT_JOB, NONE, SUBMISSIONS


class Dispatch(NamedTuple):
    """How jobs get their cluster as they are submitted; without jobs where none does so.

    None in plain runs.
    """

    way: NDArray[np.int32]  # [jobs] NONE for a job whose cluster is known, or whose route is
    outside: NDArray[np.int8]  # [ways] 1 where a policy in plain Python chooses
    first: NDArray[np.int64]  # [ways + 1] where its clusters begin
    cluster: NDArray[np.int64]  # clusters that may be chosen, way after way
    route: NDArray[np.int64]  # [clusters] the route of that cluster alone
    rule: NDArray[np.int64]  # [clusters] row of the ranks by its queue rule
    level: NDArray[np.int32]  # [rules, jobs] as in `Jobs`
    line: NDArray[np.int32]  # [rules, jobs] as in `Jobs`


@kernel(inline="llvm")
def settle_arrivals(jobs, tables, dispatch, now):
    """Let the jobs submitted now wait; return False where one of them must get its cluster outside.

    That one is the next of the job table; `send` gives it its cluster, and the call is repeated.
    """
    clock = tables.clock
    while clock[NEXT_JOB] < len(jobs.submit_ms) and jobs.submit_ms[clock[NEXT_JOB]] == now:
        job = clock[NEXT_JOB]
        if dispatch is not None and len(dispatch.way) > 0:
            if must_be_asked(dispatch, job):
                return False
            bind(jobs, tables, dispatch, job)
        clock[NEXT_JOB] += 1
        clock[CHANGED] = max(clock[CHANGED], SUBMISSIONS)
        if jobs.route[job] >= 0:
            enter(jobs, tables, job)
    return True


@kernel(inline="llvm")
def must_be_asked(dispatch, job):
    """Return whether a policy in plain Python chooses the cluster of a job."""
    way = dispatch.way[job]
    return way >= 0 and dispatch.outside[way] == 1


@kernel
def bind(jobs, tables, dispatch, job):
    """Give a job the cluster of the least expected wait, the first of equal ones."""
    way = np.int64(dispatch.way[job])
    if way < 0:
        return
    best = NONE
    least_ms = np.inf
    for at in range(dispatch.first[way], dispatch.first[way + 1]):
        cluster = dispatch.cluster[at]
        wait_ms = expected_wait(tables.loads, jobs, tables, cluster, job)
        if best < 0 or wait_ms < least_ms:
            best = cluster
            least_ms = wait_ms
    send(jobs, dispatch, job, best)


@kernel
def send(jobs, dispatch, job, cluster):
    """Give a job a cluster, for good."""
    rule = dispatch.rule[cluster]
    jobs.route[job] = dispatch.route[cluster]
    jobs.cluster[job] = cluster
    jobs.level[job] = dispatch.level[rule, job]
    jobs.line[job] = dispatch.line[rule, job]
    dispatch.way[job] = NONE
