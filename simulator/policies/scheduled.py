"""scheduled: nodes awake by the hour of the day or of the week."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from typing import Annotated, Any, Final

from simulator.policies.sizing import whole_nodes
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.registry import provisioning
from simulator.scenario.fields import Number, TimeZone, Whole
from simulator.scenario.parameters import ListOf
from simulator.scenario.provisioning import MOST_NODES
from simulator.units import H_PER_D, MS_PER_H

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LENGTHS: Final = (H_PER_D, 7 * H_PER_D)
"""Hours of a day, or of a week that begins on Monday."""


def _one_of_two(
    *, nodes: tuple[int, ...], shares: tuple[float, ...], **_: Any
) -> Iterator[tuple[str, str]]:
    if nodes and shares:
        yield "shares", "nodes says it too; take one of them out"
    if not nodes and not shares:
        yield "", "say how many: write nodes or shares, a list of 24 or 168 numbers"


@provisioning("scheduled", rules=_one_of_two)
def scheduled(
    env: Clock,
    cluster: ClusterView,
    *,
    nodes: Annotated[tuple[int, ...], ListOf(Whole(0, MOST_NODES), LENGTHS)] = (),
    shares: Annotated[
        tuple[float, ...], ListOf(Number(low=0.0, high=1.0, meaning="a share"), LENGTHS)
    ] = (),
    time_zone: Annotated[str, TimeZone()] = "UTC",
) -> Commands:
    """Keep nodes awake by a timetable; the others follow the ladder.

    From each full hour of the time zone on at least nodes[hour], or ceil(shares[hour] x nodes of
    the cluster), are kept awake. Time-of-day capacity is how a tier with a known daily swing is
    run by hand: with a trough of 0.75 of the peak it frees up to a quarter of the nodes
    (Wu et al., Sustainable AI, 2022).

    Parameters
    ----------
    nodes : tuple of int
        Nodes awake in each hour of the day, or of the week from Monday 00:00.
    shares : tuple of float
        The same as shares of the cluster's nodes.
    time_zone : str
        Time zone of the hours.
    """
    zone = zoneinfo.ZoneInfo(time_zone)
    hours = len(nodes or shares)
    kept = 0
    while True:
        local = EPOCH + dt.timedelta(milliseconds=cluster.start_epoch_ms + cluster.now_ms)
        local = local.astimezone(zone)
        hour = (local.weekday() * H_PER_D + local.hour) % hours
        awake = nodes[hour] if nodes else whole_nodes(shares[hour] * cluster.node_count)
        if awake != kept:
            cluster.keep_awake(awake)
            kept = awake
        past = local - local.replace(minute=0, second=0, microsecond=0)
        yield env.timeout(MS_PER_H - past // dt.timedelta(milliseconds=1))
