"""``fleetsim paper``: figures of published papers, made again and set against what was printed."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.interruption import FAILED, kept_on_the_way
from simulator.cli.kernels import telling_of_kernels
from simulator.cli.terminal import Json, NoProgress, Quiet, Terminal, counting, terminal
from simulator.errors import InputError, Issue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.papers.reproduction import Reproduction
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
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Also renew the figures of a Markdown page."),
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

    if page is not None:
        from simulator.papers.page import check_page

        check_page(page)
        if figure:
            rule = "a page has all figures; leave --figure out"
            raise InputError("command line", [Issue("--page", rule)])
        found = shelf.papers() if name is None else (shelf.paper_of(name),)
        _write_page(found, page, output, jobs, out)
        return
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
    chosen = found.chosen(figures)
    made = _made(found, chosen, output or _folder(found), jobs, out)
    out.say("\n".join(made.lines()))
    out.document(made.document())
    _end([made], out)


def _end(every: "Sequence[Reproduction]", out: Terminal) -> None:
    """End with 1 unless all checked numbers hold, and say which do not to those who read no table.

    Raises
    ------
    Exit
    """
    if out.quiet:
        for made in every:
            for check in made.failing:
                number = check.number
                out.warn(f"{made.paper.name}, figure {number.figure}: {number.quantity} fails")
            for figure in made.figures:
                if figure.lacks is not None:
                    out.warn(f"{made.paper.name}, figure {figure.name}: missing: {figure.lacks}")
    if not all(made.holds for made in every):
        raise typer.Exit(FAILED)


def _write_page(
    found: "tuple[Paper, ...]", page: Path, output: Path | None, jobs: int | None, out: Terminal
) -> None:
    from simulator.papers.page import write_page

    if output is None:
        folders = [_folder(each) for each in found]
    elif len(found) == 1:
        folders = [output]
    else:
        _check_folder_of_papers(found, output)
        folders = [output / each.name for each in found]
    every = [
        _made(each, each.figures, folder, jobs, out)
        for each, folder in zip(found, folders, strict=True)
    ]
    write_page(every, page)
    for made in every:
        out.say("\n".join(made.lines()))
    papers = "1 paper" if len(every) == 1 else f"{len(every)} papers"
    out.say(f"figures of {papers} written to {page}")
    out.document({"page": str(page), "papers": [made.document() for made in every]})
    _end(every, out)


def _check_folder_of_papers(found: "tuple[Paper, ...]", folder: Path) -> None:
    """Refuse a folder that holds anything but a folder for each paper."""
    names = {each.name for each in found}
    if folder.is_dir() and any(path.name not in names for path in folder.iterdir()):
        rule = "holds something else; name a new folder with -o: it gets one for each paper"
        raise InputError(str(folder), [Issue("", rule)])


def _made(
    found: "Paper", figures: "Sequence[str]", folder: Path, jobs: int | None, out: Terminal
) -> "Reproduction":
    from simulator.papers.reproduction import check_paper_folder, reproduce

    check_paper_folder(folder, found)
    with kept_on_the_way(), telling_of_kernels(out):
        return reproduce(
            found,
            figures,
            folder,
            jobs=jobs,
            show=lambda name: counting(out, name),
            tell=out.warn,
        )


def _folder(found: "Paper") -> Path:
    return Path("runs") / f"paper-{found.name}"


def _list(found: "tuple[Paper, ...]", out: Terminal) -> None:
    lines: list[str] = []
    for each in found:
        expected = each.expected
        lines += [f"{each.name}", f"  {expected.title}", f"  {expected.source}"]
        lines += [f"  {figure:>6}  {title}" for figure, title in expected.figures.items()]
        lines += _wrapped_unmade(each)
        lines.append("")
    example = found[0].name if found else "NAME"
    out.say("\n".join([*lines, f"fleetsim paper {example} makes all of one paper"]))
    out.document({"papers": [_document(each) for each in found]})


def _wrapped_unmade(found: "Paper") -> list[str]:
    said = [f"{each.name} ({each.title})" for each in found.expected.unmade]
    text = f"not made: {', '.join(said)}; name one with --figure to hear why"
    return textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="    ") if said else []


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
        "unmade": [each.document() for each in expected.unmade],
    }
