"""What only shows when the tables of a scenario are read together."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulator.errors import Issue, listing, nearest, shown
from simulator.scenario.accelerators import accelerator_problems, accelerator_warnings, eligible
from simulator.scenario.arrivals import RegularArrivals
from simulator.scenario.dispatch import AMONG, dispatch_problems
from simulator.scenario.embodied_checks import building_problems, spreading_problems
from simulator.scenario.facility import FreeCoolingPue, LoadPue
from simulator.scenario.grid import GridConstant
from simulator.scenario.laws import Constant, Law, Lognormal
from simulator.scenario.limits import ACCELERATORS, INTERVALS, JOBS
from simulator.scenario.model import Scenario
from simulator.scenario.nodes import NodeType, ladder_problems
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.scenario.placement import placement_problems
from simulator.scenario.power_checks import power_problems, with_node
from simulator.scenario.prices import price_problems
from simulator.scenario.provisioning import provisioning_problems, provisioning_warnings
from simulator.scenario.reliability import reliability_problems, reliability_warnings
from simulator.scenario.rests import early_rests
from simulator.scenario.scheduling import scheduling_problems
from simulator.scenario.sharing_checks import sharing_problems, sharing_warnings
from simulator.scenario.sites import Site
from simulator.scenario.supply_checks import supply_warnings
from simulator.scenario.workloads import Workload
from simulator.units import format_quantity

MOST_ENTRIES: Final = 10_000
"""Clusters, workloads or sites of one scenario."""

PLAUSIBLE_W: Final = (10.0, 3000.0)
"""Busy power of a node per accelerator that needs no second look. [W]"""

PLAUSIBLE_G_PER_KWH: Final = (5.0, 2000.0)
"""Intensity of a grid that needs no second look. [g/kWh]"""

PLAUSIBLE_PUE: Final = 3.0

PLAUSIBLE_L_PER_KWH: Final = 10.0
"""Water over IT energy that needs no second look. [L/kWh]"""

Parts = Mapping[str, Mapping[str, Any]]


def problems_between(
    document: Mapping[str, Any], parts: Parts, scenario: Scenario | None, confirmed: bool = False
) -> Iterator[Issue]:
    """Yield the problems between tables, as far as the tables can be read.

    Parameters
    ----------
    document : mapping
        The whole document; names count as known even where their table has problems.
    parts : mapping
        The entries of each section by name, as far as they could be read.
    scenario : Scenario or None
        Made of those without problems, where its head could be read.
    confirmed : bool
        Whether sizes beyond the usual were confirmed.
    """
    yield from _unknown_names(document)
    yield from _too_many(parts)
    yield from _too_large(parts, confirmed)
    yield from ladder_problems(parts["nodes"])
    yield from power_problems(parts)
    yield from price_problems(parts)
    yield from provisioning_problems(parts["clusters"], parts["nodes"])
    yield from scheduling_problems(parts["clusters"], parts["nodes"], parts["workloads"])
    yield from dispatch_problems(parts["workloads"])
    yield from accelerator_problems(parts["clusters"], parts["nodes"], parts["workloads"])
    yield from placement_problems(parts["clusters"], parts["sites"])
    yield from reliability_problems(parts["nodes"], parts["workloads"])
    yield from sharing_problems(parts)
    yield from building_problems(parts)
    for section in ("sites", "clusters"):
        if not document.get(section, {}) and isinstance(document.get(section, {}), dict):
            yield Issue(section, f"missing; write at least one [{section}.NAME]")
    if scenario is not None:
        yield from spreading_problems(scenario.accounting, parts)
        yield from _too_many_jobs(scenario, confirmed)
        yield from _too_many_intervals(scenario, confirmed)


def _unknown_names(document: Mapping[str, Any]) -> Iterator[Issue]:
    from simulator import catalog

    sites, nodes = _names(document, "sites"), _names(document, "nodes")
    for name, cluster in _tables(document, "clusters"):
        site, node = cluster.get("site"), cluster.get("node")
        if isinstance(site, str) and sites and site not in sites:
            yield Issue(dotted(("clusters", name, "site")), _unknown("site", site, sites))
        if isinstance(node, str) and node not in nodes:
            known = list(dict.fromkeys((*nodes, *catalog.names("nodes"))))
            yield Issue(dotted(("clusters", name, "node")), _unknown("node type", node, known))
    clusters = _names(document, "clusters")
    for name, workload in _tables(document, "workloads"):
        wanted = workload.get("clusters")
        where: tuple[str, ...] = ("workloads", name, "clusters")
        if isinstance(wanted, dict):
            wanted, where = wanted.get(AMONG), (*where, AMONG)
        for index, cluster in enumerate(wanted if isinstance(wanted, list | tuple) else ()):
            if isinstance(cluster, str) and clusters and cluster not in clusters:
                yield Issue(dotted((*where, index)), _unknown("cluster", cluster, clusters))


def _unknown(kind: str, name: str, known: list[str]) -> str:
    near = nearest(name, known)
    meant = f'did you mean "{near}"? ' if near else ""
    return f"no {kind} is called {shown(name)}; {meant}known are {listing(known)}"


def _names(document: Mapping[str, Any], section: str) -> list[str]:
    table = document.get(section)
    return list(table) if isinstance(table, dict) else []


def _tables(document: Mapping[str, Any], section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    table = document.get(section)
    for name, entry in table.items() if isinstance(table, dict) else ():
        if isinstance(entry, dict):
            yield name, entry


def _too_many(parts: Parts) -> Iterator[Issue]:
    for section in ("clusters", "workloads", "sites"):
        if (count := len(parts[section])) > MOST_ENTRIES:
            yield Issue(section, f"{count:,} entries are too many; write at most {MOST_ENTRIES:,}")


def _too_large(parts: Parts, confirmed: bool) -> Iterator[Issue]:
    total = 0
    for _, cluster, node in with_node(parts):
        with as_far_as_read(cluster, node):
            total += cluster.node_limit * node.accelerators
    if (exceeded := ACCELERATORS.exceeded(total, confirmed)) is not None:
        yield Issue("clusters", f"{total:,} accelerators in all, {exceeded}; lower a count")


def _too_many_jobs(scenario: Scenario, confirmed: bool) -> Iterator[Issue]:
    for name, workload in scenario.workloads.items():
        expected = _expected_jobs(workload, scenario.horizon_ms)
        if (exceeded := JOBS.exceeded(expected, confirmed)) is not None:
            text = (
                f"some {expected:,.0f} jobs in the horizon, {exceeded}; "
                "lower the rate, shorten the horizon or set max_jobs"
            )
            yield Issue(dotted(("workloads", name, "arrivals")), text)


def _too_many_intervals(scenario: Scenario, confirmed: bool) -> Iterator[Issue]:
    interval_ms = scenario.accounting.interval_ms
    count = -(-scenario.horizon_ms // interval_ms) * len(scenario.clusters)
    if (exceeded := INTERVALS.exceeded(count, confirmed)) is not None:
        interval = format_quantity(interval_ms, "time")
        text = (
            f"{interval} makes {count:,} intervals times clusters in the horizon, {exceeded}; "
            "lengthen it, or shorten the horizon"
        )
        yield Issue(dotted(("accounting", "interval")), text)


def _expected_jobs(workload: Workload, horizon_ms: int) -> float:
    arrivals = workload.arrivals
    if arrivals is None:
        return 0.0
    if isinstance(arrivals, RegularArrivals):
        jobs = horizon_ms / arrivals.every_ms
    else:
        jobs = arrivals.rate_per_ms * horizon_ms
    return jobs if workload.max_jobs is None else min(jobs, float(workload.max_jobs))


def warnings_of(scenario: Scenario, unused_nodes: list[str]) -> tuple[str, ...]:
    """Return what is odd but allowed, one line each.

    Parameters
    ----------
    scenario : Scenario
    unused_nodes : list of str
        Node types of the document that no cluster uses.
    """
    unused = [f"{dotted(('nodes', name))}: no cluster uses this node type" for name in unused_nodes]
    return (
        *unused,
        *(text for name, node in scenario.nodes.items() for text in _about_node(name, node)),
        *_late_wake_ups(scenario),
        *provisioning_warnings(scenario.clusters, scenario.nodes),
        *early_rests(scenario),
        *reliability_warnings(scenario),
        *sharing_warnings(scenario),
        *supply_warnings(scenario),
        *_about_sites(scenario),
        *_about_sizes(scenario),
        *_about_scope2(scenario),
        *_about_speeds(scenario),
        *accelerator_warnings(scenario),
    )


def _about_node(name: str, node: NodeType) -> Iterator[str]:
    each_w = node.busy_power_w / node.accelerators
    low, high = PLAUSIBLE_W
    if not low <= each_w <= high:
        yield (
            f"{dotted(('nodes', name, 'busy_power'))}: {format_quantity(each_w, 'power')} per "
            f"accelerator is outside {low:g} W to {format_quantity(high, 'power')}; "
            "is the unit right?"
        )


def _late_wake_ups(scenario: Scenario) -> Iterator[str]:
    """Yield a warning for each state that is hardly ever left within the run.

    Those of the catalog count only where they are used: nobody has written them.
    """
    texts: dict[str, None] = {}
    for name, cluster in scenario.clusters.items():
        node = scenario.nodes[cluster.node]
        names = [state.name for state in node.idle_states]
        taken = cluster.idle.ladder_of(node)
        if not cluster.idle.follows_ladder and not (node.source or "").startswith("catalog "):
            taken = node
        for state in taken.idle_states:
            typical = _typical(state.wake_time)
            if typical is not None and typical > scenario.horizon_ms:
                path = dotted(("clusters", name, "idle", state.name))
                if state.name in names:
                    index = names.index(state.name)
                    path = dotted(("nodes", cluster.node, "idle_states", index, "wake_time"))
                wake = format_quantity(typical, "time")
                texts[f"{path}: waking takes longer ({wake}) than the whole run"] = None
    yield from texts


def _typical(law: Law) -> float | None:
    if isinstance(law, Constant):
        return law.value
    return law.p50 if isinstance(law, Lognormal) else None


def _about_sites(scenario: Scenario) -> Iterator[str]:
    low, high = PLAUSIBLE_G_PER_KWH
    for name, site in scenario.sites.items():
        yield from _about_building(name, site, scenario)
        for basis in ("average", "marginal"):
            source = getattr(site.grid, basis)
            if not isinstance(source, GridConstant) or source.g_per_kwh == 0:
                continue
            path, grams = dotted(("sites", name, "grid", basis)), source.g_per_kwh
            if grams < 0:
                yield f"{path}: {grams:g} g/kWh is negative; energy drawn will lower emissions"
            elif not low <= grams <= high:
                yield f"{path}: {grams:g} g/kWh is outside {low:g} to {high:g}; is the unit right?"


def _about_building(name: str, site: Site, scenario: Scenario) -> Iterator[str]:
    here = [cluster for cluster in scenario.clusters.values() if cluster.site == name]
    full_w = sum(cluster.count * scenario.nodes[cluster.node].busy_power_w for cluster in here)
    where = dotted(("sites", name, "pue"))
    if not isinstance(site.pue, LoadPue | FreeCoolingPue):
        if site.pue > PLAUSIBLE_PUE:
            yield f"{where}: {site.pue:g} is far above any usual PUE"
    elif not here and site.fixed_w:
        yield f"{where}: no cluster stands at this site; its fixed losses are not counted"
    elif full_w and (pue := site.pue.lowest(full_w)) > PLAUSIBLE_PUE:
        yield f"{where}: {pue:.3g} with all machines at work is far above any usual PUE"
    wue = site.wue_l_per_kwh
    if isinstance(wue, float) and wue > PLAUSIBLE_L_PER_KWH:
        yield f"{dotted(('sites', name, 'wue'))}: {wue:g} L/kWh is far above any usual WUE"
    if site.weather is not None and not site.needs_weather:
        yield (
            f"{dotted(('sites', name, 'weather'))}: nothing at this site depends on the outside "
            "temperature; it is not read"
        )


def _about_speeds(scenario: Scenario) -> Iterator[str]:
    """Say where a GPU-day counts alike on accelerators of several kinds."""
    for name, workload in scenario.workloads.items():
        if workload.gpu_days is None:
            continue
        if any(speed is not None for speed in (workload.accelerators or {}).values()):
            continue
        names = eligible(workload, scenario.clusters, scenario.nodes)
        nodes = [scenario.nodes[scenario.clusters[at].node] for at in names]
        kinds = {node.accelerator for node in nodes if node.accelerator}
        if len(kinds) > 1 and len({node.relative_speed for node in nodes}) == 1:
            yield (
                f"{dotted(('workloads', name, 'gpu_days'))}: a GPU-day counts alike on "
                f"{' and '.join(sorted(kinds))}; "
                "give their nodes a relative_speed to tell them apart"
            )


def _about_scope2(scenario: Scenario) -> Iterator[str]:
    if "location-based" not in scenario.accounting.scope2:
        yield (
            "accounting.scope2: totals stand on the location-based method all the same; "
            "market-based figures stand beside them where a site has contracts or generation"
        )


def _about_sizes(scenario: Scenario) -> Iterator[str]:
    for name, workload in scenario.workloads.items():
        if workload.gpus is None:
            continue
        names = eligible(workload, scenario.clusters, scenario.nodes)
        clusters = [scenario.clusters[cluster] for cluster in names]
        largest = max(c.node_limit * scenario.nodes[c.node].accelerators for c in clusters)
        pairs = zip(workload.gpus.choices, workload.gpus.weights, strict=True)
        never = [str(choice) for choice, weight in pairs if choice > largest and weight > 0]
        if never:
            yield (
                f"{dotted(('workloads', name, 'gpus'))}: jobs of {listing(never)} accelerators fit "
                f"in none of its clusters, the largest of which has {largest}; they are counted "
                "as never schedulable"
            )
