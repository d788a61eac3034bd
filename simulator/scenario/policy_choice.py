"""A policy that a scenario chooses, whatever its kind: its name and its parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulator.errors import PolicyError, listing
from simulator.registry import Kind, Plugin
from simulator.scenario.fields import Word
from simulator.scenario.parameters import example, markers_of, table_form, written_defaults
from simulator.scenario.spec import refusal


@dataclass(frozen=True)
class PolicyChoice:
    """A policy with its parameters.

    Attributes
    ----------
    policy : str
        Name of the policy.
    parameters : dict
        Arguments of its function by name, in house units, defaults included.
    """

    policy: str
    parameters: dict[str, Any] = field(default_factory=dict)

    kind: ClassVar[Kind]

    @property
    def plugin(self) -> Plugin:
        """What the policy's name stands for."""
        return plugin_of(self.kind, self.policy)

    @property
    def is_settled(self) -> bool:
        """Whether the name stands for the same policy for good; a notebook may rewrite its own."""
        found = self.kind.get(self.policy)
        return found is not None and found.function.__module__ != "__main__"

    def in_full(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return the table of a document with the defaults that it leaves out."""
        return dict(table) | {
            key: value for key, value in written_defaults(self.plugin).items() if key not in table
        }


def failed(policy: str, error: Exception) -> PolicyError:
    """Return the failure of a policy, on one line."""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return PolicyError(f"policy {policy} failed: {words}")


def plugin_of(kind: Kind, name: object) -> Plugin:
    """Return the policy that has a name, or refuse with the nearest and the list."""
    found = kind.get(name) if isinstance(name, str) else None
    if found is None:
        Word(kind.names()).plain(name)
    assert found is not None
    return found


def chosen_in(kind: Kind, value: Any, instead: str) -> tuple[Plugin, dict[str, Any]]:
    """Return the policy that a value names, and the table of the keys beside its name.

    Parameters
    ----------
    kind : Kind
    value : object
        A name, or a table with its `policy`.
    instead : str
        What to write where a table names no policy.
    """
    if not isinstance(value, dict):
        return _by_name(kind, value), {}
    if "policy" not in value:
        raise ValueError(f"policy is missing; write e.g. {instead}")
    try:
        plugin = plugin_of(kind, value["policy"])
    except ValueError as error:
        raise refusal(("policy",), str(error)) from None
    return plugin, {key: entry for key, entry in value.items() if key != "policy"}


def _by_name(kind: Kind, name: object) -> Plugin:
    """Return a policy that is given by its name alone, without parameters."""
    plugin = plugin_of(kind, name)
    markers = markers_of(plugin)
    needed = [each.key for each in plugin.parameters if each.required]
    if needed:
        pairs = ", ".join(example(key, markers[key]) for key in needed)
        raise ValueError(
            f'"{plugin.name}" needs {listing(needed)}; '
            f'write {{ policy = "{plugin.name}", {pairs} }}'
        )
    return plugin


def kind_form(kind: Kind, others: Callable[[str], dict[str, Any]] = lambda _: {}) -> dict[str, Any]:
    """Return the JSON Schema of all policies of a kind with their parameters.

    Parameters
    ----------
    kind : Kind
    others : callable
        Given a policy's name, the forms of keys that are not the policy's own.
    """
    complete, tables = [], []
    for name in kind.names():
        try:
            plugin = plugin_of(kind, name)
            tables.append(table_form(plugin, others(name)))
        except ValueError:  # of another package, and refused where a scenario names it
            continue
        if not any(each.required for each in plugin.parameters):
            complete.append(name)
    return {"anyOf": [{"enum": complete}, *tables]}
