"""Parameters of plug-ins: how the type of an argument is read from a scenario file."""

import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import ValidationInfo

from simulator.errors import nearest, shown
from simulator.plugin_parameters import Parameter
from simulator.registry import Plugin
from simulator.scenario.fields import (
    Flag,
    Marker,
    Milliseconds,
    Number,
    Quantity,
    Text,
    Whole,
    Word,
)
from simulator.scenario.laws import Constant, Law, LawOf
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Problems, unknown_key
from simulator.units import exact_quantity

LARGEST_WHOLE: Final = 2**31 - 1
"""Whole numbers without bounds of their own go from 0 to this."""

PERIOD: Final = "every"
"""Key of the time between two looks of a policy; 0 would stop the clock."""

_LAW_KINDS: Final = frozenset(get_args(Law))


@dataclass(frozen=True)
class ListOf(Marker):
    """A list whose entries are all of one type, and that may have only some lengths."""

    each: Marker
    lengths: tuple[int, ...] = ()

    def read(self, value: Any, info: ValidationInfo) -> tuple[Any, ...]:
        """Return the entries in order."""
        if not isinstance(value, list | tuple):
            raise ValueError(f"{shown(value)} is not a list; write [..., ...]")
        if self.lengths and len(value) not in self.lengths:
            wanted = " or ".join(map(str, self.lengths))
            raise ValueError(f"{len(value)} entries; write {wanted} of them")
        problems = Problems()
        entries = [
            problems.read((index,), self.each.read, entry, info)
            for index, entry in enumerate(value)
        ]
        problems.check()
        return tuple(entries)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the list."""
        form = {"type": "array", "items": self.each.form()}
        if not self.lengths:
            return form
        return {"anyOf": [form | {"minItems": n, "maxItems": n} for n in self.lengths]}


def markers_of(plugin: Plugin) -> dict[str, Marker]:
    """Return how each parameter of a plug-in is read, by its key in a file.

    Raises
    ------
    ValueError
        If a parameter has a type that no file can say.
    """
    return {each.key: _marker(plugin, each) for each in plugin.parameters}


def _marker(plugin: Plugin, parameter: Parameter) -> Marker:
    annotation, marker = _plain_type(parameter.annotation)
    marker = marker or _of_type(annotation, parameter)
    if marker is None:
        written = getattr(annotation, "__name__", annotation)
        raise ValueError(
            f"{plugin.name} can't be used: its parameter {parameter.name} is of type {written}; "
            "a file can say int, float, bool, str, Literal, tuple[float, ...] and Law"
        )
    return marker


def _plain_type(annotation: Any) -> tuple[Any, Marker | None]:
    """Return a type without None and without notes, and the marker among the notes."""
    marker = None
    while True:
        if get_origin(annotation) is Annotated:
            notes = annotation.__metadata__
            marker = marker or next((note for note in notes if isinstance(note, Marker)), None)
            annotation = annotation.__origin__
            continue
        kinds = [kind for kind in get_args(annotation) if kind is not types.NoneType]
        optional = get_origin(annotation) in (Union, types.UnionType)
        if not optional or len(kinds) != 1 or len(get_args(annotation)) != 2:
            return annotation, marker
        (annotation,) = kinds


def _of_type(annotation: Any, parameter: Parameter) -> Marker | None:
    if _LAW_KINDS <= set(get_args(annotation)) <= _LAW_KINDS | {types.NoneType}:
        return LawOf("duration") if parameter.dimension in (None, "time") else None
    if get_origin(annotation) in (list, tuple):
        first, *others = get_args(annotation)
        inner, marker = _plain_type(first)
        marker = marker or _of_type(inner, parameter)
        return ListOf(marker) if marker is not None and others in ([], [...]) else None
    if parameter.dimension is not None:
        return _of_dimension(annotation, parameter)
    if get_origin(annotation) is Literal and all(map(_is_text, get_args(annotation))):
        return Word(get_args(annotation))
    if annotation is float:
        is_share = f"_{parameter.name}".endswith(("_share", "_shares"))
        return Number(low=0.0, high=1.0, meaning="a share") if is_share else Number()
    plain = {bool: Flag(), int: Whole(0, LARGEST_WHOLE), str: Text()}
    return plain.get(annotation) if isinstance(annotation, type) else None


def _of_dimension(annotation: Any, parameter: Parameter) -> Marker | None:
    assert parameter.dimension is not None
    positive = parameter.key == PERIOD
    if annotation is int and parameter.dimension == "time":
        return Milliseconds(positive=positive)
    if annotation is float:
        return Quantity(parameter.dimension, positive=positive)
    return None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def read_parameters(
    plugin: Plugin,
    table: dict[str, Any],
    info: ValidationInfo,
    problems: Problems,
    others: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the arguments of a plug-in that a table gives, defaults included.

    Parameters
    ----------
    plugin : Plugin
    table : dict
        Keys and values as in a file, those of the parameters alone.
    info : ValidationInfo
    problems : Problems
        Takes what is wrong, by key.
    others : iterable of str
        Keys that policies with parameters may have beside them.

    Returns
    -------
    dict
        Values in house units by the names of the arguments, in the order of the function.
    """
    markers = markers_of(plugin)
    if reading_of(info) is None:  # from Python an argument may go by its own name
        names = {each.name: each.key for each in plugin.parameters}
        table = {names.get(key, key): value for key, value in table.items()}
    meant = set()
    for key in table.keys() - markers.keys():
        meant.add(nearest(key, markers))
        known = [*markers, *others] if plugin.parameters else []
        text = unknown_key(key, known) if known else f"unknown key; {plugin.name} has no settings"
        problems.add((key,), text)
    values = {}
    for each in plugin.parameters:
        if each.key in table:
            value = table[each.key]
            values[each.name] = problems.read((each.key,), markers[each.key].read, value, info)
        elif not each.required:
            default = each.default
            values[each.name] = tuple(default) if isinstance(default, list) else default
        elif each.key not in meant:
            problems.add((each.key,), f"missing; e.g. {example(each.key, markers[each.key])}")
    return values


def written_defaults(plugin: Plugin) -> dict[str, Any]:
    """Return what a file would write for the defaults; those that say nothing are left out."""
    written: dict[str, Any] = {}
    for each in plugin.parameters:
        value = each.default
        if each.required or value is None or value == ():
            continue
        if isinstance(value, Constant):
            written[each.key] = exact_quantity(value.value, "time")
        elif each.dimension is not None and isinstance(value, int | float):
            written[each.key] = exact_quantity(value, each.dimension)
        elif isinstance(value, bool | int | float | str):
            written[each.key] = value
        elif isinstance(value, list | tuple):
            written[each.key] = list(value)
    return written


def example(key: str, marker: Marker) -> str:
    """Return a line that gives a parameter, e.g. ``every = "15 min"``."""
    form = marker.form()
    form = form.get("anyOf", [form])[0]
    if "examples" in form:
        return f'{key} = "{form["examples"][0]}"'
    if "enum" in form:
        return f'{key} = "{form["enum"][0]}"'
    kinds = {"integer": "4", "number": "0.1", "boolean": "true", "array": "[..., ...]"}
    return f"{key} = {kinds.get(form.get('type', ''), '...')}"


def table_form(plugin: Plugin, others: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a table that names a plug-in and gives its parameters.

    Parameters
    ----------
    plugin : Plugin
    others : dict
        Forms of keys that are not the plug-in's own.
    """
    defaults, markers = written_defaults(plugin), markers_of(plugin)
    properties: dict[str, Any] = {"policy": {"const": plugin.name}}
    for each in plugin.parameters:
        form = {"description": each.meaning, **markers[each.key].form()}
        if each.key in defaults:
            form["default"] = defaults[each.key]
        properties[each.key] = form
    return {
        "type": "object",
        "description": plugin.summary,
        "properties": properties | others,
        "required": ["policy", *(each.key for each in plugin.parameters if each.required)],
        "additionalProperties": False,
    }
