"""deadline-first: the earliest deadline comes first."""

from simulator.policies.queue_rule import Backfill, Depth, QueueRule
from simulator.registry import scheduling


@scheduling("deadline-first")
def deadline_first(*, backfill: Backfill = "none", depth: Depth = 1000) -> QueueRule:
    """Serve jobs by priority, then by deadline, the earliest first; those without one come last.

    Parameters
    ----------
    backfill : str
        Who may start before the head: `none`, or by `easy` or `conservative` backfill.
    depth : int
        Jobs behind the head that easy backfill looks at, or those that conservative backfill
        reserves for.
    """
    return QueueRule("deadline", backfill=backfill, depth=depth)
