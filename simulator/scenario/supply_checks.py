"""What is odd about the supply of sites, but allowed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from simulator.scenario.paths import dotted
from simulator.scenario.storage import Battery
from simulator.units import S_PER_H, format_quantity

if TYPE_CHECKING:
    from simulator.scenario.model import Scenario
    from simulator.scenario.sites import Site

PLAUSIBLE_H: Final = (0.05, 1000.0)
"""Time for which a storage can give its full power that needs no second look. [h]"""

PLAUSIBLE_PART: Final = (1e-3, 1e3)
"""Capacity of a plant, volume of a contract and energy of a storage in hours, over the power of the
site's machines, that needs no second look."""


def supply_warnings(scenario: "Scenario") -> Iterator[str]:
    """Yield what is odd about the supply of each site, one line each."""
    for name, site in scenario.sites.items():
        if site.supply is not None:
            yield from _about(name, site, scenario)


def _about(name: str, site: "Site", scenario: "Scenario") -> Iterator[str]:
    supply = site.supply
    assert supply is not None
    where = ("sites", name, "supply")
    here = [cluster for cluster in scenario.clusters.values() if cluster.site == name]
    if not here:
        yield f"{dotted(where)}: no cluster stands at this site; its supply is not counted"
    full_w = sum(each.count * scenario.nodes[each.node].busy_power_w for each in here)
    sizes: list[tuple[tuple[str | int, ...], float]]
    sizes = [(("contracts", at, "volume"), c.volume_w) for at, c in enumerate(supply.contracts)]
    for kind in ("solar", "wind"):
        plant = getattr(supply, kind)
        if plant is None:
            continue
        sizes.append(((kind, "capacity"), plant.capacity_w))
        if plant.embodied_g_per_w is None:
            yield f"{dotted((*where, kind))}: embodied is not given; it counts as 0"
    for path, power_w in sizes:
        if full_w and power_w and not PLAUSIBLE_PART[0] <= power_w / full_w <= PLAUSIBLE_PART[1]:
            yield (
                f"{dotted((*where, *path))}: {format_quantity(power_w, 'power')} at machines of "
                f"{format_quantity(full_w, 'power')}; is the unit right?"
            )
    if supply.battery is not None:
        yield from _about_storage((*where, "battery"), supply.battery, full_w)


def _about_storage(where: tuple[str, ...], battery: Battery, full_w: float) -> Iterator[str]:
    capacity = format_quantity(battery.capacity_j, "energy")
    if battery.embodied_g_per_kwh is None:
        yield f"{dotted(where)}: embodied is not given; it counts as 0"
    for key, power_w in (
        ("charge", battery.most_charge_w),
        ("discharge", battery.most_discharge_w),
    ):
        if not power_w and battery.capacity_j:
            yield f"{dotted((*where, key))}: no power, so that {capacity} are never used"
    least_w, most_w = sorted((battery.most_charge_w, battery.most_discharge_w))
    if not least_w or not battery.capacity_j:
        return
    lasts_h = battery.capacity_j / S_PER_H / most_w
    part_h = battery.capacity_j / S_PER_H / full_w if full_w else 1.0
    low, high = PLAUSIBLE_PART
    if not PLAUSIBLE_H[0] <= lasts_h <= PLAUSIBLE_H[1]:
        power = format_quantity(most_w, "power")
        yield (
            f"{dotted((*where, 'capacity'))}: {capacity} last {lasts_h:.3g} h at {power}; is the "
            "unit right, kWh or MWh?"
        )
    elif not low <= part_h <= high:
        yield (
            f"{dotted((*where, 'capacity'))}: {capacity} last {part_h:.3g} h for machines of "
            f"{format_quantity(full_w, 'power')}; is the unit right, kWh or MWh?"
        )
