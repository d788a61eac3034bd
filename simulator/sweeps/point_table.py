"""Points of a table of runs: replications averaged, and the quantities that are looked at."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.errors import InputError, Issue, listing, nearest, shown

HEADLINES: Final = (
    "total_kgco2e",
    "scope2_location_kgco2e",
    "marginal_kgco2e",
    "energy_facility_kwh",
    "sci_gco2e_per_gpu_hour",
    "allocation",
    "wait_mean_h",
    "wait_p99_h",
)
"""Quantities that are looked at unless others are named."""

LEAST_SPREAD: Final = 1e-12
"""Relative spread below which a quantity is the same at every point but for rounding."""

NOT_QUANTITIES: Final = frozenset({"row", "point", "seed", "failed", "left_out"})
"""Columns of numbers that are no results."""


def point_means(runs: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """Return one row for each point: its axes, its numbers averaged over seeds, failed runs.

    Parameters
    ----------
    runs : pandas.DataFrame
        One row for each run.
    axes : sequence of str

    Returns
    -------
    pandas.DataFrame
        ``point``, the axes, ``failed`` (runs of the point that failed) and every numeric column
        averaged over the runs that have it; NaN where none has.
    """
    numeric = [name for name in _numeric(runs) if name not in axes]
    by_point = runs.assign(failed=(runs["status"] == "failed")).groupby("point", sort=True)
    means = by_point[numeric].mean().astype(np.float64)
    failed = by_point["failed"].sum().astype(np.int64)
    return pd.concat([by_point[list(axes)].first(), failed, means], axis=1).reset_index()


def quantities_of(table: pd.DataFrame, asked: Sequence[str] | None) -> list[str]:
    """Return the columns to look at, those of `HEADLINES` unless others are asked for.

    Raises
    ------
    InputError
        If one that is asked for is no column of numbers.
    """
    numeric = _numeric(table)
    if asked is None:
        return [name for name in HEADLINES if name in numeric]
    unknown = [name for name in asked if name not in numeric]
    issues = [Issue("quantity", unknown_quantity(name, numeric)) for name in unknown]
    if issues:
        raise InputError("sensitivity", issues)
    return list(asked)


def unknown_quantity(name: str, known: Sequence[str]) -> str:
    """Return what is said of a quantity that is no column of numbers."""
    near = nearest(name, known)
    meant = f"did you mean {shown(near)}? " if near else ""
    return f"{shown(name)} is no column of numbers; {meant}known are {listing(known)}"


def is_constant(values: NDArray[np.float64]) -> bool:
    """Return whether numbers are all the same but for rounding."""
    return bool(np.ptp(values) <= LEAST_SPREAD * np.abs(values).max())


def _numeric(table: pd.DataFrame) -> list[str]:
    return [
        name
        for name in table.columns
        if name not in NOT_QUANTITIES and pd.api.types.is_numeric_dtype(table[name])
    ]
