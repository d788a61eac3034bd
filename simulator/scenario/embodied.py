"""The carbon of making a node, as a scenario writes it: a figure, or parts that sum to it.

A die is area x (fab intensity x energy + gas + materials) / yield, memory and storage a factor
times their capacity, a board a factor times its area, a package or a whole system so much a piece
(Gupta et al., ACT, ISCA 2022). The factors are those of the catalog.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, ValidationInfo

from simulator import catalog
from simulator.errors import listing, nearest, shown
from simulator.scenario.fields import Number, Quantity, Text, Whole, absent
from simulator.scenario.paths import Part
from simulator.scenario.reading import reading_of
from simulator.scenario.spec import Problems, Spec, read_as
from simulator.scenario.table_list import TableList
from simulator.units import DIMENSIONS, G_PER_KG

MOST_PIECES: Final = 1_000_000
"""Pieces of one part that a node may have."""

LOGIC: Final = "logic"
FAB: Final = "fab"
ABATEMENTS: Final = (0.95, 0.99)
"""Shares of process gases abated for which the catalog has figures."""

_OF_A_DIE: Final = ("yield", "fab_intensity", "abatement")


class Kilograms(Quantity):
    """A mass, kept in kilograms as the name of its attribute says."""

    def __init__(self) -> None:
        super().__init__("mass")

    def read(self, value: Any, info: ValidationInfo) -> float:
        """Return the mass in kilograms."""
        mass = super().read(value, info)
        return mass / G_PER_KG if isinstance(value, str) else mass


class NodePart(Spec):
    """A part of a node, and what says how much its making emits."""

    part: Annotated[str, Text("a part's name")] = Field(examples=['"dram"'])
    """Name of the part: one of the catalog, or any name beside `process` or `embodied`."""
    count: Annotated[int, Whole(1, MOST_PIECES)] = 1
    """How many of it a node has."""
    embodied_kg: Annotated[float | None, Kilograms()] = Field(
        default=None, alias="embodied", validate_default=False
    )
    """CO2e of making one, where a figure is known."""
    area_cm2: Annotated[float | None, Quantity("area", positive=True)] = Field(
        default=None, alias="area", validate_default=False
    )
    """Area of one die or board."""
    process: Annotated[str | None, Text('a process, e.g. "7 nm"')] = absent()
    """Process in which a die is made, e.g. `7 nm`."""
    yield_share: Annotated[float | None, Number(above=0.0, high=1.0, meaning="a share")] = Field(
        default=None, alias="yield", validate_default=False
    )
    """Share of the dies that are good; 0.875 unless given."""
    fab_g_per_kwh: Annotated[float | None, Quantity("intensity")] = Field(
        default=None, alias="fab_intensity", validate_default=False
    )
    """Carbon intensity of the fab's electricity; 583 g/kWh unless given."""
    abatement: Annotated[
        float | None, Number(low=ABATEMENTS[0], high=ABATEMENTS[1], meaning="a share")
    ] = absent()
    """Share of the process gases that are abated; 0.97 unless given."""
    capacity_gb: Annotated[float | None, Quantity("storage", positive=True)] = Field(
        default=None, alias="capacity", validate_default=False
    )
    """Capacity of one module of memory or storage."""
    technology: Annotated[str | None, Text("a technology's name")] = absent()
    """Technology of memory, storage or board, one that the catalog has of the part."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Yield what is wrong with the choice of keys."""
        ways = [key for key in ("embodied", "process", "capacity") if key in table]
        for other in ways[1:]:
            yield (other,), f"given together with {ways[0]}; take one of them out"
        if "process" in table and "area" not in table:
            yield ("area",), 'missing; e.g. area = "826 mm2"'
        for key in _OF_A_DIE:
            if key in table and "process" not in table:
                yield (key,), 'only of a die; write process = "7 nm" beside it, or take it out'


@dataclass(frozen=True, slots=True)
class Made:
    """What making one part of a node comes to.

    Attributes
    ----------
    part : str
    count : int
    each_kg : float
        CO2e of one.
    how : str
        What that is the product of.
    """

    part: str
    count: int
    each_kg: float
    how: str

    @property
    def total_kg(self) -> float:
        """CO2e of all of them."""
        return self.count * self.each_kg


class SummedKg(float):
    """The carbon of making a node as the sum of its parts, which it remembers. [kg].

    Parameters
    ----------
    kg : float
    parts : tuple of NodePart
    """

    parts: tuple[NodePart, ...]

    def __new__(cls, kg: float, parts: tuple[NodePart, ...] = ()) -> "SummedKg":
        """Make the sum."""
        made = super().__new__(cls, kg)
        made.parts = parts
        return made


def parts_of(embodied_kg: float) -> tuple[Made, ...]:
    """Return what the parts of a node come to; empty for a figure that is no sum of parts."""
    return tuple(map(made, embodied_kg.parts)) if isinstance(embodied_kg, SummedKg) else ()


class PartList(TableList):
    """The parts of a node."""

    def __init__(self) -> None:
        super().__init__(NodePart)

    def read(self, value: Any, info: ValidationInfo) -> tuple[NodePart, ...]:
        """Return the parts, each of which can be worked out."""
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(
                f"{shown(value)} is not a list of parts; write at least one, e.g. "
                '[{ part = "gpu-system" }]'
            )
        problems, reading, parts = Problems(), reading_of(info), []
        for index, entry in enumerate(value):
            part = problems.read((index,), read_as, NodePart, entry, reading)
            if part is None:
                continue
            try:
                made(part)
            except _PartError as error:
                problems.add((index, error.key), str(error))
            parts.append(part)
        problems.check()
        return tuple(parts)


class PartsTable(Spec):
    """The carbon of making a node, part by part."""

    parts: Annotated[tuple[NodePart, ...], PartList()] = Field(
        examples=['[{ part = "dram", capacity = "2 TB" }]']
    )
    """Parts of the node; what no part says is not counted."""


class EmbodiedOf(Kilograms):
    """The carbon of making a node: a mass, or a table of parts."""

    def read(self, value: Any, info: ValidationInfo) -> float:
        """Return the mass in kilograms; one that is summed knows its parts."""
        if isinstance(value, SummedKg):
            return value
        if not isinstance(value, dict):
            return super().read(value, info)
        parts = read_as(PartsTable, value, reading_of(info)).parts
        return SummedKg(math.fsum(made(part).total_kg for part in parts), parts)

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a mass and of the table."""
        return {"anyOf": [super().form(), PartsTable.table_form()]}


class _PartError(ValueError):
    """A part that can't be worked out, and the key that says why."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


def made(part: NodePart) -> Made:
    """Return what making a part comes to.

    Raises
    ------
    ValueError
        If a key is missing, or names nothing that the catalog has.
    """
    each_kg, how = _each(part)
    return Made(part.part, part.count, each_kg, how)


def _each(part: NodePart) -> tuple[float, str]:
    """Return the CO2e of making one, and in words what it is the product of. [kg]"""
    if part.embodied_kg is not None:
        return part.embodied_kg, "as stated"
    if part.process is not None:
        return _die(part, part.process)
    try:
        entry = catalog.part(part.part)
    except catalog.UnknownNameError as error:
        text = f'{error.message}; or give its embodied, e.g. "12 kg"'
        raise _PartError("part", text) from None
    if part.part in (LOGIC, FAB):
        raise _PartError("process", 'missing; e.g. process = "7 nm"')
    if "storage" in entry:
        _only(part, "capacity", "technology")
        capacity_gb = _needed(part.capacity_gb, "capacity", '"2 TB"')
        name, g_per_gb = _technology(part, entry, "storage")
        return capacity_gb * g_per_gb / G_PER_KG, f"{capacity_gb:g} GB x {g_per_gb:g} g/GB ({name})"
    if "area" in entry:
        _only(part, "area", "technology")
        area_m2 = _needed(part.area_cm2, "area", '"0.2 m2"') / DIMENSIONS["area"]["m2"]
        name, kg_per_m2 = _technology(part, entry, "area")
        return area_m2 * kg_per_m2, f"{area_m2:g} m2 x {kg_per_m2:g} kg/m2 ({name})"
    _only(part)
    each = str(entry["piece"])
    return float(each.removesuffix(" kg")), "of the catalog"


def _die(part: NodePart, process: str) -> tuple[float, str]:
    """Return the CO2e of making one die: area x (intensity x energy + gas + materials) / yield."""
    area_cm2 = _needed(part.area_cm2, "area", '"826 mm2"')
    logic, fab = catalog.part(LOGIC), catalog.part(FAB)
    known = {name: figures for name, figures in logic.items() if name.endswith("nm")}
    figures = known.get(process.replace(" ", ""))
    if figures is None:
        raise _PartError("process", _unknown(process, list(known)))
    good = fab["yield"] if part.yield_share is None else part.yield_share
    fab_g_per_kwh = fab["fab_intensity"] if part.fab_g_per_kwh is None else part.fab_g_per_kwh
    abated = fab["abatement"] if part.abatement is None else part.abatement
    low, high = ABATEMENTS
    share = (abated - low) / (high - low)
    gas_g = figures["gas-95"] + share * (figures["gas-99"] - figures["gas-95"])
    per_cm2_g = (fab_g_per_kwh * figures["energy"] + gas_g + figures["materials"]) / good
    how = (
        f"{area_cm2:g} cm2 x ({fab_g_per_kwh:g} g/kWh x {figures['energy']:g} kWh/cm2 + "
        f"{gas_g:g} g/cm2 + {figures['materials']:g} g/cm2) / {good:g}"
    )
    return area_cm2 * per_cm2_g / G_PER_KG, how


def _technology(part: NodePart, entry: dict[str, Any], key: str) -> tuple[str, float]:
    """Return the technology of a part and its factor, per GB or per square metre."""
    name = part.technology or str(entry["usual"])
    if name not in entry[key]:
        raise _PartError("technology", _unknown(name, list(entry[key])))
    return name, float(entry[key][name])


def _needed(value: float | None, key: str, example: str) -> float:
    if value is None:
        raise _PartError(key, f"missing; e.g. {key} = {example}")
    return value


def _only(part: NodePart, *keys: str) -> None:
    """Refuse keys that say nothing of this part."""
    for key, value in (
        ("area", part.area_cm2),
        ("capacity", part.capacity_gb),
        ("technology", part.technology),
    ):
        if value is not None and key not in keys:
            raise _PartError(key, f"says nothing of {shown(part.part)}; take it out")


def _unknown(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    meant = f"did you mean {shown(near)}? " if near else ""
    return f"{shown(name)} is not in the catalog; {meant}known are {listing(known)}"
