"""Load curves, power levels and power budgets in the readable model.

A job runs at the first level at which it fits the budgets of the cluster and of its site, whose
nodes count as what they reserve. What the nodes did is kept, and integrated afterwards piece by
piece: for every node the power of each piece, and for every job its part of it.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.ladder import AWAKE, ENTERING, RESTING, Ladder, LadderModel, Node
from tests.oracle.model import Cluster, Job

ROUNDING = 1e-9
MS_PER_HALF_HOUR = 1_800_000
W_MS_PER_KWH = 3.6e9


@dataclass(frozen=True)
class Powers:
    """What a cluster's nodes draw: share of the span by load, levels (speed, draw), and limits."""

    curve: Callable[[float], float]
    bent: bool
    concave: bool
    levels: tuple[tuple[float, float], ...]
    own_speed: float
    floor_w: float
    site: int
    budget_w: float


@dataclass(slots=True)
class Watched(Node):
    """A node that remembers its phases as (from, to, phase, state)."""

    phases: list[tuple[int, int, str, int]] = field(default_factory=list)

    def move(self, at_ms: int, phase: str, state: int) -> None:
        """Go over to another phase."""
        self.phases.append((self.since_ms, at_ms, self.phase, self.state))
        super(Watched, self).move(at_ms, phase, state)


class PowerModel(LadderModel):
    """A run of `LadderModel` with curves, levels and budgets.

    `level` holds the level at which each job ran, `held_back` the jobs that nothing but power
    kept from starting at some pass.
    """

    def __init__(
        self,
        clusters: list[Cluster],
        ladders: Sequence[Ladder | None],
        jobs: list[Job],
        end_ms: int,
        *,
        powers: Sequence[Powers],
        site_budgets_w: Sequence[float],
        drain: bool = False,
    ) -> None:
        super().__init__(clusters, ladders, jobs, end_ms, drain=drain)
        self.powers, self.site_budgets_w = powers, site_budgets_w
        self.nodes = [Watched(node.number, node.cluster) for node in self.nodes]
        self.level = [0] * len(jobs)
        self.held_back: set[int] = set()
        self.loads: list[list[tuple[int, dict[int, int]]]] = [[(0, {})] for _ in self.nodes]

    # Deciding

    def duration_ms(self, row: int) -> int:
        """Return the run time at the job's level."""
        job, number = self.jobs[row], self.cluster[row]
        power = self.powers[number]
        speed = self.clusters[number].relative_speed if job.scales else power.own_speed
        length_ms = job.duration_ms / speed
        if self.level[row]:
            length_ms /= power.levels[self.level[row]][0]
        return round(length_ms)

    def able(self, job: Job) -> list[int]:
        """Return the clusters that could hold a job if nothing else ran there or on the site."""
        return [number for number in super().able(job) if self.has_power_for(number, job)]

    def has_power_for(self, number: int, job: Job) -> bool:
        """Return whether the lowest level of an empty cluster has power for a job."""
        power, cluster = self.powers[number], self.clusters[number]
        whole, rest = divmod(job.gpus, cluster.accelerators)
        drawn = whole * power.curve(job.utilisation)
        drawn += power.curve(rest * job.utilisation / cluster.accelerators)
        drawn *= power.levels[-1][1] * (cluster.busy_w - cluster.idle_w)
        floors_w = [p.floor_w * c.nodes for p, c in zip(self.powers, self.clusters, strict=True)]
        on_site = sum(w for w, p in zip(floors_w, self.powers, strict=True) if p.site == power.site)
        room_w = power.budget_w - floors_w[number]
        room_w = min(room_w, self.site_budgets_w[power.site] - on_site)
        return drawn <= room_w * (1 + ROUNDING) or math.isinf(room_w)

    def start(self, row: int, blocked: set[int]) -> bool:
        """Start a job on its first cluster with room, at the first level that has power."""
        powerless = False
        for number in self.able(self.jobs[row]):
            if number in blocked or not (parts := self.place(number, self.jobs[row].gpus)):
                continue
            for level in range(len(self.powers[number].levels)):
                if self.fits_at(number, row, parts, level):
                    self.hold(number, row, parts)
                    return True
            powerless, self.level[row] = True, 0
        if powerless:
            self.held_back.add(row)
        return False

    def fits_at(self, number: int, row: int, parts: list[tuple[int, int]], level: int) -> bool:
        """Return whether the budgets hold with a job on these nodes at a level."""
        first, site = self.clusters[number].first, self.powers[number].site
        added = {first + node: gpus for node, gpus in parts}
        self.level[row] = level
        each_w = [self.reserved_w(at, row, added) for at in range(len(self.clusters))]
        here_w = sum(w for w, p in zip(each_w, self.powers, strict=True) if p.site == site)
        most = 1 + ROUNDING
        fits = each_w[number] <= self.powers[number].budget_w * most
        return fits and here_w <= self.site_budgets_w[site] * most

    def reserved_w(self, number: int, row: int, added: dict[int, int]) -> float:
        """Return what a cluster reserves, with a job added to some of its nodes."""
        cluster, power = self.clusters[number], self.powers[number]
        total = 0.0
        for node in range(cluster.first, cluster.first + cluster.nodes):
            held = dict(self.shares[node])
            if node in added:
                held[row] = added[node]
            total += self.reserve(number, held)
        return power.floor_w * cluster.nodes + (cluster.busy_w - cluster.idle_w) * total

    def reserve(self, number: int, held: dict[int, int]) -> float:
        """Return the share of the span that a node may draw until its jobs have ended."""
        power, whole = self.powers[number], self.clusters[number].accelerators
        busy = [gpus * self.jobs[row].utilisation / whole for row, gpus in held.items()]
        draws = [power.levels[self.level[row]][1] for row in held]
        drawn = sum(u * draw for u, draw in zip(busy, draws, strict=True))
        if not power.bent or not held:
            return drawn
        if power.concave:
            return max(draws) * power.curve(drawn / max(draws))
        return max(draws) * power.curve(sum(busy))

    def record(self, node: int) -> None:
        """Note what a node holds from now on."""
        super().record(node)
        self.loads[node].append((self.now_ms, dict(self.shares[node])))

    # What it came to

    def parts_of(self, node: int, held: dict[int, int]) -> dict[int, float]:
        """Return what each job on a node draws. [W]"""
        number = self.nodes[node].cluster
        cluster, power = self.clusters[number], self.powers[number]
        load = {row: gpus * self.jobs[row].utilisation for row, gpus in held.items()}
        busy = math.fsum(load.values())
        if not busy:
            return dict.fromkeys(held, 0.0)
        span_w = (cluster.busy_w - cluster.idle_w) * power.curve(busy / cluster.accelerators)
        return {
            row: span_w * power.levels[self.level[row]][1] * at_work / busy
            for row, at_work in load.items()
        }

    def rest_w(self, node: int, phase: str, state: int) -> float:
        """Return what a node draws beside its jobs. [W]"""
        number = self.nodes[node].cluster
        ladder = self.ladders[number]
        if phase == AWAKE or ladder is None:
            return self.clusters[number].idle_w
        column = {ENTERING: ladder.enter_w, RESTING: ladder.power_w}.get(phase, ladder.wake_w)
        return column[state]

    def pieces(self, node: int) -> Iterator[tuple[int, int, float, dict[int, float]]]:
        """Yield (from, to, power beside jobs, power of each job) where nothing changes between."""
        phases = self.nodes[node].phases
        ends = [at for at, _ in self.loads[node][1:]] + [self.stop_ms]
        loads = [(at, end, held) for (at, held), end in zip(self.loads[node], ends, strict=True)]
        edges = sorted({t for a, b, *_ in (*phases, *loads) for t in (a, b)})
        for first, last in itertools.pairwise(edges):
            ((phase, state),) = {p[2:] for p in phases if p[0] <= first and last <= p[1]}
            held = next(held for a, b, held in loads if a <= first and last <= b)
            yield first, last, self.rest_w(node, phase, state), self.parts_of(node, held)

    def power_over_time(self, cluster: int) -> dict[int, float]:
        """Return the changes of a cluster's IT power, by the instant of the change. [W]"""
        steps: dict[int, float] = defaultdict(float)
        for node in self.nodes_of(cluster):
            for first, last, rest_w, parts_w in self.pieces(node.number):
                steps[first] += rest_w + math.fsum(parts_w.values())
                steps[last] -= rest_w + math.fsum(parts_w.values())
        return steps


@dataclass
class Billed:
    """Energy of a run by half-hours from its start on. [kWh]"""

    by_cluster: dict[tuple[int, int], float]
    by_node: dict[int, float]
    dynamic: dict[tuple[int, int], float]
    idle: dict[tuple[int, int], float]


def bill(model: PowerModel, begin_ms: int) -> Billed:
    """Integrate a run from the end of its warm-up on, a piece of a node at a time."""
    result: Any = Billed(*(defaultdict(float) for _ in range(4)))
    for node in model.nodes:
        cluster = model.clusters[node.cluster]
        held_at = dict(model.loads[node.number])
        for first, last, rest_w, parts_w in model.pieces(node.number):
            held = held_at[max(at for at in held_at if at <= first)]
            now_ms = max(first, begin_ms)
            while now_ms < last:
                half_hour = now_ms // MS_PER_HALF_HOUR
                next_ms = min(last, (half_hour + 1) * MS_PER_HALF_HOUR)
                kwh = (next_ms - now_ms) / W_MS_PER_KWH
                drawn = kwh * (rest_w + math.fsum(parts_w.values()))
                result.by_cluster[node.cluster, half_hour] += drawn
                result.by_node[node.number] += drawn
                for row, watts in parts_w.items():
                    idle_w = cluster.idle_w * held[row] / cluster.accelerators
                    result.dynamic[row, half_hour] += kwh * watts
                    result.idle[row, half_hour] += kwh * idle_w
                now_ms = next_ms
    return result
