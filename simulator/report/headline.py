"""The figures that answer the question, in print: value, unit and what it stands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.display import (
    ABSENT,
    POWER,
    count_text,
    duration_text,
    energy_text,
    interval_text,
    mass_text,
    money_text,
    number_text,
    quantity_text,
    share_text,
    water_text,
)
from simulator.figures.series import ROUNDING, unheld_idle_kwh
from simulator.report.supply import embodied_rows, supply_rows
from simulator.results import Results
from simulator.units import G_PER_KG, MS_PER_H

GRAMS: Final = ((1.0, "g"), (G_PER_KG, "kg"))
STATES: Final = {
    "dynamic": "dynamic",
    "idle": "idle power",
    "sleep": "sleep",
    "transition": "transition",
}
"""States by the name of their summary key, and in words."""
NO_SOURCE: Final = "no source in the scenario"
MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One printed figure.

    Attributes
    ----------
    group : str
        ``energy``, ``carbon``, ``cost``, ``fleet``, ``jobs`` or ``waits``.
    label : str
    value : str
        Number and unit.
    basis : str
        What the figure stands on; never empty for carbon.
    """

    group: str
    label: str
    value: str
    basis: str = ""


def headline(results: Results) -> tuple[Line, ...]:
    """Return the numbers of a run as they are printed, group by group."""
    summary = results.summary
    return (
        *_energy(results),
        *carbon(results),
        *(Line("supply", *said) for said in supply_rows(summary)),
        *_cost(results),
        *_fleet(results),
        *_jobs(summary),
        *_waits(summary),
    )


def carbon(results: Results) -> tuple[Line, ...]:
    """Return the carbon figures, each with its basis."""
    summary, basis = results.summary, results.basis
    average = basis.get("average", "average intensity of the grid")
    market = summary["scope2_market_kgco2e"]
    marginal = summary["marginal_kgco2e"]
    total = "location-based + embodied"
    if summary["scope3_supply_kgco2e"]:
        total += " + supply"
    rows = (
        ("location-based", summary["scope2_location_kgco2e"], average),
        ("market-based", market, "" if market is None else basis.get("market", "contracts")),
        (
            "marginal",
            marginal,
            _no_marginal(results) if marginal is None else basis.get("marginal", "marginal"),
        ),
        (
            "embodied",
            summary["scope3_embodied_kgco2e"],
            basis.get("embodied", "straight-line over calendar lifetime"),
        ),
        *embodied_rows(summary),
        ("total", summary["total_kgco2e"], total),
    )
    return tuple(
        Line("carbon", label, mass_text(kg), words or NO_SOURCE) for label, kg, words in rows
    )


def sci_text(summary: Mapping[str, Any]) -> str:
    """Return the carbon of one accelerator-hour delivered, e.g. ``"123.4 g"``."""
    return quantity_text(summary["sci_gco2e_per_gpu_hour"], GRAMS)


def unallocated_text(summary: Mapping[str, Any]) -> str:
    """Return the share of the total carbon that no job is billed for."""
    total = summary["total_kgco2e"]
    return share_text(summary["unallocated_kgco2e"] / total) if total else ABSENT


def state_shares(results: Results) -> tuple[tuple[str, float, str], ...]:
    """Return each state with its energy and its share of the IT energy in words. [kWh]."""
    summary = results.summary
    total = summary["energy_it_kwh"]
    if not total:
        return tuple((words, 0.0, ABSENT) for words in STATES.values())
    rows = []
    for state, words in STATES.items():
        kwh = float(summary[f"energy_{state}_kwh"])
        share = share_text(kwh / total)
        if state == "idle" and kwh:
            share += f" ({share_text(unheld_idle_kwh(results) / total)} held by no job)"
        rows.append((words, kwh, share))
    return tuple(rows)


def waited_of(summary: Mapping[str, Any]) -> str:
    """Return which jobs have a wait; where some have not, how many have and how many have not."""
    if not summary["jobs_queued"]:
        return "of jobs that started"
    started, queued = count_text(summary["jobs_started"]), count_text(summary["jobs_queued"])
    return f"of the {started} that started; {queued} still wait"


def awake_share(results: Results) -> float | None:
    """Return the share of accelerator-time that nodes were awake, None where none ever slept."""
    capacity_h = float(results.summary["gpu_hours_capacity"])
    awake_h = float(results.summary["gpu_hours_awake"])
    return awake_h / capacity_h if awake_h < capacity_h * (1.0 - ROUNDING) else None


def pue_text(summary: Mapping[str, Any]) -> str:
    """Return the ratio of facility to IT energy, e.g. ``"1.100"``."""
    return ABSENT if summary["pue"] is None else number_text(summary["pue"])


def _energy(results: Results) -> list[Line]:
    summary = results.summary
    facility, it = summary["energy_facility_kwh"], summary["energy_it_kwh"]
    whole = [
        Line("energy", "facility", energy_text(facility), f"IT x PUE {pue_text(summary)}"),
        Line("energy", "IT", energy_text(it), " + ".join(STATES.values())),
    ]
    states = [
        Line("energy", state, energy_text(kwh), _of_it(share))
        for state, kwh, share in state_shares(results)
    ]
    return [*whole, *states, _peak(results), *_capped(results.summary), *_water(results)]


def _peak(results: Results) -> Line:
    peaks = (results.summary[f"peak_{what}_kw"] for what in ("facility", "it"))
    facility, it = (quantity_text(kw, POWER) for kw in peaks)
    interval = interval_text(results.scenario.accounting.interval_ms / MS_PER_H)
    basis = f"highest facility power, mean over {interval}; of IT {it}"
    return Line("energy", "peak", facility, basis)


def _capped(summary: Mapping[str, Any]) -> list[Line]:
    """Return what power budgets saved at lower power levels, where any job was capped."""
    if not summary["jobs_capped"]:
        return []
    saved = summary["energy_capped_kwh"]
    way = "less" if saved >= 0 else "more"
    basis = f"{way} dynamic energy for the same work, by power budgets"
    return [Line("energy", "capped", energy_text(abs(saved)), basis)]


def _water(results: Results) -> list[Line]:
    """Return the water where any site says its WUE; a sum over some sites only is none."""
    sites = results.scenario.sites
    lacking = [name for name, site in sites.items() if site.wue_l_per_kwh is None]
    if len(lacking) == len(sites):
        return []
    water, it = results.summary["water_l"], results.summary["energy_it_kwh"]
    if water is None:
        basis = f"not every site gives a WUE: none for {_some(lacking)}"
    else:
        basis = f"IT x WUE {number_text(water / it) if it else ABSENT} L/kWh"
    return [Line("energy", "water", water_text(water), basis)]


def _cost(results: Results) -> list[Line]:
    """Return what the fleet cost, where the scenario has prices; part of a cost is none."""
    currency = results.basis.get("currency")
    if currency is None:
        return []
    sites, nodes = results.scenario.sites, results.scenario.nodes
    used = dict.fromkeys(cluster.site for cluster in results.scenario.clusters.values())
    sites_lacking = [name for name in used if sites[name].electricity_price is None]
    nodes_lacking = [name for name, node in nodes.items() if node.price is None]
    rows: tuple[tuple[str, str, str, list[str]], ...] = (
        ("electricity", "facility energy x price", "sites", sites_lacking),
        ("machines", "straight-line over calendar lifetime", "node types", nodes_lacking),
        ("total", "electricity + machines", "", []),
    )
    return [
        Line(
            "cost",
            part,
            money_text(results.summary[f"cost_{part}"], currency),
            f"not all {kind} have a price: none for {_some(lacking)}" if lacking else basis,
        )
        for part, basis, kind, lacking in rows
    ]


def _of_it(share: str) -> str:
    whole, bracket, rest = share.partition(" (")
    return f"{whole} of IT energy{bracket}{rest}"


def _no_marginal(results: Results) -> str:
    """Say which sites have no marginal intensity, so that the fleet has none."""
    sites = results.scenario.sites
    lacking = [name for name, site in sites.items() if site.grid.marginal is None]
    if not lacking or len(lacking) == len(sites):
        return NO_SOURCE
    return f"not every site has a marginal trace: none for {_some(lacking)}"


def _some(names: list[str]) -> str:
    named = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return named + (f" and {more} more" if more > 0 else "")


def _fleet(results: Results) -> list[Line]:
    summary = results.summary
    hours = [summary[f"gpu_hours_{kind}"] for kind in ("capacity", "delivered")]
    return [
        Line("fleet", "capacity", f"{count_text(hours[0])} GPU-h"),
        Line("fleet", "delivered", f"{count_text(hours[1])} GPU-h", "held by jobs"),
        Line("fleet", "allocation", share_text(summary["allocation"]), "held over capacity"),
        Line(
            "fleet",
            "utilisation",
            share_text(summary["utilisation"]),
            "held times busy share, over capacity",
        ),
        *_sleep(results),
        *_failures(summary),
        *_preemptions(summary),
        *_racks(summary),
        *_sharing(summary),
        Line(
            "fleet",
            "carbon per GPU-hour",
            sci_text(summary),
            "location-based + embodied, per GPU-hour delivered (SCI)",
        ),
        Line(
            "fleet",
            "carbon per useful GPU-hour",
            quantity_text(summary["useful_gco2e_per_gpu_hour"], GRAMS),
            "the same per GPU-hour of work that was kept: held x busy share x goodput",
        ),
        Line(
            "fleet", "unallocated", unallocated_text(summary), "of total carbon, billed to no job"
        ),
    ]


def _sleep(results: Results) -> list[Line]:
    awake = awake_share(results)
    if awake is None:
        return []
    each = number_text(results.summary["wake_ups_per_node_day"], 3)
    cancelled = int(results.tables["nodes"]["wake_ups_cancelled"].to_numpy().sum())
    basis = f"{each} per node-day" + (f"; {count_text(cancelled)} cancelled" if cancelled else "")
    return [
        Line(
            "fleet", "awake", share_text(awake), "time of awake nodes, held or not, over capacity"
        ),
        Line("fleet", "wake-ups", count_text(results.summary["wake_ups"]), basis),
    ]


def _racks(summary: Mapping[str, Any]) -> list[Line]:
    """Return how much of large gangs lay across racks, where there are racks."""
    share = summary["cross_rack_share"]
    if share is None:
        return []
    basis = "of the GPU-hours of gangs of several nodes"
    return [Line("fleet", "across racks", share_text(share), basis)]


def _failures(summary: Mapping[str, Any]) -> list[Line]:
    """Return what failures of nodes cost, where any can fail."""
    if summary["failures"] is None:
        return []
    lost = f"{count_text(summary['gpu_hours_lost'])} GPU-h"
    return [
        Line("fleet", "failures", count_text(summary["failures"]), "of nodes"),
        Line("fleet", "lost", lost, "held since the last checkpoint, or the start"),
        *_useful(summary),
    ]


def _preemptions(summary: Mapping[str, Any]) -> list[Line]:
    """Return what preemption cost, where anybody is preempted."""
    if summary["preemptions"] is None:
        return []
    cost = f"{count_text(summary['gpu_hours_preempted'])} GPU-h"
    return [
        Line("fleet", "preemptions", count_text(summary["preemptions"]), "of jobs"),
        Line("fleet", "preempted", cost, "held for work done anew, saving states and resuming"),
        *(_useful(summary) if summary["failures"] is None else ()),
    ]


def _useful(summary: Mapping[str, Any]) -> list[Line]:
    shares = (
        ("goodput", "work not lost, without checkpoints and restarts, over held"),
        ("ETTR", "useful run time over time from first start to end, of jobs that ended"),
    )
    return [
        Line("fleet", name, share_text(summary[name.lower()]), basis)
        for name, basis in shares
        if summary[name.lower()] is not None
    ]


def _sharing(summary: Mapping[str, Any]) -> list[Line]:
    """Return what jobs shared, where they may share accelerators."""
    if summary["gpu_hours_shared"] is None:
        return []
    shared = f"{count_text(summary['gpu_hours_shared'])} GPU-h"
    slowdown = summary["slowdown_interference_mean"]
    text = ABSENT if slowdown is None else number_text(slowdown)
    return [
        Line("fleet", "shared", shared, "of those delivered, with two jobs or more"),
        Line("fleet", "interference", text, "run time over that alone, mean of the jobs"),
    ]


def _jobs(summary: Mapping[str, Any]) -> list[Line]:
    states = ("submitted", "started", "finished", "running", "queued", "unschedulable")
    notes = {"running": "cut off by the horizon", "queued": "still waiting at the horizon"}
    budgets = {
        "delayed_by_power": ("delayed", "kept waiting by a power budget alone"),
        "capped": ("capped", "started at a lower power level to keep a power budget"),
    }
    return [
        Line("jobs", state, count_text(summary[f"jobs_{state}"]), notes.get(state, ""))
        for state in states
    ] + [
        Line("jobs", label, count_text(summary[f"jobs_{key}"]), basis)
        for key, (label, basis) in budgets.items()
        if summary[f"jobs_{key}"]
    ]


def _waits(summary: Mapping[str, Any]) -> list[Line]:
    of = waited_of(summary)
    if not summary["jobs_started"]:
        return [Line("waits", "waited", "no job started", of if summary["jobs_queued"] else "")]
    if not summary["waited_share"]:
        return [Line("waits", "waited", "no job waited", of)]
    rows = [
        Line("waits", kind, duration_text(summary[f"wait_{kind}_h"]), of)
        for kind in ("mean", "p50", "p95", "p99")
    ]
    slowdown = summary["slowdown_mean"]
    text = ABSENT if slowdown is None else number_text(slowdown)
    return [
        *rows,
        Line("waits", "waited", share_text(summary["waited_share"]), of),
        Line("waits", "slowdown, mean", text, "(wait + run time) over run time"),
    ]
