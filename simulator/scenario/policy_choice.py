"""A policy that a scenario chooses, whatever its kind: its name and its parameters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulator.errors import PolicyError, listing
from simulator.registry import Kind, ParameterError, Plugin
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

    def broken_rules(
        self, parameters: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[str, str]]:
        """Yield what the policy's own rules say of its parameters: key and message.

        Parameters
        ----------
        parameters : mapping, optional
            In place of those that are written.

        Raises
        ------
        PolicyError
            If the rules fail.
        """
        rules = self.plugin.rules
        if rules is not None:
            try:
                yield from rules(**(self.parameters if parameters is None else parameters))
            except Exception as error:
                raise failed(self.policy, error) from error

    def made(self, returns: "Returns", *arguments: Any, **parameters: Any) -> Any:
        """Return what the policy's function makes.

        Raises
        ------
        ParameterError
            If the policy refuses one of its parameters.
        PolicyError
            If it fails, or returns something else.
        """
        try:
            value = self.plugin.function(*arguments, **parameters)
            if not all(hasattr(value, name) for name in returns.attributes):
                raise TypeError(f"it returned {value!r}; return simulator.policies.{returns.form}")
        except ParameterError:
            raise
        except Exception as error:
            raise failed(self.policy, error) from error
        return value


@dataclass(frozen=True)
class Returns:
    """What the functions of a form return.

    Attributes
    ----------
    form : str
        What to write.
    attributes : tuple of str
        By which it is told; its class belongs to a layer above.
    """

    form: str
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class RuleChoice(PolicyChoice):
    """A policy that gives a rule from its parameters alone, or is asked in plain Python."""

    asked: ClassVar[str]
    """The form of policies that are asked in plain Python."""
    returns: ClassVar[Returns]

    @property
    def in_python(self) -> bool:
        """Whether the policy is asked in plain Python, in place of giving a rule."""
        return self.plugin.form == self.asked

    def rule(self) -> Any:
        """Return the rule that a policy of parameters alone makes; raises as `made`."""
        return self.made(self.returns, **self.parameters)

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what the policy and its rules say of the parameters: key and message."""
        yield from self.broken_rules()
        if not self.in_python:
            try:
                self.rule()
            except ParameterError as error:
                yield error.key, str(error)


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
