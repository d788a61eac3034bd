"""The published numbers of a paper: ``expected.toml``, read and checked."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.errors import InputError, Issue, listing, nearest, shown

SCHEMA: Final = 1
EXACTNESS: Final = ("exact", "text", "estimated")
"""Printed in the figure or a table; said in the text; read or derived by somebody since."""
KINDS: Final = ("emergent", "analytic", "calibrated", "reference")
"""What a match is worth: see docs/papers.md."""

_NUMBER: Final = {
    "figure": str, "key": str, "quantity": str, "value": float, "unit": str, "tolerance": object,
    "least": float, "most": float, "reached": bool, "at": str, "exactness": str, "kind": str,
    "how": str,
}  # fmt: skip
_OPTIONAL: Final = {"value", "tolerance", "least", "most", "reached"}
_CALIBRATED: Final = {"figure": str, "parameter": str, "target": str}
_CONTRADICTION: Final = {"figure": str, "id": str, "words": str}
_FIGURE: Final = {"title": str}
UNMADE: Final = "unmade"
_UNMADE: Final = {"figure": str, "title": str, "why": str}
_TOP: Final = {
    "schema": int, "title": str, "source": str, "figures": dict, "numbers": list,
    "calibrated": list, "contradictions": list, "unmade": list,
}  # fmt: skip
_TOP_OPTIONAL: Final = {"calibrated", "contradictions", "unmade"}
_WORDS: Final = {str: "text", float: "a number", int: "a whole number", dict: "a table",
                 list: "a list of tables", bool: "true or false"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """One published number.

    Attributes
    ----------
    figure, key, quantity, unit : str
        Where it belongs, its name for the figure's module, what it is, in which unit.
    at : str
        Page, section or table of the source.
    exactness, kind, how : str
        One of `EXACTNESS`; one of `KINDS`; how ours is made.
    value : float or None
        None where nothing was published: then ours is shown beside nothing.
    tolerance : float or None
        In the unit, or of the value where `is_relative`.
    is_relative : bool
    least, most : float or None
        Bounds that take the place of a tolerance.
    is_reached : bool
        False where it is known, and told, that ours is out of them.
    """

    figure: str
    key: str
    quantity: str
    unit: str
    at: str
    exactness: str
    kind: str
    how: str
    value: float | None = None
    tolerance: float | None = None
    is_relative: bool = False
    least: float | None = None
    most: float | None = None
    is_reached: bool = True

    @property
    def is_checked(self) -> bool:
        """Whether anything is held against it."""
        return any(bound is not None for bound in (self.tolerance, self.least, self.most))


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader of a figure should know: a fitted parameter, or a contradiction.

    Attributes
    ----------
    figure, name, words : str
    """

    figure: str
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Unmade:
    """A figure that is not made, and why.

    Attributes
    ----------
    name, title, why : str
    """

    name: str
    title: str
    why: str

    def document(self) -> dict[str, str]:
        """Return it as plain values."""
        return {"figure": self.name, "title": self.title, "why": self.why}


@dataclass(frozen=True, slots=True)
class Expected:
    """The published numbers of a paper.

    Attributes
    ----------
    title, source : str
    figures : mapping of str to str
        Title of every figure, by name, in order.
    numbers : tuple of Number
    calibrated, contradictions : tuple of Remark
    unmade : tuple of Unmade
    """

    title: str
    source: str
    figures: Mapping[str, str]
    numbers: tuple[Number, ...]
    calibrated: tuple[Remark, ...] = ()
    contradictions: tuple[Remark, ...] = ()
    unmade: tuple[Unmade, ...] = ()

    def numbers_of(self, figure: str) -> tuple[Number, ...]:
        """Return the numbers of a figure."""
        return tuple(number for number in self.numbers if number.figure == figure)


def read_expected(path: Path) -> Expected:
    """Return the published numbers of a paper.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(str(path), [Issue("", f"can't be read as TOML ({error})")]) from error
    issues: list[Issue] = []
    _check(table, _TOP, _TOP_OPTIONAL, "", issues)
    if not issues and table["schema"] != SCHEMA:
        issues.append(Issue("schema", f"{shown(table['schema'])} must be {SCHEMA}"))
    if issues:
        raise InputError(str(path), issues)
    for name, figure in table["figures"].items():
        _check(figure, _FIGURE, set(), f"figures.{name}", issues)
    figures = table["figures"]
    numbers = _entries(table, "numbers", _NUMBER, figures, issues)
    calibrated = _entries(table, "calibrated", _CALIBRATED, figures, issues)
    contradictions = _entries(table, "contradictions", _CONTRADICTION, figures, issues)
    unmade = _entries(table, UNMADE, _UNMADE, figures, issues)
    for at, entry in enumerate(numbers):
        _check_number(entry, f"numbers[{at}]", issues)
    _check_distinct(numbers, issues)
    if issues:
        raise InputError(str(path), issues)
    return Expected(
        table["title"],
        table["source"],
        {name: figure["title"] for name, figure in figures.items()},
        tuple(map(_number, numbers)),
        tuple(Remark(each["figure"], each["parameter"], each["target"]) for each in calibrated),
        tuple(Remark(each["figure"], each["id"], each["words"]) for each in contradictions),
        tuple(Unmade(each["figure"], each["title"], each["why"]) for each in unmade),
    )


def _entries(
    table: Mapping[str, Any],
    name: str,
    keys: Mapping[str, type],
    figures: Mapping[str, Any],
    issues: list[Issue],
) -> list[dict[str, Any]]:
    """Return the tables of a list; all but those of `unmade` are of a figure that is made."""
    entries = table.get(name, [])
    for at, entry in enumerate(entries):
        path = f"{name}[{at}]"
        _check(entry, keys, _OPTIONAL, path, issues)
        figure = entry.get("figure") if isinstance(entry, dict) else None
        if not isinstance(figure, str) or (figure in figures) == (name != UNMADE):
            continue
        if name == UNMADE:
            rule = f"{shown(figure)} is made: it stands under figures; take one out"
        else:
            rule = f"{shown(figure)} is no figure of this file; it has {listing(figures)}"
        issues.append(Issue(f"{path}.figure", rule))
    return [entry for entry in entries if isinstance(entry, dict)]


def _check(
    entry: object, keys: Mapping[str, type], optional: set[str], path: str, issues: list[Issue]
) -> None:
    """Say which keys are missing, unknown or of the wrong type."""
    if not isinstance(entry, dict):
        issues.append(Issue(path, f"{shown(entry)} is not a table"))
        return
    for key in entry.keys() - keys.keys():
        near = nearest(key, keys)
        meant = f"; did you mean '{near}'?" if near else f"; known: {', '.join(keys)}"
        issues.append(Issue(_under(path, key), f"unknown key{meant}"))
    for key, kind in keys.items():
        if key not in entry:
            if key not in optional:
                issues.append(Issue(_under(path, key), "is missing"))
        elif kind is not object and not _is(entry[key], kind):
            issues.append(Issue(_under(path, key), f"{shown(entry[key])} is not {_WORDS[kind]}"))


def _is(value: object, kind: type) -> bool:
    if kind is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(float(value))  # type: ignore[arg-type]
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _check_number(entry: Mapping[str, Any], path: str, issues: list[Issue]) -> None:
    for key, known in (("exactness", EXACTNESS), ("kind", KINDS)):
        if isinstance(entry.get(key), str) and entry[key] not in known:
            rule = f"{shown(entry[key])} is none of {', '.join(known)}"
            issues.append(Issue(f"{path}.{key}", rule))
    bounds = [entry[key] for key in ("least", "most") if _is(entry.get(key), float)]
    if "tolerance" in entry:
        if read_tolerance(entry["tolerance"]) is None:
            said = shown(entry["tolerance"])
            rule = f'{said} is no tolerance; write e.g. "10 %", or 0.5 in the unit'
            issues.append(Issue(f"{path}.tolerance", rule))
        if "value" not in entry:
            issues.append(Issue(f"{path}.tolerance", "is of no value; write value too"))
        if bounds:
            issues.append(Issue(f"{path}.tolerance", "least and most take its place; write one"))
    if entry.get("reached") is False and not (bounds or "tolerance" in entry):
        issues.append(Issue(f"{path}.reached", "is of no check; write tolerance, least or most"))
    if len(bounds) == 2 and bounds[0] > bounds[1]:
        issues.append(Issue(f"{path}.least", f"{bounds[0]} must be at most {bounds[1]}, its most"))


def _check_distinct(numbers: list[dict[str, Any]], issues: list[Issue]) -> None:
    seen: set[tuple[object, object]] = set()
    for at, entry in enumerate(numbers):
        pair = (entry.get("figure"), entry.get("key"))
        if pair in seen:
            issues.append(Issue(f"numbers[{at}].key", f"{shown(pair[1])} is there twice"))
        seen.add(pair)


def read_tolerance(said: object) -> tuple[float, bool] | None:
    """Return a tolerance and whether it is relative; None if it is none.

    ``"10 %"`` is relative to the value, a bare number is in its unit.
    """
    if isinstance(said, str):
        text = said.strip().removesuffix("%")
        try:
            share = float(text) / 100.0
        except ValueError:
            return None
        return (share, True) if said.strip().endswith("%") and 0.0 <= share < math.inf else None
    if _is(said, float) and float(said) >= 0.0:  # type: ignore[arg-type]
        return float(said), False  # type: ignore[arg-type]
    return None


def _number(entry: Mapping[str, Any]) -> Number:
    texts: dict[str, Any] = {key: entry[key] for key, kind in _NUMBER.items() if kind is str}
    numbers = {key: float(entry[key]) for key in ("value", "least", "most") if key in entry}
    tolerance, is_relative = read_tolerance(entry.get("tolerance")) or (None, False)
    return Number(
        **texts | numbers,
        tolerance=tolerance,
        is_relative=is_relative,
        is_reached=entry.get("reached", True),
    )


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
