"""Opens what a site says about its weather: a constant, or a file of temperatures."""

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from simulator.scenario.weather import (
    COLDEST_DEGC,
    HOTTEST_DEGC,
    WeatherConstant,
    WeatherSource,
)
from simulator.traces.findings import Findings, row_list
from simulator.traces.trace import Trace, constant_trace, file_note, open_series

if TYPE_CHECKING:
    from simulator.traces.series_file import SeriesTable


def open_weather(source: WeatherSource, *, start: dt.datetime, end_ms: int, path: str) -> Trace:
    """Open the outside temperature of a site, [degC].

    Parameters
    ----------
    source : WeatherSource
        Constant or file.
    start : datetime
        Start of the run, with its time zone.
    end_ms : int
        End of the run, since `start`. [ms]
    path : str
        Dotted path in the scenario.

    Raises
    ------
    InputError
        With every problem found in the file.
    """
    if isinstance(source, WeatherConstant):
        return constant_trace(source.degc, f"constant {source.degc:.10g} degC", path)
    findings = Findings(source.text, path)
    table, series = open_series(
        source,
        "temperature",
        findings,
        start=start,
        end_ms=end_ms,
        after_end=source.after_end,
        gaps=source.gaps,
        check_values=check_temperatures,
    )
    return Trace(
        label=source.shown,
        note=file_note(source, table, series, source.gaps),
        file=source.text,
        sha256=table.sha256,
        file_sha256=table.file_sha256,
        warnings=tuple(findings.warnings),
        path=path,
        course=series,
    )


def check_temperatures(table: "SeriesTable", findings: Findings) -> None:
    """Refuse a series without values, and temperatures that no weather station has measured."""
    if np.isnan(table.values).all():
        findings.refuse("no row holds a value")
        return
    absurd = (table.values < COLDEST_DEGC) | (table.values > HOTTEST_DEGC)
    if absurd.any():
        value = float(table.values[absurd][0])
        findings.refuse(
            f"{value:g} degC in {row_list(table.row[absurd])}, outside {COLDEST_DEGC:g} to "
            f"{HOTTEST_DEGC:g} degC; write degrees Celsius, and leave a cell empty where the "
            "value is missing"
        )
