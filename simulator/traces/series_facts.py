"""What a file of intensities holds, in a few numbers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.scenario.grid import GridFile
from simulator.traces.findings import Findings, instant, length
from simulator.traces.grid_checks import check_values
from simulator.traces.series_file import read_series
from simulator.units import MS_PER_H


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A series of intensities in a few numbers.

    Attributes
    ----------
    steps, missing : int
        Steps from the first to the last, and those of them without a value.
    step : str
        Length of a step, e.g. ``"1 h"``.
    first, end : str
        Start of the first step and end of the last.
    gaps : int
        Stretches without a value.
    longest_gap_h : float
        The longest of them. [h]
    longest_gap_from : str
        When it begins; empty where there is none.
    low_g_per_kwh, median_g_per_kwh, high_g_per_kwh : float
        Of the values. [g/kWh]
    warnings : tuple of str
    """

    steps: int
    missing: int
    step: str
    first: str
    end: str
    gaps: int
    longest_gap_h: float
    longest_gap_from: str
    low_g_per_kwh: float
    median_g_per_kwh: float
    high_g_per_kwh: float
    warnings: tuple[str, ...]


def series_facts(file: GridFile, basis: Literal["average", "marginal"]) -> SeriesFacts:
    """Read a file of intensities and return what it holds.

    Raises
    ------
    InputError
        With every problem of the file: times out of order, repeated or of uneven steps, cells
        that are no numbers, values that can't be.
    """
    findings = Findings(file.text, "")
    table = read_series(file, "intensity", findings)
    check_values(table, basis, findings)
    findings.check()
    values = table.values
    absent = np.isnan(values)
    starts = np.flatnonzero(absent & ~np.concatenate(([False], absent[:-1])))
    ends = np.flatnonzero(absent & ~np.concatenate((absent[1:], [False]))) + 1
    widths = ends - starts
    at = int(np.argmax(widths)) if len(widths) else None
    known = values[~absent]
    return SeriesFacts(
        steps=len(values),
        missing=int(absent.sum()),
        step=length(table.step_ms),
        first=instant(table.first_ms),
        end=instant(table.first_ms + table.step_ms * len(values)),
        gaps=len(widths),
        longest_gap_h=0.0 if at is None else int(widths[at]) * table.step_ms / MS_PER_H,
        longest_gap_from=(
            "" if at is None else instant(table.first_ms + int(starts[at]) * table.step_ms)
        ),
        low_g_per_kwh=float(known.min()),
        median_g_per_kwh=float(np.median(known)),
        high_g_per_kwh=float(known.max()),
        warnings=tuple(findings.warnings),
    )
