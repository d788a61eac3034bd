"""What a queue policy says."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class QueueRule:
    """How the jobs of a cluster's queue are ordered and backfilled."""

    order: Literal["fifo", "shortest", "deadline", "ageing", "fair-share"] = "fifo"
    by: Literal["time", "area"] = "time"
    ageing_ms: int = 0
    of: Literal["user", "workload"] = "user"
    half_life_ms: int = 0
    backfill: Literal["none", "easy", "conservative"] = "none"
    depth: int = 1000
