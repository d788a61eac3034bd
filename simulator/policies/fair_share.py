"""fair-share: whoever used least of late comes first."""

from simulator.policies.queue_rule import Backfill, Depth, Party, QueueRule
from simulator.policies.sizing import Period
from simulator.registry import scheduling
from simulator.units import MS_PER_D


@scheduling("fair-share")
def fair_share(
    *,
    of: Party = "user",
    half_life_ms: Period = 7 * MS_PER_D,
    backfill: Backfill = "none",
    depth: Depth = 1000,
) -> QueueRule:
    """Serve jobs by priority, then by what their user or workload used, the least first.

    Used is accelerator-time held, which counts half after each half-life.

    Parameters
    ----------
    of : str
        Whose use counts: that of the job's `user` or of its `workload`.
    half_life_ms : int
        Time after which use counts half.
    backfill : str
        Who may start before the head: `none`, or by `easy` or `conservative` backfill.
    depth : int
        Jobs behind the head that easy backfill looks at, or those that conservative backfill
        reserves for.
    """
    return QueueRule("fair-share", of=of, half_life_ms=half_life_ms, backfill=backfill, depth=depth)
