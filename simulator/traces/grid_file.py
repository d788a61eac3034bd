"""Reads one grid signal from a file of any format."""

from typing import TYPE_CHECKING, Literal

from simulator.grid_formats import PLAIN, grid_formats
from simulator.traces.findings import Findings
from simulator.traces.series_file import SeriesTable, series_of

if TYPE_CHECKING:
    from simulator.scenario.grid import GridFile
    from simulator.traces.series_cells import SeriesCells


def read_grid(
    source: "GridFile", basis: Literal["average", "marginal"], findings: Findings
) -> SeriesTable:
    """Read the signal that a scenario names, by the reader of its format.

    Parameters
    ----------
    source : GridFile
    basis : str
        ``"average"`` or ``"marginal"``: what the scenario takes it for.
    findings : Findings
        Takes problems of single values; the caller checks it.

    Raises
    ------
    InputError
        If there is no series to be had; it carries every problem found until then.
    """
    cells: SeriesCells = grid_formats()[source.format or PLAIN].read(source, basis, findings)
    return series_of(cells, findings)
