"""Opens what a site says about its grid: a name of the catalog, a constant, or a file.

A `GridTrace` keeps with it what it is: average or marginal, by which emission factors, of whose
generation. What is unlike is never mixed.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from simulator import catalog
from simulator.errors import InputError, Issue
from simulator.scenario.grid import GridConstant, GridName, IntensitySource, signal_of
from simulator.traces.findings import Findings
from simulator.traces.grid_checks import check_values
from simulator.traces.grid_file import read_grid
from simulator.traces.intensity import MonthHourProfile
from simulator.traces.series import AfterEnd, Constant
from simulator.traces.series_file import Gaps
from simulator.traces.trace import Trace, content_sha256, file_note, open_series
from simulator.units import H_PER_D

_A: Final = {"average": "an average", "marginal": "a marginal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GridTrace(Trace):
    """Carbon intensity of one grid through time, [g/kWh], and what must be said about it.

    Attributes
    ----------
    basis : str
        ``"average"`` or ``"marginal"``.
    factor : str
        ``"life-cycle"``, ``"direct"`` or ``"unknown"``: what the emission factors hold; empty
        where a constant claims none.
    mix : str
        ``"production"``, ``"consumption"`` or ``"unknown"``: whose generation it counts; empty
        where a constant claims none.
    """

    basis: Literal["average", "marginal"]
    factor: str
    mix: str


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
        return _constant(source, basis, path)
    findings = Findings(source.text, path)
    table, series = open_series(
        source,
        "intensity",
        findings,
        start=start,
        end_ms=end_ms,
        after_end=after_end,
        gaps=gaps,
        check_values=lambda table, findings: check_values(table, basis, findings),
        read=lambda source, _, findings: read_grid(source, basis, findings),
    )
    return GridTrace(
        **signal_of(source)._asdict(),
        basis=basis,
        note=file_note(source, table, series, gaps),
        file=source.text,
        sha256=table.sha256,
        file_sha256=table.file_sha256,
        warnings=tuple(findings.warnings),
        path=path,
        course=series,
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
        **signal_of(GridName(name=name))._asdict(),
        basis=grid["basis"],
        note="; ".join([grid["title"], grid["source"], grid["licence"], *grid["caveats"]]),
        file=None,
        sha256=content_sha256(means),
        file_sha256=None,
        warnings=(),
        path=path,
        course=MonthHourProfile(means),
    )


def _constant(source: GridConstant, basis: Literal["average", "marginal"], path: str) -> GridTrace:
    return GridTrace(
        **signal_of(source)._asdict(),
        basis=basis,
        note="a constant of the scenario",
        file=None,
        sha256=content_sha256([source.g_per_kwh]),
        file_sha256=None,
        warnings=(),
        path=path,
        course=Constant(source.g_per_kwh),
    )
