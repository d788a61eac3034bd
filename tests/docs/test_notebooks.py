"""Every notebook runs from top to bottom, and ships without output."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from simulator import bundled

nbformat = pytest.importorskip("nbformat", reason="the extra [notebook] is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra [notebook] is not installed")

LONG = ("02_idle_power", "03_sweeps")
"""Notebooks of many runs: `verify` plays them as they are, every run of the tests a part."""

FEWER = """
import simulator as fs

CHANGES = {
    "research-cluster": {
        "workloads.experiments.arrivals.rate": "545 per d", "horizon": "6 d", "warm_up": "2 d"
    },
    "diurnal-tier": {"workloads.requests.arrivals.rate": "4500 per d"},
    "single-server": {"horizon": "31 d"},
}


def fewer(function, **few):
    def call(*words, **said):
        return function(*words, **said | {key: few[key] for key in few.keys() & said.keys()})

    return call


whole = fs.load
fs.load = lambda name: whole(name).replace(CHANGES.get(name, {}))
fs.sweep = fewer(fs.sweep, samples=8)
fs.compare = fewer(fs.compare, seeds=3)
fs.optimize = fewer(fs.optimize, trials=12)
"""

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


@pytest.fixture
def notebook(request: pytest.FixtureRequest) -> Any:
    """Return the notebook of a path; skip where there is no data for it."""
    read = nbformat.read(request.param, as_version=4)
    if names := data_files(read):
        folder = request.getfixturevalue("data_folder")
        if absent := [name for name in names if not (folder / name).is_file()]:
            pytest.skip(f"FLEETSIM_DATA has no {', '.join(absent)}; docs/data.md says more")
    return read


def run(notebook: Any, folder: Path) -> None:
    """Run a notebook from top to bottom; nothing is written unless asked."""
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(folder)}}
    )
    ran = client.execute()
    code = [cell for cell in ran.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(path, marks=pytest.mark.verify if path.stem in LONG else ())
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
    indirect=True,
)
def test_the_notebook_runs(notebook: Any, tmp_path: Path) -> None:
    run(notebook, tmp_path)


@pytest.mark.parametrize(
    "notebook",
    [path for path in NOTEBOOKS if path.stem in LONG],
    ids=lambda path: path.stem,
    indirect=True,
)
def test_the_notebook_runs_with_fewer_jobs_and_runs(notebook: Any, tmp_path: Path) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = without_assertions(cell.source)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(FEWER))
    run(notebook, tmp_path)


def without_assertions(source: str) -> str:
    """Return the code of a cell without what it holds its results to, which few runs don't keep."""
    tree = ast.parse(source)
    tree.body = [each for each in tree.body if not isinstance(each, ast.Assert)]
    return ast.unparse(tree)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_ships_without_output(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert not [cell for cell in cells if cell.cell_type == "code" and cell.outputs]
