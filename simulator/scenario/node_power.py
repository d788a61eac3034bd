"""What a node draws, as a scenario writes it: idle and busy power, components, power levels."""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from simulator.errors import shown
from simulator.scenario.fields import Marker, Number, Quantity, Text, Whole, as_written
from simulator.scenario.load_curves import CurveOf, LoadCurve
from simulator.scenario.reading import unread_of
from simulator.scenario.spec import Problems, Spec
from simulator.scenario.table_list import TableList
from simulator.units import format_quantity

MOST_COMPONENTS: Final = 4096
"""Components of one kind that a node may have."""

MOST_LEVELS: Final = 64
"""Power levels that a node may have."""

AGREEMENT: Final = 1e-3
"""Relative difference up to which a node's power is the sum of its components'."""

FULL: Final = "full"
"""Name of the level without a cap: the node's own idle and busy power, at speed 1."""


def above_idle(busy_w: float, info: ValidationInfo) -> float:
    """Return a busy power, which must not be below the idle power beside it."""
    idle_w = info.data.get("idle_power_w") if unread_of(info) is None else None
    if idle_w is not None and busy_w is not None and busy_w < idle_w:
        busy, idle = format_quantity(busy_w, "power"), format_quantity(idle_w, "power")
        raise ValueError(
            f"busy_power ({busy}) must be at least idle_power ({idle}); are they swapped?"
        )
    return busy_w


class Component(Spec):
    """A part of a node that draws power by a curve of its own."""

    name: Annotated[str, Text("a name")] = Field(examples=['"host"'])
    """Name of the component."""
    count: Annotated[int, Whole(1, MOST_COMPONENTS)] = 1
    """How many of it a node has."""
    idle_power_w: Annotated[float, Quantity("power")] = Field(
        alias="idle_power", examples=['"60 W"']
    )
    """Power of one in an awake node with nothing allocated."""
    busy_power_w: Annotated[float, Quantity("power")] = Field(
        alias="busy_power", examples=['"400 W"']
    )
    """Power of one with all accelerators of the node allocated at utilisation 1."""
    load_curve: Annotated[LoadCurve, CurveOf()] = as_written("linear")
    """Power between idle and busy, for the load of the node."""

    @field_validator("busy_power_w")
    @classmethod
    def _above_idle(cls, busy_w: float, info: ValidationInfo) -> float:
        return above_idle(busy_w, info)


class Components(TableList):
    """The components of a node, each with a name of its own."""

    def __init__(self) -> None:
        super().__init__(Component)

    def read(self, value: Any, info: ValidationInfo) -> tuple[Component, ...]:
        """Return the components in the order of the list."""
        components: tuple[Component, ...] = super().read(value, info)
        if any(component.partly for component in components):
            raise ValueError("some can't be read, so that there is no sum of them")
        problems = Problems()
        _note_twice(problems, [component.name for component in components])
        problems.check()
        return components


class SummedPower(Marker):
    """A power of a node: given, or the sum of its components'.

    Parameters
    ----------
    key : {"idle_power", "busy_power"}
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.power = Quantity("power")

    def read(self, value: Any, info: ValidationInfo) -> float | None:
        """Return the power; where there are components, their sum. [W]"""
        given_w = None if value is None else self.power.read(value, info)
        components = info.data.get("components")
        if not components:
            if given_w is None and "components" in info.data:
                raise PydanticKnownError("missing")
            return given_w
        sum_w = math.fsum(part.count * getattr(part, f"{self.key}_w") for part in components)
        if given_w is not None and not math.isclose(given_w, sum_w, rel_tol=AGREEMENT):
            given, total = format_quantity(given_w, "power"), format_quantity(sum_w, "power")
            raise ValueError(
                f"{self.key} ({given}) must be the sum of the components ({total}); correct one "
                f"of them, or leave {self.key} out"
            )
        return sum_w

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of a power."""
        return self.power.form()


class PowerLevel(Spec):
    """A frequency level or a power cap: less power, and longer jobs."""

    name: Annotated[str, Text("a name")] = Field(examples=['"cap-175W"'])
    """Name of the level; `full` is the node without a cap."""
    speed: Annotated[float, Number(low=1e-6, high=1.0, meaning="a share of full speed")] = Field(
        examples=["0.937"]
    )
    """Speed of every job at this level, as a share of full speed: at 0.5 it takes twice as long."""
    idle_power_w: Annotated[float, Quantity("power")] = Field(
        default=as_written(None), alias="idle_power", validate_default=False
    )
    """Power of an idle node at this level; by default the node's idle power."""
    busy_power_w: Annotated[float, Quantity("power")] = Field(
        alias="busy_power", examples=['"3.9 kW"']
    )
    """Power at this level with all accelerators allocated at utilisation 1."""
    load_curve: Annotated[LoadCurve | None, CurveOf()] = Field(
        default=as_written(None), validate_default=False
    )
    """Power between idle and busy at this level; by default as the node's curve bends."""

    @field_validator("name")
    @classmethod
    def _not_full(cls, name: str) -> str:
        if name == FULL:
            raise ValueError('"full" is the node without a cap; give the level another name')
        return name

    @field_validator("busy_power_w")
    @classmethod
    def _above_idle(cls, busy_w: float, info: ValidationInfo) -> float:
        return above_idle(busy_w, info)


class PowerLevels(TableList):
    """The power levels of a node, each with a name of its own."""

    def __init__(self) -> None:
        super().__init__(PowerLevel)

    def read(self, value: Any, info: ValidationInfo) -> tuple[PowerLevel, ...]:
        """Return the levels, idle powers filled in from the node's."""
        levels: tuple[PowerLevel, ...] = super().read(value, info)
        if (unread := unread_of(info)) is not None:
            known = "idle_power_w" not in unread
            return tuple(_filled(level, info) if known else level for level in levels)
        if len(levels) > MOST_LEVELS:
            raise ValueError(f"{len(levels)} levels are too many; write at most {MOST_LEVELS}")
        problems, found = Problems(), []
        _note_twice(problems, [level.name for level in levels])
        idle_w, busy_w = info.data.get("idle_power_w"), info.data.get("busy_power_w")
        if idle_w is None or busy_w is None:
            problems.check()
            return levels
        states = info.data.get("idle_states", ())
        for index, level in enumerate(levels):
            given: float | None = level.idle_power_w
            full = level.model_copy(update={"idle_power_w": idle_w if given is None else given})
            for key, text in _level_problems(full, idle_w, busy_w, states):
                problems.add((index, key), text)
            found.append(full)
        problems.check()
        return tuple(found)


def _filled(level: PowerLevel, info: ValidationInfo) -> PowerLevel:
    """Return a level of a node with problems, with the node's idle power where it has none."""
    given: float | None = getattr(level, "idle_power_w", 0.0)
    idle_w = info.data.get("idle_power_w")
    return level if given is not None else level.model_copy(update={"idle_power_w": idle_w})


def _level_problems(
    level: PowerLevel, idle_w: float, busy_w: float, states: tuple[Any, ...]
) -> Iterator[tuple[str, str]]:
    idle, busy = format_quantity(idle_w, "power"), format_quantity(busy_w, "power")
    level_idle = format_quantity(level.idle_power_w, "power")
    level_busy = format_quantity(level.busy_power_w, "power")
    if level.busy_power_w > busy_w:
        text = f"busy_power ({level_busy}) must not be above the node's ({busy})"
        yield "busy_power", f"{text}; a level cuts power"
    elif level.busy_power_w < level.idle_power_w:
        text = f"busy_power ({level_busy}) must be at least the node's idle_power ({level_idle})"
        yield "busy_power", f"{text}; give the level an idle_power of its own"
    if level.idle_power_w > idle_w:
        text = f"idle_power ({level_idle}) must not be above the node's ({idle})"
        yield "idle_power", f"{text}; a level cuts power"
    elif states and states[0].power_w > level.idle_power_w:
        asleep = format_quantity(states[0].power_w, "power")
        state = f"the state {shown(states[0].name)} ({asleep})"
        text = f"idle_power ({level_idle}) must be at least the power of {state}"
        yield "idle_power", f"{text}; sleep does not draw more than idling"


def _note_twice(problems: Problems, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            problems.add((index, "name"), f"{shown(name)} is the name of another; give it its own")
