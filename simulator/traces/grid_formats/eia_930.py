"""Balance files of Form EIA-930: ``EIA930_BALANCE_<year>_<Jan_Jun|Jul_Dec>.csv``.

The form gives net generation by fuel for the hour that ends at its stamp, in MW with thousands
separators. The intensity is worked out with the factors of the catalog's fuels. Adjusted values are
read where there are some, imputed columns never. What storage gives back was generated before, and
is left out; so are imports.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.errors import listing
from simulator.formats import Glimpse
from simulator.grid_formats import grid_format
from simulator.traces.findings import Findings
from simulator.traces.generation import intensity_of
from simulator.traces.series_cells import SeriesCells, rows_of_region
from simulator.traces.table_file import as_text, has_columns, numbers, open_table, read_columns
from simulator.traces.timestamps import epoch_ms

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulator.scenario.grid import GridFile

REGION: Final = "Balancing Authority"
TIME: Final = "UTC Time at End of Hour"
_COLUMN: Final = re.compile(
    r"(?i)^net generation \(mw\) from (?P<fuel>.+?)\s*(?P<kind>\((adjusted|imputed)\))?$"
)
_FUELS: Final = (
    ("storage", re.compile(r"(?i)^(pumped|battery|(other|unknown) energy) storage")),
    ("coal", re.compile(r"(?i)^coal")),
    ("gas", re.compile(r"(?i)^natural gas")),
    ("nuclear", re.compile(r"(?i)^nuclear")),
    ("oil", re.compile(r"(?i)petroleum")),
    ("hydro", re.compile(r"(?i)^hydropower")),
    ("solar", re.compile(r"(?i)^solar")),
    ("wind", re.compile(r"(?i)^wind")),
    ("geothermal", re.compile(r"(?i)^geothermal")),
    ("other", re.compile(r"(?i)^(other|unknown) fuel")),
)
"""Fuels of the catalog by the beginning of the form's names; the first that fits."""
_US_TIME: Final = (
    r"^(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}) "
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::\d\d)?(?: (?P<half>[AP]M))?$"
)
_NOON: Final = 12


def _is_eia_930(glimpse: Glimpse) -> bool:
    return {REGION, TIME} <= set(glimpse.columns) and bool(_columns(glimpse.columns))


@grid_format(
    "eia-930",
    recognises=_is_eia_930,
    takes=("region",),
    needs=("factor",),
    basis="average",
    mix="production",
)
def eia_930(source: "GridFile", basis: str, findings: Findings) -> SeriesCells:  # noqa: ARG001
    """Work out the intensity of one authority's generation."""
    file = open_table(source.path, findings)
    columns = _columns(file.names)
    if not columns:
        findings.refuse(f"no column of net generation by fuel; the file has {listing(file.names)}")
    has_columns(file, (REGION, TIME), findings)
    findings.check()
    names = [name for each in columns.values() for name in each]
    table = read_columns(file, [REGION, TIME, *names], findings)
    regions = as_text(table[REGION]).to_pylist()
    chosen = rows_of_region([regions], source.region or "", "balancing authority", findings)
    at = np.flatnonzero(chosen)
    table, rows = table.take(at), at + file.first_row
    generation = {
        fuel: _sum([_megawatts(table[name], name, rows, findings) for name in each])
        for fuel, each in columns.items()
    }
    times = _times(table[TIME], rows, findings)
    findings.check()
    values = intensity_of(generation, source.factor, findings)
    what = f"net generation of {regions[at[0]]} by {len(columns)} fuels, {source.factor} factors"
    return SeriesCells(
        times,
        values,
        rows,
        file.sha256,
        what,
        stamp="end",
        filtered=len(at) < len(regions),
        step_ms=None,
    )


def _columns(names: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns of each fuel, of a name the adjusted one if there is one."""
    best: dict[str, tuple[bool, str]] = {}
    for name in names:
        found = _COLUMN.match(name)
        if found is None or (found["kind"] or "").casefold() == "(imputed)":
            continue
        plain = " ".join(found["fuel"].split()).casefold()
        adjusted = found["kind"] is not None
        if plain not in best or adjusted:
            best[plain] = adjusted, name
    columns: dict[str, list[str]] = {}
    for plain, (_, name) in best.items():
        fuel = next((fuel for fuel, pattern in _FUELS if pattern.search(plain)), "other")
        if fuel != "storage":
            columns.setdefault(fuel, []).append(name)
    return columns


def _megawatts(
    column: "pa.ChunkedArray", name: str, rows: "NDArray[np.int64]", findings: Findings
) -> "NDArray[np.float64]":
    """Return numbers that may have thousands separators. [MW]."""
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(as_text(column))
    separated = pc.match_substring_regex(text, r"^-?\d{1,3}(,\d{3})+(\.\d+)?$")
    plain = pc.if_else(separated, pc.replace_substring(text, ",", ""), text)
    return numbers(plain, name, rows, findings)


def _sum(columns_mw: Sequence["NDArray[np.float64]"]) -> "NDArray[np.float64]":
    """Return the sum of what is known in each row, NaN where nothing is."""
    stacked = np.stack(columns_mw)
    known = ~np.isnan(stacked)
    return np.where(known.any(axis=0), np.nansum(stacked, axis=0), np.nan)


def _times(
    column: "pa.ChunkedArray", rows: "NDArray[np.int64]", findings: Findings
) -> "NDArray[np.int64]":
    """Return the instants of times as the form writes them, or of ISO ones. [ms]."""
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(as_text(column))
    parts = pc.extract_regex(text, pattern=_US_TIME)
    if parts.null_count:
        times = epoch_ms(text, TIME, rows, None, findings)
        if times is None:
            findings.check()
            raise AssertionError
        return times
    number = {
        part: np.array(pc.struct_field(parts, part).to_pylist())
        for part in ("year", "month", "day", "hour", "minute", "half")
    }
    hour = number["hour"].astype(np.int64)
    half = number["half"]
    hour = np.where(half == "", hour, hour % _NOON + _NOON * (half == "PM"))
    dates = np.char.add(
        np.char.add(np.char.add(number["year"], "-"), np.char.zfill(number["month"], 2)),
        np.char.add("-", np.char.zfill(number["day"], 2)),
    )
    try:
        days = dates.astype("datetime64[D]")
    except ValueError as error:
        findings.stop(f"{TIME} holds a day that there is not: {error}")
    instants = days.astype("datetime64[m]") + hour * np.timedelta64(60, "m")
    instants = instants + number["minute"].astype(np.int64) * np.timedelta64(1, "m")
    found: NDArray[np.int64] = instants.astype("datetime64[ms]").astype(np.int64)
    return found
