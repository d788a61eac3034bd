"""A sweep on a terminal: how many runs, what came out, what failed, where it lies."""

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

from simulator.display import number_text
from simulator.errors import printable
from simulator.plans.plan import Plan
from simulator.sweeps.driver import Standing
from simulator.sweeps.headlines import SHOWN
from simulator.sweeps.outcome import outcome_lines
from simulator.sweeps.pictures import FIGURES
from simulator.text_table import WIDTH

if TYPE_CHECKING:
    from simulator.sweeps.study import Study

_MOST_REASONS: Final = 5
_MOST_LINES: Final = 4
"""Lines of one reason; the table has all of it."""
_MOST_POINTS: Final = 1000


def sweep_lines(
    plan: Plan, study: "Study | None", counts: Standing, left: int, folder: Path
) -> list[str]:
    """Return what the command line says of a sweep that has ended."""
    name = printable(plan.base.name)
    lines = [f"{name}: {_many(len(plan.points), 'point')} x {_many(len(plan.seeds), 'seed')}"]
    lines += [_counted(counts)]
    if study is None and not left:
        lines.append("no run is left; another part puts the table together at this moment")
        return lines
    if study is None:
        lines.append(f"{left:,} runs are left to other parts; the last of them makes the table")
        return lines
    if counts.done:
        lines += ["", *outcome_lines(study)]
    if counts.failed:
        lines += ["", f"{_many(counts.failed, 'run')} failed:", *_failures(study)]
    lines += ["", f"table    {folder / 'results.parquet'}"]
    return [*lines, f"figures  {folder / FIGURES}"] if (folder / FIGURES).is_dir() else lines


def odd(plan: Plan) -> list[str]:
    """Return what is odd about a sweep, each on one line; a node type that an axis names is not."""
    named = {value for axis in plan.axes if axis.parts[-1] == "node" for value in axis.values or ()}
    expected = {f"nodes.{name}: no cluster uses this node type" for name in named}
    return [
        each
        for each in (*plan.base.warnings, *plan.warnings)
        if not any(each.startswith(text) for text in expected)
    ]


def headlines(study: "Study") -> list[dict[str, Any]]:
    """Return the points with their means and 95 % intervals, for JSON; at most a thousand."""
    from simulator.analysis.statistics import by_point

    chosen = study.points[["point", *study.axes, "runs", *SHOWN]].head(_MOST_POINTS)
    rows = [
        {str(name): value for name, value in row.items()}
        for row in chosen.astype(object).to_dict("records")
    ]
    runs = study.runs
    some = runs[runs["point"] < _MOST_POINTS]
    means = {name: by_point(some, study.axes, name) for name in SHOWN}
    ends = {name: each[["low", "high"]].to_numpy(float).tolist() for name, each in means.items()}
    for at, row in enumerate(rows):
        row["intervals"] = {name: ends[name][at] for name in SHOWN}
    return rows


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
    """Return why runs failed, each reason once."""
    reasons = study.failed.groupby("error", sort=False)["row"].agg(["size", "first"])
    lines = []
    for error, row in reasons.head(_MOST_REASONS).iterrows():
        text = f"{row['size']:,} x {printable(str(error))}"
        lines += wrap(
            text,
            WIDTH,
            initial_indent="  ",
            subsequent_indent="      ",
            max_lines=_MOST_LINES,
            placeholder=" ...",
        )
    if len(reasons) > _MOST_REASONS:
        lines.append(f"  ... and {len(reasons) - _MOST_REASONS:,} other reasons in the table")
    return lines


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
