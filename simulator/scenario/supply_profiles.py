"""How much of its capacity a plant gives through time, as a scenario writes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, ValidationInfo

from simulator.errors import shown
from simulator.scenario.fields import Marker, Number, Quantity, Text, Word, absent
from simulator.scenario.paths import Part
from simulator.scenario.reading import reading_of
from simulator.scenario.series import AfterEnd, Gaps, SeriesFile
from simulator.scenario.spec import Spec, read_as, refusal
from simulator.units import DIMENSIONS, MEASURES

CAPACITY_FACTOR, IRRADIANCE, WIND_SPEED = "1", "W/m2", "m/s"
POWERS: Final = tuple(DIMENSIONS["power"])
UNITS: Final = (CAPACITY_FACTOR, *POWERS, IRRADIANCE, WIND_SPEED)

SOLAR, WIND = "solar", "wind"
_OF: Final = {IRRADIANCE: SOLAR, WIND_SPEED: WIND}
"""Units that only one kind of plant makes power from."""
_MODEL_KEYS: Final = {
    "rated": POWERS,
    "performance_ratio": (IRRADIANCE,),
    "cut_in": (WIND_SPEED,),
    "full_from": (WIND_SPEED,),
    "cut_out": (WIND_SPEED,),
}
"""Keys that go with some units only."""

_FORMS: Final = '{ file = ..., time = ..., value = ..., unit = "1" } or { constant = 0.25 }'


class ProfileConstant(Spec):
    """The same share of the capacity at all times."""

    constant: Annotated[float, Number(low=0, high=1, meaning="a share of the capacity")] = Field(
        examples=["0.25"]
    )
    """Power over capacity."""


class ProfileFile(SeriesFile):
    """Power over capacity by the hour, or another even step, or what it follows from."""

    value: Annotated[str, Text("a column's name")] = Field(examples=['"capacity_factor"'])
    """Column of the values."""
    unit: Annotated[str, Word(UNITS)] = Field(examples=['"1"'])
    """Unit of the values: `1` for power over capacity, a power (with `rated`), `W/m2` of sunlight,
    `m/s` of wind."""
    rated_w: Annotated[float | None, Quantity("power", positive=True)] = Field(
        default=None, alias="rated", validate_default=False
    )
    """Capacity behind a column of powers: a power of so much is a share of 1."""
    performance_ratio: Annotated[
        float | None, Number(above=0, high=1, meaning="a performance ratio")
    ] = absent()
    """Of sunlight: what the whole plant gives over what its modules would at 1000 W/m2; that of
    `photovoltaics` in the catalog unless given."""
    cut_in: Annotated[float | None, Number(low=0, high=100, meaning="a speed in m/s")] = absent()
    """Of wind: speed from which the turbine turns, in m/s; as `wind-turbine` of the catalog."""
    full_from: Annotated[float | None, Number(above=0, high=100, meaning="a speed in m/s")] = (
        absent()
    )
    """Of wind: speed from which it gives its capacity, in m/s; as `wind-turbine` of the catalog."""
    cut_out: Annotated[float | None, Number(above=0, high=200, meaning="a speed in m/s")] = absent()
    """Of wind: speed at which it is stopped, in m/s; as `wind-turbine` of the catalog."""
    after_end: AfterEnd = "error"
    """What follows the end of the file: a refusal, its beginning again, or its last value."""
    gaps: Gaps = "error"
    """What fills a gap of the file: nothing (a refusal), a straight line, or the same hours a week
    before."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Hold the keys to what the unit needs and takes."""
        unit = table.get("unit")
        if unit not in UNITS:
            return
        if unit in POWERS and "rated" not in table:
            yield ("rated",), 'missing; the capacity behind the column, e.g. rated = "13700 MW"'
        for key, units in _MODEL_KEYS.items():
            if key in table and unit not in units:
                yield (key,), f'not for unit = "{unit}"; it is for {", ".join(units)}'
        speeds = [table.get(key) for key in ("cut_in", "full_from", "cut_out")]
        known = [speed for speed in speeds if isinstance(speed, int | float)]
        if len(known) == len(speeds) and not known[0] < known[1] < known[2]:
            yield (), "speeds must rise from cut_in over full_from to cut_out"

    @property
    def dimension(self) -> str:
        """What the column holds, as `simulator.units` calls it."""
        known = ("power", DIMENSIONS["power"]), *MEASURES.items()
        return next(name for name, units in known if self.unit in units)


ProfileSource: TypeAlias = ProfileConstant | ProfileFile
"""Where a profile comes from."""


@dataclass(frozen=True)
class Profile(Marker):
    """Power over capacity through time: a constant or a file."""

    plant: str = ""

    def read(self, value: Any, info: ValidationInfo) -> ProfileSource:
        """Return the source of the profile."""
        reading = reading_of(info)
        if isinstance(value, ProfileSource):
            return value
        if isinstance(value, dict) and "file" in value:
            source = read_as(ProfileFile, value, reading)
            plant = _OF.get(source.unit)
            if plant is not None and plant != self.plant:
                text = f"{shown(source.unit)} is for {plant} alone; write power over capacity"
                raise refusal(("unit",), text)
            return source
        if isinstance(value, dict) and "constant" in value:
            return read_as(ProfileConstant, value, reading)
        raise ValueError(f"{shown(value)} is not a profile; write {_FORMS}")

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the sources."""
        return {"anyOf": [ProfileConstant.table_form(), ProfileFile.table_form()]}
