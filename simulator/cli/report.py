"""``fleetsim report``: the HTML file of a run again, from its results alone."""

from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.terminal import Json, NoProgress, Quiet, terminal


def report(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that a run wrote.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: report.html inside DIR."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Write the report of an earlier run again."""
    from simulator import api

    out = terminal(context, json, quiet, no_progress)
    written = api.open_run(folder).report(output or folder / "report.html")
    out.say(f"report  {written}")
    out.document({"report": str(written)})
