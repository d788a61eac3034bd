"""The outside temperature of a site, as a scenario writes it."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, ValidationInfo

from simulator.errors import shown
from simulator.scenario.fields import Marker, Quantity, Text, Word
from simulator.scenario.reading import reading_of
from simulator.scenario.series import AfterEnd, Gaps, SeriesFile
from simulator.scenario.spec import Spec, read_as
from simulator.units import DIMENSIONS

COLDEST_DEGC: Final = -90.0
HOTTEST_DEGC: Final = 60.0
"""No weather station has measured air below or above these. [degC]"""

_FORMS: Final = '{ file = ..., time = ..., value = ..., unit = "degC" } or { constant = "15 degC" }'


@dataclass(frozen=True)
class Temperature(Quantity):
    """A temperature of outside air that can occur on Earth."""

    dimension: str = "temperature"
    signed: bool = True

    def bounded(self, number: float, value: Any) -> float:
        """Return the temperature, or say which bound it breaks."""
        if not COLDEST_DEGC <= number <= HOTTEST_DEGC:
            raise ValueError(
                f"{shown(value)} is no temperature of outside air; write one from "
                f'"{COLDEST_DEGC:g} degC" to "{HOTTEST_DEGC:g} degC"'
            )
        return number


class WeatherConstant(Spec):
    """A temperature that never changes."""

    degc: Annotated[float, Temperature()] = Field(alias="constant", examples=['"15 degC"'])
    """The temperature."""


class WeatherFile(SeriesFile):
    """A temperature by the hour, or another even step, from a CSV or Parquet file."""

    value: Annotated[str, Text("a column's name")] = Field(examples=['"temp_c"'])
    """Column of the temperature."""
    unit: Annotated[str, Word(DIMENSIONS["temperature"])] = Field(examples=['"degC"'])
    """Unit of the temperature."""
    after_end: AfterEnd = "error"
    """What follows the end of the file: a refusal, its beginning again, or its last value."""
    gaps: Gaps = "error"
    """What fills a gap of the file: nothing (a refusal), a straight line, or the same hours a week
    before."""


WeatherSource: TypeAlias = WeatherConstant | WeatherFile
"""Where a temperature comes from."""


class Weather(Marker):
    """The outside temperature: a constant or a file."""

    def read(self, value: Any, info: ValidationInfo) -> WeatherSource:
        """Return the source of the temperature."""
        reading = reading_of(info)
        if isinstance(value, WeatherSource):
            return value
        if isinstance(value, dict) and "file" in value:
            return read_as(WeatherFile, value, reading)
        if isinstance(value, dict) and "constant" in value:
            return read_as(WeatherConstant, value, reading)
        raise ValueError(f"{shown(value)} is not a weather; write {_FORMS}")

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the sources."""
        return {"anyOf": [WeatherConstant.table_form(), WeatherFile.table_form()]}
