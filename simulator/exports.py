"""The jobs of a finished run in the form of other programs."""

import heapq
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.errors import InputError, Issue
from simulator.fleet import fleet_of
from simulator.results import Results
from simulator.units import J_PER_KWH

if TYPE_CHECKING:
    import pandas as pd

BATSIM_COLUMNS: Final = (
    "job_id",
    "workload_name",
    "profile",
    "submission_time",
    "requested_number_of_resources",
    "requested_time",
    "success",
    "final_state",
    "starting_time",
    "execution_time",
    "finish_time",
    "waiting_time",
    "turnaround_time",
    "stretch",
    "allocated_resources",
    "consumed_energy",
    "metadata",
)
"""Columns of Batsim's ``_jobs.csv``, in its order."""

NOT_EXPORTED: Final = ("running", "queued")
"""States of jobs that have not ended, which such a file has no rows for."""

_REJECTED: Final = ("rejected", "unschedulable")
_DECIMALS: Final = 6


def batsim_jobs(results: Results) -> "pd.DataFrame":
    """Return the jobs that ended, and those that never could start, as Batsim's jobs file has them.

    Results do not keep which accelerators a job held, so these are numbered anew: through all
    clusters, the lowest free ones of the job's cluster at its start, so that no two jobs hold one
    at a time. One that lost a node and started again counts as if it held them all the while.

    Raises
    ------
    InputError
        If jobs were preempted, or shared accelerators: then several hold one at a time.
    """
    import pandas as pd

    if results.summary["preemptions"]:
        rule = (
            "jobs were preempted, and such a file has one run for each; export a run without "
            "preemption"
        )
        raise InputError(results.scenario.name, [Issue("clusters", rule)])
    if results.summary["gpu_hours_shared"]:
        rule = "jobs shared accelerators, and such a file gives each to one job at a time"
        raise InputError(results.scenario.name, [Issue("clusters", rule)])

    jobs = results.jobs
    jobs = jobs[~jobs["state"].isin(NOT_EXPORTED)].reset_index(drop=True)
    ended = ~jobs["state"].isin(_REJECTED).to_numpy()
    run_s = jobs["end_s"] - jobs["start_s"]
    stay_s = jobs["end_s"] - jobs["submit_s"]
    energy_j = (jobs["energy_dynamic_kwh"] + jobs["energy_idle_share_kwh"]) * J_PER_KWH
    columns: dict[str, Any] = {
        "job_id": jobs["job_id"],
        "workload_name": jobs["workload"],
        "profile": jobs["workload"],
        "submission_time": jobs["submit_s"],
        "requested_number_of_resources": jobs["gpus"],
        "requested_time": -1,
        "success": ended.astype(np.int64),
        "final_state": np.where(ended, "COMPLETED_SUCCESSFULLY", "REJECTED"),
        "starting_time": jobs["start_s"],
        "execution_time": run_s,
        "finish_time": jobs["end_s"],
        "waiting_time": jobs["wait_s"],
        "turnaround_time": stay_s,
        "stretch": stay_s / run_s.where(run_s > 0),
        "allocated_resources": _numbered(jobs, ended, results),
        "consumed_energy": energy_j,
        "metadata": "",
    }
    return pd.DataFrame(columns)[list(BATSIM_COLUMNS)]


def batsim_csv(results: Results) -> str:
    """Return the text of Batsim's jobs file."""
    text: str = batsim_jobs(results).to_csv(
        index=False, float_format=f"%.{_DECIMALS}f", lineterminator="\n"
    )
    return text


EXPORTS: Final[dict[str, Callable[[Results], str]]] = {"batsim": batsim_csv}
"""Makes the text of a file of each other program, by its name."""


def _numbered(jobs: "pd.DataFrame", ended: Any, results: Results) -> list[str]:
    """Return sets of accelerators, numbered through the fleet, as Batsim writes them."""
    fleet = fleet_of(results.scenario)
    capacity = fleet.accelerators * np.diff(fleet.first_node)
    first = dict(zip(fleet.cluster_names, np.cumsum([0, *capacity]).tolist(), strict=False))
    sets = [""] * len(jobs)
    for name, mine in jobs[ended].groupby("cluster", observed=True, sort=False):
        begin = mine["start_s"].to_numpy()
        order = np.lexsort((mine.index.to_numpy(), begin))
        rows = zip(
            mine.index.to_numpy()[order].tolist(),
            begin[order].tolist(),
            mine["end_s"].to_numpy()[order].tolist(),
            mine["gpus"].to_numpy()[order].tolist(),
            strict=True,
        )
        for row, held in _lowest_free(rows, first[str(name)]):
            sets[row] = held
    return sets


def _lowest_free(
    rows: Iterator[tuple[int, float, float, int]], first: int
) -> Iterator[tuple[int, str]]:
    """Yield the accelerators of each job, given in order of start, from the number `first` on.

    Parameters
    ----------
    rows : iterator of (row, start, end, accelerators)
    first : int
    """
    # Free stretches by their first number; what lies beyond the last one was never held.
    free: list[tuple[int, int]] = []
    beyond = first
    working: list[tuple[float, int, list[tuple[int, int]]]] = []
    for row, start_s, end_s, gpus in rows:
        while working and working[0][0] <= start_s:
            for stretch in heapq.heappop(working)[2]:
                heapq.heappush(free, stretch)
        held: list[tuple[int, int]] = []
        wanted = gpus
        while wanted and free:
            low, high = heapq.heappop(free)
            taken = min(wanted, high - low + 1)
            held.append((low, low + taken - 1))
            wanted -= taken
            if low + taken <= high:
                heapq.heappush(free, (low + taken, high))
        if wanted:
            held.append((beyond, beyond + wanted - 1))
            beyond += wanted
        held = _joined(held)
        heapq.heappush(working, (end_s, row, held))
        yield row, " ".join(f"{low}-{high}" if high > low else str(low) for low, high in held)


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return stretches in order, those that touch made one."""
    joined: list[tuple[int, int]] = []
    for low, high in stretches:
        if joined and joined[-1][1] + 1 == low:
            joined[-1] = joined[-1][0], high
        else:
            joined.append((low, high))
    return joined
