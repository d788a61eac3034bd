"""Where words go: answers to stdout, everything else to stderr, and the flags every verb has."""

import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from simulator import progress
from simulator.errors import InputError, printable

Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print only errors, warnings and asked-for JSON.")
]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="No progress bar or lines.")]
Sets = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replace one value, e.g. clusters.train.count=256; may be repeated.",
    ),
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Confirm sizes that are refused as too large otherwise.")
]
Untrusted = Annotated[
    bool, typer.Option("--untrusted", help="Refuse files outside the scenario's folder.")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Root of every random draw.")]


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a verb may print, and where.

    Parameters
    ----------
    as_json : bool
        Answer with one JSON document and nothing else on stdout.
    quiet : bool
        Leave out everything but errors, warnings and JSON.
    progress : bool
        Show how far a run has come.
    """

    as_json: bool = False
    quiet: bool = False
    progress: bool = True

    def say(self, text: str) -> None:
        """Print an answer for people; nothing with ``--json`` or ``--quiet``."""
        if not (self.as_json or self.quiet):
            print(printable(text))

    def note(self, text: str) -> None:
        """Print a remark to stderr; nothing with ``--quiet``."""
        if not self.quiet:
            print(printable(text), file=sys.stderr, flush=True)

    def warn(self, warning: str) -> None:
        """Print one warning to stderr, on one line."""
        print(f"warning: {printable(' '.join(warning.split()))}", file=sys.stderr, flush=True)

    def document(self, document: object) -> None:
        """Print the one JSON document of the command; nothing unless ``--json``."""
        if self.as_json:
            print_json(document)

    @property
    def live(self) -> bool:
        """Whether a bar may be drawn: a terminal on stderr that nobody only logs."""
        return sys.stderr.isatty() and not os.environ.get("CI")


class EndedEarly(BaseException):
    """A command that ends before its work does, and has kept what it found out.

    Parameters
    ----------
    code : int
        Exit code.
    kind : str
        Why, in one word, for ``--json``.
    message : str
        Why, and how to go on.
    """

    def __init__(self, code: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind
        self.message = message


class Terminated(BaseException):
    """The process was asked to end; unwinds the stack so that temporary folders are removed."""


def terminal(
    context: typer.Context, as_json: bool, quiet: bool, no_progress: bool = False
) -> Terminal:
    """Return the terminal of a verb: its own flags and those given before the verb."""
    before = context.obj if isinstance(context.obj, Terminal) else Terminal()
    return Terminal(
        as_json=as_json or before.as_json,
        quiet=quiet or before.quiet,
        progress=before.progress and not (no_progress or quiet or before.quiet),
    )


def counting(out: Terminal, title: str) -> AbstractContextManager[progress.SweepProgress | None]:
    """Return what shows how many runs are finished: a bar, plain lines, or nothing."""
    if not out.progress:
        return nullcontext()
    return progress.sweep_bar(title) if out.live else progress.sweep_lines(title)


def print_json(document: object) -> None:
    """Print a JSON document to stdout, in ASCII for every terminal; non-finite numbers are null."""
    print(json.dumps(_finite(document), indent=2))


def error_document(kind: str, message: str, error: InputError | None = None) -> dict[str, Any]:
    """Return the JSON document of a command that failed."""
    document: dict[str, Any] = {"error": kind, "message": printable(message)}
    if error is not None:
        document["source"] = error.source
        document["problems"] = [
            {"path": issue.path, "message": printable(issue.message)} for issue in error.issues
        ]
    return document


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and value - value != 0.0:
        return None
    return value
