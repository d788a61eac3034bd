"""A run under two bills: what the terms change, and what becomes of its figures."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulator.display import ABSENT, ENERGY, MASS, MONEY, Ladder, number_text, quantity_text
from simulator.explanation.page import wrapped
from simulator.results import Results
from simulator.text_table import aligned

FIGURES: Final[dict[str, tuple[str, Ladder]]] = {
    "energy_facility_kwh": ("facility energy", ENERGY),
    "pue": ("PUE", ((1.0, ""),)),
    "scope2_location_kgco2e": ("location-based", MASS),
    "scope2_market_kgco2e": ("market-based", MASS),
    "scope3_embodied_kgco2e": ("embodied", MASS),
    "scope3_supply_kgco2e": ("embodied, supply", MASS),
    "total_kgco2e": ("total carbon", MASS),
    "allocated_kgco2e": ("  billed to jobs", MASS),
    "sci_gco2e_per_gpu_hour": ("  per GPU-hour", ((1.0, "g"),)),
    "marginal_kgco2e": ("marginal", MASS),
}
"""Figures that are shown, in order, with their words and units."""
BASES: Final = {
    "average": "location-based",
    "marginal": "marginal",
    "market": "market-based",
    "embodied": "embodied",
}
COSTS: Final = {
    "cost_electricity": "cost, electricity",
    "cost_machines": "cost, machines",
    "cost_total": "cost",
}
DIGITS: Final = 5
SAME: Final = 1e-12
"""Relative difference that is rounding."""
HEAD: Final = ("", "was", "is", "change")


def bill_lines(
    base: Results, billed: Results, again: str | None, decided: str | None = None
) -> Iterator[str]:
    """Yield what a bill assumes and what it comes to, beside the run's own.

    Parameters
    ----------
    base, billed : Results
        One run, as it was billed and as it is billed now.
    again : str or None
        Why it was run again; None where it was not.
    decided : str, optional
        Which policies may decide otherwise in a run under these terms.
    """
    how = "from its tables" if again is None else f"run again, since {again}"
    title = f"{base.scenario.name}, seed {base.seed}, key {base.key[:8]}: the same events, {how}"
    yield from wrapped(title, 0)
    if decided is not None:
        said = f"what {decided} decided stays; a run under these terms may go another way"
        yield from wrapped(said, 0)
    yield ""
    changes = list(_assumed(base, billed))
    yield from changes or ["  nothing is assumed otherwise"]
    yield from _bases(base.basis, billed.basis)
    yield ""
    rows = [HEAD, *_rows(base.summary, billed.summary, _ladders(base, billed))]
    yield from aligned(list(zip(*rows, strict=True)), texts=[0])


def _assumed(base: Results, billed: Results) -> Iterator[str]:
    """Yield each assumption that is another one now."""
    former = {row[:2]: row for row in base.assumptions}
    for subject, quantity, value, unit, source in billed.assumptions:
        was = former.pop((subject, quantity), None)
        if was is not None and (was[2], was[4]) == (value, source):
            continue
        if was is not None and was[2] == value and _named(was[4]) == _named(source):
            continue  # the same figure of the same name, from a file that was read anew
        measure = "" if unit == "1" else f" {unit}"
        before = "" if was is None else f", was {was[2]}{measure}"
        said = _named(source)
        yield from wrapped(f"{subject}: {quantity} {value}{measure} ({said}){before}", 2)
    kept = {row[:2] for row in billed.assumptions}
    for (subject, quantity), was in former.items():
        if (subject, quantity) not in kept:
            yield from wrapped(f"{subject}: no {quantity}, was {was[2]} {was[3]}", 2)


def _named(source: str) -> str:
    return source.partition(":")[0]


def _bases(base: Mapping[str, str], billed: Mapping[str, str]) -> Iterator[str]:
    """Yield what every kind of carbon stands on, and on what it stood."""
    for key in ("average", "marginal", "market", "embodied"):
        was, now = base.get(key), billed.get(key)
        if now is not None or was is not None:
            before = "" if was == now else f"; was {was or 'absent'}"
            yield from wrapped(f"basis of {BASES[key]}: {now or 'absent'}{before}", 2)


def _ladders(base: Results, billed: Results) -> dict[str, tuple[str, Ladder]]:
    currency = billed.basis.get("currency") or base.basis.get("currency") or ""
    money = tuple((size, f"{sign}{currency}") for size, sign in MONEY)
    return FIGURES | {key: (words, money) for key, words in COSTS.items()}


def _rows(
    base: Mapping[str, Any], billed: Mapping[str, Any], figures: Mapping[str, tuple[str, Ladder]]
) -> Iterator[tuple[str, str, str, str]]:
    for key, (words, ladder) in figures.items():
        was, now = base[key], billed[key]
        if was is None and now is None:
            continue
        before, after = (quantity_text(each, ladder, DIGITS).rstrip() for each in (was, now))
        yield words, before, after, _change(was, now)


def _change(base: float | None, amount: float | None) -> str:
    """Return by how much an amount differs from its base, in per cent."""
    if base is None or amount is None:
        return ""
    if math.isclose(base, amount, rel_tol=SAME):
        return "none"
    if base == 0.0:
        return ABSENT
    percent = 100 * (amount / base - 1.0)
    return f"{'+' if percent > 0.0 else '-'}{number_text(abs(percent), 3)} %"
