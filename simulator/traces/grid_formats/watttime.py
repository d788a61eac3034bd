"""Answers of WattTime's API, version 3, as JSON: ``/v3/historical`` and ``/v3/forecast``.

``co2_moer`` is the marginal operating emission rate, ``co2_aoer`` the average one; both count what
plants emit, in pounds of CO2 per MWh. Times are the starts of their steps.
"""

from typing import TYPE_CHECKING, Any, Final

from simulator.errors import shown
from simulator.formats import Glimpse
from simulator.grid_formats import grid_format
from simulator.traces.findings import Findings
from simulator.traces.json_cells import json_numbers, json_times
from simulator.traces.json_file import entries_of, open_json
from simulator.traces.series_cells import SeriesCells
from simulator.units import DIMENSIONS

if TYPE_CHECKING:
    from simulator.scenario.grid import GridFile

BASES: Final = {"co2_moer": "marginal", "co2_aoer": "average"}
"""What each type of signal is; others are no carbon."""
UNITS: Final = {"lbs_co2_per_mwh": "lb/MWh"}


def _is_watttime(glimpse: Glimpse) -> bool:
    head = glimpse.head.lstrip()
    return head.startswith(b"{") and b'"point_time"' in head


@grid_format("watttime", recognises=_is_watttime, takes=("region",), factor="direct")
def watttime(source: "GridFile", basis: str, findings: Findings) -> SeriesCells:
    """Read a signal of WattTime, if it is of the basis that it stands for."""
    document, sha256 = open_json(source.path, findings)
    meta = document.get("meta") if isinstance(document, dict) else None
    if not isinstance(meta, dict):
        findings.stop('no answer of WattTime v3; write an object with "data" and "meta"')
    _refuse_other(meta, source.region or "", basis, findings)
    entries, rows = entries_of(document.get("data"), "data", ("point_time", "value"), findings)
    findings.check()
    factor = DIMENSIONS["intensity"][UNITS[meta["units"]]]
    values = json_numbers(entries, "value", rows, findings) * factor
    times = json_times(entries, "point_time", rows, findings)
    model = meta.get("model")
    dated = f", model of {model['date']}" if isinstance(model, dict) and "date" in model else ""
    what = f"{meta['signal_type']} of {meta.get('region', 'an unnamed region')} in lb/MWh{dated}"
    return SeriesCells(times, values, rows, sha256, what)


def _refuse_other(meta: dict[str, Any], region: str, basis: str, findings: Findings) -> None:
    kind, unit = meta.get("signal_type"), meta.get("units")
    if kind not in BASES:
        findings.refuse(f"signal_type is {shown(kind)}; give one of {', '.join(BASES)}")
    elif BASES[kind] != basis:
        findings.refuse(
            f"{kind} is {BASES[kind]} intensity and can't stand for {basis}; "
            f"write it under {BASES[kind]} = {{ ... }}"
        )
    if unit not in UNITS:
        findings.refuse(f"units are {shown(unit)}; give a file in {', '.join(UNITS)}")
    if region and meta.get("region") != region:
        findings.refuse(f"holds the region {shown(meta.get('region'))}, not {shown(region)}")
    findings.check()
