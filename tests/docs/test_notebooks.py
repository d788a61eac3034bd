"""Every notebook runs from top to bottom, and ships without output."""

import re
from pathlib import Path
from typing import Any

import pytest

from simulator import bundled

nbformat = pytest.importorskip("nbformat", reason="the extra [notebook] is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra [notebook] is not installed")

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def data_files(notebook: Any) -> list[str]:
    """Return the files below the folder of real data that the scenarios of a notebook read."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    loaded = [bundled.scenario_file(name) for name in re.findall(r'fs\.load\("([^"]+)"', code)]
    texts = [file.read_text(encoding="utf-8") for file in loaded]
    return sorted({name for text in texts for name in re.findall(r'"data:([^"]+)"', text)})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    notebook = nbformat.read(path, as_version=4)
    if names := data_files(notebook):
        folder = request.getfixturevalue("data_folder")
        if absent := [name for name in names if not (folder / name).is_file()]:
            pytest.skip(f"FLEETSIM_DATA has no {', '.join(absent)}; docs/data.md says more")
    client = nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    )
    ran = client.execute()
    code = [cell for cell in ran.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not list(tmp_path.iterdir())  # nothing is written unless asked


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_ships_without_output(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert not [cell for cell in cells if cell.cell_type == "code" and cell.outputs]
