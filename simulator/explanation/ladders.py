"""The idle states of each cluster of a scenario: what they save, and in which gaps they pay."""

import math
from dataclasses import dataclass
from typing import Any, Final

from simulator.power.break_even import RestingLadder, RestingState, ladder_of
from simulator.scenario.laws import Law
from simulator.scenario.model import Scenario
from simulator.scenario.nodes import NodeType
from simulator.scenario.rests import uses_ladder
from simulator.units import MS_PER_S
from simulator.workload.laws import mean, percentile, support

PAYS: Final = "pays"
TOO_EARLY: Final = "too early"
NEVER_BEST: Final = "never best"
NO_SAVING: Final = "no saving"


@dataclass(frozen=True, slots=True)
class StateLine:
    """One state of a ladder, as it is printed.

    Attributes
    ----------
    name : str
    power_w, saves_w : float
        While resting, and how much less than an awake idle node.
    after_s : float
        Time without a job after which it is entered.
    break_even_s : float
        Gap from which it costs less than staying awake; infinite if never.
    best_from_s : float or None
        Gap from which nothing else costs less; None if there is none.
    enter_at_s : float or None
        The `after` with which no gap costs more than about twice the least.
    wake_mean_s, wake_p50_s, wake_p99_s : float
        Time that waking takes.
    verdict : str
        ``pays``; ``too early``, entered before it beats all above it; ``never best``; or
        ``no saving``.
    """

    name: str
    power_w: float
    saves_w: float
    after_s: float
    break_even_s: float
    best_from_s: float | None
    enter_at_s: float | None
    wake_mean_s: float
    wake_p50_s: float
    wake_p99_s: float
    verdict: str


@dataclass(frozen=True, slots=True)
class ClusterLadder:
    """The ladder of a cluster's nodes, and whether they take it.

    Attributes
    ----------
    cluster, node_type : str
    node_count : int
    idle_power_w : float
    idle : str or dict
        What the scenario says of idle nodes.
    in_use : bool
    states : tuple of StateLine
    worst_ratio, worst_gap_s : float
        The most that a gap costs over the least it could, as the ladder is; and that gap.
    competitive_ratio : float
        The same with the states that are ever the cheapest, each entered at its `enter_at_s`.
    """

    cluster: str
    node_type: str
    node_count: int
    idle_power_w: float
    idle: Any
    in_use: bool
    states: tuple[StateLine, ...]
    worst_ratio: float
    worst_gap_s: float
    competitive_ratio: float


def cluster_ladders(scenario: Scenario) -> tuple[ClusterLadder, ...]:
    """Return the ladder of every cluster, in the scenario's order.

    Raises
    ------
    InputError
        If a file that holds a law of wake times can't be read.
    """
    document = scenario.document
    ladders = []
    for name, cluster in scenario.clusters.items():
        node = scenario.nodes[cluster.node]
        if uses_ladder(cluster):
            node = cluster.idle.ladder_of(node)
        wakes_s = [mean(state.wake_time) / MS_PER_S for state in node.idle_states]
        ladder = ladder_of(node, wakes_s, node.level(cluster.power_level).idle_power_w)
        worst_ratio, worst_gap_s = ladder.worst()
        ladders.append(
            ClusterLadder(
                cluster=name,
                node_type=cluster.node,
                node_count=cluster.count,
                idle_power_w=ladder.awake.power_w,
                idle=document["clusters"][name]["idle"],
                in_use=uses_ladder(cluster),
                states=_lines(node, ladder),
                worst_ratio=worst_ratio,
                worst_gap_s=worst_gap_s,
                competitive_ratio=ladder.competitive().worst()[0],
            )
        )
    return tuple(ladders)


def _lines(node: NodeType, ladder: RestingLadder) -> tuple[StateLine, ...]:
    return tuple(
        StateLine(
            name=resting.name,
            power_w=resting.rest.power_w,
            saves_w=resting.saves_w,
            after_s=resting.after_s,
            break_even_s=resting.break_even_s,
            best_from_s=resting.best_from_s,
            enter_at_s=resting.enter_at_s,
            wake_mean_s=resting.rest.wake_s,
            wake_p50_s=_percentile_s(state.wake_time, 50.0),
            wake_p99_s=_percentile_s(state.wake_time, 99.0),
            verdict=_verdict(resting),
        )
        for state, resting in zip(node.idle_states, ladder.states, strict=True)
    )


def _percentile_s(law: Law, percent: float) -> float:
    low, high = support(law)
    return low / MS_PER_S if low == high else percentile(law, percent) / MS_PER_S


def _verdict(state: RestingState) -> str:
    if math.isinf(state.break_even_s):
        return NO_SAVING
    if state.best_from_s is None:
        return NEVER_BEST
    # Above it may be one that costs less, where there is time for it, but is never the cheapest.
    from_s = state.pays_from_s if math.isfinite(state.pays_from_s) else state.best_from_s
    # `after` is a whole number of milliseconds, the gap is not.
    return PAYS if state.after_s * MS_PER_S >= math.floor(from_s * MS_PER_S) else TOO_EARLY
