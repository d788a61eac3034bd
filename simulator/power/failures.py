"""When nodes fail and are repaired, from specification to times."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import Fleet
from simulator.kernels.tables import FOREVER_MS
from simulator.scenario.law_moments import mean
from simulator.scenario.laws import Constant, Empirical, Exponential, Law
from simulator.scenario.model import Scenario
from simulator.traces.opened import Opened, opened_by
from simulator.workload.draws import draw
from simulator.workload.empirical import read

LONGEST_MS = 2.0**53
"""Longer draws of heavy-tailed laws are cut: no run is so long. [ms]"""

Round = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Of each node the time in service up to its next failure, and the time of its repair. [ms]"""


@dataclass(frozen=True, slots=True)
class Failures:
    """How the nodes of a fleet fail.

    Attributes
    ----------
    mtbf_ms : float64[clusters]
        Mean time in service between the failures of one node, inf where none fails. [ms]
    failed_w : float64[clusters]
        Power of a failed node. [W]
    draw : callable
        Returns the times of every node's failure of a number, counted from 0, and of its repair.
    """

    mtbf_ms: NDArray[np.float64]
    failed_w: NDArray[np.float64]
    draw: Callable[[int], Round]

    @property
    def fails(self) -> NDArray[np.bool_]:
        """Whether the nodes of each cluster fail, bool[clusters]."""
        return np.isfinite(self.mtbf_ms)


def failures_of(
    scenario: Scenario, fleet: Fleet, *, opened: Opened | None = None
) -> Failures | None:
    """Return how the nodes of a scenario fail; None where none does.

    The times of a node come from streams named by its cluster and by the number of its failure, in
    the order of the nodes: they do not depend on what happens, nor on how many nodes there are.
    """
    types = [scenario.nodes[cluster.node].failures for cluster in scenario.clusters.values()]
    if not any(types):
        return None
    seed = scenario.seed

    def draw_round(number: int) -> Round:
        lives_ms = np.full(int(fleet.first_node[-1]), FOREVER_MS, np.int64)
        repairs_ms = np.zeros_like(lives_ms)
        for at, (name, how) in enumerate(zip(fleet.cluster_names, types, strict=True)):
            if how is not None:
                own = slice(fleet.first_node[at], fleet.first_node[at + 1])
                count = int(fleet.node_count[at])
                stem = ("failures", name, str(number))
                life = draw(life_law(how.mtbf), count, seed, *stem, "life", opened=opened)
                mend = draw(how.repair, count, seed, *stem, "repair", opened=opened)
                lives_ms[own] = np.maximum(1, np.rint(np.minimum(life, LONGEST_MS)))
                repairs_ms[own] = np.rint(np.minimum(mend, LONGEST_MS))
        return lives_ms, repairs_ms

    return Failures(
        mtbf_ms=np.array([math.inf if how is None else mean_ms(how.mtbf, opened) for how in types]),
        failed_w=np.array([0.0 if how is None else how.failed_power_w for how in types]),
        draw=draw_round,
    )


def life_law(mtbf: Law) -> Law:
    """Return the law of the time between failures: a plain time is the mean of an exponential."""
    return Exponential(mean=mtbf.value) if isinstance(mtbf, Constant) else mtbf


def mean_ms(law: Law, opened: Opened | None = None) -> float:
    """Return the mean of a law of times, also of one that is the column of a file. [ms]"""
    if isinstance(law, Empirical):
        return float(np.mean(opened_by(opened, read, law).values))
    return mean(law)
