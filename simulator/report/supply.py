"""What the report says of the supply of sites: sources, storage, contracts and CFE scores."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.display import energy_text, share_text


def supply_rows(summary: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield label, value and basis of what sites have beside their grids, where any has."""
    if summary["grid_kwh"] is None:
        return
    bought = energy_text(summary["contracted_kwh"])
    for label, key, basis in (
        ("solar", "solar_kwh", "that plants could give"),
        ("wind", "wind_kwh", "that plants could give"),
        ("curtailed", "curtailed_kwh", "taken by neither load nor storage"),
        ("storage gave", "discharged_kwh", f"of {energy_text(summary['charged_kwh'])} charged"),
        ("storage lost", "storage_losses_kwh", "in charging, discharging and storing"),
        ("grid", "grid_kwh", "drawn for loads and to charge"),
        ("covered", "covered_kwh", f"of {bought} of contracts matched by the hour"),
    ):
        if summary[key] is not None:
            yield label, energy_text(summary[key]), basis
    for kind, basis in (
        ("hourly", "own generation, storage and contracts, hour by hour, of facility energy"),
        ("annual", "the same volumes over the whole time, of facility energy"),
    ):
        yield f"CFE score, {kind}", share_text(summary[f"cfe_score_{kind}"]), basis


def embodied_rows(summary: Mapping[str, Any]) -> Iterator[tuple[str, float, str]]:
    """Yield label, carbon and basis of what plants and storage embody, where there are any."""
    embodied_kg = summary["scope3_supply_kgco2e"]
    if embodied_kg is not None:
        yield "embodied, supply", embodied_kg, "generation and storage, straight-line"
