"""What quantities and axes are called where people read them, and in which units."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from simulator.columns import SUMMARY
from simulator.display import (
    DURATION,
    ENERGY,
    MASS,
    MONEY,
    POWER,
    WATER,
    Ladder,
    number_text,
    unit_for,
)
from simulator.errors import listing, nearest, printable, shown
from simulator.units import number_and_unit

WORDS: Final = {
    "wait_mean_h": "mean wait",
    "wait_p50_h": "median wait",
    "wait_p95_h": "p95 wait",
    "wait_p99_h": "p99 wait",
    "energy_it_kwh": "IT energy",
    "energy_facility_kwh": "facility energy",
    "energy_dynamic_kwh": "dynamic energy",
    "energy_idle_kwh": "idle energy",
    "energy_sleep_kwh": "sleep energy",
    "energy_transition_kwh": "transition energy",
    "scope2_location_kgco2e": "location-based carbon",
    "scope2_market_kgco2e": "market-based carbon",
    "marginal_kgco2e": "marginal carbon",
    "scope3_embodied_kgco2e": "embodied carbon",
    "scope3_supply_kgco2e": "embodied carbon of supply",
    "cfe_score_hourly": "CFE score, hourly",
    "cfe_score_annual": "CFE score, annual",
    "total_kgco2e": "total carbon",
    "allocated_kgco2e": "allocated carbon",
    "unallocated_kgco2e": "unallocated carbon",
    "sci_gco2e_per_gpu_hour": "carbon per GPU-hour",
    "useful_gco2e_per_gpu_hour": "carbon per useful GPU-hour",
    "peak_facility_kw": "peak facility power",
    "peak_it_kw": "peak IT power",
    "cost_total": "cost",
    "pue": "PUE",
    "water_l": "water",
    "wake_ups": "wake-ups",
    "wake_ups_per_node_day": "wake-ups per node and day",
}
"""What figures call a key of the summary; others go by their name."""

SAID: Final = {"total_kgco2e": " (location-based and embodied)"}
"""What a caption adds to the name of a key."""

HEADLINES: Final[dict[str, tuple[str, str]]] = {
    "total_kgco2e": ("carbon", "total"),
    "scope2_location_kgco2e": ("carbon", "location-based"),
    "scope2_market_kgco2e": ("carbon", "market-based"),
    "marginal_kgco2e": ("carbon", "marginal"),
    "scope3_embodied_kgco2e": ("carbon", "embodied"),
    "energy_facility_kwh": ("energy", "facility"),
    "energy_it_kwh": ("energy", "IT"),
    "energy_dynamic_kwh": ("energy", "dynamic"),
    "energy_idle_kwh": ("energy", "idle"),
    "energy_sleep_kwh": ("energy", "sleep"),
    "energy_transition_kwh": ("energy", "transition"),
    "peak_facility_kw": ("energy", "peak"),
    "cost_total": ("cost", "total"),
    "wait_p50_h": ("waits", "p50"),
    "wait_p95_h": ("waits", "p95"),
    "wait_p99_h": ("waits", "p99"),
    "wait_mean_h": ("waits", "mean"),
    "allocation": ("fleet", "allocation"),
    "utilisation": ("fleet", "utilisation"),
    "goodput": ("fleet", "goodput"),
    "gpu_hours_lost": ("fleet", "lost"),
    "gpu_hours_preempted": ("fleet", "preempted"),
    "gpu_hours_shared": ("fleet", "shared"),
    "slowdown_interference_mean": ("fleet", "interference"),
    "sci_gco2e_per_gpu_hour": ("fleet", "SCI"),
    "useful_gco2e_per_gpu_hour": ("fleet", "useful"),
    "failures": ("fleet", "failures"),
    "wake_ups": ("fleet", "wake-ups"),
    "preemptions": ("jobs", "preempted"),
    "jobs_finished": ("jobs", "finished"),
    "jobs_running": ("jobs", "running"),
    "jobs_queued": ("jobs", "queued"),
}
"""The quantities that answer the question, in order: each with its group and its name there."""

RARE: Final = (
    "goodput",
    "gpu_hours_lost",
    "gpu_hours_preempted",
    "gpu_hours_shared",
    "slowdown_interference_mean",
    "failures",
    "preemptions",
)
"""Those that only some scenarios have."""

UNITS: Final[dict[str, tuple[Ladder, str]]] = {
    "h": (DURATION, ""),
    "kWh": (ENERGY, ""),
    "kgCO2e": (MASS, " CO2e"),
    "kW": (POWER, ""),
    "L": (WATER, ""),
}
"""Readable units of a quantity, and what follows them."""

_COLUMN_UNITS: Final = {column.name: column.unit for column in SUMMARY}


def words_of(key: str) -> str:
    """Return what people call a key of the summary."""
    return WORDS.get(key, key.replace("_", " "))


def unit_of(key: str, values: Iterable[float], currency: str | None = None) -> tuple[float, str]:
    """Return the size and the name of the unit in which the values of a key are shown.

    Shares and counts have none: their unit is 1 and its name empty. So is money where nobody
    says its currency.
    """
    unit = _COLUMN_UNITS.get(key, "1")
    if unit == "currency":
        size, sign = unit_for(values, MONEY) if currency else (1.0, "")
        return size, f"{sign}{currency or ''}"
    if unit not in UNITS:
        return 1.0, "" if unit in ("1", "-") else unit
    ladder, rest = UNITS[unit]
    size, name = unit_for(values, ladder)
    return size, name + rest


def no_quantity(name: object, known: Iterable[str]) -> str:
    """Return the message about a quantity that is none of the known."""
    words = list(known)
    near = nearest(str(name), words)
    meant = f"did you mean {near}? " if near else ""
    return f"{shown(name)} is no quantity here; {meant}known are {listing(words)}"


def axis_names(paths: Sequence[str], least: int = 1) -> dict[str, str]:
    """Return the shortest end of each dotted path that tells it from the others.

    ``clusters.train.count`` is ``count``, unless there is another count; it is ``train.count``
    where at least two keys are wanted.
    """
    names = {}
    for path in paths:
        parts = path.split(".")
        others = [other.split(".") for other in paths if other != path]
        length = min(least, len(parts))
        while length < len(parts) and any(parts[-length:] == each[-length:] for each in others):
            length += 1
        if length < len(parts) and parts[-length - 1].endswith("]"):
            length += 1  # "power" of a list's entry would read as the power of the whole
        names[path] = ".".join(parts[-length:])
    return names


def value_words(value: object) -> str:
    """Return a value of an axis as people read it: tables in short, no digits that say nothing."""
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    if isinstance(plain, str) and plain.startswith(("{", "[")):
        with suppress(ValueError):
            return printable(_in_short(json.loads(plain)))
    if isinstance(plain, dict | list):
        return printable(_in_short(plain))
    return printable(plain) if isinstance(plain, str) else shown(plain)


def _in_short(value: Any) -> str:
    """Return a table of a scenario in short: ``timeout, after 1 min``."""
    if isinstance(value, dict):
        heads = [value[key] for key in ("policy", "dist", "model") if key in value][:1]
        rest = [f"{key} {_in_short(value[key])}" for key in value if value[key] not in heads]
        return ", ".join([*map(str, heads), *rest])
    if isinstance(value, list):
        return "/".join(map(_in_short, value))
    return str(value)


def amount_words(value: object) -> str:
    """Return a value of an axis as people read it, numbers with no more than five digits.

    What was drawn from a range has all its digits, ``2198.514411490091 kg``, of which a picture
    needs few.
    """
    read = number_and_unit(value) if isinstance(value, str) else None
    if read is not None:
        return f"{plain_text(read[0])} {read[1]}"
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    return plain_text(plain) if isinstance(plain, float) else value_words(value)


def plain_text(value: float) -> str:
    """Return a number with at most five digits, and none that say nothing."""
    text = f"{value:.5g}"
    return number_text(value, 5) if "e" in text else text
