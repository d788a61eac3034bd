"""The carbon of making nodes and of building sites: what of it a run is counted, and its jobs.

Of every node ``E x counted time / lifetime``: by a straight line the time it is owned over its
calendar lifetime, by use the time its accelerators are held, or it is awake, over its lifetime of
use. A building is spread over the calendar alone. A job bears the share of the accelerators that it
holds; what jobs don't bear is unallocated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.energy import Energy
from simulator.accounting.metering import Metered
from simulator.fleet import Fleet
from simulator.kernels.meter import HELD
from simulator.scenario.buildings import BUILT
from simulator.scenario.model import Scenario
from simulator.scenario.spreading import AWAKE, BY_USE, WRITTEN_OFF
from simulator.scenario.spreading import HELD as HELD_BY_JOBS
from simulator.units import G_PER_KG


@dataclass(frozen=True, slots=True)
class Making:
    """How the carbon of making is spread.

    Attributes
    ----------
    in_use : str or None
        What counts as use, `held` or `awake`; None where every node owned counts.
    lifetime_ms : float64[clusters]
        Calendar lifetime of one node, or its lifetime of use. [ms]
    writes_off : bool
        Whether what a node leaves at its retirement is counted then.
    age_ms : float64[clusters]
        Age of the first nodes at the start. [ms]
    built_g_per_ms : float64[sites, built]
        Carbon of the building and of the power gear of each site, over its lifetime. [g/ms]
    built_g_per_w_ms : float64[sites, built]
        The same of one watt of its capacity. [g/(W ms)]
    """

    in_use: str | None
    lifetime_ms: NDArray[np.float64]
    writes_off: bool
    age_ms: NDArray[np.float64]
    built_g_per_ms: NDArray[np.float64]
    built_g_per_w_ms: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Embodied:
    """The carbon of making and building that a run is counted.

    Attributes
    ----------
    nodes_kg : float64[clusters]
        Of nodes, for the time that counts. [kgCO2e]
    written_off_kg : float64[nodes] or None
        What they left at their retirement; None where it is carried. [kgCO2e]
    built_kg : float64[sites, built]
        Of buildings and power gear. [kgCO2e]
    per_gpu_kg_per_ms : float64[clusters]
        What a job bears for each accelerator it holds. [kg/ms]
    """

    nodes_kg: NDArray[np.float64]
    written_off_kg: NDArray[np.float64] | None
    built_kg: NDArray[np.float64]
    per_gpu_kg_per_ms: NDArray[np.float64]

    @property
    def total_kg(self) -> float:
        """All of it. [kgCO2e]"""
        written_off_kg = 0.0 if self.written_off_kg is None else float(self.written_off_kg.sum())
        return float(self.nodes_kg.sum()) + float(self.built_kg.sum()) + written_off_kg


def straight_line(fleet: Fleet) -> Making:
    """Return the rule of every fleet that says nothing else: calendar lifetime, no buildings."""
    nothing = np.zeros((len(fleet.site_names), len(BUILT)))
    ages_ms = np.zeros(len(fleet.cluster_names))
    return Making(None, fleet.lifetime_ms, False, ages_ms, nothing, nothing)


def making_of(scenario: Scenario, fleet: Fleet) -> Making:
    """Return how a scenario spreads the carbon of making."""
    accounting = scenario.accounting
    by_use = accounting.embodied == BY_USE
    clusters = scenario.clusters.values()
    lifetimes_ms = [scenario.nodes[cluster.node].use_lifetime_ms for cluster in clusters]
    site_w = np.bincount(fleet.site, fleet.busy_w * fleet.node_count, len(fleet.site_names))
    per_w_ms = np.zeros((len(fleet.site_names), len(BUILT)))
    capacity_w = np.repeat(site_w[:, None], len(BUILT), axis=1)
    for at, site in enumerate(scenario.sites.values()):
        for kind, key in enumerate(BUILT):
            if (built := getattr(site, key)) is None:
                continue
            per_w_ms[at, kind] = built.embodied_g_per_w / built.lifetime_ms
            if built.capacity_w is not None:
                capacity_w[at, kind] = built.capacity_w
    return Making(
        in_use=(accounting.in_use or HELD_BY_JOBS) if by_use else None,
        lifetime_ms=np.array(lifetimes_ms, np.float64) if by_use else fleet.lifetime_ms,
        writes_off=accounting.retirement == WRITTEN_OFF,
        age_ms=np.array([float(cluster.idle.age_ms) for cluster in clusters]),
        built_g_per_ms=per_w_ms * capacity_w,
        built_g_per_w_ms=per_w_ms,
    )


def embodied_of(fleet: Fleet, metered: Metered, energy: Energy, making: Making) -> Embodied:
    """Return the carbon of making and building that a metered run is counted."""
    counted_g = fleet.embodied_g * _counted_ms(fleet, metered, energy, making) / making.lifetime_ms
    window_ms = metered.end_ms - metered.grid.begin_ms
    per_gpu = fleet.embodied_g / (fleet.accelerators * making.lifetime_ms * G_PER_KG)
    built_g_per_w_ms = making.built_g_per_w_ms.sum(axis=1)[fleet.site]
    per_gpu += built_g_per_w_ms * fleet.busy_w / (fleet.accelerators * G_PER_KG)
    return Embodied(
        nodes_kg=counted_g / G_PER_KG,
        written_off_kg=_written_off_kg(fleet, metered, making) if making.writes_off else None,
        built_kg=making.built_g_per_ms * window_ms / G_PER_KG,
        per_gpu_kg_per_ms=per_gpu,
    )


def _counted_ms(
    fleet: Fleet, metered: Metered, energy: Energy, making: Making
) -> NDArray[np.int64] | NDArray[np.float64]:
    """Return the node-time of each cluster that counts: owned, or in use. [ms]"""
    if making.in_use != HELD_BY_JOBS:
        by_bin = energy.awake_ms if making.in_use == AWAKE else energy.owned_ms
        whole_ms: NDArray[np.int64] = by_bin.sum(axis=0)
        return whole_ms
    held_ms: NDArray[np.float64] = metered.bins[:, :, HELD].sum(axis=0) / fleet.accelerators
    return held_ms


def _written_off_kg(fleet: Fleet, metered: Metered, making: Making) -> NDArray[np.float64]:
    """Return what nodes left at retirements within the counted period, float64[nodes].

    First nodes have been counted their age before the start: by the calendar, or as much use as
    is expected in that time.
    """
    left_kg = np.zeros(int(fleet.first_node[-1]))
    if (gone := metered.retirements) is None:
        return left_kg
    cluster = np.repeat(np.arange(len(fleet.node_count)), fleet.node_count)[gone.node]
    before = np.where(gone.first, making.age_ms[cluster] / fleet.lifetime_ms[cluster], 0.0)
    counted_ms: NDArray[np.float64] = gone.served_ms.astype(np.float64)
    if making.in_use is not None:
        counted_ms = gone.held_gpu_ms / fleet.accelerators[cluster]
    share = np.maximum(0.0, 1.0 - before - counted_ms / making.lifetime_ms[cluster])
    share[gone.time_ms < metered.grid.begin_ms] = 0.0
    np.add.at(left_kg, gone.node, share * fleet.embodied_g[cluster] / G_PER_KG)
    return left_kg
