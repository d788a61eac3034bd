"""Dispatch at submission a second time, in plain Python, to be read from top to bottom.

Several clusters, each with a queue of its own that is served as `scheduling` says. A job gets its
cluster as it is submitted and waits for that alone. Each instant is settled in one order:
completions on all clusters, arrivals one by one in the order of rows, one pass for each cluster.

Where words alone leave a choice, this is what is meant:

- Whoever was submitted earlier at the same instant waits already.
- A cluster that could not hold a job when empty is no choice of it.
- The order of a queue goes by requested times at speed 1, whatever the speed of the cluster.
- A running job counts with start plus requested time less now, negative where it runs longer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.oracle.scheduling import NEVER, Job, Rule, Run, Start, key_of, place
from tests.oracle.use import use_ms


@dataclass(frozen=True)
class Cluster:
    """Equal nodes with one queue.

    Attributes
    ----------
    nodes, whole : int
        Nodes, and accelerators of each.
    rule : Rule
    speeds : tuple of float
        Of the jobs of each workload here.
    idle_w, busy_w : float
        Of a node. [W]
    pue : float
    """

    nodes: int
    whole: int
    rule: Rule
    speeds: tuple[float, ...] = (1.0,)
    idle_w: float = 100.0
    busy_w: float = 500.0
    pue: float = 1.0

    def here(self, job: Job) -> Job:
        """Return a job as long as it is here, in whole ms."""
        speed = self.speeds[job.workload]
        return replace(
            job,
            duration_ms=round(job.duration_ms / speed),
            requested_ms=round(job.requested_ms / speed),
        )

    def could_hold(self, job: Job) -> bool:
        """Return whether a job fits on empty nodes."""
        free = [self.whole] * self.nodes
        return place(free, self.whole, job.gpus, self.rule.placement) is not None

    def energy_j(self, job: Job, utilisation: float) -> float:
        """Return what a job is billed here, on nodes whose load curve is straight. [J]"""
        dynamic_w = (self.busy_w - self.idle_w) / self.whole * (job.gpus * utilisation)
        idle_w = self.idle_w / self.whole * job.gpus
        return (dynamic_w + idle_w) * self.pue * self.here(job).duration_ms / 1000


@dataclass(frozen=True)
class Choice:
    """How the jobs of a workload get their cluster.

    Attributes
    ----------
    by : {"wait", "energy"} or callable
        Given the job's row and its clusters a callable returns one of these.
    among : tuple of int
    """

    by: str | Callable[[int, tuple[int, ...]], int]
    among: tuple[int, ...]


class Queue(Run):
    """The queue of one cluster, to which jobs are sent."""

    def __init__(self, jobs: Sequence[Job], cluster: Cluster) -> None:
        here = [cluster.here(job) for job in jobs]
        super().__init__(here, cluster.nodes, cluster.whole, cluster.rule)
        self.at_speed_1 = jobs
        self.fleet = [self]
        self.to_come = []

    def refuse_what_is_too_large(self) -> None:
        """Refuse nobody: whoever is too large is sent elsewhere."""

    def key(self, row: int) -> tuple[float, ...]:
        """Return what the rule orders a job by: what it asks for counts at speed 1."""
        return key_of(self.at_speed_1[row], self.rule)

    def use_of(self, party: int | None) -> Any:
        """Return what a user or workload used up to now, on all clusters."""
        held = [
            (self.jobs[row].gpus, start.start_ms, start.end_ms)
            for queue in self.fleet
            for row, start in queue.starts.items()
            if self.party(row) == party
        ]
        return use_ms(held, self.now_ms, self.rule.half_life_ms)

    def take(self, row: int) -> None:
        """Let a job wait here."""
        self.waiting.append(row)

    def expected_wait_ms(self, row: int) -> float:
        """Return how long a job that is submitted now is expected to wait here. [ms]"""
        if not self.waiting and self.placed(self.jobs[row]) is not None:
            return 0.0
        work = sum(self.jobs[each].gpus * self.jobs[each].requested_ms for each in self.waiting)
        for each in self.running:
            end_ms = self.starts[each].start_ms + self.jobs[each].requested_ms
            work += self.jobs[each].gpus * (end_ms - self.now_ms)
        return max(1.0, work / (len(self.free) * self.whole))


def dispatched(
    jobs: Sequence[Job],
    clusters: Sequence[Cluster],
    choices: Sequence[Choice],
    utilisation: float = 1.0,
) -> list[tuple[int, Start]]:
    """Return for each job the cluster that it got and what became of it there.

    Parameters
    ----------
    jobs : sequence of Job
        By submission; times are those at speed 1.
    clusters : sequence of Cluster
    choices : sequence of Choice
        One for each workload.
    utilisation : float
        Of all jobs.
    """
    queues = [Queue(jobs, cluster) for cluster in clusters]
    for queue in queues:
        queue.fleet = queues
    sent: list[int] = []

    def chosen(row: int) -> int:
        job, choice = jobs[row], choices[jobs[row].workload]
        able = tuple(at for at in choice.among if clusters[at].could_hold(job))
        if callable(choice.by):
            return choice.by(row, able)
        if choice.by == "energy":
            return min(able, key=lambda at: clusters[at].energy_j(job, utilisation))
        return min(able, key=lambda at: queues[at].expected_wait_ms(row))

    while len(sent) < len(jobs) or any(queue.running for queue in queues):
        now_ms = min(
            [queue.starts[row].end_ms for queue in queues for row in queue.running]
            + [job.submit_ms for job in jobs[len(sent) : len(sent) + 1]]
        )
        for queue in queues:
            queue.now_ms = now_ms
            queue.complete()
        while len(sent) < len(jobs) and jobs[len(sent)].submit_ms == now_ms:
            row = len(sent)
            sent.append(chosen(row))
            queues[sent[row]].take(row)
        for queue in queues:
            queue.make_pass()
    return [(at, queues[at].starts.get(row, NEVER)) for row, at in enumerate(sent)]
