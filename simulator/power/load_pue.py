"""Losses that follow the load and losses that don't.

``facility = IT x (1 + proportional) + fixed``, so ``PUE = 1 + proportional + fixed / IT``: it falls
as the load rises, which is what chillers, fans and power supplies sized for the full load do.
"""

import numpy as np

from simulator.power.overhead import Overhead
from simulator.scenario.facility import LoadPue


def overhead(pue: LoadPue) -> Overhead:
    """Return the overhead of a building of this kind."""
    return Overhead(ratio=np.array([1.0 + pue.proportional]), fixed_w=pue.fixed_w)
