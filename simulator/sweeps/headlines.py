"""The quantities that a sweep shows without being asked, each with its heading and its unit."""

from collections.abc import Iterable
from typing import Final

from simulator.display import number_text
from simulator.figures.quantities import unit_of

SHOWN: Final = {
    "total_kgco2e": "carbon",
    "energy_facility_kwh": "energy",
    "wait_p99_h": "p99 wait",
    "allocation": "alloc.",
}
"""Headings by quantity, in the order shown."""
FIRST: Final = "total_kgco2e"
PERCENT: Final = {"allocation": (0.01, "%")}


def shown_unit(quantity: str, values: Iterable[float]) -> tuple[float, str]:
    """Return the size and the name of the unit that suits values of a quantity."""
    return PERCENT.get(quantity) or unit_of(quantity, values)


def amount(value: float) -> str:
    """Return a number of a table, a dash where there is none."""
    return "-" if value != value else number_text(value)
