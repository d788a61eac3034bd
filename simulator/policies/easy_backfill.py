"""easy-backfill: first come, first served, and one reservation for the head of the queue."""

from simulator.policies.queue_rule import Depth, QueueRule
from simulator.registry import scheduling


@scheduling("easy-backfill")
def easy_backfill(*, depth: Depth = 1000) -> QueueRule:
    """Serve jobs as fifo does; later ones may start if they don't delay the head of the queue.

    Parameters
    ----------
    depth : int
        Jobs behind the head that are looked at.
    """
    return QueueRule(backfill="easy", depth=depth)
