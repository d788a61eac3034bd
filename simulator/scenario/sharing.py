"""Accelerators that jobs share, as a scenario writes them: how many, and how they interfere."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import nearest, shown
from simulator.scenario.fields import Marker, Number, Whole, Word, as_written
from simulator.scenario.paths import Part
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Problems, Spec, read_as, refusal

MOST_TENANTS: Final = 64
"""Jobs that one accelerator may have."""

MOST_POINTS: Final = 100
"""Points that one law of interference may have."""

Point: TypeAlias = tuple[float, float]

_FORMS: Final = '"none", { overhead = 0.1 } or { points = [[0.0, 1.0], [1.0, 1.1], [2.0, 2.3]] }'


class InterferencePoints(Marker):
    """Points of a law: summed utilisation from 0 on, and the slowdown that belongs to it."""

    load: ClassVar[Number] = Number(low=0.0, high=float(MOST_TENANTS), meaning="a utilisation")
    slowdown: ClassVar[Number] = Number(low=1.0, high=1000.0, meaning="a slowdown")

    def plain(self, value: Any) -> tuple[Point, ...]:
        """Return the points."""
        if not isinstance(value, list | tuple) or len(value) < 2:
            raise ValueError(
                f"{shown(value)} is not a list of at least two points; write e.g. "
                "[[0.0, 1.0], [1.0, 1.1]]"
            )
        if len(value) > MOST_POINTS:
            raise ValueError(f"{len(value):,} points are too many; write at most {MOST_POINTS}")
        problems = Problems()
        found = [problems.read((at,), self._point, entry) for at, entry in enumerate(value)]
        problems.check()
        points = tuple(point for point in found if point is not None)
        for path, text in _disorder(points):
            problems.add(path, text)
        problems.check()
        return points

    def _point(self, value: Any) -> Point:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError(
                f"{shown(value)} is not a point; write the summed utilisation and the slowdown, "
                "e.g. [1.0, 1.1]"
            )
        return self.load.plain(value[0]), self.slowdown.plain(value[1])

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the points."""
        return {
            "type": "array",
            "minItems": 2,
            "maxItems": MOST_POINTS,
            "items": {
                "type": "array",
                "prefixItems": [self.load.form(), self.slowdown.form()],
                "minItems": 2,
                "maxItems": 2,
            },
        }


def _disorder(points: tuple[Point, ...]) -> Iterator[tuple[tuple[Part, ...], str]]:
    """Yield what is wrong with points of which each may be right by itself."""
    if points[0][0] != 0.0:
        text = f"the utilisations begin at {points[0][0]:g}; write a first point at 0, e.g. "
        yield (), text + "[0.0, 1.0]"
    for at, (load, slowdown) in enumerate(points):
        if slowdown < load:
            text = f"slowdown ({slowdown:g}) must be at least the summed utilisation: "
            text += f"jobs can't get more than all of an accelerator; write at least {load:g}"
            yield (at,), text
    for at, ((load, slowdown), (next_load, next_slowdown)) in enumerate(pairwise(points), 1):
        if next_load <= load:
            text = f"utilisation ({next_load:g}) must be above that of the point before it"
            yield (at,), f"{text} ({load:g})"
        if next_slowdown < slowdown:
            text = f"slowdown ({next_slowdown:g}) must be at least that of the point before it"
            yield (at,), f"{text} ({slowdown:g}); more load does not make jobs faster"


class OverheadInterference(Spec):
    """Slowdown by what an accelerator is loaded, and a share of it lost to sharing."""

    kind: ClassVar[Literal["overhead"]] = "overhead"
    overhead: Annotated[float, Number(low=0.0, high=10.0, meaning="a share")] = Field(
        examples=["0.1"]
    )
    """With U the summed utilisation of two jobs or more, the slowdown is
    max(1, U) (1 + overhead min(1, U))."""


class PointsInterference(Spec):
    """Slowdown by straight lines between points."""

    kind: ClassVar[Literal["points"]] = "points"
    points: Annotated[tuple[Point, ...], InterferencePoints()] = Field(
        examples=["[[0.0, 1.0], [1.0, 1.1], [2.0, 2.3]]"]
    )
    """Summed utilisation and slowdown of two jobs or more, in order of utilisation from 0 to at
    least `most_utilisation`."""


Interference: TypeAlias = Literal["none"] | OverheadInterference | PointsInterference
"""How much longer jobs take beside others on one accelerator."""


class InterferenceOf(Marker):
    """A law of interference."""

    def read(self, value: Any, info: ValidationInfo) -> Interference:
        """Return the law."""
        if value == "none":
            return "none"
        if isinstance(value, OverheadInterference | PointsInterference):
            return value
        if not isinstance(value, dict) or not value:
            raise ValueError(f"{shown(value)} is not known here; write {_FORMS}")
        known = ("overhead", "points")
        keys = {key if key in known else nearest(key, known) for key in value}
        if keys.isdisjoint(known):
            raise ValueError(f"{shown(value)} is not known here; write {_FORMS}")
        if keys.issuperset(known):
            raise ValueError("overhead and points are two laws; take one of them out")
        if "points" in keys:
            return read_as(PointsInterference, value, reading_of(info))
        law = read_as(OverheadInterference, value, reading_of(info))
        return law if law.overhead else "none"

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the laws there are."""
        tables = [kind.table_form() for kind in (OverheadInterference, PointsInterference)]
        return {"anyOf": [{"enum": ["none"]}, *tables]}


class Sharing(Spec):
    """How jobs of one accelerator share it."""

    jobs: Annotated[int, Whole(1, MOST_TENANTS)] = Field(examples=["2"])
    """Jobs that one accelerator may have at a time; 1 is no sharing."""
    most_utilisation: Annotated[
        float, Number(above=0.0, high=float(MOST_TENANTS), meaning="a utilisation")
    ] = 1.0
    """Most that the utilisations of jobs that share an accelerator may sum up to; each counts in
    whole per cent, rounded up."""
    interference: Annotated[Interference, InterferenceOf()] = as_written("none")
    """How much longer jobs take beside others: `none`, where it follows from the load alone;
    `overhead`; or `points` of summed utilisation and slowdown."""
    prefer: Annotated[Literal["shared", "free"], Word(["shared", "free"])] = "shared"
    """What a job takes where it could join others and could have a free accelerator too."""

    @field_validator("interference")
    @classmethod
    def _reaches(cls, law: Interference, info: ValidationInfo) -> Interference:
        most = info.data.get("most_utilisation")
        if isinstance(law, PointsInterference) and most is not None:
            last = law.points[-1][0]
            if last < most:
                text = f"the utilisations end at {last:g}; write points up to most_utilisation"
                raise refusal(("points",), f"{text} ({most:g})")
        return law

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return "write { jobs = 2, most_utilisation = 1.0 }"

    @property
    def law(self) -> tuple[Point, ...]:
        """The slowdown of two jobs or more by their summed utilisation: straight lines.

        Without interference it is max(1, U). Jobs that ask for a fraction may keep more busy than
        it: beyond the last point the slowdown grows in proportion, up to all jobs at full load.
        """
        points = self._points
        load, slowdown = points[-1]
        full = float(self.jobs)
        return points if full <= load else (*points, (full, slowdown * full / load))

    @property
    def _points(self) -> tuple[Point, ...]:
        if isinstance(self.interference, PointsInterference):
            return self.interference.points
        more = 1.0
        if isinstance(self.interference, OverheadInterference):
            more += self.interference.overhead
        upto = ((0.0, 1.0), (1.0, more))
        most = self.most_utilisation
        return upto if most <= 1.0 else (*upto, (most, most * more))

    def slowdown(self, load: float) -> float:
        """Return how much longer two jobs or more take that load an accelerator so far."""
        steps = [pair for pair in pairwise(self.law) if pair[0][0] <= load]
        (left, base), (right, top) = steps[-1]
        return max(1.0, load, base + (top - base) * (load - left) / (right - left))


class SharingOf(Marker):
    """How jobs share accelerators."""

    def read(self, value: Any, info: ValidationInfo) -> Sharing:
        """Return it, its keys checked."""
        return read_as(Sharing, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the table."""
        return Sharing.table_form()
