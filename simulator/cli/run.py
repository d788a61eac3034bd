"""``fleetsim run``: one run of a scenario, its results in a folder, its summary on stdout."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator import bundled, progress
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
from simulator.errors import printable
from simulator.progress import Progress

if TYPE_CHECKING:
    from simulator.api import Run
    from simulator.scenario import Scenario


def run(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Scenario file or a shipped name; none runs hello."),
    ] = None,
    sets: Sets = [],  # noqa: B006 - typer copies it
    seed: Seed = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Default: runs/<name>-<key>/."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run in DIR.")
    ] = False,
    yes: Yes = False,
    untrusted: Untrusted = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Simulate a scenario; write results, report, figures."""
    from simulator import api
    from simulator.results import check_folder, plain_command, run_folder

    out = terminal(context, json, quiet, no_progress)
    if file is None:
        out.note("No scenario given: running the bundled hello (two sites, 64 nodes, 35 days).")
    chosen = bundled.file_or_name(file) if file else bundled.scenario_file("hello")
    scenario = api.load(chosen, sets=sets, seed=seed, yes=yes, untrusted=untrusted)
    # The default folder is named by the key, so whatever is there is this very run.
    check_folder(output or run_folder(scenario.name, "0" * 8), overwrite=overwrite)
    done = simulate(scenario, out, plain_command(["fleetsim", *sys.argv[1:]]))
    for warning in done.warnings:
        out.warn(warning)
    folder = done.save(output, overwrite=overwrite or output is None)
    tell(done, folder, out, file)


def simulate(scenario: "Scenario", out: Terminal, command: str | None = None) -> "Run":
    """Run a scenario, showing how far it has come."""
    from simulator import api
    from simulator.kernels.compile import is_warm

    if not is_warm():
        out.note("compiling kernels (first run only) ...")
    with _shown(out, printable(scenario.name)) as show:
        done = api.run(scenario, progress=show, command=command)
    if not is_warm():
        out.warn(
            "compiled kernels can't be kept, so every run compiles them again; let NUMBA_CACHE_DIR "
            "name a folder that can be written to"
        )
    return done


def tell(done: "Run", folder: Path, out: Terminal, file: Path | None = None) -> None:
    """Print the summary of a run, where its files lie and what one may type next."""
    from simulator.report.table import NEXT_STEP, summary_table

    report = folder / "report.html"
    step = NEXT_STEP if file is None else _next_step(done.scenario)
    out.say(summary_table(done.results, report, notes=list(_sizes(done)), next_step=step))
    out.document(
        {
            **done.results.file_summary,
            "folder": str(folder),
            "report": str(report),
            "warnings": list(done.warnings),
        }
    )


def _sizes(done: "Run") -> Iterator[tuple[str, str]]:
    """Yield the sizes of each workload: it is the mean, not the median, that loads a fleet."""
    for size in done.sizes:
        if size.jobs:
            text = (
                f"{size.name}: GPU-days p50 {size.gpu_days_p50:.3g}, p99 {size.gpu_days_p99:.3g}, "
                f"mean {size.gpu_days_mean:.3g}; load {100 * size.offered_load:.1f} %"
            )
            yield "sizes", text


def _next_step(scenario: "Scenario") -> str:
    """Return words that change one thing: one cluster, larger by a quarter."""
    name, cluster = next(iter(scenario.clusters.items()))
    more = cluster.count + max(1, cluster.count // 4)
    return f"change one thing: the same with --set clusters.{name}.count={more}"


def _shown(out: Terminal, title: str) -> AbstractContextManager[Progress | None]:
    if not out.progress:
        return nullcontext()
    return progress.bar(title) if out.live else progress.lines(title)
