"""Differences between runs paired by their seeds, as tables: one row for each other and quantity.

All sides of a comparison, and all points of a sweep, meet the same seeds, hence the same jobs.
What the seeds do to both sides falls out of the differences, so few runs tell much.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.analysis.statistics import LEVEL, finished, numbers_of, quantities_of, spread
from simulator.columns import SUMMARY
from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.figures.quantities import axis_names, value_words

COLUMNS: Final = (
    "base_mean",
    "other_mean",
    "difference",
    "low",
    "high",
    "percent",
    "percent_low",
    "percent_high",
    "clear",
    "n",
    "unit",
)
"""What a table of differences says of a quantity, after the names of the other and of it."""

ROUNDING: Final = 1e-9
"""Relative difference up to which two sums of one quantity agree; nothing smaller is clear."""

_UNITS: Final = {column.name: column.unit for column in SUMMARY}

Values = NDArray[np.float64]


def differences(
    base: pd.DataFrame, other: pd.DataFrame, *, other_name: str = "other", level: float = LEVEL
) -> pd.DataFrame:
    """Return how the runs of one side differ from those of the base, paired by seed.

    Parameters
    ----------
    base, other : DataFrame
        One row for each run, with its ``seed`` and the keys of the summary. Runs that failed are
        left out, and so is a seed that only one side has.
    other_name : str
        What the column ``other`` says.
    level : float
        Confidence of the intervals.

    Returns
    -------
    DataFrame
        One row for each quantity, headlines first: ``other``, ``quantity``, ``base_mean``,
        ``other_mean``, ``difference`` (other less base) with its interval ``low`` to ``high``;
        the same three in per cent of the size of the base's mean; ``clear``, whether the interval
        excludes 0; ``n`` pairs; ``unit``. A quantity that any run of either side lacks is absent:
        all of it null. One pair has no interval, and a base of 0 no per cent.
    """
    quantities = [name for name in quantities_of(base) if name in other.columns]
    ours, theirs = _paired(finished(base), finished(other))
    one, two = numbers_of(ours, quantities), numbers_of(theirs, quantities)
    table = pd.DataFrame(_columns(one, two, level))
    table.insert(0, "other", other_name)
    table.insert(1, "quantity", quantities)
    table["clear"] = table["clear"].astype("boolean")
    table["n"] = np.where(table["difference"].isna(), 0, len(ours))
    table["unit"] = [_UNITS[name] for name in quantities]
    return table


def compare_points(
    table: pd.DataFrame,
    axes: Sequence[str],
    base: Mapping[str, Any],
    *,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return how every point of a sweep differs from one of them, paired by seed.

    Parameters
    ----------
    table : DataFrame
        The results of a sweep, one row for each run.
    axes : sequence of str
        Dotted paths of the axes, each a column of the table.
    base : mapping
        The base point: values by dotted path, as the table has them; as many as tell it apart.
    level : float
        Confidence of the intervals.

    Returns
    -------
    DataFrame
        As `differences`, with the columns ``point`` and one for each axis in front; ``other``
        says the values in words. Rows stand in order of points, the base left out.

    Raises
    ------
    InputError
        If an axis is unknown, or no point or several are meant by `base`.
    """
    first = table.drop_duplicates("point").sort_values("point").reset_index(drop=True)
    chosen = _base_point(first, axes, base)
    groups = dict(iter(table.groupby("point", sort=True)))
    names, parts = axis_names(axes), []
    for _, row in first.iterrows():
        if row["point"] == chosen:
            continue
        words = ", ".join(f"{names[path]} = {value_words(row[path])}" for path in axes)
        part = differences(groups[chosen], groups[row["point"]], other_name=words, level=level)
        for at, path in enumerate(("point", *axes)):
            part.insert(at, path, pd.Series([row[path]] * len(part), index=part.index))
        parts.append(part)
    if parts:
        return pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns=["point", *axes, "other", "quantity", *COLUMNS])


def _columns(one: Values, two: Values, level: float) -> dict[str, Any]:
    """Return the numbers of a table of differences, NaN where absent."""
    absent = np.isnan(one).any(axis=0) | np.isnan(two).any(axis=0)
    if not len(one):
        nothing = np.full(one.shape[1], np.nan)
        return {name: nothing for name in COLUMNS if name not in ("n", "unit")}
    base_mean, *_ = spread(one, level)
    other_mean, *_ = spread(two, level)
    mean, _, half_width = spread(two - one, level)
    for column in (base_mean, other_mean, mean, half_width):
        column[absent] = np.nan
    size = np.abs(base_mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_cent = np.where(size > 0.0, 100.0 / size, np.nan)
    known = ~np.isnan(half_width)
    scale = np.fmax(size, np.abs(other_mean))
    certain = (np.abs(mean) > half_width) & (np.abs(mean) > ROUNDING * scale)
    low, high = mean - half_width, mean + half_width
    return {
        "base_mean": base_mean,
        "other_mean": other_mean,
        "difference": mean,
        "low": low,
        "high": high,
        "percent": mean * per_cent,
        "percent_low": low * per_cent,
        "percent_high": high * per_cent,
        "clear": np.where(known, certain, np.nan),
    }


def _paired(base: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the seeds that both sides have, in one order."""
    one = base.drop_duplicates("seed").set_index("seed", drop=False)
    two = other.drop_duplicates("seed").set_index("seed", drop=False)
    seeds = [seed for seed in one.index if seed in two.index]
    return one.loc[seeds], two.loc[seeds]


def _base_point(first: pd.DataFrame, axes: Sequence[str], base: Mapping[str, Any]) -> Any:
    """Return the number of the one point that has these values."""
    unknown = [path for path in base if path not in axes]
    if unknown:
        raise InputError("base", [Issue(str(path), _no_axis(path, axes)) for path in unknown])
    meant = [row for _, row in first.iterrows() if all(row[p] == v for p, v in base.items())]
    if len(meant) == 1:
        return meant[0]["point"]
    if meant:
        open_axes = [path for path in axes if path not in base]
        rule = f"{len(meant)} points have these values; say those of {listing(open_axes)} too"
        raise InputError("base", [Issue("", rule)])
    issues = []
    for path, value in base.items():
        known = list(dict.fromkeys(value_words(row[path]) for _, row in first.iterrows()))
        if value_words(value) not in known:
            rule = f"{shown(value)} is no value of this axis; its values are {listing(known)}"
            issues.append(Issue(path, rule))
    rule = "no point of the sweep has these values together; name those of one of its points"
    raise InputError("base", issues or [Issue("", rule)])


def _no_axis(path: str, axes: Sequence[str]) -> str:
    near = nearest(str(path), axes)
    meant = f"did you mean {near}? " if near else ""
    return f"no axis of the sweep; {meant}its axes are {listing(axes)}"
