"""What idle nodes of a cluster do, as a scenario writes it: a policy and its parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import ValidationInfo

from simulator import registry
from simulator.errors import Issue, shown
from simulator.registry import Kind, ParameterError, Plugin
from simulator.scenario.fields import Marker, Whole
from simulator.scenario.limits import NODES
from simulator.scenario.nodes import NodeType
from simulator.scenario.parameters import read_parameters
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.scenario.policy_choice import PolicyChoice, Returns, chosen_in, kind_form
from simulator.scenario.spec import Problems

if TYPE_CHECKING:
    from simulator.scenario.clusters import Cluster

ALWAYS_ON: Final = "always-on"
"""The policy without any ladder."""

MOST_NODES: Final = NODES.usual
"""Nodes that a policy may name."""

MAX_WAKING: Final = Whole(1, MOST_NODES)
"""How many nodes may wake at a time."""

_DESCENT: Final = Returns("Descent(states)", ("states", "timer"))

_ABOUT_MAX_WAKING: Final = "Nodes that may be waking at a time; without it any number."


@dataclass(frozen=True)
class Provisioning(PolicyChoice):
    """A provisioning policy with its parameters.

    Attributes
    ----------
    policy : str
        Name of the policy.
    parameters : dict
        Arguments of its function by name, in house units, defaults included.
    max_waking : int or None
        The limit, where it is said beside the parameters; `Cluster.max_waking` has it wherever
        it is said.
    """

    policy: str = ALWAYS_ON
    max_waking: int | None = None

    kind: ClassVar[Kind] = registry.provisioning

    @property
    def follows_ladder(self) -> bool:
        """Whether idle nodes that nothing keeps awake take the states of the node type."""
        flag = self.plugin.roles.get("ladder")
        return self.policy != ALWAYS_ON and (flag is None or bool(self.parameters[flag]))

    @property
    def age_ms(self) -> int:
        """Age of the first nodes at the start; 0 where the policy asks for none. [ms]"""
        name = self.plugin.roles.get("age")
        return 0 if name is None else int(self.parameters[name])

    def arguments(self, node: NodeType) -> dict[str, Any]:
        """Return the parameters for a node type: its lifetime where none is said."""
        name = self.plugin.roles.get("lifetime")
        if name is None or self.parameters[name] is not None:
            return dict(self.parameters)
        return self.parameters | {name: node.lifetime_ms}

    def ladder_of(self, node: NodeType) -> NodeType:
        """Return a node type with the idle states that its nodes take under this policy.

        States entered after a time drawn anew for each gap keep their own `after`.
        """
        if self.plugin.form == "controller":
            states = node.idle_states if self.follows_ladder else ()
        else:
            states = self.descent_of(node).states
        return node.model_copy(update={"idle_states": states})

    def descent_of(self, node: NodeType) -> Any:
        """Return the descent that a policy of the states makes of those of a node type.

        Raises
        ------
        ParameterError
            If the policy refuses one of its parameters.
        PolicyError
            If it fails, or returns something else.
        """
        return self.made(_DESCENT, node.idle_states, **self.arguments(node))


class IdlePolicy(Marker):
    """A provisioning policy: its name, or a table of its name and parameters."""

    def read(self, value: Any, info: ValidationInfo) -> Provisioning:
        """Return the policy, its parameters checked."""
        if isinstance(value, Provisioning):
            return value
        plugin, table = chosen_in(
            registry.provisioning, value, 'idle = { policy = "headroom", nodes = 4 }'
        )
        return self._checked(plugin, table, info)

    def _checked(self, plugin: Plugin, table: dict[str, Any], info: ValidationInfo) -> Provisioning:
        problems, max_waking = Problems(), None
        if plugin.name != ALWAYS_ON and "max_waking" in table:
            value = table.pop("max_waking")
            max_waking = problems.read(("max_waking",), MAX_WAKING.plain, value)
        parameters = read_parameters(plugin, table, info, problems, ("max_waking",))
        problems.check()
        return Provisioning(plugin.name, parameters, max_waking)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of all policies with their parameters."""
        waking = {"max_waking": {"description": _ABOUT_MAX_WAKING, **MAX_WAKING.form()}}
        return kind_form(registry.provisioning, lambda name: waking if name != ALWAYS_ON else {})


class MaxWaking(Marker):
    """How many nodes may wake at a time: said here or in `idle`, not in both."""

    def read(self, value: Any, info: ValidationInfo) -> int | None:
        """Return the limit, wherever it is said."""
        idle = info.data.get("idle")
        said = idle.max_waking if isinstance(idle, Provisioning) else None
        if value is None:
            return said
        limit = MAX_WAKING.plain(value)
        if said is not None:
            raise ValueError(f"{limit} here and {said} in idle; take one of them out")
        return limit

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the limit."""
        return MAX_WAKING.form()


def provisioning_problems(clusters: Mapping[str, Any], nodes: Mapping[str, Any]) -> Iterator[Issue]:
    """Yield what a policy refuses once it sees its cluster and node type.

    Parameters
    ----------
    clusters, nodes : mapping
        By name, as far as they could be read.
    """
    for name, cluster in clusters.items():
        node: NodeType | None = nodes.get(getattr(cluster, "node", ""))
        for problems in (_below_count, _broken_rules, _refused_states):
            with as_far_as_read(cluster, node):
                for key, text in problems(cluster, node):
                    path = ("clusters", name, "idle", *([key] if key else []))
                    yield Issue(dotted(path), text)


def _below_count(
    cluster: "Cluster",
    node: Any,  # noqa: ARG001 - no matter of the node type
) -> Iterator[tuple[str, str]]:
    """Yield a limit of nodes below those that there are at first."""
    plugin, count = cluster.idle.plugin, cluster.count
    limit = plugin.roles.get("node_limit")
    if limit is not None and (most := cluster.idle.parameters[limit]) < count:
        key = str(plugin.key_of("node_limit"))
        yield key, f"{key} ({most}) must be at least the cluster's count ({count})"


def _broken_rules(cluster: "Cluster", node: Any) -> Iterator[tuple[str, str]]:
    """Yield what the rules of a policy say of its parameters."""
    if cluster.idle.plugin.rules is not None:
        yield from cluster.idle.broken_rules(cluster.idle.arguments(node))


def _refused_states(cluster: "Cluster", node: Any) -> Iterator[tuple[str, str]]:
    """Yield what a policy of the idle states refuses once it sees those of its node type."""
    if cluster.idle.plugin.form == "descent":
        try:
            cluster.idle.descent_of(node)
        except ParameterError as error:
            yield error.key, str(error)


def provisioning_warnings(
    clusters: Mapping[str, Any], nodes: Mapping[str, NodeType]
) -> Iterator[str]:
    """Yield what is odd but allowed: no idle states for a ladder, a limit where no node wakes."""
    for name, cluster in clusters.items():
        if cluster.max_waking is not None and cluster.idle.policy == ALWAYS_ON:
            yield (
                f"{dotted(('clusters', name, 'max_waking'))}: with {ALWAYS_ON} no node ever wakes, "
                "and the limit means nothing"
            )
        if cluster.idle.follows_ladder and not nodes[cluster.node].idle_states:
            yield (
                f"{dotted(('clusters', name, 'idle'))}: node type {shown(cluster.node)} has no "
                f"idle_states; its nodes stay awake, as with {ALWAYS_ON}"
            )
