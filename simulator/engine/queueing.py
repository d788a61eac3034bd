"""Queue rules as the kernels need them: ranks of waiting jobs, and the tables of backfill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulator.engine.preempting import Preempting
from simulator.errors import InputError, Issue
from simulator.fleet import Fleet
from simulator.kernels import locality
from simulator.kernels import tables as kernels
from simulator.policies import ClusterPlacement, ClusterScheduling
from simulator.policies.queue_rule import QueueRule
from simulator.power.ladder import Ladders
from simulator.power.tables import PowerTables
from simulator.workload.table import JobTable

BACKFILLS = {
    "none": kernels.PLAIN,
    "easy": kernels.EASY,
    "conservative": kernels.CONSERVATIVE,
}
MOST_JUDGED = 512
"""Largest gang of which a pass remembers whether there was room for one of its size."""
LARGEST_PROFILE = 1 << 28
"""Cells that conservative backfill may keep of what is free on each node and when: 512 MB."""


@dataclass(frozen=True, slots=True)
class Queues:
    """How each cluster's queue is ordered and backfilled, and how much each workload may hold.

    Attributes
    ----------
    rules : tuple of QueueRule
        One for each cluster; clusters that share jobs have equal ones.
    quotas : tuple of int
        Accelerators that the jobs of each workload may hold at once; 0 for no limit.
    asked : mapping of int to ClusterScheduling
        Policies in plain Python, by cluster. Their queues are in the order of arrival, which is
        what the cluster's rule says.
    placed : mapping of int to ClusterPlacement
        Policies in plain Python that place jobs, by cluster.
    preempting : tuple of (Preempting or None)
        How the jobs of each cluster are preempted, None where they are not; empty where none are.
    """

    rules: tuple[QueueRule, ...]
    quotas: tuple[int, ...]
    asked: Mapping[int, ClusterScheduling] = field(default_factory=dict)
    placed: Mapping[int, ClusterPlacement] = field(default_factory=dict)
    preempting: tuple[Preempting | None, ...] = ()

    @classmethod
    def plain(cls, fleet: Fleet, jobs: JobTable) -> "Queues":
        """Return queues that are first come, first served, without quotas."""
        return cls((QueueRule(),) * len(fleet.cluster_names), (0,) * len(jobs.workload_names))

    @property
    def ruled(self) -> bool:
        """Whether any queue needs more than jobs in an order that never changes."""
        backfills = any(rule.backfill != "none" for rule in self.rules)
        backfills = backfills or self.fair or any(self.quotas) or self.preempts
        return backfills or bool(self.asked) or bool(self.placed)

    @property
    def preempts(self) -> bool:
        """Whether jobs are preempted on any cluster."""
        return any(self.preempting)

    @property
    def fair(self) -> bool:
        """Whether any queue is in the order of what was used of late."""
        return any(rule.order == "fair-share" for rule in self.rules)

    @property
    def conservative(self) -> bool:
        """Whether any queue is backfilled conservatively."""
        return any(rule.backfill == "conservative" for rule in self.rules)

    @property
    def asking(self) -> bool:
        """Whether any queue is served outside the compiled loop."""
        return self.conservative or bool(self.asked) or bool(self.placed)

    @property
    def walks(self) -> bool:
        """Whether queues without backfill are served outside the compiled loop.

        All of them are where a policy places the jobs of one, since they may share jobs.
        """
        return any(at not in self.asked for at in self.placed)


def is_ruled(queues: Queues, fleet: Fleet) -> bool:
    """Return whether a run needs the tables of queue rules: for its queues, or its racks."""
    return queues.ruled or fleet.racks is not None


def ranks(
    queues: Queues,
    jobs: JobTable,
    route: NDArray[np.int16],
    routes: Sequence[Sequence[int]],
) -> NDArray[np.int32]:
    """Return each job's rank in the order of its queue, int32[jobs]; 0 is served first.

    Jobs of one rank are served as they were submitted. Ranks of routes whose clusters have unlike
    rules are not comparable, nor ever compared.
    """
    rules = {queues.rules[clusters[0]] for clusters in routes}
    if len(rules) <= 1:
        rule = next(iter(rules), QueueRule())
        return _dense(_keys(rule, jobs, slice(None)), len(jobs))
    of_route = [queues.rules[clusters[0]] for clusters in routes]
    rank = np.zeros(len(jobs), np.int32)
    for rule in rules:
        mine = np.array([other == rule for other in of_route] + [False])
        rows = np.flatnonzero(mine[route])
        rank[rows] = _dense(_keys(rule, jobs, rows), len(rows))
    return rank


def _keys(
    rule: QueueRule, jobs: JobTable, rows: "NDArray[np.int64] | slice"
) -> tuple[NDArray[np.generic], ...]:
    """Return what decides the order of jobs, the most important last."""
    priority = -jobs.priority[rows].astype(np.int64)
    if rule.order == "ageing":
        return (jobs.submit_ms[rows] + priority * rule.ageing_ms,)
    if rule.order == "deadline" and jobs.deadline_ms is not None:
        return (np.nan_to_num(jobs.deadline_ms[rows], nan=np.inf, posinf=np.inf), priority)
    if rule.order == "shortest":
        asked = jobs.duration_ms if jobs.requested_ms is None else jobs.requested_ms
        size = asked[rows] * (jobs.gpus[rows] if rule.by == "area" else 1)
        return (size, priority)
    return (priority,)


def _dense(keys: tuple[NDArray[np.generic], ...], count: int) -> NDArray[np.int32]:
    """Return the rank of each row among the distinct ones."""
    if not count or all(key.min() == key.max() for key in keys):
        return np.zeros(count, np.int32)
    order = np.lexsort(keys)
    new = np.zeros(count, bool)
    for key in keys:
        along = key[order]
        new[1:] |= along[1:] != along[:-1]
    rank = np.empty(count, np.int32)
    rank[order] = np.cumsum(new)
    return rank


def lines_of(
    rank: NDArray[np.int32], route: NDArray[np.int16], routes: int
) -> tuple[NDArray[np.int32], list[int]]:
    """Return each job's line among those of its route, and how many lines each route has."""
    if routes == 1 or not len(rank) or not rank.any():
        return rank, [int(rank.max(initial=0)) + 1] * routes
    line = np.zeros(len(rank), np.int32)
    counts = []
    for number in range(routes):
        rows = np.flatnonzero(route == number)
        distinct, own = np.unique(rank[rows], return_inverse=True)
        line[rows] = own
        counts.append(max(1, len(distinct)))
    return line, counts


def queueing_tables(
    queues: Queues,
    fleet: Fleet,
    power: PowerTables,
    jobs: JobTable,
    slots: int,
    shares: kernels.Shares | None = None,
) -> kernels.Queueing:
    """Return the tables of queue rules.

    Raises
    ------
    InputError
        If conservative backfill would need more memory than is sensible.
    """
    clusters = len(fleet.cluster_names)
    slots = max(1, slots)
    backfill = np.array([BACKFILLS[rule.backfill] for rule in queues.rules], np.int64)
    if queues.walks:
        backfill[backfill == kernels.PLAIN] = kernels.PLACED
    backfill[list(queues.asked)] = kernels.PLUGIN
    running = np.minimum(fleet.capacity, len(jobs)) * (backfill != kernels.PLAIN)
    rules = np.zeros((clusters, kernels.RULE_SIZE), np.int64)
    rules[:, kernels.BACKFILL] = backfill
    rules[:, kernels.DEPTH] = [rule.depth for rule in queues.rules]
    rules[:, kernels.ENDS_BASE] = np.cumsum([0, *running])[:-1]
    rules[:, kernels.LONGEST_WAKE_MS] = longest_wake_ms(power.ladders)
    rules[:, kernels.HEAD] = kernels.NONE
    rules[list(queues.placed), kernels.ASKS] = 1
    nodes = int(fleet.first_node[-1])
    limits = [quota or kernels.FOREVER_MS for quota in queues.quotas]
    return kernels.Queueing(
        rules=rules,
        quota=np.array(limits, np.int64),
        held=np.zeros(len(limits), np.int64),
        slot_end=np.zeros(slots, np.int64),
        ends=np.zeros(int(running.sum()), np.int64),
        later_with=np.zeros((clusters, int(fleet.accelerators.max()) + 1), np.int64),
        later=np.zeros(nodes, np.int32),
        later_nodes=np.zeros(nodes, np.int32),
        noted=np.zeros(nodes, np.int8),
        verdict=np.zeros(MOST_JUDGED + 1, np.int64),
        chosen=np.zeros(nodes, np.int32),
        profile=_profile(queues, fleet, running),
        shares=shares,
        racks=_racks(fleet, len(jobs)),
    )


def _racks(fleet: Fleet, jobs: int) -> kernels.Racks | None:
    """Return the tables of racks, None where no cluster has any."""
    racks = fleet.racks
    if racks is None:
        return None
    sizes = zip(fleet.node_count.tolist(), racks.nodes.tolist(), strict=True)
    counts = [-(-nodes // each) if each else 0 for nodes, each in sizes]
    width = locality.BY_FREE + int(fleet.accelerators.max()) + 1
    return kernels.Racks(
        nodes=racks.nodes,
        speed=racks.cross_rack_speed,
        first=np.cumsum([0, *counts]),
        table=np.zeros((sum(counts), width), np.int64),
        counted=np.full(len(counts), kernels.NONE),
        with_empty=np.zeros(int(racks.nodes.max()) + 1, np.int64),
        spanned=np.zeros(jobs, np.int32),
    )


def longest_wake_ms(ladders: Ladders) -> NDArray[np.int64]:
    """Return the longest that a node of each cluster takes from an idle state to being awake."""
    table = ladders.table
    longest = np.zeros(len(table.levels), np.int64)
    for cluster, levels in enumerate(table.levels):
        for level in range(levels):
            row = table.wake_row[cluster, level]
            wake_ms = table.wake_ms[cluster, level] if row < 0 else table.draws_ms[row].max()
            longest[cluster] = max(longest[cluster], table.enter_ms[cluster, level] + wake_ms)
    return longest


def _profile(queues: Queues, fleet: Fleet, running: NDArray[np.int64]) -> kernels.Profile:
    """Return room for what is free at each instant in the clusters that backfill conservatively.

    A row for now, for every running job's end, for nodes that are up again and for both ends of
    every reservation.
    """
    mine = np.array([rule.backfill == "conservative" for rule in queues.rules])
    depth = np.array([rule.depth for rule in queues.rules], np.int64)
    rows = np.where(mine, running + 2 * depth + 5, 0)
    cells = rows * fleet.node_count
    for name, count in zip(fleet.cluster_names, cells, strict=True):
        if count > LARGEST_PROFILE:
            text = (
                "conservative backfill of so large a cluster would keep "
                f"{count * 2 / 2**30:.3g} GiB of reservations; write easy-backfill"
            )
            raise InputError("scenario", [Issue(f"clusters.{name}.queue", text)])
    return kernels.Profile(
        first_row=np.cumsum([0, *rows])[:-1],
        rows=np.zeros(len(rows), np.int64),
        begin_ms=np.zeros(int(rows.sum()), np.int64),
        place=np.zeros(int(rows.sum()), np.int32),
        first_free=np.cumsum([0, *cells])[:-1],
        free=np.zeros(int(cells.sum()), np.int16),
        least=np.zeros(int(fleet.first_node[-1]) if mine.any() else 0, np.int16),
    )
