"""Parameters of plug-ins: the keyword-only arguments of their functions.

The unit ends an argument's name, as everywhere inside; a file leaves it out and writes it into the
value: ``every_ms: int`` is ``every = "5 min"``. How each type is read from a file is the business
of `simulator.scenario.parameters`.
"""

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

DIMENSION_BY_SUFFIX: Final = {
    "_g_per_kwh": "intensity",
    "_l_per_kwh": "water",
    "_per_ms": "rate",
    "_degc": "temperature",
    "_ms": "time",
    "_w": "power",
    "_j": "energy",
    "_g": "mass",
}
"""How the name of an argument ends, and the dimension that this gives; longer endings first."""

HOUSE_SUFFIX: Final = {
    "_s": "_ms", "_h": "_ms", "_d": "_ms",
    "_kw": "_w", "_mw": "_w", "_wh": "_j", "_kwh": "_j", "_mwh": "_j", "_kg": "_g",
}  # fmt: skip
"""Endings that name a unit which is not the one used inside, and the one that is."""

_SECTION: Final = "Parameters\n----------\n"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One keyword-only argument of a plug-in.

    Attributes
    ----------
    name : str
        Name of the argument, its unit at the end: ``"every_ms"``.
    key : str
        What a file calls it: ``"every"``.
    dimension : str or None
        A key of `simulator.units.DIMENSIONS`; None where the name ends in no unit.
    annotation : type
        As written, markers included.
    default : object
        In house units; `inspect.Parameter.empty` where there is none.
    meaning : str
        What the docstring says of it.
    """

    name: str
    key: str
    dimension: str | None
    annotation: Any
    default: Any
    meaning: str

    @property
    def required(self) -> bool:
        """Whether a file must give it."""
        return self.default is inspect.Parameter.empty


def parameters_of(function: Callable[..., Any], where: str) -> Iterator[Parameter]:
    """Yield the parameters of a function, in its order.

    Raises
    ------
    TypeError
        If a file couldn't say one of them; begins with `where`.
    """
    arguments = {
        name: argument
        for name, argument in inspect.signature(function).parameters.items()
        if argument.kind not in (argument.POSITIONAL_ONLY, argument.POSITIONAL_OR_KEYWORD)
    }
    annotations = _annotations(function, arguments, where)
    meanings = _meanings(function)
    seen: dict[str, str] = {}
    for name, argument in arguments.items():
        if argument.kind is not argument.KEYWORD_ONLY:
            raise TypeError(f"{where}: {argument}: a file can't say this; name each parameter")
        suffix = next((end for end in DIMENSION_BY_SUFFIX if name.endswith(end)), "")
        foreign = next((end for end in HOUSE_SUFFIX if not suffix and name.endswith(end)), None)
        if foreign is not None:
            meant = name.removesuffix(foreign) + HOUSE_SUFFIX[foreign]
            raise TypeError(f"{where}: {name} is not in a unit used inside; write {meant}")
        key = name.removesuffix(suffix)
        if key in seen:
            raise TypeError(f"{where}: {seen[key]} and {name} are both {key} in a file")
        seen[key] = name
        dimension = DIMENSION_BY_SUFFIX.get(suffix)
        meaning = meanings.get(name, "")
        yield Parameter(name, key, dimension, annotations[name], argument.default, meaning)


def _annotations(
    function: Callable[..., Any], arguments: Mapping[str, inspect.Parameter], where: str
) -> dict[str, Any]:
    for name, argument in arguments.items():
        if argument.annotation is argument.empty:
            raise TypeError(f"{where}: {name} has no type; write e.g. {name}: int = 4")
    written = SimpleNamespace(
        __annotations__={name: argument.annotation for name, argument in arguments.items()}
    )
    try:
        return typing.get_type_hints(written, function.__globals__, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"{where}: {error}; types of parameters must be known when the function is made"
        ) from error


def _meanings(function: Callable[..., Any]) -> dict[str, str]:
    """Return what the docstring says of each parameter."""
    words: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (inspect.getdoc(function) or "").partition(_SECTION)[2].splitlines():
        if line.startswith("---"):
            break  # the underline of the next section
        if line and not line[0].isspace():
            current = words.setdefault(line.partition(" :")[0], [])
        else:
            current += line.split()
    return {name: " ".join(text) for name, text in words.items()}
