"""Points: which values of the axes are tried together."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.plans.axes import Axis, value_at
from simulator.plans.samples import SAMPLERS

DESIGNS: Final = ("grid", "zip", *SAMPLERS, "one-at-a-time")
"""Ways to put the values of several axes together; the first is the default."""


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
    def sampled(
        cls,
        axes: Sequence[Axis],
        unit: NDArray[np.float64],
        base_samples: int | None = None,
    ) -> "Points":
        """Return points drawn with uniform numbers, float64[points, axes]."""
        columns = tuple(axis.column(unit[:, index]) for index, axis in enumerate(axes))
        paths = tuple(axis.path for axis in axes)
        return cls(paths, columns, unit=unit, base_samples=base_samples)

    @classmethod
    def one_at_a_time(cls, axes: Sequence[Axis], base: Mapping[str, Any]) -> "Points":
        """Return the base, then for each axis its low and its high end, all else as in the base.

        Parameters
        ----------
        axes : sequence of Axis
        base : mapping
            The document of the base.
        """
        columns = []
        for index, axis in enumerate(axes):
            column = [value_at(base, axis.parts, Absent.ABSENT)] * (1 + 2 * len(axes))
            column[1 + 2 * index : 3 + 2 * index] = axis.ends
            columns.append(tuple(column))
        return cls(tuple(axis.path for axis in axes), tuple(columns))

    @classmethod
    def listed(cls, changes: Iterable[Mapping[str, Any]]) -> "Points":
        """Return points of explicit changes, all of the same paths.

        Raises
        ------
        ValueError
            If one names other paths than the first.
        """
        listed = [dict(each) for each in changes]
        paths = tuple(listed[0]) if listed else ()
        for number, each in enumerate(listed):
            if each.keys() != set(paths):
                raise ValueError(f"point {number} names {list(each)}, the first {list(paths)}")
        columns = (tuple(each[path] for each in listed) for path in paths)
        return cls(paths, tuple(columns), kept=None if paths else np.arange(len(listed)))

    def __len__(self) -> int:
        return self._all if self.kept is None else len(self.kept)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.at(point) for point in range(len(self)))

    def at(self, point: int) -> dict[str, Any]:
        """Return the new values of a point by dotted path, for `Scenario.replace`."""
        found = (column[at] for column, at in zip(self.columns, self._at(point), strict=True))
        pairs = zip(self.paths, found, strict=True)
        return {path: value for path, value in pairs if value is not Absent.ABSENT}

    def entries(self, start: int, stop: int) -> list[NDArray[np.int64]]:
        """Return which entry of each column some neighbouring points have.

        Returns
        -------
        list of int64[stop - start]
            One array for each axis.
        """
        rest = np.arange(start, stop) if self.kept is None else self.kept[start:stop]
        if not self.is_product:
            return [rest] * len(self.columns)
        indices = []
        for column in reversed(self.columns):
            rest, index = np.divmod(rest, len(column))
            indices.append(index)
        return indices[::-1]

    def values(self, path: str, start: int = 0, stop: int | None = None) -> list[Any]:
        """Return the values of one axis at some neighbouring points; None where the base holds."""
        axis = self.paths.index(path)
        stop = len(self) if stop is None else stop
        column = self.columns[axis]
        found = (column[index] for index in self.entries(start, stop)[axis].tolist())
        return [None if value is Absent.ABSENT else value for value in found]

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

    def _at(self, point: int) -> tuple[int, ...]:
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
