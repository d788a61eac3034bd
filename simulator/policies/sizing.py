"""Types of the parameters that many policies share, and the rounding to whole nodes."""

import math
from typing import Annotated, Final, TypeAlias

from simulator.scenario.fields import Milliseconds, Number, Whole
from simulator.scenario.provisioning import MOST_NODES

Nodes: TypeAlias = Annotated[int, Whole(0, MOST_NODES)]
Share: TypeAlias = Annotated[float, Number(low=0.0, high=1.0, meaning="a share")]
Period: TypeAlias = Annotated[int, Milliseconds(positive=True)]
Time: TypeAlias = Annotated[int, Milliseconds()]

ROUNDING: Final = 1e-9
"""What floating-point numbers may add to a whole number of nodes."""


def whole_nodes(nodes: float) -> int:
    """Return the whole number of nodes that is enough."""
    return math.ceil(nodes - ROUNDING)


def does_not_divide(every_ms: int, whole_ms: int) -> bool:
    """Return whether a step is longer than a time or leaves a rest of it."""
    return whole_ms % every_ms != 0
