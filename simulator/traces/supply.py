"""Opens what a site's plants give and its contracts deliver: power over capacity through time."""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator import catalog
from simulator.scenario.supply_profiles import (
    IRRADIANCE,
    WIND_SPEED,
    ProfileFile,
    ProfileSource,
)
from simulator.traces.findings import Findings, counted, row_list
from simulator.traces.trace import Trace, constant_trace, content_sha256, file_note, open_series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.traces.series_file import SeriesTable

ROUNDING: Final = 1e-9
"""A share may be above 1 by so much."""


def open_profile(
    source: ProfileSource | None, *, start: dt.datetime, end_ms: int, path: str
) -> Trace:
    """Open the power of a plant or a contract over its capacity, 0 to 1.

    Parameters
    ----------
    source : ProfileSource or None
        Constant or file; None for all of the capacity at all times.
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
    if not isinstance(source, ProfileFile):
        share = 1.0 if source is None else source.constant
        return constant_trace(share, f"constant {share:g} of its capacity", path)
    findings = Findings(source.text, path)
    table, series = open_series(
        source,
        source.dimension,
        findings,
        start=start,
        end_ms=end_ms,
        after_end=source.after_end,
        gaps=source.gaps,
        check_values=lambda table, findings: _check(source, table, findings),
    )
    shares = power_over_capacity(source, series.values)
    return Trace(
        label=source.shown,
        note=file_note(source, table, series, source.gaps),
        file=source.text,
        # What the values are turned into counts too: it follows from the catalog.
        sha256=content_sha256(np.concatenate([[series.first_ms, series.step_ms], shares])),
        file_sha256=table.file_sha256,
        warnings=tuple(findings.warnings),
        path=path,
        course=replace(series, values=shares),
    )


def power_over_capacity(
    source: ProfileFile, values: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    """Return the shares that the values of a file stand for; NaN stays NaN.

    Sunlight: irradiance over that at which modules are rated, times the performance ratio, at most
    1. Wind: 0 below the cut-in speed and from the cut-out speed on, 1 from the rated speed on, and
    ``(v^3 - v_in^3) / (v_rated^3 - v_in^3)`` between. Both with the values of the catalog where
    the source gives none.
    """
    values = np.maximum(values, 0.0)
    if source.unit == IRRADIANCE:
        known = catalog.generation("photovoltaics")
        ratio = source.performance_ratio or known["performance_ratio"]
        shares: NDArray[np.float64] = np.minimum(values / known["standard_irradiance"] * ratio, 1.0)
        return shares
    if source.unit == WIND_SPEED:
        return _of_wind(source, values)
    return np.minimum(values / (source.rated_w or 1.0), 1.0)


def _of_wind(source: ProfileFile, speeds: "NDArray[np.float64]") -> "NDArray[np.float64]":
    known = catalog.generation("wind-turbine")
    cut_in, full_from, cut_out = (
        known[key] if (said := getattr(source, key)) is None else said
        for key in ("cut_in", "full_from", "cut_out")
    )
    rising = (speeds**3 - cut_in**3) / (full_from**3 - cut_in**3)
    shares: NDArray[np.float64] = np.clip(rising, 0.0, 1.0)
    shares[speeds >= cut_out] = 0.0
    return shares


def _check(source: ProfileFile, table: "SeriesTable", findings: Findings) -> None:
    """Refuse a series without values, and more than the capacity; count what is below 0."""
    if np.isnan(table.values).all():
        findings.refuse("no row holds a value")
        return
    below = table.values < 0.0
    if below.any():
        findings.warn(f"{counted(int(below.sum()), 'value')} below 0 count as 0")
    if source.unit in (IRRADIANCE, WIND_SPEED):
        return
    shares = table.values / (source.rated_w or 1.0)
    above = shares > 1.0 + ROUNDING
    if above.any():
        remedy = (
            "write shares from 0 to 1, not per cent"
            if source.rated_w is None
            else "give the capacity as rated"
        )
        findings.refuse(
            f"{float(shares[above].max()):.4g} of the capacity in {row_list(table.row[above])}; "
            f"a plant gives at most 1; {remedy}"
        )
