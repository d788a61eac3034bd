"""What came out of a sweep as a table of 80 columns: the one that its design asks for."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from simulator.errors import InputError
from simulator.figures.quantities import amount_words, axis_names, words_of
from simulator.sweeps.bases import basis_lines
from simulator.sweeps.headlines import FIRST, SHOWN, amount, shown_unit
from simulator.sweeps.point_text import point_lines
from simulator.text_table import aligned, shortened

if TYPE_CHECKING:
    import pandas as pd

    from simulator.sweeps.study import Study

_ENDS: Final = ("low", "base", "high")
_PERCENTS: Final = ("p5", "p25", "p50", "p75", "p95")
_AXIS_LETTERS: Final = 30
_VALUE_LETTERS: Final = 12


def outcome_lines(study: "Study") -> list[str]:
    """Return what came out of a sweep, as its design asks for, and what carbon stands on."""
    return [*_design_lines(study), *basis_lines(study.plan)]


def _design_lines(study: "Study") -> list[str]:
    design = study.plan.design
    if design == "one-at-a-time":
        return _tornado_lines(study)
    if design == "saltelli":
        return [*_percentile_lines(study), "", *_index_lines(study)]
    if design in {"latin-hypercube", "sobol"}:
        return _percentile_lines(study)
    return point_lines(study.runs, study.axes)


def outcome_document(study: "Study") -> dict[str, Any]:
    """Return what came out of a sweep as plain data: what `outcome_lines` shows, in full."""
    design = study.plan.design
    if design == "one-at-a-time":
        return {"tornado": _records(study.tornado(FIRST))}
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


def _percentile_lines(study: "Study") -> list[str]:
    """Return how quantities spread over the samples."""
    found = study.percentiles(list(SHOWN))
    table = [["", "unit", *_PERCENTS]]
    for name in SHOWN:
        values = found.loc[name, list(_PERCENTS)].to_numpy(float)
        if values[0] == values[0]:
            size, unit = shown_unit(name, values)
            table.append([words_of(name), unit, *map(amount, (values / size).tolist())])
    count = int(found["n"].iloc[0])
    return [*_rows(table, {0, 1}), f"percentiles over {count:,} runs"]


def _index_lines(study: "Study") -> list[str]:
    """Return how much of the variance of the headlines each axis explains."""
    try:
        found = study.indices(list(SHOWN))
    except InputError as error:
        return [f"no Sobol indices: {issue.message}" for issue in error.issues]
    names = _axis_cells(study.axes)
    lines: list[str] = []
    for name in SHOWN:
        if name in found.absent:
            continue
        table = [[f"variance of {words_of(name)}", "first order", "total"]]
        rows = found.of(name)
        columns = [
            rows[of] for of in ("axis", "first", "first_interval", "total", "total_interval")
        ]
        nothing = 0
        for axis, first, around_first, total, around_total in zip(*columns, strict=True):
            if not any((first, around_first, total, around_total)):
                nothing += 1
                continue
            shares = [f"{first:.2f} ± {around_first:.2f}", f"{total:.2f} ± {around_total:.2f}"]
            table.append([names[str(axis)], *shares])
        lines += [*_rows(table, {0}), *([f"the other {nothing}: nothing"] * bool(nothing)), ""]
    return [
        *lines,
        f"shares of the variance ± half their 95 % interval, {found.samples:,} base samples;",
        "as estimates they may lie above 1 or below 0",
    ]


def vague_indices(study: "Study") -> str | None:
    """Return a warning where Sobol indices are too uncertain to say anything, or None."""
    from simulator.analysis.sensitivity import VAGUE

    try:
        found = study.indices(list(SHOWN))
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
    try:
        found = study.tornado(FIRST)
    except InputError as error:  # the base failed
        return [f"no tornado: {words_of(FIRST)} {issue.message}" for issue in error.issues]
    names = _axis_cells(study.axes)
    ends = found[[f"at_{end}" for end in _ENDS]].to_numpy(float)
    size, unit = shown_unit(FIRST, ends.ravel())
    table = [["axis", "low", "high", "at low", "at base", "at high"]]
    for axis, low, high, results in zip(
        found["axis"], found["low"], found["high"], (ends / size).tolist(), strict=True
    ):
        words = [shortened([amount_words(each)], _VALUE_LETTERS)[0] for each in (low, high)]
        table.append([names[str(axis)], *words, *map(amount, results)])
    caption = f"{words_of(FIRST)} in {unit}, one axis at a time, the strongest first"
    return [*_rows(table, {0}), caption]


def _axis_cells(axes: Sequence[str]) -> dict[str, str]:
    """Return what axes are called where there is room for some letters."""
    names = axis_names(axes, least=2)
    cut = shortened([names[axis] for axis in axes], _AXIS_LETTERS)
    return dict(zip(axes, cut, strict=True))


def _rows(table: Sequence[Sequence[str]], texts: set[int]) -> list[str]:
    return aligned([list(column) for column in zip(*table, strict=True)], texts)
