"""``fleetsim validate``: everything that is wrong with a scenario and the files it reads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.terminal import Json, NoProgress, Quiet, Seed, Sets, terminal
from simulator.display import count_text

if TYPE_CHECKING:
    from simulator.scenario import Scenario


def validate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Scenario file, or a shipped name.")],
    sets: Sets = [],  # noqa: B006 - typer copies it
    seed: Seed = None,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Check a scenario and every file it reads."""
    from simulator import api
    from simulator.inputs import open_inputs
    from simulator.simulation import bins_of

    out = terminal(context, json, quiet, no_progress)
    scenario = api.load(file, sets=sets, seed=seed)
    opened = open_inputs(scenario)
    bins_of(opened)
    warnings = list(opened.warnings)
    for warning in warnings:
        out.warn(warning)
    facts = facts_of(scenario) | {"jobs": len(opened.jobs)}
    out.say(f"{file} is valid: {', '.join(_words(facts))}")
    out.document({"valid": True, "file": str(file), **facts, "warnings": warnings})


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
        else f"{count_text(number)} {name if number != 1 else name.removesuffix('s')}"
        for name, number in facts.items()
    ]
