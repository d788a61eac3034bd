"""peak: the nodes of a given peak are awake at all times."""

from simulator.policies.sizing import Nodes
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.registry import provisioning


@provisioning("peak")
def peak(env: Clock, cluster: ClusterView, *, nodes: Nodes) -> Commands:
    """Keep the nodes of a given peak awake at all times; the others follow the ladder.

    The baseline of the field: provisioning for the peak, as AlwaysOn in Gandhi et al., AutoScale,
    ACM TOCS 30(4), 2012.

    Parameters
    ----------
    nodes : int
        Nodes awake at all times, busy ones included.
    """
    del env
    cluster.keep_awake(nodes)
    yield from ()
