"""The carbon of building a site and its power gear, as a scenario writes it."""

from typing import Annotated, Any, Final

from pydantic import Field, ValidationInfo

from simulator.errors import shown
from simulator.scenario.fields import Marker, Milliseconds, Quantity
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Spec, read_as

BUILT: Final = ("building", "power_gear")
"""Keys of a site that say what was built there."""


class Building(Spec):
    """What was built for IT of some power, and the carbon of it."""

    embodied_g_per_w: Annotated[float, Quantity("mass per power")] = Field(
        alias="embodied", examples=['"1500 t/MW"']
    )
    """CO2e of building it, over the IT power it is built for."""
    lifetime_ms: Annotated[int, Milliseconds(positive=True)] = Field(
        alias="lifetime", examples=['"20 y"']
    )
    """Calendar time over which it is spread evenly."""
    capacity_w: Annotated[float | None, Quantity("power", positive=True)] = Field(
        default=None, alias="capacity", validate_default=False
    )
    """IT power it is built for; that of all nodes of the site at full load unless given."""


class BuildingOf(Marker):
    """A building, or power gear."""

    def read(self, value: Any, info: ValidationInfo) -> Building:
        """Return the building."""
        if not isinstance(value, dict | Building):
            raise ValueError(
                f"{shown(value)} is not a table; write e.g. "
                '{ embodied = "1500 t/MW", lifetime = "20 y", capacity = "50 MW" }'
            )
        return read_as(Building, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the table."""
        return Building.table_form()
