"""A view of the total of a run as people read it on a terminal, within 80 columns."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from simulator.explanation.page import wrapped
from simulator.explanation.sums import ABSENT, number
from simulator.explanation.views import View

LABEL: Final = 34
VALUE: Final = 14

_BESIDE: Final = {
    "marginal_kgco2e": ("operational, marginal", "kg"),
    "water_l": ("water", "L"),
    "cost_electricity": ("electricity", ""),
}
_RATE: Final = {
    "energy_kwh": ("E, energy of the facility", "kWh"),
    "intensity_g_per_kwh": ("I, mean by energy", "g/kWh"),
    "embodied_gco2e": ("M, embodied", "g"),
    "functional_units": ("R, functional units", ""),
    "sci_gco2e": ("SCI = (E x I + M) / R", "g"),
}


def view_lines(view: View, currency: str | None = None) -> Iterator[str]:
    """Yield a view line by line: headings, what adds up, the total, what is left out."""
    for group, members in groupby(view.lines, key=lambda line: line.group):
        yield group
        for line in members:
            mark = " " if line.counted else "*"
            yield from _row(f" {mark}{line.item}", line.kgco2e, "kg", line.note)
    yield from _row("= total_kgco2e", view.total_kgco2e, "kg")
    if any(not line.counted for line in view.lines):
        yield "  * beside the total, not part of it"
    if view.rate:
        yield ""
        unit = str(view.rate["functional_unit"])
        yield f"per {unit}"
        for key, (label, kind) in _RATE.items():
            what = {"functional_units": unit, "sci_gco2e": f"g per {unit}"}.get(key, kind)
            yield from _row(f"  {label}", view.rate[key], what)
    if view.beside:
        yield ""
        yield "beside it"
        for key, value in view.beside.items():
            label, unit = _BESIDE[key]
            yield from _row(f"  {label}", value, unit or currency or "")
    for index, text in enumerate(view.left_out):
        if not index:
            yield ""
        yield from wrapped(f"left out, or counted otherwise: {text}", 0)


def _row(label: str, value: float | None, unit: str, note: str = "") -> Iterator[str]:
    text = ABSENT if value is None else number(float(value))
    start = f"{label:<{LABEL}} {text:>{VALUE}} {unit}"
    if len(label) > LABEL:
        yield label
        start = f"{'':<{LABEL}} {text:>{VALUE}} {unit}"
    if not note:
        yield start.rstrip()
        return
    first, *more = wrapped(note, LABEL + VALUE + 6)
    yield f"{start:<{LABEL + VALUE + 5}} {first.strip()}"
    yield from more
