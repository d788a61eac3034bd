"""Dispatch at submission as the kernels need it: routes of single clusters, ways, ranks and lines.

A way is what may become of a job: the clusters among which it is sent to one as it arrives, and who
chooses. Each of these clusters has a route of its own. By least energy the choice is known before
the run, and such a job has its route from the first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.engine.job_energy import energy_j
from simulator.engine.queueing import Queues, lines_of, longest_wake_ms, ranks
from simulator.engine.shares import own_ranks
from simulator.fleet import Fleet
from simulator.kernels import tables as kernels
from simulator.kernels.dispatch import Dispatch
from simulator.policies import WorkloadDispatch
from simulator.power.ladder import Ladders
from simulator.power.tables import PowerTables
from simulator.workload.table import JobTable

Routes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Dispatches:
    """How the jobs of each workload get their cluster, and what policies go by.

    Attributes
    ----------
    by_workload : tuple of WorkloadDispatch
    pue : float64[sites]
        Facility energy over IT energy.
    intensity : callable
        Given a site and an instant since the start [ms] it returns its average and its marginal
        intensity, the latter None where it has none. [g/kWh]
    """

    by_workload: tuple[WorkloadDispatch, ...]
    pue: NDArray[np.float64]
    intensity: Callable[[int, int], tuple[float, float | None]]

    @property
    def bind(self) -> bool:
        """Whether any job gets its cluster as it is submitted."""
        return any(each.binds for each in self.by_workload)

    @property
    def asked(self) -> bool:
        """Whether any policy is asked in plain Python."""
        return any(each.rule is None for each in self.by_workload)


@dataclass(frozen=True, slots=True)
class Ways:
    """Where jobs may go.

    Attributes
    ----------
    route : int16[jobs]
        Index into `routes`; of a job with a way that of its first cluster alone.
    routes : tuple of tuple of int
    way : int32[jobs]
        Index into `ways`, NONE for a job whose route is known.
    ways : tuple of tuple of int
        Clusters, in order of preference.
    outside : tuple of bool
        For each way whether a policy in plain Python chooses.
    """

    route: NDArray[np.int16]
    routes: Routes
    way: NDArray[np.int32]
    ways: Routes
    outside: tuple[bool, ...]

    @classmethod
    def none(cls, route: NDArray[np.int16], routes: Routes) -> "Ways":
        """Return the ways of a run in which nobody dispatches at submission: there are none."""
        return cls(route, routes, np.zeros(0, np.int32), (), ())

    def comers(self, number: int) -> NDArray[np.bool_]:
        """Return which jobs are on a route or may get onto it, bool[jobs]."""
        comes: NDArray[np.bool_] = self.route == number
        clusters = self.routes[number]
        if self.ways and len(clusters) == 1:
            leads = [clusters[0] in way for way in self.ways]
            comes |= np.array([*leads, False])[self.way]
        return comes

    @property
    def targets(self) -> tuple[int, ...]:
        """Clusters to which jobs are sent as they are submitted."""
        return tuple(sorted({cluster for way in self.ways for cluster in way}))


def ways_of(
    fleet: Fleet,
    jobs: JobTable,
    power: PowerTables,
    dispatches: Dispatches,
    route: NDArray[np.int16],
    routes: Routes,
) -> Ways:
    """Return where the jobs of workloads that dispatch at submission may go.

    Parameters
    ----------
    route : int16[jobs]
        Index into `routes`; NONE for a job that no cluster could hold.
    routes : tuple of tuple of int
        Clusters that could hold the jobs.
    """
    binds = np.array([each.binds for each in dispatches.by_workload])
    bound = binds[jobs.workload] & (route >= 0)
    kept = np.unique(route[~bound & (route >= 0)])
    known = [routes[number] for number in kept.tolist()]
    new_route = np.full(len(route), kernels.NONE, np.int16)
    for number, old in enumerate(kept.tolist()):
        new_route[~bound & (route == old)] = number
    way = np.full(len(route), kernels.NONE, np.int32)
    ways: list[tuple[int, ...]] = []
    outside: list[bool] = []
    pairs = np.unique(np.stack([jobs.workload[bound], route[bound]]), axis=1)
    for workload, old in pairs.T.tolist():
        rows = np.flatnonzero(bound & (jobs.workload == workload) & (route == old))
        clusters, how = routes[old], dispatches.by_workload[workload]
        chosen = np.full(len(rows), clusters[0])
        if how.rule is not None and how.rule.by == "energy":
            each = [energy_j(fleet, power, jobs, dispatches.pue, at, rows) for at in clusters]
            chosen = np.array(clusters)[np.argmin(each, axis=0)]
        else:
            way[rows] = len(ways)
            ways.append(clusters)
            outside.append(how.rule is None)
        for cluster in clusters:
            if (cluster,) not in known:
                known.append((cluster,))
            new_route[rows[chosen == cluster]] = known.index((cluster,))
    return Ways(new_route, tuple(known), way, tuple(ways), tuple(outside))


@dataclass(frozen=True, slots=True)
class Lines:
    """Ranks and lines of jobs, by the rule of each cluster to which they may be sent.

    Attributes
    ----------
    level, line : int32[jobs]
        Of the route that a job has from the first.
    counts : list of int
        Lines of each route.
    rule : int64[clusters]
        Row of the tables below.
    levels, lines : int32[rules, jobs]
    """

    level: NDArray[np.int32]
    line: NDArray[np.int32]
    counts: list[int]
    rule: NDArray[np.int64]
    levels: NDArray[np.int32]
    lines: NDArray[np.int32]


def ranked(queues: Queues, jobs: JobTable, ways: Ways) -> Lines:
    """Return the ranks and lines of jobs on whatever route they may get.

    All routes to which jobs are sent, and whose clusters have one rule, number their lines alike,
    so that a job has one line on any of them.
    """
    if not ways.ways:
        level = ranks(queues, jobs, ways.route, ways.routes)
        own = own_ranks(queues, jobs, level, ways.route, ways.routes)
        line, counts = lines_of(own, ways.route, len(ways.routes))
        none = np.zeros((0, len(jobs)), np.int32)
        return Lines(level, line, counts, np.zeros(0, np.int64), none, none)
    of_route = [queues.rules[clusters[0]] for clusters in ways.routes]
    level = np.zeros(len(jobs), np.int32)
    own = level.copy()
    for each in dict.fromkeys(of_route):
        rows = np.isin(ways.route, [at for at, rule in enumerate(of_route) if rule == each])
        by_rule, own_by_rule = _ranks_by(queues, jobs, of_route.index(each), ways)
        level[rows], own[rows] = by_rule[rows], own_by_rule[rows]
    sent_to = [at for at, clusters in enumerate(ways.routes) if _is_target(ways, clusters)]
    others = np.where(np.isin(ways.route, sent_to), np.int16(kernels.NONE), ways.route)
    line, counts = lines_of(own, others, len(ways.routes))
    line = line.copy()
    rules = list(dict.fromkeys(of_route[at] for at in sent_to))
    rule = np.zeros(len(queues.rules), np.int64)
    levels = np.zeros((len(rules), len(jobs)), np.int32)
    lines = np.zeros_like(levels)
    for row, each in enumerate(rules):
        mine = [at for at in sent_to if of_route[at] == each]
        members = np.logical_or.reduce([ways.comers(at) for at in mine])
        levels[row], own_by_rule = _ranks_by(queues, jobs, mine[0], ways)
        distinct, lines[row, members] = np.unique(own_by_rule[members], return_inverse=True)
        for at in mine:
            counts[at] = max(1, len(distinct))
            rule[ways.routes[at][0]] = row
        here = np.isin(ways.route, mine)
        line[here] = lines[row, here]
    return Lines(level, line, counts, rule, levels, lines)


def _is_target(ways: Ways, clusters: tuple[int, ...]) -> bool:
    return len(clusters) == 1 and clusters[0] in ways.targets


def _ranks_by(
    queues: Queues, jobs: JobTable, number: int, ways: Ways
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the ranks of all jobs by the rule of one route, and those of their lines."""
    route, routes = np.zeros(len(jobs), np.int16), ways.routes[number : number + 1]
    rank = ranks(queues, jobs, route, routes)
    return rank, own_ranks(queues, jobs, rank, route, routes)


def dispatch_tables(ways: Ways, lines: Lines) -> Dispatch | None:
    """Return the tables of jobs that get their cluster as they are submitted; None without any."""
    if not ways.ways:
        return None
    route = np.full(len(lines.rule), kernels.NONE, np.int64)
    for number, clusters in enumerate(ways.routes):
        if len(clusters) == 1:
            route[clusters[0]] = number
    return Dispatch(
        way=ways.way,
        outside=np.array(ways.outside, np.int8),
        first=np.cumsum([0, *map(len, ways.ways)]).astype(np.int64),
        cluster=np.array([at for clusters in ways.ways for at in clusters], np.int64),
        route=route,
        rule=lines.rule,
        level=lines.levels,
        line=lines.lines,
    )


def load_tables(ways: Ways, ladders: Ladders, slots: int) -> kernels.Loads | None:
    """Return the running sums of the work before each cluster; None where nobody asks for them."""
    if not ways.ways:
        return None
    clusters = len(ladders.table.levels)
    return kernels.Loads(
        jobs=np.zeros(clusters, np.int64),
        asked_ms=np.zeros(clusters),
        ends_ms=np.zeros(clusters),
        held=np.zeros(clusters, np.int64),
        slot_end_ms=np.zeros(max(1, slots), np.int64),
        wake_ms=longest_wake_ms(ladders),
    )
