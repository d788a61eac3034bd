"""Random workloads for queues, and the same as scenario files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.builders import scenario_document, write_jobs
from tests.oracle.scheduling import Job, Rule, Start, schedule

REQUESTS = ("exact", "over", "mixed")
COLUMNS = "submit_s,duration_s,gpus,requested_s,priority,deadline_s,user"


@dataclass(frozen=True)
class Workload:
    """Jobs by submit time, then workload, and the cluster they queue for.

    Times are those of a node of speed 1. Without `requests` nobody asks for a time in the file.
    """

    seed: int
    jobs: tuple[Job, ...]
    nodes: int
    whole: int
    speed: float = 1.0
    requests: bool = True

    def scheduled(self, rule: Rule) -> list[Start]:
        """Return what the reference makes of it."""
        jobs = [at_speed(job, self.speed) for job in self.jobs]
        return schedule(jobs, self.nodes, self.whole, **vars(rule))


def with_users(case: Workload, seed: int) -> Workload:
    """Return a workload with jobs of one to six users, of whom some come more often than others.

    In half of the cases some jobs name nobody.
    """
    rng = np.random.default_rng([5, seed])
    users = int(rng.integers(1, 7))
    often = rng.dirichlet(np.full(users, 1.0))
    nobody = 0.2 * float(rng.random() < 0.5)
    jobs = tuple(
        replace(job, user=None if rng.random() < nobody else int(rng.choice(users, p=often)))
        for job in case.jobs
    )
    return replace(case, jobs=jobs)


def at_speed(job: Job, speed: float) -> Job:
    """Return a job as it is on nodes of a speed, in whole ms."""
    return replace(
        job,
        duration_ms=round(job.duration_ms / speed),
        requested_ms=round(job.requested_ms / speed),
    )


def random_workload(
    seed: int,
    *,
    most_jobs: int = 300,
    requests: str | None = None,
    workloads: int = 1,
    priorities: bool = True,
    whole: int | None = None,
    speeds: Sequence[float] = (1.0,),
) -> Workload:
    """Return a workload that makes a queue form.

    Parameters
    ----------
    most_jobs : int
        The logarithm of the number of jobs is drawn evenly, from 2 to this.
    requests : {"exact", "over", "mixed"}, optional
        Whether users know how long their jobs take: exactly, or 1 to 5 times as long, or those
        and some that ask for too little. Drawn if it is not given.
    workloads : int
        Jobs belong to one of so many.
    priorities : bool
        Whether half of the workloads have jobs of several priorities.
    whole : int, optional
        Accelerators of a node; drawn from 1 to 8 if it is not given.
    speeds : sequence of float
        Those that nodes may have.
    """
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(1, 13))
    whole = whole or int(rng.integers(1, 9))
    count = round(math.exp(rng.uniform(math.log(2), math.log(most_jobs))))
    requests = requests or str(rng.choice(REQUESTS))
    gpus = gangs(rng, count, nodes, whole)
    submit_ms, duration_ms, tick_ms = times(rng, count, float(gpus.mean()) / (nodes * whole))
    requested_ms = estimates(rng, duration_ms, requests, tick_ms)
    priority = rng.choice([0, 0, 1, 2, -1], count) * bool(priorities and rng.random() < 0.5)
    slack_ms = rng.integers(0, 20, count) * (int(duration_ms.mean()) // 2)
    has_deadline = rng.random(count) < 0.7
    columns = (submit_ms, duration_ms, requested_ms, gpus, priority)
    jobs = [Job(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    jobs = [
        replace(
            job,
            deadline_ms=job.submit_ms + job.duration_ms + int(slack_ms[row])
            if has_deadline[row]
            else None,
            workload=int(rng.integers(workloads)),
        )
        for row, job in enumerate(jobs)
    ]
    jobs.sort(key=lambda job: (job.submit_ms, job.workload))
    return Workload(
        seed, tuple(jobs), nodes, whole, float(rng.choice(speeds)), requests=requests != "exact"
    )


def gangs(rng: np.random.Generator, count: int, nodes: int, whole: int) -> Any:
    """Return how many accelerators each job holds, from one to all there are."""
    total = nodes * whole
    kind = rng.choice(["small", "any", "powers", "nodes", "mostly small"])
    small = rng.integers(1, min(whole, total) + 1, count)
    large = rng.integers(1, total + 1, count)
    if kind == "small":
        return small
    if kind == "powers":
        return np.minimum(2 ** rng.integers(0, 7, count), total)
    if kind == "nodes":
        return whole * rng.integers(1, nodes + 1, count)
    if kind == "mostly small":
        return np.where(rng.random(count) < 0.15, large, small)
    return large


def times(rng: np.random.Generator, count: int, share: float) -> tuple[Any, Any, int]:
    """Return submit times and durations, and the tick of the clock, all in ms.

    Half of the clocks are coarse, so that many things happen at one instant.

    Parameters
    ----------
    share : float
        Of the cluster that a job holds on average.
    """
    load = float(rng.choice([0.7, 1.0, 1.5, 3.0]))
    none = rng.random(count) < 0.08
    if rng.random() < 0.5:
        tick_ms = int(rng.choice([1, 250, 1_000, 60_000]))
        most = int(rng.choice([3, 8, 20]))
        duration = rng.integers(1, most + 1, count)
        gap = share * float(duration.mean()) / load
        submit = np.sort(rng.integers(0, max(2, int(gap * count)), count))
        return submit * tick_ms, np.where(none, 0, duration) * tick_ms, tick_ms
    mean_ms = float(rng.choice([50, 20_000, 3_600_000]))
    duration_ms = 1 + rng.exponential(mean_ms, count).astype(np.int64)
    gap_ms = share * float(duration_ms.mean()) / load
    submit_ms = np.cumsum(rng.integers(0, max(2, int(2 * gap_ms) + 1), count))
    return submit_ms, np.where(none, 0, duration_ms), 1


def estimates(rng: np.random.Generator, duration_ms: Any, requests: str, tick_ms: int) -> Any:
    """Return what users ask for, in whole ticks and never nothing for a job that takes time."""
    count = len(duration_ms)
    if requests == "exact":
        return duration_ms
    factor = rng.choice([1.0, 0.0], count, p=[0.2, 0.8])
    factor = np.where(factor == 0.0, rng.uniform(1, 5, count), factor)
    if requests == "mixed":
        factor = np.where(rng.random(count) < 0.15, rng.uniform(0.05, 1, count), factor)
    asked_ms = np.ceil(duration_ms / tick_ms * factor - 1e-9).astype(np.int64) * tick_ms
    for_nothing_ms = np.where(rng.random(count) < 0.5, 0, 3 * tick_ms)
    return np.where(duration_ms == 0, for_nothing_ms, asked_ms)


def quotas_for(case: Workload) -> dict[int, int]:
    """Return quotas of the first or the first two workloads, which allow each of their jobs."""
    rng = np.random.default_rng([3, case.seed])
    quotas = {}
    for number in range(int(rng.integers(1, 3))):
        largest = max((job.gpus for job in case.jobs if job.workload == number), default=1)
        quotas[number] = int(rng.integers(largest, case.nodes * case.whole + 1))
    return quotas


# The same as a scenario


def scenario_of(case: Workload, rule: Rule, folder: Path) -> dict[str, Any]:
    """Write the job files of a workload and return the document of its scenario."""
    last_ms = max(job.submit_ms for job in case.jobs)
    document = scenario_document(
        nodes={"accelerators": case.whole, **level_of(case.speed)},
        horizon=f"{last_ms + 1} ms",
        drain=True,
        clusters__c__count=case.nodes,
        clusters__c__queue=queue_of(rule),
        clusters__c__placement=rule.placement,
    )
    if rule.rack:
        racks = {"nodes": rule.rack, "cross_rack_speed": rule.across}
        document["clusters"]["c"]["racks"] = racks
    if case.speed != 1.0:
        document["clusters"]["c"]["power_level"] = "slow"
    document["workloads"] = {}
    for number in sorted({job.workload for job in case.jobs}):
        own = [job for job in case.jobs if job.workload == number]
        file = write_jobs(folder / f"w{number}.csv", *rows_of(own, requests=case.requests))
        said: dict[str, Any] = {"clusters": ["c"], "jobs": {"file": str(file)}}
        if number in rule.quotas:
            said["quota"] = rule.quotas[number]
        document["workloads"][f"w{number}"] = said
    return document


def level_of(speed: float) -> dict[str, Any]:
    """Return the entries of a node type that has a level of so much speed."""
    if speed == 1.0:
        return {}
    return {"power_levels": [{"name": "slow", "speed": speed, "busy_power": "300 W"}]}


def queue_of(rule: Rule) -> str | dict[str, Any]:
    """Return a rule as a cluster names it."""
    backfill = {"backfill": rule.backfill}
    if rule.backfill != "none":
        backfill["depth"] = rule.depth
    if rule.order == "shortest-first":
        return {"policy": rule.order, "by": rule.by, **backfill}
    if rule.order == "priority":
        return {"policy": rule.order, "ageing": f"{rule.ageing_ms} ms", **backfill}
    if rule.order == "deadline-first":
        return {"policy": rule.order, **backfill}
    if rule.order == "fair-share":
        half_life = f"{rule.half_life_ms} ms"
        return {"policy": rule.order, "of": rule.of, "half_life": half_life, **backfill}
    if rule.backfill == "none":
        return "fifo"
    return {"policy": f"{rule.backfill}-backfill", "depth": rule.depth}


def rows_of(jobs: Sequence[Job], *, requests: bool) -> tuple[list[list[str]], str]:
    """Return the rows of a job file and its columns; that of exact jobs names no requests."""
    left_out = {"requested_s": not requests, "user": all(job.user is None for job in jobs)}
    wanted = [name for name in COLUMNS.split(",") if not left_out.get(name)]
    rows = []
    for job in jobs:
        cells = {
            "submit_s": seconds(job.submit_ms),
            "duration_s": seconds(job.duration_ms),
            "gpus": str(job.gpus),
            "requested_s": seconds(job.requested_ms),
            "priority": str(job.priority),
            "deadline_s": "" if job.deadline_ms is None else seconds(job.deadline_ms),
            "user": "" if job.user is None else f"user {job.user}",
        }
        rows.append([cells[name] for name in wanted])
    return rows, ",".join(wanted)


def seconds(ms: int) -> str:
    """Return a time in seconds, to the ms."""
    return f"{ms // 1000}.{ms % 1000:03}"
