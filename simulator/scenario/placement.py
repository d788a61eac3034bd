"""Racks of a cluster and which nodes a job takes, as a scenario writes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, ValidationInfo

from simulator import registry
from simulator.errors import Issue, shown
from simulator.registry import PLACEMENTS, Kind, ParameterError
from simulator.scenario.fields import Marker, Number, Whole, Word
from simulator.scenario.limits import NODES
from simulator.scenario.parameters import read_parameters
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.scenario.policy_choice import PolicyChoice, chosen_in, kind_form
from simulator.scenario.reading import reading_of
from simulator.scenario.scheduling import Scheduling
from simulator.scenario.spec import Problems, Spec, read_as

LOCALITY: Final = "locality"
"""The fewest racks."""

SPEED: Final = Number(above=0.0, high=1.0, meaning="a relative speed")


class Racks(Spec):
    """Nodes of a cluster that stand together: so many to a rack, in order of their number."""

    nodes: Annotated[int, Whole(1, NODES.most)] = Field(examples=["16"])
    """Nodes of one rack; the last rack may have fewer."""
    cross_rack_speed: Annotated[float, SPEED] = 1.0
    """Speed of a gang whose nodes lie in several racks, relative to that in one."""

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return "write { nodes = 16 }"


class RacksOf(Marker):
    """Racks of a cluster."""

    def read(self, value: Any, info: ValidationInfo) -> Racks:
        """Return them, their keys checked."""
        return read_as(Racks, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the table."""
        return Racks.table_form()


@dataclass(frozen=True)
class Placing(PolicyChoice):
    """A placement policy in plain Python with its parameters."""

    kind: ClassVar[Kind] = registry.placement


class PlacementPolicy(Marker):
    """A rule of the engine by its name, or a policy in plain Python, perhaps with parameters."""

    def read(self, value: Any, info: ValidationInfo) -> "str | Placing":
        """Return the rule's name, or the policy with its parameters checked."""
        if isinstance(value, Placing) or (isinstance(value, str) and value in PLACEMENTS):
            return value
        if isinstance(value, dict) and value.get("policy") in PLACEMENTS:
            name = shown(value["policy"])
            raise ValueError(f"{name} is a rule without parameters; write placement = {name}")
        if not isinstance(value, dict) and value not in registry.placement.names():
            Word((*PLACEMENTS, *registry.placement.names())).plain(value)
        plugin, table = chosen_in(
            registry.placement, value, 'placement = { policy = "my-placement", ... }'
        )
        problems = Problems()
        parameters = read_parameters(plugin, table, info, problems)
        problems.check()
        return Placing(plugin.name, parameters)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of all rules and policies."""
        rules = Word(PLACEMENTS).form()
        return {"anyOf": [rules, kind_form(registry.placement)]} if _known() else rules


def _known() -> bool:
    return bool(registry.placement.names())


def placement_problems(clusters: Mapping[str, Any], sites: Mapping[str, Any]) -> Iterator[Issue]:
    """Yield placements that lack racks, or that a queue or a power budget does not allow.

    Parameters
    ----------
    clusters, sites : mapping
        By name, as far as they could be read.
    """
    for name, cluster in clusters.items():
        for key, text in _problems(cluster, sites):
            yield Issue(dotted(("clusters", name, *key)), text)


def _problems(cluster: Any, sites: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    with as_far_as_read(cluster):
        if cluster.placement == LOCALITY and cluster.racks is None:
            text = '"locality" goes by racks, and there are none; write racks = { nodes = 16 }'
            yield ("placement",), text
        if isinstance(cluster.placement, Placing):
            for key, text in cluster.placement.broken_rules():
                yield ("placement", *([key] if key else [])), text
    with as_far_as_read(cluster):
        yield from _beside_backfill(cluster, _backfill(cluster.queue))
    with as_far_as_read(cluster):
        if isinstance(cluster.placement, Placing) and _has_budget(cluster, sites):
            text = (
                f"{shown(cluster.placement.policy)} is asked in plain Python, and a power budget "
                "must know what a job draws before; write a rule such as "
                '"pack", or take the budget out'
            )
            yield ("placement",), text


def _beside_backfill(cluster: Any, backfill: str) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(cluster.placement, Placing) and backfill != "none":
        text = (
            f"{shown(cluster.placement.policy)} is asked in plain Python for each job that starts, "
            f"and {backfill} backfill must know the places of jobs that do not start yet; write a "
            'queue without backfill, or a rule such as "pack"'
        )
        yield ("placement",), text
    if cluster.racks is None or backfill != "conservative":
        return
    if cluster.placement == LOCALITY:
        text = (
            '"locality" is not for conservative backfill, which reserves nodes for times at which '
            "nobody counts what is free in a rack; write easy backfill, or another placement"
        )
        yield ("placement",), text
    if cluster.racks.cross_rack_speed < 1:
        text = (
            "conservative backfill reserves time before it knows the nodes, so it must not depend "
            "on their racks; write easy backfill, or leave the speed at 1"
        )
        yield ("racks", "cross_rack_speed"), text


def _backfill(queue: Scheduling) -> str:
    """Return how a queue is backfilled; "none" where its parameters are refused anyhow."""
    if queue.in_python:
        return "none"
    try:
        return str(queue.rule().backfill)
    except ParameterError:
        return "none"


def _has_budget(cluster: Any, sites: Mapping[str, Any]) -> bool:
    if cluster.power_budget_w is not None:
        return True
    site = sites.get(cluster.site)
    return getattr(site, "power_budget_w", None) is not None
