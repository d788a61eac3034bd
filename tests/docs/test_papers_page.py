"""The page of papers: what stands there is what runs give, and nothing is left out."""

from pathlib import Path

import pytest

import simulator
from simulator.papers.check_table import check_cells
from simulator.papers.findings import Check, Finding
from simulator.papers.page import IMAGES, MARK, figure_text
from simulator.papers.reproduction import reproduce
from simulator.papers.shelf import paper_of, papers
from tests.papers.likeness import differences, kept

DOCS = Path(simulator.__file__).parent.parent / "docs"
PAGE = (DOCS / "papers.md").read_text(encoding="utf-8")
MADE = PAGE.partition(MARK)[2]
CHEAP = {
    "beyond-efficiency": ("2a",),
    "sustainable-ai": ("2", "3c", "4", "5", "6", "8", "12"),
    "training-footprints": ("llama", "bloom", "net"),
}
"""Figures that a few runs make; the others are held by what the page can't get wrong unseen."""


@pytest.mark.parametrize("name", CHEAP)
def test_figures_of_few_runs_stand_on_the_page_as_they_come_out(name: str, tmp_path: Path) -> None:
    paper = paper_of(name)
    made = reproduce(paper, CHEAP[name], tmp_path / name, jobs=1)
    for figure in made.figures:
        assert figure_text(made, figure) in MADE, f"renew the page: figure {figure.name}"


@pytest.mark.verify
@pytest.mark.usefixtures("data_folder")
def test_every_figure_stands_on_the_page_as_it_comes_out(tmp_path: Path) -> None:
    for paper in papers():
        made = reproduce(paper, paper.figures, tmp_path / paper.name)
        assert made.holds
        for figure in made.figures:
            assert figure_text(made, figure) in MADE, f"{paper.name}, figure {figure.name}"
            picture = Path(figure.files(made.folder)["png"]).read_bytes()
            assert not differences(picture, kept(DOCS, paper.name, figure.name))


def test_every_published_number_and_picture_is_there() -> None:
    for paper in papers():
        expected = paper.expected
        for figure, title in expected.figures.items():
            assert f"### Figure {figure}: {title}\n" in MADE
            assert (DOCS / IMAGES / f"{paper.name}_{figure}.png").is_file()
        for figure in expected.unmade:
            assert f"- Figure {figure.name}, {figure.title}: {figure.why}.\n" in MADE
        for number in expected.numbers:
            published, _, _, within, _, kind = check_cells(Check(number, Finding(0.0)))
            rows = [line for line in MADE.splitlines() if line.startswith(f"| {number.quantity} [")]
            assert any(f"| {published} |" in row for row in rows), number.quantity
            assert any(f"| {within} |" in row and row.endswith(f"| {kind} |") for row in rows)
        for remark in (*expected.calibrated, *expected.contradictions):
            assert f"- {remark.name}: {remark.words}" in MADE
    assert "| fails |" not in MADE


def test_no_picture_is_left_behind() -> None:
    shown = {f"{paper.name}_{figure}.png" for paper in papers() for figure in paper.figures}
    assert {path.name for path in (DOCS / IMAGES).iterdir()} == shown
