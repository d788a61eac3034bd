"""Figure 10 in small: what sharing does to how busy the GPUs of jobs are."""

import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from simulator.papers.findings import Measured
from simulator.papers.material import Material
from simulator.papers.runs import Source
from simulator.papers.shelf import paper_of
from simulator.papers.sustainable_ai import figure_10

SMALL = {
    'horizon = "120 d"': 'horizon = "30 d"',
    'warm_up = "60 d"': 'warm_up = "10 d"',
    "count   = 300": "count   = 60",
    'rate = "78.646 per d"': 'rate = "15.729 per d"',
    "seeds = 20": "seeds = 2",
}


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Return what the figure draws from, of a fifth of the pool, for a month, by two seeds."""
    paper = paper_of("sustainable-ai")
    folder = tmp_path_factory.mktemp("paper") / "sustainable_ai"
    shutil.copytree(paper.folder, folder)
    file = folder / "sharing.toml"
    text = file.read_text(encoding="utf-8")
    for old, new in SMALL.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    source = Source(
        dataclasses.replace(paper, folder=folder), tmp_path_factory.mktemp("runs"), jobs=1
    )
    return source.material(figure_10)


@pytest.fixture(scope="module")
def measured(material: Material) -> Measured:
    return figure_10.measure(material)


def test_two_to_a_gpu_keep_it_busier_and_hold_fewer(measured: Measured) -> None:
    """Both fit where their sum is at most 1, so a pair keeps at most 1 / 1.1 of a GPU busy."""
    found = {key: finding.value for key, finding in measured.findings.items()}
    assert found["mean"] == pytest.approx(40.4, abs=0.2)
    assert found["inside"] == pytest.approx(68.7, abs=0.5)
    assert 1.5 * found["mean"] < found["shared_mean"] < 2 * found["mean"]
    assert found["shared_inside"] < 10
    assert 30 < found["freed"] < 50
    assert 0 < found["slowed"] < 10


def test_bars_are_all_jobs(measured: Measured) -> None:
    for column in ("share_of_jobs_percent", "share_of_jobs_two_share_percent"):
        assert measured.numbers[column].sum() == pytest.approx(100)


def test_jobs_see_what_they_and_their_neighbours_do(material: Material) -> None:
    """Alone a GPU is as busy as its job keeps it, shared it is busy for 1 / 1.1 at most."""
    stalls = pd.read_csv(paper_of("sustainable-ai").folder / "stalls.csv")["busy"]
    jobs = material.jobs["sharing"]
    ran = jobs[(jobs["point"] == figure_10.SHARED) & jobs["start_s"].notna()]
    busy, beside = ran["accelerator_utilisation"], ran["shared_share"]
    assert len(ran) > 500
    assert (busy <= (1 - beside) * stalls.max() + beside / 1.1 + 1e-9).all()
    alone = busy[beside == 0]
    assert len(alone) > 5
    assert np.isin(alone.round(6), stalls.round(6)).all()
    assert busy[beside > 0.9].mean() > 1.5 * alone.mean()
