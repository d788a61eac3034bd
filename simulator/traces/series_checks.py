"""What is wrong with a series for a run: its span, its gaps."""

import datetime as dt
from calendar import isleap
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.traces.clock_changes import zone_that_skips
from simulator.traces.findings import Findings, counted, instant, length, row_list
from simulator.traces.series import Series
from simulator.traces.series_file import SeriesTable
from simulator.units import H_PER_D, MS_PER_D

if TYPE_CHECKING:
    from numpy.typing import NDArray

_YEAR_D: Final = 365
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def check_cover(series: Series, run: tuple[int, int], findings: Findings) -> None:
    """Refuse a series that starts after the run, or ends before it where that is an error."""
    first, end = series.first_ms, series.first_ms + series.step_ms * len(series.values)
    if (run[1] <= first or end <= run[0]) and series.after_end == "error":
        findings.refuse(
            f"covers {instant(first)} to {instant(end)}, and the run lasts from "
            f"{instant(run[0])} to {instant(run[1])}: another time, most often another year; start "
            "the run within the trace, or give the trace of the run's time"
        )
        return
    if run[0] < first:
        findings.refuse(
            f"starts at {instant(first)}, after the run's start {instant(run[0])}; "
            "start the run later, or give a trace that starts earlier"
        )
    if end <= run[0] and series.after_end != "error":
        findings.warn(
            f"covers {instant(first)} to {instant(end)}, all of it before the run; what follows is "
            f'made up by after_end = "{series.after_end}"'
        )
    if end < run[1] and series.after_end == "error":
        findings.refuse(
            f"covers {instant(first)} to {instant(end)}, and the run lasts to {instant(run[1])}; "
            'shorten the horizon, or set after_end = "wrap" or "hold"'
        )


def refuse_short_leap_year(
    table: SeriesTable, after_end: str, gaps: str, findings: Findings
) -> bool:
    """Refuse a leap year with the rows of a common one, unless the scenario says how to fill it."""
    try:
        year = (_EPOCH + dt.timedelta(milliseconds=table.first_ms + MS_PER_D // 2)).year
    except OverflowError:  # before the year 1: nothing that a run could need
        return False
    first = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) - _EPOCH) // dt.timedelta(milliseconds=1)
    rows = int((table.row > 0).sum())
    if (
        not isleap(year)
        or abs(table.first_ms - first) >= MS_PER_D
        or rows * table.step_ms != _YEAR_D * MS_PER_D
    ):
        return False
    at_end = len(table.row) == rows
    if (after_end if at_end else gaps) != "error":
        return False
    absent = len(table.row) if at_end else int(np.argmax(table.row == 0))
    remedy = 'after_end = "hold" or "wrap"' if at_end else 'gaps = "linear" or "previous-week"'
    findings.refuse(
        f"{rows:,} rows for {year}, a leap year of {(_YEAR_D + 1) * H_PER_D:,} h: 24 h are "
        f"missing, from {instant(table.first_ms + absent * table.step_ms)}; "
        f"add them, or set {remedy}"
    )
    return True


def check_gaps(
    table: SeriesTable, series: Series, run: tuple[int, int], gaps: str, findings: Findings
) -> None:
    """Refuse missing values that the run needs; warn of the others and of what was filled."""
    was_missing, is_missing = np.isnan(table.values), np.isnan(series.values)
    needed = _needed(series, run)
    filled = was_missing & ~is_missing & needed
    # A cell that holds no number was already refused; it is no gap of the file.
    empty = is_missing & needed & (table.row > 0) & (not findings.problems)
    absent = is_missing & needed & (table.row == 0)
    remedy = (
        'fill with gaps = "linear" or "previous-week"'
        if gaps == "error"
        else f'gaps = "{gaps}" has nothing to fill them from'
    )
    if absent.any():
        findings.refuse(f"missing {gap_text(table, absent)}; {remedy}")
    if empty.any():
        findings.refuse(f"no value in {row_list(table.row[empty])}; {remedy}")
    if filled.any():
        findings.warn(f'filled by gaps = "{gaps}": {gap_text(table, filled)}')
    beside = is_missing & ~needed
    if beside.any():
        findings.warn(f"missing outside the run's time: {gap_text(table, beside)}")


def _needed(series: Series, run: tuple[int, int]) -> "NDArray[np.bool_]":
    """Return which steps a run uses, bool[steps]."""
    steps = len(series.values)
    first = max((run[0] - series.first_ms) // series.step_ms, 0)
    last = -((series.first_ms - run[1]) // series.step_ms)
    asked = series.first_ms + series.step_ms * np.arange(first, min(last, first + steps))
    used = series.step_of(asked)
    needed = np.zeros(steps, bool)
    needed[used[used >= 0]] = True
    return needed


def gap_text(table: SeriesTable, missing: "NDArray[np.bool_]") -> str:
    """Return the missing steps and where they lie, for a message."""
    starts = np.flatnonzero(missing & ~np.concatenate(([False], missing[:-1])))
    ends = np.flatnonzero(missing & ~np.concatenate((missing[1:], [False]))) + 1
    first, end = (instant(table.first_ms + int(at) * table.step_ms) for at in (starts[0], ends[0]))
    steps = f"{counted(int(missing.sum()), 'step')} of {length(table.step_ms)}"
    zone = zone_that_skips(table.first_ms + starts * table.step_ms, (ends - starts) * table.step_ms)
    local = f" (an hour that clocks skip in {zone}: are the times local?)" if zone else ""
    if len(starts) == 1:
        return f"{steps} from {first} to {end}{local}"
    return (
        f"{steps} in {counted(len(starts), 'gap')}, the first from {first} to {end}, "
        f"the longest {length(int((ends - starts).max()) * table.step_ms)}{local}"
    )
