"""``fleetsim optimize``: searches for the points of a scenario that are best."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from simulator import bundled
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

if TYPE_CHECKING:
    from simulator.sweeps.optimisation import Optimisation

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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier search in DIR.")
    ] = False,
    yes: Yes = False,
    untrusted: Untrusted = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Search for the best points; write trials and front."""
    from simulator.folder import OPTIMISATION, check_folder, run_folder
    from simulator.results import plain_command
    from simulator.scenario import load_study
    from simulator.sweeps.optimise import optimise
    from simulator.sweeps.search import search_of

    out = terminal(context, json, quiet, no_progress)
    path = bundled.file_or_name(file)
    base, table = load_study(path, "optimize", sets, seed, yes=yes, untrusted=untrusted)
    search = search_of(base, table if trials is None else {**table, "trials": trials})
    folder = output or run_folder(base.name, search.digest)
    # The default folder is named by the search, so whatever is there is this very one.
    over = overwrite or output is None
    check_folder(folder, overwrite=over, kind=OPTIMISATION)
    for warning in base.warnings:
        out.warn(warning)
    begun_s = time.perf_counter()
    found = optimise(search, progress=_lines(out, base.name) if out.progress else None)
    found.save(
        folder,
        overwrite=over,
        command=plain_command(["fleetsim", *sys.argv[1:]]),
        wall_s=time.perf_counter() - begun_s,
    )
    _tell(found, folder, out)


def _tell(found: "Optimisation", folder: Path, out: Terminal) -> None:
    """Print what was found, and where its files lie."""
    from simulator.sweeps.search_files import rows_of

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
    last_s = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= REST_S:
            last_s = now_s
            out.note(f"{title}  {done}/{total} trials")

    return show
