"""What a run stands on: the assumptions with their sources, and the basis of its carbon."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from simulator.node_figures import source_of
from simulator.policies import scheduling_of
from simulator.power.facility import SiteMeans
from simulator.scenario.accelerators import eligible
from simulator.scenario.buildings import BUILT, Building
from simulator.scenario.embodied import parts_of
from simulator.scenario.facility import FreeCoolingPue, LoadPue, TemperatureWue
from simulator.scenario.grid import signal_of
from simulator.scenario.law_moments import mean
from simulator.scenario.laws import Empirical
from simulator.scenario.model import NodeType, Scenario, Site
from simulator.scenario.prices import currency_of
from simulator.scenario.spreading import BY_USE, spreading_of
from simulator.traces.grid import GridTrace
from simulator.traces.trace import Trace
from simulator.units import MS_PER_H, MS_PER_S, MS_PER_Y
from simulator.workload.table import JobTable, WorkloadSize

Assumption = tuple[str, str, str, str, str]
"""Subject, quantity, value, unit, source."""


INTENSITY_MEAN: Final = " intensity, mean"
"""How the quantity of a signal's mean ends."""


class Signal(Protocol):
    """What is asked of a trace, or of its source before it is opened."""

    @property
    def label(self) -> str:
        """What it is called beside figures."""

    @property
    def factor(self) -> str:
        """What its emission factors hold; empty where it claims none."""

    @property
    def mix(self) -> str:
        """Whose generation it counts; empty where it claims none."""


def basis_of(
    average: Sequence[Signal],
    marginal: Sequence[Signal | None],
    currency: str | None = None,
    embodied: str | None = None,
) -> dict[str, str]:
    """Return what the figures stand on.

    Returns
    -------
    dict of str to str
        ``average`` and ``marginal``: the signals as printed beside the carbon figures; and
        ``average_factors``, ``average_mix`` and the same of marginal: their kinds of emission
        factors and whose generation they count, by which runs are told to be alike. Those of
        marginal signals are there only where every site has one, ``currency`` only where the
        scenario has prices, ``embodied`` only where the carbon of making is not that of nodes in a
        straight line.
    """
    known = [trace for trace in marginal if trace is not None]
    signals = {"average": average} | ({"marginal": known} if len(known) == len(marginal) else {})
    basis = {signal: _joined(signal, traces) for signal, traces in signals.items()}
    for signal, traces in signals.items():
        basis[f"{signal}_factors"] = _kinds(trace.factor for trace in traces)
        basis[f"{signal}_mix"] = _kinds(trace.mix for trace in traces)
    rest = {"currency": currency, "embodied": embodied}
    return basis | {name: text for name, text in rest.items() if text is not None}


def declared_basis(scenario: Scenario) -> dict[str, str]:
    """Return what the figures of a scenario stand on, without opening a file; as `basis_of`."""
    grids = [site.grid for site in scenario.sites.values()]
    marginal = [None if grid.marginal is None else signal_of(grid.marginal) for grid in grids]
    average = [signal_of(grid.average) for grid in grids]
    return basis_of(average, marginal, currency_of(scenario), spreading_of(scenario))


_KINDS: Final = {"unknown": "not stated", "": "constant"}
"""What a basis calls emission factors and mixes that have no name."""


def _kinds(words: Iterable[str]) -> str:
    return ", ".join(sorted({_KINDS.get(word, word) for word in words}))


def _joined(word: str, signals: Iterable[Signal]) -> str:
    """Return e.g. ``"average, life-cycle, production-based, CISO, PJM 2022"``."""
    by_kind: dict[str, dict[str, None]] = {}
    for signal in signals:
        by_kind.setdefault(_words(signal), {})[signal.label] = None
    parts = []
    for said, labels in by_kind.items():
        parts.append(", ".join([said, *_shortened(labels)] if said else labels))
    return f"{word}, {'; '.join(parts)}"


def _words(signal: Signal) -> str:
    """Return what a signal claims, e.g. ``"life-cycle, production-based"``; nothing, if nothing."""
    if signal.factor == signal.mix == "unknown":
        return "factors and mix not stated"
    factor = "factors not stated" if signal.factor == "unknown" else signal.factor
    mix = f"{signal.mix}-based" if signal.mix else ""
    return ", ".join(said for said in (factor, _MIX.get(signal.mix, mix)) if said)


_MIX: Final = {"unknown": "mix not stated"}


def _shortened(labels: Iterable[str]) -> list[str]:
    """Say a year once where every label ends with it: ``CISO, PJM 2022``."""
    split = [label.rpartition(" ") for label in labels]
    years = {year for _, _, year in split}
    if len(years) == 1 and years.pop().isdecimal():
        names = [name for name, _, _ in split]
        return [*names[:-1], " ".join((names[-1], split[-1][2]))]
    return [" ".join((name, year)).strip() for name, _, year in split]


def assumptions_of(
    scenario: Scenario,
    jobs: JobTable,
    traces: Iterable[tuple[GridTrace, float]],
    buildings: Iterable[tuple[Trace | None, SiteMeans]],
) -> tuple[Assumption, ...]:
    """Return every assumption of a run that a reader of its figures should know.

    Parameters
    ----------
    scenario : Scenario
    jobs : JobTable
    traces : iterable of (GridTrace, float)
        Each trace with its mean over the counted time. [g/kWh]
    buildings : iterable of (Trace or None, SiteMeans)
        For each site its outside temperature, and what its models came to.
    """
    rows = list(assumptions_of_sites(scenario, traces, buildings))
    rows += _making_rows(scenario)
    rows += _sharing_rows(scenario)
    rows += _requested_rows(scenario, jobs)
    rows += _preemption_rows(scenario)
    rows += _speed_rows(scenario)
    for size in jobs.sizes:
        rows += _size_rows(size)
    return tuple(rows)


def assumptions_of_sites(
    scenario: Scenario,
    traces: Iterable[tuple[GridTrace, float]],
    buildings: Iterable[tuple[Trace | None, SiteMeans]],
) -> tuple[Assumption, ...]:
    """Return those of machines, buildings and grids, which a run may be billed without.

    The parameters are those of `assumptions_of`, whose first rows these are.
    """
    rows: list[Assumption] = []
    for name, node in scenario.nodes.items():
        rows += [
            (name, "idle power", f"{node.idle_power_w:g}", "W", source_of(node, "idle_power")),
            (name, "busy power", f"{node.busy_power_w:g}", "W", source_of(node, "busy_power")),
            (name, "accelerators", str(node.accelerators), "1", node.source or "scenario"),
            (
                name,
                "embodied carbon",
                f"{node.embodied_kg:g}",
                "kgCO2e",
                source_of(node, "embodied"),
            ),
            (
                name,
                "lifetime",
                f"{node.lifetime_ms / MS_PER_Y:g}",
                "y",
                source_of(node, "lifetime"),
            ),
        ]
        rows += [
            (
                name,
                f"embodied: {each.count:,} x {each.part}",
                f"{each.total_kg:g}",
                "kgCO2e",
                each.how,
            )
            for each in parts_of(node.embodied_kg)
        ]
        if node.price is not None:
            amount, currency = node.price
            rows.append((name, "price", f"{amount:.10g}", currency, "scenario"))
        rows += _failure_rows(name, node)
    for (name, site), (weather, means) in zip(scenario.sites.items(), buildings, strict=True):
        rows += _building_rows(name, site, weather, means)
    for trace, mean_g_per_kwh in traces:
        site_name = trace.path.removeprefix("sites.").partition(".grid")[0]
        quantity = f"{trace.basis}{INTENSITY_MEAN}"
        source = f"{trace.label}: {trace.note}"
        rows.append((site_name, quantity, f"{mean_g_per_kwh:.4g}", "g/kWh", source))
    return tuple(rows)


def rows_of_jobs(rows: Sequence[Assumption]) -> tuple[Assumption, ...]:
    """Return the rows of `assumptions_of` that follow those of machines, buildings and grids."""
    last = max(at for at, row in enumerate(rows) if row[1].endswith(INTENSITY_MEAN))
    return tuple(rows[last + 1 :])


def _making_rows(scenario: Scenario) -> list[Assumption]:
    """Return lifetimes of use, and what was built at sites, where a run goes by them."""
    rows: list[Assumption] = []
    if scenario.accounting.embodied == BY_USE:
        for name, node in scenario.nodes.items():
            if node.use_lifetime_ms is not None:
                years = f"{node.use_lifetime_ms / MS_PER_Y:.6g}"
                rows.append((name, "lifetime of use", years, "y", "scenario"))
    for name, site in scenario.sites.items():
        for kind in BUILT:
            built: Building | None = getattr(site, kind)
            if built is None:
                continue
            said = kind.replace("_", " ")
            capacity_w = built.capacity_w
            for_it = "all nodes at full load" if capacity_w is None else f"{capacity_w:g} W"
            per_w = f"{built.embodied_g_per_w:g}"
            years = f"{built.lifetime_ms / MS_PER_Y:g}"
            rows += [
                (name, f"{said}, for {for_it}", per_w, "gCO2e/W", "scenario"),
                (name, f"{said}, lifetime", years, "y", "scenario"),
            ]
    return rows


def _building_rows(
    name: str, site: Site, weather: Trace | None, means: SiteMeans
) -> list[Assumption]:
    """Return PUE, WUE, price and outside temperature; of models the means of the run."""
    rows: list[Assumption] = []
    if isinstance(site.pue, LoadPue | FreeCoolingPue):
        words = site.pue.words()
        rows += [
            (name, "PUE, facility over IT energy", _number(means.pue_by_energy), "1", words),
            (name, "PUE, mean over time", _number(means.pue_over_time), "1", words),
        ]
    else:
        rows.append((name, "PUE", f"{site.pue:g}", "1", "scenario"))
    if isinstance(site.wue_l_per_kwh, TemperatureWue):
        words = site.wue_l_per_kwh.words()
        rows.append(
            (name, "WUE, water over IT energy", _number(means.wue_l_per_kwh), "L/kWh", words)
        )
    elif site.wue_l_per_kwh is not None:
        rows.append((name, "WUE", f"{site.wue_l_per_kwh:g}", "L/kWh", "scenario"))
    if site.electricity_price is not None:
        amount, currency = site.electricity_price
        unit = f"{currency}/kWh"
        rows.append((name, "electricity price", f"{amount:.10g}", unit, "scenario"))
    if weather is not None:
        source = f"{weather.label}: {weather.note}"
        degc = _number(means.temperature_degc)
        rows.append((name, "outside temperature, mean", degc, "degC", source))
    return rows


def _failure_rows(name: str, node: NodeType) -> list[Assumption]:
    """Return the mean times between failures and of repairs, but for those of files."""
    if node.failures is None:
        return []
    laws = (
        ("time between failures, mean", node.failures.mtbf),
        ("repair, mean", node.failures.repair),
    )
    rows = [
        (name, quantity, f"{mean(law) / MS_PER_H:.6g}", "h", "scenario")
        for quantity, law in laws
        if not isinstance(law, Empirical)
    ]
    return [
        *rows,
        (name, "power of a failed node", f"{node.failures.failed_power_w:g}", "W", "scenario"),
    ]


def _sharing_rows(scenario: Scenario) -> list[Assumption]:
    """Return how jobs that share accelerators slow one another, where any may."""
    return [
        (
            name,
            f"slowdown at a summed utilisation of {sharing.most_utilisation:g}",
            f"{sharing.slowdown(sharing.most_utilisation):.4g}",
            "1",
            "scenario",
        )
        for name, cluster in scenario.clusters.items()
        if (sharing := cluster.sharing) is not None and sharing.jobs > 1
    ]


def _requested_rows(scenario: Scenario, jobs: JobTable) -> list[Assumption]:
    """Return for clusters that go by requested times that these are the durations themselves."""
    if jobs.requested_ms is not None:
        return []
    said = "no job says a requested time"
    return [
        (name, "requested time over duration", "1", "1", said)
        for name, each in scheduling_of(scenario).items()
        if each.rule is None or each.rule.needs_requested
    ]


def _preemption_rows(scenario: Scenario) -> list[Assumption]:
    """Return what preempting a job takes, for clusters that do."""
    rows: list[Assumption] = []
    for name, cluster in scenario.clusters.items():
        if (how := cluster.preemption) is None:
            continue
        times_ms = {"run time before preemption": how.after_ms}
        if how.suspends:
            times_ms |= {"time to suspend": how.suspend_ms, "time to resume": how.resume_ms}
        rows += [
            (name, f"{quantity} of a job", f"{time_ms / MS_PER_S:.6g}", "s", "scenario")
            for quantity, time_ms in times_ms.items()
        ]
    return rows


def _speed_rows(scenario: Scenario) -> list[Assumption]:
    """Return how fast accelerators are for workloads that choose among kinds of them."""
    rows: dict[tuple[str, str], Assumption] = {}
    for name, workload in scenario.workloads.items():
        if workload.accelerators is None and not workload.clusters.binds:
            continue
        stated = workload.accelerators or {}
        for cluster in eligible(workload, scenario.clusters, scenario.nodes):
            kind = scenario.clusters[cluster].node
            node = scenario.nodes[kind]
            speed, source = stated.get(node.accelerator or ""), "scenario, for this workload"
            if speed is None and workload.gpu_days is None:
                speed, source = 1.0, "durations hold on any node"
            elif speed is None:
                speed, source = node.relative_speed, "scenario"
                if speed == 1.0 and (node.source or "").startswith("catalog "):
                    source = "catalog: left at 1, no source compared them"
            quantity = f"relative speed on {node.accelerator or kind}"
            rows[name, quantity] = (name, quantity, f"{speed:g}", "1", source)
    return list(rows.values())


def _number(value: float | None) -> str:
    return "nothing drawn" if value is None else f"{value:.4g}"


def _size_rows(size: WorkloadSize) -> list[Assumption]:
    """Return the sizes of a workload: it is the mean, not the median, that loads the fleet."""
    values = [
        ("GPU-days p50", size.gpu_days_p50, "GPU-days", "jobs of this run"),
        ("GPU-days p99", size.gpu_days_p99, "GPU-days", "jobs of this run"),
        ("GPU-days mean", size.gpu_days_mean, "GPU-days", "jobs of this run"),
        ("GPU-days mean of the law", size.law_mean_gpu_days, "GPU-days", "scenario"),
        ("offered load", size.offered_load, "1", "jobs of this run"),
    ]
    return [
        (size.name, quantity, f"{value:.4g}", unit, source)
        for quantity, value, unit, source in values
        if value is not None and value == value
    ]
