"""CSV files of Electricity Maps, in both generations of their headers.

Intensities are of what a zone consumes, imports traced to where they come from. The older files
call a column ``Carbon Intensity gCO₂eq/kWh (LCA)``, the newer ones ``Carbon intensity gCO₂eq/kWh
(Life cycle)``; beside either stands one by direct emissions. Times are the starts of hours, UTC.
"""

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.errors import listing
from simulator.formats import Glimpse
from simulator.grid_formats import grid_format
from simulator.traces.findings import Findings, counted
from simulator.traces.series_cells import SeriesCells, rows_of_region
from simulator.traces.table_file import as_text, numbers, open_table, read_columns
from simulator.traces.timestamps import epoch_ms

if TYPE_CHECKING:
    from simulator.scenario.grid import GridFile

_TIME: Final = re.compile(r"(?i)^datetime \(utc\)$")
_ZONE: Final = re.compile(r"(?i)^zone id$")
_NAME: Final = re.compile(r"(?i)^zone name$")
_ESTIMATED: Final = re.compile(r"(?i)^data estimated$")
_VALUE: Final = {
    "direct": re.compile(r"(?i)^carbon intensity gco[₂2]eq?/kwh \(direct\)$"),
    "life-cycle": re.compile(r"(?i)^carbon intensity gco[₂2]eq?/kwh \((lca|life[ -]?cycle)\)$"),
}


def _named(names: tuple[str, ...], pattern: "re.Pattern[str]") -> str | None:
    return next((name for name in names if pattern.match(name)), None)


def _is_electricity_maps(glimpse: Glimpse) -> bool:
    patterns = (_TIME, _ZONE)
    some = any(_named(glimpse.columns, value) for value in _VALUE.values())
    return some and all(_named(glimpse.columns, pattern) for pattern in patterns)


@grid_format(
    "electricity-maps",
    recognises=_is_electricity_maps,
    takes=("region",),
    needs=("factor",),
    basis="average",
    mix="consumption",
)
def electricity_maps(
    source: "GridFile",
    basis: str,  # noqa: ARG001
    findings: Findings,
) -> SeriesCells:
    """Read the column of the factors that the scenario names."""
    file = open_table(source.path, findings)
    found = {
        "Datetime (UTC)": _named(file.names, _TIME),
        "Zone id": _named(file.names, _ZONE),
        f"Carbon intensity gCO2eq/kWh ({source.factor})": _named(file.names, _VALUE[source.factor]),
    }
    for what, name in found.items():
        if name is None:
            findings.refuse(f"no column '{what}'; the file has {listing(file.names)}")
    findings.check()
    time, zone, value = (str(name) for name in found.values())
    more = [_named(file.names, pattern) for pattern in (_NAME, _ESTIMATED)]
    table = read_columns(
        file, [time, zone, value, *(name for name in more if name is not None)], findings
    )
    regions = [as_text(table[name]).to_pylist() for name in (zone, more[0]) if name is not None]
    at = np.flatnonzero(rows_of_region(regions, source.region or "", "zone", findings))
    table, rows = table.take(at), at + file.first_row
    values = numbers(table[value], value, rows, findings)
    times = epoch_ms(table[time], time, rows, None, findings)
    if times is None:
        findings.check()
        raise AssertionError
    if more[1] is not None:
        _tell_estimated(as_text(table[more[1]]).to_pylist(), findings)
    what = f"column {value}"
    return SeriesCells(times, values, rows, file.sha256, what, filtered=len(at) < len(regions[0]))


def _tell_estimated(marks: list[str], findings: Findings) -> None:
    """Warn of hours that nobody measured."""
    estimated = sum(mark.casefold() in ("true", "1") for mark in marks)
    if estimated:
        rows = counted(len(marks), "row")
        findings.warn(f"{estimated:,} of {rows} are estimated by Electricity Maps, not measured")
