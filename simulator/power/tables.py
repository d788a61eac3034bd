"""What engine and accounting must know of the power of nodes, in one piece."""

from dataclasses import dataclass

from simulator.kernels.curves import Curves
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
    """

    curves: Curves
    ladders: Ladders
