"""What a figure found, set against what was published."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulator.analysis.statistics import mean_of
from simulator.errors import InputError, Issue
from simulator.papers.expected import KINDS, Expected, Number

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

HOLDS: Final = "holds"
FAILS: Final = "fails"
MISSED: Final = "not reached"
"""Verdict on a number that is known, and told, not to be reached."""
UNCHECKED: Final = "no check"
"""Verdict on a number that nobody published, or that is only drawn."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A number of ours.

    Attributes
    ----------
    value : float
    half_width : float or None
        Of its interval of 95 % over seeds; None where nothing is random.
    """

    value: float
    half_width: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What a figure measured.

    Attributes
    ----------
    findings : mapping of str to Finding
        By the key of the number in ``expected.toml``.
    numbers : DataFrame
        What is drawn, and written as CSV.
    """

    findings: Mapping[str, Finding]
    numbers: "pd.DataFrame"


@dataclass(frozen=True, slots=True)
class Check:
    """A published number and ours.

    Attributes
    ----------
    number : Number
    finding : Finding
    """

    number: Number
    finding: Finding

    @property
    def difference(self) -> float | None:
        """Ours less the published value, relative to it if the tolerance is; None without one."""
        number = self.number
        if number.value is None:
            return None
        apart = self.finding.value - number.value
        return apart / abs(number.value) if number.is_relative else apart

    @property
    def verdict(self) -> str:
        """``"holds"``, ``"fails"``, ``"not reached"`` or ``"no check"``."""
        number, ours = self.number, self.finding.value
        if not number.is_checked:
            return UNCHECKED
        if number.tolerance is not None:
            apart = self.difference
            is_inside = apart is not None and abs(apart) <= number.tolerance
        else:
            above = number.least is None or ours >= number.least
            is_inside = above and (number.most is None or ours <= number.most)
        if is_inside:
            return HOLDS
        return FAILS if number.is_reached or not math.isfinite(ours) else MISSED


def over_seeds(values: "ArrayLike") -> Finding:
    """Return the mean of a quantity over runs with its interval.

    Parameters
    ----------
    values : float[seeds]
    """
    estimate = mean_of(values)
    if estimate is None:
        return Finding(float("nan"))
    return Finding(estimate.mean, estimate.half_width)


def checks_of(expected: Expected, figure: str, measured: Measured) -> tuple[Check, ...]:
    """Return every number of a figure beside ours, in the order of the file.

    Raises
    ------
    InputError
        If the figure did not measure one of them.
    """
    numbers = expected.numbers_of(figure)
    issues = [
        Issue(
            f"numbers.{number.key}",
            f"nothing of figure {figure} is called so; it measures {', '.join(measured.findings)}",
        )
        for number in numbers
        if number.key not in measured.findings
    ]
    if issues:
        raise InputError(expected.title, issues)
    return tuple(Check(number, measured.findings[number.key]) for number in numbers)


def counted(checks: Sequence[Check]) -> dict[str, dict[str, int]]:
    """Return how many numbers have each verdict, and of which kind those are that hold."""
    verdicts = [check.verdict for check in checks]
    held = [check.number.kind for check in checks if check.verdict == HOLDS]
    return {
        "verdicts": {each: verdicts.count(each) for each in (HOLDS, FAILS, MISSED, UNCHECKED)},
        "holds": {kind: held.count(kind) for kind in KINDS},
    }


def all_hold(checks: Sequence[Check]) -> bool:
    """Return whether no checked number fails."""
    return all(check.verdict != FAILS for check in checks)
