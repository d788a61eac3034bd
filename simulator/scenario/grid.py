"""Sites and their electricity, as a scenario writes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias

from pydantic import Field, ValidationInfo

from simulator.errors import listing, nearest, shown
from simulator.grid_formats import PLAIN, GridFormat, grid_format_names, grid_formats
from simulator.scenario.buildings import Building, BuildingOf
from simulator.scenario.facility import (
    PUE_MODELS,
    WUE_MODELS,
    Pue,
    PueModel,
    TemperatureWue,
    Wue,
)
from simulator.scenario.fields import Marker, Number, Quantity, Text, Word, absent
from simulator.scenario.paths import Part
from simulator.scenario.prices import Price, PriceOf
from simulator.scenario.reading import reading_of
from simulator.scenario.series import AfterEnd, Gaps, SeriesFile
from simulator.scenario.spec import Spec, read_as, refusal
from simulator.scenario.weather import Weather, WeatherSource
from simulator.units import DIMENSIONS


def unsaid(example: str) -> Any:
    """Return the default of a text that only some formats need."""
    return Field(default="", validate_default=False, examples=[example])


class GridName(Spec):
    """A grid of the catalog."""

    name: Annotated[str, Text("a grid of the catalog")]
    """Its name."""


FACTORS: Final = ["life-cycle", "direct", "unknown"]
MIXES: Final = ["production", "consumption", "unknown"]
UNKNOWN: Final = "unknown"

Factor: TypeAlias = Literal["life-cycle", "direct", "unknown"]
Mix: TypeAlias = Literal["production", "consumption", "unknown"]


class GridConstant(Spec):
    """An intensity that never changes."""

    g_per_kwh: Annotated[float, Quantity("intensity", signed=True)] = Field(
        alias="constant", examples=['"380 g/kWh"']
    )
    """The intensity."""
    factor: Annotated[Factor | None, Word(FACTORS)] = absent()
    """Emission factors behind it; nothing is claimed unless given."""
    mix: Annotated[Mix | None, Word(MIXES)] = absent()
    """Whose generation it counts; nothing is claimed unless given."""


class GridFormatName(Marker):
    """Format of a grid file."""

    def plain(self, value: Any) -> str:
        """Return the format."""
        return Word(grid_formats()).plain(value)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the formats."""
        return {"enum": list(grid_format_names())}


class GridFile(SeriesFile):
    """An intensity by the hour, or another even step, from a file."""

    format: Annotated[str | None, GridFormatName()] = absent()
    """Format of the file: `csv` (plain or gzipped CSV, or Parquet) unless given, or that of a
    provider, e.g. `electricity-maps`."""
    time: Annotated[str, Text("a column's name")] = unsaid('"timestamp_utc"')
    """Column of the timestamps. Only for `csv`, which needs it."""
    value: Annotated[str, Text("a column's name")] = unsaid('"g_per_kwh"')
    """Column of the intensity. Only for `csv`, which needs it."""
    unit: Annotated[str, Word(DIMENSIONS["intensity"])] = unsaid('"g/kWh"')
    """Unit of the intensity. Only for `csv`, which needs it."""
    region: Annotated[str | None, Text("a region of the file")] = absent()
    """Zone, authority or area to read, where a provider's file holds several."""
    factor: Annotated[Factor, Word(FACTORS)] = "unknown"
    """Emission factors behind it: over the life cycle of a plant, or of burning alone."""
    mix: Annotated[Mix | None, Word(MIXES)] = absent()
    """Whose generation it counts: what the region produces, or what it consumes, imports with it
    and exports without; unknown unless given."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Hold the keys to what the format needs and takes, and to what it is."""
        name = table.get("format") or PLAIN
        form = grid_formats().get(name) if isinstance(name, str) else None
        if form is None:
            return
        for key in form.needs:
            if not table.get(key) or table[key] == UNKNOWN:
                yield (key,), f"missing; e.g. {key} = {_EXAMPLES[key]}"
        for key in sorted(_OF_FORMATS & table.keys() - form.takes):
            yield (key,), f'not for format = "{name}", which says it itself; leave it out'
        for key in ("factor", "mix"):
            known, said = getattr(form, key), table.get(key)
            if known is not None and said not in (None, known):
                yield (key,), f'{shown(said)} is not what format = "{name}" holds: {known}'

    @classmethod
    def implied(cls, table: dict[str, Any]) -> frozenset[str]:
        """Return the keys that the format says itself."""
        name = table.get("format") or PLAIN
        form = grid_formats().get(name) if isinstance(name, str) else None
        return frozenset() if form is None else _OF_FORMATS - form.takes

    @property
    def form(self) -> GridFormat:
        """The format of the file."""
        return grid_formats()[self.format or PLAIN]

    @property
    def signal(self) -> "Signal":
        """Label, emission factors and mix, by what is said and by what the format is."""
        if self.format is None:
            return Signal(self.shown, self.factor, self.mix or UNKNOWN)
        region = f" ({self.region})" if self.region and not self.label else ""
        form = self.form
        factor, mix = form.factor or self.factor, form.mix or self.mix or UNKNOWN
        return Signal(f"{self.shown}{region}", factor, mix)


_OF_FORMATS: Final = frozenset(
    {"time", "value", "unit", "where", "stamp", "time_zone", "region", "factor"}
)
"""Keys that not every format takes."""
_EXAMPLES: Final = {
    "time": '"timestamp_utc"',
    "value": '"g_per_kwh"',
    "unit": '"g/kWh"',
    "factor": '"life-cycle" (or "direct"), as this format gives both',
}


IntensitySource: TypeAlias = GridName | GridConstant | GridFile
"""Where an intensity comes from."""


class Signal(NamedTuple):
    """What a source says of itself, without being opened.

    Attributes
    ----------
    label : str
        What it is called beside figures, e.g. ``"CISO 2022"``.
    factor : str
        ``"life-cycle"``, ``"direct"`` or ``"unknown"``: what its emission factors hold; empty
        where a constant claims none.
    mix : str
        ``"production"``, ``"consumption"`` or ``"unknown"``: whose generation it counts; empty
        where a constant claims none.
    """

    label: str
    factor: str
    mix: str


def signal_of(source: IntensitySource) -> Signal:
    """Return label, emission factors and mix of a source.

    Raises
    ------
    simulator.catalog.UnknownNameError
        If it names a grid that the catalog does not hold.
    """
    if isinstance(source, GridName):
        from simulator import catalog

        grid = catalog.grid(source.name)
        return Signal(f"{source.name} {grid['year']}", grid["factor"], grid["mix"])
    if isinstance(source, GridConstant):
        label = f"constant {source.g_per_kwh:.10g} g/kWh"
        return Signal(label, source.factor or "", source.mix or "")
    return source.signal


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
            source = read_as(GridFile, value, reading)
            if source.format is not None and source.form.basis not in (None, self.basis):
                known = _ARTICLE[str(source.form.basis)]
                said = f"{shown(source.format)} is {known} intensity and can't stand for"
                raise refusal(("format",), f"{said} {_ARTICLE[self.basis]} one")
            return source
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


FORECASTS: Final = ["perfect", "persistence", "previous-day", "noisy"]
LARGEST_ERROR: Final = 10.0


class Forecast(Spec):
    """What policies expect of the intensities to come."""

    method: Annotated[
        Literal["perfect", "persistence", "previous-day", "noisy"], Word(FORECASTS)
    ] = Field(examples=['"noisy"'])
    """How intensities are foreseen: as they come, as they are now, as they were a day before, or as
    they come with an error."""
    error: Annotated[
        float | None,
        Number(low=0.0, high=LARGEST_ERROR, meaning="an error over the signal's mean"),
    ] = absent()
    """Of `noisy`: standard deviation of what is foreseen a day ahead, over the signal's mean in the
    run; grows with the square root of the time ahead."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Ask for the error of the noisy method, and of no other."""
        method = table.get("method")
        if method == "noisy" and "error" not in table:
            yield ("error",), "missing; e.g. error = 0.1"
        elif method in FORECASTS and method != "noisy" and "error" in table:
            yield ("error",), f'not for method = "{method}"; it is for noisy'

    def words(self) -> str:
        """Return the method in words, e.g. ``"noisy, error 0.1 a day ahead"``."""
        return self.method if self.error is None else f"noisy, error {self.error:g} a day ahead"


class ForecastChoice(Marker):
    """A method of forecasting, by name or as a table."""

    def read(self, value: Any, info: ValidationInfo) -> Forecast:
        """Return the method with its error."""
        if isinstance(value, str) and value in FORECASTS:
            value = {"method": value}
        elif isinstance(value, str) or not isinstance(value, dict | Forecast):
            named = listing(FORECASTS[:-1])
            rule = f'write one of {named}, or {{ method = "noisy", error = 0.1 }}'
            raise ValueError(f"{shown(value)} is no way to forecast; {rule}")
        return read_as(Forecast, value, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the methods."""
        return {"anyOf": [{"enum": FORECASTS[:-1]}, Forecast.table_form()]}


class Grid(Spec):
    """Carbon intensity of a site's electricity; average and marginal are never mixed."""

    average: Annotated[IntensitySource, Intensity("average")] = Field(examples=['"CISO"'])
    """Mean intensity of the generation: what the location-based figures use."""
    marginal: Annotated[IntensitySource | None, Intensity("marginal")] = absent()
    """Intensity of the generation that follows demand; none given, marginal figures are absent."""
    after_end: AfterEnd = "error"
    """What follows the end of a file: a refusal, its beginning again, or its last value."""
    gaps: Gaps = "error"
    """What fills a gap of a file: nothing (a refusal), a straight line, or the same hours a week
    before."""
    forecast: Annotated[Forecast | None, ForecastChoice()] = absent()
    """How policies that ask foresee the intensities to come: `perfect` (unless given),
    `persistence`, `previous-day`, or with an error, `{ method = "noisy", error = 0.1 }`."""

    @classmethod
    def example(cls) -> str:
        """Return what to write where something other than a table stands."""
        return 'write { average = "CISO" } or { average = { constant = "380 g/kWh" } }'


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

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Ask for the weather where a model needs it."""
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
