"""The carbon of a run from its energy: kinds, totals, embodied, and what it is per GPU-hour."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import Fleet
from simulator.units import G_PER_KG

KINDS: Final = ("dynamic", "idle", "sleep", "transition")
"""Kinds of IT energy: above idle power, of awake nodes, at rest, and of entering and waking."""
OVERHEAD: Final = "overhead"
"""What buildings add: facility energy less IT energy."""


def kinds_kg(
    by_kind_kwh: NDArray[np.float64],
    overhead_kwh: NDArray[np.float64],
    kg_per_kwh: NDArray[np.float64],
) -> dict[str, float]:
    """Return the carbon of each kind of IT energy, without PUE, and of what buildings add.

    Parameters
    ----------
    by_kind_kwh : float64[bins, clusters, 4]
        IT energy by `KINDS`. [kWh]
    overhead_kwh, kg_per_kwh : float64[bins, clusters]
        What buildings add, and the average intensity. [kWh], [kg/kWh]
    """
    parts_kwh = {kind: by_kind_kwh[:, :, at] for at, kind in enumerate(KINDS)}
    parts_kwh[OVERHEAD] = overhead_kwh
    return {kind: float((kwh * kg_per_kwh).sum()) for kind, kwh in parts_kwh.items()}


def embodied_kg(fleet: Fleet, owned_ms: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the embodied carbon of each cluster, straight line over calendar lifetime. [kgCO2e]

    Parameters
    ----------
    fleet : Fleet
    owned_ms : int64[clusters]
        Node-time in service within the counted period. [ms]
    """
    made_g: NDArray[np.float64] = fleet.embodied_g * owned_ms / fleet.lifetime_ms
    return made_g / G_PER_KG


def carbon_figures(
    operational_kg: float,
    marginal_kg: float,
    embodied_kg: float,
    allocated_kg: float,
    by_kind_kg: dict[str, float],
    *,
    supply_kg: float = 0.0,
) -> dict[str, float]:
    """Return the carbon of a summary. [kgCO2e]

    Parameters
    ----------
    operational_kg, marginal_kg, embodied_kg : float
        Of the whole fleet; marginal is NaN unless every site has a marginal signal.
    allocated_kg : float
        Operational and embodied, billed to jobs.
    by_kind_kg : dict of str to float
        As `kinds_kg`.
    supply_kg : float
        Embodied carbon of generation and storage on the sites.
    """
    total_kg = operational_kg + embodied_kg + supply_kg
    return {
        "scope2_location_kgco2e": operational_kg,
        "marginal_kgco2e": marginal_kg,
        "scope3_embodied_kgco2e": embodied_kg,
        "total_kgco2e": total_kg,
        "allocated_kgco2e": allocated_kg,
        "unallocated_kgco2e": total_kg - allocated_kg,
        **{f"{kind}_kgco2e": kg for kind, kg in by_kind_kg.items()},
    }


def ratios(
    it_kwh: float,
    facility_kwh: float,
    total_kg: float,
    capacity: Mapping[str, float | None],
    goodput: float | None,
) -> dict[str, float | None]:
    """Return PUE and carbon per GPU-hour; None where there is nothing to divide by.

    Parameters
    ----------
    it_kwh, facility_kwh, total_kg : float
        Of the whole fleet. [kWh], [kgCO2e]
    capacity : mapping
        At least ``gpu_hours_capacity``, ``gpu_hours_delivered`` and ``utilisation``.
    goodput : float or None
        Part of the work that was kept; None where nothing can be lost.
    """
    total_g = total_kg * G_PER_KG
    delivered = capacity["gpu_hours_delivered"]
    useful = (capacity["gpu_hours_capacity"] or 0.0) * (capacity["utilisation"] or 0.0)
    useful *= 1.0 if goodput is None else goodput
    return {
        "pue": facility_kwh / it_kwh if it_kwh else None,
        "sci_gco2e_per_gpu_hour": total_g / delivered if delivered else None,
        "useful_gco2e_per_gpu_hour": total_g / useful if useful else None,
    }
