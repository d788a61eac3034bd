"""``fleetsim schema``: the JSON Schema of scenario files, for editors."""

import typer

from simulator.cli.terminal import Json, NoProgress, Quiet, print_json


def schema(
    context: typer.Context,  # noqa: ARG001 - every verb takes the same flags
    json: Json = False,  # noqa: ARG001 - the answer is JSON anyway
    quiet: Quiet = False,  # noqa: ARG001
    no_progress: NoProgress = False,  # noqa: ARG001
) -> None:
    """Print the JSON Schema of scenario files."""
    from simulator.scenario import schema as scenario_schema

    print_json(scenario_schema())
