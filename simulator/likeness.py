"""Whether two runs stand on one basis, so that their difference says something.

Figures by average and by marginal intensity, by direct and by life-cycle factors, of what a region
produces and of what it consumes, or over different time answer different questions. Another
region, building, fleet or workload is what a comparison is made for, and no reason against it. A
constant intensity claims no kind of factor and no mix unless it says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from simulator.scenario.model import Scenario
from simulator.units import exact_quantity
from simulator.version import MODEL_VERSION, SCHEMA_VERSION

SIGNALS: Final = ("average", "marginal")
"""Signals that carbon figures stand on, as a basis names them."""
STANDS_ON: Final = (*SIGNALS, "currency")
"""What any figure may stand on."""
STRAIGHT: Final = "of nodes in a straight line"
"""How the carbon of making is spread where a basis says nothing of it."""
CONSTANT: Final = "constant"
"""Kind of factors and mix of an intensity that claims none."""


class Based(Protocol):
    """What is asked of a run: `simulator.results.Results` has it, and so has `Facts`."""

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""

    @property
    def basis(self) -> Mapping[str, str]:
        """What its figures stand on, as `simulator.assumptions.basis_of` says it."""

    @property
    def schema_version(self) -> int:
        """Version of its result files."""

    @property
    def model_version(self) -> int:
        """Version of the models behind it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is asked of a run whose results are not at hand.

    Attributes
    ----------
    scenario : Scenario
    basis : mapping of str to str
        As `simulator.assumptions.basis_of` says it.
    schema_version, model_version : int
        By default those of this program.
    """

    scenario: Scenario
    basis: Mapping[str, str]
    schema_version: int = SCHEMA_VERSION
    model_version: int = MODEL_VERSION


def unlike(base: Based, other: Based, *, on: Sequence[str] = STANDS_ON) -> list[str]:
    """Return every reason not to compare two runs, each in words; none where they are alike.

    Parameters
    ----------
    base, other : Results or Facts
        The words are about `other`, seen from `base`.
    on : sequence of str
        What the compared figures stand on: ``average`` for the total of carbon, ``marginal`` for
        marginal carbon, ``currency`` for costs. Of what only one of the two has there is nothing
        to compare, and nothing is said.
    """
    return [
        *_versions(base, other),
        *_time(base.scenario, other.scenario),
        *unlike_signals(base.basis, other.basis, [signal for signal in SIGNALS if signal in on]),
        *(unlike_making(base.basis, other.basis) if "average" in on else ()),
        *(_money(base.basis, other.basis) if "currency" in on else ()),
    ]


def _versions(base: Based, other: Based) -> Iterator[str]:
    for what in ("schema", "model"):
        one, two = (getattr(run, f"{what}_version") for run in (base, other))
        if one != two:
            yield f"{what} version {two} is not the base's {one}; run both with one version"


def _time(base: Scenario, other: Scenario) -> Iterator[str]:
    """Yield what is different about the time that is counted."""
    for name, attribute in _COUNTED.items():
        one, two = getattr(base, attribute), getattr(other, attribute)
        if one != two:
            yield f"{name} {_said(two)} is not the base's {_said(one)}; count the same time in both"


_COUNTED: Final = {
    "start": "start",
    "horizon": "horizon_ms",
    "warm_up": "warm_up_ms",
    "drain": "drain",
}
"""Keys of a scenario that say which time is counted, and their attributes."""


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return exact_quantity(value, "time")


def unlike_signals(
    base: Mapping[str, str], other: Mapping[str, str], signals: Sequence[str] = SIGNALS
) -> Iterator[str]:
    """Yield what is unlike about the signals of two bases.

    Other kinds of emission factors, another mix, or no signal in common.

    Parameters
    ----------
    base, other : mapping of str to str
        As `simulator.assumptions.basis_of` says them.
    signals : sequence of str
        Those that the figures stand on.
    """
    has = [[signal for signal in signals if signal in basis] for basis in (base, other)]
    both = [signal for signal in has[0] if signal in has[1]]
    if not both and has[0] != has[1]:
        one, two = (" and ".join(each) or "no" for each in has)
        yield f"{two} intensity is not the base's {one} intensity; use one signal in both"
    for signal in both:
        for key, by, remedy in _KEPT_APART:
            kinds, others = (_kinds(basis, f"{signal}_{key}") for basis in (base, other))
            if kinds and others and kinds != others:
                one, two = (" and ".join(sorted(each)) for each in (kinds, others))
                yield (
                    f"{signal} intensity by {by} {two} is not the base's, by {by} {one}; use "
                    f"traces of one kind, or say it of a file: {remedy}"
                )


_KEPT_APART: Final = (
    ("factors", "factors", 'factor = "life-cycle" or "direct"'),
    ("mix", "mix", 'mix = "production" or "consumption"'),
)
"""What a signal has one kind of: its part of a basis, its word, and how a file says it."""


def _kinds(basis: Mapping[str, str], key: str) -> set[str]:
    """Return the kinds of factors or mixes that a basis names; constants claim none."""
    return {kind for kind in basis.get(key, "").split(", ") if kind} - {CONSTANT}


def unlike_making(base: Mapping[str, str], other: Mapping[str, str]) -> Iterator[str]:
    """Yield why the embodied carbon of two bases is not counted by one rule."""
    one, two = (basis.get("embodied", STRAIGHT) for basis in (base, other))
    if one != two:
        yield (
            f"embodied carbon {two} is not the base's, {one}; count it by one rule in both, "
            "under [accounting] and [sites]"
        )


def _money(base: Mapping[str, str], other: Mapping[str, str]) -> Iterator[str]:
    one, two = base.get("currency"), other.get("currency")
    if one and two and one != two:
        yield f"prices in {two} are not the base's, in {one}; write both in one currency"
