"""Any figure of a summary, taken apart until it can be checked by hand, with its sources."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.assumptions import Assumption
from simulator.column import Column
from simulator.columns import SUMMARY
from simulator.errors import InputError, Issue, listing, nearest, shown
from simulator.explanation import energy_parts, job_parts, supply_parts
from simulator.explanation.citations import cited
from simulator.explanation.page import wrapped
from simulator.explanation.recipes import Part, Recipe
from simulator.explanation.sums import number
from simulator.results import Results

SAID: Final = {
    "name": "the scenario says it",
    "seed": "the scenario or the command line says it",
    "key": "a hash of scenario, seed, contents of the files read, and versions",
    "horizon_h": "the scenario says it",
}
"""Keys of a summary that are no results, and where they come from."""
RULES: Final[Mapping[str, energy_parts.Rule]] = (
    energy_parts.RULES | job_parts.RULES | supply_parts.RULES
)
SAME: Final = 1e-9
"""Relative difference below which parts add up to their figure."""
LABEL: Final = 42
VALUE: Final = 14


@dataclass(frozen=True, slots=True)
class Explained:
    """One figure of a run and what it is made of.

    Attributes
    ----------
    key : str
    value : float, int, str or None
        None where the quantity is absent.
    unit, meaning : str
    recipe : Recipe
    sources : tuple of Assumption
        What it stands on: subject, quantity, value, unit, source.
    basis : str
        Of carbon: the signal that it stands on.
    """

    key: str
    value: Any
    unit: str
    meaning: str
    recipe: Recipe
    sources: tuple[Assumption, ...]
    basis: str


def explained(results: Results, key: str) -> tuple[Explained, ...]:
    """Return a figure of a run with what it is made of, and then the figures it is made of.

    Raises
    ------
    InputError
        If the summary has no such figure; the nearest one is named.
    """
    known = {column.name: column for column in SUMMARY}
    if key not in known:
        near = nearest(key, known)
        meant = f"did you mean {shown(near)}?" if near else f"there are {listing(known)}"
        rule = f"{shown(key)} is no figure of summary.json; {meant}"
        raise InputError(results.scenario.name, [Issue("--figure", rule)])
    found: dict[str, Explained] = {}
    waiting = [key]
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        found[name] = _explained(results, known[name])
        waiting += [each for each in _named(found[name].recipe) if each in RULES]
    return tuple(found.values())


def _named(recipe: Recipe) -> Iterator[str]:
    """Yield what the parts of a figure, and their factors, are called."""
    for part in recipe.parts:
        yield part.of
        yield from (factor.of for factor in part.factors)


def _explained(results: Results, column: Column) -> Explained:
    value = results.summary[column.name]
    rule = RULES.get(column.name)
    recipe = Recipe(note=SAID[column.name]) if rule is None else rule(results)
    if recipe.parts:
        _check(column.name, value, recipe)
    if value is None and recipe.note == job_parts.COUNTED:
        recipe = Recipe()  # its meaning says when it is absent
    stands_on = recipe.sources or ("\0",)
    sources = tuple(
        cited(results.scenario, row) for row in results.assumptions if row[1].startswith(stands_on)
    )
    signal = next((said.split()[0] for said in recipe.sources if said.endswith("intensity")), "")
    return Explained(
        key=column.name,
        value=value,
        unit=results.basis.get("currency", "") if column.unit == "currency" else column.unit,
        meaning=column.meaning,
        recipe=recipe,
        sources=sources,
        basis=results.basis.get(signal, ""),
    )


def _check(key: str, value: float, recipe: Recipe) -> None:
    """Refuse to print parts that don't come to the figure: a fault of this program.

    Raises
    ------
    ArithmeticError
        If they differ by more than 1e-9 of the largest of them.
    """
    scale = max(abs(part.value) for part in recipe.parts)
    if not abs(recipe.value - value) <= SAME * max(scale, abs(value)):
        raise ArithmeticError(f"the parts of {key} come to {recipe.value!r}, not {value!r}")


def figure_lines(figures: tuple[Explained, ...]) -> Iterator[str]:
    """Yield figures line by line, and at the end what all of them stand on."""
    for each in figures:
        yield from wrapped(f"{each.key} = {_value_text(each)}", 0)
        yield from wrapped(each.meaning, 2)
        for at, part in enumerate(each.recipe.parts):
            yield from _part_lines(part, first=not at, unit=each.unit)
        if each.recipe.note:
            yield from wrapped(each.recipe.note, 2)
        if each.basis:
            yield from wrapped(f"basis: {each.basis}", 2)
        yield ""
    rows = list(dict.fromkeys(row for each in figures for row in each.sources))
    yield "stands on" if rows else "its assumptions are those of the run: fleetsim explain DIR"
    for subject, quantity, value, unit, source in rows:
        measure = "" if unit == "1" else f" {unit}"
        yield from wrapped(f"{subject}: {quantity} {value}{measure} ({source})", 2)


def _value_text(each: Explained) -> str:
    if each.value is None:
        return "not given"
    if isinstance(each.value, str):
        return each.value
    measure = "" if each.unit in ("1", "-") else f" {each.unit}"
    return f"{number(float(each.value))}{measure}"


def _part_lines(part: Part, *, first: bool, unit: str) -> Iterator[str]:
    """Yield one line for a part that is one number, and one for each factor of another."""
    sign = "-" if part.taken_away else " " if first else "+"
    if len(part.factors) == 1:
        (factor,) = part.factors
        note = factor.of if part.of else ""
        yield from _row(f"{sign} {part.of or factor.of}", factor.value, factor.unit, note)
        return
    indent = "    " if part.of else ""
    if part.of:
        yield from wrapped(f"{sign} {part.of}", 2)
    for at, factor in enumerate(part.factors):
        times = "/" if factor.over else "x" if at else " "
        yield from _row(f"{indent}{times} {factor.of}", factor.value, factor.unit)
    yield from _row(f"{indent}=", abs(part.value), "" if unit in ("1", "-") else unit)


def _row(label: str, value: float, unit: str, note: str = "") -> list[str]:
    said = f"  ({note})" if note else ""
    return wrapped(f"{label:<{LABEL}}{number(value):>{VALUE}} {unit}".rstrip() + said, 2)


def figure_document(figures: tuple[Explained, ...]) -> list[dict[str, Any]]:
    """Return figures as JSON has them."""
    return [
        {
            "key": each.key,
            "value": each.value,
            "unit": each.unit,
            "meaning": each.meaning,
            "parts": [_part_document(part) for part in each.recipe.parts],
            "note": each.recipe.note,
            "basis": each.basis,
            "sources": [
                dict(zip(("subject", "quantity", "value", "unit", "source"), row, strict=True))
                for row in each.sources
            ],
        }
        for each in figures
    ]


def _part_document(part: Part) -> dict[str, Any]:
    return {
        "of": part.of,
        "value": part.value,
        "factors": [
            {"value": each.value, "unit": each.unit, "of": each.of, "over": each.over}
            for each in part.factors
        ],
    }
