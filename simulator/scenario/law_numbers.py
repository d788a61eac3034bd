"""Numbers inside distributions: times, GPU-days or shares, as the field has it."""

import math
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationInfo

from simulator.errors import listing, shown
from simulator.scenario.fields import (
    LONGEST_TIME_MS,
    Marker,
    finite,
    quantity,
    quantity_form,
)
from simulator.scenario.reading import reading_of
from simulator.units import DIMENSIONS, format_quantity


@dataclass(frozen=True, slots=True)
class Domain:
    """What the numbers of a distribution are."""

    noun: str
    examples: tuple[str, str]
    high: float
    is_time: bool = False

    def number(self, value: object, info: ValidationInfo) -> float:
        """Return one number of the domain in its house unit."""
        return quantity(value, "time", info) if self.is_time else finite(value)

    def show(self, number: float) -> str:
        """Return one number as a message shows it."""
        return format_quantity(number, "time") if self.is_time else f"{number:g}"

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of one number."""
        if self.is_time:
            return quantity_form("time")
        top = {"maximum": self.high} if self.high == 1 else {}
        return {"type": "number", "minimum": 0} | top


DOMAINS: Final = {
    "duration": Domain("a time", ('"4 h"', '"12 h"'), float(LONGEST_TIME_MS), is_time=True),
    "gpu_days": Domain("a number of GPU-days", ("1.5", "24.0"), 1e9),
    "share": Domain("a share", ("0.4", "0.8"), 1.0),
}
"""Domains by name; durations are in ms inside, the others plain numbers."""

_PLAIN: Final = Domain("a number", ("1.0", "2.0"), math.inf)


def domain_of(info: ValidationInfo) -> Domain:
    """Return the domain of the distribution being read; plain numbers where none is set."""
    reading = reading_of(info)
    return DOMAINS[reading.domain] if reading is not None and reading.domain else _PLAIN


@dataclass(frozen=True)
class LawNumber(Marker):
    """A number of a distribution, in the house unit of its domain; never negative."""

    positive: bool = False

    def read(self, value: Any, info: ValidationInfo) -> float:
        """Return the number."""
        return law_number(value, domain_of(info), info, positive=self.positive)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a number of any domain."""
        return {"type": ["number", "string"]}


def law_number(
    value: object, domain: Domain, info: ValidationInfo, *, positive: bool = False
) -> float:
    """Return one number of a distribution in the house unit of its domain."""
    number = domain.number(value, info)
    if number < 0 or (positive and number == 0):
        bound = "above 0" if positive else "of at least 0"
        raise ValueError(f"{shown(value)} is too small; write {domain.noun} {bound}")
    if number > domain.high:
        limit = domain.show(domain.high)
        raise ValueError(f"{shown(value)} is too large; write {domain.noun} of at most {limit}")
    return number


class TimeUnit(Marker):
    """Unit of a column of times; of no use where the numbers are not times."""

    def read(self, value: Any, info: ValidationInfo) -> str | None:
        """Return the unit: seconds for times unless given, None for other numbers."""
        is_time = domain_of(info).is_time
        if value is None:
            return "s" if is_time else None
        if not is_time and reading_of(info) is not None:
            raise ValueError(f"{shown(value)} is of no use here; only times have a unit")
        if not isinstance(value, str) or value not in DIMENSIONS["time"]:
            units = listing(DIMENSIONS["time"])
            raise ValueError(f"{shown(value)} is not a unit of time; write one of {units}")
        return value

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a unit of time."""
        return {"enum": list(DIMENSIONS["time"])}
