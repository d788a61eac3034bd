"""Settings of a table `[sweep]`: everything that is no axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulator.errors import Issue, listing, nearest, shown
from simulator.plans.axes import Axis, as_list, spelled
from simulator.plans.designs import DESIGNS
from simulator.plans.samples import MOST_SAMPLES, SAMPLERS
from simulator.scenario.fields import Whole
from simulator.units import MS_PER_S, format_quantity

LARGEST_SEED: Final = 2**63 - 1

MOST_ROWS: Final = 1_000_000
"""Runs of one sweep that nobody has to confirm."""

MOST_CONFIRMED: Final = 1_000_000_000
"""Runs of one sweep, confirmed or not; the seeds alone take gigabytes beyond."""

RUNS_PER_S: Final = 200
"""Small runs that one core makes in a second, for the estimate that goes with a refusal."""

_SEEDS: Final = "write how many, e.g. seeds = 5, or a list of them"
_CROSSED: Final = ("saltelli", "one-at-a-time")
"""Designs whose points belong together: none may be left out."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a sweep, read.

    Attributes
    ----------
    seeds : sequence of int
    design : str or None
        None where it can't be read.
    samples : int or None
        None unless the design draws.
    sample_seed : int
        Root of the numbers that a design draws.
    """

    seeds: Sequence[int]
    design: str | None
    samples: int | None
    sample_seed: int


def read_settings(table: Mapping[str, Any], seed: int, issues: list[Issue]) -> Settings:
    """Return the settings of a table; note what is wrong with them.

    Parameters
    ----------
    table : mapping
    seed : int
        The base's seed: the first of the seeds, and that of the samples, unless given.
    issues : list of Issue
        Takes the problems.
    """
    design = table.get("design", DESIGNS[0])
    if not isinstance(design, str) or design not in DESIGNS:
        near = nearest(design, DESIGNS) if isinstance(design, str) else None
        meant = f'did you mean "{near}"? ' if near else ""
        text = f"{shown(design)} is not known here; {meant}known are {listing(DESIGNS)}"
        issues.append(Issue("sweep.design", text))
        design = None
    sample_seed = seed
    if "sample_seed" in table:
        sample_seed = _whole(table["sample_seed"], 0, LARGEST_SEED, "sample_seed", issues) or 0
    if design is not None:
        _check_use(table, design, issues)
    samples = None
    if "samples" in table:
        samples = _whole(table["samples"], 1, MOST_SAMPLES, "samples", issues)
        if design == "saltelli" and samples is not None and samples & (samples - 1):
            low = 1 << (samples.bit_length() - 1)
            text = f"{samples} is not a power of two; write {low} or {2 * low}"
            issues.append(Issue("sweep.samples", text))
    return Settings(_seeds(table, seed, issues), design, samples, sample_seed)


def _check_use(table: Mapping[str, Any], design: str, issues: list[Issue]) -> None:
    """Note settings that a design needs and has not, or has and does not need."""
    drawn = [f'"{name}"' for name in SAMPLERS]
    if design in SAMPLERS and "samples" not in table:
        text = f'missing; design "{design}" needs a number, e.g. samples = 128'
        issues.append(Issue("sweep.samples", text))
    for key in ("samples", "sample_seed"):
        if key in table and design not in SAMPLERS:
            text = f'of no use with design "{design}"; take it out, or write design = {drawn[0]}'
            issues.append(Issue(f"sweep.{key}", text))
    if "constraints" in table and design in _CROSSED:
        text = (
            f'of no use with design "{design}", whose points belong together; take them out, or '
            f"write design = {drawn[0]}"
        )
        issues.append(Issue("sweep.constraints", text))


def _whole(value: Any, low: int, high: int, key: str, issues: list[Issue]) -> int | None:
    try:
        return Whole(low, high).plain(value)
    except ValueError as error:
        issues.append(Issue(f"sweep.{key}", str(error)))
    return None


def _seeds(table: Mapping[str, Any], seed: int, issues: list[Issue]) -> Sequence[int]:
    """Return the seeds that every point meets; a range where only their number is given."""
    said = table.get("seeds", 1)
    listed = as_list(said)
    if listed is None:
        if isinstance(said, bool) or not isinstance(said, int) or said < 1:
            text = f"{shown(said)} is not a number of seeds; {_SEEDS}"
            issues.append(Issue("sweep.seeds", text))
            return range(seed, seed + 1)
        if seed + said - 1 > LARGEST_SEED:
            text = f"{shown(said)} seeds from {seed} on end beyond {LARGEST_SEED}; list them"
            issues.append(Issue("sweep.seeds", text))
            return range(seed, seed + 1)
        return range(seed, seed + said)
    if not listed:
        issues.append(Issue("sweep.seeds", f"no seeds; {_SEEDS}"))
    seeds: dict[int, int] = {}
    for index, entry in enumerate(listed):
        found = _whole(entry, 0, LARGEST_SEED, f"seeds[{index}]", issues)
        if found is not None and seeds.setdefault(found, index) != index:
            text = f"{found} is entry {seeds[found]} again; take one of the two out"
            issues.append(Issue(f"sweep.seeds[{index}]", text))
    return tuple(seeds)


def check_zip(axes: Sequence[Axis], issues: list[Issue]) -> None:
    """Refuse axes of unequal lengths, which can't be taken value by value.

    Those of which a value stands twice may be as long as they are, or as without it.
    """
    listed = {axis.path: axis.values for axis in axes if axis.values}
    lengths = {path: len(values) for path, values in listed.items()}
    possible = [{len(values), len(set(map(spelled, values)))} for values in listed.values()]
    if possible and not set.intersection(*possible):
        said = listing(f"{path} {length}" for path, length in lengths.items())
        text = f'"zip" takes the values of all axes in step, and they have {said}; write as many'
        issues.append(Issue("sweep.design", text))


def check_spreads(axes: Sequence[Axis], design: str, issues: list[Issue]) -> None:
    """Refuse spreads where a design takes values one by one."""
    if design not in SAMPLERS and design != "one-at-a-time":
        for axis in axes:
            if axis.spread is not None:
                text = (
                    f'a spread has no values to take for design "{design}"; write some in a list, '
                    'or design = "latin-hypercube"'
                )
                issues.append(Issue(axis.where, text))
    if design == "one-at-a-time":
        for axis in axes:
            if axis.values is not None and len(axis.values) < 2:
                text = f"one value has no low and high end; write two for design {shown(design)}"
                issues.append(Issue(axis.where, text))


def check_rows(points: int, seeds: int, yes: bool, issues: list[Issue]) -> None:
    """Refuse more runs than anyone makes by mistake, unless they were confirmed."""
    rows = points * seeds
    if rows <= MOST_ROWS or (yes and rows <= MOST_CONFIRMED):
        return
    each = f"{seeds:,} seed{'s' if seeds > 1 else ''}"
    said = f"{rows:,} runs ({points:,} points x {each})"
    if rows > MOST_CONFIRMED:
        text = f"{said} are too many, at most {MOST_CONFIRMED:,}; write fewer values or seeds"
    else:
        number, unit = format_quantity(rows / RUNS_PER_S * MS_PER_S, "time").split(" ")
        time = f"{float(f'{float(number):.2g}'):g} {unit}"
        text = (
            f"{said} take some {time} on one core at {RUNS_PER_S} runs/s; "
            "write fewer values or seeds, or confirm them with --yes (in Python yes=True)"
        )
    issues.append(Issue("sweep", text))


def check_tries(points: int, issues: list[Issue]) -> None:
    """Refuse constraints over more combinations than can be tried."""
    if points > MOST_CONFIRMED // 10:
        text = f"{points:,} combinations are too many to try them on; write fewer values"
        issues.append(Issue("sweep.constraints", text))
