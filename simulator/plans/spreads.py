"""Spreads: ranges and laws that the values of an axis are drawn from."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.scenario.laws import Beta, Law, read_law
from simulator.scenario.paths import quoted
from simulator.scenario.reading import Reading
from simulator.scenario.spec import issues_of, unknown_key
from simulator.units import DIMENSIONS, a_dimension, number_and_unit
from simulator.workload import laws

Floats: TypeAlias = NDArray[np.float64]

MARKS: Final = ("low", "high", "log", "dist", "p50", "p99", "mixture", "file")
"""Keys that tell the table of a spread from tables that only hold longer paths."""

LAW_ENDS: Final = (0.05, 0.95)
"""Shares of a law at its low and its high end, where it is varied one at a time."""

_NUMBERS: Final = ("p50", "p99", "mean", "sd", "low", "high", "scale")
"""Keys of laws whose values are in the unit of what is drawn."""


def written(number: Any, unit: str | None) -> Any:
    """Return a number as a file says it, with all its digits: ``1500 kg``, ``1.25 kW``."""
    return number if unit is None else f"{repr(number).removesuffix('.0')} {unit}"


@dataclass(frozen=True)
class Spread:
    """What an axis is drawn from: any number between two ends, or a law.

    Attributes
    ----------
    table : dict
        As written.
    unit : str or None
        Unit of the numbers, None for plain ones.
    is_whole : bool
        Whether only whole numbers are drawn, both ends of a range included.
    """

    table: dict[str, Any]
    unit: str | None
    is_whole: bool = False

    def quantile(self, shares: Floats) -> Floats:  # noqa: ARG002 - each kind has its own
        """Return the numbers below which the given shares lie, in `unit`."""
        raise TypeError(f"{type(self).__name__} has no quantile")

    def numbers(self, shares: Floats) -> NDArray[Any]:
        """Return the numbers drawn with uniform ones, whole where only those are wanted."""
        drawn = self.quantile(np.array(shares, np.float64))
        return np.rint(drawn).astype(np.int64) if self.is_whole else drawn

    @cached_property
    def ends(self) -> tuple[Any, Any]:
        """The low and the high end: the ends of a range, p5 and p95 of a law."""
        low, high = self.numbers(np.array(LAW_ENDS)).tolist()
        return low, high

    @cached_property
    def middle(self) -> float:
        """The median."""
        return float(self.quantile(np.array([0.5]))[0])

    def written(self, number: Any) -> Any:
        """Return a number as a file says it."""
        return written(number, self.unit)


@dataclass(frozen=True)
class Range(Spread):
    """Any number between two, equally likely, or equally in the logarithm.

    Attributes
    ----------
    low, high : float
        The ends, in `unit`.
    log : bool
    """

    low: float = 0.0
    high: float = 1.0
    log: bool = False

    def quantile(self, shares: Floats) -> Floats:
        """Return the numbers below which the given shares lie, in `unit`."""
        if self.log:
            between: Floats = np.exp(shares * math.log(self.high / self.low)) * self.low
        else:
            between = self.low + (self.high - self.low) * shares
        return np.clip(between, self.low, self.high)

    def numbers(self, shares: Floats) -> NDArray[Any]:
        """Return the numbers drawn; whole ones all have the same chance, but for `log`."""
        if not self.is_whole:
            return self.quantile(np.array(shares, np.float64))
        # One more than the high end, so that it has a share of its own.
        wider = Range(self.table, None, low=self.low, high=self.high + 1, log=self.log)
        drawn = np.floor(wider.quantile(np.array(shares, np.float64))).astype(np.int64)
        return np.minimum(drawn, int(self.high))

    @cached_property
    def ends(self) -> tuple[Any, Any]:
        """The ends of the range."""
        kind = int if self.is_whole else float
        return kind(self.low), kind(self.high)


@dataclass(frozen=True)
class LawSpread(Spread):
    """A law, its numbers in the unit of the axis.

    Attributes
    ----------
    law : Law
    """

    law: Law | None = None

    def quantile(self, shares: Floats) -> Floats:
        """Return the numbers below which the given shares lie, in `unit`."""
        assert self.law is not None
        return laws.quantile(self.law, shares)


def read_spread(table: Mapping[str, Any], where: str, reading: Reading) -> Spread | list[Issue]:
    """Return the spread that a table describes, or what is wrong with it.

    Parameters
    ----------
    table : mapping
        ``{ low, high[, log] }`` or a distribution, with units where the key has one.
    where : str
        Path of the table in messages.
    reading : Reading
        How the file of an empirical law is found.
    """
    if "dist" not in table and table.keys() & {"low", "high", "log"}:
        return _range(table, where, ("low", "high", "log"))
    if table.get("dist") == "uniform":
        return _range(table, where, ("dist", "low", "high"))
    return _law(table, where, reading)


def _range(table: Mapping[str, Any], where: str, known: tuple[str, ...]) -> Spread | list[Issue]:
    unknown = [key for key in table if key not in known]
    issues = [Issue(f"{where}.{quoted(key)}", unknown_key(key, list(known))) for key in unknown]
    meant = {nearest(key, known) for key in unknown}
    log = table.get("log", False)
    if not isinstance(log, bool):
        issues.append(Issue(f"{where}.log", f"{shown(log)} is neither true nor false; write one"))
    for key in ("low", "high"):
        if key not in table and key in meant:
            continue
        if key not in table:
            issues.append(Issue(f"{where}.{key}", "missing; write both ends, low and high"))
        elif (text := _no_number(table[key])) is not None:
            issues.append(Issue(f"{where}.{key}", text))
    if issues:
        return issues
    unit, problem = _common_unit([table["low"], table["high"]])
    if problem is not None:
        return [Issue(where, problem)]
    low, high = (_in(unit, table[key]) for key in ("low", "high"))
    if low >= high:
        ends = f"low ({shown(table['low'])}) must be below high ({shown(table['high'])})"
        return [Issue(where, f"{ends}; exchange them, or write a list of one value")]
    if log and low <= 0:
        text = f"{shown(table['low'])} has no logarithm; write a low end above 0, or log = false"
        return [Issue(f"{where}.low", text)]
    return Range(dict(table), unit, low=low, high=high, log=log)


def _law(table: Mapping[str, Any], where: str, reading: Reading) -> Spread | list[Issue]:
    numbers = list(_law_numbers(table))
    unit, problem = _common_unit(numbers)
    if problem is not None:
        return [Issue(where, problem)]
    plain = _plain(table, unit)
    if "file" in table:
        unit = plain.pop("unit", None)
        if unit is not None and not any(unit in units for units in DIMENSIONS.values()):
            return [Issue(f"{where}.unit", f'{shown(unit)} is not a unit; write e.g. "kW"')]
    try:
        law = read_law(plain, reading)
        spread = LawSpread(dict(table), unit, law=law)
        low, high = spread.quantile(np.array(LAW_ENDS))
    except ValidationError as error:
        return [
            Issue(f"{where}.{issue.path}" if issue.path else where, issue.message)
            for issue in issues_of(error)
        ]
    except InputError as error:
        return [Issue(where, issue.message) for issue in error.issues]
    except ValueError as error:
        return [Issue(where, str(error))]
    if isinstance(law, Beta) and unit is not None:
        text = "a beta lies between 0 and 1 and has no unit; use another distribution"
        return [Issue(where, text)]
    if not low < high:
        text = f"always draws {low:g}; write a list of one value, or a wider distribution"
        return [Issue(where, text)]
    return spread


def _law_numbers(table: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the numbers of a law that are in the unit of what is drawn."""
    for key, value in table.items():
        if key in _NUMBERS:
            yield value
        elif key == "mixture" and isinstance(value, list | tuple):
            for entry in value:
                if isinstance(entry, Mapping):
                    yield from _law_numbers(entry)


def _plain(table: Mapping[str, Any], unit: str | None) -> dict[str, Any]:
    """Return a law with plain numbers in one unit."""
    plain: dict[str, Any] = {}
    for key, value in table.items():
        if key in _NUMBERS and isinstance(value, str):
            plain[key] = _in(unit, value)
        elif key == "mixture" and isinstance(value, list | tuple):
            plain[key] = [
                _plain(entry, unit) if isinstance(entry, Mapping) else entry for entry in value
            ]
        else:
            plain[key] = value
    return plain


def _no_number(value: Any) -> str | None:
    """Return what is wrong with an end of a range, None where it is a number or quantity."""
    if isinstance(value, str):
        if number_and_unit(value) is not None:
            return None
        return f'{shown(value)} is no quantity; write a number and a unit, e.g. "1400 W"'
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{shown(value)} is not a number; write one, or a quantity with its unit"
    return None if math.isfinite(value) else f"{shown(value)} is not finite; write a number"


def _common_unit(values: list[Any]) -> tuple[str | None, str | None]:
    """Return the unit of the first of some quantities, or what keeps them from having one."""
    found = [number_and_unit(value) for value in values if isinstance(value, str)]
    for value, read in zip((v for v in values if isinstance(v, str)), found, strict=True):
        if read is None:
            return None, f'{shown(value)} is no quantity; write a number and a unit, e.g. "1400 W"'
    read_all = [read for read in found if read is not None]
    if not read_all:
        return None, None
    bare = next((value for value in values if not isinstance(value, str)), None)
    if bare is not None:
        return None, f"{shown(bare)} has no unit, others have; write it as a quantity too"
    kinds = list(dict.fromkeys(a_dimension(dimension) for _, _, dimension in read_all))
    if len(kinds) > 1:
        return None, f"its numbers are {listing(kinds)}; write quantities of one dimension"
    return read_all[0][1], None


def _in(unit: str | None, value: Any) -> Any:
    """Return a number, or a quantity in a unit."""
    read = number_and_unit(value) if isinstance(value, str) else None
    if read is None or unit is None:
        return value
    number, own, dimension = read
    factors = DIMENSIONS[dimension]
    return number if own == unit else number * factors[own] / factors[unit]
