"""Scenario to policies: what idle nodes do, how queues are served, which cluster a job gets."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Self, TypeVar

from simulator.policies.dispatch_rule import DispatchRule
from simulator.policies.queue_rule import QueueRule
from simulator.policies.view import Clock, ClusterView, Commands
from simulator.power.descent import Descent
from simulator.scenario.clusters import Cluster
from simulator.scenario.model import Scenario
from simulator.scenario.nodes import NodeType
from simulator.scenario.policy_choice import RuleChoice

Choice = Callable[..., Any]
"""Called with the queue, the cluster and the time in seconds, or as dispatch policies are."""

Place = Callable[..., Any]
"""Called with the job, the cluster and the time in seconds."""

Rule = TypeVar("Rule", QueueRule, DispatchRule)

Controller = Callable[[Clock, ClusterView], Commands]


@dataclass(frozen=True, slots=True)
class ClusterProvisioning:
    """What idle nodes of one cluster do.

    Attributes
    ----------
    policy : str
    descent : Descent
        The ladder of nodes that nothing keeps awake.
    controller : callable or None
        Called with the SimPy environment and the cluster's view it gives the process to start.
    max_waking : int or None
        Nodes that may be waking at a time.
    may_leave : bool
        Whether nodes come into service and go out of it during the run.
    """

    policy: str
    descent: Descent
    controller: Controller | None
    max_waking: int | None
    may_leave: bool


def provisioning_of(scenario: Scenario) -> dict[str, ClusterProvisioning]:
    """Return the provisioning of each cluster, in the scenario's order.

    Raises
    ------
    PolicyError
        If a policy of the states fails, or returns something else than a `Descent`.
    """
    return {
        name: _provisioning(cluster, scenario.nodes[cluster.node])
        for name, cluster in scenario.clusters.items()
    }


def _provisioning(cluster: Cluster, node: NodeType) -> ClusterProvisioning:
    idle = cluster.idle
    plugin = idle.plugin
    controller: Controller | None = None
    if plugin.form == "controller":
        descent = Descent(node.idle_states if idle.follows_ladder else ())
        controller = partial(plugin.function, **idle.arguments(node))
    else:
        descent = idle.descent_of(node)
    return ClusterProvisioning(
        policy=idle.policy,
        descent=descent,
        controller=controller,
        max_waking=cluster.max_waking,
        may_leave="node_limit" in plugin.roles,
    )


@dataclass(frozen=True, slots=True)
class Resolved(Generic[Rule]):
    """A policy that gives a rule, or is asked in plain Python.

    Attributes
    ----------
    policy : str
    rule : QueueRule, DispatchRule or None
    choice : callable or None
        A policy in plain Python with its parameters, where there is no rule.
    """

    policy: str
    rule: Rule | None
    choice: Choice | None = None

    @classmethod
    def of(cls, chosen: RuleChoice) -> Self:
        """Resolve what a scenario chose.

        Raises
        ------
        PolicyError
            If the policy fails, or returns something else than its rule.
        """
        if chosen.in_python:
            return cls(chosen.policy, None, partial(chosen.plugin.function, **chosen.parameters))
        return cls(chosen.policy, chosen.rule())


class ClusterScheduling(Resolved[QueueRule]):
    """How the queue of one cluster is served."""


class WorkloadDispatch(Resolved[DispatchRule]):
    """How the jobs of one workload get their cluster."""

    @property
    def binds(self) -> bool:
        """Whether a job gets its cluster as it is submitted, and waits for that alone."""
        return self.rule is None or self.rule.binds


def scheduling_of(scenario: Scenario) -> dict[str, ClusterScheduling]:
    """Return how the queue of each cluster is served, in the scenario's order.

    Raises
    ------
    PolicyError
        If a policy fails, or returns something else than a `QueueRule`.
    """
    return {name: ClusterScheduling.of(each.queue) for name, each in scenario.clusters.items()}


def dispatch_of(scenario: Scenario) -> dict[str, WorkloadDispatch]:
    """Return how the jobs of each workload get their cluster, in the scenario's order.

    Raises
    ------
    PolicyError
        If a policy fails, or returns something else than a `DispatchRule`.
    """
    return {name: WorkloadDispatch.of(each.clusters) for name, each in scenario.workloads.items()}


@dataclass(frozen=True, slots=True)
class ClusterPlacement:
    """A policy in plain Python that places the jobs of a cluster.

    Attributes
    ----------
    policy : str
    choice : callable
        The policy with its parameters.
    """

    policy: str
    choice: Place


def placement_of(scenario: Scenario) -> dict[int, ClusterPlacement]:
    """Return the policies that place jobs in plain Python, by the number of their cluster."""
    chosen = [cluster.placement for cluster in scenario.clusters.values()]
    return {
        at: ClusterPlacement(each.policy, partial(each.plugin.function, **each.parameters))
        for at, each in enumerate(chosen)
        if not isinstance(each, str)
    }
