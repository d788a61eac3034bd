"""How fast the jobs of a workload run on each cluster."""

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import Fleet
from simulator.scenario.workloads import Workload
from simulator.workload.table import JobTable


def stated_speeds(workload: Workload, fleet: Fleet) -> NDArray[np.float64] | None:
    """Return the speed that a workload states of each cluster's accelerator, NaN where it doesn't.

    None where it states none.
    """
    known = {name: speed for name, speed in (workload.accelerators or {}).items() if speed}
    if not known:
        return None
    return np.array([known.get(name or "", np.nan) for name in fleet.accelerator_names])


def speeds(
    fleet: Fleet, *, scales: bool, stated: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the speed of a workload's jobs on each cluster, at its power level.

    Parameters
    ----------
    fleet : Fleet
    scales : bool
        Whether a node's relative speed divides the duration.
    stated : float64[clusters] or None
        Relative speeds that stand in its place, and divide durations at any rate; NaN where there
        is none.
    """
    own = fleet.relative_speed if scales else fleet.own_speed
    return own if stated is None else np.where(np.isnan(stated), own, stated * fleet.own_speed)


def speed_table(fleet: Fleet, jobs: JobTable) -> NDArray[np.float64]:
    """Return the speed of each workload's jobs on each cluster, float64[workloads, clusters]."""
    scales = jobs.scales or (False,)
    stated = jobs.stated or (None,) * len(scales)
    pairs = zip(scales, stated, strict=True)
    return np.stack([speeds(fleet, scales=scaled, stated=said) for scaled, said in pairs])
