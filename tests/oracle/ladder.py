"""Idle states in the readable model: nodes descend a ladder and are woken by the queue.

Before each scheduling pass every node is walked along its ladder up to that instant, one step at
a time. What ends at the instant is over; what would begin at it has not begun, so a gap that
ends exactly when a node would fall asleep finds it awake. After the jobs have started, nodes are
woken or wake-ups cancelled until as many are on their way as the queue needs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

from tests.oracle.model import COMPLETION, MS_PER_S, Cluster, Job, Model, Moment

AWAKE, ENTERING, RESTING, WAKING = "awake", "entering", "resting", "waking"
NOBODY = -1
NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Ladder:
    """Idle states of a cluster's nodes, shallow first: each field has one entry per state.

    `after_ms` counts from the instant a node became idle; `max_waking` is the number of nodes
    that may be waking at once, without a bound where it is None.
    """

    after_ms: tuple[int, ...]
    enter_ms: tuple[int, ...]
    power_w: tuple[float, ...]
    enter_w: tuple[float, ...]
    wake_ms: tuple[int, ...]
    wake_w: tuple[float, ...]
    max_waking: int | None = None


@dataclass(slots=True)
class Node:
    """One node of a cluster with a ladder.

    `phase` and `state` say what it does, since `since_ms`; it became idle at `idle_ms`, and takes
    its first state `first_ms` later. `first` is the first state of its descent in which it can't
    work at once, `rests` when it came to rest there, or when and as which its last wake-up was
    cancelled. Nothing deeper begins before `released_ms`, the last instant it was kept from
    descending. `begun_ms` is when the wake-up under way was begun, NOBODY where there is none,
    and `turn` as which of all.
    """

    number: int
    cluster: int
    phase: str = AWAKE
    state: int = -1
    since_ms: int = 0
    idle_ms: int = 0
    first_ms: int = 0
    first: int = 0
    rests: tuple[int, int] = (-1, 0)
    kept: bool = False
    released_ms: int = 0
    begun_ms: int = NOBODY
    turn: int = 0
    wake_ups: int = 0
    cancelled: int = 0
    spent_ms: Counter[tuple[str, int]] = field(default_factory=Counter)

    def move(self, at_ms: int, phase: str, state: int) -> None:
        """Go over to another phase."""
        self.spent_ms[self.phase, self.state] += at_ms - self.since_ms
        self.phase, self.state, self.since_ms = phase, state, at_ms


class LadderModel(Model):
    """A run of `Model` in which idle nodes sleep.

    `ladders` has one entry per cluster, None where nodes stay awake. `keep_free` and `keep_awake`
    are constants per cluster: idle nodes kept ready beyond what the queue needs, and nodes kept
    awake, busy ones included. `wake_draws` and `timer_draws` hold a sequence per cluster or None:
    wake times in the order in which wake-ups begin, and times from becoming idle to the first
    state in the order in which nodes become idle.
    """

    def __init__(
        self,
        clusters: list[Cluster],
        ladders: Sequence[Ladder | None],
        jobs: list[Job],
        end_ms: int,
        *,
        drain: bool = False,
        keep_free: Sequence[int] = (),
        keep_awake: Sequence[int] = (),
        wake_draws: Sequence[Sequence[int] | None] | None = None,
        timer_draws: Sequence[Sequence[int] | None] | None = None,
    ) -> None:
        super().__init__(clusters, jobs, end_ms, drain=drain)
        self.ladders = ladders
        self.keep_free = keep_free or [0] * len(clusters)
        self.keep_awake = keep_awake or [0] * len(clusters)
        self.wake_draws = iterators(wake_draws, len(clusters))
        self.timer_draws = iterators(timer_draws, len(clusters))
        self.nodes = [
            Node(cluster.first + k, number)
            for number, cluster in enumerate(clusters)
            for k in range(cluster.nodes)
        ]
        self.dynamic_j = [0.0] * len(self.nodes)
        self.claimed = [0] * len(clusters)
        self.turns = 0

    def run(self) -> "LadderModel":
        """Run to the end, or with `drain` until the last job ends."""
        for node in self.nodes:
            self.becomes_idle(node)
        self.keep()
        super().run()
        if self.drain:  # wake-ups that were cancelled may have kept the clock going
            self.stop_ms = max(self.end_of_run_ms, *self.end_ms)
        for node in self.nodes:
            self.walk(node, self.stop_ms)
            node.move(self.stop_ms, node.phase, node.state)
        return self

    # An instant

    def scheduling_pass(self, due: simpy.Event) -> None:
        """Start jobs on the nodes that are ready, then see to it that enough are waking."""
        for node in self.nodes:
            if node.number not in self.touched:  # idle only from this instant on
                self.walk(node, self.now_ms)
        super().scheduling_pass(due)
        if self.drain or self.now_ms < self.end_of_run_ms:
            self.provision()
        self.keep()

    def hold(self, number: int, row: int, parts: list[tuple[int, int]]) -> None:
        """Give a job its accelerators; a node in a state without latency is awake at once."""
        super().hold(number, row, parts)
        for part, _ in parts:
            node = self.nodes[self.clusters[number].first + part]
            if self.shares[node.number] and node.phase == RESTING:
                node.wake_ups += 1
                node.move(self.now_ms, AWAKE, -1)

    def record(self, node: int) -> None:
        """Note what a node now holds; one that holds nothing has become idle."""
        super().record(node)
        if not self.shares[node]:
            self.becomes_idle(self.nodes[node])

    def becomes_idle(self, node: Node) -> None:
        """Start a node's idle clock."""
        node.idle_ms = self.now_ms
        ladder, draws = self.ladders[node.cluster], self.timer_draws[node.cluster]
        if ladder is not None:
            node.first_ms = ladder.after_ms[0] if draws is None else next(draws)

    # Down the ladder

    def walk(self, node: Node, now_ms: int) -> None:
        """Take each step that ends a phase by now, or begins to enter a state before now."""
        while (step := self.next_step(node)) is not None:
            at_ms, phase, state = step
            if at_ms > now_ms or (at_ms == now_ms and phase == ENTERING):
                return
            node.move(at_ms, phase, state)
            if phase == ENTERING and not self.is_ready(node):
                self.falls_asleep(node)
            if not self.is_ready(node):
                self.free[node.cluster][node.number - self.clusters[node.cluster].first] = 0

    def falls_asleep(self, node: Node) -> None:
        """Note when a node comes to rest in the first state from which it can't work at once."""
        ladder = self.ladders[node.cluster]
        if ladder is not None and (node.state == 0 or self.without_latency(node, node.state - 1)):
            enter_ms = ladder.enter_ms[node.state]
            node.first = node.state
            node.rests = (node.since_ms + enter_ms, 0 if enter_ms else NEVER)

    def next_step(self, node: Node) -> tuple[int, str, int] | None:
        """Return when a node left alone changes its phase, and to which phase and state."""
        ladder = self.ladders[node.cluster]
        if ladder is None or node.phase == WAKING:
            return None
        if node.phase == ENTERING:
            over_ms = node.since_ms + ladder.enter_ms[node.state]
            return over_ms, RESTING if node.begun_ms == NOBODY else WAKING, node.state
        deeper = node.state + 1
        if deeper == len(ladder.after_ms) or self.shares[node.number]:
            return None
        after_ms = ladder.after_ms[deeper] if deeper else node.first_ms
        begin_ms = max(node.idle_ms + after_ms, node.since_ms)
        if self.is_ready(node) and not self.without_latency(node, deeper):
            if node.kept:
                return None
            begin_ms = max(begin_ms, node.released_ms)
        return begin_ms, ENTERING, deeper

    def is_ready(self, node: Node) -> bool:
        """Return whether jobs can be placed on a node: it is awake, or it would be at once."""
        if node.phase == AWAKE:
            return True
        return node.phase != WAKING and self.without_latency(node, node.state)

    def without_latency(self, node: Node, state: int) -> bool:
        """Return whether a node in a state would be at work at once, as in all above it."""
        ladder = self.ladders[node.cluster]
        if ladder is None or self.wake_draws[node.cluster] is not None:
            return ladder is None
        return not any(ladder.enter_ms[i] or ladder.wake_ms[i] for i in range(state + 1))

    # Up again

    def provision(self) -> None:
        """Wake nodes, or cancel wake-ups, until as many are waking as are needed.

        Where a node is awake at once, another pass follows, and only the last one cancels.
        """
        surplus: list[Node] = []
        at_once = False
        for number, needed in enumerate(self.nodes_needed()):
            ladder, nodes = self.ladders[number], self.nodes_of(number)
            if ladder is None:
                continue
            waking = [node for node in nodes if node.begun_ms != NOBODY]
            asleep = [n for n in nodes if n.begun_ms == NOBODY and not self.is_ready(n)]
            wanted = min(needed, len(waking) + len(asleep))
            if ladder.max_waking is not None:
                wanted = min(wanted, ladder.max_waking)
            for node in sorted(asleep, key=last_asleep)[: max(0, wanted - len(waking))]:
                at_once |= self.wake(node, ladder)
            surplus += sorted(waking, key=last_begun)[: max(0, len(waking) - wanted)]
        for node in surplus if not at_once else ():
            self.cancel(node)

    def wake(self, node: Node, ladder: Ladder) -> bool:
        """Begin a wake-up and return whether it is over at once; entering a state ends first."""
        draws = self.wake_draws[node.cluster]
        wake_ms = ladder.wake_ms[node.state] if draws is None else next(draws)
        node.wake_ups += 1
        node.begun_ms = begins_ms = self.now_ms
        self.turns += 1
        node.turn = self.turns
        if node.phase == ENTERING:
            begins_ms = max(self.now_ms, node.since_ms + ladder.enter_ms[node.state])
        else:
            node.move(self.now_ms, WAKING, node.state)
        over = Moment(self.env, begins_ms + wake_ms - self.now_ms, COMPLETION)
        turn = node.turn
        over.callbacks.append(lambda _: self.awake(node, turn))
        return begins_ms + wake_ms == self.now_ms

    def cancel(self, node: Node) -> None:
        """Let a node fall back to the state it came from, or go on entering it.

        A wake-up cancelled at the instant at which it was begun has never been.
        """
        if node.begun_ms == self.now_ms:
            node.wake_ups -= 1
        else:
            node.cancelled += 1
        node.begun_ms = NOBODY
        if (node.phase, node.state) != (ENTERING, node.first):
            self.turns += 1
            node.rests = (self.now_ms, self.turns)
        if node.phase == WAKING:
            node.move(self.now_ms, RESTING, node.state)

    def awake(self, node: Node, turn: int) -> None:
        """End a wake-up, unless it was cancelled or a draining run was over before."""
        over = self.drain and self.now_ms > self.end_of_run_ms and not (self.queue or self.parts)
        if node.begun_ms == NOBODY or node.turn != turn or over:
            return
        self.walk(node, self.now_ms)
        node.move(self.now_ms, AWAKE, -1)
        node.begun_ms = NOBODY
        cluster = self.clusters[node.cluster]
        self.free[node.cluster][node.number - cluster.first] = cluster.accelerators
        self.touched.add(node.number)
        self.ask_for_pass()

    # How many

    def nodes_needed(self) -> list[int]:
        """Return the nodes each cluster lacks for its queue and for what is kept ready."""
        nodes = [self.nodes_of(number) for number in range(len(self.clusters))]
        ready = [[node for node in mine if self.is_ready(node)] for mine in nodes]
        asleep = [len(mine) - len(awake) for mine, awake in zip(nodes, ready, strict=True)]
        room = [[self.free_of(node) for node in awake] for awake in ready]
        needed = [0] * len(self.clusters)
        for _, _, row, _ in sorted(self.queue, key=lambda waiting: waiting[:3]):
            gpus, able = self.jobs[row].gpus, self.able(self.jobs[row])
            packed = [pack(room[n], gpus, self.clusters[n].accelerators) for n in able]
            choice = 0  # the first able cluster, unless another can meet the need
            for k, (_, more) in enumerate(packed):
                if more == 0 or needed[able[k]] + more <= asleep[able[k]]:
                    choice = k
                    break
            room[able[choice]], more = packed[choice]
            needed[able[choice]] += more
        for number, cluster in enumerate(self.clusters):
            spare = room[number].count(cluster.accelerators)
            idle = sum(not self.shares[node.number] for node in ready[number])
            self.claimed[number] = idle - spare
            free = needed[number] + max(0, self.keep_free[number] - spare)
            needed[number] = max(free, self.keep_awake[number] - len(ready[number]))
        return needed

    def keep(self) -> None:
        """Keep the nodes idle most recently from descending: as many as waiting jobs count on and
        as are to be kept beyond.
        """
        for number in range(len(self.clusters)):
            ready = [node for node in self.nodes_of(number) if self.is_ready(node)]
            idle = [node for node in ready if not self.shares[node.number]]
            occupied = len(ready) - len(idle)
            most = self.claimed[number] + self.keep_free[number]
            most = max(most, self.keep_awake[number] - occupied)
            for rank, node in enumerate(sorted(idle, key=lambda n: (-n.idle_ms, n.number))):
                if node.kept and rank >= most:
                    node.released_ms = self.now_ms
                node.kept = rank < most

    def nodes_of(self, number: int) -> list[Node]:
        """Return the nodes of a cluster."""
        cluster = self.clusters[number]
        return self.nodes[cluster.first : cluster.first + cluster.nodes]

    def free_of(self, node: Node) -> int:
        """Return the free accelerators of a node."""
        return self.free[node.cluster][node.number - self.clusters[node.cluster].first]

    # What it cost

    def integrate(self, node: int, now_ms: int) -> None:
        """Add the dynamic energy of a node since it last changed."""
        cluster = self.owner[node]
        busy_w = (cluster.busy_w - cluster.idle_w) * self.state[node][1] / cluster.accelerators
        self.dynamic_j[node] += busy_w * (now_ms - self.since_ms[node]) / MS_PER_S
        self.since_ms[node] = now_ms

    def energy_by_kind_j(self, node: Node) -> tuple[float, float, float, float]:
        """Return dynamic, idle, sleep and transition energy of a node. [J]"""
        ladder, spent_ms = self.ladders[node.cluster], node.spent_ms
        idle_j = spent_ms[AWAKE, -1] * self.clusters[node.cluster].idle_w / MS_PER_S
        sleep_j = transition_j = 0.0
        for i, power_w in enumerate(ladder.power_w if ladder else ()):
            sleep_j += spent_ms[RESTING, i] * power_w / MS_PER_S
            transition_j += spent_ms[ENTERING, i] * ladder.enter_w[i] / MS_PER_S
            transition_j += spent_ms[WAKING, i] * ladder.wake_w[i] / MS_PER_S
        return self.dynamic_j[node.number], idle_j, sleep_j, transition_j


def iterators(draws: Sequence[Any] | None, clusters: int) -> list[Iterator[int] | None]:
    """Return an iterator over each cluster's draws, None where there are none."""
    return [None if drawn is None else iter(drawn) for drawn in draws or [None] * clusters]


def last_asleep(node: Node) -> tuple[bool, int, int, int, int]:
    """Order nodes as they are woken: the last to come to rest first, those not yet at rest last.

    A node whose wake-up was cancelled came to rest then. Of several at once the one idle for the
    shortest time comes first, then the lowest.
    """
    at_ms, turn = node.rests
    entering = (node.phase, node.state) == (ENTERING, node.first)
    return entering, -at_ms, -turn, -node.idle_ms, node.number


def last_begun(node: Node) -> int:
    """Order wake-ups as they are cancelled: the last begun first."""
    return -node.turn


def pack(room: list[int], gpus: int, whole: int) -> tuple[list[int], int]:
    """Return the free accelerators of nodes after a job is packed on them, and new nodes used."""
    room, new = list(room), 0
    nodes, rest = divmod(gpus, whole)
    for _ in range(nodes):
        if whole in room:
            room[room.index(whole)] = 0
        else:
            room, new = [*room, 0], new + 1
    if rest:
        fits = [free for free in room if free >= rest]
        if fits:
            room[room.index(min(fits))] -= rest
        else:
            room, new = [*room, whole - rest], new + 1
    return room, new
