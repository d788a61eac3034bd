"""Every notebook runs from top to bottom, and ships without output."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="the extra [notebook] is not installed")
pytest.importorskip("nbclient", reason="the extra [notebook] is not installed")

from tests.docs.notebooks import FOLDER, read, run, run_with_fewer  # noqa: E402

LONG = ("02_idle_power", "03_sweeps", "04_schedulers")
"""Notebooks of many runs: `verify` plays them as they are, every run of the tests a part.

The part of the one on schedulers is in `test_notebook_of_schedulers`: it takes kernels of its own.
"""

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

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.verify if path.stem in LONG else ())
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_the_notebook_runs(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run(read(path, request), tmp_path)


@pytest.mark.parametrize("stem", ["02_idle_power", "03_sweeps"])
def test_the_notebook_runs_with_fewer_jobs_and_runs(
    stem: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run_with_fewer(read(FOLDER / f"{stem}.ipynb", request), FEWER, tmp_path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_ships_without_output(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert not [cell for cell in cells if cell.cell_type == "code" and cell.outputs]
