"""Opens what a site says about its grid: a name of the catalog, a constant, or a file.

A `GridTrace` keeps its basis, average or marginal, with it; the two are never mixed.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from simulator import catalog
from simulator.errors import InputError, Issue
from simulator.scenario.grid import GridConstant, GridFile, GridName, IntensitySource
from simulator.traces.findings import Findings, counted, instant, length
from simulator.traces.grid_checks import (
    check_cover,
    check_gaps,
    check_values,
    refuse_short_leap_year,
)
from simulator.traces.grid_file import GridTable, fill, read_grid_file
from simulator.traces.intensity import (
    AfterEnd,
    Constant,
    Intensity,
    MonthHourProfile,
    Series,
)
from simulator.units import H_PER_D

if TYPE_CHECKING:
    from numpy.typing import NDArray

Gaps = Literal["error", "linear", "previous-week"]

_A: Final = {"average": "an average", "marginal": "a marginal"}
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class GridTrace:
    """Carbon intensity of one grid through time, and what must be said about it.

    Attributes
    ----------
    label : str
        Name of the grid, of the file with its filter, or the constant.
    basis : str
        ``"average"`` or ``"marginal"``.
    factor : str
        ``"life-cycle"``, ``"direct"`` or ``"unknown"``: what the emission factors hold; empty
        for a constant.
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
    intensity : Intensity
        The values themselves.
    """

    label: str
    basis: Literal["average", "marginal"]
    factor: str
    note: str
    file: str | None
    sha256: str
    file_sha256: str | None
    warnings: tuple[str, ...]
    path: str
    intensity: Intensity

    @property
    def grain_ms(self) -> int:
        """Greatest length of which every edge is a multiple, from the epoch; 0 for none. [ms]."""
        return self.intensity.grain_ms

    @property
    def covered(self) -> tuple[int, int] | None:
        """First instant and end of what is known, since the epoch; None for always. [ms]."""
        return self.intensity.covered

    def on_bins(self, first_ms: int, bin_ms: int, count: int) -> "NDArray[np.float64]":
        """Return the intensity of equal bins that straddle no edge of the trace.

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
            [g/kWh]

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
        values = self.intensity.at(times)
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


def open_grid(
    source: IntensitySource,
    *,
    start: dt.datetime,
    end_ms: int,
    after_end: AfterEnd,
    gaps: Gaps,
    path: str,
) -> GridTrace:
    """Open one intensity of a site.

    Parameters
    ----------
    source : IntensitySource
        Name of the catalog, constant, or file.
    start : datetime
        Start of the run, with its time zone.
    end_ms : int
        End of the run, since `start`. [ms]
    after_end, gaps : str
        What holds past the end of a file, and where it has no value.
    path : str
        Dotted path in the scenario; one that ends in ``average`` or ``marginal`` says the basis.

    Raises
    ------
    InputError
        With every problem found in the file.
    """
    wanted = path.rpartition(".")[2]
    basis: Literal["average", "marginal"] = "marginal" if wanted == "marginal" else "average"
    if isinstance(source, GridName):
        return _named(source.name, wanted, path)
    if isinstance(source, GridConstant):
        return _constant(source.g_per_kwh, basis, path)
    start_ms = (start - _EPOCH) // dt.timedelta(milliseconds=1)
    findings = Findings(source.text, path)
    table = read_grid_file(source, findings)
    filled = fill(table.g_per_kwh, table.step_ms, gaps)
    series = Series(table.first_ms, table.step_ms, filled, after_end)
    check_values(table, basis, findings)
    if not refuse_short_leap_year(table, after_end, gaps, findings):
        check_cover(series, (start_ms, start_ms + end_ms), findings)
        check_gaps(table, series, (start_ms, start_ms + end_ms), gaps, findings)
    findings.check()
    return GridTrace(
        label=_file_label(source),
        basis=basis,
        factor=source.factor,
        note=_file_note(source, table),
        file=source.text,
        sha256=table.sha256,
        file_sha256=table.file_sha256,
        warnings=tuple(findings.warnings),
        path=path,
        intensity=series,
    )


def _named(name: str, wanted: str, path: str) -> GridTrace:
    try:
        grid = catalog.grid(name)
    except catalog.UnknownNameError as error:
        raise InputError("catalog", [Issue(path, str(error))]) from error
    if wanted in ("average", "marginal") and wanted != grid["basis"]:
        said = f'"{name}" is {_A[grid["basis"]]} intensity; it cannot stand for {_A[wanted]} one'
        raise InputError("catalog", [Issue(path, said)])
    means = np.array(grid["mean_g_per_kwh"]).reshape(12, H_PER_D)
    return GridTrace(
        label=f"{name} {grid['year']}",
        basis=grid["basis"],
        factor=grid["factor"],
        note="; ".join([grid["title"], grid["source"], grid["licence"], *grid["caveats"]]),
        file=None,
        sha256=hashlib.sha256(means.astype("<f8").tobytes()).hexdigest(),
        file_sha256=None,
        warnings=(),
        path=path,
        intensity=MonthHourProfile(means),
    )


def _constant(g_per_kwh: float, basis: Literal["average", "marginal"], path: str) -> GridTrace:
    return GridTrace(
        label=f"constant {g_per_kwh:.10g} g/kWh",
        basis=basis,
        factor="",
        note="a constant of the scenario",
        file=None,
        sha256=hashlib.sha256(np.array([g_per_kwh], "<f8").tobytes()).hexdigest(),
        file_sha256=None,
        warnings=(),
        path=path,
        intensity=Constant(g_per_kwh),
    )


def _file_label(source: GridFile) -> str:
    """Return the name the scenario gives it, or file and rows, e.g. ``"x.csv (region CISO)"``."""
    if source.label:
        return source.label
    chosen = ", ".join(f"{name} {value}" for name, value in source.where.items())
    name = source.text.rpartition("/")[2]
    return f"{name} ({chosen})" if chosen else name


def _file_note(source: GridFile, table: GridTable) -> str:
    moved = "; stamps of the end of a step moved to its start" if source.stamp == "end" else ""
    rows = int((table.row > 0).sum())
    return (
        f"{source.text}: {counted(rows, 'row')} of column {source.value} in "
        f"{source.unit}, step {length(table.step_ms)}{moved}"
    )
