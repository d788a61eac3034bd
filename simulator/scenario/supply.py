"""Where the electricity of a site comes from beside its grid, as a scenario writes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo

from simulator.scenario.fields import Marker, Milliseconds, Quantity, Word, absent, as_written
from simulator.scenario.grid import Intensity, IntensitySource
from simulator.scenario.paths import Part
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Spec, read_as
from simulator.scenario.storage import Battery, StorageOf
from simulator.scenario.supply_profiles import SOLAR, WIND, Profile, ProfileSource
from simulator.scenario.table_list import TableList
from simulator.units import G_PER_KG, J_PER_KWH


class Plant(Spec):
    """Generation on the site, behind its meter."""

    capacity_w: Annotated[float, Quantity("power")] = Field(alias="capacity", examples=['"20 MW"'])
    """Most power that it gives."""
    profile: ProfileSource
    """Power over capacity through time."""
    embodied_g_per_w: Annotated[float | None, Quantity("mass per power")] = Field(
        default=None, alias="embodied", validate_default=False
    )
    """Embodied carbon over capacity."""
    lifetime_ms: Annotated[int | None, Milliseconds(positive=True)] = Field(
        default=None, alias="lifetime", validate_default=False
    )
    """Calendar lifetime over which it is counted."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Ask for a lifetime with what is embodied."""
        if "embodied" in table and "lifetime" not in table:
            yield ("lifetime",), 'missing; embodied carbon needs it, e.g. lifetime = "30 y"'


_PROFILE_EXAMPLE: Final = (
    '{ file = "solar.csv", time = "timestamp_utc", value = "capacity_factor", unit = "1" }'
)


class SolarPlant(Plant):
    """Solar generation on the site, behind its meter."""

    profile: Annotated[ProfileSource, Profile(SOLAR)] = Field(examples=[_PROFILE_EXAMPLE])
    """Power over capacity through time, or the sunlight on its modules."""


class WindPlant(Plant):
    """Wind generation on the site, behind its meter."""

    profile: Annotated[ProfileSource, Profile(WIND)] = Field(examples=[_PROFILE_EXAMPLE])
    """Power over capacity through time, or the speed of the wind at the hub."""


class Contract(Spec):
    """Carbon-free energy bought under a contract, delivered through the grid."""

    volume_w: Annotated[float, Quantity("power", positive=True)] = Field(
        alias="volume", examples=['"10 MW"']
    )
    """Power bought; with a profile, its capacity."""
    profile: Annotated[ProfileSource | None, Profile()] = absent()
    """What of the volume is delivered through time; all of it unless given."""
    matching: Annotated[Literal["hourly", "annual"], Word(["hourly", "annual"])] = "hourly"
    """Whether it is set against what is drawn hour by hour, or over the calendar year."""


@dataclass(frozen=True)
class TableOf(Marker):
    """One table of a kind."""

    kind: type[Spec]

    def read(self, value: Any, info: ValidationInfo) -> Any:
        """Return the table, its keys checked."""
        return read_as(self.kind, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the table."""
        return self.kind.table_form()


class Supply(Spec):
    """Generation and storage on a site, and what is bought for it under contracts."""

    solar: Annotated[SolarPlant | None, TableOf(SolarPlant)] = absent()
    """Solar generation."""
    wind: Annotated[WindPlant | None, TableOf(WindPlant)] = absent()
    """Wind generation."""
    battery: Annotated[Battery | None, StorageOf()] = absent()
    """Storage."""
    contracts: Annotated[tuple[Contract, ...], TableList(Contract)] = as_written([])
    """Contracts, in the order in which they count."""
    residual_mix: Annotated[IntensitySource | None, Intensity("average")] = absent()
    """Intensity of what no contract covers; the grid's average unless given. A constant, a file or
    a name of the catalog, as an average intensity."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Ask for something."""
        if not table.keys() & {"solar", "wind", "battery", "contracts"}:
            yield (), "says nothing; write solar, wind, battery or contracts"

    def embodied_kg(self, window_ms: int) -> float:
        """Return the embodied carbon of plants and storage over a time, straight line. [kgCO2e]."""
        return sum(total_kg * window_ms / life_ms for _, total_kg, life_ms in self.embodied())

    def embodied(self) -> Iterator[tuple[str, float, float]]:
        """Yield what is embodied: what in, how much in all, over which lifetime. [kgCO2e], [ms]."""
        for name, plant in (("solar", self.solar), ("wind", self.wind)):
            if plant is not None and plant.embodied_g_per_w is not None and plant.lifetime_ms:
                yield name, plant.embodied_g_per_w * plant.capacity_w / G_PER_KG, plant.lifetime_ms
        store = self.battery
        if store is not None and store.embodied_g_per_kwh is not None and store.lifetime_ms:
            grams = store.embodied_g_per_kwh * store.capacity_j / J_PER_KWH
            yield "battery", grams / G_PER_KG, store.lifetime_ms

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return 'write { solar = { capacity = "20 MW", profile = { file = ... } } }'
