"""Which cluster a job goes to, as a scenario writes it: a list of clusters, or a policy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import ValidationInfo

from simulator import registry
from simulator.errors import Issue, nearest, shown
from simulator.registry import Kind
from simulator.scenario.fields import Marker
from simulator.scenario.parameters import markers_of, read_parameters, table_form
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import dotted
from simulator.scenario.policy_choice import Returns, RuleChoice, chosen_in, plugin_of
from simulator.scenario.spec import Problems

PREFERENCE: Final = "preference"
"""The first cluster with room, in the order of the list; what a list alone means."""

AMONG: Final = "among"
"""Key of the clusters beside the name of a policy."""

EXAMPLE: Final = 'clusters = { policy = "least-wait", among = ["a", "b"] }'


@dataclass(frozen=True)
class Dispatch(RuleChoice):
    """Clusters that may run the jobs of a workload, and the policy that chooses among them.

    Attributes
    ----------
    among : tuple of str
        Clusters by name; the order is that of preference, and settles ties.
    """

    policy: str = PREFERENCE
    among: tuple[str, ...] = ()

    kind: ClassVar[Kind] = registry.dispatch
    asked: ClassVar[str] = "choice"
    returns: ClassVar[Returns] = Returns("DispatchRule(...)", ("by", "binds"))

    def __iter__(self) -> Iterator[str]:
        return iter(self.among)

    @property
    def binds(self) -> bool:
        """Whether a job gets its cluster as it is submitted, and waits for that alone."""
        if self.policy == PREFERENCE:
            return False
        return self.in_python or bool(self.rule().binds)


class DispatchPolicy(Marker):
    """Clusters in order of preference, or a table of a policy, its clusters and its parameters."""

    def read(self, value: Any, info: ValidationInfo) -> Dispatch:
        """Return the clusters and the policy, its parameters checked."""
        if isinstance(value, Dispatch):
            return value
        if not isinstance(value, dict):
            return Dispatch(among=cluster_names(value))
        plugin, table = chosen_in(registry.dispatch, value, EXAMPLE)
        problems = Problems()
        among: tuple[str, ...] | None = None
        misspelt = _misspelt(table, markers_of(plugin))
        if AMONG in table:
            among = problems.read((AMONG,), cluster_names, table.pop(AMONG))
        elif misspelt is not None:
            problems.add((misspelt,), f"unknown key; did you mean '{AMONG}'?")
            del table[misspelt]
        else:
            problems.add((AMONG,), f'missing; e.g. {AMONG} = ["a", "b"]')
        parameters = read_parameters(plugin, table, info, problems, (AMONG,))
        problems.check()
        return Dispatch(plugin.name, parameters, among or ())

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a list, or of all policies with their parameters."""
        names = {
            "type": "array", "minItems": 1, "items": {"type": "string"}, "uniqueItems": True,
        }  # fmt: skip
        among = {"description": "Clusters; the order settles ties.", **names}
        tables = []
        for name in registry.dispatch.names():
            try:
                table = table_form(plugin_of(registry.dispatch, name), {AMONG: among})
            except ValueError:  # of another package, and refused where a scenario names it
                continue
            table["required"].insert(1, AMONG)
            tables.append(table)
        return {"anyOf": [names, *tables]}


def _misspelt(table: Mapping[str, Any], known: Mapping[str, Any]) -> str | None:
    """Return the key that stands for the clusters and is nearly called as they are."""
    keys = (key for key in table if key not in known)
    return next((key for key in keys if nearest(key, [*known, AMONG]) == AMONG), None)


def cluster_names(value: Any) -> tuple[str, ...]:
    """Return the names of clusters that a list gives."""
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a list; write [{shown(value)}]")
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f'{shown(value)} is not a list of clusters; write e.g. ["train"]')
    problems = Problems()
    for index, name in enumerate(value):
        if not isinstance(name, str):
            problems.add((index,), f"{shown(name)} is not a name; write it in quotes")
        elif name in value[:index]:
            problems.add((index,), f"{shown(name)} stands in the list twice; take one out")
    problems.check()
    return tuple(value)


def dispatch_problems(workloads: Mapping[str, Any]) -> Iterator[Issue]:
    """Yield what policies refuse of their parameters.

    Parameters
    ----------
    workloads : mapping
        By name, as far as they could be read.
    """
    for name, workload in workloads.items():
        with as_far_as_read(workload):
            for key, text in workload.clusters.faults():
                yield Issue(dotted(("workloads", name, "clusters", *([key] if key else []))), text)
