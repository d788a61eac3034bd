"""What one job of a run was billed, factor by factor."""

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from simulator.errors import InputError, Issue, nearest, shown
from simulator.explanation.making import built_kg_per_gpu_h, lifetime_h
from simulator.figures.series import counted_h
from simulator.results import Results
from simulator.scenario.clusters import Cluster
from simulator.scenario.model import Scenario
from simulator.scenario.nodes import NodeType
from simulator.units import G_PER_KG, MS_PER_S, S_PER_H, W_PER_KW

MOST_COMPARED: Final = 2000
"""Identifiers that an unknown one is compared with, letter by letter."""
MOST_DIGITS: Final = 12
"""Digits of a number that is looked for with other zeros before it."""


@dataclass(frozen=True, slots=True)
class JobBill:
    """The bill of one job; what lies outside the counted period is not in it.

    Attributes
    ----------
    job_id, workload, cluster, site, state : str
    gpus, accelerators : int
        Held, and those of one node of the cluster.
    held_h : float
        How long they were held within the counted period; 0 if the job never started.
    share_held : float
        Part of that which counts as its own: less than 1 where others were on its accelerator.
    utilisation : float or None
        Busy share of what was held, worked back from the energy; None where the load curve
        bends, a budget may have capped the job, or a busy node draws no more than an idle one.
    dynamic_w, idle_share_w : float or None
        Mean power above idle, and its share of idle power; None if nothing was held.
    energy_dynamic_kwh, energy_idle_share_kwh, energy_facility_kwh : float
    pue : float or None
        Facility over IT energy of the job: the mean over its run, weighted by IT energy.
    intensity_g_per_kwh : float or None
        Average intensity over its run, weighted by facility energy.
    operational_kgco2e, embodied_kgco2e, total_kgco2e : float
    marginal_kgco2e : float or None
    embodied_each_kg, lifetime_h : float
        Of one node of the cluster; the lifetime is that of use where making is spread by use.
    built_kgco2e : float
        Part of `embodied_kgco2e` that is of the building and the power gear.
    """

    job_id: str
    workload: str
    cluster: str
    site: str
    state: str
    gpus: int
    accelerators: int
    held_h: float
    share_held: float
    utilisation: float | None
    dynamic_w: float | None
    idle_share_w: float | None
    energy_dynamic_kwh: float
    energy_idle_share_kwh: float
    energy_facility_kwh: float
    pue: float | None
    intensity_g_per_kwh: float | None
    operational_kgco2e: float
    embodied_kgco2e: float
    total_kgco2e: float
    marginal_kgco2e: float | None
    embodied_each_kg: float
    lifetime_h: float
    built_kgco2e: float = 0.0


def job_bill(results: Results, job_id: str) -> JobBill:
    """Return the bill of one job.

    Raises
    ------
    InputError
        If no job of the run has that identifier; the nearest one is named.
    """
    _, job = row_of(results, job_id)
    cluster = results.scenario.clusters[job["cluster"]]
    node, level = results.scenario.nodes[cluster.node], cluster.power_level
    capped = _may_be_capped(results.scenario, cluster)
    held_h = _held_s(results, job) / S_PER_H
    dynamic_kwh, idle_kwh = job["energy_dynamic_kwh"], job["energy_idle_share_kwh"]
    dynamic_w = dynamic_kwh * W_PER_KW / held_h if held_h else None
    share_held = _share_held(job, held_h)
    gpus = job["gpus"] * share_held
    it_kwh, facility_kwh = dynamic_kwh + idle_kwh, job["energy_facility_kwh"]
    operational_kg, embodied_kg = job["operational_kgco2e"], job["embodied_kgco2e"]
    return JobBill(
        job_id=job["job_id"],
        workload=job["workload"],
        cluster=job["cluster"],
        site=cluster.site,
        state=job["state"],
        gpus=job["gpus"],
        accelerators=node.accelerators,
        held_h=held_h,
        share_held=share_held,
        utilisation=None if capped else _utilisation(node, level, gpus, dynamic_w),
        dynamic_w=dynamic_w,
        idle_share_w=idle_kwh * W_PER_KW / held_h if held_h else None,
        energy_dynamic_kwh=dynamic_kwh,
        energy_idle_share_kwh=idle_kwh,
        energy_facility_kwh=facility_kwh,
        pue=facility_kwh / it_kwh if it_kwh else None,
        intensity_g_per_kwh=operational_kg * G_PER_KG / facility_kwh if facility_kwh else None,
        operational_kgco2e=operational_kg,
        embodied_kgco2e=embodied_kg,
        total_kgco2e=operational_kg + embodied_kg,
        marginal_kgco2e=job["marginal_kgco2e"],
        embodied_each_kg=node.embodied_kg,
        lifetime_h=lifetime_h(results.scenario, node),
        built_kgco2e=gpus * held_h * built_kg_per_gpu_h(results.scenario, job["cluster"]),
    )


def row_of(results: Results, job_id: str) -> tuple[int, dict[str, Any]]:
    """Return the number of the row of a job, and the row.

    Raises
    ------
    InputError
        If no job of the run has that identifier; the nearest one is named.
    """
    table = results.tables["jobs"]
    at = pc.index(table["job_id"], pa.scalar(job_id)).as_py()
    if at < 0:
        rule = f"{shown(job_id)} is not a job of this run; {_meant(table['job_id'], job_id)}"
        raise InputError(results.scenario.name, [Issue("--job", rule)])
    row: dict[str, Any] = table.slice(at, 1).to_pylist()[0]
    return at, row


def _meant(known: pa.ChunkedArray, job_id: str) -> str:
    """Say which job may have been meant."""
    if not len(known):
        return "it has none"
    near = _renumbered(known, job_id) or _alike(known, job_id)
    return f"did you mean {shown(near)}?"


def _renumbered(known: pa.ChunkedArray, job_id: str) -> str | None:
    """Return the job of the same number, written with other zeros before it."""
    stem = job_id.rstrip("0123456789")
    number = job_id[len(stem) : len(stem) + MOST_DIGITS]
    widths = range(1, MOST_DIGITS + 1) if number else ()
    spellings = pa.array([f"{stem}{int(number):0{width}d}" for width in widths], pa.string())
    found = known.filter(pc.is_in(known, value_set=spellings))
    name: str | None = found[0].as_py() if len(found) else None
    return name


def _alike(known: pa.ChunkedArray, job_id: str) -> str:
    """Return the nearest of the jobs that begin alike; there may be too many to compare all."""
    like = known
    for length in range(len(job_id), 0, -1):
        found = known.filter(pc.starts_with(known, job_id[:length], ignore_case=True))
        if len(found):
            like = found
            break
    candidates: list[str] = like.slice(0, MOST_COMPARED).to_pylist()
    return nearest(job_id, candidates) or candidates[0]


def _held_s(results: Results, job: dict[str, Any]) -> float:
    """Return how long the job held its accelerators within the counted period. [s]"""
    if job["start_s"] is None:
        return 0.0
    if "run_s" in job:  # it may have been cut short between
        return float(job["run_s"])
    first_s = results.scenario.warm_up_ms / MS_PER_S
    last_s = first_s + counted_h(results) * S_PER_H
    begin_s = max(first_s, job["start_s"])
    end_s = last_s if job["end_s"] is None else min(last_s, job["end_s"])
    return float(max(begin_s, end_s) - begin_s)


def _share_held(job: dict[str, Any], held_h: float) -> float:
    """Return which part of what the job held counts as its own."""
    if not held_h or not job.get("shared_share"):
        return 1.0
    return float(job["gpu_hours_held"] / (job["gpus"] * held_h))


def _may_be_capped(scenario: Scenario, cluster: Cluster) -> bool:
    """Return whether a power budget may have run a job at a level that the tables don't tell."""
    budgets_w = cluster.power_budget_w, scenario.sites[cluster.site].power_budget_w
    return budgets_w != (None, None) and bool(scenario.nodes[cluster.node].power_levels)


def _utilisation(
    node: NodeType, power_level: str, gpus: float, dynamic_w: float | None
) -> float | None:
    level = node.level(power_level)
    most_w = (level.busy_power_w - level.idle_power_w) * gpus / node.accelerators
    if dynamic_w is None or not most_w or (level.load_curve or node.load_curve) != "linear":
        return None
    return dynamic_w / most_w
