"""What a job, or all jobs of a workload, held, drew and emitted: the figures of a statement."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.drawn import period_of
from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.explanation.job import row_of
from simulator.explanation.job_parts import ENDS
from simulator.explanation.ranges import Range, ranges_of
from simulator.explanation.recipes import numbers
from simulator.results import Results
from simulator.scenario.grid import signal_of
from simulator.tables import codes_of
from simulator.units import MS_PER_S, S_PER_H

SUMS: Final = (
    "energy_dynamic_kwh",
    "energy_idle_share_kwh",
    "energy_facility_kwh",
    "operational_kgco2e",
    "marginal_kgco2e",
    "embodied_kgco2e",
)
"""Columns of jobs that a statement adds up."""


ROUNDING: Final = 1e-12
"""Relative difference of two energies that are the same."""
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
    def market_kg(self) -> float | None:
        """Market-based carbon; None where it is not known of the job's site. [kgCO2e]

        Contracts are of sites, not of jobs: a job has the share of what is market-based at its site
        that it has of what is location-based. Of several sites only the sum is known.
        """
        market_kg = self.results.summary["scope2_market_kgco2e"]
        location_kg = self.results.summary["scope2_location_kgco2e"]
        if market_kg is None or not location_kg or self.has_several_sites:
            return None
        return self.of("operational_kgco2e") * float(market_kg) / float(location_kg)

    @property
    def has_several_sites(self) -> bool:
        """Whether the fleet stands at more than one site."""
        return len({each.site for each in self.results.scenario.clusters.values()}) > 1

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
    ends = np.bincount(codes_of(table["state"], ENDS)[chosen], minlength=len(ENDS)).tolist()
    start_s = numbers(results, "jobs", "start_s")[chosen]
    begin_s = results.scenario.warm_up_ms / MS_PER_S
    return Statement(
        results=results,
        kind="workload" if job is None else "job",
        name=str(workload if job is None else job),
        states={word: int(count) for word, count in zip(ENDS, ends, strict=True) if count},
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
    it = dynamic + idle
    beside = np.where(np.isclose(facility, it, rtol=ROUNDING, atol=0.0), 0.0, facility - it)
    parts = (dynamic, idle, beside)
    return {kind: float(part @ per_kwh) for kind, part in zip(KINDS, parts, strict=True)}


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
