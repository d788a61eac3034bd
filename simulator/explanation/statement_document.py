"""The carbon impact statement of a job or a workload as one document, and the words of it."""

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from simulator.assumptions import basis_of
from simulator.explanation.citations import KEYS, cited
from simulator.explanation.statement import Statement
from simulator.results import library_versions
from simulator.scenario.grid import signal_of
from simulator.units import G_PER_KG

SAME: Final = 1e-12
"""Relative difference that is rounding."""
FORM: Final = 1
"""Version of the document: raised when a field changes its name or meaning."""
MARKET: Final = "not known: the scenario names no contract and no residual mix"
MARGINAL: Final = "not known: not every site has a marginal signal"


def difference(whole_kwh: float, part_kwh: float) -> float:
    """Return what a whole has beside a part, 0 where it is rounding. [kWh]"""
    return 0.0 if math.isclose(whole_kwh, part_kwh, rel_tol=SAME) else whole_kwh - part_kwh


def market_note(statement: Statement) -> str:
    """Return what market-based carbon stands on, or why it is absent."""
    known = statement.results.summary["scope2_market_kgco2e"] is not None
    if known and statement.has_several_sites:
        return "known of the whole fleet alone: the scenario has several sites"
    if statement.market_kg is None:
        return MARKET
    return f"its share of the site's: {statement.results.basis.get('market', 'contracts')}"


def hardware_text(statement: Statement) -> str:
    """Return what was used, e.g. ``"up to 16 a100-80g (hgx-a100, 8 a node)"``."""
    by_type: dict[tuple[str, str, int], int] = {}
    for each in statement.held:
        kind = (each.accelerator, each.node_type, each.accelerators)
        by_type[kind] = max(by_type.get(kind, 0), each.most_gpus)
    most = "up to " if statement.kind == "workload" else ""
    return "; ".join(
        f"{most}{count:,} x {accelerator} ({node}, {per_node} a node)"
        for (accelerator, node, per_node), count in by_type.items()
    )


def places_text(statement: Statement) -> str:
    """Return where it ran, e.g. ``"california (grid: CISO 2022)"``."""
    places = dict.fromkeys(f"{each.site} (grid: {each.grid})" for each in statement.held)
    return "; ".join(places)


def source_text(statement: Statement) -> str:
    """Return how the figures came about, in one sentence."""
    version = library_versions()["fleetsim"] or "of unknown version"
    return (
        f"simulated with fleetsim {version}, run {statement.results.key[:8]}; operational, "
        "location-based; embodied carbon is stated beside it"
    )


def model_card(statement: Statement) -> dict[str, Any]:
    """Return the metadata of a Hugging Face model card, by its field names.

    ``emissions`` are grams, and of electricity alone, as the tools say it that are compared with.
    """
    return {
        "emissions": statement.of("operational_kgco2e") * G_PER_KG,
        "source": source_text(statement),
        "training_type": None,
        "geographical_location": places_text(statement),
        "hardware_used": hardware_text(statement),
    }


def statement_document(statement: Statement) -> dict[str, Any]:
    """Return a statement as JSON has it."""
    results, sums = statement.results, statement.sums
    facility_kwh, it_kwh = statement.of("energy_facility_kwh"), statement.it_kwh
    operational_g = statement.of("operational_kgco2e") * G_PER_KG
    return {
        "carbon_statement": FORM,
        "of": {
            "kind": statement.kind,
            "name": statement.name,
            "jobs": sum(statement.states.values()),
            "states": statement.states,
            "partly_before_counted_period": statement.cut,
        },
        "co2_eq_emissions": model_card(statement),
        "hardware": [
            {
                "accelerator": each.accelerator,
                "node_type": each.node_type,
                "accelerators_per_node": each.accelerators,
                "most_gpus": each.most_gpus,
                "gpu_hours": each.gpu_hours,
                "cluster": each.cluster,
                "site": each.site,
                "grid": each.grid,
            }
            for each in statement.held
        ],
        "gpu_hours": statement.gpu_hours,
        "energy": {
            "dynamic_kwh": sums["energy_dynamic_kwh"],
            "idle_share_kwh": sums["energy_idle_share_kwh"],
            "it_kwh": it_kwh,
            "overhead_kwh": difference(facility_kwh, it_kwh),
            "facility_kwh": facility_kwh,
            "pue": facility_kwh / it_kwh if it_kwh else None,
        },
        "carbon": {
            "scope2_location_kgco2e": sums["operational_kgco2e"],
            **{f"{kind}_kgco2e": part_kg for kind, part_kg in statement.kinds_kg.items()},
            "scope2_market_kgco2e": statement.market_kg,
            "scope2_market_note": market_note(statement),
            "scope3_embodied_kgco2e": sums["embodied_kgco2e"],
            "total_kgco2e": statement.total_kg,
            "marginal_kgco2e": sums["marginal_kgco2e"],
            "marginal_note": None if sums["marginal_kgco2e"] is not None else MARGINAL,
            "intensity_average_g_per_kwh": operational_g / facility_kwh if facility_kwh else None,
            "gco2e_per_gpu_hour": statement.total_kg * G_PER_KG / statement.gpu_hours
            if statement.gpu_hours
            else None,
        },
        "basis": basis_behind(statement),
        "assumptions": [
            dict(zip(("subject", "quantity", "value", "unit", "source"), row, strict=True))
            for row in assumptions_behind(statement)
        ],
        "uncertainty": uncertainty_document(statement),
        "run": {
            "name": results.scenario.name,
            "seed": results.seed,
            "key": results.key,
            "billed_from": results.billed_from,
            "fleetsim": library_versions()["fleetsim"],
            "simulated": True,
        },
    }


def uncertainty_document(statement: Statement) -> dict[str, Any]:
    """Return what is known of the uncertainty of the total, and what is not."""
    whole = [each for each in statement.ranges if each.key is None]
    known = ["ranges of the catalog"] if whole else []
    known += [] if statement.over_seeds is None else ["seeds"]
    return {
        "kind": " and ".join(known) or "unknown",
        "low_total_kgco2e": whole[0].low_kg if whole else None,
        "high_total_kgco2e": whole[0].high_kg if whole else None,
        "factors": [
            {
                "subject": each.subject,
                "quantity": each.quantity,
                "low": each.low,
                "value": each.value,
                "high": each.high,
                "unit": each.unit,
                "low_total_kgco2e": each.low_kg,
                "high_total_kgco2e": each.high_kg,
                "source": each.source,
            }
            for each in statement.ranges
            if each.key is not None
        ],
        "over_seeds": None if statement.over_seeds is None else asdict(statement.over_seeds),
        "unknown": list(unknown_of(statement)),
    }


def unknown_of(statement: Statement) -> Iterator[str]:
    """Yield what has no range: it is not without uncertainty, nobody said how large it is."""
    ranged = {(each.subject, each.key) for each in statement.ranges}
    for node in dict.fromkeys(each.node_type for each in statement.held):
        for word, key in KEYS.items():
            if (node, key) not in ranged:
                yield f"{node}: {word}"
    for site in dict.fromkeys(each.site for each in statement.held):
        yield f"{site}: PUE"
        yield f"{site}: average intensity"
    if statement.over_seeds is None:
        yield "the course of events: other seeds draw other jobs"


def basis_behind(statement: Statement) -> dict[str, str]:
    """Return what the carbon stands on, of the sites that were used; of all if none was."""
    sites = statement.results.scenario.sites
    used = dict.fromkeys(each.site for each in statement.held)
    if not used:
        return statement.results.basis
    grids = [sites[name].grid for name in used]
    marginal = [None if grid.marginal is None else signal_of(grid.marginal) for grid in grids]
    return basis_of([signal_of(grid.average) for grid in grids], marginal)


def assumptions_behind(statement: Statement) -> list[tuple[str, str, str, str, str]]:
    """Return the assumptions of the machines and sites that were used."""
    used = {each.node_type for each in statement.held} | {each.site for each in statement.held}
    rows = [row for row in statement.results.assumptions if row[0] in used]
    return [cited(statement.results.scenario, row) for row in rows]
