"""Points of a table of runs: replications averaged, and the quantities that are looked at."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.analysis.statistics import numbers_of
from simulator.errors import InputError, Issue
from simulator.figures.quantities import HEADLINES, no_quantity

LEAST_SPREAD: Final = 1e-12
"""Relative spread below which a quantity is the same at every point but for rounding."""

NOT_QUANTITIES: Final = frozenset({"row", "point", "seed"})
"""Columns of numbers that are no results."""


def point_means(runs: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """Return one row for each point: its axes, its status, its numbers averaged over the seeds.

    Parameters
    ----------
    runs : pandas.DataFrame
        One row for each run.
    axes : sequence of str

    Returns
    -------
    pandas.DataFrame
        ``point``, the axes, ``status`` (``failed`` if any of its runs is) and every numeric
        column, NaN where a run of the point lacks it or failed.
    """
    numeric = [name for name in _numeric(runs) if name not in axes]
    done = runs["status"] == "done"
    numbers = pd.DataFrame(numbers_of(runs, numeric), columns=numeric, index=runs.index)
    numbers = numbers.where(done)
    groups = numbers.groupby(runs["point"], sort=True)
    whole = groups.count().eq(groups.size(), axis=0)
    first = runs.groupby("point", sort=True)[list(axes)].first()
    finished = done.groupby(runs["point"], sort=True).all()
    status = finished.map({True: "done", False: "failed"}).rename("status")
    return pd.concat([first, status, groups.mean().where(whole)], axis=1).reset_index()


def chosen(table: pd.DataFrame, asked: Sequence[str] | None) -> list[str]:
    """Return the columns to look at, the headlines unless others are asked for.

    Raises
    ------
    InputError
        If one that is asked for is no column of numbers.
    """
    numeric = _numeric(table)
    if asked is None:
        return [name for name in HEADLINES if name in numeric]
    unknown = [name for name in asked if name not in numeric]
    if unknown:
        issues = [Issue("quantities", no_quantity(name, numeric)) for name in unknown]
        raise InputError("sensitivity", issues)
    return list(asked)


def is_constant(values: NDArray[np.float64]) -> bool:
    """Return whether numbers are all the same but for rounding."""
    return bool(np.ptp(values) <= LEAST_SPREAD * np.abs(values).max())


def _numeric(table: pd.DataFrame) -> list[str]:
    return [
        name
        for name in table.columns
        if name not in NOT_QUANTITIES and pd.api.types.is_numeric_dtype(table[name])
    ]
