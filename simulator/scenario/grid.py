"""Sites and their electricity, as a scenario writes them."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo

from simulator.errors import listing, nearest, shown
from simulator.scenario.fields import (
    Marker,
    Quantity,
    Text,
    TimeZone,
    Word,
    absent,
    finite,
)
from simulator.scenario.files import FileSpec
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Problems, Spec, read_as, refusal
from simulator.units import DIMENSIONS

LARGEST_PUE: Final = 1000


class GridName(Spec):
    """A grid of the catalog."""

    name: Annotated[str, Text("a grid of the catalog")]
    """Its name."""


class GridConstant(Spec):
    """An intensity that never changes."""

    g_per_kwh: Annotated[float, Quantity("intensity", signed=True)] = Field(
        alias="constant", examples=['"380 g/kWh"']
    )
    """The intensity."""


class Where(Marker):
    """The rows of a file to use: columns and the value each must have."""

    def plain(self, value: Any) -> dict[str, str]:
        """Return the values as text, as a file has them."""
        if not isinstance(value, dict):
            raise ValueError(f'{shown(value)} is not a table; write e.g. {{ region = "CISO" }}')
        problems = Problems()
        for column, wanted in value.items():
            if not isinstance(wanted, str | int | float):
                text = f"{shown(wanted)} can't be compared with a cell; write a text or a number"
                problems.add((column,), text)
        problems.check()
        return {column: _cell(wanted) for column, wanted in value.items()}

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of columns and values."""
        return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}


def _cell(value: str | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


FACTORS: Final = ["life-cycle", "direct", "unknown"]


class GridFile(FileSpec):
    """An intensity by the hour, or another even step, from a CSV or Parquet file."""

    time: Annotated[str, Text("a column's name")] = Field(examples=['"timestamp_utc"'])
    """Column of the timestamps."""
    value: Annotated[str, Text("a column's name")] = Field(examples=['"g_per_kwh"'])
    """Column of the intensity."""
    unit: Annotated[str, Word(DIMENSIONS["intensity"])] = Field(examples=['"g/kWh"'])
    """Unit of the intensity."""
    where: Annotated[dict[str, str], Where()] = Field(default={})
    """Only rows whose columns have these values."""
    stamp: Annotated[Literal["start", "end"], Word(["start", "end"])] = "start"
    """Whether a timestamp is the start or the end of its step."""
    time_zone: Annotated[str | None, TimeZone()] = absent()
    """Time zone of timestamps that don't say theirs."""
    label: Annotated[str | None, Text("a short name")] = absent()
    """What to call it beside figures, e.g. "CISO 2022"; the file's name unless given."""
    factor: Annotated[Literal["life-cycle", "direct", "unknown"], Word(FACTORS)] = "unknown"
    """Emission factors behind it: over the life cycle of a plant, or of burning alone."""


IntensitySource: TypeAlias = GridName | GridConstant | GridFile
"""Where an intensity comes from."""

_ARTICLE: Final = {"average": "an average", "marginal": "a marginal"}
_FORMS: Final = '"CISO", { constant = "380 g/kWh" } or { file = ..., time = ..., value = ... }'


@dataclass(frozen=True)
class Intensity(Marker):
    """An average or a marginal intensity: a name of the catalog, a constant or a file."""

    basis: Literal["average", "marginal"]

    def read(self, value: Any, info: ValidationInfo) -> IntensitySource:
        """Return the source of the intensity."""
        reading = reading_of(info)
        if isinstance(value, IntensitySource):
            return value
        if isinstance(value, str):
            return self._of_catalog(value)
        if isinstance(value, dict) and "file" in value:
            return read_as(GridFile, value, reading)
        if isinstance(value, dict) and "constant" in value:
            constant = read_as(GridConstant, value, reading)
            if constant.g_per_kwh < 0 and self.basis == "average":
                text = "is negative; only a marginal intensity can be below 0"
                raise refusal(("constant",), f"{shown(value['constant'])} {text}")
            return constant
        raise ValueError(f"{shown(value)} is not an intensity; write {_FORMS}")

    def _of_catalog(self, name: str) -> GridName:
        from simulator import catalog

        known = catalog.names("grids")
        fitting = [grid for grid in known if catalog.grid_basis(grid) == self.basis]
        if name not in known:
            near = nearest(name, known)
            meant = f'did you mean "{near}"? ' if near else ""
            raise ValueError(
                f"{shown(name)} is not a grid of the catalog; {meant}{self.basis} grids are "
                f'{listing(fitting)}; or write {{ constant = "380 g/kWh" }}'
            )
        if name not in fitting:
            other, wanted = _ARTICLE[catalog.grid_basis(name)], _ARTICLE[self.basis]
            raise ValueError(
                f"{shown(name)} is {other} intensity and can't stand for {wanted} one, which "
                f"answers another question; {self.basis} grids are {listing(fitting)}"
            )
        return GridName(name=name)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the sources."""
        name = {"type": "string", "description": "A grid of the catalog."}
        return {"anyOf": [name, GridConstant.table_form(), GridFile.table_form()]}


class Grid(Spec):
    """Carbon intensity of a site's electricity; average and marginal are never mixed."""

    average: Annotated[IntensitySource, Intensity("average")] = Field(examples=['"CISO"'])
    """Mean intensity of the generation: what the location-based figures use."""
    marginal: Annotated[IntensitySource | None, Intensity("marginal")] = absent()
    """Intensity of the generation that follows demand; none given, marginal figures are absent."""
    after_end: Annotated[Literal["error", "wrap", "hold"], Word(["error", "wrap", "hold"])] = (
        "error"
    )
    """What follows the end of a file: a refusal, its beginning again, or its last value."""
    gaps: Annotated[
        Literal["error", "linear", "previous-week"], Word(["error", "linear", "previous-week"])
    ] = "error"
    """What fills a gap of a file: nothing (a refusal), a straight line, or the same hours a week
    before."""

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return 'write { average = "CISO" } or { average = { constant = "380 g/kWh" } }'


class Pue(Marker):
    """Facility energy over IT energy."""

    def plain(self, value: Any) -> float:
        """Return the ratio."""
        if isinstance(value, str | dict):
            raise ValueError(
                f"{shown(value)} is not a number, and models by name are not in this version; "
                "write a plain number, e.g. 1.1"
            )
        pue = finite(value)
        if pue < 1:
            raise ValueError(
                f"{shown(value)} is too small; a facility draws at least what its IT draws: "
                "write a number of at least 1"
            )
        if pue > LARGEST_PUE:
            raise ValueError(
                f"{shown(value)} is too large; write a number of at most {LARGEST_PUE}"
            )
        return pue

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the ratio."""
        return {"type": "number", "minimum": 1, "maximum": LARGEST_PUE}


class Site(Spec):
    """A place with its building and its electricity."""

    pue: Annotated[float, Pue()] = Field(examples=["1.1"])
    """Power usage effectiveness: facility energy over IT energy, at least 1."""
    grid: Grid = Field(examples=['{ average = "CISO" }'])
    """Carbon intensity of the electricity."""
    power_budget_w: Annotated[float | None, Quantity("power", positive=True)] = Field(
        default=None, alias="power_budget", validate_default=False
    )
    """IT power that the clusters of the site may not exceed together; none unless given."""
