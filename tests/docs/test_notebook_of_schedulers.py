"""The notebook on schedulers runs from top to bottom, on 710 of its 82,247 jobs.

Of a week in which many wait: all that take ten hours or more, and one in sixty of the others. Fewer
than that and nobody waits on 76 nodes, more and somebody does on 96; the notebook divides by both.
"""

from pathlib import Path

import pytest

pytest.importorskip("nbformat", reason="the extra [notebook] is not installed")
pytest.importorskip("nbclient", reason="the extra [notebook] is not installed")

from tests.docs.notebooks import FOLDER, read, run_with_fewer

FEWER = """
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import simulator as fs

FIRST, DAYS = pd.Timestamp("2017-10-21", tz="UTC"), 8
whole, folder = fs.load, TemporaryDirectory()


def load(name):
    scenario = whole(name)
    recorded = scenario.workloads["philly"].jobs
    jobs = pd.read_csv(recorded.path)
    since = pd.to_datetime(jobs["submit_utc"]) - FIRST
    some = (jobs["duration_s"] >= 36_000) | (jobs.index % 60 == 0)
    some &= (since >= pd.Timedelta(0)) & (since < pd.Timedelta(days=DAYS))
    file = Path(folder.name) / "jobs.csv"
    jobs[some].to_csv(file, index=False)
    table = {"file": str(file), "format": "csv", "columns": {"submit_s": "submit_utc"}}
    return scenario.replace({
        "start": "2022-10-21T00:00:00Z",
        "horizon": f"{DAYS + 1} d",
        "workloads.philly.jobs": {**table, "origin": FIRST.to_pydatetime()},
    })


fs.load = load
"""


def test_it_runs_with_fewer_jobs(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run_with_fewer(read(FOLDER / "04_schedulers.ipynb", request), FEWER, tmp_path)
