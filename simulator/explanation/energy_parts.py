"""What the energy, carbon, cost and GPU-hours of a summary are made of, cluster by cluster."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from simulator.explanation import supply_parts
from simulator.explanation.factors import KINDS
from simulator.explanation.making import built_of, nodes_kg, written_off_kg
from simulator.explanation.recipes import (
    Factor,
    Part,
    Recipe,
    by_cluster,
    key_part,
    numbers,
    quotient,
    row_hours,
    single,
    sum_of,
    sums_over,
)
from simulator.figures.series import counted_h, timeline
from simulator.results import Results
from simulator.scenario.clusters import Cluster
from simulator.scenario.spreading import spreading_of
from simulator.units import G_PER_KG, H_PER_D, MS_PER_H

Rule = Callable[[Results], Recipe]
"""Says how a figure of a run is made."""

PER_KG: Final = Factor(G_PER_KG, "g/kg", "", over=True)
MEAN: Final = "mean, by energy"
POWERS: Final = ("idle power", "busy power")
CARBON: Final = ("PUE", "average intensity")
MADE: Final = ("embodied carbon", "lifetime")


def _clusters(results: Results) -> dict[str, Cluster]:
    return results.scenario.clusters


def _facility(results: Results) -> Recipe:
    it, facility = (by_cluster(results, f"energy_{of}_kwh") for of in ("it", "facility"))
    parts = tuple(Part(name, _built(it[name], facility[name])) for name in it)
    return Recipe(parts, sources=("PUE", *POWERS))


def _built(it_kwh: float, facility_kwh: float) -> tuple[Factor, ...]:
    """Return IT energy times PUE; the losses of a building whose IT draws nothing as they are."""
    if not it_kwh:
        return (Factor(facility_kwh, "kWh", "facility energy"),)
    return (
        Factor(it_kwh, "kWh", "IT energy"),
        Factor(facility_kwh / it_kwh, "", f"PUE, {MEAN}"),
    )


def _kind(kind: str, results: Results) -> Recipe:
    return Recipe(single(by_cluster(results, f"energy_{kind}_kwh"), "kWh"), sources=POWERS)


def _emitted(column_name: str, signal: str, results: Results) -> Recipe:
    """Return IT energy x PUE x intensity by cluster."""
    it, facility, emitted = (
        by_cluster(results, name) for name in ("energy_it_kwh", "energy_facility_kwh", column_name)
    )
    supplied = supply_parts.drawn_by_site(results)
    parts = []
    for name, drawn_kwh in facility.items():
        if drawn_kwh:
            g_per_kwh = emitted[name] * G_PER_KG / drawn_kwh
            of = f"{signal} intensity, {MEAN}"
            if _clusters(results)[name].site in supplied:
                of = "of what the grid gives of it"
            intensity = Factor(g_per_kwh, "g/kWh", of)
            parts.append(Part(name, (*_built(it[name], drawn_kwh), intensity, PER_KG)))
    note = supply_parts.drawn_note(supplied) if supplied else ""
    return Recipe(tuple(parts), note, ("PUE", f"{signal} intensity", *POWERS))


def _location(results: Results) -> Recipe:
    return _emitted("operational_kgco2e", "average", results)


def _marginal(results: Results) -> Recipe:
    if results.summary["marginal_kgco2e"] is None:
        return Recipe(note="not every site has a marginal signal")
    return _emitted("marginal_kgco2e", "marginal", results)


def _of_kind(kind: str, results: Results) -> Recipe:
    """Return energy x mean intensity, of the whole fleet: hours and sites are weighted by it."""
    summary = results.summary
    if kind == "overhead":
        kwh = summary["energy_facility_kwh"] - summary["energy_it_kwh"]
        of = "facility less IT energy"
    else:
        kwh, of = summary[f"energy_{kind}_kwh"], f"energy_{kind}_kwh"
    if not kwh:
        return Recipe(note=f"{of} is 0")
    g_per_kwh = summary[f"{kind}_kgco2e"] * G_PER_KG / kwh
    mean = Factor(g_per_kwh, "g/kWh", f"average intensity of it, {MEAN}")
    part = Part("fleet", (Factor(kwh, "kWh", of), mean, PER_KG))
    return Recipe((part,), sources=("average intensity",))


def _nodes(results: Results) -> dict[str, float]:
    """Return the nodes in service of each cluster, mean over the counted time."""
    owned = by_cluster(results, "nodes_owned_mean", row_hours(results))
    hours = counted_h(results)
    return {name: node_hours / hours for name, node_hours in owned.items()}


def _in_service(results: Results, name: str, count: float) -> tuple[Factor, ...]:
    mean = "nodes" if count == _clusters(results)[name].count else "nodes in service, mean"
    return (Factor(count, "", mean), Factor(counted_h(results), "h", "counted"))


def _embodied(results: Results) -> Recipe:
    if spreading_of(results.scenario) is not None:
        left = {f"{name}, written off": kg for name, kg in written_off_kg(results).items()}
        built = {f"{each.kind} of {each.site}": each.kgco2e for each in built_of(results)}
        note = (
            f"here {results.basis.get('embodied', '')}; fleetsim explain DIR has parts and sources"
        )
        return Recipe(single(nodes_kg(results) | left | built, "kg"), note, MADE)
    parts = []
    for name, count in _nodes(results).items():
        node = results.scenario.nodes[_clusters(results)[name].node]
        made = Factor(node.embodied_kg, "kg", "embodied in one")
        life = Factor(node.lifetime_ms / MS_PER_H, "h", "lifetime", over=True)
        parts.append(Part(name, (*_in_service(results, name, count), made, life)))
    return Recipe(tuple(parts), sources=MADE)


def _total(results: Results) -> Recipe:
    keys = ["scope2_location_kgco2e", "scope3_embodied_kgco2e"]
    return Recipe(supply_parts.with_supply(results, sum_of(results, "kg", keys).parts))


def _allocated(results: Results) -> Recipe:
    billed = numbers(results, "jobs", "operational_kgco2e")
    billed += numbers(results, "jobs", "embodied_kgco2e")
    return Recipe(single(sums_over(results, "jobs", "workload", billed), "kg", "its jobs"))


def _unallocated(results: Results) -> Recipe:
    total = key_part(results, "total_kgco2e", "kg")
    return Recipe((total, key_part(results, "allocated_kgco2e", "kg", taken_away=True)))


def _sci(results: Results) -> Recipe:
    delivered = results.summary["gpu_hours_delivered"]
    if not delivered:
        return Recipe(note="no GPU-hour was delivered")
    factors = (
        Factor(results.summary["total_kgco2e"], "kg", "total_kgco2e"),
        Factor(G_PER_KG, "g/kg", ""),
        Factor(delivered, "GPU-h", "gpu_hours_delivered", over=True),
    )
    return Recipe((Part("fleet", factors),))


def _per_useful(results: Results) -> Recipe:
    summary = results.summary
    if not summary["useful_gco2e_per_gpu_hour"]:
        return Recipe(note="no GPU-hour of work was kept")
    factors = [
        Factor(summary["total_kgco2e"], "kg", "total_kgco2e"),
        Factor(G_PER_KG, "g/kg", ""),
        Factor(summary["gpu_hours_capacity"], "GPU-h", "gpu_hours_capacity", over=True),
        Factor(summary["utilisation"], "", "utilisation", over=True),
    ]
    if summary["goodput"] is not None:
        factors.append(Factor(summary["goodput"], "", "goodput", over=True))
    return Recipe((Part("fleet", tuple(factors)),))


def _capacity(results: Results) -> Recipe:
    parts = tuple(
        Part(name, (*_in_service(results, name, count), _accelerators(results, name)))
        for name, count in _nodes(results).items()
    )
    return Recipe(parts, sources=("accelerators",))


def _accelerators(results: Results, name: str) -> Factor:
    node = results.scenario.nodes[_clusters(results)[name].node]
    return Factor(float(node.accelerators), "", "accelerators of one")


def _awake(results: Results) -> Recipe:
    awake = by_cluster(results, "nodes_awake_mean", row_hours(results))
    parts = tuple(
        Part(name, (Factor(hours, "h", "of awake nodes"), _accelerators(results, name)))
        for name, hours in awake.items()
    )
    return Recipe(parts)


def _delivered(results: Results) -> Recipe:
    held = by_cluster(results, "gpus_allocated_mean", row_hours(results))
    return Recipe(single(held, "GPU-h", "held by jobs"))


def _water(results: Results) -> Recipe:
    if results.summary["water_l"] is None:
        return Recipe(note="not every site gives a WUE")
    it, water_l = by_cluster(results, "energy_it_kwh"), by_cluster(results, "water_l")
    parts = tuple(
        Part(
            name,
            (Factor(kwh, "kWh", "IT energy"), Factor(water_l[name] / kwh, "L/kWh", f"WUE, {MEAN}")),
        )
        for name, kwh in it.items()
        if kwh
    )
    return Recipe(parts, sources=("WUE",))


def _peak(of: str, results: Results) -> Recipe:
    line = timeline(results)
    if line is None:
        return Recipe(note="there is no reporting interval")
    power = line.total(numbers(results, "hourly", f"energy_{of}_kwh")) / line.hours
    at = int(np.argmax(power))
    drawn = by_cluster(results, f"energy_{of}_kwh", line.row == at)
    hours = Factor(float(line.hours[at]), "h", "", over=True)
    energy = {"it": "IT energy", "facility": "facility energy"}[of]
    parts = tuple(Part(name, (Factor(kwh, "kWh", energy), hours)) for name, kwh in drawn.items())
    when = np.datetime64(int(line.time_ms[at]), "ms").astype("datetime64[m]")
    return Recipe(parts, note=f"in the interval from {when}Z", sources=POWERS)


def _electricity(results: Results) -> Recipe:
    if results.summary["cost_electricity"] is None:
        return Recipe(note="not every site with a cluster has an electricity price")
    own = supply_parts.drawn_by_site(results)
    parts = [_priced(results, site, site, kwh, "drawn from the grid") for site, kwh in own.items()]
    for name, kwh in by_cluster(results, "energy_facility_kwh").items():
        site = _clusters(results)[name].site
        if site not in own:
            parts.append(_priced(results, name, site, kwh, "facility energy"))
    return Recipe(tuple(parts), sources=("electricity price", "PUE"))


def _priced(results: Results, name: str, site: str, kwh: float, of: str) -> Part:
    price = results.scenario.sites[site].electricity_price
    assert price is not None
    each = Factor(price.amount, f"{price.currency}/kWh", "price")
    return Part(name, (Factor(kwh, "kWh", of), each))


def _machines(results: Results) -> Recipe:
    if results.summary["cost_machines"] is None:
        return Recipe(note="not every node type in use has a price")
    parts = []
    for name, count in _nodes(results).items():
        node = results.scenario.nodes[_clusters(results)[name].node]
        assert node.price is not None
        each = Factor(node.price.amount, node.price.currency, "price of one")
        life = Factor(node.lifetime_ms / MS_PER_H, "h", "lifetime", over=True)
        parts.append(Part(name, (*_in_service(results, name, count), each, life)))
    return Recipe(tuple(parts), sources=("price", "lifetime"))


def _cost(results: Results) -> Recipe:
    if results.summary["cost_total"] is None:
        return Recipe(note="electricity or machines have no price")
    currency = results.basis.get("currency", "")
    return sum_of(results, currency, ["cost_electricity", "cost_machines"])


def _wake_ups(results: Results) -> Recipe:
    counts = numbers(results, "nodes", "wake_ups")
    return Recipe(single(sums_over(results, "nodes", "cluster", counts), ""))


def _wake_ups_per_day(results: Results) -> Recipe:
    days = sum(_nodes(results).values()) * counted_h(results) / H_PER_D
    if not days:
        return Recipe(note="no node was in service")
    factors = (
        Factor(float(results.summary["wake_ups"]), "", "wake_ups"),
        Factor(days, "node-days", "in service", over=True),
    )
    return Recipe((Part("fleet", factors),))


def _failures(results: Results) -> Recipe:
    if results.summary["failures"] is None:
        return Recipe(note="no node can fail")
    counts = numbers(results, "nodes", "failures")
    sources = ("time between failures",)
    return Recipe(single(sums_over(results, "nodes", "cluster", counts), ""), sources=sources)


RULES: Final[dict[str, Rule]] = {
    "energy_it_kwh": lambda results: sum_of(
        results, "kWh", [f"energy_{kind}_kwh" for kind in KINDS]
    ),
    "energy_facility_kwh": _facility,
    **{f"energy_{kind}_kwh": partial(_kind, kind) for kind in KINDS},
    "scope2_location_kgco2e": _location,
    "scope2_market_kgco2e": supply_parts.market,
    "marginal_kgco2e": _marginal,
    "scope3_embodied_kgco2e": _embodied,
    "total_kgco2e": _total,
    "allocated_kgco2e": _allocated,
    "unallocated_kgco2e": _unallocated,
    **{f"{kind}_kgco2e": partial(_of_kind, kind) for kind in (*KINDS, "overhead")},
    "gpu_hours_capacity": _capacity,
    "gpu_hours_delivered": _delivered,
    "gpu_hours_awake": _awake,
    "allocation": lambda results: quotient(
        results, ("gpu_hours_delivered", "GPU-h"), ("gpu_hours_capacity", "GPU-h")
    ),
    "pue": lambda results: quotient(
        results, ("energy_facility_kwh", "kWh"), ("energy_it_kwh", "kWh")
    ),
    "sci_gco2e_per_gpu_hour": _sci,
    "useful_gco2e_per_gpu_hour": _per_useful,
    "water_l": _water,
    "peak_facility_kw": partial(_peak, "facility"),
    "peak_it_kw": partial(_peak, "it"),
    "cost_electricity": _electricity,
    "cost_machines": _machines,
    "cost_total": _cost,
    "wake_ups": _wake_ups,
    "wake_ups_per_node_day": _wake_ups_per_day,
    "failures": _failures,
}
"""By key of the summary, how it is made."""
