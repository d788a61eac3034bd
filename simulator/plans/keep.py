"""Keep rules: which runs of a sweep keep their full results, beside their row of the table."""

import re
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from simulator.columns import SUMMARY
from simulator.errors import Issue, nearest, shown
from simulator.plans.axes import as_list

MORE_IS_BETTER: Final = frozenset(
    {"allocation", "utilisation", "gpu_hours_delivered", "jobs_started", "jobs_finished"}
)
"""Columns of the summary whose best values are the largest; of all others the smallest are."""

_RULE: Final = 'write "all", "failed", "every 10", "best 5 of total_kgco2e" or "worst 5 of ..."'
_EVERY: Final = re.compile(r"every\s+(\S+)")
_RANKED: Final = re.compile(r"(best|worst)\s+(\S+)\s+of\s+(\S+)")
_LEAST: Final = 1


@dataclass(frozen=True, slots=True)
class KeepAll:
    """Every run."""


@dataclass(frozen=True, slots=True)
class KeepFailed:
    """Runs that failed: what they read, to run them alone."""


@dataclass(frozen=True, slots=True)
class KeepEvery:
    """Every n-th row, the first included."""

    step: int


@dataclass(frozen=True, slots=True)
class KeepRanked:
    """The first rows when all that are done are put in the order of one column.

    Attributes
    ----------
    count : int
    column : str
        A number of the summary.
    is_best : bool
        Whether the best are kept, or the worst.
    """

    count: int
    column: str
    is_best: bool

    @property
    def descending(self) -> bool:
        """Whether the largest values come first."""
        return self.is_best == (self.column in MORE_IS_BETTER)


KeepRule: TypeAlias = KeepAll | KeepFailed | KeepEvery | KeepRanked


def rule_of(text: str) -> KeepRule:
    """Return the rule that a text says.

    Raises
    ------
    ValueError
        If it is none, or names no column of the summary.
    """
    said = " ".join(text.split())
    if said in ("all", "failed"):
        return KeepAll() if said == "all" else KeepFailed()
    if every := _EVERY.fullmatch(said):
        return KeepEvery(_count(every[1]))
    if ranked := _RANKED.fullmatch(said):
        return KeepRanked(_count(ranked[2]), _column(ranked[3]), ranked[1] == "best")
    raise ValueError(f"{shown(text)} is no rule; {_RULE}")


def read_keep(said: Any, issues: list[Issue]) -> tuple[str, ...]:
    """Return the rules of a table `[sweep]` as texts that `rule_of` reads; note the problems."""
    rules = [said] if isinstance(said, str) else as_list(said)
    if rules is None:
        issues.append(Issue("sweep.keep", f"{shown(said)} is not a list of rules; {_RULE}"))
        return ()
    kept = []
    for index, rule in enumerate(rules):
        where = "sweep.keep" if isinstance(said, str) else f"sweep.keep[{index}]"
        try:
            if not isinstance(rule, str):
                raise ValueError(f"{shown(rule)} is no rule; {_RULE}")
            rule_of(rule)
            kept.append(" ".join(rule.split()))
        except ValueError as error:
            issues.append(Issue(where, str(error)))
    return tuple(kept)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < _LEAST:
        raise ValueError(f"{shown(text)} is not a count; write a whole number of at least 1")
    return int(text)


def _column(name: str) -> str:
    numbers = [column.name for column in SUMMARY if column.type in ("int32", "int64", "float64")]
    if name not in numbers:
        near = nearest(name, numbers)
        meant = (
            f"did you mean '{near}'?" if near else "write one of summary.json, e.g. total_kgco2e"
        )
        raise ValueError(f"{shown(name)} is no number of the summary; {meant}")
    return name
