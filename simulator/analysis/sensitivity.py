"""What the results of many runs owe to each axis: Sobol indices, tornado, rank correlations.

Everything is read from a table with one row for each run, point-major: the columns ``point``,
``status``, one for each axis and one for each quantity. Replications are averaged first, so
what is split among the axes is the variance of means over seeds.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.analysis.point_table import chosen, is_constant, point_means
from simulator.errors import InputError, Issue
from simulator.figures.quantities import no_quantity
from simulator.units import DIMENSIONS, number_and_unit

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 500
"""Bootstrap samples behind the interval of an index."""
VAGUE: Final = 0.5
"""Share of the largest total index from which on the half-width of its interval is too wide."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SobolIndices:
    """How much of the variance of each quantity each axis explains.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each quantity and axis: ``quantity, axis, first, first_interval, total,
        total_interval``. `first` is the share of the variance that the axis explains on its own,
        `total` the share that would stay if all others were known; intervals are half-widths. [1]
    absent : mapping of str to str
        Quantities without indices, and why.
    samples : int
        Base samples; the design has `samples` x (axes + 2) points.
    confidence : float
        Of the intervals. [1]
    """

    table: pd.DataFrame
    absent: Mapping[str, str]
    samples: int
    confidence: float

    def of(self, quantity: str) -> pd.DataFrame:
        """Return the rows of one quantity, the largest total first.

        Raises
        ------
        InputError
            If it has no indices, saying why.
        """
        if quantity in self.absent:
            message = f"has no indices: {self.absent[quantity]}; take another quantity"
            raise InputError("sensitivity", [Issue(quantity, message)])
        known = list(dict.fromkeys(self.table["quantity"]))
        if quantity not in known:
            raise InputError("sensitivity", [Issue("quantity", no_quantity(quantity, known))])
        rows = self.table[self.table["quantity"] == quantity]
        return rows.sort_values("total", ascending=False, kind="stable", ignore_index=True)

    def vague(self) -> pd.DataFrame:
        """Return the rows of largest total that are known to no better than half of their value.

        One for each quantity whose interval is so wide, or can't be told.
        """
        totals = self.table["total"].fillna(-np.inf)
        places = totals.groupby(self.table["quantity"], sort=False).idxmax()
        largest = self.table.loc[places]
        is_clear = largest["total_interval"] <= VAGUE * largest["total"]
        return largest[~is_clear].reset_index(drop=True)


def sobol_indices(
    runs: pd.DataFrame,
    axes: Sequence[str],
    *,
    quantities: Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SobolIndices:
    """Return first-order and total Sobol indices of a Saltelli design.

    Parameters
    ----------
    runs : pandas.DataFrame
        One row for each run, of a design of N x (axes + 2) points in the order of
        ``SALib.sample.sobol.sample(..., calc_second_order=False)``.
    axes : sequence of str
        In the order of the design.
    quantities : sequence of str, optional
        Columns; by default the headlines that the table has.
    confidence : float
        Of the intervals, which are bootstrapped. [1]
    resamples : int
        Bootstrap samples.
    seed : int
        Of the bootstrap, at least 0.

    Raises
    ------
    InputError
        If points failed or are missing, a quantity is no column of numbers, or SALib is absent.
    """
    names = chosen(runs, quantities)
    points = point_means(runs, axes)
    _check_cross_samples(points, len(axes))
    analyze = _sobol_analysis()
    rows: list[dict[str, Any]] = []
    absent: dict[str, str] = {}
    for name in names:
        values = points[name].to_numpy(np.float64)
        why = _why_absent(values)
        if why:
            absent[name] = why
            continue
        # SALib takes a seed of 0 for none and then draws from the global generator.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = analyze(
                {"num_vars": len(axes), "names": list(axes), "bounds": [[0.0, 1.0]] * len(axes)},
                values,
                calc_second_order=False,
                num_resamples=resamples,
                conf_level=confidence,
                print_to_console=False,
                seed=seed + 1,
            )
        columns = (found["S1"], found["S1_conf"], found["ST"], found["ST_conf"])
        for axis, first, first_interval, total, total_interval in zip(axes, *columns, strict=True):
            rows.append(
                {
                    "quantity": name,
                    "axis": axis,
                    "first": float(first),
                    "first_interval": float(first_interval),
                    "total": float(total),
                    "total_interval": float(total_interval),
                }
            )
    columns_named = ["quantity", "axis", "first", "first_interval", "total", "total_interval"]
    table = pd.DataFrame(rows, columns=columns_named)
    return SobolIndices(table, absent, len(points) // (len(axes) + 2), confidence)


def tornado(runs: pd.DataFrame, axes: Sequence[str], quantity: str) -> pd.DataFrame:
    """Return what each axis does on its own, from a one-at-a-time design.

    Parameters
    ----------
    runs : pandas.DataFrame
        One row for each run: the base point first, then each axis at its low and at its high
        value while the others stay at the base.
    axes : sequence of str
        In the order of the design.
    quantity : str
        A column of numbers.

    Returns
    -------
    pandas.DataFrame
        ``axis, low, high, at_low, at_high, at_base, swing``, the largest swing first; the swing
        is the largest of the three results less the smallest. NaN where a run failed.

    Raises
    ------
    InputError
        If the table is of another design, or the base has no such result.
    """
    chosen(runs, [quantity])
    points = point_means(runs, axes)
    if len(points) != 1 + 2 * len(axes):
        rule = (
            f"{len(points)} points are not those of a one-at-a-time design, which has "
            f'{1 + 2 * len(axes)} for {len(axes)} axes; write design = "one-at-a-time"'
        )
        raise InputError("sensitivity", [Issue("points", rule)])
    results = points[quantity].to_numpy(np.float64)
    at_base, at_low, at_high = results[0], results[1::2], results[2::2]
    if np.isnan(at_base):
        rule = "is absent at the base point, to which the others are compared; take another"
        raise InputError("sensitivity", [Issue(quantity, rule)])
    ends = np.stack([at_low, at_high, np.full(len(axes), at_base)])
    table = pd.DataFrame(
        {
            "axis": list(axes),
            "low": [points[axis].iloc[1 + 2 * at] for at, axis in enumerate(axes)],
            "high": [points[axis].iloc[2 + 2 * at] for at, axis in enumerate(axes)],
            "at_low": at_low,
            "at_high": at_high,
            "at_base": at_base,
            "swing": ends.max(axis=0) - ends.min(axis=0),
        }
    )
    return table.sort_values("swing", ascending=False, kind="stable", ignore_index=True)


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
        Columns; by default the headlines that the table has.
    unit : float64[points, axes], optional
        What was drawn for each axis, 0 to 1; otherwise the axes' own values are ranked, which
        must be numbers or quantities.

    Returns
    -------
    pandas.DataFrame
        One row for each axis, one column for each quantity; NaN where one of the two is constant
        or can't be ranked. [1]
    """
    names = chosen(points, quantities)
    drawn = unit if unit is not None else np.column_stack([_numbers(points[a]) for a in axes])
    fine = (points["status"] == "done").to_numpy()
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
    read = number_and_unit(value) if isinstance(value, str) else None
    return float("nan") if read is None else read[0] * DIMENSIONS[read[2]][read[1]]


def _check_cross_samples(points: pd.DataFrame, axes: int) -> None:
    """Refuse a table from which points of a Saltelli design are missing."""
    failed = int((points["status"] == "failed").sum())
    if failed:
        rule = (
            f"{failed} of {len(points)} points failed, so the cross samples are incomplete; "
            "repeat them with --retry-failed"
        )
        raise InputError("sensitivity", [Issue("points", rule)])
    whole = list(points["point"]) == list(range(len(points)))
    if not whole or not len(points) or len(points) % (axes + 2):
        rule = (
            f"{len(points)} points are not those of a saltelli design, which has N x "
            f'{axes + 2} for {axes} axes; write design = "saltelli"'
        )
        raise InputError("sensitivity", [Issue("points", rule)])


def _why_absent(values: Values) -> str:
    missing = int(np.isnan(values).sum())
    if missing:
        return f"absent at {missing} of {len(values)} points"
    if is_constant(values):
        return f"the same at every point ({values[0]:.6g})"
    return ""


def _sobol_analysis() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from SALib.analyze.sobol import analyze
    except ImportError as error:
        rule = "SALib is not installed, which finds Sobol indices; pip install 'fleetsim[sweep]'"
        raise InputError("sensitivity", [Issue("", rule)]) from error
    return analyze
