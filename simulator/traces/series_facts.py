"""What a file of intensities holds, in a few numbers."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from simulator.scenario.grid import GridFile
from simulator.traces.clock_changes import zone_that_skips
from simulator.traces.findings import Findings, instant, length
from simulator.traces.grid_checks import check_values
from simulator.traces.grid_file import read_grid
from simulator.units import MS_PER_D, MS_PER_H

GAPS_LISTED: Final = 20
"""Gaps that are listed one by one; of more, these are the first."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without a value.

    Attributes
    ----------
    first, end : str
        Start of its first step, and end of its last.
    steps : int
    """

    first: str
    end: str
    steps: int


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A series of intensities in a few numbers.

    Attributes
    ----------
    format : str
    what : str
        What was read of the file, in words.
    factor, mix : str
        Emission factors, and whose generation is counted; ``"unknown"`` where nobody said.
    rows : int
        Rows of the file that were read.
    steps, missing : int
        Steps from the first to the last, and those of them without a value.
    step : str
        Length of a step, e.g. ``"1 h"``.
    first, end : str
        Start of the first step and end of the last.
    span_d : float
        From one to the other. [d]
    gaps : int
        Stretches without a value.
    longest_gap_h : float
        The longest of them. [h]
    longest_gap_from : str
        When it begins; empty where there is none.
    gaps_listed : tuple of Gap
        The first of them.
    skipped_in : str
        A time zone whose clock skips one of the gaps, which betrays local times; empty where none.
    low_g_per_kwh, mean_g_per_kwh, median_g_per_kwh, high_g_per_kwh : float
        Of the values. [g/kWh]
    file_sha256 : str
    warnings : tuple of str
    """

    format: str
    what: str
    factor: str
    mix: str
    rows: int
    steps: int
    missing: int
    step: str
    first: str
    end: str
    span_d: float
    gaps: int
    longest_gap_h: float
    longest_gap_from: str
    gaps_listed: tuple[Gap, ...]
    skipped_in: str
    low_g_per_kwh: float
    mean_g_per_kwh: float
    median_g_per_kwh: float
    high_g_per_kwh: float
    file_sha256: str
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
    table = read_grid(file, basis, findings)
    check_values(table, basis, findings)
    findings.check()
    values = table.values
    absent = np.isnan(values)
    starts = np.flatnonzero(absent & ~np.concatenate(([False], absent[:-1])))
    ends = np.flatnonzero(absent & ~np.concatenate((absent[1:], [False]))) + 1
    widths = ends - starts
    at = int(np.argmax(widths)) if len(widths) else None
    known = values[~absent]
    signal = file.signal

    def when(step: int) -> str:
        return instant(table.first_ms + step * table.step_ms)

    skips = zone_that_skips(table.first_ms + starts * table.step_ms, widths * table.step_ms)
    return SeriesFacts(
        format=file.form.name,
        what=table.what,
        factor=signal.factor,
        mix=signal.mix,
        rows=int((table.row > 0).sum()),
        steps=len(values),
        missing=int(absent.sum()),
        step=length(table.step_ms),
        first=when(0),
        end=when(len(values)),
        span_d=table.step_ms * len(values) / MS_PER_D,
        gaps=len(widths),
        longest_gap_h=0.0 if at is None else int(widths[at]) * table.step_ms / MS_PER_H,
        longest_gap_from="" if at is None else when(int(starts[at])),
        gaps_listed=tuple(
            Gap(when(int(start)), when(int(end)), int(end - start))
            for start, end in zip(starts[:GAPS_LISTED], ends[:GAPS_LISTED], strict=True)
        ),
        skipped_in=skips or "",
        low_g_per_kwh=float(known.min()),
        mean_g_per_kwh=float(known.mean()),
        median_g_per_kwh=float(np.median(known)),
        high_g_per_kwh=float(known.max()),
        file_sha256=table.file_sha256,
        warnings=tuple(findings.warnings),
    )
