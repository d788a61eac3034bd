"""What the figures of supply in a summary are made of, site by site."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from simulator.explanation.recipes import Factor, Part, Recipe, key_part, numbers, single, sums_over
from simulator.figures.series import counted_h
from simulator.results import Results
from simulator.units import MS_PER_H

NONE: Final = "no site has supply of its own"
COLUMNS: Final = {
    "solar_kwh": "solar_kwh",
    "wind_kwh": "wind_kwh",
    "curtailed_kwh": "curtailed_kwh",
    "charged_kwh": "charged_kwh",
    "discharged_kwh": "discharged_kwh",
    "storage_losses_kwh": "losses_kwh",
    "contracted_kwh": "contracted_kwh",
    "covered_kwh": "covered_kwh",
}
"""Columns of the table of supply by the key of the summary that is their sum."""


def _by_site(results: Results, name: str) -> dict[str, float]:
    values = np.nan_to_num(numbers(results, "supply", name))
    return sums_over(results, "supply", "site", values)


def drawn_by_site(results: Results) -> dict[str, float]:
    """Return what each site with supply draws from the grid. [kWh]"""
    return _by_site(results, "grid_kwh") if "supply" in results.tables else {}


def drawn_note(drawn_kwh: dict[str, float]) -> str:
    """Return what the intensity of sites with supply is: of all their energy, not of the grid's."""
    said = ", ".join(f"{site} {kwh:.6g} kWh" for site, kwh in drawn_kwh.items())
    return (
        f"sites with supply draw only part of it from the grid ({said}): the rest counts nothing, "
        "so the intensity of all of it is lower than the grid's, or none"
    )


def _sum(key: str, results: Results) -> Recipe:
    if results.summary[key] is None:
        return Recipe(note=NONE if "supply" not in results.tables else "no site has any")
    return Recipe(single(_by_site(results, COLUMNS[key]), "kWh"))


def _grid(results: Results) -> Recipe:
    """Return what sites with supply draw, and the facility energy of the others."""
    if results.summary["grid_kwh"] is None:
        return Recipe(note=NONE)
    own = single(_by_site(results, "grid_kwh"), "kWh", "drawn")
    rest = results.summary["energy_facility_kwh"] - sum(_by_site(results, "load_kwh").values())
    whole = Part("sites without supply", (Factor(rest, "kWh", "facility energy"),))
    return Recipe((*own, whole))


def _stored(results: Results) -> Recipe:
    """Return what the balance leaves: what came in, less what went out."""
    if results.summary["stored_change_kwh"] is None:
        return Recipe(note=NONE if "supply" not in results.tables else "no site has storage")
    parts = []
    for name, taken in (
        ("solar_kwh", False),
        ("wind_kwh", False),
        ("grid_kwh", False),
        ("load_kwh", True),
        ("curtailed_kwh", True),
        ("losses_kwh", True),
    ):
        kwh = sum(_by_site(results, name).values())
        parts.append(Part(name.removesuffix("_kwh"), (Factor(kwh, "kWh", ""),), taken))
    return Recipe(tuple(parts))


def _hourly(results: Results) -> Recipe:
    load_kwh = results.summary["energy_facility_kwh"]
    if results.summary["cfe_score_hourly"] is None:
        return Recipe(note=NONE)
    over = Factor(load_kwh, "kWh", "energy_facility_kwh", over=True)
    sites = _by_site(results, "cfe_kwh").items()
    free = "carbon-free in its hour"
    return Recipe(tuple(Part(site, (Factor(kwh, "kWh", free), over)) for site, kwh in sites))


def _made(results: Results) -> Recipe:
    if results.summary["scope3_supply_kgco2e"] is None:
        return Recipe(note=NONE)
    counted = Factor(counted_h(results), "h", "counted")
    parts = []
    for name, site in results.scenario.sites.items():
        for what, total_kg, life_ms in site.supply.embodied() if site.supply else ():
            life = Factor(life_ms / MS_PER_H, "h", "lifetime", over=True)
            parts.append(Part(f"{what} of {name}", (Factor(total_kg, "kg", ""), counted, life)))
    return Recipe(tuple(parts), note="" if parts else "nothing says what it took to make")


def _annual(results: Results) -> Recipe:
    if results.summary["cfe_score_annual"] is None:
        return Recipe(note=NONE)
    taken = "(solar_kwh + wind_kwh - curtailed_kwh + all contracted volumes) / energy_facility_kwh"
    return Recipe(note=f"{taken}, at most 1")


def market(results: Results) -> Recipe:
    """Return how market-based carbon is made."""
    if results.summary["scope2_market_kgco2e"] is None:
        return Recipe(note="no contract or residual mix is known of any site")
    return Recipe(note=results.basis.get("market", ""))


def with_supply(results: Results, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return parts of a total with what plants and storage took to make, where there are any."""
    if results.summary["scope3_supply_kgco2e"] is None:
        return parts
    return (*parts, key_part(results, "scope3_supply_kgco2e", "kg"))


RULES: Final[dict[str, Callable[[Results], Recipe]]] = {
    **{key: partial(_sum, key) for key in COLUMNS},
    "grid_kwh": _grid,
    "stored_change_kwh": _stored,
    "cfe_score_hourly": _hourly,
    "cfe_score_annual": _annual,
    "scope3_supply_kgco2e": _made,
}
"""By key of the summary, how it is made."""
