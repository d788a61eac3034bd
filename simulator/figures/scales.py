"""Values of an axis as numbers: plain ones, or quantities of one dimension."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.units import DIMENSIONS, parse_quantity


@dataclass(frozen=True, slots=True)
class Scale:
    """The values of an axis as numbers.

    Attributes
    ----------
    numbers : float64[points]
        In the unit of the axis.
    unit : str
        Empty for plain numbers.
    """

    numbers: NDArray[np.float64]
    unit: str


def scale_of(values: Sequence[Any]) -> Scale | None:
    """Return the values as numbers, None where they are words or tables.

    Quantities, such as ``"15 min"`` and ``"1 h"``, are in the unit of the first.
    """
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in plain):
        return Scale(np.array(plain, np.float64), "")
    if not all(isinstance(value, str) for value in plain):
        return None
    for dimension, units in DIMENSIONS.items():
        try:
            house = [parse_quantity(value, dimension) for value in plain]
        except ValueError:
            continue
        unit = next(name for name in sorted(units, key=len)[::-1] if plain[0].endswith(name))
        return Scale(np.array(house) / units[unit], unit)
    return None
