"""Random workloads over several clusters, and the same as scenario files."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.registry import dispatch
from tests.builders import scenario_document, write_jobs
from tests.oracle.dispatching import Choice, Cluster
from tests.oracle.scheduling import Job, Rule
from tests.oracle.scheduling_workloads import estimates, gangs, queue_of, rows_of, times

SPEEDS = (1.0, 2.0, 0.9, 0.37)
POWERS_W = ((100, 500), (300, 900), (50, 700), (0, 400))
ORDERS = ("fifo", "shortest-first", "priority", "deadline-first", "fair-share")
BACKFILLS = ("none", "easy", "conservative")
SCRIPTED = "scripted-dispatch"


@dataclass(frozen=True)
class Case:
    """Jobs by submission, the clusters, and how each workload chooses among them."""

    seed: int
    jobs: tuple[Job, ...]
    clusters: tuple[Cluster, ...]
    choices: tuple[Choice, ...]
    utilisation: float


def by_turns(row: int, able: tuple[int, ...]) -> int:
    """Choose by nothing but the row: what the policy in plain Python does too."""
    return able[(7 * row + row // 3) % len(able)]


@contextmanager
def scripted() -> Iterator[None]:
    """Register the policy that chooses by turns, and forget it again."""
    dispatch.names()  # so that what ships is known
    known = dict(dispatch._plugins)

    @dispatch(SCRIPTED)
    def choose(job: Any, clusters: Any, now_s: float) -> Any:
        at = by_turns(job.number, tuple(range(len(clusters))))
        return clusters[at] if job.number % 2 else clusters[at].name

    try:
        yield
    finally:
        dispatch._plugins.clear()
        dispatch._plugins.update(known)


def random_case(seed: int, *, most_jobs: int) -> Case:
    """Return a workload that makes queues form on two or three clusters."""
    rng = np.random.default_rng([9, seed])
    workloads = int(rng.integers(1, 4))
    number = int(rng.integers(2, 4))
    clusters = tuple(random_cluster(rng, workloads) for _ in range(number))
    choices = tuple(random_choice(rng, number) for _ in range(workloads))
    count = round(math.exp(rng.uniform(math.log(2), math.log(most_jobs))))
    total = sum(cluster.nodes * cluster.whole for cluster in clusters)
    widest = max(clusters, key=lambda cluster: cluster.nodes * cluster.whole)
    gpus = gangs(rng, count, widest.nodes, widest.whole)
    submit_ms, duration_ms, tick_ms = times(rng, count, float(gpus.mean()) / total)
    requests = str(rng.choice(["exact", "over", "mixed"]))
    requested_ms = estimates(rng, duration_ms, requests, tick_ms)
    workload = rng.integers(0, workloads, count)
    most = np.array(
        [max(clusters[at].nodes * clusters[at].whole for at in each.among) for each in choices]
    )
    gpus = np.minimum(gpus, most[workload])
    priority = rng.choice([0, 0, 1, -1], count) * int(rng.random() < 0.5)
    slack_ms = rng.integers(0, 20, count) * (int(duration_ms.mean()) // 2)
    users, nobody = int(rng.integers(1, 5)), float(rng.choice([0.0, 0.1, 1.0]))
    jobs = [
        Job(
            int(submit_ms[row]), int(duration_ms[row]), int(requested_ms[row]), int(gpus[row]),
            int(priority[row]),
            int(submit_ms[row] + duration_ms[row] + slack_ms[row]) if rng.random() < 0.7 else None,
            int(workload[row]), None if rng.random() < nobody else int(rng.integers(users)),
        )
        for row in range(count)
    ]  # fmt: skip
    jobs.sort(key=lambda job: (job.submit_ms, job.workload))
    utilisation = float(rng.choice([1.0, 0.5, 0.25]))
    return Case(seed, tuple(jobs), clusters, choices, utilisation)


def random_cluster(rng: np.random.Generator, workloads: int) -> Cluster:
    """Return a cluster of any rule; nothing of it but the rule's words is another's."""
    rule = Rule(
        order=str(rng.choice(ORDERS)),
        by=str(rng.choice(["time", "area"])),
        ageing_ms=int(rng.choice([1_000, 60_000, 3_600_000])),
        of=str(rng.choice(["user", "workload"])),
        half_life_ms=int(rng.choice([1_000, 60_000, 86_400_000])),
        backfill=str(rng.choice(BACKFILLS)),
        depth=int(rng.choice([1, 3, 1000, 1000])),
        placement=str(rng.choice(["pack", "first-fit", "spread"])),
    )
    idle_w, busy_w = POWERS_W[int(rng.integers(len(POWERS_W)))]
    return Cluster(
        nodes=int(rng.integers(1, 9)),
        whole=int(rng.integers(1, 9)),
        rule=rule,
        speeds=tuple(float(rng.choice(SPEEDS)) for _ in range(workloads)),
        idle_w=idle_w,
        busy_w=busy_w,
        pue=float(rng.choice([1.0, 1.1, 1.5])),
    )


def random_choice(rng: np.random.Generator, clusters: int) -> Choice:
    """Return a policy among some of the clusters, in any order."""
    by = rng.choice(["wait", "wait", "energy", "turns"])
    among = rng.permutation(clusters)[: int(rng.integers(1, clusters + 1))]
    return Choice(by_turns if by == "turns" else str(by), tuple(among.tolist()))


def scenario_of(case: Case, folder: Path) -> dict[str, Any]:
    """Write the job files of a case and return the document of its scenario."""
    last_ms = max(job.submit_ms for job in case.jobs)
    document = scenario_document(horizon=f"{last_ms + 1} ms", drain=True)
    node = document["nodes"].pop("n")
    document["clusters"], document["sites"] = {}, {}
    for at, cluster in enumerate(case.clusters):
        document["nodes"][f"n{at}"] = {
            **node,
            "accelerator": f"kind{at}",
            "accelerators": cluster.whole,
            "idle_power": f"{cluster.idle_w} W",
            "busy_power": f"{cluster.busy_w} W",
        }
        grid = {"average": {"constant": "100 g/kWh"}}
        document["sites"][f"s{at}"] = {"pue": cluster.pue, "grid": grid}
        document["clusters"][f"c{at}"] = {
            "site": f"s{at}", "node": f"n{at}", "count": cluster.nodes,
            "queue": queue_of(cluster.rule), "placement": cluster.rule.placement,
        }  # fmt: skip
    document["workloads"] = {}
    for number, choice in enumerate(case.choices):
        own = [job for job in case.jobs if job.workload == number]
        if own:
            file = write_jobs(folder / f"w{number}.csv", *rows_of(own, requests=True))
            document["workloads"][f"w{number}"] = {
                "clusters": {"policy": policy_of(choice), "among": [f"c{k}" for k in choice.among]},
                "accelerators": {f"kind{k}": case.clusters[k].speeds[number] for k in choice.among},
                "utilisation": case.utilisation,
                "jobs": {"file": str(file)},
            }
    return document


def policy_of(choice: Choice) -> str:
    """Return the name of a policy in scenario files."""
    return SCRIPTED if callable(choice.by) else f"least-{choice.by}"
