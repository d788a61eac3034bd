"""The carbon impact statement of a job, or of all jobs of a workload, as one document."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.drawn import period_of
from simulator.assumptions import basis_of
from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.explanation.citations import cited
from simulator.explanation.job import row_of
from simulator.explanation.parts import numbers
from simulator.explanation.ranges import Range, ranges_of
from simulator.results import Results, library_versions
from simulator.scenario.grid import signal_of
from simulator.tables import codes_of
from simulator.units import G_PER_KG, MS_PER_S, S_PER_H

FORM: Final = 1
"""Version of the document: raised when a field changes its name or meaning."""
MARKET: Final = "not known: the scenario names no contract and no residual mix"
MARGINAL: Final = "not known: not every site has a marginal signal"
SUMS: Final = (
    "energy_dynamic_kwh",
    "energy_idle_share_kwh",
    "energy_facility_kwh",
    "operational_kgco2e",
    "marginal_kgco2e",
    "embodied_kgco2e",
)
"""Columns of jobs that a statement adds up."""


KINDS: Final = ("dynamic", "idle", "overhead")
"""Kinds of a job's energy: above idle power, its share of idle power, what buildings add."""


@dataclass(frozen=True, slots=True)
class Held:
    """What jobs held on one cluster.

    Attributes
    ----------
    cluster, site, node_type, accelerator : str
    accelerators : int
        Of one node.
    most_gpus : int
        Of the largest of the jobs.
    gpu_hours : float
        Within the counted period.
    grid : str
        Name of the site's average signal.
    """

    cluster: str
    site: str
    node_type: str
    accelerator: str
    accelerators: int
    most_gpus: int
    gpu_hours: float
    grid: str


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """The total of a workload in runs of other seeds.

    Attributes
    ----------
    seeds : tuple of int
    totals_kg : tuple of float
        One for each seed. [kgCO2e]
    mean_kg, low_kg, high_kg : float
        Their mean, and its interval of 95 % (Student t). [kgCO2e]
    """

    seeds: tuple[int, ...]
    totals_kg: tuple[float, ...]
    mean_kg: float
    low_kg: float
    high_kg: float


@dataclass(frozen=True, slots=True)
class Statement:
    """What a job, or a workload, drew and emitted.

    Attributes
    ----------
    results : Results
    kind : str
        ``"job"`` or ``"workload"``.
    name : str
    states : dict of str to int
        Jobs by their state at the end of the run.
    cut : int
        Jobs that ran before the counted period too, which is not in the statement.
    held : tuple of Held
        By cluster; none where nothing was held.
    sums : dict of str to (float or None)
        Of `SUMS`, None where absent.
    kinds_kg : dict of str to float
        Operational carbon by `KINDS`, that of each job split by its energy. [kgCO2e]
    ranges : tuple of Range
        How far the total moves over the ranges of the catalog.
    over_seeds : OverSeeds or None
        None where only one run is known.
    """

    results: Results
    kind: str
    name: str
    states: dict[str, int]
    cut: int
    held: tuple[Held, ...]
    sums: dict[str, float | None]
    kinds_kg: dict[str, float]
    ranges: tuple[Range, ...]
    over_seeds: OverSeeds | None = None

    @property
    def gpu_hours(self) -> float:
        """Accelerators held times time, within the counted period."""
        return sum(each.gpu_hours for each in self.held)

    def of(self, key: str) -> float:
        """Return a sum that is never absent."""
        return float(self.sums[key] or 0.0)

    @property
    def it_kwh(self) -> float:
        """IT energy."""
        return self.of("energy_dynamic_kwh") + self.of("energy_idle_share_kwh")

    @property
    def total_kg(self) -> float:
        """Location-based operational and embodied carbon. [kgCO2e]"""
        return self.of("operational_kgco2e") + self.of("embodied_kgco2e")


def statement_of(
    results: Results, *, job: str | None = None, workload: str | None = None
) -> Statement:
    """Return the statement of a job or of a workload.

    Raises
    ------
    InputError
        If the run has none of that name; the nearest one is named.
    """
    if job is not None:
        at, _ = row_of(results, job)
        chosen = np.zeros(results.tables["jobs"].num_rows, np.bool_)
        chosen[at] = True
    else:
        chosen = _of_workload(results, workload or "")
    table = results.tables["jobs"]
    sums = {name: _total(numbers(results, "jobs", name)[chosen]) for name in SUMS}
    held_h = gpu_hours(results)
    held = tuple(_held(results, chosen, held_h))
    states = [str(word) for word in table["state"].filter(_mask(chosen)).to_pylist()]
    start_s = numbers(results, "jobs", "start_s")[chosen]
    begin_s = results.scenario.warm_up_ms / MS_PER_S
    return Statement(
        results=results,
        kind="workload" if job is None else "job",
        name=str(workload if job is None else job),
        states={word: states.count(word) for word in dict.fromkeys(sorted(states))},
        cut=int(np.count_nonzero((start_s < begin_s) & (held_h[chosen] > 0.0))),
        held=held,
        sums=sums,
        kinds_kg=_kinds_kg(results, chosen),
        ranges=ranges_of(results, chosen),
    )


def gpu_hours(results: Results) -> NDArray[np.float64]:
    """Return the accelerators that each job held times time, within the counted period."""
    table, period = results.tables["jobs"], period_of(results)
    if "gpu_hours_held" in table.column_names:
        return numbers(results, "jobs", "gpu_hours_held")
    gpus = numbers(results, "jobs", "gpus")
    if "run_s" in table.column_names:
        hours: NDArray[np.float64] = gpus * numbers(results, "jobs", "run_s") / S_PER_H
        return hours
    begin_s, end_s = (at / MS_PER_S for at in (period.grid.begin_ms, period.end_ms))
    start_s, until_s = (numbers(results, "jobs", name) for name in ("start_s", "end_s"))
    first_s = np.maximum(np.nan_to_num(start_s, nan=end_s), begin_s)
    last_s = np.minimum(np.nan_to_num(until_s, nan=end_s), end_s)
    held: NDArray[np.float64] = gpus * np.maximum(last_s - first_s, 0.0) / S_PER_H
    return held


def _of_workload(results: Results, name: str) -> NDArray[np.bool_]:
    known = results.tables["jobs"]["workload"].unique().to_pylist()
    if name not in known:
        near = nearest(name, known)
        meant = f"did you mean {shown(near)}?" if near else f"there are {listing(known)}"
        rule = f"{shown(name)} is no workload with jobs in this run; {meant}"
        raise InputError(results.scenario.name, [Issue("--workload", rule)])
    chosen: NDArray[np.bool_] = codes_of(results.tables["jobs"]["workload"], (name,)) == 0
    return chosen


def _kinds_kg(results: Results, chosen: NDArray[np.bool_]) -> dict[str, float]:
    """Return the operational carbon of dynamic and idle energy and of what buildings add."""
    dynamic, idle, facility, operational = (
        numbers(results, "jobs", name)[chosen]
        for name in (
            "energy_dynamic_kwh",
            "energy_idle_share_kwh",
            "energy_facility_kwh",
            "operational_kgco2e",
        )
    )
    drew = facility > 0.0
    per_kwh = np.divide(operational, facility, out=np.zeros_like(facility), where=drew)
    parts = (dynamic, idle, facility - dynamic - idle)
    return {kind: float(part @ per_kwh) for kind, part in zip(KINDS, parts, strict=True)}


def _mask(chosen: NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    return pa.array(chosen)


def _total(values: NDArray[np.float64]) -> float | None:
    """Return a sum, None where any of it is absent."""
    total = float(values.sum())
    return None if np.isnan(total) else total


def _held(
    results: Results, chosen: NDArray[np.bool_], held_h: NDArray[np.float64]
) -> Iterator[Held]:
    scenario, table = results.scenario, results.tables["jobs"]
    code = codes_of(table["cluster"], scenario.clusters)
    gpus = numbers(results, "jobs", "gpus")
    for at, (name, cluster) in enumerate(scenario.clusters.items()):
        mine = chosen & (code == at) & (held_h > 0.0)
        if not mine.any():
            continue
        node, site = scenario.nodes[cluster.node], scenario.sites[cluster.site]
        yield Held(
            cluster=name,
            site=cluster.site,
            node_type=cluster.node,
            accelerator=node.accelerator or cluster.node,
            accelerators=node.accelerators,
            most_gpus=int(gpus[mine].max()),
            gpu_hours=float(held_h[mine].sum()),
            grid=signal_of(site.grid.average).label,
        )


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
            "overhead_kwh": facility_kwh - it_kwh,
            "facility_kwh": facility_kwh,
            "pue": facility_kwh / it_kwh if it_kwh else None,
        },
        "carbon": {
            "scope2_location_kgco2e": sums["operational_kgco2e"],
            **{f"{kind}_kgco2e": part_kg for kind, part_kg in statement.kinds_kg.items()},
            "scope2_market_kgco2e": None,
            "scope2_market_note": MARKET,
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
        for key, word in _WORDS.items():
            if (node, key) not in ranged:
                yield f"{node}: {word}"
    for site in dict.fromkeys(each.site for each in statement.held):
        yield f"{site}: PUE"
        yield f"{site}: average intensity"
    if statement.over_seeds is None:
        yield "the course of events: other seeds draw other jobs"


_WORDS: Final = {
    "idle_power": "idle power",
    "busy_power": "busy power",
    "embodied": "embodied carbon",
    "lifetime": "lifetime",
}


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
