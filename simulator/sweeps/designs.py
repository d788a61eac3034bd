"""Points: which values of the axes are tried together."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Absent(Enum):
    """Stands in a column where a point leaves the base as it is."""

    ABSENT = "absent"


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The points of a sweep, in order; none is made before it is asked for.

    Attributes
    ----------
    paths : tuple of str
        Dotted paths of the axes.
    columns : tuple of sequence
        For each axis its values: all of the axis where the points are their product, else one for
        each point.
    is_product : bool
        Whether the points are all combinations of the columns, the last axis changing fastest.
    kept : int64[points] or None
        Which of these points there are; None for all.
    unit : float64[points, axes] or None
        Of a sampled design, the uniform numbers that the values were drawn with, in (0, 1).
    base_samples : int or None
        Of the cross sampling for Sobol indices, its base samples.
    """

    paths: tuple[str, ...]
    columns: tuple[Sequence[Any], ...]
    is_product: bool = False
    kept: NDArray[np.int64] | None = None
    unit: NDArray[np.float64] | None = None
    base_samples: int | None = None

    @classmethod
    def grid(cls, paths: Sequence[str], columns: Sequence[Sequence[Any]]) -> "Points":
        """Return all combinations of the values, the last axis changing fastest."""
        return cls(tuple(paths), tuple(columns), is_product=True)

    @classmethod
    def zipped(cls, paths: Sequence[str], columns: Sequence[Sequence[Any]]) -> "Points":
        """Return the first values of all axes, the second ones, and so on."""
        return cls(tuple(paths), tuple(columns))

    @classmethod
    def listed(cls, changes: Iterable[Mapping[str, Any]]) -> "Points":
        """Return points of explicit changes; one that leaves a path out keeps the base's value."""
        listed = [dict(each) for each in changes]
        paths = tuple(dict.fromkeys(path for each in listed for path in each))
        columns = (tuple(each.get(path, Absent.ABSENT) for each in listed) for path in paths)
        kept = None if paths else np.arange(len(listed))
        return cls(paths, tuple(columns), kept=kept)

    def __len__(self) -> int:
        return self._all if self.kept is None else len(self.kept)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.at(point) for point in range(len(self)))

    def at(self, point: int) -> dict[str, Any]:
        """Return the new values of a point by dotted path, for `Scenario.replace`."""
        return {
            path: column[index]
            for path, column, index in zip(
                self.paths, self.columns, self._indices(point), strict=True
            )
            if column[index] is not Absent.ABSENT
        }

    def keeping(self, chosen: NDArray[np.int64]) -> "Points":
        """Return only some of the points, numbered anew in order.

        Parameters
        ----------
        chosen : int64[n]
            Numbers of the points that stay, ascending.
        """
        kept = chosen if self.kept is None else self.kept[chosen]
        return replace(self, kept=kept, unit=None if self.unit is None else self.unit[chosen])

    @property
    def _all(self) -> int:
        if self.is_product:
            return math.prod(len(column) for column in self.columns)
        return len(self.columns[0]) if self.columns else 0

    def _indices(self, point: int) -> tuple[int, ...]:
        """Return which entry of each column a point has."""
        if not 0 <= point < len(self):
            raise IndexError(f"point {point} of {len(self)}")
        rest = point if self.kept is None else int(self.kept[point])
        if not self.is_product:
            return (rest,) * len(self.columns)
        indices = []
        for column in reversed(self.columns):
            rest, index = divmod(rest, len(column))
            indices.append(index)
        return tuple(reversed(indices))
