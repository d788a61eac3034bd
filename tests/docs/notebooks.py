"""Notebooks as tests run them: from top to bottom, whole or with fewer jobs and runs."""

import ast
import re
from pathlib import Path
from typing import Any, Final

import nbclient
import nbformat
import pytest

from simulator import bundled

FOLDER: Final = Path(__file__).parents[2] / "notebooks"


def read(path: Path, request: pytest.FixtureRequest) -> Any:
    """Return the notebook of a path; skip where there is no data for it."""
    notebook = nbformat.read(path, as_version=4)
    if names := data_files(notebook):
        folder = request.getfixturevalue("data_folder")
        if absent := [name for name in names if not (folder / name).is_file()]:
            pytest.skip(f"FLEETSIM_DATA has no {', '.join(absent)}; docs/data.md says more")
    return notebook


def data_files(notebook: Any) -> list[str]:
    """Return the files below the folder of real data that the scenarios of a notebook read."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    loaded = [bundled.scenario_file(name) for name in re.findall(r'fs\.load\("([^"]+)"', code)]
    texts = [file.read_text(encoding="utf-8") for file in loaded]
    return sorted({name for text in texts for name in re.findall(r'"data:([^"]+)"', text)})


def run(notebook: Any, folder: Path) -> None:
    """Run a notebook from top to bottom; nothing is written unless asked."""
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(folder)}}
    )
    ran = client.execute()
    code = [cell for cell in ran.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not list(folder.iterdir())


def run_with_fewer(notebook: Any, fewer: str, folder: Path) -> None:
    """Run a notebook after the code that makes its runs few and small."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = _without_assertions(cell.source)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(fewer))
    run(notebook, folder)


def _without_assertions(source: str) -> str:
    """Return the code of a cell without what it holds its results to, which few runs don't keep."""
    tree = ast.parse(source)
    tree.body = [each for each in tree.body if not isinstance(each, ast.Assert)]
    return ast.unparse(tree)
