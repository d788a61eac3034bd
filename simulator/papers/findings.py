"""What a figure found, set against what was published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulator.analysis.statistics import mean_of
from simulator.papers.expected import Expected, Number

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

HOLDS: Final = "holds"
FAILS: Final = "fails"
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
        """``"holds"``, ``"fails"`` or ``"no check"``."""
        number, ours = self.number, self.finding.value
        if not number.is_checked:
            return UNCHECKED
        if number.tolerance is not None:
            apart = self.difference
            return HOLDS if apart is not None and abs(apart) <= number.tolerance else FAILS
        above = number.least is None or ours >= number.least
        below = number.most is None or ours <= number.most
        return HOLDS if above and below else FAILS


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
    KeyError
        If the figure did not measure one of them.
    """
    return tuple(
        Check(number, measured.findings[number.key]) for number in expected.numbers_of(figure)
    )


def all_hold(checks: Sequence[Check]) -> bool:
    """Return whether no checked number fails."""
    return all(check.verdict != FAILS for check in checks)
