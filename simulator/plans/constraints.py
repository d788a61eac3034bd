"""Constraints between axes: ``"clusters.a.count + clusters.b.count <= 256"``.

Paths of axes may hold hyphens, quotes and brackets, so they are replaced by plain names before
the text is parsed as an expression; of which only arithmetic, comparisons, and, or, not are let
through. All points are tried at once, column by column.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.columns import SUMMARY
from simulator.errors import listing, nearest, shown
from simulator.plans.axes import Axis, Chosen, Drawn
from simulator.plans.designs import Points
from simulator.scenario.paths import dotted
from simulator.units import DIMENSIONS, a_dimension, number_and_unit

LONGEST: Final = 1000
"""Characters that a constraint may have."""

_AT_ONCE: Final = 1_000_000
"""Points tried together; bounds the memory."""

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"number": "a number", "text": "a text", "truth": "true or false"}
)
_RULE: Final = (
    "write axes, numbers, quantities and texts in quotes, + - * /, comparisons, and, or, not and "
    "parentheses"
)
_ARITHMETIC: Final[Mapping[type, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
    }
)
_COMPARISONS: Final[Mapping[type, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
        ast.Gt: operator.gt,
        ast.GtE: operator.ge,
        ast.Eq: operator.eq,
        ast.NotEq: operator.ne,
    }
)


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one expression at some points.

    Attributes
    ----------
    kind : str
        ``number``, ``text``, ``truth`` or a dimension.
    values : array or a single value
        Quantities in house units.
    """

    kind: str
    values: Any


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint, parsed.

    Attributes
    ----------
    text : str
        As written.
    tree : ast.expr
        Of plain names in place of paths.
    axes : dict of str to int
        Which axis each name stands for.
    """

    text: str
    tree: ast.expr
    axes: Mapping[str, int]


def read_constraint(text: Any, axes: Sequence[Axis]) -> Constraint:
    """Return a constraint, parsed.

    Raises
    ------
    ValueError
        If it is no expression of the axes.
    """
    if not isinstance(text, str):
        raise ValueError(f'{shown(text)} is not a text; write it in quotes: "a.count <= b.count"')
    if len(text) > LONGEST:
        raise ValueError(f"{len(text)} characters are too many; write at most {LONGEST}")
    plain, names = _with_names(text, axes)
    plain = " ".join(plain.splitlines()).strip()  # one may break a long one into lines
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{shown(text)} is no expression; {_RULE}") from None
    used: set[str] = set()
    _check(tree, names, used, plain, axes)
    if not used:
        raise ValueError(
            f"{shown(text)} names no axis; the axes are {listing(axis.path for axis in axes)}"
        )
    return Constraint(text, tree, {name: names[name] for name in used})


def _with_names(text: str, axes: Sequence[Axis]) -> tuple[str, dict[str, int]]:
    """Return a text with a plain name for each path of an axis, and which axis it stands for."""
    prefix = "axis"
    while prefix in text:
        prefix += "_"
    names = {f"{prefix}{index}": index for index in range(len(axes))}
    written = {spelling: index for index, axis in enumerate(axes)
               for spelling in (axis.path, dotted(axis.parts))}  # fmt: skip
    longest_first = sorted(written, key=len, reverse=True)
    paths = "|".join(re.escape(spelling) for spelling in longest_first)
    pattern = rf"""(?<![\w."'])({paths})(?![\w."'\[])|"[^"]*"|'[^']*'"""

    def name(found: re.Match[str]) -> str:
        path = found[1]
        return f" {prefix}{written[path]} " if path is not None else found[0]

    plain = re.sub(pattern, name, text) if axes else text
    return plain, names


def _check(
    node: ast.expr, names: Mapping[str, int], used: set[str], text: str, axes: Sequence[Axis]
) -> None:
    """Refuse everything in an expression that is not let through; note the names used."""
    match node:
        case ast.BoolOp(values=parts):
            pass
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=part):
            parts = [part]
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), left=left, right=right):
            parts = [left, right]
        case ast.Compare(left=left, ops=signs, comparators=others) if all(
            type(sign) in _COMPARISONS for sign in signs
        ):
            parts = [left, *others]
        case ast.Constant(value=str() | int() | float()):
            parts = []
        case ast.Name(id=name) if name in names:
            used.add(name)
            parts = []
        case ast.Name(id="true" | "false"):
            parts = []
        case _:
            written = ast.get_source_segment(text, node) or text
            for name, index in names.items():
                written = re.sub(rf" ?\b{name}\b ?", axes[index].path, written)
            raise ValueError(_refused(node, written, axes))
    for part in parts:
        _check(part, names, used, text, axes)


def _refused(node: ast.expr, part: str, axes: Sequence[Axis]) -> str:
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return f"{shown(part)} can't stand in a constraint; {_RULE}"
    near = nearest(part, [axis.path for axis in axes])
    meant = f"did you mean {near}?" if near else "name one that is"
    if part in {column.name for column in SUMMARY}:
        meant = "it is a result, which fleetsim optimize can limit"
    return f"{shown(part)} is no axis of this sweep; {meant}"


def holds(constraint: Constraint, points: Points) -> NDArray[np.bool_]:
    """Return which points fulfil a constraint."""
    columns = {
        name: _column(points.columns[axis], points.paths[axis])
        for name, axis in constraint.axes.items()
    }
    fulfilled = np.empty(len(points), np.bool_)
    for start in range(0, len(points), _AT_ONCE):
        stop = min(start + _AT_ONCE, len(points))
        entries = points.entries(start, stop)
        here = {
            name: Column(columns[name].kind, columns[name].values[entries[axis]])
            for name, axis in constraint.axes.items()
        }
        found = _value(constraint.tree, here)
        if found.kind != "truth":
            kind = _kind(found.kind)
            raise ValueError(
                f"{shown(constraint.text)} is {kind}, neither true nor false; compare it"
            )
        fulfilled[start:stop] = found.values
    return fulfilled


def _column(values: Sequence[Any], path: str) -> Column:
    """Return the values of an axis, quantities in house units."""
    if isinstance(values, Drawn):
        dimension = next((name for name, units in DIMENSIONS.items() if values.unit in units), None)
        if dimension is None or values.unit is None:
            return Column("number", values.numbers)
        return Column(dimension, values.numbers * DIMENSIONS[dimension][values.unit])
    read = [_constant(value) for value in _distinct(values)]
    kinds = {each.kind for each in read}
    if len(kinds) != 1 or "other" in kinds:
        raise ValueError(
            f"{path} has values that can't be compared with one another; "
            "name axes of numbers, quantities of one dimension or texts"
        )
    column = np.array([each.values for each in read])
    return Column(kinds.pop(), column[values.indices] if isinstance(values, Chosen) else column)


def _distinct(values: Sequence[Any]) -> Sequence[Any]:
    return values.values if isinstance(values, Chosen) else values


def _constant(value: Any) -> Column:
    match value:
        case bool():
            return Column("truth", value)
        case int() | float():
            return Column("number", float(value))
        case str():
            read = number_and_unit(value)
            if read is None:
                return Column("text", value)
            number, unit, dimension = read
            return Column(dimension, number * DIMENSIONS[dimension][unit])
    return Column("other", None)


def _value(node: ast.expr, names: Mapping[str, Column]) -> Column:
    match node:
        case ast.Constant(value=value):
            return _constant(value)
        case ast.Name(id=name):
            return names[name] if name in names else Column("truth", name == "true")
        case ast.BoolOp(op=sign, values=parts):
            columns = [_truth(_value(part, names)) for part in parts]
            return Column("truth", reduce(_logic(sign), columns))
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return Column("truth", np.logical_not(_truth(_value(part, names))))
        case ast.UnaryOp(op=sign, operand=part):
            column = _summable(_value(part, names))
            return Column(
                column.kind, -column.values if isinstance(sign, ast.USub) else column.values
            )
        case ast.BinOp(op=sign, left=left, right=right):
            return _arithmetic(sign, _value(left, names), _value(right, names))
        case ast.Compare(left=left, ops=signs, comparators=others):
            columns_ = [_value(part, names) for part in (left, *others)]
            pairs = zip(signs, columns_, columns_[1:], strict=False)
            compared = [_compared(sign, low, high) for sign, low, high in pairs]
            return Column("truth", reduce(np.logical_and, compared))
    raise TypeError(f"{type(node).__name__} was let through")


def _logic(sign: ast.boolop) -> Callable[[Any, Any], Any]:
    return np.logical_and if isinstance(sign, ast.And) else np.logical_or


def _truth(column: Column) -> Any:
    if column.kind != "truth":
        raise ValueError(f"and, or, not join comparisons, not {_kind(column.kind)}; compare it")
    return column.values


def _summable(column: Column) -> Column:
    if column.kind in ("text", "truth"):
        raise ValueError(
            f"{_kind(column.kind)} can't be calculated with; use numbers or quantities"
        )
    return column


def _arithmetic(sign: ast.operator, left: Column, right: Column) -> Column:
    _summable(left)
    _summable(right)
    if isinstance(sign, ast.Div) and np.any(right.values == 0):
        raise ValueError("divides by 0 at some point; write it as a product")
    kind = _kind_of(sign, left.kind, right.kind)
    if kind is None:
        pair = f"{_kind(left.kind)} and {_kind(right.kind)}"
        raise ValueError(f"{pair} don't go together here; use one dimension")
    return Column(kind, _ARITHMETIC[type(sign)](left.values, right.values))


def _kind_of(sign: ast.operator, left: str, right: str) -> str | None:
    """Return what a sum, product or quotient is; None where it has no meaning here."""
    if isinstance(sign, ast.Add | ast.Sub):
        return left if left == right else None
    if right == "number":
        return left
    if isinstance(sign, ast.Mult):
        return right if left == "number" else None
    return "number" if left == right else None


def _compared(sign: ast.cmpop, left: Column, right: Column) -> Any:
    if left.kind != right.kind:
        pair = f"{_kind(left.kind)} and {_kind(right.kind)}"
        raise ValueError(f"{pair} can't be compared; write both in one dimension")
    if left.kind in ("text", "truth") and not isinstance(sign, ast.Eq | ast.NotEq):
        raise ValueError(f"{_kind(left.kind)} can only be compared by == and !=")
    return _COMPARISONS[type(sign)](left.values, right.values)


def _kind(kind: str) -> str:
    return _KINDS.get(kind) or a_dimension(kind)
