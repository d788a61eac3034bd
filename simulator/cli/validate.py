"""``fleetsim validate``: everything that is wrong with a scenario and the files it reads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from simulator import bundled
from simulator.cli.terminal import Json, NoProgress, Quiet, Seed, Sets, Untrusted, Yes, terminal
from simulator.display import count_text

_SINGULAR: Final = {"axes": "axis"}

if TYPE_CHECKING:
    from simulator.inputs import Inputs
    from simulator.scenario import Draft, Scenario, StudyFile

    Facts = dict[str, int | float]


def validate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Scenario file, or a shipped name.")],
    sets: Sets = [],  # noqa: B006 - typer copies it
    seed: Seed = None,
    yes: Yes = False,
    untrusted: Untrusted = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Check a scenario or sweep, and every file it reads."""
    from simulator.scenario import read_file

    out = terminal(context, json, quiet, no_progress)
    read = read_file(bundled.file_or_name(file), sets, seed, yes=yes, untrusted=untrusted)
    found, opened = _checked(read, yes)
    scenario = opened.scenario
    warnings = [*opened.warnings, *(warning for _, said in found for warning in said)]
    for warning in warnings:
        out.warn(warning)
    facts = facts_of(scenario) | {"jobs": len(opened.jobs)}
    for study_facts, _ in found:
        facts |= study_facts
    out.say(f"{file} is valid: {', '.join(_words(facts))}")
    out.document({"valid": True, "file": str(file), **facts, "warnings": warnings})


def _checked(
    read: "StudyFile[Scenario | Draft]", yes: bool
) -> "tuple[list[tuple[Facts, tuple[str, ...]]], Inputs]":
    """Return what is said of each table, and the opened inputs; all problems are told at once."""
    from simulator.errors import InputError, Issue
    from simulator.inputs import open_inputs
    from simulator.simulation import bins_of

    issues: list[Issue] = []
    found = []
    for name, table in read.tables.items():
        try:
            found.append(check_study(read.base, name, table, yes))
        except InputError as error:
            issues += error.issues
    opened = None
    try:
        opened = open_inputs(read.whole().base)
        bins_of(opened)
    except InputError as error:
        issues += error.issues
    if issues or opened is None:
        raise InputError(read.base.source, dict.fromkeys(issues))
    return found, opened


def check_study(
    base: "Scenario | Draft", name: str, table: dict[str, Any], yes: bool = False
) -> "tuple[Facts, tuple[str, ...]]":
    """Check a table about many runs; return its size in a few numbers, and its warnings.

    Raises
    ------
    InputError
        With every problem of the table, and of the base if it is a draft.
    """
    if name == "optimize":
        from simulator.optimisation.search import search_of

        search = search_of(base, table)
        runs = search.trials * len(search.seeds)
        return {"axes": len(search.axes), "trials": search.trials, "runs": runs}, ()
    from simulator.plans.plan import plan_of

    plan = plan_of(base, table, yes=yes)
    sizes = {"axes": len(plan.axes), "points": len(plan.points), "runs": len(plan)}
    return {**sizes}, plan.warnings


def facts_of(scenario: "Scenario") -> dict[str, int | float]:
    """Return the size of a scenario in a few numbers."""
    from simulator.units import MS_PER_D

    counts = [
        (cluster.count, scenario.nodes[cluster.node].accelerators)
        for cluster in scenario.clusters.values()
    ]
    return {
        "sites": len(scenario.sites),
        "clusters": len(scenario.clusters),
        "nodes": sum(count for count, _ in counts),
        "accelerators": sum(count * each for count, each in counts),
        "horizon_d": scenario.horizon_ms / MS_PER_D,
        "workloads": len(scenario.workloads),
    }


def _words(facts: dict[str, int | float]) -> list[str]:
    """Return facts in words, e.g. ``1,152 accelerators``."""
    return [
        f"{number:g} d"
        if name == "horizon_d"
        else f"{count_text(number)} {name if number != 1 else _SINGULAR.get(name, name[:-1])}"
        for name, number in facts.items()
    ]
