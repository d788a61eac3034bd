"""``fleetsim traces``: checks and converts job and grid traces, exports the jobs of a run."""

import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

import typer

from simulator import bundled
from simulator.cli.terminal import Json, NoProgress, Quiet, Terminal, terminal
from simulator.cli.trace_lines import few, job_lines, line
from simulator.errors import InputError, Issue, nearest

if TYPE_CHECKING:
    import pyarrow as pa

    from simulator.scenario.workloads import JobFile
    from simulator.traces.conversion import Writer
    from simulator.traces.jobs import JobRows, JobTrace

Basis = Literal["average", "marginal"]

MISFITS_NAMED: Final = 100
"""Jobs without a place that ``--json`` names."""

traces = typer.Typer(
    name="traces",
    help="Check and convert job and grid traces; export jobs.",
    no_args_is_help=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Trace = Annotated[str, typer.Argument(metavar="FILE", help="A trace; data:... as in scenarios.")]
Form = Annotated[
    str | None,
    typer.Option("--format", "--from", metavar="F", help="Its format; told from the file."),
]
Columns = Annotated[
    list[str],
    typer.Option(
        "--column",
        metavar="OURS=THEIRS",
        help="The file's name of a column of ours, e.g. submit_s=submitted; may be repeated.",
    ),
]
Processors = Annotated[
    int | None,
    typer.Option(
        "--processors-per-accelerator",
        metavar="N",
        min=1,
        help="Processors that count as one accelerator (swf, batsim, opendc).",
    ),
]
Zone = Annotated[
    str | None,
    typer.Option("--time-zone", metavar="ZONE", help="Zone of times given without one."),
]
Time = Annotated[str | None, typer.Option(metavar="COL", help="Grids: the column of times.")]
Value = Annotated[str | None, typer.Option(metavar="COL", help="Grids: that of intensities.")]
Unit = Annotated[str | None, typer.Option(metavar="U", help="Grids: their unit, e.g. g/kWh.")]
Where = Annotated[
    list[str],
    typer.Option(metavar="COL=CELL", help="Grids: only such rows; may be repeated."),
]
Stamp = Annotated[str | None, typer.Option(metavar="END", help="Grids: start or end of the step.")]
Region = Annotated[str | None, typer.Option(metavar="R", help="Grids: one of the file.")]
Factor = Annotated[str | None, typer.Option(metavar="F", help="Grids: life-cycle or direct.")]
Mix = Annotated[str | None, typer.Option(metavar="M", help="Grids: production, consumption.")]
Marginal = Annotated[bool, typer.Option("--marginal", help="Grids: a marginal intensity.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file that is there.")]


@traces.callback(invoke_without_command=True)
def _traces(
    context: typer.Context,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    context.obj = terminal(context, json, quiet, no_progress)
    if context.invoked_subcommand is None:
        print(context.get_help())


@traces.command()
def check(
    context: typer.Context,
    file: Trace,
    form: Annotated[
        str | None,
        typer.Option("--format", "--from", metavar="F", help="Its format; told from the file."),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option("--scenario", metavar="S", help="Count jobs that none of its clusters holds."),
    ] = None,
    column: Columns = [],  # noqa: B006 - typer copies it
    processors: Processors = None,
    zone: Zone = None,
    time: Time = None,
    value: Value = None,
    unit: Unit = None,
    where: Where = [],  # noqa: B006 - typer copies it
    stamp: Stamp = None,
    region: Region = None,
    factor: Factor = None,
    mix: Mix = None,
    marginal: Marginal = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Say what a trace holds, or everything that is wrong with it."""
    from simulator.cli.trace_grids import check_grid
    from simulator.traces.loose_files import grid_file, is_grid, job_file

    out = terminal(context, json, quiet, no_progress)
    said = _said(
        where, time=time, value=value, unit=unit, stamp=stamp, region=region, factor=factor, mix=mix
    )
    if not is_grid(file, form, said=marginal or any(said.values())):
        jobs = job_file(file, form, _options(column, processors, zone))
        if jobs is None:
            _refuse_unknown(file)
        _check_jobs(file, jobs, scenario, out)
        return
    grid = grid_file(file, form, {**said, "time_zone": zone})
    if grid is None:
        _refuse_unknown(file)
    check_grid(file, grid, "marginal" if marginal else "average", out)


@traces.command()
def convert(
    context: typer.Context,
    file: Trace,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help=".csv, .csv.gz or .parquet")
    ],
    form: Annotated[
        str | None,
        typer.Option("--from", "--format", metavar="F", help="Its format; told from the file."),
    ] = None,
    column: Columns = [],  # noqa: B006 - typer copies it
    processors: Processors = None,
    zone: Zone = None,
    time: Time = None,
    value: Value = None,
    unit: Unit = None,
    where: Where = [],  # noqa: B006 - typer copies it
    stamp: Stamp = None,
    region: Region = None,
    factor: Factor = None,
    mix: Mix = None,
    marginal: Marginal = False,
    gaps: Annotated[
        str | None, typer.Option(metavar="HOW", help="Grids: fill gaps; linear, previous-week.")
    ] = None,
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Write a trace under our own columns."""
    from simulator.cli.trace_grids import convert_grid
    from simulator.traces.conversion import WRITERS, writer_for
    from simulator.traces.loose_files import grid_file, is_grid, job_file

    out = terminal(context, json, quiet, no_progress)
    said = _said(
        where, time=time, value=value, unit=unit, stamp=stamp, region=region, factor=factor, mix=mix
    )
    writer = writer_for(output.name)
    if writer is None:
        rule = f"its ending says no format; end it with {', '.join(WRITERS)}"
        raise InputError(str(output), [Issue("--output", rule)])
    _refuse_target(output, overwrite)
    if is_grid(file, form, said=marginal or any((*said.values(), gaps))):
        grid = grid_file(file, form, {**said, "time_zone": zone})
        if grid is None:
            _refuse_unknown(file)
        basis: Basis = "marginal" if marginal else "average"
        convert_grid(file, grid, basis, gaps, partial(_write_table, output, writer), out)
        return
    jobs = job_file(file, form, _options(column, processors, zone))
    if jobs is None:
        _refuse_unknown(file)
    _convert_jobs(file, jobs, output, writer, out)


@traces.command()
def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that a run wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="A CSV file.")],
    to: Annotated[str, typer.Option("--to", metavar="F", help="batsim: its jobs file.")] = "batsim",
    overwrite: Overwrite = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Write the jobs of a finished run for another program."""
    from simulator.exports import EXPORTS, NOT_EXPORTED
    from simulator.results import load_results
    from simulator.traces.findings import counted

    out = terminal(context, json, quiet, no_progress)
    if to not in EXPORTS:
        rule = f"nothing is written for {to}; known are {', '.join(EXPORTS)}"
        raise InputError(str(folder), [Issue("--to", rule)])
    _refuse_target(output, overwrite)
    results = load_results(folder)
    text = EXPORTS[to](results)
    _write(output, partial(_write_text, text))
    states = results.jobs["state"].value_counts()
    left = {state: int(states.get(state, 0)) for state in NOT_EXPORTED}
    written = len(results.jobs) - sum(left.values())
    for state, count in left.items():
        if count:
            out.warn(f"{counted(count, 'job')} left out: {state} when the run ended")
    out.say(f"{output}: {counted(written, 'job')}")
    out.document({"file": str(output), "to": to, "jobs": written, "left_out": left})


def _check_jobs(file: str, jobs: "JobFile", scenario: Path | None, out: Terminal) -> None:
    from simulator.traces.findings import counted
    from simulator.traces.job_facts import facts_of
    from simulator.traces.jobs import read_trace

    trace = read_trace(jobs)
    facts = facts_of(trace)
    for warning in facts.warnings:
        out.warn(warning)
    document = {"file": file, "kind": "jobs", "format": jobs.format, **asdict(facts)}
    document["inputs"] = _inputs(file, trace)
    lines = list(job_lines(f"{file}: {jobs.format}", facts))
    if scenario is not None:
        names = _misfits(trace.jobs, scenario)
        document["misfits"] = {"jobs": len(names), "named": names[:MISFITS_NAMED]}
        shown = f": {few(names)}" if names else ""
        lines.append(line("no place", f"{counted(len(names), 'job')} in {scenario}{shown}"))
    out.say("\n".join(lines))
    out.document(document)


def _convert_jobs(
    file: str, jobs: "JobFile", output: Path, writer: "Writer", out: Terminal
) -> None:
    from simulator.traces.conversion import table_of_jobs
    from simulator.traces.findings import counted, instant
    from simulator.traces.jobs import read_trace

    trace = read_trace(jobs)
    table = table_of_jobs(trace)
    _write(output, partial(writer, table))
    for warning in trace.jobs.warnings:
        out.warn(warning)
    keys = f'file = "{output.name}"'
    if trace.first_ms is not None:
        keys += f", origin = {instant(trace.first_ms)}"
    out.say(f"{output}: {counted(len(trace.jobs), 'job')}, columns {', '.join(table.column_names)}")
    out.say(f"replay them with jobs = {{ {keys} }}")
    out.document(
        {
            "file": str(output),
            "format": jobs.format,
            "jobs": len(trace.jobs),
            "columns": table.column_names,
            "dropped": dict(trace.jobs.dropped),
            "origin": None if trace.first_ms is None else instant(trace.first_ms),
            "inputs": _inputs(file, trace),
            "warnings": list(trace.jobs.warnings),
        }
    )


def _misfits(jobs: "JobRows", scenario: Path) -> list[str]:
    """Return the identifiers of jobs that no cluster of a scenario could ever hold."""
    import pyarrow as pa

    from simulator.fleet import fleet_of
    from simulator.scenario import load
    from simulator.workload.replay import misfits

    fleet = fleet_of(load(bundled.file_or_name(scenario), check_files=False))
    ids: list[str] = jobs.job_id.filter(pa.array(misfits(jobs, fleet))).to_pylist()
    return ids


def _inputs(file: str, trace: "JobTrace") -> dict[str, str]:
    return {file: trace.jobs.file_sha256, **dict(trace.beside)}


def _options(column: list[str], processors: int | None, zone: str | None) -> dict[str, Any]:
    return {
        "columns": _pairs("--column", column),
        "processors_per_accelerator": processors,
        "time_zone": zone,
    }


def _said(where: list[str], **words: str | None) -> dict[str, Any]:
    """Return what the options say of a grid file."""
    return {**words, "where": _pairs("--where", where)}


def _pairs(option: str, words: list[str]) -> dict[str, str]:
    """Return what was said as ``NAME=VALUE``."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise InputError(option, [Issue("", f"{word} says no NAME=VALUE")])
        found[name] = value
    return found


def _refuse_unknown(file: str) -> NoReturn:
    from simulator.grid_formats import grid_formats
    from simulator.job_formats import job_formats
    from simulator.traces.glimpse import glimpse_of
    from simulator.traces.loose_files import place

    path = place(file)
    if path.is_dir():
        raise InputError(file, [Issue("", "is a folder; name a file")])
    if not path.is_file():
        found = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(path.name, found)
        hint = f"; did you mean {near}?" if near else ""
        raise InputError(file, [Issue("", f"no such file{hint}")])
    if path.stat().st_size == 0:
        raise InputError(file, [Issue("", "the file is empty")])
    if glimpse_of(path) is None:
        raise InputError(file, [Issue("", "can't be read, or its gzip is broken or cut short")])
    _refuse_columns(file)
    rule = (
        f"looks like no trace; say its format, of jobs one of {', '.join(job_formats())}, with "
        "--column where a csv calls its columns otherwise; of grids one of "
        f"{', '.join(grid_formats())}, with --time, --value and --unit for csv"
    )
    raise InputError(file, [Issue("", rule)])


def _refuse_columns(file: str) -> None:
    """Refuse a table of which some column is nearly named as one of ours: that is what it lacks."""
    from simulator.scenario.workloads import REQUIRED_COLUMNS
    from simulator.traces.glimpse import glimpse_of
    from simulator.traces.jobs import read_trace
    from simulator.traces.loose_files import job_file, place

    glimpse = glimpse_of(place(file))
    if glimpse and any(nearest(name, REQUIRED_COLUMNS) for name in glimpse.columns):
        form = "parquet" if glimpse.head.startswith(b"PAR1") else "csv"
        jobs = job_file(file, form, {})
        if jobs is not None:
            read_trace(jobs)


def _refuse_target(output: Path, overwrite: bool) -> None:
    if output.is_dir():
        raise InputError(str(output), [Issue("--output", "is a folder; name a file")])
    if output.exists() and not overwrite:
        raise InputError(str(output), [Issue("--output", "is there already; add --overwrite")])
    if not output.parent.is_dir():
        rule = "its folder is not there; make it, or name another"
        raise InputError(str(output), [Issue("--output", rule)])
    if not os.access(output.parent, os.W_OK):
        raise InputError(str(output), [Issue("--output", "its folder can't be written to")])


def _write_table(output: Path, writer: "Writer", table: "pa.Table") -> Path:
    _write(output, partial(writer, table))
    return output


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def _write(output: Path, write: Callable[[Path], None]) -> None:
    from simulator.sweeps.partial import replaced

    try:
        replaced(output, write)
    except OSError as error:
        rule = f"can't be written ({(error.strerror or str(error)).lower()}); name another file"
        raise InputError(str(output), [Issue("--output", rule)]) from error
