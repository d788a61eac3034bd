"""How jobs save their work, as engine and accounting read it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import Fleet
from simulator.kernels import checkpoints as kernels
from simulator.scenario.model import Scenario
from simulator.scenario.reliability import Checkpoint

WAYS = {"young": kernels.YOUNG, "daly": kernels.DALY}
"""Intervals that follow from the cost and the mean time between failures."""


@dataclass(frozen=True, slots=True)
class Saving:
    """How the jobs of one workload save their work.

    Attributes
    ----------
    interval_ms : float
        Work between two checkpoints, where no rule says it. [ms]
    cost_ms, restart_ms : float
        Time that a checkpoint takes, and a restart. [ms]
    at_end : bool
        Whether the last segment ends with a checkpoint too.
    rule : str or None
        What the interval follows from, a key of `WAYS`.
    """

    interval_ms: float = np.inf
    cost_ms: float = 0.0
    restart_ms: float = 0.0
    at_end: bool = False
    rule: str | None = None


def savings_of(scenario: Scenario) -> tuple[Saving | None, ...]:
    """Return how the jobs of each workload save their work, None where they don't; or nothing."""
    savings = tuple(
        None if (how := workload.checkpoint) is None else _saving(how)
        for workload in scenario.workloads.values()
    )
    return savings if any(savings) else ()


def _saving(how: Checkpoint) -> Saving:
    rule = how.interval if how.interval in WAYS else None
    return Saving(
        interval_ms=np.inf if rule else float(how.interval),
        cost_ms=float(how.cost_ms),
        restart_ms=float(how.restart_ms),
        at_end=how.at_end,
        rule=rule,
    )


def plan_of(
    savings: tuple[Saving | None, ...], fleet: Fleet, mtbf_ms: NDArray[np.float64] | None
) -> kernels.Plan:
    """Return the tables of how jobs save their work; empty where none does.

    Parameters
    ----------
    savings : tuple of (Saving or None)
    fleet : Fleet
    mtbf_ms : float64[clusters] or None
        Mean time between failures of one node; None where none fails. [ms]
    """
    known = [saving or Saving() for saving in savings]
    ways = [
        kernels.NEVER if saving is None else WAYS.get(saving.rule or "", kernels.FIXED)
        for saving in savings
    ]
    never = np.full(len(fleet.cluster_names), np.inf)
    return kernels.Plan(
        way=np.array(ways, np.int8),
        interval_ms=np.array([saving.interval_ms for saving in known], np.float64),
        cost_ms=np.array([saving.cost_ms for saving in known], np.float64),
        restart_ms=np.array([saving.restart_ms for saving in known], np.float64),
        at_end=np.array([saving.at_end for saving in known], np.int8),
        mtbf_ms=never if mtbf_ms is None else np.ascontiguousarray(mtbf_ms, np.float64),
        accelerators=fleet.accelerators,
    )
