"""How fast queues are served that do not plainly go by submission, beside a plain reference."""

import gc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Final

from simulator.bench.common_load import common_load
from simulator.bench.yardsticks import oracle_module
from simulator.display import number_text
from simulator.inputs import Inputs, open_inputs
from simulator.simulation import simulated
from simulator.text_table import aligned

JOBS: Final = 100_000
QUICK_JOBS: Final = 10_000
NODES: Final = 1000
LOADS: Final = (0.95, 1.05)
"""At the lower hardly anybody waits before the fleet is full, at the higher most do."""
QUEUES: Final[dict[str, dict[str, str]]] = {
    "fifo": {},
    "shortest-first": {"order": "shortest-first"},
    "easy-backfill": {"backfill": "easy"},
}
"""Policies, and what the reference calls them."""
REFERENCE_JOBS: Final = 2000
RUNS: Final = 3


@dataclass(frozen=True, slots=True)
class QueueSpeed:
    """One queue under one load.

    Attributes
    ----------
    policy : str
    load, waited_share : float
        Share of the fleet that the jobs ask for; share of them that waited.
    jobs : int
    jobs_per_s : float
        Engine with energy and carbon, the best of three runs.
    reference_jobs : int
        The first of the jobs, which the reference ran.
    reference_jobs_per_s : float
    """

    policy: str
    load: float
    waited_share: float
    jobs: int
    jobs_per_s: float
    reference_jobs: int
    reference_jobs_per_s: float


@dataclass(frozen=True, slots=True)
class QueueSpeeds:
    """What was measured."""

    speeds: tuple[QueueSpeed, ...]

    def text(self) -> str:
        """Return the measurement as a table for a terminal."""
        rows = [["queue", "load", "waited", "jobs/s", "reference", "times"]]
        for each in self.speeds:
            ratio = each.jobs_per_s / each.reference_jobs_per_s
            rows.append(
                [
                    each.policy,
                    f"{each.load:g}",
                    f"{100 * each.waited_share:.0f}%",
                    number_text(each.jobs_per_s),
                    number_text(each.reference_jobs_per_s),
                    number_text(ratio, 3),
                ]
            )
        lines = aligned([list(column) for column in zip(*rows, strict=True)], {0})
        words = (
            f"{self.speeds[0].jobs:,} jobs on {NODES:,} nodes of 8, best of {RUNS} runs; the",
            f"reference is plain Python and runs the first {REFERENCE_JOBS:,} of them",
        )
        return "\n".join([*lines, "", *words])

    def document(self) -> dict[str, Any]:
        """Return the measurement as a JSON document."""
        return {"nodes": NODES, "queues": [asdict(each) for each in self.speeds]}


def queue_speeds(jobs: int, say: Callable[[str], None] | None = None) -> QueueSpeeds:
    """Time each queue under each load."""
    speeds = []
    for load in LOADS:
        base = common_load(jobs, NODES, load, "pack")
        for policy, words in QUEUES.items():
            if say is not None:
                say(f"timing {policy} at load {load:g} ...")
            opened = open_inputs(base.replace({"clusters.train.queue": policy}))
            engine_s, waited_share = _engine(opened)
            reference_jobs, reference_s = _reference(opened, words)
            speeds.append(
                QueueSpeed(
                    policy=policy,
                    load=load,
                    waited_share=waited_share,
                    jobs=jobs,
                    jobs_per_s=jobs / engine_s,
                    reference_jobs=reference_jobs,
                    reference_jobs_per_s=reference_jobs / reference_s,
                )
            )
    return QueueSpeeds(tuple(speeds))


def _engine(opened: Inputs) -> tuple[float, float]:
    """Return how long the best run takes, and the share of jobs that wait."""
    best_s, waited_share = float("inf"), 0.0
    for _ in range(RUNS + 1):  # the first compiles
        gc.collect()
        begun = perf_counter()
        done = simulated(opened)
        best_s = min(best_s, perf_counter() - begun)
        waited_share = done.results.summary["waited_share"]
    return best_s, waited_share


def _reference(opened: Inputs, words: dict[str, str]) -> tuple[int, float]:
    """Return how many jobs the reference runs, and how long it takes."""
    oracle = oracle_module("scheduling")
    table = opened.jobs
    columns = (table.submit_ms, table.duration_ms.round().astype(int), table.gpus)
    rows = zip(*(column[:REFERENCE_JOBS].tolist() for column in columns), strict=True)
    jobs = [
        oracle.Job(submit_ms, duration_ms, duration_ms, gpus)
        for submit_ms, duration_ms, gpus in rows
    ]
    whole = int(opened.fleet.accelerators[0])
    begun = perf_counter()
    oracle.schedule(jobs, NODES, whole, **words)
    return len(jobs), perf_counter() - begun
