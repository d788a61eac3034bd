"""Nodes that fail, a second time, in plain Python, to be read from top to bottom.

One cluster of equal nodes under a queue that is first come, first served, or shared fairly between
users. Nothing here is shared with the engine, and nothing is clever. Each instant is settled in
one order: completions, failures, repairs, arrivals, one scheduling pass. All times are whole
milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.use import use_ms

LEAST = {
    "pack": lambda free, node: (free[node], node),
    "first-fit": lambda free, node: node,
    "spread": lambda free, node: (-free[node], node),
}


@dataclass(frozen=True)
class Saves:
    """Checkpoints: work between two, what one takes, what a restart takes."""

    interval_ms: int
    cost_ms: int
    restart_ms: int
    at_end: bool = False


@dataclass
class Job:
    """One job, and what becomes of it: its earlier runs as (start, end, saved, lost)."""

    submit_ms: int
    work_ms: int
    gpus: int
    priority: int = 0
    user: int = 0
    left_ms: int = -1
    runs: list[tuple[int, int, int, int]] = field(default_factory=list)
    start_ms: int = -1
    end_ms: int = -1
    nodes: dict[int, int] = field(default_factory=dict)


def course(work_ms: int, saves: Saves | None, again: bool) -> list[tuple[str, int]]:
    """Return what a run does, step by step, as (what, time)."""
    if saves is None or work_ms == 0:
        return [("work", work_ms)]
    steps = [("restart", saves.restart_ms)] if again else []
    while work_ms > 0:
        done = min(work_ms, saves.interval_ms)
        work_ms -= done
        steps.append(("work", done))
        if work_ms > 0 or saves.at_end:
            steps.append(("checkpoint", saves.cost_ms))
    return steps


def cut(steps: list[tuple[str, int]], ran_ms: int) -> tuple[int, int]:
    """Return the work that is saved after so long, and the time since the last checkpoint."""
    at_ms = saved = pending = last_ms = 0
    for what, time_ms in steps:
        at_ms += time_ms
        if at_ms > ran_ms:
            break
        if what == "work":
            pending += time_ms
        elif what == "checkpoint":
            saved, pending, last_ms = saved + pending, 0, at_ms
    return saved, ran_ms - last_ms


class Cluster:
    """One run; the times of each node's failures and repairs are given.

    With a half-life the queue is shared fairly between users.
    """

    def __init__(
        self,
        nodes: int,
        accelerators: int,
        placement: str,
        jobs: list[Job],
        lives_ms: Sequence[Sequence[int]],
        repairs_ms: Sequence[Sequence[int]],
        saves: Saves | None = None,
        half_life_ms: int | None = None,
    ) -> None:
        self.half_life_ms = half_life_ms
        self.accelerators, self.placement, self.jobs, self.saves = (
            accelerators, placement, jobs, saves,
        )  # fmt: skip
        self.lives, self.repairs = [list(x) for x in lives_ms], [list(x) for x in repairs_ms]
        self.free = dict.fromkeys(range(nodes), accelerators)  # nodes that are up
        self.fails_ms = {node: self.lives[node].pop(0) for node in range(nodes)}
        self.back_ms: dict[int, int] = {}
        self.failures = [0] * nodes
        self.failed_ms = [0] * nodes
        self.queue: list[int] = []
        self.running: set[int] = set()

    def run(self, stop_ms: int | None) -> int:
        """Run to an instant, or until every job has ended; return when that was."""
        arrivals = sorted(range(len(self.jobs)), key=lambda row: (self.jobs[row].submit_ms, row))
        for job in self.jobs:
            job.left_ms = job.work_ms
        now = 0
        while True:
            due = [self.jobs[row].end_ms for row in self.running] + list(self.back_ms.values())
            due += [self.jobs[row].submit_ms for row in arrivals[:1]]
            if stop_ms is None and not (arrivals or self.queue or self.running):
                return now
            due += list(self.fails_ms.values())
            then = min(due)
            if stop_ms is not None and then > stop_ms:
                self.pass_time(now, stop_ms)
                return stop_ms
            self.pass_time(now, then)
            now = then
            for row in sorted(self.running):
                if self.jobs[row].end_ms == now:
                    self.give_back(row)
            self.fail([node for node, at in self.fails_ms.items() if at == now], now)
            for node in [node for node, at in self.back_ms.items() if at == now]:
                del self.back_ms[node]
                self.free[node] = self.accelerators
                self.fails_ms[node] = now + self.lives[node].pop(0)
            while arrivals and self.jobs[arrivals[0]].submit_ms == now:
                self.queue.append(arrivals.pop(0))
            if stop_ms is None or now < stop_ms:
                self.start_jobs(now)

    def pass_time(self, now: int, then: int) -> None:
        for node in self.back_ms:
            self.failed_ms[node] += then - now

    def fail(self, nodes: list[int], now: int) -> None:
        for row in sorted(self.running):
            job = self.jobs[row]
            if any(node in job.nodes for node in nodes):
                steps = course(job.left_ms, self.saves, bool(job.runs))
                saved, lost = cut(steps, now - job.start_ms)
                self.give_back(row)
                job.runs.append((job.start_ms, now, saved, lost))
                job.left_ms -= saved
                job.start_ms = job.end_ms = -1
                self.queue.append(row)
        for node in nodes:
            assert self.free.pop(node) == self.accelerators
            del self.fails_ms[node]
            self.failures[node] += 1
            self.back_ms[node] = now + self.repairs[node].pop(0)

    def give_back(self, row: int) -> None:
        self.running.remove(row)
        for node, gpus in self.jobs[row].nodes.items():
            self.free[node] += gpus
        self.jobs[row].nodes = {}

    def start_jobs(self, now: int) -> None:
        used = {user: self.use_of(user, now) for user in {self.jobs[r].user for r in self.queue}}
        self.queue.sort(
            key=lambda r: (
                -self.jobs[r].priority, used[self.jobs[r].user], self.jobs[r].submit_ms, r,
            )
        )  # fmt: skip
        while self.queue:
            job = self.jobs[self.queue[0]]
            held = self.place(job.gpus)
            if held is None:
                return
            row = self.queue.pop(0)
            steps = course(job.left_ms, self.saves, bool(job.runs))
            job.start_ms, job.end_ms = now, now + sum(time_ms for _, time_ms in steps)
            if job.end_ms > now:
                self.running.add(row)
                job.nodes = held
                for node, gpus in held.items():
                    self.free[node] -= gpus

    def use_of(self, user: int, now: int) -> Any:
        """Return what a user's jobs used in all their runs, nothing where that does not matter."""
        if self.half_life_ms is None:
            return 0
        own = [job for job in self.jobs if job.user == user]
        held = [(job.gpus, run[0], run[1]) for job in own for run in job.runs]
        held += [(job.gpus, job.start_ms, job.end_ms) for job in own if job.start_ms >= 0]
        return use_ms(held, now, self.half_life_ms)

    def place(self, gpus: int) -> dict[int, int] | None:
        count, rest = divmod(gpus, self.accelerators)
        empty = [node for node in sorted(self.free) if self.free[node] == self.accelerators]
        if len(empty) < count:
            return None
        held = dict.fromkeys(empty[:count], self.accelerators)
        if rest:
            able = [n for n in self.free if n not in held and self.free[n] >= rest]
            if not able:
                return None
            held[min(able, key=lambda node: LEAST[self.placement](self.free, node))] = rest
        return held
