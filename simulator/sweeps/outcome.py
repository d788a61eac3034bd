"""What came out of a sweep as a table of 80 columns: the one that its design asks for."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from simulator.display import aligned, number_text
from simulator.errors import InputError
from simulator.figures.quantities import amount_words, axis_names, words_of

if TYPE_CHECKING:
    import pandas as pd

    from simulator.sweeps.study import Study

WIDTH: Final = 80
MOST_POINTS: Final = 24
"""Points that are shown; the table of the sweep has them all."""
MOST_AXES: Final = 3
"""Axes that are shown beside the results."""

SHOWN: Final = (
    ("total_kgco2e", "carbon", "tCO2e", 1e-3),
    ("energy_facility_kwh", "energy", "MWh", 1e-3),
    ("wait_p99_h", "p99 wait", "h", 1.0),
    ("allocation", "alloc.", "%", 100.0),
)
"""Quantity, its heading, the unit it is shown in, and how many of these one is."""
_ENDS: Final = ("low", "base", "high")
_PERCENTS: Final = ("p5", "p25", "p50", "p75", "p95")
_NUMBER_LETTERS: Final = 10
"""Width of a column of numbers, its gap included."""
_AXIS_LETTERS: Final = 34


def outcome_lines(study: "Study") -> list[str]:
    """Return what came out of a sweep, as its design asks for."""
    design = study.plan.design
    if design == "one-at-a-time":
        return _tornado_lines(study)
    if design == "saltelli":
        return [*_percentile_lines(study), "", *_index_lines(study)]
    if design in {"latin-hypercube", "sobol"}:
        return _percentile_lines(study)
    return point_lines(study.points, study.axes)


def outcome_document(study: "Study") -> dict[str, Any]:
    """Return what came out of a sweep as plain data: what `outcome_lines` shows, in full."""
    design = study.plan.design
    if design == "one-at-a-time":
        return {"tornado": _records(study.tornado(SHOWN[0][0]))}
    found: dict[str, Any] = {}
    if design in {"latin-hypercube", "sobol", "saltelli"}:
        found["percentiles"] = _records(study.percentiles().reset_index())
    if design == "saltelli":
        try:
            found["indices"] = _records(study.indices().table)
        except InputError as error:
            found["indices_absent"] = [issue.message for issue in error.issues]
    return found


def _records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]


def point_lines(points: "pd.DataFrame", axes: Sequence[str]) -> list[str]:
    """Return the points as a table: what each says, and the means over its seeds."""
    import pandas as pd

    some = list(axes[:MOST_AXES])
    quantities = [each for each in SHOWN if points[each[0]].notna().any()]
    head = points.head(MOST_POINTS)
    names = axis_names(some)
    columns = [[names[axis], "", *map(amount_words, head[axis])] for axis in some]
    room = WIDTH - _NUMBER_LETTERS * len(quantities)
    letters = _shared([max(map(len, column)) + 2 for column in columns], room)
    columns = [
        [_cut(cell, width - 2) for cell in column]
        for column, width in zip(columns, letters, strict=True)
    ]
    for name, heading, unit, size in quantities:
        columns.append([heading, unit, *(_number(value * size) for value in head[name])])
    table = [list(row) for row in zip(*columns, strict=True)]
    texts = {at for at, axis in enumerate(some) if not pd.api.types.is_numeric_dtype(points[axis])}
    lines = aligned(table, texts)
    if len(points) > MOST_POINTS:
        lines.append(f"... and {len(points) - MOST_POINTS:,} more points in the table")
    return lines


def _percentile_lines(study: "Study") -> list[str]:
    """Return how quantities spread over the samples."""
    found = study.percentiles([name for name, _, _, _ in SHOWN])
    table = [["", "unit", *_PERCENTS]]
    for name, _, unit, size in SHOWN:
        values = (found.loc[name, list(_PERCENTS)].to_numpy(float) * size).tolist()
        if values[0] == values[0]:
            table.append([words_of(name), unit, *map(_number, values)])
    count = int(found["n"].iloc[0])
    return [*aligned(table, {0, 1}), f"percentiles over {count:,} runs"]


def _index_lines(study: "Study") -> list[str]:
    """Return how much of the variance of the headlines each axis explains."""
    try:
        found = study.indices([name for name, _, _, _ in SHOWN])
    except InputError as error:
        return [f"no Sobol indices: {issue.message}" for issue in error.issues]
    names = axis_names(study.axes)
    lines: list[str] = []
    for name, _, _, _ in SHOWN:
        if name in found.absent:
            continue
        table = [[f"variance of {words_of(name)}", "first order", "total"]]
        rows = found.of(name)
        columns = [
            rows[of] for of in ("axis", "first", "first_interval", "total", "total_interval")
        ]
        for axis, first, around_first, total, around_total in zip(*columns, strict=True):
            shares = [f"{first:.2f} ± {around_first:.2f}", f"{total:.2f} ± {around_total:.2f}"]
            table.append([_cut(names[str(axis)], _AXIS_LETTERS), *shares])
        lines += [*aligned(table, {0}), ""]
    return lines[:-1]


def vague_indices(study: "Study") -> str | None:
    """Return a warning where Sobol indices are too uncertain to say anything, or None."""
    from simulator.analysis.sensitivity import VAGUE

    try:
        found = study.indices([name for name, _, _, _ in SHOWN])
    except InputError:  # there are none, which is told in their place
        return None
    rows = found.vague()
    if rows.empty:
        return None
    named = [
        f"{words_of(name)} ({total:.2f} ± {around:.2f})"
        for name, total, around in zip(
            rows["quantity"], rows["total"], rows["total_interval"], strict=True
        )
    ]
    # An interval shrinks with the square root of the samples.
    ratios = rows["total_interval"] / (VAGUE * rows["total"])
    worst = max((ratio for ratio in ratios if 1.0 < ratio < math.inf), default=2.0)
    enough = found.samples << math.ceil(2.0 * math.log2(worst))
    return (
        f"sweep.samples: {found.samples} are too few for Sobol indices, the largest total is "
        f"uncertain by more than half for {', '.join(named)}; write some {enough}"
    )


def _tornado_lines(study: "Study") -> list[str]:
    """Return what each axis does to total carbon, the strongest first."""
    name, _, unit, size = SHOWN[0]
    try:
        found = study.tornado(name)
    except InputError as error:  # the base failed
        return [f"no tornado: {words_of(name)} {issue.message}" for issue in error.issues]
    names = axis_names(study.axes)
    table = [["axis", "low", "high", "at low", "at base", "at high"]]
    for axis, low, high in zip(found["axis"], found["low"], found["high"], strict=True):
        table.append([_cut(names[str(axis)], _AXIS_LETTERS), amount_words(low), amount_words(high)])
    for cells, *results in zip(table[1:], *(found[f"at_{end}"] for end in _ENDS), strict=True):
        cells += [_number(float(value) * size) for value in results]
    caption = f"{words_of(name)} in {unit}, one axis at a time, the strongest first"
    return [*aligned(table, {0}), caption]


def _shared(wanted: list[int], room: int) -> list[int]:
    """Return how wide columns may be: those that want little leave the rest to the others."""
    widths = [0] * len(wanted)
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    for place, at in enumerate(order):
        widths[at] = min(wanted[at], room // (len(wanted) - place))
        room -= widths[at]
    return widths


def _number(value: float) -> str:
    return "-" if value != value else number_text(value)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 3]}..."
