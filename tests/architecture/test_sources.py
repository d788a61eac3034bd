"""Habits of the house that a reader relies on and that no linter checks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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
TIMED = ("sweeps/driver.py", "sweeps/lock.py", "sweeps/backends/")
"""Sweeps time their runs, to cut chunks and to end what hangs, and sign their locks."""


def relative(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def top(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def nodes(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_are_named_by_a_noun_that_says_something(path: Path) -> None:
    assert not {"utils", "core", "helpers", "common", "manager"} & set(
        path.relative_to(PACKAGE).with_suffix("").parts
    )


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if top(path) not in {"units", "bench"}], ids=relative
)
def test_conversions_stand_in_units_only(path: Path) -> None:
    found = []
    for node in nodes(path):
        if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
            if node.value in UNITS:
                found.append(f"line {node.lineno}: {node.value}")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Mult | ast.FloorDiv):
            sides = (node.left, node.right)
            factor = any(isinstance(side, ast.Constant) and side.value == 1000 for side in sides)
            # A thousand of a named constant is a count, as in 1000 * MS_PER_Y.
            counted = any(isinstance(side, ast.Name) and side.id.isupper() for side in sides)
            if factor and not counted:
                found.append(f"line {node.lineno}: times or over 1000")
    assert not found, found


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_chance_comes_from_named_streams(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = {module} if module else {alias.name for alias in node.names}
            assert not names & {"random", "secrets", "numpy.random"}, f"line {node.lineno}"
        if isinstance(node, ast.Attribute) and node.attr == "random" and top(path) != "rng":
            owner = node.value
            assert not (isinstance(owner, ast.Name) and owner.id in {"np", "numpy"}), (
                f"line {node.lineno}: numpy.random outside rng.py"
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "hash", f"line {node.lineno}: hash() differs between processes"


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in SOURCES
        if top(path) not in NO_CLOCK and not path.relative_to(PACKAGE).as_posix().startswith(TIMED)
    ],
    ids=relative,
)
def test_simulation_reads_no_wall_clock(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            assert "time" not in {alias.name for alias in node.names}, f"line {node.lineno}"
        if isinstance(node, ast.ImportFrom):
            assert node.module != "time", f"line {node.lineno}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today", "fromtimestamp"}, (
                f"line {node.lineno}: the wall clock"
            )


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_nothing_is_left_for_later(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    later = re.compile(
        "|".join(("TO" + "DO", "FIX" + "ME", r"\bXX" + r"X\b", "NotImpl" + "emented"))
    )
    assert not later.search(text)


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_no_path_of_a_machine_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    machine = re.compile("|".join(("/wo" + "rk/", "/ro" + "ot/", "sha" + "red/")))
    assert not machine.search(text)
