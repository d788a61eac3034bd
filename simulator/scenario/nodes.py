"""Node types, as a scenario writes them."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import shown
from simulator.scenario.fields import (
    Marker,
    Milliseconds,
    Number,
    Quantity,
    Text,
    Whole,
    absent,
    as_written,
)
from simulator.scenario.laws import Law, LawOf
from simulator.scenario.spec import Problems, Spec, TableList
from simulator.units import G_PER_KG, format_quantity

MOST_ACCELERATORS: Final = 1024
"""Accelerators that one node may have."""


class LoadCurve(Marker):
    """How the power of a node bends between idle and busy; this version draws it straight."""

    def plain(self, value: Any) -> str:
        """Return the name of the curve."""
        if value == "linear":
            return "linear"
        if isinstance(value, dict):
            raise ValueError(
                f"{shown(value)}: bent load curves are not in this version; "
                'write load_curve = "linear"'
            )
        raise ValueError(f'{shown(value)} is not known here; write "linear"')

    def form(self) -> dict[str, Any]:
        """Return the JSON Schema of the curves there are."""
        return {"enum": ["linear"]}


class Kilograms(Quantity):
    """A mass, kept in kilograms as the name of its attribute says."""

    def __init__(self) -> None:
        super().__init__("mass")

    def read(self, value: Any, info: ValidationInfo) -> float:
        """Return the mass in kilograms."""
        mass = super().read(value, info)
        return mass / G_PER_KG if isinstance(value, str) else mass


class IdleState(Spec):
    """A state of lower power that an idle node can take."""

    name: Annotated[str, Text("a name")] = Field(examples=['"sleep"'])
    """Name of the state, in tables and figures."""
    after_ms: Annotated[int, Milliseconds()] = Field(alias="after", examples=['"15 min"'])
    """Time without a job after which the state is entered."""
    power_w: Annotated[float, Quantity("power")] = Field(alias="power", examples=['"150 W"'])
    """Power of the node in the state."""
    enter_time_ms: Annotated[int, Milliseconds()] = Field(
        default=as_written("0 s"), alias="enter_time"
    )
    """Time that entering takes; meanwhile the node can't be used."""
    enter_power_w: Annotated[float, Quantity("power")] = Field(
        default=as_written(None), alias="enter_power", validate_default=False
    )
    """Power while entering; by default the node's idle power."""
    wake_time: Annotated[Law, LawOf("duration")] = Field(default=as_written("0 s"))
    """Time that waking takes, or a distribution of it."""
    wake_power_w: Annotated[float, Quantity("power")] = Field(
        default=as_written(None), alias="wake_power", validate_default=False
    )
    """Power while waking; by default the node's idle power."""


class NodeType(Spec):
    """A kind of node: its accelerators, its power, and the carbon of making it."""

    accelerator: Annotated[str | None, Text("the accelerator's name")] = absent()
    """Name of the accelerator."""
    accelerators: Annotated[int, Whole(1, MOST_ACCELERATORS)] = Field(examples=["8"])
    """Accelerators of one node."""
    idle_power_w: Annotated[float, Quantity("power")] = Field(
        alias="idle_power", examples=['"1.4 kW"']
    )
    """Power of a node that is awake with nothing allocated."""
    busy_power_w: Annotated[float, Quantity("power")] = Field(
        alias="busy_power", examples=['"5.4 kW"']
    )
    """Power of a node with all accelerators allocated at utilisation 1."""
    load_curve: Annotated[Literal["linear"], LoadCurve()] = "linear"
    """Power between idle and busy: idle + (busy - idle) u for the busy share u."""
    relative_speed: Annotated[float, Number(low=1e-6, high=1e6, meaning="a speed")] = 1.0
    """Speed at work given in GPU-days: at 2 a job takes half as long."""
    embodied_kg: Annotated[float, Kilograms()] = Field(alias="embodied", examples=['"2500 kg"'])
    """CO2e of making one node, cradle to gate."""
    lifetime_ms: Annotated[int, Milliseconds(positive=True)] = Field(
        alias="lifetime", examples=['"4 y"']
    )
    """Calendar time over which the carbon of making is spread evenly."""
    idle_states: Annotated[tuple[IdleState, ...], TableList(IdleState)] = as_written([])
    """States of lower power, in order of depth; used by idle policies other than `always-on`."""
    source: Annotated[str | None, Text("a source")] = absent()
    """Where the figures come from."""

    @field_validator("busy_power_w")
    @classmethod
    def _above_idle(cls, busy_w: float, info: ValidationInfo) -> float:
        idle_w = info.data.get("idle_power_w")
        if idle_w is not None and busy_w < idle_w:
            busy, idle = format_quantity(busy_w, "power"), format_quantity(idle_w, "power")
            raise ValueError(
                f"busy_power ({busy}) must be at least idle_power ({idle}); are they swapped?"
            )
        return busy_w

    @field_validator("idle_states")
    @classmethod
    def _ladder(cls, states: tuple[IdleState, ...], info: ValidationInfo) -> tuple[IdleState, ...]:
        idle_w = info.data.get("idle_power_w")
        if idle_w is None:
            return states
        problems = Problems()
        for index, state in enumerate(states):
            shallower = states[index - 1] if index else None
            for key, text in _ladder_problems(state, shallower, idle_w):
                problems.add((index, key), text)
        problems.check()
        return tuple(_with_idle_power(state, idle_w) for state in states)


def _ladder_problems(
    state: IdleState, shallower: IdleState | None, idle_w: float
) -> Iterator[tuple[str, str]]:
    if state.power_w > idle_w:
        power, idle = format_quantity(state.power_w, "power"), format_quantity(idle_w, "power")
        yield "power", f"power ({power}) must not be above the node's idle_power ({idle})"
    if shallower is None:
        return
    if state.after_ms < shallower.after_ms:
        after = format_quantity(state.after_ms, "time")
        before = format_quantity(shallower.after_ms, "time")
        yield "after", f"after ({after}) must be at least that of the state before it ({before})"
    if state.name == shallower.name:
        yield "name", f"{shown(state.name)} is the name of the state before it; give it its own"


def _with_idle_power(state: IdleState, idle_w: float) -> IdleState:
    enter_w: float | None = state.enter_power_w
    wake_w: float | None = state.wake_power_w
    return state.model_copy(
        update={
            "enter_power_w": idle_w if enter_w is None else enter_w,
            "wake_power_w": idle_w if wake_w is None else wake_w,
        }
    )
