"""shortest-first: the least that users asked for comes first."""

from simulator.policies.queue_rule import Backfill, Depth, Measure, QueueRule
from simulator.registry import scheduling


@scheduling("shortest-first")
def shortest_first(
    *, by: Measure = "time", backfill: Backfill = "none", depth: Depth = 1000
) -> QueueRule:
    """Serve jobs by priority, then by what users requested, the least first.

    Parameters
    ----------
    by : str
        What is short: requested `time`, or `area`, requested time x accelerators.
    backfill : str
        Who may start before the head: `none`, or by `easy` or `conservative` backfill.
    depth : int
        Jobs behind the head that easy backfill looks at, or those that conservative backfill
        reserves for.
    """
    return QueueRule("shortest", by=by, backfill=backfill, depth=depth)
