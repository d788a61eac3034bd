"""What the buildings of a run do on its bins: overhead, water and weather, site by site."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.power.overhead import Overhead
from simulator.power.pue import overhead_of
from simulator.power.water import wue_on_bins
from simulator.scenario.model import Site
from simulator.traces.trace import Trace


@dataclass(frozen=True, slots=True)
class Facility:
    """What the buildings do on the bins of a run, one entry for each site.

    Attributes
    ----------
    overheads : tuple of Overhead
    wue_l_per_kwh : tuple of float64[bins] or float64[1]
        Water over IT energy; NaN for a site that gives none. [L/kWh]
    temperature_degc : tuple of float64[bins] or None
        Outside temperature; None for a site where nothing depends on it. [degC]
    """

    overheads: tuple[Overhead, ...]
    wue_l_per_kwh: tuple[NDArray[np.float64], ...]
    temperature_degc: tuple[NDArray[np.float64] | None, ...]


@dataclass(frozen=True, slots=True)
class SiteMeans:
    """What the models of one site came to in a run.

    Attributes
    ----------
    pue_by_energy, pue_over_time : float or None
        Facility over IT energy of the whole run; the mean of that ratio over time. None where no
        IT energy was drawn.
    wue_l_per_kwh : float or None
        Water over IT energy of the whole run; None where none was drawn or no WUE is given. [L/kWh]
    temperature_degc : float or None
        Mean over time; None where nothing depends on it. [degC]
    """

    pue_by_energy: float | None
    pue_over_time: float | None
    wue_l_per_kwh: float | None
    temperature_degc: float | None


NO_MEANS: Final = SiteMeans(None, None, None, None)
"""What a site without models has."""


def facility_of(
    sites: Sequence[Site],
    weather: Sequence[Trace | None],
    *,
    first_ms: int,
    bin_ms: int,
    count: int,
) -> Facility:
    """Return what the buildings do on equal bins that straddle no edge of the weather.

    Parameters
    ----------
    sites : sequence of Site
    weather : sequence of Trace or None
        The outside temperature of each site; None where nothing depends on it.
    first_ms : int
        Start of the first bin, since the Unix epoch. [ms]
    bin_ms : int
        Length of a bin. [ms]
    count : int
        Number of bins.
    """
    temperatures = tuple(
        None if trace is None else trace.on_bins(first_ms, bin_ms, count) for trace in weather
    )
    pairs = list(zip(sites, temperatures, strict=True))
    return Facility(
        overheads=tuple(overhead_of(site.pue, degc) for site, degc in pairs),
        wue_l_per_kwh=tuple(wue_on_bins(site.wue_l_per_kwh, degc) for site, degc in pairs),
        temperature_degc=temperatures,
    )
