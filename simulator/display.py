"""Quantities as people read them: a readable unit, four digits. For print only."""

import html
import math
from collections.abc import Iterable
from typing import Final

from simulator.units import H_PER_D, MS_PER_H, S_PER_H

Ladder = tuple[tuple[float, str], ...]

ENERGY: Final[Ladder] = ((1e-3, "Wh"), (1.0, "kWh"), (1e3, "MWh"), (1e6, "GWh"), (1e9, "TWh"))
"""Units of energy and what each is in kWh."""
MASS: Final[Ladder] = ((1e-3, "g"), (1.0, "kg"), (1e3, "t"), (1e6, "kt"), (1e9, "Mt"))
"""Units of CO2e and what each is in kg."""
POWER: Final[Ladder] = ((1e-3, "W"), (1.0, "kW"), (1e3, "MW"), (1e6, "GW"))
"""Units of power and what each is in kW."""
WATER: Final[Ladder] = ((1.0, "L"), (1e3, "m³"))
"""Units of water and what each is in litres."""
MONEY: Final[Ladder] = ((1.0, ""), (1e3, "k"), (1e6, "M"))
"""What stands before the code of a currency, and how much of it that is."""
DURATION: Final[Ladder] = (
    (1 / S_PER_H, "s"),
    (1 / 60, "min"),
    (1.0, "h"),
    (float(H_PER_D), "d"),
)
"""Units of time and what each is in hours."""

ABSENT: Final = "not given"
_SCIENTIFIC_BELOW: Final = 1e-3
_MOST_DECIMALS: Final = 4


def unit_for(values: Iterable[float], ladder: Ladder) -> tuple[float, str]:
    """Return the unit, and its size, in which the largest of the values is at least 1."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest == 0.0:
        return next((size, unit) for size, unit in ladder if size == 1.0)
    fitting = [(size, unit) for size, unit in ladder if largest >= size]
    return fitting[-1] if fitting else ladder[0]


def number_text(value: float, digits: int = 4) -> str:
    """Return a number rounded to so many digits; digits before the point are never cut."""
    if value == 0.0:
        return "0"
    if abs(value) < _SCIENTIFIC_BELOW:
        return f"{value:.{digits - 2}e}"
    rounded = float(f"{value:.{digits - 1}e}")  # 999.96 has its point where 1,000 has it
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:,.{decimals}f}"


def quantity_text(value: float | None, ladder: Ladder, digits: int = 4) -> str:
    """Return a quantity with its most readable unit, or that it was not given."""
    if value is None:
        return ABSENT
    size, unit = unit_for([value], ladder)
    return f"{number_text(value / size, digits)} {unit}"


def energy_text(kwh: float | None) -> str:
    """Return an energy in kWh as text, e.g. ``"1.234 GWh"``."""
    return quantity_text(kwh, ENERGY)


def mass_text(kg: float | None) -> str:
    """Return a mass in kgCO2e as text, e.g. ``"201.0 t"``."""
    return quantity_text(kg, MASS)


def water_text(water_l: float | None) -> str:
    """Return an amount of water in litres as text, e.g. ``"1.234 m³"``."""
    return quantity_text(water_l, WATER)


def money_text(amount: float | None, currency: str) -> str:
    """Return an amount of money as text, e.g. ``"1.234 MUSD"``."""
    return quantity_text(amount, tuple((size, f"{sign}{currency}") for size, sign in MONEY))


def duration_text(hours: float | None) -> str:
    """Return a duration in hours as text, e.g. ``"3.20 min"``; days from two days on."""
    if hours is None:
        return ABSENT
    if 0.0 < hours < 1 / MS_PER_H:
        return "below 1 ms"
    if 1.0 <= abs(hours) < 2 * H_PER_D:
        return f"{number_text(hours, 3)} h"
    return quantity_text(hours, DURATION, 3)


def interval_text(hours: float) -> str:
    """Return a chosen length of time in hours as text, e.g. ``"15 min"``, no idle digits."""
    size, unit = unit_for([hours], DURATION)
    return f"{hours / size:g} {unit}"


def difference_text(mean: float, half_width: float | None) -> str:
    """Return a difference with half its interval, both to the same digit: ``"+3.01 ± 0.14"``."""
    if mean == 0.0 or not half_width:
        text = f"{'+' if mean > 0.0 else ''}{number_text(mean, 3)}"
        return text if half_width is None else f"{text} ± {number_text(half_width, 2)}"
    if max(abs(mean), half_width) < _SCIENTIFIC_BELOW:
        return f"{mean:+.0e} ± {half_width:.0e}"
    decimals = min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(half_width))))
    return f"{mean:+,.{decimals}f} ± {half_width:,.{decimals}f}"


def mean_text(mean: float, half_width: float) -> str:
    """Return a mean with half its interval, to the digits that both have: ``"43.63 ± 0.77"``.

    Four digits of the mean, or fewer where the interval says that the last ones mean nothing;
    the mean alone where there is no interval (NaN).
    """
    if math.isnan(mean):
        return "-"
    if math.isnan(half_width):
        return number_text(mean)
    if half_width == 0.0:
        return f"{number_text(mean)} ± 0"
    places = [1 - math.floor(math.log10(half_width)), _MOST_DECIMALS]
    if mean != 0.0:
        places.append(3 - math.floor(math.log10(abs(float(f"{mean:.3e}")))))
    decimals = max(0, min(places))
    return f"{mean:,.{decimals}f} ± {half_width:,.{decimals}f}"


def share_text(share: float | None) -> str:
    """Return a share of 1 in per cent, e.g. ``"24.1 %"``; what is not zero never reads 0.0 %."""
    if share is None:
        return ABSENT
    text = f"{100 * share:.1f} %"
    return "below 0.1 %" if share > 0.0 and text == "0.0 %" else text


def count_text(count: int | float | None) -> str:
    """Return a count with thousands marked, e.g. ``"19,600"``."""
    return ABSENT if count is None else f"{count:,.0f}"


def short_text(text: str, width: int) -> str:
    """Return a text of at most `width` characters, its end replaced by an ellipsis if cut."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def text_html(text: str) -> str:
    """Return a text of columns as HTML for notebooks, whose pages may set it in another font."""
    return f'<pre style="font-family: monospace">{html.escape(text)}</pre>'
