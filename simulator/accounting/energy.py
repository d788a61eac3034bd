"""IT energy of a metered run: time in each state times its power, and work times dynamic power.

A node draws its idle power while it is in service, less what its idle states spare, plus what its
jobs draw above idle. Summed in this order, a state that spares nothing changes no bit of a total.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.accounting.metering import Metered
from simulator.fleet import Fleet
from simulator.kernels import meter as flows
from simulator.kernels.ladder import ENTERING, RESTING, WAKING_FROM
from simulator.power.ladder import Ladders
from simulator.units import W_MS_PER_KWH

DYNAMIC, IDLE, SLEEP, TRANSITION = range(4)
"""Places of the kinds of `simulator.accounting.carbon.KINDS`."""


@dataclass(frozen=True, slots=True)
class Energy:
    """IT energy and node-time of a run.

    Attributes
    ----------
    it_kwh : float64[bins, clusters]
    by_kind_kwh : float64[bins, clusters, 4]
        The same by kind.
    owned_ms, awake_ms, transition_ms : int64[bins, clusters]
        Node-time in service, awake, and entering an idle state or waking. [ms]
    node_kwh : float64[nodes]
    node_owned_ms, node_awake_ms, node_failed_ms : int64[nodes]
        Time of each node in service, awake, and failed. [ms]
    """

    it_kwh: NDArray[np.float64]
    by_kind_kwh: NDArray[np.float64]
    owned_ms: NDArray[np.int64]
    awake_ms: NDArray[np.int64]
    transition_ms: NDArray[np.int64]
    node_kwh: NDArray[np.float64]
    node_owned_ms: NDArray[np.int64]
    node_awake_ms: NDArray[np.int64]
    node_failed_ms: NDArray[np.int64]


def energy_of(
    fleet: Fleet,
    ladders: Ladders,
    metered: Metered,
    failed_w: NDArray[np.float64] | None = None,
) -> Energy:
    """Return the IT energy of a metered run.

    Parameters
    ----------
    fleet : Fleet
    ladders : Ladders
    metered : Metered
    failed_w : float64[clusters], optional
        Power of a failed node; none given, no node fails. [W]
    """
    failed_w = np.zeros_like(fleet.idle_w) if failed_w is None else failed_w
    span_w = (fleet.busy_w - fleet.idle_w) / fleet.accelerators
    all_ms = metered.width_ms[:, None] * fleet.node_count
    dynamic = span_w * metered.bins[:, :, flows.DRAWN]
    parts = _Parts(metered.away_ms, ladders, all_ms)
    kinds = np.stack(
        [dynamic, *parts.by_kind(fleet.idle_w, ladders.power_w, failed_w, ladders)], axis=2
    )
    it_kwh = (dynamic + parts.w_ms(fleet.idle_w, ladders.power_w, failed_w)) / W_MS_PER_KWH

    cluster = np.repeat(np.arange(len(fleet.node_count)), fleet.node_count)
    window_ms = np.full(len(cluster), metered.end_ms - metered.grid.begin_ms, np.int64)
    nodes = _Parts(metered.node_away_ms, ladders, window_ms)
    node_w_ms = span_w[cluster] * metered.drawn_ms
    node_w_ms += nodes.w_ms(fleet.idle_w[cluster], ladders.power_w[cluster], failed_w[cluster])
    return Energy(
        it_kwh=it_kwh,
        by_kind_kwh=kinds / W_MS_PER_KWH,
        owned_ms=parts.owned_ms,
        awake_ms=parts.awake_ms,
        transition_ms=parts.transition_ms(ladders),
        node_kwh=node_w_ms / W_MS_PER_KWH,
        node_owned_ms=nodes.owned_ms,
        node_awake_ms=nodes.awake_ms,
        node_failed_ms=nodes.failed_ms,
    )


class _Parts:
    """Node-time split into its codes, the last axis of `away_ms`; none where nobody sleeps."""

    def __init__(
        self, away_ms: NDArray[np.int64], ladders: Ladders, all_ms: NDArray[np.int64]
    ) -> None:
        self.away_ms = away_ms[..., : ladders.absent]
        absent = away_ms[..., ladders.absent : ladders.absent + 1].sum(axis=-1)
        self.failed_ms = away_ms[..., ladders.absent + 1 :].sum(axis=-1)
        self.owned_ms = all_ms - absent
        self.awake_ms = self.owned_ms - self.away_ms.sum(axis=-1) - self.failed_ms

    def transition_ms(self, ladders: Ladders) -> NDArray[np.int64]:
        """Return the node-time entering an idle state or waking. [ms]"""
        entering, waking = (
            self.away_ms[..., ladders.states_of(phase)].sum(axis=-1)
            for phase in (ENTERING, WAKING_FROM)
        )
        total: NDArray[np.int64] = entering + waking
        return total

    def w_ms(
        self,
        idle_w: NDArray[np.float64],
        power_w: NDArray[np.float64],
        failed_w: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return what is drawn beside dynamic power. [W x ms]"""
        codes = self.away_ms.shape[-1]
        spared = ((idle_w[..., None] - power_w[..., :codes]) * self.away_ms).sum(axis=-1)
        drawn: NDArray[np.float64] = idle_w * self.owned_ms - spared
        drawn -= (idle_w - failed_w) * self.failed_ms
        return drawn

    def by_kind(
        self,
        idle_w: NDArray[np.float64],
        power_w: NDArray[np.float64],
        failed_w: NDArray[np.float64],
        ladders: Ladders,
    ) -> list[NDArray[np.float64]]:
        """Return what awake, resting and changing nodes draw beside dynamic power. [W x ms]

        Failed nodes are with those that are awake.
        """
        codes = self.away_ms.shape[-1]
        drawn = power_w[..., :codes] * self.away_ms
        resting, entering, waking = (
            drawn[..., ladders.states_of(phase)].sum(axis=-1)
            for phase in (RESTING, ENTERING, WAKING_FROM)
        )
        awake = idle_w * self.awake_ms + failed_w * self.failed_ms
        return [awake, resting, entering + waking]
