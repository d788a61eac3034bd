"""``fleetsim show``: the scenario as it will run, each value with where it came from."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeGuard

import typer

from simulator import bundled
from simulator.cli.terminal import Json, NoProgress, Quiet, Seed, Sets, Untrusted, Yes, terminal
from simulator.errors import printable

COLUMNS: Final = 80
GROUPED: Final = ("nodes", "sites", "clusters", "workloads")
"""Tables of tables: their entries get a heading each."""


def show(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Scenario file, or a shipped name.")],
    sets: Sets = [],  # noqa: B006 - typer copies it
    seed: Seed = None,
    yes: Yes = False,
    untrusted: Untrusted = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Print every value of a scenario, and its origin."""
    from simulator.scenario import load_file

    out = terminal(context, json, quiet, no_progress)
    read = load_file(bundled.file_or_name(file), sets, seed, yes=yes, untrusted=untrusted)
    scenario = read.base
    for warning in scenario.warnings:
        out.warn(warning)
    lines = list(table_lines(scenario.document, scenario.origins))
    # The paths of axes are quoted keys there, and read better without.
    study_origins = {path.replace('"', ""): label for path, label in read.origins.items()}
    lines += table_lines(read.tables, study_origins)
    document: dict[str, Any] = {"scenario": scenario.document, **read.tables}
    if any(_in_parts(node) for node in document["scenario"].get("nodes", {}).values()):
        from simulator.explanation.parts import part_documents, part_lines

        lines += ["", *part_lines(scenario)]
        document["parts"] = part_documents(scenario)
    out.say("\n".join(lines))
    out.document({**_plain(document), "origins": {**scenario.origins, **read.origins}})


def _in_parts(node: object) -> bool:
    """Return whether the carbon of making a node is said part by part."""
    return isinstance(node, Mapping) and isinstance(node.get("embodied"), Mapping)


def table_lines(document: Mapping[str, Any], origins: Mapping[str, str]) -> Iterator[str]:
    """Return a document line by line: key, value as in TOML, origin; aligned within each table.

    Parameters
    ----------
    document : mapping
        The merged scenario, quantities with their units.
    origins : mapping of str to str
        Where each dotted path came from; a path without one takes that of the table it is in.
    """
    from simulator.scenario.document import origin_in

    for heading, leaves in _tables(document):
        rows = [
            (
                key,
                printable(_toml(value)),
                origin_in(origins, f"{heading}.{key}" if heading else key) or "",
            )
            for key, value in leaves
        ]
        if heading:
            yield f"[{heading}]"
        key_width = max((len(key) for key, _, _ in rows), default=0)
        origin_width = max((len(origin) for _, _, origin in rows), default=0)
        room = COLUMNS - key_width - origin_width - 4
        value_width = min(room, max((len(value) for _, value, _ in rows), default=0))
        for key, value, origin in rows:
            yield f"{key:<{key_width}}  {value:<{value_width}}  {origin}"


def _tables(document: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Return headings and their leaves: what stands at the top first, then table by table."""
    yield "", [(key, value) for key, value in document.items() if not isinstance(value, Mapping)]
    for name, table in document.items():
        if name in GROUPED:
            for entry, inner in table.items():
                yield f"{name}.{entry}", list(_leaves(inner))
        elif isinstance(table, Mapping):
            yield name, list(_leaves(table))


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        elif _holds_tables(value):
            for index, entry in enumerate(value):
                yield from _leaves(entry, f"{prefix}{key}[{index}].")
        else:
            yield f"{prefix}{key}", value


def _holds_tables(value: object) -> TypeGuard[list[Mapping[str, Any]]]:
    """Return whether a value is a list of tables, such as idle states, each with its own keys."""
    return isinstance(value, list) and bool(value) and all(isinstance(e, Mapping) for e in value)


def _toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return str(value)


def _plain(value: Any) -> Any:
    """Return a document with its dates as text, for JSON."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _toml(value) if isinstance(value, datetime | date) else value
