"""What a run says of racks: how many each job spans, and how much of the work lay across them."""

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.billing import held_by
from simulator.accounting.metering import Metered
from simulator.fleet import Fleet
from simulator.joblog import JobLog
from simulator.workload.table import JobTable


def spans(
    fleet: Fleet, jobs: JobTable, racks: NDArray[np.int32], log: JobLog
) -> dict[str, NDArray[np.float64]]:
    """Return the nodes and the racks of each job's last run, NaN where there are none."""
    nodes = (-(-jobs.gpus // fleet.accelerators[log.cluster])).astype(np.float64)
    nodes[log.first_node < 0] = np.nan
    return {"nodes": nodes, "racks": np.where(racks > 0, racks, np.nan)}


def cross_rack_share(fleet: Fleet, jobs: JobTable, log: JobLog, metered: Metered) -> float | None:
    """Return the share of the accelerator-time of gangs of several nodes that lay across racks.

    Only clusters with racks and the counted period count; None where no such gang ran.
    """
    if log.racks is None:
        return None
    racks = log.racks
    if log.pieces is not None:
        racks = np.concatenate([racks, log.pieces.racks])
    held = held_by(jobs, log)
    gangs = np.flatnonzero((racks > 0) & (held.gpus > fleet.accelerators[held.cluster]))
    begin_ms, end_ms = metered.grid.begin_ms, metered.end_ms
    ran_ms = np.clip(held.end_ms[gangs], begin_ms, end_ms)
    ran_ms -= np.clip(held.start_ms[gangs], begin_ms, end_ms)
    time = ran_ms * held.gpus[gangs]
    total = float(time.sum())
    return float(time[racks[gangs] > 1].sum()) / total if total else None
