"""capacity-planner: nodes are ordered ahead of a growing demand and retired when old."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from simulator.policies.forecasters import Trend
from simulator.policies.sizing import Nodes, Period, Share, Time, does_not_divide, whole_nodes
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.registry import provisioning
from simulator.scenario.fields import Number
from simulator.units import MS_PER_D, MS_PER_H, format_quantity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _possible(
    *, every_ms: int, sample_ms: int, age_ms: int, lifetime_ms: int, **_: Any
) -> Iterator[tuple[str, str]]:
    if does_not_divide(sample_ms, every_ms):
        sample, every = format_quantity(sample_ms, "time"), format_quantity(every_ms, "time")
        yield "sample", f"sample ({sample}) must divide every ({every}) without rest"
    if age_ms >= lifetime_ms:
        age, lifetime = format_quantity(age_ms, "time"), format_quantity(lifetime_ms, "time")
        yield "age", f"age ({age}) must be below the nodes' lifetime ({lifetime})"


@provisioning(
    "capacity-planner",
    rules=_possible,
    node_limit="most",
    ladder="sleep",
    age="age_ms",
    lifetime="lifetime_ms",
)
def capacity_planner(
    env: Clock,
    cluster: ClusterView,
    *,
    most: Nodes,
    target: Annotated[float, Number(above=0.0, high=1.0, meaning="a share")] = 0.8,
    lead_time_ms: Time = 90 * MS_PER_D,
    every_ms: Period = 7 * MS_PER_D,
    sample_ms: Period = MS_PER_H,
    alpha: Share = 0.5,
    beta: Share = 0.3,
    age_ms: Time = 0,
    lifetime_ms: Period | None = None,
    sleep: bool = True,
) -> Commands:
    """Order nodes so that demand stays below a share of capacity; retire them at end of life.

    Demand, accelerators held and queued, is sampled every `sample`. At each review, every
    `every`, the mean since the last one updates a level and a growth (Holt's linear method), and

    needed = ceil((level + growth (lead_time + every) / every) / (target x accelerators)):

    what demand is expected to need until the next order could be delivered. Ordered is needed
    less the nodes that will then be in service, delivered ones and ones on order, without those
    whose life is over by then; never more than makes `most` nodes in service at delivery. The
    first nodes retire at lifetime - age, others a lifetime after delivery, each as soon as it is
    empty. Noted are `nodes_ordered`, `nodes_delivered` and `nodes_retired`, those that were gone at
    the last sample. Capacity bought
    to hold a service level under growing demand grew 2.5 and 2.9 times in 1.5 years in the fleets
    of Wu et al., Sustainable AI, 2022.

    Parameters
    ----------
    most : int
        Most nodes that the cluster may have at a time.
    target : float
        Share of the accelerators that expected demand may take.
    lead_time_ms : int
        Time from order to service.
    every_ms : int
        Time between two reviews.
    sample_ms : int
        Time between two samples of the demand; it divides `every`.
    alpha : float
        Weight of the newest review in the level.
    beta : float
        Weight of the newest review in the growth.
    age_ms : int
        Age of the first nodes at the start.
    lifetime_ms : int
        Time in service of a node; without it the lifetime of the node type.
    sleep : bool
        Whether idle nodes follow the ladder of the node type.
    """
    del sleep  # a role: whoever runs the cluster follows it
    assert lifetime_ms is not None  # a role: filled in from the node type
    plan = _Plan(env, cluster, most, lead_time_ms, every_ms, lifetime_ms)
    plan.begin(age_ms)
    trend = Trend(alpha, beta)
    while True:
        sum_gpus = 0
        for _ in range(every_ms // sample_ms):
            yield env.timeout(sample_ms)
            sum_gpus += cluster.demand_gpus
            plan.count_retired()
        trend.learn(sum_gpus * sample_ms / every_ms)
        expected_gpus = trend.ahead_gpus((lead_time_ms + every_ms) / every_ms)
        plan.review(whole_nodes(expected_gpus / (target * cluster.accelerators)))


class _Plan:
    """The nodes in service and on order, and when the life of each lot ends."""

    def __init__(
        self,
        env: Clock,
        cluster: ClusterView,
        most: int,
        lead_time_ms: int,
        every_ms: int,
        lifetime_ms: int,
    ) -> None:
        self._env = env
        self._cluster = cluster
        self._most = most
        self._lead_time_ms = lead_time_ms
        self._every_ms = every_ms
        self._lifetime_ms = lifetime_ms
        self._lots: list[tuple[int, int]] = []  # end of life in ms, nodes
        self._first = cluster.node_count
        self._told = {"nodes_ordered": 0, "nodes_delivered": 0, "nodes_retired": 0}

    def begin(self, age_ms: int) -> None:
        """Take the first nodes into the plan."""
        left_ms = self._lifetime_ms - age_ms
        owned = (self._cluster.held_by_node() >= 0).nonzero()[0]
        self._lots.append((self._cluster.now_ms + left_ms, len(owned)))
        self._env.process(self._retirement(left_ms, owned))

    def review(self, needed: int) -> None:
        """Order what will be short when the next order could be delivered."""
        delivery_ms = self._cluster.now_ms + self._lead_time_ms
        short = needed - self._serving(delivery_ms + self._every_ms)
        count = min(short, self._most - self._serving(delivery_ms))
        if count > 0:
            self._lots.append((delivery_ms + self._lifetime_ms, count))
            self._tell("nodes_ordered", count)
            self._env.process(self._delivery(count))

    def _serving(self, when_ms: int) -> int:
        """Return the nodes in service at a time ahead, those on order now included."""
        return sum(count for end_ms, count in self._lots if end_ms > when_ms)

    def _delivery(self, count: int) -> Commands:
        yield self._env.timeout(self._lead_time_ms)
        while True:
            # Old nodes that are still busy keep their place; what finds none waits for it.
            fitting = min(count, self._most - self._cluster.node_count)
            if fitting > 0:
                count -= fitting
                self._put_into_service(fitting)
            if not count:
                return
            yield self._env.timeout(self._every_ms)

    def _put_into_service(self, count: int) -> None:
        before = self._cluster.held_by_node() >= 0
        self._cluster.add(count)
        self._tell("nodes_delivered", count)
        new = ((self._cluster.held_by_node() >= 0) & ~before).nonzero()[0]
        self._env.process(self._retirement(self._lifetime_ms, new))

    def _retirement(self, left_ms: int, nodes: "NDArray[np.int64]") -> Commands:
        yield self._env.timeout(left_ms)
        self._cluster.retire(nodes)
        self.count_retired()

    def count_retired(self) -> None:
        """Tell of the old nodes that are gone; busy ones go when they are empty."""
        served = self._first + self._told["nodes_delivered"]
        gone = served - self._cluster.node_count - self._told["nodes_retired"]
        if gone > 0:
            self._tell("nodes_retired", gone)

    def _tell(self, quantity: str, count: int) -> None:
        self._told[quantity] += count
        self._cluster.note(quantity, self._told[quantity], "nodes")
