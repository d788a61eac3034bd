"""Reads one series of a quantity from a CSV or Parquet file, as steps of equal length.

Missing steps stay missing (NaN); what becomes of them is the caller's choice. Columns are chosen
by name, rows by comparing columns as text; the step is taken from the timestamps.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from simulator.errors import listing, nearest, shown
from simulator.traces.clock_changes import zone_that_repeats
from simulator.traces.findings import Findings, counted, instant, length, row_list
from simulator.traces.series_cells import SeriesCells
from simulator.traces.table_file import as_text, has_columns, numbers, open_table, read_columns
from simulator.traces.timestamps import epoch_ms
from simulator.units import DIMENSIONS, MEASURES, MS_PER_D

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulator.scenario.series import SeriesFile

Gaps = Literal["error", "linear", "previous-week"]

MIXED_RUN: Final = 3
"""Equal longer steps in a row that are a second step length rather than gaps."""

MAX_STEPS: Final = 20_000_000
"""Steps a series may span, so that one wrong year does not fill the memory."""


_WEEK_MS: Final = 7 * MS_PER_D


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """One series as it stands in a file.

    Attributes
    ----------
    first_ms : int
        Start of the first step, since the Unix epoch. [ms]
    step_ms : int
        Length of a step. [ms]
    values : float64[steps]
        Value of each step in the house unit, NaN where it is missing.
    row : int64[steps]
        Row of each step in the file, 0 where there is none.
    sha256, file_sha256 : str
        Of the series (times and values as read), and of the file's bytes.
    what : str
        What was read of the file, in words.
    moved : bool
        Whether stamps marked the ends of steps.
    """

    first_ms: int
    step_ms: int
    values: "NDArray[np.float64]"
    row: "NDArray[np.int64]"
    sha256: str
    file_sha256: str
    what: str = ""
    moved: bool = False


def read_series(source: "SeriesFile", dimension: str, findings: Findings) -> SeriesTable:
    """Read the series that a scenario names, as `plain_cells`, and lay it on its steps."""
    return series_of(plain_cells(source, dimension, findings), findings)


def plain_cells(source: "SeriesFile", dimension: str, findings: Findings) -> SeriesCells:
    """Read a series from the columns that a scenario names.

    Parameters
    ----------
    source : SeriesFile
        File, columns, filter, unit and meaning of the stamps.
    dimension : str
        What the values are, a key of `simulator.units.DIMENSIONS` or of `MEASURES`.
    findings : Findings
        Takes problems of single values; the caller checks it.

    Raises
    ------
    InputError
        If there is no series to be had; it carries every problem found until then.
    """
    file = open_table(source.path, findings)
    wanted = [source.time, source.value, *source.where]
    if not has_columns(file, wanted, findings):
        findings.check()
    table = read_columns(file, wanted, findings)
    chosen = np.flatnonzero(_chosen(table, source.where, findings))
    findings.check()
    table, rows = table.take(chosen), chosen + file.first_row
    values = numbers(table[source.value], source.value, rows, findings)
    times = epoch_ms(table[source.time], source.time, rows, source.time_zone, findings)
    if times is None:
        findings.check()
        raise AssertionError
    return SeriesCells(
        times,
        values * (DIMENSIONS | MEASURES)[dimension][source.unit],
        rows,
        file.sha256,
        f"column {source.value} in {source.unit}",
        stamp=source.stamp,
        filtered=bool(source.where),
    )


def series_of(cells: SeriesCells, findings: Findings) -> SeriesTable:
    """Return the steps of a series, each at its place.

    Raises
    ------
    InputError
        If the timestamps make no steps; it carries every problem found until then.
    """
    times, values, rows = cells.times_ms, cells.values, cells.row
    in_order = _ordered(times, rows, cells.filtered, findings)
    times, values, rows = times[in_order], values[in_order], rows[in_order]
    step_ms = _step(times, findings)
    if cells.step_ms is not None and cells.step_ms != step_ms:
        findings.refuse(
            f"says that a step lasts {length(cells.step_ms)}, and its times lie "
            f"{length(step_ms)} apart"
        )
    digest = hashlib.sha256(times.astype("<i8").tobytes() + values.astype("<f8").tobytes())
    if cells.stamp == "end":
        times = times - step_ms
    steps = (times - times[0]) // step_ms
    full = np.full(int(steps[-1]) + 1, np.nan)
    row = np.zeros(len(full), np.int64)
    full[steps], row[steps] = values, rows
    return SeriesTable(
        int(times[0]),
        step_ms,
        full,
        row,
        digest.hexdigest(),
        cells.file_sha256,
        cells.what,
        cells.stamp == "end",
    )


def fill(values: "NDArray[np.float64]", step_ms: int, how: Gaps) -> "NDArray[np.float64]":
    """Return the values with missing ones filled where `how` can.

    Parameters
    ----------
    values : float64[steps]
        NaN where missing.
    step_ms : int
        Length of a step. [ms]
    how : str
        ``"linear"`` draws a line between the neighbours of a gap; ``"previous-week"`` takes the
        value 168 hours earlier, itself filled if need be; ``"error"`` fills nothing.
    """
    filled = values.copy()
    missing = np.flatnonzero(np.isnan(values))
    known = np.flatnonzero(~np.isnan(values))
    if how == "linear" and len(known):
        inside = missing[(missing > known[0]) & (missing < known[-1])]
        filled[inside] = np.interp(inside, known, values[known])
    elif how == "previous-week":
        week, rest = divmod(_WEEK_MS, step_ms)
        for step in missing:
            if rest == 0 and step >= week:
                filled[step] = filled[step - week]
    return filled


def _chosen(table: "pa.Table", where: dict[str, str], findings: Findings) -> "NDArray[np.bool_]":
    """Return which rows carry every value asked for."""
    import pyarrow.compute as pc

    keep = np.ones(table.num_rows, bool)
    for name, value in where.items():
        text = as_text(table[name])
        mine = np.asarray(pc.equal(text, value))
        keep &= mine
        if not mine.any():
            found = sorted(pc.unique(text).to_pylist())
            near = nearest(value, found)
            hint = f"; did you mean '{near}'?" if near else ""
            findings.refuse(
                f"no row where {name} is {shown(value)}; the file has {listing(found)}{hint}"
            )
    if not findings.problems and not keep.any():
        said = ", ".join(f"{name} = {shown(value)}" for name, value in where.items())
        findings.refuse(f"no row where {said} all hold")
    return keep


def _ordered(
    times: "NDArray[np.int64]", rows: "NDArray[np.int64]", filtered: bool, findings: Findings
) -> "NDArray[np.int64]":
    """Refuse times out of order and repeated ones; return the order of the distinct times."""
    back = np.flatnonzero(np.diff(times) < 0) + 1
    order = np.argsort(times, kind="stable")
    again = np.diff(times[order]) == 0
    if again.any():
        first, second = rows[order[:-1][again][0]], rows[order[1:][again][0]]
        hint = "" if filtered else '; of several series choose one, e.g. where = { region = "X" }'
        zone = zone_that_repeats(times[order[:-1][again]])
        if zone:
            hint += f" (an hour that clocks repeat in {zone}: are the times local?)"
        findings.refuse(
            f"{counted(int(again.sum()), 'timestamp')} more than once, the first "
            f"{instant(times[order[:-1][again][0]])} in rows {first} and {second}{hint}"
        )
    if len(back):
        findings.refuse(
            f"timestamps go back in {row_list(rows[back])}; sort the rows by time, one series only"
        )
    distinct: NDArray[np.int64] = order[np.concatenate(([True], ~again))]
    return distinct


def _step(times: "NDArray[np.int64]", findings: Findings) -> int:
    """Return the step: the most common difference of the ordered, distinct times. [ms]."""
    if len(times) < 2:
        findings.stop("one timestamp only; the length of a step is told by at least two")
    gaps = np.diff(times)
    lengths, counts = np.unique(gaps, return_counts=True)
    step = int(lengths[np.argmax(counts)])
    longer = gaps[gaps != step]
    if len(longer) and ((longer % step).any() or _second_step(gaps, step)):
        said = [
            f"{length(int(lengths[at]))} ({counted(int(counts[at]), 'time')})"
            for at in np.argsort(-counts, kind="stable")[:2]
        ]
        findings.stop(
            f"steps of different length: {' and '.join(said)}; write one step through the file"
        )
    if (times[-1] - times[0]) // step >= MAX_STEPS:
        findings.stop(
            f"{counted(len(times), 'row')} span {instant(times[0])} to {instant(times[-1])} in "
            f"steps of {length(step)}; look for a wrong year"
        )
    return step


def _second_step(gaps: "NDArray[np.int64]", step: int) -> bool:
    """Return whether a tenth of the differences are longer ones, equal and in a row."""
    other = gaps != step
    same = other[1:] & (np.diff(gaps) == 0)
    runs = np.convolve(same, np.ones(MIXED_RUN - 1, np.int64), "valid")
    return bool(len(runs) and runs.max() == MIXED_RUN - 1 and other.sum() * 10 >= len(gaps))
