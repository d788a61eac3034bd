"""How the queue of a cluster is served, as a scenario writes it: a policy and its parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import ValidationInfo

from simulator import registry
from simulator.errors import Issue, shown
from simulator.plugin_parameters import Parameter
from simulator.registry import Kind
from simulator.scenario.accelerators import eligible
from simulator.scenario.fields import Marker
from simulator.scenario.parameters import read_parameters
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.scenario.policy_choice import Returns, RuleChoice, chosen_in, kind_form
from simulator.scenario.preemption import placing_clusters, preemption_faults
from simulator.scenario.shared_queues import unlike_queues
from simulator.scenario.spec import Problems
from simulator.units import exact_quantity

FIFO: Final = "fifo"
"""First come, first served."""


@dataclass(frozen=True)
class Scheduling(RuleChoice):
    """A policy of the queue with its parameters."""

    policy: str = FIFO

    kind: ClassVar[Kind] = registry.scheduling
    asked: ClassVar[str] = "order"
    returns: ClassVar[Returns] = Returns("QueueRule(...)", ("order", "backfill"))

    def is_like(self, other: "Scheduling") -> bool:
        """Return whether both serve a queue alike."""
        if self == other:
            return True
        return not (self.in_python or other.in_python) and bool(self.rule() == other.rule())

    def __str__(self) -> str:
        said = ", ".join(_said(each, self.parameters[each.name]) for each in self.plugin.parameters)
        return f"{self.policy} ({said})" if said else self.policy


def _said(parameter: Parameter, value: Any) -> str:
    """Return a parameter as a file would say it."""
    if parameter.dimension is not None and isinstance(value, int | float):
        value = exact_quantity(value, parameter.dimension)
    return f"{parameter.key} = {shown(value)}"


class QueuePolicy(Marker):
    """A scheduling policy: its name, or a table of its name and parameters."""

    def read(self, value: Any, info: ValidationInfo) -> Scheduling:
        """Return the policy, its parameters checked."""
        if isinstance(value, Scheduling):
            return value
        plugin, table = chosen_in(
            registry.scheduling, value, 'queue = { policy = "easy-backfill", depth = 500 }'
        )
        problems = Problems()
        parameters = read_parameters(plugin, table, info, problems)
        problems.check()
        return Scheduling(plugin.name, parameters)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of all policies with their parameters."""
        return kind_form(registry.scheduling)


def scheduling_problems(
    clusters: Mapping[str, Any], nodes: Mapping[str, Any], workloads: Mapping[str, Any]
) -> Iterator[Issue]:
    """Yield what policies refuse, and clusters that share jobs but not their queue rule.

    Which clusters the jobs of a file share is known once the file is read.

    Parameters
    ----------
    clusters, nodes, workloads : mapping
        By name, as far as they could be read.
    """
    sound: dict[str, Scheduling] = {}
    placing = placing_clusters(clusters)
    for name, cluster in clusters.items():
        with as_far_as_read(cluster):
            faults = list(cluster.queue.faults())
            for key, text in faults:
                yield Issue(dotted(("clusters", name, "queue", *([key] if key else []))), text)
            if not faults:
                sound[name] = cluster.queue
                for text in preemption_faults(cluster, placing):
                    yield Issue(dotted(("clusters", name, "preemption")), text)
    yield from unlike_queues(sound, _drawn(clusters, nodes, workloads))


def _drawn(
    clusters: Mapping[str, Any], nodes: Mapping[str, Any], workloads: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each workload that draws its jobs, with the clusters that they share.

    Jobs that get their cluster as they are submitted share none.
    """
    for name, workload in workloads.items():
        with as_far_as_read(workload):
            if workload.jobs is None and not workload.clusters.binds:
                yield name, eligible(workload, clusters, nodes)
