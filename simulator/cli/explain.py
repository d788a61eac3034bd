"""``fleetsim explain``: idle states and their break-even gaps; a run's carbon factor by factor."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator import bundled
from simulator.cli.terminal import Json, NoProgress, Quiet, Sets, Terminal, terminal
from simulator.errors import InputError, Issue

if TYPE_CHECKING:
    from simulator.results import Results
    from simulator.scenario import Scenario


def explain(
    context: typer.Context,
    what: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="Scenario, shipped name or a run's folder.")
    ],
    job: Annotated[
        str | None, typer.Option("--job", metavar="J", help="The bill of one job of a run.")
    ] = None,
    sets: Sets = [],  # noqa: B006 - typer copies it
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Take figures apart: idle states, carbon, one job."""
    out = terminal(context, json, quiet, no_progress)
    if is_of_a_run(what):
        _refuse(what, "--set", "results stay as they are; run the scenario again with it", sets)
        _explain_run(what, job, out)
        return
    rule = "a scenario has no bills; name the folder of a run"
    _refuse(what, "--job", rule, [] if job is None else [job])
    _explain_scenario(what, sets, out)


def is_of_a_run(what: Path) -> bool:
    """Return whether a folder is meant; a bare name that ships is only where a run lies in it."""
    if (what / "manifest.json").is_file():
        return True
    return what.is_dir() and bundled.file_or_name(what) == what


def _refuse(what: Path, option: str, rule: str, given: list[str]) -> None:
    if given:
        raise InputError(str(what), [Issue(option, rule)])


def _explain_scenario(what: Path, sets: list[str], out: Terminal) -> None:
    from simulator import api
    from simulator.explanation.page import ladder_lines

    scenario = api.load(what, sets=sets)
    document = _about(scenario, out)
    out.say("\n".join(ladder_lines(document["ladders"])))
    out.document(_plain(document))


def _explain_run(folder: Path, job: str | None, out: Terminal) -> None:
    from simulator.results import load_results

    results = load_results(folder)
    if job is not None:
        from simulator.explanation.job import job_bill
        from simulator.explanation.sums import job_lines

        bill = job_bill(results, job)
        out.say("\n".join(job_lines(bill)))
        out.document({"name": results.scenario.name, "key": results.key, "job": asdict(bill)})
        return
    _explain_fleet(results, out)


def _explain_fleet(results: "Results", out: Terminal) -> None:
    from simulator.explanation.factors import factors_of, not_by_cluster_kg
    from simulator.explanation.page import ladder_lines
    from simulator.explanation.residency import residencies
    from simulator.explanation.sums import factor_lines

    document = _about(results.scenario, out)
    did, factors = residencies(results), factors_of(results)
    rest_kg = not_by_cluster_kg(results, factors)
    basis = results.basis.get("average", "average intensity")
    lines = [
        *ladder_lines(document["ladders"], did),
        "",
        *factor_lines(factors, results.summary, basis, rest_kg),
    ]
    out.say("\n".join(lines))
    document |= {
        "key": results.key,
        "residency": [asdict(each) for each in did.values()],
        "factors": [asdict(each) for each in factors],
        "summary": results.summary,
    }
    out.document(_plain(document))


def _about(scenario: "Scenario", out: Terminal) -> dict[str, Any]:
    """Return the ladders of a scenario and its warnings, which are said too."""
    from simulator.explanation.ladders import cluster_ladders

    ladders = cluster_ladders(scenario)
    for warning in scenario.warnings:
        out.warn(warning)
    return {"name": scenario.name, "ladders": ladders, "warnings": list(scenario.warnings)}


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"ladders": [asdict(ladder) for ladder in document["ladders"]]}
