"""The command ``fleetsim``: its verbs, and what each way of ending means to the shell."""

import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Annotated, Final, NoReturn

import typer

from simulator import __version__
from simulator.cli.bench import bench
from simulator.cli.bill import bill
from simulator.cli.catalog import catalog
from simulator.cli.compare import compare
from simulator.cli.doctor import doctor
from simulator.cli.explain import explain
from simulator.cli.init import init
from simulator.cli.optimize import optimize
from simulator.cli.paper import paper
from simulator.cli.report import report
from simulator.cli.run import run
from simulator.cli.schema import schema
from simulator.cli.show import show
from simulator.cli.sweep import sweep
from simulator.cli.terminal import (
    EndedEarly,
    Json,
    NoProgress,
    Quiet,
    Terminal,
    Terminated,
    error_document,
    print_json,
)
from simulator.cli.traces import traces
from simulator.cli.validate import validate
from simulator.errors import InputError, PolicyError, printable
from simulator.sweeps.work import StoreError

DONE: Final = 0
FAILED: Final = 1
REFUSED: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT
TERMINATED: Final = 128 + signal.SIGTERM

VERBS: Final = (
    run, compare, sweep, optimize, init, validate, show, report, explain, bill, paper, catalog,
    schema, doctor, bench,
)  # fmt: skip
"""The verbs in the order of ``--help``."""

GROUPS: Final = {"traces": traces}
"""Verbs that are followed by another one."""

app = typer.Typer(
    name="fleetsim",
    help="Simulate a fleet of AI machines: energy, carbon and waiting times.",
    epilog="Start with: fleetsim run   (runs a bundled scenario in seconds)",
    add_completion=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"fleetsim {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _fleetsim(
    context: typer.Context,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
    version: Annotated[  # noqa: ARG001 - its callback prints and ends
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    context.obj = Terminal(as_json=json, quiet=quiet, progress=not no_progress)
    if context.invoked_subcommand is None:
        print(context.get_help())


for _verb in VERBS:
    app.command()(_verb)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that has no such letter shows its number; stderr does so anyway.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(status(sys.argv[1:]))


def status(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every way of failing says one thing to people.

    Parameters
    ----------
    arguments : sequence of str
        What was typed after ``fleetsim``.

    Returns
    -------
    int
        0 done, 1 internal error, 2 refused input, 130 or 143 interrupted.
    """
    try:
        code = app(list(arguments), prog_name="fleetsim", standalone_mode=False)
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except InputError as error:
        return _fail(arguments, REFUSED, "refused", str(error), error)
    except EndedEarly as early:
        return _fail(arguments, early.code, early.kind, early.message)
    except (KeyboardInterrupt, typer.Abort):
        return _fail(arguments, INTERRUPTED, "interrupted", "interrupted; nothing was written")
    except Terminated:
        return _fail(arguments, TERMINATED, "terminated", "terminated; nothing was written")
    except BrokenPipeError:
        # Whoever read our answer has left, as in `fleetsim catalog | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except PolicyError as error:
        return _fail(arguments, FAILED, "policy", _policy(error))
    except StoreError as error:
        return _fail(arguments, FAILED, "disk", f"error: {error}; nothing was written")
    except Exception as error:
        if isinstance(error, _usage_errors()):
            return _fail(arguments, REFUSED, "usage", f"error: {_usage(error)}")
        return _fail(arguments, FAILED, "internal", _internal(error))
    if code == INTERRUPTED:
        return _fail(arguments, INTERRUPTED, "interrupted", "interrupted; nothing was written")
    return code if isinstance(code, int) else DONE


def _terminate(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    raise Terminated


def _fail(
    arguments: Sequence[str], code: int, kind: str, message: str, error: InputError | None = None
) -> int:
    """Say on stderr, and with ``--json`` on stdout too, why a command failed."""
    print(printable(message), file=sys.stderr)
    if "--json" in arguments:
        with suppress(OSError):  # a full disk may be what is told of
            print_json(error_document(kind, message, error))
    return code


def _usage_errors() -> tuple[type[Exception], ...]:
    """Return the errors of a command line that cannot be understood.

    typer carries its own click from 0.26 on and uses the installed one before that; both say a
    usage error is the parent of a bad parameter.
    """
    return tuple(
        kind
        for kind in typer.BadParameter.__mro__
        if issubclass(kind, Exception) and kind is not Exception
    )


def _usage(error: Exception) -> str:
    message = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "fleetsim"
    return f"{message} (see {where} --help)"


def _policy(error: PolicyError) -> str:
    """Return one line for a policy that failed, or its traceback when asked for."""
    if os.environ.get("FLEETSIM_DEBUG"):
        return _traceback(error)
    return f"error: {error} (set FLEETSIM_DEBUG=1 to see where)"


def _internal(error: Exception) -> str:
    """Return one line for an error that is not the user's, or its traceback when asked for."""
    if os.environ.get("FLEETSIM_DEBUG"):
        return _traceback(error)
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        return f"error: {error.strerror}{place}"
    words = " ".join(str(error).split())
    return (
        f"internal error: {type(error).__name__}: {words} "
        "(set FLEETSIM_DEBUG=1 to see where; please report it)"
    )


def _traceback(error: Exception) -> str:
    import traceback

    return "".join(traceback.format_exception(error)).rstrip()
