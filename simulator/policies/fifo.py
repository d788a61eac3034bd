"""fifo: first come, first served."""

from simulator.policies.queue_rule import QueueRule
from simulator.registry import scheduling


@scheduling("fifo")
def fifo() -> QueueRule:
    """Serve jobs by priority, then in the order of submission; nobody passes the head."""
    return QueueRule()
