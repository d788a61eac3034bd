"""Which scenarios are so unlike that their figures would not mean the same."""

from collections.abc import Callable
from typing import Any, Final

from simulator.errors import listing, shown
from simulator.scenario import Scenario
from simulator.scenario.grid import UNKNOWN, signal_of
from simulator.scenario.prices import currency_of
from simulator.units import format_quantity


def unlike(base: Scenario, other: Scenario) -> list[str]:
    """Return why figures of two scenarios can't be compared; empty where they can.

    Another region, building, fleet or workload is a fair question. Another span of time, kind of
    signal or rule of accounting is not.
    """
    reasons = [
        f"its {word} is {text(getattr(other, name))}, of the base {text(getattr(base, name))}"
        for name, word, text in _SPANS
        if getattr(base, name) != getattr(other, name)
    ]
    for name in type(base.accounting).model_fields:
        ours, theirs = getattr(base.accounting, name), getattr(other.accounting, name)
        if name != "interval_ms" and ours != theirs:
            reasons.append(f"its accounting.{name} is {shown(theirs)}, of the base {shown(ours)}")
    for signal in ("average", "marginal"):
        for at, words in enumerate(("emission factors are", "mix is")):
            held = [_claims(each, signal)[at] for each in (other, base)]
            if all(held) and held[0] != held[1]:
                theirs, ours = (", ".join(sorted(each)) for each in held)
                reasons.append(f"its {signal} {words} {theirs}, of the base {ours}")
    money = [currency_of(each) for each in (other, base)]
    if all(money) and money[0] != money[1]:
        reasons.append("its prices are in {}, of the base in {}".format(*money))
    return reasons + _half_marginal(base, other)


def _claims(scenario: Scenario, signal: str) -> tuple[set[str], set[str]]:
    """Return the kinds of emission factors and the mixes of a signal over all sites."""
    sources = [getattr(site.grid, signal) for site in scenario.sites.values()]
    signals = [signal_of(source) for source in sources if source is not None]
    factors, mixes = {each.factor for each in signals}, {each.mix for each in signals}
    return _stated(factors), _stated(mixes)


def _stated(words: set[str]) -> set[str]:
    """Return words as they are told; of what a constant does not claim there is nothing to tell."""
    return {"not stated" if word == UNKNOWN else word for word in words if word}


def _half_marginal(base: Scenario, other: Scenario) -> list[str]:
    """Say where marginal figures are absent on one side only, and at which sites."""
    ours, theirs = (
        [name for name, site in each.sites.items() if site.grid.marginal is None]
        for each in (base, other)
    )
    if bool(ours) == bool(theirs):
        return []
    if theirs:
        return [f"it has no marginal intensity at {listing(theirs)}, the base has one everywhere"]
    return [f"the base has no marginal intensity at {listing(ours)}, it has one everywhere"]


def _time(milliseconds: int) -> str:
    return format_quantity(milliseconds, "time")


_SPANS: Final[tuple[tuple[str, str, Callable[[Any], str]], ...]] = (
    ("start", "start", lambda moment: str(moment.isoformat()).replace("+00:00", "Z")),
    ("horizon_ms", "horizon", _time),
    ("warm_up_ms", "warm_up", _time),
    ("drain", "drain", shown),
)
"""What decides which time the figures cover: attribute, its word in files, how to say it."""
