"""When jobs arrive, as a scenario writes it."""

from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo

from simulator.errors import listing, nearest, shown
from simulator.scenario.fields import Marker, Number, Quantity, TimeZone, as_written
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Spec, read_as, refusal


class PoissonArrivals(Spec):
    """At random, at a constant rate."""

    process: ClassVar[Literal["poisson"]] = "poisson"
    rate_per_ms: Annotated[float, Quantity("rate")] = Field(alias="rate", examples=['"700 per d"'])
    """Jobs per time."""


class RegularArrivals(Spec):
    """One job after another at equal distances, the first at the start."""

    process: ClassVar[Literal["regular"]] = "regular"
    every_ms: Annotated[float, Quantity("time", positive=True)] = Field(
        alias="every", examples=['"10 min"']
    )
    """Time between two jobs."""


class DiurnalArrivals(Spec):
    """At random, at a rate that follows the hours of the day and the days of the week."""

    process: ClassVar[Literal["diurnal"]] = "diurnal"
    rate_per_ms: Annotated[float, Quantity("rate")] = Field(alias="rate", examples=['"700 per d"'])
    """Jobs per time, on average over a week."""
    peak_hour: Annotated[float, Number(low=0.0, below=24.0, meaning="an hour")] = 15.0
    """Hour of the local day with the highest rate, 0 to 24."""
    peak_to_trough: Annotated[float, Number(low=1.0, high=1e6, meaning="a ratio")] = 2.0
    """Highest rate of a day over its lowest; between them the rate is a sinusoid."""
    weekend: Annotated[float, Number(low=0.0, high=1e6, meaning="a factor")] = 1.0
    """Rate of Saturdays and Sundays over that of the other days."""
    time_zone: Annotated[str, TimeZone()] = as_written("UTC")
    """Time zone whose hours and days these are."""


Arrivals: TypeAlias = PoissonArrivals | RegularArrivals | DiurnalArrivals

_BY_PROCESS: Final[dict[str, type[Arrivals]]] = {
    "poisson": PoissonArrivals,
    "regular": RegularArrivals,
    "diurnal": DiurnalArrivals,
}
_EXAMPLE: Final = '{ process = "poisson", rate = "700 per d" }'


class ArrivalProcess(Marker):
    """One of the arrival processes, by what `process` says."""

    def read(self, value: Any, info: ValidationInfo) -> Arrivals:
        """Return the arrivals."""
        if isinstance(value, Arrivals):
            return value
        if not isinstance(value, dict):
            raise ValueError(f"{shown(value)} is not a table; write {_EXAMPLE}")
        if "process" not in value:
            raise ValueError(f"process is missing; write e.g. {_EXAMPLE}")
        process = value["process"]
        if not isinstance(process, str) or process not in _BY_PROCESS:
            near = nearest(process, _BY_PROCESS) if isinstance(process, str) else None
            meant = f'did you mean "{near}"? ' if near else ""
            text = f"{shown(process)} is not known here; {meant}known are {listing(_BY_PROCESS)}"
            raise refusal(("process",), text)
        rest = {key: entry for key, entry in value.items() if key != "process"}
        return read_as(_BY_PROCESS[process], rest, reading_of(info))

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the processes."""
        return {"anyOf": [_form(process, kind) for process, kind in _BY_PROCESS.items()]}


def _form(process: str, kind: type[Arrivals]) -> dict[str, Any]:
    form = kind.table_form()
    form["properties"] = {"process": {"const": process}, **form["properties"]}
    form["required"] = ["process", *form["required"]]
    return form
