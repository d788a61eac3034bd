"""What the nodes of a run did with their time: at work, idle, and in each idle state."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.columns import ABSENT, residency_column
from simulator.figures.series import codes
from simulator.results import Results
from simulator.units import H_PER_D, S_PER_H

PREFIX: Final = "residency_"
SUFFIX: Final = "_s"
NOT_RESTING: Final = tuple(
    f"{PREFIX}{kind}{SUFFIX}" for kind in ("busy", "idle", "entering", "waking", "failed")
)
"""Columns of what a node does when it does not rest in an idle state."""


@dataclass(frozen=True, slots=True)
class Residency:
    """The time of a cluster's nodes.

    Attributes
    ----------
    cluster : str
    shares : dict of str to float
        Share of the nodes' time by what they did, e.g. ``busy``, ``idle``, ``sleep``; only what
        took any.
    wake_ups, cancelled : int
        Wake-ups begun, and those of them that were cancelled.
    wake_ups_per_node_day : float or None
    asleep_per_wake_up_h : float or None
        Time in idle states over the wake-ups that were not cancelled.
    """

    cluster: str
    shares: dict[str, float]
    wake_ups: int
    cancelled: int
    wake_ups_per_node_day: float | None
    asleep_per_wake_up_h: float | None


def residencies(results: Results) -> dict[str, Residency]:
    """Return the residency of each cluster of a run, by its name."""
    code, known = codes(results, "nodes", "cluster")
    table = results.tables["nodes"]
    columns = [
        name
        for name in table.column_names
        if name.startswith(PREFIX) and name.endswith(SUFFIX) and name != ABSENT
    ]
    time_s = {name: np.bincount(code, _column(results, name), len(known)) for name in columns}
    woken, cancelled = (
        np.bincount(code, _column(results, name), len(known))
        for name in ("wake_ups", "wake_ups_cancelled")
    )
    found = {}
    for at, cluster in enumerate(known):
        mine_s = {name: float(time_s[name][at]) for name in _in_order(results, cluster, columns)}
        found[cluster] = _residency(
            cluster, mine_s, round(float(woken[at])), round(float(cancelled[at]))
        )
    return found


def _in_order(results: Results, cluster: str, columns: list[str]) -> list[str]:
    """Return what nodes do awake and in between, and then the cluster's states by their depth."""
    node = results.scenario.nodes[results.scenario.clusters[cluster].node]
    states = [residency_column(state.name) for state in node.idle_states]
    first = [name for name in columns if name not in states]
    return [*first, *(name for name in dict.fromkeys(states) if name in columns)]


def _residency(cluster: str, time_s: dict[str, float], wake_ups: int, cancelled: int) -> Residency:
    total_s = sum(time_s.values())
    asleep_s = sum(each_s for name, each_s in time_s.items() if name not in NOT_RESTING)
    node_days = total_s / S_PER_H / H_PER_D
    finished = wake_ups - cancelled
    return Residency(
        cluster=cluster,
        shares={
            name.removeprefix(PREFIX).removesuffix(SUFFIX): each_s / total_s
            for name, each_s in time_s.items()
            if each_s > 0.0
        },
        wake_ups=wake_ups,
        cancelled=cancelled,
        wake_ups_per_node_day=wake_ups / node_days if node_days else None,
        asleep_per_wake_up_h=asleep_s / S_PER_H / finished if finished else None,
    )


def _column(results: Results, name: str) -> NDArray[np.float64]:
    """Return a column of the table of nodes, 0 where a node has no such state."""
    values: NDArray[np.float64] = results.tables["nodes"][name].to_numpy().astype(np.float64)
    return np.where(np.isnan(values), 0.0, values)
