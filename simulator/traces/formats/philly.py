"""The log of jobs of Microsoft's Philly clusters, ``cluster_job_log``: a JSON list of jobs.

Keys of a job: ``jobid``, ``user``, ``vc``, ``status``, ``submitted_time`` and ``attempts``, each
with ``start_time``, ``end_time`` and ``detail``, a list of machines with the ``gpus`` held there.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.traces.findings import Findings, counted
from simulator.traces.job_cells import JobCells, Sieve, kept
from simulator.traces.json_file import entries_of, open_json
from simulator.traces.local_times import NOT_A_TIME, as_timestamps, clock_ms, instants
from simulator.units import MS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.scenario.workloads import JobFile

TIME_ZONE: Final = "America/Los_Angeles"
"""Of the times of jobs, which the trace leaves open; its other logs are marked PDT and PST."""


def _is_philly(glimpse: Glimpse) -> bool:
    head = glimpse.head.lstrip()
    return head.startswith(b"[") and b'"submitted_time"' in head and b'"attempts"' in head


@job_format("philly", recognises=_is_philly)
def philly(file: "JobFile", findings: Findings, *, time_zone: str | None = None) -> JobCells:
    """Read the cluster_job_log of Microsoft Philly 2017.

    A job's duration is the sum of its attempts, its accelerators those of its largest one.
    """
    document, sha256 = open_json(file.path, findings)
    jobs, rows = entries_of(document, "jobs", ("jobid", "submitted_time", "attempts"), findings)
    findings.check()
    attempts = [job["attempts"] if isinstance(job["attempts"], list) else [] for job in jobs]
    owner = np.repeat(np.arange(len(jobs)), [len(each) for each in attempts])
    flat = [one if isinstance(one, dict) else {} for each in attempts for one in each]
    zone = time_zone or TIME_ZONE
    starts, ends = (
        instants(clock_ms([one.get(key) for one in flat], key, rows[owner], findings), zone)
        for key in ("start_time", "end_time")
    )
    submit = clock_ms([job["submitted_time"] for job in jobs], "submitted_time", rows, findings)
    findings.check()
    timed = (starts != NOT_A_TIME) & (ends != NOT_A_TIME)
    ran_ms = np.bincount(owner[timed], (ends - starts)[timed], len(jobs))
    gpus = np.zeros(len(jobs))
    np.maximum.at(gpus, owner, [_gpus(one) for one in flat])
    sieve = Sieve(len(jobs))
    sieve.drop(submit == NOT_A_TIME, "no submitted_time")
    sieve.drop(np.bincount(owner, minlength=len(jobs)) == 0, "no attempt recorded")
    sieve.drop(_unended(owner, starts, ends, len(jobs)), "still running when the log was taken")
    sieve.drop(
        np.bincount(owner[timed], minlength=len(jobs)) == 0, "no attempt with both its times"
    )
    sieve.drop(gpus == 0, "no GPU")
    columns: dict[str, tuple[str, Any]] = {
        "job_id": ("jobid", [str(job["jobid"]) for job in jobs]),
        "submit_s": ("submitted_time", as_timestamps(instants(submit, zone))),
        "duration_s": ("run time of the attempts", ran_ms / MS_PER_S),
        "gpus": ("gpus", gpus),
        "user": ("user", [_text(job.get("user")) for job in jobs]),
    }
    return kept(columns, rows, sieve, sha256, notes=_notes(timed, owner, sieve, time_zone))


def _gpus(attempt: dict[str, Any]) -> int:
    detail = attempt.get("detail")
    machines = detail if isinstance(detail, list) else []
    return sum(len(each.get("gpus") or ()) for each in machines if isinstance(each, dict))


def _text(user: object) -> str | None:
    return None if user in (None, "", "None") else str(user)


def _unended(
    owner: "NDArray[np.int64]",
    starts: "NDArray[np.int64]",
    ends: "NDArray[np.int64]",
    jobs: int,
) -> "NDArray[np.bool_]":
    """Return which jobs have a last attempt that began and did not end."""
    found = np.zeros(jobs, bool)
    last = np.flatnonzero(np.diff(owner, append=jobs) != 0)
    found[owner[last]] = (starts[last] != NOT_A_TIME) & (ends[last] == NOT_A_TIME)
    return found


def _notes(
    timed: "NDArray[np.bool_]",
    owner: "NDArray[np.int64]",
    sieve: Sieve,
    time_zone: str | None,
) -> list[str]:
    lost = int((~timed & sieve.keep[owner]).sum())
    notes = []
    if time_zone is None:
        notes.append(f"times are read as {TIME_ZONE}; time_zone says otherwise")
    if lost:
        notes.append(f"{counted(lost, 'attempt')} without both times not counted in durations")
    return notes
