"""``fleetsim compare``: scenarios run with the same seeds, or finished runs, side by side."""

import sys
from collections.abc import Callable, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from simulator.cli.explain import is_of_a_run
from simulator.cli.kernels import telling_of_kernels
from simulator.cli.terminal import Json, NoProgress, Quiet, Sets, Terminal, counting, terminal
from simulator.errors import InputError, Issue

if TYPE_CHECKING:
    from simulator.api import Run
    from simulator.comparison.comparison import Comparison
    from simulator.scenario import Scenario

Opened = TypeVar("Opened")


def compare(
    context: typer.Context,
    what: Annotated[
        list[Path],
        typer.Argument(metavar="BASE OTHER...", help="Scenarios, shipped names, or run folders."),
    ],
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", metavar="N", help="Runs of each scenario, by seed. Default: 20."),
    ] = None,
    sets: Sets = [],  # noqa: B006 - typer copies it
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", help="Local processes; default: one per core."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write tables and figure.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier comparison in DIR.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Compare what stands on unlike bases.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Compare scenarios: paired differences, intervals."""
    from simulator.folder import COMPARISON, check_folder
    from simulator.results import plain_command

    out = terminal(context, json, quiet, no_progress)
    _check(what, sets, jobs)
    if output is not None:
        check_folder(output, overwrite=overwrite, kind=COMPARISON)
    done = _compared(what, sets, seeds, jobs, force, out)
    if output is not None:
        command = plain_command(["fleetsim", *sys.argv[1:]])
        done.save(output, overwrite=overwrite, command=command)
    for warning in done.warnings:
        out.warn(warning)
    where = "" if output is None else f"\nwritten to {output}"
    out.say(done.text(warnings=False) + where)
    out.document({**done.document(), "folder": None if output is None else str(output)})


def _check(what: Sequence[Path], sets: Sequence[str], jobs: int | None) -> None:
    """Refuse words that make no sense together."""
    issues = []
    if len(what) < 2:
        rule = "there is nothing to compare it with; name two or more, the base first"
        issues.append(Issue(str(what[0]), rule))
    if sets and any(is_of_a_run(path) for path in what):
        rule = "results stay as they are; run the scenarios again with it"
        issues.append(Issue("--set", rule))
    if jobs is not None and jobs < 1:
        issues.append(Issue("--jobs", f"{jobs} is too few; write at least 1"))
    if issues:
        raise InputError("compare", issues)


def _compared(
    what: Sequence[Path],
    sets: Sequence[str],
    seeds: int | None,
    jobs: int | None,
    force: bool,
    out: Terminal,
) -> "Comparison":
    """Open every side, run the scenarios and compare."""
    from simulator import api, studies

    def opened(path: Path) -> "Scenario | Run":
        return api.open_run(path) if is_of_a_run(path) else api.load(path, sets=sets)

    opened_sides = _each(what, opened)
    own = [side.scenario.name if isinstance(side, api.Run) else side.name for side in opened_sides]
    names = distinct(own, [path.stem for path in what], what)
    sides = dict(zip(names, opened_sides, strict=True))
    with telling_of_kernels(out), counting(out, "compare") as show:
        return studies.compare(sides, seeds=seeds, force=force, jobs=jobs, progress=show)


def _each(paths: Sequence[Path], open_one: Callable[[Path], Opened]) -> list[Opened]:
    """Open every path; refuse with the problems of all of them."""
    opened: list[Opened] = []
    errors: list[InputError] = []
    for path in dict.fromkeys(paths):
        try:
            opened.append(open_one(path))
        except InputError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InputError(
            "compare",
            [
                Issue(": ".join(filter(None, (error.source, issue.path))), issue.message)
                for error in errors
                for issue in error.issues
            ],
        )
    by_path = dict(zip(dict.fromkeys(paths), opened, strict=True))
    return [by_path[path] for path in paths]


def distinct(names: Sequence[str], stems: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """Return a name for each side: its own, or where several have it that of its file.

    Files of one name go by their paths, and a file that is named twice is numbered.
    """
    found: list[str] = []
    for at, own in enumerate(names):
        words = next(
            (
                each[at]
                for each in (list(names), list(stems), [str(path) for path in paths])
                if list(each).count(each[at]) == 1 and each[at] not in found
            ),
            None,
        )
        if words is None:
            numbered = (f"{own} ({number})" for number in count(2))
            words = next(each for each in chain([own], numbered) if each not in found)
        found.append(words)
    return found
