"""Figures of papers that a few runs make: every checked number holds, and the pictures show it."""

import dataclasses
import math
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from simulator.figures import style
from simulator.figures.style import render
from simulator.papers.beyond_efficiency import figure_6
from simulator.papers.findings import Check, Finding
from simulator.papers.reproduction import Reproduction, reproduce
from simulator.papers.shelf import paper_of
from tests.papers.likeness import differences, kept

CHEAP = [
    ("sustainable-ai", "sizes"),
    ("sustainable-ai", "4"),
    ("sustainable-ai", "5"),
    ("sustainable-ai", "2"),
    ("sustainable-ai", "3c"),
    ("sustainable-ai", "6"),
    ("sustainable-ai", "8"),
    ("sustainable-ai", "12"),
    ("beyond-efficiency", "2a"),
    ("beyond-efficiency", "6"),
    ("training-footprints", "llama"),
    ("training-footprints", "bloom"),
    ("training-footprints", "net"),
]
HOURLY = ("beyond-efficiency", "6")
"""Drawn from hourly files on the page, and from the catalog where there are none."""
DOCS = Path(__file__).parent.parent.parent / "docs"


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


@pytest.mark.parametrize("which", CHEAP, ids="-".join)
def test_pictures_look_as_they_do_on_the_page(
    made: dict[tuple[str, str], Reproduction],
    which: tuple[str, str],
    request: pytest.FixtureRequest,
) -> None:
    if which == HOURLY:
        request.getfixturevalue("data_folder")
    (figure,) = made[which].figures
    picture = Path(figure.files(made[which].folder)["png"]).read_bytes()
    assert not differences(picture, kept(DOCS, *which))


def drawn_again(
    made: Reproduction, checks: Sequence[Check] | None = None, **columns: "pd.Series[float]"
) -> bytes:
    """Return the picture of a figure drawn once more, from other numbers."""
    (figure,) = made.figures
    numbers = pd.read_csv(figure.files(made.folder)["csv"]).assign(**columns)
    module = made.paper.module(figure.name)
    return render(module.draw(numbers, figure.checks if checks is None else checks), "png")


@pytest.mark.parametrize("which", CHEAP, ids="-".join)
def test_other_letters_leave_a_picture_alike(
    made: dict[tuple[str, str], Reproduction],
    which: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = drawn_again(made[which])
    monkeypatch.setitem(style._OURS, "font.family", ["DejaVu Serif"])
    other = drawn_again(made[which])
    assert other != plain
    assert not differences(other, plain)


@pytest.mark.parametrize(
    ("which", "key"),
    [
        (("sustainable-ai", "4"), "meena"),
        (("beyond-efficiency", "2a"), "llama_33b"),
        (("training-footprints", "llama"), "13b"),
        (("training-footprints", "bloom"), "idle"),
    ],
    ids=str,
)
def test_a_bar_that_is_a_fiftieth_of_the_axis_too_long_shows(
    made: dict[tuple[str, str], Reproduction], which: tuple[str, str], key: str
) -> None:
    (figure,) = made[which].figures
    keys = [check.number.key for check in figure.checks]
    wrong = list(figure.checks)
    longest = max(check.finding.value for check in wrong if check.number.unit == "t CO2e")
    at = keys.index(key)
    finding = Finding(wrong[at].finding.value + longest / 50)
    wrong[at] = dataclasses.replace(wrong[at], finding=finding)
    assert differences(drawn_again(made[which], wrong), drawn_again(made[which]))


@pytest.mark.parametrize(
    ("which", "column", "step"),
    [
        (("sustainable-ai", "5"), "embodied_percent", 2.0),
        (("sustainable-ai", "8"), "baseline", 0.02),
        (("sustainable-ai", "3c"), "electricity_twh", 0.7),
        (("beyond-efficiency", "6"), "mean_g_per_kwh", 30.0),
    ],
    ids=str,
)
def test_a_point_that_is_a_little_off_shows(
    made: dict[tuple[str, str], Reproduction], which: tuple[str, str], column: str, step: float
) -> None:
    (figure,) = made[which].figures
    wrong = pd.read_csv(figure.files(made[which].folder)["csv"])[column].astype(float)
    wrong.iloc[2] += step
    other = drawn_again(made[which], **{column: wrong})
    assert differences(other, drawn_again(made[which]))


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
