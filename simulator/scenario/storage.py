"""Storage of a site and when it charges, as a scenario writes them."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import nearest, shown
from simulator.scenario.fields import (
    Marker,
    Milliseconds,
    Number,
    Quantity,
    Text,
    Word,
    absent,
    as_written,
    finite,
)
from simulator.scenario.grid import Forecast, ForecastChoice
from simulator.scenario.paths import Part
from simulator.scenario.reading import Reading, reading_of
from simulator.scenario.spec import Spec, read_as, refusal
from simulator.units import J_PER_KWH, W_PER_KW


class Greedy(Spec):
    """Charge from what is left of generation, discharge for what generation lacks."""

    rule: Annotated[Literal["greedy"], Word(["greedy"])] = Field(examples=['"greedy"'])
    """Name of the rule."""


class Arbitrage(Spec):
    """Charge in clean hours, from the grid too, and discharge in dirty ones."""

    rule: Annotated[Literal["arbitrage"], Word(["arbitrage"])] = Field(examples=['"arbitrage"'])
    """Name of the rule."""
    window_ms: Annotated[int, Milliseconds(positive=True)] = Field(
        default=as_written("24 h"), alias="window"
    )
    """How far a plan looks ahead."""
    signal: Annotated[Literal["average", "marginal"], Word(["average", "marginal"])] = "average"
    """Signal of the site's grid whose carbon the plan makes least."""
    forecast: Annotated[Forecast | None, ForecastChoice()] = absent()
    """How the signal is foreseen: as the site's grid says, `perfect` unless it says."""


class PeakShaving(Spec):
    """Keep what is drawn from the grid below a limit as long as the storage lasts."""

    rule: Annotated[Literal["peak-shaving"], Word(["peak-shaving"])] = Field(
        examples=['"peak-shaving"']
    )
    """Name of the rule."""
    limit_w: Annotated[float, Quantity("power")] = Field(alias="limit", examples=['"40 MW"'])
    """Power of the grid above which the storage discharges, and up to which it charges."""


class Threshold(Spec):
    """Charge from the grid while its intensity is low, discharge while it is high."""

    rule: Annotated[Literal["threshold"], Word(["threshold"])] = Field(examples=['"threshold"'])
    """Name of the rule."""
    charge_below_g_per_kwh: Annotated[float, Quantity("intensity")] = Field(
        alias="charge_below", examples=['"120 g/kWh"']
    )
    """Average intensity below which the storage charges with all its power."""
    discharge_above_g_per_kwh: Annotated[float | None, Quantity("intensity")] = Field(
        default=None, alias="discharge_above", validate_default=False
    )
    """Average intensity above which it discharges; `charge_below` unless given."""

    @field_validator("discharge_above_g_per_kwh")
    @classmethod
    def _above_the_other(cls, above: float | None, info: ValidationInfo) -> float | None:
        below = info.data.get("charge_below_g_per_kwh")
        if above is not None and below is not None and above < below:
            raise ValueError(
                f"discharge_above ({above:g} g/kWh) must be at least charge_below ({below:g} g/kWh)"
            )
        return above


DispatchRule: TypeAlias = Greedy | Arbitrage | PeakShaving | Threshold
"""When a storage charges and discharges."""

RULES: Final[dict[str, type[Spec]]] = {
    "greedy": Greedy,
    "arbitrage": Arbitrage,
    "peak-shaving": PeakShaving,
    "threshold": Threshold,
}
_BARE: Final = ("greedy", "arbitrage")
"""Rules that need no values."""
_EXAMPLES: Final = {
    "peak-shaving": '{ rule = "peak-shaving", limit = "40 MW" }',
    "threshold": '{ rule = "threshold", charge_below = "120 g/kWh" }',
}


class DispatchOf(Marker):
    """A rule of dispatch, by name or as a table."""

    def read(self, value: Any, info: ValidationInfo) -> DispatchRule:
        """Return the rule with its values."""
        if isinstance(value, DispatchRule):
            return value
        name = value.get("rule") if isinstance(value, dict) else value
        if not isinstance(name, str) or name not in RULES:
            near = nearest(name, RULES) if isinstance(name, str) else None
            names = ", ".join(f'"{known}"' for known in RULES)
            meant = f'did you mean "{near}"?' if near else f"write one of {names}"
            raise ValueError(f"{shown(name)} is no rule of dispatch; {meant}")
        if isinstance(value, str) and value not in _BARE:
            raise ValueError(f"{shown(value)} needs values; write {_EXAMPLES[value]}")
        table = {"rule": value} if isinstance(value, str) else value
        kind: Any = RULES[name]
        rule: DispatchRule = read_as(kind, table, reading_of(info))
        return rule

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the rules."""
        tables = [kind.table_form() for kind in RULES.values()]
        return {"anyOf": [{"enum": list(_BARE)}, *tables]}


class Levels(Marker):
    """The least and the most that a storage may hold, as shares of its capacity."""

    def plain(self, value: Any) -> tuple[float, float]:
        """Return both shares."""
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ValueError(f"{shown(value)} is not a pair; write [least, most], e.g. [0.1, 0.9]")
        least, most = map(finite, value)
        if not 0 <= least < most <= 1:
            raise ValueError(
                f"{shown(value)} is out of bounds; write two shares of the capacity from 0 to 1, "
                "the least first, e.g. [0.1, 0.9]"
            )
        return least, most

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the pair."""
        share = {"type": "number", "minimum": 0, "maximum": 1}
        return {"type": "array", "items": share, "minItems": 2, "maxItems": 2}


EFFICIENCY: Final = Number(above=0, high=1, meaning="an efficiency, a share,")

_OF_KIND: Final = (
    "charge_efficiency",
    "discharge_efficiency",
    "self_discharge",
    "embodied",
    "lifetime",
)
"""Keys that a kind of storage of the catalog says, unless the table does."""


class Battery(Spec):
    """Storage of a site: a battery, or anything else that these values describe."""

    like: Annotated[str | None, Text("a storage of the catalog")] = absent()
    """Storage of the catalog whose efficiencies, self-discharge, embodied carbon and lifetime hold
    where the table does not say them."""
    capacity_j: Annotated[float, Quantity("energy")] = Field(
        alias="capacity", examples=['"80 MWh"']
    )
    """Energy inside when it is full."""
    charge_w: Annotated[float | None, Quantity("power")] = Field(
        default=None, alias="charge", validate_default=False
    )
    """Most power that it takes, at its terminals."""
    discharge_w: Annotated[float | None, Quantity("power")] = Field(
        default=None, alias="discharge", validate_default=False
    )
    """Most power that it gives, at its terminals; as `charge` unless given."""
    c_rate: Annotated[
        float | None, Number(above=0, high=10_000, meaning="a power over the capacity, per hour,")
    ] = absent()
    """Most power either way over the capacity, per hour: 0.25 fills it in four hours."""
    charge_efficiency: Annotated[float, EFFICIENCY] = Field(examples=["0.95"])
    """What comes to be stored, over what is charged."""
    discharge_efficiency: Annotated[float, EFFICIENCY] = Field(examples=["0.95"])
    """What is given, over what is taken from the store."""
    self_discharge_per_ms: Annotated[float, Quantity("rate")] = Field(
        default=as_written("0 per d"), alias="self_discharge"
    )
    """Share of what is stored that is lost, per time: the store decays exponentially."""
    soc: Annotated[tuple[float, float], Levels()] = (0.0, 1.0)
    """Least and most that the rule may leave in it, over its capacity."""
    initial: Annotated[float | None, Number(low=0, high=1, meaning="a share of the capacity")] = (
        absent()
    )
    """What is in it when counting begins, over its capacity; the least unless given."""
    dispatch: Annotated[DispatchRule, DispatchOf()] = as_written("greedy")
    """When it charges and discharges: `greedy`, `arbitrage`, `peak-shaving`, `threshold`."""
    embodied_g_per_kwh: Annotated[float | None, Quantity("intensity")] = Field(
        default=None, alias="embodied", validate_default=False
    )
    """Embodied carbon over capacity."""
    lifetime_ms: Annotated[int | None, Milliseconds(positive=True)] = Field(
        default=None, alias="lifetime", validate_default=False
    )
    """Calendar lifetime over which it is counted."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Ask for a power, a lifetime with what is embodied, and a beginning between the levels."""
        if "charge" not in table and "c_rate" not in table:
            yield ("charge",), 'missing; e.g. charge = "20 MW", or c_rate = 0.25'
        if "embodied" in table and "lifetime" not in table:
            yield ("lifetime",), 'missing; embodied carbon needs it, e.g. lifetime = "15 y"'
        soc, initial = table.get("soc", (0.0, 1.0)), table.get("initial")
        if isinstance(initial, int | float) and isinstance(soc, list | tuple) and len(soc) == 2:
            ends = [end for end in soc if isinstance(end, int | float)]
            if len(ends) == 2 and 0 <= initial <= 1 and not ends[0] <= initial <= ends[1]:
                text = f"{shown(initial)} is not between the levels of soc, {shown(list(soc))}"
                yield ("initial",), f"{text}; write a share between them"

    @classmethod
    def implied(cls, table: dict[str, Any]) -> frozenset[str]:
        """Return what the catalog says in place of the table."""
        return frozenset(_OF_KIND) if "like" in table else frozenset()

    @property
    def most_charge_w(self) -> float:
        """Most power that it takes. [W]."""
        return self._power(self.charge_w)

    @property
    def most_discharge_w(self) -> float:
        """Most power that it gives. [W]."""
        return self._power(self.charge_w if self.discharge_w is None else self.discharge_w)

    def _power(self, said_w: float | None) -> float:
        capacity_w = self.capacity_j / J_PER_KWH * W_PER_KW
        by_rate = float("inf") if self.c_rate is None else self.c_rate * capacity_w
        return by_rate if said_w is None else min(said_w, by_rate)


class StorageOf(Marker):
    """A storage, its values filled in from the catalog where it names a kind."""

    def read(self, value: Any, info: ValidationInfo) -> Battery:
        """Return the storage, its keys checked."""
        reading = reading_of(info)
        if isinstance(value, dict) and isinstance(value.get("like"), str):
            value = self._filled(value, reading)
        return read_as(Battery, value, reading)

    def _filled(self, table: dict[str, Any], reading: Reading | None) -> dict[str, Any]:
        from simulator import catalog

        if reading is None:
            return table
        try:
            known = catalog.storage(table["like"])
        except catalog.UnknownNameError as error:
            raise refusal(("like",), str(error)) from error
        return {**{key: known[key] for key in _OF_KIND if key in known}, **table}

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the table."""
        form = Battery.table_form()
        needed = [key for key in form["required"] if key not in _OF_KIND]
        return {**form, "required": needed}
