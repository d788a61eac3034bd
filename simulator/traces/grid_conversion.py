"""Writes a grid signal of any format as a plain file: instants and grams per kilowatt-hour."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from simulator.scenario.grid import GridFile
from simulator.traces.findings import Findings, counted, length
from simulator.traces.grid_checks import check_values
from simulator.traces.grid_file import read_grid
from simulator.traces.grid_formats.csv import FILLED
from simulator.traces.series_checks import gap_text
from simulator.traces.series_file import Gaps, fill
from simulator.units import MS_PER_S

if TYPE_CHECKING:
    import pyarrow as pa

TIME: Final = "timestamp_utc"


@dataclass(frozen=True, slots=True)
class ConvertedGrid:
    """A signal as it is written, and what must be said of it.

    Attributes
    ----------
    table : pyarrow.Table
        One row for each step: its start, its intensity, null where missing, and, where gaps were
        to be filled, how its value was.
    value : str
        Name of the column of intensities, e.g. ``"average_g_per_kwh"``.
    steps, missing, filled : int
        All steps, those still without a value, and those that were filled.
    step : str
        Length of a step, e.g. ``"1 h"``.
    source : GridFile
    file_sha256 : str
        Of the file that was read.
    warnings : tuple of str
    """

    table: "pa.Table"
    value: str
    steps: int
    missing: int
    filled: int
    step: str
    source: GridFile
    file_sha256: str
    warnings: tuple[str, ...]

    def as_written(self, name: str) -> str:
        """Return what a scenario writes to use the file under a name."""
        signal = self.source.signal
        keys = f'file = "{name}", time = "{TIME}", value = "{self.value}", unit = "g/kWh"'
        for key, said in (("factor", signal.factor), ("mix", signal.mix)):
            keys += "" if said == "unknown" else f', {key} = "{said}"'
        return f"{{ {keys} }}"


def converted(
    source: GridFile, basis: Literal["average", "marginal"], gaps: Gaps = "error"
) -> ConvertedGrid:
    """Read a signal and return it as a table of our own columns.

    Parameters
    ----------
    source : GridFile
    basis : str
        ``"average"`` or ``"marginal"``.
    gaps : str
        What fills a gap: nothing, unless told how.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    import pyarrow as pa

    findings = Findings(source.text, "")
    table = read_grid(source, basis, findings)
    check_values(table, basis, findings)
    findings.check()
    values = fill(table.values, table.step_ms, gaps)
    filled = np.isnan(table.values) & ~np.isnan(values)
    missing = np.isnan(values)
    if filled.any():
        findings.warn(f'filled by gaps = "{gaps}": {gap_text(table, filled)}')
    if missing.any():
        findings.warn(f"left empty: {gap_text(table, missing)}")
    epoch_ms = table.first_ms + table.step_ms * np.arange(len(values), dtype=np.int64)
    unit_ms, unit = (1, "ms") if (epoch_ms % MS_PER_S).any() else (MS_PER_S, "s")
    value = f"{basis}_g_per_kwh"
    columns = {
        TIME: pa.array(epoch_ms // unit_ms).cast(pa.timestamp(unit, "UTC")),
        value: pa.array(values, mask=missing),
    }
    if gaps != "error":
        columns[FILLED] = pa.array(np.where(filled, gaps, ""))
    return ConvertedGrid(
        table=pa.table(columns),
        value=value,
        steps=len(values),
        missing=int(missing.sum()),
        filled=int(filled.sum()),
        step=length(table.step_ms),
        source=source,
        file_sha256=table.file_sha256,
        warnings=tuple(findings.warnings),
    )


def converted_line(found: ConvertedGrid) -> str:
    """Return how many steps were written, of what length, and how many of them were filled."""
    said = f", {found.filled:,} filled" if found.filled else ""
    empty = f", {found.missing:,} without a value" if found.missing else ""
    return f"{counted(found.steps, 'step')} of {found.step}{said}{empty}, column {found.value}"
