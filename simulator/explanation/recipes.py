"""What a figure is made of: parts that add up, each a product of factors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.figures.series import codes, timeline
from simulator.results import Results
from simulator.tables import numbers_of


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a part.

    Attributes
    ----------
    value : float
    unit : str
        Empty for a ratio.
    of : str
        What it is, e.g. ``"PUE"``.
    over : bool
        Whether the product is divided by it.
    """

    value: float
    unit: str
    of: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a figure: a product of factors, added or taken away.

    Attributes
    ----------
    of : str
        What it is of: a key of the summary, a cluster, a workload.
    factors : tuple of Factor
    taken_away : bool
    """

    of: str
    factors: tuple[Factor, ...]
    taken_away: bool = False

    @property
    def value(self) -> float:
        """What it adds, in the unit of the figure; less than 0 where it is taken away."""
        result = -1.0 if self.taken_away else 1.0
        for factor in self.factors:
            result = result / factor.value if factor.over else result * factor.value
        return result


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a figure is made.

    Attributes
    ----------
    parts : tuple of Part
        They add up to it; none where no table holds them.
    note : str
        What else there is to say.
    sources : tuple of str
        Quantities of the assumptions that it stands on.
    """

    parts: tuple[Part, ...] = ()
    note: str = ""
    sources: tuple[str, ...] = field(default=())

    @property
    def value(self) -> float:
        """What the parts add up to."""
        return math.fsum(part.value for part in self.parts)


def key_part(results: Results, key: str, unit: str, *, taken_away: bool = False) -> Part:
    """Return a part that is another figure of the summary; one that is absent counts nothing."""
    value = results.summary[key]
    return Part(key, (Factor(float(value or 0.0), unit, ""),), taken_away)


def quotient(results: Results, over: tuple[str, str], under: tuple[str, str]) -> Recipe:
    """Return a figure that is one figure of the summary over another, each with its unit."""
    denominator = results.summary[under[0]]
    if not denominator:
        return Recipe(note=f"{under[0]} is 0")
    return Recipe(
        (
            Part(
                "",
                (
                    Factor(float(results.summary[over[0]]), over[1], over[0]),
                    Factor(float(denominator), under[1], under[0], over=True),
                ),
            ),
        )
    )


def by_cluster(results: Results, name: str, weights: Any = 1.0) -> dict[str, float]:
    """Return the sum of a column of the hourly table over time, by cluster."""
    code, known = codes(results, "hourly", "cluster")
    values = numbers(results, "hourly", name) * weights
    totals = np.bincount(code, values, len(known)).tolist()
    found = dict(zip(known, totals, strict=False))
    return {cluster: found.get(cluster, 0.0) for cluster in results.scenario.clusters}


def numbers(results: Results, table: str, name: str) -> NDArray[np.float64]:
    """Return a column of a table, NaN where it is absent."""
    return numbers_of(results.tables[table][name])


def row_hours(results: Results) -> NDArray[np.float64]:
    """Return the length of the interval of each row of the hourly table. [h]"""
    line = timeline(results)
    return np.empty(0) if line is None else line.hours[line.row]


def sums_over(results: Results, table: str, by: str, values: Any) -> dict[str, float]:
    """Return the sum of values of the rows of a table, by one of its categories."""
    code, known = codes(results, table, by)
    return dict(zip(known, np.bincount(code, values, len(known)).tolist(), strict=False))


def single(values: dict[str, float], unit: str, of: str = "") -> tuple[Part, ...]:
    """Return parts of one factor each."""
    return tuple(Part(name, (Factor(value, unit, of),)) for name, value in values.items())


def sum_of(results: Results, unit: str, keys: Sequence[str]) -> Recipe:
    """Return a figure that is the sum of others of the summary."""
    return Recipe(tuple(key_part(results, key, unit) for key in keys))
