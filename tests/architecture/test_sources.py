"""Habits of the house that a reader relies on and that no linter checks."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import simulator

PACKAGE = Path(simulator.__file__).parent
CHECKOUT = PACKAGE.parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "bundled_files" not in path.parts)
TEXTS = sorted(
    path
    for folder in ("simulator", "tests", "docs", "scenarios")
    for path in (CHECKOUT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".toml", ".html", ".jinja", ".csv", ".json"}
) + sorted(CHECKOUT.glob("*.md"))

MOST_LINES = 400
UNITS = {60_000, 3600, 86_400, 3_600_000, 86_400_000, 3.6e9, 453.59237, 0.45359237}
"""Conversion factors that stand in units.py and nowhere else."""

NO_CLOCK = ("api", "bench", "cli", "figures", "progress", "report", "simulation")
"""Outside these, and `TIMED`, nothing asks what time it is."""
CLOCK = {"now", "utcnow", "today", "fromtimestamp"}
TIMED = ("sweeps/driver.py", "sweeps/lock.py", "sweeps/backends/")
"""Sweeps time their runs, to cut chunks and to end what hangs, and sign their locks."""


def top(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def nodes(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def said_of(paths: Iterable[Path], found: Callable[[Path], Iterable[str]]) -> list[str]:
    """Return what is wrong in any of the files: six checks of each would be thousands of tests."""
    assert paths
    return [f"{path.relative_to(CHECKOUT)}: {text}" for path in paths for text in found(path)]


def test_files_stay_short() -> None:
    def found(path: Path) -> Iterator[str]:
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count > MOST_LINES:
            yield f"{count} lines"

    assert said_of(SOURCES, found) == []


def test_files_are_named_by_a_noun_that_says_something() -> None:
    def found(path: Path) -> Iterable[str]:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        return {"utils", "core", "helpers", "common", "manager"} & set(parts)

    assert said_of(SOURCES, found) == []


def test_conversions_stand_in_units_only() -> None:
    def found(path: Path) -> Iterator[str]:
        for node in nodes(path):
            if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
                if node.value in UNITS:
                    yield f"line {node.lineno}: {node.value}"
            elif isinstance(node, ast.BinOp) and isinstance(
                node.op, ast.Div | ast.Mult | ast.FloorDiv
            ):
                sides = (node.left, node.right)
                constants = [side.value for side in sides if isinstance(side, ast.Constant)]
                # A thousand of a named constant is a count, as in 1000 * MS_PER_Y.
                counted = any(isinstance(side, ast.Name) and side.id.isupper() for side in sides)
                if 1000 in constants and not counted:
                    yield f"line {node.lineno}: times or over 1000"

    assert said_of([path for path in SOURCES if top(path) not in {"units", "bench"}], found) == []


def test_chance_comes_from_named_streams() -> None:
    def found(path: Path) -> Iterator[str]:
        for node in nodes(path):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = getattr(node, "module", None)
                names = {module} if module else {alias.name for alias in node.names}
                if names & {"random", "secrets", "numpy.random"}:
                    yield f"line {node.lineno}: {names}"
            if isinstance(node, ast.Attribute) and node.attr == "random" and top(path) != "rng":
                owner = node.value
                if isinstance(owner, ast.Name) and owner.id in {"np", "numpy"}:
                    yield f"line {node.lineno}: numpy.random outside rng.py"
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id == "hash":
                yield f"line {called.lineno}: hash() differs between processes"

    assert said_of(SOURCES, found) == []


def test_simulation_reads_no_wall_clock() -> None:
    def found(path: Path) -> Iterator[str]:
        for node in nodes(path):
            if isinstance(node, ast.Import) and "time" in {alias.name for alias in node.names}:
                yield f"line {node.lineno}: import time"
            if isinstance(node, ast.ImportFrom) and node.module == "time":
                yield f"line {node.lineno}: from time"
            if isinstance(node, ast.Attribute) and node.attr in CLOCK:
                yield f"line {node.lineno}: the wall clock"

    def may(path: Path) -> bool:
        return top(path) in NO_CLOCK or path.relative_to(PACKAGE).as_posix().startswith(TIMED)

    assert said_of([path for path in SOURCES if not may(path)], found) == []


def test_nothing_is_left_for_later_and_no_path_of_a_machine_is_named() -> None:
    later = ("TO" + "DO", "FIX" + "ME", r"\bXX" + r"X\b", "NotImpl" + "emented")
    machine = ("/wo" + "rk/", "/ro" + "ot/", "sha" + "red/")
    unwanted = re.compile("|".join((*later, *machine)))

    def found(path: Path) -> list[str]:
        return unwanted.findall(path.read_text(encoding="utf-8", errors="replace"))

    assert said_of(TEXTS, found) == []
