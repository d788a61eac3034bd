"""What a trace of jobs holds, in a few numbers."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.percentiles import percentiles
from simulator.traces.findings import instant
from simulator.traces.jobs import JobTrace
from simulator.units import MS_PER_D, MS_PER_S

GAP_MS: Final = MS_PER_D
"""Time without a submission that counts as a gap. [ms]"""


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A trace of jobs in a few numbers.

    Attributes
    ----------
    jobs : int
        Jobs that are left.
    dropped : dict of str to int
        Jobs that its reader left out, by reason.
    first, last : str
        First and last submission: instants, or seconds since the trace's zero.
    span_d : float
        From the first submission to the last. [d]
    gpu_days_p50, gpu_days_p99, gpu_days_mean, gpu_days_sum : float
        Of the jobs. [GPU-days]
    gpus : dict of int to int
        Jobs by number of accelerators, in order of that number.
    gaps : int
        Stretches of more than a day without a submission.
    longest_gap_d : float
        Longest stretch without a submission. [d]
    longest_gap_from : str
        When that begins.
    users : int or None
        Users that are named; None where the trace names nobody.
    requested, deadlines : int
        Jobs with a run time that was asked for, other than their own; jobs with a deadline.
    warnings : tuple of str
    """

    jobs: int
    dropped: dict[str, int]
    first: str
    last: str
    span_d: float
    gpu_days_p50: float
    gpu_days_p99: float
    gpu_days_mean: float
    gpu_days_sum: float
    gpus: dict[int, int]
    gaps: int
    longest_gap_d: float
    longest_gap_from: str
    users: int | None
    requested: int
    deadlines: int
    warnings: tuple[str, ...]


def facts_of(trace: JobTrace) -> JobFacts:
    """Return what a trace of jobs holds."""
    jobs = trace.jobs
    submit_ms = np.sort(jobs.submit_ms)
    gpu_days = jobs.duration_ms * jobs.gpus / MS_PER_D
    total, mean = float(gpu_days.sum()), float(gpu_days.mean())
    p50, p99 = percentiles(gpu_days, (50, 99))
    sizes, counts = np.unique(jobs.gpus, return_counts=True)
    gaps_ms = np.diff(submit_ms, append=submit_ms[-1])
    longest = int(np.argmax(gaps_ms))
    asked = 0 if jobs.requested_ms is None else int((jobs.requested_ms != jobs.duration_ms).sum())
    due = 0 if jobs.deadline_ms is None else int((~np.isnan(jobs.deadline_ms)).sum())
    return JobFacts(
        jobs=len(jobs),
        dropped=dict(jobs.dropped),
        first=_when(int(submit_ms[0]), trace),
        last=_when(int(submit_ms[-1]), trace),
        span_d=int(submit_ms[-1] - submit_ms[0]) / MS_PER_D,
        gpu_days_p50=p50,
        gpu_days_p99=p99,
        gpu_days_mean=mean,
        gpu_days_sum=total,
        gpus=dict(zip(sizes.tolist(), counts.tolist(), strict=True)),
        gaps=int((gaps_ms > GAP_MS).sum()),
        longest_gap_d=int(gaps_ms[longest]) / MS_PER_D,
        longest_gap_from=_when(int(submit_ms[longest]), trace),
        users=None if jobs.user is None else len(jobs.user.drop_null().unique()),
        requested=asked,
        deadlines=due,
        warnings=jobs.warnings,
    )


def _when(submit_ms: int, trace: JobTrace) -> str:
    if trace.first_ms is not None:
        return instant(trace.first_ms + submit_ms)
    return f"{submit_ms / MS_PER_S:.10g} s"
