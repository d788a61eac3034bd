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
class Material:
    """What one figure needs, each by the name of its scenario file.

    Attributes
    ----------
    bases : mapping of str to Scenario
    runs : mapping of str to DataFrame
        One row for each run of a sweep: axes, seed and every quantity of the summary.
    gpu_days : mapping of str to tuple of float64[jobs]
        Of the jobs that are drawn, one array for each seed. [GPU-days]
    utilisation : mapping of str to tuple of float64[jobs]
        Of the accelerators that the same jobs hold.
    """

    bases: "Mapping[str, Scenario]"
    runs: "Mapping[str, pd.DataFrame]"
    gpu_days: "Mapping[str, tuple[NDArray[np.float64], ...]]" = field(default_factory=dict)
    utilisation: "Mapping[str, tuple[NDArray[np.float64], ...]]" = field(default_factory=dict)
