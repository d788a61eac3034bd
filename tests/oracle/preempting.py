"""Preemption a second time, in plain Python, to be read from top to bottom.

One cluster of equal nodes, under any order, without backfill or with EASY backfill; nodes may fail.
Nothing here is shared with the engine, and nothing is clever. Each instant is settled in one order:
ends of jobs and of suspensions, failures, repairs, arrivals, scheduling passes. All times are whole
milliseconds.

Where words alone leave a choice, this is what is meant:

- A pass in which somebody is preempted at once starts the job for which that was, ends there, and
  is followed by another at the same instant.
- Whoever is being suspended counts as free for whoever waits first, also if it was somebody else
  for whom it was suspended.
- A run that goes on from what a suspension kept takes the time to resume, until a checkpoint of its
  own is there to go on from. Work of 0 takes no time at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.oracle.failing import Saves, course, cut
from tests.oracle.scheduling import Job, Rule, key_of, place

DOWN = -(10**6)
"""What is free of a node that is failed: less than nothing."""


@dataclass(frozen=True)
class Way:
    """How jobs are preempted; without `suspends` they go on from their last checkpoint."""

    suspends: bool
    after_ms: int = 0
    suspend_ms: int = 0
    resume_ms: int = 0


@dataclass
class Piece:
    """A run of a job: when it was, why it ended, the work that is kept, the time that was lost."""

    row: int
    start_ms: int
    end_ms: int
    cause: str
    kept_ms: int
    lost_ms: int


@dataclass
class Fate:
    """Where a job stands: its work that is left, what it asks for, and its run if it has one."""

    left_ms: int
    asked_ms: int
    cuts: int = 0
    resume_ms: int | None = None
    start_ms: int = -1
    end_ms: int = -1
    stopped_ms: int = -1
    nodes: dict[int, int] = field(default_factory=dict)


class PreemptingRun:
    """One run to its end; `fates` and `pieces` say what became of the jobs.

    Parameters
    ----------
    jobs : sequence of Job
        Those submitted at one instant stand in the order of their rows.
    preemptible : sequence of bool
    nodes, whole : int
        So many nodes, of so many accelerators.
    rule : Rule
    way : Way
    saves : Saves, optional
    lives_ms, repairs_ms : sequence of sequence of int, optional
        By node, times in service to each failure and times of repairs.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        preemptible: Sequence[bool],
        nodes: int,
        whole: int,
        rule: Rule,
        way: Way,
        saves: Saves | None = None,
        lives_ms: Sequence[Sequence[int]] = (),
        repairs_ms: Sequence[Sequence[int]] = (),
    ) -> None:
        self.jobs, self.preemptible, self.whole = jobs, preemptible, whole
        self.rule, self.way, self.saves = rule, way, saves
        self.free = [whole] * nodes
        self.fates = [Fate(job.duration_ms, job.requested_ms) for job in jobs]
        self.lives = [list(times) for times in lives_ms]
        self.repairs = [list(times) for times in repairs_ms]
        self.fails_ms = {node: times.pop(0) for node, times in enumerate(self.lives)}
        self.back_ms: dict[int, int] = {}
        self.to_come = sorted(range(len(jobs)), key=lambda row: (jobs[row].submit_ms, row))
        self.waiting: list[int] = []
        self.running: list[int] = []
        self.pieces: list[Piece] = []
        self.look_ms: int | None = None
        self.now_ms = 0

    def finish(self) -> "PreemptingRun":
        """Settle instant after instant until every job has ended."""
        while self.to_come or self.running or self.waiting:
            self.now_ms = self.next_ms()
            for row in sorted(self.running):
                if self.fates[row].end_ms == self.now_ms:
                    self.end(row)
            self.fail()
            self.repair()
            while self.to_come and self.jobs[self.to_come[0]].submit_ms == self.now_ms:
                self.waiting.append(self.to_come.pop(0))
            while self.make_pass():
                pass
        return self

    def next_ms(self) -> int:
        """Return when something happens next."""
        due = [self.fates[row].end_ms for row in self.running]
        due += [self.jobs[row].submit_ms for row in self.to_come[:1]]
        due += [*self.fails_ms.values(), *self.back_ms.values()]
        return min(due if self.look_ms is None else [*due, self.look_ms])

    # Runs

    def lead_ms(self, row: int) -> int:
        """Return the time that the next run of a job takes before it works."""
        fate = self.fates[row]
        if fate.resume_ms is not None:
            return fate.resume_ms
        return self.saves.restart_ms if self.saves and fate.cuts else 0

    def steps(self, row: int, work_ms: int) -> list[tuple[str, int]]:
        """Return what the next run of a job does for so much work."""
        if work_ms == 0:
            return []
        return [("before", self.lead_ms(row)), *course(work_ms, self.saves, again=False)]

    def run_ms(self, row: int, work_ms: int) -> int:
        """Return how long that takes."""
        return sum(time_ms for _, time_ms in self.steps(row, work_ms))

    def start(self, row: int, nodes: dict[int, int]) -> None:
        """Start a job; one of no duration is over at once."""
        fate = self.fates[row]
        self.waiting.remove(row)
        fate.start_ms = self.now_ms
        fate.end_ms = self.now_ms + self.run_ms(row, fate.left_ms)
        fate.nodes = nodes
        if fate.end_ms > self.now_ms:
            self.running.append(row)
            for node, gpus in nodes.items():
                self.free[node] -= gpus

    def end(self, row: int) -> None:
        """Take back what a job held that ends now, or whose state is saved by now."""
        if self.fates[row].stopped_ms >= 0:
            self.cut_short(row, "suspended")
        else:
            self.give_back(row)

    def give_back(self, row: int) -> None:
        """Take a job off its nodes."""
        self.running.remove(row)
        for node, gpus in self.fates[row].nodes.items():
            self.free[node] += gpus

    def cut_short(self, row: int, cause: str) -> None:
        """End a run before its time, and let the job wait again."""
        fate = self.fates[row]
        worked_until_ms = fate.stopped_ms if fate.stopped_ms >= 0 else self.now_ms
        steps = self.steps(row, fate.left_ms)
        kept_ms, lost_ms = cut(steps, worked_until_ms - fate.start_ms)
        if self.saves is None:
            kept_ms, lost_ms = 0, worked_until_ms - fate.start_ms
        if cause == "suspended":
            kept_ms, lost_ms = work_done(steps, worked_until_ms - fate.start_ms), 0
            resume_ms: int | None = self.way.resume_ms
        else:
            resume_ms = None if kept_ms else fate.resume_ms
        lost_ms += self.now_ms - worked_until_ms
        self.give_back(row)
        self.pieces.append(Piece(row, fate.start_ms, self.now_ms, cause, kept_ms, lost_ms))
        self.fates[row] = Fate(
            fate.left_ms - kept_ms, max(0, fate.asked_ms - kept_ms), fate.cuts + 1, resume_ms
        )
        self.waiting.append(row)

    # Nodes that fail

    def fail(self) -> None:
        """Cut short the jobs of the nodes that fail now, then take these away."""
        struck = [node for node, at_ms in self.fails_ms.items() if at_ms == self.now_ms]
        for row in sorted(self.running):
            if any(node in self.fates[row].nodes for node in struck):
                self.cut_short(row, "failed")
        for node in struck:
            del self.fails_ms[node]
            self.free[node] = DOWN
            self.back_ms[node] = self.now_ms + self.repairs[node].pop(0)

    def repair(self) -> None:
        """Let nodes be used again that are repaired by now."""
        for node in [node for node, at_ms in self.back_ms.items() if at_ms == self.now_ms]:
            del self.back_ms[node]
            self.free[node] = self.whole
            self.fails_ms[node] = self.now_ms + self.lives[node].pop(0)

    # Passes

    def place_in_line(self, row: int) -> tuple[float, ...]:
        """Return the order of a job: the rule's key, then the submit time, then the row."""
        return (*key_of(self.jobs[row], self.rule), self.jobs[row].submit_ms, row)

    def make_pass(self) -> bool:
        """Start those whose turn it is; return whether somebody was preempted at once."""
        self.look_ms = None
        line = sorted(self.waiting, key=self.place_in_line)
        for at, row in enumerate(line):
            nodes = self.placed(row)
            if nodes is not None:
                self.start(row, nodes)
                continue
            victims = self.victims(row)
            for victim in victims:
                self.preempt(victim)
            if victims and not (self.way.suspends and self.way.suspend_ms):
                nodes = self.placed(row)
                assert nodes is not None
                self.start(row, nodes)
                return True
            if self.rule.backfill == "easy":
                self.backfill_around(row, line[at + 1 :][: self.rule.depth])
            break
        return False

    def placed(self, row: int) -> dict[int, int] | None:
        """Return where a job would be placed now, None if it does not fit."""
        return place(self.free, self.whole, self.jobs[row].gpus, self.rule.placement)

    def fits(self, row: int, free: Sequence[int]) -> bool:
        """Return whether a job fits where so much is free."""
        return place(free, self.whole, self.jobs[row].gpus, self.rule.placement) is not None

    def without(self, rows: Sequence[int], free: Sequence[int]) -> list[int]:
        """Return what would be free without some of the jobs that run."""
        left = list(free)
        for row in rows:
            for node, gpus in self.fates[row].nodes.items():
                left[node] += gpus
        return left

    # Preemption

    def victims(self, head: int) -> list[int]:
        """Return who is preempted for a job: nobody, or enough."""
        leaving = [row for row in self.running if self.fates[row].stopped_ms >= 0]
        free = self.without(leaving, self.free)
        if self.fits(head, free):
            return []
        lower = [row for row in self.running if self.is_lower(row, head)]
        ripe = [row for row in lower if self.ripe_ms(row) <= self.now_ms]
        if not self.fits(head, self.without(ripe, free)):
            if self.fits(head, self.without(lower, free)):
                self.look_ms = min(self.ripe_ms(row) for row in lower if row not in ripe)
            return []
        ripe.sort(key=lambda row: (self.jobs[row].priority, -self.fates[row].start_ms, -row))
        taken: list[int] = []
        while not self.fits(head, self.without(taken, free)):
            taken.append(ripe.pop(0))
        for row in reversed(list(taken)):
            rest = [other for other in taken if other != row]
            if self.fits(head, self.without(rest, free)):
                taken = rest
        return taken

    def is_lower(self, row: int, head: int) -> bool:
        """Return whether a running job may be preempted for another, but for how long it ran."""
        return (
            self.preemptible[row]
            and self.fates[row].stopped_ms < 0
            and self.jobs[row].priority < self.jobs[head].priority
            and self.place_in_line(row) > self.place_in_line(head)
        )

    def ripe_ms(self, row: int) -> int:
        """Return from when on a running job may be preempted."""
        return self.fates[row].start_ms + self.way.after_ms

    def preempt(self, row: int) -> None:
        """End a job, or begin to suspend it."""
        if self.way.suspends and self.way.suspend_ms:
            self.fates[row].stopped_ms = self.now_ms
            self.fates[row].end_ms = self.now_ms + self.way.suspend_ms
        else:
            self.cut_short(row, "suspended" if self.way.suspends else "restarted")

    # EASY backfill

    def backfill_around(self, head: int, behind: Sequence[int]) -> None:
        """Start those behind the head that keep it from nothing at its shadow time."""
        shadow_ms = self.shadow_ms(head)
        for row in behind:
            nodes = self.placed(row)
            if nodes is None:
                continue
            asked_ms = self.run_ms(row, self.fates[row].asked_ms)
            free = self.free_at(shadow_ms)
            for node, gpus in nodes.items():
                free[node] -= gpus
            in_time = shadow_ms is None or self.now_ms + asked_ms <= shadow_ms
            if in_time or self.fits(head, free):
                self.start(row, nodes)

    def expected_end_ms(self, row: int) -> int:
        """Return when a running job should end, going by what it asked for."""
        fate = self.fates[row]
        if fate.stopped_ms >= 0:
            return fate.end_ms
        return max(fate.start_ms + self.run_ms(row, fate.asked_ms), self.now_ms + 1)

    def shadow_ms(self, head: int) -> int | None:
        """Return the earliest instant by which a job should fit, None if there is none."""
        instants = {self.expected_end_ms(row) for row in self.running}
        if self.back_ms:
            instants.add(max(self.back_ms.values()))
        for at_ms in sorted(instants):
            if self.fits(head, self.free_at(at_ms)):
                return at_ms
        return None

    def free_at(self, at_ms: int | None) -> list[int]:
        """Return what should be free of each node at an instant."""
        if at_ms is None:
            return list(self.free)
        ended = [row for row in self.running if self.expected_end_ms(row) <= at_ms]
        free = self.without(ended, self.free)
        if self.back_ms and max(self.back_ms.values()) <= at_ms:
            for node in self.back_ms:
                free[node] = self.whole
        return free


def work_done(steps: Sequence[tuple[str, int]], ran_ms: int) -> int:
    """Return the work of a run after so long, saved or not."""
    done_ms = 0
    for what, time_ms in steps:
        if what == "work":
            done_ms += max(0, min(time_ms, ran_ms))
        ran_ms -= time_ms
    return done_ms


def with_requests(jobs: Sequence[Job], requested_ms: Sequence[int]) -> list[Job]:
    """Return jobs that ask for other times."""
    return [replace(job, requested_ms=asked) for job, asked in zip(jobs, requested_ms, strict=True)]
