"""consolidation: lightly used nodes get no new work, so that they empty and sleep."""

from typing import TYPE_CHECKING

from simulator.policies.sizing import ROUNDING, Period, Share
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.registry import provisioning
from simulator.units import MS_PER_MIN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@provisioning("consolidation")
def consolidation(
    env: Clock,
    cluster: ClusterView,
    *,
    below: Share = 0.5,
    spare: Share = 0.1,
    every_ms: Period = 10 * MS_PER_MIN,
) -> Commands:
    """Close the most lightly used nodes to new work, so that they empty and follow the ladder.

    At each look the nodes that hold jobs on less than `below` of their accelerators are closed,
    the least used first and the highest number first among equals, as long as the open nodes that
    are awake keep at least `spare` x the accelerators held free. A closed node that has fallen
    asleep is opened again, for a wake-up to use. All are opened where jobs wait (one that came at
    this instant does not yet), or where the open nodes have less than that free. Jobs are never
    moved, so nothing has to be paid back (compare Verma et al., pMapper, Middleware 2008, which
    moves them).

    Parameters
    ----------
    below : float
        Share of a node's accelerators held under which it is closed.
    spare : float
        Accelerators that stay free on open nodes, relative to all that are held.
    every_ms : int
        Time between two looks at the nodes.
    """
    closed = cluster.held_by_node() < -1  # none yet
    while True:
        held, awake = cluster.held_by_node(), cluster.is_awake_by_node()
        usable = awake & (held >= 0) & ~closed
        free_gpus = int(((cluster.accelerators - held) * usable).sum())
        surplus_gpus = free_gpus - spare * cluster.held_gpus + ROUNDING
        short = cluster.oldest_wait_ms > 0 or surplus_gpus < 0
        opened = closed if short else closed & ~awake
        if opened.any():
            cluster.open(opened.nonzero()[0])
            closed = closed & ~opened
        if not short:
            light = usable & (held > 0) & (held < below * cluster.accelerators)
            chosen = _lightest(light, held, cluster.accelerators, surplus_gpus)
            if chosen.size:
                cluster.close(chosen)
                closed[chosen] = True
        yield env.timeout(every_ms)


def _lightest(
    light: "NDArray[np.bool_]", held: "NDArray[np.int64]", accelerators: int, surplus_gpus: float
) -> "NDArray[np.int64]":
    """Return the lightly used nodes whose free accelerators others can do without."""
    nodes = light.nonzero()[0][::-1]
    nodes = nodes[held[nodes].argsort(kind="stable")]
    lost_gpus = (accelerators - held[nodes]).cumsum()
    chosen: NDArray[np.int64] = nodes[lost_gpus <= surplus_gpus]
    return chosen
