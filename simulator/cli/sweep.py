"""``fleetsim sweep``: many runs from one file; typed again, it goes on where it stopped."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from simulator import bundled
from simulator.cli.interruption import FAILED, kept_on_the_way
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
    counting,
    terminal,
)
from simulator.errors import InputError, Issue, printable, shown

if TYPE_CHECKING:
    from simulator.plans.plan import Plan
    from simulator.sweeps.carrying import Carried
    from simulator.sweeps.session import Options

STATUS: Final = "status"
GC: Final = "gc"


def sweep(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE | status DIR | gc DIR",
            help="A file with a table [sweep]; or a sweep's folder to look at or to tidy up.",
        ),
    ],
    sets: Sets = [],  # noqa: B006 - typer copies it
    seed: Seed = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Default: runs/<name>-<digest>/."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", help="Local processes; default: one per core."),
    ] = None,
    backend: Annotated[
        str, typer.Option("--backend", metavar="B", help="auto, local, dask or ray.")
    ] = "auto",
    address: Annotated[
        str | None,
        typer.Option("--address", metavar="A", help="Of a Dask or Ray cluster that stands."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard", metavar="I/N", help="Only the I-th of N parts; auto[/N] in a job array."
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed before.")
    ] = False,
    point_timeout: Annotated[
        str | None,
        typer.Option("--point-timeout", metavar="TIME", help='Limit for one run, e.g. "10 min".'),
    ] = None,
    yes: Yes = False,
    untrusted: Untrusted = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Carry out many runs; repeating it resumes."""
    out = terminal(context, json, quiet, no_progress)
    if words[0] in {STATUS, GC} and len(words) == 2:
        _look(words[0], Path(words[1]), out)
        return
    if len(words) != 1 or (words[0] in {STATUS, GC} and not Path(words[0]).is_file()):
        rule = "name one file, or write sweep status DIR or sweep gc DIR"
        raise InputError("command line", [Issue(" ".join(words), rule)])
    from simulator.plans.plan import plan_of
    from simulator.scenario.load import read_study

    options = _options(jobs, backend, address, shard, retry_failed, point_timeout)
    file = bundled.file_or_name(Path(words[0]), of_sweep=True)
    base, table = read_study(file, "sweep", tuple(sets), seed, yes=yes, untrusted=untrusted)
    plan = plan_of(base, table, yes=yes)
    _carry(plan, output, options, out)


def _carry(plan: "Plan", output: Path | None, options: "Options", out: Terminal) -> None:
    from simulator.folder import run_folder
    from simulator.sweeps.carrying import sweep as carry
    from simulator.sweeps.page import odd
    from simulator.sweeps.store import check_store

    folder = output or run_folder(plan.base.name, plan.digest)
    check_store(folder)
    for warning in odd(plan):
        out.warn(warning)
    progress = counting(out, printable(plan.base.name))
    with telling_of_kernels(out), kept_on_the_way(), progress as show:
        carried = carry(plan, folder, options, show=show, tell=out.warn)
    _tell(plan, carried, folder, out)
    if carried.standing.failed:
        raise typer.Exit(FAILED)


def _options(
    jobs: int | None,
    backend: str,
    address: str | None,
    shard: str | None,
    retry_failed: bool,
    point_timeout: str | None,
) -> "Options":
    """Return the options of the command line, all that is wrong with them told at once."""
    from simulator.results import plain_command
    from simulator.sweeps.backends.choice import named
    from simulator.sweeps.parts import part_of
    from simulator.sweeps.session import Options

    issues: list[Issue] = []
    if jobs is not None and jobs < 1:
        issues.append(Issue("--jobs", f"{jobs} must be at least 1"))
    part = _read(issues, "--shard", shard, part_of)
    timeout_s = _read(issues, "--point-timeout", point_timeout, _seconds)
    backend = _read(issues, "--backend", backend, lambda name: named(name, address)) or "local"
    if issues:
        raise InputError("command line", issues)
    return Options(
        jobs=jobs,
        jobs_said=jobs is not None,
        command=plain_command(["fleetsim", *sys.argv[1:]]),
        backend=backend,
        address=address,
        shard=part,
        retry_failed=retry_failed,
        point_timeout_s=timeout_s,
    )


def _read(issues: list[Issue], option: str, text: str | None, read: Any) -> Any:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        issues.append(Issue(option, str(error)))
        return None


def _seconds(text: str) -> float:
    from simulator.units import MS_PER_S, parse_quantity

    limit_ms = parse_quantity(text, "time")
    if limit_ms <= 0:
        raise ValueError(f"{shown(text)} must be longer than 0 s")
    return limit_ms / MS_PER_S


def _tell(plan: "Plan", carried: "Carried", folder: Path, out: Terminal) -> None:
    """Print what came out of it, or what other shards have still to do."""
    from simulator.sweeps.outcome import outcome_document
    from simulator.sweeps.page import headlines, sweep_lines
    from simulator.sweeps.pictures import save_figures
    from simulator.sweeps.study import Study

    counts = carried.standing
    study = None if carried.table is None else Study(plan, carried.table, folder)
    if study is not None and counts.done:
        with kept_on_the_way():
            save_figures(study, folder)
    if not out.as_json:  # a hundred thousand points are worth a second in either form
        out.say("\n".join(sweep_lines(plan, study, counts, carried.left, folder)))
        return
    out.document(
        {
            "name": plan.base.name,
            "folder": str(folder),
            "points": len(plan.points),
            "seeds": list(plan.seeds),
            "runs": counts.total,
            "done": counts.done,
            "failed": counts.failed,
            "known": counts.cached,
            "left": carried.left,
            "complete": study is not None,
            "table": None if study is None else str(folder / "results.parquet"),
            "headlines": [] if study is None else headlines(study),
            **({} if study is None or not counts.done else outcome_document(study)),
        }
    )


def _look(verb: str, folder: Path, out: Terminal) -> None:
    from simulator.sweeps import upkeep

    answer = upkeep.status(folder) if verb == STATUS else upkeep.tidy(folder)
    out.say("\n".join(answer.lines))
    out.document(answer.document)
