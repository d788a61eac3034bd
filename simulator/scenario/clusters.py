"""Clusters and accounting, as a scenario writes them."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import shown
from simulator.scenario.fields import (
    Marker,
    Milliseconds,
    Quantity,
    Text,
    Whole,
    Word,
    absent,
    as_written,
)
from simulator.scenario.limits import NODES
from simulator.scenario.node_power import FULL
from simulator.scenario.placement import PlacementPolicy, Placing, Racks, RacksOf
from simulator.scenario.preemption import Preemption, PreemptionOf
from simulator.scenario.provisioning import (
    ALWAYS_ON,
    IdlePolicy,
    MaxWaking,
    Provisioning,
)
from simulator.scenario.reading import reading_of
from simulator.scenario.scheduling import FIFO, QueuePolicy, Scheduling
from simulator.scenario.sharing import Sharing, SharingOf
from simulator.scenario.spec import Problems, Spec
from simulator.scenario.spreading import RETIREMENTS, RULES, STRAIGHT_LINE, USES
from simulator.units import MS_PER_D, format_quantity

SCOPE2: Final = ("location-based", "market-based")


class NodeCount(Whole):
    """A number of nodes; a very large one must be confirmed."""

    def __init__(self) -> None:
        super().__init__(1, NODES.usual)

    def read(self, value: Any, info: ValidationInfo) -> int:
        """Return the number, or say what is wrong with it."""
        reading = reading_of(info)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not NODES.usual < value <= NODES.most:
            return self.plain(value)
        exceeded = NODES.exceeded(value, reading is None or reading.confirmed)
        if exceeded is not None:
            raise ValueError(f"{value:,} nodes in one cluster, {exceeded}; lower the count")
        return int(value)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the number, confirmed or not."""
        return {"type": "integer", "minimum": 1, "maximum": NODES.most}


class Cluster(Spec):
    """Nodes of one type at one site, served by one queue rule."""

    site: Annotated[str, Text("a site's name")] = Field(examples=['"oregon"'])
    """Name of the site."""
    node: Annotated[str, Text("a node type's name")] = Field(examples=['"hgx-a100"'])
    """Node type: one of [nodes], or of the catalog."""
    count: Annotated[int, NodeCount()] = Field(examples=["128"])
    """Number of nodes."""
    queue: Annotated[Scheduling, QueuePolicy()] = as_written(FIFO)
    """How waiting jobs are served: a scheduling policy by its name, or a table of its name and
    parameters. `fifo` is first come, first served."""
    preemption: Annotated[Preemption | None, PreemptionOf()] = absent()
    """How running jobs make room for one of higher priority that waits first: `restart` or
    `suspend`, or a table of the way and its times; without it nobody is preempted."""
    placement: Annotated[str | Placing, PlacementPolicy()] = "pack"
    """Which nodes a job takes: `pack` the fullest that fit, `first-fit` the first, `spread` the
    emptiest, `locality` those of the fewest racks; or a placement policy by its name, or a table of
    its name and parameters."""
    racks: Annotated[Racks | None, RacksOf()] = absent()
    """Nodes that stand together, so many to a rack; none unless given."""
    idle: Annotated[Provisioning, IdlePolicy()] = as_written(ALWAYS_ON)
    """What idle nodes do: a provisioning policy by its name, or a table of its name and
    parameters. With `always-on` they stay awake, with `ladder` they take the idle states of their
    node type."""
    max_waking: Annotated[int | None, MaxWaking()] = as_written(None)
    """Nodes that may be waking at a time; 1 boots them one after another. Without it any number."""
    power_level: Annotated[str, Text("a power level's name")] = FULL
    """Power level of the node type at which all nodes run: jobs take longer there and draw less;
    `full` is no cap."""
    power_budget_w: Annotated[float | None, Quantity("power", positive=True)] = Field(
        default=None, alias="power_budget", validate_default=False
    )
    """IT power that the cluster may not exceed; none unless given."""
    sharing: Annotated[Sharing | None, SharingOf()] = absent()
    """How jobs of one accelerator share it; each has one for itself unless given."""

    @property
    def is_settled(self) -> bool:
        """Whether the names of its policies stand for the same ones for good."""
        placed = isinstance(self.placement, str) or self.placement.is_settled
        return self.idle.is_settled and self.queue.is_settled and placed

    @property
    def node_limit(self) -> int:
        """Most nodes that the cluster ever has at a time, at least its count."""
        name = self.idle.plugin.roles.get("node_limit")
        return self.count if name is None else max(self.count, int(self.idle.parameters[name]))


class Scope2(Marker):
    """Methods of scope 2 accounting."""

    def plain(self, value: Any) -> tuple[str, ...]:
        """Return the methods."""
        if isinstance(value, str):
            raise ValueError(f"{shown(value)} is not a list; write [{shown(value)}]")
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(f'{shown(value)} is not a list; write e.g. ["location-based"]')
        problems, word = Problems(), Word(SCOPE2)
        for index, method in enumerate(value):
            problems.read((index,), word.plain, method)
        problems.check()
        if len(set(value)) < len(value):
            raise ValueError(f"{shown(value)} names a method twice; take one out")
        return tuple(value)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the list."""
        return {"type": "array", "minItems": 1, "items": {"enum": list(SCOPE2)}}


class Accounting(Spec):
    """How energy becomes carbon."""

    scope2: Annotated[tuple[str, ...], Scope2()] = as_written(list(SCOPE2))
    """Methods to report; market-based figures are absent where no contract is known."""
    embodied: Annotated[str, Word(RULES)] = STRAIGHT_LINE
    """How the carbon of making is spread: `straight-line`, evenly over the calendar lifetime of
    every node owned, or `by-use`, over the time in use of `use_lifetime`."""
    in_use: Annotated[str | None, Word(USES)] = absent()
    """With `by-use`, what counts as use: `held`, accelerators that jobs hold, or `awake`, nodes
    that are awake; `held` unless given."""
    retirement: Annotated[str | None, Word(RETIREMENTS)] = absent()
    """What becomes of the carbon of making that a node leaves at its retirement: `carried`, it goes
    with the node, or `written-off`, it is counted then; `carried` unless given."""
    functional_unit: Annotated[Literal["gpu-hour"], Word(["gpu-hour"])] = "gpu-hour"
    """Unit of work that carbon is related to: an accelerator held by a job for an hour."""
    interval_ms: Annotated[int, Milliseconds(positive=True)] = Field(
        default=as_written("1 h"), alias="interval"
    )
    """Step of the table over time; it changes no total and must divide a day."""

    @field_validator("interval_ms")
    @classmethod
    def _divides_a_day(cls, interval_ms: int) -> int:
        if MS_PER_D % interval_ms:
            interval = format_quantity(interval_ms, "time")
            raise ValueError(f'{interval} does not divide a day; write e.g. "15 min" or "1 h"')
        return interval_ms
