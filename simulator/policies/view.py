"""What a controller sees of its cluster and what it may command; the engine makes it.

A controller is a generator function: a SimPy process. ``yield env.timeout(ms)`` waits, in whole
milliseconds; the time is ``cluster.now_ms``. It acts at its instant after all completions,
finished wake-ups and arrivals, and before the scheduling pass; a controller that commands nothing
causes no pass.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Commands: TypeAlias = Generator[Any, Any, None]
"""What a controller is once it is called: the course of its waiting and commanding."""


class Clock(Protocol):
    """The part of a SimPy environment that controllers use."""

    def timeout(self, delay: int, /) -> Any:
        """Return the event of a time from now. [ms]"""

    def process(self, generator: Commands, /) -> Any:
        """Start another process beside this one."""


class ClusterView(Protocol):
    """One cluster, as its controller sees it at the present instant."""

    @property
    def name(self) -> str:
        """Name of the cluster."""

    @property
    def node_count(self) -> int:
        """Nodes owned now."""

    @property
    def accelerators(self) -> int:
        """Accelerators of one node."""

    @property
    def now_ms(self) -> int:
        """Time since the scenario's start."""

    @property
    def start_epoch_ms(self) -> int:
        """The scenario's start, since 1970-01-01T00:00:00Z."""

    @property
    def awake(self) -> int:
        """Nodes awake, holding jobs or not."""

    @property
    def waking(self) -> int:
        """Nodes on their way up."""

    @property
    def asleep(self) -> int:
        """Nodes entering an idle state or resting in one."""

    @property
    def failed(self) -> int:
        """Nodes that failed and are not repaired yet."""

    @property
    def idle(self) -> int:
        """Nodes awake that hold nothing."""

    @property
    def occupied(self) -> int:
        """Nodes that hold a job."""

    @property
    def held_gpus(self) -> int:
        """Accelerators that jobs hold."""

    @property
    def queued_jobs(self) -> int:
        """Waiting jobs that prefer this cluster, those that came at this instant among them."""

    @property
    def queued_gpus(self) -> int:
        """Accelerators that those jobs want."""

    @property
    def oldest_wait_ms(self) -> int:
        """How long the first of them has waited; 0 where none has yet."""

    @property
    def demand_gpus(self) -> int:
        """Accelerators held and wanted: `held_gpus` + `queued_gpus`."""

    def intensity_ahead(
        self, leads_ms: "NDArray[np.int64]", /, signal: Literal["average", "marginal"] = "average"
    ) -> "NDArray[np.float64]":
        """Return the carbon intensity expected at instants so long from now. [g/kWh].

        Expected by the forecast that the site's grid names; a lead of 0 is the present, which is
        known. NaN where the trace has ended. A site without a marginal signal raises `ValueError`.

            hours = cluster.intensity_ahead(MS_PER_H * np.arange(24))
        """

    def held_by_node(self) -> "NDArray[np.int64]":
        """Return the accelerators held on each node by its number; -1 where none is owned."""

    def is_awake_by_node(self) -> "NDArray[np.bool_]":
        """Return whether each node is awake, by its number."""

    def keep_awake(self, nodes: int, /) -> None:
        """Keep at least so many nodes awake, busy ones included, until told otherwise.

        Of this and `keep_free` the larger demand counts; both are 0 at first. Nodes kept awake
        don't take idle states, but for those without latency; of the idle ones those idle longest
        are the first that do. Closed nodes that hold nothing don't count, and take them anyway.
        """

    def keep_free(self, nodes: int, /) -> None:
        """Keep so many idle nodes ready beyond what the queue needs, until told otherwise."""

    def close(self, nodes: "NDArray[np.int64]", /) -> None:
        """Give these nodes no new job, nor wake them; their jobs go on.

        One that is waking falls back to the state it came from.
        """

    def open(self, nodes: "NDArray[np.int64]", /) -> None:
        """Give closed nodes jobs again; where jobs wait, they start or are woken for at once."""

    def add(self, nodes: int, /) -> None:
        """Bring so many more nodes into service, at once: `held_by_node` shows them.

        Only as many as the cluster's limit of nodes allows.
        """

    def retire(self, nodes: "NDArray[np.int64]", /) -> None:
        """Take these nodes out for good, each as soon as it is empty; they get no new job."""

    def note(self, quantity: str, value: float, unit: str, /) -> None:
        """Say a figure that is shown with the results; the last value of a quantity stands."""
