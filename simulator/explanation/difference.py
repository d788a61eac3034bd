"""The difference of two runs' carbon: what each kind of energy, buildings and machines add."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulator.display import ENERGY, MASS, quantity_text, share_text, unit_for
from simulator.explanation.page import wrapped
from simulator.results import Results

STEPS: Final[dict[str, str]] = {
    "dynamic": "energy_dynamic_kwh",
    "idle": "energy_idle_kwh",
    "sleep": "energy_sleep_kwh",
    "transition": "energy_transition_kwh",
    "overhead": "",
    "embodied": "",
}
"""Steps in order, and the summary key of their energy where there is one."""
SUPPLY: Final = "supply"
"""A step more, where a site of either run has supply: what is embodied in it."""
CARBON: Final = {"embodied": "scope3_embodied_kgco2e", SUPPLY: "scope3_supply_kgco2e"}
"""Summary key of a step's carbon, where it is not ``<step>_kgco2e``."""
DIGITS: Final = 5
"""Digits of the largest number of a column."""
PER_CENT: Final = "+,.2f"
STEP_WIDTH: Final = 12
WIDTHS: Final = (12, 12, 14, 12, 16)
HEAD: Final = ("base", "run", "difference", "of base", "in energy")


@dataclass(frozen=True, slots=True)
class Step:
    """What one kind of carbon adds to a difference.

    Attributes
    ----------
    step : str
        A key of `STEPS`, or `SUPPLY`.
    base_kgco2e, run_kgco2e, difference_kgco2e : float
        The difference is run less base.
    share_of_base : float or None
        The difference over the total of the base; None where that is 0.
    base_kwh, run_kwh, difference_kwh : float or None
        Its energy; None of what is no energy.
    """

    step: str
    base_kgco2e: float
    run_kgco2e: float
    difference_kgco2e: float
    share_of_base: float | None
    base_kwh: float | None
    run_kwh: float | None
    difference_kwh: float | None


def steps_between(base: Mapping[str, Any], run: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return the steps from the total carbon of one run to that of another, by their summaries.

    They add up to the difference of the two totals.
    """
    total_kg = float(base["total_kgco2e"])
    steps = []
    for name in _steps_of(base, run):
        key = CARBON.get(name, f"{name}_kgco2e")
        base_kg, run_kg = (float(summary.get(key) or 0.0) for summary in (base, run))
        base_kwh, run_kwh = _energy_kwh(base, name), _energy_kwh(run, name)
        steps.append(
            Step(
                step=name,
                base_kgco2e=base_kg,
                run_kgco2e=run_kg,
                difference_kgco2e=run_kg - base_kg,
                share_of_base=(run_kg - base_kg) / total_kg if total_kg else None,
                base_kwh=base_kwh,
                run_kwh=run_kwh,
                difference_kwh=_less(run_kwh, base_kwh),
            )
        )
    return tuple(steps)


def _steps_of(*summaries: Mapping[str, Any]) -> tuple[str, ...]:
    supplied = any(summary.get(CARBON[SUPPLY]) is not None for summary in summaries)
    return (*STEPS, SUPPLY) if supplied else tuple(STEPS)


def keys_of_steps() -> tuple[str, ...]:
    """Return the keys of a summary that the carbon of the steps adds up from."""
    return tuple(CARBON.get(name, f"{name}_kgco2e") for name in STEPS)


def difference_kg(steps: Sequence[Step]) -> float:
    """Return the difference that the steps add up to. [kgCO2e]"""
    return math.fsum(step.difference_kgco2e for step in steps)


def _energy_kwh(summary: Mapping[str, Any], step: str) -> float | None:
    if step in CARBON:
        return None
    if step == "overhead":
        return float(summary["energy_facility_kwh"] - summary["energy_it_kwh"])
    return float(summary[STEPS[step]])


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def names_of(base: Results, run: Results, folders: tuple[str, str]) -> tuple[str, str]:
    """Return what two runs are called: as their scenarios, or else their folders, or by key."""
    one, two = base.scenario.name, run.scenario.name
    if one != two:
        return one, two
    if folders[0] != folders[1] and all(folders):
        return folders
    return f"{one} {base.key[:8]}", f"{two} {run.key[:8]}"


def bases_of(base: Results, run: Results) -> str:
    """Return what the carbon of two runs stands on, said once where it is the same."""
    return bases_text(base.basis, run.basis)


def bases_text(base: Mapping[str, str], run: Mapping[str, str]) -> str:
    """Return what the carbon of two sides stands on, said once where it is the same."""
    one, two = (basis.get("average", "average intensity") for basis in (base, run))
    return one if one == two else f"run: {two}; base: {one}"


def difference_lines(
    base: Results, run: Results, steps: Sequence[Step], names: tuple[str, str]
) -> Iterator[str]:
    """Yield the steps as a table within 80 columns."""
    for word, name, results in (("base:", names[0], base), ("run: ", names[1], run)):
        yield from wrapped(f"{word} {name}, seed {results.seed}, key {results.key[:8]}", 0)
    yield from wrapped(f"carbon: location-based ({bases_of(base, run)}) and embodied", 0)
    yield ""
    yield from _table(_rows(base.summary, run.summary, steps))
    yield ""
    yield from wrapped(
        "difference: run less base; of base: over its total; in energy: of the difference; "
        "overhead: facility less IT energy",
        0,
    )


def _rows(
    base: Mapping[str, Any], run: Mapping[str, Any], steps: Sequence[Step]
) -> list[tuple[str, Sequence[float | None]]]:
    """Return name, base, run, difference, share in per cent and energy of each step and in all."""
    rows: list[tuple[str, Sequence[float | None]]] = [
        (
            each.step,
            (
                each.base_kgco2e,
                each.run_kgco2e,
                each.difference_kgco2e,
                each.share_of_base,
                each.difference_kwh,
            ),
        )
        for each in steps
    ]
    totals = [float(summary["total_kgco2e"]) for summary in (base, run)]
    energies = [float(summary["energy_facility_kwh"]) for summary in (base, run)]
    whole = difference_kg(steps)
    share = whole / totals[0] if totals[0] else None
    rows.append(("total", (*totals, whole, share, energies[1] - energies[0])))
    return rows


def _table(rows: Sequence[tuple[str, Sequence[float | None]]]) -> Iterator[str]:
    """Yield the rows, each column in one unit and with one number of decimals."""
    columns = list(zip(*(values for _, values in rows), strict=True))
    amounts = [*columns[0], *columns[1]]
    units = [
        *[unit_for(_known(amounts), MASS)] * 2,
        unit_for(_known(columns[2]), MASS),
        (0.01, "%"),
        unit_for(_known(columns[4]), ENERGY),
    ]
    of = (amounts, amounts, *columns[2:])
    forms = [_form(_known(of[at]), size) for at, (size, _) in enumerate(units)]
    forms = [*forms[:2], f"+{forms[2]}", PER_CENT, f"+{forms[4]}"]
    cells = [
        [_cell(value, size, form) for value in column]
        for column, (size, _), form in zip(columns, units, forms, strict=True)
    ]
    yield _line("", HEAD)
    yield _line("", [unit for _, unit in units])
    for (name, _), row in zip(rows, zip(*cells, strict=True), strict=True):
        yield _line(name, row)


def _form(values: Sequence[float], size: float) -> str:
    """Return how to print numbers such that the largest has all its digits."""
    largest = max((abs(value) / size for value in values), default=0.0)
    whole = math.floor(math.log10(largest)) + 1 if largest else 1
    return f",.{max(0, DIGITS - max(1, whole))}f"


def _cell(value: float | None, size: float, form: str) -> str:
    if value is None:
        return "-"
    return format(value / size, form) if value else "0"


def _line(name: str, cells: Sequence[str]) -> str:
    columns = (f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True))
    return (f"{name:<{STEP_WIDTH}}" + "".join(columns)).rstrip()


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def energies_text(steps: Sequence[Step]) -> dict[str, str]:
    """Return the difference of energy of each step that has one, e.g. ``"-12.3 MWh"``."""
    return {
        each.step: f"{'-' if each.difference_kwh < 0.0 else '+'}"
        f"{quantity_text(abs(each.difference_kwh), ENERGY, 3)}"
        for each in steps
        if each.difference_kwh
    }


def takeaway(steps: Sequence[Step], base_kg: float, names: tuple[str, str]) -> str:
    """Return the difference in one sentence, with the step that does most of it."""
    whole_kg = difference_kg(steps)
    if not whole_kg:
        return f"{names[1]} emits as much as {names[0]}"
    amount = quantity_text(abs(whole_kg), MASS, 3)
    share = f" ({share_text(abs(whole_kg) / base_kg)})" if base_kg else ""
    most = max(steps, key=lambda each: each.difference_kgco2e * math.copysign(1.0, whole_kg))
    way = "more" if whole_kg > 0.0 else "less"
    return f"{names[1]} emits {amount}{share} {way} than {names[0]}, most of it {most.step}"
