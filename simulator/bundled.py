"""Find the files that ship with the package: in a checkout, or inside the installed wheel."""

import os
from pathlib import Path
from typing import Final

from simulator.errors import InputError, Issue, nearest

_PACKAGE: Final = Path(__file__).resolve().parent
_FOLDERS: Final = ("", "studies", "templates")


def _root(checkout: str, wheel: str) -> Path:
    """Return a shipped folder: beside the package in a checkout, inside it in a wheel."""
    beside = _PACKAGE.parent / checkout
    if (_PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return _PACKAGE / "bundled_files" / wheel


def scenarios() -> dict[str, Path]:
    """Return every shipped scenario by name, e.g. ``"gpu-fleet"``, in alphabetical order."""
    root = _root("scenarios", "scenarios")
    files = [path for folder in _FOLDERS for path in (root / folder).glob("*.toml")]
    return {path.stem.replace("_", "-"): path for path in sorted(files, key=lambda file: file.stem)}


def sweeps() -> dict[str, Path]:
    """Return every shipped sweep by name, e.g. ``"fleet-size"``, in alphabetical order."""
    folder = _root("scenarios", "scenarios") / "sweeps"
    return {path.stem.replace("_", "-"): path for path in sorted(folder.glob("*.toml"))}


def papers() -> dict[str, Path]:
    """Return the folder of every paper by name, e.g. ``"sustainable-ai"``, alphabetically."""
    folder = _root("scenarios", "scenarios") / "papers"
    found = sorted(path.parent for path in folder.glob("*/expected.toml"))
    return {path.name.replace("_", "-"): path for path in found}


def scenario_file(name: str, *, of_sweep: bool = False) -> Path:
    """Return the path of a shipped scenario.

    Parameters
    ----------
    name : str
        Its name, e.g. ``"hello"``; underscores and hyphens are alike.
    of_sweep : bool
        Whether it is a sweep that is meant.

    Raises
    ------
    InputError
        If no scenario of that name ships.
    """
    shipped = _shipped(of_sweep)
    found = shipped.get(name.replace("_", "-"))
    if found is None:
        near = nearest(name.replace("_", "-"), shipped)
        meant = f'did you mean "{near}"? ' if near else ""
        listed = ", ".join(shipped)
        what = "sweep" if of_sweep else "scenario"
        rule = f"neither a file nor a {what} that ships; {meant}these ship: {listed}"
        raise InputError(name, [Issue("", rule)])
    return found


def _shipped(of_sweep: bool) -> dict[str, Path]:
    return sweeps() if of_sweep else scenarios()


def file_or_name(said: Path, *, of_sweep: bool = False) -> Path:
    """Return a scenario file, or the shipped scenario that a bare word names.

    Parameters
    ----------
    said : Path
        ``my.toml``, or the name of a shipped scenario such as ``research-cluster``.
    of_sweep : bool
        Whether it is a sweep that is meant.

    Raises
    ------
    InputError
        If a bare word is neither a file nor the name of a scenario that ships, or if a file that
        is not there is called as one of them.
    """
    bare = said.name == str(said) and not said.suffix
    shipped = _shipped(of_sweep)
    # A run of hello may have left a folder of that name.
    named = bare and said.name.replace("_", "-") in shipped
    if os.path.isfile(said) or (os.path.exists(said) and not named):  # noqa: PTH110, PTH113
        return said
    if bare:
        return scenario_file(said.name, of_sweep=of_sweep)
    stem = said.stem.replace("_", "-").casefold()
    if said.suffix == ".toml" and stem in shipped:
        rule = f'no such file; did you mean the scenario that ships, "{stem}"?'
        raise InputError(str(said), [Issue("", rule)])
    return said


def oracle_file(name: str) -> Path:
    """Return the path of a readable model that the engine is compared with."""
    return _root("tests/oracle", "oracle") / f"{name}.py"
