"""What the counts and waits of a summary are made of, from the table of jobs."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.explanation.recipes import Factor, Part, Recipe, numbers, single, sums_over
from simulator.results import Results
from simulator.tables import codes_of
from simulator.units import MS_PER_S, S_PER_H

ENDS: Final = ("finished", "running", "queued", "unschedulable")
"""States that a job may have at the end of a run."""
STARTED: Final = "jobs that started"


def _counted(results: Results) -> NDArray[np.bool_]:
    """Return which jobs statistics count: those submitted after the warm-up."""
    begin_s = results.scenario.warm_up_ms / MS_PER_S
    counted: NDArray[np.bool_] = numbers(results, "jobs", "submit_s") >= begin_s
    return counted


def _wait_h(results: Results) -> NDArray[np.float64]:
    """Return the waits of the counted jobs that started. [h]"""
    wait_s = numbers(results, "jobs", "wait_s")[_counted(results)]
    waits_h: NDArray[np.float64] = wait_s[~np.isnan(wait_s)] / S_PER_H
    return waits_h


def _states(results: Results) -> dict[str, float]:
    state = codes_of(results.tables["jobs"]["state"], ENDS)[_counted(results)]
    return dict(zip(ENDS, np.bincount(state, minlength=len(ENDS)).astype(float), strict=True))


def _submitted(results: Results) -> Recipe:
    return Recipe(
        tuple(
            Part(f"jobs_{state}", (Factor(count, "", ""),))
            for state, count in _states(results).items()
        ),
        note="jobs submitted after the warm-up, by their state at the end",
    )


def _in_state(state: str, results: Results) -> Recipe:
    return Recipe(_by_workload(results, codes_of(results.tables["jobs"]["state"], (state,)) == 0))


def _started(results: Results) -> Recipe:
    return Recipe(_by_workload(results, ~np.isnan(numbers(results, "jobs", "wait_s"))))


def _by_workload(results: Results, hit: NDArray[np.bool_]) -> tuple[Part, ...]:
    """Return how many of the counted jobs are meant, by workload."""
    counts = sums_over(results, "jobs", "workload", hit & _counted(results))
    return single(counts, "", "jobs")


def _mean_of(amount: float, unit: str, of: str, count: int, counted: str) -> Recipe:
    factors = (Factor(amount, unit, of), Factor(float(count), "", counted, over=True))
    return Recipe((Part("", factors),))


def _wait_mean(results: Results) -> Recipe:
    waits_h = _wait_h(results)
    if not len(waits_h):
        return Recipe(note="no job started")
    return _mean_of(float(waits_h.sum()), "h", "waits, all together", len(waits_h), STARTED)


def _wait_percentile(percent: float, results: Results) -> Recipe:
    """Return a percentile as what lies between two waits, in order of their length."""
    waits_h = np.sort(_wait_h(results))
    if not len(waits_h):
        return Recipe(note="no job started")
    place = (len(waits_h) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(waits_h) - 1)
    share = place - low
    parts = tuple(
        Part(
            f"wait {at + 1:,} of {len(waits_h):,}",
            (Factor(weight, "", "share"), Factor(float(waits_h[at]), "h", "")),
        )
        for at, weight in ((low, 1.0 - share), (high, share))
        if weight
    )
    return Recipe(parts, note="waits in order of their length; linear between two")


def _waited(results: Results) -> Recipe:
    waits_h = _wait_h(results)
    if not len(waits_h):
        return Recipe(note="no job started")
    waited = float(np.count_nonzero(waits_h))
    return _mean_of(waited, "", "of them waited", len(waits_h), STARTED)


def _held_for(name: str, absent: str, results: Results) -> Recipe:
    """Return accelerators held x what a column of seconds says, by workload."""
    if name not in results.tables["jobs"].column_names:
        return Recipe(note=absent)
    hours = numbers(results, "jobs", "gpus") * numbers(results, "jobs", name) / S_PER_H
    return Recipe(single(sums_over(results, "jobs", "workload", hours), "GPU-h", f"gpus x {name}"))


def _preemptions(results: Results) -> Recipe:
    if results.summary["preemptions"] is None:
        return Recipe(note="nobody is preempted")
    counts = numbers(results, "jobs", "preemptions")
    return Recipe(single(sums_over(results, "jobs", "workload", counts), ""))


def _interference(results: Results) -> Recipe:
    if results.summary["slowdown_interference_mean"] is None:
        return Recipe(note="no accelerator is shared")
    slowdowns = numbers(results, "jobs", "slowdown_interference")[_counted(results)]
    known = slowdowns[~np.isnan(slowdowns)]
    return _mean_of(float(known.sum()), "", "slowdowns, added up", len(known), "jobs that ran")


def _untold(note: str, results: Results) -> Recipe:  # noqa: ARG001 - as every rule
    return Recipe(note=note)


COUNTED: Final = "counted while the run went on; no table of the results holds its parts"

RULES: Final[dict[str, Callable[[Results], Recipe]]] = {
    "jobs_submitted": _submitted,
    "jobs_started": _started,
    **{f"jobs_{state}": partial(_in_state, state) for state in ENDS},
    "wait_mean_h": _wait_mean,
    "wait_p50_h": partial(_wait_percentile, 50),
    "wait_p95_h": partial(_wait_percentile, 95),
    "wait_p99_h": partial(_wait_percentile, 99),
    "waited_share": _waited,
    "slowdown_mean": partial(
        _untold,
        "mean over jobs of 1 + wait / run time; of a job that was cut off, the run time that it "
        "would have had, which no table of the results holds",
    ),
    "utilisation": partial(_untold, COUNTED),
    "jobs_delayed_by_power": partial(_untold, COUNTED),
    "jobs_capped": partial(_untold, COUNTED),
    "energy_capped_kwh": partial(_untold, COUNTED),
    "gpu_hours_lost": partial(_held_for, "lost_s", "no node can fail"),
    "goodput": partial(_untold, COUNTED),
    "ettr": partial(_untold, COUNTED),
    "preemptions": _preemptions,
    "gpu_hours_preempted": partial(_held_for, "preempted_s", "nobody is preempted"),
    "cross_rack_share": partial(_untold, COUNTED),
    "gpu_hours_shared": partial(_untold, COUNTED),
    "slowdown_interference_mean": _interference,
}
"""By key of the summary, how it is made."""
