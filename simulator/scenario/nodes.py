"""Node types, as a scenario writes them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import Field, ValidationInfo, field_validator

from simulator.errors import Issue, shown
from simulator.scenario.embodied import EmbodiedOf
from simulator.scenario.fields import (
    Milliseconds,
    Number,
    Quantity,
    Text,
    Whole,
    absent,
    as_written,
)
from simulator.scenario.laws import Law, LawOf
from simulator.scenario.load_curves import CurveOf, LoadCurve
from simulator.scenario.node_power import (
    FULL,
    Component,
    Components,
    PowerLevel,
    PowerLevels,
    SummedPower,
    above_idle,
)
from simulator.scenario.partly import as_far_as_read
from simulator.scenario.paths import Part, dotted
from simulator.scenario.prices import Price, PriceOf
from simulator.scenario.reading import unread_of
from simulator.scenario.reliability import FailuresOf, NodeFailures
from simulator.scenario.spec import Problems, Spec
from simulator.scenario.table_list import TableList
from simulator.units import format_quantity

MOST_ACCELERATORS: Final = 1024
"""Accelerators that one node may have."""


NOT_RESTING: Final = ("busy", "idle", "entering", "waking", "absent", "failed")
"""What results call a node that doesn't rest in an idle state."""


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
    components: Annotated[tuple[Component, ...], Components()] = as_written([])
    """Parts that draw power by curves of their own; the node's power is their sum."""
    idle_power_w: Annotated[float, SummedPower("idle_power")] = Field(
        default=as_written(None), alias="idle_power", examples=['"1.4 kW"']
    )
    """Power of a node that is awake with nothing allocated; given, or summed over components."""
    busy_power_w: Annotated[float, SummedPower("busy_power")] = Field(
        default=as_written(None), alias="busy_power", examples=['"5.4 kW"']
    )
    """Power of a node with all accelerators allocated at utilisation 1; given, or summed."""
    load_curve: Annotated[LoadCurve | None, CurveOf()] = as_written("linear")
    """Power between idle and busy: idle + (busy - idle) f(u) for the busy share u. With
    `components` they say it."""
    relative_speed: Annotated[float, Number(low=1e-6, high=1e6, meaning="a speed")] = 1.0
    """Speed at work given in GPU-days: at 2 a job takes half as long."""
    embodied_kg: Annotated[float, EmbodiedOf()] = Field(alias="embodied", examples=['"2500 kg"'])
    """CO2e of making one node, cradle to gate; or a table of its `parts`, which sum to it."""
    lifetime_ms: Annotated[int, Milliseconds(positive=True)] = Field(
        alias="lifetime", examples=['"4 y"']
    )
    """Calendar time over which the carbon of making, and the price, are spread evenly."""
    use_lifetime_ms: Annotated[int | None, Milliseconds(positive=True)] = Field(
        default=None, alias="use_lifetime", validate_default=False
    )
    """Time in use in the course of the lifetime, over which `accounting.embodied = "by-use"`
    spreads the carbon of making, e.g. 45 % of a lifetime of 4 y: `"1.8 y"`."""
    price: Annotated[Price | None, PriceOf("money")] = Field(
        default=None, validate_default=False, examples=['"250 kUSD"']
    )
    """What one node costs to buy, in any currency; none given, the cost of machines is absent."""
    idle_states: Annotated[tuple[IdleState, ...], TableList(IdleState)] = as_written([])
    """States of lower power, in order of depth; used by idle policies other than `always-on`."""
    power_levels: Annotated[tuple[PowerLevel, ...], PowerLevels()] = as_written([])
    """Power caps and frequency levels, at which jobs take longer and draw less."""
    failures: Annotated[NodeFailures | None, FailuresOf()] = absent()
    """How often the node fails and how long its repair takes; it never does unless given."""
    source: Annotated[str | None, Text("a source")] = absent()
    """Where the figures come from."""

    @classmethod
    def rules(cls, table: dict[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
        """Yield what is wrong with the choice of keys."""
        if table.get("components") and "load_curve" in table:
            text = "given together with components, which have curves of their own; take it out"
            yield ("load_curve",), text

    @classmethod
    def implied(cls, table: dict[str, Any]) -> frozenset[str]:
        """Return the keys that components stand in place of."""
        return frozenset({"load_curve"} if table.get("components") else ())

    @classmethod
    def table_form(cls) -> dict[str, Any]:
        """Return the JSON Schema of the table: powers, or components that sum to them."""
        ways = [["idle_power", "busy_power"], ["components"]]
        return {**super().table_form(), "anyOf": [{"required": way} for way in ways]}

    def level(self, name: str) -> PowerLevel:
        """Return a power level; `full` is the node without a cap.

        Raises
        ------
        KeyError
            If the node has no level of that name.
        """
        levels = {level.name: level for level in (*self.power_levels, self.full)}
        return levels[name]

    @property
    def full(self) -> PowerLevel:
        """The node without a cap, as a level."""
        return PowerLevel.model_construct(
            name=FULL,
            speed=1.0,
            idle_power_w=self.idle_power_w,
            busy_power_w=self.busy_power_w,
            load_curve=None,
        )

    @field_validator("busy_power_w")
    @classmethod
    def _above_idle(cls, busy_w: float, info: ValidationInfo) -> float:
        return above_idle(busy_w, info)

    @field_validator("use_lifetime_ms")
    @classmethod
    def _within_lifetime(cls, use_ms: int | None, info: ValidationInfo) -> int | None:
        lifetime_ms, unread = info.data.get("lifetime_ms"), unread_of(info)
        if use_ms is not None and unread is None and lifetime_ms and use_ms > lifetime_ms:
            use, lifetime = (format_quantity(time_ms, "time") for time_ms in (use_ms, lifetime_ms))
            raise ValueError(f"use_lifetime ({use}) must not be above lifetime ({lifetime})")
        return use_ms

    @field_validator("idle_states")
    @classmethod
    def _ladder(cls, states: tuple[IdleState, ...], info: ValidationInfo) -> tuple[IdleState, ...]:
        idle_w, unread = info.data.get("idle_power_w"), unread_of(info)
        if idle_w is None or (unread is not None and "idle_power_w" in unread):
            return states
        problems = Problems()
        for index, state in enumerate(states if unread is None else ()):
            for key, text in _ladder_problems(state, states[:index], idle_w):
                problems.add((index, key), text)
        problems.check()
        return tuple(state if state.partly else _with_idle_power(state, idle_w) for state in states)


def ladder_problems(nodes: Mapping[str, NodeType]) -> Iterator[Issue]:
    """Yield what is wrong between idle states of nodes that have other problems too.

    Parameters
    ----------
    nodes : mapping
        By name, as far as they could be read.
    """
    for name, node in nodes.items():
        with as_far_as_read(node):
            states = node.idle_states if node.partly else ()
            idle_w = node.idle_power_w if states else 0.0
            for index, state in enumerate(states):
                with as_far_as_read(node):
                    for key, text in _ladder_problems(state, states[:index], idle_w):
                        yield Issue(dotted(("nodes", name, "idle_states", index, key)), text)


def _ladder_problems(
    state: IdleState, shallower: tuple[IdleState, ...], idle_w: float
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a state below others; times and powers are in order of depth."""
    yield from _name_problems(state.name, [each.name for each in shallower])
    power, idle = format_quantity(state.power_w, "power"), format_quantity(idle_w, "power")
    if state.power_w > idle_w:
        yield "power", f"power ({power}) must not be above the node's idle_power ({idle})"
    if not shallower:
        return
    above = shallower[-1]
    if state.after_ms <= above.after_ms:
        after = format_quantity(state.after_ms, "time")
        before = format_quantity(above.after_ms, "time")
        yield "after", f"after ({after}) must be above that of the state before it ({before})"
    if idle_w >= state.power_w > above.power_w:
        before = format_quantity(above.power_w, "power")
        yield "power", f"power ({power}) must not be above that of the state before it ({before})"


def _name_problems(name: str, taken: list[str]) -> Iterator[tuple[str, str]]:
    column = column_word(name)
    if column in NOT_RESTING:
        yield "name", f"{shown(name)} is what results call another state; write another name"
    for other in taken:
        if column_word(other) == column:
            said = "is the name of a state before it"
            if other != name:
                said = f"and {shown(other)} are one name to the results"
            yield "name", f"{shown(name)} {said}; give it its own"
            return


def column_word(name: str) -> str:
    """Return the name of an idle state as it stands in names of columns."""
    return "".join(char if char.isalnum() else "_" for char in name.lower())


def _with_idle_power(state: IdleState, idle_w: float) -> IdleState:
    enter_w: float | None = state.enter_power_w
    wake_w: float | None = state.wake_power_w
    return state.model_copy(
        update={
            "enter_power_w": idle_w if enter_w is None else enter_w,
            "wake_power_w": idle_w if wake_w is None else wake_w,
        }
    )
