"""Hours that local clocks skip or repeat: what betrays local times that are taken for UTC."""

from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.traces.timestamps import local_to_utc
from simulator.units import MS_PER_H

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZONES: Final = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "Australia/Sydney",
)
"""Zones that stand for all that change their clocks at the same local hour."""
MOST_LOOKED_AT: Final = 1000
"""Gaps or repeated times that are looked at; a file with more has other troubles."""


def zone_that_skips(first_ms: "NDArray[np.int64]", width_ms: "NDArray[np.int64]") -> str | None:
    """Return the first zone of `ZONES` whose clock skips one of the gaps, or None.

    Parameters
    ----------
    first_ms : int64[gaps]
        When each gap begins, on the clock that the file goes by. [ms]
    width_ms : int64[gaps]
        How long it is; only gaps of an hour are such. [ms]
    """
    hours = first_ms[width_ms == MS_PER_H][:MOST_LOOKED_AT]
    return _zone(hours, after=-1)


def zone_that_repeats(times_ms: "NDArray[np.int64]") -> str | None:
    """Return the first zone of `ZONES` whose clock shows one of the times twice, or None.

    Parameters
    ----------
    times_ms : int64[times]
        Times that a file holds twice, on the clock that it goes by. [ms]
    """
    return _zone(times_ms[:MOST_LOOKED_AT], after=1)


def _zone(clock_ms: "NDArray[np.int64]", after: int) -> str | None:
    """Return the zone where the second reading of a local time lies before or after the first."""
    if len(clock_ms) == 0:
        return None
    for zone in ZONES:
        first, second = local_to_utc(clock_ms, zone)
        if (np.sign(second - first) == after).any():
            return zone
    return None
