"""What a reader should know of the supply of sites: sizes, efficiencies, profiles and rules."""

from collections.abc import Iterator, Sequence

from simulator.scenario.model import Scenario
from simulator.scenario.storage import Battery
from simulator.scenario.supply import Supply
from simulator.supply.balance import Balance
from simulator.supply.traces import SupplyTraces
from simulator.units import J_PER_KWH, MS_PER_D, MS_PER_Y, W_PER_KW, W_PER_MW

Assumption = tuple[str, str, str, str, str]
"""Subject, quantity, value, unit, source."""


def supply_assumptions(
    scenario: Scenario,
    traces: Sequence[SupplyTraces | None],
    balances: Sequence[Balance | None],
) -> tuple[Assumption, ...]:
    """Return the assumptions of every site with supply.

    Parameters
    ----------
    scenario : Scenario
    traces : sequence of SupplyTraces or None
    balances : sequence of Balance or None
        One for each site; empty where no site has supply.
    """
    if not balances:
        return ()
    rows = zip(scenario.sites.items(), traces, balances, strict=True)
    return tuple(
        row
        for (name, site), known, balance in rows
        if site.supply is not None and known is not None and balance is not None
        for row in _rows(name, site.supply, known, balance)
    )


def _rows(
    name: str, supply: Supply, traces: SupplyTraces, balance: Balance
) -> Iterator[Assumption]:
    hours = float(balance.source.hours.sum())
    for kind, plant, trace in (
        ("solar", supply.solar, traces.solar),
        ("wind", supply.wind, traces.wind),
    ):
        if plant is None or trace is None:
            continue
        given = float(getattr(balance.source, f"{kind}_kwh").sum())
        most_kwh = plant.capacity_w / W_PER_KW * hours
        said = f"{trace.label}: {trace.note}"
        yield name, f"{kind} capacity", f"{plant.capacity_w / W_PER_MW:.6g}", "MW", "scenario"
        if most_kwh:
            yield name, f"{kind} capacity factor", f"{given / most_kwh:.4g}", "1", said
    if supply.battery is not None:
        yield from _storage(name, supply.battery)
    for at, (contract, trace) in enumerate(zip(supply.contracts, traces.contracts, strict=True)):
        volume = f"{contract.volume_w / W_PER_MW:.6g}"
        said = f"{trace.label}: {trace.note}"
        yield name, f"contract {at}, matched {contract.matching}", volume, "MW", said
    for what, total_kg, life_ms in supply.embodied():
        yield name, f"{what} embodied carbon", f"{total_kg:.6g}", "kgCO2e", "scenario"
        yield name, f"{what} lifetime", f"{life_ms / MS_PER_Y:g}", "y", "scenario"


def _storage(name: str, battery: Battery) -> Iterator[Assumption]:
    source = f"as {battery.like} of the catalog" if battery.like else "scenario"
    least, most = battery.soc
    capacity = f"{battery.capacity_j / J_PER_KWH:.6g}"
    yield name, "storage capacity", capacity, "kWh", f"levels from {least:g} to {most:g} of it"
    yield name, "storage, charging", f"{battery.most_charge_w / W_PER_KW:.6g}", "kW", "scenario"
    power = f"{battery.most_discharge_w / W_PER_KW:.6g}"
    yield name, "storage, discharging", power, "kW", "scenario"
    yield name, "storage charge efficiency", f"{battery.charge_efficiency:g}", "1", source
    yield name, "storage discharge efficiency", f"{battery.discharge_efficiency:g}", "1", source
    leak = f"{battery.self_discharge_per_ms * MS_PER_D:.4g}"
    yield name, "storage self-discharge", leak, "per d", source
    yield name, "storage rule", battery.dispatch.rule, "-", "scenario"
