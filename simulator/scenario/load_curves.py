"""Load curves, as a scenario writes them: how power rises from idle to busy with load.

Inside, a curve is a share f of the span from idle to busy power for each load u, from f(0) = 0
to f(1) = 1 and never falling between.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo

from simulator.errors import nearest, shown
from simulator.scenario.fields import Marker, Number, Quantity, finite
from simulator.scenario.paths import Part
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Problems, Spec, read_as, refusal
from simulator.units import format_quantity

MOST_POINTS: Final = 1000
"""Points that one curve may have."""

MATCH: Final = 1e-6
"""Relative difference up to which a table of powers ends at the node's own."""

Point: TypeAlias = tuple[float, float]

_FORMS: Final = '"linear", { exponent = 1.4 } or { points = [[0.0, 0.0], [0.5, 0.7], [1.0, 1.0]] }'


class Exponent(Marker):
    """The exponent r of f(u) = 2u - u^r, from 1 to 2.

    The slope is 2 - r u^(r-1). Below 1 it is negative near u = 0, where the node would draw less
    than an idle one; above 2 it is negative near u = 1, where it would draw more than busy.
    """

    def plain(self, value: Any) -> float:
        """Return the exponent."""
        exponent = finite(value)
        if exponent < 1:
            raise ValueError(
                f"{shown(value)} is too small; 2u - u^r is then below 0 at small loads, less than "
                "idle power: write an exponent from 1 to 2"
            )
        if exponent > 2:
            raise ValueError(
                f"{shown(value)} is too large; 2u - u^r then exceeds 1 before full load, more than "
                "busy power: write an exponent from 1 to 2"
            )
        return exponent

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the exponent."""
        return {"type": "number", "minimum": 1, "maximum": 2}


class Share(Number):
    """A share of the span from idle to busy power."""

    def __init__(self) -> None:
        super().__init__(low=0.0, high=1.0)

    def rule(self) -> str:
        """Return the bounds in words."""
        return "write a share from 0 to 1, or a power with its unit"


class Points(Marker):
    """Points of a curve: a load from 0 to 1 and what belongs to it, in order of load."""

    load: ClassVar[Number] = Number(low=0.0, high=1.0, meaning="a load")

    def __init__(self, what: str, height: Marker) -> None:
        self.what = what
        self.height = height

    def read(self, value: Any, info: ValidationInfo) -> tuple[Point, ...]:
        """Return the points."""
        if not isinstance(value, list | tuple) or len(value) < 2:
            raise ValueError(
                f"{shown(value)} is not a list of at least two points; write e.g. "
                "[[0.0, 0.0], [0.5, 0.7], [1.0, 1.0]]"
            )
        if len(value) > MOST_POINTS:
            raise ValueError(f"{len(value):,} points are too many; write at most {MOST_POINTS:,}")
        problems = Problems()
        found = [
            problems.read((index,), self._point, entry, info) for index, entry in enumerate(value)
        ]
        problems.check()
        points = tuple(point for point in found if point is not None)
        for path, text in self._disorder(points):
            problems.add(path, text)
        problems.check()
        return points

    def _point(self, value: Any, info: ValidationInfo) -> Point:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError(
                f"{shown(value)} is not a point; write the load and the {self.what}, "
                "e.g. [0.5, 0.7]"
            )
        return self.load.plain(value[0]), self.height.read(value[1], info)

    def _disorder(self, points: tuple[Point, ...]) -> Iterator[tuple[tuple[Part, ...], str]]:
        first, last = points[0][0], points[-1][0]
        if (first, last) != (0.0, 1.0):
            yield (), f"the loads run from {first:g} to {last:g}; write points from load 0 to 1"
        for index, ((load, height), (next_load, next_height)) in enumerate(pairwise(points), 1):
            if next_load <= load:
                text = f"load ({next_load:g}) must be above that of the point before it ({load:g})"
                yield (index,), text
            if next_height < height:
                now, before = self._shown(next_height), self._shown(height)
                text = f"{self.what} ({now}) must be at least that of the point before it"
                yield (index,), f"{text} ({before}); power does not fall with load"

    def _shown(self, value: float) -> str:
        return format_quantity(value, "power") if self.what == "power" else f"{value:g}"

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the points."""
        return {
            "type": "array",
            "minItems": 2,
            "maxItems": MOST_POINTS,
            "items": {
                "type": "array",
                "prefixItems": [self.load.form(), self.height.form()],
                "minItems": 2,
                "maxItems": 2,
            },
        }


class Shares(Points):
    """Points whose heights are shares of the span from idle to busy power."""

    def __init__(self) -> None:
        super().__init__("share", Share())

    def read(self, value: Any, info: ValidationInfo) -> tuple[Point, ...]:
        """Return the points, which end at 0 and 1."""
        points = super().read(value, info)
        first, last = points[0][1], points[-1][1]
        if (first, last) != (0.0, 1.0):
            raise ValueError(
                f"the shares run from {first:g} to {last:g}; write 0 at load 0 and 1 at load 1: "
                "they are shares of the way from idle to busy power"
            )
        return points


class ExponentCurve(Spec):
    """A curve bent evenly: f(u) = 2u - u^exponent."""

    kind: ClassVar[Literal["exponent"]] = "exponent"
    exponent: Annotated[float, Exponent()] = Field(examples=["1.4"])
    """Exponent from 1, a straight line, to 2, the most bent."""


class PointsCurve(Spec):
    """A curve of straight lines between points: load, and share of the span from idle to busy."""

    kind: ClassVar[Literal["points"]] = "points"
    points: Annotated[tuple[Point, ...], Shares()] = Field(
        examples=["[[0.0, 0.0], [0.5, 0.7], [1.0, 1.0]]"]
    )
    """Load and share in order of load, from [0, 0] to [1, 1]."""


class PowerTable(Spec):
    """A measured curve of straight lines between points: load, and power."""

    kind: ClassVar[Literal["powers"]] = "powers"
    points: Annotated[tuple[Point, ...], Points("power", Quantity("power"))] = Field(
        examples=['[[0.0, "60 W"], [0.1, "130 W"], [1.0, "150 W"]]']
    )
    """Load and power in order of load, from idle power at 0 to busy power at 1."""


LoadCurve: TypeAlias = Literal["linear"] | ExponentCurve | PointsCurve
"""How the share of the span from idle to busy power rises with load."""


class CurveOf(Marker):
    """A load curve, beside the idle and busy power that it lies between."""

    def read(self, value: Any, info: ValidationInfo) -> LoadCurve | None:
        """Return the curve, powers turned into shares; None where others say it."""
        if value is None or info.data.get("components"):
            return None
        if value == "linear":
            return "linear"
        if isinstance(value, ExponentCurve | PointsCurve):
            return _simplest(value)
        if not isinstance(value, dict) or not value:
            raise ValueError(f"{shown(value)} is not known here; write {_FORMS}")
        kind = _kind_of(value)
        curve = read_as(kind, value, reading_of(info))
        if isinstance(curve, PowerTable):
            return _simplest(_in_shares(curve, info))
        return _simplest(curve)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the curves there are."""
        tables = [kind.table_form() for kind in (ExponentCurve, PointsCurve, PowerTable)]
        return {"anyOf": [{"enum": ["linear"]}, *tables]}


def _kind_of(table: dict[str, Any]) -> type[ExponentCurve | PointsCurve | PowerTable]:
    known = ("exponent", "points")
    keys = {key if key in known else nearest(key, known) for key in table}
    if keys.isdisjoint(known):
        raise ValueError(f"{shown(table)} is not known here; write {_FORMS}")
    if keys.issuperset(known):
        raise ValueError("exponent and points are two curves; take one of them out")
    if "exponent" in keys:
        return ExponentCurve
    points = table.get("points")
    entries = points if isinstance(points, list | tuple) else ()
    heights = [entry[1] for entry in entries if isinstance(entry, list | tuple) and len(entry) == 2]
    return PowerTable if any(isinstance(height, str) for height in heights) else PointsCurve


def _in_shares(table: PowerTable, info: ValidationInfo) -> LoadCurve:
    """Return a table of powers as shares of the span between its ends."""
    first_w, last_w = table.points[0][1], table.points[-1][1]
    for end_w, key, where in ((first_w, "idle_power", 0), (last_w, "busy_power", 1)):
        said_w = info.data.get(f"{key}_w", end_w)
        end = format_quantity(end_w, "power")
        if said_w is None:
            text = f"begins at {end}, and no {key} stands beside it; give it, or write shares"
            raise refusal(("points",), text)
        if not math.isclose(end_w, said_w, rel_tol=MATCH):
            said = format_quantity(said_w, "power")
            text = f"the power at load {where} ({end}) must be {key} ({said}); correct one of them"
            raise refusal(("points",), text)
    if first_w == last_w:
        return "linear"
    span_w = last_w - first_w
    return PointsCurve(points=tuple((load, (w - first_w) / span_w) for load, w in table.points))


def _simplest(curve: LoadCurve) -> LoadCurve:
    """Return the curve, or the name of the straight line where it is one."""
    if isinstance(curve, ExponentCurve) and curve.exponent == 1:
        return "linear"
    if isinstance(curve, PointsCurve) and all(load == share for load, share in curve.points):
        return "linear"
    return curve
