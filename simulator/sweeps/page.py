"""A sweep on a terminal: what was tried, what came out, where it lies; 80 columns."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.display import number_text
from simulator.errors import printable
from simulator.figures.quantities import axis_names
from simulator.sweeps.driver import Standing
from simulator.sweeps.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

    from simulator.sweeps.study import Study

WIDTH: Final = 80
MOST_POINTS: Final = 24
"""Points that the terminal shows; the table has them all."""
MOST_AXES: Final = 3
"""Axes that the terminal shows beside the results."""

_SHOWN: Final = (
    ("total_kgco2e", "carbon", "tCO2e", 1e-3),
    ("energy_facility_kwh", "energy", "MWh", 1e-3),
    ("wait_p99_h", "p99 wait", "h", 1.0),
    ("allocation", "alloc.", "%", 100.0),
)
"""Quantity, its heading, the unit it is shown in, and how many of these one is."""
_NUMBER_LETTERS: Final = 10
"""Width of a column of numbers, its gap included."""


def sweep_lines(
    plan: Plan, study: "Study | None", counts: Standing, left: int, folder: Path
) -> list[str]:
    """Return what the command line says of a sweep that has ended."""
    name = printable(plan.base.name)
    lines = [f"{name}: {_many(len(plan.points), 'point')} x {_many(len(plan.seeds), 'seed')}"]
    lines += [_counted(counts)]
    if study is None:
        lines.append(f"{left:,} runs are left to other parts; the last of them makes the table")
        return lines
    lines += ["", *point_lines(study.points, study.axes), ""]
    lines += [f"{_many(counts.failed, 'run')} failed:", *_failures(study)] if counts.failed else []
    lines += [f"table    {folder / 'results.parquet'}"]
    return lines


def odd(plan: Plan) -> list[str]:
    """Return what is odd about a sweep, each on one line; a node type that an axis names is not."""
    named = {value for axis in plan.axes if axis.parts[-1] == "node" for value in axis.values or ()}
    expected = {f"nodes.{name}: no cluster uses this node type" for name in named}
    return [each for each in (*plan.base.warnings, *plan.warnings) if each not in expected]


def point_lines(points: "pd.DataFrame", axes: Sequence[str]) -> list[str]:
    """Return the points as a table: what each says, and the means over its seeds."""
    import pandas as pd

    shown_axes = list(axes[:MOST_AXES])
    quantities = [each for each in _SHOWN if points[each[0]].notna().any()]
    units = ["" for _ in shown_axes] + [unit for _, _, unit, _ in quantities]
    chosen = points.head(MOST_POINTS)
    letters = (WIDTH - _NUMBER_LETTERS * len(quantities)) // max(1, len(shown_axes)) - 2
    heads = [
        *(_cut(name, letters) for name in axis_names(shown_axes).values()),
        *(heading for _, heading, _, _ in quantities),
    ]
    body = [
        [
            *(_cut(label_of(getattr(row, f"a{at}")), letters) for at in range(len(shown_axes))),
            *(_number(getattr(row, name) * size) for name, _, _, size in quantities),
        ]
        for row in chosen.rename(columns={a: f"a{at}" for at, a in enumerate(axes)}).itertuples()
    ]
    texts = {
        at for at, axis in enumerate(shown_axes) if not pd.api.types.is_numeric_dtype(points[axis])
    }
    lines = _aligned([heads, units, *body], texts)
    if len(points) > MOST_POINTS:
        lines.append(f"... and {len(points) - MOST_POINTS:,} more points in the table")
    return lines


def headlines(study: "Study") -> list[dict[str, Any]]:
    """Return the points with their means, for JSON; at most a thousand."""
    names = ["runs", *(name for name, _, _, _ in _SHOWN)]
    chosen = study.points[["point", *study.axes, *names]].head(1000)
    return [
        {str(name): value for name, value in row.items()}
        for row in chosen.astype(object).to_dict("records")
    ]


def _counted(counts: Standing) -> str:
    words = [f"{counts.done:,} of {counts.total:,} runs finished"]
    if counts.cached:
        words.append(f"{counts.cached:,} of them known before")
    if counts.failed:
        words.append(f"{counts.failed:,} failed")
    now = counts.run_now
    if now and counts.elapsed_s > 0.0:
        per_s = number_text(now / counts.elapsed_s, 3)
        words.append(f"{now:,} run in {counts.elapsed_s:,.1f} s ({per_s} runs/s)")
    return ", ".join(words)


def _failures(study: "Study") -> list[str]:
    failed = study.failed
    reasons = failed.groupby("error", sort=False)["row"].agg(["size", "first"])
    lines = []
    for error, row in reasons.head(5).iterrows():
        text = f"  {row['size']:,} x {printable(str(error))}"
        lines.append(text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}...")
    if len(reasons) > 5:
        lines.append(f"  ... and {len(reasons) - 5:,} other reasons in the table")
    return lines


def _aligned(table: list[list[str]], texts: set[int]) -> list[str]:
    """Return rows whose columns stand below one another, texts from the left."""
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    return [
        "  ".join(
            cell.ljust(width) if at in texts else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]


def _number(value: float) -> str:
    return "-" if value != value else number_text(value)


def label_of(value: object) -> str:
    """Return what an axis says at a point as people write it; tables in short."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        with suppress(ValueError):
            return printable(_table_label(json.loads(value)))
    return printable(number_text(value, 6) if isinstance(value, float) else str(value))


def _table_label(value: Any) -> str:
    if isinstance(value, dict):
        head = value.get("policy") or value.get("dist") or value.get("model") or ""
        rest = [f"{key} {_table_label(value[key])}" for key in value if value[key] is not head]
        return " ".join([str(head), ", ".join(rest)]).strip()
    if isinstance(value, list):
        return "/".join(map(_table_label, value))
    return str(value)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 3]}..."


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
