"""What uncertain axes make of the results: percentiles, and which axis goes with which result."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.sweeps.point_table import is_constant, quantities_of
from simulator.units import DIMENSIONS, parse_quantity

PERCENTS: Final = (5, 25, 50, 75, 95)

Values = NDArray[np.float64]


def percentiles(
    points: pd.DataFrame,
    quantities: Sequence[str] | None = None,
    percents: Sequence[int] = PERCENTS,
) -> pd.DataFrame:
    """Return percentiles of each quantity over the points of a sample.

    Parameters
    ----------
    points : pandas.DataFrame
        One row for each point, as `point_means` returns them. Points with failed runs, or
        without the quantity, are left out and counted.
    quantities : sequence of str, optional
        Columns; by default those of `HEADLINES` that the table has.
    percents : sequence of int
        [%]

    Returns
    -------
    pandas.DataFrame
        ``quantity, points, left_out, mean, p5, p25, ...``: linear percentiles, NaN where no
        point has the quantity.
    """
    rows = []
    for name in quantities_of(points, quantities):
        values = points[name].where(points["failed"] == 0).dropna().to_numpy(np.float64)
        some = len(values) > 0
        row: dict[str, Any] = {
            "quantity": name,
            "points": len(values),
            "left_out": len(points) - len(values),
            "mean": float(values.mean()) if some else np.nan,
        }
        for percent in percents:
            row[f"p{percent}"] = float(np.percentile(values, percent)) if some else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def rank_correlations(
    points: pd.DataFrame,
    axes: Sequence[str],
    quantities: Sequence[str] | None = None,
    unit: Values | None = None,
) -> pd.DataFrame:
    """Return Spearman's rank correlation of each axis with each quantity.

    Parameters
    ----------
    points : pandas.DataFrame
        One row for each point, as `point_means` returns them; those with failed runs, or without
        the quantity, are left out.
    axes : sequence of str
    quantities : sequence of str, optional
        Columns; by default those of `HEADLINES` that the table has.
    unit : float64[points, axes], optional
        What was drawn for each axis, 0 to 1; otherwise the axes' own values are ranked, which
        must be numbers or quantities.

    Returns
    -------
    pandas.DataFrame
        One row for each axis, one column for each quantity; NaN where one of the two is constant
        or can't be ranked. [1]
    """
    names = quantities_of(points, quantities)
    drawn = unit if unit is not None else np.column_stack([_numbers(points[a]) for a in axes])
    fine = (points["failed"] == 0).to_numpy()
    found = {
        name: [
            _spearman(drawn[fine, at], points[name].to_numpy(np.float64)[fine])
            for at in range(len(axes))
        ]
        for name in names
    }
    return pd.DataFrame(found, index=pd.Index(axes, name="axis"))


def _spearman(one: Values, other: Values) -> float:
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < 2 or np.ptp(one[both]) == 0.0 or is_constant(other[both]):
        return float("nan")
    ranks = np.stack(
        [pd.Series(values[both]).rank().to_numpy(np.float64) for values in (one, other)]
    )
    matrix: Values = np.asarray(np.corrcoef(ranks))
    return float(matrix[0, 1])


def _numbers(column: "pd.Series[Any]") -> Values:
    """Return the values of an axis as numbers in one unit; NaN where they are neither."""
    return np.array([_number(value) for value in column], np.float64)


def _number(value: object) -> float:
    if isinstance(value, bool | int | float | np.number):
        return float(value)
    if isinstance(value, str):
        for dimension in DIMENSIONS:
            try:
                return parse_quantity(value, dimension)
            except ValueError:
                continue
    return float("nan")
