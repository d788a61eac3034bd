"""Sizes that nobody means by mistake: refused with an estimate unless they are confirmed."""

from dataclasses import dataclass
from typing import Final

from simulator.units import MS_PER_S, format_quantity

CONFIRM: Final = "--yes (in Python yes=True)"
"""How a size beyond its limit is confirmed."""

_UNITS: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"))


@dataclass(frozen=True, slots=True)
class Limit:
    """How many of one thing a run may have.

    Attributes
    ----------
    usual : int
        Beyond this they must be confirmed.
    most : int
        Beyond this they can't be counted.
    each_bytes : float
        Memory that one takes, measured. [bytes]
    each_s : float
        Time that one takes, measured; 0 where it does not matter. [s]
    """

    usual: int
    most: int
    each_bytes: float
    each_s: float = 0.0

    def exceeded(self, count: float, confirmed: bool) -> str | None:
        """Return how a count exceeds the limit, for a message; None where it does not."""
        if count > self.most:
            return f"at most {self.most:,}"
        if count > self.usual and not confirmed:
            return f"at most {self.usual:,} without {CONFIRM}: they take {self.estimate(count)}"
        return None

    def estimate(self, count: float) -> str:
        """Return memory and time of so many, e.g. ``"about 120 GB of memory and 20 min"``."""
        size_bytes = count * self.each_bytes
        factor, unit = next((pair for pair in _UNITS if size_bytes >= pair[0]), _UNITS[-1])
        text = f"about {_rounded(size_bytes / factor)} {unit} of memory"
        if not self.each_s:
            return text
        number, unit = format_quantity(count * self.each_s * MS_PER_S, "time").split(" ")
        return f"{text} and {_rounded(float(number))} {unit}"


def _rounded(number: float) -> str:
    """Return a number with two digits that count, never as a power of ten."""
    return f"{float(f'{number:.2g}'):,.10g}"


NODES: Final = Limit(usual=2**20, most=2**25, each_bytes=200.0)
"""Nodes of one cluster; the tree of free nodes has no more."""

ACCELERATORS: Final = Limit(usual=2**22, most=2**31 - 1, each_bytes=60.0)
"""Accelerators of a fleet."""

JOBS: Final = Limit(usual=100_000_000, most=2**31 - 1, each_bytes=300.0, each_s=1e-6)
"""Jobs that a run may be expected to draw."""

INTERVALS: Final = Limit(usual=10_000_000, most=2**31 - 1, each_bytes=400.0, each_s=1e-6)
"""Intervals or accounting bins, times clusters, that a run may keep."""
