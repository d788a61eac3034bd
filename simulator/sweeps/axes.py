"""Axes: the values of one key that a sweep tries, or what it draws them from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.scenario.paths import parts_of


@dataclass(frozen=True, slots=True)
class Axis:
    """One key that a sweep varies.

    Attributes
    ----------
    path : str
        Dotted path of the key, as written: ``"clusters.train.count"``.
    values : tuple or None
        The values to try, each as a file would say it.
    """

    path: str
    values: tuple[Any, ...] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys of the path."""
        return parts_of(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen(Sequence[Any]):
    """Values of a list, point by point.

    Attributes
    ----------
    values : tuple
        The list.
    indices : int64[points]
        Which of them each point has.
    """

    values: tuple[Any, ...]
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        return self.values[self.indices[index]]
