"""The rules of a queue a second time, in plain Python, to be read from top to bottom.

One cluster of equal nodes; nothing here is shared with the engine, and nothing is clever, so that
the two can disagree. Each instant is settled in one order: completions, arrivals, one scheduling
pass. All times are whole milliseconds.

Where words alone leave a choice, this is what is meant:

- A job that is still running is expected to end 1 ms from now at the earliest, also at the very
  instant at which it was expected to end.
- A job of no duration must fit to start, and holds nothing afterwards, not even for the rest of
  the pass in which it starts and whatever time was asked for it.
- A quota is looked at when a job's turn comes: what started earlier in the pass counts.
- The depth of a conservative queue counts the jobs that still wait when their turn is over: whoever
  starts in a pass keeps nobody else from being looked at.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tests.oracle.use import use_ms

LEAST = {
    "pack": lambda free, node: (free[node], node),
    "first-fit": lambda free, node: node,
    "spread": lambda free, node: (-free[node], node),
}
"""For each placement what the node for a gang's remainder has least of."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job; `deadline_ms` is None where there is none, `workload` is what a quota counts.

    All jobs whose `user` is None are those of one user.
    """

    submit_ms: int
    duration_ms: int
    requested_ms: int
    gpus: int
    priority: int = 0
    deadline_ms: int | None = None
    workload: int = 0
    user: int | None = None

    def __post_init__(self) -> None:
        if min(self.submit_ms, self.duration_ms, self.requested_ms, self.gpus - 1) < 0:
            raise ValueError(f"{self} has a negative time or no accelerator")
        if self.duration_ms and not self.requested_ms:
            raise ValueError(f"{self} takes time and asks for none")


@dataclass(frozen=True, slots=True)
class Start:
    """When a job started and ended, and how many accelerators of which nodes it held."""

    start_ms: int
    end_ms: int
    nodes: dict[int, int]


NEVER = Start(-1, -1, {})
"""What becomes of a job that still waits when nothing is left to happen."""


@dataclass(frozen=True)
class Rule:
    """A queue rule.

    Attributes
    ----------
    order : {"fifo", "shortest-first", "priority", "deadline-first", "fair-share"}
    by : {"time", "area"}
        What is shortest.
    ageing_ms : int
        Wait that is worth one priority, in the order "priority".
    of : {"user", "workload"}
        Whose use counts, in the order "fair-share".
    half_life_ms : int
        Time after which it counts half.
    backfill : {"none", "easy", "conservative"}
    depth : int
        Jobs looked at behind the head (easy), or jobs with a reservation (conservative).
    placement : {"pack", "first-fit", "spread", "locality"}
    rack : int
        Nodes of a rack, 0 for none.
    across : float
        Speed of a job whose nodes lie in several racks.
    quotas : mapping of int to int
        Most accelerators that the jobs of a workload hold at once.
    """

    order: str = "fifo"
    by: str = "time"
    ageing_ms: int = 3_600_000
    of: str = "user"
    half_life_ms: int = 604_800_000
    backfill: str = "none"
    depth: int = 1000
    placement: str = "pack"
    rack: int = 0
    across: float = 1.0
    quotas: Mapping[int, int] = field(default_factory=dict)


def schedule(jobs: Sequence[Job], nodes: int, whole: int, **rule: Any) -> list[Start]:
    """Return what becomes of each job on so many nodes of `whole` accelerators.

    Parameters
    ----------
    jobs : sequence of Job
        Those submitted at one instant stand in the order of their rows.
    **rule
        As in `Rule`.

    Raises
    ------
    ValueError
        If a job is larger than the cluster or its quota.
    """
    run = Run(jobs, nodes, whole, Rule(**rule)).finish()
    return [run.starts.get(row, NEVER) for row in range(len(jobs))]


def key_of(job: Job, rule: Rule) -> tuple[float, ...]:
    """Return what a queue is ordered by, least first, ties aside."""
    if rule.order == "priority":
        return (job.submit_ms - job.priority * rule.ageing_ms,)
    if rule.order == "shortest-first":
        return (-job.priority, job.requested_ms * (job.gpus if rule.by == "area" else 1))
    if rule.order == "deadline-first":
        return (-job.priority, float("inf") if job.deadline_ms is None else job.deadline_ms)
    return (-job.priority,)


def place(
    free: Sequence[int], whole: int, gpus: int, placement: str, rack: int = 0
) -> dict[int, int] | None:
    """Return accelerators by node for a gang, or None where it does not fit.

    As many whole empty nodes as it fills, the lowest, and one more node for the remainder; by
    racks those of `place_by_racks`.
    """
    count, rest = divmod(gpus, whole)
    empty = [node for node, left in enumerate(free) if left == whole]
    if len(empty) < count:
        return None
    nodes = dict.fromkeys(empty[:count], whole)
    if rest:
        able = [node for node, left in enumerate(free) if left >= rest and node not in nodes]
        if not able:
            return None
        if placement != "locality":
            nodes[min(able, key=lambda node: LEAST[placement](free, node))] = rest
    return place_by_racks(free, whole, gpus, rack) if placement == "locality" else nodes


def place_by_racks(free: Sequence[int], whole: int, gpus: int, rack: int) -> dict[int, int]:
    """Return accelerators by node for a gang that fits, in as few racks as can be.

    A rack holds what is left if it has as many empty nodes, and there is a node for the remainder:
    one more empty one, or a partly free one here or in a rack used before.
    """
    count, rest = divmod(gpus, whole)
    racks = [range(first, min(first + rack, len(free))) for first in range(0, len(free), rack)]
    used: list[range] = []
    nodes: dict[int, int] = {}

    def empty(members: range) -> list[int]:
        return [node for node in members if free[node] == whole]

    def holds(members: range) -> bool:
        partly = any(rest <= free[node] < whole for own in (*used, members) for node in own)
        more = len(empty(members)) - (count - len(nodes))
        return more > 0 or (more == 0 and (not rest or partly))

    while True:
        others = [members for members in racks if members not in used]
        able = [members for members in others if holds(members)]
        if able:
            used.append(min(able, key=lambda members: sum(free[node] for node in members)))
            break
        used.append(max(others, key=lambda members: len(empty(members))))
        nodes |= dict.fromkeys(empty(used[-1]), whole)
    nodes |= dict.fromkeys(empty(used[-1])[: count - len(nodes)], whole)
    if rest:
        beside = [n for own in used for n in own if free[n] >= rest and n not in nodes]
        nodes[min(beside, key=lambda node: (free[node], node))] = rest
    return nodes


class Steps:
    """The free accelerators of one node over time: `free[k]` from `at_ms[k]` to the next."""

    def __init__(self, now_ms: int, free: int) -> None:
        self.at_ms, self.free = [now_ms], [free]

    def least(self, start_ms: int, end_ms: int) -> int:
        """Return the least that is free at any time in [start, end)."""
        first = bisect_right(self.at_ms, start_ms) - 1
        return min(self.free[first : bisect_left(self.at_ms, end_ms)])

    def take(self, start_ms: int, end_ms: int, gpus: int) -> None:
        """Have so many fewer free in [start, end)."""
        self.cut(start_ms)
        self.cut(end_ms)
        for k, at_ms in enumerate(self.at_ms):
            if start_ms <= at_ms < end_ms:
                self.free[k] -= gpus

    def cut(self, at_ms: int) -> None:
        """Have a step at an instant that changes nothing yet."""
        if at_ms not in self.at_ms:
            after = bisect_right(self.at_ms, at_ms)
            self.at_ms.insert(after, at_ms)
            self.free.insert(after, self.free[after - 1])


class Run:
    """One run: who waits, who runs and what is free, and what became of every job.

    `starts` says what became of each job; `first_shadow_ms` by when each job that was the head of
    an EASY queue could first be promised to start.
    """

    def __init__(self, jobs: Sequence[Job], nodes: int, whole: int, rule: Rule) -> None:
        self.jobs, self.whole, self.rule = jobs, whole, rule
        self.free = [whole] * nodes
        self.now_ms = 0
        self.to_come = sorted(range(len(jobs)), key=lambda row: jobs[row].submit_ms)
        self.waiting: list[int] = []
        self.running: list[int] = []
        self.starts: dict[int, Start] = {}
        self.first_shadow_ms: dict[int, int] = {}
        self.refuse_what_is_too_large()

    def refuse_what_is_too_large(self) -> None:
        """Raise for a job larger than the cluster or its quota."""
        for job in self.jobs:
            if self.placed(job) is None or self.is_over_quota(job):
                raise ValueError(f"{job} is too large")

    def finish(self) -> "Run":
        """Settle instant after instant until nothing is left to happen."""
        while self.to_come or self.running:
            self.now_ms = min(
                [self.starts[row].end_ms for row in self.running]
                + [self.jobs[row].submit_ms for row in self.to_come[:1]]
            )
            self.complete()
            self.arrive()
            self.make_pass()
        return self

    def complete(self) -> None:
        """Take back what jobs that end now held."""
        for row in [row for row in self.running if self.starts[row].end_ms == self.now_ms]:
            self.running.remove(row)
            for node, gpus in self.starts[row].nodes.items():
                self.free[node] += gpus

    def arrive(self) -> None:
        """Put the jobs submitted now into the queue."""
        while self.to_come and self.jobs[self.to_come[0]].submit_ms == self.now_ms:
            self.waiting.append(self.to_come.pop(0))

    def line_up(self) -> None:
        """Put the queue in order: by the rule's key, then the submit time, then the row."""
        keys = {row: self.key(row) for row in self.waiting}
        if self.rule.order == "fair-share":
            used = {party: self.use_of(party) for party in map(self.party, self.waiting)}
            keys = {row: (*keys[row], used[self.party(row)]) for row in self.waiting}
        self.waiting.sort(key=lambda row: (keys[row], self.jobs[row].submit_ms, row))

    def key(self, row: int) -> tuple[float, ...]:
        """Return what the rule orders a job by."""
        return key_of(self.jobs[row], self.rule)

    def party(self, row: int) -> int | None:
        """Return whose use a job counts to."""
        return self.jobs[row].user if self.rule.of == "user" else self.jobs[row].workload

    def use_of(self, party: int | None) -> Any:
        """Return what a user or workload used up to now."""
        held = [
            (self.jobs[row].gpus, start.start_ms, start.end_ms)
            for row, start in self.starts.items()
            if self.party(row) == party
        ]
        return use_ms(held, self.now_ms, self.rule.half_life_ms)

    def make_pass(self) -> None:
        """Start those whose turn it is."""
        self.line_up()
        if self.rule.backfill == "conservative":
            self.make_conservative_pass()
            return
        line = self.line()
        head = self.start_until_one_does_not_fit(line)
        if head is not None and self.rule.backfill == "easy":
            self.backfill_around(head, line)

    def line(self) -> Iterator[int]:
        """Yield the waiting jobs in order, without those whose quota is used up at their turn."""
        for row in list(self.waiting):
            if not self.is_over_quota(self.jobs[row]):
                yield row

    def is_over_quota(self, job: Job) -> bool:
        """Return whether a workload would hold more than its quota if a job of it started."""
        held = sum(
            self.jobs[row].gpus for row in self.running if self.jobs[row].workload == job.workload
        )
        return held + job.gpus > self.rule.quotas.get(job.workload, float("inf"))

    def start_until_one_does_not_fit(self, line: Iterator[int]) -> int | None:
        """Start jobs in order; return the first that does not fit, None if all do."""
        for row in line:
            nodes = self.placed(self.jobs[row])
            if nodes is None:
                return row
            self.start(row, nodes)
        return None

    def placed(self, job: Job) -> dict[int, int] | None:
        """Return where a job would be placed now, None if it does not fit."""
        return place(self.free, self.whole, job.gpus, self.rule.placement, self.rule.rack)

    def takes_ms(self, alone_ms: int, nodes: dict[int, int]) -> int:
        """Return how long a job runs on nodes, given how long in one rack."""
        racks = {node // self.rule.rack for node in nodes} if self.rule.rack else set()
        return round(alone_ms / self.rule.across) if len(racks) > 1 else alone_ms

    def start(self, row: int, nodes: dict[int, int]) -> None:
        """Start a job; one of no duration is over at once."""
        job = self.jobs[row]
        self.waiting.remove(row)
        end_ms = self.now_ms + self.takes_ms(job.duration_ms, nodes)
        self.starts[row] = Start(self.now_ms, end_ms, nodes)
        if job.duration_ms:
            self.running.append(row)
            for node, gpus in nodes.items():
                self.free[node] -= gpus

    def expected_end_ms(self, row: int) -> int:
        """Return when a running job should end, going by what it asked for."""
        start = self.starts[row]
        asked_ms = start.start_ms + self.takes_ms(self.jobs[row].requested_ms, start.nodes)
        return max(asked_ms, self.now_ms + 1)

    # EASY

    def backfill_around(self, head: int, line: Iterator[int]) -> None:
        """Start those behind the head that keep it from nothing at its shadow time."""
        shadow_ms = self.shadow_ms(self.jobs[head])
        self.first_shadow_ms.setdefault(head, shadow_ms)
        for row in islice(line, self.rule.depth):
            job = self.jobs[row]
            nodes = self.placed(job)
            if nodes is None:
                continue
            over_by_then = self.now_ms + self.takes_ms(job.requested_ms, nodes) <= shadow_ms
            if over_by_then or self.leaves_room(nodes, self.jobs[head], shadow_ms):
                self.start(row, nodes)

    def shadow_ms(self, head: Job) -> int:
        """Return the earliest expected end by which the head fits."""
        for at_ms in sorted({self.expected_end_ms(row) for row in self.running}):
            if self.fits(self.free_at(at_ms), head):
                return at_ms
        raise AssertionError(f"{head} does not fit an empty cluster")

    def free_at(self, at_ms: int) -> list[int]:
        """Return what is free of each node once all that should end by an instant have ended."""
        free = list(self.free)
        for row in self.running:
            if self.expected_end_ms(row) <= at_ms:
                for node, gpus in self.starts[row].nodes.items():
                    free[node] += gpus
        return free

    def leaves_room(self, nodes: dict[int, int], head: Job, shadow_ms: int) -> bool:
        """Return whether the head fits at its shadow time beside a job on these nodes."""
        free = self.free_at(shadow_ms)
        for node, gpus in nodes.items():
            free[node] -= gpus
        return self.fits(free, head)

    def fits(self, free: Sequence[int], job: Job) -> bool:
        """Return whether a job fits where so much is free."""
        return place(free, self.whole, job.gpus, self.rule.placement, self.rule.rack) is not None

    # Conservative

    def make_conservative_pass(self) -> None:
        """Reserve for each of the first jobs its earliest time, and start those due now."""
        steps = [Steps(self.now_ms, self.whole) for _ in self.free]
        candidates_ms = {self.now_ms}
        for row in self.running:
            end_ms = self.expected_end_ms(row)
            reserve(steps, self.now_ms, end_ms, self.starts[row].nodes)
            candidates_ms.add(end_ms)
        reserved = 0
        for row in self.line():
            if reserved == self.rule.depth:
                break
            job = self.jobs[row]
            if job.requested_ms == 0:
                self.start_if_it_fits(row)
                reserved += row in self.waiting
                continue
            start_ms, nodes = self.earliest(job, steps, sorted(candidates_ms))
            if start_ms == self.now_ms:
                self.start(row, nodes)
            else:
                reserved += 1
            if start_ms > self.now_ms or job.duration_ms:
                reserve(steps, start_ms, start_ms + job.requested_ms, nodes)
                candidates_ms.add(start_ms + job.requested_ms)

    def start_if_it_fits(self, row: int) -> None:
        """Start a job that fits now."""
        nodes = self.placed(self.jobs[row])
        if nodes is not None:
            self.start(row, nodes)

    def earliest(
        self, job: Job, steps: Sequence[Steps], candidates_ms: Sequence[int]
    ) -> tuple[int, dict[int, int]]:
        """Return the first candidate at which a job fits for as long as it asks for, and where."""
        for at_ms in candidates_ms:
            free = [one.least(at_ms, at_ms + job.requested_ms) for one in steps]
            nodes = place(free, self.whole, job.gpus, self.rule.placement, self.rule.rack)
            if nodes is not None:
                return at_ms, nodes
        raise AssertionError(f"{job} does not fit an empty cluster")


def reserve(steps: Sequence[Steps], start_ms: int, end_ms: int, nodes: dict[int, int]) -> None:
    """Take a job's accelerators out of what is free in [start, end)."""
    for node, gpus in nodes.items():
        steps[node].take(start_ms, end_ms, gpus)
