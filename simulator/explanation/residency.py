"""What the nodes of a run did with their time: at work, idle, and in each idle state."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.figures.series import codes
from simulator.results import Results
from simulator.units import H_PER_D, S_PER_H

PREFIX: Final = "residency_"
SUFFIX: Final = "_s"
ABSENT: Final = "absent"
"""Out of service, which is no part of a node's time."""
NOT_RESTING: Final = ("busy", "idle", "entering", "waking")
"""What a node does when it does not rest in an idle state."""


@dataclass(frozen=True, slots=True)
class Residency:
    """The time of a cluster's nodes.

    Attributes
    ----------
    cluster : str
    shares : dict of str to float
        Share of the nodes' time by what they did, e.g. ``busy``, ``idle``, ``sleep``; only what
        took any.
    wake_ups : int
    wake_ups_per_node_day : float or None
    asleep_per_wake_up_h : float or None
        Time in idle states over the times that nodes were woken.
    """

    cluster: str
    shares: dict[str, float]
    wake_ups: int
    wake_ups_per_node_day: float | None
    asleep_per_wake_up_h: float | None


def residencies(results: Results) -> dict[str, Residency]:
    """Return the residency of each cluster of a run, by its name."""
    code, known = codes(results, "nodes", "cluster")
    table = results.tables["nodes"]
    kinds = [
        name.removeprefix(PREFIX).removesuffix(SUFFIX)
        for name in table.column_names
        if name.startswith(PREFIX) and name.endswith(SUFFIX)
    ]
    time_s = {
        kind: np.bincount(code, _column(results, f"{PREFIX}{kind}{SUFFIX}"), len(known))
        for kind in kinds
    }
    woken = np.bincount(code, _column(results, "wake_ups"), len(known))
    return {
        name: _residency(
            name, {kind: float(time_s[kind][at]) for kind in kinds}, round(float(woken[at]))
        )
        for at, name in enumerate(known)
    }


def _residency(cluster: str, time_s: dict[str, float], wake_ups: int) -> Residency:
    time_s = {kind: each_s for kind, each_s in time_s.items() if kind != ABSENT}
    total_s = sum(time_s.values())
    asleep_s = sum(each_s for kind, each_s in time_s.items() if kind not in NOT_RESTING)
    node_days = total_s / S_PER_H / H_PER_D
    return Residency(
        cluster=cluster,
        shares={kind: each_s / total_s for kind, each_s in time_s.items() if each_s > 0.0},
        wake_ups=wake_ups,
        wake_ups_per_node_day=wake_ups / node_days if node_days else None,
        asleep_per_wake_up_h=asleep_s / S_PER_H / wake_ups if wake_ups else None,
    )


def _column(results: Results, name: str) -> NDArray[np.float64]:
    """Return a column of the table of nodes, 0 where a node has no such state."""
    values: NDArray[np.float64] = results.tables["nodes"][name].to_numpy().astype(np.float64)
    return np.where(np.isnan(values), 0.0, values)
