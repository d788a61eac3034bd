"""Files of ENTSO-E's library: ``..._AggregatedGenerationPerType_16.1.B_C_r3.csv`` and its like.

Tab-separated, one row for each time, area and type of production; times are the starts of steps,
UTC. An area may stand there as country, control area and bidding zone at once, each with its own
code. The intensity is worked out with the factors of the catalog's fuels. What storage gives back
was generated before, and is left out, as is what it consumes; so are imports.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.errors import listing
from simulator.formats import Glimpse
from simulator.grid_formats import grid_format
from simulator.traces.findings import Findings, counted, row_list
from simulator.traces.generation import intensity_of
from simulator.traces.series_cells import SeriesCells, rows_of_region
from simulator.traces.table_file import as_text, has_columns, numbers, open_table, read_columns
from simulator.traces.timestamps import epoch_ms
from simulator.units import MS_PER_H, MS_PER_MIN

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulator.scenario.grid import GridFile

TIME: Final = "DateTime(UTC)"
KIND: Final = "ProductionType"
OUTPUT: Final = "ActualGenerationOutput[MW]"
AREAS: Final = ("AreaMapCode", "AreaDisplayName", "AreaCode")
"""What an area is called, in three columns; `region` may say any of them."""
TYPE: Final = "AreaTypeCode"
RESOLUTION: Final = "ResolutionCode"
_STEP_MS: Final = {
    "PT15M": 15 * MS_PER_MIN,
    "PT30M": 30 * MS_PER_MIN,
    "PT60M": MS_PER_H,
    "PT1H": MS_PER_H,
}
FUELS: Final = {
    "biomass": "biomass",
    "energy storage": "",
    "fossil brown coal/lignite": "coal",
    "fossil coal-derived gas": "gas",
    "fossil gas": "gas",
    "fossil hard coal": "coal",
    "fossil oil": "oil",
    "fossil oil shale": "coal",
    "fossil peat": "coal",
    "geothermal": "geothermal",
    "hydro pumped storage": "",
    "hydro run-of-river and poundage": "hydro",
    "hydro run-of-river and pondage": "hydro",
    "hydro water reservoir": "hydro",
    "marine": "ocean",
    "nuclear": "nuclear",
    "other": "other",
    "other renewable": "other",
    "solar": "solar",
    "waste": "biomass",
    "wind offshore": "wind",
    "wind onshore": "wind",
}
"""Fuel of the catalog by type of production, in small letters; none for storage."""


def _is_entso_e(glimpse: Glimpse) -> bool:
    first = glimpse.head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace")
    return {TIME, KIND, OUTPUT} <= {name.strip() for name in first.split("\t")}


@grid_format(
    "entso-e",
    recognises=_is_entso_e,
    takes=("region", "where"),
    needs=("factor",),
    basis="average",
    mix="production",
)
def entso_e(source: "GridFile", basis: str, findings: Findings) -> SeriesCells:  # noqa: ARG001
    """Work out the intensity of one area's generation."""
    file = open_table(source.path, findings, delimiter="\t")
    wanted = [TIME, KIND, OUTPUT, *AREAS, TYPE, RESOLUTION, *source.where]
    if not has_columns(file, wanted, findings):
        findings.check()
    table = read_columns(file, wanted, findings)
    at = _rows_of_area(table, source, findings)
    table, rows = table.take(at), at + file.first_row
    every_ms = epoch_ms(table[TIME], TIME, rows, None, findings)
    output_mw = numbers(table[OUTPUT], OUTPUT, rows, findings)
    kinds = as_text(table[KIND]).to_pylist()
    step_ms = _resolution(as_text(table[RESOLUTION]).to_pylist(), findings)
    _refuse_kinds(kinds, findings)
    findings.check()
    assert every_ms is not None
    times, first, place = np.unique(every_ms, return_index=True, return_inverse=True)
    if (np.diff(every_ms) < 0).any():
        back = np.flatnonzero(np.diff(every_ms) < 0) + 1
        findings.refuse(f"times go back in {row_list(rows[back])}; sort the rows by time")
    generation = _by_fuel(kinds, place, len(times), output_mw, rows, findings)
    findings.check()
    values = intensity_of(generation, source.factor, findings)
    area = as_text(table[AREAS[0]])[0].as_py()
    what = f"generation of {area} by {counted(len(generation), 'fuel')}, {source.factor} factors"
    return SeriesCells(
        times, values, rows[first], file.sha256, what, filtered=True, step_ms=step_ms
    )


def _rows_of_area(table: "pa.Table", source: "GridFile", findings: Findings) -> "NDArray[np.int64]":
    """Return the rows of the one area that is wanted."""
    chosen = np.ones(table.num_rows, bool)
    for name, value in source.where.items():
        mine = np.asarray(as_text(table[name]).to_pylist(), str) == value
        if not mine.any():
            findings.refuse(f"no row where {name} is '{value}'")
        chosen &= mine
    findings.check()
    at = np.flatnonzero(chosen)
    areas = [as_text(table[name].take(at)).to_pylist() for name in AREAS]
    at = at[rows_of_region(areas, source.region or "", "area", findings)]
    types = sorted(set(as_text(table[TYPE].take(at)).to_pylist()))
    if len(types) > 1:
        findings.stop(
            f'holds the area as {listing(types)}; choose one: where = {{ {TYPE} = "{types[0]}" }}'
        )
    return at


def _resolution(codes: list[str], findings: Findings) -> int | None:
    """Return the one length of the steps. [ms]"""
    found = sorted(set(codes))
    if len(found) > 1 or found[0] not in _STEP_MS:
        findings.refuse(f"{RESOLUTION} is {listing(found)}; give one of {listing(_STEP_MS)}")
        return None
    return _STEP_MS[found[0]]


def _refuse_kinds(kinds: list[str], findings: Findings) -> None:
    unknown = sorted({kind for kind in kinds if kind.casefold() not in FUELS})
    if unknown:
        findings.refuse(f"{KIND} {listing(unknown)} is not known; there are {listing(FUELS)}")


def _by_fuel(
    kinds: list[str],
    place: "NDArray[np.int64]",
    steps: int,
    output_mw: "NDArray[np.float64]",
    rows: "NDArray[np.int64]",
    findings: Findings,
) -> dict[str, "NDArray[np.float64]"]:
    """Return what each fuel generates in each step, NaN where a type of it is missing. [MW]"""
    names = np.array([kind.casefold() for kind in kinds], str)
    generation: dict[str, NDArray[np.float64]] = {}
    for kind in sorted(set(names.tolist())):
        fuel = FUELS[kind]
        at = np.flatnonzero(names == kind)
        order = np.argsort(place[at], kind="stable")
        twice = at[order][1:][np.diff(place[at][order]) == 0]
        if len(twice):
            findings.refuse(f"{kind} twice at one time in {row_list(rows[twice])}")
        if not fuel:
            continue
        values = np.full(steps, np.nan)
        values[place[at]] = output_mw[at]
        known = np.flatnonzero(~np.isnan(values))
        if len(known):
            # Before a type is first reported, and after it is last, the others are all there is.
            values[: known[0]] = values[known[-1] + 1 :] = 0.0
            generation[fuel] = generation.get(fuel, np.zeros(steps)) + values
    return generation
