"""priority: larger priorities first, and waiting counts as priority."""

from simulator.policies.queue_rule import Backfill, Depth, QueueRule
from simulator.policies.sizing import Period
from simulator.registry import scheduling
from simulator.units import MS_PER_D


@scheduling("priority")
def priority(
    *, ageing_ms: Period = MS_PER_D, backfill: Backfill = "none", depth: Depth = 1000
) -> QueueRule:
    """Serve jobs by priority, of which a waiting job gains one for each time of ageing.

    Everybody ages alike, so the order of two jobs is settled when they are submitted: by
    submission less priority x `ageing`.

    Parameters
    ----------
    ageing_ms : int
        Wait that counts as much as one priority.
    backfill : str
        Who may start before the head: `none`, or by `easy` or `conservative` backfill.
    depth : int
        Jobs behind the head that easy backfill looks at, or those that conservative backfill
        reserves for.
    """
    return QueueRule("ageing", ageing_ms=ageing_ms, backfill=backfill, depth=depth)
