"""The engine's rules a second time, to be read from top to bottom: one SimPy process per job.

Nothing here is shared with the engine, and nothing is clever, so that the two can disagree.
An instant is settled in the order of three event priorities: completions, arrivals in row
order, and one scheduling pass, after which the nodes that changed are recorded.
"""

import heapq
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

COMPLETION, ARRIVAL, PASS = 1, 2, 3
MS_PER_S = 1_000
MS_PER_H = 3_600_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """Equal nodes under one queue; `first` is the number of its first node in the fleet."""

    first: int
    nodes: int
    accelerators: int
    placement: str
    idle_w: float
    busy_w: float
    relative_speed: float


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the workload; `route` lists clusters in order of preference."""

    submit_ms: int
    duration_ms: float
    gpus: int
    utilisation: float
    priority: int
    route: tuple[int, ...]
    scales: bool


class Moment(simpy.Event):
    """Something that happens `delay` ms from now, in its place in the order of that instant."""

    def __init__(self, env: simpy.Environment, delay: int, priority: int) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, priority, delay)  # type: ignore[arg-type]


class Model:
    """One run: the state of the fleet, and what became of every job.

    `start_ms`, `end_ms`, `cluster` and `first_node` are -1 where there is none; `log` holds
    (time, node, accelerators held, busy accelerators) for each node that changed at an instant;
    `energy_j` is each node's energy up to `stop_ms`.
    """

    def __init__(
        self,
        clusters: list[Cluster],
        jobs: list[Job],
        end_ms: int,
        *,
        drain: bool = False,
        keep_log: bool = True,
    ) -> None:
        self.clusters, self.jobs, self.drain, self.keep_log = clusters, jobs, drain, keep_log
        self.env = simpy.Environment(initial_time=0)
        self.end_of_run_ms = end_ms
        # One byte per node, so that `find` looks for the lowest node with so many free.
        self.free = [bytearray([c.accelerators]) * c.nodes for c in clusters]
        self.queue: list[tuple[int, int, int, simpy.Event]] = []  # everybody who waits
        self.pass_due = False
        self.owner = [c for c in clusters for _ in range(c.nodes)]
        self.shares: list[dict[int, int]] = [{} for _ in self.owner]  # node -> {job: held}
        self.parts: dict[int, list[tuple[int, int]]] = {}  # running job -> [(node, held)]
        self.touched: set[int] = set()
        self.state = [(0, 0.0)] * len(self.owner)  # held, busy as last recorded
        self.since_ms = [0] * len(self.owner)
        self.energy_j = [0.0] * len(self.owner)
        self.log: list[tuple[int, int, int, float]] = []
        self.start_ms, self.end_ms = [-1] * len(jobs), [-1] * len(jobs)
        self.cluster, self.first_node = [-1] * len(jobs), [-1] * len(jobs)

    def run(self) -> "Model":
        """Run to the end, or with `drain` until the last job ends."""
        for row in range(len(self.jobs)):
            self.env.process(self.job(row))
        end_ms = self.end_of_run_ms
        self.env.run(until=None if self.drain else end_ms + 1)
        self.stop_ms = max(end_ms, self.now_ms) if self.drain else end_ms
        for node in range(len(self.owner)):
            self.integrate(node, self.stop_ms)
        return self

    @property
    def now_ms(self) -> int:
        """The time, which stays a whole number because every delay is one."""
        return int(self.env.now)

    def job(self, row: int) -> Generator[simpy.Event, Any, None]:
        """Arrive, wait for accelerators, hold them, end."""
        job = self.jobs[row]
        yield Moment(self.env, job.submit_ms, ARRIVAL)
        self.ask_for_pass()
        able = self.able(job)
        if not able:
            return
        self.cluster[row] = able[0]
        started = self.env.event()
        heapq.heappush(self.queue, (-job.priority, job.submit_ms, row, started))
        yield started
        if self.end_ms[row] < 0:
            yield Moment(self.env, self.duration_ms(row), COMPLETION)
            self.release(row)
            self.ask_for_pass()

    def duration_ms(self, row: int) -> int:
        """Return the run time on the job's cluster, rounded to the nearest ms, half to even."""
        job, cluster = self.jobs[row], self.clusters[self.cluster[row]]
        return round(job.duration_ms / (cluster.relative_speed if job.scales else 1.0))

    def ask_for_pass(self) -> None:
        """Have the schedulers look once at the end of this instant."""
        if not self.pass_due:
            self.pass_due = True
            Moment(self.env, 0, PASS).callbacks.append(self.scheduling_pass)

    def able(self, job: Job) -> list[int]:
        """Return the clusters of a job's route that could hold it when empty."""
        clusters = ((number, self.clusters[number]) for number in job.route)
        return [n for n, c in clusters if -(-job.gpus // c.accelerators) <= c.nodes]

    def place(self, number: int, gpus: int) -> list[tuple[int, int]] | None:
        """Return [(node, accelerators)] for a job, or None where it doesn't fit now."""
        cluster, free = self.clusters[number], self.free[number]
        if gpus <= cluster.accelerators:
            node = self.choose(number, gpus, set())
            return None if node is None else [(node, gpus)]
        whole, rest = divmod(gpus, cluster.accelerators)
        nodes = [free.find(cluster.accelerators)]
        while nodes[-1] >= 0 and len(nodes) < whole:
            nodes.append(free.find(cluster.accelerators, nodes[-1] + 1))
        last = self.choose(number, rest, set(nodes)) if rest else -1
        if nodes[-1] < 0 or last is None:
            return None
        return [(n, cluster.accelerators) for n in nodes] + ([(last, rest)] if rest else [])

    def choose(self, number: int, gpus: int, taken: set[int]) -> int | None:
        """Return the node for `gpus` on one node: fullest, emptiest or lowest that has them."""
        lowest = {}  # free accelerators -> lowest such node not taken
        for free in range(gpus, self.clusters[number].accelerators + 1):
            node = self.free[number].find(free)
            while node in taken and node >= 0:
                node = self.free[number].find(free, node + 1)
            if node >= 0:
                lowest[free] = node
        if not lowest:
            return None
        placement = self.clusters[number].placement
        if placement == "first-fit":
            return min(lowest.values())
        return lowest[min(lowest) if placement == "pack" else max(lowest)]

    def scheduling_pass(self, due: simpy.Event) -> None:
        """Start jobs in the order of the queue; who finds no room blocks where it may run."""
        self.pass_due = False
        if self.drain or self.now_ms < self.end_of_run_ms:
            blocked: set[int] = set()
            still_waiting = []
            while self.queue and len(blocked) < len(self.clusters):
                waiting = heapq.heappop(self.queue)
                if not self.start(waiting[2], blocked):
                    blocked.update(self.able(self.jobs[waiting[2]]))
                    still_waiting.append(waiting)
                else:
                    waiting[3].succeed()
            for waiting in still_waiting:
                heapq.heappush(self.queue, waiting)
        for node in sorted(self.touched):
            self.record(node)
        self.touched.clear()

    def start(self, row: int, blocked: set[int]) -> bool:
        """Start a job on the first of its clusters that has room and is not blocked."""
        for number in self.able(self.jobs[row]):
            if number not in blocked and (parts := self.place(number, self.jobs[row].gpus)):
                self.hold(number, row, parts)
                return True
        return False

    def hold(self, number: int, row: int, parts: list[tuple[int, int]]) -> None:
        """Give a job its accelerators; a job of no duration gives them back at once."""
        self.start_ms[row] = self.now_ms
        self.cluster[row] = number
        if self.duration_ms(row) == 0:
            self.end_ms[row] = self.now_ms
            return
        first = self.clusters[number].first
        self.first_node[row] = first + min(node for node, _ in parts)
        for node, gpus in parts:
            self.free[number][node] -= gpus
            self.shares[first + node][row] = gpus
            self.touched.add(first + node)
        self.parts[row] = parts

    def release(self, row: int) -> None:
        """Take a job's accelerators back."""
        self.end_ms[row] = self.now_ms
        number = self.cluster[row]
        first = self.clusters[number].first
        for node, gpus in self.parts.pop(row):
            self.free[number][node] += gpus
            del self.shares[first + node][row]
            self.touched.add(first + node)

    def record(self, node: int) -> None:
        """Note what a node now holds, and the energy it drew until now."""
        shares = self.shares[node].items()
        held = sum(gpus for _, gpus in shares)
        busy = float(sum(gpus * self.jobs[row].utilisation for row, gpus in shares))
        if (held, busy) != self.state[node]:
            self.integrate(node, self.now_ms)
            self.state[node] = (held, busy)
            if self.keep_log:
                self.log.append((self.now_ms, node, held, busy))

    def integrate(self, node: int, now_ms: int) -> None:
        """Add what a node drew since it last changed."""
        power_w = power(self.owner[node], self.state[node][1])
        self.energy_j[node] += power_w * (now_ms - self.since_ms[node]) / MS_PER_S
        self.since_ms[node] = now_ms


def power(cluster: Cluster, busy: float) -> float:
    """Return what a node draws with so many accelerators busy. [W]"""
    return cluster.idle_w + (cluster.busy_w - cluster.idle_w) * busy / cluster.accelerators


def hourly_energy_j(model: Model) -> list[list[float]]:
    """Return the energy of each cluster in each hour, walking every node hour by hour. [J]"""
    hours = -(-model.stop_ms // MS_PER_H)
    energy_j = [[0.0] * hours for _ in model.clusters]
    for number, cluster in enumerate(model.clusters):
        for node in range(cluster.first, cluster.first + cluster.nodes):
            changes = [(at, busy) for at, n, _, busy in model.log if n == node]
            edges = [0, *(at for at, _ in changes), model.stop_ms]
            for k, busy in enumerate([0.0, *(busy for _, busy in changes)]):
                now_ms = edges[k]
                while now_ms < edges[k + 1]:
                    next_ms = min((now_ms // MS_PER_H + 1) * MS_PER_H, edges[k + 1])
                    drawn_j = power(cluster, busy) * (next_ms - now_ms) / MS_PER_S
                    energy_j[number][now_ms // MS_PER_H] += drawn_j
                    now_ms = next_ms
    return energy_j


def inputs_of(fleet: Any, table: Any) -> tuple[list[Cluster], list[Job]]:
    """Return a fleet and a job table, given as columns, in the words of this model."""
    placements = ("pack", "first-fit", "spread")
    first = [int(node) for node in fleet.first_node]
    clusters = [
        Cluster(
            first[k],
            first[k + 1] - first[k],
            int(fleet.accelerators[k]),
            placements[int(fleet.placement[k])],
            float(fleet.idle_w[k]),
            float(fleet.busy_w[k]),
            float(fleet.relative_speed[k]),
        )
        for k in range(len(first) - 1)
    ]
    columns = (table.submit_ms, table.duration_ms, table.gpus, table.utilisation, table.priority)
    rows = zip(*(c.tolist() for c in (*columns, table.route, table.workload)), strict=True)
    jobs = [Job(*row, table.routes[route], table.scales[work]) for *row, route, work in rows]
    return clusters, jobs
