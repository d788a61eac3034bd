"""What figures draw from: the runs of sweeps, what they start from, and sizes of drawn jobs."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class HourlyGrid:
    """Intensity of a site's grid, hour by hour.

    Attributes
    ----------
    label : str
        Of the trace of average intensity, or where that is a constant of the marginal one.
    average_g_per_kwh : float64[hours]
    marginal_g_per_kwh : float64[hours] or None
        None where the site has none.
    """

    label: str
    average_g_per_kwh: "NDArray[np.float64]"
    marginal_g_per_kwh: "NDArray[np.float64] | None" = None


@dataclass(frozen=True, slots=True)
class Material:
    """What one figure needs, each by the name of its scenario file.

    Attributes
    ----------
    bases : mapping of str to Scenario
    runs : mapping of str to DataFrame
        One row for each run of a sweep: axes, seed and every quantity of the summary.
    jobs : mapping of str to DataFrame
        Jobs of all runs of a sweep that keeps them, with the point and the seed of each.
    gpu_days : mapping of str to tuple of float64[jobs]
        Of the jobs that are drawn, one array for each seed. [GPU-days]
    utilisation : mapping of str to tuple of float64[jobs]
        Of the accelerators that the same jobs hold.
    grids : mapping of str to mapping of str to HourlyGrid
        By site.
    instead : tuple of str
        Names of `grids` that the catalog's profiles stand for, since their files are not there.
    """

    bases: "Mapping[str, Scenario]"
    runs: "Mapping[str, pd.DataFrame]"
    jobs: "Mapping[str, pd.DataFrame]" = field(default_factory=dict)
    gpu_days: "Mapping[str, tuple[NDArray[np.float64], ...]]" = field(default_factory=dict)
    utilisation: "Mapping[str, tuple[NDArray[np.float64], ...]]" = field(default_factory=dict)
    grids: "Mapping[str, Mapping[str, HourlyGrid]]" = field(default_factory=dict)
    instead: "tuple[str, ...]" = ()
