"""``fleetsim optimize``: searches for the points of a scenario that are best."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from simulator import bundled
from simulator.cli.interruption import kept_on_the_way
from simulator.cli.kernels import telling_of_kernels
from simulator.cli.terminal import (
    Json,
    NoProgress,
    Quiet,
    Seed,
    Sets,
    Terminal,
    Untrusted,
    Yes,
    terminal,
)
from simulator.display import number_text
from simulator.errors import InputError, Issue
from simulator.progress import clock

if TYPE_CHECKING:
    from simulator.optimisation.outcome import Optimisation
    from simulator.optimisation.search import Search

REST_S: Final = 2.0
"""Shortest time between two lines of progress. [s]"""


def optimize(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Scenario file with a table [optimize].")
    ],
    sets: Sets = [],  # noqa: B006 - typer copies it
    seed: Seed = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", metavar="N", help="Points to run; replaces the file's."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Default: runs/<name>-<key>/."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", help="Local processes; default: one per core."),
    ] = None,
    yes: Yes = False,
    untrusted: Untrusted = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Search for the best points; repeating it resumes."""
    from simulator.folder import run_folder
    from simulator.optimisation.files import check_search_folder
    from simulator.optimisation.search import search_of
    from simulator.scenario import read_study

    out = terminal(context, json, quiet, no_progress)
    if jobs is not None and jobs < 1:
        raise InputError("command line", [Issue("--jobs", f"{jobs} must be at least 1")])
    path = bundled.file_or_name(file, of_sweep=True)
    base, table = read_study(path, "optimize", sets, seed, yes=yes, untrusted=untrusted)
    search = search_of(base, table if trials is None else {**table, "trials": trials})
    folder = output or run_folder(search.base.name, search.digest)
    check_search_folder(folder)
    for warning in search.base.warnings:
        out.warn(warning)
    found = _found(search, folder, jobs, out)
    _tell(found, folder, out)


def _found(search: "Search", folder: Path, jobs: int | None, out: Terminal) -> "Optimisation":
    """Carry the search out and write its files."""
    from simulator.optimisation.evaluation import Evaluation
    from simulator.optimisation.optimise import optimise
    from simulator.results import plain_command
    from simulator.sweeps.session import Options

    begun_s = time.perf_counter()
    show = _lines(out, search.base.name) if out.progress else None
    with (
        telling_of_kernels(out),
        kept_on_the_way(),
        Evaluation(search, folder, Options(jobs=jobs), tell=out.warn) as evaluate,
    ):
        found = optimise(search, evaluate, progress=show)
        found.save(
            folder,
            command=plain_command(["fleetsim", *sys.argv[1:]]),
            wall_s=time.perf_counter() - begun_s,
        )
    return found


def _tell(found: "Optimisation", folder: Path, out: Terminal) -> None:
    """Print what was found, and where its files lie."""
    from simulator.optimisation.files import rows_of

    failed = [trial.failed for trial in found.ran if trial.failed is not None]
    if failed:
        out.warn(f"{len(failed)} of {len(found.ran)} trials failed, the first: {failed[0]}")
    out.say(str(found))
    out.say(f"\nfiles: {folder}")
    out.document(
        {
            **found.counts,
            "ending": found.ending,
            "front": rows_of(found.front),
            "base": found.base_summary,
            "folder": str(folder),
            "warnings": list(found.search.base.warnings),
        }
    )


def _lines(out: Terminal, title: str) -> Callable[[int, int], None]:
    """Return what prints a line to stderr now and then."""
    begun_s = last_s = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= REST_S and done:
            last_s = now_s
            per_s = done / (now_s - begun_s)
            left = clock((total - done) / per_s)
            words = f"{done:,}/{total:,} trials, {number_text(per_s, 3)} trials/s, {left} left"
            out.note(f"{title}  {words}")

    return show
