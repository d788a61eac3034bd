"""Jobs that share accelerators a second time, in plain Python, to be read from top to bottom.

One cluster of equal nodes and a queue without backfill; nothing here is shared with the engine.
Each instant is settled in one order: completions, arrivals, one scheduling pass. Then the tenants
of every accelerator whose tenants changed are paced, once. All times are whole milliseconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

from tests.oracle.scheduling import Job as Gang
from tests.oracle.scheduling import Rule, key_of, place


@dataclass(frozen=True, slots=True)
class Job:
    """A job, its utilisation, and whether it may share an accelerator if it has just one."""

    gang: Gang
    utilisation: float
    shareable: bool = True
    fraction: float | None = None

    @property
    def part(self) -> float:
        """What it asks for of an accelerator, else what it keeps busy."""
        return self.utilisation if self.fraction is None else self.fraction


@dataclass(frozen=True)
class Sharing:
    """How accelerators are shared; `law` is the slowdown of two or more by their sum."""

    jobs: int = 2
    most: float = 1.0
    law: Callable[[float], float] = lambda load: max(1.0, load)
    prefer: str = "shared"


@dataclass
class Run:
    """What a job did: `stays` are begin, end, tenants, load and slowdown of each while."""

    start_ms: int
    end_ms: int
    nodes: dict[int, int]
    stays: list[tuple[int, int, int, float, float]] = field(default_factory=list)


@dataclass
class Tenant:
    """A job on a shared accelerator; `left_ms` of running alone were left at `since_ms`."""

    row: int
    left_ms: float
    since_ms: int = -1
    slowdown: float = 1.0
    load: float = 0.0
    beside: int = 0
    stay_ms: int = -1


@dataclass
class Accelerator:
    """One that is shared, and its tenants in the order in which they joined."""

    node: int
    tenants: list[Tenant] = field(default_factory=list)
    changed: bool = False


def per_cent(utilisation: float) -> int:
    """Return a utilisation in whole per cent, rounded up."""
    return ceil(utilisation * 100 - 1e-9)


class Cluster:
    """One run of a cluster: `runs` says what became of each job, none where it never started."""

    def __init__(
        self, jobs: Sequence[Job], nodes: int, whole: int, sharing: Sharing, rule: Rule
    ) -> None:
        self.jobs, self.whole, self.sharing, self.rule = jobs, whole, sharing, rule
        self.free = [whole] * nodes
        self.now_ms = 0
        self.to_come = sorted(range(len(jobs)), key=lambda row: jobs[row].gang.submit_ms)
        self.waiting: list[int] = []
        self.gangs: list[int] = []
        self.shared: list[Accelerator] = []  # in the order in which they were opened
        self.runs: dict[int, Run] = {}

    def finish(self) -> "Cluster":
        """Settle instant after instant until nothing is left to happen."""
        while self.to_come or self.gangs or self.shared:
            tenants = [one.row for each in self.shared for one in each.tenants]
            self.now_ms = min(
                [self.runs[row].end_ms for row in self.gangs + tenants]
                + [self.jobs[row].gang.submit_ms for row in self.to_come[:1]]
            )
            self.complete()
            while self.to_come and self.jobs[self.to_come[0]].gang.submit_ms == self.now_ms:
                self.waiting.append(self.to_come.pop(0))
            self.waiting.sort(key=self.place_in_line)
            while self.waiting and self.start(self.waiting[0]):
                self.waiting.pop(0)
            for each in self.shared:
                if each.changed:
                    self.pace(each)
        return self

    def place_in_line(self, row: int) -> tuple[object, ...]:
        """Return the order of a job: the rule's key, then the submit time, then the row."""
        gang = self.jobs[row].gang
        return (key_of(gang, self.rule), gang.submit_ms, row)

    def complete(self) -> None:
        """Take back what jobs that end now held."""
        for row in [row for row in self.gangs if self.runs[row].end_ms == self.now_ms]:
            self.gangs.remove(row)
            for node, gpus in self.runs[row].nodes.items():
                self.free[node] += gpus
        for each in self.shared:
            for tenant in list(each.tenants):
                if self.runs[tenant.row].end_ms == self.now_ms:
                    self.note(tenant)
                    each.tenants.remove(tenant)
                    each.changed = True
            if not each.tenants:
                self.free[each.node] += 1
        self.shared = [each for each in self.shared if each.tenants]

    def start(self, row: int) -> bool:
        """Start a job if it has room; one of no duration is over at once."""
        job = self.jobs[row]
        length_ms = float(job.gang.duration_ms)
        nodes = place(self.free, self.whole, job.gang.gpus, self.rule.placement)
        shares = job.gang.gpus == 1 and job.shareable and self.sharing.jobs > 1
        joined = self.to_join(job) if shares else None
        if nodes is None and joined is None:
            return False
        self.runs[row] = Run(self.now_ms, self.now_ms + job.gang.duration_ms, nodes or {})
        if not job.gang.duration_ms:
            return True
        if not shares:
            assert nodes is not None
            self.gangs.append(row)
            for node, gpus in nodes.items():
                self.free[node] -= gpus
            return True
        if joined is None or (self.sharing.prefer == "free" and nodes is not None):
            assert nodes is not None
            (node,) = nodes
            self.free[node] -= 1
            joined = Accelerator(node)
            self.shared.append(joined)
        self.runs[row].nodes = {joined.node: 1}
        joined.tenants.append(Tenant(row, length_ms))
        joined.changed = True
        return True

    def to_join(self, job: Job) -> Accelerator | None:
        """Return the accelerator that a job would join: the fullest, lowest, oldest with room."""
        limit = int(self.sharing.most * 100 + 1e-9)

        def load(each: Accelerator) -> int:
            return sum(per_cent(self.jobs[one.row].part) for one in each.tenants)

        able = [
            each
            for each in self.shared
            if len(each.tenants) < self.sharing.jobs and load(each) + per_cent(job.part) <= limit
        ]
        return min(able, key=lambda each: (-load(each), each.node), default=None)

    def pace(self, accelerator: Accelerator) -> None:
        """Let the tenants of an accelerator run on at the speed that their sum gives them."""
        accelerator.changed = False
        count = len(accelerator.tenants)
        load = sum(self.jobs[one.row].utilisation for one in accelerator.tenants)
        slowdown = self.sharing.law(load) if count > 1 else 1.0
        for tenant in accelerator.tenants:
            begun = tenant.beside > 0
            if begun and (tenant.beside, tenant.load, tenant.slowdown) == (count, load, slowdown):
                continue
            if begun:
                self.note(tenant)
            if not begun or tenant.slowdown != slowdown:
                if begun:
                    tenant.left_ms -= (self.now_ms - tenant.since_ms) / tenant.slowdown
                rest_ms = max(1, round(tenant.left_ms * slowdown))
                self.runs[tenant.row].end_ms = self.now_ms + rest_ms
                tenant.since_ms, tenant.slowdown = self.now_ms, slowdown
            tenant.beside, tenant.load, tenant.stay_ms = count, load, self.now_ms

    def note(self, tenant: Tenant) -> None:
        """Note how a tenant ran up to now."""
        stay = (tenant.stay_ms, self.now_ms, tenant.beside, tenant.load, tenant.slowdown)
        self.runs[tenant.row].stays.append(stay)
