"""Units: quantities are strings with units at the door, plain numbers in one unit inside.

Inside the house time is integer milliseconds, power watts, energy joules, mass grams,
intensity grams per kilowatt-hour, area square centimetres, storage gigabytes. Conversion constants
stand here and nowhere else.
"""

import math
import re
from typing import Final

from simulator.errors import shown

LONGEST_QUANTITY: Final = 100
"""Characters that a quantity may have; longer text is refused unread."""

MS_PER_S: Final = 1_000
MS_PER_MIN: Final = 60 * MS_PER_S
MS_PER_H: Final = 60 * MS_PER_MIN
MS_PER_D: Final = 24 * MS_PER_H
MS_PER_Y: Final = 365 * MS_PER_D + 6 * MS_PER_H
"""A year of 365.25 days. [ms]"""
S_PER_H: Final = 3_600
H_PER_D: Final = 24
J_PER_KWH: Final = 3.6e6
W_MS_PER_KWH: Final = J_PER_KWH * MS_PER_S
G_PER_KG: Final = 1_000.0
KG_PER_T: Final = 1_000.0
KWH_PER_MWH: Final = 1_000.0
W_PER_KW: Final = 1_000.0
W_PER_MW: Final = 1e6
G_PER_LB: Final = 453.59237

DIMENSIONS: Final[dict[str, dict[str, float]]] = {
    "time": {
        "ms": 1.0,
        "s": float(MS_PER_S),
        "min": float(MS_PER_MIN),
        "h": float(MS_PER_H),
        "d": float(MS_PER_D),
        "y": float(MS_PER_Y),
    },
    "power": {"W": 1.0, "kW": W_PER_KW, "MW": W_PER_MW},
    "energy": {
        "J": 1.0,
        "kJ": 1e3,
        "MJ": 1e6,
        "Wh": J_PER_KWH / 1e3,
        "kWh": J_PER_KWH,
        "MWh": J_PER_KWH * 1e3,
        "GWh": J_PER_KWH * 1e6,
    },
    "mass": {"g": 1.0, "kg": G_PER_KG, "t": 1e6},
    "intensity": {
        "g/kWh": 1.0,
        "kg/kWh": G_PER_KG,
        "kg/MWh": 1.0,
        "t/MWh": 1e3,
        "lb/MWh": G_PER_LB / 1e3,
    },
    "rate": {
        "per ms": 1.0,
        "per s": 1.0 / MS_PER_S,
        "per min": 1.0 / MS_PER_MIN,
        "per h": 1.0 / MS_PER_H,
        "per d": 1.0 / MS_PER_D,
        "per y": 1.0 / MS_PER_Y,
    },
    "temperature": {"degC": 1.0},
    "water": {"L/kWh": 1.0},
    "area": {"mm2": 1e-2, "cm2": 1.0, "m2": 1e4},
    "storage": {"MB": 1e-3, "GB": 1.0, "TB": 1e3, "PB": 1e6},
    "mass per power": {"g/W": 1.0, "kg/kW": 1.0, "t/MW": 1.0, "kg/MW": 1e-3},
}
"""Factor from each unit to the house unit: ms, W, J, g, g/kWh, 1/ms, degC, L/kWh, cm2, GB, g/W."""

MEASURES: Final[dict[str, dict[str, float]]] = {
    "share": {"1": 1.0},
    "irradiance": {"W/m2": 1.0},
    "wind speed": {"m/s": 1.0},
}
"""The same for columns of files, of what no scenario states as a quantity: 1, W/m2, m/s."""

CURRENCY: Final = "USD"
"""Stands in `MONEY` for any currency, a code of three capital letters."""

MONEY: Final[dict[str, dict[str, float]]] = {
    "money": {"USD": 1.0, "kUSD": 1e3, "MUSD": 1e6},
    "money per energy": {"USD/kWh": 1.0, "USD/MWh": 1e-3},
}
"""Factor from each unit to the house unit, the currency itself or the currency per kWh."""

EXAMPLES: Final[dict[str, str]] = {
    "time": "15 min",
    "power": "1400 W",
    "energy": "2 kWh",
    "mass": "2500 kg",
    "intensity": "380 g/kWh",
    "rate": "12 per d",
    "temperature": "21 degC",
    "water": "1.8 L/kWh",
    "area": "826 mm2",
    "storage": "2 TB",
    "mass per power": "1500 kg/kW",
    "money": "250000 USD",
    "money per energy": "0.08 USD/kWh",
}

ARTICLES: Final[dict[str, str]] = {
    "energy": "an energy",
    "intensity": "an intensity",
    "water": "an amount of water per energy",
    "area": "an area",
    "storage": "an amount of storage",
    "mass per power": "a mass per power",
    "money": "a price",
    "money per energy": "a price of energy",
}

_QUANTITY = re.compile(
    r"\s*(?P<number>[+-]?(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"\s*(?P<unit>[A-Za-z/ ]+?2?)\s*"
)


def a_dimension(dimension: str) -> str:
    """Return the dimension with its article, e.g. ``"a power"``."""
    return ARTICLES.get(dimension, f"a {dimension}")


def parse_quantity(value: object, dimension: str) -> float:
    """Return a quantity in the house unit of its dimension.

    Parameters
    ----------
    value : object
        What the user wrote; only a string such as ``"10.2 kW"`` is a quantity.
    dimension : str
        One of the keys of `DIMENSIONS`.

    Raises
    ------
    ValueError
        If it is not a string with a number and a unit of that dimension; the message says the
        rule and the remedy.
    """
    units = DIMENSIONS[dimension]
    if not isinstance(value, str):
        raise ValueError(_without_unit(value, dimension))
    match = _QUANTITY.fullmatch(value) if len(value) <= LONGEST_QUANTITY else None
    unit = " ".join(match["unit"].split()) if match else ""
    if match is None or unit not in units:
        raise ValueError(_not_understood(value, unit, dimension))
    number = float(match["number"].replace("_", ""))
    if not math.isfinite(number * units[unit]):
        raise ValueError(f"{shown(value)} is too large a number; write a finite quantity")
    return number * units[unit]


def number_and_unit(text: str) -> tuple[float, str, str] | None:
    """Return number, unit and dimension of a quantity, or None where a text is none.

    No unit belongs to two dimensions.
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= LONGEST_QUANTITY else None
    if match is None:
        return None
    unit = " ".join(match["unit"].split())
    dimension = next((name for name, units in DIMENSIONS.items() if unit in units), None)
    number = float(match["number"].replace("_", ""))
    if dimension is None or not math.isfinite(number * DIMENSIONS[dimension][unit]):
        return None
    return number, unit, dimension


def parse_money(value: object, dimension: str) -> tuple[float, str]:
    """Return an amount in its currency, or in its currency per kWh, and the currency's code.

    Parameters
    ----------
    value : object
        What the user wrote; only a string such as ``"250 kUSD"`` or ``"80 EUR/MWh"`` is one.
    dimension : str
        One of the keys of `MONEY`.

    Raises
    ------
    ValueError
        If it is not a string with a number and a unit of that dimension, in any currency.
    """
    if not isinstance(value, str):
        raise ValueError(_without_currency(value, dimension, "write it with a currency"))
    match = _QUANTITY.fullmatch(value) if len(value) <= LONGEST_QUANTITY else None
    for unit, factor in MONEY[dimension].items():
        code = match and re.fullmatch(unit.replace(CURRENCY, "([A-Z]{3})"), match["unit"])
        if match and code:
            number = float(match["number"].replace("_", "")) * factor
            if not math.isfinite(number):
                raise ValueError(f"{shown(value)} is too large a number; write a finite amount")
            return number, code[1]
    raise ValueError(_without_currency(value, dimension, "write a number and a currency"))


def format_quantity(value: float, dimension: str) -> str:
    """Return a quantity with the largest unit in which it is at least 1, e.g. ``"5.4 kW"``.

    Parameters
    ----------
    value : float
        In the house unit of the dimension.
    dimension : str
        One of the keys of `DIMENSIONS`.
    """
    if dimension == "intensity":
        return f"{value:g} g/kWh"
    units = DIMENSIONS[dimension].items()
    fitting = [(factor, unit) for unit, factor in units if abs(value) >= factor]
    factor, unit = max(fitting) if fitting else min((factor, unit) for unit, factor in units)
    return f"{value / factor:g} {unit}"


def exact_quantity(value: float, dimension: str) -> str:
    """Return a quantity that reads as exactly the same number, in the largest unit that is whole.

    Parameters
    ----------
    value : float
        In the house unit of the dimension.
    dimension : str
        One of the keys of `DIMENSIONS`.
    """
    units = DIMENSIONS[dimension]
    whole = [
        (factor, unit)
        for unit, factor in units.items()
        if value and value % factor == 0 and round(value / factor) * factor == value
    ]
    if whole:
        factor, unit = max(whole)
        return f"{round(value / factor)} {unit}"
    house = next(unit for unit, factor in units.items() if factor == 1.0)
    return f"{value!r} {house}"


def _without_currency(value: object, dimension: str, remedy: str) -> str:
    return (
        f"{shown(value)} is not {a_dimension(dimension)}; {remedy} of three capital letters, "
        f'as in {", ".join(MONEY[dimension])}, e.g. "{_example(value, dimension)}"'
    )


def _without_unit(value: object, dimension: str) -> str:
    return (
        f"{shown(value)} is not {a_dimension(dimension)}; write it with a unit, "
        f'one of {", ".join(DIMENSIONS[dimension])}, e.g. "{_example(value, dimension)}"'
    )


def _example(value: object, dimension: str) -> str:
    """Return an example of a quantity, with the number that was written without its unit."""
    example = EXAMPLES[dimension]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15:
        return f"{shown(value)} {example.split(' ', 1)[1]}"
    return example


def _not_understood(value: str, unit: str, dimension: str) -> str:
    units = DIMENSIONS[dimension]
    folded = {name.casefold(): name for name in units}
    meant = folded.get(unit.casefold())
    if meant is not None:
        return f"{shown(value)} is not {a_dimension(dimension)}; did you mean the unit {meant}?"
    comma = " (a decimal point, no commas)" if "," in value else ""
    return (
        f"{shown(value)} is not {a_dimension(dimension)}; write a number{comma} and a unit, "
        f'one of {", ".join(units)}, e.g. "{EXAMPLES[dimension]}"'
    )
