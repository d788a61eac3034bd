"""``fleetsim init``: a commented scenario to start from."""

import errno
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from simulator import bundled
from simulator.cli.terminal import Json, NoProgress, Quiet, Terminal, terminal
from simulator.errors import InputError, Issue

DEFAULT: Final = "gpu-fleet"
SCHEMA_HINT: Final = "#:schema ./fleetsim.schema.json"


def init(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Scenario to write, e.g. my.toml.")
    ] = None,
    template: Annotated[
        str, typer.Option("--from", metavar="NAME", help="Scenario to start from; see --list.")
    ] = DEFAULT,
    list_: Annotated[bool, typer.Option("--list", help="List what one can start from.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Write a commented scenario to start from."""
    out = terminal(context, json, quiet, no_progress)
    if list_:
        titles = {name: _title(path) for name, path in bundled.scenarios().items()}
        width = max(len(name) for name in titles)
        out.say("\n".join(f"{name:<{width}}  {title}" for name, title in titles.items()))
        out.document(titles)
        return
    if file is None:
        raise InputError(
            "init", [Issue("", "no file named; write e.g. fleetsim init my.toml --from gpu-fleet")]
        )
    written = write_scenario(file, template)
    _tell(out, written)


def write_scenario(file: Path, template: str) -> list[Path]:
    """Write a shipped scenario, and the sample job file it reads if it has one, under a new name.

    Parameters
    ----------
    file : Path
        The scenario to write; its stem becomes the scenario's name.
    template : str
        Name of a shipped scenario.

    Returns
    -------
    list of Path
        What was written; the scenario first.

    Raises
    ------
    InputError
        If the name is no TOML file, the template is unknown or a file is there already.
    """
    if file.suffix.lower() != ".toml":
        raise InputError(
            str(file), [Issue("", f"a scenario is a TOML file; write {file.stem}.toml")]
        )
    source = bundled.scenario_file(template)
    text = source.read_text(encoding="utf-8")
    files = {file: ""}
    sample = source.with_suffix(".csv")
    if sample.is_file():
        files[file.with_suffix(".csv")] = sample.read_text(encoding="utf-8")
        text = text.replace(f'"{sample.name}"', f'"{file.stem}.csv"')
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", file.stem) or "my-fleet"
    text = re.sub(r'(?m)^name( *)= "[^"]*"', rf'name\1= "{name}"', text, count=1)
    files[file] = f"{SCHEMA_HINT}\n{text}"
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there:
        raise InputError(
            str(there[0]), [Issue("", "is there already; choose another name or remove it first")]
        )
    for path, content in files.items():
        _write_new(path, content)
    return list(files)


def _write_new(path: Path, content: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(content)
    except FileExistsError:
        raise InputError(
            str(path), [Issue("", "is there already; choose another name or remove it first")]
        ) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        absent = error.errno == errno.ENOENT
        remedy = f"make the folder {path.parent} first" if absent else "name another place"
        raise InputError(str(path), [Issue("", f"cannot be written: {why}; {remedy}")]) from None


def _title(path: Path) -> str:
    """Return the first words of a scenario's head comment."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            return line.removeprefix("# ").rstrip(".")
    return ""


def _tell(out: Terminal, written: list[Path]) -> None:
    scenario = written[0]
    for path in written[1:]:
        out.say(f"wrote {path}  (sample jobs; put yours in their place)")
    out.say(f"wrote {scenario}")
    out.say(f"next  fleetsim validate {scenario}  ·  fleetsim run {scenario}")
    out.say("editors complete and check keys after: fleetsim schema > fleetsim.schema.json")
    out.document({"written": [str(path) for path in written]})
