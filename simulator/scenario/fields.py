"""Types of single values: each knows how it is read, refused and described to an editor.

A marker stands in an annotation, ``busy_power_w: Annotated[float, Quantity("power")]``; pydantic
asks it for a validator, the JSON Schema for its form. All messages are worded here.
"""

import datetime as dt
import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from simulator.errors import listing, nearest, printable, shown
from simulator.scenario.reading import reading_of
from simulator.units import (
    DIMENSIONS,
    EXAMPLES,
    MS_PER_Y,
    a_dimension,
    format_quantity,
    parse_quantity,
)

LONGEST_TIME_MS: Final = 1000 * MS_PER_Y
LARGEST: Final = {"time": LONGEST_TIME_MS, "power": 1e12, "mass": 1e15, "intensity": 1e9}
"""By dimension, in house units: far above anything real, and no sum of such overflows."""
LONGEST_NAME: Final = 300
NUMBER: Final = r"[+-]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""A number in a quantity, as a regular expression of a JSON Schema."""


class TableError(ValueError):
    """A rule about two values of one table; the problem is shown at the table's path."""


class Marker:
    """What all markers share: pydantic calls `read`, the JSON Schema is `form`.

    A marker overrides `plain`, or `read` where it must know how the document is read.
    """

    def read(self, value: Any, info: ValidationInfo) -> Any:  # noqa: ARG002 - for those who ask
        """Return the value in its house form, or raise ValueError with the message."""
        return self.plain(value)

    def plain(self, value: Any) -> Any:
        """Return the value in its house form, whatever document it stands in."""
        raise TypeError(f"{type(self).__name__} can't read {value!r}")

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of what a user writes."""
        raise TypeError(f"{type(self).__name__} has no form")

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.form()


@dataclass(frozen=True)
class Number(Marker):
    """A plain number, bounded; ``above`` and ``below`` exclude the bound itself."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    meaning: str = ""

    def plain(self, value: Any) -> float:
        """Return a finite number inside the bounds."""
        number = finite(value)
        if not inside(number, self):
            raise ValueError(f"{shown(value)} is out of range; {self.rule()}")
        return number

    def rule(self) -> str:
        """Return the bounds in words, e.g. ``"write a share from 0 to 1"``."""
        what = self.meaning or "a number"
        bounds = [
            f"of at least {self.low:g}" if self.low is not None else "",
            f"above {self.above:g}" if self.above is not None else "",
            f"at most {self.high:g}" if self.high is not None else "",
            f"below {self.below:g}" if self.below is not None else "",
        ]
        if self.low is not None and self.high is not None:
            return f"write {what} from {self.low:g} to {self.high:g}"
        return f"write {what} {' and '.join(bound for bound in bounds if bound)}"

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the number."""
        bounds = {
            "minimum": self.low,
            "maximum": self.high,
            "exclusiveMinimum": self.above,
            "exclusiveMaximum": self.below,
        }
        return {"type": "number"} | {key: v for key, v in bounds.items() if v is not None}


@dataclass(frozen=True)
class Quantity(Marker):
    """A quantity with its unit, kept as a float in the house unit of its dimension."""

    dimension: str
    positive: bool = False
    signed: bool = False

    def read(self, value: Any, info: ValidationInfo) -> float:
        """Return the quantity in its house unit."""
        return self.bounded(quantity(value, self.dimension, info), value)

    def bounded(self, number: float, value: Any) -> float:
        """Return the number, or say which bound it breaks."""
        kind = a_dimension(self.dimension)
        if self.positive and number <= 0:
            raise ValueError(f"{shown(value)} is too small; write {kind} above 0")
        if number < 0 and not self.signed:
            raise ValueError(f"{shown(value)} is negative; write {kind} of at least 0")
        largest = LARGEST.get(self.dimension, math.inf)
        if abs(number) > largest:
            most = format_quantity(largest, self.dimension)
            size = "long" if self.dimension == "time" else "large"
            raise ValueError(f"{shown(value)} is too {size}; write {kind} of at most {most}")
        return number

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a number with one of the dimension's units."""
        return quantity_form(self.dimension)


class Milliseconds(Quantity):
    """A time, kept as whole milliseconds."""

    def __init__(self, *, positive: bool = False) -> None:
        super().__init__("time", positive=positive)

    def read(self, value: Any, info: ValidationInfo) -> int:
        """Return the time, rounded to the nearest millisecond."""
        milliseconds = quantity(value, "time", info)
        return round(self.bounded(round(milliseconds) if self.positive else milliseconds, value))


@dataclass(frozen=True)
class Whole(Marker):
    """A whole number from `low` to `high`; 8.0, true and "8" are refused."""

    low: int
    high: int

    def plain(self, value: Any) -> int:
        """Return the whole number, or say what is wrong with it."""
        if isinstance(value, bool) or not isinstance(value, int):
            example = self.example(value)
            raise ValueError(f"{shown(value)} is not a whole number; {example}")
        if not self.low <= value <= self.high:
            raise ValueError(f"{shown(value)} is out of range; {self.rule()}")
        return value

    def rule(self) -> str:
        """Return the bounds in words."""
        return f"write a whole number from {self.low} to {self.high}"

    def example(self, value: object) -> str:
        """Return what to write in place of a value that is nearly a whole number."""
        try:
            number = int(value) if isinstance(value, float | str) else None
        except (ValueError, OverflowError):
            number = None
        fits = number is not None and self.low <= number <= self.high
        if isinstance(value, str) and fits:
            return f"write it without quotes: {number}"
        if isinstance(value, float) and number == value and fits:
            return f"write it without a point: {number}"
        return self.rule()

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the number."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


class Flag(Marker):
    """True or false."""

    def plain(self, value: Any) -> bool:
        """Return the truth value."""
        if not isinstance(value, bool):
            raise ValueError(f"{shown(value)} is neither true nor false; write one, without quotes")
        return value

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a truth value."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Text(Marker):
    """A text on one line."""

    example: str = "a text"

    def plain(self, value: Any) -> str:
        """Return the text."""
        return plain_text(value, self.example)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a non-empty text."""
        return {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}


class Word(Marker):
    """One word of a list; words of a later version are refused by name."""

    def __init__(self, known: Iterable[str], *, later: Iterable[str] = (), key: str = "") -> None:
        self.known = tuple(known)
        self.later = tuple(later)
        self.key = key

    def plain(self, value: Any) -> str:
        """Return the word."""
        choice = f'"{self.known[0]}"' if len(self.known) == 1 else f"one of {listing(self.known)}"
        if isinstance(value, str) and value in self.known:
            return value
        if self.later and (isinstance(value, dict) or value in self.later):
            what = f"{self.key} " if self.key else ""
            raise ValueError(f"{what}{shown(value)} is not in this version; write {choice}")
        near = nearest(value, self.known) if isinstance(value, str) else None
        if near is not None and len(self.known) > 1:
            choice = f'did you mean "{near}"? known are {listing(self.known)}'
        else:
            choice = f"write {choice}"
        raise ValueError(f"{shown(value)} is not known here; {choice}")

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the words."""
        return {"enum": list(self.known)}


class Moment(Marker):
    """An instant, kept in UTC."""

    def plain(self, value: Any) -> dt.datetime:
        """Return the instant in UTC."""
        if isinstance(value, str):
            value = _moment_in_text(value)
        if not isinstance(value, dt.datetime):
            raise ValueError(
                f"{shown(value)} is not an instant; "
                "write a date, a time and a zone, e.g. 2022-01-01T00:00:00Z"
            )
        if value.utcoffset() is None:
            written = value.isoformat()
            raise ValueError(
                f"{written} has no time zone; write {written}Z for UTC, or the offset, "
                f"e.g. {written}-08:00"
            )
        try:
            return value.astimezone(dt.UTC)
        except OverflowError:
            raise ValueError(f"{shown(value)} is beyond the calendar; use a later year") from None

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of an instant with its zone."""
        return {"type": "string", "format": "date-time"}


class TimeZone(Marker):
    """The name of a time zone, as the IANA database has it."""

    def plain(self, value: Any) -> str:
        """Return the name."""
        import zoneinfo

        name = plain_text(value, "a time zone, e.g. America/Los_Angeles")
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            zones = zoneinfo.available_timezones()
            near = nearest(name, sorted(zones))
            meant = f'did you mean "{near}"?' if near else "write e.g. America/Los_Angeles or UTC"
            raise ValueError(f"{shown(name)} is not a time zone; {meant}") from None
        return name

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a time zone's name."""
        return {"type": "string", "examples": ["UTC", "America/Los_Angeles"]}


def _moment_in_text(text: str) -> object:
    # Documents that were JSON once have no times of their own.
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text


def finite(value: object) -> float:
    """Return a plain finite number, refusing text, truth values, inf and nan."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{shown(value)} is not a number; write a plain one, without quotes")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{shown(value)} is not finite; write an ordinary number")
    return number


def inside(number: float, bounds: Number) -> bool:
    """Return whether a number keeps the bounds of a marker."""
    return (
        (bounds.low is None or number >= bounds.low)
        and (bounds.high is None or number <= bounds.high)
        and (bounds.above is None or number > bounds.above)
        and (bounds.below is None or number < bounds.below)
    )


def quantity(value: object, dimension: str, info: ValidationInfo) -> float:
    """Return a quantity in house units: unit strings in documents, numbers too from Python."""
    if reading_of(info) is None and not isinstance(value, str):
        return finite(value)
    return parse_quantity(value, dimension)


def quantity_form(dimension: str) -> dict[str, Any]:
    """Return the JSON Schema of a quantity: a number and one of the dimension's units."""
    units = "|".join(DIMENSIONS[dimension]).replace(" ", " +")
    return {
        "type": "string",
        "pattern": rf"^\s*{NUMBER}\s*({units})\s*$",
        "examples": [EXAMPLES[dimension]],
    }


def plain_text(value: object, what: str = "a text") -> str:
    """Return a non-empty text without control characters."""
    if not isinstance(value, str):
        raise ValueError(f'{shown(value)} is not a text; write {what} in quotes: "..."')
    if not value.strip():
        raise ValueError(f"{shown(value)} is empty; write {what}")
    if len(value) > LONGEST_NAME:
        raise ValueError(f"{len(value)} characters are too many; write at most {LONGEST_NAME}")
    kinds = {unicodedata.category(char) for char in value}
    if "Cc" in kinds:
        raise ValueError(f"{shown(value)} holds control characters; take them out")
    if "Cs" in kinds:
        raise ValueError(f"{printable(shown(value))} is not UTF-8; write it as UTF-8")
    return value


def absent() -> Any:
    """Return the default of a field that a file may leave out and that is None then."""
    return Field(default=None, validate_default=False)


def as_written(value: object) -> Any:
    """Return a default in the form in which a file would say it; it is read like any value."""
    return value
