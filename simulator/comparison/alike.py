"""Which scenarios are so unlike that their figures would not mean the same."""

from collections.abc import Callable
from typing import Any, Final

from simulator import catalog
from simulator.errors import listing, shown
from simulator.scenario import Scenario
from simulator.scenario.grid import GridFile, GridName
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
        held = [_factors(each, signal) for each in (other, base)]
        if all(held) and held[0] != held[1]:
            theirs, ours = (", ".join(sorted(each)) for each in held)
            reasons.append(f"its {signal} emission factors are {theirs}, of the base {ours}")
    money = [currency_of(each) for each in (other, base)]
    if all(money) and money[0] != money[1]:
        reasons.append("its prices are in {}, of the base in {}".format(*money))
    return reasons + _half_marginal(base, other)


def _factors(scenario: Scenario, signal: str) -> set[str]:
    """Return what the emission factors of a signal hold over all sites; constants say nothing."""
    found = set()
    for site in scenario.sites.values():
        source = getattr(site.grid, signal)
        if isinstance(source, GridName):
            found.add(str(catalog.grid(source.name)["factor"]))
        elif isinstance(source, GridFile):
            found.add("not stated" if source.factor == "unknown" else source.factor)
    return found


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
