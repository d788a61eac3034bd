"""Plug-ins: policies by kind and name, each registered by the one decorator of its kind.

What the parameters of a plug-in are stands in `simulator.plugin_parameters`.

What ships is imported when a name is first looked up; packages of others name their modules in
the entry points group of the kind, e.g. ``fleetsim.provisioning``.
"""

import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module, metadata
from typing import Any, Final, TypeVar

from simulator.errors import listing
from simulator.plugin_parameters import Parameter, parameters_of
from simulator.plugin_source import source_of

Function = TypeVar("Function", bound=Callable[..., Any])
Rules = Callable[..., Iterator[tuple[str, str]]]
"""Given the parameters by keyword, yields what is wrong between them: key and message."""


class ParameterError(ValueError):
    """A parameter that a policy refuses when it sees the node; raised by the policy itself.

    Parameters
    ----------
    key : str
        The parameter, as a file has it.
    message : str
        The value, the rule and the remedy.
    """

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Form:
    """One form that the functions of a kind may have.

    Attributes
    ----------
    name : str
    arguments : tuple of str
        Names of the arguments before the parameters.
    generator : bool
        Whether it must be a generator function; otherwise it must not be one.
    """

    name: str
    arguments: tuple[str, ...]
    generator: bool = False

    def __str__(self) -> str:
        function = "a generator function" if self.generator else "a plain function"
        return f"{function} of ({', '.join((*self.arguments, '*', 'parameters'))})"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A registered function: its name, its form and its parameters.

    Attributes
    ----------
    name : str
    form : str
        Name of one of the forms of its kind.
    function : callable
    parameters : tuple of Parameter
    rules : callable or None
        What is wrong between parameters; see `Rules`.
    roles : mapping of str to str
        Names of the arguments that someone other than the function itself must know.
    source : str
        SHA-256 of the file of the function; empty for what ships, which has a model version.
    """

    name: str
    form: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    rules: Rules | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def key_of(self, role: str) -> str | None:
        """Return what a file calls the parameter of a role, or None without one."""
        name = self.roles.get(role)
        return next((each.key for each in self.parameters if each.name == name), None)


class Kind:
    """A kind of plug-in; calling it with a name gives the decorator that registers.

    Parameters
    ----------
    name : str
        Name of the kind: ``"provisioning"``.
    forms : iterable of Form
        Forms that its functions may have.
    package : str
        Package whose modules are imported when a name is first looked up.
    roles : iterable of str
        What the decorator may say of a parameter, beside the name.
    reserved : iterable of str
        Keys of a file that no parameter may have.
    built_in : iterable of str
        Names that stand for something of the engine's own, and for no plug-in.
    """

    def __init__(
        self,
        name: str,
        *,
        forms: Iterable[Form],
        package: str,
        roles: Iterable[str] = (),
        reserved: Iterable[str] = ("policy",),
        built_in: Iterable[str] = (),
    ) -> None:
        self.name = name
        self._forms = tuple(forms)
        self._package = package
        self._roles = tuple(roles)
        self._reserved = tuple(reserved)
        self._built_in = tuple(built_in)
        self._plugins: dict[str, Plugin] = {}
        self._own_found = False

    def __call__(
        self, name: str, *, rules: Rules | None = None, **roles: str
    ) -> Callable[[Function], Function]:
        """Return the decorator that registers a function under a name.

        Parameters
        ----------
        name : str
            What scenario files call it.
        rules : callable, optional
            Takes the parameters by keyword and yields what is wrong between them, as pairs of
            key and message.
        **roles : str
            Arguments that others must know of, e.g. ``node_limit="most"``.

        Raises
        ------
        TypeError
            If the function can't be used: its first arguments, its parameters or a role.
        ValueError
            If the name is taken.
        """
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"write a name: @{self.name}({name!r}) registers nothing")

        def register(function: Function) -> Function:
            self._add(self._plugin(name, function, rules, roles))
            return function

        return register

    def names(self) -> tuple[str, ...]:
        """Return all names, those of other packages included, in the order of the alphabet."""
        self._find_own()
        return tuple(sorted({*self._plugins, *(entry.name for entry in self._entries())}))

    def get(self, name: str) -> Plugin | None:
        """Return a plug-in, or None where nothing has the name.

        Raises
        ------
        ValueError
            If another package names it, but it can't be had from there.
        """
        self._find_own()
        if name not in self._plugins:
            self._load_entry(name)
        return self._plugins.get(name)

    def registered_elsewhere(self) -> dict[str, str]:
        """Return the module of every plug-in that does not ship, by the plug-in's name."""
        others = {n: p.function for n, p in self._plugins.items() if not self._is_own(p.function)}
        return {name: str(function.__module__) for name, function in others.items()}

    def sources(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """Return what stands for the code of plug-ins that do not ship, of all or of some names."""
        chosen = self._plugins if names is None else self._plugins.keys() & set(names)
        return {name: self._plugins[name].source for name in chosen if self._plugins[name].source}

    def _is_own(self, function: Callable[..., Any]) -> bool:
        """Return whether a function ships."""
        return str(function.__module__).split(".")[0] == self._package.split(".")[0]

    def _add(self, plugin: Plugin) -> None:
        function = plugin.function
        if not self._is_own(function):
            self._find_own()  # so that a name that ships is taken, whoever is first
        if plugin.name in self._built_in:
            raise ValueError(f'{self.name} "{plugin.name}" is built in; use another name')
        taken = self._plugins.get(plugin.name)
        if taken is not None and not _is_rewritten(taken.function, function):
            raise ValueError(
                f'{self.name} "{plugin.name}" is registered already, by '
                f"{taken.function.__module__}.{taken.function.__qualname__}; use another name"
            )
        self._plugins[plugin.name] = plugin

    def _find_own(self) -> None:
        if self._own_found:
            return
        self._own_found = True  # before the modules register theirs
        package = import_module(self._package)
        for module in sorted(found.name for found in pkgutil.iter_modules(package.__path__)):
            import_module(f"{self._package}.{module}")

    def _entries(self) -> metadata.EntryPoints:
        return metadata.entry_points(group=f"fleetsim.{self.name}")

    def _load_entry(self, name: str) -> None:
        for entry in self._entries().select(name=name):
            try:
                entry.load()
            except Exception as error:  # whatever goes wrong in the code of others
                raise ValueError(
                    f'"{name}" of {entry.value} can\'t be loaded: {type(error).__name__}: {error}'
                ) from error
            if name not in self._plugins:
                raise ValueError(f'{entry.value} registers no {self.name} called "{name}"')

    def _plugin(
        self, name: str, function: Callable[..., Any], rules: Rules | None, roles: dict[str, str]
    ) -> Plugin:
        if not inspect.isfunction(function):
            raise TypeError(f'{self.name} "{name}": {function!r} is not a function')
        where = f'{self.name} "{name}", function {function.__qualname__}'
        parameters = tuple(parameters_of(function, where))
        for parameter in parameters:
            if parameter.key in self._reserved:
                raise TypeError(f"{where}: {parameter.name}: files use this key otherwise")
        for role, argument in roles.items():
            if role not in self._roles:
                raise TypeError(f"{where}: {role}: known here are {listing(self._roles)}")
            if argument not in {parameter.name for parameter in parameters}:
                raise TypeError(f"{where}: {role}: no parameter is called {argument}")
        form, is_own = self._form(function, where).name, self._is_own(function)
        source = "" if is_own else source_of(function)
        return Plugin(name, form, function, parameters, rules, roles, source)

    def _form(self, function: Callable[..., Any], where: str) -> Form:
        first = tuple(
            name
            for name, argument in inspect.signature(function).parameters.items()
            if argument.kind in (argument.POSITIONAL_ONLY, argument.POSITIONAL_OR_KEYWORD)
        )
        generator = inspect.isgeneratorfunction(function)
        for form in self._forms:
            if (form.arguments, form.generator) == (first, generator):
                return form
        kind = "a generator function" if generator else "a plain function"
        raise TypeError(
            f"{where}: {kind} of ({', '.join(first)}); write {' or '.join(map(str, self._forms))}"
        )


def _is_rewritten(old: Callable[..., Any], new: Callable[..., Any]) -> bool:
    """Return whether a definition of a notebook or a prompt stands in place of its old self."""
    return old.__module__ == new.__module__ == "__main__" and old.__qualname__ == new.__qualname__


provisioning: Final = Kind(
    "provisioning",
    forms=(Form("descent", ("states",)), Form("controller", ("env", "cluster"), generator=True)),
    package="simulator.policies",
    roles=("age", "ladder", "lifetime", "node_limit"),
    reserved=("policy", "max_waking"),
)
"""Policies of idle nodes: ``@provisioning("headroom")``.

A plain function of the node's idle states returns the ladder that idle nodes follow. A generator
function is a SimPy process that commands the cluster while it runs. Roles: `age`, the age of the
first nodes; `ladder`, the flag that says whether idle nodes follow the node's own ladder;
`lifetime`, a time that is the node type's lifetime where a file doesn't say it; `node_limit`, the
most nodes the cluster may have.
"""


scheduling: Final = Kind(
    "scheduling",
    forms=(
        Form("rule", ()),
        Form("order", ("queue", "cluster", "now_s")),
        Form("order", ("queue", "cluster", "now_s"), generator=True),
    ),
    package="simulator.policies",
)
"""Policies of queues: ``@scheduling("shortest-first")``.

A plain function of parameters alone returns the `simulator.policies.QueueRule` that the engine
follows. A function of the queue, the cluster and the time is asked in plain Python, at each pass:
it returns or yields the jobs to start.
"""


dispatch: Final = Kind(
    "dispatch",
    forms=(Form("rule", ()), Form("choice", ("job", "clusters", "now_s"))),
    package="simulator.policies",
    reserved=("policy", "among"),
)
"""Policies that choose the cluster of a job: ``@dispatch("least-wait")``.

A plain function of parameters alone returns the `simulator.policies.DispatchRule` that the engine
follows. A function of the job, the clusters that could hold it and the time is asked in plain
Python, once for each job as it is submitted: it returns one of the clusters, or its name.
"""

PLACEMENTS: Final = ("pack", "first-fit", "spread", "locality")
"""Placement rules of the engine, in the order of the codes that the kernels know."""

placement: Final = Kind(
    "placement",
    forms=(Form("place", ("job", "cluster", "now_s")),),
    package="simulator.policies",
    built_in=PLACEMENTS,
)
"""Policies of placement: ``@placement("lowest-rack")``.

A function of a job that starts, the cluster and the time, asked in plain Python, returns the
nodes: the whole ones, then the one for the rest.
"""
