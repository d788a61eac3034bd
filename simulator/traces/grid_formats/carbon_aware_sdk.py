"""Emissions of the Carbon Aware SDK as JSON: a list of location, time, rating and duration.

Ratings are g/kWh. The list stands alone, or under ``emissions`` as in the SDK's own files of test
data; names of keys may begin with a capital. Which signal it is depends on the provider behind the
SDK, so the scenario says it.
"""

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.errors import listing, shown
from simulator.formats import Glimpse
from simulator.grid_formats import grid_format
from simulator.traces.findings import Findings, row_list
from simulator.traces.json_cells import json_numbers, json_times
from simulator.traces.json_file import entries_of, open_json
from simulator.traces.series_cells import SeriesCells, rows_of_region
from simulator.units import MS_PER_D, MS_PER_H, MS_PER_MIN, MS_PER_S

if TYPE_CHECKING:
    from simulator.scenario.grid import GridFile

KEYS: Final = ("location", "time", "rating")
_DURATION: Final = re.compile(r"(?:(\d+)\.)?(\d\d):(\d\d):(\d\d)")
"""A time span as .NET writes it: days, hours, minutes, seconds."""


def _is_sdk(glimpse: Glimpse) -> bool:
    head = glimpse.head.lstrip().lower()
    return head[:1] in (b"[", b"{") and all(f'"{key}"'.encode() in head for key in KEYS)


@grid_format("carbon-aware-sdk", recognises=_is_sdk, takes=("region", "factor"))
def carbon_aware_sdk(
    source: "GridFile",
    basis: str,  # noqa: ARG001
    findings: Findings,
) -> SeriesCells:
    """Read the ratings of one location."""
    document, sha256 = open_json(source.path, findings)
    entries, rows = entries_of(_list_of(document), "emissions", (), findings)
    entries = [{key.casefold(): value for key, value in entry.items()} for entry in entries]
    entries, rows = entries_of(entries, "emissions", KEYS, findings)
    findings.check()
    places = [str(entry["location"]) for entry in entries]
    at = np.flatnonzero(rows_of_region([places], source.region or "", "location", findings))
    chosen, rows = [entries[k] for k in at], rows[at]
    values = json_numbers(chosen, "rating", rows, findings)
    times = json_times(chosen, "time", rows, findings)
    step_ms = _duration_ms(chosen, rows, findings)
    what = f"ratings of {chosen[0]['location']} in g/kWh"
    return SeriesCells(
        times, values, rows, sha256, what, filtered=len(at) < len(entries), step_ms=step_ms
    )


def _list_of(document: Any) -> Any:
    if isinstance(document, dict):
        return next((each for key, each in document.items() if key.casefold() == "emissions"), None)
    return document


def _duration_ms(entries: list[dict[str, Any]], rows: Any, findings: Findings) -> int | None:
    """Return the one length of all steps, None where the file says none. [ms]"""
    said = [entry.get("duration") for entry in entries]
    kinds = {each for each in said if each is not None}
    if not kinds:
        return None
    lengths = {each: _span_ms(each) for each in kinds}
    bad = np.array([each is not None and lengths[each] is None for each in said], bool)
    if bad.any():
        first = said[int(np.argmax(bad))]
        findings.refuse(
            f'duration is no time such as "00:05:00" in {row_list(rows[bad])}: {shown(first)}'
        )
        return None
    if len(kinds) > 1:
        findings.refuse(f"durations of several lengths: {listing(sorted(map(str, kinds)))}")
        return None
    return lengths[kinds.pop()]


def _span_ms(text: Any) -> int | None:
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    sizes = (MS_PER_D, MS_PER_H, MS_PER_MIN, MS_PER_S)
    return sum(int(part or 0) * size for part, size in zip(found.groups(), sizes, strict=True))
