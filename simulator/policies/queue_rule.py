"""Queue rules: the order in which jobs are served, and who may start before their turn."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, get_args

from simulator.errors import listing, shown
from simulator.scenario.fields import Whole
from simulator.scenario.parameters import LARGEST_WHOLE
from simulator.units import MS_PER_D

Order: TypeAlias = Literal["fifo", "shortest", "deadline", "ageing", "fair-share"]
Measure: TypeAlias = Literal["time", "area"]
Party: TypeAlias = Literal["user", "workload"]
Backfill: TypeAlias = Literal["none", "easy", "conservative"]
Depth: TypeAlias = Annotated[int, Whole(1, LARGEST_WHOLE)]

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "order": get_args(Order),
    "by": get_args(Measure),
    "of": get_args(Party),
    "backfill": get_args(Backfill),
}


@dataclass(frozen=True, slots=True)
class QueueRule:
    """An order of the queue and a backfill, as the engine follows them.

    What the order or the backfill does not need is at its default.

    Attributes
    ----------
    order : str
        `fifo`: larger priority, then earlier submission. `shortest`: larger priority, then less
        requested. `deadline`: larger priority, then earlier deadline. `ageing`: submission less
        priority times `ageing_ms`. `fair-share`: larger priority, then whoever used less.
    by : str
        What is short: requested `time`, or `area`, requested time x accelerators.
    ageing_ms : int
        Wait that counts as much as one priority. [ms]
    of : str
        Whose use counts: that of a `user` or of a `workload`.
    half_life_ms : int
        Time after which use counts half. [ms]
    backfill : str
        `none`, `easy` or `conservative`.
    depth : int
        Jobs that `easy` looks at behind the head, and that `conservative` reserves for.

    Raises
    ------
    ValueError
        If a word is unknown or a number out of range.
    """

    order: Order = "fifo"
    by: Measure = "time"
    ageing_ms: int = MS_PER_D
    of: Party = "user"
    half_life_ms: int = 7 * MS_PER_D
    backfill: Backfill = "none"
    depth: int = 1000

    def __post_init__(self) -> None:
        for name, known in _WORDS.items():
            if (word := getattr(self, name)) not in known:
                choice = listing(known)
                raise ValueError(f"{name} {shown(word)} is not known; write one of {choice}")
        for name in ("ageing_ms", "half_life_ms", "depth"):
            if (number := getattr(self, name)) < 1:
                raise ValueError(f"{name} {number} is too small; write at least 1")

    @property
    def needs_requested(self) -> bool:
        """Whether requested times decide what starts."""
        return self.order == "shortest" or self.backfill != "none"
