"""What a building adds to its IT, as a scenario writes it: models of PUE and of water."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import nearest, shown
from simulator.scenario.fields import Marker, Number, Quantity, Word, absent, as_written, finite
from simulator.scenario.paths import Part
from simulator.scenario.reading import Reading, reading_of
from simulator.scenario.spec import Spec, read_as
from simulator.scenario.weather import Temperature
from simulator.units import format_quantity

LARGEST_PUE: Final = 1000
LARGEST_L_PER_KWH: Final = 1000.0


class Ratio(Marker):
    """Facility energy over IT energy, a plain number."""

    def plain(self, value: Any) -> float:
        """Return the ratio, at least 1."""
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


class ConstantPue(Spec):
    """The same PUE at all times; what a plain number means."""

    model: Annotated[Literal["constant"], Word(["constant"])] = Field(examples=['"constant"'])
    """Name of the model."""
    value: Annotated[float, Ratio()] = Field(examples=["1.1"])
    """Facility energy over IT energy."""


class LoadPue(Spec):
    """Losses that follow the load, and losses that don't: IT x (1 + proportional) + fixed."""

    needs_weather: ClassVar[bool] = False

    model: Annotated[Literal["load"], Word(["load"])] = Field(examples=['"load"'])
    """Name of the model."""
    fixed_w: Annotated[float, Quantity("power")] = Field(default=as_written("0 W"), alias="fixed")
    """Power of the facility that is drawn whatever the IT draws."""
    proportional: Annotated[
        float, Number(low=0, high=LARGEST_PUE - 1, meaning="losses over IT energy")
    ] = 0.0
    """Losses that grow with the load, over IT energy."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Ask for at least one of the two kinds of loss."""
        if set(table) == {"model"}:
            yield (), 'says no losses; write fixed = "120 kW", proportional = 0.05, or both'

    def words(self) -> str:
        """Return the model in words, e.g. ``"load: IT x 1.05 + 120 kW"``."""
        return f"load: IT x {1 + self.proportional:g}{_fixed_words(self.fixed_w)}"

    def lowest(self, it_w: float) -> float:
        """Return the PUE at a power of the IT, in the best weather."""
        return 1 + self.proportional + self.fixed_w / it_w


class FreeCoolingPue(Spec):
    """Cooling by outside air alone up to a temperature, and more with each degree above it."""

    needs_weather: ClassVar[bool] = True

    model: Annotated[Literal["free-cooling"], Word(["free-cooling"])] = Field(
        examples=['"free-cooling"']
    )
    """Name of the model."""
    base: Annotated[float, Ratio()] = Field(examples=["1.07"])
    """PUE while outside air alone cools."""
    free_cooling_below_degc: Annotated[float, Temperature()] = Field(
        alias="free_cooling_below", examples=['"18 degC"']
    )
    """Outside temperature up to which outside air alone cools."""
    per_degree: Annotated[
        float, Number(low=0, high=LARGEST_PUE, meaning="what a degree adds to the PUE")
    ] = Field(examples=["0.012"])
    """What each degree above that temperature adds to the PUE."""
    most: Annotated[float | None, Ratio()] = absent()
    """Largest PUE of this law, beside `fixed`; without it there is none."""
    fixed_w: Annotated[float, Quantity("power")] = Field(default=as_written("0 W"), alias="fixed")
    """Power of the facility that is drawn beside it, whatever the IT draws."""

    @field_validator("most")
    @classmethod
    def _above_base(cls, most: float | None, info: ValidationInfo) -> float | None:
        base = info.data.get("base")
        if most is not None and base is not None and most < base:
            raise ValueError(f"most ({most:g}) must be at least base ({base:g})")
        return most

    def words(self) -> str:
        """Return the model in words, with its values."""
        degrees = f"{self.per_degree:g} per degC above {self.free_cooling_below_degc:g} degC"
        bound = "" if self.most is None else f", at most {self.most:g}"
        return f"free-cooling: IT x ({self.base:g} + {degrees}{bound}){_fixed_words(self.fixed_w)}"

    def lowest(self, it_w: float) -> float:
        """Return the PUE at a power of the IT, in the best weather."""
        return self.base + self.fixed_w / it_w


def _fixed_words(fixed_w: float) -> str:
    return f" + {format_quantity(fixed_w, 'power')}" if fixed_w else ""


PueModel: TypeAlias = LoadPue | FreeCoolingPue
"""How a building's overhead follows load and weather."""

PUE_MODELS: Final[dict[str, type[Spec]]] = {
    "constant": ConstantPue,
    "load": LoadPue,
    "free-cooling": FreeCoolingPue,
}

_EXAMPLES: Final = {
    "constant": '{ model = "constant", value = 1.1 }',
    "load": '{ model = "load", fixed = "120 kW", proportional = 0.05 }',
    "free-cooling": '{ model = "free-cooling", base = 1.07, free_cooling_below = "18 degC", '
    "per_degree = 0.012 }",
}


class Pue(Ratio):
    """Facility energy over IT energy: a number, or a model by name."""

    def read(self, value: Any, info: ValidationInfo) -> float | PueModel:
        """Return the number or the model; a constant one is its number."""
        if isinstance(value, PueModel):
            return value
        if isinstance(value, dict):
            model: ConstantPue | PueModel = _model(value, PUE_MODELS, reading_of(info))
            return model.value if isinstance(model, ConstantPue) else model
        if isinstance(value, str):
            raise ValueError(_no_pue(value))
        return self.plain(value)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the number and of the models."""
        return {"anyOf": [super().form(), *(kind.table_form() for kind in PUE_MODELS.values())]}


def _no_pue(text: str) -> str:
    name = text if text in PUE_MODELS else nearest(text, PUE_MODELS)
    if name is not None:
        return f"{shown(text)} is a model without its values; write e.g. {_EXAMPLES[name]}"
    return (
        f"{shown(text)} is not a number; write a plain number, e.g. 1.1, or a model, "
        f"e.g. {_EXAMPLES['load']}"
    )


@dataclass(frozen=True)
class WaterPerEnergy(Quantity):
    """Litres of water over IT energy."""

    dimension: str = "water"

    def bounded(self, number: float, value: Any) -> float:
        """Return the ratio, or say which bound it breaks."""
        if number > LARGEST_L_PER_KWH:
            raise ValueError(
                f"{shown(value)} is too large; write a WUE of at most {LARGEST_L_PER_KWH:g} L/kWh"
            )
        return super().bounded(number, value)


class TemperatureWue(Spec):
    """A base, and more with each degree above the temperature at which water begins to cool."""

    needs_weather: ClassVar[bool] = True

    model: Annotated[Literal["temperature"], Word(["temperature"])] = Field(
        examples=['"temperature"']
    )
    """Name of the model."""
    base_l_per_kwh: Annotated[float, WaterPerEnergy()] = Field(
        default=as_written("0 L/kWh"), alias="base"
    )
    """Water that is used at any temperature, over IT energy."""
    evaporative_above_degc: Annotated[float, Temperature()] = Field(
        alias="evaporative_above", examples=['"20 degC"']
    )
    """Outside temperature above which water is evaporated to cool."""
    per_degree_l_per_kwh: Annotated[float, WaterPerEnergy()] = Field(
        alias="per_degree", examples=['"0.1 L/kWh"']
    )
    """What each degree above that temperature adds."""
    most_l_per_kwh: Annotated[float | None, WaterPerEnergy()] = Field(
        default=None, alias="most", validate_default=False
    )
    """Largest WUE; without it there is none."""

    @field_validator("most_l_per_kwh")
    @classmethod
    def _above_base(cls, most_l_per_kwh: float | None, info: ValidationInfo) -> float | None:
        base = info.data.get("base_l_per_kwh")
        if most_l_per_kwh is not None and base is not None and most_l_per_kwh < base:
            raise ValueError(
                f"most ({most_l_per_kwh:g} L/kWh) must be at least base ({base:g} L/kWh)"
            )
        return most_l_per_kwh

    def words(self) -> str:
        """Return the model in words, with its values."""
        bound = "" if self.most_l_per_kwh is None else f", at most {self.most_l_per_kwh:g} L/kWh"
        return (
            f"temperature: {self.base_l_per_kwh:g} L/kWh + {self.per_degree_l_per_kwh:g} L/kWh per "
            f"degC above {self.evaporative_above_degc:g} degC{bound}"
        )


WUE_MODELS: Final[dict[str, type[Spec]]] = {"temperature": TemperatureWue}


class Wue(WaterPerEnergy):
    """Litres of water over IT energy: a quantity, or a model by name."""

    def read(self, value: Any, info: ValidationInfo) -> Any:
        """Return the ratio in L/kWh, or the model."""
        if isinstance(value, TemperatureWue):
            return value
        if isinstance(value, dict):
            return _model(value, WUE_MODELS, reading_of(info))
        return super().read(value, info)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the quantity and of the model."""
        return {"anyOf": [super().form(), TemperatureWue.table_form()]}


def _model(value: dict[str, Any], models: Mapping[str, type[Spec]], reading: Reading | None) -> Any:
    """Return a table read as the model that it names."""
    if "model" not in value:
        raise ValueError(f"{shown(value)} names no model; write {_choice(models)}")
    name = value["model"]
    if not isinstance(name, str) or name not in models:
        near = nearest(name, models) if isinstance(name, str) else None
        meant = f'did you mean "{near}"?' if near else f"write {_choice(models)}"
        raise ValueError(f"{shown(name)} is not a model of this version; {meant}")
    return read_as(models[name], value, reading)


def _choice(models: Mapping[str, type[Spec]]) -> str:
    names = [f'model = "{name}"' for name in models]
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"
