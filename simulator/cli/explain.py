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
    figure: Annotated[
        str | None,
        typer.Option("--figure", metavar="KEY", help="Any figure of a run's summary.json."),
    ] = None,
    workload: Annotated[
        str | None,
        typer.Option("--workload", metavar="W", help="With --statement: all jobs of a workload."),
    ] = None,
    side: Annotated[
        str | None,
        typer.Option("--side", metavar="NAME", help="Of a comparison's folder: whose statement."),
    ] = None,
    statement: Annotated[
        bool,
        typer.Option("--statement", help="The carbon impact statement of --job or --workload."),
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="DIR", help="Explain the difference to another run."),
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(
            "--view",
            metavar="V",
            help="One total under other headings: phase, life-cycle, ghg-protocol, component, sci.",
        ),
    ] = None,
    per: Annotated[
        str | None,
        typer.Option("--per", metavar="R", help="Functional unit of --view sci: gpu-hour or job."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A statement as .md or .json, a difference as .svg or .png.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compare runs that stand on different bases too.")
    ] = False,
    sets: Sets = [],  # noqa: B006 - typer copies it
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Take figures apart: carbon, a job, a difference."""
    out = terminal(context, json, quiet, no_progress)
    given = {
        "--set": sets,
        "--job": _given(job),
        "--figure": _given(figure),
        "--view": _given(view),
        "--per": _given(per),
        "--workload": _given(workload),
        "--side": _given(side),
        "--statement": _given(statement or None),
        "--against": _given(against),
        "--output": _given(output),
        "--force": _given(force or None),
    }
    _refuse(what, given, is_of_a_run(what))
    if against is not None:
        _explain_difference(what, against, output, force, out)
    elif statement:
        from simulator.cli.statement import tell_statement

        tell_statement(what, job, workload, side, output, out)
    elif view is not None:
        _explain_view(what, view, per, out)
    elif is_of_a_run(what):
        _explain_run(what, job, figure, out)
    else:
        _explain_scenario(what, sets, out)


def is_of_a_run(what: Path) -> bool:
    """Return whether a folder is meant; a bare name that ships is only where a run lies in it."""
    if (what / "manifest.json").is_file():
        return True
    return what.is_dir() and bundled.file_or_name(what) == what


_STAY: Final = "results stay as they are; run the scenario again with it"
_NO_RESULTS: Final = "a scenario has no results; name the folder of a run"
_TWO_RUNS: Final = "is about two runs; name the other with --against DIR"
_OF_ONE: Final = "a difference has steps of its own; leave it out"
_OF_A_STATEMENT: Final = "a statement is of a job or of a workload; leave it out"


def _given(value: object) -> list[str]:
    return [] if value is None else [str(value)]


def _refuse(what: Path, given: dict[str, list[str]], of_a_run: bool) -> None:
    """Refuse options that make no sense together, or not of what is named."""
    said = {option for option, values in given.items() if values}
    rules: dict[str, str] = {}
    if "--against" in said:
        of_one = ("--figure", "--view", "--workload", "--side", "--statement")
        rules = dict.fromkeys(of_one, _OF_ONE)
        rules |= {"--set": _STAY, "--job": "a job has no other to compare with; leave it out"}
    elif not of_a_run:
        of_results = ("--job", "--figure", "--view", "--workload", "--side", "--statement")
        rules = dict.fromkeys(of_results, _NO_RESULTS)
        rules |= dict.fromkeys(("--output", "--force"), _TWO_RUNS)
    else:
        rules = {"--set": _STAY, "--force": _TWO_RUNS}
        if "--statement" in said:
            rules |= dict.fromkeys(("--figure", "--view"), _OF_A_STATEMENT)
            if {"--job", "--workload"} <= said:
                rules["--workload"] = "is one thing and a job another; ask for each alone"
            elif not said & {"--job", "--workload"}:
                rules["--statement"] = "of what? name it with --job J or --workload W"
        else:
            rules["--workload"] = "a workload has a statement; add --statement"
            rules["--side"] = "is of the statement of a comparison; add --statement"
            rules["--output"] = f"is of a statement, or {_TWO_RUNS}"
            if "--job" in said:
                rules["--figure"] = "is one thing and a job another; ask for each alone"
            if "--view" in said:
                rules["--job"] = "is the bill of one job; leave out --view"
                rules["--figure"] = "is one thing and a view another; ask for each alone"
    if "--view" not in said:
        rules["--per"] = "is of a view; write --view sci beside it"
    issues = [Issue(option, rule) for option, rule in rules.items() if option in said]
    if issues:
        raise InputError(str(what), issues)


def _explain_scenario(what: Path, sets: list[str], out: Terminal) -> None:
    from simulator import api
    from simulator.explanation.page import ladder_lines
    from simulator.explanation.parts import part_lines

    scenario = api.load(what, sets=sets)
    document = _about(scenario, out)
    out.say("\n".join([*part_lines(scenario), *ladder_lines(document["ladders"])]))
    out.document(_plain(document))


def _explain_run(folder: Path, job: str | None, figure: str | None, out: Terminal) -> None:
    from simulator.results import load_results

    results = load_results(folder, sealed=True)
    if job is not None:
        from simulator.explanation.job import job_bill
        from simulator.explanation.sums import job_lines

        bill = job_bill(results, job)
        out.say("\n".join(job_lines(bill)))
        out.document({"name": results.scenario.name, "key": results.key, "job": asdict(bill)})
        return
    if figure is not None:
        from simulator.explanation.figure import explained, figure_document, figure_lines

        figures = explained(results, figure)
        out.say("\n".join(figure_lines(figures)))
        name, key = results.scenario.name, results.key
        out.document({"name": name, "key": key, "figures": figure_document(figures)})
        return
    _explain_fleet(results, out)


def _explain_view(folder: Path, name: str, per: str | None, out: Terminal) -> None:
    from simulator.explanation.view_page import view_lines
    from simulator.explanation.views import view_of
    from simulator.results import load_results

    results = load_results(folder, sealed=True)
    view = view_of(results, name, per)
    out.say("\n".join(view_lines(view, results.basis.get("currency"))))
    out.document({"name": results.scenario.name, "key": results.key, "view": asdict(view)})


def _explain_fleet(results: "Results", out: Terminal) -> None:
    from simulator.explanation.factors import factors_of, not_by_cluster_kg
    from simulator.explanation.making import besides_nodes
    from simulator.explanation.page import ladder_lines
    from simulator.explanation.parts import part_lines
    from simulator.explanation.residency import residencies
    from simulator.explanation.sums import factor_lines

    document = _about(results.scenario, out)
    did, factors = residencies(results), factors_of(results)
    rest_kg = not_by_cluster_kg(results, factors)
    basis = results.basis.get("average", "average intensity")
    lines = [
        *ladder_lines(document["ladders"], did),
        "",
        *part_lines(results.scenario),
        *factor_lines(factors, results.summary, basis, rest_kg, besides_nodes(results)),
    ]
    out.say("\n".join(lines))
    document |= {
        "key": results.key,
        "residency": [asdict(each) for each in did.values()],
        "factors": [asdict(each) for each in factors],
        "summary": results.summary,
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
    run, base = (load_results(each, sealed=True) for each in (folder, against))
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
    from simulator.explanation.parts import part_documents

    ladders = cluster_ladders(scenario)
    for warning in scenario.warnings:
        out.warn(warning)
    about = {"name": scenario.name, "ladders": ladders, "warnings": list(scenario.warnings)}
    parts = part_documents(scenario)
    return about | {"parts": parts} if parts else about


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"ladders": [asdict(ladder) for ladder in document["ladders"]]}
