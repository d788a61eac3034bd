"""Workloads of the simulator Batsim: a JSON object of ``jobs`` and ``profiles``.

Only profiles that say how long a job runs can be replayed: delays, and sequences of delays. The
others say what a job computes and sends, which becomes a time only on Batsim's platform.
"""

import math
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.errors import shown
from simulator.formats import Glimpse
from simulator.job_formats import job_format
from simulator.traces.findings import Findings, counted, row_list
from simulator.traces.job_cells import JobCells, Sieve, kept, whole_accelerators
from simulator.traces.json_file import entries_of, open_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.scenario.workloads import JobFile

DELAYS: Final = ("delay", "DelayProfile")
SEQUENCES: Final = ("composed", "SequentialCompositionProfile")
MOST_NESTED: Final = 32
"""Sequences within sequences; deeper ones, and rings of them, are not followed."""


def _is_batsim(glimpse: Glimpse) -> bool:
    head = glimpse.head.lstrip()
    said = (b'"nb_res"', b'"jobs"', b'"profiles"', b'"subtime"')
    return head.startswith(b"{") and sum(key in head for key in said) > 1


@job_format("batsim", recognises=_is_batsim)
def batsim(
    file: "JobFile", findings: Findings, *, processors_per_accelerator: int | None = None
) -> JobCells:
    """Read a Batsim workload, as far as its profiles are delays.

    A job runs for its delay or until its walltime, whichever is less; the walltime is what was
    requested. Each resource is a processor, `processors_per_accelerator` of them make one.
    """
    document, sha256 = open_json(file.path, findings)
    if not isinstance(document, dict) or not isinstance(document.get("profiles"), dict):
        findings.stop('no Batsim workload; write an object with "jobs" and "profiles"')
    wanted = ("id", "subtime", "res", "profile")
    jobs, rows = entries_of(document.get("jobs"), "jobs", wanted, findings)
    findings.check()
    profiles = document["profiles"]
    _refuse_unknown(jobs, rows, profiles, findings)
    value = {key: _numbers(jobs, key, rows, findings) for key in ("subtime", "res", "walltime")}
    findings.check()
    delays: dict[str, float] = {}
    delay_s = np.array([_delay(str(job["profile"]), profiles, delays) for job in jobs], np.float64)
    limit_s = np.where(value["walltime"] > 0, value["walltime"], np.inf)
    cut = limit_s < delay_s
    gpus, odd = whole_accelerators(value["res"] / (processors_per_accelerator or 1))
    sieve = Sieve(len(jobs))
    kinds = np.array([_kind(profiles[str(job["profile"])]) for job in jobs])
    for kind in np.unique(kinds[np.isnan(delay_s)]):
        mine = np.isnan(delay_s) & (kinds == kind)
        sieve.drop(mine, f"how long a profile of type {kind} takes only a platform tells")
    columns: dict[str, tuple[str, Any]] = {
        "job_id": ("id", [str(job["id"]) for job in jobs]),
        "submit_s": ("subtime", value["subtime"]),
        "duration_s": ("delay", np.minimum(delay_s, limit_s)),
        "gpus": ("res", gpus),
    }
    if np.isfinite(limit_s).any():
        columns["requested_s"] = "walltime", np.where(np.isfinite(limit_s), limit_s, np.nan)
    notes = _notes(processors_per_accelerator, odd & sieve.keep, cut & sieve.keep)
    return kept(columns, rows, sieve, sha256, notes=notes)


def _notes(
    processors_per_accelerator: int | None, odd: "NDArray[np.bool_]", cut: "NDArray[np.bool_]"
) -> list[str]:
    notes = []
    if processors_per_accelerator is None:
        notes.append(
            "each resource counts as one accelerator; set processors_per_accelerator for another "
            "measure"
        )
    if odd.any():
        notes.append(f"{counted(int(odd.sum()), 'job')} rounded up to whole accelerators")
    if cut.any():
        notes.append(f"{counted(int(cut.sum()), 'job')} cut short by the walltime")
    return notes


def _refuse_unknown(
    jobs: list[dict[str, Any]],
    rows: "NDArray[np.int64]",
    profiles: dict[str, Any],
    findings: Findings,
) -> None:
    lost = np.array([str(job["profile"]) not in profiles for job in jobs], bool)
    if lost.any():
        said = shown(jobs[int(np.argmax(lost))]["profile"])
        findings.refuse(f"jobs: no such profile in {row_list(rows[lost])}: {said}")


def _numbers(
    jobs: list[dict[str, Any]], key: str, rows: "NDArray[np.int64]", findings: Findings
) -> "NDArray[np.float64]":
    said = [job.get(key) for job in jobs]
    good = [_is_number(value) or (value is None and key == "walltime") for value in said]
    bad = ~np.array(good, bool)
    if bad.any():
        first = shown(said[int(np.argmax(bad))])
        findings.refuse(f"jobs: {key} is not a number in {row_list(rows[bad])}: {first}")
        return np.full(len(jobs), np.nan)
    return np.array([np.nan if value is None else value for value in said], np.float64)


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= sys.float_info.max
    )


def _kind(profile: object) -> str:
    return shown(profile.get("type") if isinstance(profile, dict) else profile).strip('"')


def _delay(name: str, profiles: dict[str, Any], known_s: dict[str, float], depth: int = 0) -> float:
    """Return how long a profile takes, NaN where only a platform would tell. [s].

    What is known of profiles is kept in `known_s`, so that each is looked at once; one that
    contains itself stays NaN.
    """
    if name not in known_s:
        known_s[name] = math.nan
        known_s[name] = _delay_of(profiles.get(name), profiles, known_s, depth)
    return known_s[name]


def _delay_of(
    profile: object, profiles: dict[str, Any], known_s: dict[str, float], depth: int
) -> float:
    if not isinstance(profile, dict):
        return math.nan
    if profile.get("type") in DELAYS and _is_number(profile.get("delay")):
        return float(profile["delay"])
    if profile.get("type") in SEQUENCES and depth < MOST_NESTED:
        times, parts = profile.get("repeat", 1), profile.get("seq")
        if _is_number(times) and isinstance(parts, list):
            whole = [_delay(str(part), profiles, known_s, depth + 1) for part in parts]
            return float(times) * math.fsum(whole)
    return math.nan
