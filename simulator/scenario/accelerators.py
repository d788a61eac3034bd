"""Accelerators that the jobs of a workload ask for, and how fast they are for it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from simulator.errors import Issue, listing, nearest, shown
from simulator.scenario.fields import Marker, Number, Text
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.scenario.spec import Problems

if TYPE_CHECKING:
    from simulator.scenario.model import Scenario
    from simulator.scenario.workloads import Workload

SPEED: Final = Number(low=1e-6, high=1e6, meaning="a speed")

EXAMPLE: Final = 'write ["a100-80g"], or { "a100-80g" = 1.0, "v100-16g" = 0.4 }'


class WantedAccelerators(Marker):
    """Accelerators by name: a list, or a table of their speeds."""

    def plain(self, value: Any) -> dict[str, float | None]:
        """Return the speed of each accelerator; None where the workload does not say it."""
        if isinstance(value, str):
            raise ValueError(f"{shown(value)} is not a list; write [{shown(value)}]")
        if not isinstance(value, list | tuple | dict) or not value:
            raise ValueError(f"{shown(value)} names no accelerators; {EXAMPLE}")
        problems = Problems()
        if isinstance(value, dict):
            speeds = {
                name: speed if speed is None else problems.read((name,), SPEED.plain, speed)
                for name, speed in value.items()
            }
            problems.check()
            return speeds
        name_of = Text("an accelerator's name")
        for index, name in enumerate(value):
            if problems.read((index,), name_of.plain, name) and name in value[:index]:
                problems.add((index,), f"{shown(name)} stands in the list twice; take one out")
        problems.check()
        return dict.fromkeys(value)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the list or the table."""
        names = {"type": "array", "minItems": 1, "items": {"type": "string"}, "uniqueItems": True}
        speeds = {"type": "object", "minProperties": 1, "additionalProperties": SPEED.form()}
        return {"anyOf": [names, speeds]}


def eligible(
    workload: "Workload", clusters: Mapping[str, Any], nodes: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the clusters of a workload that have an accelerator it may use, in its order."""
    wanted = workload.accelerators
    if wanted is None:
        return workload.clusters.among
    return tuple(
        name for name in workload.clusters if nodes[clusters[name].node].accelerator in wanted
    )


def accelerator_problems(
    clusters: Mapping[str, Any], nodes: Mapping[str, Any], workloads: Mapping[str, Any]
) -> Iterator[Issue]:
    """Yield workloads whose accelerators none of their clusters has.

    Parameters
    ----------
    clusters, nodes, workloads : mapping
        By name, as far as they could be read.
    """
    for name, workload in workloads.items():
        with as_far_as_read(workload):
            wanted = workload.accelerators
            kinds = _kinds(workload, clusters, nodes)
            if wanted is None or kinds is None or not kinds.isdisjoint(wanted):
                continue
            known = sorted(kind for kind in kinds if kind)
            asked = listing(map(shown, wanted))
            text = f"none of its clusters has {asked}; "
            if known:
                near = next((near for each in wanted if (near := nearest(each, known))), None)
                text += f'did you mean "{near}"? ' if near else ""
                text += f"they have {listing(known)}"
            else:
                text += "their node types name no accelerator: write it into [nodes]"
            yield Issue(dotted(("workloads", name, "accelerators")), text)


def _kinds(
    workload: "Workload", clusters: Mapping[str, Any], nodes: Mapping[str, Any]
) -> set[str | None] | None:
    """Return the accelerators of a workload's clusters; None where one could not be read."""
    kinds: set[str | None] = set()
    for name in workload.clusters:
        cluster = clusters.get(name)
        node = None if cluster is None else nodes.get(getattr(cluster, "node", ""))
        if node is None or not hasattr(node, "accelerator"):
            return None
        kinds.add(node.accelerator)
    return kinds


def accelerator_warnings(scenario: "Scenario") -> Iterator[str]:
    """Yield a warning for accelerators that a workload names and none of its clusters has."""
    for name, workload in scenario.workloads.items():
        kinds = _kinds(workload, scenario.clusters, scenario.nodes) or set()
        idle = [each for each in workload.accelerators or () if each not in kinds]
        if idle:
            path = dotted(("workloads", name, "accelerators"))
            yield f"{path}: none of its clusters has {listing(map(shown, idle))}"
