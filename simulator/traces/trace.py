"""What a site's grid and its weather have in common: a quantity through time, and its file."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.errors import InputError, Issue
from simulator.scenario.series import SeriesFile
from simulator.traces.findings import Findings, counted, instant, length
from simulator.traces.series import AfterEnd, Constant, Course, Series
from simulator.traces.series_checks import check_cover, check_gaps, refuse_short_leap_year
from simulator.traces.series_file import Gaps, SeriesTable, fill, read_series

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A quantity of a site through time, and what must be said about it.

    Attributes
    ----------
    label : str
        Name of the trace, of the file with its filter, or the constant.
    note : str
        Source, year, licence and caveats, for the printed assumptions.
    file : str or None
        The file as the scenario names it.
    sha256 : str
        Of the content: times and values as parsed.
    file_sha256 : str or None
        Of the file's bytes; None where there is no file.
    warnings : tuple of str
    path : str
        Dotted path in the scenario.
    course : Course
        The values themselves.
    """

    label: str
    note: str
    file: str | None
    sha256: str
    file_sha256: str | None
    warnings: tuple[str, ...]
    path: str
    course: Course

    @property
    def grain_ms(self) -> int:
        """Greatest length of which every edge is a multiple, from the epoch; 0 for none. [ms]."""
        return self.course.grain_ms

    @property
    def covered(self) -> tuple[int, int] | None:
        """First instant and end of what is known, since the epoch; None for always. [ms]."""
        return self.course.covered

    def on_bins(self, first_ms: int, bin_ms: int, count: int) -> "NDArray[np.float64]":
        """Return the value of equal bins that straddle no edge of the trace.

        Parameters
        ----------
        first_ms : int
            Start of the first bin, since the Unix epoch; a multiple of `bin_ms`. [ms]
        bin_ms : int
            Length of a bin; divides `grain_ms`. [ms]
        count : int
            Number of bins.

        Returns
        -------
        float64[count]
            In the house unit of the quantity.

        Raises
        ------
        ValueError
            If bins could straddle an edge.
        InputError
            If a bin lies where nothing is known, past the end of the trace or in a gap.
        """
        if self.grain_ms and (self.grain_ms % bin_ms or first_ms % bin_ms):
            raise ValueError(
                f"bins of {bin_ms} ms from {first_ms} straddle edges at multiples of "
                f"{self.grain_ms} ms"
            )
        times = first_ms + bin_ms * np.arange(count, dtype=np.int64)
        values = self.course.at(times)
        unknown = np.isnan(values)
        if unknown.any():
            self._refuse_unknown(int(times[unknown][0]))
        return values

    def _refuse_unknown(self, epoch_ms: int) -> None:
        said = f"{self.label}: no value at {instant(epoch_ms)}"
        if self.covered and not self.covered[0] <= epoch_ms < self.covered[1]:
            first, end = self.covered
            said += (
                f"; it covers {instant(first)} to {instant(end)}; "
                'set after_end = "wrap" or "hold", or give a longer trace'
            )
        else:
            said += '; fill gaps with gaps = "linear" or "previous-week"'
        raise InputError(self.label, [Issue(self.path, said)])


def open_series(
    source: SeriesFile,
    dimension: str,
    findings: Findings,
    *,
    start: dt.datetime,
    end_ms: int,
    after_end: AfterEnd,
    gaps: Gaps,
    check_values: Callable[[SeriesTable, Findings], None],
    read: Callable[..., SeriesTable] = read_series,
) -> tuple[SeriesTable, Series]:
    """Read the series of a file for a run; return it as it stands there, and as it is used.

    Parameters
    ----------
    source : SeriesFile
    dimension : str
        What the values are, a key of `simulator.units.DIMENSIONS`.
    findings : Findings
        Takes the warnings.
    start : datetime
        Start of the run, with its time zone.
    end_ms : int
        End of the run, since `start`. [ms]
    after_end, gaps : str
        What holds past the end of the file, and where it has no value.
    check_values : callable
        Says what is wrong with the values themselves.
    read : callable
        Reads the file; takes `source`, `dimension` and `findings`.

    Raises
    ------
    InputError
        With every problem found in the file.
    """
    start_ms = (start - _EPOCH) // dt.timedelta(milliseconds=1)
    table = read(source, dimension, findings)
    filled = fill(table.values, table.step_ms, gaps)
    series = Series(table.first_ms, table.step_ms, filled, after_end)
    check_values(table, findings)
    if not refuse_short_leap_year(table, after_end, gaps, findings):
        check_cover(series, (start_ms, start_ms + end_ms), findings)
        check_gaps(table, series, (start_ms, start_ms + end_ms), gaps, findings)
    findings.check()
    return table, series


def constant_trace(value: float, label: str, path: str) -> Trace:
    """Return the trace of a constant of a scenario, in the unit of its quantity."""
    return Trace(
        label=label,
        note="a constant of the scenario",
        file=None,
        sha256=content_sha256([value]),
        file_sha256=None,
        warnings=(),
        path=path,
        course=Constant(value),
    )


def content_sha256(values: "NDArray[np.float64] | list[float]") -> str:
    """Return the SHA-256 of values that no file holds."""
    return hashlib.sha256(np.asarray(values, "<f8").tobytes()).hexdigest()


def file_note(source: SeriesFile, table: SeriesTable, series: Series, gaps: Gaps) -> str:
    """Return what was read of a file: rows, what of them, step, and how many steps were filled."""
    moved = "; stamps of the end of a step moved to its start" if table.moved else ""
    filled = int((np.isnan(table.values) & ~np.isnan(series.values)).sum())
    said = f'; {counted(filled, "step")} filled by gaps = "{gaps}"' if filled else ""
    rows = int((table.row > 0).sum())
    return (
        f"{source.text}: {counted(rows, 'row')} of {table.what}, step "
        f"{length(table.step_ms)}{moved}{said}"
    )
