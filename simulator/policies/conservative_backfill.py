"""conservative-backfill: first come, first served, and a reservation for every queued job."""

from simulator.policies.queue_rule import Depth, QueueRule
from simulator.registry import scheduling


@scheduling("conservative-backfill")
def conservative_backfill(*, depth: Depth = 100) -> QueueRule:
    """Serve jobs as fifo does; later ones may start if they delay no reservation before theirs.

    Parameters
    ----------
    depth : int
        Jobs that get a reservation, from the head of the queue; those behind them wait.
    """
    return QueueRule(backfill="conservative", depth=depth)
