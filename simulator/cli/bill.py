"""``fleetsim bill``: a finished run under another grid, PUE, price or carbon of its machines."""

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from simulator.cli.terminal import Json, NoProgress, Quiet, Terminal, terminal
from simulator.errors import InputError, Issue

if TYPE_CHECKING:
    from simulator.bills import Bill
    from simulator.terms import Terms

GRID: Final = 'A grid of the catalog, "380 g/kWh", or a table as in a scenario.'


def bill(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that a run wrote.")],
    grid: Annotated[str | None, typer.Option("--grid", metavar="GRID", help=GRID)] = None,
    marginal: Annotated[
        str | None,
        typer.Option("--marginal", metavar="GRID", help="The same of marginal intensity."),
    ] = None,
    pue: Annotated[
        str | None, typer.Option("--pue", metavar="X", help="A number, or a table of a model.")
    ] = None,
    electricity_price: Annotated[
        str | None,
        typer.Option("--electricity-price", metavar="PRICE", help='E.g. "0.09 USD/kWh".'),
    ] = None,
    embodied: Annotated[
        list[str],
        typer.Option(
            "--embodied",
            metavar="[NODE=]MASS",
            help='Of one node, e.g. "1500 kg"; may be repeated by node type.',
        ),
    ] = [],  # noqa: B006 - typer copies it
    lifetime: Annotated[
        list[str],
        typer.Option("--lifetime", metavar="[NODE=]TIME", help='The same, e.g. "6 y".'),
    ] = [],  # noqa: B006 - typer copies it
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write all results under this bill."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run in DIR.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Bill a run again: same events, other assumptions."""
    from simulator.terms import Terms

    out = terminal(context, json, quiet, no_progress)
    terms = Terms(
        average=_intensity("--grid", grid),
        marginal=_intensity("--marginal", marginal),
        pue=_pue(pue),
        electricity_price=electricity_price,
        embodied=_by_node("--embodied", embodied),
        lifetime=_by_node("--lifetime", lifetime),
    )
    done = _billed(folder, terms, output, overwrite, out)
    for warning in done.results.warnings:
        out.warn(warning)
    _tell(done, output, out)


def _billed(
    folder: Path, terms: "Terms", output: Path | None, overwrite: bool, out: Terminal
) -> "Bill":
    """Bill the run of a folder, and write it where that is asked for."""
    from simulator.bills import bill_folder
    from simulator.results import check_folder, plain_command

    if output is not None:
        check_folder(output, overwrite=overwrite)
    command = plain_command(["fleetsim", *sys.argv[1:]])

    def told(why: str) -> None:
        out.note(f"running the scenario again, since {why} ...")

    done = bill_folder(folder, terms, command=command, told=told)
    if output is not None:
        from simulator.api import Run

        Run(done.results).save(output, overwrite=overwrite)
    return done


def _tell(done: "Bill", output: Path | None, out: Terminal) -> None:
    from simulator.explanation.bill import bill_lines

    where = [] if output is None else ["", f"written to {output}"]
    out.say("\n".join([*bill_lines(done.base, done.results, done.again, done.decided), *where]))
    out.document(
        {
            **done.results.summary,
            "billed_from": done.results.billed_from,
            "run_again": done.again,
            "decided_by_run": done.decided,
            "was": done.base.summary,
            "basis": dict(done.results.basis),
            "basis_was": dict(done.base.basis),
            "folder": None if output is None else str(output),
            "warnings": list(done.results.warnings),
        }
    )


def _intensity(option: str, text: str | None) -> str | dict[str, Any] | None:
    """Return an intensity as a scenario says it: a name, a constant or a table."""
    if text is None:
        return None
    if text.lstrip().startswith("{"):
        return _table(option, text)
    return {"constant": text} if text.lstrip()[:1].isdecimal() else text


def _pue(text: str | None) -> float | dict[str, Any] | None:
    if text is None:
        return None
    if text.lstrip().startswith("{"):
        return _table("--pue", text)
    try:
        return float(text)
    except ValueError as error:
        rule = f'"{text}" is not a number; write e.g. --pue 1.4'
        raise InputError("bill", [Issue("--pue", rule)]) from error


def _table(option: str, text: str) -> dict[str, Any]:
    """Return a TOML table that was typed; its files are relative to the current folder."""
    from simulator.scenario.document import portable

    try:
        table: dict[str, Any] = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        rule = f"not a table of TOML ({error}); write it as in a scenario"
        raise InputError("bill", [Issue(option, rule)]) from error
    return portable(table, Path.cwd())


def _by_node(option: str, texts: list[str]) -> str | dict[str, str] | None:
    """Return a value of every node type, or values by node type."""
    if not texts:
        return None
    pairs = [text.rpartition("=") for text in texts]
    plain = [value for _, equals, value in pairs if not equals]
    if not plain:
        return {name.strip(): value.strip() for name, _, value in pairs}
    if len(texts) > 1:
        rule = "a value for every node type stands alone; write NODE=VALUE for each"
        raise InputError("bill", [Issue(option, rule)])
    return plain[0]
