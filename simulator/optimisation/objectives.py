"""What a search is after: objectives to minimise or maximise, and limits that results must keep."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.columns import SUMMARY
from simulator.errors import Issue, nearest, shown

DIRECTIONS: Final = {
    "minimise": False,
    "minimize": False,
    "min": False,
    "maximise": True,
    "maximize": True,
    "max": True,
}
"""How a direction may be written, and whether more is better."""

QUANTITIES: Final = tuple(
    column.name
    for column in SUMMARY
    if column.type in ("int64", "float64") and column.name != "seed"
)
"""Keys of the summary that are numbers."""

_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_LIMIT = re.compile(
    r"\s*(?P<quantity>[A-Za-z_][\w.]*)\s*(?P<sign><=|>=|<|>)\s*"
    r"(?P<bound>[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
)


@dataclass(frozen=True, slots=True)
class Objective:
    """One quantity that a search makes as small, or as large, as it can.

    Attributes
    ----------
    quantity : str
        Key of the summary.
    maximise : bool
        Whether more is better.
    """

    quantity: str
    maximise: bool = False

    @property
    def direction(self) -> str:
        """The direction in words."""
        return "maximise" if self.maximise else "minimise"

    def loss(self, value: float) -> float:
        """Return a number that is the smaller the better."""
        return -value if self.maximise else value


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound that a result must keep.

    Attributes
    ----------
    text : str
        As written: ``"wait_p99_h <= 2"``.
    quantity : str
        Key of the summary.
    sign : str
        ``<=``, ``>=``, ``<`` or ``>``.
    bound : float
        In the unit of the quantity.
    """

    text: str
    quantity: str
    sign: str
    bound: float

    def is_kept(self, value: float) -> bool:
        """Return whether a result keeps the bound."""
        return _COMPARISONS[self.sign](value, self.bound)

    def excess(self, value: float) -> float:
        """Return by how much a result misses the bound, relative to it; 0 if it is kept.

        Relative, so that limits in hours and in kilowatts weigh alike where several are missed.
        """
        if self.is_kept(value):
            return 0.0
        return max(abs(value - self.bound) / (abs(self.bound) or 1.0), math.ulp(1.0))


def objectives_of(said: object, issues: list[Issue]) -> tuple[Objective, ...]:
    """Return the objectives that a table says; note the problems.

    Parameters
    ----------
    said : object
        ``{"total_kgco2e": "minimise"}``.
    issues : list of Issue
        Problems are added.
    """
    if not isinstance(said, Mapping) or not said:
        none = "missing" if said is None else f"{shown(said)} names no objective"
        text = f'{none}; write e.g. objectives = {{ total_kgco2e = "minimise" }}'
        issues.append(Issue("objectives", text))
        return ()
    found = []
    for quantity, direction in said.items():
        path = f"objectives.{quantity}"
        problem = problem_of_quantity(quantity) or _problem_of_direction(direction)
        if problem:
            issues.append(Issue(path, problem))
        else:
            found.append(Objective(quantity, DIRECTIONS[direction]))
    return tuple(found)


def limits_of(said: object, issues: list[Issue]) -> tuple[Limit, ...]:
    """Return the limits on results that a list says; note the problems.

    Parameters
    ----------
    said : object
        ``["wait_p99_h <= 2"]``; None for no limit.
    issues : list of Issue
        Problems are added.
    """
    found = []
    for path, text in texts_of(said, "constraints", "wait_p99_h <= 2", issues):
        match = _LIMIT.fullmatch(text)
        if match is None:
            rule = (
                f"{shown(text)} is no condition on a result; write a quantity, one of <=, >=, <, "
                '>, and a number: "wait_p99_h <= 2"'
            )
            issues.append(Issue(path, rule))
            continue
        quantity = match["quantity"]
        problem = problem_of_quantity(quantity)
        if "." in quantity:
            problem = (
                f"{shown(quantity)} is a key of the scenario; write conditions on axes into where"
            )
        if problem:
            issues.append(Issue(path, problem))
        else:
            bound = float(match["bound"].replace("_", ""))
            found.append(Limit(text.strip(), quantity, match["sign"], bound))
    return tuple(found)


def texts_of(said: object, key: str, example: str, issues: list[Issue]) -> list[tuple[str, str]]:
    """Return path and text of each entry of a list of texts; note the problems."""
    if said is None:
        return []
    if isinstance(said, str):
        return [(key, said)]
    if not isinstance(said, list | tuple):
        text = f'{shown(said)} is not a list; write {key} = ["{example}"]'
        issues.append(Issue(key, text))
        return []
    found = []
    for at, entry in enumerate(said):
        path = f"{key}[{at}]"
        if isinstance(entry, str):
            found.append((path, entry))
        else:
            text = f'{shown(entry)} is not a condition; write it in quotes: "{example}"'
            issues.append(Issue(path, text))
    return found


def problem_of_quantity(name: Any) -> str:
    """Return what is wrong with the name of a quantity; empty if nothing is."""
    if name in QUANTITIES:
        return ""
    if any(column.name == name for column in SUMMARY):
        return f"{shown(name)} says which run it is; take a result, e.g. total_kgco2e"
    near = nearest(name, QUANTITIES)
    meant = f"did you mean {shown(near)}?" if near else "write one, e.g. total_kgco2e"
    return f"{shown(name)} is no quantity of the summary; {meant}"


def _problem_of_direction(said: object) -> str:
    if isinstance(said, str) and said in DIRECTIONS:
        return ""
    if isinstance(said, list | tuple):
        return f'{shown(said)} is more than one direction; write "minimise" or "maximise"'
    near = nearest(said, ("minimise", "maximise")) if isinstance(said, str) else None
    meant = f"did you mean {shown(near)}?" if near else 'write "minimise" or "maximise"'
    return f"{shown(said)} is no direction; {meant}"
