"""headroom: some nodes beyond those in use are kept ready."""

from simulator.policies.sizing import Nodes, Period, Share, whole_nodes
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.registry import provisioning
from simulator.units import MS_PER_MIN


@provisioning("headroom")
def headroom(
    env: Clock,
    cluster: ClusterView,
    *,
    nodes: Nodes = 0,
    share: Share = 0.0,
    every_ms: Period = 5 * MS_PER_MIN,
) -> Commands:
    """Keep a number of nodes, or a share of those in use, awake and free.

    free = max(nodes, ceil(share x occupied nodes)); commanded only where it changed. The rest of
    the idle nodes follow the ladder. A target that moves with the load is what keeps a farm
    within its waiting times when setup is slow (Gandhi et al., AutoScale, ACM TOCS 30(4), 2012).

    Parameters
    ----------
    nodes : int
        Least number of free nodes.
    share : float
        Free nodes relative to the nodes that hold a job.
    every_ms : int
        Time between two looks at the nodes in use.
    """
    kept = 0
    while True:
        free = max(nodes, whole_nodes(share * cluster.occupied))
        if free != kept:
            cluster.keep_free(free)
            kept = free
        if share == 0:
            return  # a fixed number needs no second look
        yield env.timeout(every_ms)
