"""``fleetsim explain``: idle states, a run's carbon factor by factor, two runs' difference."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

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
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="DIR", help="Explain the difference to another run."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Draw the difference: .svg or .png."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compare runs that stand on different bases too.")
    ] = False,
    sets: Sets = [],  # noqa: B006 - typer copies it
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Take figures apart: idle states, carbon, one job, a difference."""
    out = terminal(context, json, quiet, no_progress)
    if against is not None:
        _refuse(what, "--set", _STAY, sets)
        _refuse(what, "--job", "a job has no other to compare with; leave it out", _given(job))
        _explain_difference(what, against, output, force, out)
        return
    rule = "is about two runs; name the other with --against DIR"
    _refuse(what, "--output", rule, _given(output))
    _refuse(what, "--force", rule, _given(force or None))
    if is_of_a_run(what):
        _refuse(what, "--set", _STAY, sets)
        _explain_run(what, job, out)
        return
    rule = "a scenario has no bills; name the folder of a run"
    _refuse(what, "--job", rule, _given(job))
    _explain_scenario(what, sets, out)


def is_of_a_run(what: Path) -> bool:
    """Return whether a folder is meant; a bare name that ships is only where a run lies in it."""
    if (what / "manifest.json").is_file():
        return True
    return what.is_dir() and bundled.file_or_name(what) == what


_STAY: Final = "results stay as they are; run the scenario again with it"


def _given(value: object) -> list[str]:
    return [] if value is None else [str(value)]


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
        "summary": results.file_summary,
    }
    out.document(_plain(document))


def _explain_difference(
    folder: Path, against: Path, output: Path | None, force: bool, out: Terminal
) -> None:
    from simulator.explanation.difference import (
        difference_kg,
        difference_lines,
        names_of,
        steps_between,
    )
    from simulator.likeness import unlike
    from simulator.results import load_results

    kind = None if output is None else _kind(output)
    run, base = load_results(folder), load_results(against)
    reasons = unlike(base, run, on=("average",))
    if reasons and not force:
        issues = [Issue("", f"{reason}, or write --force") for reason in reasons]
        raise InputError(f"{folder} against {against}", issues)
    for reason in reasons:
        out.warn(reason)
    steps = steps_between(base.summary, run.summary)
    names = names_of(base, run, (against.name, folder.name))
    if output is not None and kind is not None:
        _draw(base, run, names, output, kind)
    lines = [*difference_lines(base, run, steps, names), *([f"figure: {output}"] if output else [])]
    out.say("\n".join(lines))
    out.document(
        {
            "base": _told(against, base),
            "run": _told(folder, run),
            "difference_kgco2e": difference_kg(steps),
            "steps": [asdict(step) for step in steps],
            "unlike": reasons,
            "figure": None if output is None else str(output),
        }
    )


def _told(folder: Path, results: "Results") -> dict[str, Any]:
    return {
        "folder": str(folder),
        "name": results.scenario.name,
        "seed": results.seed,
        "key": results.key,
        "basis": results.basis.get("average"),
        "total_kgco2e": results.summary["total_kgco2e"],
    }


def _kind(output: Path) -> Literal["png", "svg"]:
    """Return what kind of file a figure becomes, by its name; refuse others before any work."""
    match output.suffix.lower():
        case ".svg":
            return "svg"
        case ".png":
            return "png"
    raise InputError(str(output), [Issue("--output", "not a figure's name; write e.g. diff.svg")])


def _draw(
    base: "Results",
    run: "Results",
    names: tuple[str, str],
    output: Path,
    kind: Literal["png", "svg"],
) -> None:
    from simulator.explanation.difference import bases_of
    from simulator.explanation.waterfall import draw_difference
    from simulator.figures.style import render

    figure = draw_difference(base.summary, run.summary, names, bases_of(base, run))
    try:
        output.write_bytes(render(figure, kind))
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        rule = f"can't be written ({words}); name another file"
        raise InputError(str(output), [Issue("--output", rule)]) from error


def _about(scenario: "Scenario", out: Terminal) -> dict[str, Any]:
    """Return the ladders of a scenario and its warnings, which are said too."""
    from simulator.explanation.ladders import cluster_ladders

    ladders = cluster_ladders(scenario)
    for warning in scenario.warnings:
        out.warn(warning)
    return {"name": scenario.name, "ladders": ladders, "warnings": list(scenario.warnings)}


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"ladders": [asdict(ladder) for ladder in document["ladders"]]}
