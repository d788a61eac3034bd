"""Whether two runs stand on one basis, so that their difference says something.

Figures by average and by marginal intensity, by direct and by life-cycle factors, or over
different time answer different questions. Another region, building, fleet or workload is what a
comparison is made for, and no reason against it. A constant intensity claims no kind of factor.
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
CONSTANT: Final = "constant"
"""Kind of factors of an intensity that claims none."""


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
        *_signals(base.basis, other.basis, [signal for signal in SIGNALS if signal in on]),
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


def _signals(
    base: Mapping[str, str], other: Mapping[str, str], signals: Sequence[str]
) -> Iterator[str]:
    """Yield other kinds of emission factors, and that there is no signal in common."""
    has = [[signal for signal in signals if signal in basis] for basis in (base, other)]
    both = [signal for signal in has[0] if signal in has[1]]
    if not both and has[0] != has[1]:
        one, two = (" and ".join(each) or "no" for each in has)
        yield f"{two} intensity is not the base's {one} intensity; use one signal in both"
    for signal in both:
        kinds, others = (_kinds(basis, signal) for basis in (base, other))
        if kinds and others and kinds != others:
            one, two = (" and ".join(sorted(each)) for each in (kinds, others))
            yield (
                f"{signal} intensity by factors {two} is not the base's, by factors {one}; use "
                'traces of one kind, or say it of a file: factor = "life-cycle" or "direct"'
            )


def _kinds(basis: Mapping[str, str], signal: str) -> set[str]:
    """Return the kinds of emission factors of a signal; constants claim none."""
    return {kind for kind in basis.get(f"{signal}_factors", "").split(", ") if kind} - {CONSTANT}


def _money(base: Mapping[str, str], other: Mapping[str, str]) -> Iterator[str]:
    one, two = base.get("currency"), other.get("currency")
    if one and two and one != two:
        yield f"prices in {two} are not the base's, in {one}; write both in one currency"
