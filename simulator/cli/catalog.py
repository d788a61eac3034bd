"""``fleetsim catalog``: machines, grids and workloads; each figure with unit, source and year."""

from collections.abc import Iterator
from dataclasses import asdict
from difflib import get_close_matches
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from simulator.cli.terminal import Json, NoProgress, Quiet, terminal
from simulator.errors import InputError, Issue, shown

if TYPE_CHECKING:
    from simulator.catalog import Figure

COLUMNS: Final = 80
KIND_NAMES: Final = {
    "nodes": "node type",
    "grids": "grid",
    "workloads": "workload",
    "fuels": "fuel",
    "parts": "part of a node",
    "storage": "storage",
    "generation": "kind of plant",
}
HOURS: Final = 24
MOST_NEAR: Final = 3
POINT: Final = {"[0]": "load", "[1]": "power"}
"""Names of the two numbers of a point of a load curve."""


def catalog(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One entry, e.g. hgx-a100.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """List machines, grids and laws; or one, with sources."""
    from simulator import catalog as shelf

    out = terminal(context, json, quiet, no_progress)
    if name is None:
        titles = {
            kind: {entry: shelf.entry(entry)[1]["title"] for entry in shelf.names(kind)}
            for kind in shelf.KINDS
        }
        out.say("\n".join(_listing(titles)))
        out.document(
            {kind: {entry: _document(entry) for entry in shelf.names(kind)} for kind in shelf.KINDS}
        )
        return
    try:
        kind, entry = shelf.entry(name)
    except KeyError:
        raise InputError("catalog", [Issue(name, _unknown(name, _names()))]) from None
    figures = shelf.entries(name)
    grid = shelf.grid(name) if kind == "grids" else None
    out.say("\n".join(_entry(name, kind, entry, figures, grid)))
    out.document({"kind": kind, "name": name, **_document(name)})


def _document(name: str) -> dict[str, Any]:
    """Return an entry as plain data: every figure with value, unit, source and year."""
    from simulator import catalog as shelf

    kind, entry = shelf.entry(name)
    about = {"title": entry["title"], "caveats": entry.get("caveats", [])}
    if kind == "grids":
        about = shelf.grid(name)
    return {**about, "figures": [asdict(figure) for figure in shelf.entries(name)]}


def _names() -> list[str]:
    from simulator import catalog as shelf

    return [name for kind in shelf.KINDS for name in shelf.names(kind)]


def _unknown(name: str, known: list[str]) -> str:
    """Say that a name is not in the catalog, and which ones come near."""
    folded = {entry.casefold(): entry for entry in known}
    near = [
        folded[match] for match in get_close_matches(name[:COLUMNS].casefold(), folded, MOST_NEAR)
    ]
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{shown(name)} is not in the catalog; {meant}fleetsim catalog lists every name"


def _listing(titles: dict[str, dict[str, str]]) -> Iterator[str]:
    width = max(len(name) for names in titles.values() for name in names)
    for kind, names in titles.items():
        yield f"{kind}"
        for name, title in names.items():
            first, *more = wrap(title, COLUMNS - width - 4) or [""]
            yield f"  {name:<{width}}  {first}"
            yield from (f"  {'':<{width}}  {line}" for line in more)
    yield "one entry with its figures and sources: fleetsim catalog hgx-a100"


def _entry(
    name: str,
    kind: str,
    entry: dict[str, Any],
    figures: "tuple[Figure, ...]",
    grid: dict[str, Any] | None,
) -> Iterator[str]:
    """Return an entry line by line, its sources numbered at the end."""
    yield from wrap(
        f"{name}  ({KIND_NAMES[kind]})  {entry['title']}", COLUMNS, subsequent_indent="  "
    )
    if grid is not None:
        mix = "mix not stated" if grid["mix"] == "unknown" else f"{grid['mix']}-based"
        yield f"  {grid['basis']} intensity, {grid['factor']} factors, {mix}, {grid['year']}"
    sources = list(dict.fromkeys(_cite(figure) for figure in figures))
    for group, members in groupby(figures, key=lambda figure: _group(figure.key)):
        named = {_label(figure.key): figure for figure in members}
        indent = 2 if not group else 4
        if group:
            yield f"  {group}"
        width = indent + max(map(len, named))
        for label, figure in named.items():
            number = sources.index(_cite(figure)) + 1
            yield f"{'':{indent}}{label:<{width - indent}}  {_value(figure)}  [{number}]"
            yield from _indented(figure.note, width + 2)
    if grid is not None:
        yield from _day(grid["mean_g_per_kwh"])
    for caveat in entry.get("caveats", ()):
        first, *more = wrap(caveat, COLUMNS - 4)
        yield f"  - {first}"
        yield from (f"    {line}" for line in more)
    for number, cite in enumerate(sources, start=1):
        first, *more = wrap(cite, COLUMNS - 6)
        yield f"  [{number}] {first}"
        yield from (f"      {line}" for line in more)
    if grid is not None:
        yield f"  licence: {grid['licence']}"


def _cite(figure: "Figure") -> str:
    licence = f", licence {figure.licence}" if figure.kind == "parts" and figure.licence else ""
    return f"{figure.source} ({figure.year}{licence})"


def _group(key: str) -> str:
    """Return what a figure of a list belongs to, e.g. ``idle_states[off]``; nothing for others."""
    return key[: key.index("]") + 1] if "]" in key else ""


def _label(key: str) -> str:
    """Return the name of a figure within its group; a point of a curve has no names of its own."""
    rest = key.removeprefix(_group(key)).removeprefix(".")
    return POINT.get(rest, rest)


def _value(figure: "Figure") -> str:
    text = f"{figure.value:g} {figure.unit}"
    if figure.low is not None and figure.high is not None:
        text += f"  ({figure.low:g} to {figure.high:g})"
    return f"{text}  assumption" if figure.assumption else text


def _day(profile: tuple[float, ...]) -> Iterator[str]:
    """Return the mean of the year by hour of day, from 12 x 24 means."""
    means = [sum(profile[hour::HOURS]) / len(profile[hour::HOURS]) for hour in range(HOURS)]
    yield "  mean of the year by hour of day, UTC [g/kWh]"
    for first in range(0, HOURS, HOURS // 2):
        hours = range(first, first + HOURS // 2)
        yield "    hour  " + " ".join(f"{hour:>4d}" for hour in hours)
        yield "    mean  " + " ".join(f"{means[hour]:>4.0f}" for hour in hours)


def _indented(text: str, indent: int) -> list[str]:
    return [f"{'':{indent}}{line}" for line in wrap(text, COLUMNS - indent)]
