"""What the carbon of each point of a sweep stands on, without opening a file."""

import json
import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.assumptions import declared_basis
from simulator.errors import InputError
from simulator.likeness import unlike_making, unlike_signals
from simulator.plans.axes import Axis
from simulator.plans.plan import Plan
from simulator.text_table import WIDTH

COLUMNS: Final = {"basis_average": "average", "basis_marginal": "marginal"}
"""Columns of the table of a sweep, and the signal each is about."""
_CONSTANT: Final = re.compile(r"constant [^,;]+ g/kWh")


def basis_columns(plan: Plan, points: pa.Array) -> dict[str, pa.Array]:
    """Return a column of text for each signal: what the carbon of each run stands on.

    Parameters
    ----------
    plan : Plan
    points : pyarrow.Array
        The point of each run.

    Returns
    -------
    dict of str to pyarrow.Array
        By the names of `COLUMNS`; null where a point has no such signal at every site.
    """
    kinds, found = _bases(plan)
    codes = pa.array(kinds).take(points)
    return {
        column: pa.array([each.get(signal) for each in found], pa.string()).take(codes)
        for column, signal in COLUMNS.items()
    }


def basis_lines(plan: Plan) -> list[str]:
    """Return what the carbon of a sweep stands on, in words; a warning where points are unlike."""
    found = [each for each in _bases(plan)[1] if each]
    signals = list(dict.fromkeys(each["average"] for each in found))
    if not signals:  # every point is refused
        return []
    what = signals[0] if len(signals) == 1 else f"{len(signals)} bases, column basis_average"
    lines = wrap(
        f"total carbon = location-based ({what}) + embodied", WIDTH, break_on_hyphens=False
    )
    reasons = dict.fromkeys(
        reason
        for each in found[1:]
        for reason in (
            *unlike_signals(found[0], each, ["average"]),
            *unlike_making(found[0], each),
        )
    )
    if reasons:
        said = "; ".join(reasons)
        words = f"warning: points are unlike, and their carbon is not to be compared: {said}"
        lines += wrap(words, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return lines


def _bases(plan: Plan) -> tuple[NDArray[np.int64], list[dict[str, str]]]:
    """Return the number of each point's basis, and the bases; empty where a point is refused."""
    axes = [axis for axis in plan.axes if _changes_the_basis(axis)]
    varied = [axis for axis in axes if axis.parts[-1] != "constant"]
    kinds, first = _kinds(plan, varied)
    found = [_basis(plan, at) for at in first]
    if len(varied) < len(axes):  # the number itself stands in a column of its own
        found = [{key: _CONSTANT.sub("constant", text) for key, text in each.items()}
                 for each in found]  # fmt: skip
    return kinds, found


def _changes_the_basis(axis: Axis) -> bool:
    parts = axis.parts
    if parts[0] == "accounting":
        return len(parts) < 2 or parts[1] in ("embodied", "in_use", "retirement")
    return parts[0] == "sites" and (len(parts) < 3 or parts[2] == "grid")


def _kinds(plan: Plan, axes: Sequence[Axis]) -> tuple[NDArray[np.int64], list[int]]:
    """Return which grids each point has, by number, and the first point of each number."""
    kinds = np.zeros(len(plan.points), np.int64)
    if not axes:
        return kinds, [0]
    numbers: dict[tuple[str, ...], int] = {}
    first: list[int] = []
    columns = [plan.points.values(axis.path) for axis in axes]
    for point, values in enumerate(zip(*columns, strict=True)):
        key = tuple(json.dumps(value, sort_keys=True, default=str) for value in values)
        if key not in numbers:
            numbers[key] = len(first)
            first.append(point)
        kinds[point] = numbers[key]
    return kinds, first


def _basis(plan: Plan, point: int) -> dict[str, str]:
    try:
        return declared_basis(plan.scenario(plan.rows_of(slice(point, point + 1))[0]))
    except InputError:  # its row says why
        return {}
