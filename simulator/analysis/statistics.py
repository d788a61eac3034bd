"""Means, differences and percentiles over runs, with what can be said of their uncertainty.

Runs of one scenario with several seeds are a sample. The interval of a mean is Student's:
mean -/+ t(0.975; n - 1) sd / sqrt(n), with the sample standard deviation (n - 1). One run has no
interval. A quantity that is absent in any run is absent in what is made of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from simulator.columns import SUMMARY
from simulator.errors import InputError, Issue
from simulator.figures.quantities import HEADLINES, no_quantity
from simulator.kernels.beta import log_odds_of_share

LEVEL: Final = 0.95
"""Confidence of every interval."""
PERCENTS: Final = (5, 25, 50, 75, 95)
"""The percentiles that tell how a quantity spreads over runs."""
CLEAR: Final = "clear"
NOT_CLEAR: Final = "not clear"

_NO_QUANTITY: Final = frozenset({"seed"})

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over runs, and how well it is known.

    Attributes
    ----------
    mean : float
    half_width : float or None
        Of the interval of 95 %; None for one run.
    sd : float or None
        Sample standard deviation; None for one run.
    n : int
        Runs, or pairs of runs.
    """

    mean: float
    half_width: float | None
    sd: float | None
    n: int

    @property
    def low(self) -> float | None:
        """Lower end of the interval; None for one run."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end of the interval; None for one run."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def effect(self) -> str | None:
        """``"clear"`` where the interval excludes 0, else ``"not clear"``; None for one run."""
        if self.half_width is None:
            return None
        return CLEAR if abs(self.mean) > self.half_width else NOT_CLEAR


def t_quantile(share: float, freedom: float) -> float:
    """Return the quantile of Student's t law.

    With x = freedom / (freedom + t^2), the share of the law beyond t > 0 is half the incomplete
    beta function I_x(freedom / 2, 1 / 2) (Abramowitz and Stegun 1964, 26.7.1).

    Parameters
    ----------
    share : float
        Part of the law below the quantile, between 0 and 1.
    freedom : float
        Degrees of freedom, at least 1.

    Raises
    ------
    ValueError
        If there is no such quantile.
    """
    if not 0.0 < share < 1.0 or not 1.0 <= freedom < math.inf:
        raise ValueError(f"no quantile of a share {share} with {freedom} degrees of freedom")
    if share == 0.5:
        return 0.0
    if share < 0.5:
        return -t_quantile(1.0 - share, freedom)
    a, b = 0.5 * freedom, 0.5
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    beyond = math.log(2.0 * (1.0 - share))
    log_odds = float(log_odds_of_share(a, b, log_beta, beyond, math.log(a / b)))
    return math.sqrt(freedom) * math.exp(-0.5 * log_odds)


@lru_cache
def _reach(n: int, level: float) -> float:
    """Return the half width of an interval of a mean of n values, in standard deviations."""
    return t_quantile(0.5 * (1.0 + level), float(n - 1)) / math.sqrt(n)


def mean_of(values: ArrayLike, level: float = LEVEL) -> Estimate | None:
    """Return the mean of a quantity over runs with its interval; None where any run lacks it.

    Parameters
    ----------
    values : float[runs]
        NaN or None where a run lacks the quantity.
    level : float
        Confidence of the interval.
    """
    column = np.asarray(values, np.float64)
    if not len(column) or np.isnan(column).any():
        return None
    mean, sd, half_width = spread(column[:, None], level)
    if len(column) == 1:
        return Estimate(float(mean[0]), None, None, 1)
    return Estimate(float(mean[0]), float(half_width[0]), float(sd[0]), len(column))


def paired(base: ArrayLike, other: ArrayLike, level: float = LEVEL) -> Estimate | None:
    """Return the mean of the differences, other less base, of runs paired by their seeds.

    Parameters
    ----------
    base, other : float[seeds]
        A quantity in the runs of either side, in the same order of seeds.
    level : float
        Confidence of the interval.

    Raises
    ------
    ValueError
        If the two are not of one length.
    """
    one, two = np.asarray(base, np.float64), np.asarray(other, np.float64)
    if one.shape != two.shape:
        raise ValueError(f"{len(one)} runs can't be paired with {len(two)}")
    return mean_of(two - one, level)


def spread(values: Values, level: float = LEVEL) -> tuple[Values, Values, Values]:
    """Return mean, standard deviation and half width of the interval of every column.

    Parameters
    ----------
    values : float64[runs, quantities]
        At least one run.

    Returns
    -------
    tuple of float64[quantities]
        NaN where any run lacks the quantity; the last two NaN for one run.
    """
    n = len(values)
    mean = values.mean(axis=0)
    # What never varies is known exactly: no rounding of a sum may make it seem to vary.
    constant = (values == values[0]).all(axis=0)
    mean = np.where(constant, values[0], mean)
    if n == 1:
        none = np.full(values.shape[1], np.nan)
        return mean, none, none.copy()
    sd = np.sqrt(((values - mean) ** 2).sum(axis=0) / (n - 1))
    return mean, sd, _reach(n, level) * sd


def quantities_of(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the quantities that a table of runs has, headlines first.

    They are the numeric keys of the summary.
    """
    known = [column.name for column in SUMMARY if column.type != "text"]
    rest = [name for name in known if name not in HEADLINES]
    return tuple(
        name
        for name in (*HEADLINES, *rest)
        if name in known and name in table.columns and name not in _NO_QUANTITY
    )


def numbers_of(table: pd.DataFrame, quantities: Sequence[str]) -> Values:
    """Return quantities of a table as numbers, NaN where absent: float64[rows, quantities]."""
    numbers = np.empty((len(table), len(quantities)))
    for at, name in enumerate(quantities):
        numbers[:, at] = pd.to_numeric(table[name]).to_numpy(np.float64, na_value=np.nan)
    return numbers


def percentiles(
    table: pd.DataFrame,
    quantities: Sequence[str] | None = None,
    percents: Sequence[float] = PERCENTS,
) -> pd.DataFrame:
    """Return percentiles of quantities over the runs of a table; numpy's linear ones.

    Runs that failed are left out. A quantity that any other run lacks is absent.

    Parameters
    ----------
    table : DataFrame
        One row for each run.
    quantities : sequence of str, optional
        All that the table has, unless given.
    percents : sequence of float
        Between 0 and 100.

    Returns
    -------
    DataFrame
        One row for each quantity, columns ``p5`` and so on, and ``n``, the number of runs.
    """
    done = finished(table)
    names = tuple(quantities) if quantities is not None else quantities_of(table)
    numbers = numbers_of(done, names)
    columns = [f"p{percent:g}" for percent in percents]
    found = np.full((len(names), len(columns)), np.nan)
    if len(done):
        found = np.percentile(numbers, list(percents), axis=0).T
        found[np.isnan(numbers).any(axis=0)] = np.nan
    out = pd.DataFrame(found, index=pd.Index(names, name="quantity"), columns=columns)
    out["n"] = len(done)
    return out


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table whose runs did not fail."""
    return table[table["status"] == "done"] if "status" in table.columns else table


def by_point(runs: pd.DataFrame, axes: Sequence[str], quantity: str) -> pd.DataFrame:
    """Return one row for each point of a sweep: the mean of a quantity, with its interval.

    Parameters
    ----------
    runs : DataFrame
        The results of a sweep, one row for each run, with a column for each axis.
    axes : sequence of str
        Dotted paths of the axes.
    quantity : str
        A numeric key of the summary.

    Returns
    -------
    DataFrame
        Columns ``point``, one for each axis, ``mean``, ``low``, ``high`` and ``n``; NaN where
        absent. Points none of whose runs finished have n = 0.

    Raises
    ------
    InputError
        If the runs have no such quantity.
    """
    if quantity not in quantities_of(runs):
        rule = no_quantity(quantity, quantities_of(runs))
        raise InputError("sweep", [Issue("quantity", rule)])
    first = runs.drop_duplicates("point").sort_values("point", ignore_index=True)
    table = first[["point", *axes]].copy()
    done = finished(runs).sort_values("point", kind="stable")
    numbers = numbers_of(done, [quantity])[:, 0]
    points, starts, counts = np.unique(done["point"], return_index=True, return_counts=True)
    places = np.searchsorted(table["point"], points)
    found = np.full((3, len(table)), np.nan)
    for n in np.unique(counts).tolist():  # points of as many runs together
        few = counts == n
        mean, _, half_width = spread(numbers[starts[few] + np.arange(n)[:, None]])
        found[:, places[few]] = mean, mean - half_width, mean + half_width
    table["mean"], table["low"], table["high"] = found
    table["n"] = 0
    table.loc[places, "n"] = counts
    return table
