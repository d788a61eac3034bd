"""``fleetsim bench``: how fast this machine is, beside plain SimPy loops in the same run."""

from typing import Annotated

import typer

from simulator.cli.terminal import Json, NoProgress, Quiet, Terminal, terminal
from simulator.errors import InputError, Issue


def bench(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes only, in seconds.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Up to ten million jobs; takes many minutes.")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Time a sweep of small runs beside its bare runs.")
    ] = False,
    queues: Annotated[
        bool, typer.Option("--queues", help="Time backfill beside a plain reference of it.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Time the engine beside plain SimPy loops."""
    from simulator import bench as yardstick

    out = terminal(context, json, quiet, no_progress)
    if quick and full:
        raise InputError("bench", [Issue("", "--quick and --full exclude each other; give one")])
    if sweep:
        _sweep(quick, out)
        return
    if queues:
        _queues(quick, out)
        return
    sizes = yardstick.QUICK if quick else yardstick.FULL if full else yardstick.DEFAULT
    comparison = yardstick.run(sizes, say=out.note if out.progress else None)
    out.say(comparison.text())
    out.document(comparison.document())


def _sweep(quick: bool, out: Terminal) -> None:
    from simulator.bench.sweep import QUICK_RUNS, RUNS, sweep_cost
    from simulator.sweeps.backends.choice import default_workers

    cost = sweep_cost(QUICK_RUNS if quick else RUNS, default_workers())
    out.say(cost.text())
    out.document(cost.document())


def _queues(quick: bool, out: Terminal) -> None:
    from simulator.bench.queues import JOBS, QUICK_JOBS, queue_speeds

    speeds = queue_speeds(QUICK_JOBS if quick else JOBS, say=out.note if out.progress else None)
    out.say(speeds.text())
    out.document(speeds.document())
