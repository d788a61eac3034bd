"""Sites, as a scenario writes them: a building, its electricity and its weather."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from simulator.scenario.buildings import Building, BuildingOf
from simulator.scenario.facility import (
    PUE_MODELS,
    WUE_MODELS,
    Pue,
    PueModel,
    TemperatureWue,
    Wue,
)
from simulator.scenario.fields import Quantity, absent
from simulator.scenario.grid import Grid
from simulator.scenario.paths import Part
from simulator.scenario.prices import Price, PriceOf
from simulator.scenario.spec import Spec
from simulator.scenario.supply import Supply, TableOf
from simulator.scenario.weather import Weather, WeatherSource


class Site(Spec):
    """A place with its building and its electricity."""

    pue: Annotated[float | PueModel, Pue()] = Field(examples=["1.1"])
    """Power usage effectiveness: facility energy over IT energy, at least 1; or a model."""
    grid: Grid = Field(examples=['{ average = "CISO" }'])
    """Carbon intensity of the electricity."""
    power_budget_w: Annotated[float | None, Quantity("power", positive=True)] = Field(
        default=None, alias="power_budget", validate_default=False
    )
    """IT power that the clusters of the site may not exceed together; none unless given."""
    weather: Annotated[WeatherSource | None, Weather()] = absent()
    """Outside temperature, for the models of PUE and of water that depend on it."""
    wue_l_per_kwh: Annotated[float | TemperatureWue | None, Wue()] = Field(
        default=None, alias="wue", validate_default=False
    )
    """Water usage effectiveness: litres of water over IT energy, or a model; none given, water is
    absent."""
    electricity_price: Annotated[Price | None, PriceOf("money per energy")] = Field(
        default=None, validate_default=False, examples=['"0.08 USD/kWh"']
    )
    """What a kWh of facility energy costs, in any currency; none given, its cost is absent."""
    building: Annotated[Building | None, BuildingOf()] = absent()
    """Carbon of the building, over the IT power it is built for; not counted unless given."""
    power_gear: Annotated[Building | None, BuildingOf()] = absent()
    """Carbon of its power gear and cooling, in the same form; not counted unless given."""
    supply: Annotated[Supply | None, TableOf(Supply)] = absent()
    """Generation and storage on the site, and contracts; none given, all is drawn from the grid."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Ask for the weather where a model needs it, and for a signal that a rule goes by."""
        yield from _lacking_marginal(table)
        if "weather" in table:
            return
        for key, models in (("pue", PUE_MODELS), ("wue", WUE_MODELS)):
            name = table[key].get("model") if isinstance(table.get(key), dict) else None
            kind = models.get(name) if isinstance(name, str) else None
            if kind is not None and getattr(kind, "needs_weather", False):
                text = (
                    f'the model "{name}" needs the outside temperature; write weather = '
                    '{ file = ... } or { constant = "15 degC" } beside it'
                )
                yield (key,), text

    @property
    def needs_weather(self) -> bool:
        """Whether anything of the site depends on the outside temperature."""
        return any(
            getattr(model, "needs_weather", False) for model in (self.pue, self.wue_l_per_kwh)
        )

    @property
    def fixed_w(self) -> float:
        """Power of the building that doesn't depend on its IT. [W]."""
        return float(getattr(self.pue, "fixed_w", 0.0))


def _lacking_marginal(table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
    """Yield what is wrong where storage goes by a marginal intensity that the grid has not."""
    rule: Any = table
    for key in ("supply", "battery", "dispatch"):
        rule = rule.get(key) if isinstance(rule, dict) else None
    grid = table.get("grid")
    known = isinstance(grid, dict) and "marginal" in grid
    if isinstance(rule, dict) and rule.get("signal") == "marginal" and not known:
        text = "needs a marginal intensity; write marginal beside average in the site's grid"
        yield ("supply", "battery", "dispatch", "signal"), text
