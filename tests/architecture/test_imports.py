"""Data flows one way, imports point down; the contracts stand in pyproject.toml."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter import cli as importlinter_cli

import simulator

PACKAGE = Path(simulator.__file__).parent
CHECKOUT = PACKAGE.parent
KERNEL_IMPORTS = {"numba", "numpy", "simulator"}
HEAVY = {
    "jinja2",
    "matplotlib",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "simpy",
}


def python(code: str) -> str:
    """Return what a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )
    return done.stdout.strip()


def imported_modules(source: Path) -> set[str]:
    """Return the full names of what a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_import_contracts_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    code = importlinter_cli.lint_imports(
        config_filename=str(CHECKOUT / "pyproject.toml"), no_cache=True
    )
    assert code == importlinter_cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_every_contract_names_modules_that_exist() -> None:
    """A contract on a module that was renamed would be kept for ever, whatever is imported."""
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    section = text[text.index("[tool.importlinter]") :]
    named = set(re.findall(r'"(simulator\.[a-z_.]+)"', section))
    assert "simulator.kernels" in named
    for name in named:
        path = CHECKOUT / name.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file(), name


@pytest.mark.parametrize("source", sorted((PACKAGE / "kernels").glob("*.py")), ids=lambda p: p.stem)
def test_kernels_import_only_numpy_and_numba(source: Path) -> None:
    standard = set(sys.stdlib_module_names)
    for name in imported_modules(source):
        top = name.split(".")[0]
        assert top in KERNEL_IMPORTS | standard, f"{source.name} imports {name}"
        assert top != "simulator" or name.startswith("simulator.kernels"), f"{source.name}: {name}"


def test_only_the_engine_and_the_benchmark_import_simpy() -> None:
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == "simpy" for name in imported_modules(path))
        and "bundled_files" not in path.parts
    }
    assert users <= {"engine", "bench"}
    assert "engine" in users


@pytest.mark.parametrize("module", ["simulator", "simulator.cli.app", "simulator.api"])
def test_importing_the_command_line_is_light(module: str) -> None:
    code = f"import {module}, sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    assert python(code) == ""


def test_the_package_does_nothing_at_import() -> None:
    code = (
        "import sys; before = set(sys.modules); import simulator;"
        "print(*sorted(n for n in set(sys.modules) - before if n.startswith('simulator')))"
    )
    assert python(code) == "simulator"


def test_public_names_are_found_lazily() -> None:
    assert "run" in dir(simulator)
    assert simulator.InputError is simulator.errors.InputError
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        simulator.nonsense  # noqa: B018
