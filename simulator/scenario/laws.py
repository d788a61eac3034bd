"""Distributions as a scenario writes them: parsed and checked here, drawn elsewhere."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import listing, nearest, shown
from simulator.scenario.fields import Marker, Number, TableError, Text
from simulator.scenario.files import FileSpec
from simulator.scenario.law_numbers import DOMAINS, LawNumber, TimeUnit, domain_of, law_number
from simulator.scenario.reading import Reading, reading_of
from simulator.scenario.spec import Problems, Spec, read_as, refusal
from simulator.units import DIMENSIONS

WEIGHT_TOLERANCE: Final = 1e-9

Value = Annotated[float, LawNumber()]
PositiveValue = Annotated[float, LawNumber(positive=True)]


class Constant(Spec):
    """Always the same value."""

    kind: ClassVar[Literal["constant"]] = "constant"
    value: Value = Field(alias="constant", examples=["1.5"])
    """The value."""


class Lognormal(Spec):
    """Lognormal by its percentiles: mu = ln p50, sigma = ln(p99/p50) / 2.3263478740408408."""

    kind: ClassVar[Literal["lognormal"]] = "lognormal"
    p50: PositiveValue = Field(examples=["1.5"])
    """The median."""
    p99: PositiveValue = Field(examples=["24.0"])
    """The 99th percentile; equal to the median, it makes a constant."""

    @field_validator("p99")
    @classmethod
    def _above_median(cls, p99: float, info: ValidationInfo) -> float:
        p50 = info.data.get("p50")
        if p50 is not None and p99 < p50:
            show = domain_of(info).show
            raise TableError(f"p99 ({show(p99)}) must be at least p50 ({show(p50)})")
        return p99


class LognormalMoments(Spec):
    """Lognormal by its mean and standard deviation."""

    kind: ClassVar[Literal["lognormal-moments"]] = "lognormal-moments"
    mean: PositiveValue = Field(examples=["4.0"])
    """The mean."""
    sd: Value = Field(examples=["2.0"])
    """The standard deviation."""


class Exponential(Spec):
    """Exponential by its mean."""

    kind: ClassVar[Literal["exponential"]] = "exponential"
    mean: PositiveValue = Field(examples=["4.0"])
    """The mean."""


class Weibull(Spec):
    """Weibull by shape and scale: P(X > x) = exp(-(x/scale)^shape)."""

    kind: ClassVar[Literal["weibull"]] = "weibull"
    shape: Annotated[float, Number(low=0.01, high=1000.0, meaning="a shape")] = Field(
        examples=["0.7"]
    )
    """The shape, a plain number; below 1 the tail is heavier than an exponential's."""
    scale: PositiveValue = Field(examples=["4.0"])
    """The scale: 63.2 % of the values are smaller."""


class Beta(Spec):
    """Beta, between 0 and 1, by its mean and standard deviation."""

    kind: ClassVar[Literal["beta"]] = "beta"
    mean: Annotated[float, Number(above=0.0, below=1.0, meaning="a mean")] = Field(examples=["0.4"])
    """The mean."""
    sd: Annotated[float, Number(above=0.0, meaning="a standard deviation")] = Field(
        examples=["0.1"]
    )
    """The standard deviation."""

    @field_validator("sd")
    @classmethod
    def _possible(cls, sd: float, info: ValidationInfo) -> float:
        mean = info.data.get("mean")
        if mean is not None and sd * sd >= mean * (1 - mean):
            limit = math.sqrt(mean * (1 - mean))
            raise TableError(
                f"sd ({sd:g}) must be below {limit:.3g}: values from 0 to 1 with mean {mean:g} "
                "can't scatter more"
            )
        return sd


class Uniform(Spec):
    """Uniform between two values."""

    kind: ClassVar[Literal["uniform"]] = "uniform"
    low: Value = Field(examples=["1.0"])
    """The smallest value."""
    high: Value = Field(examples=["2.0"])
    """The largest value."""

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, info: ValidationInfo) -> float:
        low = info.data.get("low")
        if low is not None and high < low:
            show = domain_of(info).show
            raise TableError(f"high ({show(high)}) must be at least low ({show(low)})")
        return high


class Empirical(FileSpec):
    """The values of one column of a file, each equally likely."""

    kind: ClassVar[Literal["empirical"]] = "empirical"
    column: Annotated[str, Text("a column's name")] = Field(examples=['"gpu_days"'])
    """Name of the column."""
    unit: Annotated[str | None, TimeUnit()] = None
    """Unit of the column where it holds times: seconds unless given."""

    @property
    def factor(self) -> float:
        """House units in one unit of the file: ms for times, 1 for GPU-days and shares."""
        return DIMENSIONS["time"][self.unit] if self.unit else 1.0


SimpleLaw: TypeAlias = (
    Constant | Lognormal | LognormalMoments | Exponential | Weibull | Beta | Uniform
)
"""A distribution that may be a component of a mixture."""


class Components(Marker):
    """The components of a mixture, each a weight and a distribution."""

    def read(self, value: Any, info: ValidationInfo) -> tuple[tuple[float, SimpleLaw], ...]:
        """Return weights and distributions; the weights sum to 1."""
        reading = reading_of(info)
        if reading is None and isinstance(value, tuple):
            return value
        if not isinstance(value, list) or not value:
            raise ValueError(
                f"{shown(value)} is not a list of distributions; "
                "write [{ weight = 0.9, p50 = ..., p99 = ... }, ...]"
            )
        problems = Problems()
        parts = []
        for index, entry in enumerate(value):
            weight = problems.read((index, "weight"), _weight, entry)
            law = problems.read((index,), _component, entry, reading)
            if weight is not None and law is not None:
                parts.append((weight, law))
        problems.check()
        total = math.fsum(weight for weight, _ in parts)
        if abs(total - 1) > WEIGHT_TOLERANCE:
            raise ValueError(f"the weights sum to {total:.12g}; they must sum to 1")
        return tuple(parts)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of any list of tables; a field's own form says more."""
        return {"type": "array", "minItems": 1, "items": {"type": "object"}}


class Mixture(Spec):
    """One of several distributions, chosen by weight for every value."""

    kind: ClassVar[Literal["mixture"]] = "mixture"
    parts: Annotated[tuple[tuple[float, SimpleLaw], ...], Components()] = Field(alias="mixture")
    """The components: tables of a distribution with its `weight`; the weights sum to 1."""


Law: TypeAlias = SimpleLaw | Mixture | Empirical
"""Any distribution."""


_BY_DIST: Final[dict[str, type[SimpleLaw]]] = {
    "exponential": Exponential,
    "lognormal": LognormalMoments,
    "weibull": Weibull,
    "beta": Beta,
    "uniform": Uniform,
}
"""Distributions by what `dist` says."""

_BOUNDED: Final = (Constant, Beta, Uniform, Mixture, Empirical)
"""Distributions whose values can't leave 0 to 1 when their numbers don't."""


def read_law(table: dict[str, Any], reading: Reading | None) -> Law:
    """Return the distribution that a table describes, in the domain of the reading.

    Raises
    ------
    ValueError
        If the table names no distribution, or one that the domain doesn't allow.
    pydantic.ValidationError
        If a number of it is refused.
    """
    kind = _kind(table)
    domain = reading.domain if reading is not None else None
    if domain == "share" and kind not in _BOUNDED:
        raise ValueError(
            "a share lies between 0 and 1, which this distribution can leave; "
            'use { dist = "beta", mean = ..., sd = ... } or { dist = "uniform", ... }'
        )
    if domain == "duration" and kind is Beta:
        raise ValueError("a beta lies between 0 and 1 and has no unit; use another distribution")
    rest = {key: value for key, value in table.items() if key != "dist"}
    return read_as(kind, rest, reading)


def _kind(table: dict[str, Any]) -> type[Law]:
    """Return which distribution a table describes, by its keys."""
    for key, kind in (("mixture", Mixture), ("file", Empirical), ("constant", Constant)):
        if key in table:
            return kind
    dist = table.get("dist")
    if (dist is None or dist == "lognormal") and ("p50" in table or "p99" in table):
        return Lognormal
    if isinstance(dist, str) and dist in _BY_DIST:
        return _BY_DIST[dist]
    if dist is None:
        raise ValueError(
            f"{shown(table)} names no distribution; write {{ p50 = ..., p99 = ... }}, "
            '{ dist = "...", ... }, { mixture = [...] } or { file = "...", column = "..." }'
        )
    near = nearest(dist, _BY_DIST) if isinstance(dist, str) else None
    meant = f'did you mean "{near}"? ' if near else ""
    text = f"{shown(dist)} is not known here; {meant}known are {listing(_BY_DIST)}"
    raise refusal(("dist",), text)


def _component(table: Any, reading: Reading | None) -> SimpleLaw:
    if not isinstance(table, dict):
        raise ValueError(f"{shown(table)} is not a table; write {{ weight = ..., p50 = ... }}")
    rest = {key: value for key, value in table.items() if key != "weight"}
    if _kind(rest) in (Mixture, Empirical):
        raise ValueError("a component of a mixture is one plain distribution; flatten it")
    law = read_law(rest, reading)
    assert not isinstance(law, Mixture | Empirical)
    return law


def _weight(table: Any) -> float:
    if not isinstance(table, dict):
        return 0.0  # said by the component itself
    if "weight" not in table:
        raise ValueError("missing; e.g. weight = 0.5")
    return Number(low=0.0, high=1.0, meaning="a share").plain(table["weight"])


@dataclass(frozen=True)
class LawOf(Marker):
    """A distribution of one domain, or a plain value for a constant.

    Parameters
    ----------
    domain : str
        A key of `simulator.scenario.law_numbers.DOMAINS`.
    catalog_key : str or None
        Key of the catalog's workloads, where a name may stand for a distribution.
    """

    domain: str
    catalog_key: str | None = None

    def read(self, value: Any, info: ValidationInfo) -> Law:
        """Return the distribution."""
        if isinstance(value, Law):
            return value
        reading = reading_of(info)
        inner = reading.within(self.domain) if reading is not None else None
        if isinstance(value, dict):
            return read_law(value, inner)
        table = self._named(value)
        if table is not None:
            return read_law(table, inner)
        return Constant(value=law_number(value, DOMAINS[self.domain], info))

    def _named(self, value: object) -> dict[str, Any] | None:
        """Return the catalog's table where the value is a name of it."""
        if self.catalog_key is None or not isinstance(value, str):
            return None
        from simulator import catalog

        key = self.catalog_key
        known = [name for name in catalog.names("workloads") if key in catalog.workload(name)]
        if value in known:
            table: dict[str, Any] = catalog.workload(value)[key]
            return table
        if DOMAINS[self.domain].is_time:
            return None
        near = nearest(value, known)
        meant = f'did you mean "{near}"? ' if near else ""
        raise ValueError(
            f"{shown(value)} is not a workload of the catalog; {meant}known are {listing(known)}; "
            "GPU-days themselves are plain numbers, without quotes"
        )

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of all that may stand here."""
        domain = DOMAINS[self.domain]
        forms = [domain.form()]
        if self.catalog_key is not None and not domain.is_time:
            forms.append({"type": "string", "description": "A workload of the catalog."})
        return {"anyOf": [*forms, *law_forms(self.domain)]}


def law_forms(domain: str) -> list[dict[str, Any]]:
    """Return the JSON Schemas of the tables that describe a distribution of a domain."""
    dists: dict[type[Law], str] = {kind: dist for dist, kind in _BY_DIST.items()}
    kinds: tuple[type[Law], ...] = (Constant, Lognormal, *dists)
    if domain == "share":
        kinds = (Constant, Beta, Uniform)
    plain = [_table_form(kind, domain, dists.get(kind)) for kind in kinds]
    weighted = [
        {
            **form,
            "properties": {"weight": {"type": "number", "minimum": 0}, **form["properties"]},
            "required": ["weight", *form["required"]],
        }
        for form in plain
    ]
    mixture = _table_form(Mixture, domain, None)
    mixture["properties"]["mixture"]["items"] = {"anyOf": weighted}
    return [*plain, mixture, _table_form(Empirical, domain, None)]


def _table_form(kind: type[Law], domain: str, dist: str | None) -> dict[str, Any]:
    form = kind.table_form()
    for key, name in kind.attributes().items():
        if any(isinstance(marker, LawNumber) for marker in kind.model_fields[name].metadata):
            described = {"description": form["properties"][key]["description"]}
            form["properties"][key] = described | DOMAINS[domain].form()
    if dist is not None or kind is Lognormal:
        named = {"dist": {"const": dist or "lognormal"}}
        form["properties"] = named | form["properties"]
    if dist is not None:
        form["required"] = ["dist", *form["required"]]
    return form
