"""reactive: up fast when jobs wait, down slowly when none does."""

from typing import Annotated

from simulator.policies.sizing import Nodes, Period, Time
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.registry import provisioning
from simulator.scenario.fields import Whole
from simulator.scenario.provisioning import MOST_NODES
from simulator.units import MS_PER_MIN


@provisioning("reactive")
def reactive(
    env: Clock,
    cluster: ClusterView,
    *,
    jobs: Annotated[int, Whole(1, 2**31 - 1)] = 1,
    wait_ms: Time = MS_PER_MIN,
    up: Annotated[int, Whole(1, MOST_NODES)] = 4,
    down: Annotated[int, Whole(1, MOST_NODES)] = 1,
    cool_down_ms: Time = 10 * MS_PER_MIN,
    least: Nodes = 0,
    every_ms: Period = MS_PER_MIN,
) -> Commands:
    """Keep more nodes awake when jobs wait, and fewer, slowly, when none does.

    At each look, where a job waits, and at least `jobs` are queued or the oldest has waited at
    least `wait` (one that came at this instant does not wait yet):
    level = max(level, nodes awake and waking) + up. Otherwise, once `cool_down` has passed since
    the last step: level = max(level - down, least). At least `level` nodes are kept awake. It is
    threshold scaling with a cool-down, as automatic scaling is usually sold; it follows the load,
    so a setup slower than the load's rise is paid in waiting (Gandhi et al., AutoScale, 2012).

    Parameters
    ----------
    jobs : int
        Queued jobs that call for more nodes.
    wait_ms : int
        Wait of the oldest queued job that calls for more nodes.
    up : int
        Nodes that a step up adds.
    down : int
        Nodes that a step down takes away.
    cool_down_ms : int
        Time since the last step, up or down, before a step down.
    least : int
        Nodes always kept awake.
    every_ms : int
        Time between two looks at the queue.
    """
    level = kept = least
    cluster.keep_awake(kept)
    stepped_ms = cluster.now_ms
    while True:
        yield env.timeout(every_ms)
        queued = cluster.queued_jobs
        waited_ms = cluster.oldest_wait_ms
        if waited_ms > 0 and (queued >= jobs or waited_ms >= wait_ms):
            level = min(max(level, cluster.awake + cluster.waking) + up, cluster.node_count)
            stepped_ms = cluster.now_ms
        elif level > least and cluster.now_ms - stepped_ms >= cool_down_ms:
            level = max(level - down, least)
            stepped_ms = cluster.now_ms
        if level != kept:
            cluster.keep_awake(level)
            kept = level
