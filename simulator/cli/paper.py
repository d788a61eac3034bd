"""``fleetsim paper``: figures of published papers, made again and set against what was printed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.interruption import FAILED, kept_on_the_way
from simulator.cli.kernels import telling_of_kernels
from simulator.cli.terminal import Json, NoProgress, Quiet, Terminal, counting, terminal
from simulator.errors import InputError, Issue

if TYPE_CHECKING:
    from simulator.papers.shelf import Paper


def paper(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A paper; without one, lists them.")
    ] = None,
    figure: Annotated[
        list[str],
        typer.Option("--figure", "-f", metavar="F", help="Only this figure; may be repeated."),
    ] = [],  # noqa: B006 - typer copies it
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Default: runs/paper-<name>/."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", help="Local processes; default: one per core."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Reproduce a paper's figures: published against ours."""
    out = terminal(context, json, quiet, no_progress)
    if jobs is not None and jobs < 1:
        raise InputError("command line", [Issue("--jobs", f"{jobs} must be at least 1")])
    from simulator.papers import shelf

    if name is None:
        if figure:
            rule = "belongs to a paper; name it: fleetsim paper NAME --figure F"
            raise InputError("command line", [Issue("--figure", rule)])
        _list(shelf.papers(), out)
        return
    _make(shelf.paper_of(name), figure, output, jobs, out)


def _make(
    found: "Paper", figures: list[str], output: Path | None, jobs: int | None, out: Terminal
) -> None:
    from simulator.papers.reproduction import check_paper_folder, reproduce

    chosen = found.chosen(figures)
    folder = output or Path("runs") / f"paper-{found.name}"
    check_paper_folder(folder, found)
    with kept_on_the_way(), telling_of_kernels(out):
        made = reproduce(
            found,
            chosen,
            folder,
            jobs=jobs,
            show=lambda name: counting(out, name),
            tell=out.warn,
        )
    out.say("\n".join(made.lines()))
    out.document(made.document())
    if not made.holds:
        raise typer.Exit(FAILED)


def _list(found: "tuple[Paper, ...]", out: Terminal) -> None:
    lines: list[str] = []
    for each in found:
        expected = each.expected
        lines += [f"{each.name}", f"  {expected.title}", f"  {expected.source}"]
        lines += [f"  {figure:>6}  {title}" for figure, title in expected.figures.items()]
        lines.append("")
    example = found[0].name if found else "NAME"
    out.say("\n".join([*lines, f"fleetsim paper {example} makes all of one paper"]))
    out.document({"papers": [_document(each) for each in found]})


def _document(found: "Paper") -> dict[str, Any]:
    expected = found.expected
    return {
        "name": found.name,
        "title": expected.title,
        "source": expected.source,
        "figures": [
            {"figure": name, "title": title, "numbers": len(expected.numbers_of(name))}
            for name, title in expected.figures.items()
        ],
    }
