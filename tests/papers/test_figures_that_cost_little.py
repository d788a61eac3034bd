"""Figures of papers that a few runs make: every checked number holds, and the pictures show it."""

import io
import math
import re
from pathlib import Path
from statistics import NormalDist

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from simulator.papers.beyond_efficiency import figure_6
from simulator.papers.reproduction import Reproduction, reproduce
from simulator.papers.shelf import paper_of

CHEAP = [
    ("sustainable-ai", "sizes"),
    ("sustainable-ai", "4"),
    ("sustainable-ai", "5"),
    ("sustainable-ai", "2"),
    ("sustainable-ai", "3c"),
    ("sustainable-ai", "6"),
    ("sustainable-ai", "8"),
    ("sustainable-ai", "10"),
    ("sustainable-ai", "11"),
    ("sustainable-ai", "12"),
    ("beyond-efficiency", "2a"),
    ("beyond-efficiency", "6"),
    ("training-footprints", "llama"),
    ("training-footprints", "bloom"),
    ("training-footprints", "net"),
]
BLUE = (0x00, 0x72, 0xB2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Reproduction]:
    """Return every cheap figure, made once."""
    found = {}
    for name, figure in CHEAP:
        paper = paper_of(name)
        folder = tmp_path_factory.mktemp("papers") / f"{name}-{figure}"
        found[name, figure] = reproduce(paper, paper.chosen([figure]), folder, jobs=1)
    return found


@pytest.mark.parametrize("which", CHEAP, ids="-".join)
def test_every_checked_number_holds(
    made: dict[tuple[str, str], Reproduction], which: tuple[str, str]
) -> None:
    reproduction = made[which]
    failing = [c.number.key for f in reproduction.figures for c in f.checks if c.verdict == "fails"]
    assert not failing
    assert reproduction.holds
    assert max(map(len, reproduction.lines()[:-1])) <= 80


@pytest.mark.parametrize("which", CHEAP, ids="-".join)
def test_numbers_and_pictures_are_written(
    made: dict[tuple[str, str], Reproduction], which: tuple[str, str]
) -> None:
    (figure,) = made[which].figures
    files = figure.files(made[which].folder)
    assert len(pd.read_csv(files["csv"])) >= 2
    svg = Path(files["svg"]).read_text(encoding="utf-8")
    said = re.sub("<[^>]+>", " ", svg)
    assert any(word in said for word in ("published", "Reference", "prints no numbers"))
    assert "Date" not in svg


@pytest.mark.parametrize(
    "which", [("training-footprints", "llama"), ("training-footprints", "bloom")], ids="-".join
)
def test_bars_are_as_long_as_their_numbers(
    made: dict[tuple[str, str], Reproduction], which: tuple[str, str]
) -> None:
    """Loose enough for fonts: only the blue of the bars is measured, each beside the longest."""
    (figure,) = made[which].figures
    content = Path(figure.files(made[which].folder)["png"]).read_bytes()
    picture = matplotlib.image.imread(io.BytesIO(content), format="png")[:, :, :3]
    is_blue = (np.abs(picture - np.array(BLUE) / 255) < 0.02).all(axis=2)
    table = pd.read_csv(figure.files(made[which].folder)["csv"])
    wanted = table["tco2e"].to_numpy() / table["tco2e"].max()
    assert lengths(is_blue, len(wanted)) == pytest.approx(wanted, abs=0.03)


def lengths(is_blue: "np.ndarray[tuple[int, int], np.dtype[np.bool_]]", count: int) -> list[float]:
    """Return the lengths of horizontal bars, relative to the longest, from the top down."""
    rows = is_blue.sum(axis=1)
    groups = np.split(rows, np.flatnonzero(np.diff((rows > 0).astype(int))) + 1)
    bars = [group for group in groups if group.max() > 0][-count:]  # the legend's comes before
    assert len(bars) == count
    return (np.array([np.median(bar) for bar in bars]) / rows.max()).tolist()


def test_the_stalls_are_the_quantiles_that_their_scenario_speaks_of() -> None:
    """Busy share 1 / (1 + s), with s lognormal of median 1.5 and spread 0.42."""
    busy = pd.read_csv(paper_of("sustainable-ai").folder / "stalls.csv")["busy"].to_numpy()
    shares = (np.arange(len(busy)) + 0.5) / len(busy)
    stalls = [1.5 * math.exp(0.42 * NormalDist().inv_cdf(share)) for share in shares.tolist()]
    assert busy == pytest.approx(1.0 / (1.0 + np.array(stalls)), abs=1e-6)


def test_half_of_what_is_saved_lies_between_none_and_all(
    made: dict[tuple[str, str], Reproduction],
) -> None:
    (figure,) = made["sustainable-ai", "8"].figures
    found = {check.number.key: check.finding.value for check in figure.checks}
    assert found["rebound_full"] == pytest.approx(0.0, abs=0.1)
    assert found["rebound_full"] < found["rebound_half"] < found["gap"]


def test_the_levers_of_figure_6_are_all_of_the_saving(
    made: dict[tuple[str, str], Reproduction],
) -> None:
    (figure,) = made["sustainable-ai", "6"].figures
    found = {check.number.key: check.finding.value for check in figure.checks}
    levers = ("model", "platform", "infrastructure", "hardware")
    assert sum(found[name] for name in levers) == pytest.approx(found["mean"])
    assert found["compounded"] == pytest.approx(100 * (1 - 0.8**4), abs=0.1)


def test_without_hourly_files_the_catalogs_profiles_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLEETSIM_DATA", raising=False)
    paper = paper_of("beyond-efficiency")
    made = reproduce(paper, ("6",), tmp_path / "six", jobs=1)
    assert made.holds
    table = pd.read_csv(made.figures[0].files(made.folder)["csv"])
    assert not table["label"].str.contains("hourly").any()
    means = table.groupby("grid")["mean_g_per_kwh"].mean()
    assert means["ciso"] == pytest.approx(256.0, rel=0.01)  # as the catalog has them
    assert means["pjm"] == pytest.approx(362.7, rel=0.01)


def test_hours_of_the_day_are_local() -> None:
    """The first of January begins at 8 in the morning of UTC in California."""
    utc = np.tile(np.arange(24.0), 3)
    assert figure_6._by_hour(utc, -8)[0, 0] == 8.0
    assert figure_6._by_hour(utc, -5)[1, 0] == 5.0
