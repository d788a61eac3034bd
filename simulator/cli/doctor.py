"""``fleetsim doctor``: what this installation runs on, and what is missing."""

import os
import platform
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import typer

from simulator import __version__, bundled
from simulator.cli.terminal import Json, NoProgress, Quiet, terminal

LIBRARIES: Final = (
    "simpy",
    "numpy",
    "numba",
    "pandas",
    "matplotlib",
    "pyarrow",
    "pydantic",
    "typer",
    "rich",
    "jinja2",
    "tzdata",
)
EXTRAS: Final = {
    "sweep": ("scipy", "SALib"),
    "dask": ("distributed",),
    "ray": ("ray",),
    "optimize": ("optuna",),
    "gym": ("gymnasium",),
    "crate": ("rocrate",),
    "test": ("pytest", "hypothesis"),
    "notebook": ("ipykernel", "nbmake"),
}
"""Modules that each optional extra brings."""


def doctor(
    context: typer.Context,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: NoProgress = False,
) -> None:
    """Print versions, cores, cache and extras."""
    out = terminal(context, json, quiet, no_progress)
    facts = examine()
    width = max(len(name) for name in facts)
    for name, fact in facts.items():
        out.say(f"{name:<{width}}  {_shown(fact)}")
    problems = [name for name, fact in facts["libraries"].items() if fact is None]
    for name in problems:
        out.warn(f"{name} is missing; install fleetsim again: pip install fleetsim")
    out.document(facts)
    if problems:
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """Return the facts of this installation by name."""
    from simulator.kernels.compile import cache_folder, is_warm

    folder = cache_folder()
    data = os.environ.get("FLEETSIM_DATA") or None
    return {
        "fleetsim": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "cores": _cores(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "extras": {
            extra: all(find_spec(module) is not None for module in modules)
            for extra, modules in EXTRAS.items()
        },
        "cache": str(folder) if folder is not None else None,
        "kernels": "compiled" if is_warm() else "not yet compiled: the first run does it",
        "scenarios": len(bundled.scenarios()),
        "FLEETSIM_DATA": _data_folder(data),
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _data_folder(folder: str | None) -> str:
    if folder is None:
        return "not set: needed only for files named data:..."
    return folder if Path(folder).is_dir() else f"{folder} (no such folder)"


def _shown(fact: object) -> str:
    """Return a fact in words; lists of libraries and extras on lines of their own."""
    if fact is None:
        return "none: kernels are compiled in every process"
    if not isinstance(fact, dict):
        return str(fact)
    words = [
        f"{name} {_presence(value)}" if not isinstance(value, bool) else f"{name} {_yes(value)}"
        for name, value in fact.items()
    ]
    rows = [", ".join(words[first : first + 4]) for first in range(0, len(words), 4)]
    return f"\n{'':15}".join(rows)


def _presence(version: object) -> str:
    return "MISSING" if version is None else str(version)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
