"""The one form of a scenario: what decides its results, and the text that keys are made of."""

import datetime as dt
import json
from functools import cache
from operator import is_
from typing import TYPE_CHECKING, Any, Final

from simulator.scenario.dispatch import PREFERENCE, Dispatch
from simulator.scenario.embodied import SummedKg
from simulator.scenario.policy_choice import PolicyChoice
from simulator.scenario.scheduling import FIFO, Scheduling
from simulator.scenario.spec import Spec
from simulator.scenario.spreading import CARRIED, HELD

if TYPE_CHECKING:
    from simulator.scenario.model import Scenario

_NOT_DECISIVE: Final = frozenset({"text", "path", "source"})
"""Attributes that change no result: where files lie, and citations."""

_SILENT: Final = frozenset(
    {
        "weather",
        "wue_l_per_kwh",
        "power_budget_w",
        "max_waking",
        "electricity_price",
        "price",
        "quota",
        "failures",
        "checkpoint",
        "preemption",
        "preemptible",
        "priority",
        "accelerators",
        "racks",
        "sharing",
        "shareable",
        "fraction",
        "factor",
        "mix",
        "forecast",
        "format",
        "region",
        "supply",
        "use_lifetime_ms",
        "building",
        "power_gear",
        "in_use",
        "retirement",
        "phase",
    }
)
"""Attributes that leave no trace where they are absent: the scenario is the same as without."""

_USUAL: Final[dict[str, Any]] = {
    "preemptible": True,
    "priority": 0,
    "in_use": HELD,
    "retirement": CARRIED,
}
"""What such an attribute stands at where it is absent; said in so many words it is the same."""


class KeyText:
    """The sorted text of a scenario but for its seed, made when first asked for: seeds share it."""

    __slots__ = ("_around", "_values")

    def __init__(self) -> None:
        self._values: list[Any] = []
        self._around = ("", "")

    def around_seed(self, scenario: "Scenario") -> tuple[str, str]:
        """Return what stands before and after the seed, made anew where a value is another."""
        values = [value for name, value in scenario if name != "seed"]
        known = len(values) == len(self._values) and all(map(is_, values, self._values))
        if not known:
            plain = _plain_parts(scenario)
            names = sorted(plain)
            parts = [f"{json.dumps(name)}:{_sorted(plain[name])}" for name in names]
            at = names.index("seed")
            before = "".join(f"{part}," for part in parts[:at])
            after = "".join(f",{part}" for part in parts[at + 1 :])
            self._values, self._around = values, (f'{{{before}"seed":', f"{after}}}")
        return self._around


def canonical_text(scenario: "Scenario") -> str:
    """Return all that decides the results of a scenario, as JSON."""
    return json.dumps(_plain_parts(scenario), ensure_ascii=False, separators=(",", ":"))


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _plain_parts(scenario: "Scenario") -> dict[str, Any]:
    names = type(scenario).model_fields
    plain = {name: _plain(getattr(scenario, name)) for name in names}
    plain["nodes"] = _plain(dict(sorted(scenario.nodes.items())))
    return plain


def _plain(value: Any) -> Any:
    """Return a value of a scenario as JSON has it; order is kept where it has a meaning."""
    if isinstance(value, SummedKg):
        return {"is": "parts", "kg": float(value), "parts": _plain(value.parts)}
    if value is None or isinstance(value, str | int | float):
        return value
    match value:
        case Spec():
            label, names = _form(type(value))
            plain = {name: _plain(getattr(value, name)) for name in names}
            plain = {k: v for k, v in plain.items() if not _is_silent(k, v)}
            return {"is": label, **plain} if label else plain
        case Scheduling(policy=policy) if policy == FIFO:
            return FIFO
        case Dispatch(policy=policy, among=among) if policy == PREFERENCE:
            return list(among)
        case Dispatch():
            own = _plain(value.parameters)
            return {"is": value.policy, "among": list(value.among), "parameters": own}
        case PolicyChoice():  # max_waking is the cluster's, wherever it is said
            return {"is": value.policy, "parameters": _plain(value.parameters)}
        case dict():
            return [[key, _plain(entry)] for key, entry in value.items()]
        case tuple():
            return [_plain(entry) for entry in value]
        case dt.datetime():
            return value.isoformat()
    return value


def _is_silent(name: str, value: Any) -> bool:
    return name in _SILENT and value in (None, _USUAL.get(name))


@cache
def _form(kind: type[Spec]) -> tuple[str | None, tuple[str, ...]]:
    """Return what a kind of table is called, where it must be, and its decisive attributes."""
    label = getattr(kind, "kind", getattr(kind, "process", None))
    return label, tuple(name for name in kind.model_fields if name not in _NOT_DECISIVE)
