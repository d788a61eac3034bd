"""Failures of nodes and checkpoints of jobs, as a scenario writes them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, ValidationInfo

from simulator.errors import Issue, nearest, shown
from simulator.scenario.accelerators import eligible
from simulator.scenario.fields import Flag, Marker, Milliseconds, Quantity, as_written
from simulator.scenario.law_moments import mean
from simulator.scenario.laws import Empirical, Law, LawOf
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import Part, dotted
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Spec, read_as
from simulator.units import format_quantity

if TYPE_CHECKING:
    from simulator.scenario.model import Scenario
    from simulator.scenario.workloads import Workload

RULES: Final = ("young", "daly")
"""Intervals that follow from the cost of a checkpoint and the mean time between failures."""


class TimeBetweenFailures(LawOf):
    """A mean time, that of an exponential, or a distribution of it; its mean is above 0."""

    def __init__(self) -> None:
        super().__init__("duration")

    def read(self, value: Any, info: ValidationInfo) -> Law:
        """Return the distribution."""
        law = super().read(value, info)
        if not isinstance(law, Empirical) and mean(law) <= 0:
            raise ValueError(f'{shown(value)} is too small; write a time above 0, e.g. "20000 h"')
        return law


class NodeFailures(Spec):
    """How the nodes of a type fail and are repaired."""

    mtbf: Annotated[Law, TimeBetweenFailures()] = Field(examples=['"20000 h"'])
    """Mean time between the failures of one node, counted while it is awake: the times are
    exponential; or a distribution of them."""
    repair: Annotated[Law, LawOf("duration")] = Field(examples=['"8 h"'])
    """Time from a failure until the node can be used again, or a distribution of it."""
    failed_power_w: Annotated[float, Quantity("power")] = Field(
        default=as_written("0 W"), alias="failed_power"
    )
    """Power of a failed node."""

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return 'write { mtbf = "20000 h", repair = "8 h" }'


class FailuresOf(Marker):
    """How nodes fail."""

    def read(self, value: Any, info: ValidationInfo) -> NodeFailures:
        """Return it, its keys checked."""
        return read_as(NodeFailures, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the table."""
        return NodeFailures.table_form()


class CheckpointInterval(Milliseconds):
    """A time above 0, or the rule that it follows from."""

    def __init__(self) -> None:
        super().__init__(positive=True)

    def read(self, value: Any, info: ValidationInfo) -> Any:
        """Return the time in milliseconds, or the rule."""
        if not isinstance(value, str) or value in RULES:
            return value if isinstance(value, str) else super().read(value, info)
        if value and not any(letter.isdigit() for letter in value):
            near = nearest(value, RULES)
            meant = f'did you mean "{near}"?' if near else 'write "young", "daly" or a time'
            raise ValueError(f"{shown(value)} is no interval known here; {meant}")
        return super().read(value, info)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a time or a rule."""
        return {"anyOf": [super().form(), {"enum": list(RULES)}]}


class Checkpoint(Spec):
    """How jobs save their work: what they did up to a checkpoint outlives a failure."""

    interval: Annotated[Any, CheckpointInterval()] = Field(examples=['"2 h"'])
    """Work between two checkpoints; `young` or `daly` for what suits the cost and the failures of
    the job's nodes."""
    cost_ms: Annotated[int, Milliseconds()] = Field(default=as_written("0 s"), alias="cost")
    """Time that a checkpoint takes; the job goes on holding its accelerators, at its power."""
    restart_ms: Annotated[int, Milliseconds()] = Field(default=as_written("0 s"), alias="restart")
    """Time that a job which lost a node takes to start again, before it works."""
    at_end: Annotated[bool, Flag()] = False
    """Whether the last segment of a job ends with a checkpoint too."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Yield what is wrong with the choice of keys."""
        if table.get("interval") in RULES and "cost" not in table:
            yield ("cost",), 'missing; the interval follows from it, e.g. cost = "5 min"'

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return 'write { interval = "2 h", cost = "5 min", restart = "10 min" }'


class Checkpointing(Marker):
    """How jobs save their work."""

    def read(self, value: Any, info: ValidationInfo) -> Checkpoint:
        """Return it, its keys checked."""
        return read_as(Checkpoint, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the table."""
        return Checkpoint.table_form()


def reliability_problems(nodes: Mapping[str, Any], workloads: Mapping[str, Any]) -> Iterator[Issue]:
    """Yield failed nodes that draw more than idle ones, and intervals that follow from nothing.

    Parameters
    ----------
    nodes, workloads : mapping
        By name, as far as they could be read.
    """
    for name, node in nodes.items():
        with as_far_as_read(node):
            failures = node.failures
            if failures is not None and failures.failed_power_w > node.idle_power_w:
                power, idle = (
                    format_quantity(w, "power")
                    for w in (failures.failed_power_w, node.idle_power_w)
                )
                text = f"failed_power ({power}) must not be above the node's idle_power ({idle})"
                yield Issue(dotted(("nodes", name, "failures", "failed_power")), text)
    for name, workload in workloads.items():
        with as_far_as_read(workload):
            saving = workload.checkpoint
            if saving is not None and saving.interval in RULES and saving.cost_ms == 0:
                text = f'0 s makes the interval "{saving.interval}" 0; write a time above 0'
                yield Issue(dotted(("workloads", name, "checkpoint", "cost")), text)


def reliability_warnings(scenario: "Scenario") -> Iterator[str]:
    """Yield a warning for checkpoints that come more rarely than failures."""
    for name, workload in scenario.workloads.items():
        saving = workload.checkpoint
        if saving is None:
            continue
        path = dotted(("workloads", name, "checkpoint"))
        for cluster, mtbf_ms, nodes in _gangs(scenario, workload):
            fails = f"{nodes:,} nodes of {cluster}" if nodes > 1 else f"a node of {cluster}"
            mtbf = format_quantity(mtbf_ms, "time")
            if saving.interval not in RULES and saving.interval > mtbf_ms:
                interval = format_quantity(saving.interval, "time")
                yield (
                    f"{path}.interval: {interval} is longer than the mean time between failures of "
                    f"{fails}, {mtbf}; hardly any work is ever saved"
                )
            elif saving.cost_ms > mtbf_ms:
                cost = format_quantity(saving.cost_ms, "time")
                yield (
                    f"{path}.cost: {cost} is longer than the mean time between failures of "
                    f"{fails}, {mtbf}; hardly any checkpoint is ever finished"
                )


def _gangs(scenario: "Scenario", workload: "Workload") -> Iterator[tuple[str, float, int]]:
    """Yield each cluster whose nodes fail, the MTBF of the largest gang, and its nodes. [ms]"""
    sizes = () if workload.gpus is None else workload.gpus.choices
    for name in eligible(workload, scenario.clusters, scenario.nodes):
        cluster = scenario.clusters[name]
        node = scenario.nodes[cluster.node]
        if node.failures is None or isinstance(node.failures.mtbf, Empirical):
            continue
        fitting = [-(-size // node.accelerators) for size in sizes]
        nodes = max((count for count in fitting if count <= cluster.node_limit), default=1)
        yield name, mean(node.failures.mtbf) / nodes, nodes
