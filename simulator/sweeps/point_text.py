"""The points of a sweep as a table of 80 columns: axes, means over the seeds, their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from simulator.analysis.statistics import by_point
from simulator.display import mean_text
from simulator.figures.quantities import amount_words, axis_names
from simulator.sweeps.headlines import SHOWN, amount, shown_unit
from simulator.text_table import GAP, WIDTH, aligned, breadth, least_width, shared, shortened, span

MOST_POINTS: Final = 24
"""Points that are shown; the table of the sweep has them all."""
MOST_AXES: Final = 3
"""Axes that are shown in any case; more where there is room for them."""
AXIS_LETTERS: Final = 28
"""Letters that an axis keeps before intervals are left out, or more to tell its values apart."""
SURE_FIRST: Final = ("total_kgco2e", "wait_p99_h", "energy_facility_kwh", "allocation")
"""Which quantities have room for an interval first."""

Column = list[str]


@dataclass(frozen=True, slots=True)
class _Means:
    """A quantity at the points shown: its column without intervals, and with them."""

    heading: str
    plain: Column
    sure: Column | None


def point_lines(runs: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    """Return the points as a table: what each says, and means over its seeds.

    Half of the 95 % interval stands beside the means of as many quantities as there is room for.
    The lines below say of how many seeds, and where to find what is not shown.

    Parameters
    ----------
    runs : DataFrame
        One row for each run, by point, with a column for each axis.
    axes : sequence of str
        Dotted paths of the axes.
    """
    points = runs["point"].nunique()
    head = runs[runs["point"] < MOST_POINTS]
    tables = {name: by_point(head, axes, name) for name in SHOWN}
    means = {
        name: _means(name, table) for name, table in tables.items() if table["mean"].notna().any()
    }
    first = next(iter(tables.values()))
    some = _axes_shown(first, axes, span(each.plain for each in means.values()))
    told, sure = _told_and_sure(first, some, means)
    numbers = [
        each.sure if name in sure and each.sure is not None else each.plain
        for name, each in means.items()
    ]
    room = WIDTH + GAP - span(numbers)
    widths = shared([breadth(column) + GAP for column in told], room)
    told = [shortened(each, width - GAP) for each, width in zip(told, widths, strict=True)]
    texts = [at for at, axis in enumerate(some) if not pd.api.types.is_numeric_dtype(first[axis])]
    return [
        *aligned([*told, *numbers], texts),
        *_notes(first["n"].tolist(), [name for name in means if name not in sure], bool(sure)),
        *_left_out(len(first), points, [axis for axis in axes if axis not in some]),
    ]


def _means(name: str, table: pd.DataFrame) -> _Means:
    mean, low, high = (table[each].to_numpy(np.float64) for each in ("mean", "low", "high"))
    size, unit = shown_unit(name, mean)
    half = 0.5 * (high - low)
    top = [SHOWN[name], unit]
    plain = [*top, *(amount(value / size) for value in mean.tolist())]
    if np.isnan(half).all():
        return _Means(SHOWN[name], plain, None)
    pairs = zip((mean / size).tolist(), (half / size).tolist(), strict=True)
    return _Means(SHOWN[name], plain, [*top, *(mean_text(*pair) for pair in pairs)])


def _axes_shown(points: pd.DataFrame, axes: Sequence[str], taken: int) -> list[str]:
    """Return the axes that are shown: three, or as many as have room beside plain means."""
    some = list(axes[:MOST_AXES])
    for axis in axes[MOST_AXES:]:
        columns = [_axis_column(points, each, axis_names([*some, axis])[each]) for each in some]
        columns.append(_axis_column(points, axis, axis_names([*some, axis])[axis]))
        if span(columns) > WIDTH + GAP - taken:
            break
        some.append(axis)
    return some


def _told_and_sure(
    points: pd.DataFrame, axes: Sequence[str], means: dict[str, _Means]
) -> tuple[list[Column], set[str]]:
    """Return the columns of the axes, and the quantities whose intervals have room beside them.

    Axes go by the last two words of their paths, or by the last where that makes room.
    """
    long, short = (
        [_axis_column(points, axis, axis_names(axes, least=least)[axis]) for axis in axes]
        for least in (2, 1)
    )
    sure = _with_room(means, long)
    room = WIDTH + GAP - span(each.plain for each in means.values())
    if sure or (span(long) <= room and not _with_room(means, short)):
        return long, sure
    return short, _with_room(means, short)


def _axis_column(points: pd.DataFrame, axis: str, name: str) -> Column:
    return [name, "", *map(amount_words, points[axis])]


def _with_room(means: dict[str, _Means], told: Sequence[Column]) -> set[str]:
    """Return the quantities whose intervals have room beside axes that can still be read."""
    least = [least_width(column, min(breadth(column), AXIS_LETTERS)) + GAP for column in told]
    room = WIDTH + GAP - sum(least) - span(each.plain for each in means.values())
    sure = set()
    for name in SURE_FIRST:
        each = means.get(name)
        if each is None or each.sure is None:
            continue
        room -= breadth(each.sure) - breadth(each.plain)
        if room < 0:
            break
        sure.add(name)
    return sure


def _notes(runs: Sequence[int], without: Sequence[str], sure: bool) -> list[str]:
    """Return of how many seeds the means are, and where intervals stand that have no room."""
    most = max(runs, default=0)
    if most <= 1:
        return ["one run at each point has no interval; --set sweep.seeds=5 gives one"]
    fewer = ", fewer where runs failed" if min(runs) < most else ""
    where = "--json has it, .means() in Python"
    if not sure:
        return [f"means over {most} seeds{fewer}; no room for intervals: {where}"]
    lines = [f"± half the 95 % interval of a mean over {most} seeds{fewer}"]
    if without:
        lines.append(f"no room for that of {', '.join(SHOWN[name] for name in without)}: {where}")
    if len(runs) > 1:
        lines.append("all points meet the same seeds; .compare() in Python pairs them")
    return lines


def _left_out(shown: int, points: int, axes: Sequence[str]) -> list[str]:
    """Return what of a sweep is not shown, and where it is."""
    lines = []
    if axes:
        lines += _wrapped(f"not shown: {', '.join(axes)}")
    if points > shown:
        lines.append(f"the first {shown} of {points:,} points; all: --json, .points in Python")
    return lines


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
