"""What engine and accounting must know of the power of nodes, in one piece."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.curves import Curves
from simulator.power.failures import Failures
from simulator.power.ladder import Ladders


@dataclass(frozen=True, slots=True)
class PowerTables:
    """Power of the nodes of a fleet.

    Attributes
    ----------
    curves : Curves
        What nodes draw between idle and busy.
    ladders : Ladders
        What idle nodes do by themselves.
    may_leave : bool[clusters]
        Whether nodes may come into service and go out of it during the run.
    failures : Failures or None
        When nodes fail and are repaired, and what they draw meanwhile; None where none fails.
    """

    curves: Curves
    ladders: Ladders
    may_leave: NDArray[np.bool_]
    failures: Failures | None = None
