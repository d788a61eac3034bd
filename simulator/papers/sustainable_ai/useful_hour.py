"""Carbon of a useful GPU-hour in closed form, for pools that carry a load without waiting."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.units import G_PER_KG, J_PER_KWH, MS_PER_H, S_PER_H

if TYPE_CHECKING:
    from simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class UsefulHour:
    """What a useful hour of one system costs at a utilisation u.

    C(u) = m / u + o (i / u + 1 - i), with m the carbon of making for each hour owned, o that of an
    hour at full load, and i idle power over busy power.

    Attributes
    ----------
    making_g : float
        Of an hour owned. [g]
    operating_g : float
        Of an hour at full load. [g]
    idle_share : float
    """

    making_g: float
    operating_g: float
    idle_share: float

    def embodied_g(self, utilisation: float) -> float:
        """Return the carbon of making for each useful hour. [g]"""
        return self.making_g / utilisation

    def operational_g(self, utilisation: float) -> float:
        """Return the operational carbon of each useful hour. [g]"""
        return self.operating_g * (self.idle_share / utilisation + 1.0 - self.idle_share)

    def total_g(self, utilisation: float) -> float:
        """Return both. [g]"""
        return self.embodied_g(utilisation) + self.operational_g(utilisation)


def useful_hour(scenario: "Scenario", g_per_kwh: float) -> UsefulHour:
    """Return the closed form of a scenario with one kind of system.

    Parameters
    ----------
    scenario : Scenario
    g_per_kwh : float
        Intensity that takes the place of the scenario's.
    """
    (node,), (site,) = scenario.nodes.values(), scenario.sites.values()
    assert isinstance(site.pue, float)
    busy_kwh = node.busy_power_w * S_PER_H / J_PER_KWH
    making_g = node.embodied_kg * G_PER_KG / (node.lifetime_ms / MS_PER_H)
    idle_share = node.idle_power_w / node.busy_power_w
    return UsefulHour(making_g, busy_kwh * site.pue * g_per_kwh, idle_share)
