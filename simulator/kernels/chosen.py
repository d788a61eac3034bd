"""Jobs that a policy in plain Python chose: started in turn, as far as they may."""

from simulator.kernels.backfill import within_quota
from simulator.kernels.compile import kernel
from simulator.kernels.gangs import start
from simulator.kernels.placement import fits
from simulator.kernels.power import level_within_budget
from simulator.kernels.queues import leave
from simulator.kernels.tables import BUDGETED, NONE


@kernel
def start_chosen(jobs, tables, queueing, power, cluster, rows, count):
    """Start waiting jobs on a cluster in turn, up to the first that does not fit.

    Parameters
    ----------
    rows : int64[...]
        Rows of the jobs. Where a quota or a power budget keeps a job waiting, NONE stands in its
        place afterwards.
    count : int
        How many of them there are.

    Returns
    -------
    int
        `count`, or where the job stands that does not fit.
    """
    for at in range(count):
        job = rows[at]
        if not within_quota(jobs, queueing, job):
            rows[at] = NONE
            continue
        if not fits(tables.clusters, cluster, jobs.gpus[job]):
            return at
        level = 0
        if tables.clusters[cluster, BUDGETED] == 1:
            level = level_within_budget(jobs, tables, queueing, power, cluster, job)
        if level < 0:
            jobs.held_back[job] = 1
            rows[at] = NONE
            continue
        leave(jobs, tables, job)
        start(jobs, tables, queueing, power, cluster, job, level, False)
    return count


@kernel
def has_room(clusters, cluster, gpus):
    """Return whether a gang could be placed in a cluster now; `fits` for callers in Python."""
    return fits(clusters, cluster, gpus)
